"""Which configuration was in force at an instant."""

from __future__ import annotations

from collections.abc import Iterable

from vistio_core.errors import DamagedFileError
from vistio_core.storage.catalog import Catalog, by_time
from vistio_core.storage.layout import EventsName


def configuration_in_force(catalog: Catalog, at_ms: int) -> str | None:
    """The hash of the newest recorded configuration that is not after ``at_ms``; None when there is none.

    Raises:
        FileNotFoundError: a file was merged, sealed or pruned away meanwhile; ask again.
    """
    waiting: list[EventsName] = []
    for names in catalog.outwards(at_ms, backwards=True):
        waiting += [name for name in names if not name.supplement]
        # What of the head is older than this hour waits for its turn; it may be older than the next ones, too.
        since_ms = min((name.first_ms for name in names if name.sealed), default=None)
        if since_ms is not None:
            found = _newest(catalog, [name for name in waiting if name.last_ms >= since_ms], at_ms)
            if found is not None:
                return found
            waiting = [name for name in waiting if name.last_ms < since_ms]
    return _newest(catalog, waiting, at_ms)


def _newest(catalog: Catalog, names: Iterable[EventsName], at_ms: int) -> str | None:
    for name in sorted(by_time(names), key=lambda name: min(name.last_ms, at_ms), reverse=True):
        try:
            presences = catalog.presences(name)
        except DamagedFileError:
            continue
        place = presences.until(at_ms)
        if place:
            return presences[place - 1].configuration
    return None
