"""/frames, and /graph?stable=: what a page needs to move through time without moving its nodes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.scrapes import INTERVAL_MS, START_MS, edges, mesh, scrape
from werkzeug.test import Client

import vistio_core as vistio
from serve.conftest import AFTER_GAP_MS, FAILED_MS, NEWEST_MS, PARTLY_MS, Clock
from vistio_core.times import HOUR_MS, MINUTE_MS, format_instant
from vistio_serve import create_app

Json = dict[str, Any]


def get(client: Client, path: str, **query: str) -> Json:
    response = client.get(path, query_string=query)
    assert response.status_code == 200, response.text
    found: Json = response.get_json()
    return found


def levels_of(graph: Json) -> dict[str, Json]:
    return {"": graph, **{node["name"]: node for node in graph["nodes"] if node.get("nodes")}}


def shown(frames: Json, index: int) -> dict[str, dict[tuple[str, str], Json]]:
    """The rates of one frame by level and edge, without those at rest."""
    return {
        level["cluster"]: {
            pair: rates
            for place, pair in enumerate(zip(level["source"], level["target"], strict=True))
            if any(
                (
                    rates := {name: level[name][index][place] for name in ("normal", "warning", "danger")}
                ).values()
            )
        }
        for level in frames["levels"]
    }


def notices_of(frames: Json, index: int) -> list[Json]:
    of_frame = [
        notice for level in frames["levels"] for notice in level["notices"] if notice["frame"] == index
    ]
    return [
        {name: value for name, value in each.items() if name in ("title", "severity")} for each in of_frame
    ]


def test_each_frame_is_the_graph_of_its_instant(client: Client) -> None:
    start, end = format_instant(START_MS), format_instant(START_MS + 9 * INTERVAL_MS)
    frames = get(client, "/frames", start=start, end=end, step="10s")
    assert (frames["start"], frames["end"], frames["step_ms"]) == (start, end, 10_000)
    assert len(frames["frames"]) == 9
    union = levels_of(frames["graph"])
    for index, frame in enumerate(frames["frames"]):
        graph = get(client, "/graph", at=frame["asked"])
        assert frame == graph["metadata"]["vistio"]
        expected = {
            name: {
                (connection["source"], connection["target"]): connection["metrics"]
                for connection in level["connections"]
                if any(connection["metrics"].values())
            }
            for name, level in levels_of(graph).items()
        }
        assert shown(frames, index) == expected
        raised = [
            notice
            for level in levels_of(graph).values()
            for connection in level["connections"]
            for notice in connection["notices"]
        ]
        assert notices_of(frames, index) == [
            {"title": notice["title"], "severity": notice["severity"]} for notice in raised
        ]
        for name, edges_of_frame in shown(frames, index).items():
            drawn = {(each["source"], each["target"]) for each in union[name]["connections"]}
            assert set(edges_of_frame) <= drawn
            assert (
                max((sum(each.values()) for each in edges_of_frame.values()), default=0)
                <= union[name]["maxVolume"]
            )


def test_frames_in_a_gap_show_nothing(client: Client) -> None:
    frames = get(
        client,
        "/frames",
        start=format_instant(PARTLY_MS + 4 * MINUTE_MS),
        end=format_instant(AFTER_GAP_MS + 1),
        step="1m",
    )
    assert frames["frames"][0]["instant"] == format_instant(PARTLY_MS)
    assert frames["frames"][-1] == {"asked": frames["frames"][-1]["asked"], "instant": None}
    assert shown(frames, len(frames["frames"]) - 1) == {"": {}}


def test_frames_without_anything_are_a_404_that_names_the_nearest(client: Client) -> None:
    end_ms = START_MS - HOUR_MS
    response = client.get(
        "/frames", query_string={"start": format_instant(end_ms - MINUTE_MS), "end": format_instant(end_ms)}
    )
    assert response.status_code == 404
    assert response.get_json()["after"] == format_instant(START_MS)


def test_frames_without_parameters_are_the_last_ten_minutes(client: Client) -> None:
    frames = get(client, "/frames")
    assert (frames["step_ms"], len(frames["frames"])) == (10_000, 60)
    assert frames["frames"][-1]["instant"] == format_instant(NEWEST_MS)


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ({"start": "-1m", "end": "-2m"}, "start"),
        ({"step": "0s"}, "step"),
        ({"step": "x"}, "step"),
        ({"start": "-7d"}, "step"),
        ({"start": "-1h", "step": "1s"}, "step"),
        ({"stable": "-1h/now"}, "stable"),
    ],
)
def test_frames_that_cannot_be_are_refused_with_what_would_work(
    client: Client, query: dict[str, str], parameter: str
) -> None:
    response = client.get("/frames", query_string=query)
    assert (response.status_code, response.get_json()["parameter"]) == (400, parameter)


def test_only_frames_that_cannot_change_may_be_kept(client: Client, clock: Clock) -> None:
    def kept(start_ms: int, end_ms: int) -> bool:
        query = {"start": format_instant(start_ms), "end": format_instant(end_ms)}
        return "max-age" in client.get("/frames", query_string=query).headers["Cache-Control"]

    assert kept(START_MS, FAILED_MS)
    assert not kept(START_MS, FAILED_MS + 1)
    assert not kept(AFTER_GAP_MS, NEWEST_MS + 1)
    clock.now_ms = NEWEST_MS + 2 * MINUTE_MS
    assert kept(AFTER_GAP_MS, NEWEST_MS + 2)
    assert "max-age" not in client.get("/frames?start=-12m&end=-11m").headers["Cache-Control"]


def test_names_that_the_component_cannot_hold_are_those_of_the_graph(recording_dir: Path) -> None:
    recording = vistio.Recording.open(recording_dir, create=True, clock=lambda: NEWEST_MS)
    with recording.writer() as writer:
        writer.put_configuration(mesh())
        samples = edges({"constructor>a--b 500": 1.0, "a>b 200": 2.0, "a-->b 200": 3.0})
        writer.commit(scrape(START_MS, samples))
    client = Client(create_app(recording, now_ms=lambda: NEWEST_MS))
    window = {"start": format_instant(START_MS), "end": format_instant(START_MS + 1)}
    frames = get(client, "/frames", **window)
    drawn = levels_of(frames["graph"])["mesh"]["connections"]
    real = {(each["source"], each["target"]) for each in drawn if "vistio" not in each["metadata"]}
    assert set(shown(frames, 0)["mesh"]) == real
    assert ("constructor_", "a--b") in real or any(source == "constructor_" for source, _ in real)
    [notice] = frames["levels"][0]["notices"]
    assert (notice["source"], notice["target"]) in real


def stable(start_ms: int, end_ms: int) -> str:
    return f"{format_instant(start_ms)}/{format_instant(end_ms)}"


def test_a_stable_graph_has_what_its_window_has(client: Client) -> None:
    at = format_instant(PARTLY_MS)
    plain = get(client, "/graph", at=at)
    graph = get(client, "/graph", at=at, stable=stable(START_MS, FAILED_MS))
    assert [node["name"] for node in levels_of(plain)["mesh"]["nodes"]] == ["not-seen"]
    inside = levels_of(graph)["mesh"]
    assert [node["name"] for node in inside["nodes"]] == ["cart", "database", "front"]
    assert all(not any(each["metrics"].values()) for each in inside["connections"])
    assert (graph["maxVolume"], inside["maxVolume"]) == (70.0, 12.0), "never less than the graph itself has"
    assert graph["metadata"] == plain["metadata"]


def test_a_stable_window_can_be_relative(client: Client) -> None:
    graph = get(client, "/graph", stable="-1h/now")
    assert graph["maxVolume"] == 231.0
    assert graph["metadata"]["vistio"]["instant"] == format_instant(NEWEST_MS)


@pytest.mark.parametrize("window", ["1h", "-1h", "now/-1h", "-1h/", "/", "a/b/c"])
def test_a_stable_window_that_is_none_is_refused(client: Client, window: str) -> None:
    response = client.get("/graph", query_string={"stable": window})
    assert (response.status_code, response.get_json()["parameter"]) == (400, "stable")


def test_a_stable_graph_may_be_kept_once_its_window_is_an_hour_old(client: Client, clock: Clock) -> None:
    clock.now_ms = START_MS + MINUTE_MS + HOUR_MS + MINUTE_MS
    for end_ms, kept in ((START_MS + MINUTE_MS, True), (START_MS + MINUTE_MS + 1, False)):
        query = {"at": format_instant(START_MS), "stable": stable(START_MS, end_ms)}
        answer = client.get("/graph", query_string=query)
        assert ("max-age" in answer.headers["Cache-Control"]) is kept
