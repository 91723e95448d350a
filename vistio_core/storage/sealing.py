"""Merging and sealing: many small files of events become one. Never an answer changes.

Both write the new file whole; `upkeep` deletes the old ones then. Killed between any two steps, the instants stand in
at least one file, and `Catalog.counting` leaves out the superseded. Why no answer changes:

- Rows are copied as they are, instant by instant; nothing is parsed, added or rounded.
- An instant that stands in two of the files (a crash came in between) has equal rows in both, and is taken once.
- Scrapes and supplements never mix: each sequence makes files of its own, scrapes first.

An hour of a large mesh does not fit into memory, so files are chained: those that follow one another in time are read
one after the other, and only chains that overlap are merged, by instant.

    files    05:00-05:04   05:05-05:09   05:03-05:06 (backfilled)
    chains   [05:00-05:04, 05:05-05:09]  and  [05:03-05:06]          two row groups in memory, not three

What must not be in here: deleting, waiting, and the wall clock: who calls says what is over.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import groupby

import pyarrow as pa

from vistio_core.storage.event_file import EventFile, EventFiles
from vistio_core.storage.format import KINDS, completed, fewest_digits, rates_repeat, row_groups, write_events
from vistio_core.storage.layout import MARKER, EventsName
from vistio_core.storage.store import Sink, Store
from vistio_core.times import HOUR_MS, MINUTE_MS, align

MERGE_SPAN_MS = 5 * MINUTE_MS
"""Commits of one span of this length merge into one file of the head."""


Keep = Callable[[str, pa.Table], pa.Table]
"""Of a kind and its rows at one instant, those that are written."""


def _as_they_are(kind: str, rows: pa.Table) -> pa.Table:
    return rows


def merge_groups(head: Sequence[EventsName], writer: str, now_ms: int) -> list[list[EventsName]]:
    """The commits of each finished span and sequence, where there are at least two of them."""
    commits = [name for name in head if name.writer == writer and name.single]
    spans = _grouped(commits, MERGE_SPAN_MS)
    return [group for span_ms, group in spans if span_ms + MERGE_SPAN_MS <= now_ms and len(group) > 1]


def seal_groups(head: Sequence[EventsName], writer: str, before_ms: int) -> list[list[EventsName]]:
    """The head's files of each sequence and hour that ended at or before ``before_ms``."""
    own = [name for name in head if name.writer == writer]
    return [group for hour_ms, group in _grouped(own, HOUR_MS) if hour_ms + HOUR_MS <= before_ms]


def _grouped(names: Sequence[EventsName], span_ms: int) -> Iterator[tuple[int, list[EventsName]]]:
    """Start and files of each span of a sequence. Supplements come last: their scrapes are moved before them."""

    def key(name: EventsName) -> tuple[int, int]:
        return name.supplement, align(name.first_ms, span_ms)

    for (_, start_ms), group in groupby(sorted(names, key=key), key=key):
        yield start_ms, list(group)


def combine(store: Store, files: EventFiles, names: Sequence[EventsName], *, sealed: bool) -> EventsName:
    """Write the instants of ``names``, of one sequence, into one new file; the old ones stay. Returns its name.

    An instant that stands in two of them (after a crash) is taken once. Memory holds two row groups or so,
    whatever the size of the hour; with sources that overlap in time, one of each of those.
    """
    sources = [files[name] for name in names]
    first_ms = min(name.first_ms for name in names)
    last_ms = max(name.last_ms for name in names)
    combined = EventsName(first_ms, last_ms, names[0].writer, sealed, names[0].supplement)
    write_file(store, combined, sources)
    return combined


def write_file(
    store: Sink,
    name: EventsName,
    sources: Sequence[EventFile],
    *,
    among: Collection[int] | None = None,
    keep: Keep = _as_they_are,
) -> None:
    """Write instants of files of one sequence into a new file.

    Args:
        store: where to.
        name: of the new file.
        sources: the files.
        among: only these instants; None for all.
        keep: what is written of the rows of a kind at an instant.
    """
    digits = fewest_digits(source.significant_digits for source in sources)
    with store.create(name.text, beside=MARKER) as sink:
        tables = _in_order(sources, among, keep)
        write_events(sink, tables, repeating=_repeating(sources), digits=digits)


def instants_of_files(
    kind: str, sources: Sequence[EventFile], among: Collection[int] | None = None
) -> Iterator[tuple[int, pa.Table]]:
    """The rows of ``kind`` of files of one sequence, instant by instant, ascending, each once."""
    streams = (_one_after_the_other(kind, each, among) for each in _chains(sources))
    merged = heapq.merge(*streams, key=lambda item: item[0])
    return (next(copies) for _, copies in groupby(merged, key=lambda item: item[0]))


def _repeating(sources: Sequence[EventFile]) -> bool:
    """Whether the rates repeat, as the first file with any tells."""
    for source in sources:
        rates = source.rows("sample", ["rate"])["rate"]
        if len(rates):
            return rates_repeat(rates)
    return False


def _in_order(sources: Sequence[EventFile], among: Collection[int] | None, keep: Keep) -> Iterator[pa.Table]:
    for kind in KINDS:
        kept = (keep(kind, rows) for _, rows in instants_of_files(kind, sources, among))
        yield from map(completed, row_groups(kind, (rows for rows in kept if rows.num_rows)))


def _chains(sources: Sequence[EventFile]) -> list[list[EventFile]]:
    """``sources`` in as few runs as it takes for those of each run to follow one another in time.

    Files of the head hardly ever overlap, so that mostly there is one run, and one open file at a time.
    """
    chains: list[list[EventFile]] = []
    for source in sorted(sources, key=lambda source: source.name.first_ms):
        for chain in chains:
            if chain[-1].name.last_ms < source.name.first_ms:
                chain.append(source)
                break
        else:
            chains.append([source])
    return chains


def _one_after_the_other(
    kind: str, sources: Iterable[EventFile], among: Collection[int] | None
) -> Iterator[tuple[int, pa.Table]]:
    for source in sources:
        yield from source.by_instant(kind, whole=False, among=among)
