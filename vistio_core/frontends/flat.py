"""Both levels of a graph as one flat graph, for formats that have no levels.

A node's id is ``cluster/service``; on the global level it is the bare name. A ``/`` or ``%`` inside of a
name is percent-encoded, so no two nodes share an id, whatever their names are: ``a/b`` in ``mesh`` is
``mesh/a%2Fb``. Every region has a node on the global level, which services name as their ``cluster``.
"""

from __future__ import annotations

import math
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import attrs
import msgspec

from vistio_core.errors import UsageError
from vistio_core.events import GLOBAL_LEVEL
from vistio_core.frontends.tidy import tidy
from vistio_core.graph.model import LOST_RPS, Edge, Graph, Node, Notice, Rates
from vistio_core.sentences import say
from vistio_core.shares import number, percent
from vistio_core.times import format_instant

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Json = dict[str, Any]

_ENCODER = msgspec.json.Encoder()


@attrs.frozen
class FlatNode:
    """A node with its address, and the traffic of its level that it takes and makes."""

    id: str
    cluster: str
    """The cluster that it is in; ``GLOBAL_LEVEL`` for clusters and the world outside."""
    node: Node
    incoming: Rates
    outgoing: Rates


@attrs.frozen
class FlatEdge:
    id: str
    source: str
    """Id of a node, as ``target``."""
    target: str
    cluster: str
    edge: Edge


@attrs.frozen
class Flat:
    """All nodes and edges, sorted by cluster (the global level first) and name."""

    nodes: tuple[FlatNode, ...]
    edges: tuple[FlatEdge, ...]


def node_id(cluster: str, name: str) -> str:
    """The id of the node ``name`` in ``cluster``, unique in a graph."""
    return f"{_encoded(cluster)}/{_encoded(name)}" if cluster != GLOBAL_LEVEL else _encoded(name)


def _encoded(name: str) -> str:
    return name.replace("%", "%25").replace("/", "%2F")


def flatten(graph: Graph, options: Mapping[str, str]) -> Flat:
    """The graph without levels.

    Args:
        graph: the graph.
        options: ``cluster`` keeps only the inside of that cluster.

    Raises:
        UsageError: no cluster of that name.
    """
    regions = {region.name: region for region in graph.regions}
    wanted = options.get("cluster")
    if wanted is not None and wanted not in regions:
        raise UsageError(
            say(
                "cluster {cluster!r} is not in this graph; it has {clusters}",
                cluster=wanted,
                clusters=", ".join(sorted(regions)) or say("none"),
            )
        )
    nodes: list[FlatNode] = []
    edges: list[FlatEdge] = []
    if wanted is None:
        unnamed = regions.keys() - {node.name for node in graph.nodes}
        _add(GLOBAL_LEVEL, (*graph.nodes, *map(Node, unnamed)), graph.edges, nodes, edges)
    for name in sorted(regions) if wanted is None else [wanted]:
        _add(name, regions[name].nodes, regions[name].edges, nodes, edges)
    return Flat(tuple(nodes), tuple(edges))


def _add(
    cluster: str,
    nodes: tuple[Node, ...],
    edges: Sequence[Edge],
    to_nodes: list[FlatNode],
    to_edges: list[FlatEdge],
) -> None:
    node_list, edge_list = tidy(nodes, edges)
    ids = {node.name: node_id(cluster, node.name) for node in node_list}
    incoming: defaultdict[str, list[Rates]] = defaultdict(list)
    outgoing: defaultdict[str, list[Rates]] = defaultdict(list)
    for edge in edge_list:
        incoming[edge.target].append(edge.rates)
        outgoing[edge.source].append(edge.rates)
        source, target = ids[edge.source], ids[edge.target]
        # The space between the two must be the only one, or "a b" to "c" were "a" to "b c".
        to_edges.append(FlatEdge(f"{_spaceless(source)} {_spaceless(target)}", source, target, cluster, edge))
    to_nodes.extend(
        FlatNode(ids[node.name], cluster, node, _sum(incoming[node.name]), _sum(outgoing[node.name]))
        for node in node_list
    )


def _spaceless(identifier: str) -> str:
    return identifier.replace(" ", "%20")


def _sum(rates: list[Rates]) -> Rates:
    return Rates(
        math.fsum(each.normal for each in rates),
        math.fsum(each.warning for each in rates),
        math.fsum(each.danger for each in rates),
    )


def rates(of: Rates) -> Json:
    """Requests per second by class, and in total."""
    return {"normal": of.normal, "warning": of.warning, "danger": of.danger, "total": of.total}


def notices(them: tuple[Notice, ...]) -> list[Json]:
    """Notices as plain text, most severe first; to be escaped by whoever puts them into a page."""
    ordered = sorted(them, key=lambda notice: (-notice.severity, notice.title, notice.subtitle, notice.link))
    return [
        {"title": each.title, "subtitle": each.subtitle, "link": each.link, "severity": int(each.severity)}
        for each in ordered
    ]


def measurements(them: Mapping[str, float]) -> dict[str, float]:
    """Name to value, sorted, without what is not a number."""
    return {name: value for name, value in sorted(them.items()) if math.isfinite(value)}


def witness(edge: Edge) -> Json:
    """Who reported the edge: ``told_by``, where its rules say whose reports they are."""
    return {"told_by": edge.told_by} if edge.told_by else {}


def witness_text(edge: Edge) -> str:
    """Where caller and called side differ: ``3 rps lost, told by the caller only``; else empty."""
    lost = edge.measurements.get(LOST_RPS, 0.0)
    parts = [f"{lost:.3g} rps lost"] if lost > 0 else []
    if edge.told_by in ("caller", "called"):
        parts.append(f"told by the {edge.told_by} only")
    return ", ".join(parts)


def about(graph: Graph) -> Json:
    """What a graph says about itself, the same in each format that has a place for it."""
    return {
        "name": graph.name,
        "instant": format_instant(graph.instant_ms),
        "asked": format_instant(graph.asked_ms),
        "age_s": graph.age_ms / 1000,
        "interval_s": graph.interval_ms / 1000,
        "failed_rules": [
            {"cluster": each.cluster, "rule": each.rule, "outcome": each.outcome, "error": each.error}
            for each in sorted(graph.failed_rules, key=lambda rule: (rule.cluster, rule.rule))
        ],
        "configuration": graph.configuration,
        "backfilled": graph.backfilled,
    }


def describe(graph: Graph) -> list[str]:
    """The same in lines of text, for formats that only have comments."""
    lines = [f"{graph.name} at {format_instant(graph.instant_ms)}"]
    if graph.age_ms:
        lines[0] += f", asked for {format_instant(graph.asked_ms)}"
    for each in about(graph)["failed_rules"]:
        where = each["cluster"] or "the global level"
        lines.append(f"not seen: rule {each['rule']} of {where}: {each['outcome']}: {each['error']}")
    return lines


def drawn_rps(of: Rates) -> float:
    """What a line is as thick as: no less than nothing, and nothing where it was not seen."""
    return of.total if of.total > 0 else 0.0


def rate_text(of: Rates) -> str:
    """Such as ``45 rps, 11.1 % danger``."""
    if not of.seen:
        return "not seen"
    text = f"{number(of.total)} rps"
    for name, part in (("warning", of.warning), ("danger", of.danger)):
        if part > 0 and of.total > 0:
            text += f", {percent(part, of.total)} % {name}"
    return text


def encode(value: object) -> bytes:
    """JSON, with keys in the order in which they were put."""
    return _ENCODER.encode(value)
