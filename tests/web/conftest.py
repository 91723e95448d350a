"""A real browser, and a real demo server that all tests of this folder share: they need seconds to start."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import resources
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page
from support.chromium import chromium
from support.processes import RunningProcess, console_script

from web import journey
from web.ui import Ui

# Debian's Chromium without a GPU. The processor draws WebGL; that it put the page together in the same way, too, would
# take a quarter more of it. One process for all pages of a context: see `Contexts`.
ARGUMENTS = [
    *("--disable-quic", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"),
    *("--disable-gpu-compositing", "--process-per-site"),
]
PREFIX = "/vistio"


@pytest.fixture(scope="package")
def built() -> None:
    """Skips where the web UI was not built; the wheel that nox tests must have it."""
    if (resources.files("vistio_serve") / "static" / "ui" / "index.html").is_file():
        return
    assert "VISTIO_TESTS_NEED_THE_WHEEL" not in os.environ, "the wheel came without the web UI"
    pytest.skip("the web UI is not built: `npm ci && npm run build` in vistio_serve/web, or `pip install .`")


@pytest.fixture(scope="package")
def browser(built: None) -> Iterator[Browser]:
    with chromium(*ARGUMENTS) as browser:
        yield browser


@pytest.fixture(scope="package")
def demo(built: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a running ``vistio-serve demo``, which answers under `PREFIX` as well."""
    with running("demo", "--prefix", PREFIX, TMPDIR=str(tmp_path_factory.mktemp("demo"))) as url:
        yield url


@pytest.fixture
def new_demo(built: None, tmp_path: Path) -> Iterator[str]:
    """The URL of a demo that has just begun: 25 minutes later its incident began longer than an hour ago."""
    with running("demo", TMPDIR=str(tmp_path)) as url:
        yield url


@pytest.fixture(scope="package")
def journey_url(built: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a server of the half hour that `web.journey` tells of."""
    recording_dir = tmp_path_factory.mktemp("journey") / "recording"
    journey.record(recording_dir)
    with running("--recording", str(recording_dir)) as url:
        yield url


@contextmanager
def running(*arguments: str, **environment: str) -> Iterator[str]:
    """The URL of a ``vistio-serve`` with these arguments."""
    process = RunningProcess(
        [console_script("vistio-serve"), *arguments, "--port", "0"], environment=environment
    )
    try:
        yield process.wait_for_line(r"open (http://\S+)").group(1)
        process.terminate()
    finally:
        process.kill()


class Contexts:
    """The browser's contexts, one for all pages that are opened with the same options.

    A page in a new one takes a quarter longer until it shows its picture (twice as long in a Chromium with windows):
    it starts a process, and reads its scripts as if for the first time. What pages leave behind is taken away when
    they close; a test that changes its context in another way asks for one of its own.
    """

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._shared: dict[str, BrowserContext] = {}

    def new_page(self, **options: object) -> Page:
        key = repr(sorted(options.items()))
        if key not in self._shared:
            self._shared[key] = context = self._browser.new_context(**options)  # type: ignore[arg-type]
            # The process of a site ends with its last page.
            stays = context.new_page()
            stays.route("**/*", lambda route: route.fulfill(body="", content_type="text/plain"))
            stays.goto("http://127.0.0.1/")
        return self._shared[key].new_page()

    def new_page_alone(self, **options: object) -> Page:
        return self._browser.new_page(**options)  # type: ignore[arg-type]

    @staticmethod
    def close(page: Page) -> None:
        with suppress(Error):  # about:blank has no storage
            page.evaluate("localStorage.clear()")
        page.context.clear_permissions()
        page.close()


OpenUi = Callable[..., Ui]
# What a browser complains of when who answers ends: between two questions, before an answer, in the middle of /live.
GONE = ("ERR_CONNECTION_REFUSED", "ERR_EMPTY_", "ERR_INCOMPLETE_CHUNKED")


@pytest.fixture(scope="package")
def contexts(browser: Browser) -> Contexts:
    return Contexts(browser)


@pytest.fixture
def open_ui(contexts: Contexts) -> Iterator[OpenUi]:
    """``open_ui(url, "#/eu-west")``: a page of its own, which must not complain until the test ends.

    ``drawn=False`` does not wait for a picture, ``expected`` names complaints that the test brings about,
    ``alone=True`` gives the page a context of its own.
    """
    opened: list[Ui] = []

    def open_(
        url: str,
        fragment: str = "",
        *,
        expected: tuple[str, ...] = (),
        drawn: bool = True,
        alone: bool = False,
        **options: object,
    ) -> Ui:
        new_page = contexts.new_page_alone if alone else contexts.new_page
        ui = Ui(new_page(**{"viewport": {"width": 1280, "height": 800}, **options}), url)
        ui.expected = expected
        opened.append(ui)
        if drawn:
            ui.open(fragment)
        else:
            ui.load(fragment)
        return ui

    yield open_
    complaints = [error for ui in opened for error in ui.errors]
    for ui in opened:
        contexts.close(ui.page)
    assert complaints == []


@pytest.fixture
def ui(open_ui: OpenUi, demo: str) -> Ui:
    """The demo's page, live, on the global level."""
    return open_ui(demo, color_scheme="dark")


@pytest.fixture
def scratch_web(tmp_path: Path) -> Path:
    """A copy of the web UI's sources, so that its tools leave the tree as it is."""
    root, web = Path(__file__).parents[2], Path("vistio_serve", "web")
    return Path(shutil.copytree(root / web, tmp_path / web, ignore=shutil.ignore_patterns("node_modules")))
