"""The part of a check that asks: every rule once, then the servers about the metrics in its query."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from contextlib import suppress
from difflib import get_close_matches

from vistio_core.configuration.model import ConnectionRule, mappings_of
from vistio_core.errors import SourceError
from vistio_core.events import Outcome
from vistio_record.check import Clue, Report, Seen, analyse
from vistio_record.presets import Chosen
from vistio_record.sources.probes import Probe
from vistio_record.sources.prometheus import PrometheusSource
from vistio_record.sources.promql_names import metric_names, windows
from vistio_record.sources.windows import Sampled

_MOST_METRICS = 3
_MOST_SERIES = 2_000
_WINDOW = re.compile(r"\[(\w+)\]")

# Of Istio's many series, what says who they are.
_ISTIO = (
    "reporter, source_workload, source_workload_namespace, source_canonical_service, destination_workload,"
    " destination_workload_namespace, destination_canonical_service, destination_service_name,"
    " destination_service_namespace"
)


def check(
    source: PrometheusSource, instant_ms: int, timeout_s: float, chosen: Chosen | None = None
) -> Report:
    """What each rule sees at ``instant_ms``, explained. What else is asked shares one more ``timeout_s``."""
    probes = source.probe(instant_ms, timeout_s)
    deadline_s = time.monotonic() + timeout_s
    known: dict[tuple[str, str], Clue | None] = {}
    clues: dict[tuple[str, str], list[Clue]] = {}
    for probe in probes:
        if probe.outcome.outcome is not Outcome.OK and not probe.examples:
            continue
        for metric in metric_names(probe.rule.query)[:_MOST_METRICS]:
            key = (probe.rule.prometheus_url, metric)
            left_s = deadline_s - time.monotonic()
            if key not in known and left_s > 0:
                known[key] = _ask(source, probe, metric, instant_ms, left_s)
            clue = known.get(key)
            if clue is not None:
                clues.setdefault((probe.cluster, probe.rule.id), []).append(clue)
    there = {key for key, clue in known.items() if clue is not None and clue.labels is not None}
    seen = _look(source, probes, there, instant_ms, deadline_s)
    sampled = _count(source, probes, instant_ms, deadline_s)
    return analyse(source.configuration, probes, clues, seen, chosen, sampled)


def _ask(
    source: PrometheusSource, probe: Probe, metric: str, instant_ms: int, timeout_s: float
) -> Clue | None:
    """A clue, or None when the server does not tell: a check without it is still a check."""
    try:
        labels = source.example(metric, probe.rule, instant_ms, timeout_s)
        if labels is not None:
            return Clue(metric, labels)
        names = source.metric_names(probe.rule, timeout_s)
        return Clue(metric, None, tuple(get_close_matches(metric, names, 3, 0.6)))
    except SourceError:
        return None


def _look(
    source: PrometheusSource,
    probes: Sequence[Probe],
    metrics: set[tuple[str, str]],
    instant_ms: int,
    deadline_s: float,
) -> list[Seen]:
    """Series of the metrics that requests are counted by, as far as there is time."""
    seen = []
    for probe in probes:
        rule = probe.rule
        if not isinstance(rule, ConnectionRule):
            continue
        window = _WINDOW.search(rule.query)
        for metric in metric_names(rule.query)[:_MOST_METRICS]:
            key = rule.prometheus_url, metric
            if key not in metrics or deadline_s <= time.monotonic():
                continue
            metrics.discard(key)
            growth = f"rate({metric}[{window[1]}])" if window else metric
            questions = {f"topk({_MOST_SERIES}, {growth})": True}
            if metric == "istio_requests_total":
                questions[f"topk({_MOST_SERIES}, sum by ({_ISTIO}) ({growth}))"] = False
            labels = {label for mapping in mappings_of(rule) for field in mapping.fields for label in field}
            for question, whole in questions.items():
                left_s = max(deadline_s - time.monotonic(), 0.001)
                try:
                    series = source.series(question, rule, instant_ms, left_s)
                except SourceError:
                    continue  # a check without it is still a check
                seen.append(Seen(metric, series, frozenset(labels), whole))
    return seen


def _count(
    source: PrometheusSource, probes: Sequence[Probe], instant_ms: int, deadline_s: float
) -> list[Sampled]:
    """How often that is scraped of which the rules' queries take rates, as far as there is time."""
    found: list[Sampled] = []
    for probe in {(probe.rule.prometheus_url, windows(probe.rule.query)): probe for probe in probes}.values():
        left_s = max(deadline_s - time.monotonic(), 0.001)
        with suppress(SourceError):  # a check without it is still a check
            found += source.sampled(probe.rule, instant_ms, left_s)
    return found
