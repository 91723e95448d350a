"""The log of a recording, for whoever reads it: hands out listings, while others merge, seal and prune.

A question is asked of a `Listing`. When a file of it has gone before it was read, someone merged, sealed or
pruned, and what the file held stands elsewhere or is no longer there: the question is then asked as a whole,
of a new listing, so that an answer is never made of two.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import TypeVar

from vistio_core.errors import FilesChangedError
from vistio_core.storage.catalog import END_MS, Catalog, Span
from vistio_core.storage.event_file import EventFiles
from vistio_core.storage.layout import EventsName
from vistio_core.storage.listing import Listing
from vistio_core.storage.marker import Part, require_marker
from vistio_core.storage.store import Store

log = logging.getLogger(__name__)
T = TypeVar("T")

# That a file goes away under a reader is rare, but a recorder that catches up may do so many times in a row.
_ATTEMPTS = 30


class Log:
    """The event files of a recording. Usable from many threads."""

    def __init__(self, store: Store, files: EventFiles, part: Part | None = None) -> None:
        """``part``: of another recording, where it is one."""
        self.part = part
        self._store = store
        self._files = files
        self._catalog = Catalog(store)

    def read(self, start_ms: int, end_ms: int, question: Callable[[Listing], T]) -> T:
        """What ``question`` says of the files of ``[start_ms, end_ms)``.

        Raises:
            NotARecordingError: there is no file, and the recording has gone.
        """

        def ask() -> T:
            listing = self.listing(start_ms, end_ms)
            if not listing.listed:
                # An empty mount point must not pass for a recording without instants.
                require_marker(self._store)
            return question(listing)

        return _as_a_whole(ask)

    def nearest(self, from_ms: int, question: Callable[[Listing], T | None], *, backwards: bool) -> T | None:
        """The first thing that ``question`` finds, from an instant backwards (it included) or onwards (it not).

        Args:
            from_ms: the instant.
            question: asked of one span after the other, each an hour as a rule, the nearest first; None where that
                one has nothing.
            backwards: the direction.
        """

        def ask() -> T | None:
            for span, names in self._catalog.outwards(from_ms, backwards=backwards):
                found = question(Listing(self._files, names, span))
                if found is not None:
                    return found
            return None

        return _as_a_whole(ask)

    def listing(self, start_ms: int, end_ms: int) -> Listing:
        """The files of ``[start_ms, end_ms)`` as they are now."""
        return Listing(self._files, self._catalog.within(start_ms, end_ms), (start_ms, end_ms))

    def head(self) -> list[EventsName]:
        """What is committed but not sealed, by first instant."""
        return self._catalog.head()

    def everything(self) -> Listing:
        """All files as they are now."""
        return self.listing(0, END_MS)

    def newest_first(self) -> Iterator[EventsName]:
        """All sealed files, listed hour by hour as they are asked for."""
        for _, names in self._catalog.outwards(END_MS, backwards=True):
            yield from (name for name in reversed(names) if name.sealed)

    def span(self) -> Span | None:
        """The first and the last instant that names tell of; None while there is no file."""
        return self._catalog.span()


def _as_a_whole(ask: Callable[[], T]) -> T:
    for _ in range(_ATTEMPTS - 1):
        try:
            return ask()
        except FilesChangedError as error:
            log.debug("read.repeated", extra={"error": str(error)})
    return ask()
