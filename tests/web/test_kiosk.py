"""A screen on a wall, and the page in a frame of another one."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from support.processes import RunningProcess

from web import journey
from web.conftest import OpenUi


def test_a_wall_shows_no_controls_goes_round_and_goes_to_what_breaks(open_ui: OpenUi, demo: str) -> None:
    # It asks for another level while what happened is worked out: a busy server says so.
    ui = open_ui(f"{demo}?kiosk=5", expected=("status of 503",))
    for chrome in (".transport", ".locator", ".header .button", ".skip", ".panel-buttons"):
        assert all(not each.is_visible() for each in ui.page.locator(chrome).all()), chrome
    assert ui.page.locator(".badge-live").is_visible(), "live or not is no control"
    assert ui.page.locator(".panel-happened").is_visible()
    assert ui.page.locator(".timeline").is_visible()
    reached = [ui.state["path"]]
    while len(reached) < 4:
        ui.wait(f"JSON.stringify(vistio.snapshot().state.path) !== {json.dumps(json.dumps(reached[-1]))}")
        reached.append(ui.state["path"])
    assert [each for each in reached if each] != []
    assert {tuple(each) for each in reached} <= {(), ("eu-west",), ("us-east",)}
    assert "kiosk=5" in ui.page.url
    assert "#" not in ui.page.url, "going round leaves no steps behind"
    ui.screenshot("kiosk")


def test_a_wall_stays_where_an_incident_lasts(open_ui: OpenUi, demo: str) -> None:
    lasting = {
        "start": "2026-01-01T00:00:00Z",
        "end": None,
        "summary": "redis (us-east) alone left its normal",
        "first": {"cluster": "us-east", "node": "redis", "target": None},
        "hit": [],
        "worst_share": 0.5,
    }
    told = json.dumps({"incidents": [lasting], "unseen": []})
    ui = open_ui(demo, "#/eu-west", expected=("status of 503",))
    ui.page.route("**/incidents*", lambda route: route.fulfill(body=told, content_type="application/json"))
    ui.url = f"{demo}?kiosk=5"
    ui.load()
    ui.wait("vistio.snapshot().state.path[0] === 'us-east'")
    ui.page.locator(".incident").get_by_text("redis (us-east)").wait_for()
    ui.page.wait_for_timeout(11_000)
    assert ui.state["path"] == ["us-east"]


def test_a_key_fills_the_screen_and_leaves_it(open_ui: OpenUi, demo: str) -> None:
    ui = open_ui(demo)
    ui.page.keyboard.press("F")
    ui.wait("document.fullscreenElement !== null")
    ui.page.keyboard.press("F")
    ui.wait("document.fullscreenElement === null")


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def other_origin(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The address of somebody else's pages, and where they lie."""
    place = tmp_path / "pages"
    place.mkdir()
    handler = partial(_Quiet, directory=str(place))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", place
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("allowed", [True, False])
@pytest.mark.usefixtures("built")
def test_the_page_is_in_a_frame_where_that_is_allowed_and_nowhere_else(
    allowed: bool,
    other_origin: tuple[str, Path],
    browser: Browser,
    run_process: Callable[..., RunningProcess],
    recording_dir: Path,
) -> None:
    origin, place = other_origin
    journey.record(recording_dir)
    who = origin if allowed else "https://grafana.example.com"
    arguments = ("--port", "0", "--recording", recording_dir, "--frame-ancestors", who)
    url = run_process("vistio-serve", *arguments).wait_for_line(r"open (http://\S+)").group(1)
    fragment = f"#/mesh?at={journey.at(50)}"
    (place / "board.html").write_text(
        f'<iframe src="{url}?kiosk{fragment}" width="900" height="600"></iframe>'
    )

    page = browser.new_page()
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text))
    page.goto(f"{origin}/board.html")
    if allowed:
        page.frame_locator("iframe").locator(".badge-live").wait_for(timeout=60_000)
        page.frame_locator("iframe").get_by_role("heading", name="mesh").first.wait_for(timeout=60_000)
    else:
        page.wait_for_timeout(2_000)
        assert page.frame_locator("iframe").locator(".badge-live").count() == 0
        assert any("frame-ancestors" in each for each in refused)
    page.close()
