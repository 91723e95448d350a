"""The metrics that are read off the recording, once a minute: sizes and gaps."""

from __future__ import annotations

from collections.abc import Iterable

import attrs
import pyarrow as pa
import pyarrow.compute as pc

from vistio_core.recording.recording import Recording
from vistio_core.times import HOUR_MS, format_instant
from vistio_record.metrics import GAP_WINDOWS_MS, Metrics


def measure_sizes(recording: Recording, metrics: Metrics) -> None:
    """Files and bytes, from the listing alone."""
    info = recording.info()
    metrics.sizes(
        head_files=info.head_files,
        head_bytes=info.head_bytes,
        log_files=info.log_files,
        log_bytes=info.log_bytes,
    )


@attrs.frozen(kw_only=True)
class Known:
    """Since when a missing graph is a gap: before, there was no recorder, or retention took it."""

    running_from_ms: int
    """The writer's newest instant when the recorder started; its start when it had none."""
    retention_ms: int
    retention_bytes: int = 0


def measure_gaps(recording: Recording, metrics: Metrics, writer: str, known: Known, until_ms: int) -> None:
    """For how much of each window there is no graph; the day is read off what is kept of its hours.

    Args:
        recording: what is read.
        metrics: what is set.
        writer: whose instants count.
        known: what is no gap.
        until_ms: where the windows end: what is later may still be on its way.
    """
    # From a little earlier: the scrape before the window stands for its first moments.
    seen = _seen(recording, writer, until_ms - max(GAP_WINDOWS_MS.values()) - HOUR_MS, until_ms)
    kept_from_ms = until_ms - known.retention_ms if known.retention_ms else 0
    if known.retention_bytes:
        first_ms, _ = recording.span() or (0, 0)
        kept_from_ms = max(kept_from_ms, first_ms)
    began_ms = min([known.running_from_ms, *(instant_ms for instant_ms, _ in seen)])
    for window, length_ms in GAP_WINDOWS_MS.items():
        start_ms = max(until_ms - length_ms, began_ms, kept_from_ms)
        metrics.gap(window, gap_ms(seen, start_ms, until_ms))


def gap_ms(seen: Iterable[tuple[int, int]], start_ms: int, end_ms: int) -> int:
    """For how much of ``[start_ms, end_ms)`` there is no graph. Pure.

    Args:
        seen: instant and interval, in milliseconds, of every scrape with an answered rule, in any
            order. Each stands for the interval that begins with it.
        start_ms: the window's first instant.
        end_ms: where it ends, exclusive.
    """
    covered_ms, until_ms = 0, start_ms
    for instant_ms, interval_ms in sorted(seen):
        first_ms, last_ms = max(instant_ms, until_ms), min(instant_ms + interval_ms, end_ms)
        if last_ms > first_ms:
            covered_ms += last_ms - first_ms
            until_ms = last_ms
    return max(end_ms - start_ms, 0) - covered_ms


def _seen(recording: Recording, writer: str, start_ms: int, end_ms: int) -> list[tuple[int, int]]:
    table = recording.presence(format_instant(start_ms), format_instant(end_ms))
    own = table.filter(pc.and_(table["seen"], pc.equal(table["writer"], writer)))
    return list(zip(own["instant"].cast(pa.int64()).to_pylist(), own["interval_ms"].to_pylist(), strict=True))
