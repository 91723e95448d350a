"""The built site in a real browser, which can reach nobody else: its search finds, in English and in Chinese."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import quote

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")

SITE = Path(os.environ.get("VISTIO_TEST_SITE", "site")).absolute()

pytestmark = pytest.mark.skipif(
    "VISTIO_TEST_SITE" not in os.environ, reason="only `nox -s docs` builds the site"
)


class Silent(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The site by HTTP, as whoever publishes it does."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Silent, directory=str(SITE))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="module")
def browser() -> Iterator[playwright.Browser]:
    from support.chromium import chromium  # which needs playwright

    with chromium() as opened:
        yield opened


@pytest.mark.parametrize("opened_from", ["a server", "a folder"])
@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("retention", "Operation"),
        ("commit.failed", "Log events"),
        ("suspects", "vistio_core.Recording.suspects"),
        ("录制", "快速上手"),
        ("流量图", "在集群中部署"),
    ],
)
def test_what_is_typed_is_found_and_nobody_else_is_asked(
    browser: playwright.Browser, url: str, typed: str, expected: str, opened_from: str
) -> None:
    place = url if opened_from == "a server" else SITE.as_uri() + "/"
    page = browser.new_page()
    asked: list[str] = []
    uncaught: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: uncaught.append(str(error)))
    page.goto(f"{place}index.html")
    page.fill("input[name=q]", typed)
    page.press("input[name=q]", "Enter")
    page.locator("ul.search li a", has_text=expected).first.wait_for(timeout=30_000)
    assert f"q={quote(typed)}" in page.url
    assert [address for address in asked if not address.startswith((place, "data:"))] == []
    # From a folder a browser gives scripts no other file, so results come without their passages.
    assert opened_from == "a folder" or uncaught == []
    page.close()
