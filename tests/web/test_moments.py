"""Moments by the server's clock, and in the time zone that was chosen: in fields, links and everywhere alike."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Route

from web import journey
from web.conftest import OpenUi
from web.ui import Ui

BERLIN = datetime.timezone(datetime.timedelta(hours=1))
MINUTE_MS = 60_000
BADGE = "document.querySelector('.badge-live')"
SHOWN = "vistio.snapshot().data.graph?.about.instantMs"


def now_ms() -> int:
    return int(datetime.datetime.now(datetime.UTC).timestamp() * 1000)


def open_with_clock_off(open_ui: OpenUi, url: str, fragment: str, off: datetime.timedelta) -> Ui:
    """A page whose browser has a clock that goes wrong by this much."""
    ui = open_ui(url, drawn=False, alone=True)  # the clock is the context's
    ui.page.clock.install(time=datetime.datetime.now(datetime.UTC) + off)
    ui.load(fragment)
    return ui


@pytest.mark.parametrize("off_minutes", [-30, 30])
def test_relative_moments_are_by_the_servers_clock(off_minutes: int, demo: str, open_ui: OpenUi) -> None:
    ui = open_with_clock_off(open_ui, demo, "#/?at=-45m", datetime.timedelta(minutes=off_minutes))
    ui.wait("vistio.snapshot().state.travel.atMs")
    assert ui.get("Date.now()") == pytest.approx(now_ms() + off_minutes * MINUTE_MS, abs=MINUTE_MS)
    assert ui.state["travel"]["atMs"] == pytest.approx(now_ms() - 45 * MINUTE_MS, abs=MINUTE_MS / 2)
    held = ui.page.evaluate("decodeURIComponent(location.hash)")
    assert re.fullmatch(r"#/\?at=\d{4}-\d\d-\d\dT[\d:.]+Z", held), "what is copied holds the moment"
    ui.page.keyboard.press("t")
    ui.page.keyboard.type("-20m")
    ui.page.keyboard.press("Enter")
    ui.wait(f"Math.abs(vistio.snapshot().state.travel.atMs - {now_ms() - 20 * MINUTE_MS}) < 30000")


def test_nothing_is_shown_until_the_servers_clock_is_known(demo: str, open_ui: OpenUi) -> None:
    ui = open_ui(demo, drawn=False)
    held: list[Route] = []
    ui.page.route("**/instants?*", lambda route: held.append(route))
    ui.load("#/eu-west?at=-45m")
    ui.page.locator(".state[data-kind='loading']").wait_for()
    ui.page.wait_for_timeout(1000)
    assert ui.get(f"{BADGE}.textContent") == "WAITING"
    assert ui.get(SHOWN) is None
    assert ui.page.evaluate("location.hash") == "#/eu-west?at=-45m"
    for route in held:
        route.continue_()
    ui.page.unroute("**/instants?*")
    ui.wait(f"{BADGE}.textContent.startsWith('PAST ')")
    assert ui.state["path"] == ["eu-west"]


def test_a_link_that_is_typed_over_the_address_is_read_and_back_leads_to_what_was(
    demo: str, open_ui: OpenUi
) -> None:
    ui = open_ui(demo, "#/eu-west?at=-20m")
    before = ui.state
    ui.page.evaluate("location.hash = '#/eu-west?at=-10m&window=-30m/now'")
    ui.wait("vistio.snapshot().state.window")
    assert "-30m" not in ui.page.evaluate("location.hash")
    ui.page.go_back()
    ui.wait("vistio.snapshot().state.window === null")
    assert ui.state == before


@pytest.mark.parametrize(
    "fragment", ["#/mesh?at=25:00", "#/mesh?window=garbage/now", "#/mesh?baseline=2026-02-30T00:00:00Z"]
)
def test_no_number_of_now_stands_beside_a_moment_that_is_none(
    fragment: str, journey_url: str, open_ui: OpenUi
) -> None:
    ui = open_ui(journey_url, f"#/mesh?at={journey.at(10)}")
    ui.page.evaluate("(hash) => { location.hash = hash }", fragment)
    ui.page.get_by_role("heading", name="There is no moment").wait_for()
    assert ui.get(f"{BADGE}.textContent") == "NO SUCH MOMENT"
    assert ui.get(SHOWN) is None
    assert ui.page.get_by_role("button", name="Live", exact=True).get_attribute("aria-pressed") == "false"
    assert not ui.page.locator(".timeline-marker[data-mode]").is_visible()


class Having:
    """Equal to whatever text has it in it, so that a whole screen is compared at once."""

    def __init__(self, part: str) -> None:
        self._part = part

    def __eq__(self, other: object) -> bool:
        return self._part in str(other)

    __hash__ = None  # type: ignore[assignment]  # nothing looks it up

    def __repr__(self) -> str:
        return f"...{self._part}..."


def choose(ui: Ui, zone: str) -> None:
    ui.page.get_by_label("Time zone").select_option(zone)
    ui.wait(f"vistio.snapshot().state.zone === {zone!r}")


def in_berlin(number: int, pattern: str) -> str:
    moment = datetime.datetime.fromtimestamp(journey.ms(number) / 1000, BERLIN)
    return moment.strftime(pattern)


def test_a_chosen_zone_is_everywhere(journey_url: str, open_ui: OpenUi) -> None:
    ui = open_ui(journey_url, f"#/mesh?at={journey.at(100)}&node=cart&baseline={journey.at(20)}")
    ui.wait("vistio.snapshot().data.trend?.timeline && vistio.snapshot().data.followed")
    choose(ui, "Europe/Berlin")
    told: dict[str, Callable[[], str | None]] = {
        "badge": lambda: ui.page.locator(".badge-live").text_content(),
        "title": ui.page.title,
        "clock": lambda: ui.page.get_by_label("Moment shown").input_value(),
        "trend": lambda: ui.page.locator(".trend").get_by_role("img").get_attribute("aria-label"),
        "trend's axis": lambda: ui.page.locator(".trend-times").text_content(),
        "comparison": lambda: ui.page.locator(".panel-compare h2").first.text_content(),
    }
    ui.wait(f"{BADGE}.textContent.includes({in_berlin(100, '%H:%M:%S')!r})")
    assert {name: read() for name, read in told.items()} == {
        "badge": in_berlin(100, "PAST %Y-%m-%d %H:%M:%S"),
        "title": in_berlin(100, "mesh · %Y-%m-%dT%H:%M:%S+01:00 · vistio"),
        "clock": in_berlin(100, "%Y-%m-%d %H:%M:%S"),
        "trend": Having(in_berlin(100, "%H:%M:%S")),
        "trend's axis": Having(in_berlin(100, "%H:")),
        "comparison": in_berlin(20, "%Y-%m-%d %H:%M:%S"),
    }
    box = ui.timeline_box()
    ui.page.mouse.move(box["x"] + box["width"] * 100.5 / (journey.INSTANTS - 1), box["y"] + 20)
    ui.wait(
        f"document.querySelector('.timeline-readout').textContent.startsWith({in_berlin(100, '%H:%M:')!r})"
    )
    ui.page.keyboard.press("Escape")
    ui.page.keyboard.press("c")
    ui.page.locator(".panel-happened").get_by_text(in_berlin(0, "%H:%M:%S to ")).wait_for()
    ui.page.keyboard.press("x")
    ui.page.get_by_role("dialog", name="Export").get_by_text(
        in_berlin(100, "%Y-%m-%dT%H:%M:%S+01:00")
    ).wait_for()
    ui.page.keyboard.press("Escape")
    assert "tz=Europe%2FBerlin" in ui.page.evaluate("location.hash")
    assert f"at={journey.at(100)}" in ui.page.evaluate("decodeURIComponent(location.hash)")
    ui.screenshot("zone")


def test_a_zone_in_the_link_is_a_colleagues_too_and_what_is_typed_is_of_it(
    journey_url: str, open_ui: OpenUi
) -> None:
    ui = open_ui(
        journey_url, f"#/mesh?at={journey.at(100)}&tz=Asia/Kathmandu", timezone_id="America/New_York"
    )
    zone = ui.page.get_by_label("Time zone")
    assert zone.input_value() in ("Asia/Kathmandu", "Asia/Katmandu")
    assert "America/New_York (this browser's)" in (zone.text_content() or "")
    ui.page.keyboard.press("t")
    ui.page.keyboard.type("2026-11-23 10:50:00")
    ui.page.keyboard.press("Enter")
    ui.wait(f"{SHOWN} === {journey.ms(30)}")
    choose(ui, "America/New_York")
    assert ui.page.get_by_label("Moment shown").input_value() == "2026-11-23 00:05:00"
    ui.page.keyboard.press("t")
    ui.page.keyboard.type("2026-03-08 02:30")
    ui.page.keyboard.press("Enter")
    ui.page.locator(".clock-refused").get_by_text(
        "2026-03-08 02:30 is no moment in America/New_York"
    ).wait_for()


def test_usual_lengths_an_incident_and_the_way_back(journey_url: str, open_ui: OpenUi) -> None:
    ui = open_ui(journey_url, f"#/mesh?at={journey.at(50)}")
    ui.wait("vistio.snapshot().data.happened?.found?.incidents.length")
    zooms = ui.page.get_by_role("group", name="Timeline")
    back, on = (zooms.get_by_role("button", name=name) for name in ("before", "on again"))
    assert back.is_disabled()
    assert on.is_disabled()
    zooms.get_by_role("button", name="15m").click()
    around = {"startMs": journey.ms(50) - 450_000, "endMs": journey.ms(50) + 450_000}
    ui.wait("vistio.snapshot().state.window")
    assert ui.state["window"] == around
    assert zooms.get_by_role("button", name="15m").get_attribute("aria-pressed") == "true"
    zooms.get_by_role("button", name="all").click()
    ui.wait("vistio.snapshot().data.happened?.of === null && vistio.snapshot().data.happened.found")
    zooms.get_by_role("button", name="incident").click()
    incident = ui.state["window"]
    assert (
        incident["startMs"]
        < journey.ms(journey.FAILING[0])
        < journey.ms(journey.FAILING[-1])
        < incident["endMs"]
    )
    seen = []
    for key in ("[", "[", "[", "[", "]"):
        ui.page.keyboard.press(key)
        seen.append(ui.state["window"])
    assert seen == [None, around, None, None, around]
    back.click()
    on.click()
    assert ui.state["window"] == around
    # Steps that follow each other within half a second are one of the browser's history.
    ui.page.wait_for_timeout(1500)
    ui.page.keyboard.press("]")
    ui.wait("!location.hash.includes('window=')")
    ui.page.go_back()
    ui.wait("location.hash.includes('window=')")
