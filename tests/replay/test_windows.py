"""Comparisons of windows and instants, and who was there, against plain Python over what was recorded."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from support.scrapes import INTERVAL_MS, MESH, START_MS, edges, mesh, scrape

from vistio_core import Recording, loads
from vistio_core.errors import NothingRecordedError, UnknownNameError
from vistio_core.events import Measurement, Outcome, RuleOutcome, Scrape
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
GRPC = """\
      - name: grpc
        query: grpc_rate
        prometheusURL: http://127.0.0.1:9090
        source: {label: source}
        target: {label: target}
    serviceNotices:
"""
TWO_RULES = loads(MESH.replace("    serviceNotices:\n", GRPC))
RULES = {"": ["ingress"], "mesh": ["grpc", "http"]}
LEVEL_RULES = [(cluster, rule) for cluster, rules in RULES.items() for rule in rules]
SUBJECTS: list[dict[str, str]] = [
    {},
    {"cluster": ""},
    {"cluster": "mesh"},
    {"node": "a"},
    {"node": "mesh"},
    {"source": "a", "target": "b"},
    {"source": "INTERNET"},
    {"target": "mesh", "cluster": ""},
    {"target": "mesh", "cluster": "mesh"},
]
LEVELS = st.sampled_from([("", "ingress"), ("mesh", "http"), ("mesh", "grpc")])
HTTP = "mesh", "http"
SAMPLES = st.dictionaries(st.tuples(LEVELS, PAIRS), RATES, max_size=12)
MEASURED = st.lists(st.tuples(ENDS, st.sampled_from(["", "a", "z"])), max_size=2, unique=True)
FAILED = st.sampled_from(
    [(), (), (), ("http",), ("grpc",), ("ingress",), ("http", "grpc"), ("http", "grpc", "ingress")]
)
SCRAPES = st.dictionaries(
    st.tuples(st.integers(0, 15), st.sampled_from(WRITERS)),
    st.tuples(SAMPLES, MEASURED, FAILED),
    min_size=1,
    max_size=7,
)


def recorded(
    index: int, samples: Mapping[Any, float], measured: Sequence[tuple[str, str]], failed: Sequence[str]
) -> Scrape:
    by_rule: dict[tuple[str, str], dict[str, float]] = {}
    for ((cluster, rule), (source, target, status)), rate in samples.items():
        pair = "INTERNET>mesh" if rule == "ingress" else f"{source}>{target}"  # its ends are fixed
        if rule not in failed:
            by_rule.setdefault((cluster, rule), {})[f"{pair} {status}"] = rate
    return Scrape(
        START_MS + index * STEP_MS,
        INTERVAL_MS,
        TWO_RULES.hash,
        tuple(
            RuleOutcome(cluster, rule, Outcome.FAILED if rule in failed else Outcome.OK)
            for cluster, rule in [*LEVEL_RULES, ("mesh", "saturation")]
        ),
        tuple(sample for (cluster, rule), rates in by_rule.items() for sample in edges(rates, rule, cluster)),
        tuple(Measurement("mesh", "saturation", *ends, "value", 1.0, ()) for ends in measured),
    )


def not_answered(each: Scrape, cluster: str) -> list[str]:
    """The rules of a cluster that were not answered; each tells of all of its edges that there are here."""
    return sorted(
        "/".join(filter(None, (cluster, told.rule)))
        for told in each.outcomes
        if told.cluster == cluster and told.rule != "saturation" and told.outcome is not Outcome.OK
    )


@attrs.frozen
class Side:
    """One moment, by plain Python."""

    rates: Rates
    nodes: set[Key]
    missing: Mapping[str, list[str]]
    """By cluster, the rules that were answered at no instant, and writers that recorded nothing of late."""


def window_side(by_writer: Mapping[str, Sequence[Scrape]], start_ms: int, end_ms: int) -> Side:
    """A window by plain Python: of each writer the means over the instants at which a cluster's rule was answered."""
    rates: Rates = {}
    nodes: set[Key] = set()
    missing: dict[str, list[str]] = {"": [], "mesh": []}
    for name, scrapes in sorted(by_writer.items()):
        inside = [each for each in scrapes if start_ms <= each.instant_ms < end_ms]
        before = any(each.instant_ms < start_ms for each in scrapes)
        nodes |= summed_up(inside)[1]
        for cluster, unseen in missing.items():
            whole = [each for each in inside if not not_answered(each, cluster)]
            known = [each for each in inside if len(not_answered(each, cluster)) < len(RULES[cluster])]
            if inside and not whole:
                unseen += [rule for each in inside for rule in not_answered(each, cluster)]
            elif not inside and before:
                unseen.append(f"writer {name}")
            for key in summed_up(known)[0]:
                if key[0] == cluster:
                    sums = summed_up(whole or known)[0].get(key, [0] * 3)
                    mean = [float(each) / 1e6 / len(whole or known) for each in sums]
                    rates[key] = [a + b for a, b in zip(rates.get(key, [0.0] * 3), mean, strict=True)]
    return Side(rates, nodes, {cluster: sorted({*names}) for cluster, names in missing.items()})


def summed_up(scrapes: Sequence[Scrape]) -> tuple[dict[Key, list[int]], set[Key]]:
    """Every edge's sums by class, in millionths, and all nodes."""
    millionths: dict[Key, list[int]] = {}
    nodes: set[Key] = set()
    for each in scrapes:
        for sample in each.samples:
            rule_has_statuses = sample.rule != "grpc"
            bad = {"4": 1, "5": 2}.get(sample.status[:1], 0) if rule_has_statuses else 0
            sums = millionths.setdefault((sample.cluster, sample.source, sample.target), [0, 0, 0])
            sums[bad] += round(sample.rate * 1e6)
        nodes |= {(m.cluster, end) for m in each.measurements for end in (m.source, m.target) if end}
    nodes |= {(cluster, end) for cluster, *ends in millionths for end in ends}
    return millionths, nodes


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


def could_tell(cluster: str, subject: Mapping[str, str]) -> bool:
    """Whether a cluster's rules could tell of a subject; those of the global level have fixed ends."""
    ends = {"source": ["INTERNET"], "target": ["mesh"], "node": ["INTERNET", "mesh"]}
    return subject.get("cluster", cluster) == cluster and (
        cluster == "mesh" or all(subject.get(end, names[0]) in names for end, names in ends.items())
    )


def is_about(key: Key, subject: Mapping[str, str]) -> bool:
    asked = [subject.get(name, own) for name, own in zip(("cluster", "source", "target"), key, strict=True)]
    return asked == list(key) and subject.get("node", key[1]) in key[1:]


def check_timeline(
    recording: Recording, by_writer: Mapping[str, Sequence[Scrape]], subject: Mapping[str, str], step_ms: int
) -> None:
    """A timeline by plain Python: of each writer the mean over the instants that tell all of the subject."""
    end_ms = START_MS + 6 * MINUTE_MS
    nodes = {
        *summed_up([each for own in by_writer.values() for each in own])[1],
        ("", "INTERNET"),
        ("", "mesh"),
    }
    there = {name for cluster, name in nodes if subject.get("cluster", cluster) == cluster}
    if not {subject[end] for end in ("source", "target", "node") if end in subject} <= there:
        with pytest.raises(UnknownNameError):
            recording.timeline(START_MS, end_ms, f"{step_ms}ms", **subject)
        return
    clusters = [cluster for cluster in RULES if could_tell(cluster, subject)]
    rules = {name for cluster in clusters for name in RULES[cluster]}
    table = recording.timeline(START_MS, end_ms, f"{step_ms}ms", **subject)
    for row, start_ms in zip(table.to_pylist(), range(START_MS, end_ms, step_ms), strict=True):
        rates: list[list[float]] = []
        parts: list[list[float]] = []
        unseen, instants = set[str](), set[int]()
        is_whole, is_known = True, False
        for name, scrapes in sorted(by_writer.items()):
            inside = [each for each in scrapes if start_ms <= each.instant_ms < start_ms + step_ms]
            missed = {
                each.instant_ms: {rule for cluster in clusters for rule in not_answered(each, cluster)}
                for each in inside
            }
            whole = [each for each in inside if not missed[each.instant_ms]]
            known = [each for each in inside if len(missed[each.instant_ms]) < len(rules)]
            unseen.update(*missed.values())
            instants |= {each.instant_ms for each in whole}
            if not inside and any(each.instant_ms < start_ms for each in scrapes):
                is_whole = False
                unseen.add(f"writer {name}")
            is_whole &= bool(whole) or not inside
            is_known |= bool(known)
            for of, means in ((whole, rates), (known, parts)):
                sums = [0, 0, 0]
                for key, own in summed_up(of)[0].items():
                    if is_about(key, subject):
                        sums = [a + b for a, b in zip(sums, own, strict=True)]
                if of:
                    means.append([float(Decimal(each).scaleb(-6)) / len(of) for each in sums])
        nothing: list[float | None] = [None] * 3
        expected = [sum(each) for each in zip(*rates, strict=True)] if is_whole and rates else nothing
        assert [row["normal"], row["warning"], row["danger"]] == expected
        some = [sum(each) for each in zip(*parts, strict=True)] if is_known else nothing
        assert [row[f"known_{name}"] for name in ("normal", "warning", "danger")] == some
        # Where one of several writers was silent, no instant tells all.
        assert row["instants"] == (0 if row["normal"] is None else len(instants))
        if not is_known:
            unseen = {name for name in unseen if not name.startswith("writer")}
        assert row["unseen"] == sorted(unseen)
        assert (row["edges"] is None) == (row["notices_error"] is None) == (not is_known)


def check_frames(recording: Recording) -> None:
    """Frames, and graphs that keep a picture in place, by the graphs of their instants."""
    end_ms = START_MS + 6 * MINUTE_MS
    frames = recording.frames(START_MS, end_ms, f"{STEP_MS}ms")
    for index, frame in enumerate(frames.frames):
        try:
            graph = recording.graph(frame.asked_ms)
        except NothingRecordedError:
            assert all(np.isnan(level.rates[index]).all() for level in frames.levels)
            continue
        (rates, _), missing = rates_of(graph), missing_in(graph)
        stable, _ = rates_of(recording.graph(frame.asked_ms, stable=(START_MS, end_ms)))
        shown = {
            (level.cluster, *pair): row
            for level in frames.levels
            for pair, row in zip(level.edges, level.rates[index].tolist(), strict=True)
        }
        for found in (shown, stable):
            for key, row in found.items():
                absent = [math.nan if missing.get(key[0]) else 0.0] * 3
                np.testing.assert_array_equal(row, rates.get(key, absent), str(key))


def missing_in(graph: Graph) -> dict[str, list[str]]:
    missing: dict[str, set[str]] = {cluster: set() for cluster in RULES}
    for failed in graph.failed_rules:
        for cluster, names in missing.items():
            if failed.outcome == "stale":
                names.add(f"writer {failed.rule}")
            elif failed.cluster == cluster:
                names.add("/".join(filter(None, (cluster, failed.rule))))
    return {cluster: sorted(names) for cluster, names in missing.items()}


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
    for key in keys:
        missing = [side.missing.get(key[0], []) for side in sides]
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
    rates, nodes = summed_up(scrapes)
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
@given(scrapes=SCRAPES, subjects=st.lists(st.sampled_from(SUBJECTS), min_size=1, max_size=2))
# A peak of more millionths than a double can count.
@pytest.mark.slow
@example(
    scrapes={
        (3, "west"): (
            {(HTTP, ("a", "b", "200")): 9.9e11, (HTTP, ("a", "b", "302")): 2188515091.001908},
            [],
            (),
        )
    },
    subjects=SUBJECTS,
)
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_window_says_what_plain_python_says(
    scrapes: Mapping[tuple[int, str], tuple[dict[Any, float], list[tuple[str, str]], tuple[str, ...]]],
    subjects: Sequence[Mapping[str, str]],
    piece_rows: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pieces, "_PIECE_ROWS", piece_rows)
    made = {key: recorded(key[0], *each) for key, each in scrapes.items()}
    with tempfile.TemporaryDirectory() as folder:
        recording = Recording.open(folder, create=True, clock=lambda: START_MS + 10 * MINUTE_MS)
        for name in WRITERS:
            with recording.writer(name) as writer:
                writer.put_configuration(TWO_RULES)
                for (_, by), each in sorted(made.items()):
                    if by == name:
                        writer.commit(each)
        by_writer = {name: [each for (_, by), each in sorted(made.items()) if by == name] for name in WRITERS}
        sides: list[tuple[str | int, Side]] = []
        for start_ms, end_ms in WINDOWS:
            inside = [each for each in made.values() if start_ms <= each.instant_ms < end_ms]
            if inside:
                window = f"{format_instant(start_ms)}/{format_instant(end_ms)}"
                sides.append((window, window_side(by_writer, start_ms, end_ms)))
                check_topology(recording.topology(start_ms, end_ms), inside)
        newest_ms = max(each.instant_ms for each in made.values())
        graph = recording.graph(newest_ms)
        of_edges, of_nodes = rates_of(graph)
        known = {key: rates for key, rates in of_edges.items() if not math.isnan(rates[0])}
        sides.append((newest_ms, Side(known, of_nodes, missing_in(graph))))
        for before, after in zip(sides, [*sides[1:], sides[0]], strict=True):
            check(recording.compare(before[0], after[0]), before[1], after[1])
        for sealed in (False, True):
            for name in WRITERS if sealed else ():
                with recording.writer(name) as writer:
                    writer.seal(START_MS + 2 * HOUR_MS)
            check_frames(recording)
            for subject in subjects:
                for step_ms in (STEP_MS, MINUTE_MS, 2 * MINUTE_MS):
                    check_timeline(recording, by_writer, subject, step_ms)


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
