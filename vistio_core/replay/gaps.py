"""Gaps: instants that were due and are not there, or at which nothing could be seen. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

import attrs

NOT_RUNNING = "not running"
# The newest instants may still be on their way: Prometheus' delay, a slow scrape.
_GRACE_INTERVALS = 3


@attrs.frozen
class Instant:
    """What the log says of one instant of one writer, or of a run of them, without samples."""

    instant_ms: int
    writer: str
    interval_ms: int
    seen: bool
    failure: str = ""
    """For an instant that was not seen: why, in a few words."""
    last_ms: int | None = None
    """Of a run of seen instants, each an interval after the one before: the last one."""


@attrs.frozen
class Gap:
    """A run of due instants of one writer for which there is no graph, all for the same reason."""

    start_ms: int
    end_ms: int
    """The first instant after the gap, or where the asked window ends."""
    writer: str
    missing: int
    """How many instants were due."""
    reason: str
    """``not running``: no scrape was recorded. Else why the recorded scrapes saw nothing."""


def find_gaps(instants: Iterable[Instant], until_ms: int) -> Iterator[Gap]:
    """All gaps between the first of ``instants`` and ``until_ms``, by writer, then by time.

    Args:
        instants: sorted by writer and instant.
        until_ms: also ends the gap after a writer's last instant, where it is long enough not
            to be an instant on its way. Pass the end of the window, or now if that is earlier.
    """
    for writer, own in groupby(instants, key=lambda instant: instant.writer):
        yield from _joined(_of_writer(writer, list(own), until_ms))


def _of_writer(writer: str, instants: list[Instant], until_ms: int) -> Iterator[Gap]:
    for index, instant in enumerate(instants):
        last_ms = instant.instant_ms if instant.last_ms is None else instant.last_ms
        due_ms = last_ms + instant.interval_ms
        is_last = index + 1 == len(instants)
        next_ms = until_ms if is_last else instants[index + 1].instant_ms
        if not instant.seen:
            yield Gap(
                instant.instant_ms,
                min(due_ms, next_ms) if not is_last else due_ms,
                writer,
                1,
                instant.failure,
            )
        missing = -(-(next_ms - due_ms) // instant.interval_ms)  # due instants in [due_ms, next_ms)
        if missing > (_GRACE_INTERVALS if is_last else 0):
            yield Gap(due_ms, next_ms, writer, missing, NOT_RUNNING)


def _joined(gaps: Iterable[Gap]) -> Iterator[Gap]:
    """Neighbouring gaps with one reason become one."""
    last: Gap | None = None
    for gap in gaps:
        if last is not None and last.end_ms == gap.start_ms and last.reason == gap.reason:
            last = attrs.evolve(last, end_ms=gap.end_ms, missing=last.missing + gap.missing)
            continue
        if last is not None:
            yield last
        last = gap
    if last is not None:
        yield last
