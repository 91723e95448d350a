"""What answers will take while they are made, told from cheap facts before anything is done.

Measured on meshes of 2,000 to 20,000 edges (decision 0031), and rounded up: an estimate too high makes somebody wait,
one that is too low breaks a promise.
"""

from __future__ import annotations

from collections.abc import Callable

from vistio_core import Recording
from vistio_core.cache import Cache
from vistio_core.diagnosis.observed import STEP_MS
from vistio_core.replay.frames.model import MAX_CELLS, MAX_NOTICES
from vistio_core.storage.extent import Extent
from vistio_core.times import MINUTE_MS, SECOND_MS, format_instant

_MB = 2**20
# A row of an instant: as an edge of a graph, drawn and encoded.
_ROW_OF_GRAPH_BYTES = 1_800
# A row of many instants that are summed at once; a frame's edge, in sums and as text that is compressed.
_ROW_OF_FRAMES_BYTES = 120
_CELL_BYTES, _CELL_AS_TEXT_BYTES = 24, 34
_NOTICE_BYTES = 150
# Windows are read in pieces, each bounded.
_ROW_OF_WINDOW_BYTES, _MOST_OF_WINDOW_BYTES = 500, 96 * _MB
_INSTANT_BYTES = 900
_CHANGE_BYTES = 3_000
_ROW_OF_STEP_BYTES = 130
# A row of an edge and an instant, compressed; and those that are made at once, as Python's objects and text.
_ROW_OF_TABLE_BYTES, _ROWS_OF_TABLE_BYTES = 8, 24 * _MB
_USUAL_STALENESS_MS = 5 * MINUTE_MS
_EXTENT_MS, _EXTENT_S = 10 * MINUTE_MS, 60.0
_MOST_EXTENTS = 1_000


class Costs:
    """Estimates in bytes, over one recording that may not exist yet."""

    def __init__(self, recording: Callable[[], Recording]) -> None:
        self._recording = recording
        # A mesh does not grow much in ten minutes, and looking costs a part of what a small graph does.
        self._sizes: Cache[int, Extent] = Cache(_MOST_EXTENTS, lambda _: 1, lasts_s=lambda _: _EXTENT_S)

    def graph(self, instant_ms: int) -> int:
        """One graph, in any format."""
        return _ROW_OF_GRAPH_BYTES * self._around(instant_ms).rows_of_one

    def window(self, start_ms: int, end_ms: int) -> int:
        """What is added up over a window, piece by piece."""
        return min(_ROW_OF_WINDOW_BYTES * self._extent(start_ms, end_ms).rows, _MOST_OF_WINDOW_BYTES)

    def frames(self, start_ms: int, end_ms: int, number: int) -> int:
        """So many graphs at once, evenly over a window."""
        extent = self._extent(max(0, start_ms - _USUAL_STALENESS_MS), end_ms)
        rows = min(extent.instants, 2 * number) * extent.rows_of_one
        cells = min(number * extent.rows_of_one, MAX_CELLS)
        summed = rows * _ROW_OF_FRAMES_BYTES
        # Drawn once, with everything; what was read has gone when that becomes text.
        told = cells * _CELL_AS_TEXT_BYTES + extent.rows_of_one * _ROW_OF_GRAPH_BYTES
        # They take twice as much, and seldom does every edge raise one in every frame.
        notices = min(number * extent.rows_of_one, MAX_NOTICES) * _NOTICE_BYTES
        return cells * _CELL_BYTES + notices + max(summed, told)

    def explained(self, start_ms: int, end_ms: int) -> int:
        """What happened in a window: what all edges and nodes did, step by step."""
        steps = -(-(end_ms - start_ms) // STEP_MS)
        return _ROW_OF_STEP_BYTES * steps * self._extent(start_ms, end_ms).rows_of_one

    def edges(self, start_ms: int, end_ms: int) -> int:
        """Every edge at every instant, as a file: the window's edges, some instants of it, and what is kept of them."""
        extent = self._extent(start_ms, end_ms)
        at_once = extent.rows_of_one * _ROW_OF_GRAPH_BYTES + _ROWS_OF_TABLE_BYTES
        return self.window(start_ms, end_ms) + at_once + extent.rows * _ROW_OF_TABLE_BYTES

    def instants(self, start_ms: int, end_ms: int, most: int) -> int:
        """A list of what is recorded, of which at most so many are told."""
        return min(self._extent(start_ms, end_ms).instants, most) * _INSTANT_BYTES

    def changes(self, number: int, instant_ms: int) -> int:
        """A list of at most so many changed edges, and as many nodes."""
        return 2 * _CHANGE_BYTES * min(number, self._around(instant_ms).rows_of_one)

    def _around(self, instant_ms: int) -> Extent:
        place = instant_ms // _EXTENT_MS
        known = self._sizes.get(place)
        if known is None:
            known = self._extent(max(0, instant_ms - _USUAL_STALENESS_MS), instant_ms + SECOND_MS)
            self._sizes.put(place, known)
        return known

    def _extent(self, start_ms: int, end_ms: int) -> Extent:
        return self._recording().extent(format_instant(start_ms), format_instant(end_ms))
