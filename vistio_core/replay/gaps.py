"""Gaps: instants that were due and are not there, or at which nothing could be seen. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

import attrs
import pyarrow as pa

from vistio_core.json_rows import rows_of
from vistio_core.sentences import Language, Said, say, told

NOT_RUNNING = "not running"
NOT_IN_PART = "not in this part"
"""Of another recording: the one that this is a part of may have it."""
NOT_BEGUN = "before the recording begins"
REASONS = (NOT_RUNNING, NOT_IN_PART, NOT_BEGUN, "not seen", "skipped", "failed", "timeout")
"""How a reason begins."""
_UNSEEN = ("start", "end", "reason")
"""What answers tell of the gaps that they have."""
_RECORDED_NOTHING = " recorded nothing"
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
    """``not running``: no scrape was recorded; ``not in this part``: none was exported. Else why nothing was seen."""


@attrs.frozen
class NotBegun:
    """What of a window lies before the first instant of a recording: none was due, and nothing was seen either."""

    start_ms: int
    end_ms: int
    reason: str
    """``before the recording begins``, or ``not in this part``."""
    writer: None = None
    missing: None = None


@attrs.frozen
class Within:
    """Where gaps are looked for."""

    start_ms: int
    end_ms: int
    now_ms: int
    """What is due shortly before may be on its way."""
    whole: tuple[int, int] | None = None
    """Of a part of another recording, the span of which it has all; None where there is no other."""


def gap_rows(gaps: pa.Table, language: Language = "en") -> list[dict[str, Any]]:
    """Gaps as JSON tells them, each with its ``reason`` in a language."""
    return [{**row, "reason": told(said(row["reason"]), language)} for row in rows_of(gaps)]


def unseen_rows(gaps: pa.Table, language: Language = "en") -> list[dict[str, Any]]:
    """Gaps as an answer about a window tells of them: when, and why."""
    return gap_rows(gaps.select(_UNSEEN), language)


def said(reason: str) -> Said:
    """Why there is a gap, to be told in a language; what a source answered stays as it was recorded, behind a colon."""
    word, _, more = reason.partition(": ")
    if word not in REASONS:
        return reason
    if more.endswith(_RECORDED_NOTHING):
        name = more.removesuffix(_RECORDED_NOTHING)
        return say("{kind}: {name} recorded nothing", kind=say(word), name=name)
    return say("{kind}: {recorded}", kind=say(word), recorded=more) if more else say(word)


def not_begun(first_ms: int | None, within: Within) -> NotBegun | None:
    """What of a window lies before the first instant of a recording; None where nothing does."""
    until_ms = min(within.end_ms, within.now_ms if first_ms is None else first_ms)
    if until_ms <= within.start_ms:
        return None
    return NotBegun(within.start_ms, until_ms, NOT_BEGUN if within.whole is None else NOT_IN_PART)


def find_gaps(instants: Iterable[Instant], within: Within) -> Iterator[Gap]:
    """All gaps of a window, by writer, then by time.

    Args:
        instants: those of the window, sorted by writer and instant; and of each writer the newest before it, from
            which on instants were due. A writer without any was not at work yet when its first instant came.
        within: the window.
    """
    for writer, own in groupby(instants, key=lambda instant: instant.writer):
        yield from _joined(_of_writer(writer, list(own), within))


def _of_writer(writer: str, instants: list[Instant], within: Within) -> Iterator[Gap]:
    until_ms = min(within.end_ms, within.now_ms)
    for index, instant in enumerate(instants):
        last_ms = instant.instant_ms if instant.last_ms is None else instant.last_ms
        due_ms, step_ms = last_ms + instant.interval_ms, instant.interval_ms
        is_last = index + 1 == len(instants)
        next_ms = until_ms if is_last else instants[index + 1].instant_ms
        if not instant.seen and instant.instant_ms >= within.start_ms:
            yield Gap(
                instant.instant_ms,
                min(due_ms, next_ms) if not is_last else due_ms,
                writer,
                1,
                instant.failure,
            )
        if is_last and len(range(due_ms, within.now_ms, step_ms)) <= _GRACE_INTERVALS:
            continue
        before = len(range(due_ms, within.start_ms, step_ms))
        due = range(due_ms + before * step_ms, next_ms, step_ms)
        if due:
            yield from _absent(due, writer, within.whole)


def _absent(due: range, writer: str, whole: tuple[int, int] | None) -> Iterator[Gap]:
    """A gap of which nothing was recorded; what lies before or after the whole is one of its own."""
    start_ms, end_ms = (due.start, due.stop) if whole is None else whole
    first, last = (len(range(due.start, min(ms, due.stop), due.step)) for ms in (start_ms, end_ms))
    for part, reason in (
        (due[:first], NOT_IN_PART),
        (due[first:last], NOT_RUNNING),
        (due[max(first, last) :], NOT_IN_PART),
    ):
        if part:
            yield Gap(part.start, min(part.stop, due.stop), writer, len(part), reason)


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
