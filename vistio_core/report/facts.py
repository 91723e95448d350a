"""What a report tells, asked of a recording: nothing here knows how it is shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import numpy as np
import pyarrow as pa

from vistio_core.diagnosis.heat import Heat
from vistio_core.diagnosis.incidents import Incident
from vistio_core.diagnosis.observed import STEP_MS
from vistio_core.diagnosis.suspects import Suspects
from vistio_core.errors import NothingRecordedError, VistioError
from vistio_core.json_rows import rows_of
from vistio_core.recording.recording import Recording
from vistio_core.replay.frames.model import FrameLevel, Frames
from vistio_core.sentences import Said, say
from vistio_core.times import HOUR_MS, MINUTE_MS, SECOND_MS, format_instant

MOST_FRAMES = 360
MOST_EDGES = 300
"""That are drawn; those that failed most come first, then those with most traffic."""
MOST_CHANGES = 30
_MOST_CELLS = 1_000_000
_MOST_STEPS, _MOST_HEAT_STEPS = 120, 60

Row = Mapping[str, Any]


@attrs.frozen(eq=False)
class Facts:
    """Of a window."""

    name: str
    """Of the mesh."""
    start_ms: int
    end_ms: int
    incidents: Sequence[Incident]
    asked_about: tuple[int, int]
    """Of which window the suspects are."""
    suspects: Suspects
    step_ms: int
    """Of the timeline."""
    timeline: Sequence[Row]
    """As `Recording.timeline` has it."""
    frames: Frames
    levels: Sequence[FrameLevel]
    """Those of the frames, with the edges that are drawn."""
    edges: int
    """How many there are."""
    changes: Sequence[Row]
    """Of edges, from the hour before the window to the window."""
    no_changes: Said
    """Why there are none to tell; empty where there are."""
    heat: Heat
    """Of the window, and where its last step is cut off, a little more."""
    marks: Sequence[Row]
    unseen: pa.Table
    """What was not seen in the window."""
    configurations: Sequence[str]
    """The hashes of those in force."""


def gather(recording: Recording, start_ms: int, end_ms: int) -> Facts:
    """Ask everything.

    Raises:
        NothingRecordedError: nothing was seen in the window.
        UsageError: it is longer than two days, or the mesh too large to be drawn.
    """
    start, end = format_instant(start_ms), format_instant(end_ms)
    happened = recording.incidents(start, end)
    incidents = list(happened)
    about = _worst(incidents, start_ms, end_ms)
    suspects = recording.suspects(*map(format_instant, about))
    frames = recording.frames(start, end, f"{_frame_ms(recording, start_ms, end_ms)}ms")
    shown = [frame.asked_ms for frame in frames.frames if frame.instant_ms is not None]
    graph = recording.graph(format_instant(shown[-1] if shown else end_ms - 1))
    step_ms = _whole(end_ms - start_ms, _MOST_STEPS, MINUTE_MS)
    changes, no_changes = _changes(recording, start_ms, end_ms)
    return Facts(
        graph.name,
        start_ms,
        end_ms,
        incidents,
        about,
        suspects,
        step_ms,
        rows_of(recording.timeline(start, end, f"{step_ms}ms")),
        frames,
        _drawn(frames.levels),
        sum(len(level.edges) for level in frames.levels),
        changes,
        no_changes,
        recording.heat(start, end, f"{_whole(end_ms - start_ms, _MOST_HEAT_STEPS, STEP_MS)}ms"),
        rows_of(recording.annotations(start, end)),
        happened.unseen,
        sorted(set(recording.instants(start, end)["configuration"].to_pylist())),
    )


def _worst(incidents: Sequence[Incident], start_ms: int, end_ms: int) -> tuple[int, int]:
    """The window of the worst incident; all of it without one."""
    worst = max(incidents, key=lambda each: each.harm, default=None)
    if worst is None:
        return start_ms, end_ms
    return worst.start_ms, min(end_ms, worst.end_ms or end_ms)


def _frame_ms(recording: Recording, start_ms: int, end_ms: int) -> int:
    """From one frame to the next: an interval, or more where that would be too many frames."""
    topology = recording.topology(format_instant(start_ms), format_instant(end_ms))
    edges = sum(len(level.source) for level in topology.values())
    most = max(2, min(MOST_FRAMES, _MOST_CELLS // max(1, edges)))
    return _whole(end_ms - start_ms, most, 10 * SECOND_MS)


def _whole(length_ms: int, most: int, unit_ms: int) -> int:
    """The shortest multiple of a unit of which at most so many fill a length."""
    return max(1, -(-length_ms // (most * unit_ms))) * unit_ms


def _changes(recording: Recording, start_ms: int, end_ms: int) -> tuple[Sequence[Row], Said]:
    before = f"{format_instant(max(0, start_ms - HOUR_MS))}/{format_instant(start_ms)}"
    try:
        found = recording.diff(before, f"{format_instant(start_ms)}/{format_instant(end_ms)}")
    except NothingRecordedError:
        return [], say("nothing was recorded in the hour before, so there is nothing to compare with")
    except VistioError as error:
        return [], error.said
    return rows_of(found.slice(0, MOST_CHANGES)), "" if found.num_rows else say("nothing changed")


def _drawn(levels: Sequence[FrameLevel]) -> list[FrameLevel]:
    """The levels with the edges that are drawn."""
    rank = []
    for place, level in enumerate(levels):
        rates = np.nan_to_num(level.rates)
        failed, traffic = rates[:, :, 1:].sum(axis=(0, 2)), rates.sum(axis=(0, 2))
        rank += [(-failed[edge], -traffic[edge], place, edge) for edge in range(len(level.edges))]
    chosen: dict[int, list[int]] = {}
    for _, _, place, edge in sorted(rank)[:MOST_EDGES]:
        chosen.setdefault(place, []).append(edge)
    return [
        attrs.evolve(
            levels[place],
            edges=tuple(levels[place].edges[edge] for edge in sorted(edges)),
            rates=levels[place].rates[:, sorted(edges)],
        )
        for place, edges in sorted(chosen.items())
    ]
