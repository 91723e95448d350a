"""Many graphs at once, for moving through time: who was there is told once, then columns of rates.

Each frame is what `Recording.graph` answers for its instant, number for number. A recording's
consecutive instants stand side by side in its files, so each row group is read once and summed in
columns (`judging.levels`), where a graph for each instant would read and build all of it again.

The answer's values are in `model`; what each writer shows, in `shown`; how that is summed,
in `sums`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from vistio_core.configuration.model import Configuration
from vistio_core.errors import UsageError
from vistio_core.replay.as_of import missing_writers, within_reach
from vistio_core.replay.frames.model import MAX_CELLS, MAX_FRAMES, Frame, FrameLevel, FrameNotice, Frames
from vistio_core.replay.frames.shown import WriterFrames
from vistio_core.replay.frames.sums import frame_levels
from vistio_core.storage.catalog import Catalog
from vistio_core.storage.event_file import EventFiles
from vistio_core.storage.layout import EventsName

__all__ = ["MAX_CELLS", "MAX_FRAMES", "Frame", "FrameLevel", "FrameNotice", "Frames", "frames_of"]


def frames_of(
    catalog: Catalog,
    files: EventFiles,
    window_ms: tuple[int, int, int],
    staleness_ms: int,
    configuration: Callable[[str], Configuration],
) -> Frames:
    """The frames of a window.

    Args:
        catalog: what is there.
        files: opens it.
        window_ms: start, end and step.
        staleness_ms: how old what a frame shows may be.
        configuration: from a hash to the configuration.

    Raises:
        UsageError: more than `MAX_FRAMES` frames, or `MAX_CELLS` frames times edges.
        FileNotFoundError: a file was merged, sealed or pruned away meanwhile; ask again.
    """
    start_ms, end_ms, step_ms = window_ms
    if -(-(end_ms - start_ms) // step_ms) > MAX_FRAMES:
        raise UsageError(f"more than {MAX_FRAMES:,} frames; use a longer step or a shorter window")
    asked_ms = range(start_ms, end_ms, step_ms)
    listed = within_reach(catalog, start_ms, asked_ms[-1], staleness_ms)
    shown = [name for name in listed if name.overlaps(start_ms - staleness_ms + 1, asked_ms[-1] + 1)]
    writers = [
        WriterFrames(
            catalog, files, [name for name in shown if name.writer == writer], asked_ms, staleness_ms
        )
        for writer in sorted({name.writer for name in shown})
    ]
    levels, topology = frame_levels(writers, len(asked_ms), configuration)
    return Frames(
        start_ms,
        end_ms,
        step_ms,
        _about(catalog, files, listed, asked_ms, staleness_ms, writers),
        levels,
        topology,
    )


def _about(
    catalog: Catalog,
    files: EventFiles,
    listed: Sequence[EventsName],
    asked_ms: Sequence[int],
    staleness_ms: int,
    writers: Sequence[WriterFrames],
) -> tuple[Frame, ...]:
    everyone = {name.writer for name in listed}
    frames = []
    for frame, at_ms in enumerate(asked_ms):
        shown = [
            (instant_ms, writer.facts[instant_ms], writer)
            for writer in writers
            if (instant_ms := writer.shown_ms[frame]) is not None
        ]
        if not shown:
            frames.append(Frame(at_ms))
            continue
        failed = [
            rule
            for _, _, writer in shown
            if (tried_ms := writer.tried_ms[frame]) is not None
            for rule in writer.facts[tried_ms].failed
        ]
        seen = {writer.name for _, _, writer in shown}
        if seen != everyone:
            failed += missing_writers(catalog, files, listed, at_ms, staleness_ms, seen)
        instant_ms, newest, _ = max(shown, key=lambda each: each[0])
        frames.append(
            Frame(
                at_ms,
                instant_ms,
                newest.interval_ms,
                shown[0][1].configuration,
                tuple(failed),
                any(facts.backfilled for _, facts, _ in shown),
            )
        )
    return tuple(frames)
