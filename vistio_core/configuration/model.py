"""A configuration as immutable values: what to ask, how to name what comes, how to judge it.

The file format is Vistio's and promviz's, read unchanged (`docs/configuration.md`). Its
``clusterConnections`` and ``serviceConnections`` are called rules here.
"""

from __future__ import annotations

import hashlib
from enum import IntEnum, StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

import attrs

from vistio_core.configuration import label_templates
from vistio_core.configuration.http_config import HttpConfig, ServerSettings, address
from vistio_core.events import GLOBAL_LEVEL
from vistio_core.marked_from import MarkedFrom
from vistio_core.url_secrets import redact_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vistio_core.errors import Problem


class Severity(IntEnum):
    """How bad a notice is; the numbers are Vizceral's."""

    INFO = 0
    WARNING = 1
    ERROR = 2


@attrs.frozen
class NodeClass:
    """A class of nodes and the colour it is drawn in (any CSS colour)."""

    name: str
    color: str


DEFAULT_CLASS = NodeClass("default", "rgb(186, 213, 237)")


def _without_password(url: str) -> str:
    return repr(redact_server(url))


class StatusType(StrEnum):
    """Which share of an edge's traffic a connection notice looks at."""

    WARNING = "warning"
    DANGER = "danger"


class Merge(StrEnum):
    """What becomes of several series that measure one edge or node."""

    MAX = "max"
    MIN = "min"
    SUM = "sum"


class Witness(StrEnum):
    """Whose report the series of a rule are; see `vistio_core.judging.witnesses`."""

    CALLER = "caller"
    CALLED = "called"


@attrs.frozen
class NodeMapping:
    """How a series names a node.

    The text of ``label``, ``labels`` or ``template`` (at most one of them is given) is searched
    for ``regex`` (RE2, unanchored) and the first match fills ``replacement`` (Go syntax: ``$1``,
    ``${1}``, ``${name}``). With none of them the node is ``replacement``, literally.
    """

    label: str = ""
    regex: str = "(.*)"
    replacement: str = "$1"
    node_class: str = "default"
    labels: tuple[str, ...] = ()
    """The first of these that is not empty is the text."""
    template: str = ""
    """See `label_templates`; a field that stays empty makes the whole text missing."""
    default: str = ""
    """The node's name where the text is missing; empty: such a series is dropped."""

    @property
    def fields(self) -> tuple[tuple[str, ...], ...]:
        """The labels that make the text: for each part of it, those of which the first non-empty one counts."""
        return _fields(self.label, self.labels, self.template)


@attrs.frozen
class StatusMapping:
    """What the status of a series is, and which statuses are danger (tested first) or warning.

    One of ``label``, ``labels``, ``template`` and ``value`` is given.
    """

    label: str = ""
    warning_regex: str | None = None
    danger_regex: str | None = None
    labels: tuple[str, ...] = ()
    """The first of these that is not empty is the status."""
    template: str = ""
    """See `label_templates`; fields may be empty."""
    value: str = ""
    """The status of every series: the query itself says how the requests ended."""
    default: str = ""
    """The status of a series that has none of the labels."""

    @property
    def fields(self) -> tuple[tuple[str, ...], ...]:
        """As `NodeMapping.fields`."""
        return _fields(self.label, self.labels, self.template)


def _fields(label: str, labels: tuple[str, ...], template: str) -> tuple[tuple[str, ...], ...]:
    if template:
        return label_templates.fields(template)
    alternatives = (label,) if label else labels
    return (alternatives,) if alternatives else ()


@attrs.frozen
class SeverityThreshold:
    """The values from which a notice has a severity; 0 switches that severity off."""

    info: float = 0.0
    warning: float = 0.0
    error: float = 0.0

    @property
    def lowest(self) -> float | None:
        """From which value on a notice has any severity; None where all are switched off."""
        return min((value for value in (self.info, self.warning, self.error) if value > 0), default=None)


@attrs.frozen
class ConnectionNotice:
    """A notice on every edge of a rule whose share of bad traffic reaches a threshold."""

    title: str
    status_type: StatusType
    severity_threshold: SeverityThreshold
    name: str = ""
    subtitle: str = ""
    link: str = ""


@attrs.frozen
class ConnectionRule:
    """A query whose series are edges."""

    id: str
    """Unique within its cluster: the name, or its place (``connection-0``) if it has none or a taken one."""
    query: str
    prometheus_url: str = attrs.field(repr=_without_password)
    source: NodeMapping
    target: NodeMapping
    status: StatusMapping | None = None
    notices: tuple[ConnectionNotice, ...] = ()
    name: str = ""
    witness: Witness | None = None
    """None: nobody else reports these requests; they are added to what other rules say."""


@attrs.frozen
class ServiceNoticeRule:
    """A query whose series are notices on nodes; its samples are recorded as measurements."""

    id: str
    """As `ConnectionRule.id`; by place it is ``notice-0``."""
    title: str
    query: str
    prometheus_url: str = attrs.field(repr=_without_password)
    severity_threshold: SeverityThreshold
    service: NodeMapping
    name: str = ""
    subtitle: str = ""
    link: str = ""


@attrs.frozen
class MeasurementRule:
    """A query whose series are numbers about edges or nodes that are not rates, such as latencies.

    ``source`` and ``target`` name the edge, or ``service`` the node; the others are None.
    """

    id: str
    """As `ConnectionRule.id`; by place it is ``measurement-0``."""
    measure: str
    """What is measured, with its unit, such as ``latency_p99_ms``."""
    query: str
    prometheus_url: str = attrs.field(repr=_without_password)
    source: NodeMapping | None = None
    target: NodeMapping | None = None
    service: NodeMapping | None = None
    merge: Merge = Merge.MAX
    name: str = ""
    witness: Witness | None = None


Rule: TypeAlias = ConnectionRule | ServiceNoticeRule | MeasurementRule


def mappings_of(rule: Rule) -> tuple[NodeMapping, ...]:
    """What names the ends of a rule's edges (source, then target), or its node."""
    if isinstance(rule, ServiceNoticeRule):
        return (rule.service,)
    if isinstance(rule, ConnectionRule):
        return rule.source, rule.target
    return tuple(mapping for mapping in (rule.source, rule.target, rule.service) if mapping is not None)


@attrs.frozen
class GlobalLevel:
    """Traffic between clusters and the outside world."""

    max_volume: float = 0.0
    rules: tuple[ConnectionRule, ...] = ()
    measurements: tuple[MeasurementRule, ...] = ()


@attrs.frozen
class ClusterLevel:
    """Traffic between the services of one cluster."""

    cluster: str
    max_volume: float = 0.0
    rules: tuple[ConnectionRule, ...] = ()
    notices: tuple[ServiceNoticeRule, ...] = ()
    measurements: tuple[MeasurementRule, ...] = ()


@attrs.frozen
class Configuration:
    """All that is needed to scrape and to judge. Made by `vistio_core.configuration.load`."""

    graph_name: str
    global_level: GlobalLevel
    clusters: tuple[ClusterLevel, ...]
    """In file order; names are unique."""
    classes: tuple[NodeClass, ...]
    """In file order; ``default`` is added when the file has none."""
    text: str = attrs.field(repr=False)
    """The file's text with credentials redacted: this is what a recording keeps."""
    warnings: tuple[Problem, ...] = attrs.field(default=(), eq=False)
    """What was ignored or looks wrong, but does not stop us."""
    prometheus_url: str = attrs.field(default="", repr=_without_password)
    """The server of every rule that names none; empty when there is no such server."""
    http_config: HttpConfig | None = None
    """How servers are asked that have no settings of their own."""
    servers: tuple[ServerSettings, ...] = ()
    """Those that have."""

    @cached_property
    def hash(self) -> str:
        """SHA-256 of ``text``, in hexadecimal: the name of this configuration in a recording."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def server_settings(self, url: str) -> ServerSettings:
        """How the server at ``url``, a rule's ``prometheusURL``, is asked; ``http_config`` is never None."""
        found = next((server for server in self.servers if address(server.url) == address(url)), None)
        settings = ServerSettings(url) if found is None else found
        return attrs.evolve(settings, http_config=settings.http_config or self.http_config or HttpConfig())

    @cached_property
    def marked_from(self) -> MarkedFrom:
        """From which shares on an edge is marked."""
        rules = (rule for _, rule in self._rules if isinstance(rule, ConnectionRule))
        lowest: dict[str, float] = {}
        for notice in (notice for rule in rules for notice in rule.notices):
            if (value := notice.severity_threshold.lowest) is not None:
                lowest[notice.status_type] = min(lowest.get(notice.status_type, value), value)
        return MarkedFrom(**lowest)

    def connection_rule(self, cluster: str, rule_id: str) -> ConnectionRule | None:
        """The rule of this id whose series are edges; None where this configuration has none."""
        return self._connection_rules.get((cluster, rule_id))

    def rules(self) -> Iterator[tuple[str, Rule]]:
        """Every rule with its cluster (``GLOBAL_LEVEL`` for the global level), in file order.

        Within a cluster those whose series are edges come first, then notices, then measurements.
        """
        return iter(self._rules)

    @cached_property
    def _rules(self) -> tuple[tuple[str, Rule], ...]:
        everything = ClusterLevel(
            GLOBAL_LEVEL, rules=self.global_level.rules, measurements=self.global_level.measurements
        )
        found: list[tuple[str, Rule]] = []
        for level in (everything, *self.clusters):
            for rules in (level.rules, level.notices, level.measurements):
                found += [(level.cluster, rule) for rule in rules]
        return tuple(found)

    @cached_property
    def _connection_rules(self) -> dict[tuple[str, str], ConnectionRule]:
        found: dict[tuple[str, str], ConnectionRule] = {}
        for cluster, rule in self._rules:
            if isinstance(rule, ConnectionRule):
                found.setdefault((cluster, rule.id), rule)
        return found
