"""Measurements of edges and nodes in the graph; recorded by rules or by nobody we know."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.recordings import recorded
from support.scrapes import INTERVAL_MS, START_MS

from vistio_core.configuration import Configuration, loads
from vistio_core.events import Measurement, Outcome, RuleOutcome, Sample, Scrape
from vistio_core.graph.model import Edge, Graph, Rates

SHARED = "query: q, prometheusURL: 'http://127.0.0.1:9090'"
TEXT = f"""\
globalLevel:
  clusterMeasurements:
    - {{name: bytes, measure: sent_bytes_per_second, {SHARED}, merge: sum,
       source: {{label: a}}, target: {{label: b}}}}
clusterLevel:
  - cluster: mesh
    serviceConnections:
      - {{name: http, {SHARED}, source: {{label: a}}, target: {{label: b}}}}
    serviceMeasurements:
      - {{name: p99, measure: latency_p99_ms, {SHARED}, source: {{label: a, class: caller}}, target: {{label: b}}}}
      - {{name: p99-grpc, measure: latency_p99_ms, {SHARED}, source: {{label: a}}, target: {{label: b}}}}
      - {{name: left, measure: left, {SHARED}, merge: min, service: {{label: a, class: store}}}}
      - {{name: left-too, measure: left, {SHARED}, merge: min, service: {{label: a}}}}
      - {{name: sent, measure: sent, {SHARED}, merge: sum, source: {{label: a}}, target: {{label: b}}}}
      - {{name: sent-too, measure: sent, {SHARED}, merge: sum, source: {{label: a}}, target: {{label: b}}}}
classes: [{{name: caller, color: red}}, {{name: store, color: blue}}]
"""
CONFIGURATION = loads(TEXT)


def measured(rule: str, pair: str, name: str, value: float, cluster: str = "mesh") -> Measurement:
    source, _, target = pair.partition(">")
    return Measurement(cluster, rule, source, target, name, value)


def scrape_of(*measurements: Measurement, configuration: Configuration = CONFIGURATION) -> Scrape:
    samples = (Sample("mesh", "http", "a", "b", "", 2.0),)
    answered = (RuleOutcome("mesh", "http", Outcome.OK),)
    return Scrape(START_MS, INTERVAL_MS, configuration.hash, answered, samples, measurements)


def graph_of(place: Path, *scrapes: Scrape, configuration: Configuration = CONFIGURATION) -> Graph:
    """What comes of one scrape of each of several writers."""
    recording = recorded(place, *([scrape] for scrape in scrapes), configurations=[configuration])
    return recording.graph(at=START_MS)


def edges(graph: Graph) -> dict[str, Edge]:
    (mesh,) = graph.regions
    return {f"{edge.source}>{edge.target}": edge for edge in mesh.edges}


def test_an_edge_has_its_measurements_beside_its_rates_sorted_by_name(tmp_path: Path) -> None:
    measurements = measured("sent", "a>b", "sent", 7.0), measured("p99", "a>b", "latency_p99_ms", 25.0)
    found = edges(graph_of(tmp_path, scrape_of(*measurements)))
    assert found["a>b"].rates == Rates(2.0)
    assert list(found["a>b"].measurements.items()) == [("latency_p99_ms", 25.0), ("sent", 7.0)]


def test_an_edge_that_is_only_measured_exists_with_zero_rates_and_the_classes_of_its_rule(
    tmp_path: Path,
) -> None:
    graph = graph_of(tmp_path, scrape_of(measured("p99", "x>y", "latency_p99_ms", 0.0)))
    (mesh,) = graph.regions
    assert {edge.source: (edge.rates, edge.measurements) for edge in mesh.edges} == {
        "a": (Rates(2.0), {}),
        "x": (Rates(), {"latency_p99_ms": 0.0}),
    }
    assert {node.name: node.node_class for node in mesh.nodes} == {
        "a": "default",
        "b": "default",
        "x": "caller",
        "y": "default",
    }


def test_a_node_that_is_only_measured_exists_with_the_class_of_its_rule(tmp_path: Path) -> None:
    graph = graph_of(tmp_path, scrape_of(measured("left", "db", "left", 3.0)))
    (mesh,) = graph.regions
    (db,) = (node for node in mesh.nodes if node.name == "db")
    assert (db.node_class, db.measurements) == ("store", {"left": 3.0})


def test_the_global_level_is_measured_too(tmp_path: Path) -> None:
    sent = measured("bytes", "INTERNET>mesh", "sent_bytes_per_second", 9.0, cluster="")
    graph = graph_of(tmp_path, scrape_of(sent))
    assert [(edge.source, edge.measurements) for edge in graph.edges] == [
        ("INTERNET", {"sent_bytes_per_second": 9.0})
    ]


@pytest.mark.parametrize(
    ("rules", "pair", "name", "merged"),
    [
        (("p99", "p99-grpc"), "a>b", "latency_p99_ms", 5.0),
        (("left", "left-too"), "db", "left", 2.0),
        (("sent", "sent-too"), "a>b", "sent", 7.0),
    ],
)
@pytest.mark.parametrize("values", [(2.0, 5.0), (5.0, 2.0)])
def test_rules_and_writers_that_measure_the_same_are_merged(
    rules: tuple[str, str], pair: str, name: str, merged: float, values: tuple[float, float], tmp_path: Path
) -> None:
    both = [measured(rule, pair, name, value) for rule, value in zip(rules, values, strict=True)]
    for place, scrapes in (("one", [scrape_of(*both)]), ("two", [scrape_of(each) for each in both])):
        graph = graph_of(tmp_path / place, *scrapes)
        (mesh,) = graph.regions
        things = {**{node.name: node for node in mesh.nodes}, **edges(graph)}
        assert things[pair].measurements == {name: merged}


def test_a_measurement_of_a_rule_that_is_gone_is_still_shown(tmp_path: Path) -> None:
    other = loads("graphName: other")
    scrape = scrape_of(measured("p99", "a>b", "latency_p99_ms", 25.0), configuration=other)
    found = edges(graph_of(tmp_path, scrape, configuration=other))
    assert found["a>b"].measurements == {"latency_p99_ms": 25.0}
