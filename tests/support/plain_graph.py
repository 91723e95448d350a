"""A graph worked out in plain Python, as a model for the product's: no columns, no numbers for names.

It knows what `support.scrapes.MESH` has: connection rules with statuses and notices on danger. Regular
expressions are Python's, sums are `math.fsum`, and nothing is imported of what it is compared with.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from math import fsum

import attrs

from vistio_core.configuration import Configuration
from vistio_core.configuration.model import ConnectionRule, Severity
from vistio_core.events import RuleOutcome, Sample
from vistio_core.graph.model import Edge, FailedRule, Graph, Node, Notice, Rates, Region
from vistio_core.marked_from import MarkedFrom


def plain_graph(
    instant_ms: int,
    interval_ms: int,
    configuration: Configuration,
    samples: Iterable[Sample],
    failed: Iterable[RuleOutcome],
    backfilled: bool,
) -> Graph:
    """The graph of one writer's instant, judged by the configuration that recorded it."""
    rules = {(cluster, rule.id): rule for cluster, rule in configuration.rules()}
    edges: dict[str, dict[tuple[str, str], Edge]] = defaultdict(dict)
    classes: dict[str, dict[str, str]] = defaultdict(dict)
    by_edge: dict[tuple[str, str, str, str], list[Sample]] = defaultdict(list)
    for sample in samples:
        by_edge[sample.cluster, sample.rule, sample.source, sample.target].append(sample)
    for end in ("source", "target"):
        for cluster, rule_id, *names in by_edge:
            name = names[0] if end == "source" else names[1]
            given = getattr(rules[cluster, rule_id], end).node_class
            if classes[cluster].get(name, "default") == "default":
                classes[cluster][name] = given
    for (cluster, rule_id, source, target), own in by_edge.items():
        rule = rules[cluster, rule_id]
        assert isinstance(rule, ConnectionRule)
        rates = _rates(rule, own)
        edges[cluster][source, target] = Edge(source, target, rates, tuple(_notices(rule, rates)))
    levels = {
        name: (
            tuple(Node(node, node_class) for node, node_class in sorted(classes[name].items())),
            tuple(edge for _, edge in sorted(edges[name].items())),
        )
        for name in ("", *(level.cluster for level in configuration.clusters))
    }
    return Graph(
        configuration.graph_name,
        instant_ms,
        instant_ms,
        interval_ms,
        configuration.hash,
        configuration.global_level.max_volume,
        *levels[""],
        tuple(
            Region(level.cluster, level.max_volume, *levels[level.cluster])
            for level in configuration.clusters
        ),
        tuple(sorted(configuration.classes, key=lambda node_class: node_class.name)),
        tuple(
            FailedRule(outcome.cluster, outcome.rule, outcome.outcome.value, outcome.error)
            for outcome in sorted(failed, key=lambda outcome: (outcome.cluster, outcome.rule))
        ),
        backfilled,
        _marked_from(configuration),
    )


def _marked_from(configuration: Configuration) -> MarkedFrom:
    """`MESH` has notices about danger alone."""
    thresholds = [
        value
        for _, rule in configuration.rules()
        if isinstance(rule, ConnectionRule)
        for notice in rule.notices
        for value in attrs.astuple(notice.severity_threshold)
        if value > 0
    ]
    return MarkedFrom(danger=min(thresholds)) if thresholds else MarkedFrom()


def _rates(rule: ConnectionRule, samples: Iterable[Sample]) -> Rates:
    by_class: dict[str, list[float]] = defaultdict(list)
    for sample in samples:
        by_class[_class(rule, sample.status)].append(sample.rate)
    return Rates(*(fsum(by_class[name]) for name in ("normal", "warning", "danger")))


def _class(rule: ConnectionRule, status: str) -> str:
    for name in ("danger", "warning"):
        pattern = getattr(rule.status, f"{name}_regex")
        if status and pattern is not None and re.search(pattern, status):
            return name
    return "normal"


def _notices(rule: ConnectionRule, rates: Rates) -> Iterable[Notice]:
    for notice in rule.notices:
        share = rates.danger / rates.total if rates.danger > 0 else 0.0
        reached = [
            severity
            for severity in Severity
            if 0 < getattr(notice.severity_threshold, severity.name.lower()) <= share
        ]
        if reached:
            title = notice.title.replace("{{ .value }}", f"{share:.5f}")
            link = f"{rule.prometheus_url}/graph?g0.expr={rule.query}"
            yield Notice(title, max(reached), notice.subtitle, notice.link or link)
