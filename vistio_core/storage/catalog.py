"""Which files of events there are, and which of them count.

The listing is the catalog: nothing but the names in the store says what exists, so a reader
needs no help from the writer. Merging and sealing write the new file before they delete the
old ones; in between, and after a crash in between, the same instants stand in two files.
Their content is equal, so a look-up of one instant may use either. A scan must leave out the
file that is superseded: one whose instants all stand in files of higher rank.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from operator import attrgetter

from vistio_core.errors import DamagedFileError
from vistio_core.storage.event_file import EventFiles
from vistio_core.storage.layout import HEAD, LOG, EventsName, hour_folder, hours, parse_events_name
from vistio_core.storage.presences import Presences
from vistio_core.storage.store import Store
from vistio_core.times import DAY_MS, HOUR_MS

# Beyond this many hours, one listing of the whole log is cheaper than one for each hour.
_HOURS_LISTED_ALONE = 48
_END_MS = 7_000 * 365 * DAY_MS  # names have years of four digits
# Recorders commit every few seconds, and a listing takes less than one millisecond.
_LISTINGS = 100


class Catalog:
    """Finds event files by time. Lists anew at each call; keeps nothing but opened footers."""

    def __init__(self, store: Store, files: EventFiles) -> None:
        self._store = store
        self._files = files

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
                names += self._sealed(hour_folder(hour_ms))
        return by_time(name for name in names if name.overlaps(start_ms, end_ms))

    def everything(self) -> list[EventsName]:
        """All files, by first instant."""
        names = self._head_names()
        return by_time([*names, *_parsed(self._store.names(LOG))])

    def outwards(self, from_ms: int, *, backwards: bool) -> Iterator[list[EventsName]]:
        """All files with an instant not after ``from_ms``, or with one after it; those close to it first.

        For whoever wants the nearest of something: what comes first is mostly enough, and a long history costs no more
        than a short one.

        Yields:
            All files of the head, then those of one hour after the other. What a list has is as near as what
            the next ones have, or nearer, apart from the head.
        """
        # Before the hours: see `within`.
        yield by_time(name for name in self._head_names() if _fits(name, from_ms, backwards))
        from_hour = hour_folder(max(0, from_ms))
        days = self._store.folders(LOG)
        for day in reversed(days) if backwards else days:
            # Names of days and hours sort as they do.
            if (day > from_hour) if backwards else (f"{day}/~" < from_hour):
                continue
            hours_of_day = self._store.folders(day)
            for hour in reversed(hours_of_day) if backwards else hours_of_day:
                if (hour > from_hour) if backwards else (hour < from_hour):
                    continue
                yield by_time(name for name in self._sealed(hour) if _fits(name, from_ms, backwards))

    def span(self) -> tuple[int, int] | None:
        """The first and the last instant that names tell of; None while there is no file."""
        names = [*self._nearest(0, backwards=False), *self._nearest(_END_MS, backwards=True)]
        if not names:
            return None
        return min(name.first_ms for name in names), max(name.last_ms for name in names)

    def _nearest(self, from_ms: int, *, backwards: bool) -> list[EventsName]:
        """The head, and the first or last hour of which there is something."""
        found: list[EventsName] = []
        for names in self.outwards(from_ms, backwards=backwards):
            found += names
            if any(name.sealed for name in names):
                break
        return found

    def counting(self, names: Iterable[EventsName]) -> list[EventsName]:
        """``names`` without the superseded ones: no instant of a sequence is left in two of them."""
        listed = list(names)
        return [name for name in listed if not self.superseded(name, listed)]

    def superseded(self, name: EventsName, listed: Iterable[EventsName]) -> bool:
        """Whether every instant of ``name`` stands in files of higher rank in ``listed`` too."""
        if name.sealed:
            return False
        higher = [
            other
            for other in listed
            if other.rank > name.rank
            and other.sequence == name.sequence
            and other.overlaps(name.first_ms, name.last_ms + 1)
        ]
        if not higher:
            return False
        own = frozenset([name.first_ms]) if name.single else self.instants(name)
        return bool(own) and own <= frozenset().union(*map(self.instants, higher))

    def instants(self, name: EventsName) -> frozenset[int]:
        """The instants in a file; none where it cannot be read."""
        try:
            return self._files[name].instants_ms
        except DamagedFileError:
            return frozenset()  # what cannot be read supersedes nothing

    def presences(self, name: EventsName) -> Presences:
        """The instants in a file, ascending, and what is known of them.

        Raises:
            DamagedFileError: it cannot be read.
        """
        return self._files[name].presences

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

    def _sealed(self, folder: str) -> tuple[EventsName, ...]:
        """Those of one hour, whose listing is mostly the same as the last time; the head's never is."""
        return _parsed_before(tuple(self._store.names(folder)))


def _parsed(texts: Iterable[str]) -> tuple[EventsName, ...]:
    # Foreign files are for `verify` to report.
    return tuple(name for name in map(parse_events_name, texts) if name is not None)


_parsed_before = lru_cache(maxsize=4096)(_parsed)


def _fits(name: EventsName, from_ms: int, backwards: bool) -> bool:
    return name.first_ms <= from_ms if backwards else name.last_ms > from_ms


def by_time(names: Iterable[EventsName]) -> list[EventsName]:
    return sorted(names, key=attrgetter("by_time"))
