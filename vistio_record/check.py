"""Why a graph is empty, or not what was meant: the analysis, without I/O and without printing.

`analyse` takes what each rule saw once (`Probe`) and what the servers know about the metrics that
a query names (`Clue`), and gives a `Report`: rule by rule, then findings about the whole graph.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches

import attrs

from vistio_core.configuration.model import (
    Configuration,
    ConnectionRule,
    NodeMapping,
    StatusMapping,
    mappings_of,
)
from vistio_core.events import Measurement, Outcome, Sample
from vistio_record.check_ends import ends_findings
from vistio_record.check_graph import graph_findings
from vistio_record.check_report import Finding, Report, RuleReport, listed
from vistio_record.check_series import Seen, gateway_names, series_findings, window_findings
from vistio_record.check_vistio import vistio_differences
from vistio_record.presets import Chosen
from vistio_record.sources.probes import Probe
from vistio_record.sources.windows import Sampled

__all__ = ["Clue", "Finding", "Report", "RuleReport", "Seen", "analyse"]


@attrs.frozen
class Clue:
    """What a server knows about a metric that a rule's query names."""

    metric: str
    labels: Mapping[str, str] | None
    """The labels of one of its series; None when it has none at the instant."""
    similar: tuple[str, ...] = ()
    """Names like it that the server has, when it does not have this one."""


def analyse(
    configuration: Configuration,
    probes: Sequence[Probe],
    clues: Mapping[tuple[str, str], Sequence[Clue]] | None = None,
    seen: Sequence[Seen] = (),
    chosen: Chosen | None = None,
    sampled: Sequence[Sampled] = (),
) -> Report:
    """What ``probes`` mean.

    Args:
        configuration: the one whose rules were evaluated.
        probes: one for each of its rules.
        clues: by cluster and rule id; rules without any get fewer hints.
        seen: series of the metrics that they select, as they are before any rule.
        chosen: the preset that the configuration is, with its parameters; None if it is none.
        sampled: how often what they look at is scraped.
    """
    rules = tuple(
        _rule_report(probe, (clues or {}).get((probe.cluster, probe.rule.id), ())) for probe in probes
    )
    nodes = {name for rule in rules for name in rule.nodes}
    of_graph = tuple(graph_findings(configuration, rules, chosen, gateway_names(seen, chosen)))
    entered = all(finding.kind != "nothing-enters" for finding in of_graph)
    of_series = series_findings(seen, nodes, chosen, entered=entered)
    differences = () if chosen else tuple(vistio_differences(configuration, rules))
    return Report(
        rules, (*of_graph, *ends_findings(probes), *of_series, *window_findings(sampled)), differences
    )


def _rule_report(probe: Probe, clues: Sequence[Clue]) -> RuleReport:
    edges: defaultdict[tuple[str, str], float] = defaultdict(float)
    for sample in probe.samples:
        edges[sample.source, sample.target] += sample.rate
    for measurement in probe.measurements:
        if measurement.target:
            edges[measurement.source, measurement.target] += 0.0
    nodes = {name for pair in edges for name in pair} | {m.source for m in probe.measurements}
    return RuleReport(
        probe.cluster,
        probe.rule,
        probe.outcome,
        dict(sorted(edges.items())),
        tuple(sorted(nodes)),
        probe.measurements,
        (
            *_empty_hints(probe, clues),
            *_drop_hints(probe, clues),
            *_default_hints(probe),
            *_reporter_hints(probe, clues),
        ),
    )


def _empty_hints(probe: Probe, clues: Sequence[Clue]) -> Iterable[str]:
    if probe.outcome.outcome is not Outcome.OK or probe.outcome.series:
        return
    for clue in clues:
        if clue.labels is None:
            like = f"; it has {listed(clue.similar)}" if clue.similar else ""
            yield f"the server has no series of {clue.metric} at this instant{like}"
        else:
            yield (
                f"{clue.metric} exists, but the query selects none of it, or too little for a rate;"
                f" one of its series is {_series(clue.labels)}"
            )
    if not clues:
        yield "the query found nothing; try it without its label matchers in Prometheus' own page"


def _drop_hints(probe: Probe, clues: Sequence[Clue]) -> Iterable[str]:
    for reason, labels in probe.examples.items():
        count = probe.outcome.dropped.get(reason, 0)
        yield f"{count} dropped, {reason}; such a series has {_series(labels)}"
    for field in _missing_fields(probe):
        exist = {name for clue in clues for name in clue.labels or ()} - {"__name__"}
        known = [label for label in field if label in exist]
        for label in known:
            yield f"{label} exists, but the query does not keep it: add it to its by (...)"
        if exist and not known:
            like = _like(field[0], exist)
            instead = f"; {like[0]} looks like it" if like else ""
            metrics = listed(clue.metric for clue in clues)
            yield f"no label {' or '.join(field)} on {metrics}{instead}; its labels: {listed(sorted(exist), 30)}"


def _default_hints(probe: Probe) -> Iterable[str]:
    """What no series has, although nothing was dropped for it."""
    facts: Sequence[Sample | Measurement] = probe.samples or probe.measurements
    if not facts:
        return
    for mapping, names in zip(
        mappings_of(probe.rule),
        ({fact.source for fact in facts}, {fact.target for fact in facts}),
        strict=False,
    ):
        if mapping.fields and names == {mapping.default}:
            yield f"every node is the default {mapping.default}: no series has a value for {_texts(mapping)}"
    status = probe.rule.status if isinstance(probe.rule, ConnectionRule) else None
    if status is not None and all(sample.status == "" for sample in probe.samples):
        yield f"all of it is normal: no series has a value for the status, {_texts(status)}"


def _texts(mapping: NodeMapping | StatusMapping) -> str:
    return mapping.template or " or ".join(label for field in mapping.fields for label in field)


def _missing_fields(probe: Probe) -> list[tuple[str, ...]]:
    """The alternatives, of each text that names a node, of which a dropped series has none."""
    fields = (field for mapping in mappings_of(probe.rule) for field in mapping.fields)
    return [
        field
        for field in dict.fromkeys(fields)
        if any(labels.keys().isdisjoint(field) for labels in probe.examples.values())
    ]


def _like(label: str, names: Iterable[str]) -> list[str]:
    """Labels that may have taken the place of ``label``: those that begin with the same word first."""
    word = label.split("_")[0]
    same = [name for name in sorted(names) if name.split("_")[0] == word]
    preferred = [name for name in same if "canonical_service" in name]
    return (
        preferred or get_close_matches(label, same, 3, 0) or get_close_matches(label, sorted(names), 3, 0.5)
    )


def _reporter_hints(probe: Probe, clues: Sequence[Clue]) -> Iterable[str]:
    for clue in clues:
        if "reporter" in (clue.labels or {}) and "reporter" not in probe.rule.query:
            yield (
                f"{clue.metric} is reported by both ends of a request and the query takes both, so each"
                ' counts twice; select reporter="destination" (or "source")'
            )


def _series(labels: Mapping[str, str]) -> str:
    shown = [f'{name}="{value}"' for name, value in sorted(labels.items())]
    return "{" + listed(shown, 30) + "}" if shown else "no labels at all"
