"""Records four weeks of a made-up shop, for month.ipynb: it grows, changes, fails twice, and was not always seen.

    python examples/month.py month-recording                            # the four weeks until now
    python examples/month.py month-recording --end 2026-11-01T00:00:00Z

An instant each hour, written as any program may write a recording: a configuration, then scrapes. What it says of
an instant depends on nothing but the day of the month.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import click

import vistio_core as vistio
from vistio_core.times import DAY_MS, HOUR_MS, align, parse_instant, system_now_ms

DAYS = 28
INTERVAL_MS = HOUR_MS
CONFIGURATION = """
graphName: A month of a shop
globalLevel:
  clusterConnections:
    - name: ingress
      query: sum by (code) (rate(requests_total{source="INTERNET"}[1h]))
      prometheusURL: http://prometheus:9090
      source: {replacement: INTERNET}
      target: {replacement: shop}
      status: &status {label: code, warningRegex: "^4..$", dangerRegex: "^5..$"}
clusterLevel:
  - cluster: shop
    serviceConnections:
      - name: http
        query: sum by (source, destination, code) (rate(requests_total[1h]))
        prometheusURL: http://prometheus:9090
        source: {label: source}
        target: {label: destination}
        status: *status
        notices:
          - title: "[{{ .value }}] High error rate"
            statusType: danger
            severityThreshold: {warning: 0.05}
"""
# Caller, called, calls for each request that enters, and the days of the month from and until which it is there.
CALLS = (
    ("INTERNET", "web", 1.0, 0, DAYS),
    ("web", "search", 0.5, 0, DAYS),
    ("web", "cart", 0.2, 0, DAYS),
    ("web", "checkout", 0.06, 0, DAYS),
    ("checkout", "payment", 0.06, 0, DAYS),
    ("checkout", "fraud-check", 0.06, 9, DAYS),  # new
    ("web", "recommend-v1", 0.4, 0, 17),  # replaced
    ("web", "recommend-v2", 0.4, 17, DAYS),
    ("search", "index", 0.9, 0, DAYS),
    ("cart", "redis", 0.6, 0, DAYS),
)
MARKS = (
    (9, "deployment", "checkout 4.2 asks fraud-check", "checkout"),
    (17, "deployment", "recommend 2.0 replaces 1.x", "recommend-v2"),
    (23, "flag", "search: new ranking for everybody", "search"),
)


def failing(day: float, called: str) -> float:
    """The share of calls that fail: payment badly for three hours, then search a little for a day and a half."""
    if called == "payment" and 12.5 <= day < 12.625:
        return 0.6
    if called in ("search", "index") and 23 <= day < 24.5:
        return 0.02
    return 0.0004


def passed_on(day: float) -> float:
    """The share of what enters that fails: what calls failed, by how many requests make them."""
    return sum(share * failing(day, called) for _, called, share, _, _ in CALLS[1:5]) + 0.0005


def scrape(instant_ms: int, day: float, configuration: str) -> vistio.Scrape:
    """What was seen at an instant."""
    of_week, of_day = 1 - 0.25 * (int(day) % 7 >= 5), 1 + 0.4 * math.sin(2 * math.pi * (day - 0.3))
    entering_rps = 200 * (1 + 0.012 * day) * of_week * of_day
    samples = []
    for caller, called, calls, first, last in CALLS:
        if first <= day < last:
            growth = 1 + 0.03 * day if called == "index" else 1.0  # faster than the rest
            share = passed_on(day) if called == "web" else failing(day, called)
            rps = entering_rps * calls * growth
            levels = [("shop", "http", caller, called)]
            if caller == "INTERNET":
                levels.append(("", "ingress", caller, "shop"))
            for level in levels:
                samples += [
                    vistio.Sample(*level, "200", rps * (1 - share)),
                    vistio.Sample(*level, "503", rps * share),
                ]
    answered = [("", "ingress", True), ("shop", "http", not 5 <= day < 5.25)]
    outcomes = tuple(
        vistio.RuleOutcome(cluster, rule, vistio.Outcome.OK, series=len(samples))
        if ok
        else vistio.RuleOutcome(cluster, rule, vistio.Outcome.TIMEOUT, error="no answer within 8 s")
        for cluster, rule, ok in answered
    )
    seen = tuple(each for each in samples if answered[each.cluster == "shop"][2])
    return vistio.Scrape(instant_ms, INTERVAL_MS, configuration, outcomes, seen)


def scrapes(end_ms: int, configuration: str) -> Iterator[vistio.Scrape]:
    """The four weeks before ``end_ms``, but for six hours in which nobody recorded."""
    start_ms = end_ms - DAYS * DAY_MS
    for instant_ms in range(start_ms, end_ms, INTERVAL_MS):
        day = (instant_ms - start_ms) / DAY_MS
        if not 20 <= day < 20.25:
            yield scrape(instant_ms, day, configuration)


@click.command()
@click.argument("place")
@click.option("--end", default="now", help="Where the month ends, exclusive.")
def main(place: str, end: str) -> None:
    """Record the four weeks before END into the directory PLACE."""
    end_ms = align(parse_instant(end, now_ms=system_now_ms()), HOUR_MS)
    recording = vistio.Recording.open(place, create=True)
    with recording.writer() as writer:
        configuration = writer.put_configuration(vistio.loads(CONFIGURATION))
        for each in scrapes(end_ms, configuration):
            writer.commit(each)
    for day, kind, text, node in MARKS:
        recording.annotate(text, end_ms - (DAYS - day) * DAY_MS, kind=kind, cluster="shop", node=node)
    click.echo(f"a month in {place}")


if __name__ == "__main__":
    main()
