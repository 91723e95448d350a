"""What is known of one instant: its scrape, and the supplements that came later.

A scrape whose rules were not all answered may be supplemented: the answers are fetched from the
source's history, hours later, and become files of their own beside it. Nothing is overwritten,
so the instant is put together by whoever reads it. What counts for a rule is the outcome that
was answered, else the newest one. A rule is answered in one part only, so no rate counts twice.

A supplement without its scrape counts for nothing: of the other rules nothing would be known.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from vistio_core.errors import DamagedFileError
from vistio_core.events import Outcome, RuleOutcome
from vistio_core.storage.catalog import Catalog
from vistio_core.storage.event_file import EventFile, EventFiles
from vistio_core.storage.format import outcomes_of
from vistio_core.storage.layout import EventsName
from vistio_core.storage.presences import Presence

log = logging.getLogger(__name__)


def parts_at(names: Iterable[EventsName], files: EventFiles, instant_ms: int) -> list[EventFile]:
    """The files that hold an instant: its scrape's, then its supplements' in their order.

    Args:
        names: of one writer. Of equal copies (before a merged or sealed file is deleted) one is taken.
        files: opens them. One that is damaged is left out, and told in the log.
        instant_ms: the instant.

    Returns:
        Nothing when there is no readable scrape of the instant.
    """
    covering = [name for name in names if name.overlaps(instant_ms, instant_ms + 1)]
    found: dict[int, EventFile] = {}
    for name in sorted(covering, key=lambda name: (name.supplement, -name.rank)):
        if name.supplement not in found:
            try:
                file = files[name]
                if file.presences.at(instant_ms) is not None:
                    found[name.supplement] = file
            except DamagedFileError as error:
                log.warning("file.skipped", extra={"file": name.text, "error": str(error)})
    return list(found.values()) if 0 in found else []


def presences_in(name: EventsName, names: Iterable[EventsName], catalog: Catalog) -> Sequence[Presence]:
    """What a file knows of its instants; for a supplement, of those whose scrapes are in ``names``.

    Raises:
        DamagedFileError: the file cannot be read.
    """
    presences = catalog.presences(name)
    if not name.supplement:
        return presences
    scrapes = [
        other
        for other in names
        if other.sequence == (name.writer, 0) and other.overlaps(name.first_ms, name.last_ms + 1)
    ]
    scraped = frozenset[int]().union(*map(catalog.instants, scrapes))
    return [presence for presence in presences if presence.instant_ms in scraped]


def counting_outcomes(parts: Iterable[pa.Table]) -> dict[tuple[str, str], RuleOutcome]:
    """Cluster and rule to the outcome that counts: the answered one, else the newest.

    Args:
        parts: the rows of kind ``outcome`` of one instant, a table for each part.
    """
    counting: dict[tuple[str, str], RuleOutcome] = {}
    for rows in parts:
        for outcome in outcomes_of(rows):
            key = outcome.cluster, outcome.rule
            if key not in counting or counting[key].outcome is not Outcome.OK:
                counting[key] = outcome
    return counting


def rows_at(parts: Sequence[EventFile], kind: str, instant_ms: int) -> pa.Table:
    """All rows of ``kind`` at one instant, in the format's order, without the columns that are null."""
    tables = [part.rows_at(kind, instant_ms) for part in parts]
    if len(tables) == 1:
        return tables[0]
    rows = pa.concat_tables(tables).unify_dictionaries().combine_chunks()
    # The rows of a rule stand in one part, in order; only the rules are to be put in order.
    rules = pa.table({column: rows[column].cast(pa.string()) for column in ("cluster", "rule")})
    order = pc.sort_indices(rules, sort_keys=[("cluster", "ascending"), ("rule", "ascending")])
    return rows.take(order)
