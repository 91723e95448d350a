"""Whom a node can hurt, and who can hurt it: its callers and its dependencies, directly or by way of others. Pure.

    INTERNET > web > cart > db        blast radius of cart:   callers        1 web        via cart
                 web > search > db                                           2 INTERNET   via web
                                                              dependencies   1 db         via cart

Each is told once in each direction, at its shortest distance; where several ways are as short, by the one whose last
edge has most traffic. So calls in a circle end, and a node that both calls and is called stands on both sides.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import attrs
import pyarrow as pa
import pyarrow.compute as pc

from vistio_core.events import GLOBAL_LEVEL
from vistio_core.graph.model import Edge, Graph, Rates
from vistio_core.json_rows import rows_of
from vistio_core.judging.seen import Unseen
from vistio_core.names import visible
from vistio_core.tables import OneTable
from vistio_core.times import format_instant

CALLER, DEPENDENCY = "caller", "dependency"
REACHED = pa.schema(
    [
        pa.field("direction", pa.string()),
        pa.field("distance", pa.int64()),
        pa.field("cluster", pa.string()),
        pa.field("node", pa.string()),
        pa.field("via", pa.string()),
        pa.field("rps", pa.float64()),
        pa.field("error_share", pa.float64()),
    ]
)


@attrs.frozen(eq=False, repr=False)
class BlastRadius(OneTable):
    """Callers and dependencies of a node at an instant.

    Shape of ``table``: one row per direction, cluster and node that is reached; callers first, then the nearest, then
    those with most traffic, then by name.
        direction (string): ``caller`` or ``dependency``,
        distance (int64): how many calls lie between, from 1,
        cluster (string): empty for the global level; who is reached is in the cluster of who is asked about,
        node (string),
        via (string): the next one on the way to the node in question; of distance 1 that node itself,
        rps (double): requests per second between ``node`` and ``via``; null where not seen,
        error_share (double): which share of these failed, 0 to 1; null where not seen, and without requests.
    """

    node: str
    asked_ms: int
    instant_ms: int
    """Of the graph in which it was found: the newest one that is not after ``asked_ms``."""
    table: pa.Table = attrs.field(repr=False)
    unseen: tuple[str, ...]
    """Rules (``cluster/rule``) and writers that were not answered then, and could have told of more."""

    def callers(self) -> list[str]:
        """Who calls it, the nearest first, each once."""
        return self._names(CALLER)

    def dependencies(self) -> list[str]:
        """Whom it calls, the nearest first, each once."""
        return self._names(DEPENDENCY)

    def _names(self, direction: str) -> list[str]:
        rows = self._of(direction).sort_by([("distance", "ascending")])
        return list(dict.fromkeys(rows["node"].to_pylist()))

    def _of(self, direction: str) -> pa.Table:
        return self.table.filter(pc.equal(self.table["direction"], direction))

    def document(self) -> dict[str, Any]:
        """As JSON tells it, over HTTP and in the terminal."""
        callers, dependencies = (
            rows_of(self._of(each).drop_columns(["direction"])) for each in (CALLER, DEPENDENCY)
        )
        return {
            "node": self.node,
            "asked": format_instant(self.asked_ms),
            "instant": format_instant(self.instant_ms),
            "callers": callers,
            "dependencies": dependencies,
            "unseen": list(self.unseen),
        }

    def __repr__(self) -> str:
        from vistio_core.displays.words import counted

        callers = counted(len(self.callers()), "caller")
        dependencies = counted(len(self.dependencies()), "dependency", "dependencies")
        hidden = f"; not seen: {', '.join(map(visible, self.unseen))}" if self.unseen else ""
        return f"<{self._title()}: {callers}, {dependencies}{hidden}>"

    def _repr_html_(self) -> str:
        from vistio_core.displays.found import REACHED, answer_html

        return answer_html(self._title(), "", self.table, REACHED, self.unseen)

    def _title(self) -> str:
        return f"Blast radius of {visible(self.node)} at {format_instant(self.instant_ms)}"


def blast_radius(graph: Graph, node: str, cluster: str | None, unseen: Iterable[Unseen]) -> BlastRadius:
    """Callers and dependencies of a node, in each cluster in which it is.

    Args:
        graph: of the instant.
        node: who is asked about.
        cluster: where; None for each one.
        unseen: what was not answered then.
    """
    levels = [(GLOBAL_LEVEL, graph.nodes, graph.edges)]
    levels += [(region.name, region.nodes, region.edges) for region in graph.regions]
    own = {
        name: edges
        for name, nodes, edges in levels
        if cluster in (None, name) and any(each.name == node for each in nodes)
    }
    rows = [
        (direction, distance, name, far, near, *_told(rates))
        for name, edges in own.items()
        for direction in (CALLER, DEPENDENCY)
        for distance, far, near, rates in _reached(edges, node, direction)
    ]
    rows.sort(key=lambda row: (row[0], row[1], -(row[5] or 0.0), row[2], row[3]))
    columns = list(zip(*rows, strict=True)) or [()] * len(REACHED)
    asked = own if own else (None if cluster is None else {cluster})
    missed = {one.name for one in unseen if one.cluster is None or asked is None or one.cluster in asked}
    table = pa.table(list(map(pa.array, columns, REACHED.types)), schema=REACHED)
    return BlastRadius(node, graph.asked_ms, graph.instant_ms, table, tuple(sorted(missed)))


def _reached(edges: Sequence[Edge], node: str, direction: str) -> Iterator[tuple[int, str, str, Rates]]:
    """Each that is reached: its distance, itself, the next one on the way back, and what flows between the two."""
    beside: defaultdict[str, list[tuple[str, Rates]]] = defaultdict(list)
    for edge in edges:
        near, far = (edge.target, edge.source) if direction == CALLER else (edge.source, edge.target)
        beside[near].append((far, edge.rates))
    known, ring, distance = {node}, [node], 0
    while ring:
        distance += 1
        ways: dict[str, tuple[str, Rates]] = {}
        for near in sorted(ring):
            for far, rates in beside[near]:
                if far not in known and (far not in ways or _most(rates) > _most(ways[far][1])):
                    ways[far] = near, rates
        for far, (near, rates) in ways.items():
            yield distance, far, near, rates
        known |= ways.keys()
        ring = list(ways)


def _most(rates: Rates) -> float:
    """How much flows, to choose by; what was not seen comes last."""
    return rates.total if rates.seen else -math.inf


def _told(rates: Rates) -> tuple[float | None, float | None]:
    """Requests a second, and which share of them failed."""
    if not rates.seen:
        return None, None
    return rates.total, rates.danger / rates.total if rates.total > 0 else None
