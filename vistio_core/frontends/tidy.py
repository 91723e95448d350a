"""What every frontend relies on: unique, complete, sorted nodes and edges of one level.

Graphs that vistio builds are like this already; one made by hand, or by somebody's code, may not
be, and most formats answer a duplicate or a missing node with a silently wrong picture.
"""

from __future__ import annotations

from operator import attrgetter, lt
from typing import TYPE_CHECKING

import attrs

from vistio_core.graph.edges import Edges
from vistio_core.graph.model import Edge, Node, Rates

if TYPE_CHECKING:
    from collections.abc import Iterable

_BY_NAME = attrgetter("name")
_BY_ENDS = attrgetter("source", "target")


def tidy(nodes: Iterable[Node], edges: Iterable[Edge]) -> tuple[list[Node], Edges]:
    """The same level with one node a name, one edge a pair of names, every end a node, sorted.

    Duplicate edges are summed; duplicate nodes keep the first class other than ``default``.
    Notices and measurements of duplicates are united.
    """
    columns, node_list = Edges.of(edges), list(nodes)
    names = [node.name for node in node_list]
    # Comparing neighbours is much cheaper than sorting, and mostly all is in order.
    if not columns.ascend:
        columns = Edges.of(_merge_edges(sorted(columns, key=_BY_ENDS)))
    if not all(map(lt, names, names[1:])):
        node_list = _merge_nodes(sorted(node_list, key=_BY_NAME))
    unknown = set(columns.names).difference(names)
    if unknown:
        node_list = sorted([*node_list, *map(Node, unknown)], key=_BY_NAME)
    return node_list, columns


def _merge_edges(edges: list[Edge]) -> list[Edge]:
    merged: dict[tuple[str, str], Edge] = {}
    for edge in edges:
        key = (edge.source, edge.target)
        known = merged.get(key)
        merged[key] = (
            edge
            if known is None
            else attrs.evolve(
                known,
                rates=Rates(
                    known.rates.normal + edge.rates.normal,
                    known.rates.warning + edge.rates.warning,
                    known.rates.danger + edge.rates.danger,
                ),
                notices=tuple(dict.fromkeys(known.notices + edge.notices)),
                measurements={**edge.measurements, **known.measurements},
                told_by=_told_by(known.told_by, edge.told_by),
            )
        )
    return list(merged.values())


def _told_by(one: str, other: str) -> str:
    """Who told of two edges that are one."""
    return "both" if one and other and one != other else one or other


def _merge_nodes(nodes: list[Node]) -> list[Node]:
    merged: dict[str, Node] = {}
    for node in nodes:
        known = merged.get(node.name)
        merged[node.name] = (
            node
            if known is None
            else attrs.evolve(
                known,
                node_class=known.node_class if known.node_class not in ("", "default") else node.node_class,
                notices=tuple(dict.fromkeys(known.notices + node.notices)),
                measurements={**node.measurements, **known.measurements},
            )
        )
    return list(merged.values())
