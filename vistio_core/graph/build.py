"""From facts to a graph: rows of one instant and the configuration that judges them.

Pure: the same rows and configuration give the same graph. The rates of one rule's edge are added
with `math.fsum`, which is exact, and those of several rules in the order of the configuration, so
no sum depends on the order in which rows or files arrive.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache, lru_cache
from itertools import pairwise
from math import fsum, inf
from operator import add
from typing import Literal

import attrs
import numpy as np
import pyarrow as pa

from vistio_core.configuration.mapping import StatusClass, StatusClassifier
from vistio_core.configuration.model import (
    ClusterLevel,
    Configuration,
    ConnectionNotice,
    ConnectionRule,
    MeasurementRule,
    Merge,
    NodeClass,
    NodeMapping,
    Rule,
    ServiceNoticeRule,
    StatusMapping,
    StatusType,
)
from vistio_core.configuration.templates import query_link, render_title, severity_of
from vistio_core.events import GLOBAL_LEVEL, Measurement, RuleOutcome, RuleSamples
from vistio_core.graph.columns import CLASSES, Floats, Integers, edge_ends, edge_keys, rule_edges
from vistio_core.graph.edges import Edges
from vistio_core.graph.model import (
    NOTHING_MEASURED,
    FailedRule,
    Graph,
    Node,
    Notice,
    Region,
)

_Pair = tuple[str, str]

_COLUMN = {StatusClass.NORMAL: 0, StatusClass.WARNING: 1, StatusClass.DANGER: 2}

_MERGES: dict[Merge, Callable[[float, float], float]] = {Merge.MAX: max, Merge.MIN: min, Merge.SUM: add}


@attrs.frozen
class Evidence:
    """What one writer saw at one instant, and by whose rules it is judged."""

    instant_ms: int
    interval_ms: int
    configuration: Configuration
    """The one that judges. Names of nodes were mapped when the scrape was recorded and stay."""
    recorded: Configuration
    """The one in force at the instant: judges the rules that ``configuration`` does not know."""
    samples: pa.Table | Sequence[RuleSamples]
    """Rows of kind ``sample`` of the instant, in the format's order; or rule by rule."""
    measurements: Sequence[Measurement] = ()
    failed: tuple[RuleOutcome, ...] = ()
    backfilled: bool = False


@attrs.frozen(eq=False)
class _RuleRates:
    """What one rule saw: its edges, each once."""

    names: Sequence[str]
    source: Integers
    """Index into ``names``."""
    target: Integers
    """Likewise, into ``target_names``."""
    target_names: Sequence[str]
    rates: Floats

    def pair(self, index: int) -> _Pair:
        return self.names[self.source[index]], self.target_names[self.target[index]]


_NOTHING: Integers = np.zeros(0, np.int64)
_NOTHING_SEEN = _RuleRates((), _NOTHING, _NOTHING, (), np.zeros((0, CLASSES)))


@attrs.define
class _Level:
    """What gathers for the global level or for one cluster. Names get numbers as they are met."""

    max_volume: float = 0.0
    numbers: dict[str, int] = attrs.field(factory=dict)
    keys: Integers = _NOTHING
    """The edges, each once (`edge_keys`)."""
    rates: Floats = _NOTHING_SEEN.rates
    """A row for each of ``keys``."""
    edge_notices: dict[_Pair, list[Notice]] = attrs.field(factory=dict)
    edge_measurements: dict[_Pair, dict[str, float]] = attrs.field(factory=dict)
    classes: dict[str, str] = attrs.field(factory=dict)
    """Every node of the level, with its class."""
    node_notices: dict[str, list[Notice]] = attrs.field(factory=dict)
    node_measurements: dict[str, dict[str, float]] = attrs.field(factory=dict)

    def add_node(self, name: str, node_class: str) -> None:
        if self.classes.get(name, "default") == "default":
            self.classes[name] = node_class

    def number(self, name: str) -> int:
        return self.numbers.setdefault(name, len(self.numbers))

    def add_rates(self, keys: Integers, rates: Floats) -> None:
        """Rates of more edges; those of edges that are there already are added to them."""
        if len(self.keys):
            order = np.argsort(self.keys)
            place = order[np.minimum(np.searchsorted(self.keys, keys, sorter=order), len(order) - 1)]
            known = self.keys[place] == keys
            self.rates[place[known]] += rates[known]
            keys, rates = keys[~known], rates[~known]
        self.keys, self.rates = np.concatenate([self.keys, keys]), np.concatenate([self.rates, rates])

    def edges(self) -> Edges:
        silent = self._silent_edges()
        keys = np.concatenate([self.keys, silent])
        rates = np.concatenate([self.rates, np.zeros((len(silent), CLASSES))])
        names = sorted(self.numbers)
        rank = np.empty(len(names), np.int64)
        rank[[self.numbers[name] for name in names]] = np.arange(len(names))
        source, target = (rank[ends] for ends in edge_ends(keys))
        order = np.argsort(edge_keys(source, target), kind="stable")
        edges = Edges(names, source[order], target[order], rates[order], {}, {})
        if not (self.edge_notices or self.edge_measurements):
            return edges
        place = {pair: index for index, pair in enumerate(edges.ends)}
        edges.notices = {place[pair]: tuple(notices) for pair, notices in self.edge_notices.items()}
        edges.measurements = {
            place[pair]: dict(sorted(values.items())) for pair, values in self.edge_measurements.items()
        }
        return edges

    def _silent_edges(self) -> Integers:
        """Edges that were measured and have no traffic."""
        if not self.edge_measurements:
            return _NOTHING
        ends = np.array([list(map(self.number, pair)) for pair in self.edge_measurements], np.int64)
        measured = edge_keys(ends[:, 0], ends[:, 1])
        return measured[~np.isin(measured, self.keys)]

    def nodes(self) -> tuple[Node, ...]:
        notices, measurements = self.node_notices, self.node_measurements
        return tuple(
            [
                Node(
                    name,
                    node_class,
                    tuple(notices[name]) if name in notices else (),
                    dict(sorted(measurements[name].items())) if name in measurements else NOTHING_MEASURED,
                )
                for name, node_class in sorted(self.classes.items())
            ]
        )


def build_graph(asked_ms: int, evidence: Sequence[Evidence]) -> Graph:
    """The graph of what was seen, judged.

    Args:
        asked_ms: the instant that was asked for.
        evidence: one entry per writer, in a fixed order; at least one. Where several say
            something of the same edge, their rates add up; the graph's name is the first one's.
    """
    levels: dict[str, _Level] = {}
    classes: dict[str, NodeClass] = {}
    for part in evidence:
        _gather(levels, part)
        for node_class in part.configuration.classes:
            classes.setdefault(node_class.name, node_class)
    newest = max(evidence, key=lambda part: part.instant_ms)
    everything = levels.pop(GLOBAL_LEVEL, _Level())
    return Graph(
        name=evidence[0].configuration.graph_name,
        asked_ms=asked_ms,
        instant_ms=newest.instant_ms,
        interval_ms=newest.interval_ms,
        configuration=evidence[0].configuration.hash,
        max_volume=everything.max_volume,
        nodes=everything.nodes(),
        edges=everything.edges(),
        regions=tuple(
            Region(name, level.max_volume, level.nodes(), level.edges())
            for name, level in sorted(levels.items())
        ),
        classes=tuple(classes[name] for name in sorted(classes)),
        failed_rules=tuple(
            FailedRule(failure.cluster, failure.rule, failure.outcome.value, failure.error)
            for part in evidence
            for failure in sorted(part.failed, key=lambda failure: (failure.cluster, failure.rule))
        ),
        backfilled=any(part.backfilled for part in evidence),
    )


def _gather(levels: dict[str, _Level], part: Evidence) -> None:
    configuration = part.configuration
    for cluster in (
        ClusterLevel(GLOBAL_LEVEL, configuration.global_level.max_volume),
        *configuration.clusters,
    ):
        level = levels.setdefault(cluster.cluster, _Level())
        level.max_volume = max(level.max_volume, cluster.max_volume)
    by_rule = dict(_edges_of(part))
    measurements: dict[_Pair, list[Measurement]] = {}
    for measurement in part.measurements:
        measurements.setdefault((measurement.cluster, measurement.rule), []).append(measurement)
    # In file order: a node's class is the first one that a rule gives it.
    for cluster_name, rule_id, rule in _rules_in_order(part, {*by_rule, *measurements}):
        level = levels.setdefault(cluster_name, _Level())
        _add_edges(level, rule, by_rule.get((cluster_name, rule_id), _NOTHING_SEEN))
        _add_measurements(level, rule_id, rule, measurements.get((cluster_name, rule_id), ()))


def _rules_in_order(part: Evidence, seen: set[_Pair]) -> Iterator[tuple[str, str, Rule | None]]:
    """The rules that saw something: the judging configuration's, then the recorded one's, then unknown ones."""
    left = set(seen)
    for configuration in (part.configuration, part.recorded):
        for cluster, rule in configuration.rules():
            if (cluster, rule.id) in left:
                left.remove((cluster, rule.id))
                yield cluster, rule.id, rule
    for cluster, rule_id in sorted(left):
        yield cluster, rule_id, None


def _edges_of(part: Evidence) -> Iterator[tuple[_Pair, _RuleRates]]:
    """Every rule that saw traffic, with its edges' rates by class."""
    if isinstance(part.samples, pa.Table):
        judge = cache(lambda cluster, rule: _classifier(part, cluster, rule))
        found = rule_edges(part.samples, lambda *key: _COLUMN[judge(*key[:2]).classify(key[2])])
        # Rows are sorted by rule, so those of a rule stand together.
        ends = [*(np.flatnonzero(np.diff(found.rule)) + 1).tolist(), len(found.rule)]
        for start, end in pairwise([0, *ends] if len(found.rule) else []):
            own = slice(start, end)
            yield (
                found.rules[int(found.rule[start])],
                _RuleRates(
                    found.sources, found.source[own], found.target[own], found.targets, found.rates[own]
                ),
            )
    else:
        for rows in part.samples:
            classifier = _classifier(part, rows.cluster, rows.rule)
            by_pair: dict[_Pair, tuple[list[float], list[float], list[float]]] = {}
            for *pair, status, rate in zip(
                rows.sources, rows.targets, rows.statuses, rows.rates, strict=True
            ):
                buckets = by_pair.setdefault((pair[0], pair[1]), ([], [], []))
                buckets[_COLUMN[classifier.classify(status)]].append(rate)
            sums = [tuple(map(_sum, buckets)) for buckets in by_pair.values()]
            each = np.arange(len(by_pair))
            sources, targets = zip(*by_pair, strict=True) if by_pair else ((), ())
            rates = np.asarray(sums, np.float64).reshape(-1, CLASSES)
            yield (rows.cluster, rows.rule), _RuleRates(sources, each, each, targets, rates)


def _classifier(part: Evidence, *key: str) -> StatusClassifier:
    rule = part.configuration.connection_rule(*key) or part.recorded.connection_rule(*key)
    return _classifier_of(rule.status if rule else None)


@lru_cache(maxsize=256)
def _classifier_of(status: StatusMapping | None) -> StatusClassifier:
    return StatusClassifier(status)


def _add_edges(level: _Level, rule: Rule | None, seen: _RuleRates) -> None:
    connection = rule if isinstance(rule, ConnectionRule) else None
    # Sources before targets: a node's class is the first one that it is given.
    source = _met(level, seen.names, seen.source, connection.source.node_class if connection else "default")
    target = _met(
        level, seen.target_names, seen.target, connection.target.node_class if connection else "default"
    )
    if connection is not None:
        for notice in connection.notices:
            _raise_notice(level, connection, notice, seen)
    level.add_rates(edge_keys(source, target), seen.rates)


def _met(level: _Level, names: Sequence[str], index: Integers, node_class: str) -> Integers:
    """The level's numbers of the nodes ``names[index]``, which are added to it."""
    used = np.flatnonzero(np.bincount(index, minlength=1)) if len(index) else index
    number = np.zeros(len(names), np.int64)
    for each in used.tolist():
        level.add_node(names[each], node_class)
        number[each] = level.number(names[each])
    return number[index]


def _raise_notice(level: _Level, rule: ConnectionRule, notice: ConnectionNotice, seen: _RuleRates) -> None:
    """Put a notice on every edge whose share of bad traffic, as this rule saw it, reaches a threshold."""
    for index, share in shares(seen.rates, notice):
        raised = connection_notice(rule, notice, share)
        if raised is not None:
            level.edge_notices.setdefault(seen.pair(index), []).append(raised)


def shares(rates: Floats, notice: ConnectionNotice) -> Iterator[tuple[int, float]]:
    """The rows of ``rates`` whose share of bad traffic reaches the lowest threshold, and that share."""
    bad = rates[
        :, _COLUMN[StatusClass.DANGER if notice.status_type is StatusType.DANGER else StatusClass.WARNING]
    ]
    total = rates[:, 0] + rates[:, 1] + rates[:, 2]
    there = (bad > 0) & (total > 0)  # no traffic has no share of errors
    share = np.divide(bad, total, out=np.zeros_like(bad), where=there)
    for index in np.flatnonzero(there & (share >= lowest_threshold(notice))).tolist():
        yield index, float(share[index])


def lowest_threshold(notice: ConnectionNotice) -> float:
    """From which share of bad traffic on a notice may be raised; infinity for never."""
    thresholds = attrs.astuple(notice.severity_threshold)
    return min((threshold for threshold in thresholds if threshold > 0), default=inf)


def connection_notice(rule: ConnectionRule, notice: ConnectionNotice, share: float) -> Notice | None:
    """The notice on an edge with this share of bad traffic; None below all thresholds."""
    severity = severity_of(share, notice.severity_threshold)
    if severity is None:
        return None
    link = notice.link or query_link(rule.prometheus_url, rule.query)
    return Notice(render_title(notice.title, share, {}), severity, notice.subtitle, link)


def _add_measurements(
    level: _Level, rule_id: str, rule: Rule | None, measurements: Sequence[Measurement]
) -> None:
    merge = _MERGES[rule.merge if isinstance(rule, MeasurementRule) else Merge.MAX]
    for measurement in measurements:
        # A notice's query has one value, which goes by the rule's name.
        name = rule_id if isinstance(rule, ServiceNoticeRule) else measurement.name
        if measurement.target:
            level.add_node(measurement.source, _class_given(rule, "source"))
            level.add_node(measurement.target, _class_given(rule, "target"))
            pair = measurement.source, measurement.target
            values = level.edge_measurements.setdefault(pair, {})
        else:
            level.add_node(measurement.source, _class_given(rule, "service"))
            values = level.node_measurements.setdefault(measurement.source, {})
        # Another rule, or another writer, may have measured the same.
        values[name] = merge(values[name], measurement.value) if name in values else measurement.value
        if isinstance(rule, ServiceNoticeRule) and not measurement.target:
            _raise_service_notice(level, rule, measurement)


def _class_given(rule: Rule | None, end: Literal["source", "target", "service"]) -> str:
    """The class that ``rule`` gives to its nodes of that end."""
    mapping: NodeMapping | None = getattr(rule, end, None)
    return mapping.node_class if mapping is not None else "default"


def _raise_service_notice(level: _Level, rule: ServiceNoticeRule, measurement: Measurement) -> None:
    raised = service_notice(rule, measurement)
    if raised is not None:
        level.node_notices.setdefault(measurement.source, []).append(raised)


def service_notice(rule: ServiceNoticeRule, measurement: Measurement) -> Notice | None:
    """The notice on a node of which this was measured; None below all thresholds."""
    severity = severity_of(measurement.value, rule.severity_threshold)
    if severity is None:
        return None
    title = render_title(rule.title, measurement.value, dict(measurement.labels))
    link = rule.link or query_link(rule.prometheus_url, rule.query)
    return Notice(title, severity, rule.subtitle, link)


def _sum(rates: list[float]) -> float:
    return fsum(rates) if len(rates) > 1 else rates[0] if rates else 0.0
