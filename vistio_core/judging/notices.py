"""Notices: the thresholds that rates and measurements reach. Pure; numpy inside.

A connection notice looks at the share that bad traffic has of an edge's traffic, as one rule saw it; a service
notice at what its query measured of a node. Both compare with thresholds as
`vistio_core.configuration.templates.severity_of` says; `severities` is the same for columns.
"""

from __future__ import annotations

from collections.abc import Iterator

import attrs
import numpy as np

from vistio_core.configuration.mapping import StatusClass
from vistio_core.configuration.model import (
    ConnectionNotice,
    ConnectionRule,
    ServiceNoticeRule,
    Severity,
    SeverityThreshold,
    StatusType,
)
from vistio_core.configuration.templates import query_link, render_title, severity_of
from vistio_core.events import Measurement
from vistio_core.graph.model import Notice
from vistio_core.judging.codes import Booleans, Integers
from vistio_core.judging.judge import Judge, Measured
from vistio_core.judging.rule_edges import EdgeRows
from vistio_core.samples import Floats

_BAD = {StatusType.WARNING: StatusClass.WARNING.column, StatusType.DANGER: StatusClass.DANGER.column}


@attrs.frozen(eq=False)
class RaisedOnEdges:
    """One connection notice, where it is raised."""

    rule: ConnectionRule
    notice: ConnectionNotice
    rows: Integers
    """Of the edges, ascending."""
    shares: Floats
    severities: Integers

    def notices(self) -> Iterator[tuple[int, Notice]]:
        """The notice of each row."""
        link = self.notice.link or query_link(self.rule.prometheus_url, self.rule.query)
        for row, share, severity in zip(
            self.rows.tolist(), self.shares.tolist(), self.severities, strict=True
        ):
            title = render_title(self.notice.title, share, {})
            yield row, Notice(title, Severity(severity), self.notice.subtitle, link)


def raised_on_edges(edges: EdgeRows) -> Iterator[RaisedOnEdges]:
    """Every connection notice that some edge raises, in the order of the rules."""
    for _, rule, rows in edges.rules:
        if not isinstance(rule, ConnectionRule) or not rule.notices:
            continue
        rps = edges.rps[rows]
        total = rps[:, 0] + rps[:, 1] + rps[:, 2]
        for notice in rule.notices:
            bad = rps[:, _BAD[notice.status_type]]
            failing = ((bad > 0) & (total > 0)).nonzero()[0]  # no traffic has no share of errors
            share = bad[failing] / total[failing]
            severity = severities(share, notice.severity_threshold)
            raised = severity >= 0
            if raised.any():
                own = np.arange(len(edges))[rows][failing[raised]]
                yield RaisedOnEdges(rule, notice, own, share[raised], severity[raised])


def raised_on_nodes(judge: Judge, measured: Measured) -> tuple[Integers, Integers]:
    """The rows of measurements that raise a notice on their node, and the severity of each."""
    severity = np.full(len(measured.value), -1, np.int64)
    of_nodes = measured.target == judge.nobody
    for _, rule, rows in judge.rules_of(measured.rulebook, measured.rule):
        if isinstance(rule, ServiceNoticeRule):
            severity[rows] = severities(measured.value[rows], rule.severity_threshold)
    raised = np.flatnonzero((severity >= 0) & of_nodes)
    return raised, severity[raised]


@attrs.frozen(eq=False)
class NodeNotices:
    """Notices that measurements raise on nodes, row by row."""

    instant_ms: Integers
    writer: Integers
    cluster: Integers
    node: Integers
    severity: Integers

    def where(self, rows: Booleans) -> NodeNotices:
        """Some of the rows."""
        return NodeNotices(*(getattr(self, field.name)[rows] for field in attrs.fields(type(self))))


def node_notices(judge: Judge, measured: Measured) -> NodeNotices:
    """The notices that measurements raise, without their texts."""
    rows, severity = raised_on_nodes(judge, measured)
    instant_ms, writer, cluster, node = (
        column[rows] for column in (measured.instant_ms, measured.writer, measured.cluster, measured.source)
    )
    return NodeNotices(instant_ms, writer, cluster, node, severity)


def counts_on_edges(edges: EdgeRows) -> tuple[Integers, Integers, Integers]:
    """How many notices of each severity (info, warning, error) every row of ``edges`` raises."""
    info, warning, error = counts = tuple(np.zeros(len(edges), np.int64) for _ in Severity)
    for raised in raised_on_edges(edges):
        for severity, count in enumerate(counts):
            count[raised.rows[raised.severities == severity]] += 1
    return info, warning, error


def severities(values: Floats, threshold: SeverityThreshold) -> Integers:
    """0, 1, 2 for info, warning, error, and -1 for none: `severity_of` of each value."""
    severity = np.full(len(values), -1, np.int64)
    for index, limit in enumerate((threshold.info, threshold.warning, threshold.error)):
        if limit > 0:
            severity[values >= limit] = index
    return severity


def service_notice(rule: ServiceNoticeRule, measurement: Measurement) -> Notice | None:
    """The notice on a node of which this was measured; None below all thresholds."""
    severity = severity_of(measurement.value, rule.severity_threshold)
    if severity is None:
        return None
    title = render_title(rule.title, measurement.value, dict(measurement.labels))
    link = rule.link or query_link(rule.prometheus_url, rule.query)
    return Notice(title, severity, rule.subtitle, link)
