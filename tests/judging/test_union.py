"""Who was there in a window, and the most that one edge had: whatever the pieces in which it is read."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from support.rows import Row, judged
from support.scrapes import INTERVAL_MS, START_MS, mesh

from vistio_core.graph.topology import Topology
from vistio_core.judging.rule_edges import NO_EDGES, RuleEdges
from vistio_core.judging.union import Union

LATER_MS = START_MS + INTERVAL_MS
SAMPLES: dict[str, list[Row]] = {
    "west": [
        (START_MS, "", "ingress", "INTERNET", "mesh", "200", 0.0),
        (START_MS, "mesh", "grpc", "a", "b", "200", 1.0),
        (START_MS, "mesh", "http", "a", "b", "200", 5.0),
        (START_MS, "mesh", "http", "a", "b", "503", -7.0),
        (LATER_MS, "mesh", "http", "a", "b", "200", 5.5),
        (LATER_MS, "mesh", "http", "b", "a", "200", 0.0000001),
        (LATER_MS, "other", "http", "a", "c", "200", 0.0000001),
    ],
    "east": [
        (START_MS, "mesh", "http", "a", "b", "404", 0.25),
        (START_MS, "mesh", "http", "c", "b", "200", 6.0),
    ],
}


@pytest.mark.parametrize(
    "instants", [[(START_MS, LATER_MS)], [(START_MS,), (LATER_MS,)], [(LATER_MS,), (START_MS,)]]
)
def test_an_edge_is_as_large_as_what_all_rules_and_writers_saw_of_it_at_one_instant(
    instants: Sequence[tuple[int, ...]],
) -> None:
    judge, edges, _ = judged(mesh(), SAMPLES, {})
    union = Union(judge)
    union.add(NO_EDGES)
    for own in instants:
        piece = [edges.where(edges.instant_ms == instant_ms) for instant_ms in own]
        union.add(RuleEdges.joined(piece))
    found: Topology = union.topology([mesh()])
    assert {cluster: (sorted(level.pairs), level.peak_rps) for cluster, level in found.items()} == {
        "": ([("INTERNET", "mesh")], 0.0),
        "mesh": ([("a", "b"), ("b", "a"), ("c", "b")], 6.25),
        "other": ([("a", "c")], 0.000001),
    }
    assert found["mesh"].classes == {"a": "service", "b": "service", "c": "default"}
    assert found["other"].classes == {"a": "default", "c": "default"}


def test_of_nothing_there_is_nobody() -> None:
    judge, _, _ = judged(mesh(), SAMPLES, {})
    assert Union(judge).topology([mesh()]) == {}
