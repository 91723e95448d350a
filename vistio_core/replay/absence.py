"""Where there is no graph: the nearest instants that have one, and why this one has none."""

from __future__ import annotations

from collections.abc import Sequence

from vistio_core.errors import NothingRecordedError
from vistio_core.replay.gaps import NOT_BEGUN, Instant, said
from vistio_core.replay.window_presence import presence
from vistio_core.replay.windows import instants_of
from vistio_core.sentences import Said, say
from vistio_core.storage.listing import Listing
from vistio_core.storage.log import Log
from vistio_core.times import format_duration, format_instant


def nearest_seen(log: Log, asked_ms: int, *, before: bool) -> int | None:
    """The nearest instant at which a rule was answered: not after ``asked_ms``, or after it."""
    return log.nearest(asked_ms, _newest_seen if before else _oldest_seen, backwards=before)


def _newest_seen(listing: Listing) -> int | None:
    span = listing.start_ms, listing.end_ms
    newest = (writer.newest(*span, seen=True) for writer in listing.writers)
    return max((instant_ms for instant_ms in newest if instant_ms is not None), default=None)


def _oldest_seen(listing: Listing) -> int | None:
    span = listing.start_ms, listing.end_ms
    oldest = (writer.oldest_seen(*span) for writer in listing.writers)
    return min((instant_ms for instant_ms in oldest if instant_ms is not None), default=None)


def nothing_recorded(log: Log, asked_ms: int, staleness_ms: int) -> NothingRecordedError:
    """The error that says what was asked, why there is nothing, and what there is nearby.

    Args:
        log: where it was asked.
        asked_ms: the instant asked for.
        staleness_ms: how old an answer could have been.
    """
    before_ms = nearest_seen(log, asked_ms, before=True)
    after_ms = nearest_seen(log, asked_ms, before=False)
    tried = log.read(
        max(0, asked_ms - staleness_ms + 1),
        asked_ms + 1,
        lambda listing: instants_of(listing.around_damage(presence)),
    )
    why = _not_in_part(log, asked_ms)
    if why is None and not tried and _within_interval(log, before_ms, asked_ms):
        why = say("between two instants, none was due")
    why = why or _why(before_ms, after_ms, tried)
    within = f" or in the {format_duration(staleness_ms)} before" if staleness_ms else ""
    near = "".join(
        f"; the nearest {side} is {format_instant(instant_ms)}"
        for side, instant_ms in (("before", before_ms), ("after", after_ms))
        if instant_ms is not None
    )
    return NothingRecordedError(
        f"no graph at {format_instant(asked_ms)}{within}: {why}{near}",
        asked_ms=asked_ms,
        before_ms=before_ms,
        after_ms=after_ms,
        why=why,
    )


def _within_interval(log: Log, before_ms: int | None, asked_ms: int) -> bool:
    """Whether the next instant after ``before_ms`` was not due yet."""
    if before_ms is None:
        return False
    there = log.read(before_ms, before_ms + 1, lambda listing: listing.around_damage(presence))
    return asked_ms < before_ms + max(there["interval_ms"].to_pylist(), default=0)


def _not_in_part(log: Log, asked_ms: int) -> Said | None:
    """Of an instant that a part of another recording does not reach: what it reaches."""
    if log.part is None:
        return None
    start_ms, end_ms = log.part.whole_ms
    if start_ms <= asked_ms < end_ms:
        return None
    return say(
        "this file is a part of a recording, from {start} to {end}; ask where it was exported",
        start=log.part.start,
        end=log.part.end,
    )


def _why(before_ms: int | None, after_ms: int | None, tried: Sequence[Instant]) -> Said:
    """Why nothing was seen, as the newest of the instants that were tried, all in vain, tells it."""
    if tried:
        return said(max(tried, key=lambda instant: instant.instant_ms).failure)
    if before_ms is None and after_ms is None:
        return say("the recording is empty")
    if before_ms is None:
        return say(NOT_BEGUN)
    return say("the recorder was not running" if after_ms is not None else "nothing was recorded since")
