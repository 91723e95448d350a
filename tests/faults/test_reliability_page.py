"""docs/reliability.md and the tests of faults name each other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reliability.md").read_text()
FAMILIES = sorted(path for path in Path(__file__).parent.glob("test_*.py") if path != Path(__file__))


def test_every_file_that_the_page_names_exists() -> None:
    named = re.findall(r"`((?:tests|bench)/[\w/]+\.py)`", PAGE)
    assert named
    assert [name for name in named if not (ROOT / name).is_file()] == []


@pytest.mark.parametrize("path", FAMILIES, ids=lambda path: path.stem)
def test_every_family_of_faults_is_on_the_page_and_says_what_it_promises(path: Path) -> None:
    assert f"`tests/faults/{path.name}`" in PAGE
    docstrings = re.findall(r'^def test_\w+\([^"]*?"""(\w+):', path.read_text(), re.MULTILINE)
    tests = re.findall(r"^def test_", path.read_text(), re.MULTILINE)
    said = [word for word in docstrings if word in ("Promise", "Vistio")]
    # The one that counts the fourteen is about the file, not about a fault.
    assert len(said) >= len(tests) - ("what_vistio" in path.stem), f"{path.name}: a test without its promise"
