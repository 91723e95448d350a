"""The source, `check` and `backfill` against a real Prometheus."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import attrs
import pytest
from click.testing import CliRunner
from support.exporter import Exporter, OwnSeries
from support.processes import RunProcess, wait_until
from support.prometheus import Prometheus

from vistio_core import Recording
from vistio_core.configuration import loads
from vistio_core.events import Outcome
from vistio_core.times import format_instant, system_now_ms
from vistio_record.cli import main
from vistio_record.sources.base import SourceOptions
from vistio_record.sources.prometheus import PrometheusSource

CONFIGURATION = """\
globalLevel:
  clusterConnections:
    - name: ingress
      query: sum(rps{{source="gateway",{own}}}) by (code)
      prometheusURL: {url}
      source: {{replacement: INTERNET}}
      target: {{replacement: mesh}}
      status: {{label: code, dangerRegex: ^5..$}}
clusterLevel:
  - cluster: mesh
    serviceConnections:
      - name: http
        query: sum(rps{{{own}}}) by (source, target, code)
        prometheusURL: {url}
        source: {{label: source, regex: "^([a-z]+)"}}
        target: {{label: target}}
        status: {{label: code, dangerRegex: ^5..$}}
      - name: broken
        query: sum(rps{{{own}}}
        prometheusURL: {url}
        source: {{label: source}}
        target: {{label: target}}
      - name: matrix
        query: rps{{{own}}}[1m]
        prometheusURL: {url}
        source: {{label: source}}
        target: {{label: target}}
      - name: scalar
        query: scalar(sum(rps{{{own}}}))
        prometheusURL: {url}
        source: {{label: source}}
        target: {{label: target}}
    serviceNotices:
      - name: saturation
        title: "{{{{ .service }}}} is full"
        query: saturation{{{own}}}
        prometheusURL: {url}
        severityThreshold: {{warning: 0.8}}
        service: {{label: service}}
"""


GOOD = CONFIGURATION[: CONFIGURATION.index("      - name: broken")]


@attrs.frozen
class Mesh:
    """A Prometheus that has scraped a small mesh."""

    prometheus: Prometheus
    own: str
    """The selector of its series."""

    def configuration(self, text: str = CONFIGURATION) -> str:
        return text.format(url=self.prometheus.url, own=self.own)


@pytest.fixture(scope="module")
def mesh(shared_prometheus: Prometheus, shared_exporter: Exporter) -> Iterator[Mesh]:
    exporter = OwnSeries(shared_exporter, __name__)
    exporter.gauge("rps", {"source": "gateway", "target": "reviews", "code": "200", "pod": "a"}, 1.5)
    exporter.gauge("rps", {"source": "gateway", "target": "reviews", "code": "200", "pod": "b"}, 2.25)
    exporter.gauge("rps", {"source": "gateway", "target": "reviews", "code": "503", "pod": "a"}, 0.1)
    exporter.gauge("rps", {"source": "reviews", "target": "ratings", "code": "200"}, float("nan"))
    exporter.gauge("rps", {"source": "reviews", "target": "details", "code": "200"}, float("inf"))
    exporter.gauge("rps", {"source": "7", "target": "details", "code": "200"}, 1.0)
    exporter.gauge("rps", {"target": "details", "code": "200"}, 1.0)
    exporter.gauge("saturation", {"service": "reviews", "handler": "x"}, 0.9)
    exporter.gauge("istio_requests_total", {"reporter": "source", "source_canonical_service": "a"}, 1.0)
    shared_prometheus.wait_for(f"rps{{{exporter.selector}}}", lambda series: len(series) == 7)
    yield Mesh(shared_prometheus, exporter.selector)
    exporter.close()


def test_every_rate_is_what_prometheus_itself_says_for_that_instant(mesh: Mesh) -> None:
    instant_ms = system_now_ms()
    source = PrometheusSource(SourceOptions(loads(mesh.configuration())))
    seen = source.evaluate(instant_ms, 10.0)
    source.close()
    said = {
        tuple(one["metric"].get(label, "") for label in ("source", "target", "code")): float(one["value"][1])
        for one in mesh.prometheus.query(
            f"sum(rps{{{mesh.own}}}) by (source, target, code)", time_ms=instant_ms
        )
    }
    http = {sample[2:5]: sample.rate for sample in seen.samples if sample.rule == "http"}
    assert http == {
        ("gateway", "reviews", "200"): 3.75,
        ("gateway", "reviews", "503"): 0.1,
    }
    assert all(said[edge] == rate for edge, rate in http.items())
    outcomes = {one.rule: one for one in seen.outcomes}
    assert outcomes["http"].series == len(said)
    assert outcomes["http"].dropped == {
        "label source missing or empty": 1,
        "not finite": 2,
        "regex does not match source": 1,
    }
    assert outcomes["broken"].outcome is Outcome.FAILED
    assert "bad_data" in outcomes["broken"].error
    assert "parse error" in outcomes["broken"].error
    assert outcomes["matrix"].dropped == {"matrix result": 7}
    assert outcomes["scalar"].dropped == {"scalar result": 1}
    assert [(m.source, m.value, dict(m.labels)["handler"]) for m in seen.measurements] == [
        ("reviews", 0.9, "x")
    ]


@pytest.mark.own_prometheus
def test_a_frozen_prometheus_is_a_timeout_and_a_killed_one_a_refused_connection(
    prometheus: Prometheus,
) -> None:
    mesh = Mesh(prometheus, "")
    source = PrometheusSource(SourceOptions(loads(mesh.configuration())))
    prometheus.process.freeze()
    frozen = source.evaluate(system_now_ms(), 0.5)
    prometheus.process.thaw()
    assert {one.outcome for one in frozen.outcomes} == {Outcome.TIMEOUT}
    prometheus.kill()
    killed = source.evaluate(system_now_ms(), 5.0)
    assert {one.outcome for one in killed.outcomes} == {Outcome.FAILED}
    assert all("connection refused" in one.error or "closed before" in one.error for one in killed.outcomes)
    source.close()


@pytest.fixture
def check(tmp_path: Path) -> Callable[..., tuple[int, str]]:
    def run(text: str, *arguments: str) -> tuple[int, str]:
        path = tmp_path / "vistio.yaml"
        path.write_text(text)
        result = CliRunner().invoke(main, ["check", "--config", str(path), *arguments])
        return result.exit_code, result.stdout

    return run


def test_check_explains_each_rule_and_ends_with_1_when_one_is_in_error(
    mesh: Mesh, check: Callable[..., tuple[int, str]]
) -> None:
    code, text = check(mesh.configuration())
    assert code == 1
    assert "ingress: ok, 2 series: 2 nodes, 1 edge (INTERNET > mesh)" in text
    assert "http: ok, 6 series (4 dropped): 2 nodes, 1 edge (gateway > reviews)" in text
    assert "broken: FAILED" in text
    assert "The graph would show 2 edges and 1 cluster, and 3 rules are in error." in text


def test_check_is_the_cure_for_the_blank_page_of_a_stock_configuration(
    mesh: Mesh, check: Callable[..., tuple[int, str]]
) -> None:
    text = f"""\
clusterLevel:
  - cluster: mesh
    serviceConnections:
      - name: stock
        query: sum(istio_requests_total{{{mesh.own}}}) by (source_app, destination_service)
        prometheusURL: {mesh.prometheus.url}
        source: {{label: source_app}}
        target: {{label: destination_service}}
      - name: typo
        query: sum(rate(istio_request_total[1m])) by (source_app, destination_service)
        prometheusURL: {mesh.prometheus.url}
        source: {{label: source_app}}
        target: {{label: destination_service}}
"""
    code, output = check(text)
    assert code == 1
    assert "no label source_app on istio_requests_total; source_canonical_service looks like it" in output
    assert "is reported by both ends" in output
    assert "no series of istio_request_total at this instant; it has istio_requests_total" in output
    assert "stock: FAILED, 1 series (1 dropped), no edges" in output
    assert output.rstrip().endswith("The graph would be empty, and 1 rule is in error.")
    code, output = check(text, "--json")
    assert (code, json.loads(output)["empty"]) == (1, True)


def test_check_ends_with_0_when_a_graph_would_show(mesh: Mesh, check: Callable[..., tuple[int, str]]) -> None:
    assert check(mesh.configuration(GOOD))[0] == 0
    # Before Prometheus ran there was nothing to see.
    assert check(mesh.configuration(GOOD), "--at", "-1h")[0] == 1


def test_a_backfilled_recording_equals_a_live_one(
    mesh: Mesh, run_process: RunProcess, tmp_path: Path
) -> None:
    # Before its first scrape Prometheus answers "nothing" live; later it is known that it had no data.
    mesh.prometheus.wait_for(f"rps{{{mesh.own}}} offset 2s", lambda series: len(series) == 7)
    config = tmp_path / "vistio.yaml"
    config.write_text(mesh.configuration(GOOD))
    live_dir, later_dir = tmp_path / "live", tmp_path / "later"
    shared = ("--config", config, "--interval", "1s", "--timeout", "1s")
    process = run_process(
        "vistio-record", "run", *shared, "--recording", live_dir, "--delay", "500ms", "--port", "0"
    )
    wait_until(lambda: process.log.count("scrape.committed") >= 4, what="four scrapes")
    process.terminate()
    live = Recording.open(live_dir)
    info = live.info()
    assert info.first_ms is not None
    assert info.last_ms is not None
    window = ("--start", format_instant(info.first_ms), "--end", format_instant(info.last_ms + 1))
    run_process("vistio-record", "backfill", *shared, "--recording", later_dir, *window).wait()
    later = Recording.open(later_dir)
    query = "select * from samples order by all"
    samples = live.sql(query).to_arrow_table()
    assert samples.num_rows >= 2 * 4
    assert later.sql(query).to_arrow_table() == samples
    assert later.instants()["instant"].to_pylist() == live.instants()["instant"].to_pylist()
    assert set(later.instants()["backfilled"].to_pylist()) == {True}
