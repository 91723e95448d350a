"""The project's frame: one command, one menu, pinned tools, and the wheel as what is tested."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PIN = re.compile(r"([A-Za-z0-9._-]+)==([A-Za-z0-9.!+]+)")


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pins() -> dict[str, str]:
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    matches = [PIN.fullmatch(line) for line in lines]
    assert all(matches), "constraints.txt has exact pins only: name==version"
    return {normal(match[1]): match[2] for match in matches if match}


def readme_test_command() -> str:
    readme = (ROOT / "README.md").read_text()
    block = re.search(r"^<!-- test-command -->\n```sh\n(.*?)\n```$", readme, re.DOTALL | re.MULTILINE)
    assert block, "README.md has the test command in a code block right after <!-- test-command -->"
    return block[1]


def test_the_readme_has_one_line_that_sets_up_everything_and_runs_the_tests() -> None:
    command = readme_test_command()
    assert "\n" not in command
    assert command.startswith("python3 -m venv "), "a system's own Python refuses pip install (PEP 668)"
    assert "-c constraints.txt nox" in command
    assert command.split("nox -s ")[1].split() == ["everything"]
    source = (ROOT / "noxfile.py").read_text()
    assert 'nox_session("tests", *session.posargs)' in source
    assert 'BESIDE = ("lint", "types", "docs")' in source


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash on PATH: .ci/run is a bash script")
@pytest.mark.parametrize(
    ("of_tests", "of_engines", "of_images", "of_all"),
    [(0, 0, 0, 0), (7, 0, 0, 7), (0, 3, 0, 3), (0, 0, 4, 4), (7, 3, 4, 7), (0, 3, 4, 3)],
)
def test_ci_runs_exactly_the_command_of_the_readme_the_engines_and_the_images(
    tmp_path: Path, of_tests: int, of_engines: int, of_images: int, of_all: int
) -> None:
    clone = tmp_path / "clone"
    (clone / ".ci").mkdir(parents=True)
    shutil.copy(ROOT / ".ci" / "run", clone / ".ci" / "run")
    readme = (ROOT / "README.md").read_text()
    command = readme_test_command()
    (clone / "README.md").write_text(
        readme.replace(command, f"echo ran; echo '== 3 passed in 1s =='; echo after; exit {of_tests}")
    )
    nox = clone / ".venv" / "bin" / "nox"
    nox.parent.mkdir(parents=True)
    codes = f"case $2 in engines) exit {of_engines};; images) exit {of_images};; esac"
    nox.write_text(f'#!/bin/sh\necho "nox $*"; echo "== 1 passed in 2s =="; {codes}\n')
    nox.chmod(0o755)
    # Every tool that .ci/run looks for is there, so it installs nothing.
    tools = tmp_path / "tools"
    tools.mkdir()
    containers = ("buildah", "podman", "runc", "catatonit", "mmdebstrap")
    for name in ("prometheus", "victoria-metrics", "dot", "chromium", "java", *containers):
        (tools / name).write_text("#!/bin/sh\n")
        (tools / name).chmod(0o755)

    done = subprocess.run(
        [str(clone / ".ci" / "run")],
        env={**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    lines = done.stdout.splitlines()
    assert "ran" in lines
    assert [line for line in lines if line.startswith("nox ")] == ["nox -s engines", "nox -s images"]
    assert lines[-1] == "== 3 passed in 1s ==", "pytest's closing line comes last"
    assert done.returncode == of_all, done.stderr


def test_everything_that_the_project_asks_for_is_pinned() -> None:
    groups = PYPROJECT["dependency-groups"]
    requirements = [
        *PYPROJECT["build-system"]["requires"],
        *PYPROJECT["project"]["dependencies"],
        *groups["test"],
        *groups["lint"],
        *groups["engines"],
        *groups["images"],
        *groups["docs"],
        *groups["suspects"],
        *groups["release"],
        "nox",
    ]
    names = {normal(re.match(r"[A-Za-z0-9._-]+", requirement)[0]) for requirement in requirements}  # type: ignore[index]
    assert names - pins().keys() == set()


@pytest.mark.skipif(
    "VISTIO_TESTS_NEED_THE_WHEEL" not in os.environ, reason="only `nox -s tests` installs the wheel"
)
def test_what_is_tested_is_the_installed_wheel_with_its_pinned_dependencies() -> None:
    import vistio_core
    import vistio_record
    import vistio_serve

    for package in (vistio_core, vistio_record, vistio_serve):
        assert package.__file__ is not None
        place = Path(package.__file__).parent
        assert ROOT / place.name != place, f"{place} is the source tree"
        assert (place / "py.typed").exists()
    pinned = pins()
    unlike = {
        distribution.name: distribution.version
        for distribution in metadata.distributions()
        if normal(distribution.name) not in {"vistio", "pip", "setuptools", "wheel"}
        and pinned.get(normal(distribution.name)) != distribution.version
    }
    assert unlike == {}, "every installed distribution has its pin in constraints.txt"


def test_every_nox_session_has_a_line_of_help() -> None:
    source = (ROOT / "noxfile.py").read_text()
    sessions = re.findall(r"@nox\.session.*\ndef (\w+)\(.*\n    \"\"\"(.+?)\"\"\"", source)
    assert len(sessions) == source.count("@nox.session")
    assert {
        "everything",
        "lint",
        "types",
        "docs",
        "tests",
        "engines",
        "web",
        "screenshots",
        "wheel",
        "bench",
        "demo",
        "release",
        "sbom",
        "licences",
        "audit",
    } <= {name for name, _ in sessions}
    assert all(line.endswith(".") and len(line) < 100 for _, line in sessions)
