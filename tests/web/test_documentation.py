"""What the documentation of the web UI says is proven, is: the tests that it names are there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "web-ui.md"
UNIT_TESTS = ROOT / "vistio_serve" / "web" / "test"


def rows() -> list[str]:
    section = DOCUMENT.read_text().partition("## What Vistio's UI had, and where it is here")[2]
    table = [line for line in section.partition("\n## ")[0].splitlines() if line.startswith("|")]
    return table[2:]


def test_each_part_of_vistio_s_ui_names_a_test_that_is_there() -> None:
    tests = "\n".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    there = set(re.findall(r"^def (test_\w+)\(", tests, re.MULTILINE))
    assert len(rows()) >= 14
    for row in rows():
        named = re.findall(r"`(test_\w+)`", row)
        assert named, row
        assert set(named) <= there, row
        for unit in re.findall(r"`(\w+\.test\.ts)`", row):
            assert (UNIT_TESTS / unit).is_file(), row
