"""The checklist of a release: everything is tried, what is wrong is told together, and then what a person still does.

    python -m releasing.release [--python 3.11 ...] [DIRECTORY]

DIRECTORY (dist/) gets the wheel, the sdist, the SBOM, the licences, notes on where they come from, and the sums of all.
"""

from __future__ import annotations

import argparse
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from releasing import artefacts, checklist, fresh
from releasing.commands import CommandError, said

BY_HAND = """\
What a person still does:

  1. nox -s audit, where an advisory service is reached; CHANGELOG.md once more; CI is green for {commit}
  2. git tag --sign v{version} {commit} && git push origin v{version}
  3. twine upload {directory}/vistio-{version}*.whl {directory}/vistio-{version}.tar.gz
     (better from CI by a trusted publisher: the index then shows an attestation of who built it, from what)
  4. build the image of that tag for both machines and push it (docs/image.md); its digest goes beside the sums
  5. put the wheel, the sdist, the SBOM, the licences, the provenance notes and SHA256SUMS on the release's page,
     and sign the sums: gpg --detach-sign --armor {directory}/SHA256SUMS
  6. begin the next version: pyproject.toml, and what `nox -s release` then says of the other places
"""
PROVENANCE = """\
vistio {version}
commit       {commit}{dirty}
built by     nox -s release, on {system}, Python {python}
with         constraints.txt and vistio_serve/web/package-lock.json of that commit: every tool and package is pinned
the same?    the wheel was built of the sdist, and once more of the tree: {same}
tried on     {tried}
to check     git checkout {commit} && nox -s release, then compare the wheel's files; sha256sum --check SHA256SUMS
"""


class Checks:
    """What was looked at, told as it comes."""

    def __init__(self) -> None:
        self.failed: list[str] = []

    def __call__(self, what: str, problems: Iterable[str]) -> bool:
        """Whether nothing is wrong with something."""
        try:
            wrong = list(problems)
        except (OSError, subprocess.SubprocessError, CommandError) as error:
            wrong = str(error).splitlines()
        print(
            f"{'NOT ' if wrong else 'ok  '}{what}", *(f"      {each}" for each in wrong), sep="\n", flush=True
        )
        if wrong:
            self.failed.append(what)
        return not wrong


def main(arguments: list[str]) -> int:
    """The exit code: 0 when all was tried and nothing is wrong."""
    parser = argparse.ArgumentParser(prog="nox -s release --")
    parser.add_argument("directory", nargs="?", default="dist", type=Path)
    parser.add_argument("--python", action="append", help="only with this Python, such as 3.11")
    given = parser.parse_args(arguments)
    version, commit = checklist.project_version(), checklist.git("rev-parse", "HEAD")
    checks = Checks()
    checks(f"the version is {version} wherever it is named", checklist.version_problems())
    checks("the changelog has it, with its day", checklist.changelog_problems())
    clean = checks("all is committed", checklist.tree_problems())
    shutil.rmtree(given.directory, ignore_errors=True)
    given.directory.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="vistio-release-") as scratch:
        try:
            wheel, sdist, same = _built(checks, given.directory, Path(scratch))
            tried = _tried(checks, (wheel, sdist), version, given.python, Path(scratch))
            _described(checks, wheel, version, given.directory, Path(scratch))
        except (OSError, subprocess.SubprocessError, CommandError) as error:
            print("NOT built", *(f"      {line}" for line in str(error).splitlines()), sep="\n")
            return 1
    notes = PROVENANCE.format(
        version=version,
        commit=commit,
        dirty="" if clean else ", with changes that are not committed: not for release",
        system=f"{platform.system()} {platform.machine()}",
        python=platform.python_version(),
        same="the same files" if same else "they differ",
        tried="; ".join(tried) or "nothing",
    )
    (given.directory / f"vistio-{version}.provenance.txt").write_text(notes, encoding="utf-8")
    artefacts.write_sums(given.directory)
    print(f"\n{notes}")
    if checks.failed:
        print("Not for release yet. What does not hold, as said above:", *checks.failed, sep="\n  - ")
        return 1
    print(BY_HAND.format(version=version, commit=commit[:12], directory=given.directory))
    return 0


def _built(checks: Checks, directory: Path, scratch: Path) -> tuple[Path, Path, bool]:
    artefacts.build(directory)
    wheel, sdist = next(directory.glob("*.whl")), next(directory.glob("*.tar.gz"))
    checks("the wheel has the page, the types and the licence", artefacts.missing(wheel))
    artefacts.build(scratch / "of-the-tree", "--wheel")
    other = next((scratch / "of-the-tree").glob("*.whl"))
    same = checks("the sdist builds the wheel that the tree builds", artefacts.differences(wheel, other))
    checks(
        "the index will take them (twine check)", _run("twine", "check", "--strict", str(wheel), str(sdist))
    )
    return wheel, sdist, same


def _tried(
    checks: Checks, built: tuple[Path, ...], version: str, only: list[str] | None, scratch: Path
) -> list[str]:
    """With which Pythons they were tried."""
    tried = []
    promised = checklist.supported_pythons()
    for name in (*promised, checklist.after(promised[-1])):
        python = None if only and name not in only else fresh.interpreter(name)
        if python is None:
            why = (
                "left out"
                if only and name not in only
                else "there is none on this machine: install it, run again"
            )
            if name in promised:
                checks(f"Python {name}", [f"not tried: {why}"])
            else:
                print(f"--  Python {name}, which is not promised: not tried: {why}")
            continue
        for artefact in built:
            place = scratch / f"{name}-{artefact.suffix[1:]}"
            kind = "wheel" if artefact.suffix == ".whl" else "sdist"
            if checks(
                f"Python {name}: the {kind} installs and runs", _runs(python, artefact, version, place)
            ):
                tried.append(f"Python {name} ({kind})")
            shutil.rmtree(place, ignore_errors=True)
    return tried


def _runs(python: str, artefact: Path, version: str, place: Path) -> Iterable[str]:
    programs = fresh.installed(python, artefact.absolute(), place)
    yield from fresh.problems_of(programs, version, place)


def _described(checks: Checks, wheel: Path, version: str, directory: Path, scratch: Path) -> None:
    """The SBOM and the licences, of an environment that has the wheel and nothing else."""
    python = str(fresh.installed(sys.executable, wheel.absolute(), scratch / "described") / "python")
    bill = str(directory / f"vistio-{version}.cdx.json")
    checks("the SBOM is written", _run(sys.executable, "-m", "releasing.sbom", python, bill))
    # The licences are read where the wheel is: what reads them needs no more than this.
    said(python, "-m", "pip", "install", "--quiet", "packaging", environment=artefacts.pinned())
    licences = str(directory / f"vistio-{version}.licences.txt")
    checks("all licences may come along", _run(python, "-m", "releasing.licences", licences))


def _run(*command: str) -> list[str]:
    """What a command says, if it fails."""
    try:
        said(*command)
    except CommandError as error:
        return str(error).splitlines()
    return []


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
