"""An artefact in a fresh environment of some Python: installed as users do, and the programs run there."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

from releasing.artefacts import pinned
from releasing.commands import said


def interpreter(version: str) -> str | None:
    """The path of a Python ``3.x`` on this machine that can make environments: on PATH, or pyenv's."""
    candidates = [shutil.which(f"python{version}"), *map(str, _of_pyenv(version))]
    for candidate in filter(None, candidates):
        asked = [candidate, "-c", "import ensurepip, sys, venv; print('%d.%d' % sys.version_info[:2])"]
        done = subprocess.run(asked, capture_output=True, text=True, check=False)
        if done.stdout.strip() == version:
            return candidate
    return None


def _of_pyenv(version: str) -> Iterator[Path]:
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    found = [each for each in root.glob(f"versions/{version}.*/bin/python{version}") if each.exists()]
    yield from sorted(
        found, key=lambda path: [int(part) for part in re.findall(r"\d+", path.parts[-3])], reverse=True
    )


def installed(python: str, artefact: Path, directory: Path) -> Path:
    """Where the programs of a fresh environment with an artefact are.

    Raises:
        CommandError: it could not be made, or nothing installed into it.
    """
    said(python, "-m", "venv", directory)
    programs = directory / "bin"
    said(programs / "pip", "install", "--quiet", artefact, environment=pinned())
    return programs


def problems_of(programs: Path, version: str, directory: Path) -> Iterator[str]:
    """What does not work there: the programs' version, a recording by the simulator, its graph and the page."""
    recording = directory / "recording"
    for name in ("vistio-record", "vistio-serve"):
        if version not in (told := said(programs / name, "--version")):
            yield f"{name} --version says {told!r}"
    window = ("--start", "-5m", "--end", "now")
    said(programs / "vistio-record", "backfill", "--source", "simulator", *window, "--recording", recording)
    with subprocess.Popen(
        [str(programs / "vistio-serve"), "--port", "0", "--recording", str(recording)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as server:
        try:
            yield from _answers(server)
        finally:
            server.terminate()


def _answers(server: subprocess.Popen[str]) -> Iterator[str]:
    assert server.stdout is not None
    lines = []
    for line in server.stdout:
        lines.append(line)
        if found := re.search(r"open (http://\S+)", line):
            with urlopen(f"{found[1]}graph", timeout=60) as answer:
                if not json.load(answer)["nodes"]:
                    yield "the graph is empty"
            with urlopen(found[1], timeout=60) as answer:
                if b"assets/" not in answer.read():
                    yield "the page is the plain one: the web UI was not built"
            return
    yield f"vistio-serve ended: {' '.join(lines[-3:])}"
