"""Windows are [start, end), at every door of a recording: its start is inside, its end is not."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from support.scrapes import INTERVAL_MS, START_MS, mesh, scrape

from vistio_core import Annotation, Recording

BEFORE_MS, FIRST_MS, INSIDE_MS, END_MS = range(START_MS, START_MS + 4 * INTERVAL_MS, INTERVAL_MS)
"""Instants: before the window, at its start, inside, and at its end. Each has its own edge, mark and failure."""
TARGETS = {"b": BEFORE_MS, "c": FIRST_MS, "d": INSIDE_MS, "e": END_MS}

Told = Callable[[Recording, int, int], list[int]]


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    place: Path = tmp_path_factory.mktemp("window") / "recording"
    recording = Recording.open(place, create=True, clock=lambda: END_MS)
    with recording.writer() as writer:
        writer.put_configuration(mesh())
        for target, instant_ms in TARGETS.items():
            writer.commit(scrape(instant_ms, {f"a>{target} 200": 1.0}, ingress="failed"))
            recording.annotate(Annotation(instant_ms, target))
    return recording


def column(name: str) -> Callable[[pa.Table], list[int]]:
    return lambda table: table[name].cast(pa.timestamp("ms", "UTC")).cast(pa.int64()).to_pylist()


def topology(recording: Recording, start_ms: int, end_ms: int) -> list[int]:
    return sorted(TARGETS[target] for _, target in recording.topology(start_ms, end_ms)["mesh"].pairs)


def edges_of_top(recording: Recording, start_ms: int, end_ms: int) -> list[int]:
    targets = recording.top(start_ms, end_ms)["target"].drop_null().to_pylist()
    return sorted(TARGETS[target] for target in targets)


def edges_seen(recording: Recording, start_ms: int, end_ms: int) -> list[int]:
    targets = recording.seen(start_ms, end_ms).table["target"].drop_null().to_pylist()
    return sorted(TARGETS[target] for target in targets)


DOORS: dict[str, Told] = {
    "seen": edges_seen,
    "top": edges_of_top,
    "instants": lambda recording, *window: column("instant")(recording.instants(*window)),
    "presence": lambda recording, *window: column("instant")(recording.presence(*window)),
    "unanswered": lambda recording, *window: [one.instant_ms for one in recording.unanswered(*window)],
    "annotations": lambda recording, *window: column("start")(recording.annotations(*window)),
    "topology": topology,
    "edges": lambda recording, *window: [column("instant")(table)[0] for table in recording.edges(*window)],
    "instant_rows": lambda recording, *window: [
        column("instant")(rows.rates)[0] for rows in recording.instant_rows(*window)
    ],
    "timeline": lambda recording, *window: column("start")(recording.timeline(*window, "10s")),
    "sql": lambda recording, start_ms, end_ms: column("instant")(
        recording.sql(
            "select distinct instant from scrapes order by 1", start=start_ms, end=end_ms
        ).to_arrow_table()
    ),
    "frames": lambda recording, *window: [frame.asked_ms for frame in recording.frames(*window).frames],
}
"""Name of a method to the instants that it tells of."""


def test_every_door_with_a_window_is_tried() -> None:
    with_window = {
        name
        for name, method in inspect.getmembers(Recording, inspect.isfunction)
        if not name.startswith("_") and {"start", "end"} <= inspect.signature(method).parameters.keys()
    }
    elsewhere = {"gaps", "extent", "heat", "suspects", "incidents", "path", "export", "rejudge"}
    assert with_window == {*DOORS, *elsewhere}, (
        "gaps are tried below, export in test_sharing.py, the others in tests/diagnosis; an extent tells of no instant"
    )


@pytest.mark.parametrize("told", DOORS.values(), ids=DOORS)
def test_the_start_is_inside_and_the_end_is_not(recording: Recording, told: Told) -> None:
    assert told(recording, FIRST_MS, END_MS) == [FIRST_MS, INSIDE_MS]


@pytest.mark.parametrize("told", [told for name, told in DOORS.items() if name not in ("timeline", "frames")])
@pytest.mark.parametrize(("moved_ms", "first"), [(-1, True), (0, True), (1, False)])
def test_a_start_before_at_and_after_an_instant(
    recording: Recording, told: Told, moved_ms: int, first: bool
) -> None:
    expected = [FIRST_MS, INSIDE_MS] if first else [INSIDE_MS]
    assert told(recording, FIRST_MS + moved_ms, END_MS) == expected


@pytest.mark.parametrize("told", [told for name, told in DOORS.items() if name not in ("timeline", "frames")])
@pytest.mark.parametrize(("moved_ms", "last"), [(-1, False), (0, False), (1, True)])
def test_an_end_before_at_and_after_an_instant(
    recording: Recording, told: Told, moved_ms: int, last: bool
) -> None:
    expected = [FIRST_MS, INSIDE_MS, END_MS] if last else [FIRST_MS, INSIDE_MS]
    assert told(recording, FIRST_MS, END_MS + moved_ms) == expected


def test_a_moment_that_is_a_window_has_its_start_and_not_its_end(recording: Recording) -> None:
    compared = recording.compare(BEFORE_MS, f"{FIRST_MS}/{END_MS}")
    assert compared.after.instants == 2
    assert sorted(row["target"] for row in compared.edges.to_pylist() if row["change"] == "new") == ["c", "d"]


def test_what_is_missing_at_the_end_of_a_window_is_no_gap_of_it(tmp_path: Path) -> None:
    recording = Recording.open(
        tmp_path / "recording", create=True, clock=lambda: START_MS + 100 * INTERVAL_MS
    )
    with recording.writer() as writer:
        writer.put_configuration(mesh())
        for index in (0, 10):
            writer.commit(scrape(START_MS + index * INTERVAL_MS, {"a>b 200": 1.0}))
    for intervals, moved_ms, missing in ((7, 0, 6), (8, -1, 7), (8, 0, 7), (8, 1, 8)):
        [gap] = recording.gaps(START_MS, START_MS + intervals * INTERVAL_MS + moved_ms).to_pylist()
        assert gap["missing"] == missing, (intervals, moved_ms)
