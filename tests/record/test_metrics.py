"""The recorder's own port, asked over real HTTP."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
import requests

from vistio_core.errors import UsageError
from vistio_core.events import Outcome, RuleOutcome, Sample, Scrape
from vistio_record.metrics import Metrics, MetricsServer

NOON = 1_763_899_200_000


def scrape(*outcomes: Outcome, samples: int = 0) -> Scrape:
    return Scrape(
        NOON,
        10_000,
        "0" * 64,
        tuple(RuleOutcome("mesh", f"r{n}", outcome, dropped={"x": 2}) for n, outcome in enumerate(outcomes)),
        tuple(Sample("mesh", "r0", "a", f"b{n}", "", 1.0) for n in range(samples)),
    )


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(lambda: NOON + 12_500)


@pytest.fixture
def server(metrics: Metrics) -> Iterator[MetricsServer]:
    server = MetricsServer(metrics, "127.0.0.1", 0)
    yield server
    server.close()


def lines(server: MetricsServer) -> set[str]:
    response = requests.get(server.url, timeout=10)
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("text/plain; version=")
    return set(response.text.splitlines())


def test_scrapes_are_counted_by_what_became_of_them(metrics: Metrics, server: MetricsServer) -> None:
    metrics.committed(scrape(Outcome.OK, Outcome.TIMEOUT, samples=3), 0.01)
    metrics.committed(scrape(Outcome.FAILED, Outcome.TIMEOUT), 0.01)
    metrics.committed(scrape(Outcome.SKIPPED, Outcome.SKIPPED), 0.01)
    metrics.lost()
    assert lines(server) >= {
        'vistio_record_scrapes_total{outcome="committed"} 1.0',
        'vistio_record_scrapes_total{outcome="unseen"} 1.0',
        'vistio_record_scrapes_total{outcome="skipped"} 1.0',
        'vistio_record_scrapes_total{outcome="lost"} 1.0',
        'vistio_record_scrapes_total{outcome="crashed"} 0.0',
        'vistio_record_rule_failures_total{cluster="mesh",outcome="timeout",rule="r1"} 2.0',
        'vistio_record_rule_failures_total{cluster="mesh",outcome="failed",rule="r0"} 1.0',
        "vistio_record_samples_total 3.0",
        "vistio_record_dropped_series_total 12.0",
        "vistio_record_last_success_timestamp_seconds 1.7638992e+09",
        "vistio_record_lag_seconds 12.5",
    }


def test_ready_only_after_a_committed_scrape_with_an_answered_rule(
    metrics: Metrics, server: MetricsServer
) -> None:
    url = server.url.replace("/metrics", "/-/ready")
    assert requests.get(url, timeout=10).status_code == 503
    metrics.committed(scrape(Outcome.FAILED), 0.01)
    assert requests.get(url, timeout=10).status_code == 503
    metrics.committed(scrape(Outcome.FAILED, Outcome.OK), 0.01)
    assert requests.get(url, timeout=10).status_code == 200


def test_healthy_as_long_as_it_answers(server: MetricsServer) -> None:
    assert requests.get(server.url.replace("/metrics", "/-/healthy"), timeout=10).text == "healthy\n"


def test_other_paths_and_methods_are_refused(server: MetricsServer) -> None:
    assert requests.get(server.url + "/x", timeout=10).status_code == 404
    assert requests.post(server.url, timeout=10).status_code == 405
    assert requests.head(server.url, timeout=10).status_code == 200


def test_a_port_in_use_is_an_error_that_names_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"127.0.0.1:{port} cannot be listened on .*--port"):
            MetricsServer(Metrics(lambda: 0), "127.0.0.1", port)
