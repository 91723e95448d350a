"""What changed between two moments: instants, or windows by their mean rates. Pure; numpy inside."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TypeVar

import attrs
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from vistio_core.graph.edges import Edges
from vistio_core.graph.model import Graph

EdgeKey = tuple[str, str, str]
"""Cluster (empty for the global level), source, target."""
NodeKey = tuple[str, str]
"""Cluster and name."""
Floats = npt.NDArray[np.float64]

_Key = TypeVar("_Key", EdgeKey, NodeKey)


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
    edges: Sequence[EdgeKey] = attrs.field(repr=False)
    """Each once, in any order."""
    rates: Floats = attrs.field(repr=False, eq=False)
    """A row for each of ``edges``: normal, warning and danger in requests per second."""
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
        ("", graph.nodes, Edges.of(graph.edges)),
        *((region.name, region.nodes, Edges.of(region.edges)) for region in graph.regions),
    ]
    return Moment(
        graph.instant_ms,
        graph.instant_ms,
        1,
        not graph.failed_rules and graph.age_ms < graph.interval_ms,
        [(cluster, *pair) for cluster, _, edges in levels for pair in edges.ends],
        np.concatenate([edges.rates for _, _, edges in levels]),
        frozenset((cluster, node.name) for cluster, nodes, _ in levels for node in nodes),
    )


def compare(before: Moment, after: Moment) -> Comparison:
    """What differs between two moments, the largest change first."""
    edges, index = _numbered({*before.edges, *after.edges})
    rates = [_placed(moment, index) for moment in (before, after)]
    nodes, node_index = _numbered({*before.nodes, *after.nodes})
    sources = np.array([node_index[cluster, source] for cluster, source, _ in edges], np.int64)
    targets = np.array([node_index[cluster, target] for cluster, _, target in edges], np.int64)
    return Comparison(
        before,
        after,
        _changes(("cluster", "source", "target"), edges, index, (before.edges, after.edges), rates),
        _changes(
            ("cluster", "node"),
            nodes,
            node_index,
            (before.nodes, after.nodes),
            [_by_node(each, sources, targets, len(nodes)) for each in rates],
        ),
    )


def _numbered(keys: set[_Key]) -> tuple[list[_Key], dict[_Key, int]]:
    """Keys in the order of their names, and the place of each."""
    ordered = sorted(keys)
    return ordered, {key: place for place, key in enumerate(ordered)}


def _placed(moment: Moment, index: Mapping[EdgeKey, int]) -> Floats:
    rates = np.zeros((len(index), 3))
    rates[_places(moment.edges, index)] = moment.rates
    return rates


def _places(keys: Collection[_Key], index: Mapping[_Key, int]) -> npt.NDArray[np.int64]:
    return np.fromiter(map(index.__getitem__, keys), np.int64, len(keys))


def _by_node(
    rates: Floats, sources: npt.NDArray[np.int64], targets: npt.NDArray[np.int64], number: int
) -> Floats:
    """A node is measured by what enters it; one that nothing enters, such as INTERNET, by what leaves it."""
    sums = np.zeros((number, 3))
    # One after the other, in the order of the edges' names: a sum of floats depends on its order.
    np.add.at(sums, targets, rates)
    entered = np.zeros(number, bool)
    entered[targets] = True
    leaving = ~entered[sources]
    np.add.at(sums, sources[leaving], rates[leaving])
    return sums


def _changes(
    names: Sequence[str],
    keys: list[_Key],
    index: Mapping[_Key, int],
    there: tuple[Collection[_Key], Collection[_Key]],
    rates: Sequence[Floats],
) -> pa.Table:
    """What differs, the largest change first; equal ones in the order of their names, as ``keys`` are."""
    present = np.zeros((2, len(keys)), bool)
    for side, side_keys in enumerate(there):
        present[side, _places(side_keys, index)] = True
    differences = np.abs(rates[1] - rates[0])
    sizes = differences[:, 0] + differences[:, 1] + differences[:, 2]
    changed = np.flatnonzero(~present.all(axis=0) | (rates[0] != rates[1]).any(axis=1))
    order = changed[np.argsort(-sizes[changed], kind="stable")]
    ordered = order.tolist()
    columns: dict[str, pa.Array] = {
        name: pa.array([keys[place][part] for place in ordered], pa.string())
        for part, name in enumerate(names)
    }
    kinds = np.where(present[0] & present[1], 0, np.where(present[1], 1, 2))[order]
    texts = ("changed", "new", "gone")
    columns["change"] = pa.array([texts[kind] for kind in kinds.tolist()], pa.string())
    columns["change_rps"] = pa.array(sizes[order])
    for prefix, numbers in (("before", rates[0]), ("after", rates[1])):
        for part, name in enumerate(("normal", "warning", "danger")):
            columns[f"{prefix}_{name}"] = pa.array(numbers[order, part])
    return pa.table(columns)
