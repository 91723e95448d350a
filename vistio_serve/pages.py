"""The pages for people and their files, read once: the web UI where it was built, and the plain page.

The web UI is made by hatch_build.py into ``static/ui``; a checkout that was never built has none, and
serves the plain page in its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from importlib import resources
from importlib.resources.abc import Traversable

import attrs

from vistio_serve.answers import LIVE, Answer

# The pages need their own files and their own origin's answers, and nothing else in the world.
PLAIN_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# Vizceral lays out in a worker of its own making and keeps its sprites as data: images.
UI_POLICY = PLAIN_POLICY.replace("img-src 'self'", "img-src 'self' data: blob:") + "; worker-src blob:"
# Vite puts a hash of the content into the name.
IMMUTABLE = "public, max-age=31536000, immutable"

AS_RECORDED = "recorded"
"""Links as the recorder's configuration has them; `NO_LINKS`: none."""
NO_LINKS = "none"
# As vistio_serve/web/index.html has it.
_QUERY_LINKS = b'name="vistio-query-links" content="%s"'
_HTML = "text/html; charset=utf-8"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".woff2": "font/woff2",
}


@attrs.frozen
class Pages:
    """Answers by file name."""

    start: Answer
    """What is at ``/``: the web UI, or the plain page."""
    plain: Answer
    assets: Mapping[str, Answer]
    """Files of the web UI; empty where it was not built."""
    static: Mapping[str, Answer]
    """Files of the plain page, and the icon."""


def load(query_links: str = AS_RECORDED) -> Pages:
    """The pages that this installation has.

    Args:
        query_links: where people open the query of a notice; `vistio_serve.create_app` says more.
    """
    folder = resources.files("vistio_serve") / "static"
    plain = _page(folder / "index.html", PLAIN_POLICY)
    index = folder / "ui" / "index.html"
    return Pages(
        start=_page(index, UI_POLICY, query_links) if index.is_file() else plain,
        plain=plain,
        assets=_files(folder / "ui" / "assets", IMMUTABLE),
        static=_files(folder, LIVE),
    )


def _page(file: Traversable, policy: str, query_links: str = AS_RECORDED) -> Answer:
    headers = {"Content-Security-Policy": policy, "Referrer-Policy": "no-referrer"}
    filled_in = _QUERY_LINKS % escape(query_links).encode()
    return Answer.of(
        file.read_bytes().replace(_QUERY_LINKS % AS_RECORDED.encode(), filled_in), _HTML, headers=headers
    )


def _files(folder: Traversable, cache_control: str) -> dict[str, Answer]:
    if not folder.is_dir():
        return {}
    known = [(each, _TYPES.get("." + each.name.rpartition(".")[2])) for each in folder.iterdir()]
    return {
        each.name: Answer.of(each.read_bytes(), content_type, cache_control=cache_control)
        for each, content_type in known
        if content_type is not None and each.is_file()
    }
