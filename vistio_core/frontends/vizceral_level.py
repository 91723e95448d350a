"""One level of a Vizceral graph: nodes and connections, connected so that none gets lost.

`Level` is what both the global graph and the inside of a cluster are made of; what differs is
who the entry node is, and whether the layout walks from there (`reach`).
"""

from __future__ import annotations

import math
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import msgspec

from vistio_core.frontends import reach, vizceral_text
from vistio_core.graph.model import Edge, Node

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

Json = dict[str, Any]

INTERNET = "INTERNET"
"""The node that Vizceral's layouts take for the outside world."""
NO_CALLER = "no-caller-seen"
"""The synthetic entry node of a region, for those whom nobody was seen to call."""

_STREAMING: Json = {"streaming": 1}
SYNTHETIC: Json = {"streaming": 1, "vistio": {"synthetic": True}}

_by_name = attrgetter("name")
_by_ends = attrgetter("source", "target")


# Ten thousand plain objects would wake the garbage collector again and again; these never form
# cycles, so they are kept from it.
class Metrics(msgspec.Struct, gc=False):
    normal: float
    warning: float
    danger: float


class DrawnConnection(msgspec.Struct, gc=False):
    source: str
    target: str
    metadata: Json
    metrics: Metrics
    notices: list[Json]


class DrawnNode(msgspec.Struct, gc=False, rename={"node_class": "class", "display_name": "displayName"}):
    name: str
    renderer: str
    node_class: str
    metadata: Json
    notices: list[Json]
    display_name: str | msgspec.UnsetType = msgspec.UNSET
    connections: tuple[()] | list[DrawnConnection] = ()
    nodes: list[DrawnNode] | msgspec.UnsetType = msgspec.UNSET
    max_volume: float | msgspec.UnsetType = msgspec.field(default=msgspec.UNSET, name="maxVolume")


_ZERO = Metrics(0.0, 0.0, 0.0)


def scale(configured: float, peak: float) -> float:
    """A ``maxVolume`` of at least ``peak``: ``configured`` (or 1) times a power of two; 0 if both are 0."""
    if not (configured > 0 and math.isfinite(configured)):
        configured = 1.0 if peak > 0 else 0.0
    while configured < peak:
        configured *= 2.0
    return configured if math.isfinite(configured) else peak


class Level:
    """The nodes and connections of one level, connected so that the component loses none.

    Attributes:
        drawn: one object for each of ``nodes``, in their order.
        synthetic_entry: the object of the entry that was made up, None if there was no need.
        nodes: all of them in the order in which the component gets them.
        connections: sorted by source and target.
        peak: the largest total rate of any connection.
    """

    def __init__(
        self, nodes: Sequence[Node], edges: Sequence[Edge], *, entry: str | None, renderer: str
    ) -> None:
        names = [node.name for node in nodes]
        pairs = [(edge.source, edge.target) for edge in edges]
        out = reach.neighbours(pairs)
        sources = reach.entries(pairs)
        reached = reach.flood(sources if entry is None else {entry} & set(names), out, set())
        roots = reach.missing_roots(names, out, reached)
        cyclic = reach.has_cycle(pairs, out)
        if cyclic and entry is None:
            # JavaScript puts keys that look like array indices first, whatever their place in the list.
            roots = sorted({*roots, *(name for name in names if _is_index(name) and name not in sources)})
        caller = entry or _region_entry(names, sources)
        added = [(caller, root) for root in roots if root not in out.get(caller, ())]

        self._renamed = vizceral_text.rename({*names, caller}, [*pairs, *added])
        wire = self._renamed
        self.drawn = [_node(node, wire, renderer) for node in nodes]
        self.connections, self.peak = _connections(edges, wire)
        self.synthetic_entry: DrawnNode | None = None
        self.nodes = self.drawn
        if added:
            self.connections.extend(_zero(self.wire(source), self.wire(target)) for source, target in added)
            self.connections.sort(key=_by_ends)
        if (added or entry is not None) and caller not in set(names):
            self.synthetic_entry = _node(Node(caller), wire, renderer)
            self.synthetic_entry.metadata = SYNTHETIC
            self.nodes = sorted([*self.drawn, self.synthetic_entry], key=_by_name)
        if cyclic and entry is None:
            # The layout opens cycles beginning with the first node: see `reach`.
            first = {self.wire(name) for name in ({*sources, caller} if added else sources)}
            self.nodes = sorted(self.nodes, key=lambda drawn: (drawn.name not in first, drawn.name))

    def wire(self, name: str) -> str:
        """What the node ``name`` is called towards the component."""
        return self._renamed.get(name, name)


def _region_entry(names: Sequence[str], sources: Collection[str]) -> str:
    if INTERNET in sources:
        return INTERNET
    caller = NO_CALLER
    while caller in names:
        caller += "_"
    return caller


def _is_index(name: str) -> bool:
    return name.isascii() and name.isdigit() and str(int(name[:11])) == name and int(name) < 2**32 - 1


def _node(node: Node, wire: Mapping[str, str], renderer: str) -> DrawnNode:
    name = wire.get(node.name, node.name)
    drawn = DrawnNode(
        name,
        renderer,
        vizceral_text.safe_key(node.node_class) or "default",
        _STREAMING,
        vizceral_text.notices(node.notices) if node.notices else [],
    )
    facts: Json = {}
    if name != node.name:
        facts["name"] = drawn.display_name = node.name
    if node.measurements:
        facts["measurements"] = _finite(node.measurements)
    if facts:
        drawn.metadata = {"streaming": 1, "vistio": facts}
    return drawn


def _connections(edges: Sequence[Edge], wire: Mapping[str, str]) -> tuple[list[DrawnConnection], float]:
    made: list[DrawnConnection] = []
    peak = 0.0
    for edge in edges:
        rates, source, target = edge.rates, edge.source, edge.target
        normal, warning, danger = rates.normal, rates.warning, rates.danger
        total = normal + warning + danger
        metadata = _STREAMING
        # The comparison also catches NaN and infinities, which are not JSON.
        if edge.measurements or not (normal >= 0.0 and warning >= 0.0 and danger >= 0.0 and total < math.inf):
            metadata = {"streaming": 1, "vistio": _edge_facts(edge)}
            normal, warning, danger = _drawable(normal), _drawable(warning), _drawable(danger)
            total = normal + warning + danger
        if total > peak:
            peak = total
        made.append(
            DrawnConnection(
                wire.get(source, source),
                wire.get(target, target),
                metadata,
                Metrics(normal, warning, danger),
                vizceral_text.notices(edge.notices) if edge.notices else [],
            )
        )
    return made, peak


def _edge_facts(edge: Edge) -> Json:
    facts: Json = {}
    recorded = {"normal": edge.rates.normal, "warning": edge.rates.warning, "danger": edge.rates.danger}
    if any(rate != _drawable(rate) for rate in recorded.values()):
        facts["rates"] = _finite(recorded)
    if edge.measurements:
        facts["measurements"] = _finite(edge.measurements)
    return facts


def _zero(source: str, target: str) -> DrawnConnection:
    return DrawnConnection(source, target, SYNTHETIC, _ZERO, [])


def _drawable(rate: float) -> float:
    return rate if 0.0 <= rate < 1e300 else 0.0


def _finite(numbers: Mapping[str, float]) -> dict[str, float]:
    return {name: value for name, value in sorted(numbers.items()) if math.isfinite(value)}
