"""The nodes and edges of several levels as tables. Pure; `vistio_core.graph.model.Graph` tells the shapes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import attrs
import numpy as np
import pyarrow as pa

from vistio_core.graph.edges import TOLD_BY, Edges
from vistio_core.graph.elements import Edge, Node, Notice
from vistio_core.samples import Floats

_TEXTS = pa.list_(pa.string())


@attrs.frozen
class GraphLevel:
    """The nodes and edges of a cluster, or of the global level."""

    cluster: str
    """Empty for the global level."""
    nodes: Sequence[Node]
    edges: Sequence[Edge]


def edges_table(levels: Sequence[GraphLevel]) -> pa.Table:
    """All edges, level by level, in their order."""
    columns = [Edges.of(level.edges) for level in levels]
    ends = [end for edges in columns for end in edges.ends]
    rates = np.concatenate([edges.rates for edges in columns])
    told = np.concatenate([edges.told for edges in columns])
    notices = [edges.notices.get(index, ()) for edges in columns for index in range(len(edges))]
    found = {
        "cluster": _clusters(levels, [len(edges) for edges in columns]),
        "source": pa.array([source for source, _ in ends], pa.string()),
        "target": pa.array([target for _, target in ends], pa.string()),
        **{name: _seen(rates[:, part]) for part, name in enumerate(("normal", "warning", "danger"))},
        "total": _seen(rates[:, 0] + rates[:, 1] + rates[:, 2]),
        "told_by": pa.array([TOLD_BY[each] or None for each in told.tolist()], pa.string()),
        **_notices(notices),
    }
    measured = [edges.measurements.get(index) or {} for edges in columns for index in range(len(edges))]
    return pa.table({**found, **_measures(found, measured)})


def nodes_table(levels: Sequence[GraphLevel]) -> pa.Table:
    """All nodes, level by level, in their order."""
    nodes = [node for level in levels for node in level.nodes]
    found = {
        "cluster": _clusters(levels, [len(level.nodes) for level in levels]),
        "node": pa.array([node.name for node in nodes], pa.string()),
        "node_class": pa.array([node.node_class for node in nodes], pa.string()),
        **_rates(levels),
        **_notices([node.notices for node in nodes]),
    }
    return pa.table({**found, **_measures(found, [node.measurements for node in nodes])})


def _rates(levels: Sequence[GraphLevel]) -> dict[str, pa.Array]:
    """What enters and leaves the nodes of all levels, by the names of the columns."""
    parts = []
    for level in levels:
        edges = Edges.of(level.edges)
        place = {node.name: index for index, node in enumerate(level.nodes)}
        nobody = len(place)
        ends = np.array([place.get(name, nobody) for name in edges.names], np.int64)
        total = edges.rates[:, 0] + edges.rates[:, 1] + edges.rates[:, 2]
        sums = np.zeros((3, nobody + 1))
        # One after the other, in the order of the edges: a sum of floats depends on its order. NaN stays NaN.
        np.add.at(sums[0], ends[edges.target], total)
        np.add.at(sums[1], ends[edges.target], edges.rates[:, 2])
        np.add.at(sums[2], ends[edges.source], total)
        parts.append(sums[:, :nobody])
    sums = np.concatenate(parts, axis=1)
    names = "entering_rps", "entering_danger_rps", "leaving_rps"
    return {name: _seen(values) for name, values in zip(names, sums, strict=True)}


def _clusters(levels: Sequence[GraphLevel], numbers: Iterable[int]) -> pa.Array:
    names = [level.cluster for level, number in zip(levels, numbers, strict=True) for _ in range(number)]
    return pa.array(names, pa.string())


def _seen(values: Floats) -> pa.Array:
    """NaN, which is how `vistio_core.graph.elements.Rates` says it, as null."""
    return pa.array(values, mask=np.isnan(values))


def _notices(of_each: Sequence[Sequence[Notice]]) -> dict[str, pa.Array]:
    ordered = [sorted(notices, key=lambda each: (-each.severity, each.title)) for notices in of_each]
    severities = [notices[0].severity.name.lower() if notices else None for notices in ordered]
    titles = [[notice.title for notice in notices] for notices in ordered]
    return {"severity": pa.array(severities, pa.string()), "notices": pa.array(titles, _TEXTS)}


def _measures(taken: Mapping[str, object], of_each: Sequence[Mapping[str, float]]) -> dict[str, pa.Array]:
    names = sorted({name for measured in of_each for name in measured})
    return {
        f"measured_{name}" if name in taken else name: pa.array(
            [measured.get(name) for measured in of_each], pa.float64()
        )
        for name in names
    }
