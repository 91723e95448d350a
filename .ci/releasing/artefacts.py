"""The wheel and the sdist: built, looked at, and summed up."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from zipfile import ZipFile

from releasing.commands import said
from releasing.packages import ROOT


def pinned() -> dict[str, str]:
    """An environment in which pip takes what constraints.txt pins, for builds in isolation, too."""
    return {
        **os.environ,
        "PIP_CONSTRAINT": str(ROOT / "constraints.txt"),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }


def build(directory: Path, *what: str) -> None:
    """Builds into a directory: the sdist, and of it the wheel; or ``what`` says (``--wheel``: of the tree).

    Raises:
        CommandError: it could not be built.
    """
    said(sys.executable, "-m", "build", "--outdir", directory, *what, ROOT, environment=pinned())


def content(wheel: Path) -> Mapping[str, str]:
    """The files in a wheel, by name, and a hash of each."""
    with ZipFile(wheel) as archive:
        return {
            each.filename: hashlib.sha256(archive.read(each)).hexdigest()
            for each in archive.infolist()
            if not each.is_dir()
        }


def differences(one: Path, other: Path) -> Iterator[str]:
    """How the contents of two wheels differ."""
    left, right = content(one), content(other)
    for name in sorted(left.keys() | right.keys()):
        if left.get(name) != right.get(name):
            how = (
                "differs" if name in left and name in right else f"only in {(one if name in left else other)}"
            )
            yield f"{name}: {how}"


def missing(wheel: Path) -> Iterator[str]:
    """What a wheel should have and has not."""
    names = content(wheel).keys()
    page = ("vistio_serve/static/ui/index.html", "vistio_serve/static/ui/licences.txt")
    for wanted in (*page, "vistio_core/py.typed", "vistio_record/py.typed"):
        if wanted not in names:
            yield f"{wanted} is not in {wheel.name}"
    if not any(name.endswith(".dist-info/licenses/LICENSE") for name in names):
        yield f"the licence is not in {wheel.name}"


def write_sums(directory: Path) -> Path:
    """SHA256SUMS of all files beside it, as ``sha256sum --check`` reads it."""
    sums = directory / "SHA256SUMS"
    files = sorted(each for each in directory.iterdir() if each.is_file() and each != sums)
    lines = [f"{hashlib.sha256(each.read_bytes()).hexdigest()}  {each.name}\n" for each in files]
    sums.write_text("".join(lines), encoding="utf-8")
    return sums
