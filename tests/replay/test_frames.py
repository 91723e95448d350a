"""Frames against the graphs that they stand for, and the union of a window."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.scrapes import INTERVAL_MS, START_MS, all_failed, edges, mesh, scrape

from vistio_core import Recording
from vistio_core.errors import InvalidTimeError, NothingRecordedError, UsageError
from vistio_core.events import Measurement, Sample, Scrape
from vistio_core.graph.model import Graph
from vistio_core.replay.frames import sums
from vistio_core.replay.frames.frames import Frames
from vistio_core.times import HOUR_MS, MINUTE_MS, format_instant

NOW_MS = START_MS + 10 * HOUR_MS
NOT_SEEN = -1.0
STRICTER = mesh(**{"error: 0.2": "error: 0.1", '"^4..$"': '"^[34]..$"', "class: service": "class: store"})


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    return Recording.open(tmp_path / "recording", create=True, clock=lambda: NOW_MS)


def saturated(node: str, value: float) -> Measurement:
    return Measurement("mesh", "saturation", node, "", "value", value, (("service", node),))


def record(recording: Recording, *scrapes: Scrape, writer: str = "main") -> None:
    with recording.writer(writer) as writing:
        for configuration in (mesh(), STRICTER):
            writing.put_configuration(configuration)
        for each in scrapes:
            writing.commit(each)


def levels_of(graph: Graph) -> dict[str, tuple[Any, Any]]:
    return {"": (graph.nodes, graph.edges), **{r.name: (r.nodes, r.edges) for r in graph.regions}}


def assert_equal_to_graphs(recording: Recording, frames: Frames) -> None:
    """Everything that the frames say is what the graphs say."""
    for index, frame in enumerate(frames.frames):
        try:
            graph = recording.graph(frame.asked_ms)
        except NothingRecordedError:
            assert frame.instant_ms is None
            assert all(np.isnan(level.rates[index]).all() for level in frames.levels)
            continue
        assert (frame.instant_ms, frame.interval_ms, frame.configuration, frame.backfilled) == (
            graph.instant_ms,
            graph.interval_ms,
            graph.configuration,
            graph.backfilled,
        )
        assert frame.failed_rules == graph.failed_rules
        for cluster, (nodes, found) in levels_of(graph).items():
            level = {each.cluster: each for each in frames.levels}.get(cluster)
            if level is None:
                assert not found
                assert not any(node.notices for node in nodes)
                continue
            rates = {(e.source, e.target): (e.rates.normal, e.rates.warning, e.rates.danger) for e in found}
            silent = (0.0, 0.0, 0.0)
            # Each level has one rule that tells of all of its edges, unless a writer is missing.
            failed = any(each.outcome == "stale" or each.cluster == cluster for each in graph.failed_rules)
            absent = (NOT_SEEN,) * 3 if failed else silent
            shown = np.nan_to_num(level.rates[index], nan=NOT_SEEN).tolist()
            assert dict(zip(level.edges, map(tuple, shown), strict=True)) == {
                pair: rates.get(pair, absent) for pair in level.edges
            }
            assert set(rates) - set(level.edges) <= {pair for pair, row in rates.items() if row == silent}
            expected = [(e.source, e.target, notice) for e in found for notice in e.notices]
            expected += [(node.name, "", notice) for node in nodes for notice in node.notices]
            raised = [(n.source, n.target, n.notice) for n in level.notices if n.frame == index]
            assert sorted(raised, key=repr) == sorted(expected, key=repr)
            union = frames.topology[cluster]
            assert {node.name for node in nodes} <= set(union.classes)
            assert {(e.source, e.target) for e in found} <= union.pairs
            assert max((e.rates.total for e in found), default=0.0) <= union.peak_rps


def some_scrapes() -> list[Scrape]:
    return [
        scrape(START_MS, {"a>b 200": 0.1, "a>b 201": 0.2, "a>b 302": 0.3, "a>b 503": 2.0, "b>c 404": 1.0}),
        scrape(START_MS + INTERVAL_MS, **all_failed()),
        scrape(
            START_MS + 2 * INTERVAL_MS,
            [*edges({"c>a 302": 4.0}), *edges({"INTERNET>mesh 200": 3.0}, "ingress", "")],
            measurements=[saturated("c", 0.9), saturated("quiet", 0.1)],
        ),
        scrape(START_MS + 3 * INTERVAL_MS, {"a>b 302": 8.0, "a>b 503": 1.0}, configuration=STRICTER),
        scrape(START_MS + 4 * INTERVAL_MS, edges({"INTERNET>mesh 200": 5.0}, "ingress", ""), http="timeout"),
        scrape(START_MS + 40 * INTERVAL_MS, {"a>b 200": 7.0}),
    ]


@pytest.mark.parametrize("step", ["10s", "5s", "17s"])
def test_each_frame_says_what_its_graph_says(recording: Recording, step: str) -> None:
    record(recording, *some_scrapes())
    frames = recording.frames(START_MS - 2 * INTERVAL_MS, START_MS + 6 * INTERVAL_MS, step)
    assert frames.frames[0].instant_ms is None
    assert_equal_to_graphs(recording, frames)


def test_a_frame_shows_nothing_that_is_older_than_the_staleness(recording: Recording) -> None:
    record(recording, *some_scrapes())
    frames = recording.frames(START_MS + 33 * INTERVAL_MS, START_MS + 41 * INTERVAL_MS)
    shown = [frame.instant_ms for frame in frames.frames]
    before_ms, after_ms = START_MS + 4 * INTERVAL_MS, START_MS + 40 * INTERVAL_MS
    assert shown == [before_ms, None, None, None, None, None, None, after_ms]
    assert_equal_to_graphs(recording, frames)


@pytest.mark.parametrize("merged", [False, True])
def test_frames_add_up_what_several_writers_saw(recording: Recording, merged: bool) -> None:
    record(recording, *some_scrapes())
    others = [
        scrape(START_MS + 2 * INTERVAL_MS, {"a>b 200": 0.7, "x>y 200": 1.0}),
        scrape(START_MS + 5 * INTERVAL_MS),
    ]
    record(recording, *others, writer="second")
    if merged:
        with recording.writer() as writer:
            writer.merge(START_MS + HOUR_MS)
    assert_equal_to_graphs(recording, recording.frames(START_MS, START_MS + 8 * INTERVAL_MS))


def test_frames_show_what_supplements_brought(recording: Recording) -> None:
    record(recording, *some_scrapes())
    whole = scrape(START_MS + 4 * INTERVAL_MS, {"a>b 200": 6.0}, backfilled=True)
    answered = tuple(outcome for outcome in whole.outcomes if outcome.rule == "http")
    with recording.writer() as writer:
        writer.put_configuration(mesh())
        writer.supplement(attrs.evolve(whole, outcomes=answered))
    frames = recording.frames(START_MS, START_MS + 8 * INTERVAL_MS)
    assert frames.frames[4].backfilled
    assert_equal_to_graphs(recording, frames)


RATES = st.sampled_from([0.0, 0.1, 0.2, 0.3, 1e-9, 1 / 3, 12345.678])
ENDS = st.sampled_from("abc")
TRAFFIC = st.dictionaries(
    st.tuples(ENDS, ENDS, st.sampled_from(["200", "201", "204", "404", "500", "503", ""])), RATES, max_size=12
)


@settings(max_examples=12)
@given(
    traffic=st.lists(TRAFFIC, min_size=1, max_size=4),
    other=st.lists(TRAFFIC, max_size=3),
    step_s=st.sampled_from([5, 10, 30]),
)
def test_any_traffic_gives_equal_frames_and_graphs(
    tmp_path_factory: pytest.TempPathFactory, traffic: list[Any], other: list[Any], step_s: int
) -> None:
    recording = Recording.open(tmp_path_factory.mktemp("frames") / "r", create=True, clock=lambda: NOW_MS)
    for writer, many in (("main", traffic), ("second", other)):
        scrapes = [
            scrape(
                START_MS + index * INTERVAL_MS,
                [Sample("mesh", "http", *key, rate) for key, rate in one.items()],
            )
            for index, one in enumerate(many)
        ]
        record(recording, *scrapes, writer=writer)
    end_ms = START_MS + 5 * INTERVAL_MS
    assert_equal_to_graphs(recording, recording.frames(START_MS, end_ms, f"{step_s}s"))


def test_sealing_changes_no_frame(recording: Recording) -> None:
    record(recording, *some_scrapes())
    before = recording.frames(START_MS, START_MS + 8 * INTERVAL_MS)
    with recording.writer() as writer:
        writer.seal(START_MS + 2 * HOUR_MS)
    after = recording.frames(START_MS, START_MS + 8 * INTERVAL_MS)
    assert before.frames == after.frames
    assert before.topology == after.topology
    for one, other in zip(before.levels, after.levels, strict=True):
        assert (one.edges, one.notices) == (other.edges, other.notices)
        np.testing.assert_array_equal(one.rates, other.rates)


def test_frames_refuse_an_empty_window_and_what_would_not_fit(
    recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(recording, *some_scrapes())
    with pytest.raises(InvalidTimeError, match="empty"):
        recording.frames(START_MS, START_MS)
    with pytest.raises(InvalidTimeError, match="longer than 0s"):
        recording.frames(START_MS, START_MS + 1, "0s")
    with pytest.raises(UsageError, match="longer step"):
        recording.frames(START_MS, START_MS + 2 * HOUR_MS, "100ms")
    monkeypatch.setattr(sums, "MAX_CELLS", 15)
    assert len(recording.frames(START_MS, START_MS + 3 * INTERVAL_MS).frames) == 3
    with pytest.raises(UsageError, match="longer step"):
        recording.frames(START_MS, START_MS + 4 * INTERVAL_MS)


def test_frames_without_anything_say_so(recording: Recording) -> None:
    record(recording, *some_scrapes())
    frames = recording.frames(START_MS - 2 * HOUR_MS, START_MS - 2 * HOUR_MS + MINUTE_MS)
    assert [frame.instant_ms for frame in frames.frames] == [None] * 6
    assert (frames.levels, frames.topology) == ((), {})
    with pytest.raises(KeyError):
        frames.level("mesh")


def window(start_ms: int, end_ms: int) -> str:
    return f"{format_instant(start_ms)}/{format_instant(end_ms)}"


def test_a_stable_graph_has_all_of_the_window_and_its_peak(recording: Recording) -> None:
    record(recording, *some_scrapes())
    at_ms = START_MS + 2 * INTERVAL_MS
    plain = recording.graph(at_ms)
    graph = recording.graph(at_ms, stable=window(START_MS, START_MS + 4 * INTERVAL_MS))
    region = graph.region("mesh")
    assert [(edge.source, edge.target) for edge in region.edges] == [("a", "b"), ("b", "c"), ("c", "a")]
    assert [node.name for node in region.nodes] == ["a", "b", "c", "quiet"]
    assert {node.name: node.node_class for node in region.nodes}["b"] == "store", "as the newest rules say"
    assert region.max_volume == 9.0
    assert graph.max_volume == 3.0
    # What was there at the instant is as it was.
    for edge in plain.region("mesh").edges:
        assert edge in region.edges
    absent = next(edge for edge in region.edges if edge.source == "a")
    assert (absent.rates.total, absent.notices) == (0.0, ())
    assert graph.instant_ms == plain.instant_ms


@pytest.mark.parametrize(("first", "length"), list(product((0, 2), (1, 4))))
def test_the_union_of_frames_is_that_of_a_stable_graph(recording: Recording, first: int, length: int) -> None:
    record(recording, *some_scrapes())
    start_ms = START_MS + first * INTERVAL_MS
    end_ms = start_ms + length * INTERVAL_MS
    frames = recording.frames(start_ms, end_ms, staleness="10s")
    graph = recording.graph(end_ms - 1, stable=window(start_ms, end_ms))
    for cluster, (nodes, found) in levels_of(graph).items():
        union = frames.topology.get(cluster)
        if union is None:
            assert not nodes
            continue
        assert union.classes == {node.name: node.node_class for node in nodes}
        assert union.pairs == {(edge.source, edge.target) for edge in found}


def test_a_window_of_a_stable_graph_has_two_instants(recording: Recording) -> None:
    record(recording, *some_scrapes())
    for text in ("1h", "x/y", f"{format_instant(START_MS)}/{format_instant(START_MS)}"):
        with pytest.raises(InvalidTimeError):
            recording.graph(START_MS, stable=text)


def test_more_notices_than_fit_into_memory_are_refused_before_they_are_made(
    recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(recording, scrape(START_MS, edges({f"a>b{n} 503": 1.0 for n in range(3)})))
    window = START_MS, START_MS + 5_000, "1s"
    monkeypatch.setattr(sums, "MAX_NOTICES", 15)
    assert sum(len(level.notices) for level in recording.frames(*window).levels) == 15
    monkeypatch.setattr(sums, "MAX_NOTICES", 14)
    with pytest.raises(UsageError, match="5 frames have more than 14 notices; use a longer step"):
        recording.frames(*window)
