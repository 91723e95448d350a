"""The mesh that the benchmarks record: seeded, so that every run records the same.

Edges join services as in a real mesh (a few busy ones, many quiet ones); each edge has the
statuses 200, 404 and 503. Rates wander around a level of their own and have random mantissas,
which is the worst case for compression: rates of whole requests per minute would pack better.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

from vistio_core import Recording, loads
from vistio_core.configuration import Configuration
from vistio_core.events import RuleOutcome, Sample, Scrape
from vistio_core.storage.event_file import EventFile
from vistio_core.storage.format import INSTANT, KINDS, row_groups, write_events
from vistio_core.storage.layout import EventsName, parse_events_name
from vistio_core.storage.local_store import LocalStore
from vistio_core.times import HOUR_MS, parse_instant

INTERVAL_MS = 10_000
START_MS = parse_instant("2026-11-22T00:00:00Z", now_ms=0)
STATUSES = (("200", 1.0), ("404", 0.02), ("503", 0.004))

CONFIGURATION = """\
graphName: Benchmark
globalLevel:
  maxVolume: 100000
  clusterConnections:
    - name: ingress
      query: ingress
      prometheusURL: http://127.0.0.1:9090
      source: {replacement: INTERNET}
      target: {replacement: mesh}
clusterLevel:
  - cluster: mesh
    maxVolume: 10000
    serviceConnections:
      - name: http
        query: http
        prometheusURL: http://127.0.0.1:9090
        source: {label: source}
        target: {label: target}
        status: {label: code, warningRegex: "^4..$", dangerRegex: "^5..$"}
        notices:
          - title: "[{{ .value }}] High error rate"
            statusType: danger
            severityThreshold: {warning: 0.05, error: 0.2}
"""


class Mesh:
    """A mesh of so many edges; `scrape` is a pure function of the instant."""

    def __init__(self, edges: int) -> None:
        self.configuration: Configuration = loads(CONFIGURATION)
        choose = random.Random(edges)
        services = [f"service-{index:04d}" for index in range(max(12, edges // 10))]
        weights = [1 / (rank + 1) for rank in range(len(services))]
        pairs: set[tuple[str, str]] = set()
        while len(pairs) < edges:
            source, target = choose.choices(services, weights)[0], choose.choice(services)
            if source != target:
                pairs.add((source, target))
        self.edges = [(source, target, choose.lognormvariate(1, 2)) for source, target in sorted(pairs)]

    def scrape(self, instant_ms: int) -> Scrape:
        vary = random.Random(instant_ms)
        samples = [
            Sample("mesh", "http", source, target, status, level * share * vary.uniform(0.7, 1.3))
            for source, target, level in self.edges
            for status, share in STATUSES
        ]
        samples.append(Sample("", "ingress", "INTERNET", "mesh", "", vary.uniform(900, 1100)))
        outcomes = (
            RuleOutcome("", "ingress", "ok", series=1, duration_ms=3.0),
            RuleOutcome("mesh", "http", "ok", series=len(samples) - 1, duration_ms=40.0),
        )
        return Scrape(instant_ms, INTERVAL_MS, self.configuration.hash, outcomes, tuple(samples))


def instants(hours: int) -> range:
    return range(START_MS, START_MS + hours * HOUR_MS, INTERVAL_MS)


def record(place: Path, mesh: Mesh, hours: int) -> Recording:
    """A recording of so many sealed hours: the first one committed for real, the others replicas of it."""
    recording = Recording.open(place, create=True, clock=lambda: START_MS + hours * HOUR_MS)
    with recording.writer() as writer:
        writer.put_configuration(mesh.configuration)
        for instant_ms in instants(1):
            writer.commit(mesh.scrape(instant_ms))
            writer.merge(instant_ms)
        writer.seal(START_MS + HOUR_MS)
    replicate(place, hours)
    return recording


def replicate(place: Path, hours: int) -> None:
    """Copy the first sealed hour to the hours after it, with the instants shifted."""
    store = LocalStore(place)
    first = next(name for entry in store.entries("log") if (name := parse_events_name(entry.name)))
    file = EventFile(store, first)
    for hour in range(1, hours):
        shift_ms = hour * HOUR_MS
        name = EventsName(first.first_ms + shift_ms, first.last_ms + shift_ms, first.writer, sealed=True)
        with store.create(name.text) as sink:
            write_events(sink, _shifted(file, shift_ms))


def _shifted(file: EventFile, shift_ms: int) -> Iterator[object]:
    import pyarrow as pa
    import pyarrow.compute as pc

    for kind in KINDS:
        for rows in row_groups(kind, (table for _, table in file.by_instant(kind))):
            moved = pc.add(rows["instant"].cast(pa.int64()), shift_ms).cast(INSTANT)
            yield rows.set_column(rows.schema.get_field_index("instant"), rows.schema.field("instant"), moved)
