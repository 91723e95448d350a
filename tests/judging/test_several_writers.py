"""What a graph says of itself where several writers have a part in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.recordings import recorded
from support.scrapes import INTERVAL_MS, START_MS, mesh, scrape

from vistio_core.configuration import Configuration, loads
from vistio_core.graph.model import Graph

RATES = {"a>b 200": 1.0}


def test_it_is_as_old_as_the_newest_of_them(tmp_path: Path) -> None:
    older, newer = scrape(START_MS, RATES), scrape(START_MS + INTERVAL_MS, RATES, interval_ms=INTERVAL_MS * 2)
    for place, writers in (("first", [[newer], [older]]), ("last", [[older], [newer]])):
        graph = recorded(tmp_path / place, *writers).graph(at=START_MS + 3 * INTERVAL_MS)
        assert (graph.instant_ms, graph.interval_ms) == (newer.instant_ms, newer.interval_ms)
        assert [edge.rates.normal for edge in graph.region("mesh").edges] == [2.0]


@pytest.mark.parametrize("backfilled", [(), (0,), (1,), (0, 1)])
def test_it_is_backfilled_where_a_part_of_it_is(backfilled: tuple[int, ...], tmp_path: Path) -> None:
    scrapes = ([scrape(START_MS, RATES, backfilled=number in backfilled)] for number in range(2))
    assert recorded(tmp_path, *scrapes).graph(at=START_MS).backfilled == bool(backfilled)


def test_it_has_the_classes_of_its_configuration_by_name(tmp_path: Path) -> None:
    configuration = loads("graphName: x\nclasses: [{name: service, color: red}, {name: caller, color: blue}]")
    (graph, plain) = (
        _graph_of(tmp_path / name, each) for name, each in (("classes", configuration), ("none", mesh()))
    )
    assert {each.name: each.color for each in graph.classes}.items() >= {
        "caller": "blue",
        "service": "red",
    }.items()
    assert [each.name for each in graph.classes] == sorted(each.name for each in graph.classes)
    assert [each.name for each in plain.classes] == ["default"]


def _graph_of(place: Path, configuration: Configuration) -> Graph:
    seen = scrape(START_MS, RATES, configuration=configuration)
    return recorded(place, [seen], configurations=[configuration]).graph(at=START_MS)
