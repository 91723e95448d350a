"""Comparisons of windows and instants, and who was there, against plain Python over what was recorded."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from support.scrapes import START_MS, edges, mesh, scrape

from vistio_core import Recording
from vistio_core.events import Measurement, Scrape
from vistio_core.graph.model import Graph
from vistio_core.graph.topology import Topology
from vistio_core.replay import pieces
from vistio_core.replay.comparison import Comparison
from vistio_core.times import HOUR_MS, MINUTE_MS, format_instant

STEP_MS = 20_000
WINDOWS = (START_MS, START_MS + 3 * MINUTE_MS), (START_MS + 2 * MINUTE_MS, START_MS + 5 * MINUTE_MS + 1)
WRITERS = ("east", "west")
Key = tuple[str, ...]
Rates = dict[Key, list[float]]

# Names of nodes that are also those of clusters, and in both clusters.
ENDS = st.sampled_from(["a", "b", "mesh", "é", "INTERNET"])
RATES = st.one_of(
    st.floats(-1e3, 1e3), st.sampled_from([0.0, 1e-7, 5e-7, 0.1, 9.9e11, -9.9e11]), st.floats(0, 1e11)
)
PAIRS = st.tuples(ENDS, ENDS, st.sampled_from(["200", "302", "404", "500", "503", ""]))
LEVELS = st.sampled_from([("", "ingress"), ("mesh", "http"), ("mesh", "unknown"), ("other", "http")])
HTTP = "mesh", "http"
SAMPLES = st.dictionaries(st.tuples(LEVELS, PAIRS), RATES, max_size=12)
MEASURED = st.lists(st.tuples(ENDS, st.sampled_from(["", "a", "z"])), max_size=2, unique=True)
SCRAPES = st.dictionaries(
    st.tuples(st.integers(0, 15), st.sampled_from(WRITERS)),
    st.tuples(SAMPLES, MEASURED),
    min_size=1,
    max_size=7,
)


def recorded(index: int, samples: Mapping[Any, float], measured: Sequence[tuple[str, str]]) -> Scrape:
    return scrape(
        START_MS + index * STEP_MS,
        [
            sample
            for ((cluster, rule), (source, target, status)), rate in samples.items()
            for sample in edges({f"{source}>{target} {status}": rate}, rule, cluster)
        ],
        measurements=[Measurement("mesh", "saturation", *ends, "value", 1.0, ()) for ends in measured],
    )


@attrs.frozen
class Side:
    """One moment, by plain Python."""

    rates: Rates
    nodes: set[Key]
    missing: list[str] = attrs.field(factory=list)
    """Writers that recorded nothing of late: what they could have told is not known."""


def mean_rates(scrapes: Sequence[Scrape]) -> tuple[Rates, set[Key]]:
    """Every edge's mean rates by class, and all nodes."""
    millionths: dict[Key, list[int]] = {}
    nodes: set[Key] = set()
    for each in scrapes:
        for sample in each.samples:
            rule_is_known = (sample.cluster, sample.rule) in (("", "ingress"), ("mesh", "http"))
            bad = {"4": 1, "5": 2}.get(sample.status[:1], 0) if rule_is_known else 0
            sums = millionths.setdefault((sample.cluster, sample.source, sample.target), [0, 0, 0])
            sums[bad] += round(sample.rate * 1e6)
        nodes |= {(m.cluster, end) for m in each.measurements for end in (m.source, m.target) if end}
    nodes |= {(cluster, end) for cluster, *ends in millionths for end in ends}
    instants = len({each.instant_ms for each in scrapes})
    return {key: [float(own) / 1e6 / instants for own in sums] for key, sums in millionths.items()}, nodes


def rates_of(graph: Graph) -> tuple[Rates, set[Key]]:
    levels = [("", graph), *((region.name, region) for region in graph.regions)]
    return (
        {
            (cluster, edge.source, edge.target): [edge.rates.normal, edge.rates.warning, edge.rates.danger]
            for cluster, level in levels
            for edge in level.edges
        },
        {(cluster, node.name) for cluster, level in levels for node in level.nodes},
    )


def by_node(rates: Rates, keys: Sequence[Key], nodes: Sequence[Key]) -> Rates:
    """Keys are the edges of both sides: what any of them enters is measured by what enters it."""
    entered = {(cluster, target) for cluster, _, target in keys}
    sums: Rates = {node: [0.0, 0.0, 0.0] for node in nodes}
    for cluster, source, target in keys:
        own = rates.get((cluster, source, target), [0.0] * 3)
        for node in [(cluster, target), *({(cluster, source)} - entered)]:
            sums[node] = [a + b for a, b in zip(sums[node], own, strict=True)]
    return sums


def changes(sides: Sequence[Side], there: Sequence[set[Key]], keys: Sequence[Key]) -> list[tuple[Any, ...]]:
    known, unseen = [], []
    missing = [side.missing for side in sides]
    for key in keys:
        rates: list[list[float | None]] = [[*side.rates.get(key, [0.0] * 3)] for side in sides]
        hidden = [side for side in range(2) if missing[side] and key not in there[side]]
        for side in hidden:
            rates[side] = [None] * 3
        if hidden:
            unseen.append((*key, "unseen", None, *rates[0], *rates[1], *missing))
            continue
        before, after = rates
        normal, warning, danger = (abs(b - a) for a, b in zip(before, after, strict=True))  # type: ignore[operator]
        change = "gone" if key not in there[1] else "changed" if key in there[0] else "new"
        if change != "changed" or before != after:
            known.append((*key, change, normal + warning + danger, *before, *after, *missing))
    return [*sorted(known, key=lambda row: -row[len(row) - 9]), *unseen]


def check(found: Comparison, before: Side, after: Side) -> None:
    sides = before, after
    keys = sorted({*before.rates, *after.rates})
    all_nodes = sorted(before.nodes | after.nodes)
    edge_rows = [tuple(row.values()) for row in found.edges.to_pylist()]
    assert edge_rows == changes(sides, [set(side.rates) for side in sides], keys)
    sums = [attrs.evolve(side, rates=by_node(side.rates, keys, all_nodes)) for side in sides]
    node_rows = [tuple(row.values()) for row in found.nodes.to_pylist()]
    assert node_rows == changes(sums, [side.nodes for side in sides], all_nodes)


def check_topology(found: Topology, scrapes: Sequence[Scrape]) -> None:
    rates, nodes = mean_rates(scrapes)
    peaks: dict[str, int] = {}
    for instant_ms in {each.instant_ms for each in scrapes}:
        drawn: dict[Key, int] = {}
        for sample in [one for each in scrapes if each.instant_ms == instant_ms for one in each.samples]:
            key = sample.cluster, sample.source, sample.target
            drawn[key] = drawn.get(key, 0) + math.ceil(max(sample.rate, 0.0) * 1e6)
        for (cluster, *_), millionths in drawn.items():
            peaks[cluster] = max(millionths, peaks.get(cluster, 0))
    # The rule's class for targets; edges that were only measured are there, too.
    called = {
        ("mesh", sample.target)
        for each in scrapes
        for sample in each.samples
        if (sample.cluster, sample.rule) == ("mesh", "http")
    }
    pairs = {
        *rates,
        *((m.cluster, m.source, m.target) for each in scrapes for m in each.measurements if m.target),
    }
    assert set(found) == {cluster for cluster, _ in nodes}
    for cluster, level in found.items():
        assert level.classes == {
            name: "service" if (of, name) in called else "default" for of, name in nodes if of == cluster
        }
        assert level.pairs == {(source, target) for of, source, target in pairs if of == cluster}
        assert level.peak_rps == peaks.get(cluster, 0) / 1e6


@pytest.mark.parametrize("piece_rows", [1, 200_000], ids=["minute by minute", "at once"])
@given(scrapes=SCRAPES)
# A peak of more millionths than a double can count.
@example(
    scrapes={
        (3, "west"): ({(HTTP, ("a", "b", "200")): 9.9e11, (HTTP, ("a", "b", "302")): 2188515091.001908}, [])
    }
)
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_window_says_what_plain_python_says(
    scrapes: Mapping[tuple[int, str], tuple[dict[Any, float], list[tuple[str, str]]]],
    piece_rows: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pieces, "_PIECE_ROWS", piece_rows)
    made = {key: recorded(key[0], *each) for key, each in scrapes.items()}
    with tempfile.TemporaryDirectory() as folder:
        recording = Recording.open(folder, create=True, clock=lambda: START_MS + 10 * MINUTE_MS)
        for name in WRITERS:
            with recording.writer(name) as writer:
                writer.put_configuration(mesh())
                for (_, by), each in sorted(made.items()):
                    if by == name:
                        writer.commit(each)
        sides: list[tuple[str | int, Side]] = []
        for start_ms, end_ms in WINDOWS:
            inside = [each for each in made.values() if start_ms <= each.instant_ms < end_ms]
            if inside:
                window = f"{format_instant(start_ms)}/{format_instant(end_ms)}"
                sides.append((window, Side(*mean_rates(inside))))
                check_topology(recording.topology(start_ms, end_ms), inside)
        newest_ms = max(each.instant_ms for each in made.values())
        graph = recording.graph(newest_ms)
        missing = [f"writer {failed.rule}" for failed in graph.failed_rules if failed.outcome == "stale"]
        sides.append((newest_ms, Side(*rates_of(graph), missing)))
        for before, after in zip(sides, [*sides[1:], sides[0]], strict=True):
            check(recording.compare(before[0], after[0]), before[1], after[1])


def test_a_mean_is_over_the_instants_whose_samples_could_be_read(recording_dir: Path) -> None:
    recording = Recording.open(recording_dir, create=True, clock=lambda: START_MS + 3 * HOUR_MS)
    with recording.writer() as writer:
        writer.put_configuration(mesh())
        for hour in range(2):
            for index in range(10):
                rates = {f"a>{target} 200": 1.5 for target in range(50)}
                writer.commit(scrape(START_MS + hour * HOUR_MS + index * STEP_MS, rates))
        writer.seal(START_MS + 2 * HOUR_MS)
    sealed = max(recording_dir.glob("log/*/*/*.parquet"))
    content = bytearray(sealed.read_bytes())
    content[len(content) // 2] ^= 0xFF
    sealed.write_bytes(content)
    hours = f"{format_instant(START_MS)}/{format_instant(START_MS + 2 * HOUR_MS)}"
    found = Recording.open(recording_dir).compare(hours, START_MS)
    assert (found.before.instants, found.edges.num_rows) == (10, 0)
