"""Times as numpy and Arrow hold them, in Python's own types: `times` need not know either.

A ``datetime64`` has no zone; numpy says that it is UTC, and so do all tables that become one (pandas' and Arrow's
``to_numpy``). An Arrow timestamp can have a zone: one without it is as naive as a naive `datetime.datetime`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

# Numerator and denominator, in microseconds; years and months have no one length.
_UNITS_US = {
    "W": (7 * 86_400_000_000, 1),
    "D": (86_400_000_000, 1),
    "h": (3_600_000_000, 1),
    "m": (60_000_000, 1),
    "s": (1_000_000, 1),
    "ms": (1_000, 1),
    "us": (1, 1),
    "ns": (1, 1_000),
    "ps": (1, 1_000_000),
    "fs": (1, 1_000_000_000),
    "as": (1, 1_000_000_000_000),
}
_EPOCH = datetime(1970, 1, 1)  # its zone is set by whoever has one
_FIRST_DAY = "0000-01-01"


class ArrowScalar(Protocol):
    """What an Arrow table gives for one cell. Arrow has no types of its own for that."""

    def as_py(self) -> Any: ...


def plain(value: object) -> object:
    """``value`` as Python would write it: a datetime, a timedelta, a number or a text.

    What has no such meaning, a NaT or a null among it, comes back as something that is no time either. Less than a
    microsecond is cut off.
    """
    try:
        if isinstance(value, np.generic):
            return _of_numpy(value)
        if isinstance(value, pa.Scalar):
            return _of_arrow(value)
    except (OverflowError, ValueError):  # outside of the years that Python knows
        return None
    return value


def _of_numpy(value: np.generic) -> object:
    if isinstance(value, np.datetime64):
        # By its text, "2026-11" or "2026-11-23T05:10:00.123456789": a cast to microseconds may wrap around.
        text = str(value)
        return datetime.fromisoformat(text + _FIRST_DAY[len(text) :]).replace(tzinfo=UTC)
    if isinstance(value, np.timedelta64):  # before the numbers: it is an integer as well
        unit, number = np.datetime_data(value.dtype)
        known = unit in _UNITS_US and not np.isnat(value)
        return _timedelta(int(value.astype(np.int64)) * number, unit) if known else None
    return value.item()


def _of_arrow(value: Any) -> object:
    if pa.types.is_timestamp(value.type) and value.is_valid:
        moment = _EPOCH + _timedelta(value.value, value.type.unit)
        return moment if value.type.tz is None else moment.replace(tzinfo=UTC)
    if pa.types.is_duration(value.type) and value.is_valid:
        return _timedelta(value.value, value.type.unit)
    return value.as_py()


def _timedelta(count: int, unit: str) -> timedelta:
    numerator, denominator = _UNITS_US[unit]
    return timedelta(microseconds=count * numerator // denominator)
