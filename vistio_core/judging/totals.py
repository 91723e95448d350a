"""Totals: each instant's traffic in numbers. What timelines are made of, and rollups keep. Pure; numpy inside.

What several rules of a writer saw of an instant and cluster becomes one row:

    instant   rule    edge       normal   danger            instant   writer   cluster   normal   danger   edges
    05:00     http    cart>db    5.0      0.25
    05:00     grpc    cart>db    1.0      0           ->    05:00     main     mesh      8.0      0.25     2
    05:00     http    web>cart   2.0      0

Rates are whole millionths on the way and decimals in the end: exact, so rows may come in any order, from many files.
An edge counts once for an instant, however many rules and writers saw it: for the first of these; a notice counts as
often as it is raised.

What must not be in here: means and steps (`replay.timeline`), and which instants were seen at all
(`replay.window_presence`): an instant without traffic has no row.
"""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pyarrow as pa

from vistio_core.graph.numbering import edge_digits, edge_number
from vistio_core.judging.codes import Integers
from vistio_core.judging.judge import Judge
from vistio_core.judging.notices import NodeNotices, counts_on_edges
from vistio_core.judging.rule_edges import EdgeRows, sums_by

RATES = ("normal", "warning", "danger")
COUNTS = ("edges", "notices_info", "notices_warning", "notices_error")

TOTALS = pa.schema(
    [
        pa.field("instant_ms", pa.int64()),
        pa.field("writer", pa.dictionary(pa.int32(), pa.string())),
        pa.field("cluster", pa.dictionary(pa.int32(), pa.string())),
        *(pa.field(name, pa.decimal128(38, 6)) for name in RATES),
        *(pa.field(name, pa.int64()) for name in COUNTS),
    ]
)
"""The columns of `totals`: requests per second by class, and numbers of edges and notices."""


def totals(judge: Judge, edges: EdgeRows, notices: NodeNotices) -> pa.Table:
    """From what was seen of edges, and notices of nodes, to one row for each instant, writer and cluster, so sorted."""
    instants, at = np.unique(np.concatenate([edges.instant_ms, notices.instant_ms]), return_inverse=True)
    writer, cluster = (
        np.concatenate([getattr(edges, name), getattr(notices, name)]) for name in ("writer", "cluster")
    )
    groups, of = np.unique(edge_number(writer, cluster, at), return_inverse=True)
    of_edges, of_nodes = of[: len(edges)], of[len(edges) :]
    columns = {
        name: decimals(sums_by(of_edges, rates, len(groups)))
        for name, rates in zip(RATES, edges.millionths.T, strict=True)
    }
    # An edge that several rules or writers saw at an instant is one edge.
    numbers = judge.edge_numbers(edges.cluster, edges.source, edges.target)
    distinct = distinct_edges(at[: len(edges)], numbers)
    columns["edges"] = pa.array(np.bincount(of_edges[distinct], minlength=len(groups)))
    for severity, (name, counts) in enumerate(zip(COUNTS[1:], counts_on_edges(edges), strict=True)):
        raised = sums_by(of_edges, counts, len(groups))
        raised += np.bincount(of_nodes[notices.severity == severity], minlength=len(groups))
        columns[name] = pa.array(raised, pa.int64())
    at, writer, cluster = edge_digits(groups)
    columns["instant_ms"] = pa.array(instants[at])
    order: list[Integers] = []
    for name, texts, of in (("writer", judge.writers, writer), ("cluster", judge.names, cluster)):
        rank = texts.ranks()[1]
        columns[name] = pa.array(
            [texts.values[number] for number in of.tolist()], pa.string()
        ).dictionary_encode()
        order.append(rank[of])
    table = pa.table([columns[name] for name in TOTALS.names], schema=TOTALS)
    return table.take(pa.array(np.lexsort((order[1], order[0], at))))


def decimals(millionths: Integers) -> pa.Array:
    """Millionths of a request per second as requests per second, exactly."""
    if millionths.dtype == object:
        return pa.array([Decimal(each).scaleb(-6) for each in millionths.tolist()], pa.decimal128(38, 6))
    # The same 128 bits, with the point elsewhere.
    whole = pa.array(millionths, pa.int64()).cast(pa.decimal128(38, 0))
    return pa.Array.from_buffers(pa.decimal128(38, 6), len(whole), [None, whole.buffers()[1]])


def distinct_edges(instants: Integers, numbers: Integers) -> Integers:
    """Where each edge of an instant stands first."""
    order = np.lexsort((numbers, instants))
    first = np.ones(len(numbers), bool)
    first[1:] = (numbers[order][1:] != numbers[order][:-1]) | (instants[order][1:] != instants[order][:-1])
    return order[first]
