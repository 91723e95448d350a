"""Which instant answers for an asked one, and its rows.

One instant's rows stand together in one row group, so Parquet is read directly here; windows
are DuckDB's (`windows.py`). Why: `docs/decisions/0003-point-lookups.md`.
"""

from __future__ import annotations

import logging

import attrs
import pyarrow as pa

from vistio_core.errors import DamagedFileError
from vistio_core.events import Outcome, RuleOutcome
from vistio_core.recording.catalog import Catalog
from vistio_core.recording.event_file import EventFile, EventFiles
from vistio_core.recording.format import outcomes_of
from vistio_core.recording.layout import EventsName

log = logging.getLogger(__name__)


@attrs.frozen
class Seen:
    """What one writer saw at the instant that answers for the asked one."""

    writer: str
    instant_ms: int
    interval_ms: int
    configuration: str
    backfilled: bool
    samples: pa.Table = attrs.field(repr=False)
    """Rows of kind ``sample`` of this instant, in the format's order."""
    measurements: pa.Table = attrs.field(repr=False)
    failed: tuple[RuleOutcome, ...]
    """Rules without an answer at the newest instant that was tried, which may be a later one."""


def seen_as_of(catalog: Catalog, files: EventFiles, at_ms: int, staleness_ms: int) -> list[Seen]:
    """For each writer the newest instant in ``(at_ms - staleness_ms, at_ms]`` at which a rule was answered.

    An instant at which every rule failed says nothing about the traffic, so an older one that
    was seen answers, and the failures are told beside it.

    Returns:
        One entry per writer that has such an instant, sorted by writer.

    Raises:
        FileNotFoundError: a file was merged, sealed or pruned away meanwhile; ask again.
    """
    names = catalog.within(at_ms - staleness_ms + 1, at_ms + 1)
    writers = sorted({name.writer for name in names})
    found = (_newest(files, [n for n in names if n.writer == w], at_ms, staleness_ms) for w in writers)
    return [seen for seen in found if seen is not None]


def _newest(files: EventFiles, names: list[EventsName], at_ms: int, staleness_ms: int) -> Seen | None:
    tried: tuple[int, EventFile] | None = None
    best: tuple[int, EventFile] | None = None
    for name in sorted(names, key=lambda name: (min(name.last_ms, at_ms), name.rank), reverse=True):
        if best is not None and min(name.last_ms, at_ms) <= best[0]:
            break
        try:
            file = files[name]
            presences = [p for p in file.presences if at_ms - staleness_ms < p.instant_ms <= at_ms]
        except DamagedFileError as error:
            log.warning("file.skipped", extra={"file": name.text, "error": str(error)})
            continue
        for presence in presences:
            if tried is None or presence.instant_ms > tried[0]:
                tried = presence.instant_ms, file
            if presence.seen and (best is None or presence.instant_ms > best[0]):
                best = presence.instant_ms, file
    if best is None or tried is None:
        return None
    return _read(best, tried)


def _read(best: tuple[int, EventFile], tried: tuple[int, EventFile]) -> Seen:
    instant_ms, file = best
    outcomes = file.rows_at("outcome", instant_ms)
    facts = outcomes.slice(0, 1).select(["interval_ms", "configuration", "backfilled"]).to_pylist()[0]
    last_outcomes = outcomes if tried[0] == instant_ms else tried[1].rows_at("outcome", tried[0])
    return Seen(
        writer=file.name.writer,
        instant_ms=instant_ms,
        interval_ms=facts["interval_ms"],
        configuration=facts["configuration"],
        backfilled=facts["backfilled"],
        samples=file.rows_at("sample", instant_ms),
        measurements=file.rows_at("measurement", instant_ms),
        failed=tuple(o for o in outcomes_of(last_outcomes) if o.outcome is not Outcome.OK),
    )
