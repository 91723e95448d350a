"""Not seen is not zero: what a rule that was not answered could have told is not known, wherever one asks.

The same rule at every door; `tests/judging/test_seen.py` has which rule could have told of what.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from support.recordings import recorded
from support.scrapes import INTERVAL_MS, START_MS, edges, scrape

from vistio_core import Recording, frontends
from vistio_core.errors import UnknownNameError
from vistio_core.events import Measurement
from vistio_core.times import HOUR_MS, MINUTE_MS

BEFORE_MS, FAILED_MS, AFTER_MS = (START_MS + index * INTERVAL_MS for index in range(3))


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    """The rule mesh/http is answered, fails, and is answered again; ingress is answered always."""
    traffic = [*edges({"a>b 200": 10.0, "a>c 200": 5.0}), *edges({"INTERNET>mesh 200": 7.0}, "ingress", "")]
    without = [sample for sample in traffic if sample.rule == "ingress"]
    return recorded(
        tmp_path,
        [scrape(BEFORE_MS, traffic), scrape(FAILED_MS, without, http="failed"), scrape(AFTER_MS, traffic)],
    )


def changes(table: pa.Table) -> dict[tuple[str, ...], str]:
    names = [name for name in ("cluster", "source", "target", "node") if name in table.column_names]
    return {tuple(row[name] for name in names): row["change"] for row in table.to_pylist()}


@pytest.mark.parametrize(("before_ms", "after_ms"), [(BEFORE_MS, FAILED_MS), (FAILED_MS, AFTER_MS)])
def test_what_was_not_seen_at_one_of_two_instants_is_neither_new_nor_gone(
    recording: Recording, before_ms: int, after_ms: int
) -> None:
    found = recording.compare(before_ms, after_ms)
    assert changes(found.edges) == {("mesh", "a", "b"): "unseen", ("mesh", "a", "c"): "unseen"}
    assert changes(found.nodes) == {("mesh", name): "unseen" for name in "abc"}
    row = found.edges.to_pylist()[0]
    blind, seen = ("after", "before") if after_ms == FAILED_MS else ("before", "after")
    assert (row["change_rps"], row[f"{blind}_normal"], row[f"{blind}_unseen"]) == (None, None, ["mesh/http"])
    assert (row[f"{seen}_normal"], row[f"{seen}_unseen"]) == (10.0, [])


def test_what_every_rule_was_asked_about_is_new_and_gone_as_before(tmp_path: Path) -> None:
    """A rule with fixed ends could have told of that edge alone; that it failed hides nothing else."""
    traffic = edges({"a>b 200": 10.0})
    recording = recorded(
        tmp_path, [scrape(BEFORE_MS, traffic), scrape(FAILED_MS, edges({"a>c 200": 1.0}), ingress="failed")]
    )
    found = recording.compare(BEFORE_MS, FAILED_MS).edges
    assert changes(found) == {("mesh", "a", "b"): "gone", ("mesh", "a", "c"): "new"}


def test_the_largest_known_change_comes_before_what_is_not_known(tmp_path: Path) -> None:
    before = [*edges({"a>b 200": 100.0}), *edges({"INTERNET>mesh 200": 1.0}, "ingress", "")]
    after = edges({"INTERNET>mesh 200": 2.0}, "ingress", "")
    recording = recorded(tmp_path, [scrape(BEFORE_MS, before), scrape(FAILED_MS, after, http="timeout")])
    found = recording.compare(BEFORE_MS, FAILED_MS).edges
    assert list(changes(found).values()) == ["changed", "unseen"]


@pytest.mark.parametrize("sealed", [False, True])
def test_a_name_that_was_never_recorded_is_an_error_that_offers_the_nearest(
    tmp_path: Path, sealed: bool
) -> None:
    recording = recorded(tmp_path / "r", [scrape(START_MS, {"cart>mongodb 200": 5.0})])
    if sealed:
        with recording.writer("a") as writer:
            writer.seal(START_MS + 2 * HOUR_MS)
    window = START_MS, START_MS + MINUTE_MS
    for wrong, nearest in [
        ({"node": "mongdb"}, ("mongodb",)),
        ({"source": "Cart"}, ("cart",)),
        ({"target": "db"}, ("mongodb",)),
        ({"node": "zzzzzz"}, ()),
        ({"cluster": "mehs"}, ("mesh",)),
        ({"cluster": "", "node": "cart"}, ()),
    ]:
        for ask in (recording.timeline, recording.gaps):
            with pytest.raises(UnknownNameError) as raised:
                ask(*window, **wrong)
            assert raised.value.nearest == nearest, wrong


def test_a_name_that_is_silent_now_is_no_error(tmp_path: Path) -> None:
    recording = recorded(
        tmp_path / "r",
        [scrape(START_MS, {"cart>db 200": 5.0}), scrape(START_MS + HOUR_MS, {"web>cart 200": 5.0})],
    )
    later = START_MS + HOUR_MS, START_MS + HOUR_MS + MINUTE_MS
    for _ in range(2):
        [step] = recording.timeline(*later, node="db").to_pylist()
        assert (step["normal"], step["edges"], step["unseen"]) == (0.0, 0, [])
        [edge] = recording.timeline(*later, source="db", target="web").to_pylist()
        assert edge["normal"] == 0.0  # both were there: that they never talked to each other was seen
        with recording.writer("a") as writer:
            writer.seal(START_MS + 3 * HOUR_MS)


def test_frames_know_a_rate_zero_and_not_seen(recording: Recording) -> None:
    frames = recording.frames(BEFORE_MS - INTERVAL_MS, AFTER_MS + INTERVAL_MS, INTERVAL_MS / 1000)
    inside, entering = frames.level("mesh"), frames.level("")
    nothing = [[math.nan] * 3] * 2
    both = [[10.0, 0.0, 0.0], [5.0, 0.0, 0.0]]
    np.testing.assert_array_equal(
        inside.rates, [nothing, both, nothing, both]
    )  # nothing recorded, seen, failed, seen
    np.testing.assert_array_equal(entering.rates[:, 0, 0], [math.nan, 7.0, 7.0, 7.0])
    assert frames.topology["mesh"].peak_rps == 10.0


def test_what_answers_and_has_nothing_is_zero_in_a_frame(tmp_path: Path) -> None:
    recording = recorded(tmp_path, [scrape(BEFORE_MS, {"a>b 200": 1.0}), scrape(FAILED_MS)])
    [level] = recording.frames(BEFORE_MS, AFTER_MS, "10s").levels
    assert level.rates.tolist() == [[[1.0, 0.0, 0.0]], [[0.0, 0.0, 0.0]]]


def test_a_stable_graph_does_not_say_that_what_was_not_seen_was_nothing(recording: Recording) -> None:
    graph = recording.graph(FAILED_MS, stable=(BEFORE_MS, AFTER_MS))
    [mesh] = graph.regions
    assert [(edge.target, edge.rates.seen) for edge in mesh.edges] == [("b", False), ("c", False)]
    assert [edge.rates.normal for edge in graph.edges] == [7.0]
    assert mesh.max_volume == 10.0
    answered = recording.graph(AFTER_MS, stable=(BEFORE_MS, FAILED_MS))
    assert [edge.rates.normal for edge in answered.regions[0].edges] == [10.0, 5.0]


@pytest.mark.parametrize(
    "name", ["vizceral", "node-link", "cytoscape", "grafana", "dot", "mermaid", "graphml"]
)
def test_no_format_says_a_number_of_what_was_not_seen(recording: Recording, name: str) -> None:
    graph = recording.graph(FAILED_MS, stable=(BEFORE_MS, AFTER_MS))
    drawn = frontends.get(name).render(graph, {}).decode()
    assert "nan" not in drawn.lower().replace("finance", "")
    if name == "vizceral":
        [mesh] = [node for node in json.loads(drawn)["nodes"] if node["name"] == "mesh"]
        assert all(each["metadata"]["vistio"]["unseen"] for each in mesh["connections"])
    elif name in ("dot", "mermaid", "grafana"):
        assert "not seen" in drawn
    else:
        assert "null" in drawn or 'key="normal"' not in drawn


def test_a_windows_mean_is_over_the_instants_at_which_the_very_edge_was_seen(recording: Recording) -> None:
    found = recording.compare((BEFORE_MS, AFTER_MS + 1), AFTER_MS)
    assert found.edges.num_rows == 0  # 15 of 20 would be less than 20 of 20 otherwise
    failed = recording.compare((FAILED_MS, AFTER_MS), AFTER_MS)
    assert changes(failed.edges) == {("mesh", "a", "b"): "unseen", ("mesh", "a", "c"): "unseen"}
    assert set(map(tuple, failed.edges["before_unseen"].to_pylist())) == {("mesh/http",)}


def test_a_timeline_of_an_edge_is_null_while_its_rule_fails_and_the_gap_says_why(
    recording: Recording,
) -> None:
    window = BEFORE_MS, AFTER_MS + INTERVAL_MS
    edge = recording.timeline(*window, "10s", source="a", target="b").to_pylist()
    assert [row["normal"] for row in edge] == [10.0, None, 10.0]
    assert [(row["missing"], row["unseen"], row["edges"]) for row in edge][1] == (1, ["mesh/http"], None)
    [gap] = recording.gaps(*window, source="a", target="b").to_pylist()
    assert gap["reason"] == "not seen: mesh/http: http did not answer"
    assert recording.gaps(*window).num_rows == recording.gaps(*window, cluster="").num_rows == 0
    everything = recording.timeline(*window, "10s").to_pylist()
    assert [row["normal"] for row in everything] == [22.0, None, 22.0]
    assert [row["known_normal"] for row in everything] == [22.0, 7.0, 22.0]


def test_each_of_several_writers_has_instants_of_its_own(tmp_path: Path) -> None:
    east = [scrape(START_MS + index * INTERVAL_MS, {"a>b 200": 6.0}) for index in range(6)]
    west = [scrape(START_MS + index * 3 * INTERVAL_MS, {"a>b 200": 4.0}) for index in range(2)]
    recording = recorded(tmp_path, east, west)
    [row] = recording.timeline(START_MS, START_MS + MINUTE_MS, "1m").to_pylist()
    assert (row["normal"], row["unseen"]) == (10.0, [])
    graph_and_mean = recording.compare(START_MS, (START_MS, START_MS + MINUTE_MS))
    assert graph_and_mean.edges.num_rows == 0
    later = recording.timeline(START_MS + 4 * INTERVAL_MS, START_MS + 5 * INTERVAL_MS, "10s").to_pylist()
    assert [(row["normal"], row["known_normal"], row["unseen"]) for row in later] == [
        (None, 6.0, ["writer b"])
    ]


@pytest.mark.parametrize(
    ("failed", "seen"), [({"http": "failed"}, False), ({"ingress": "failed"}, True), ({}, True)]
)
def test_an_edge_that_was_measured_only_has_traffic_that_is_not_known_while_its_rule_fails(
    tmp_path: Path, failed: dict[str, str], seen: bool
) -> None:
    slow = Measurement("mesh", "latency", "a", "b", "latency_ms", 5.0, ())
    recording = recorded(tmp_path, [scrape(START_MS, measurements=[slow], **failed)])
    [edge] = recording.graph(START_MS).regions[0].edges
    assert (edge.rates.seen, edge.measurements) == (seen, {"latency_ms": 5.0})
