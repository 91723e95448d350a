"""Two witnesses through the front door: what both report is one edge, whichever way one asks.

The rule itself is tested in `tests/judging/test_witnesses.py`; here it must hold for graphs, frames, timelines (of all,
of one edge, of one node; with and without rollups), comparisons and topologies alike.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import permutations
from pathlib import Path

import pytest
from support.scrapes import INTERVAL_MS, START_MS

from vistio_core import Recording, loads
from vistio_core.events import Measurement, Outcome, RuleOutcome, Sample, Scrape
from vistio_core.graph.edges import Edges
from vistio_core.graph.model import Edge, Graph, Rates
from vistio_core.times import HOUR_MS, MINUTE_MS

SHARED = "query: q, prometheusURL: 'http://127.0.0.1:9090'"
ENDS = "source: {label: a, class: caller}, target: {label: b, class: service}"
STATUS = "status: {label: code, warningRegex: ^4..$, dangerRegex: ^5..$}"
NOTICES = "notices: [{title: errors, statusType: danger, severityThreshold: {info: .01, error: .2}}]"
MESH = loads(f"""\
globalLevel: {{}}
clusterLevel:
  - cluster: mesh
    serviceConnections:
      - {{name: sent, {SHARED}, witness: caller, {ENDS}, {STATUS}, {NOTICES}}}
      - {{name: received, {SHARED}, witness: called, {ENDS}, {STATUS}, {NOTICES}}}
      - {{name: other, {SHARED}, {ENDS}, {STATUS}}}
    serviceMeasurements:
      - {{name: mean-sent, measure: latency_mean_ms, {SHARED}, witness: caller, {ENDS}}}
      - {{name: mean-received, measure: latency_mean_ms, {SHARED}, witness: called, {ENDS}}}
classes: [{{name: caller, color: red}}, {{name: service, color: blue}}]
""")
NOW_MS = START_MS + 3 * HOUR_MS


def scrape(instant_ms: int, *samples: Sample, measurements: tuple[Measurement, ...] = ()) -> Scrape:
    outcomes = tuple(RuleOutcome(cluster, rule.id, Outcome.OK) for cluster, rule in MESH.rules())
    return Scrape(instant_ms, INTERVAL_MS, MESH.hash, outcomes, samples, measurements)


def told(rule: str, pair: str, **by_status: float) -> list[Sample]:
    source, _, target = pair.partition(">")
    return [Sample("mesh", rule, source, target, code[1:], rate) for code, rate in by_status.items()]


def recorded(place: Path, *scrapes: Scrape, writer: str = "main") -> Recording:
    recording = Recording.open(place, create=True, clock=lambda: NOW_MS)
    with recording.writer(writer) as appending:
        appending.put_configuration(MESH)
        for each in scrapes:
            appending.commit(each)
    return recording


def edges(graph: Graph) -> dict[str, Edge]:
    return {f"{edge.source}>{edge.target}": edge for edge in graph.region("mesh").edges}


def test_requests_that_both_report_count_once_and_what_was_lost_is_told(tmp_path: Path) -> None:
    recording = recorded(
        tmp_path,
        scrape(
            START_MS,
            *told("sent", "a>db", _200=7.0, _503=3.0),
            *told("received", "a>db", _200=7.0),
            *told("sent", "a>queue", _503=0.25),
            *told("received", "other>queue", _200=1.0),
            *told("sent", "b>db", _200=2.0, _504=1.0),
            *told("received", "b>db", _200=3.0),
            *told("received", "c>db", _200=1.0),
            *told("sent", "a>outside", _200=4.0),
            *told("other", "a>db", _200=0.5),
        ),
    )
    graph = recording.graph(at=START_MS)
    found = edges(graph)
    columns = Edges.of(graph.region("mesh").edges)
    assert columns.told.tolist() == [3, 1, 1, 3, 2, 2], "both, the caller, the called, in columns"
    assert {pair: (edge.rates, edge.told_by, dict(edge.measurements)) for pair, edge in found.items()} == {
        "a>db": (Rates(7.5, 0.0, 3.0), "both", {"lost_rps": 3.0}),
        "a>outside": (Rates(4.0), "caller", {}),
        "a>queue": (Rates(0.0, 0.0, 0.25), "caller", {"lost_rps": 0.25}),
        "b>db": (Rates(2.0, 0.0, 1.0), "both", {}),
        "c>db": (Rates(1.0), "called", {}),
        "other>queue": (Rates(1.0), "called", {}),
    }
    assert [notice.title for notice in found["a>db"].notices] == ["errors"], "once, though two rules raise it"
    assert found["b>db"].notices, "its share is that of the edge, not that of the side which saw nothing"


def test_an_unknown_caller_that_is_a_known_one_is_neither_an_edge_nor_a_node(tmp_path: Path) -> None:
    recording = recorded(
        tmp_path,
        scrape(START_MS, *told("sent", "a>db", _200=5.0), *told("received", "unknown>db", _200=5.0)),
        scrape(
            START_MS + INTERVAL_MS,
            *told("sent", "a>db", _200=5.0),
            *told("received", "unknown>db", _200=8.0),
        ),
    )
    graph = recording.graph(at=START_MS)
    assert {pair: edge.rates for pair, edge in edges(graph).items()} == {"a>db": Rates(5.0)}
    assert [(node.name, node.node_class) for node in graph.region("mesh").nodes] == [
        ("a", "caller"),
        ("db", "service"),
    ]
    later = edges(recording.graph(at=START_MS + INTERVAL_MS))
    assert {pair: edge.rates for pair, edge in later.items()} == {
        "a>db": Rates(5.0),
        "unknown>db": Rates(3.0),
    }
    first = recording.topology(START_MS, START_MS + INTERVAL_MS)["mesh"]
    assert (first.pairs, sorted(first.classes), first.peak_rps) == ({("a", "db")}, ["a", "db"], 5.0)


def test_both_ends_say_how_long_a_request_took_and_the_rest_is_the_network(tmp_path: Path) -> None:
    def took(rule: str, pair: str, value: float) -> Measurement:
        return Measurement("mesh", rule, *pair.split(">"), "latency_mean_ms", value)

    recording = recorded(
        tmp_path,
        scrape(
            START_MS,
            *told("sent", "a>db", _200=1.0),
            measurements=(
                took("mean-sent", "a>db", 25.0),
                took("mean-received", "a>db", 20.0),
                took("mean-sent", "a>outside", 7.0),
                took("mean-received", "c>db", 6.0),
                took("mean-sent", "d>db", 6.0),  # by clocks of two machines
                took("mean-received", "d>db", 6.5),
            ),
        ),
    )
    assert {pair: dict(edge.measurements) for pair, edge in edges(recording.graph(at=START_MS)).items()} == {
        "a>db": {"caller_latency_mean_ms": 25.0, "latency_mean_ms": 20.0, "network_ms": 5.0},
        "a>outside": {"latency_mean_ms": 7.0},
        "c>db": {"latency_mean_ms": 6.0},
        "d>db": {"caller_latency_mean_ms": 6.0, "latency_mean_ms": 6.5, "network_ms": 0.0},
    }


def test_ends_that_different_writers_record_are_reconciled(tmp_path: Path) -> None:
    recorded(tmp_path, scrape(START_MS, *told("sent", "a>db", _200=7.0, _503=3.0)), writer="east")
    recording = recorded(tmp_path, scrape(START_MS, *told("received", "a>db", _200=7.0)), writer="west")
    (edge,) = recording.graph(at=START_MS).region("mesh").edges
    assert (edge.rates, edge.told_by) == (Rates(7.0, 0.0, 3.0), "both")
    assert recording.timeline(START_MS, START_MS + INTERVAL_MS, "10s")["danger"].to_pylist() == [3.0]


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """An hour of random reports, and some minutes of the next one."""
    choose = random.Random(5)
    pairs = [f"{source}>{target}" for source in "abc" for target in "xyz"]

    def at(instant_ms: int) -> Scrape:
        samples: list[Sample] = []
        for pair in pairs:
            rate = choose.lognormvariate(1, 1)
            if choose.random() < 0.8:
                samples += told(
                    "sent", pair, _200=rate, _404=rate / 50, _503=rate * choose.choice([0, 0, 0.3])
                )
            if choose.random() < 0.7:
                samples += told("received", pair, _200=rate * choose.uniform(0.9, 1.05), _404=rate / 50)
            if choose.random() < 0.2:
                samples += told("other", pair, _200=rate)
        for target in "xyz":
            if choose.random() < 0.5:
                samples += told("received", f"unknown>{target}", _200=choose.lognormvariate(1, 1))
        return scrape(instant_ms, *samples)

    recording = recorded(
        tmp_path_factory.mktemp("history"),
        *(at(instant_ms) for instant_ms in range(START_MS, START_MS + HOUR_MS + 5 * MINUTE_MS, INTERVAL_MS)),
    )
    with recording.writer() as writer:
        writer.seal(START_MS + HOUR_MS)
    return recording


@pytest.mark.parametrize("start_ms", [START_MS, START_MS + 55 * MINUTE_MS], ids=["sealed", "head"])
@pytest.mark.parametrize(
    "subject",
    [
        {},
        {"source": "a"},
        {"target": "x"},
        {"source": "a", "target": "x"},
        {"node": "y"},
        {"node": "unknown"},
    ],
    ids=str,
)
@pytest.mark.slow
def test_a_timeline_adds_up_what_the_graphs_show(
    history: Recording, start_ms: int, subject: dict[str, str]
) -> None:
    end_ms = start_ms + 10 * MINUTE_MS
    steps = history.timeline(start_ms, end_ms, "1m", **subject).to_pylist()  # type: ignore[arg-type]
    for step, row in enumerate(steps):
        graphs = [
            history.graph(at=start_ms + step * MINUTE_MS + offset_ms)
            for offset_ms in range(0, MINUTE_MS, INTERVAL_MS)
        ]
        own = [[edge for edge in graph.region("mesh").edges if about(edge, subject)] for graph in graphs]
        for name in ("normal", "warning", "danger"):
            mean = sum(getattr(edge.rates, name) for some in own for edge in some) / len(graphs)
            assert row[name] == pytest.approx(mean, abs=1e-5)
        assert row["edges"] == max(map(len, own))
        raised = [sum(notice.severity == 2 for edge in some for notice in edge.notices) for some in own]
        assert row["notices_error"] == max(raised)


def about(edge: Edge, subject: dict[str, str]) -> bool:
    return (
        subject.get("source", edge.source) == edge.source
        and subject.get("target", edge.target) == edge.target
        and subject.get("node", edge.source) in (edge.source, edge.target)
    )


def test_frames_are_the_graphs(history: Recording) -> None:
    start_ms = START_MS + 58 * MINUTE_MS
    frames = history.frames(start_ms, start_ms + 4 * MINUTE_MS, "5s")
    level = frames.level("mesh")
    for index, frame in enumerate(frames.frames):
        shown = edges(history.graph(at=frame.asked_ms))
        drawn = {
            f"{source}>{target}": rates
            for (source, target), rates in zip(level.edges, level.rates[index].tolist(), strict=True)
            if any(rates)
        }
        assert drawn == {
            pair: [edge.rates.normal, edge.rates.warning, edge.rates.danger]
            for pair, edge in shown.items()
            if edge.rates.total
        }
        titles = [(notice.source, notice.target) for notice in level.notices if notice.frame == index]
        assert sorted(titles) == sorted(
            (edge.source, edge.target) for edge in shown.values() for _ in edge.notices
        )


def test_a_comparison_takes_the_mean_of_the_graphs_and_a_topology_their_union(history: Recording) -> None:
    start_ms, end_ms = START_MS + 58 * MINUTE_MS, START_MS + 62 * MINUTE_MS
    graphs = [edges(history.graph(at=at_ms)) for at_ms in range(start_ms, end_ms, INTERVAL_MS)]
    pairs = {pair for graph in graphs for pair in graph}
    topology = history.topology(start_ms, end_ms)["mesh"]
    assert topology.pairs == {tuple(pair.split(">")) for pair in pairs}
    peak = max(edge.rates.total for graph in graphs for edge in graph.values())
    assert topology.peak_rps == pytest.approx(peak, abs=1e-5)
    window = f"{start_ms}/{end_ms}"
    moment = history.compare(window, window).before
    means = {
        ">".join(moment.names[name] for name in row[1:]): rates
        for row, rates in zip(moment.edges.tolist(), moment.rates.tolist(), strict=True)
    }
    assert set(means) == pairs
    for pair in pairs:
        own = [graph[pair].rates for graph in graphs if pair in graph]
        for index, name in enumerate(("normal", "warning", "danger")):
            mean = sum(getattr(rates, name) for rates in own) / len(graphs)
            assert means[pair][index] == pytest.approx(mean, abs=1e-5)


@pytest.mark.parametrize("names", [("zz", "aa"), ("aa", "zz")])
def test_the_first_of_several_rules_of_a_witness_raises_the_notices_of_an_edge(
    tmp_path: Path, names: tuple[str, str]
) -> None:
    """Wherever its rows stand."""
    rules = "".join(
        f"""
      - {{name: {name}, {SHARED}, witness: caller, {ENDS}, {STATUS}, {NOTICES.replace("errors", name)}}}"""
        for name in names
    )
    configuration = loads(
        f"globalLevel: {{}}\nclusterLevel:\n  - cluster: mesh\n    serviceConnections:{rules}\n"
    )
    outcomes = tuple(RuleOutcome("mesh", name, Outcome.OK) for name in ("aa", "zz"))
    samples = (*told("aa", "a>db", _503=1.0), *told("zz", "a>db", _503=1.0))
    recording = Recording.open(tmp_path, create=True, clock=lambda: NOW_MS)
    with recording.writer() as writer:
        writer.put_configuration(configuration)
        writer.commit(Scrape(START_MS, INTERVAL_MS, configuration.hash, outcomes, samples))
    (edge,) = recording.graph(at=START_MS).region("mesh").edges
    assert edge.rates == Rates(0.0, 0.0, 2.0)
    assert [notice.title for notice in edge.notices] == [names[0]]


@pytest.mark.parametrize("side", ["sent", "received"])
def test_reports_of_several_writers_are_added_alike_whichever_is_read_first(
    tmp_path: Path, side: str
) -> None:
    """To the last digit: 0.1 + 0.2 + 0.3 is not 0.3 + 0.2 + 0.1."""
    found = set()
    for place, rates in enumerate(permutations((0.1, 0.2, 0.3))):
        for writer, rate in zip("abc", rates, strict=True):
            recording = recorded(
                tmp_path / str(place), scrape(START_MS, *told(side, "a>db", _503=rate)), writer=writer
            )
        (edge,) = recording.graph(at=START_MS).region("mesh").edges
        found.add(edge.rates)
    assert found == {Rates(0.0, 0.0, 0.1 + 0.2 + 0.3)}


def test_what_is_called_alike_in_two_clusters_has_witnesses_of_its_own(tmp_path: Path) -> None:
    """An unknown caller in one cluster is nobody of the other one."""
    rules = "".join(
        f"""
      - {{name: {name}, {SHARED}, witness: {witness}, {ENDS}, {STATUS}}}"""
        for name, witness in (("sent", "caller"), ("received", "called"))
    )
    levels = "".join(
        f"\n  - cluster: {cluster}\n    serviceConnections:{rules}" for cluster in ("east", "west")
    )
    configuration = loads(f"globalLevel: {{}}\nclusterLevel:{levels}\n")
    outcomes = tuple(RuleOutcome(cluster, rule.id, Outcome.OK) for cluster, rule in configuration.rules())
    samples = (
        Sample("east", "sent", "a", "db", "200", 5.0),
        Sample("west", "received", "unknown", "db", "200", 5.0),
        Sample("west", "sent", "a", "queue", "503", 2.0),
        Sample("west", "received", "b", "queue", "200", 1.0),
    )
    recording = Recording.open(tmp_path, create=True, clock=lambda: NOW_MS)
    with recording.writer() as writer:
        writer.put_configuration(configuration)
        writer.commit(Scrape(START_MS, INTERVAL_MS, configuration.hash, outcomes, samples))
    graph = recording.graph(at=START_MS)
    assert {
        (region.name, edge.source, edge.target): (edge.rates.total, edge.told_by, dict(edge.measurements))
        for region in graph.regions
        for edge in region.edges
    } == {
        ("east", "a", "db"): (5.0, "caller", {}),
        ("west", "unknown", "db"): (5.0, "called", {}),
        ("west", "a", "queue"): (2.0, "caller", {"lost_rps": 2.0}),
        ("west", "b", "queue"): (1.0, "called", {}),
    }
    assert {name: level.peak_rps for name, level in recording.topology(START_MS, START_MS + 1).items()} == {
        "east": 5.0,
        "west": 5.0,
    }


def test_the_called_side_s_rule_raises_the_notices_of_an_edge_that_it_tells_of(tmp_path: Path) -> None:
    rules = "".join(
        f"""
      - {{name: {name}, {SHARED}, witness: {witness}, {ENDS}, {STATUS}, {NOTICES.replace("errors", name)}}}"""
        for name, witness in (("received", "called"), ("sent", "caller"))
    )
    configuration = loads(
        f"globalLevel: {{}}\nclusterLevel:\n  - cluster: mesh\n    serviceConnections:{rules}\n"
    )
    outcomes = tuple(RuleOutcome("mesh", name, Outcome.OK) for name in ("received", "sent"))
    samples = (
        *told("sent", "a>db", _503=1.0),
        *told("received", "a>db", _503=1.0),
        *told("sent", "a>outside", _503=1.0),
        *told("received", "c>db", _503=1.0),
    )
    recording = Recording.open(tmp_path, create=True, clock=lambda: NOW_MS)
    with recording.writer() as writer:
        writer.put_configuration(configuration)
        writer.commit(Scrape(START_MS, INTERVAL_MS, configuration.hash, outcomes, samples))
    found = edges(recording.graph(at=START_MS))
    assert {pair: [notice.title for notice in edge.notices] for pair, edge in found.items()} == {
        "a>db": ["received"],
        "a>outside": ["sent"],
        "c>db": ["received"],
    }


def test_a_peak_is_rounded_up_so_that_no_edge_exceeds_it(tmp_path: Path) -> None:
    recording = recorded(
        tmp_path,
        scrape(START_MS, *told("sent", "a>db", _200=1 / 3, _503=1 / 3), *told("other", "a>db", _200=1.0)),
    )
    assert recording.topology(START_MS, START_MS + 1)["mesh"].peak_rps == 1.666668
    [row] = recording.timeline(START_MS, START_MS + INTERVAL_MS, "10s").to_pylist()
    assert (row["normal"], row["danger"]) == (1.333333, 0.333333), (
        "what is added up is rounded to the nearest"
    )


@pytest.mark.parametrize(
    ("statuses", "rates"),
    [
        (range(200, 230), (27e12, 0.0, 0.0)),
        # Each class fits, and all of them together do not.
        ([hundreds * 100 + more for hundreds in (2, 4, 5) for more in range(5)], (4.5e12, 4.5e12, 4.5e12)),
    ],
)
def test_rates_whose_sum_does_not_fit_64_bits_are_summed_exactly(
    tmp_path: Path, statuses: Sequence[int], rates: tuple[float, float, float]
) -> None:
    by_status = {f"_{status}": 9e11 for status in statuses}
    samples = *told("sent", "a>db", **by_status), *told("received", "a>db", **by_status)
    recording = recorded(tmp_path, scrape(START_MS, *samples, *told("other", "a>db", _200=1.0)))
    [row] = recording.timeline(START_MS, START_MS + INTERVAL_MS, "10s").to_pylist()
    assert (row["normal"] - 1, row["warning"], row["danger"]) == rates
    assert recording.topology(START_MS, START_MS + 1)["mesh"].peak_rps == sum(rates) + 1
