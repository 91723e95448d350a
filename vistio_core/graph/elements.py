"""What a graph is made of: nodes, edges, and what is known of each. Plain values; `model` puts them together."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

import attrs

from vistio_core.configuration.model import Severity

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
