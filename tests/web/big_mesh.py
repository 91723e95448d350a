"""A recording of 400 services in 20 namespaces, with latencies and throughput."""

from __future__ import annotations

from pathlib import Path

from support.scrapes import INTERVAL_MS, MESH, outcomes

import vistio_core as vistio
from vistio_core.times import align, system_now_ms

SERVICES = 400
NAMESPACES = 20
INSTANTS = 12
FAILING = "svc-107.team-07"
MEASURES = ("latency_p50_ms", "latency_p99_ms", "sent_bytes_per_second", "received_bytes_per_second")

_MEASUREMENTS = "    serviceMeasurements:\n" + "".join(
    f"""      - name: {measure}
        measure: {measure}
        query: {measure}
        prometheusURL: http://127.0.0.1:9090
        source: {{label: source}}
        target: {{label: target}}
"""
    for measure in MEASURES
)


def record(recording_dir: Path) -> int:
    """Writes the recording; returns its newest instant."""
    configuration = vistio.loads(MESH + _MEASUREMENTS)
    answered = (
        *outcomes(),
        *(vistio.RuleOutcome("mesh", measure, vistio.Outcome.OK) for measure in MEASURES),
    )
    newest_ms = align(system_now_ms(), INTERVAL_MS)
    with vistio.Recording.open(recording_dir, create=True).writer() as writer:
        writer.put_configuration(configuration)
        for step in range(INSTANTS):
            instant_ms = newest_ms - (INSTANTS - 1 - step) * INTERVAL_MS
            seen = (tuple(_samples(step)), tuple(_measurements()))
            writer.commit(vistio.Scrape(instant_ms, INTERVAL_MS, configuration.hash, answered, *seen))
    return newest_ms


def name_of(number: int) -> str:
    """``svc-107.team-07``: a service's namespace is its number modulo `NAMESPACES`."""
    return f"svc-{number:03}.team-{number % NAMESPACES:02}"


def _pairs() -> list[tuple[str, str, int]]:
    """A tree of calls from a gateway, and calls between services of one namespace."""
    inside = {(number, number + NAMESPACES) for number in range(1, SERVICES - NAMESPACES, 2)}
    tree = {((number - 1) // 3, number) for number in range(1, SERVICES)}
    named = [(name_of(source), name_of(target), target) for source, target in sorted(tree | inside)]
    return [("gateway", name_of(0), 0), *named]


def _samples(step: int) -> list[vistio.Sample]:
    made = [vistio.Sample("", "ingress", "INTERNET", "mesh", "200", 500.0)]
    for source, target, number in _pairs():
        rate = 400.0 / (1 + number / 10) + step % 3
        made.append(vistio.Sample("mesh", "http", source, target, "200", rate))
        if target == FAILING:
            made.append(vistio.Sample("mesh", "http", source, target, "500", rate * (1 + step) / INSTANTS))
    return made


def _measurements() -> list[vistio.Measurement]:
    values = dict(zip(MEASURES, (12.5, 250.0, 1_500_000.0, 20_000.0), strict=True))
    return [
        vistio.Measurement("mesh", measure, source, target, measure, value + number)
        for source, target, number in _pairs()
        for measure, value in values.items()
    ]
