"""Which files of events there are, by their names alone: nothing is opened here.

The listing is the catalog: nothing but the names in the store says what exists, so a reader
needs no help from the writer. Which of the files count is for a `Listing` to say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from heapq import merge
from itertools import groupby
from operator import attrgetter

from vistio_core.storage.layout import (
    HEAD,
    LOG,
    EventsName,
    hour_folder,
    hours,
    parse_events_name,
    parse_hour_folder,
)
from vistio_core.storage.store import Store
from vistio_core.times import DAY_MS, HOUR_MS, align

END_MS = 7_000 * 365 * DAY_MS
"""After everything: names have years of four digits."""
# Beyond this many hours, one listing of the whole log is cheaper than one for each hour.
_HOURS_LISTED_ALONE = 48
# Recorders commit every few seconds, and a listing takes less than one millisecond.
_LISTINGS = 100

Span = tuple[int, int]
"""Of time: start and end, exclusive."""


class Catalog:
    """Finds event files by time. Lists anew at each call, and keeps nothing."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def head(self) -> list[EventsName]:
        """What is committed but not sealed, by first instant."""
        return by_time(self._head_names())

    def within(self, start_ms: int, end_ms: int) -> list[EventsName]:
        """All files that may hold an instant in ``[start_ms, end_ms)``, by first instant."""
        # The head is listed first: what is sealed between the two listings is then seen twice,
        # never not at all.
        names = self._head_names()
        if end_ms - start_ms > _HOURS_LISTED_ALONE * HOUR_MS:
            names += _parsed(self._store.names(LOG))
        else:
            for hour_ms in hours(start_ms, end_ms):
                names += self._sealed(hour_ms)
        return by_time(name for name in names if name.overlaps(start_ms, end_ms))

    def outwards(self, from_ms: int, *, backwards: bool) -> Iterator[tuple[Span, list[EventsName]]]:
        """All files with an instant not after ``from_ms``, or with one after it; those close to it first.

        For whoever wants the nearest of something: what comes first is mostly enough, and a long history costs no more
        than a short one.

        Yields:
            Span after span, each as far as a full hour in which another file begins (or, forwards, ends), and all
            files that may hold an instant in it, by first instant; at least one. Nothing lies between two spans.
        """
        # Before the hours: see `within`.
        head = [name for name in self._head_names() if _fits(name, from_ms, backwards)]
        hours_of_head = (align(name.first_ms if backwards else name.last_ms, HOUR_MS) for name in head)
        all_hours = merge(
            sorted(hours_of_head, reverse=backwards),
            self._sealed_hours(from_ms, backwards),
            reverse=backwards,
        )
        near_ms = from_ms + 1
        for hour_ms, _ in groupby(all_hours):
            span = (hour_ms, near_ms) if backwards else (near_ms, hour_ms + HOUR_MS)
            names = by_time(name for name in (*head, *self._sealed(hour_ms)) if name.overlaps(*span))
            if names:
                yield span, names
            near_ms = hour_ms if backwards else hour_ms + HOUR_MS

    def span(self) -> Span | None:
        """The first and the last instant that names tell of; None while there is no file."""
        firsts = next(self.outwards(-1, backwards=False), None)
        lasts = next(self.outwards(END_MS, backwards=True), None)
        if firsts is None or lasts is None:
            return None
        return min(name.first_ms for name in firsts[1]), max(name.last_ms for name in lasts[1])

    def _sealed_hours(self, from_ms: int, backwards: bool) -> Iterator[int]:
        """The starts of the hours that have something sealed, from that of ``from_ms`` on, which comes first."""
        from_hour = hour_folder(max(0, from_ms))
        days = self._store.folders(LOG)
        for day in reversed(days) if backwards else days:
            # Names of days sort as they do.
            if (day > from_hour) if backwards else (f"{day}/~" < from_hour):
                continue
            of_day = [ms for ms in map(parse_hour_folder, self._store.folders(day)) if ms is not None]
            for hour_ms in reversed(of_day) if backwards else of_day:
                if (hour_ms <= from_ms) if backwards else (hour_ms >= align(from_ms, HOUR_MS)):
                    yield hour_ms

    def _head_names(self) -> list[EventsName]:
        """The head, listed until two listings in a row are equal.

        A listing is no snapshot: while it runs, a merge may put its new file where the listing has
        passed, and delete the commits that it has not reached; then neither would be listed. In a
        listing that starts after that, the new file is there.
        """
        before: set[EventsName] | None = None
        for _ in range(_LISTINGS):
            names = set(_parsed(self._store.names(HEAD)))
            if names == before:
                break
            before = names
        return list(names)

    def _sealed(self, hour_ms: int) -> tuple[EventsName, ...]:
        """Those of one hour, whose listing is mostly the same as the last time; the head's never is."""
        return _parsed_before(tuple(self._store.names(hour_folder(hour_ms))))


def _parsed(texts: Iterable[str]) -> tuple[EventsName, ...]:
    # Foreign files are for `verify` to report.
    return tuple(name for name in map(parse_events_name, texts) if name is not None)


_parsed_before = lru_cache(maxsize=4096)(_parsed)


def _fits(name: EventsName, from_ms: int, backwards: bool) -> bool:
    return name.first_ms <= from_ms if backwards else name.last_ms > from_ms


def by_time(names: Iterable[EventsName]) -> list[EventsName]:
    return sorted(names, key=attrgetter("by_time"))
