"""One drawing of Vistio's or promviz', read: what each level shows, as far as a log of facts has words for it. Pure.

A drawing is the JSON that `/graph` answered at an instant. What it was made of is gone: which query an edge came
from, the statuses behind ``danger``, the thresholds behind a notice. What is left is kept as it was drawn:

    {"source": "cart", "target": "db",                    an edge, of the kind (class of cart, class of db, its
     "metrics": {"normal": 9, "danger": 1},               notices), with 9 requests a second "normal" and 1 "danger"
     "notices": [{"title": "[0.10000] Errors",            a notice of the kind "[{{ .value }}] Errors", since
                  "severity": 2}]}                        0.10000 is the share of danger

A level without connections is not told of: Vistio drew one when a query failed, and when there was no traffic.
What must not be in here: rules and scrapes (`rules`), files (`chunks`).
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import unescape

import attrs
import msgspec

from vistio_core.configuration.model import Severity, StatusType
from vistio_core.configuration.templates import parse_title, render_title
from vistio_core.errors import InvalidTimeError, UsageError, VistioError
from vistio_core.events import GLOBAL_LEVEL, LARGEST_RATE
from vistio_core.names import shortened
from vistio_core.times import parse_instant

DEFAULT = "default"
_WHEN = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")
_VALUE = "{{ .value }}"


class NoDrawingError(VistioError):
    """It is none, or a broken one; the message says why, the same for all that are broken in this way."""


# -- the JSON


class _Notice(msgspec.Struct, frozen=True):
    title: str = ""
    subtitle: str = ""
    link: str = ""
    severity: int = -1


class _Metrics(msgspec.Struct, frozen=True):
    normal: float = 0.0
    warning: float = 0.0
    danger: float = 0.0


class _DrawnConnection(msgspec.Struct, frozen=True):
    source: str = ""
    target: str = ""
    metrics: _Metrics | None = None
    notices: list[_Notice] | None = None


class _Node(msgspec.Struct, frozen=True, rename={"node_class": "class"}):
    name: str = ""
    node_class: str = ""
    notices: list[_Notice] | None = None


class _Cluster(_Node, frozen=True, rename={"node_class": "class", "max_volume": "maxVolume"}):
    max_volume: float = 0.0
    nodes: list[_Node] | None = None
    connections: list[_DrawnConnection] | None = None


class _Class(msgspec.Struct, frozen=True):
    name: str = ""
    color: str = ""


class _Graph(msgspec.Struct, frozen=True, rename={"max_volume": "maxVolume"}):
    name: str = ""
    max_volume: float = 0.0
    nodes: list[_Cluster] | None = None
    connections: list[_DrawnConnection] | None = None
    classes: list[_Class] | None = None


_DECODER = msgspec.json.Decoder(_Graph)


# -- what it says


@attrs.frozen
class NoticeKind:
    """A notice on edges, without its number."""

    title: str
    """A title as a configuration has it (`templates`), with the share's place in it, if it has one."""
    subtitle: str
    link: str
    severity: Severity
    status_type: StatusType
    """Of which share it tells."""


@attrs.frozen
class EdgeKind:
    """What edges have in common that one rule could have drawn."""

    source_class: str = DEFAULT
    target_class: str = DEFAULT
    notices: tuple[NoticeKind, ...] = ()
    turn: int = 0
    """0 for the first connection of two nodes, 1 for the second: another query must have drawn it."""

    def plainer(self) -> Iterator[EdgeKind]:
        """Itself, then what is left of it where there are too many kinds."""
        yield self
        yield attrs.evolve(self, notices=())
        yield EdgeKind(turn=self.turn)


@attrs.frozen
class DrawnEdge:
    source: str
    target: str
    kind: EdgeKind
    rates: tuple[float, float, float]
    """Normal, warning, danger, in requests per second."""


@attrs.frozen
class NodeNotice:
    node: str
    kind: tuple[str, str]
    """Subtitle and link: what one rule has in common."""
    title: str
    severity: Severity


@attrs.frozen
class DrawnLevel:
    cluster: str
    max_volume: float
    """0 where none was given."""
    edges: tuple[DrawnEdge, ...] = attrs.field(repr=False)
    notices: tuple[NodeNotice, ...] = attrs.field(repr=False)
    dropped: Mapping[str, int]
    """Reason to the number of things that are left out."""

    @property
    def told(self) -> bool:
        """Whether there is anything; else nobody knows whether a query failed or there was no traffic."""
        return bool(self.edges or self.dropped)


@attrs.frozen
class Drawing:
    instant_ms: int
    """When it was drawn: the evaluation time of its queries."""
    name: str
    classes: tuple[tuple[str, str], ...]
    """Names and colours."""
    levels: tuple[DrawnLevel, ...] = attrs.field(repr=False)
    """The global one first."""


def instant_of(timestamp: str) -> int:
    """When a drawing was made, as Go writes it, in whole milliseconds.

    Raises:
        NoDrawingError: it is no such time.
    """
    if _WHEN.fullmatch(timestamp) is None:
        raise NoDrawingError("its timestamp is no RFC 3339 time")
    try:
        return parse_instant(timestamp, now_ms=0)
    except InvalidTimeError as error:
        raise NoDrawingError("its timestamp is no RFC 3339 time") from error


def read_drawing(instant_ms: int, graph_json: str) -> Drawing:
    """What a drawing says.

    Raises:
        NoDrawingError: it is none.
    """
    try:
        graph = _DECODER.decode(graph_json)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise NoDrawingError("it is no graph of Vistio's") from error
    clusters = graph.nodes or []
    levels = [_level(GLOBAL_LEVEL, graph.max_volume, clusters, graph.connections)]
    inside: set[str] = {GLOBAL_LEVEL}
    for cluster in clusters:
        if cluster.name not in inside and (cluster.nodes or cluster.connections):
            inside.add(cluster.name)
            levels.append(_level(cluster.name, cluster.max_volume, cluster.nodes or [], cluster.connections))
    classes = {each.name: each.color for each in graph.classes or () if each.name}
    return Drawing(instant_ms, graph.name, tuple(classes.items()), tuple(levels))


def _level(
    cluster: str, max_volume: float, nodes: Sequence[_Node], connections: Iterable[_DrawnConnection] | None
) -> DrawnLevel:
    dropped: Counter[str] = Counter()
    classes = {node.name: node.node_class or DEFAULT for node in nodes}
    turns: Counter[tuple[str, str]] = Counter()
    edges = []
    for connection in connections or ():
        wrong = _wrong(connection)
        if wrong:
            dropped[wrong] += 1
            continue
        assert connection.metrics is not None
        rates = connection.metrics.normal, connection.metrics.warning, connection.metrics.danger
        ends = shortened(connection.source), shortened(connection.target)
        kind = EdgeKind(
            classes.get(connection.source, DEFAULT),
            classes.get(connection.target, DEFAULT),
            tuple(_edge_notices(connection.notices or (), rates, dropped)),
            turns[ends],
        )
        turns[ends] += 1
        edges.append(DrawnEdge(*ends, kind, rates))
    with_edges = {name for ends in turns for name in ends}
    notices: dict[NodeNotice, None] = {}
    for node in nodes:
        name = shortened(node.name)
        if name not in with_edges:
            dropped["a node without connections"] += 1
            continue
        for notice in node.notices or ():
            if notice.severity not in tuple(Severity):
                dropped["a notice without a severity"] += 1
                continue
            title, second = shortened(_text(notice.title)), (_text(notice.subtitle), notice.link)
            notices[NodeNotice(name, second, title, Severity(notice.severity))] = None
    volume = max_volume if math.isfinite(max_volume) and max_volume > 0 else 0.0
    return DrawnLevel(cluster, volume, tuple(edges), tuple(notices), dropped)


def _wrong(connection: _DrawnConnection) -> str:
    """Why a connection is no edge; empty if it is one."""
    if not connection.source or not connection.target:
        return "a connection without a name at one end"
    if connection.metrics is None:
        return "a connection without metrics"
    rates = connection.metrics.normal, connection.metrics.warning, connection.metrics.danger
    # Written so that NaN is wrong, too.
    if not all(-LARGEST_RATE <= rate <= LARGEST_RATE for rate in rates):
        return "a rate out of range"
    return ""


def _edge_notices(
    notices: Iterable[_Notice], rates: tuple[float, float, float], dropped: Counter[str]
) -> Iterator[NoticeKind]:
    for notice in notices:
        if notice.severity not in tuple(Severity):
            dropped["a notice without a severity"] += 1
            continue
        kind = _of_share(notice, rates)
        if kind is None:
            dropped["a notice on a connection without failures, or with braces in its title"] += 1
        else:
            yield kind


def _of_share(notice: _Notice, rates: tuple[float, float, float]) -> NoticeKind | None:
    """The notice with the share that it tells in place of the number; None where it could not be judged again."""
    title, total = _text(notice.title), rates[0] + rates[1] + rates[2]
    shares = {
        kind: bad / total
        for kind, bad in ((StatusType.DANGER, rates[2]), (StatusType.WARNING, rates[1]))
        if bad > 0 and total > 0
    }
    numbered = [kind for kind, share in shares.items() if f"{share:.5f}" in title]
    for kind in (*numbered, *shares):
        number = f"{shares[kind]:.5f}"
        for template in (title.replace(number, _VALUE, 1), title):
            if _renders(template, shares[kind], title):
                return NoticeKind(
                    template, unescape(notice.subtitle), notice.link, Severity(notice.severity), kind
                )
    return None


def _text(html: str) -> str:
    """What a page showed of HTML without elements."""
    return " ".join(unescape(html).split())


def _renders(template: str, share: float, title: str) -> bool:
    try:
        parse_title(template)
    except UsageError:
        return False
    return render_title(template, share, {}) == title
