"""Gaps as numbers: the pure sum, and what is read off a real recording."""

from __future__ import annotations

from pathlib import Path

import pytest

from vistio_core import Recording
from vistio_core.configuration import loads
from vistio_core.events import Outcome, RuleOutcome, Scrape
from vistio_core.storage.writer import Writer
from vistio_core.times import DAY_MS, HOUR_MS
from vistio_record.measuring import Known, gap_ms, measure_gaps, measure_sizes
from vistio_record.metrics import Metrics

NOON = 1_763_899_200_000
CONFIGURATION = loads("clusterLevel: [{cluster: mesh}]\n")


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ([], 60),
        ([(100, 60)], 0),
        ([(99, 60)], 1),
        ([(101, 60)], 1),
        ([(90, 10), (100, 10)], 50),  # the first ends where the window begins
        ([(150, 20)], 50),  # reaches beyond the end
        ([(160, 10)], 60),  # begins at the end, which is exclusive
        ([(100, 10), (110, 10), (130, 10)], 30),
        ([(130, 10), (100, 10), (110, 10)], 30),
        ([(100, 10), (100, 10), (105, 10)], 45),  # overlaps count once
        ([(100, 10), (110, 5), (115, 5), (120, 40)], 0),  # another interval from 110 on
    ],
)
def test_a_gap_is_the_time_that_no_scrape_stands_for(seen: list[tuple[int, int]], expected: int) -> None:
    assert gap_ms(seen, 100, 160) == expected


@pytest.mark.parametrize("end", [99, 100])
def test_an_empty_window_has_no_gap(end: int) -> None:
    assert gap_ms([(90, 5)], 100, end) == 0


def commit(writer: Writer, instant_ms: int, outcome: Outcome = Outcome.OK) -> None:
    outcomes = (RuleOutcome("mesh", "one", outcome, "" if outcome is Outcome.OK else "down"),)
    writer.commit(Scrape(instant_ms, 600_000, CONFIGURATION.hash, outcomes))


@pytest.fixture
def recording(recording_dir: Path) -> Recording:
    """Every ten minutes from 10:00 to 12:00 without 11:10 (failed), 11:20 and 11:30 (not there)."""
    recording = Recording.open(recording_dir, create=True)
    with recording.writer() as writer:
        writer.put_configuration(CONFIGURATION)
        for instant_ms in range(NOON - 2 * HOUR_MS, NOON, 600_000):
            minute = (instant_ms - NOON) // 60_000
            if minute not in (-40, -30):
                commit(writer, instant_ms, Outcome.FAILED if minute == -50 else Outcome.OK)
    with recording.writer("other") as writer:
        writer.put_configuration(CONFIGURATION)
        commit(writer, NOON - 1_800_000)
    return recording


def gaps(recording: Recording, known: Known, until_ms: int = NOON) -> tuple[float | None, float | None]:
    metrics = Metrics(lambda: NOON)
    measure_gaps(recording, metrics, "main", known, until_ms)
    hour, day = (
        metrics.registry.get_sample_value("vistio_record_gap_seconds", {"window": window})
        for window in ("1h", "24h")
    )
    return hour, day


@pytest.mark.parametrize(
    ("running_from_ms", "retention_ms", "expected"),
    [
        (NOON - HOUR_MS, 7 * DAY_MS, (1800, 1800)),  # it began at 10:00: its first scrape says so
        (NOON - 3 * HOUR_MS, 7 * DAY_MS, (1800, 5400)),  # an hour is missing before that
        (NOON - 30 * DAY_MS, 7 * DAY_MS, (1800, 22 * 3600 + 1800)),
        (NOON - 30 * DAY_MS, 0, (1800, 22 * 3600 + 1800)),
        (NOON - 30 * DAY_MS, 3 * HOUR_MS, (1800, 5400)),  # what retention took is no gap
        (NOON - 30 * DAY_MS, HOUR_MS // 2, (600, 600)),
    ],
)
def test_gaps_begin_where_the_writer_is_known_to_have_been_at_work(
    recording: Recording, running_from_ms: int, retention_ms: int, expected: tuple[float, float]
) -> None:
    known = Known(running_from_ms=running_from_ms, retention_ms=retention_ms)
    assert gaps(recording, known) == expected


def test_what_retention_by_size_took_is_no_gap(recording: Recording) -> None:
    known = Known(running_from_ms=NOON - 30 * DAY_MS, retention_ms=0, retention_bytes=1)
    assert gaps(recording, known) == (1800, 1800)


def test_a_recording_that_has_just_begun_has_no_gap(recording_dir: Path) -> None:
    known = Known(running_from_ms=NOON, retention_ms=DAY_MS)
    assert gaps(Recording.open(recording_dir, create=True), known) == (0, 0)


def test_sizes_are_those_of_the_recording(recording: Recording) -> None:
    metrics = Metrics(lambda: NOON)
    measure_sizes(recording, metrics)
    info = recording.info()
    for tier in ("head", "log"):
        for unit in ("files", "bytes"):
            value = metrics.registry.get_sample_value(f"vistio_record_{tier}_{unit}")
            assert value == getattr(info, f"{tier}_{unit}")
    assert info.head_files == 11
