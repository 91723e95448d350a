"""Many graphs at once, for moving through time: who was there is told once, then columns of rates.

Each frame is what `Recording.graph` answers for its instant, number for number. A recording's
consecutive instants stand side by side in its files, so each row group is read once and summed in
columns (`graph.columns`), where a graph for each instant would read and build all of it again.

The answer's values are in `model`; what each writer shows, in `shown`; how that is summed,
in `sums`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from vistio_core.configuration.model import Configuration
from vistio_core.errors import UsageError
from vistio_core.graph.unseen import Round
from vistio_core.judging.rulebook import Rulebook
from vistio_core.marked_from import MarkedFrom
from vistio_core.replay.as_of import AsOf, as_of, asked_of, failed_rules, reach
from vistio_core.replay.frames.model import MAX_CELLS, MAX_FRAMES, Frame, FrameLevel, FrameNotice, Frames
from vistio_core.replay.frames.shown import WriterFrames
from vistio_core.replay.frames.sums import frame_levels
from vistio_core.storage.listing import Listing
from vistio_core.storage.log import Log

__all__ = ["MAX_CELLS", "MAX_FRAMES", "Frame", "FrameLevel", "FrameNotice", "Frames", "frames_of"]


def frames_of(
    log: Log,
    window_ms: tuple[int, int, int],
    staleness_ms: int,
    configuration: Callable[[str], Configuration],
) -> Frames:
    """The frames of a window.

    Args:
        log: where they are.
        window_ms: start, end and step.
        staleness_ms: how old what a frame shows may be.
        configuration: from a hash to the configuration.

    Raises:
        UsageError: more than `MAX_FRAMES` frames, or `MAX_CELLS` frames times edges.
    """
    start_ms, end_ms, step_ms = window_ms
    if -(-(end_ms - start_ms) // step_ms) > MAX_FRAMES:
        raise UsageError(f"more than {MAX_FRAMES:,} frames; use a longer step or a shorter window")
    asked_ms = range(start_ms, end_ms, step_ms)

    def frames(listing: Listing) -> Frames:
        answers = [as_of(listing, at_ms, staleness_ms) for at_ms in asked_ms]
        writers = [WriterFrames(own) for own in zip(*answers, strict=True)]
        by_name = {writer.name: writer for writer in writers}
        about = [
            _frame(at_ms, own, by_name, configuration) for at_ms, own in zip(asked_ms, answers, strict=True)
        ]
        asked = [
            None if frame.instant_ms is None else _asked(own, by_name, configuration)
            for frame, own in zip(about, answers, strict=True)
        ]
        levels, topology = frame_levels(writers, asked, configuration)
        return Frames(start_ms, end_ms, step_ms, tuple(about), levels, topology)

    return log.read(*reach(start_ms, asked_ms[-1], staleness_ms), frames)


def _asked(
    answers: Sequence[AsOf],
    writers: Mapping[str, WriterFrames],
    configuration: Callable[[str], Configuration],
) -> Round:
    """What a frame tells of, and what not."""
    return asked_of(
        answers,
        lambda answer: writers[answer.writer.name].failures(answer),
        lambda writer, instant_ms: Rulebook(configuration(writers[writer].configurations[instant_ms])),
    )


def _frame(
    asked_ms: int,
    answers: Sequence[AsOf],
    writers: Mapping[str, WriterFrames],
    configuration: Callable[[str], Configuration],
) -> Frame:
    """What a frame says about itself.

    Args:
        asked_ms: its instant.
        answers: of all writers.
        writers: by name.
        configuration: from a hash to the configuration.
    """
    shown = [
        writers[answer.writer.name].facts[answer.shown_ms]
        for answer in answers
        if answer.shown_ms is not None
    ]
    if not shown:
        return Frame(asked_ms)
    newest = max(shown, key=lambda instant: instant.instant_ms)
    return Frame(
        asked_ms,
        newest.instant_ms,
        newest.interval_ms,
        shown[0].configuration,
        failed_rules(answers, lambda answer: writers[answer.writer.name].failures(answer)),
        any(instant.backfilled for instant in shown),
        MarkedFrom.lowest([configuration(instant.configuration).marked_from for instant in shown]),
    )
