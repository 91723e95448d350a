"""The timeline against the graphs that it sums up, and what it says of a subject."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.scrapes import INTERVAL_MS, START_MS, edges, mesh, scrape

from vistio_core import Recording
from vistio_core.configuration.model import Severity
from vistio_core.errors import InvalidTimeError, NothingRecordedError
from vistio_core.events import Measurement, Scrape
from vistio_core.graph.model import Graph
from vistio_core.replay.comparison import Comparison
from vistio_core.times import HOUR_MS

STRICTER = mesh(**{"error: 0.2": "error: 0.1", '"^4..$"': '"^[34]..$"'})


NOW_MS = START_MS + 10 * HOUR_MS


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    return Recording.open(tmp_path / "recording", create=True, clock=lambda: NOW_MS)


def saturated(node: str, value: float) -> Measurement:
    return Measurement("mesh", "saturation", node, "", "value", value, (("service", node),))


SCRAPES = [
    scrape(START_MS, {"a>b 200": 8.0, "a>b 503": 2.0, "b>c 404": 1.0}, measurements=[saturated("c", 0.9)]),
    scrape(
        START_MS + INTERVAL_MS,
        [
            *edges({"a>b 200": 99.0, "a>b 500": 1.0, "c>a 302": 4.0}),
            *edges({"INTERNET>mesh 200": 3.0}, "ingress", ""),
        ],
        measurements=[saturated("a", 0.99), saturated("b", 0.8), saturated("c", 0.1)],
    ),
    scrape(
        START_MS + 2 * INTERVAL_MS, {"a>b 302": 8.0, "a>b 503": 1.0, "b>b 200": 0.5}, configuration=STRICTER
    ),
    scrape(START_MS + 3 * INTERVAL_MS),
]


def record(recording: Recording, *scrapes: Scrape) -> None:
    with recording.writer() as writer:
        for configuration in (mesh(), STRICTER):
            writer.put_configuration(configuration)
        for each in scrapes:
            writer.commit(each)


def notices(graph: Graph, severity: Severity) -> int:
    levels = [(graph.nodes, graph.edges), *((region.nodes, region.edges) for region in graph.regions)]
    return sum(
        notice.severity is severity
        for level in levels
        for part in level
        for each in part
        for notice in each.notices
    )


def test_a_step_of_one_instant_says_what_its_graph_says(recording: Recording) -> None:
    record(recording, *SCRAPES)
    rows = recording.timeline(START_MS, START_MS + 4 * INTERVAL_MS, "10s").to_pylist()
    assert len(rows) == 4
    for index, row in enumerate(rows):
        graph = recording.graph(START_MS + index * INTERVAL_MS)
        all_edges = [*graph.edges, *(edge for region in graph.regions for edge in region.edges)]
        assert row["edges"] == len(all_edges)
        for name in ("normal", "warning", "danger"):
            assert row[name] == pytest.approx(sum(getattr(edge.rates, name) for edge in all_edges))
        for severity in Severity:
            assert row[f"notices_{severity.name.lower()}"] == notices(graph, severity), (index, severity)
    assert [row["notices_error"] for row in rows] == [1, 1, 1, 0]
    assert [row["notices_info"] for row in rows] == [0, 1, 0, 0]


def test_a_longer_step_has_mean_rates_and_the_most_edges_and_notices_of_one_instant(
    recording: Recording,
) -> None:
    record(recording, *SCRAPES)
    [row] = recording.timeline(START_MS, START_MS + 4 * INTERVAL_MS, "40s").to_pylist()
    assert row["normal"] == (8.0 + 99.0 + 4.0 + 3.0 + 0.5) / 4
    assert (row["edges"], row["notices_warning"], row["notices_error"]) == (3, 1, 1)


@pytest.mark.parametrize(
    ("subject", "normal", "edges_", "warnings", "errors"),
    [
        ({"node": "c"}, [0.0, 4.0, 0.0, 0.0], [1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]),
        ({"node": "b", "cluster": "mesh"}, [8.0, 99.0, 0.5, 0.0], [2, 1, 2, 0], [0, 1, 0, 0], [1, 0, 1, 0]),
        ({"source": "a", "target": "b"}, [8.0, 99.0, 0.0, 0.0], [1, 1, 1, 0], [0, 0, 0, 0], [1, 0, 1, 0]),
        ({"cluster": ""}, [0.0, 3.0, 0.0, 0.0], [0, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]),
        ({"source": "c", "target": "c"}, [0.0] * 4, [0] * 4, [0] * 4, [0] * 4),
    ],
)
def test_a_subject_narrows_rates_edges_and_notices(
    recording: Recording,
    subject: dict[str, str],
    normal: list[float],
    edges_: list[int],
    warnings: list[int],
    errors: list[int],
) -> None:
    record(recording, *SCRAPES)
    found = recording.timeline(START_MS, START_MS + 4 * INTERVAL_MS, "10s", **subject)
    assert found["normal"].to_pylist() == normal
    assert found["edges"].to_pylist() == edges_
    assert found["notices_warning"].to_pylist() == warnings
    assert found["notices_error"].to_pylist() == errors


def summary(found: Comparison) -> list[tuple[str, str, float]]:
    return [(row["node"], row["change"], row["change_rps"]) for row in found.nodes.to_pylist()]


def test_nodes_change_by_what_enters_them_or_leaves_a_source(recording: Recording) -> None:
    record(
        recording,
        scrape(START_MS, {"a>b 200": 10.0, "b>c 200": 5.0, "b>gone 200": 1.0}),
        scrape(START_MS + INTERVAL_MS, {"a>b 200": 4.0, "b>c 200": 5.0, "b>new 500": 2.5}),
    )
    found = recording.compare(START_MS, START_MS + INTERVAL_MS)
    assert summary(found) == [
        ("a", "changed", 6.0),
        ("b", "changed", 6.0),
        ("new", "new", 2.5),
        ("gone", "gone", 1.0),
    ]


def test_windows_are_compared_by_their_mean_rates(recording: Recording) -> None:
    record(
        recording,
        scrape(START_MS, {"a>b 200": 10.0}),
        scrape(START_MS + INTERVAL_MS, {"a>b 200": 20.0, "a>c 503": 1.0}),
        scrape(START_MS + 2 * INTERVAL_MS, {"a>b 200": 15.0}),
        scrape(
            START_MS + 3 * INTERVAL_MS, {"a>b 200": 15.0, "a>c 503": 3.0}, measurements=[saturated("d", 1)]
        ),
    )
    first, second = "05:00:00Z/2026-11-23T05:00:20Z", "05:00:20Z/2026-11-23T05:00:40Z"
    found = recording.compare(f"2026-11-23T{first}", f"2026-11-23T{second}")
    [row] = found.edges.to_pylist()
    assert (row["target"], row["before_danger"], row["after_danger"]) == ("c", 0.5, 1.5)
    # a leaves as much as c takes in addition; d was only measured.
    assert summary(found) == [("a", "changed", 1.0), ("c", "changed", 1.0), ("d", "new", 0.0)]
    assert (found.before.instants, found.after.instants) == (2, 2)
    assert recording.diff(START_MS, f"2026-11-23T{second}")["target"].to_pylist() == ["b", "c"]


def test_a_window_without_a_graph_or_that_is_empty_is_refused(recording: Recording) -> None:
    record(recording, *SCRAPES)
    with pytest.raises(NothingRecordedError):
        recording.compare("2026-11-23T04:00:00Z/2026-11-23T04:10:00Z", START_MS)
    with pytest.raises(InvalidTimeError, match="is empty"):
        recording.compare(START_MS, "2026-11-23T05:00:00Z/2026-11-23T05:00:00Z")


def test_rates_whose_sum_does_not_fit_64_bits_are_summed_exactly(recording: Recording) -> None:
    rates = {f"a>b {status}": 9e11 for status in range(200, 230)}
    record(recording, scrape(START_MS, rates), scrape(START_MS + INTERVAL_MS, {**rates, "b>c 200": 0.1}))
    for subject in ({}, {"node": "a"}):
        [row] = recording.timeline(START_MS, START_MS + 2 * INTERVAL_MS, "20s", **subject).to_pylist()
        assert row["normal"] == pytest.approx(27e12, rel=1e-9)
    [row] = recording.timeline(START_MS, START_MS + 2 * INTERVAL_MS, "20s", node="c").to_pylist()
    assert row["normal"] == 0.05


def test_an_edge_that_two_writers_saw_is_one_edge_with_both_rates(recording: Recording) -> None:
    for writer in ("east", "west"):
        with recording.writer(writer) as writing:
            writing.put_configuration(mesh())
            writing.commit(scrape(START_MS, {"a>b 200": 2.0, "a>b 500": 1.0, f"a>{writer} 200": 1.0}))
    [row] = recording.timeline(START_MS, START_MS + INTERVAL_MS, "10s").to_pylist()
    assert (row["edges"], row["normal"], row["danger"], row["notices_error"]) == (3, 6.0, 2.0, 2)
    [row] = recording.timeline(START_MS, START_MS + INTERVAL_MS, "10s", target="b").to_pylist()
    assert (row["edges"], row["normal"], row["danger"]) == (1, 4.0, 2.0)


def test_no_instant_tells_all_while_one_of_two_writers_is_silent(recording: Recording) -> None:
    for writer, instants in (("east", (0, 1, 2)), ("west", (0, 2))):
        with recording.writer(writer) as writing:
            writing.put_configuration(mesh())
            for index in instants:
                writing.commit(scrape(START_MS + index * INTERVAL_MS, {f"a>{writer} 200": 1.0}))
    rows = recording.timeline(START_MS, START_MS + 3 * INTERVAL_MS, "10s").to_pylist()
    assert [(row["normal"], row["instants"], row["missing"], row["unseen"]) for row in rows] == [
        (2.0, 1, 0, []),
        (None, 0, 1, ["writer west"]),
        (2.0, 1, 0, []),
    ]
