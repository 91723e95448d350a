"""Why a graph is empty, or not what was meant: the analysis, without I/O and without printing.

`analyse` takes what each rule saw once (`Probe`) and what the servers know about the metrics that
a query names (`Clue`), and gives a `Report`: rule by rule, then findings about the whole graph.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from itertools import combinations

import attrs

from vistio_core.configuration.model import (
    Configuration,
    ConnectionRule,
    NodeMapping,
    Rule,
    StatusMapping,
    mappings_of,
)
from vistio_core.events import GLOBAL_LEVEL, Measurement, Outcome, RuleOutcome, Sample
from vistio_record.sources.probes import Probe

# Two rules count the same traffic when their rates on a shared edge differ by less than this share.
_SIMILAR = 0.1

Edges = Mapping[tuple[str, str], float]


@attrs.frozen
class Clue:
    """What a server knows about a metric that a rule's query names."""

    metric: str
    labels: Mapping[str, str] | None
    """The labels of one of its series; None when it has none at the instant."""
    similar: tuple[str, ...] = ()
    """Names like it that the server has, when it does not have this one."""


@attrs.frozen
class RuleReport:
    """What one rule saw, and what would make it see more."""

    cluster: str
    rule: Rule
    outcome: RuleOutcome
    edges: Edges
    """(source, target) to requests per second, sorted by name; 0 for those of a measurement rule."""
    nodes: tuple[str, ...]
    """Nodes that edges, notices or measurements name, sorted."""
    measurements: tuple[Measurement, ...]
    """As the source gave them."""
    hints: tuple[str, ...]
    """For a person, one sentence each."""


@attrs.frozen
class Finding:
    """Something about the graph as a whole."""

    kind: str
    """``empty``, ``cannot-be-entered``, ``not-reached``, ``counted-twice``, ``two-names`` or ``apart``."""
    cluster: str
    """The level that it is about; ``GLOBAL_LEVEL`` for the global one."""
    message: str


@attrs.frozen
class Report:
    """The result of a check."""

    rules: tuple[RuleReport, ...]
    findings: tuple[Finding, ...]

    @property
    def failed(self) -> tuple[RuleReport, ...]:
        return tuple(rule for rule in self.rules if rule.outcome.outcome is not Outcome.OK)

    @property
    def empty(self) -> bool:
        return not any(rule.edges for rule in self.rules)

    @property
    def good(self) -> bool:
        """Whether a graph would show and no rule is in error."""
        return not self.empty and not self.failed


def analyse(
    configuration: Configuration,
    probes: Sequence[Probe],
    clues: Mapping[tuple[str, str], Sequence[Clue]] | None = None,
) -> Report:
    """What ``probes`` mean.

    Args:
        configuration: the one whose rules were evaluated.
        probes: one for each of its rules.
        clues: by cluster and rule id; rules without any get fewer hints.
    """
    rules = tuple(
        _rule_report(probe, (clues or {}).get((probe.cluster, probe.rule.id), ())) for probe in probes
    )
    levels = _levels(configuration, rules)
    findings: list[Finding] = []
    if not any(rule.edges for rule in rules):
        findings.append(Finding("empty", GLOBAL_LEVEL, "no rule makes an edge: the page would stay blank"))
    else:
        findings.extend(_not_enterable(configuration, levels))
    for cluster, edges in levels.items():
        findings.extend(_not_reached(cluster, edges))
        findings.extend(_two_names(cluster, {name for pair in edges for name in pair}))
    findings.extend(_counted_twice(rules))
    findings.extend(_apart(rules))
    return Report(rules, tuple(findings))


def level_name(cluster: str) -> str:
    """How a level is called in a sentence."""
    return "the global level" if cluster == GLOBAL_LEVEL else f"cluster {cluster}"


def listed(names: Iterable[str], most: int = 5) -> str:
    """The first few of ``names`` in a sentence: ``a, b, c and 7 more``."""
    every = list(names)
    rest = len(every) - most
    return ", ".join(every[:most]) + (f" and {rest} more" if rest > 0 else "")


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


def _levels(
    configuration: Configuration, rules: Iterable[RuleReport]
) -> dict[str, dict[tuple[str, str], float]]:
    levels: dict[str, dict[tuple[str, str], float]] = {GLOBAL_LEVEL: {}}
    levels |= {cluster.cluster: {} for cluster in configuration.clusters}
    for rule in rules:
        level = levels[rule.cluster]
        for pair, rate in rule.edges.items():
            level[pair] = level.get(pair, 0.0) + rate
    return levels


def _not_enterable(configuration: Configuration, levels: Mapping[str, Edges]) -> Iterable[Finding]:
    names = sorted({name for pair in levels[GLOBAL_LEVEL] for name in pair})
    for cluster in configuration.clusters:
        if cluster.cluster in names:
            continue
        has = f"it has {listed(names, 8)}" if names else "it has no nodes"
        near = get_close_matches(cluster.cluster, names, 1, 0.5)
        remedy = f"; did you mean {near[0]}?" if near else ""
        yield Finding(
            "cannot-be-entered",
            cluster.cluster,
            f"cluster {cluster.cluster} cannot be entered: no node of the global level has its name;"
            f" {has}{remedy}",
        )


def _not_reached(cluster: str, edges: Edges) -> Iterable[Finding]:
    targets: defaultdict[str, set[str]] = defaultdict(set)
    for source, target in edges:
        targets[source].add(target)
    called = {target for _, target in edges}
    entries = sorted(set(targets) - called)
    reached, todo = set(entries), list(entries)
    while todo:
        for target in targets.get(todo.pop(), ()):
            if target not in reached:
                reached.add(target)
                todo.append(target)
    lost = sorted({*targets, *called} - reached)
    if lost:
        who = f"the entry nodes are {listed(entries)}" if entries else "there is no entry node"
        yield Finding(
            "not-reached",
            cluster,
            f"in {level_name(cluster)} no entry node (one that calls and is not called) reaches"
            f" {listed(lost)}; {who}. Is a rule for the traffic from outside missing?",
        )


def _two_names(cluster: str, names: set[str]) -> Iterable[Finding]:
    """Services that appear under a short name and a host name: two label families, two nodes."""
    families: defaultdict[str, list[str]] = defaultdict(list)
    for name in names:
        first = name.partition(".")[0]
        # Of an IP address the first part says nothing.
        if first and not first.isdigit():
            families[first].append(name)
    pairs = []
    for _, family in sorted(families.items()):
        family.sort(key=lambda name: (len(name), name))
        for short, long in combinations(family, 2):
            if long.startswith(f"{short}."):
                pairs.append(f"{short} and {long}")
                break
    if pairs:
        yield Finding(
            "two-names",
            cluster,
            f"in {level_name(cluster)} these look like one service under two names: {listed(pairs)};"
            " map both ends from the same kind of label, or cut the host name with a regex such as ^([^.]+)",
        )


def _counted_twice(rules: Iterable[RuleReport]) -> Iterable[Finding]:
    for one, other in combinations((rule for rule in rules if rule.edges), 2):
        if one.cluster != other.cluster or _two_witnesses(one.rule, other.rule):
            continue
        shared = [pair for pair in one.edges if pair in other.edges]
        same = [pair for pair in shared if _similar(one.edges[pair], other.edges[pair])]
        if same and 2 * len(same) >= len(shared):
            (source, target), rates = same[0], f"{one.edges[same[0]]:.2f} and {other.edges[same[0]]:.2f}"
            yield Finding(
                "counted-twice",
                one.cluster,
                f"in {level_name(one.cluster)} the rules {one.rule.id} and {other.rule.id} see"
                f" {len(same)} edges with nearly the same rates ({source} to {target}: {rates} requests/s);"
                " if it is the same traffic it counts twice: is each the report of one end?",
            )


def _two_witnesses(one: Rule, other: Rule) -> bool:
    """Whether one reports what the callers say and the other what the called side says."""
    reporters = {rule.witness for rule in (one, other) if isinstance(rule, ConnectionRule)}
    return len(reporters - {None}) == 2


def _apart(rules: Sequence[RuleReport]) -> Iterable[Finding]:
    """Rules about nodes none of which has requests: named by other labels, they land on nodes of their own."""
    for rule in rules:
        if isinstance(rule.rule, ConnectionRule) or not rule.nodes:
            continue
        busy = {
            name
            for other in rules
            if other.cluster == rule.cluster and isinstance(other.rule, ConnectionRule)
            for name in other.nodes
        }
        if busy and busy.isdisjoint(rule.nodes):
            yield Finding(
                "apart",
                rule.cluster,
                f"in {level_name(rule.cluster)} the rule {rule.rule.id} is about {listed(rule.nodes)}, none of which"
                f" has requests; those that have are {listed(sorted(busy))}. Does it name its nodes by other labels?",
            )


def _similar(one: float, other: float) -> bool:
    larger = max(abs(one), abs(other))
    return larger > 0 and abs(one - other) <= _SIMILAR * larger
