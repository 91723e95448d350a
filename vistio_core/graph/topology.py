"""What was there at some time in a window, so that a picture can stay in place. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import attrs

from vistio_core.configuration.model import Configuration, Rule
from vistio_core.events import GLOBAL_LEVEL
from vistio_core.graph.model import Edge, Graph, Node, Rates, Region


@attrs.frozen
class LevelTopology:
    """The union of one level over a window."""

    classes: Mapping[str, str]
    """Every node with its class."""
    pairs: frozenset[tuple[str, str]]
    """Source and target of every edge."""
    peak_rps: float
    """The most that one edge had at one instant."""


Topology = Mapping[str, LevelTopology]
"""By cluster; the empty name is the global level."""

NOTHING = LevelTopology({}, frozenset(), 0.0)


@attrs.frozen
class Sighting:
    """Someone saw this edge, or this node, at some time."""

    cluster: str
    rule: str
    source: str
    target: str
    """Empty for a node."""


def topology_of(
    sightings: Iterable[Sighting], peaks_rps: Mapping[str, float], configurations: Iterable[Configuration]
) -> Topology:
    """The union of what was seen.

    Args:
        sightings: in any order.
        peaks_rps: by cluster.
        configurations: those in force in the window, the newest first: a node has the class that the first rule
            gives it, in their order.
    """
    by_rule: dict[tuple[str, str], list[Sighting]] = {}
    for sighting in sightings:
        by_rule.setdefault((sighting.cluster, sighting.rule), []).append(sighting)
    classes: dict[str, dict[str, str]] = {}
    pairs: dict[str, set[tuple[str, str]]] = {}
    known = [(cluster, rule) for each in configurations for cluster, rule in each.rules()]
    ordered: list[tuple[tuple[str, str], Rule | None]] = [
        *(((cluster, rule.id), rule) for cluster, rule in known),
        *((key, None) for key in sorted(by_rule)),
    ]
    for key, rule in ordered:
        level, edges = classes.setdefault(key[0], {}), pairs.setdefault(key[0], set())
        found = by_rule.get(key, ())
        edges.update((each.source, each.target) for each in found if each.target)
        # As in a graph: a rule's sources before its targets.
        for each in found:
            _add(level, each.source, rule, "source" if each.target else "service")
        for each in found:
            if each.target:
                _add(level, each.target, rule, "target")
    return {
        cluster: LevelTopology(level, frozenset(pairs[cluster]), peaks_rps.get(cluster, 0.0))
        for cluster, level in sorted(classes.items())
        if level
    }


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
) -> tuple[tuple[Node, ...], tuple[Edge, ...], float]:
    by_name = {node.name: node for node in nodes}
    by_pair = {(edge.source, edge.target): edge for edge in edges}
    silence = Rates()
    for name, node_class in level.classes.items():
        node = by_name.get(name)
        if node is None:
            by_name[name] = Node(name, node_class)
        elif node.node_class == "default" != node_class:
            # The rule that gives it its class did not see it at the graph's instant.
            by_name[name] = attrs.evolve(node, node_class=node_class)
    for source, target in level.pairs - by_pair.keys():
        by_pair[source, target] = Edge(source, target, silence)
    own_peak_rps = max((drawable(edge.rates) for edge in edges), default=0.0)
    return (
        tuple(by_name[name] for name in sorted(by_name)),
        tuple(by_pair[pair] for pair in sorted(by_pair)),
        max(level.peak_rps, own_peak_rps),
    )


def drawable(rates: Rates) -> float:
    """What an edge has in all; what is negative does not count."""
    return max(rates.normal, 0.0) + max(rates.warning, 0.0) + max(rates.danger, 0.0)


def _add(classes: dict[str, str], name: str, rule: Rule | None, end: str) -> None:
    if classes.get(name, "default") == "default":
        mapping = getattr(rule, end, None)
        classes[name] = mapping.node_class if mapping is not None else "default"
