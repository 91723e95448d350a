"""Writing the past: instants that are due in a window and not in the log, asked for afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

import attrs
import pyarrow as pa

from vistio_core.errors import AlreadyRecordedError, SourceError, UsageError
from vistio_core.events import Scrape
from vistio_core.times import HOUR_MS, align, format_instant
from vistio_record.recorder import Recorder
from vistio_record.sources.base import HasGaps, Source

if TYPE_CHECKING:
    from vistio_core.recording.recording import Recording
    from vistio_core.recording.writer import Writer


@attrs.frozen
class Plan:
    """What a backfill has to do."""

    instants: tuple[int, ...]
    """To fetch, ascending."""
    present: int
    """How many due instants of the window are in the log already and stay as they are."""
    not_running: int = 0
    """How many the source says must stay a gap."""


def plan(
    recording: Recording,
    source: Source,
    *,
    writer: str,
    start_ms: int,
    end_ms: int,
    interval_ms: int,
    now_ms: int,
) -> Plan:
    """The instants in ``[start_ms, end_ms)`` that ``writer`` has not recorded.

    Raises:
        UsageError: the source cannot answer the past, or the window is empty or not over yet.
    """
    if not source.answers_past:
        raise UsageError("this source knows only the present; backfill needs prometheus or simulator")
    if start_ms >= end_ms or end_ms > now_ms:
        raise UsageError(
            f"backfill from {format_instant(start_ms)} to {format_instant(end_ms)}: the start must be before"
            f" the end, and the end not after now ({format_instant(now_ms)})"
        )
    table = recording.instants(format_instant(start_ms), format_instant(end_ms))
    rows = zip(table["instant"].cast(pa.int64()).to_pylist(), table["writer"].to_pylist(), strict=True)
    present = {instant for instant, name in rows if name == writer}
    first = align(start_ms + interval_ms - 1, interval_ms)
    missing = [instant for instant in range(first, end_ms, interval_ms) if instant not in present]
    running = [i for i in missing if source.was_running(i)] if isinstance(source, HasGaps) else missing
    return Plan(tuple(running), len(present), len(missing) - len(running))


def fill(recorder: Recorder, writer: Writer, instants: tuple[int, ...]) -> Iterator[Scrape]:
    """Fetch and commit ``instants``, oldest first; gives each scrape when it is durable.

    Finished hours are sealed on the way, so that a long backfill does not pile up small files.

    Raises:
        SourceError: no rule at all was answered. The log is append-only: the source's bad minute
            must not become the past, so nothing is committed; a later backfill goes on here.
        RecordingError: the recording refused.
    """
    for number, instant_ms in enumerate(instants):
        scrape = recorder.scrape(instant_ms, backfilled=True)
        if not scrape.seen:
            first = scrape.outcomes[0].error if scrape.outcomes else "the configuration has no rules"
            raise SourceError(
                f"{format_instant(instant_ms)}: no rule was answered ({first}); what is filled stays,"
                " run the same command again when the source answers"
            )
        if number and align(instant_ms, HOUR_MS) != align(instants[number - 1], HOUR_MS):
            writer.seal(align(instant_ms, HOUR_MS))
        with suppress(AlreadyRecordedError):  # since the plan was made
            writer.commit(scrape)
        yield scrape
