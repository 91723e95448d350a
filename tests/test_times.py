"""Instants and durations at the rim."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vistio_core.errors import InvalidTimeError, VistioError
from vistio_core.times import (
    DAY_MS,
    HOUR_MS,
    MINUTE_MS,
    align,
    format_duration,
    format_instant,
    parse_duration,
    parse_instant,
    system_now_ms,
    to_datetime,
)

NOW_MS = 1_795_410_600_000  # 2026-11-23T05:10:00Z
LAST_MS = 253_402_300_799_999  # 9999-12-31T23:59:59.999Z
instants = st.integers(0, LAST_MS)


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("10s", 10_000),
        ("5m", 300_000),
        ("1h30m", 90 * MINUTE_MS),
        ("7d", 7 * DAY_MS),
        ("500ms", 500),
        ("1m500ms", 60_500),
        ("0s", 0),
        (" 10s\n", 10_000),
        ("1w", 7 * DAY_MS),
        ("1y2w3d4h5m6s7ms", (365 + 14 + 3) * DAY_MS + 4 * HOUR_MS + 5 * MINUTE_MS + 6007),
        ("90m", 90 * MINUTE_MS),
        ("007s", 7000),
    ],
)
def test_a_duration_is_a_number_and_a_unit_as_in_prometheus(text: str, ms: int) -> None:
    assert parse_duration(text) == ms


@pytest.mark.parametrize(
    "text", ["", " ", "10", "s", "-10s", "1.5s", "10S", "1s1m", "1h 30m", "10sec", "٣s", "1_0s", "1m1m"]
)
def test_anything_else_is_no_duration(text: str) -> None:
    with pytest.raises(InvalidTimeError, match="use a number and a unit"):
        parse_duration(text)


MINUTES = [
    timedelta(minutes=1),
    60,
    60.0,
    Decimal(60),
    Fraction(60),
    np.int64(60),
    np.uint8(60),
    np.float32(60),
    np.timedelta64(1, "m"),
    np.timedelta64(60_000_000_000, "ns"),
    np.timedelta64(4, "15s"),
    pd.Timedelta("1min"),
    pa.scalar(timedelta(minutes=1)),
    pa.scalar(60, pa.duration("s")),
    pa.scalar(60_000_000_000, pa.duration("ns")),
    pa.scalar(60),
    pa.scalar(60.0),
    pa.scalar("1m"),
]


@pytest.mark.parametrize("value", MINUTES, ids=repr)
def test_a_duration_may_be_a_timedelta_or_seconds_whoever_holds_it(value: Any) -> None:
    assert parse_duration(value) == MINUTE_MS


def test_seconds_keep_their_milliseconds() -> None:
    for seconds in (2.3, Decimal("2.3"), np.float64(2.3), timedelta(seconds=2.3), pd.Timedelta("2.3s")):
        assert parse_duration(seconds) == 2300
    assert parse_duration(0) == parse_duration(timedelta(0)) == 0


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (timedelta(seconds=-1), "is negative"),
        (-1, "is negative"),
        (np.timedelta64(-1, "s"), "is negative"),
        (timedelta(microseconds=1), "is finer than a millisecond"),
        (0.0005, "is finer than a millisecond"),
        (1 / 3, "is finer than a millisecond"),
        (293 * 365 * 86_400, "longer than 292y"),
        (timedelta.max, "longer than 292y"),
        (True, "or a number of seconds"),
        (np.True_, "or a number of seconds"),
        (float("nan"), "or a number of seconds"),
        (float("inf"), "or a number of seconds"),
        (Decimal("sNaN"), "or a number of seconds"),
        (np.timedelta64("NaT"), "or a number of seconds"),
        (np.timedelta64(60), "or a number of seconds"),  # of what?
        (np.timedelta64(1, "M"), "or a number of seconds"),
        (np.timedelta64(2**62, "W"), "or a number of seconds"),
        (pd.NaT, "or a number of seconds"),
        (pa.scalar(None, pa.duration("s")), "or a number of seconds"),
        (datetime(2026, 11, 23, tzinfo=UTC), "or a number of seconds"),
        (None, "or a number of seconds"),
        ([1], "or a number of seconds"),
    ],
    ids=repr,
)
def test_no_other_value_is_a_duration(value: Any, found: str) -> None:
    with pytest.raises(InvalidTimeError, match=found):
        parse_duration(value)


def test_a_duration_has_at_most_292_years() -> None:
    assert parse_duration("291y364d") == parse_duration("292y") - DAY_MS
    assert parse_duration("292y") == 292 * 365 * DAY_MS
    for text in ("292y1ms", "9" * 5000 + "s", "1" * 30 + "y"):
        with pytest.raises(InvalidTimeError, match="longer than 292y"):
            parse_duration(text)


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (0, "0s"),
        (1, "1ms"),
        (10_000, "10s"),
        (90 * MINUTE_MS, "1h30m"),
        (7 * DAY_MS, "7d"),
        (-1500, "-1s500ms"),
    ],
)
def test_a_duration_is_written_in_days_and_smaller_units(ms: int, text: str) -> None:
    assert format_duration(ms) == text


@given(st.integers(0, 292 * 365 * DAY_MS))
def test_a_written_duration_reads_as_the_same(ms: int) -> None:
    assert parse_duration(format_duration(ms)) == ms


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-23T05:10:00Z",
        "2026-11-23t05:10:00z",
        "2026-11-23T05:10:00.000Z",
        "2026-11-23 05:10:00Z",
        "2026-11-23T05:10:00+00:00",
        "2026-11-23T07:10:00+02:00",
        "2026-11-22T23:10:00-06:00",
        "2026-11-23T07:10:00 02:00",  # a "+" that went through a query string unescaped
        "1795410600",
        "1795410600.0",
        "1795410600000",
        " 2026-11-23T05:10Z ",
        "now",
        "2026-11-23T05:10:00.000999999Z",
    ],
)
def test_an_instant_may_be_written_in_many_ways(text: str) -> None:
    assert parse_instant(text, now_ms=NOW_MS) == NOW_MS


@pytest.mark.parametrize(
    "value",
    [
        NOW_MS,
        NOW_MS // 1000,
        NOW_MS / 1000,
        datetime(2026, 11, 23, 5, 10, tzinfo=UTC),
        datetime(2026, 11, 23, 7, 10, tzinfo=timezone(timedelta(hours=2))),
        Decimal(NOW_MS) / 1000,
        Fraction(NOW_MS, 1000),
        np.int64(NOW_MS),
        np.float64(NOW_MS / 1000),
        np.datetime64("2026-11-23T05:10"),
        np.datetime64("2026-11-23T05:10:00.000999999"),
        np.datetime64(NOW_MS, "ms"),
        np.str_("2026-11-23T05:10:00Z"),
        pd.Timestamp("2026-11-23T05:10:00.000999999Z"),
        pd.Timestamp("2026-11-23T00:10", tz="America/New_York"),
        pa.scalar(NOW_MS, pa.timestamp("ms", "UTC")),
        pa.scalar(NOW_MS * 1_000_000 + 999_999, pa.timestamp("ns", "America/New_York")),
        pa.scalar(NOW_MS // 1000, pa.timestamp("s", "+02:00")),
        pa.scalar(NOW_MS),
        pa.scalar("2026-11-23T05:10:00Z"),
        pa.scalar("2026-11-23T05:10:00Z", pa.dictionary(pa.int32(), pa.string())),
    ],
    ids=repr,
)
def test_an_instant_may_be_a_number_or_an_aware_datetime_whoever_holds_it(value: Any) -> None:
    assert parse_instant(value, now_ms=0) == NOW_MS


@pytest.mark.parametrize("unit", ["D", "M", "Y"])
def test_a_numpy_day_begins_at_midnight_utc_as_numpy_has_it(unit: str) -> None:
    day = np.datetime64("2026-01-01", unit)
    assert parse_instant(day, now_ms=0) == parse_instant("2026-01-01T00:00:00Z", now_ms=0)


def test_an_instant_may_be_relative_to_now() -> None:
    assert parse_instant("-15m", now_ms=NOW_MS) == NOW_MS - 15 * MINUTE_MS
    assert parse_instant("-0s", now_ms=NOW_MS) == NOW_MS
    quarter = timedelta(minutes=15)
    for value in (-quarter, pd.Timedelta(-quarter), np.timedelta64(-15, "m"), pa.scalar(-quarter)):
        assert parse_instant(value, now_ms=NOW_MS) == NOW_MS - 15 * MINUTE_MS
    assert parse_instant(timedelta(0), now_ms=NOW_MS) == NOW_MS
    with pytest.raises(InvalidTimeError, match="may not be after it"):
        parse_instant(quarter, now_ms=NOW_MS)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "yesterday",
        "-",
        "--5m",
        "-15",
        "5m",
        "1e3",
        "٣",
        "2026-13-01T00:00:00Z",
        "2026-11-23T25:00:00Z",
        True,
        None,
        date(2026, 11, 23),
        b"now",
        float("nan"),
        float("inf"),
        float("-inf"),
        [],
        "9" * 5000,
        "-" + "9" * 5000 + "s",
        "9" * 400 + ".5",
        10**400,
        Decimal("sNaN"),
        np.True_,
        np.datetime64("NaT"),
        np.datetime64(2**62, "D"),
        np.timedelta64("NaT"),
        pd.NaT,
        pa.scalar(None, pa.timestamp("ms", "UTC")),
        pa.scalar(2**62, pa.timestamp("s", "UTC")),
        pa.scalar(date(2026, 11, 23)),
        pa.scalar(None),
    ],
)
def test_anything_else_is_no_instant(value: Any) -> None:
    with pytest.raises(InvalidTimeError):
        parse_instant(value, now_ms=NOW_MS)


@pytest.mark.parametrize(
    "value",
    [
        "2026-11-23T05:10:00",
        "2026-11-23",
        datetime(2026, 11, 23, 5, 10),
        pd.Timestamp("2026-11-23T05:10:00"),
        pa.scalar(datetime(2026, 11, 23, 5, 10)),
        pa.scalar(NOW_MS * 1_000_000 + 1, pa.timestamp("ns")),
    ],
)
def test_an_instant_without_time_zone_is_refused(value: Any) -> None:
    with pytest.raises(InvalidTimeError, match="has no time zone"):
        parse_instant(value, now_ms=NOW_MS)


def test_instants_are_those_of_1970_to_9999() -> None:
    assert parse_instant("1970-01-01T00:00:00Z", now_ms=0) == 0
    assert parse_instant("9999-12-31T23:59:59.999Z", now_ms=0) == LAST_MS
    assert parse_instant(LAST_MS, now_ms=0) == LAST_MS
    outside: list[Any] = [
        -1,
        -0.001,
        LAST_MS + 1,
        "1969-12-31T23:59:59.999Z",
        "1970-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59.999-00:01",
        datetime.min.replace(tzinfo=timezone(timedelta(hours=14))),
        datetime.max.replace(tzinfo=timezone(timedelta(hours=-14))),
        "-1000y",
    ]
    for value in outside:
        with pytest.raises(InvalidTimeError):
            parse_instant(value, now_ms=NOW_MS)
    with pytest.raises(InvalidTimeError, match="outside of the years 1970 to 9999"):
        parse_instant("-1m", now_ms=MINUTE_MS - 1)


def test_a_number_means_milliseconds_from_one_hundred_billion_on() -> None:
    assert parse_instant(99_999_999_999, now_ms=0) == 99_999_999_999_000
    assert parse_instant(100_000_000_000, now_ms=0) == 100_000_000_000
    assert parse_instant(100_000_000_001, now_ms=0) == 100_000_000_001


def test_epoch_seconds_keep_their_milliseconds() -> None:
    assert parse_instant(1763873400.123, now_ms=0) == 1763873400123
    assert parse_instant("1763873400.123", now_ms=0) == 1763873400123


@given(instants)
def test_a_written_instant_reads_as_the_same(ms: int) -> None:
    text = format_instant(ms)
    assert parse_instant(text, now_ms=0) == ms
    assert len(text) == (24 if ms % 1000 else 20)
    assert parse_instant(to_datetime(ms), now_ms=0) == ms


@given(st.text())
def test_any_text_is_an_instant_or_an_invalid_time(text: str) -> None:
    try:
        found = parse_instant(text, now_ms=NOW_MS)
    except VistioError:
        return
    assert 0 <= found <= LAST_MS


def test_aligning_gives_the_last_multiple_that_is_not_after() -> None:
    assert [align(ms, 10_000) for ms in (9_999, 10_000, 10_001)] == [0, 10_000, 10_000]


def test_the_system_clock_is_in_milliseconds() -> None:
    before_s = datetime.now(UTC).timestamp()
    assert before_s * 1000 - 1 <= system_now_ms() <= datetime.now(UTC).timestamp() * 1000 + 1
