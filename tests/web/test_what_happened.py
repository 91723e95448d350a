"""The page says what happened, without a click, and leads there."""

from __future__ import annotations

import re

import requests
from playwright.sync_api import Route

from vistio_core.times import HOUR_MS, MINUTE_MS, format_instant, parse_instant
from web import journey
from web.conftest import OpenUi

INCIDENTS = ".panel-happened .incident"
NOTE = ".panel-happened [role=status]"


def test_opening_the_demo_says_what_happened_first_and_a_click_goes_there(
    open_ui: OpenUi, new_demo: str
) -> None:
    ui = open_ui(new_demo, color_scheme="dark")
    first = ui.page.locator(INCIDENTS).first
    first.wait_for()
    told = first.text_content() or ""
    # Of the page's own window: another one has another normal.
    asked = ui.get("performance.getEntriesByType('resource').map((each) => each.name)")
    found = requests.get(next(each for each in asked if "/incidents?" in each), timeout=30).json()
    worst = max(found["incidents"], key=lambda each: each["worst_share"])
    assert worst["first"] == {"cluster": "eu-west", "node": "mongodb", "target": None}
    start, end = (worst[name][11:19] for name in ("start", "end"))
    lasted_ms = parse_instant(worst["end"], now_ms=0) - parse_instant(worst["start"], now_ms=0)
    minutes = int(lasted_ms / MINUTE_MS + 0.5)
    day = r"(\d\d-\d\d )?"  # where midnight lies between
    assert re.match(rf"{day}{start} to {day}{end}, {minutes} min: mongodb \(eu-west\) left its normal", told)
    assert told.endswith(worst["summary"]), "the words are the server's"
    assert "not seen, or only in part" in (ui.page.locator(NOTE).text_content() or "")
    ui.screenshot("what-happened")

    first.click()
    ui.wait_for_level("eu-west")
    assert ui.state["travel"]["atMs"] == parse_instant(worst["start"], now_ms=0)
    assert ui.state["selection"] == {"kind": "node", "node": "mongodb"}
    window = ui.state["window"]
    assert window["startMs"] < parse_instant(worst["start"], now_ms=0)
    assert parse_instant(worst["end"], now_ms=0) < window["endMs"] <= window["startMs"] + 3 * lasted_ms
    ui.page.locator(".panel-details").get_by_role("heading", name="mongodb").wait_for()
    assert ui.page.locator(".panel-happened").is_hidden(), "what is selected has the panel for itself"


def still(demo: str) -> tuple[str, int, int]:
    """What a link says so that the demo's timeline stays at its first hour; and when that begins and ends.

    However old the demo is by now: of a longer one a step of the timeline has several instants.
    """
    span = requests.get(f"{demo}instants", timeout=30).json()["recording"]
    start_ms, end_ms = (parse_instant(span[name], now_ms=0) for name in ("first", "last"))
    end_ms = min(end_ms, start_ms + HOUR_MS)
    return f"window={format_instant(start_ms)}/{format_instant(end_ms)}", start_ms, end_ms


def test_the_lane_has_each_incident_where_it_was_and_leads_there(open_ui: OpenUi, demo: str) -> None:
    window, first_ms, last_ms = still(demo)
    ui = open_ui(demo, f"#/?{window}")
    lane = ui.page.locator(".lane-incident", has_text="mongodb").first
    lane.wait_for()
    incidents = ui.get("vistio.snapshot().data.happened.found.incidents")
    start = max(incidents, key=lambda each: each["worst_share"])["start"]
    start_ms = parse_instant(start, now_ms=0)
    plot, box = ui.timeline_box(), lane.bounding_box()
    assert box is not None
    share = (start_ms - first_ms) / (last_ms - first_ms)
    assert abs(box["x"] - plot["x"] - share * plot["width"]) < 2, "on the same axis as the chart"
    lane.click()
    ui.wait_for_level("eu-west")
    assert ui.state["travel"]["atMs"] == start_ms


def test_the_global_level_knows_what_clusters_have(open_ui: OpenUi, demo: str) -> None:
    window, first_ms, last_ms = still(demo)
    ui = open_ui(demo, f"#/?at={format_instant(first_ms)}&{window}")
    lane = ui.page.locator(".lane-clusters .lane", has_text="eu-west")
    lane.locator(".lane-mark.error").first.wait_for()
    ui.wait("vistio.snapshot().data.happened?.found && vistio.snapshot().data.followed")
    incidents = ui.get("vistio.snapshot().data.happened.found.incidents")
    asked = {"start": format_instant(first_ms), "end": format_instant(last_ms), "cluster": "eu-west"}
    steps = requests.get(f"{demo}timeline", params=asked, timeout=30).json()["steps"]
    noticed = [place for place, count in enumerate(steps["notices_error"]) if count]

    box, plot = lane.locator(".lane-line").bounding_box(), ui.timeline_box()
    assert box is not None
    assert abs(box["x"] - plot["x"]) < 2
    assert abs(box["width"] - plot["width"]) < 2
    pointed = noticed[len(noticed) // 2]
    share = (steps["start_ms"][pointed] + 5_000 - first_ms) / (last_ms - first_ms)
    ui.page.mouse.move(box["x"] + share * box["width"], box["y"] + box["height"] / 2)
    counted = f"eu-west: {steps['notices_error'][pointed]} error notices"
    ui.page.locator(".timeline-readout").get_by_text(counted).wait_for()

    reached = [first_ms]
    while reached[-1] < steps["start_ms"][noticed[0]]:
        ui.page.keyboard.press("n")
        ui.wait(f"vistio.snapshot().state.travel.atMs > {reached[-1]}")
        reached.append(ui.state["travel"]["atMs"])
    starts = {parse_instant(each["start"], now_ms=0) for each in incidents}
    assert starts & set(reached), "the earliest fact of what happened is on the way"

    middle = format_instant(steps["start_ms"][pointed])
    ui.page.evaluate("(at) => { location.hash = `#/?at=${at}` }", middle)
    row = ui.page.locator(".panel-details .notice").get_by_role("button", name="eu-west / mongodb")
    row.click()
    ui.wait_for_level("eu-west")
    assert ui.state["selection"] == {"kind": "node", "node": "mongodb"}


def test_notices_are_one_line_for_equal_titles_with_the_first_cause_in_front(
    open_ui: OpenUi, demo: str
) -> None:
    incidents = requests.get(f"{demo}incidents", timeout=30).json()["incidents"]
    start_ms = parse_instant(max(incidents, key=lambda each: each["worst_share"])["start"], now_ms=0)
    at = format_instant(start_ms + 13 * MINUTE_MS)
    ui = open_ui(demo, f"#/?at={at}")
    notices = ui.page.locator(".panel-details .notice")
    notices.nth(1).wait_for()
    ui.wait("document.querySelector('.panel-details .notice strong').textContent === 'mongodb is saturated'")
    titles = notices.locator("strong").all_text_contents()
    assert sorted(set(titles)) == sorted(titles), "each once"
    ui.screenshot("notices")

    graph = requests.get(f"{demo}graph", params={"at": at}, timeout=30).json()
    levels = [graph, *(node for node in graph["nodes"] if node.get("nodes"))]
    edges = [edge for level in levels for edge in level["connections"]]
    shares = [
        notice["title"] for edge in edges for notice in edge["notices"] if "High Error" in notice["title"]
    ]
    row = notices.filter(has_text="High Error Rate")
    assert row.locator(".notice-kind").text_content() == f"error · {len(shares)}"
    told = row.locator(".notice-amount").all_text_contents()
    read = {f"{100 * float(title[1:8]):.1f} %" for title in shares if float(title[1:8]) >= 0.1}
    assert read <= set(told), "as people read shares"
    assert ui.page.locator(".panel-details .notice a").count() == 0, "a simulated mesh has no Prometheus"


def test_where_nothing_happened_it_says_so_and_how_much_was_seen(journey_url: str, open_ui: OpenUi) -> None:
    ui = open_ui(journey_url, f"#/mesh?at={journey.at(50)}&window={journey.at(40)}/{journey.at(80)}")
    note = ui.page.locator(NOTE)
    note.get_by_text("Nothing left its normal, as far as it was seen.").wait_for()
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
