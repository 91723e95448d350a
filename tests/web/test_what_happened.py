"""The page says what happened, without a click, and leads there."""

from __future__ import annotations

import requests
from playwright.sync_api import Route

from vistio_core.times import parse_instant
from web import journey
from web.conftest import OpenUi
from web.ui import Ui

INCIDENTS = ".panel-happened .incident"
NOTE = ".panel-happened [role=status]"


def test_opening_the_demo_says_what_happened_first_and_a_click_goes_there(ui: Ui, demo: str) -> None:
    first = ui.page.locator(INCIDENTS).first
    first.wait_for()
    told = first.text_content() or ""
    found = requests.get(f"{demo}incidents", timeout=30).json()
    worst = max(found["incidents"], key=lambda each: each["worst_share"])
    assert worst["first"] == {"cluster": "eu-west", "node": "mongodb", "target": None}
    start, end = (worst[name][11:19] for name in ("start", "end"))
    assert told.startswith(f"{start} to {end}, 17 min: mongodb (eu-west) left its normal first")
    assert told.endswith(worst["summary"]), "the words are the server's"
    assert "not seen, or only in part" in (ui.page.locator(NOTE).text_content() or "")
    ui.screenshot("what-happened")

    first.click()
    ui.wait_for_level("eu-west")
    assert ui.state["travel"]["atMs"] == parse_instant(worst["start"], now_ms=0)
    assert ui.state["selection"] == {"kind": "node", "node": "mongodb"}
    ui.page.locator(".panel-details").get_by_role("heading", name="mongodb").wait_for()
    assert ui.page.locator(".panel-happened").is_hidden(), "what is selected has the panel for itself"


def test_the_lane_has_each_incident_where_it_was_and_leads_there(ui: Ui) -> None:
    lane = ui.page.locator(".lane-incident", has_text="mongodb").first
    lane.wait_for()
    axis = ui.get("vistio.snapshot().data.axis")
    incidents = ui.get("vistio.snapshot().data.happened.found.incidents")
    start_ms = parse_instant(max(incidents, key=lambda each: each["worst_share"])["start"], now_ms=0)
    plot, box = ui.timeline_box(), lane.bounding_box()
    assert box is not None
    share = (start_ms - axis["firstMs"]) / (axis["lastMs"] - axis["firstMs"])
    assert abs(box["x"] - plot["x"] - share * plot["width"]) < 2, "on the same axis as the chart"
    lane.click()
    ui.wait_for_level("eu-west")
    assert ui.state["travel"]["atMs"] == start_ms


def test_where_nothing_happened_it_says_so_and_how_much_was_seen(journey_url: str, open_ui: OpenUi) -> None:
    ui = open_ui(journey_url, f"#/mesh?at={journey.at(50)}&window={journey.at(40)}/{journey.at(80)}")
    note = ui.page.locator(NOTE)
    note.get_by_text("Nothing left its normal.").wait_for()
    assert "60 s of these 7 min not seen" in (note.text_content() or "")
    assert ui.page.locator(".lane-line").first.text_content() == "none"


def test_nothing_waits_for_what_takes_long_to_be_worked_out(journey_url: str, open_ui: OpenUi) -> None:
    past = f"#/mesh?at={journey.at(150)}"
    ui = open_ui(journey_url, past)
    held: list[Route] = []
    ui.page.route("**/incidents?*", lambda route: held.append(route))
    ui.load(past)
    ui.wait("vistio.inspect().level === 'mesh' && vistio.inspect().nodes.length")
    note = ui.page.locator(NOTE)
    note.get_by_text("being worked out").wait_for()
    ui.page.locator(".panel-details").get_by_role("heading", name="mesh").wait_for()
    held[0].continue_()
    note.get_by_text("Looked at").or_(note.get_by_text("Nothing left")).wait_for()
    assert len(held) == 1, "asked once"


def test_a_server_that_cannot_tell_says_why(journey_url: str, open_ui: OpenUi) -> None:
    past = f"#/mesh?at={journey.at(150)}"
    ui = open_ui(journey_url, past, expected=("status of 503",))
    problem = (
        '{"type": "urn:vistio:problem:busy", "title": "Busy", "detail": "other answers have their turn"}'
    )
    ui.page.route(
        "**/incidents?*",
        lambda route: route.fulfill(status=503, body=problem, content_type="application/problem+json"),
    )
    ui.load(past)
    ui.page.locator(NOTE).get_by_text("It cannot be told: other answers have their turn").wait_for()
    assert ui.page.locator(".lane-line").first.text_content() == "not known"
