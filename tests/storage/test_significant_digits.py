"""The lossy option: rates rounded when they are committed, and the files say so."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.scrapes import INTERVAL_MS, START_MS, mesh, scrape

from vistio_core import Recording
from vistio_core.errors import UsageError
from vistio_core.events import LARGEST_RATE, Scrape
from vistio_core.storage.format import rounded
from vistio_core.times import HOUR_MS, format_instant

RATES = {"a>b 200": 1234.5678, "a>b 503": 0.00098765, "b>c 200": -0.12345, "b>c 404": 0.0}
ROUNDED = [1230.0, 0.000988, -0.123, 0.0]


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    return Recording.open(tmp_path / "recording", create=True, clock=lambda: START_MS + 2 * HOUR_MS)


def record(recording: Recording, *scrapes: Scrape, digits: int | None = 3, seal: bool = False) -> None:
    with recording.writer(significant_digits=digits) as writer:
        writer.put_configuration(mesh())
        for each in scrapes:
            writer.commit(each)
        if seal:
            writer.seal(START_MS + HOUR_MS)


def rates(recording: Recording) -> list[float]:
    query = "select rate from samples order by instant, source, target, status"
    return [rate for (rate,) in recording.sql(query).fetchall()]


def told(recording: Recording) -> list[bytes | None]:
    files = sorted(Path(recording.place).rglob("*.parquet"))
    return [pq.read_metadata(file).metadata.get(b"vistio.significant_digits") for file in files]


def test_rates_are_rounded_at_the_commit_and_sealing_changes_nothing(recording: Recording) -> None:
    record(recording, scrape(START_MS, RATES))
    before = recording.graph(START_MS)
    assert rates(recording) == ROUNDED
    record(recording, scrape(START_MS + INTERVAL_MS, RATES), seal=True)
    assert rates(recording) == 2 * ROUNDED
    assert recording.graph(START_MS) == before
    assert told(recording) == [b"3"]


def test_without_the_option_rates_are_as_they_came_and_files_say_nothing(recording: Recording) -> None:
    record(recording, scrape(START_MS, RATES), digits=None, seal=True)
    assert rates(recording) == list(RATES.values())
    assert told(recording) == [None]


def test_an_hour_that_is_rounded_in_part_says_to_how_few_digits(recording: Recording) -> None:
    for index, digits in enumerate((None, 5, 3)):
        record(recording, scrape(START_MS + index * INTERVAL_MS, RATES), digits=digits)
    assert told(recording) == [None, b"5", b"3"]
    record(recording, seal=True)
    assert told(recording) == [b"3"]
    assert rates(recording)[::4] == [1234.5678, 1234.6, 1230.0]
    assert [checked.problems for checked in recording.verify() if checked.problems] == []


def test_what_is_backfilled_is_rounded_as_what_is_live(recording: Recording, tmp_path: Path) -> None:
    other = Recording.open(tmp_path / "other", create=True)
    record(recording, scrape(START_MS, RATES))
    record(other, scrape(START_MS, RATES, backfilled=True))
    assert rates(recording) == rates(other)


@pytest.mark.parametrize("digits", [0, 18])
def test_a_number_of_digits_that_makes_no_sense_is_refused(recording: Recording, digits: int) -> None:
    with pytest.raises(UsageError, match="use 1 to 17"):
        recording.writer(significant_digits=digits)


@given(st.floats(-LARGEST_RATE, LARGEST_RATE), st.integers(1, 17))
def test_rounding_stays_close_within_the_limit_and_changes_nothing_twice(rate: float, digits: int) -> None:
    near = rounded(rate, digits)
    assert abs(near - rate) <= abs(rate) * 0.5 * 10 ** (1 - digits) * (1 + 1e-9)
    assert abs(near) <= LARGEST_RATE
    assert rounded(near, digits) == near


@pytest.mark.parametrize("seal", [False, True])
def test_whoever_compares_rounded_rates_is_told_to_how_many_digits(recording: Recording, seal: bool) -> None:
    for index, digits in enumerate((5, 3)):
        record(recording, scrape(START_MS + index * INTERVAL_MS, RATES), digits=digits)
    record(recording, scrape(START_MS + HOUR_MS, RATES), digits=None)
    if seal:
        record(recording, seal=True)
    first, hour_ms = START_MS + INTERVAL_MS, START_MS + HOUR_MS
    for before in (first, f"{format_instant(START_MS)}/{format_instant(hour_ms)}"):
        found = recording.compare(before, hour_ms)
        assert (found.before.significant_digits, found.after.significant_digits) == (3, None)
        assert found.significant_digits == 3
        for table in (found.edges, found.nodes, recording.diff(before, hour_ms)):
            assert table.schema.metadata == {b"vistio.significant_digits": b"3"}


def test_an_exact_recording_says_nothing_of_digits(recording: Recording) -> None:
    for index in range(2):
        record(recording, scrape(START_MS + index * INTERVAL_MS, RATES), digits=None)
    found = recording.compare(START_MS, START_MS + INTERVAL_MS)
    assert found.significant_digits is None
    assert found.edges.schema.metadata is None


def test_of_several_writers_the_one_that_rounds_is_told(recording: Recording) -> None:
    record(recording, scrape(START_MS, RATES), digits=None)
    with recording.writer("other", significant_digits=4) as writer:
        writer.put_configuration(mesh())
        writer.commit(scrape(START_MS - INTERVAL_MS, RATES))
    assert recording.graph(START_MS).significant_digits == 4
    assert recording.graph(START_MS - INTERVAL_MS).significant_digits == 4
