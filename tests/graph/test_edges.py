"""`Edges`: columns that are a sequence of `Edge` to everyone who looks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.recordings import recorded
from support.scrapes import START_MS, scrape

from vistio_core.configuration.model import Severity
from vistio_core.events import Sample
from vistio_core.frontends.vizceral import Vizceral
from vistio_core.graph.edges import Edges
from vistio_core.graph.model import Edge, Notice, Rates

PLAIN = (
    Edge("a", "b", Rates(1.0, 0.5, 0.25)),
    Edge("a", "c", Rates(-0.0), (Notice("slow", Severity.WARNING),)),
    Edge("b", "a", Rates(2.0), (), {"latency_p99_ms": 7.0}),
)


def test_edges_are_the_sequence_that_they_were_made_of() -> None:
    edges = _without_objects(Edges.of(PLAIN))
    assert edges == PLAIN
    assert edges == PLAIN
    assert list(edges) == list(PLAIN)
    assert repr(edges) == repr(PLAIN)
    assert edges != PLAIN[:2]
    assert edges != "abc"
    assert Edges.of(()) == ()
    assert Edges.of(edges) is edges


@pytest.mark.parametrize("index", [0, 2, -1, -3])
def test_an_edge_alone_is_the_one_of_the_sequence(index: int) -> None:
    edges = _without_objects(Edges.of(PLAIN))
    assert edges[index] == PLAIN[index]
    assert edges[1:] == PLAIN[1:]
    assert edges[index] == PLAIN[index], "also once all of them were made"


@pytest.mark.parametrize("index", [3, -4])
def test_an_index_outside_is_an_error_as_of_any_sequence(index: int) -> None:
    with pytest.raises(IndexError):
        _without_objects(Edges.of(PLAIN))[index]


def test_edges_ascend_when_none_is_twice_and_all_are_in_order() -> None:
    assert Edges.of(PLAIN).ascend
    assert Edges.of(()).ascend
    assert not Edges.of((PLAIN[1], PLAIN[0])).ascend
    assert not Edges.of((PLAIN[0], PLAIN[0])).ascend


def test_a_graph_is_drawn_without_an_object_for_each_edge(tmp_path: Path) -> None:
    samples = [Sample("mesh", "http", f"a{index}", "b", "200", 1.0) for index in range(50)]
    samples.append(Sample("mesh", "http", "a0", "b", "503", 1.0))
    graph = recorded(tmp_path, [scrape(START_MS, samples)]).graph(at=START_MS)
    drawn = Vizceral().render(graph, {})
    (region,) = graph.regions
    assert isinstance(region.edges, Edges)
    assert "_made" not in vars(region.edges)
    assert b"High error rate" in drawn
    assert region.edges[0].notices, "the one that is an object in the picture, for it has a notice"
    assert len(region.edges) == 50


def test_edges_of_two_writers_add_up_and_keep_the_sign_of_a_lonely_zero(tmp_path: Path) -> None:
    one = [Sample("mesh", "http", "a", "b", "200", 0.1), Sample("mesh", "http", "a", "c", "200", -0.0)]
    two = [Sample("mesh", "http", "a", "b", "200", 0.2), Sample("mesh", "http", "B", "a", "200", 4.0)]
    recording = recorded(tmp_path, *([scrape(START_MS, samples)] for samples in (one, two)))
    (region,) = recording.graph(at=START_MS).regions
    assert region.edges == (
        Edge("B", "a", Rates(4.0)),
        Edge("a", "b", Rates(0.1 + 0.2)),
        Edge("a", "c", Rates(-0.0)),
    )
    assert np.signbit(region.edges[2].rates.normal)


def _without_objects(edges: Edges) -> Edges:
    return Edges(edges.names, edges.source, edges.target, edges.rates, edges.notices, edges.measurements)
