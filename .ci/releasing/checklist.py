"""What has to hold before anything is built: one version everywhere, in the changelog, and all of it committed."""

from __future__ import annotations

import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

from releasing.packages import ROOT

_VERSION = r"(\d+\.\d+\.\d+[\w.+-]*)"
# What deploys vistio names an image, a chart or a tag by its version; pyproject.toml is where it comes from.
NAMED_IN: dict[str, str] = {
    "Dockerfile": rf"^ARG VERSION={_VERSION}$",
    "docs/envoy-mesh.md": rf"vistio:{_VERSION}`",
    "docs/kubernetes.md": rf"/?vistio:{_VERSION}",
    "docs/zh/kubernetes.md": rf"/?vistio:{_VERSION}",
    "examples/deploy/compose/compose.yaml": rf"image: vistio:{_VERSION}$",
    "examples/deploy/helm/vistio/Chart.yaml": rf"^(?:version|appVersion): {_VERSION}$",
    "examples/deploy/kubernetes/base/kustomization.yaml": rf"newTag: {_VERSION}$",
    "examples/deploy/kubernetes/vistio-mesh-only.yaml": rf"image: vistio:{_VERSION}$",
    "examples/deploy/kubernetes/vistio-with-ingress.yaml": rf"image: vistio:{_VERSION}$",
    "examples/deploy/kubernetes/vistio-with-tls.yaml": rf"image: vistio:{_VERSION}$",
    "examples/deploy/kubernetes/vistio-with-web-config.yaml": rf"image: vistio:{_VERSION}$",
    "examples/envoy-mesh/Dockerfile": rf"vistio:{_VERSION}",
    "examples/envoy-mesh/compose.yaml": rf"image: vistio-envoy-mesh:{_VERSION}$",
}
_SECTION = re.compile(r"^## (\S+) - (\S+)$", re.MULTILINE)
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def project_version(root: Path = ROOT) -> str:
    """What pyproject.toml says."""
    version: str = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    return version


def supported_pythons(root: Path = ROOT) -> list[str]:
    """``3.11`` and so on, as the classifiers have them."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found = (
        re.fullmatch(r"Programming Language :: Python :: (3\.\d+)", each) for each in project["classifiers"]
    )
    return [each[1] for each in found if each]


def after(version: str) -> str:
    """The next minor version: it is tried, too, so that one knows when it may be promised."""
    major, _, minor = version.partition(".")
    return f"{major}.{int(minor) + 1}"


def version_problems(root: Path = ROOT) -> Iterator[str]:
    """Files that name another version than pyproject.toml does, or none."""
    version = project_version(root)
    for name, pattern in NAMED_IN.items():
        found = set(re.findall(pattern, (root / name).read_text(encoding="utf-8"), re.MULTILINE))
        if found != {version}:
            yield f"{name}: names {', '.join(sorted(found)) or 'no version'}; this is {version}"


def changelog_problems(root: Path = ROOT) -> Iterator[str]:
    """Whether the newest section of CHANGELOG.md is this version's, with the day of its release."""
    version = project_version(root)
    newest = _SECTION.search((root / "CHANGELOG.md").read_text(encoding="utf-8"))
    if newest is None or newest[1] != version:
        yield f"CHANGELOG.md: begins with {newest[1] if newest else 'no version'}; this is {version}"
    elif not _DAY.fullmatch(newest[2]):
        yield f"CHANGELOG.md: {version} is {newest[2]}; write the day of the release there (2026-11-30), and commit"


def tree_problems(root: Path = ROOT) -> Iterator[str]:
    """What is not committed, so that nobody else could build the same."""
    changed = git("status", "--porcelain", root=root).splitlines()
    if changed:
        more = f", and {len(changed) - 5} more" if len(changed) > 5 else ""
        yield f"not committed: {', '.join(line[3:] for line in changed[:5])}{more}"


def git(*arguments: str, root: Path = ROOT) -> str:
    """What git says."""
    done = subprocess.run(["git", *arguments], cwd=root, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.rstrip("\n")
