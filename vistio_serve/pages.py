"""The pages for people and their files, read once: the web UI where it was built, and the plain page.

The web UI is made by hatch_build.py into ``static/ui``; a checkout that was never built has none, and
serves the plain page in its place.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from importlib import resources
from importlib.resources.abc import Traversable

import attrs
import msgspec

from vistio_core.sentences import LANGUAGES, TAGS, Language, translated
from vistio_serve.answers import LIVE, Answer

# The pages need their own files and their own origin's answers, and nothing else in the world.
PLAIN_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
    " base-uri 'none'; form-action 'none'"
)
# Vizceral lays out in a worker of its own making and keeps its sprites as data: images.
UI_POLICY = PLAIN_POLICY.replace("img-src 'self'", "img-src 'self' data: blob:") + "; worker-src blob:"
# Vite puts a hash of the content into the name.
IMMUTABLE = "public, max-age=31536000, immutable"

AS_RECORDED = "recorded"
"""Links as the recorder's configuration has them; `NO_LINKS`: none."""
NO_LINKS = "none"
NO_FRAMES = "none"
"""No page may show ours in a frame of its own."""
_KEYWORDS = (NO_FRAMES, "self")
# As vistio_serve/web/index.html has it.
_QUERY_LINKS = b'name="vistio-query-links" content="%s"'
_IN_BRACES = re.compile(r"\{\{(.+?)\}\}")
# In page.js: t("live, {instant}", about).
_SAID = re.compile(r'\bt\("([^"]+)"')
_HTML = "text/html; charset=utf-8"
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".woff2": "font/woff2",
}
"""Of files by the end of their names; of others none is sent."""
LICENCES = "licences.txt"
"""Of what the web UI was built of, by vistio_serve/web/licences.ts."""


@attrs.frozen
class Pages:
    """Answers by file name."""

    start: Answer
    """What is at ``/``: the web UI, or the plain page in English."""
    plain: Mapping[Language, Answer]
    """In each language."""
    assets: Mapping[str, Answer]
    """Files of the web UI; empty where it was not built."""
    static: Mapping[str, Answer]
    """Files of the plain page, the icon, and the web UI's `LICENCES`."""


def load(query_links: str = AS_RECORDED, frame_ancestors: str = NO_FRAMES) -> Pages:
    """The pages that this installation has.

    Args:
        query_links: where people open the query of a notice; `vistio_serve.create_app` says more.
        frame_ancestors: likewise, which pages may show these in a frame.
    """
    folder = resources.files("vistio_serve") / "static"
    framed = f"; frame-ancestors {_sources(frame_ancestors)}"
    html, script = ((folder / name).read_text(encoding="utf-8") for name in ("index.html", "page.js"))
    plain = {
        language: _answer(_plain(html, script, language), PLAIN_POLICY + framed) for language in LANGUAGES
    }
    index = folder / "ui" / "index.html"
    return Pages(
        start=_page(index, UI_POLICY + framed, query_links) if index.is_file() else plain["en"],
        plain=plain,
        assets=_files(folder / "ui" / "assets", IMMUTABLE),
        static={**_files(folder, LIVE), **_licences(folder / "ui" / LICENCES)},
    )


def _licences(file: Traversable) -> dict[str, Answer]:
    if not file.is_file():
        return {}
    return {LICENCES: Answer.of(file.read_bytes(), "text/plain; charset=utf-8", cache_control=LIVE)}


def _sources(frame_ancestors: str) -> str:
    """As a Content-Security-Policy writes them: its keywords stand in quotes."""
    return " ".join(f"'{each}'" if each in _KEYWORDS else each for each in frame_ancestors.split())


def _page(file: Traversable, policy: str, query_links: str) -> Answer:
    filled_in = _QUERY_LINKS % escape(query_links).encode()
    return _answer(file.read_bytes().replace(_QUERY_LINKS % AS_RECORDED.encode(), filled_in), policy)


def _plain(html: str, script: str, language: Language) -> bytes:
    """The plain page in a language: what stands in doubled braces, and what its script says."""
    told = _IN_BRACES.sub(lambda found: escape(translated(found[1], language)), html)
    texts = {} if language == "en" else {each: translated(each, language) for each in _SAID.findall(script)}
    told = told.replace('data-texts="{}"', f'data-texts="{escape(msgspec.json.encode(texts).decode())}"', 1)
    return told.replace('<html lang="en">', f'<html lang="{TAGS[language]}">', 1).encode()


def _answer(content: bytes, policy: str) -> Answer:
    headers = {"Content-Security-Policy": policy, "Referrer-Policy": "no-referrer"}
    return Answer.of(content, _HTML, headers=headers)


def _files(folder: Traversable, cache_control: str) -> dict[str, Answer]:
    if not folder.is_dir():
        return {}
    known = [(each, TYPES.get("." + each.name.rpartition(".")[2])) for each in folder.iterdir()]
    return {
        each.name: Answer.of(each.read_bytes(), content_type, cache_control=cache_control)
        for each, content_type in known
        if content_type is not None and each.is_file()
    }
