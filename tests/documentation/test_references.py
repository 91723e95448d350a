"""The pages of docs/reference say what the classes, routes, commands and docstrings say now."""

from __future__ import annotations

import pytest
from support.references import DOCS, PAGES

FOLDER = DOCS / "reference"


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_what_its_sources_say(name: str) -> None:
    made, there = PAGES[name](), (FOLDER / name).read_text(encoding="utf-8")
    assert there == made, "run python tests/write_references.py"


def test_no_other_page_pretends_to_be_made() -> None:
    assert {path.name for path in FOLDER.iterdir()} == set(PAGES)
