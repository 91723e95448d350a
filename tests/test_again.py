"""How this suite runs what fails once more: `support.again`."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

SUPPORT = Path(__file__).parent
CONFTEST = """
from support import again

def pytest_configure(config):
    again.register(config)
"""
TESTS = """
import os
from pathlib import Path
import pytest

FLAG = Path(__file__).parent / "flag"

@pytest.fixture(scope="module")
def made():
    made = Path(__file__).parent.joinpath("made").open("a")
    made.write("x")
    made.close()
    return FLAG.exists()

def test_well():
    pass

def test_beside_others(made):
    FLAG.touch()
    assert made, "the machine stood still"

def test_always():
    assert False, "a fault"
"""


def closing_line(place: Path, *options: str, tests: str = TESTS) -> tuple[str, str]:
    """Of a run of these tests, and all that it said."""
    place.joinpath("conftest.py").write_text(CONFTEST)
    place.joinpath("test_some.py").write_text(tests)
    place.joinpath("pytest.ini").write_text("[pytest]\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options],
        cwd=place,
        env={**os.environ, "PYTHONPATH": str(SUPPORT), "PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout
    return re.sub(r" in .*", "", done.stdout.splitlines()[-1]).strip("= "), done.stdout


def test_what_fails_beside_others_runs_again_alone_with_all_that_it_needs_made_anew(tmp_path: Path) -> None:
    closing, said = closing_line(tmp_path, "--numprocesses=2", "--dist=loadscope")
    assert closing == "1 failed, 2 passed, 2 rerun"
    assert (tmp_path / "made").read_text() == "xx"
    for nodeid, why in (("test_beside_others", "the machine stood still"), ("test_always", "a fault")):
        assert re.search(f"test_some.py::{nodeid} failed beside others", said)
        assert why in said


def test_who_ends_pytest_when_alone_has_failed(tmp_path: Path) -> None:
    tests = (
        TESTS
        + """
def test_of_a_crash():
    if "VISTIO_TEST_REPORTS" in os.environ:
        os._exit(3)
    assert False, "beside others"
"""
    )
    closing, said = closing_line(tmp_path, "--numprocesses=2", "--dist=loadscope", tests=tests)
    assert closing == "2 failed, 2 passed, 3 rerun"
    assert "FAILED test_some.py::test_of_a_crash" in said


def test_who_wants_the_first_failure_or_runs_one_after_the_other_gets_what_pytest_gives(
    tmp_path: Path,
) -> None:
    assert (
        closing_line(tmp_path, "--numprocesses=2", "--dist=loadscope", "--maxfail=5")[0]
        == "2 failed, 1 passed"
    )
    (tmp_path / "flag").unlink()
    assert closing_line(tmp_path, "--numprocesses=0")[0] == "2 failed, 1 passed"
