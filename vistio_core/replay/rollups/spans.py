"""When each edge was first and last there in a window: of whole sealed hours from their rollups, else from the log.

What is read from the log tells its instants, too: where a file turns out to be damaged, nobody was there at its
instants, whatever a rollup says that was made of it before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pyarrow as pa

from vistio_core.configuration.model import Configuration
from vistio_core.judging.spans import SPANS, edge_spans, joined
from vistio_core.replay.pieces import judge_of, pieces
from vistio_core.replay.rollups.hours import Hour, Rollups
from vistio_core.replay.window_presence import presence
from vistio_core.storage.catalog import Span
from vistio_core.storage.listing import Listing
from vistio_core.times import HOUR_MS


def spans_of(
    listing: Listing,
    hours: Sequence[Hour],
    window_ms: Span,
    rollups: Rollups,
    configuration: Callable[[str], Configuration],
) -> tuple[pa.Table, list[tuple[Span, pa.Table]]]:
    """The edges that were there in ``[start, end)``; the shape is that of `vistio_core.judging.spans.joined`.

    Beside it the stretches that were read from the log, each with its instants (`window_presence.PRESENCE`).

    Args:
        listing: of the whole hours that the window touches.
        hours: those of which there is something.
        window_ms: start and end.
        rollups: reads them.
        configuration: from a hash to the configuration.
    """
    found: list[pa.Table] = []
    left: list[Span] = []
    for hour in hours:
        first_ms, last_ms = max(hour.start_ms, window_ms[0]), min(hour.start_ms + HOUR_MS, window_ms[1])
        whole = last_ms - first_ms == HOUR_MS
        spans = rollups.spans(hour.rollup) if whole and hour.rollup is not None else None
        if spans is not None:
            found.append(spans)
        elif left and left[-1][1] == first_ms:
            left[-1] = left[-1][0], last_ms
        elif first_ms < last_ms:
            left.append((first_ms, last_ms))
    read: list[tuple[Span, pa.Table]] = []
    for span in left:
        spans, there = listing.within(*span).around_damage(lambda part: _of_log(part, configuration))
        found.append(spans)
        read.append((span, there))
    return joined(found), read


def _of_log(listing: Listing, configuration: Callable[[str], Configuration]) -> tuple[pa.Table, pa.Table]:
    judge = judge_of(listing, configuration)
    spans = joined(edge_spans(judge, edges) for edges, _ in pieces(judge, listing))
    return spans.cast(SPANS), presence(listing)
