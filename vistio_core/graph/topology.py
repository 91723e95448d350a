"""What was there at some time in a window, so that a picture can stay in place. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import attrs
import numpy as np

from vistio_core.configuration.model import Configuration, Rule
from vistio_core.events import GLOBAL_LEVEL
from vistio_core.graph.columns import CLASSES, Floats, Integers, edge_ends, edge_keys
from vistio_core.graph.edges import Edges
from vistio_core.graph.model import Edge, Graph, Node, Region
from vistio_core.samples import Texts

_NOTHING: Integers = np.zeros(0, np.int64)
_equal = attrs.cmp_using(eq=np.array_equal)


@attrs.frozen
class LevelTopology:
    """The union of one level over a window."""

    classes: Mapping[str, str]
    """Every node with its class."""
    names: tuple[str, ...]
    """Of the ends of edges, sorted."""
    source: Integers = attrs.field(eq=_equal)
    """Of every edge, the index into ``names``; edges are sorted by their ends, each once."""
    target: Integers = attrs.field(eq=_equal)
    """Likewise."""
    peak_rps: float
    """The most that one edge had at one instant."""

    @property
    def pairs(self) -> frozenset[tuple[str, str]]:
        """Source and target of every edge."""
        named = self.names.__getitem__
        return frozenset(zip(map(named, self.source.tolist()), map(named, self.target.tolist()), strict=True))


Topology = Mapping[str, LevelTopology]
"""By cluster; the empty name is the global level."""

NOTHING = LevelTopology({}, (), _NOTHING, _NOTHING, 0.0)

NOBODY = -1
"""Where a `Sightings` has no target."""


@attrs.frozen(eq=False)
class Sightings:
    """Which edges and nodes someone saw at some time."""

    names: Sequence[str]
    by_rule: Mapping[tuple[str, str], Integers]
    """Cluster and rule to what it saw, in any order: rows of source and target, indexes into ``names``. The target
    of a node is `NOBODY`."""


def topology_of(
    sightings: Sightings, peaks_rps: Mapping[str, float], configurations: Iterable[Configuration]
) -> Topology:
    """The union of what was seen.

    Args:
        sightings: by rule.
        peaks_rps: by cluster.
        configurations: those in force in the window, the newest first: a node has the class that the first rule
            gives it, in their order.
    """
    ends = {key: _ends_of(sightings.names, rows) for key, rows in sightings.by_rule.items()}
    classes: dict[str, dict[str, str]] = {}
    known = [(cluster, rule) for each in configurations for cluster, rule in each.rules()]
    ordered: list[tuple[tuple[str, str], Rule | None]] = [
        *(((cluster, rule.id), rule) for cluster, rule in known),
        *((key, None) for key in sorted(ends)),
    ]
    for key, rule in ordered:
        level = classes.setdefault(key[0], {})
        for end, names in ends.get(key, {}).items():
            mapping = getattr(rule, end, None)
            node_class = mapping.node_class if mapping is not None else "default"
            for name in names:
                if level.get(name, "default") == "default":
                    level[name] = node_class
    edges: dict[str, list[Integers]] = {}
    for (cluster, _), rows in sightings.by_rule.items():
        edges.setdefault(cluster, []).append(rows[rows[:, 1] != NOBODY])
    return {
        cluster: LevelTopology(
            level,
            *_sorted_edges(sightings.names, np.concatenate(edges[cluster])),
            peaks_rps.get(cluster, 0.0),
        )
        for cluster, level in sorted(classes.items())
        if level
    }


def _ends_of(names: Sequence[str], rows: Integers) -> dict[str, list[str]]:
    """Who was seen as what. As in a graph: a rule's sources before its targets."""
    source, target = rows[:, 0], rows[:, 1]
    is_edge = target != NOBODY
    codes = {"source": source[is_edge], "service": source[~is_edge], "target": target[is_edge]}
    return {end: [names[code] for code in np.unique(own).tolist()] for end, own in codes.items()}


def _sorted_edges(names: Sequence[str], rows: Integers) -> tuple[tuple[str, ...], Integers, Integers]:
    """The names of all ends, and the edges once each."""
    ends = Texts(names, rows.ravel()).ranked()
    place = ends.place.reshape(rows.shape)
    return tuple(ends.values), *edge_ends(np.unique(edge_keys(place[:, 0], place[:, 1])))


def stable_graph(graph: Graph, topology: Topology) -> Graph:
    """``graph`` with all of ``topology``; what is absent is there without traffic.

    ``max_volume`` of each level is its peak in the window (never less than what the graph itself
    has), so that a picture's scale stays, too.
    """
    nodes, edges, peak_rps = _united(graph.nodes, graph.edges, topology.get(GLOBAL_LEVEL, NOTHING))
    regions = {region.name: region for region in graph.regions}
    names = sorted({*regions, *topology} - {GLOBAL_LEVEL})
    return attrs.evolve(
        graph,
        nodes=nodes,
        edges=edges,
        max_volume=peak_rps or graph.max_volume,
        regions=tuple(
            _stable_region(regions.get(name, Region(name, 0.0, (), ())), topology.get(name, NOTHING))
            for name in names
        ),
    )


def _stable_region(region: Region, level: LevelTopology) -> Region:
    nodes, edges, peak_rps = _united(region.nodes, region.edges, level)
    return Region(region.name, peak_rps or region.max_volume, nodes, edges)


def _united(
    nodes: tuple[Node, ...], edges: Sequence[Edge], level: LevelTopology
) -> tuple[tuple[Node, ...], Edges, float]:
    by_name = {node.name: node for node in nodes}
    for name, node_class in level.classes.items():
        node = by_name.get(name)
        if node is None:
            by_name[name] = Node(name, node_class)
        elif node.node_class == "default" != node_class:
            # The rule that gives it its class did not see it at the graph's instant.
            by_name[name] = attrs.evolve(node, node_class=node_class)
    own = Edges.of(edges)
    return (
        tuple(by_name[name] for name in sorted(by_name)),
        _united_edges(own, level),
        max(level.peak_rps, _peak_rps(own.rates)),
    )


def _united_edges(edges: Edges, level: LevelTopology) -> Edges:
    """``edges``, and those that are absent without traffic."""
    names = sorted({*edges.names, *level.names})
    rank = {name: index for index, name in enumerate(names)}
    own, others = (
        edge_keys(ranks[each.source], ranks[each.target])
        for each in (edges, level)
        for ranks in [np.array([rank[name] for name in each.names], np.int64)]
    )
    keys = np.union1d(own, others)
    place = np.searchsorted(keys, own)
    rates = np.zeros((len(keys), CLASSES))
    rates[place] = edges.rates
    return Edges(
        names,
        *edge_ends(keys),
        rates,
        {int(place[index]): notices for index, notices in edges.notices.items()},
        {int(place[index]): measured for index, measured in edges.measurements.items()},
    )


def _peak_rps(rates: Floats) -> float:
    """The most that one edge has in all; what is negative does not count."""
    drawn = np.maximum(rates, 0.0)
    return float((drawn[:, 0] + drawn[:, 1] + drawn[:, 2]).max(initial=0.0))
