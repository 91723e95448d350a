"""The traffic graph of one instant, as plain values.

`Graph` > regions > nodes and edges. Everything is sorted by name, so that equal traffic gives
equal graphs, whatever the order in which it was recorded. Nothing here knows of Vizceral, of
Parquet or of Prometheus.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import attrs

from vistio_core.configuration.model import NodeClass, Severity

NOTHING_MEASURED: Mapping[str, float] = MappingProxyType({})
"""The measurements of most edges: one object for all of them."""


LOST_RPS = "lost_rps"
"""A measurement of an edge: requests a second that the caller sent and nobody received."""
NETWORK_MS = "network_ms"
"""A measurement of an edge: how much longer a request took on average for the caller than for the called side."""


@attrs.frozen
class Rates:
    """Requests per second by class. The class of a status is decided when a graph is rebuilt.

    All are NaN where they were not seen: of edges that were measured only, or that `stable_graph` keeps in place,
    while a rule was not answered that could have told.
    """

    normal: float = 0.0
    warning: float = 0.0
    danger: float = 0.0

    @property
    def seen(self) -> bool:
        return not math.isnan(self.normal)

    @property
    def total(self) -> float:
        return self.normal + self.warning + self.danger


@attrs.frozen
class Notice:
    """A threshold that was reached, on a node or an edge."""

    title: str
    """Plain text, templates filled in; not escaped for any frontend."""
    severity: Severity
    subtitle: str = ""
    link: str = ""


@attrs.frozen
class Edge:
    """Traffic from ``source`` to ``target``, merged over all rules that saw it."""

    source: str
    target: str
    rates: Rates
    notices: tuple[Notice, ...] = ()
    measurements: Mapping[str, float] = NOTHING_MEASURED
    """Name to value, such as ``latency_p99_ms``; sorted by name."""
    told_by: str = ""
    """Who reported its traffic: ``caller``, ``called`` or ``both``; empty where rules do not say whose reports they are
    (`vistio_core.judging.witnesses`)."""


@attrs.frozen
class Node:
    """A service, or on the global level a cluster or an outside world such as ``INTERNET``."""

    name: str
    node_class: str = "default"
    notices: tuple[Notice, ...] = ()
    measurements: Mapping[str, float] = NOTHING_MEASURED


@attrs.frozen
class Region:
    """The inside of a cluster. It can be entered when a global node has its name."""

    name: str
    max_volume: float
    """The configured scale of traffic in requests per second; 0 where none is configured."""
    nodes: tuple[Node, ...]
    edges: Sequence[Edge]


@attrs.frozen
class FailedRule:
    """A rule that was not answered at the graph's instant: its part of the graph was not seen."""

    cluster: str
    rule: str
    """Or the name of a writer, when all of it is missing."""
    outcome: str
    """One of `vistio_core.events.Outcome`, or ``stale`` for a writer that recorded nothing of late."""
    error: str


@attrs.frozen
class Graph:
    """The traffic of the mesh at one instant."""

    name: str
    asked_ms: int
    """The instant that was asked for."""
    instant_ms: int
    """The instant that this graph shows: the newest recorded one that is not after ``asked_ms``."""
    interval_ms: int
    configuration: str
    """Hash of the configuration by which it was judged."""
    max_volume: float
    nodes: tuple[Node, ...]
    """The global level: clusters, and what lies outside of the mesh."""
    edges: Sequence[Edge]
    """Traffic of the global level."""
    regions: tuple[Region, ...]
    """The clusters' insides, sorted by name."""
    classes: tuple[NodeClass, ...]
    """Sorted by name; always has ``default``."""
    failed_rules: tuple[FailedRule, ...] = ()
    backfilled: bool = False
    significant_digits: int | None = attrs.field(default=None, eq=False)
    """To how many its rates may have been rounded when they were recorded; None: they are exact. A sealed hour
    says it of all of its instants, a commit of its own, so equal graphs may differ in it."""

    @property
    def age_ms(self) -> int:
        """How much older the shown instant is than the asked one."""
        return self.asked_ms - self.instant_ms

    def region(self, name: str) -> Region:
        """The region called ``name``.

        Raises:
            KeyError: no such region in this graph.
        """
        for region in self.regions:
            if region.name == name:
                return region
        raise KeyError(name)
