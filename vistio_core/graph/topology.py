"""What was there at some time in a window, so that a picture can stay in place. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial

import attrs
import numpy as np

from vistio_core.configuration.mapping import CLASSES
from vistio_core.configuration.model import Configuration, Rule
from vistio_core.events import GLOBAL_LEVEL
from vistio_core.graph.edges import Edges
from vistio_core.graph.model import Edge, Graph, Node, Region
from vistio_core.graph.numbering import each_once, edge_digits, edge_number
from vistio_core.graph.unseen import NotSeen, all_seen
from vistio_core.samples import Floats, Integers

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
"""Where a `Sighting` has no target."""
_CELLS_AT_ONCE = 65_536


@attrs.frozen(eq=False)
class Sighting:
    """The edges and nodes that a rule saw at some time."""

    cluster: str
    ends: Integers
    """Rows of source and target, as places of sorted names, in any order; the target of a node is `NOBODY`."""


def topology_of(
    names: Sequence[str],
    sightings: Sequence[tuple[Sighting, Rule | None]],
    peaks_rps: Mapping[str, float],
) -> Topology:
    """The union of what was seen. A node has the class that the first rule gives it, its sources before its targets.

    Args:
        names: sorted; their places are the numbers of ends.
        sightings: with the rules that saw them, in the order of the rules; None for one that nobody knows.
        peaks_rps: by cluster.
    """
    classes: dict[str, dict[str, str]] = {}
    edges: dict[str, list[Integers]] = {}
    for sighting, rule in sightings:
        level = classes.setdefault(sighting.cluster, {})
        for end, codes in _by_end(sighting.ends):
            mapping = getattr(rule, end, None)
            node_class = mapping.node_class if mapping is not None else "default"
            for code in codes:
                if level.get(names[code], "default") == "default":
                    level[names[code]] = node_class
        edges.setdefault(sighting.cluster, []).append(_edges_of(sighting.ends))
    return {
        cluster: LevelTopology(
            level, *_sorted_edges(names, np.concatenate(edges[cluster])), peaks_rps.get(cluster, 0.0)
        )
        for cluster, level in sorted(classes.items())
        if level
    }


def in_order(
    by_rule: Mapping[tuple[str, str], Integers], configurations: Iterable[Configuration]
) -> list[tuple[Sighting, Rule | None]]:
    """What was seen in a window by rule, in the order of the configurations that were in force, then by name.

    Args:
        by_rule: cluster and id of a rule to rows of ends, as in `Sighting`.
        configurations: the newest first.
    """
    seen = {key: Sighting(key[0], ends) for key, ends in by_rule.items()}
    known = [((cluster, rule.id), rule) for each in configurations for cluster, rule in each.rules()]
    return [
        *((seen[key], rule) for key, rule in known if key in seen),
        *((seen[key], None) for key in sorted(seen)),
    ]


def _by_end(ends: Integers) -> Iterator[tuple[str, list[int]]]:
    """Who was seen as what, each once, by number."""
    edges = _edges_of(ends)
    services = ends[ends[:, 1] == NOBODY] if len(edges) < len(ends) else _NOTHING
    for end, codes in (
        ("source", edges[:, 0]),
        ("service", services[..., 0] if len(services) else services),
        ("target", edges[:, 1]),
    ):
        yield end, np.bincount(codes).nonzero()[0].tolist()


def _edges_of(ends: Integers) -> Integers:
    """The rows that are edges: mostly all."""
    is_edge = ends[:, 1] != NOBODY
    return ends if is_edge.all() else ends[is_edge]


def _sorted_edges(names: Sequence[str], rows: Integers) -> tuple[tuple[str, ...], Integers, Integers]:
    """The names of all ends, and the edges once each."""
    used = np.bincount(rows.ravel(), minlength=1).nonzero()[0]
    place = np.zeros(len(names), np.int64)
    place[used] = np.arange(len(used))
    numbers = each_once(edge_number(place[rows[:, 0]], place[rows[:, 1]]))
    _, source, target = edge_digits(numbers)
    return tuple([names[number] for number in used.tolist()]), source, target


def stable_graph(graph: Graph, topology: Topology, not_seen: NotSeen = all_seen) -> Graph:
    """``graph`` with all of ``topology``; what is absent is there without traffic.

    Args:
        graph: of an instant.
        topology: of a window.
        not_seen: whether what is absent was not seen: its rates are NaN then, for they are not known.

    ``max_volume`` of each level is its peak in the window (never less than what the graph itself
    has), so that a picture's scale stays, too.
    """

    def united(cluster: str, level: Graph | Region) -> tuple[tuple[Node, ...], Edges, float]:
        return _united(level.nodes, level.edges, topology.get(cluster, NOTHING), partial(not_seen, cluster))

    nodes, edges, peak = united(GLOBAL_LEVEL, graph)
    regions = {region.name: region for region in graph.regions}
    names = sorted({*regions, *topology} - {GLOBAL_LEVEL})
    return attrs.evolve(
        graph,
        nodes=nodes,
        edges=edges,
        max_volume=peak or graph.max_volume,
        regions=tuple(
            Region(name, peak or region.max_volume, nodes, edges)
            for name in names
            for region in [regions.get(name, Region(name, 0.0, (), ()))]
            for nodes, edges, peak in [united(name, region)]
        ),
    )


def _united(
    nodes: tuple[Node, ...],
    edges: Sequence[Edge],
    level: LevelTopology,
    not_seen: Callable[[str, str], bool],
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
        _united_edges(own, level, not_seen),
        max(level.peak_rps, peak_rps(own.rates)),
    )


def _united_edges(edges: Edges, level: LevelTopology, not_seen: Callable[[str, str], bool]) -> Edges:
    """``edges``, and those that are absent: without traffic, or without rates."""
    names = sorted({*edges.names, *level.names})
    rank = {name: index for index, name in enumerate(names)}
    own, others = (
        edge_number(ranks[part.source], ranks[part.target])
        for part in (edges, level)
        for ranks in [np.array([rank[name] for name in part.names], np.int64)]
    )
    numbers = np.union1d(own, others)
    place = np.searchsorted(numbers, own)
    rates = np.zeros((len(numbers), CLASSES))
    rates[place] = edges.rates
    told = np.zeros(len(numbers), np.int64)
    told[place] = edges.told
    _, source, target = edge_digits(numbers)
    absent = np.ones(len(numbers), bool)
    absent[place] = False
    for index in np.flatnonzero(absent).tolist():
        if not_seen(names[source[index]], names[target[index]]):
            rates[index] = math.nan
    return Edges(
        names,
        source,
        target,
        rates,
        {int(place[index]): notices for index, notices in edges.notices.items()},
        {int(place[index]): measured for index, measured in edges.measurements.items()},
        told,
    )


def peak_rps(rates: Floats) -> float:
    """The most that one edge has in all, in rows of rates by class; what is negative does not count."""
    # Some at a time: else what is computed of many frames takes more room than they do.
    at_once = max(1, _CELLS_AT_ONCE * len(rates) // max(1, rates.size))
    starts = range(0, len(rates), at_once)
    return max((_peak(rates[start : start + at_once]) for start in starts), default=0.0)


def _peak(rates: Floats) -> float:
    drawn = np.fmax(rates, 0.0)  # what was not seen counts as nothing
    return float((drawn[..., 0] + drawn[..., 1] + drawn[..., 2]).max(initial=0.0))
