"""Instants and durations: text at the rim, epoch milliseconds inside.

Every instant inside vistio is an ``int`` of milliseconds since the epoch, in UTC, and its
name ends in ``_ms``. People and programs at the rim may write RFC 3339 text, epoch seconds
or milliseconds, an aware `datetime.datetime`, or a time relative to now (``-15m``). Naive
datetimes are refused: whoever wrote one knew a time zone, and we would be guessing it. A duration
is text with a unit, a `datetime.timedelta`, or a number of seconds. What pandas, numpy and Arrow
have for these is taken as well (`scalars`).
"""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from vistio_core.errors import InvalidTimeError
from vistio_core.scalars import ArrowScalar, plain
from vistio_core.sentences import say

_Number = int | float | Decimal | Fraction | np.integer[Any] | np.floating[Any]
InstantLike = str | datetime | timedelta | np.datetime64 | np.timedelta64 | _Number | ArrowScalar
"""What `parse_instant` reads."""
DurationLike = str | timedelta | np.timedelta64 | _Number | ArrowScalar
"""What `parse_duration` reads."""

SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS

# Prometheus' duration syntax, its units and their order (https://prometheus.io/docs, "Time durations").
_UNITS_MS = {
    "ms": 1,
    "s": SECOND_MS,
    "m": MINUTE_MS,
    "h": HOUR_MS,
    "d": DAY_MS,
    "w": 7 * DAY_MS,
    "y": 365 * DAY_MS,
}
_DURATION = re.compile("".join(f"(?:(?P<{unit}>[0-9]+){unit})?" for unit in reversed(_UNITS_MS)))
_NUMBER = re.compile(r"[0-9]+(\.[0-9]*)?")
# A "+" in a query string arrives as a space, so "...T05:10:00 02:00" was "+02:00".
_LOST_PLUS = re.compile(r"(T\S+) (\d\d:\d\d)$")
# Prometheus' own limit: what 64 bits of nanoseconds hold.
_MAX_DURATION_MS = 292 * _UNITS_MS["y"]
# More digits cannot be in range, and Python refuses to convert thousands of them.
_MAX_DIGITS = 30

# An epoch number from here on means milliseconds: as seconds it would be the year 5138.
_FIRST_AS_MILLISECONDS = 100_000_000_000
# The last millisecond that has a four-digit year, the limit of RFC 3339.
_LAST_MS = 253_402_300_799_999

_WHAT_WORKS = say(
    "use RFC 3339 (2026-11-23T05:10:00Z), epoch seconds or milliseconds, or a time before now (-15m)"
)
_WHAT_LASTS = say("use a number and a unit, such as 500ms, 10s, 5m, 1h30m, 7d")
_NUMBERS = int | float | Decimal | Fraction


def system_now_ms() -> int:
    """The system clock. Everything that needs the time takes a function like this one."""
    return time.time_ns() // 1_000_000


def parse_duration(value: DurationLike) -> int:
    """Milliseconds of a Prometheus duration such as ``10s``, ``1h30m`` or ``7d``.

    Args:
        value: such a text, a timedelta, or a number of seconds.

    Raises:
        InvalidTimeError: none of these, a bare number as text (its unit would be a guess), negative, not a
            whole number of milliseconds, or more than 292 years.
    """
    given = plain(value)
    if isinstance(given, str):
        return _from_text(given)
    try:
        microseconds = _microseconds(given)
    except (ArithmeticError, ValueError):  # infinities and NaN
        microseconds = None
    if microseconds is None:
        raise InvalidTimeError(
            say(
                "duration {value!r}: {lasts}; or a timedelta, or a number of seconds",
                value=value,
                lasts=_WHAT_LASTS,
            )
        )
    duration_ms, finer = divmod(microseconds, 1000)
    if duration_ms > _MAX_DURATION_MS:
        raise _too_long(value)
    if duration_ms < 0 or finer:
        raise InvalidTimeError(
            say(
                "duration {value!r} is negative; give whole milliseconds, 0 or more"
                if duration_ms < 0
                else "duration {value!r} is finer than a millisecond; give whole milliseconds, 0 or more",
                value=value,
            )
        )
    return duration_ms


def _from_text(text: str) -> int:
    match = _DURATION.fullmatch(text.strip())
    if match is None or not text.strip():
        raise InvalidTimeError(say("duration {value!r}: {lasts}", value=text, lasts=_WHAT_LASTS))
    counts = {unit: count for unit, count in match.groupdict().items() if count}
    if all(len(count) <= _MAX_DIGITS for count in counts.values()):
        duration_ms = sum(int(count) * _UNITS_MS[unit] for unit, count in counts.items())
        if duration_ms <= _MAX_DURATION_MS:
            return duration_ms
    raise _too_long(text)


def _microseconds(value: object) -> int | None:
    """Of a timedelta or a number of seconds; None of anything else."""
    if isinstance(value, timedelta):
        return (value.days * 86_400 + value.seconds) * 1_000_000 + value.microseconds
    if isinstance(value, _NUMBERS) and not isinstance(value, bool):
        # Rounded, for 2.3 * 1_000_000 is ...9999.9995.
        return round(value * 1_000_000)
    return None


def _too_long(value: object) -> InvalidTimeError:
    return InvalidTimeError(
        say("duration {value!r} is longer than 292y, the longest that Prometheus knows", value=value)
    )


def format_duration(ms: int) -> str:
    """``ms`` as a Prometheus duration in days and smaller units: ``5m``, ``1h30m``, ``7d``, ``0s``."""
    if ms == 0:
        return "0s"
    sign, rest, parts = ("-" if ms < 0 else ""), abs(ms), []
    for unit in ("d", "h", "m", "s", "ms"):
        count, rest = divmod(rest, _UNITS_MS[unit])
        if count:
            parts.append(f"{count}{unit}")
    return sign + "".join(parts)


def parse_instant(value: InstantLike, *, now_ms: int) -> int:
    """Epoch milliseconds of what a person or program calls an instant.

    Args:
        value: an aware datetime, RFC 3339 text, epoch seconds or milliseconds (a number or
            its text; from 1e11 on it is milliseconds), ``now``, or relative such as ``-15m`` or
            ``timedelta(minutes=-15)``. A numpy ``datetime64`` is UTC, as numpy has it.
        now_ms: what relative times are relative to.

    Raises:
        InvalidTimeError: none of these, a naive datetime or timestamp, or outside of the years 1970 to 9999.
    """
    given = plain(value)
    if isinstance(given, datetime):
        return _from_datetime(given)
    if isinstance(given, timedelta):
        if given > timedelta(0):
            raise InvalidTimeError(
                say("instant {value!r}: a timedelta is relative to now, and may not be after it", value=value)
            )
        return _in_range(now_ms + given // timedelta(milliseconds=1), value)
    if isinstance(given, _NUMBERS) and not isinstance(given, bool):
        return _from_number(given, value)
    if not isinstance(given, str):  # a date, None, a NaT: at a public edge, types are hopes
        raise _no_instant(value)
    text = given.strip()
    if text == "now":
        return now_ms
    if text.startswith("-"):
        return _in_range(now_ms - parse_duration(text[1:]), value)
    if _NUMBER.fullmatch(text) and len(text) <= _MAX_DIGITS:
        return _from_number(float(text) if "." in text else int(text), value)
    text = _LOST_PLUS.sub(r"\1+\2", text.upper())
    try:
        return _from_datetime(datetime.fromisoformat(text))
    except InvalidTimeError:
        raise
    except (ValueError, OverflowError) as error:
        raise _no_instant(value) from error


def check_instant(ms: object) -> int:
    """``ms`` itself, when it is an instant inside of vistio.

    Raises:
        InvalidTimeError: not an ``int``, or outside of the years 1970 to 9999.
    """
    if not isinstance(ms, int) or isinstance(ms, bool):
        raise InvalidTimeError(say("instant {value!r}: use epoch milliseconds as an int", value=ms))
    return _in_range(ms, ms)


def format_instant(ms: int) -> str:
    """RFC 3339 in UTC, with milliseconds only where there are some: ``2026-11-23T05:10:00Z``."""
    # Without its "+00:00"; `strftime` takes five times as long.
    whole = datetime.fromtimestamp(ms // 1000, UTC).isoformat()[:19]
    return f"{whole}.{ms % 1000:03d}Z" if ms % 1000 else f"{whole}Z"


def to_datetime(ms: int) -> datetime:
    """The aware UTC datetime of ``ms``."""
    return datetime.fromtimestamp(ms // 1000, UTC).replace(microsecond=ms % 1000 * 1000)


def align(ms: int, interval_ms: int) -> int:
    """The last multiple of ``interval_ms`` since the epoch that is not after ``ms``."""
    return ms - ms % interval_ms


def _from_datetime(value: datetime) -> int:
    if value != value:  # pandas' NaT, which is a datetime
        raise _no_instant(value)
    if value.tzinfo is None or value.utcoffset() is None:
        raise InvalidTimeError(
            say(
                "instant {value!r} has no time zone; end it with Z or an offset,"
                " or pass an aware datetime (datetime.now(UTC))",
                value=value.isoformat(),
            )
        )
    delta = value - datetime(1970, 1, 1, tzinfo=UTC)
    return _in_range((delta.days * 86_400 + delta.seconds) * 1000 + delta.microseconds // 1000, value)


def _from_number(number: int | float | Decimal | Fraction, original: object) -> int:
    try:
        # Float seconds are rounded: 1763873400.123 * 1000 is ...122.9999.
        ms = int(number) if number >= _FIRST_AS_MILLISECONDS else round(number * 1000)
    except (ArithmeticError, ValueError) as error:  # infinities and NaN
        raise _no_instant(original) from error
    return _in_range(ms, original)


def _in_range(ms: int, original: object) -> int:
    if not 0 <= ms <= _LAST_MS:
        raise InvalidTimeError(
            say(
                "instant {value!r} is outside of the years 1970 to 9999; {works}",
                value=original,
                works=_WHAT_WORKS,
            )
        )
    return ms


def _no_instant(value: object) -> InvalidTimeError:
    return InvalidTimeError(say("instant {value!r}: {works}", value=value, works=_WHAT_WORKS))
