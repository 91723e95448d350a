"""Whom a node can hurt, and who can hurt it: in circles, on several ways, and where not all was seen."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from click.testing import CliRunner
from support.recordings import recorded
from support.scrapes import INTERVAL_MS, START_MS, edges, scrape
from werkzeug.test import Client

from vistio_core import Recording
from vistio_core.errors import NothingRecordedError, UnknownNameError
from vistio_core.events import Measurement
from vistio_core.times import DAY_MS, HOUR_MS, format_instant
from vistio_record.cli import main
from vistio_serve import create_app

CALLS = {
    "INTERNET>web 200": 100.0,
    "web>cart 200": 40.0,
    "web>cart 500": 10.0,
    "web>search 200": 60.0,
    "cart>db 200": 75.0,
    "cart>db 500": 25.0,
    "search>db 200": 50.0,
    "cart>pay 200": 5.0,
    "pay>bank 200": 5.0,
}


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    entering = edges({"INTERNET>mesh 200": 100.0}, "ingress", "")
    return recorded(tmp_path / "r", [scrape(START_MS, [*edges(CALLS), *entering])])


def rows(found: Recording, node: str, **asked: str) -> list[tuple[object, ...]]:
    return [tuple(row.values()) for row in found.blast_radius(node, START_MS, **asked).table.to_pylist()]


def test_callers_and_dependencies_are_told_with_what_flows_on_the_last_edge(recording: Recording) -> None:
    assert rows(recording, "cart") == [
        ("caller", 1, "mesh", "web", "cart", 50.0, 0.2),
        ("caller", 2, "mesh", "INTERNET", "web", 100.0, 0.0),
        ("dependency", 1, "mesh", "db", "cart", 100.0, 0.25),
        ("dependency", 1, "mesh", "pay", "cart", 5.0, 0.0),
        ("dependency", 2, "mesh", "bank", "pay", 5.0, 0.0),
    ]
    found = recording.blast_radius("cart", START_MS)
    assert (found.callers(), found.dependencies()) == (["web", "INTERNET"], ["db", "pay", "bank"])
    assert (found.instant_ms, found.unseen) == (START_MS, ())


def test_of_several_shortest_ways_it_is_the_one_with_most_traffic(recording: Recording) -> None:
    assert ("caller", 2, "mesh", "web", "search", 60.0, 0.0) in rows(recording, "db")
    assert ("dependency", 2, "mesh", "db", "cart", 100.0, 0.25) in rows(recording, "web")


def test_a_node_of_several_levels_is_reached_in_each_and_one_can_be_chosen(tmp_path: Path) -> None:
    samples = [*edges({"INTERNET>web 200": 1.0}), *edges({"INTERNET>mesh 200": 2.0}, "ingress", "")]
    recording = recorded(tmp_path / "r", [scrape(START_MS, samples)])
    assert [(row[2], row[3]) for row in rows(recording, "INTERNET")] == [("", "mesh"), ("mesh", "web")]
    assert [row[3] for row in rows(recording, "INTERNET", cluster="mesh")] == ["web"]
    assert [row[3] for row in rows(recording, "INTERNET", cluster="")] == ["mesh"]


def test_calls_in_a_circle_end_and_each_is_told_once_in_each_direction(tmp_path: Path) -> None:
    circle = {"a>b 200": 3.0, "b>c 200": 2.0, "c>a 200": 1.0, "a>a 200": 9.0}
    recording = recorded(tmp_path / "r", [scrape(START_MS, circle)])
    assert [row[:2] + row[3:6] for row in rows(recording, "a")] == [
        ("caller", 1, "c", "a", 1.0),
        ("caller", 2, "b", "c", 2.0),
        ("dependency", 1, "b", "a", 3.0),
        ("dependency", 2, "c", "b", 2.0),
    ]


@pytest.mark.parametrize("seed", range(3))
def test_distances_are_those_of_a_plain_search(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    pairs = {(chance.choice("abcdefghij"), chance.choice("abcdefghij")) for _ in range(18)}
    samples = {f"{source}>{target} 200": chance.random() for source, target in sorted(pairs)}
    recording = recorded(tmp_path / "r", [scrape(START_MS, samples)])
    node = min(pairs)[0]
    for direction, of in (("dependency", 0), ("caller", 1)):
        far = {node: 0}
        while more := {
            pair[1 - of]: far[pair[of]] + 1 for pair in pairs if pair[of] in far and pair[1 - of] not in far
        }:
            far |= more
        found = {row[3]: row[1] for row in rows(recording, node) if row[0] == direction}
        assert {name: distance for name, distance in far.items() if distance} == found


def test_what_was_not_seen_is_null_and_the_rule_that_could_have_told_of_more_is_named(tmp_path: Path) -> None:
    slow = Measurement("mesh", "latency", "cart", "db", "latency_ms", 5.0, ())
    entering = edges({"INTERNET>mesh 200": 2.0}, "ingress", "")
    recording = recorded(tmp_path / "r", [scrape(START_MS, entering, measurements=[slow], http="failed")])
    assert rows(recording, "cart") == [("dependency", 1, "mesh", "db", "cart", None, None)]
    assert recording.blast_radius("cart").unseen == ("mesh/http",)
    assert recording.blast_radius("INTERNET", cluster="").unseen == (), "that rule tells of no edge there"


def test_answered_and_no_traffic_is_zero_and_no_share(tmp_path: Path) -> None:
    recording = recorded(tmp_path / "r", [scrape(START_MS, {"a>b 200": 0.0})])
    assert rows(recording, "a") == [("dependency", 1, "mesh", "b", "a", 0.0, None)]


def test_a_name_that_was_never_there_is_refused_and_one_that_is_not_there_now_has_nobody(
    tmp_path: Path,
) -> None:
    later_ms = START_MS + HOUR_MS
    recording = recorded(
        tmp_path / "r", [scrape(START_MS, {"cart>db 200": 1.0}), scrape(later_ms, {"web>cart 200": 1.0})]
    )
    with pytest.raises(UnknownNameError) as raised:
        recording.blast_radius("crat")
    assert raised.value.nearest == ("cart",)
    assert recording.blast_radius("db").table.num_rows == 0
    with pytest.raises(NothingRecordedError):
        recording.blast_radius("db", START_MS - DAY_MS)


def test_over_http_and_in_the_terminal_it_is_the_same(recording: Recording) -> None:
    at = format_instant(START_MS)
    client = Client(create_app(recording, now_ms=lambda: START_MS + INTERVAL_MS))
    document = recording.blast_radius("cart", START_MS).document()
    assert client.get("/blast-radius", query_string={"node": "cart", "at": at}).get_json() == document
    of_level = client.get("/blast-radius", query_string={"node": "INTERNET", "level": "global"}).get_json()
    assert [row["node"] for row in of_level["dependencies"]] == ["mesh"]
    assert client.get("/blast-radius").get_json()["detail"].startswith("parameter 'node' is missing")
    both = {"node": "cart", "level": "global", "cluster": "mesh"}
    assert client.get("/blast-radius", query_string=both).status_code == 400
    unknown = client.get("/blast-radius", query_string={"node": "crat"})
    assert (unknown.status_code, unknown.get_json()["nearest"]) == (404, ["cart"])

    command = ["blast-radius", "cart", "--recording", recording.place, "--at", at]
    assert json.loads(CliRunner().invoke(main, [*command, "--json"]).stdout) == document
    assert CliRunner().invoke(main, command).stdout.splitlines() == [
        "cart at 2026-11-23T05:00:00Z (UTC)",
        "",
        "caller     cluster   via    calls away   requests/s   failing",
        "web        mesh      cart            1           50      20 %",
        "INTERNET   mesh      web             2          100       0 %",
        "",
        "dependency   cluster   via    calls away   requests/s   failing",
        "db           mesh      cart            1          100      25 %",
        "pay          mesh      cart            1            5       0 %",
        "bank         mesh      pay             2            5       0 %",
    ]
    wrong = CliRunner().invoke(main, ["blast-radius", "crat", "--recording", recording.place, "--at", at])
    assert (wrong.exit_code, "did you mean 'cart'" in wrong.output) == (1, True)
