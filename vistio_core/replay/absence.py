"""Where there is no graph: the nearest instants that have one, and why this one has none."""

from __future__ import annotations

from collections.abc import Sequence

from vistio_core.errors import DamagedFileError, NothingRecordedError
from vistio_core.replay.gaps import Instant
from vistio_core.storage.catalog import Catalog
from vistio_core.storage.layout import EventsName
from vistio_core.storage.parts import presences_in
from vistio_core.times import format_duration, format_instant


def nearest_seen(catalog: Catalog, asked_ms: int, *, before: bool) -> int | None:
    """The nearest instant at which a rule was answered: not after ``asked_ms``, or after it.

    Raises:
        FileNotFoundError: a file was merged, sealed or pruned away meanwhile; ask again.
    """
    best: int | None = None
    for names in catalog.outwards(asked_ms, backwards=before):
        if best is not None and names and not _may_be_nearer(names, best, before):
            break
        for name in names:
            if best is not None and not _may_be_nearer([name], best, before):
                continue
            try:
                # Of a supplement the scrape may lie elsewhere: sealed, where it is in the head.
                beside = catalog.within(name.first_ms, name.last_ms + 1) if name.supplement else ()
                seen = [p.instant_ms for p in presences_in(name, beside, catalog) if p.seen]
            except DamagedFileError:
                continue
            fitting = [ms for ms in seen if (ms <= asked_ms) == before]
            if fitting:
                nearest = max(fitting) if before else min(fitting)
                best = nearest if best is None else max(best, nearest) if before else min(best, nearest)
    return best


def _may_be_nearer(names: Sequence[EventsName], best_ms: int, before: bool) -> bool:
    if before:
        return max(name.last_ms for name in names) > best_ms
    return min(name.first_ms for name in names) < best_ms


def nothing_recorded(
    asked_ms: int, staleness_ms: int, before_ms: int | None, after_ms: int | None, tried: Sequence[Instant]
) -> NothingRecordedError:
    """The error that says what was asked, why there is nothing, and what there is nearby.

    Args:
        asked_ms: the instant asked for.
        staleness_ms: how old an answer could have been.
        before_ms: the nearest instant with a graph that is not after ``asked_ms``.
        after_ms: the nearest one after it.
        tried: the instants in between the two limits of staleness: none of them saw anything.
    """
    reason = _reason(before_ms, after_ms, tried)
    within = f" or in the {format_duration(staleness_ms)} before" if staleness_ms else ""
    near = "".join(
        f"; the nearest {side} is {format_instant(instant_ms)}"
        for side, instant_ms in (("before", before_ms), ("after", after_ms))
        if instant_ms is not None
    )
    return NothingRecordedError(
        f"no graph at {format_instant(asked_ms)}{within}: {reason}{near}",
        asked_ms=asked_ms,
        before_ms=before_ms,
        after_ms=after_ms,
        reason=reason,
    )


def _reason(before_ms: int | None, after_ms: int | None, tried: Sequence[Instant]) -> str:
    if tried:
        return max(tried, key=lambda instant: instant.instant_ms).failure
    if before_ms is None and after_ms is None:
        return "the recording is empty"
    if before_ms is None:
        return "before the recording begins"
    return "the recorder was not running" if after_ms is not None else "nothing was recorded since"
