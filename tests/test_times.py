"""Instants and durations at the rim."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

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
    ],
)
def test_an_instant_may_be_a_number_or_an_aware_datetime(value: float | datetime) -> None:
    assert parse_instant(value, now_ms=0) == NOW_MS


def test_an_instant_may_be_relative_to_now() -> None:
    assert parse_instant("-15m", now_ms=NOW_MS) == NOW_MS - 15 * MINUTE_MS
    assert parse_instant("-0s", now_ms=NOW_MS) == NOW_MS


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
    ],
)
def test_anything_else_is_no_instant(value: Any) -> None:
    with pytest.raises(InvalidTimeError):
        parse_instant(value, now_ms=NOW_MS)


@pytest.mark.parametrize("value", ["2026-11-23T05:10:00", "2026-11-23", datetime(2026, 11, 23, 5, 10)])
def test_an_instant_without_time_zone_is_refused(value: str | datetime) -> None:
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
