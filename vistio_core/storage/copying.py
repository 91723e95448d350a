"""Some instants of a writer, written elsewhere: from a recording into a file to share, and from there into another one.

Rows are copied as they are, as sealing copies them (`sealing`), so that an instant says the same wherever it lies:

    from   head/05:00-05:04, log/hour=05/05:05-05:59, and a supplement of 05:10
    into   log/hour=05/05:03-05:20, and the supplement

Scrapes are written before supplements: killed in between, an instant is as it was before it was healed, and doing it
all again brings the rest. What must not be in here: which instants (`vistio_core.recording.exporting`, `importing`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import zip_longest

import pyarrow as pa
import pyarrow.compute as pc

from vistio_core.errors import DamagedFileError
from vistio_core.events import Outcome
from vistio_core.storage.event_file import EventFile
from vistio_core.storage.format import KINDS
from vistio_core.storage.layout import EventsName
from vistio_core.storage.listing import Listing
from vistio_core.storage.sealing import Keep, instants_of_files, write_file
from vistio_core.storage.store import Sink
from vistio_core.times import HOUR_MS, align

NOT_EXPORTED = "not exported: only a part of its recording is here"

Instants = Mapping[int, frozenset[int]]
"""By sequence of a writer (0 for scrapes, else which supplement), instants."""


def files_of(listing: Listing, writer: str) -> Mapping[int, list[EventFile]]:
    """A writer's files that count, by sequence, in its order."""
    by_sequence: dict[int, list[EventFile]] = {}
    for file in listing.opened(listing.writer(writer).names):
        by_sequence.setdefault(file.name.supplement, []).append(file)
    return dict(sorted(by_sequence.items()))


def instants_of(files: Mapping[int, Iterable[EventFile]], scraped: Collection[int]) -> Instants:
    """Which of the scraped instants stand in which sequence."""
    return {
        sequence: frozenset().union(*(file.instants_ms for file in own)) & frozenset(scraped)
        for sequence, own in files.items()
    }


def copy_instants(
    store: Sink,
    writer: str,
    files: Mapping[int, list[EventFile]],
    wanted: Instants,
    keep: Keep,
) -> Iterator[EventsName]:
    """Write instants into sealed files, hour by hour; yields the name of each once it is there.

    Args:
        store: where to.
        writer: under whose name.
        files: where the instants are, by sequence in its order (`files_of`).
        wanted: which of them.
        keep: what is written of the rows of a kind at an instant (`only`).

    Raises:
        DamagedFileError: a file that cannot be read is in the way, or one that was to be copied is damaged.
    """
    for sequence, own in files.items():
        by_hour: dict[int, set[int]] = {}
        for instant_ms in wanted.get(sequence, ()):
            by_hour.setdefault(align(instant_ms, HOUR_MS), set()).add(instant_ms)
        for _, instants_ms in sorted(by_hour.items()):
            name = EventsName(min(instants_ms), max(instants_ms), writer, True, sequence)
            sources = [file for file in own if not instants_ms.isdisjoint(file.instants_ms)]
            try:
                write_file(store, name, sources, among=instants_ms, keep=keep)
            except FileExistsError as error:
                found = "cannot be read, and another file was to take its name; move it elsewhere"
                raise DamagedFileError(name.text, found) from error
            yield name


def first_difference(
    files: Iterable[EventFile], others: Iterable[EventFile], instants_ms: Collection[int]
) -> int | None:
    """The first of these instants at which two files of one sequence do not have the same rows; None for none."""
    differing: list[int] = []
    for kind in KINDS:
        ours = instants_of_files(kind, list(files), instants_ms)
        theirs = instants_of_files(kind, list(others), instants_ms)
        for one, other in zip_longest(ours, theirs):
            if one is None or other is None or one[0] != other[0] or _texts(one[1]) != _texts(other[1]):
                differing.append(min(each[0] for each in (one, other) if each is not None))
                break
    return min(differing, default=None)


def only(clusters: Collection[str] | None) -> Keep:
    """What is written of the rows of an instant where only some clusters' levels are wanted; None for all.

    The rules of the others were not answered, as far as the copy knows: it must not say that there was no traffic.
    """
    wanted = None if clusters is None else pa.array(sorted(clusters), pa.string())

    def keep(kind: str, rows: pa.Table) -> pa.Table:
        if wanted is None:
            return rows
        own = pc.is_in(rows["cluster"].cast(pa.string()), value_set=wanted)
        return _unanswered_but(own, rows) if kind == "outcome" else rows.filter(own)

    return keep


def _unanswered_but(own: pa.ChunkedArray, rows: pa.Table) -> pa.Table:
    """Outcomes, of which only some are the copy's own."""
    instead = {
        "outcome": pa.scalar(Outcome.SKIPPED.value),
        "error": pa.scalar(NOT_EXPORTED),
        "series": pa.scalar(0, pa.int64()),
        "dropped": pa.scalar(0, pa.int64()),
        "dropped_by_reason": pa.scalar(None, pa.string()),
        "warnings": pa.scalar(None, pa.string()),
    }
    for column, value in instead.items():
        is_text = pa.types.is_dictionary(rows[column].type)
        found = rows[column].cast(pa.string()) if is_text else rows[column]
        replaced = pc.if_else(own, found, value)
        at = rows.column_names.index(column)
        rows = rows.set_column(at, column, replaced.dictionary_encode() if is_text else replaced)
    return rows


def _texts(rows: pa.Table) -> pa.Table:
    """The same rows, whatever numbers their dictionaries have."""
    plain = [
        rows[name].cast(pa.string()) if pa.types.is_dictionary(rows[name].type) else rows[name]
        for name in rows.column_names
    ]
    return pa.table(plain, names=rows.column_names)
