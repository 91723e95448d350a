"""One level of a Vizceral graph: nodes and connections, connected so that none gets lost.

`Level` is what both the global graph and the inside of a cluster are made of; what differs is
who the entry node is, and whether the layout walks from there (`reach`).
"""

from __future__ import annotations

import math
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import attrs
import msgspec
import numpy as np

from vistio_core.cache import Cache
from vistio_core.configuration.mapping import CLASSES
from vistio_core.frontends import reach, vizceral_text
from vistio_core.graph.edges import TOLD_BY, Edges
from vistio_core.graph.model import Edge, Node
from vistio_core.names import visible

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

Json = dict[str, Any]

INTERNET = "INTERNET"
"""The node that Vizceral's layouts take for the outside world."""
NO_CALLER = "no-caller-seen"
"""The synthetic entry node of a region, for those whom nobody was seen to call."""

_STREAMING: Json = {"streaming": 1}
SYNTHETIC: Json = {"streaming": 1, "vistio": {"synthetic": True}}

_by_name = attrgetter("name")
_ENCODER = msgspec.json.Encoder()
_PIECES = 2 * CLASSES + 3
"""Of a connection's JSON: its ends, its metadata, and what stands before, between and after its three numbers."""


# Ten thousand plain objects would wake the garbage collector again and again; these never form
# cycles, so they are kept from it.
class DrawnMetrics(msgspec.Struct, gc=False):
    normal: float
    warning: float
    danger: float


class DrawnConnection(msgspec.Struct, gc=False):
    source: str
    target: str
    metadata: Json
    metrics: DrawnMetrics
    notices: list[Json]


class DrawnNode(msgspec.Struct, gc=False, rename={"node_class": "class", "display_name": "displayName"}):
    name: str
    renderer: str
    node_class: str
    metadata: Json
    notices: list[Json]
    display_name: str | msgspec.UnsetType = msgspec.UNSET
    connections: tuple[()] | msgspec.Raw = ()
    nodes: list[DrawnNode] | msgspec.UnsetType = msgspec.UNSET
    max_volume: float | msgspec.UnsetType = msgspec.field(default=msgspec.UNSET, name="maxVolume")


def scale(configured: float, peak: float) -> float:
    """A ``maxVolume`` of at least ``peak``: ``configured`` (or 1) times a power of two; 0 if both are 0."""
    if not (configured > 0 and math.isfinite(configured)):
        configured = 1.0 if peak > 0 else 0.0
    while configured < peak:
        configured *= 2.0
    return configured if math.isfinite(configured) else peak


@attrs.frozen(eq=False)
class _Shape:
    """What follows from who talks to whom, and not from how much."""

    renamed: Mapping[str, str]
    synthetic_entry: str | None
    first: frozenset[str] | None
    """The nodes that must come first; None where the order by name will do."""
    order: list[int] | None
    """The edges in the order of the connections, the made-up ones counted after the others; None where it is theirs."""
    added: int
    """How many are made up."""
    heads: list[bytes]
    """The JSON of each connection up to its first number."""


def _weight(shape: _Shape) -> int:
    return len(shape.heads) + 10


_MOST_EDGES = 100_000
# The last shapes: mostly the next graph has the same, and finding it anew costs a third of drawing.
_shapes: Cache[tuple[object, ...], _Shape] = Cache(_MOST_EDGES, _weight)


def _shape(names: tuple[str, ...], edges: Edges, entry: str | None) -> _Shape:
    key = names, edges.names, edges.source.tobytes(), edges.target.tobytes(), entry
    shape = _shapes.get(key)
    if shape is None:
        shape = _make_shape(list(names), edges.ends, entry)
        _shapes.put(key, shape)
    return shape


def _make_shape(names: list[str], pairs: list[tuple[str, str]], entry: str | None) -> _Shape:
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
    renamed = vizceral_text.rename({*names, caller}, [*pairs, *added])
    wired = [
        (renamed.get(source, source), renamed.get(target, target)) for source, target in [*pairs, *added]
    ]
    order = sorted(range(len(wired)), key=wired.__getitem__) if added else None
    heads = [_head(*ends) for ends in wired]
    first = None
    if cyclic and entry is None:
        first = frozenset(renamed.get(name, name) for name in ({*sources, caller} if added else sources))
    return _Shape(
        renamed=renamed,
        synthetic_entry=caller if (added or entry is not None) and caller not in set(names) else None,
        first=first,
        order=order,
        added=len(added),
        heads=heads if order is None else [heads[index] for index in order],
    )


def _head(source: str, target: str) -> bytes:
    """What stands in front of a connection's metadata, as the encoder writes a `DrawnConnection`."""
    return b'{"source":%b,"target":%b,"metadata":' % (_ENCODER.encode(source), _ENCODER.encode(target))


def _told(told_by: str) -> Json:
    return {"streaming": 1, "vistio": {"told_by": told_by}} if told_by else _STREAMING


_METADATA = [_ENCODER.encode(metadata) for metadata in (*map(_told, TOLD_BY), SYNTHETIC)]
"""Of a connection without facts of its own, by who told of it; the last one is made up."""


class Level:
    """The nodes and connections of one level, connected so that the component loses none.

    Attributes:
        drawn: one object for each of ``nodes``, in their order.
        synthetic_entry: the object of the entry that was made up, None if there was no need.
        nodes: all of them in the order in which the component gets them.
        connections: sorted by source and target.
        peak: the largest total rate of any connection.
    """

    def __init__(self, nodes: Sequence[Node], edges: Edges, *, entry: str | None, renderer: str) -> None:
        shape = _shape(tuple([node.name for node in nodes]), edges, entry)
        self._renamed = shape.renamed
        self.drawn = [_node(node, shape.renamed, renderer) for node in nodes]
        self.connections, self.peak = _connections(edges, shape)
        self.synthetic_entry: DrawnNode | None = None
        self.nodes = self.drawn
        if shape.synthetic_entry is not None:
            self.synthetic_entry = _node(Node(shape.synthetic_entry), shape.renamed, renderer)
            self.synthetic_entry.metadata = SYNTHETIC
            self.nodes = sorted([*self.drawn, self.synthetic_entry], key=_by_name)
        if shape.first is not None:
            # The layout opens cycles beginning with the first node: see `reach`.
            first = shape.first
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
        facts["name"] = node.name
    shown = visible(node.name)
    if shown != name:
        drawn.display_name = shown
    if node.measurements:
        facts["measurements"] = _finite(node.measurements)
    if facts:
        drawn.metadata = {"streaming": 1, "vistio": facts}
    return drawn


def _connections(edges: Edges, shape: _Shape) -> tuple[msgspec.Raw, float]:
    """The connections as JSON, and the largest total rate.

    Ten thousand objects for an encoder cost more than all numbers of a graph: only connections with
    notices or facts of their own are made as such.
    """
    number = len(edges)
    rates = np.concatenate([edges.rates, np.zeros((shape.added, CLASSES))])
    special: Iterable[int] = edges.notices.keys() | edges.measurements.keys()
    # The comparison also catches NaN, which is not JSON, as infinities are not.
    if not ((rates >= 0.0).all() and math.isfinite(rates.sum())):
        special = range(number)
    written: dict[int, bytes] = {}
    for index in special:
        connection = _connection(edges[index], shape.renamed)
        rates[index] = connection.metrics.normal, connection.metrics.warning, connection.metrics.danger
        written[index] = _ENCODER.encode(connection)
    metadata = np.concatenate([edges.told, np.full(shape.added, len(_METADATA) - 1)])
    peak = float((rates[:, 0] + rates[:, 1] + rates[:, 2]).max(initial=0.0))
    if shape.order is not None:
        rates, metadata = rates[shape.order], metadata[shape.order]
        written = {place: written[index] for place, index in enumerate(shape.order) if index in written}
    pieces: list[bytes] = [b""] * (_PIECES * len(rates))
    pieces[0::_PIECES] = shape.heads
    pieces[1::_PIECES] = [_METADATA[told] for told in metadata.tolist()]
    numbers = _numbers(rates.ravel().tolist())
    for place in range(CLASSES):
        pieces[2 * place + 3 :: _PIECES] = numbers[place::CLASSES]
    for place, between in (
        (2, b',"metrics":{"normal":'),
        (4, b',"warning":'),
        (6, b',"danger":'),
        (8, b'},"notices":[]},'),
    ):
        pieces[place::_PIECES] = [between] * len(rates)
    for index, whole in written.items():
        pieces[_PIECES * index : _PIECES * (index + 1)] = [whole, b",", *[b""] * (_PIECES - 2)]
    return msgspec.Raw(b"[%b]" % b"".join(pieces)[:-1]), peak


def _numbers(rates: list[float]) -> list[bytes]:
    """Each number as the encoder writes it."""
    return _ENCODER.encode(rates)[1:-1].split(b",") if rates else []


def _connection(edge: Edge, wire: Mapping[str, str]) -> DrawnConnection:
    rates = edge.rates
    normal, warning, danger = rates.normal, rates.warning, rates.danger
    metadata = _told(edge.told_by)
    if edge.measurements or not (
        normal >= 0.0 and warning >= 0.0 and danger >= 0.0 and normal + warning + danger < math.inf
    ):
        metadata = {"streaming": 1, "vistio": _edge_facts(edge)}
        normal, warning, danger = _drawable(normal), _drawable(warning), _drawable(danger)
    return DrawnConnection(
        wire.get(edge.source, edge.source),
        wire.get(edge.target, edge.target),
        metadata,
        DrawnMetrics(normal, warning, danger),
        vizceral_text.notices(edge.notices) if edge.notices else [],
    )


def _edge_facts(edge: Edge) -> Json:
    facts: Json = {}
    recorded = {"normal": edge.rates.normal, "warning": edge.rates.warning, "danger": edge.rates.danger}
    if not edge.rates.seen:
        facts["unseen"] = True
    elif any(rate != _drawable(rate) for rate in recorded.values()):
        facts["rates"] = _finite(recorded)
    if edge.measurements:
        facts["measurements"] = _finite(edge.measurements)
    if edge.told_by:
        facts["told_by"] = edge.told_by
    return facts


def _drawable(rate: float) -> float:
    return rate if 0.0 <= rate < 1e300 else 0.0


def _finite(numbers: Mapping[str, float]) -> dict[str, float]:
    return {name: value for name, value in sorted(numbers.items()) if math.isfinite(value)}
