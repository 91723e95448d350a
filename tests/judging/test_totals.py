"""Totals: a row for each instant, writer and cluster, sorted by their names, whatever was read first."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from support.rows import Row, Saturation, judged
from support.scrapes import INTERVAL_MS, START_MS, mesh

from vistio_core.judging.totals import RATES, TOTALS, decimals, totals

LATER_MS = START_MS + INTERVAL_MS
SAMPLES: dict[str, list[Row]] = {
    "west": [
        (START_MS, "", "ingress", "INTERNET", "mesh", "200", 3.0),
        (START_MS, "alpha", "http", "x", "y", "200", 7.0),
        (START_MS, "mesh", "grpc", "a", "b", "200", 0.5),
        (START_MS, "mesh", "http", "a", "b", "200", 4.0),
        (START_MS, "mesh", "http", "a", "b", "503", 1.0),
        (START_MS, "mesh", "http", "b", "a", "404", 2.0),
        (LATER_MS, "mesh", "grpc", "a", "b", "200", 0.2),
        (LATER_MS, "mesh", "http", "a", "b", "200", 0.1),
    ],
    "east": [(START_MS, "mesh", "http", "c", "d", "503", 0.25)],
}
MEASURED: dict[str, list[Saturation]] = {
    "west": [(START_MS, "a", 0.96), (START_MS, "b", 0.85), (LATER_MS, "b", 0.79)],
    "east": [(START_MS, "a", 0.85), (LATER_MS, "a", 0.8), (LATER_MS, "c", 0.99)],
}


@pytest.mark.parametrize("writers", [["east", "west"], ["west", "east"]])
def test_there_is_a_row_for_each_instant_writer_and_cluster_sorted_by_name(writers: list[str]) -> None:
    samples, measured = ({writer: rows[writer] for writer in writers} for rows in (SAMPLES, MEASURED))
    found = totals(*judged(mesh(), samples, measured))
    assert found.schema == TOTALS
    assert [tuple(row.values()) for row in found.to_pylist()] == [
        (START_MS, "east", "mesh", *_rates("0", "0", "0.25"), 1, 0, 1, 1),
        (START_MS, "west", "", *_rates("3", "0", "0"), 1, 0, 0, 0),
        (START_MS, "west", "alpha", *_rates("7", "0", "0"), 1, 0, 0, 0),
        # a > b is one edge, though two rules saw it.
        (START_MS, "west", "mesh", *_rates("4.5", "2", "1"), 2, 0, 1, 2),
        # Nothing but notices of nodes, or nothing but traffic.
        (LATER_MS, "east", "mesh", *_rates("0", "0", "0"), 0, 0, 1, 1),
        (LATER_MS, "west", "mesh", *_rates("0.3", "0", "0"), 1, 0, 0, 0),
    ]


def test_an_edge_that_two_writers_saw_counts_for_the_first_of_them() -> None:
    """Over writers, the numbers of edges add up to how many different ones there are."""
    row: Row = START_MS, "mesh", "http", "a", "b", "200", 1.0
    found = totals(*judged(mesh(), {"east": [row], "west": [row]}, {}))
    assert found["edges"].to_pylist() == [1, 0]


def test_millionths_become_decimals_whatever_their_size() -> None:
    for numbers in ([1, -2_500_000, 0], [27 * 10**18, -(10**20), 1]):
        found = decimals(np.array(numbers))
        assert found.type == pa.decimal128(38, 6)
        assert [each * 1_000_000 for each in found.to_pylist()] == numbers


def test_rates_are_kept_as_rollups_have_them() -> None:
    """Those that were made before are read beside new ones."""
    assert {TOTALS.field(name).type for name in RATES} == {pa.decimal128(38, 6)}


def _rates(*texts: str) -> tuple[Decimal, ...]:
    return tuple(map(Decimal, texts))
