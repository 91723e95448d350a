"""About how much is recorded in a span: what an answer will cost, told before it is made."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from vistio_core.storage.event_file import EventFile
from vistio_core.storage.layout import EventsName
from vistio_core.storage.listing import Listing

_MOST_OPENED = 8


@attrs.frozen
class Extent:
    """How much is recorded in a span, about."""

    instants: int
    """Of all writers, each counted."""
    rows_of_one: int
    """Rows of all kinds of one instant, where it has most."""

    @property
    def rows(self) -> int:
        """Of all instants, at most."""
        return self.instants * self.rows_of_one


def extent_of(listing: Listing) -> Extent:
    """How much a listing's span holds, from names and a few footers; no row is read.

    Up to `_MOST_OPENED` files are opened; of more, the others are taken to hold as many instants.
    """
    names = [name for name in listing.listed if name.overlaps(listing.start_ms, listing.end_ms)]
    several = [name for name in names if not name.single]
    single = [name for name in names if name.single]
    opened = listing.opened([*_some(several, _MOST_OPENED), *_some(single, 2)])
    within = [_within(file, listing) for file in opened if not file.name.single]
    instants = len(single)
    if within:
        instants += -(-sum(within) * len(several) // len(within))
    return Extent(instants, max((_rows_of_one(file) for file in opened), default=0))


def _some(names: Sequence[EventsName], most: int) -> list[EventsName]:
    """So many of the names, evenly spread; the last one is among them."""
    if len(names) <= most:
        return list(names)
    return [names[(place + 1) * len(names) // most - 1] for place in range(most)]


def _within(file: EventFile, listing: Listing) -> int:
    return len(file.presences.places(listing.start_ms, listing.end_ms))


def _rows_of_one(file: EventFile) -> int:
    return -(-file.rows_in_all // max(1, len(file.presences)))
