"""A listing: the event files of a span of time, as they were listed at one moment, to be read from.

Merging and sealing write the new file before they delete the old ones; in between, and after a crash in
between, the same instants stand in two files. Their content is equal, so a look-up of one instant may use
either, and takes the one that stays longer. A scan must leave out the file that is *superseded*: one whose
instants all stand in files of higher rank.

Whoever holds a listing reads everything from it, head and sealed alike. Files are opened when they are
needed, and no more of them than a look-up takes, so that it costs no more for a long span than for a short
one. Three things can be wrong with a file, and each is dealt with in one place:

- It has gone since it was listed: `FilesChangedError`, and `Log.read` asks the whole question of a new listing.
- It cannot be opened: it is left out, and the process's log tells so (`OpenedFiles`).
- Something inside of it cannot be read. For one instant that is an error: without the file another one would be
  shown. Whoever adds up a window leaves the file out, too (`Listing.around_damage`).

Not in here: where files lie and how they are listed (`Store`, `Catalog`), which instant answers for an asked
one (`vistio_core.replay.as_of`), and what rows mean.
"""

from __future__ import annotations

import logging
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from itertools import accumulate
from typing import TypeVar

from vistio_core.errors import DamagedFileError
from vistio_core.storage.catalog import Span, by_time
from vistio_core.storage.event_file import EventFile, EventFiles
from vistio_core.storage.format import KINDS, fewest_digits
from vistio_core.storage.layout import EventsName
from vistio_core.storage.parts import RecordedInstant
from vistio_core.storage.presences import Presence
from vistio_core.times import format_instant

log = logging.getLogger(__name__)
T = TypeVar("T")


class OpenedFiles:
    """The files of a listing, as far as they were opened, and those of them that are damaged."""

    def __init__(self, cache: EventFiles, opened: Iterable[EventFile] = ()) -> None:
        self._cache = cache
        self._files: dict[EventsName, EventFile | None] = {file.name: file for file in opened}

    def open(self, name: EventsName) -> EventFile | None:
        """A file; None where it is damaged."""
        if name not in self._files:
            try:
                self._files[name] = self._cache[name]
            except DamagedFileError as error:
                self.leave_out(name, error)
        return self._files[name]

    def instants_of(self, name: EventsName) -> frozenset[int]:
        """The instants in a file; none where it is damaged: what cannot be read supersedes nothing."""
        file = self.open(name)
        return frozenset() if file is None else file.instants_ms

    def left_out(self, name: EventsName) -> bool:
        """Whether a file was found to be damaged."""
        return name in self._files and self._files[name] is None

    def leave_out(self, name: EventsName, error: DamagedFileError) -> None:
        """Open a file no more."""
        log.warning("file.skipped", extra={"file": name.text, "error": str(error)})
        self._files[name] = None


class WriterListing:
    """What one writer has in a listing."""

    def __init__(self, name: str, listed: Sequence[EventsName], files: OpenedFiles) -> None:
        """Opens nothing yet.

        Args:
            name: of the writer.
            listed: its files, by first instant.
            files: opens them.
        """
        self.name = name
        self.listed = listed
        self._files = files
        self._first_ms = [each.first_ms for each in listed]
        # By place: the last instant of all files up to there.
        self._reach_ms = list(accumulate((each.last_ms for each in listed), max))

    @cached_property
    def names(self) -> list[EventsName]:
        """The files that count, by first instant: no instant of a sequence is left in two of them."""
        return [name for name in self.listed if not self.superseded(name)]

    def superseded(self, name: EventsName) -> bool:
        """Whether every instant of a file stands in files of higher rank, too."""
        if name.sealed:
            return False
        higher = [
            other
            for other in self.overlapping(name.first_ms, name.last_ms + 1)
            if other.rank > name.rank and other.sequence == name.sequence
        ]
        if not higher:
            return False
        own = frozenset([name.first_ms]) if name.single else self._files.instants_of(name)
        return bool(own) and own <= frozenset().union(*map(self._files.instants_of, higher))

    def newest(self, start_ms: int, end_ms: int, *, seen: bool) -> int | None:
        """The newest instant in ``[start_ms, end_ms)``; with ``seen`` the newest at which a rule was answered."""

        def last_ms(name: EventsName) -> int:
            return min(name.last_ms, end_ms - 1)

        newest_ms = start_ms - 1
        names = self.overlapping(start_ms, end_ms)
        for name in sorted(names, key=lambda name: (last_ms(name), name.rank), reverse=True):
            if last_ms(name) <= newest_ms:
                break
            for presence in self._presences(name, newest_ms + 1, end_ms, backwards=True):
                if presence.seen or not seen:
                    newest_ms = presence.instant_ms
                    break
        return newest_ms if newest_ms >= start_ms else None

    def oldest_seen(self, start_ms: int, end_ms: int) -> int | None:
        """The oldest instant in ``[start_ms, end_ms)`` at which a rule was answered."""

        def first_ms(name: EventsName) -> int:
            return max(name.first_ms, start_ms)

        oldest_ms = end_ms
        names = self.overlapping(start_ms, end_ms)
        for name in sorted(names, key=lambda name: (first_ms(name), -name.rank)):
            if first_ms(name) >= oldest_ms:
                break
            for presence in self._presences(name, start_ms, oldest_ms):
                if presence.seen:
                    oldest_ms = presence.instant_ms
                    break
        return oldest_ms if oldest_ms < end_ms else None

    def instant(self, instant_ms: int) -> RecordedInstant | None:
        """What was recorded of an instant; None where there is no readable scrape of it."""
        parts: dict[int, tuple[EventFile, Presence]] = {}
        names = self.overlapping(instant_ms, instant_ms + 1)
        # Of equal copies the one that stays longest.
        for name in sorted(names, key=lambda name: (name.supplement, -name.rank)):
            if name.supplement not in parts and (file := self._files.open(name)) is not None:
                presence = file.presences.at(instant_ms)
                if presence is not None:
                    parts[name.supplement] = file, presence
        if 0 not in parts:
            return None
        files, facts = zip(*parts.values(), strict=True)
        return RecordedInstant(instant_ms, files, facts)

    def instants(self, instants_ms: Iterable[int]) -> list[RecordedInstant]:
        """What was recorded of these instants; without those of which there is no readable scrape."""
        return [instant for instant in map(self.instant, instants_ms) if instant is not None]

    def scrapes(self, start_ms: int, end_ms: int) -> Iterator[Presence]:
        """What is known of each instant in ``[start_ms, end_ms)`` by its scrape, file by file."""
        for name in self.names:
            if not name.supplement and name.overlaps(start_ms, end_ms):
                yield from self._presences(name, start_ms, end_ms)

    def _presences(
        self, name: EventsName, start_ms: int, end_ms: int, *, backwards: bool = False
    ) -> Iterator[Presence]:
        """What a file knows of its instants in a window; of a supplement's those that have a scrape."""
        file = self._files.open(name)
        if file is None:
            return
        places = file.presences.places(start_ms, end_ms)
        for place in reversed(places) if backwards else places:
            presence = file.presences[place]
            if not name.supplement or self._has_scrape(presence.instant_ms):
                yield presence

    def _has_scrape(self, instant_ms: int) -> bool:
        scrapes = (name for name in self.overlapping(instant_ms, instant_ms + 1) if not name.supplement)
        files = map(self._files.open, scrapes)
        return any(file is not None and file.presences.at(instant_ms) is not None for file in files)

    def overlapping(self, start_ms: int, end_ms: int) -> Iterator[EventsName]:
        """The files that may hold an instant in ``[start_ms, end_ms)``; those that begin last come first."""
        for place in range(bisect_left(self._first_ms, end_ms) - 1, -1, -1):
            if self._reach_ms[place] < start_ms:
                return
            if self.listed[place].last_ms >= start_ms:
                yield self.listed[place]


class Listing:
    """The event files of ``[start_ms, end_ms)``, for one question and one thread; `Log` hands it out.

    Printed, it is the plan of a scan: writer by writer its files, and what of each will be read.
    """

    def __init__(
        self, cache: EventFiles, listed: Sequence[EventsName], span: Span, opened: Iterable[EventFile] = ()
    ) -> None:
        """Opens nothing yet.

        Args:
            cache: opens files, and keeps them open for other listings.
            listed: all files that may hold an instant of the span, by first instant.
            span: start and end.
            opened: those that somebody has opened already.
        """
        self.start_ms, self.end_ms = span
        self.listed = listed
        self._cache = cache
        self._files = OpenedFiles(cache, opened)

    @cached_property
    def writers(self) -> tuple[WriterListing, ...]:
        """By name."""
        by_writer: dict[str, list[EventsName]] = {}
        for name in self.listed:
            by_writer.setdefault(name.writer, []).append(name)
        return tuple(WriterListing(name, listed, self._files) for name, listed in sorted(by_writer.items()))

    def writer(self, name: str) -> WriterListing:
        """One of the writers; one without a file where there is none of this name."""
        return next(
            (each for each in self.writers if each.name == name), WriterListing(name, (), self._files)
        )

    @cached_property
    def names(self) -> list[EventsName]:
        """The files that count, by first instant: no instant of a sequence is left in two of them."""
        return by_time(name for writer in self.writers for name in writer.names)

    @property
    def files(self) -> list[EventFile]:
        """The files that count and can be opened, by first instant."""
        return self.opened(self.names)

    def opened(self, names: Iterable[EventsName]) -> list[EventFile]:
        """Some of the files; without those that cannot be opened."""
        return [file for file in map(self._files.open, names) if file is not None]

    @property
    def significant_digits(self) -> int | None:
        """The fewest to which any rate of these files may have been rounded; None: they are exact."""
        return fewest_digits(file.significant_digits for file in self.files)

    @property
    def uris(self) -> list[str]:
        """How DuckDB reaches the files that count; without those of which it is known that they are damaged."""
        return [self._cache.uri(name) for name in self.names if not self._files.left_out(name)]

    def version(self, name: EventsName) -> str:
        """What tells a file from another one that took its name; it need not be opened for that."""
        return self._cache.version(name)

    def configurations(self) -> dict[tuple[int, str], str]:
        """Instant and writer to the hash of the configuration that was in force, which judges what was seen then."""
        return {
            (scrape.instant_ms, writer.name): scrape.configuration
            for writer in self.writers
            for scrape in writer.scrapes(self.start_ms, self.end_ms)
        }

    def within(self, start_ms: int, end_ms: int) -> Listing:
        """The part of this listing for a window in its span."""
        listed = [name for name in self.listed if name.overlaps(start_ms, end_ms)]
        return Listing(self._cache, listed, (start_ms, end_ms))

    def only(self, names: Sequence[EventsName]) -> Listing:
        """Some files of this listing."""
        return Listing(self._cache, names, (self.start_ms, self.end_ms))

    def around_damage(self, question: Callable[[Listing], T]) -> T:
        """What ``question`` says of this listing; again, without a file that turned out to be damaged inside.

        Raises:
            DamagedFileError: of what is no file of this listing, such as a configuration.
        """
        while True:
            try:
                return question(self)
            except DamagedFileError as error:
                name = next((each for each in self.names if each.text == error.name), None)
                if name is None or self._files.left_out(name):
                    raise
                self._files.leave_out(name, error)

    def leave_out_damaged(self) -> None:
        """Read all files, and leave out those in which something cannot be read."""
        for file in self.files:
            try:
                for kind in KINDS:
                    file.rows(kind)
            except DamagedFileError as error:
                self._files.leave_out(file.name, error)

    def __str__(self) -> str:
        span = f"[{format_instant(self.start_ms)}, {format_instant(self.end_ms)})"
        lines = [f"{span}: {len(self.names)} of {len(self.listed)} files count"]
        for writer in self.writers:
            lines.append(writer.name)
            lines += [f"  {_described(name)}  {self._use(name, writer)}" for name in writer.listed]
        return "\n".join(lines)

    def _use(self, name: EventsName, writer: WriterListing) -> str:
        """What a scan reads of a file."""
        if self._files.left_out(name):
            return "nothing: damaged"
        if name not in writer.names:
            return "nothing: superseded"
        begins = f"from {format_instant(self.start_ms)}" if name.first_ms < self.start_ms else ""
        ends = f"before {format_instant(self.end_ms)}" if name.last_ms >= self.end_ms else ""
        return " ".join(filter(None, (begins, ends))) or "all"


def _described(name: EventsName) -> str:
    """Tier, rank and span of a file, in columns."""
    kind = f"{'log ' if name.sealed else 'head'} {('commit', 'merge', 'sealed')[name.rank]}"
    which = f"{kind}, supplement {name.supplement}" if name.supplement else kind
    span = format_instant(name.first_ms)
    if not name.single:
        span += f" to {format_instant(name.last_ms)}"
    return f"{which:<25}  {span:<44}"
