"""What a recorder could not see when it was due, and may still learn: the work list of healing."""

from __future__ import annotations

import attrs

from vistio_core.storage.listing import Listing
from vistio_core.storage.parts import failures


@attrs.frozen(order=True)
class UnansweredRule:
    """A rule that was not answered at an instant, neither then nor later."""

    cluster: str
    rule: str
    error: str
    """Why, the last time that it was tried."""


@attrs.frozen
class Unanswered:
    """An instant in the log, and its rules without an answer."""

    instant_ms: int
    interval_ms: int
    configuration: str
    """Hash of the one in force at the instant."""
    rules: tuple[UnansweredRule, ...]
    """Sorted; at least one."""


def unanswered_of(listing: Listing, writer: str) -> list[Unanswered]:
    """The instants of a listing's span that have rules without an answer, by instant."""
    own = listing.writer(writer)
    scrapes = own.scrapes(listing.start_ms, listing.end_ms)
    doubtful = own.instants(sorted({scrape.instant_ms for scrape in scrapes if not scrape.whole}))
    failed = failures(doubtful)
    return [
        Unanswered(
            instant.instant_ms,
            instant.interval_ms,
            instant.configuration,
            tuple(UnansweredRule(*rule, told.error) for rule, told in failed[instant.instant_ms].items()),
        )
        for instant in doubtful
        if instant.instant_ms in failed
    ]
