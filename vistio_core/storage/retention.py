"""Which files go when a recording must be younger or smaller. Pure.

Files of one writer that overlap in time go together: an hour, what was backfilled into it, and
the supplements of its scrapes. A scrape never goes without them, nor they without it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import attrs

from vistio_core.storage.layout import EventsName
from vistio_core.times import HOUR_MS, align


@attrs.frozen
class Stored:
    """A file of events and its size."""

    name: EventsName
    size_bytes: int


def older_than(stored: Iterable[Stored], before_ms: int) -> list[Stored]:
    """What lies wholly before ``before_ms``, in the order in which it is to be deleted."""
    return [each for run in _runs(stored) if _last_ms(run) < before_ms for each in _in_order(run)]


def beyond_size(stored: Iterable[Stored], max_bytes: int) -> list[Stored]:
    """The oldest files without which the others have ``max_bytes`` or less; never any of the newest hour."""
    runs = list(_runs(stored))
    left_bytes = sum(each.size_bytes for run in runs for each in run)
    newest_hour_ms = align(max(map(_last_ms, runs), default=0), HOUR_MS)
    gone: list[Stored] = []
    for run in runs:
        if left_bytes <= max_bytes or _last_ms(run) >= newest_hour_ms:
            break
        left_bytes -= sum(each.size_bytes for each in run)
        gone += _in_order(run)
    return gone


def _runs(stored: Iterable[Stored]) -> Iterator[list[Stored]]:
    """Files that overlap, together; the oldest first."""
    run: list[Stored] = []
    for each in sorted(stored, key=lambda each: each.name.first_ms):
        if run and each.name.first_ms > _last_ms(run):
            yield run
            run = []
        run.append(each)
    if run:
        yield run


def _last_ms(run: Iterable[Stored]) -> int:
    return max(each.name.last_ms for each in run)


def _in_order(run: Iterable[Stored]) -> list[Stored]:
    """Killed in between, a scrape may be without its supplements, as it was once; never the other way round."""
    return sorted(run, key=lambda each: (-each.name.supplement, each.name.rank, each.name.first_ms))
