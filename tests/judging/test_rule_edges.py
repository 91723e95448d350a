"""What rules saw of edges: sums in two ways, both exact, whatever the order and the size of the rates."""

from __future__ import annotations

from collections import defaultdict
from math import fsum

import hypothesis.strategies as st
import numpy as np
import pyarrow as pa
from hypothesis import given
from support.scrapes import START_MS, mesh

from vistio_core.judging.judge import Judge
from vistio_core.judging.rule_edges import RuleEdges
from vistio_core.judging.rulebook import Rulebook

MESH = mesh()
CLASS = {"200": 0, "201": 0, "204": 0, "": 0, "404": 1, "500": 2, "503": 2}
rows = st.lists(
    st.tuples(
        st.sampled_from(["a", "b"]),
        st.sampled_from(["b", "c"]),
        st.sampled_from(sorted(CLASS)),
        st.floats(-1e3, 1e12, allow_nan=False),
    ),
    max_size=12,
    unique_by=lambda row: row[:3],
)


@given(rows)
def test_the_samples_of_an_edge_are_added_exactly_by_class(
    samples: list[tuple[str, str, str, float]],
) -> None:
    by_edge: dict[tuple[str, str], list[list[float]]] = defaultdict(lambda: [[], [], []])
    for source, target, status, rate in sorted(samples):
        by_edge[source, target][CLASS[status]].append(rate)
    judge, edges = _edges(sorted(samples))
    names = judge.names.values
    ends = [(names[source], names[target]) for source, target in zip(edges.source, edges.target, strict=True)]
    assert ends == sorted(by_edge)
    assert edges.rps.tolist() == [list(map(fsum, by_edge[pair])) for pair in ends]
    assert edges.millionths.tolist() == [
        [sum(round(rate * 1_000_000) for rate in rates) for rates in by_edge[pair]] for pair in ends
    ]


def test_rows_of_an_instant_without_a_scrape_count_for_nothing() -> None:
    _, edges = _edges([("a", "b", "200", 1.0)], instant_ms=START_MS + 1)
    assert len(edges) == 0
    assert edges.rps.shape == edges.millionths.shape == (0, 3)


def test_parts_are_joined_row_by_row() -> None:
    judge, one = _edges([("a", "b", "200", 1.0), ("a", "b", "503", 2.0)])
    two = judge.edges("main", _table([("b", "c", "404", 4.0)], START_MS))
    joined = RuleEdges.joined([one, RuleEdges.joined([]), two])
    assert np.array_equal(joined.rps, [[1.0, 0.0, 2.0], [0.0, 4.0, 0.0]])


def _edges(samples: list[tuple[str, str, str, float]], instant_ms: int = START_MS) -> tuple[Judge, RuleEdges]:
    judge = Judge({(START_MS, "main"): MESH.hash}, lambda _: Rulebook(MESH))
    return judge, judge.edges("main", _table(samples, instant_ms))


def _table(samples: list[tuple[str, str, str, float]], instant_ms: int) -> pa.Table:
    sources, targets, statuses, rates = zip(*samples, strict=True) if samples else ((), (), (), ())
    count = len(samples)
    return pa.table(
        {
            "instant": pa.array([instant_ms] * count, pa.timestamp("ms", "UTC")),
            "cluster": pa.array(["mesh"] * count, pa.string()),
            "rule": pa.array(["http"] * count, pa.string()),
            "source": pa.array(sources, pa.string()),
            "target": pa.array(targets, pa.string()),
            "status": pa.array(statuses, pa.string()),
            "rate": pa.array(rates, pa.float64()),
        }
    )
