"""What rules saw of edges: sums in two ways, both exact, whatever the order and the size of the rates."""

from __future__ import annotations

from collections import defaultdict
from math import copysign, fsum

import hypothesis.strategies as st
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from support.scrapes import START_MS, mesh

from vistio_core.judging.judge import Judge
from vistio_core.judging.rule_edges import EdgeSums, RuleEdges, sums_by
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


def test_some_rows_keep_their_samples() -> None:
    rates = {("a", "200"): 1.0, ("a", "503"): 2.0, ("b", "200"): 4.0, ("c", "404"): 8.0, ("c", "503"): 16.0}
    _, edges = _edges([(source, "d", status, rate) for (source, status), rate in rates.items()])
    some = edges.where(np.array([True, False, True]))
    assert np.array_equal(some.rps, [[1.0, 0.0, 2.0], [0.0, 8.0, 16.0]])
    assert np.array_equal(some.where(np.array([False, True])).rps, [[0.0, 8.0, 16.0]])


def test_what_pictures_are_scaled_by_is_rounded_up_and_never_negative() -> None:
    samples = [("a", "b", "200", 0.0000001), ("a", "b", "404", 0.0000011), ("a", "b", "503", -5.0)]
    _, edges = _edges(samples)
    assert edges.drawn_millionths.tolist() == [1 + 2]


def test_a_zero_keeps_its_sign_beside_sums() -> None:
    _, edges = _edges([("a", "b", "200", -0.0), ("b", "c", "200", 1.0), ("b", "c", "201", 0.5)])
    assert [copysign(1.0, rate) for rate in edges.rps[0].tolist()] == [-1.0, 1.0, 1.0]
    assert edges.rps[1].tolist() == [1.5, 0.0, 0.0]


def test_three_rates_of_a_class_are_rounded_once() -> None:
    _, edges = _edges([("a", "b", "200", 0.1), ("a", "b", "201", 0.2), ("a", "b", "204", 0.3)])
    assert edges.rps.tolist() == [[0.6, 0.0, 0.0]], "0.1 + 0.2 + 0.3 is 0.6000000000000001"


@pytest.mark.parametrize("each", [7, 2**52 - 1, 2**60 - 1, 2**61 + 1, 2**62 - 9, 2**62 + 1])
@pytest.mark.parametrize("sign", [1, -1])
def test_sums_of_whole_numbers_are_exact_however_large(each: int, sign: int) -> None:
    """Also where doubles, and where 64 bits would not hold them."""
    groups = np.array([2, 0, 2, 2])
    values = np.array([each, 5, each, each]) * sign
    for kind in (np.int64, object):
        assert sums_by(groups, values.astype(kind), 4).tolist() == [5 * sign, 0, 3 * each * sign, 0]


def test_sums_of_edges_grow_and_are_looked_up_by_number() -> None:
    asked = np.array([7, 3, 9, 10, 1])
    nothing = [0, 0, 0]
    assert EdgeSums.none().of(asked).tolist() == [nothing] * 5
    sums = EdgeSums.none().plus(np.array([9, 3, 9]), np.array([[1, 0, 0], [2, 0, 5], [4, 1, 0]]))
    assert sums.of(asked).tolist() == [nothing, [2, 0, 5], [5, 1, 0], nothing, nothing]
    more = sums.plus(np.array([1, 3]), np.array([[0, 0, 8], [1, 1, 1]]))
    assert more.of(asked).tolist() == [nothing, [3, 1, 6], [5, 1, 0], nothing, [0, 0, 8]]
    assert sorted(more.numbers.tolist()) == [1, 3, 9]


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
