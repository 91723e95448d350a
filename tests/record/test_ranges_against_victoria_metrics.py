"""Ranges of a server that is not Prometheus: every instant must be what it says live of it."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from support.ports import free_port
from support.processes import RunningProcess

from vistio_core.configuration import loads
from vistio_core.events import Outcome
from vistio_core.times import HOUR_MS, align, system_now_ms
from vistio_record.sources.base import NO_DATA, SourceOptions
from vistio_record.sources.prometheus import PrometheusSource

INTERVAL = 10_000
CONFIGURATION = """\
clusterLevel:
  - cluster: mesh
    serviceConnections:
      - name: gauges
        query: edge_rate
        prometheusURL: {url}
        source: {{label: source}}
        target: {{label: target}}
      - name: http
        query: sum by (source, target, code) (rate(requests_total[1m]))
        prometheusURL: {url}
        source: {{label: source}}
        target: {{label: target}}
        status: {{label: code}}
"""


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """A VictoriaMetrics with an empty database."""
    program = shutil.which("victoria-metrics")
    if program is None:
        pytest.skip("no `victoria-metrics` on PATH; install Debian's package victoria-metrics")
    url = f"http://127.0.0.1:{free_port()}"
    process = RunningProcess(
        [program, f"-httpListenAddr={url.removeprefix('http://')}", f"-storageDataPath={tmp_path / 'data'}"]
    )
    try:
        process.wait_for_url(f"{url}/health")
        yield url
    finally:
        process.kill()


def test_every_instant_of_a_range_is_what_victoria_metrics_says_of_it_alone(url: str) -> None:
    noise = random.Random(20261123)
    start_ms = align(system_now_ms() - 2 * HOUR_MS, INTERVAL)
    dead = range(1_200_000, 1_500_000)
    lines = []
    for ms in range(0, 1_800_000, 15_000):
        if ms in dead:
            continue
        at_ms = start_ms + ms + 123
        lines.append(f'up{{job="mesh"}} 1 {at_ms}')
        lines.append(f'edge_rate{{source="a",target="stays"}} {noise.random()} {at_ms}')
        if ms < 600_000:
            lines.append(f'edge_rate{{source="a",target="goes"}} {noise.random()} {at_ms}')
        lines.append(f'requests_total{{source="a",target="stays",code="200"}} {ms * 3.3} {at_ms}')
    imported = requests.post(f"{url}/api/v1/import/prometheus", data="\n".join(lines) + "\n", timeout=10)
    assert imported.status_code == 204
    assert requests.get(f"{url}/internal/force_flush", timeout=10).status_code == 200

    source = PrometheusSource(SourceOptions(loads(CONFIGURATION.format(url=url))))
    instants = range(start_ms + 300_000, start_ms + 1_700_000, INTERVAL)
    found = dict(source.evaluate_range(instants, 10.0))
    gone = [ms for ms, seen in found.items() if seen.outcomes[0].error.startswith(NO_DATA)]
    compared = 0
    looks_back = {ms for ms, seen in found.items() if seen.outcomes[1].outcome is not Outcome.OK} - set(gone)
    for ms in sorted(set(instants) - set(gone)):
        live = source.evaluate(ms, 10.0)
        told = {one.rule for one in live.outcomes if one.outcome is Outcome.OK}
        assert told >= {one.rule for one in found[ms].outcomes if one.outcome is Outcome.OK}
        assert sorted(found[ms].samples) == sorted(
            sample for sample in live.samples if ms not in looks_back or sample.rule == "gauges"
        ), ms - start_ms
        compared += len(live.samples)
    source.close()
    assert compared > len(instants)
    # Not before one usual distance has passed in vain, and until its first scrape is there.
    outage = range(start_ms + dead.start + 10_000, start_ms + dead.stop + 123)
    assert set(gone) == {ms for ms in instants if ms in outage}
    # VictoriaMetrics knows what was before the outage; that a rate looks back to it is nothing that one can tell apart.
    assert looks_back == {ms for ms in instants if outage.stop <= ms < outage.stop + 60_000}
