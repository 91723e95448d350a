"""The whole way with nothing replaced: a real Prometheus, a real recorder, a real server.

An exporter with known counters is scraped by Prometheus; ``vistio-record run`` records it;
``vistio-serve`` answers. Afterwards Prometheus itself is asked for each recorded instant, and
must say exactly the same: no tolerance, every edge, every status.
"""

from __future__ import annotations

import math
import os
import signal
from typing import TYPE_CHECKING, Any

import attrs
import pytest
import requests
from support.processes import wait_until

import vistio_core as vistio
from vistio_core.times import MINUTE_MS, format_instant, parse_instant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from support.exporter import OwnSeries
    from support.processes import RunningProcess, RunProcess
    from support.prometheus import Prometheus

INGRESS = "sum by (code) (rate(ingress_requests_total{{{own}}}[5s]))"
HTTP = "sum by (source, target, code) (rate(requests_total{{{own}}}[5s]))"
GAUGES = "edge_rate{{{own}}}"
SATURATION = "saturation{{{own}}}"

CONFIGURATION = """\
graphName: End to end
globalLevel:
  maxVolume: 1000
  clusterConnections:
    - name: ingress
      query: {ingress}
      prometheusURL: {url}
      source: {{replacement: INTERNET}}
      target: {{replacement: mesh}}
      status: {{label: code, warningRegex: ^4..$, dangerRegex: ^5..$}}
clusterLevel:
  - cluster: mesh
    maxVolume: 1000
    serviceConnections:
      - name: http
        query: {http}
        prometheusURL: {url}
        source: {{label: source}}
        target: {{label: target}}
        status: {{label: code, warningRegex: ^4..$, dangerRegex: ^5..$}}
        notices:
          - title: "[{{{{ .value }}}}] High error rate"
            statusType: danger
            severityThreshold: {{warning: .05, error: .5}}
      - name: gauges
        query: {gauges}
        prometheusURL: {url}
        source: {{label: source}}
        target: {{label: target}}
    serviceNotices:
      - name: saturation
        title: "{{{{ .service }}}} is saturated: {{{{ .value }}}}"
        query: {saturation}
        prometheusURL: {url}
        severityThreshold: {{warning: .8, error: .95}}
        service: {{label: service}}
"""

Edge = tuple[str, str, str]
"""Cluster (empty on the global level), source, target."""


@attrs.frozen
class Vistio:
    """The recorder and the server, running."""

    prometheus: Prometheus
    own: str
    """The selector of the test's series in Prometheus."""
    recorder: RunningProcess
    recording: Path
    url: str

    def get(self, path: str, **parameters: str) -> requests.Response:
        return requests.get(f"{self.url}{path}", params=parameters, timeout=10)

    def graph(self, **parameters: str) -> dict[str, Any]:
        response = self.get("/graph", **parameters)
        assert response.status_code == 200, response.text
        graph: dict[str, Any] = response.json()
        return graph

    def instants(self) -> list[str]:
        """Every recorded instant at which something was seen, ascending, as RFC 3339."""
        table = vistio.Recording.open(self.recording).instants()
        seen = [row["instant"] for row in table.to_pylist() if row["seen"]]
        return [format_instant(parse_instant(instant, now_ms=0)) for instant in seen]

    def wait_for_graph(self, holds: Callable[[dict[str, Any]], bool], what: str) -> dict[str, Any]:
        graphs: list[dict[str, Any]] = []

        def seen() -> bool:
            response = self.get("/graph")
            if response.status_code == 200:
                graphs.append(response.json())
            return response.status_code == 200 and holds(graphs[-1])

        wait_until(seen, what=f"{what}; the recorder's log:\n{self.recorder.log[-2000:]}")
        return graphs[-1]


def edges_of(graph: Mapping[str, Any]) -> dict[Edge, Mapping[str, float]]:
    """Rates by class of every edge that was recorded; what a frontend adds to be drawn is left out."""
    levels = [("", graph["connections"])]
    levels += [(node["name"], node["connections"]) for node in graph["nodes"]]
    return {
        (cluster, edge["source"], edge["target"]): edge["metrics"]
        for cluster, connections in levels
        for edge in connections
        if not edge["metadata"].get("vistio", {}).get("synthetic")
    }


def rates_by_status(vistio_now: Vistio, instant: str) -> dict[Edge, dict[str, float]]:
    """What Prometheus says now about that instant, by edge and status."""
    time_ms = parse_instant(instant, now_ms=0)
    rates: dict[Edge, dict[str, float]] = {}
    for query, cluster in ((INGRESS, ""), (HTTP, "mesh"), (GAUGES, "mesh")):
        for series in vistio_now.prometheus.query(query.format(own=vistio_now.own), time_ms=time_ms):
            labels, value = series["metric"], float(series["value"][1])
            edge = (cluster, labels.get("source", "INTERNET"), labels.get("target", "mesh"))
            if math.isfinite(value):
                rates.setdefault(edge, {})[labels.get("code", "")] = value
    return rates


def by_class(statuses: Mapping[str, float]) -> dict[str, float]:
    classes: dict[str, list[float]] = {"normal": [], "warning": [], "danger": []}
    for status, rate in statuses.items():
        classes[{"4": "warning", "5": "danger"}.get(status[:1], "normal")].append(rate)
    return {name: math.fsum(rates) for name, rates in classes.items()}


def assert_says_what_prometheus_says(vistio_now: Vistio, instants: list[str]) -> None:
    """Compares log and graph with Prometheus, number by number, at each of these instants."""
    samples = vistio.Recording.open(vistio_now.recording).sql("select * from samples").to_arrow_table()
    recorded: dict[str, dict[Edge, dict[str, float]]] = {}
    for sample in samples.to_pylist():
        instant = format_instant(parse_instant(sample["instant"], now_ms=0))
        edges = recorded.setdefault(instant, {})
        statuses = edges.setdefault((sample["cluster"], sample["source"], sample["target"]), {})
        assert sample["status"] not in statuses, f"recorded twice: {sample}"
        statuses[sample["status"]] = sample["rate"]
    for instant in instants:
        expected = rates_by_status(vistio_now, instant)
        assert recorded.get(instant, {}) == expected, instant
        graph = vistio_now.graph(at=instant)
        assert graph["metadata"]["vistio"]["instant"] == instant
        assert edges_of(graph) == {edge: by_class(statuses) for edge, statuses in expected.items()}, instant


@pytest.fixture
def known_traffic(exporter: OwnSeries) -> OwnSeries:
    """An exporter with the traffic from which each test starts."""
    exporter.counter("ingress_requests_total", {"code": "200"}, rate_rps=90.0)
    exporter.counter("ingress_requests_total", {"code": "503"}, rate_rps=7.0)
    for source, target, code, rate_rps in (
        ("gateway", "shop", "200", 80.0),
        ("gateway", "shop", "404", 3.0),
        ("gateway", "shop", "500", 2.0),
        ("gateway", "shop", "503", 5.0),
        ("shop", "stock", "200", 123.0),
    ):
        labels = {"source": source, "target": target, "code": code}
        exporter.counter("requests_total", labels, rate_rps=rate_rps)
    exporter.gauge("edge_rate", {"source": "shop", "target": "cache"}, 0.1 + 0.2)
    exporter.gauge("saturation", {"service": "stock"}, 0.97)
    return exporter


@pytest.fixture
def running(
    known_traffic: OwnSeries,
    prometheus: Prometheus,
    run_process: RunProcess,
    free_port: Callable[[], int],
    recording_dir: Path,
    tmp_path: Path,
) -> Iterator[Vistio]:
    """The recorder and the server, and the first graph is there."""
    own = known_traffic.selector
    prometheus.wait_for(HTTP.format(own=own), lambda answer: len(answer) == 5)
    queries = {"ingress": INGRESS, "http": HTTP, "gauges": GAUGES, "saturation": SATURATION}
    configuration = tmp_path / "vistio.yaml"
    configuration.write_text(
        CONFIGURATION.format(
            url=prometheus.url, **{name: query.format(own=own) for name, query in queries.items()}
        )
    )
    record = ("--config", configuration, "--recording", recording_dir)
    times = ("--interval", "1s", "--timeout", "800ms", "--delay", "1s")
    recorder = run_process("vistio-record", "run", *record, *times, "--port", free_port())
    recorder.wait_for_line("scrape.committed")
    port = free_port()
    server = run_process("vistio-serve", "--recording", recording_dir, "--port", port)
    url = f"http://127.0.0.1:{port}"
    server.wait_for_url(f"{url}/-/ready")
    server.wait_for_url(f"{url}/graph")
    yield Vistio(prometheus, own, recorder, recording_dir, url)
    server.terminate()
    if recorder.running:  # one test kills it
        recorder.terminate()


def test_every_rate_is_what_prometheus_says_before_and_after_the_traffic_changes(
    running: Vistio, known_traffic: OwnSeries
) -> None:
    steady = running.wait_for_graph(
        lambda graph: edges_of(graph).get(("mesh", "shop", "stock"), {}).get("normal", 0) > 110,
        "the full rate of the oldest edge",
    )
    assert edges_of(steady)["mesh", "shop", "stock"]["normal"] == pytest.approx(123, rel=0.1)
    before = running.instants()
    old = running.get("/graph", at=before[-1])
    assert ("mesh", "gateway", "basket") not in edges_of(old.json())

    known_traffic.counter(
        "requests_total", {"source": "shop", "target": "stock", "code": "200"}, rate_rps=500
    )
    new_edge = {"source": "gateway", "target": "basket", "code": "500"}
    known_traffic.counter("requests_total", new_edge, rate_rps=60)
    changed = running.wait_for_graph(
        lambda graph: (
            edges_of(graph).get(("mesh", "gateway", "basket"), {}).get("danger", 0) > 50
            and edges_of(graph)["mesh", "shop", "stock"]["normal"] > 450
        ),
        "the new edge and the changed rate",
    )

    basket = next(
        edge for node in changed["nodes"] for edge in node["connections"] if edge["target"] == "basket"
    )
    assert [notice["severity"] for notice in basket["notices"]] == [2], "all of its requests fail"
    instants = running.instants()
    assert len(instants) >= len(before) + 3
    assert_says_what_prometheus_says(running, instants)
    again = running.get("/graph", at=before[-1])
    assert again.content == old.content, "the past does not change"


def test_nan_and_a_silent_gateway_take_nothing_else_with_them(
    running: Vistio, known_traffic: OwnSeries
) -> None:
    known_traffic.gauge("edge_rate", {"source": "shop", "target": "cache"}, math.nan)
    known_traffic.gauge("edge_rate", {"source": "shop", "target": "queue"}, math.inf)
    known_traffic.gauge("edge_rate", {"source": "shop", "target": "mail"}, 4.0)
    for code in ("200", "503"):
        known_traffic.remove("ingress_requests_total", {"code": code})

    graph = running.wait_for_graph(
        lambda graph: (
            ("", "INTERNET", "mesh") not in edges_of(graph) and ("mesh", "shop", "mail") in edges_of(graph)
        ),
        "a graph without ingress, with the finite gauge",
    )

    edges = edges_of(graph)
    assert ("mesh", "shop", "stock") in edges, "services still talk"
    assert not {("mesh", "shop", "cache"), ("mesh", "shop", "queue")} & edges.keys()
    assert graph["metadata"]["vistio"]["failed_rules"] == [], "quiet is not the same as not seen"
    dropped = vistio.Recording.open(running.recording).instants().to_pylist()[-1]["dropped"]
    assert dropped == 2
    assert_says_what_prometheus_says(running, running.instants())


@pytest.mark.own_prometheus
def test_a_killed_prometheus_is_not_an_empty_mesh(running: Vistio) -> None:
    running.prometheus.kill()
    running.recorder.wait_for_line("rule.failed")
    rules = {("", "ingress"), ("mesh", "gauges"), ("mesh", "http"), ("mesh", "saturation")}

    def failed(graph: Mapping[str, Any]) -> set[tuple[str, str]]:
        return {(rule["cluster"], rule["rule"]) for rule in graph["metadata"]["vistio"]["failed_rules"]}

    graph = running.wait_for_graph(
        lambda graph: failed(graph) == rules, "a graph that names the failed rules"
    )
    last_seen = running.instants()[-1]
    about = graph["metadata"]["vistio"]
    assert about["instant"] == last_seen
    assert about["age_s"] > 0
    assert edges_of(graph) == edges_of(running.graph(at=last_seen)) != {}

    long_after = parse_instant(last_seen, now_ms=0) + 5 * MINUTE_MS
    assert running.get("/graph", at=format_instant(long_after - 1)).status_code == 200
    stale = running.get("/graph", at=format_instant(long_after))
    assert stale.status_code == 404
    assert stale.headers["Content-Type"].startswith("application/problem+json")
    assert last_seen in stale.json()["detail"], "it names the nearest instant that there is"

    gap = vistio.Recording.open(running.recording).gaps().to_pylist()[-1]
    assert gap["reason"].startswith("not seen: ")

    running.prometheus.start()
    back = running.wait_for_graph(
        lambda graph: graph["metadata"]["vistio"]["instant"] > last_seen and not failed(graph),
        "a graph seen after Prometheus is back",
    )
    assert edges_of(back) != {}


@pytest.mark.own_prometheus
def test_a_frozen_prometheus_costs_no_more_than_the_timeout(running: Vistio) -> None:
    running.prometheus.process.freeze()
    try:
        running.recorder.wait_for_line("outcome=timeout")
        graph = running.wait_for_graph(
            lambda graph: len(graph["metadata"]["vistio"]["failed_rules"]) == 4, "four rules that timed out"
        )
    finally:
        running.prometheus.process.thaw()
    assert {rule["outcome"] for rule in graph["metadata"]["vistio"]["failed_rules"]} == {"timeout"}
    assert edges_of(graph) != {}, "what was last seen is still shown"
    running.wait_for_graph(
        lambda graph: graph["metadata"]["vistio"]["failed_rules"] == [], "a graph after the freeze"
    )


def test_a_recorder_killed_at_once_loses_nothing_and_goes_on(
    running: Vistio, run_process: RunProcess, free_port: Callable[[], int], tmp_path: Path
) -> None:
    before = running.instants()
    os.kill(running.recorder.pid, signal.SIGKILL)
    running.recorder.wait(exit_code=-signal.SIGKILL)
    left = running.instants()
    assert left[: len(before)] == before

    again = run_process(
        "vistio-record", "run", "--config", tmp_path / "vistio.yaml", "--recording", running.recording,
        *("--interval", "1s", "--timeout", "800ms", "--delay", "1s", "--port", free_port()),
    )  # fmt: skip
    again.wait_for_line("scrape.committed")
    running.wait_for_graph(
        lambda graph: graph["metadata"]["vistio"]["instant"] > left[-1], "a graph after the restart"
    )
    assert_says_what_prometheus_says(running, left)
    again.terminate()
