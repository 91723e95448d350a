"""What changed between two moments: instants, or windows by their mean rates. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

import attrs
import pyarrow as pa

from vistio_core.graph.model import Graph, Rates

EdgeKey = tuple[str, str, str]
"""Cluster (empty for the global level), source, target."""
NodeKey = tuple[str, str]
"""Cluster and name."""

_Key = TypeVar("_Key", EdgeKey, NodeKey)

_SILENCE = Rates()


@attrs.frozen
class Moment:
    """One side of a comparison."""

    start_ms: int
    """The instant that is shown, or the window's start."""
    end_ms: int
    """The same instant, or the window's end, exclusive."""
    instants: int
    """How many instants were seen and count."""
    settled: bool
    """False when what is missing may still be filled in: rules failed, or not every instant is there."""
    edges: Mapping[EdgeKey, Rates] = attrs.field(repr=False)
    nodes: frozenset[NodeKey] = attrs.field(repr=False)


@attrs.frozen
class Comparison:
    """Two moments and what differs; `Recording.compare` tells the shapes."""

    before: Moment
    after: Moment
    edges: pa.Table = attrs.field(repr=False)
    nodes: pa.Table = attrs.field(repr=False)


def moment_of(graph: Graph) -> Moment:
    """A graph as one side of a comparison."""
    levels = [
        ("", graph.nodes, graph.edges),
        *((region.name, region.nodes, region.edges) for region in graph.regions),
    ]
    return Moment(
        graph.instant_ms,
        graph.instant_ms,
        1,
        not graph.failed_rules and graph.age_ms < graph.interval_ms,
        {(cluster, edge.source, edge.target): edge.rates for cluster, _, edges in levels for edge in edges},
        frozenset((cluster, node.name) for cluster, nodes, _ in levels for node in nodes),
    )


def compare(before: Moment, after: Moment) -> Comparison:
    """What differs between two moments, the largest change first."""
    edges = _changes(before.edges, after.edges, before.edges.keys(), after.edges.keys())
    # A node is measured by what enters it; one that nothing enters, such as INTERNET, by what leaves it.
    entered = {(cluster, target) for cluster, _, target in (*before.edges, *after.edges)}
    nodes = _changes(
        _by_node(before.edges, entered), _by_node(after.edges, entered), before.nodes, after.nodes
    )
    return Comparison(
        before, after, _table(("cluster", "source", "target"), edges), _table(("cluster", "node"), nodes)
    )


_Change = tuple[float, tuple[str, ...], str, Rates, Rates]


def _changes(
    before: Mapping[_Key, Rates],
    after: Mapping[_Key, Rates],
    was_there: Iterable[_Key],
    is_there: Iterable[_Key],
) -> list[_Change]:
    old, new = set(was_there), set(is_there)
    changes: list[_Change] = []
    for key in old | new:
        a, b = before.get(key, _SILENCE), after.get(key, _SILENCE)
        change = "changed" if key in old and key in new else "new" if key in new else "gone"
        if change == "changed" and a == b:
            continue
        size = abs(b.normal - a.normal) + abs(b.warning - a.warning) + abs(b.danger - a.danger)
        changes.append((size, key, change, a, b))
    # Equal sizes stand in the order of their names.
    changes.sort(key=lambda change: (-change[0], change[1]))
    return changes


def _by_node(edges: Mapping[EdgeKey, Rates], entered: set[NodeKey]) -> dict[NodeKey, Rates]:
    rates: dict[NodeKey, Rates] = {}
    # In the order of names: a sum of floats depends on its order.
    for (cluster, source, target), each in sorted(edges.items(), key=lambda item: item[0]):
        ends = [(cluster, target)] if (cluster, source) in entered else [(cluster, target), (cluster, source)]
        for node in ends:
            sum_ = rates.get(node, _SILENCE)
            rates[node] = Rates(
                sum_.normal + each.normal, sum_.warning + each.warning, sum_.danger + each.danger
            )
    return rates


def _table(names: Sequence[str], changes: Sequence[_Change]) -> pa.Table:
    columns = {
        name: pa.array([change[1][index] for change in changes], pa.string())
        for index, name in enumerate(names)
    }
    columns["change"] = pa.array([change[2] for change in changes], pa.string())
    columns["change_rps"] = pa.array([change[0] for change in changes], pa.float64())
    for position, prefix in ((3, "before"), (4, "after")):
        for name in ("normal", "warning", "danger"):
            values = [getattr(change[position], name) for change in changes]
            columns[f"{prefix}_{name}"] = pa.array(values, pa.float64())
    return pa.table(columns)
