"""Which configuration was in force at an instant."""

from __future__ import annotations

from vistio_core.storage.listing import Listing
from vistio_core.storage.log import Log


def configuration_in_force(log: Log, at_ms: int) -> str | None:
    """The hash of the newest recorded configuration that is not after ``at_ms``; None when there is none.

    Of several writers at one instant it is that of the first one by name.
    """
    return log.nearest(at_ms, _newest, backwards=True)


def _newest(listing: Listing) -> str | None:
    newest = [
        (instant_ms, writer)
        for writer in listing.writers
        if (instant_ms := writer.newest(listing.start_ms, listing.end_ms, seen=False)) is not None
    ]
    if not newest:
        return None
    instant_ms, writer = max(newest, key=lambda each: each[0])
    return next((instant.configuration for instant in writer.instants([instant_ms])), None)
