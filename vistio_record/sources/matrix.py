"""The answer to a range query, a matrix, as what it is to vistio: a vector for each instant. Pure.

    matrix, by series                          vectors, by instant
    a   05:00 1.0   05:10 1.0   05:20 -        05:00   a 1.0   b 2.0
    b   05:00 2.0   05:10 -     05:20 2.5      05:10   a 1.0
                                               05:20   b 2.5          `first_vanishing`: 05:10, b was there before

Values stay the text that came: whether a matrix says what a live answer said is compared digit by digit. Each point is
looked at once, with a cursor for each series, for a chunk is as many points as are held in memory at a time.

What must not be in here: asking, and what a value means (`mapped`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, zip_longest
from typing import Generic, TypeAlias, TypeVar

from vistio_record.sources.answer import QueryAnswer, RangeSeries, Series

Labels: TypeAlias = tuple[tuple[str, str], ...]
"""A series' labels, sorted by name."""

_Value = TypeVar("_Value")


def cut(series: Sequence[RangeSeries], instants: range) -> Iterator[list[Series]]:
    """The vector at each of ``instants``, in their order; points at other times are left out."""
    cursors = [(one.metric, _Cursor(one.values), _Cursor(one.histograms)) for one in series]
    for instant_ms in instants:
        vector: list[Series] = []
        for metric, values, histograms in cursors:
            if (value := values.at(instant_ms)) is not None:
                vector.append(Series(metric, value))
            elif (histogram := histograms.at(instant_ms)) is not None:
                vector.append(Series(metric, None, histogram[1]))
        yield vector


class _Cursor(Generic[_Value]):
    """The points of a series, each asked for once, in ascending order."""

    __slots__ = ("_next", "_points")

    def __init__(self, points: Sequence[tuple[float, _Value]]) -> None:
        self._points = points
        self._next = 0

    def at(self, instant_ms: int) -> tuple[float, _Value] | None:
        points = self._points
        while self._next < len(points):
            point = points[self._next]
            point_ms = _ms(point)
            if point_ms > instant_ms:
                break
            self._next += 1
            if point_ms == instant_ms:
                return point
        return None


def alike(series: Sequence[RangeSeries], instant_ms: int, live: QueryAnswer) -> bool:
    """Whether the matrix has the same series with the same values at the instant, digit by digit."""

    def key(one: Series) -> tuple[Labels, str]:
        return labels_of(one.labels), one.value[1] if one.value is not None else ""

    (vector,) = cut(series, range(instant_ms, instant_ms + 1))
    return sorted(map(key, vector)) == sorted(map(key, live.series))


def first_vanishing(series: Sequence[RangeSeries], chunk: range, before: frozenset[Labels]) -> int | None:
    """The first instant of ``chunk`` without a series that the instant before it had; None when there is none.

    Args:
        series: the matrix.
        chunk: its instants.
        before: the series at the instant before ``chunk``.
    """
    if before - {labels_of(one.labels) for one in series if one.values and _ms(one.values[0]) == chunk[0]}:
        return chunk[0]
    vanished: list[int] = []
    for one in series:
        points = [_ms(point) for point in one.values]
        # The instant after the last of ``chunk`` is the next chunk's.
        ends = (
            point + chunk.step
            for point, after in zip_longest(points, points[1:])
            if after != point + chunk.step
        )
        vanished.extend(islice((end for end in ends if end in chunk), 1))
    return min(vanished, default=None)


def labels_of(metric: Mapping[str, str]) -> Labels:
    return tuple(sorted(metric.items()))


def _ms(point: tuple[float, object]) -> int:
    return round(point[0] * 1000)


def at_end(series: Sequence[RangeSeries], chunk: range) -> frozenset[Labels]:
    """The series that have a value at the last instant of ``chunk``."""
    return frozenset(
        labels_of(one.labels) for one in series if one.values and _ms(one.values[-1]) == chunk[-1]
    )
