"""What everybody waits for who opens the page is small; what few people open comes when they open it."""

from __future__ import annotations

import gzip
import re
from importlib import resources

FIRST_LOAD_BYTES = 350_000


def test_the_first_load_is_small(built: None) -> None:
    page = resources.files("vistio_serve") / "static" / "ui"
    index = (page / "index.html").read_text()
    first = re.findall(r'(?:src|href)="\./(assets/[^"]+)"', index)
    assert any(name.endswith(".css") for name in first)
    sizes = {name: len(gzip.compress((page / name).read_bytes(), mtime=0)) for name in first}
    assert sum(sizes.values()) <= FIRST_LOAD_BYTES, sizes
    later = {each.name for each in (page / "assets").iterdir()} - {
        name.removeprefix("assets/") for name in first
    }
    assert any(name.startswith("dialogs-") for name in later)
