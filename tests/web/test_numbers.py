"""One meaning for each number: what the page shows is what `/graph` says, at whichever place it stands."""

from __future__ import annotations

from typing import Any

import requests

from vistio_core.times import MINUTE_MS, format_instant
from web.conftest import OpenUi
from web.test_what_happened import still
from web.ui import Ui

Rates = tuple[float, float]
"""Requests a second, and how many of them fail."""


def test_all_numbers_of_a_level_agree_with_the_graph_and_with_each_other(open_ui: OpenUi, demo: str) -> None:
    window, first_ms, last_ms = still(demo)
    ui = open_ui(demo, f"#/?at={format_instant(first_ms + MINUTE_MS)}&{window}")
    ui.wait("vistio.snapshot().data.below?.timelines.size === 2")
    instants = [first_ms + part * (last_ms - first_ms) // 15 // 10_000 * 10_000 for part in range(1, 15)]
    seen = [compare(ui, demo, at_ms, level, window) for level in ("", "eu-west") for at_ms in instants]
    # But for what falls into the gap, or to where a rule failed.
    assert sum(seen) >= 20, "ten instants of both levels"


def compare(ui: Ui, demo: str, at_ms: int, level: str, window: str) -> bool:
    """Whether there was something to compare at an instant, once all of it was."""
    at = format_instant(at_ms)
    asked = requests.get(f"{demo}graph", params={"at": at}, timeout=30)
    graph = asked.json()
    if graph["metadata"]["vistio"]["instant"] != at or graph["metadata"]["vistio"]["failed_rules"]:
        return False
    ui.page.evaluate("(hash) => { location.hash = hash }", f"#/{level}?at={at}&{window}")
    subject = "vistio.snapshot().data.followed"
    ui.wait(
        f"vistio.snapshot().data.graph?.about.instantMs === {at_ms}"
        f" && {subject}?.subject.level === '{level}' && {subject}.counted"
    )
    shown = next(node for node in graph["nodes"] if node["name"] == level) if level else graph
    enters = rates(entering(shown["connections"]))
    clusters = [shown] if level else [node for node in graph["nodes"] if node.get("nodes")]
    inside = rates([edge for cluster in clusters for edge in cluster["connections"]])

    # Panels follow within the half second; then requests and errors of both measures stand there.
    ui.page.wait_for_function(
        """(told) => JSON.stringify([...document.querySelectorAll(".panel-details .facts")].slice(0, 2)
            .map((facts) => [...facts.querySelectorAll("dd")].slice(0, 2).map((each) => each.textContent)))
            === JSON.stringify(told)""",
        arg=[
            [f"{written(each[0])} /s", f"{share(each)} · {written(each[1])} /s"] for each in (enters, inside)
        ],
    )

    point_at(ui, at_ms)
    # What is pointed at is said a moment later.
    readout = ui.page.locator(".timeline-readout")
    readout.get_by_text(f"· {written(enters[0])} requests/s, {share(enters)} errors ·").wait_for()
    readout.get_by_text(
        f"every hop inside: {written(inside[0])} requests/s, {share(inside)} errors"
    ).wait_for()
    assert "what enters" in (ui.page.locator(".timeline-title").text_content() or "")

    rows = ui.page.locator(".panel-details .connections tbody tr")
    failing = rows.filter(has=ui.page.locator("td.danger")).count()
    marked_from = graph["metadata"]["vistio"]["marked_from"]["danger"]
    of_edges = [rates([edge]) for edge in real(shown)]
    assert failing == sum(each[1] > 0 and each[1] / each[0] >= marked_from for each in of_edges)
    return True


def test_all_numbers_of_a_node_agree_with_the_graph_and_with_each_other(open_ui: OpenUi, demo: str) -> None:
    """A node counts what it receives; INTERNET, which nobody calls, what it sends."""
    window, first_ms, last_ms = still(demo)
    at_ms = (first_ms + (last_ms - first_ms) // 3) // 10_000 * 10_000
    ui = open_ui(demo, f"#/eu-west?at={format_instant(at_ms)}&{window}")
    answer = requests.get(f"{demo}graph", params={"at": format_instant(at_ms)}, timeout=30).json()
    edges = next(node for node in answer["nodes"] if node["name"] == "eu-west")["connections"]
    for node, end in (("reviews-v3", "target"), ("INTERNET", "source")):
        expected = rates([edge for edge in edges if edge[end] == node])
        at = format_instant(at_ms)
        ui.page.evaluate("(hash) => { location.hash = hash }", f"#/eu-west?at={at}&{window}&node={node}")
        ui.wait(f"vistio.snapshot().data.followed?.subject.node === '{node}'")
        ui.wait("vistio.snapshot().data.followed.counted")
        facts = ui.page.locator(".panel-details .facts").first
        facts.get_by_text(f"{written(expected[0])} /s", exact=True).wait_for()
        facts.get_by_text(f"{share(expected)} · {written(expected[1])} /s").first.wait_for()
        point_at(ui, at_ms)
        readout = ui.page.locator(".timeline-readout")
        readout.get_by_text(f"{written(expected[0])} requests/s, {share(expected)} errors").wait_for()


def real(level: dict[str, Any]) -> list[dict[str, Any]]:
    edges: list[dict[str, Any]] = level["connections"]
    return [edge for edge in edges if not edge.get("metadata", {}).get("vistio", {}).get("synthetic")]


def entering(edges: list[dict[str, Any]]) -> list[dict[str, Any]]:
    called = {edge["target"] for edge in edges}
    return [edge for edge in edges if edge["source"] not in called]


def rates(edges: list[dict[str, Any]]) -> Rates:
    failed = sum(edge["metrics"].get("danger", 0.0) for edge in edges)
    return sum(sum(edge["metrics"].values()) for edge in edges), failed


def share(rates: Rates) -> str:
    """As the page writes shares."""
    percent = 100 * rates[1] / rates[0]
    if percent == 0:
        return "0 %"
    return "< 0.01 %" if percent < 0.01 else f"{percent:.{1 if percent >= 10 else 2}f} %"


def written(rps: float) -> str:
    """As the page writes rates."""
    if rps >= 10_000:
        return f"{rps / 1000:#.3g}k"
    if rps == 0:
        return "0"
    if rps < 0.005:
        return "< 0.01"
    return f"{rps:.{0 if rps >= 100 else 1 if rps >= 10 else 2}f}"


def point_at(ui: Ui, at_ms: int) -> None:
    """Moves the mouse to where the chart has an instant."""
    ui.wait("document.querySelector('.u-over')")
    window = ui.state["window"]
    box = ui.timeline_box()
    place = (at_ms + 4_000 - window["startMs"]) / (window["endMs"] - window["startMs"])
    ui.page.mouse.move(box["x"] + place * box["width"], box["y"] + box["height"] / 2)
