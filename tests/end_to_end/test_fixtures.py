"""The fixtures themselves: what the other tests take for granted."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest
from support.exporter import Exporter, OwnSeries

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from support.processes import RunProcess
    from support.prometheus import Prometheus

COUNTER = "requests_total"


def test_prometheus_sees_the_rate_that_the_exporter_was_given(
    prometheus: Prometheus, exporter: OwnSeries
) -> None:
    exporter.counter(COUNTER, {"code": "200"}, rate_rps=40.0)

    def near_40(answer: list[Mapping[str, Any]]) -> bool:
        return [float(series["value"][1]) for series in answer] == pytest.approx([40.0], rel=0.1)

    # At first Prometheus answers less: it extrapolates from few samples, and never below zero.
    answer = prometheus.wait_for(f"rate({COUNTER}{{{exporter.selector}}}[5s])", near_40)
    assert answer[0]["metric"]["code"] == "200"


def test_a_removed_series_is_no_longer_exported() -> None:
    with Exporter() as exporter:
        exporter.gauge("depth", {"queue": 'a"b'}, 3.5)
        assert exporter.text() == '# TYPE depth gauge\ndepth{queue="a\\"b"} 3.5\n'
        exporter.remove("depth", {"queue": 'a"b'})
        assert "depth" not in exporter.text()


def test_series_of_a_test_have_its_label_and_end_with_it() -> None:
    with Exporter() as exporter:
        own = OwnSeries(exporter, 'a "name"')
        own.gauge("depth", {"queue": "a"}, 3.5)
        own.counter("calls_total", {}, rate_rps=1.0)
        assert 'depth{queue="a",test="a \\"name\\""} 3.5' in exporter.text()
        assert own.selector in exporter.text()
        own.remove("depth", {"queue": "a"})
        assert "depth" not in exporter.text()
        own.close()
        assert exporter.text() == ""


def test_free_ports_are_never_given_twice(free_port: Callable[[], int]) -> None:
    ports = [free_port() for _ in range(50)]
    assert len(set(ports)) == 50


def test_a_process_that_ends_early_shows_its_log_in_the_failure(run_process: RunProcess) -> None:
    process = run_process(sys.executable, "-c", "print('out of luck'); raise SystemExit(3)")
    with pytest.raises(AssertionError, match="out of luck"):
        process.wait_for_line("ready")
    with pytest.raises(AssertionError, match="exit code 3 instead of 0"):
        process.wait()
    assert process.wait(exit_code=3) == "out of luck\n"
