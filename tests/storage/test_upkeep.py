"""How a writer's files become fewer: when, in whose way, and when it hurts nobody."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from support.scrapes import INTERVAL_MS, START_MS, mesh, outcomes, scrape

from vistio_core import Recording, Writer
from vistio_core.errors import InvalidTimeError, UsageError
from vistio_core.events import Scrape
from vistio_core.times import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS


class Clock:
    now_ms = START_MS + DAY_MS

    def __call__(self) -> int:
        return self.now_ms


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def recording(tmp_path: Path, clock: Clock) -> Recording:
    return Recording.open(tmp_path / "recording", create=True, clock=clock)


@pytest.fixture
def writer(recording: Recording) -> Iterator[Writer]:
    """As `vistio-record run` has it."""
    with recording.writer(linger="60s", quiet="15m") as writer:
        writer.put_configuration(mesh())
        yield writer


def late(instant_ms: int) -> Scrape:
    return scrape(instant_ms, {"a>b 200": 1.0}, backfilled=True)


def files(recording: Recording) -> tuple[int, int]:
    info = recording.info()
    return info.head_files, info.log_files


def instants(recording: Recording) -> int:
    [(count,)] = recording.sql("select count(*) from samples").fetchall()
    assert recording.instants().num_rows == count
    return int(count)


@pytest.mark.parametrize(("age_ms", "left"), [(59_999, 6), (60_000, 1), (60_001, 1)])
def test_merged_files_linger_for_queries_that_name_them(
    recording: Recording, writer: Writer, clock: Clock, age_ms: int, left: int
) -> None:
    for index in range(5):
        writer.commit(scrape(START_MS + index * INTERVAL_MS, {"a>b 200": 1.0}))
    rows = recording.sql("select count(*) from samples")
    assert writer.merge(clock()) == 5
    assert files(recording) == (6, 0)
    assert rows.relation.fetchall() == [(5,)]
    assert instants(recording) == 5
    clock.now_ms += age_ms
    assert writer.merge(clock()) == 0
    assert files(recording) == (left, 0)
    assert instants(recording) == 5
    if left == 1:
        with pytest.raises(duckdb.IOException):
            rows.relation.fetchall()
    assert rows.fetchall() == [(5,)]


def test_files_that_linger_when_the_writer_ends_are_removed_by_the_next_one(
    recording: Recording, clock: Clock
) -> None:
    with recording.writer(linger="60s") as writer:
        writer.put_configuration(mesh())
        for index in range(3):
            writer.commit(scrape(START_MS + index * INTERVAL_MS, {"a>b 200": 1.0}))
        writer.merge(clock())
        writer.seal(clock())
    assert files(recording) == (4, 1)
    assert instants(recording) == 3
    with recording.writer() as writer:
        writer.seal(clock())
    assert files(recording) == (0, 1)
    assert instants(recording) == 3


def test_an_hour_that_heals_is_sealed_once_when_nothing_came_for_a_while(
    recording: Recording, writer: Writer, clock: Clock
) -> None:
    writer.commit(scrape(START_MS, {"a>b 200": 1.0}))
    assert len(writer.seal(clock())) == 1
    for index in range(1, 31):  # one a minute: a round of housekeeping after each
        writer.commit(late(START_MS + index * MINUTE_MS))
        writer.merge(clock())
        assert writer.seal(clock()) == []
        clock.now_ms += MINUTE_MS
    clock.now_ms += 14 * MINUTE_MS - 1
    assert writer.seal(clock()) == []
    clock.now_ms += 1
    [name] = writer.seal(clock())
    assert name.endswith("20261123T050100.000Z_20261123T053000.000Z_main.parquet")
    clock.now_ms += MINUTE_MS
    writer.seal(clock())
    assert files(recording) == (0, 2)
    assert instants(recording) == 31


def test_an_hour_waits_for_its_supplements_and_others_do_not(
    recording: Recording, writer: Writer, clock: Clock
) -> None:
    for hour in range(2):
        writer.commit(scrape(START_MS + hour * HOUR_MS, http="failed"))
    supplement = Scrape(
        START_MS, INTERVAL_MS, mesh().hash, tuple(o for o in outcomes() if o.rule == "http"), backfilled=True
    )
    writer.supplement(supplement)
    assert [name.partition("/2026")[0] for name in writer.seal(clock())] == ["log/date=2026-11-23/hour=06"]
    clock.now_ms += 15 * MINUTE_MS
    assert [name.rpartition("_")[2] for name in writer.seal(clock())] == ["main.parquet", "main.1.parquet"]


def test_a_writer_without_patience_seals_what_was_backfilled_at_once(
    recording: Recording, clock: Clock
) -> None:
    with recording.writer() as writer:
        writer.put_configuration(mesh())
        writer.commit(late(START_MS))
        assert len(writer.seal(clock())) == 1
    assert files(recording) == (0, 1)


def test_a_recording_is_pruned_to_a_size_the_oldest_first(
    recording: Recording, writer: Writer, clock: Clock
) -> None:
    for hour in range(3):
        writer.commit(scrape(START_MS + hour * HOUR_MS, {"a>b 200": 1.0}))
    with pytest.raises(UsageError, match="0 or more"):
        writer.prune_to_size(-1)
    size_bytes = recording.info().head_bytes
    assert writer.prune_to_size(size_bytes).files == 0
    gone = writer.prune_to_size(size_bytes - 1)
    assert (gone.files, recording.info().head_bytes) == (1, size_bytes - gone.bytes)
    assert recording.info().first_ms == START_MS + HOUR_MS
    assert writer.prune_to_size(0).files == 1
    assert recording.info().first_ms == START_MS + 2 * HOUR_MS


def test_pruning_leaves_the_files_of_other_writers(recording: Recording, writer: Writer) -> None:
    with recording.writer("other") as other:
        other.put_configuration(mesh())
        other.commit(scrape(START_MS))
    writer.commit(scrape(START_MS + 2 * HOUR_MS))
    assert writer.prune_to_size(0).files == 0
    assert writer.prune(START_MS + DAY_MS).files == 1
    assert recording.info().writers == ("other",)


def test_a_supplement_goes_with_its_scrape(recording: Recording, writer: Writer) -> None:
    writer.commit(scrape(START_MS, http="failed"))
    healed = tuple(outcome for outcome in outcomes() if outcome.rule == "http")
    writer.supplement(Scrape(START_MS, INTERVAL_MS, mesh().hash, healed, backfilled=True))
    assert writer.prune(START_MS).files == 0
    assert writer.prune(START_MS + 1).files == 2
    assert recording.info().first_ms is None


def test_patience_is_told_in_durations(recording: Recording) -> None:
    with pytest.raises(InvalidTimeError, match="use a number and a unit"):
        recording.writer(linger=str(60 * SECOND_MS))
