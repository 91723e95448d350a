"""Nezha's Train Ticket: spans, reduced to requests and latencies at both ends of every edge each ten seconds. Pure.

    bucket_s,source,target,requests,callee_us_sum,caller_us_sum
    1674981720,ts-basic-service,ts-price-service,2,15168,19482

The stretches of buckets in which spans were collected lie minutes apart. Counters are scraped where a stretch begins
and at the end of each of its buckets, and nowhere between two of them: there, nobody looked. All edges of a day are
exposed from the start on, with 0 where nothing happened yet.
"""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path

import attrs

from incidents.stories import Harder, Question, Series, Story
from vistio_core.configuration import Configuration
from vistio_core.events import Measurement, Outcome, RuleOutcome, Sample, Scrape
from vistio_core.times import MINUTE_MS

BUCKET_MS = 10_000
LASTS_MS = 3 * MINUTE_MS
"""A fault, by the data set's README."""
LEAST_NORMAL_MS = MINUTE_MS // 2
"""A stretch begins half a minute to two before its fault."""
_CONFIGURATION = Path(__file__).with_name("nezha.yaml")
_ENDS = (("called", "received"), ("caller", "sent"))
"""Who reports, and what the rules about that are called."""


@attrs.frozen
class Calls:
    """What happened on one edge in one bucket."""

    requests: int
    us: Mapping[str, int]
    """How long they took, microseconds added, by who says so."""


Buckets = Mapping[int, Mapping[tuple[str, str], Calls]]
"""By the bucket's end in milliseconds, ascending; then by source and target."""


def stories(data: Path, harder: Harder) -> Iterator[Story]:
    """Each day is one."""
    faults = json.loads((data / "faults.json").read_text())
    for path in sorted(data.glob("edges-*.csv.gz")):
        buckets = read(path, harder)
        ends = list(buckets)
        firsts = [ends[0], *(late for early, late in pairwise(ends) if late - early > BUCKET_MS)]
        own = [fault for fault in faults if ends[0] <= fault["at_s"] * 1000 < ends[-1]]
        faults_ms = [fault["at_s"] * 1000 for fault in own]
        incidents = [
            Question(fault["type"], fault["service"], at_ms, at_ms + LASTS_MS)
            for fault, at_ms in zip(own, faults_ms, strict=True)
        ]
        yield Story(
            "nezha",
            path.name.partition(".")[0],
            _CONFIGURATION,
            BUCKET_MS,
            (ends[0], ends[-1] + 1),
            (*incidents, *_calm([end_ms - BUCKET_MS for end_ms in firsts], faults_ms)),
            partial(exposed, buckets, faults_ms, harder),
            partial(told, buckets, faults_ms, harder),
        )


def read(path: Path, harder: Harder) -> Buckets:
    """A file, without the edges that are not seen."""
    found: dict[int, dict[tuple[str, str], Calls]] = {}
    with gzip.open(path, "rt") as lines:
        for row in csv.DictReader(lines):
            bucket = found.setdefault(int(row["bucket_s"]) * 1000 + BUCKET_MS, {})
            ends = row["source"], row["target"]
            if harder.sees(*ends):
                us = {"called": int(row["callee_us_sum"]), "caller": int(row["caller_us_sum"])}
                bucket[ends] = Calls(int(row["requests"]), us)
    return dict(sorted(found.items()))


def _calm(starts: Sequence[int], faults_ms: Sequence[int]) -> Iterator[Question]:
    """The beginnings of stretches, up to their faults. What comes between two faults of one stretch is not calm."""
    for fault_ms in faults_ms:
        start_ms = max((start for start in starts if start <= fault_ms), default=fault_ms)
        if not any(start_ms <= other < fault_ms for other in faults_ms) and (
            fault_ms - start_ms >= LEAST_NORMAL_MS
        ):
            yield Question("before a fault", None, start_ms, fault_ms)


def exposed(buckets: Buckets, faults_ms: Sequence[int], harder: Harder) -> Iterator[Series]:
    """Counters of requests and of seconds, for each edge and end, and `up`."""
    ends, times = list(buckets), list[int]()
    for place, end_ms in enumerate(ends):
        if place == 0 or end_ms - ends[place - 1] > BUCKET_MS:
            times.append(end_ms - BUCKET_MS)
        times.append(end_ms)
    scraped = [at_ms for at_ms in times if harder.scraped(at_ms, faults_ms)]
    yield Series("up", {"job": "mesh"}, [(at_ms, 1.0) for at_ms in scraped])
    edges = sorted({edge for bucket in buckets.values() for edge in bucket})
    for reporter, _ in _ENDS:
        for edge in edges:
            requests, us, at = 0, 0, dict[int, tuple[int, int]]()
            for at_ms in times:
                if calls := buckets.get(at_ms, {}).get(edge):
                    requests, us = requests + calls.requests, us + calls.us[reporter]
                at[at_ms] = requests, us
            labels = {"source": edge[0], "target": edge[1], "reporter": reporter}
            yield Series("requests_total", labels, [(at_ms, at[at_ms][0]) for at_ms in scraped])
            yield Series("request_seconds_total", labels, [(at_ms, at[at_ms][1] / 1e6) for at_ms in scraped])


def told(
    buckets: Buckets, faults_ms: Sequence[int], harder: Harder, configuration: Configuration
) -> Iterator[Scrape]:
    """Each bucket by itself."""
    outcomes = tuple(RuleOutcome(cluster, rule.id, Outcome.OK) for cluster, rule in configuration.rules())
    for end_ms, bucket in buckets.items():
        if harder.scraped(end_ms, faults_ms):
            samples, measurements = [], []
            for edge, calls in bucket.items():
                for reporter, rule in _ENDS:
                    mean_ms = calls.us[reporter] / calls.requests / 1000
                    samples.append(Sample("mesh", rule, *edge, "", calls.requests * 1000 / BUCKET_MS))
                    measurements.append(
                        Measurement("mesh", f"mean-{rule}", *edge, "latency_mean_ms", mean_ms)
                    )
            yield Scrape(end_ms, BUCKET_MS, configuration.hash, outcomes, samples, tuple(measurements))
