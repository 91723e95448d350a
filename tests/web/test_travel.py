"""The way through time in a real browser: the timeline, playing, marks, links."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Route

from web import journey
from web.conftest import OpenUi
from web.ui import Ui

SHOWN = "vistio.snapshot().data.graph.about.instantMs"


def hover(ui: Ui, number: int) -> str:
    """What the timeline tells of an instant under the mouse."""
    box = ui.timeline_box()
    share = (number + 0.5) / (journey.INSTANTS - 1)
    ui.page.mouse.move(box["x"] + share * box["width"], box["y"] + box["height"] / 2)
    return ui.page.locator(".timeline-readout").text_content() or ""


def wait_for_all_nodes(ui: Ui) -> dict[str, tuple[float, float]]:
    """The places of everything that was there at some time, once the page knows of it."""
    ui.wait("vistio.snapshot().data.topology.get('mesh')?.nodes.length === 6")
    ui.wait("vistio.inspect().nodes.length === 6 && !vistio.inspect().pending")
    return {name: ui.place_of(name) for name in ui.get("vistio.inspect().nodes")}


def test_the_timeline_tells_rates_gaps_notices_and_annotations(journey_url: str, open_ui: OpenUi) -> None:
    ui = open_ui(journey_url, f"#/mesh?at={journey.at(100)}")
    ui.wait("vistio.snapshot().data.followed && vistio.snapshot().data.annotations.length")
    assert "canary <b>out</b>" in hover(ui, journey.ANNOTATED)
    assert "gap: " in hover(ui, 62)
    assert "1 error notice" in hover(ui, 124)
    assert "requests/s" in hover(ui, 20)
    box = ui.timeline_box()
    middle = box["y"] + box["height"] * 0.3
    hatched = ui.colours_at(box["x"] + box["width"] * 62.5 / 179, middle, 16)
    assert hatched > 2, "a gap is hatched"
    ui.screenshot("timeline")


def test_the_timeline_follows_the_selected_node_and_connection(journey_url: str, open_ui: OpenUi) -> None:
    ui = open_ui(journey_url, f"#/mesh?at={journey.at(100)}&source=front&target=canary")
    title = ui.page.locator(".timeline-title")
    title.get_by_text("front → canary").wait_for()
    ui.wait("vistio.snapshot().data.followed?.timeline?.steps.normal.some((each) => each === 15)")
    assert max(_known(ui)) == 15
    trend = ui.page.locator(".panel-details .trend").get_by_role("img")
    ui.wait(
        "vistio.snapshot().data.trend?.timeline && document.querySelector('.trend-rate').getAttribute('d')"
    )
    says = trend.get_attribute("aria-label") or ""
    assert "at least 0, at most 15.0, 15.0 at 05:16:40" in says
    assert "1 gap" in says
    assert trend.locator(".trend-marker").get_attribute("visibility") == "visible"
    assert "15.0 requests/s" in hover(ui, 95)
    held: list[Route] = []
    ui.page.route("**/timeline?*&node=cart*", lambda route: held.append(route))
    ui.page.evaluate("location.hash = location.hash.replace(/source=.*/, 'node=cart')")
    title.get_by_text("cart").wait_for()
    ui.page.locator(".timeline-note").get_by_text("loading").wait_for()
    readout = ui.page.locator(".timeline-readout")
    assert "requests/s" not in (readout.text_content() or ""), "of the connection, under the node's name"
    for route in held:
        route.continue_()
    ui.page.unroute("**/timeline?*&node=cart*")
    ui.wait(
        "vistio.snapshot().data.followed.timeline.steps.normal.every((each) => each === null || each > 50)"
    )
    readout.get_by_text("40.0 requests/s").wait_for()
    title.get_by_text("cart · what it receives").wait_for()
    ui.page.keyboard.press("Escape")
    title.get_by_text("mesh · what enters").wait_for()


def _known(ui: Ui) -> list[float]:
    steps = ui.get("vistio.snapshot().data.followed.timeline.steps.normal")
    return [value for value in steps if value is not None]


def test_a_drag_zooms_a_click_goes_and_0_shows_all_again(journey_url: str, open_ui: OpenUi) -> None:
    ui = open_ui(journey_url, f"#/mesh?at={journey.at(100)}")
    ui.wait("vistio.snapshot().data.followed")
    box = ui.timeline_box()
    y = box["y"] + box["height"] / 2
    ui.page.mouse.move(box["x"] + 0.25 * box["width"], y)
    ui.page.mouse.down()
    ui.page.mouse.move(box["x"] + 0.5 * box["width"], y)
    ui.page.mouse.move(box["x"] + 0.75 * box["width"], y)
    ui.page.mouse.up()
    ui.wait("vistio.snapshot().state.window")
    window = ui.state["window"]
    length_ms = (journey.INSTANTS - 1) * journey.INTERVAL_MS
    assert window["endMs"] - window["startMs"] == pytest.approx(length_ms / 2, rel=0.02)
    assert ui.state["travel"]["atMs"] == journey.ms(100), "a drag goes nowhere"
    ui.click_timeline(0.5, trembling_px=3)
    ui.wait(f"{SHOWN} !== {journey.ms(100)}")
    middle_ms = (window["startMs"] + window["endMs"]) / 2
    assert ui.get(SHOWN) == pytest.approx(middle_ms, abs=journey.INTERVAL_MS)
    ui.page.keyboard.press("0")
    ui.wait("vistio.snapshot().state.window === null")


def test_n_and_p_lead_from_mark_to_mark(journey_url: str, open_ui: OpenUi) -> None:
    ui = open_ui(journey_url, f"#/mesh?at={journey.at(0)}")
    ui.wait("vistio.snapshot().data.followed && vistio.snapshot().data.annotations.length")
    ui.wait("vistio.snapshot().data.happened?.found")
    # What happened began with the first minute whose mean had left normal.
    incident = journey.FAILING[0] - 1
    for number in (journey.ANNOTATED, journey.MISSING[0], incident, journey.FAILING[0]):
        ui.page.keyboard.press("n")
        ui.wait(f"vistio.snapshot().state.travel.atMs === {journey.ms(number)}")
    for number in (incident, journey.MISSING[0], journey.ANNOTATED):
        ui.page.keyboard.press("p")
        ui.wait(f"vistio.snapshot().state.travel.atMs === {journey.ms(number)}")


def test_a_typed_moment_is_gone_to_and_played_from(journey_url: str, open_ui: OpenUi) -> None:
    ui = open_ui(journey_url, f"#/mesh?at={journey.at(0)}")
    ui.wait("vistio.snapshot().data.axis")
    ui.page.keyboard.press("t")
    ui.page.keyboard.type(journey.at(100).replace("T", " ").removesuffix("Z"))
    ui.page.keyboard.press("Enter")
    ui.wait(f"{SHOWN} === {journey.ms(100)}")
    ui.page.get_by_label("Speed").select_option("1")
    ui.page.get_by_role("button", name="Play (space)").click()
    ui.wait(f"vistio.snapshot().state.travel.atMs > {journey.ms(100)}")
    assert ui.state["travel"]["speed"] == 1


@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_nodes_keep_their_places_at_60x(direction: str, journey_url: str, open_ui: OpenUi) -> None:
    window = f"{journey.at(70)}/{journey.at(140)}"
    asked = f"at={journey.at(100)}&play={direction}&speed=60&loop={window}"
    ui = open_ui(journey_url, f"#/mesh?{asked}")
    places = wait_for_all_nodes(ui)
    assert set(places) == {"INTERNET", "front", "cart", "db", "canary", "legacy"}
    seen = set()
    for _ in range(4):
        before_ms = ui.get(SHOWN)
        seen.add(before_ms)
        ui.wait(f"{SHOWN} !== {before_ms}")
        found = {name: ui.place_of(name) for name in places}
        assert found == {name: pytest.approx(place, abs=1) for name, place in places.items()}
    # Once around: where it began is passed again, so the loop holds in both directions.
    passed = ">" if direction == "forward" else "<"
    ui.wait(f"vistio.snapshot().state.travel.atMs {passed} {journey.ms(105 if passed == '>' else 95)}")
    assert all(journey.ms(70) <= instant_ms < journey.ms(140) for instant_ms in seen)
    assert ui.state["travel"]["mode"] == "playing"
    ui.page.keyboard.press(" ")
    ui.wait("vistio.snapshot().state.travel.mode === 'at'")
    ui.wait(f"{SHOWN} === vistio.snapshot().state.travel.atMs")


def test_a_loop_can_be_set_over_the_zoomed_window_and_the_speed_changed_by_keys(
    journey_url: str, open_ui: OpenUi
) -> None:
    window = f"{journey.at(100)}/{journey.at(115)}"
    ui = open_ui(journey_url, f"#/mesh?at={journey.at(100)}&window={window}&node=cart")
    ui.wait("vistio.snapshot().data.axis")
    for key in ("o", "+", "+", " "):
        ui.page.keyboard.press(key)
    assert ui.state["travel"]["speed"] == 60
    assert ui.state["travel"]["loop"] == {"startMs": journey.ms(100), "endMs": journey.ms(115)}
    ui.wait(f"{SHOWN} > {journey.ms(110)}")
    ui.wait(f"{SHOWN} < {journey.ms(110)}")
    assert ui.page.locator(".badge-live").get_attribute("data-mode") == "playing"
    ui.wait("location.hash.includes('loop=') && location.hash.includes('play=forward')")

    # The trend keeps its hour, and its line moves through it.
    ui.wait(f"vistio.snapshot().data.trend.window.endMs > {journey.ms(115)}")
    hour = "JSON.stringify(vistio.snapshot().data.trend.window)"
    line = "document.querySelector('.trend-marker').getAttribute('x1')"
    ui.wait(f"document.querySelector('.trend-rate').getAttribute('d') && {line}")
    shown, at = ui.get(hour), ui.get(line)
    for _ in range(2):
        ui.wait(f"{line} !== '{at}'")
        at = ui.get(line)
    assert ui.get(hour) == shown
    assert ui.page.locator(".trend-marker").get_attribute("visibility") == "visible"


def test_links_to_prometheus_carry_the_moment(journey_url: str, open_ui: OpenUi) -> None:
    ui = open_ui(journey_url, f"#/mesh?at={journey.at(125)}")
    link = ui.page.locator(".panel-details").get_by_role("link", name="query").first
    query = parse_qs(urlsplit(link.get_attribute("href") or "").query)
    assert query["g0.expr"] == ["http_rate"]
    assert query["g0.moment_input"] == ["2026-11-23 05:20:50"]
    assert query["g0.end_input"] == ["2026-11-23 05:35:50"]
