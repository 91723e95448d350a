"""Names and statuses of several labels, and measurements: from a real Prometheus to the drawn graph."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from click.testing import CliRunner
from support.exporter import Exporter, OwnSeries
from support.processes import RunningProcess, console_script, wait_until

import vistio_core as vistio
from vistio_core import frontends
from vistio_core.graph.model import Edge, Graph, Rates, Region
from vistio_record.cli import main

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.prometheus import Prometheus

P90 = "histogram_quantile(0.9, sum by (ns, deployment, statefulset, dst, le) (rate(took_ms_bucket{{{own}}}[5s])))"
CONFIGURATION = """\
globalLevel:
  clusterConnections:
    - name: ingress
      query: rps{{ns="",{own}}}
      prometheusURL: {url}
      source: {{replacement: INTERNET}}
      target: {{replacement: mesh}}
      status: {{value: any}}
  clusterMeasurements:
    - name: bandwidth
      measure: received_bytes_per_second
      query: sent{{{own}}}
      prometheusURL: {url}
      merge: sum
      source: {{replacement: INTERNET}}
      target: {{replacement: mesh}}
clusterLevel:
  - cluster: mesh
    serviceConnections:
      - name: http
        query: rps{{{own}}}
        prometheusURL: {url}
        source: &source {{template: "{{ns}}/{{deployment|statefulset}}", default: outside}}
        target: &target {{labels: [dst, authority], regex: "^([a-z]+)"}}
        status:
          template: "{{code}} {{grpc}}"
          default: silent
          dangerRegex: ^5..|^200 14$|^silent$
          warningRegex: ^4
      - name: traced
        query: traced_total{{{own}}} - traced_failed
        prometheusURL: {url}
        source: {{label: client}}
        target: {{label: server, default: nobody}}
        status: {{value: ok}}
      - name: traced-failed
        query: traced_failed{{{own}}}
        prometheusURL: {url}
        source: {{label: client}}
        target: {{label: server, default: nobody}}
        status: {{value: failed, dangerRegex: ^failed$}}
    serviceMeasurements:
      - name: p90
        measure: latency_p90_ms
        query: {p90}
        prometheusURL: {url}
        source: *source
        target: *target
      - name: slowest
        measure: slowest_ms
        query: slowest{{{own}}}
        prometheusURL: {url}
        source: *source
        target: *target
      - name: sent
        measure: sent_bytes_per_second
        query: sent{{{own}}}
        prometheusURL: {url}
        merge: sum
        source: *source
        target: *target
      - name: free
        measure: free_bytes
        query: free{{{own}}}
        prometheusURL: {url}
        merge: min
        service: {{label: dst}}
"""


@attrs.frozen
class Mesh:
    """A Prometheus that has scraped a mesh whose labels are as uneven as real ones."""

    prometheus: Prometheus
    p90: str
    configuration: Path


@pytest.fixture(scope="module")
def mesh(
    shared_exporter: Exporter, shared_prometheus: Prometheus, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mesh]:
    exporter = OwnSeries(shared_exporter, __name__)
    web, db = {"ns": "shop", "deployment": "web"}, {"ns": "shop", "deployment": "", "statefulset": "db"}
    exporter.gauge("rps", {**web, "dst": "cart-1", "code": "200"}, 5.0)
    exporter.gauge("rps", {**web, "dst": "cart-2", "code": "200"}, 0.25)
    exporter.gauge("rps", {**web, "dst": "cart-1", "code": "200", "grpc": "14"}, 2.0)
    exporter.gauge("rps", {**web, "authority": "example.org", "code": "404"}, 1.0)
    exporter.gauge("rps", {**db, "dst": "backup"}, 0.5)
    exporter.gauge("rps", {"dst": "web", "code": "200"}, 7.0)
    exporter.gauge("rps", {**web, "dst": "7", "code": "200"}, 1.0)
    exporter.gauge("traced_total", {"client": "a", "server": "b"}, 10.0)
    exporter.gauge("traced_failed", {"client": "a", "server": "b"}, 4.0)
    exporter.gauge("traced_total", {"client": "a"}, 3.0)
    exporter.gauge("traced_failed", {"client": "a"}, 0.0)
    for bound, rate in (("10", 50.0), ("100", 80.0), ("+Inf", 100.0)):
        exporter.counter("took_ms_bucket", {**web, "dst": "cart-1", "le": bound}, rate_rps=rate)
        exporter.counter("took_ms_bucket", {**db, "dst": "backup", "le": bound}, rate_rps=0.0)
    for pod, value in (("a", 12.5), ("b", 40.0), ("c", math.nan)):
        exporter.gauge("slowest", {**web, "dst": "cart-1", "pod": pod}, value)
        exporter.gauge("free", {"dst": "cart", "pod": pod}, value)
    for pod in ("a", "b", "c"):
        exporter.gauge("sent", {**db, "dst": "replica", "pod": pod}, 0.1)
    p90 = P90.format(own=exporter.selector)
    shared_prometheus.wait_for(p90, lambda answer: any(series["value"][1] == "100" for series in answer))
    file = tmp_path_factory.mktemp("configuration") / "vistio.yaml"
    file.write_text(CONFIGURATION.format(url=shared_prometheus.url, own=exporter.selector, p90=p90))
    yield Mesh(shared_prometheus, p90, file)
    exporter.close()


@pytest.fixture(scope="module")
def recorded(mesh: Mesh, tmp_path_factory: pytest.TempPathFactory) -> vistio.Recording:
    """The recording of a real recorder, with at least one scrape."""
    recording_dir = tmp_path_factory.mktemp("recorded") / "recording"
    where = ("--config", mesh.configuration, "--recording", recording_dir, "--port", "0")
    times = ("--interval", "1s", "--timeout", "900ms", "--delay", "500ms")
    recorder = RunningProcess([console_script("vistio-record"), "run", *map(str, where), *times])
    try:
        recorder.wait_for_line("scrape.committed")
        wait_until(
            lambda: newest_whole(vistio.Recording.open(recording_dir)) is not None,
            what=f"an instant at which all was answered and a latency measured; the log:\n{recorder.log[-2000:]}",
        )
        recorder.terminate()
    finally:
        recorder.kill()
    return vistio.Recording.open(recording_dir)


def newest_whole(recording: vistio.Recording) -> Graph | None:
    """The newest graph to which every rule was answered, and in which a percentile is a number."""
    for row in reversed(recording.instants().to_pylist()):
        graph = recording.graph(at=row["instant"]) if row["seen"] else None
        if graph is not None and not graph.failed_rules and "latency_p90_ms" in str(graph.regions):
            return graph
    return None


@pytest.fixture(scope="module")
def graph(recorded: vistio.Recording) -> Graph:
    found = newest_whole(recorded)
    assert found is not None
    return found


def edges(of: Region | Graph) -> dict[str, Edge]:
    return {f"{edge.source}>{edge.target}": edge for edge in of.edges}


def test_names_statuses_and_measurements_are_those_of_prometheus(
    recorded: vistio.Recording, graph: Graph, mesh: Mesh
) -> None:
    (region,) = graph.regions
    found = edges(region)
    assert {name: edge.rates for name, edge in found.items()} == {
        "a>b": Rates(6.0, 0.0, 4.0),
        "a>nobody": Rates(3.0),
        "outside>web": Rates(7.0),
        "shop/db>backup": Rates(0.0, 0.0, 0.5),
        "shop/db>replica": Rates(),
        "shop/web>cart": Rates(5.25, 0.0, 2.0),
        "shop/web>example": Rates(0.0, 1.0),
    }
    said = {
        series["metric"]["dst"]: float(series["value"][1])
        for series in mesh.prometheus.query(mesh.p90, time_ms=graph.instant_ms)
    }
    assert math.isnan(said["backup"]), "a percentile of nothing"
    assert {name: edge.measurements for name, edge in found.items() if edge.measurements} == {
        "shop/db>replica": {"sent_bytes_per_second": math.fsum([0.1] * 3)},
        "shop/web>cart": {"latency_p90_ms": said["cart-1"], "slowest_ms": 40.0},
    }
    assert {node.name: node.measurements for node in region.nodes if node.measurements} == {
        "cart": {"free_bytes": 12.5}
    }
    (ingress,) = graph.edges
    assert (ingress.rates, ingress.measurements) == (
        Rates(7.0),
        {"received_bytes_per_second": math.fsum([0.1] * 3)},
    )

    then = f"epoch_ms(instant) = {graph.instant_ms}"
    statuses = recorded.sql(f"select source, target, status from samples where rule = 'http' and {then}")
    assert set(statuses.fetchall()) == {
        ("outside", "web", "200"),
        ("shop/db", "backup", "silent"),
        ("shop/web", "cart", "200"),
        ("shop/web", "cart", "200 14"),
        ("shop/web", "example", "404"),
    }
    dropped = recorded.sql(f"select rule, dropped_by_reason from scrapes where dropped > 0 and {then}")
    assert {rule: json.loads(reasons) for rule, reasons in dropped.fetchall()} == {
        "http": {"regex does not match dst or authority": 1},
        "p90": {"not finite": 1},
        "slowest": {"not finite": 1},
        "free": {"not finite": 1},
    }


def test_every_frontend_shows_what_was_measured(graph: Graph) -> None:
    for name in frontends.names():
        text = frontends.get(name).render(graph, {}).decode()
        for measure in ("latency_p90_ms", "slowest_ms", "sent_bytes_per_second", "free_bytes"):
            assert measure in text, name
    drawn: dict[str, Any] = json.loads(frontends.get("vizceral").render(graph, {}))
    (mesh,) = (node for node in drawn["nodes"] if node["name"] == "mesh")
    (tcp,) = (edge for edge in mesh["connections"] if edge["target"] == "replica")
    assert tcp["metrics"] == {"normal": 0.0, "warning": 0.0, "danger": 0.0}
    assert tcp["metadata"]["vistio"] == {"measurements": {"sent_bytes_per_second": math.fsum([0.1] * 3)}}


def test_the_past_judged_by_todays_configuration_keeps_what_was_measured(
    recorded: vistio.Recording, graph: Graph
) -> None:
    assert recorded.graph(at=graph.asked_ms, judge="current") == graph


def test_check_explains_rules_that_measure(mesh: Mesh) -> None:
    result = CliRunner().invoke(main, ["check", "--config", str(mesh.configuration)])
    assert result.exit_code == 0, result.output
    assert "p90: ok, 2 series (1 dropped): latency_p90_ms of 1 edge (shop/web > cart)" in result.stdout
    assert "sent: ok, 3 series: sent_bytes_per_second of 1 edge (shop/db > replica)" in result.stdout
    assert "free: ok, 3 series (1 dropped): free_bytes of 1 node (cart)" in result.stdout
