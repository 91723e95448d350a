"""The recorder's numbers, asked over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import attrs
import pytest
import requests

from vistio_core.events import Outcome, RuleOutcome, Sample, Scrape
from vistio_record.application import Application
from vistio_record.http_server import HttpServer
from vistio_record.metrics import Metrics
from vistio_record.reload import Reloaded, ReloadOutcome

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
def server(metrics: Metrics) -> Iterator[HttpServer]:
    server = HttpServer("127.0.0.1", 0)
    reloaded = Reloaded(ReloadOutcome.UNCHANGED, "unchanged")
    server.serve(Application(metrics, lambda by: reloaded, stalled_after_s=60))
    yield server
    server.close()


def lines(server: HttpServer) -> set[str]:
    response = requests.get(f"{server.url}/metrics", timeout=10)
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("text/plain; version=")
    return set(response.text.splitlines())


def test_scrapes_are_counted_by_what_became_of_them(metrics: Metrics, server: HttpServer) -> None:
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


def test_answers_with_warnings_are_counted_by_rule(metrics: Metrics, server: HttpServer) -> None:
    made = scrape(Outcome.OK, Outcome.OK)
    warned = attrs.evolve(made.outcomes[1], warnings=("names were cut",))
    for _ in range(2):
        metrics.committed(attrs.evolve(made, outcomes=(made.outcomes[0], warned)), 0.01)
    told = {line for line in lines(server) if line.startswith("vistio_record_rule_warnings_total")}
    assert told == {'vistio_record_rule_warnings_total{cluster="mesh",rule="r1"} 2.0'}


def test_what_is_in_force_is_told_and_what_was_is_not(metrics: Metrics, server: HttpServer) -> None:
    metrics.configured("a" * 64, 3)
    metrics.configured("b" * 64, 4)
    told = lines(server)
    assert {line for line in told if line.startswith("vistio_record_config_info")} == {
        f'vistio_record_config_info{{hash="{"b" * 64}"}} 1.0'
    }
    assert "vistio_record_config_rules 4.0" in told


def test_a_refused_reload_leaves_the_time_of_the_last_good_one(metrics: Metrics, server: HttpServer) -> None:
    metrics.reloaded(good=True)
    good = "vistio_record_config_last_reload_success_timestamp_seconds 1.7638992125e+09"
    assert lines(server) >= {good, "vistio_record_config_last_reload_successful 1.0"}
    metrics.reloaded(good=False)
    assert lines(server) >= {good, "vistio_record_config_last_reload_successful 0.0"}


def test_openmetrics_is_spoken_to_who_asks_for_it(server: HttpServer) -> None:
    asked = {"Accept": "application/openmetrics-text; version=1.0.0"}
    response = requests.get(f"{server.url}/metrics", headers=asked, timeout=10)
    assert response.headers["Content-Type"].startswith("application/openmetrics-text")
    assert response.text.endswith("# EOF\n")
