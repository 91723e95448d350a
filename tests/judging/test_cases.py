"""Plain-text cases: events, then the graph that they make. One file in ``cases/`` is one test.

The events are recorded, and the recording is asked: the answer is the product's.

A case has ``sample``, ``measurement`` and ``failed`` lines, then ``---``, then the graph as
`describe` writes it. `MESH` in `support.scrapes` is the configuration.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pytest
from support.recordings import recorded
from support.scrapes import INTERVAL_MS, START_MS, mesh, outcomes

from vistio_core.events import Measurement, Outcome, RuleOutcome, Sample, Scrape
from vistio_core.graph.model import Edge, Graph, Node, Notice

CASES = sorted((Path(__file__).parent / "cases").glob("*.txt"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_these_events_make_this_graph(path: Path, tmp_path: Path) -> None:
    events, _, expected = path.read_text().partition("---\n")
    graph = recorded(tmp_path, [scrape_of(events)]).graph(at=START_MS)
    assert "\n".join(describe(graph)) == expected.strip()


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_the_order_of_rows_within_a_rule_does_not_matter(path: Path, tmp_path: Path) -> None:
    events, _, _ = path.read_text().partition("---\n")
    backwards = "\n".join(reversed(events.splitlines()))
    graphs = [
        recorded(tmp_path / name, [scrape_of(text)]).graph(at=START_MS)
        for name, text in (("forwards", events), ("backwards", backwards))
    ]
    assert graphs[0] == graphs[1]


def scrape_of(text: str) -> Scrape:
    """The events of a case as a scrape; rules of which it says nothing were answered."""
    samples, measurements, failed = [], [], {}
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        kind, *words = line.split()
        cluster, rule = ("", words[0]) if "/" not in words[0] else words[0].split("/")
        if kind == "sample":
            source, _, target = words[1].partition(">")
            samples.append(Sample(cluster, rule, source, target, words[2].strip("-"), float(words[3])))
        elif kind == "measurement":
            source, _, target = words[1].partition(">")
            labels = tuple(sorted(tuple(word.split("=")) for word in words[4:]))
            measurements.append(
                Measurement(cluster, rule, source, target, words[2], float(words[3]), labels)  # type: ignore[arg-type]
            )
        else:
            assert kind == "failed", line
            failed[cluster, rule] = RuleOutcome(cluster, rule, Outcome(words[1]), " ".join(words[2:]))
    answered = {(outcome.cluster, outcome.rule): outcome for outcome in outcomes()}
    return Scrape(
        START_MS,
        INTERVAL_MS,
        mesh().hash,
        tuple({**answered, **failed}.values()),
        tuple(samples),
        tuple(measurements),
    )


def describe(graph: Graph) -> Iterator[str]:
    yield f"graph {graph.name}, up to {graph.max_volume:g} rps"
    yield from _level(graph.nodes, graph.edges)
    for region in graph.regions:
        yield f"region {region.name}, up to {region.max_volume:g} rps"
        yield from _level(region.nodes, region.edges)
    for failed in graph.failed_rules:
        yield f"failed {failed.cluster}/{failed.rule}: {failed.outcome}, {failed.error}"


def _level(nodes: Iterable[Node], edges: Iterable[Edge]) -> Iterator[str]:
    for node in nodes:
        yield f"  node {node.name} ({node.node_class}){_measured(node.measurements)}"
        yield from _notices(node.notices)
    for edge in edges:
        rates = f"{edge.rates.normal:g} normal, {edge.rates.warning:g} warning, {edge.rates.danger:g} danger"
        yield f"  edge {edge.source} > {edge.target}: {rates}{_measured(edge.measurements)}"
        yield from _notices(edge.notices)


def _measured(measurements: Mapping[str, float]) -> str:
    return "".join(f", {name} {value:g}" for name, value in measurements.items())


def _notices(notices: Iterable[Notice]) -> Iterator[str]:
    for notice in notices:
        yield f"    {notice.severity.name.lower()}: {notice.title}"
