"""A window as rows: the rates of every edge at every recorded instant, for whoever goes on with them elsewhere.

Every edge that was there at some time in the window has a row at every instant that was recorded:

    instant   edge a > b
    05:00     a 200 of 10 a second                         10     0     0
    05:10     answered, and none                            0     0     0
    05:20     a rule failed that could have told of it      null  null  null
    05:30     nothing was recorded                          no row

An instant is shown as it was recorded, never by an older one, as a graph would: here a number belongs to its instant.
What must not be in here: files (`edge_files`, `openmetrics`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator

import attrs
import numpy as np
import pyarrow as pa

from vistio_core.events import GLOBAL_LEVEL
from vistio_core.graph.edges import Edges
from vistio_core.graph.model import Edge, Graph
from vistio_core.graph.topology import Topology, stable_graph
from vistio_core.graph.unseen import NotSeen, Round, Unseen
from vistio_core.storage.format import INSTANT

_TEXT = pa.dictionary(pa.int32(), pa.string())
RATES = ("normal", "warning", "danger")
EDGE_RATES = pa.schema(
    [
        pa.field("instant", INSTANT, nullable=False),
        *(pa.field(name, _TEXT, nullable=False) for name in ("cluster", "source", "target")),
        *(pa.field(name, pa.float64()) for name in RATES),
    ]
)
"""Requests per second by class; null where they were not seen. The global level has the empty cluster."""
MEASURED = pa.schema(
    [
        pa.field("instant", INSTANT, nullable=False),
        pa.field("cluster", _TEXT, nullable=False),
        pa.field("source", _TEXT, nullable=False),
        pa.field("target", _TEXT),
        pa.field("measure", _TEXT, nullable=False),
        pa.field("value", pa.float64(), nullable=False),
    ]
)
"""Numbers about nodes (without target) and edges that are no rates."""


@attrs.frozen(eq=False)
class InstantRows:
    """What is known of one instant."""

    rates: pa.Table
    """As `EDGE_RATES`, sorted by cluster, source and target."""
    measured: pa.Table
    """As `MEASURED`."""


def rows_of_instants(
    instants_ms: Iterable[int],
    topology: Topology,
    graph_at: Callable[[int], Graph | None],
    cluster: str | None = None,
) -> Iterator[InstantRows]:
    """The rows of instants, one after the other.

    Args:
        instants_ms: ascending.
        topology: of the window, whose edges have a row each time.
        graph_at: the graph of exactly an instant; None where nothing was seen.
        cluster: only this level; None for all.
    """
    unseen = Graph("", 0, 0, 1, "", 0.0, (), (), (), (), asked=Round((Unseen("nothing"),)))
    for at_ms in instants_ms:
        graph = graph_at(at_ms) or unseen
        levels = list(_levels(stable_graph(graph, topology, graph.asked.not_seen()), cluster))
        rates = [_rates(at_ms, name, edges, graph.asked.in_part()) for name, edges in levels]
        measured = list(_measured(at_ms, graph, cluster))
        columns = list(zip(*measured, strict=True)) or [()] * len(MEASURED)
        yield InstantRows(
            pa.concat_tables([EDGE_RATES.empty_table(), *rates]).unify_dictionaries(),
            pa.table(
                [pa.array(*each) for each in zip(columns, MEASURED.types, strict=True)], schema=MEASURED
            ),
        )


def _levels(graph: Graph, cluster: str | None) -> Iterator[tuple[str, Edges]]:
    for name, edges in ((GLOBAL_LEVEL, graph.edges), *((each.name, each.edges) for each in graph.regions)):
        if cluster in (None, name):
            yield name, Edges.of(edges)


def _rates(at_ms: int, cluster: str, edges: Edges, in_part: NotSeen) -> pa.Table:
    # A part of an edge's traffic, beside a rule that failed, is no number about the edge.
    unknown = np.fromiter((in_part(cluster, *ends) for ends in edges.ends), bool, len(edges.source))
    unknown |= np.isnan(edges.rates[:, 0])
    names = pa.array(edges.names, pa.string())
    ends = [
        pa.DictionaryArray.from_arrays(pa.array(places, pa.int32()), names)
        for places in (edges.source, edges.target)
    ]
    level = pa.DictionaryArray.from_arrays(pa.array(np.zeros(len(unknown)), pa.int32()), pa.array([cluster]))
    rates = [pa.array(column, mask=unknown) for column in edges.rates.T]
    instants = pa.repeat(pa.scalar(at_ms, INSTANT), len(unknown))
    return pa.table([instants, level, *ends, *rates], schema=EDGE_RATES)


def _measured(
    at_ms: int, graph: Graph, cluster: str | None
) -> Iterator[tuple[int, str, str, str | None, str, float]]:
    levels = ((GLOBAL_LEVEL, graph.nodes, graph.edges), *((r.name, r.nodes, r.edges) for r in graph.regions))
    for name, nodes, edges in levels:
        if cluster not in (None, name):
            continue
        for node in nodes:
            yield from ((at_ms, name, node.name, None, *each) for each in node.measurements.items())
        columns = Edges.of(edges)
        for place, measurements in sorted(columns.measurements.items()):
            edge: Edge = columns[place]
            yield from (
                (at_ms, name, edge.source, edge.target, measure, value)
                for measure, value in measurements.items()
                if math.isfinite(value)
            )
