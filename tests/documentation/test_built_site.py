"""The built site: whole, searchable, and asking nobody else. `nox -s docs` builds it; nothing else runs this."""

from __future__ import annotations

import json
import os
import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

SITE = Path(os.environ.get("VISTIO_TEST_SITE", "site")).absolute()
DOCS = Path(__file__).parents[2] / "docs"
WRITTEN = sorted(path.relative_to(DOCS) for path in DOCS.rglob("*.md"))

pytestmark = pytest.mark.skipif(
    "VISTIO_TEST_SITE" not in os.environ, reason="only `nox -s docs` builds the site"
)

_ASKS = {
    ("script", "src"),
    ("img", "src"),
    ("img", "srcset"),
    ("source", "src"),
    ("source", "srcset"),
    ("iframe", "src"),
    ("embed", "src"),
    ("object", "data"),
    ("video", "src"),
    ("audio", "src"),
    ("input", "src"),
    ("form", "action"),
    ("link", "href"),
}
"""What a browser asks for by itself, or sends what was typed to."""
_IN_CSS = re.compile(r"""(?:url\(|@import)\s*["']?\s*((?:https?:)?//[^"')\s;]+)""")
_IN_SCRIPT = re.compile(
    r"""(?:fetch|import|importScripts|open|XMLHttpRequest|sendBeacon|WebSocket|src\s*=)\s*\(?\s*["'`](?:https?:|wss?:)?//"""
)


class Page(HTMLParser):
    """What a page asks for, where its links lead, and what can be linked to in it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.language = ""
        self.styles = ""
        self._in_style = False
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in_style = tag == "style"
        for name, value in attrs:
            if value is None:
                continue
            if (tag, name) in _ASKS:
                self.asked.append(value)
            if (tag, name) == ("a", "href"):
                self.links.append(value)
            if (tag, name) == ("html", "lang"):
                self.language = value
            if name == "id":
                self.ids.add(value)
            if name == "style":
                self.styles += value

    def handle_data(self, data: str) -> None:
        if self._in_style:
            self.styles += data


@cache
def page(path: Path) -> Page:
    return Page(path)


def pages() -> list[Path]:
    found = sorted(SITE.rglob("*.html"))
    assert len(found) > len(WRITTEN)
    return found


def elsewhere(address: str) -> bool:
    return bool(urlsplit(address).netloc)


def test_every_page_that_is_written_is_on_the_site() -> None:
    assert [path for path in WRITTEN if not (SITE / path.with_suffix(".html")).is_file()] == []


def test_no_page_asks_another_host() -> None:
    asked = {(path.name, address) for path in pages() for address in page(path).asked if elsewhere(address)}
    asked |= {(path.name, found) for path in pages() for found in _IN_CSS.findall(page(path).styles)}
    assert asked == set()


def test_no_style_sheet_or_script_asks_another_host() -> None:
    sheets, scripts = sorted(SITE.rglob("*.css")), sorted(SITE.rglob("*.js"))
    assert sheets
    assert scripts
    found = {(path.name, address) for path in sheets for address in _IN_CSS.findall(path.read_text("utf-8"))}
    found |= {
        (path.name, match[0]) for path in scripts for match in _IN_SCRIPT.finditer(path.read_text("utf-8"))
    }
    assert found == set()


def test_every_link_within_the_site_leads_somewhere() -> None:
    lost = set()
    for path in pages():
        for link in page(path).links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            there = target.is_file()
            if there and parts.fragment and target.suffix == ".html":
                there = unquote(parts.fragment) in page(target).ids
            if not there:
                lost.add((path.name, link))
    assert lost == set()


def test_a_page_says_its_language() -> None:
    assert page(SITE / "quick-start.html").language == "en"
    assert page(SITE / "zh" / "quick-start.html").language == "zh-CN"


def index() -> dict[str, dict[str, list[int] | int]]:
    text = (SITE / "searchindex.js").read_text(encoding="utf-8")
    found: dict[str, dict[str, list[int] | int]] = json.loads(
        text.removeprefix("Search.setIndex(").removesuffix(")")
    )
    return found


def found_by(term: str) -> set[str]:
    """The pages that the search finds by a term, as the browser looks it up."""
    everything = index()
    numbers = [everything[kind].get(term, []) for kind in ("terms", "titleterms")]
    names = list(everything["docnames"])
    return {names[number] for some in numbers for number in (some if isinstance(some, list) else [some])}


@pytest.mark.parametrize(
    ("term", "expected"),
    [("retent", "operation"), ("vizcer", "frontends"), ("healing", "recording"), ("录制", "zh/quick-start")],
)
def test_the_search_finds_a_page_by_a_word(term: str, expected: str) -> None:
    assert any(expected in found_by(one) for one in {term, term.removesuffix("ing")})


def test_the_python_reference_has_the_docstrings() -> None:
    text = (SITE / "reference" / "python.html").read_text(encoding="utf-8")
    assert 'id="vistio_core.Recording.suspects"' in text
