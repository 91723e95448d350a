"""The npm packages of the web UI, those of its tests among them, as its lock file names them."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

WEB = Path(__file__).parents[2] / "vistio_serve" / "web"
ALLOWED = "VISTIO_TEST_NPM"
"""``1`` in the environment lets tests fetch packages."""


def command() -> str | None:
    """Npm's path, if it is installed and may fetch packages."""
    return shutil.which("npm") if os.environ.get(ALLOWED) == "1" else None


def run(npm: str, *arguments: str, folder: Path) -> None:
    done = subprocess.run(
        [npm, *arguments], cwd=folder, capture_output=True, text=True, check=False, timeout=240
    )
    assert done.returncode == 0, f"npm {' '.join(arguments)}:\n{done.stdout[-6000:]}{done.stderr[-2000:]}"


def install(npm: str, folder: Path) -> None:
    """Makes ``folder`` with ``node_modules`` inside; it is there only once they are complete."""
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    for name in ("package.json", "package-lock.json"):
        shutil.copy(WEB / name, unfinished)
    run(npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", folder=unfinished)
    unfinished.rename(folder)
