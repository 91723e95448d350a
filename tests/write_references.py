"""Writes the pages of docs/reference, from classes, routes, commands and docstrings.

    python tests/write_references.py

`tests/documentation/test_references.py` holds the pages against these, and says when they are to be written again.
"""

from __future__ import annotations

from support.references import DOCS, PAGES

if __name__ == "__main__":
    for name, make in PAGES.items():
        (DOCS / "reference" / name).write_text(make(), encoding="utf-8")
