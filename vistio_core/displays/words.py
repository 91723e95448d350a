"""Numbers and times as people read them, in one line of a notebook. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pyarrow as pa

from vistio_core import shares
from vistio_core.times import format_instant


def counted(number: int, one: str, many: str = "") -> str:
    """Such as ``1 edge`` or ``1,203 edges``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def and_gaps(unseen: pa.Table) -> str:
    """How often an answer did not see something, behind it: ``; 2 gaps``; nothing where it saw all."""
    return f"; {counted(unseen.num_rows, 'gap')}" if unseen.num_rows else ""


def listed(items: Sequence[str], most: int) -> str:
    """The first ``most`` of them, and how many more there are."""
    more = f" and {len(items) - most:,} more" if len(items) > most else ""
    return ", ".join(items[:most]) + more


def stretch(start_ms: int, end_ms: int) -> str:
    """From when to when; the day once where both have the same."""
    start, end = format_instant(start_ms), format_instant(end_ms)
    return f"{start} to {end[11:] if start[:10] == end[:10] else end}"


def number(value: float | None) -> str:
    """Three digits that count, none for what is not known; of thousands all."""
    if value is None or math.isnan(value):
        return "not seen"
    return shares.number(value)


def share(part: float | None, whole: float | None) -> str:
    """Per cent, two digits that count; empty for nothing."""
    return f"{shares.percent(min(part, whole), whole, 2)} %" if part and whole else ""
