"""When an answer is history: from then on no commit and no healing is expected to change it. Pure.

There is one rule for what shows an instant and one for what shows a window; whoever keeps answers
(`vistio_serve`) asks here. Not for ever, all the same: a second writer may backfill what was answered.
"""

from __future__ import annotations

from collections.abc import Sized
from typing import Protocol

from vistio_core.times import HOUR_MS, MINUTE_MS

_LATE_MS = MINUTE_MS
"""How late a commit can come: the scrape's delay and timeout, a busy disk."""


class Showing(Protocol):
    """What shows one instant: a `Graph`, or a `Frame` of many."""

    @property
    def asked_ms(self) -> int: ...
    @property
    def instant_ms(self) -> int | None: ...
    @property
    def interval_ms(self) -> int: ...
    @property
    def failed_rules(self) -> Sized: ...


def nothing_is_open(shown: Showing) -> bool:
    """Whether nothing is known to be missing that may still be filled in.

    Between the shown instant and the asked one no other is due, or a backfill could put one there. A rule
    that was not answered may be answered by a supplement.
    """
    return (
        shown.instant_ms is not None
        and shown.asked_ms - shown.instant_ms < shown.interval_ms
        and not shown.failed_rules
    )


def instant_is_settled(shown: Showing, now_ms: int) -> bool:
    """Whether what shows an instant stays as it is: nothing is open, and a slow commit would have arrived."""
    return nothing_is_open(shown) and shown.asked_ms + shown.interval_ms + _LATE_MS <= now_ms


def window_is_settled(end_ms: int, now_ms: int) -> bool:
    """Whether a window that ended then is left to rest, a whole hour later.

    Nobody looks whether an instant of it is missing, and may heal.
    """
    return end_ms + HOUR_MS + _LATE_MS <= now_ms
