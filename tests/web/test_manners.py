"""What the page asks when nobody sees it, when nothing can be new, and while time plays quickly."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
import requests
from playwright.sync_api import Route

from web import journey
from web.conftest import OpenUi
from web.ui import Ui

SHOWN = "vistio.snapshot().data.graph?.about.instantMs"
SETTLED = (
    "vistio.snapshot().data.followed?.timeline && vistio.snapshot().data.happened?.found"
    " && vistio.snapshot().data.axis"
)
# Longer than the longest time between two questions of a live page.
A_WHILE_MS = 13_000


class Asked:
    """The requests of a page by route, from now on."""

    def __init__(self, ui: Ui) -> None:
        self.routes: Counter[str] = Counter()
        self.ui = ui
        ui.page.on("request", lambda request: self._count(urlsplit(request.url).path.strip("/")))

    def _count(self, route: str) -> None:
        # The tab's icon tells the state, and the browser loads it.
        if not route.startswith("static/"):
            self.routes[route] += 1

    def in_a_while(self, do: Callable[[], object] = lambda: None) -> Counter[str]:
        """After something was done."""
        self.routes.clear()
        do()
        self.ui.page.wait_for_timeout(A_WHILE_MS)
        return self.routes


def hide(ui: Ui, hidden: bool) -> None:
    """As when another tab is looked at; a headless browser believes that each of its pages is seen."""
    ui.page.evaluate(
        "(hidden) => { Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });"
        "document.dispatchEvent(new Event('visibilitychange')); }",
        hidden,
    )


def test_a_hidden_tab_asks_nothing_and_is_up_to_date_when_it_is_seen(demo: str, open_ui: OpenUi) -> None:
    ui = open_ui(demo)
    ui.wait(SETTLED)
    asked = Asked(ui)
    live = asked.in_a_while()
    assert live["instants"] >= 1, "seen and live, it asks"
    hide(ui, True)
    # What was under way when it was hidden.
    ui.page.wait_for_timeout(1000)
    before_ms = ui.get(SHOWN)
    assert asked.in_a_while() == {}
    hide(ui, False)
    ui.wait(f"{SHOWN} > {before_ms}")
    assert ui.get("document.querySelector('.badge-live').dataset.mode") == "live"


@pytest.mark.parametrize("tells", [True, False])
def test_a_live_page_asks_when_it_is_told_of_a_commit_and_where_nobody_tells_now_and_then(
    demo: str, open_ui: OpenUi, tells: bool
) -> None:
    """The demo commits each ten seconds."""
    ui = open_ui(demo, expected=() if tells else ("status of 503",))
    if not tells:
        ui.page.route("**/live", lambda route: route.fulfill(status=503))
        ui.page.reload()
    ui.wait(SETTLED)
    asked = Asked(ui)
    routes = asked.in_a_while()
    # Five times where each answer comes at once.
    assert routes["graph"] <= 3 if tells else routes["graph"] >= 3, routes
    before_ms = ui.get(SHOWN)
    ui.wait(f"{SHOWN} > {before_ms}")
    if tells:
        listening = requests.get(f"{demo}metrics", timeout=10).text
        assert re.search(r"^vistio_serve_listening [1-9]", listening, re.MULTILINE)


@pytest.mark.parametrize("number", [100, 64])
def test_a_paused_past_asks_nothing(number: int, journey_url: str, open_ui: OpenUi) -> None:
    ui = open_ui(journey_url, f"#/mesh?at={journey.at(number)}&node=cart")
    ui.wait(f"{SETTLED} && vistio.snapshot().data.trend?.timeline")
    ui.page.wait_for_timeout(2000)
    assert Asked(ui).in_a_while() == {}


def test_a_past_where_nothing_is_recorded_asks_nothing(journey_url: str, open_ui: OpenUi) -> None:
    ui = open_ui(journey_url, f"#/mesh?at={journey.at(-1000)}", drawn=False, expected=("status of 404",))
    ui.page.locator(".state[data-kind='nothing-recorded']").wait_for()
    ui.wait(SETTLED)
    ui.page.wait_for_timeout(2000)
    assert Asked(ui).in_a_while() == {}


def test_playing_at_60x_asks_for_frames_only(demo: str, open_ui: OpenUi) -> None:
    ui = open_ui(demo, "#/eu-west?at=-40m")
    ui.wait(SETTLED)
    ui.page.get_by_label("Speed").select_option("60")
    ui.page.wait_for_timeout(2000)
    asked = Asked(ui)
    before_ms = ui.get(SHOWN)
    routes = asked.in_a_while(lambda: ui.page.keyboard.press(" "))
    assert ui.state["travel"]["mode"] == "playing"
    assert ui.get(SHOWN) > before_ms + 5 * 60_000
    assert set(routes) == {"frames"}, routes
    assert routes["frames"] <= 3, "each piece once"


def test_work_under_way_is_shown_and_a_server_that_hangs_is_told_of(
    journey_url: str, open_ui: OpenUi
) -> None:
    """Promise: nobody wonders whether a click was noticed, or believes that what is shown is what was asked for."""
    ui = open_ui(journey_url, f"#/mesh?at={journey.at(20)}")
    ui.wait(SETTLED)
    bar = ui.page.get_by_role("progressbar", name="Asking the server")
    said = ui.page.locator("[data-kind=hanging]")
    assert bar.is_hidden()
    held: list[Route] = []
    for asked in ("**/graph?*", "**/frames?*"):
        ui.page.route(asked, lambda route: held.append(route))
    ui.click_timeline(0.8)
    bar.wait_for()
    said.wait_for()
    assert f"The picture is of {journey.at(20)}" in said.inner_text()
    ui.screenshot("hanging")
    for route in held:
        route.continue_()
    for asked in ("**/graph?*", "**/frames?*"):
        ui.page.unroute(asked)
    said.wait_for(state="detached")
    bar.wait_for(state="hidden")
    ui.wait("vistio.snapshot().data.graph.about.instantMs === vistio.snapshot().state.travel.atMs")


def test_two_tabs_keep_what_each_of_them_changed(journey_url: str, open_ui: OpenUi) -> None:
    first = open_ui(journey_url, f"#/mesh?at={journey.at(20)}")
    with first.page.expect_popup() as opened:
        first.page.evaluate("() => void window.open('about:blank')")
    second = Ui(opened.value, journey_url)
    second.open(f"#/mesh?at={journey.at(20)}")
    for tab, name in ((first, "moving particles"), (second, "names")):
        tab.page.keyboard.press("g")
        tab.page.get_by_role("checkbox", name=name).uncheck()
    second.open(f"#/mesh?at={journey.at(20)}")
    assert (second.state["display"]["particles"], second.state["display"]["labels"]) == (False, False)
    assert second.errors == []


def test_a_reload_while_time_plays_goes_on_from_there(journey_url: str, open_ui: OpenUi) -> None:
    ui = open_ui(journey_url, f"#/mesh?at={journey.at(0)}&play=forward&speed=10")
    ui.wait(f"vistio.snapshot().state.travel.atMs > {journey.ms(6)}")
    ui.page.reload()
    ui.wait("vistio.snapshot().state.travel.mode === 'playing' && vistio.snapshot().data.graph")
    assert ui.state["travel"]["atMs"] > journey.ms(4), "half a second of playing is all that is lost"
