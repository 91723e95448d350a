"""A mesh whose calls take time and fail, told in a line each: for questions about latency and errors."""

from __future__ import annotations

from collections.abc import Mapping

from vistio_core.configuration import loads
from vistio_core.events import Measurement, Outcome, RuleOutcome, Sample, Scrape

_ASKED = "query: q, prometheusURL: 'http://127.0.0.1:9090'"
_ENDS = "source: {label: a, class: service}, target: {label: b, class: service}"
CALLS = loads(f"""\
globalLevel: {{}}
clusterLevel:
  - cluster: mesh
    serviceConnections:
      - {{name: http, {_ASKED}, {_ENDS}, status: {{label: code, warningRegex: ^4..$, dangerRegex: ^5..$}}}}
    serviceMeasurements:
      - {{name: mean, measure: latency_mean_ms, {_ASKED}, {_ENDS}}}
      - {{name: itself, measure: took_s, {_ASKED}, service: {{label: a, class: service}}}}
classes: [{{name: service, color: blue}}]
""")
"""A rule for traffic, one for what a request takes on its way, and one for what it takes in a node."""

Call = tuple[float, float, float]
"""Requests a second, the share of them that fails, and milliseconds a request."""


def calls(
    instant_ms: int, told: Mapping[str, Call], *, nodes_s: Mapping[str, float] | None = None, failed: str = ""
) -> Scrape:
    """A scrape of `CALLS`: ``{"cart>db": (20.0, 0.1, 4.0)}``; the rule that failed told nothing.

    What a request takes is measured of calls, or where ``nodes_s`` says it, of nodes.
    """
    samples: list[Sample] = []
    measured: list[Measurement] = []
    for pair, (rps, failing, ms) in told.items():
        source, _, target = pair.partition(">")
        if failed != "http":
            samples.append(Sample("mesh", "http", source, target, "200", rps * (1 - failing)))
            samples.append(Sample("mesh", "http", source, target, "500", rps * failing))
        if failed != "mean" and nodes_s is None:
            measured.append(Measurement("mesh", "mean", source, target, "latency_mean_ms", ms))
    for node, took_s in (nodes_s or {}).items():
        measured.append(Measurement("mesh", "itself", node, None, "took_s", took_s))
    outcomes = [
        RuleOutcome(cluster, rule.id, Outcome.TIMEOUT, "too slow")
        if rule.id == failed
        else RuleOutcome(cluster, rule.id, Outcome.OK)
        for cluster, rule in CALLS.rules()
    ]
    return Scrape(instant_ms, 10_000, CALLS.hash, tuple(outcomes), samples, tuple(measured))
