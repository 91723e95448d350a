"""The part of a check that asks: every rule once, then the servers about the metrics in its query."""

from __future__ import annotations

import time
from difflib import get_close_matches

from vistio_core.errors import SourceError
from vistio_core.events import Outcome
from vistio_record.check import Clue, Report, analyse
from vistio_record.promql_names import metric_names
from vistio_record.sources.probes import Probe
from vistio_record.sources.prometheus import PrometheusSource

_MOST_METRICS = 3


def check(source: PrometheusSource, instant_ms: int, timeout_s: float) -> Report:
    """What each rule sees at ``instant_ms``, explained. Clues share one more ``timeout_s``."""
    probes = source.probe(instant_ms, timeout_s)
    deadline_s = time.monotonic() + timeout_s
    known: dict[tuple[str, str], Clue | None] = {}
    clues: dict[tuple[str, str], list[Clue]] = {}
    for probe in probes:
        if probe.outcome.outcome is not Outcome.OK:
            continue
        for metric in metric_names(probe.rule.query)[:_MOST_METRICS]:
            key = (probe.rule.prometheus_url, metric)
            left_s = deadline_s - time.monotonic()
            if key not in known and left_s > 0:
                known[key] = _ask(source, probe, metric, instant_ms, left_s)
            clue = known.get(key)
            if clue is not None:
                clues.setdefault((probe.cluster, probe.rule.id), []).append(clue)
    return analyse(source.configuration, probes, clues)


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
