"""Small configurations and scrapes for tests, with everything that a test does not care about filled in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache

from vistio_core.configuration import Configuration, loads
from vistio_core.events import Measurement, Outcome, RuleOutcome, Sample, Scrape
from vistio_core.times import SECOND_MS, parse_instant

INTERVAL_MS = 10 * SECOND_MS
START_MS = parse_instant("2026-11-23T05:00:00Z", now_ms=0)

MESH = """\
graphName: Test mesh
globalLevel:
  maxVolume: 2000
  clusterConnections:
    - name: ingress
      query: ingress_rate
      prometheusURL: http://127.0.0.1:9090
      source: {replacement: INTERNET}
      target: {replacement: mesh}
      status: {label: code, warningRegex: "^4..$", dangerRegex: "^5..$"}
clusterLevel:
  - cluster: mesh
    maxVolume: 500
    serviceConnections:
      - name: http
        query: http_rate
        prometheusURL: http://127.0.0.1:9090
        source: {label: source}
        target: {label: target, class: service}
        status: {label: code, warningRegex: "^4..$", dangerRegex: "^5..$"}
        notices:
          - title: "[{{ .value }}] High error rate"
            statusType: danger
            severityThreshold: {info: 0.01, warning: 0.05, error: 0.2}
    serviceNotices:
      - name: saturation
        title: "{{ .service }} is saturated: {{ .value }}"
        query: saturation
        prometheusURL: http://127.0.0.1:9090
        severityThreshold: {warning: 0.8, error: 0.95}
        service: {label: service}
"""


@cache
def mesh(**replacements: str) -> Configuration:
    """The configuration of these tests; ``mesh(http="grpc")`` replaces words in its text.

    It cannot be changed, and most tests ask for it again and again.
    """
    text = MESH
    for old, new in replacements.items():
        text = text.replace(old, new)
    return loads(text)


def outcomes(**by_rule: str) -> tuple[RuleOutcome, ...]:
    """The outcomes of all rules of `MESH`: ok, unless ``http="failed"`` says otherwise."""
    rules = {"ingress": "", "http": "mesh", "saturation": "mesh"}
    return tuple(
        RuleOutcome(
            cluster,
            rule,
            Outcome(by_rule.get(rule, "ok")),
            error=f"{rule} did not answer" if by_rule.get(rule, "ok") != "ok" else "",
            series=1,
            duration_ms=2.5,
        )
        for rule, cluster in rules.items()
    )


def edges(rates: Mapping[str, float], rule: str = "http", cluster: str = "mesh") -> list[Sample]:
    """Samples from ``{"a>b 200": 1.5}``."""
    samples = []
    for text, rate in rates.items():
        pair, _, status = text.partition(" ")
        source, _, target = pair.partition(">")
        samples.append(Sample(cluster, rule, source, target, status, rate))
    return samples


def scrape(
    instant_ms: int,
    samples: Iterable[Sample] | Mapping[str, float] = (),
    *,
    configuration: Configuration | None = None,
    measurements: Iterable[Measurement] = (),
    backfilled: bool = False,
    interval_ms: int = INTERVAL_MS,
    **by_rule: str,
) -> Scrape:
    """A scrape of `MESH` at an instant."""
    return Scrape(
        instant_ms,
        interval_ms,
        (configuration or mesh()).hash,
        outcomes(**by_rule),
        tuple(edges(samples) if isinstance(samples, Mapping) else samples),
        tuple(measurements),
        backfilled,
    )


def all_failed() -> dict[str, str]:
    """Keywords for `scrape`: no rule was answered."""
    return {"ingress": "failed", "http": "timeout", "saturation": "failed"}
