"""A check's report as text for a person and as JSON for a program. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from vistio_core.configuration.model import ConnectionRule, MeasurementRule
from vistio_core.events import GLOBAL_LEVEL, Outcome
from vistio_core.names import visible
from vistio_record.check_report import Finding, Report, RuleReport, level_name, listed

_FEW = 3
_QUERY_CHARACTERS = 300
"""A preset's may have thousands, which nobody finds the next line behind."""


def as_lines(report: Report) -> Iterator[str]:
    """The report, line by line."""
    level: str | None = None
    for rule in report.rules:
        if rule.cluster != level:
            level = rule.cluster
            yield level_name(level)[0].upper() + level_name(level)[1:]
        yield from _rule_lines(rule)
    yield ""
    for finding in report.findings:
        yield f"! {finding.message}"
    for difference in report.differences:
        yield f"~ not as in Vistio: {difference.message}"
    yield _verdict(report)


def as_json(report: Report) -> dict[str, object]:
    """The report as plain values."""
    return {
        "good": report.good,
        "empty": report.empty,
        "rules": [
            {
                "cluster": rule.cluster,
                "rule": rule.rule.id,
                "query": rule.rule.query,
                "outcome": rule.outcome.outcome.value,
                "error": rule.outcome.error,
                "series": rule.outcome.series,
                "dropped": dict(rule.outcome.dropped),
                "warnings": list(rule.outcome.warnings),
                "nodes": list(rule.nodes),
                "edges": [
                    {"source": source, "target": target, "rate_rps": rate}
                    for (source, target), rate in rule.edges.items()
                ],
                "measurements": [
                    {
                        "source": measurement.source,
                        "target": measurement.target,
                        "measure": measurement.name,
                        "value": measurement.value,
                    }
                    for measurement in rule.measurements
                ],
                "hints": list(rule.hints),
            }
            for rule in report.rules
        ],
        "findings": _findings(report.findings),
        "differences": _findings(report.differences),
    }


def _findings(findings: Iterable[Finding]) -> list[dict[str, str]]:
    return [{"kind": each.kind, "cluster": each.cluster, "message": each.message} for each in findings]


def _rule_lines(rule: RuleReport) -> Iterator[str]:
    outcome = rule.outcome
    mark = "ok" if outcome.outcome is Outcome.OK else outcome.outcome.value.upper()
    dropped = sum(outcome.dropped.values())
    counts = _count(outcome.series, "series", "series")
    if dropped:
        counts += f" ({dropped} dropped)"
    yield f"  {rule.rule.id}: {mark}, {counts}{_made(rule)}"
    if outcome.error:
        yield f"      {outcome.error}"
    if not rule.edges and not rule.nodes:
        yield f"      query: {_shortened(' '.join(rule.rule.query.split()))}"
    for warning in outcome.warnings:
        yield f"      Prometheus warns: {warning}"
    for hint in rule.hints:
        yield f"      {hint}"


def _shortened(query: str) -> str:
    if len(query) <= _QUERY_CHARACTERS:
        return query
    return f"{query[:_QUERY_CHARACTERS]}... ({len(query):,} characters; --json has them all)"


def _made(rule: RuleReport) -> str:
    edges = listed((f"{visible(source)} > {visible(target)}" for source, target in rule.edges), _FEW)
    nodes = f"{_count(len(rule.nodes), 'node')} ({listed(map(visible, rule.nodes), _FEW)})"
    if isinstance(rule.rule, ConnectionRule):
        if not rule.edges:
            return ", no edges"
        return f": {_count(len(rule.nodes), 'node')}, {_count(len(rule.edges), 'edge')} ({edges})"
    if isinstance(rule.rule, MeasurementRule):
        if not rule.nodes:
            return ", nothing measured"
        of = f"{_count(len(rule.edges), 'edge')} ({edges})" if rule.edges else nodes
        return f": {rule.rule.measure} of {of}"
    return f": {nodes}" if rule.nodes else ", no nodes"


def _verdict(report: Report) -> str:
    edges = {(rule.cluster, *pair) for rule in report.rules for pair in rule.edges}
    regions = {cluster for cluster, *_ in edges} - {GLOBAL_LEVEL}
    shows = (
        "The graph would be empty"
        if report.empty
        else f"The graph would show {_count(len(edges), 'edge')} and {_count(len(regions), 'cluster')}"
    )
    failed = f", and {_count(len(report.failed), 'rule is', 'rules are')} in error" if report.failed else ""
    return f"{shows}{failed}."


def _count(number: int, one: str, many: str | None = None) -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"
