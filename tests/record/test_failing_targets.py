"""A Prometheus that runs and cannot scrape anything: against a real one, with a past of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from support.ports import free_port
from support.prometheus import Prometheus

from vistio_core import loads
from vistio_core.events import Outcome
from vistio_core.times import MINUTE_MS, SECOND_MS, align, system_now_ms
from vistio_record.sources.base import NO_DATA, SourceOptions
from vistio_record.sources.prometheus import PrometheusSource

CONFIGURATION = """\
prometheusURL: {url}
clusterLevel:
  - cluster: mesh
    serviceConnections:
      - name: http
        query: sum by (source, target) (rate(requests_total[1m]))
        source: {{label: source}}
        target: {{label: target}}
"""
BROKE_S = 600
"""How long ago scrapes began to fail."""


@pytest.fixture(scope="module")
def end_ms() -> int:
    return align(system_now_ms() - 10 * MINUTE_MS, MINUTE_MS)


@pytest.fixture(scope="module", params=["all fail", "one goes on"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, end_ms: int
) -> Iterator[tuple[Prometheus, bool]]:
    """Its ``requests_total`` is of a target that cannot be scraped any more; whether no other can, either."""
    end_s, ages_s = end_ms // SECOND_MS, range(1200, -1, -15)
    lines = ["# TYPE up gauge", *(f'up{{job="mesh"}} {int(age > BROKE_S)} {end_s - age}' for age in ages_s)]
    if request.param != "all fail":
        lines += [f'up{{job="prometheus"}} 1 {end_s - age}' for age in ages_s]
    lines += ["# TYPE requests counter"]
    lines += [
        f'requests_total{{source="a",target="b"}} {5 * (1200 - age)} {end_s - age}'
        for age in ages_s
        if age > BROKE_S
    ]
    found = Prometheus(tmp_path_factory.mktemp("failing"), f"127.0.0.1:{free_port()}")
    found.load("\n".join(lines) + "\n# EOF\n")
    try:
        found.start()
        yield found, request.param == "all fail"
    finally:
        found.close()


def test_where_every_scrape_fails_nothing_was_seen_and_no_traffic_is_no_answer(
    server: tuple[Prometheus, bool], end_ms: int
) -> None:
    """Promise: not seen is not quiet. Where other targets are scraped, what is gone is gone as far as one can see."""
    prometheus, all_fail = server
    broke_ms = end_ms - BROKE_S * SECOND_MS
    instants = range(broke_ms + 2 * MINUTE_MS, end_ms, MINUTE_MS)
    with closing(PrometheusSource(SourceOptions(loads(CONFIGURATION.format(url=prometheus.url))))) as source:
        live = [source.evaluate(ms, 10.0).outcomes[0] for ms in instants]
        later = [seen.outcomes[0] for _, seen in source.evaluate_range(instants, 10.0)]
        (before,) = source.evaluate(broke_ms - MINUTE_MS, 10.0).samples
    assert before.rate == pytest.approx(5.0)
    for told in (*live, *later):
        assert (told.outcome is Outcome.FAILED) == all_fail
        assert told.error.startswith(NO_DATA if all_fail else "")
