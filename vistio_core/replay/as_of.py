"""Which instant answers for an asked one, and its rows.

One instant's rows stand together in one row group, so Parquet is read directly here; windows
are DuckDB's (`windows.py`). Why: `docs/decisions/0003-point-lookups.md`.
"""

from __future__ import annotations

import logging
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from operator import attrgetter

import attrs
import pyarrow as pa

from vistio_core.errors import DamagedFileError
from vistio_core.events import GLOBAL_LEVEL, Outcome, RuleOutcome
from vistio_core.graph.model import FailedRule
from vistio_core.storage.catalog import Catalog
from vistio_core.storage.event_file import EventFiles
from vistio_core.storage.layout import EventsName
from vistio_core.storage.parts import counting_outcomes, parts_at, presences_in, rows_at
from vistio_core.storage.presences import Presence
from vistio_core.times import DAY_MS, format_instant

log = logging.getLogger(__name__)

_MISSED_FOR_MS = DAY_MS
"""A writer that fell silent is missed in graphs for as long."""


@attrs.frozen
class Seen:
    """What one writer saw at the instant that answers for the asked one, supplements included."""

    writer: str
    instant_ms: int
    interval_ms: int
    configuration: str
    """The one in force at the instant: the scrape's. It judges what supplements brought, too."""
    backfilled: bool
    """Whether any part of it was fetched later."""
    samples: pa.Table = attrs.field(repr=False)
    """Rows of kind ``sample`` of this instant, in the format's order."""
    measurements: pa.Table = attrs.field(repr=False)
    failed: tuple[RuleOutcome, ...]
    """Rules without an answer at the newest instant that was tried, which may be a later one."""


def within_reach(catalog: Catalog, first_ms: int, last_ms: int, staleness_ms: int) -> list[EventsName]:
    """The files that `seen_as_of` and `missing_writers` look into, for instants from ``first_ms`` to ``last_ms``."""
    return catalog.within(first_ms - staleness_ms + 1 - _MISSED_FOR_MS, last_ms + 1)


def seen_as_of(
    catalog: Catalog, files: EventFiles, listed: Iterable[EventsName], at_ms: int, staleness_ms: int
) -> list[Seen]:
    """For each writer the newest instant in ``(at_ms - staleness_ms, at_ms]`` at which a rule was answered.

    An instant at which every rule failed says nothing about the traffic, so an older one that
    was seen answers, and the failures are told beside it.

    Args:
        catalog: knows instants.
        files: opens them.
        listed: what is `within_reach`, or more.
        at_ms: the asked instant.
        staleness_ms: how old the answer may be.

    Returns:
        One entry per writer that has such an instant, sorted by writer.

    Raises:
        FileNotFoundError: a file was merged, sealed or pruned away meanwhile; ask again.
    """
    names = [name for name in listed if name.overlaps(at_ms - staleness_ms + 1, at_ms + 1)]
    writers = sorted({name.writer for name in names})
    found = (
        _newest(catalog, files, [name for name in names if name.writer == writer], at_ms, staleness_ms)
        for writer in writers
    )
    return [seen for seen in found if seen is not None]


def missing_writers(
    catalog: Catalog,
    files: EventFiles,
    listed: Iterable[EventsName],
    at_ms: int,
    staleness_ms: int,
    seen: Collection[str],
) -> list[FailedRule]:
    """What a graph lacks of writers other than ``seen`` that recorded in the day before.

    The graph of several writers would look whole without one of them, which may have a whole
    cluster. A writer that was silent for longer was taken away on purpose, in all likelihood.

    Returns:
        By writer. For one that tried: its rules that failed at the newest instant. For one that
        did not: its name as the rule, with the outcome ``stale``.

    Raises:
        FileNotFoundError: a file was merged, sealed or pruned away meanwhile; ask again.
    """
    fresh_ms = at_ms - staleness_ms + 1
    others = [name for name in listed if name.writer not in seen]
    missing: list[FailedRule] = []
    for writer in sorted({name.writer for name in others}):
        names = [
            name
            for name in others
            if name.writer == writer and name.overlaps(fresh_ms - _MISSED_FOR_MS, at_ms + 1)
        ]
        last_ms = _last_instant(catalog, names, at_ms)
        if last_ms is None or last_ms < fresh_ms - _MISSED_FOR_MS:
            continue
        if last_ms < fresh_ms:
            error = f"writer {writer!r} recorded nothing since {format_instant(last_ms)}"
            missing.append(FailedRule(GLOBAL_LEVEL, writer, "stale", error))
            continue
        outcomes = counting_outcomes(
            part.rows_at("outcome", last_ms) for part in parts_at(names, files, last_ms)
        )
        missing += [
            FailedRule(outcome.cluster, outcome.rule, outcome.outcome.value, outcome.error)
            for outcome in outcomes.values()
            if outcome.outcome is not Outcome.OK
        ]
    return missing


def _last_instant(catalog: Catalog, names: list[EventsName], at_ms: int) -> int | None:
    """The newest instant of one writer that is not after ``at_ms``, seen or not."""
    last_ms: int | None = None
    scrapes = [name for name in names if not name.supplement]
    for name in sorted(scrapes, key=lambda name: min(name.last_ms, at_ms), reverse=True):
        if last_ms is not None and name.last_ms <= last_ms:
            break
        instants = [ms for ms in catalog.instants(name) if ms <= at_ms]
        last_ms = max([*instants, *([] if last_ms is None else [last_ms])], default=None)
    return last_ms


def _newest(
    catalog: Catalog, files: EventFiles, names: list[EventsName], at_ms: int, staleness_ms: int
) -> Seen | None:
    tried_ms: int | None = None
    best_ms: int | None = None
    for name in sorted(names, key=lambda name: (min(name.last_ms, at_ms), name.rank), reverse=True):
        if best_ms is not None and min(name.last_ms, at_ms) <= best_ms:
            break
        try:
            presences = presences_in(name, names, catalog)
        except DamagedFileError as error:
            log.warning("file.skipped", extra={"file": name.text, "error": str(error)})
            continue
        for presence in _backwards(presences, at_ms, staleness_ms):
            tried_ms = max(presence.instant_ms, tried_ms or 0)
            if presence.seen:
                best_ms = max(presence.instant_ms, best_ms or 0)
                break
    if best_ms is None or tried_ms is None:
        return None
    return _read(files, names, best_ms, tried_ms)


def _backwards(presences: Sequence[Presence], at_ms: int, staleness_ms: int) -> Iterator[Presence]:
    """Those in ``(at_ms - staleness_ms, at_ms]``, the newest first."""
    for index in range(bisect_right(presences, at_ms, key=attrgetter("instant_ms")) - 1, -1, -1):
        presence = presences[index]
        if presence.instant_ms <= at_ms - staleness_ms:
            return
        yield presence


def _read(files: EventFiles, names: list[EventsName], instant_ms: int, tried_ms: int) -> Seen:
    parts = parts_at(names, files, instant_ms)
    facts = [presence for part in parts if (presence := part.presences.at(instant_ms)) is not None]
    # Mostly all was answered, in one part; then there is nothing more to know.
    whole = len(parts) == 1 and facts[0].whole
    last_parts = parts if tried_ms == instant_ms else parts_at(names, files, tried_ms)
    last_outcomes = (
        [] if whole and tried_ms == instant_ms else [part.rows_at("outcome", tried_ms) for part in last_parts]
    )
    return Seen(
        writer=parts[0].name.writer,
        instant_ms=instant_ms,
        interval_ms=facts[0].interval_ms,
        configuration=facts[0].configuration,
        backfilled=any(fact.backfilled for fact in facts),
        samples=rows_at(parts, "sample", instant_ms),
        measurements=rows_at(parts, "measurement", instant_ms),
        failed=tuple(
            outcome
            for outcome in counting_outcomes(last_outcomes).values()
            if outcome.outcome is not Outcome.OK
        ),
    )
