"""One Parquet file of events, opened for reading.

A file is row groups, sorted by kind, then by instant. The statistics of each, in the footer, say which kind it holds
and from when to when; no instant straddles two of them. So one instant of one kind is found by halving, and costs one
row group, of whatever size the file is:

    row group    kind           first    last        samples of 05:00:10?
    0            measurement    05:00    05:59:50
    1            outcome        05:00    05:59:50
    2            sample         05:00    05:09:50    <- the first that does not end before (sample, 05:00:10)
    3            sample         05:10    05:19:50

Such a file never changes, so what was learned of it (its footer, its instants) stays true for as long as it exists,
and is worth keeping: `EventFiles` does that for the ones used last. Only after a prune can another file take its name:
its version tells.

What must not be in here: which of several files counts (`catalog`), what counts of several parts of an instant
(`parts`), and rows that are kept: they are read anew each time, for a footer is small and an hour of samples is not.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cache, cached_property
from math import inf

import attrs
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from vistio_core.cache import Cache
from vistio_core.errors import DamagedFileError, FilesChangedError
from vistio_core.storage.format import DICTIONARY_COLUMNS, SCHEMA, check_version, significant_digits
from vistio_core.storage.layout import EventsName
from vistio_core.storage.presences import PRESENCE_COLUMNS, Presences
from vistio_core.storage.store import Store
from vistio_core.times import format_instant

_KIND, _INSTANT = SCHEMA.get_field_index("kind"), SCHEMA.get_field_index("instant")
# What each kind of row has; the other columns are null in it.
_COLUMNS = {
    "measurement": ["instant", "cluster", "rule", "source", "target", "measure", "value", "labels"],
    "outcome": [
        *("instant", "cluster", "rule", "outcome", "error", "series", "dropped", "dropped_by_reason"),
        *("warnings", "duration_ms", "interval_ms", "configuration", "backfilled"),
    ],
    "sample": ["instant", "cluster", "rule", "source", "target", "status", "rate"],
}

FOOTERS_BYTES = 64 * 1024 * 1024
"""How much is kept of files that were opened: of a small mesh two weeks, of a large one a day."""
_ROW_GROUP_BYTES = 18_000
"""What pyarrow takes for a row group of 21 columns, measured; in the file it is a tenth of that."""
_FILE_BYTES = 30_000
"""What else is kept of a file: an hour's instants."""


@attrs.frozen
class _RowGroup:
    kind: str
    first_ms: int
    last_ms: int

    @property
    def ends(self) -> tuple[str, float]:
        return self.kind, self.last_ms


class EventFile:
    """Reads one file of the log; safe to use from several threads.

    Raises:
        DamagedFileError: on any use, when the content is not what the name promises.
        FormatVersionError: written by a newer vistio.
        FilesChangedError: on any use, when it has gone.
    """

    def __init__(self, store: Store, name: EventsName) -> None:
        self.name = name
        self.version = version_of(store, name)
        self._store = store
        # Reading all statistics of a large hour takes longer than a look-up, which needs a few of them.
        # Not `functools.cache` of a method, which refers back to this object: the footer, of whose size
        # Python's collector knows nothing, would then stay until that one looks at everything.
        self._described: dict[int, _RowGroup] = {}
        with _named(name.text), store.open(name.text) as source:
            file = pq.ParquetFile(source, page_checksum_verification=True, pre_buffer=False)
            # Not `metadata.schema`, which refers back to the metadata: see `_described`.
            self._metadata, columns = file.metadata, file.schema_arrow.names
            found = check_version(name.text, self._metadata.metadata)
            if found is None and columns != SCHEMA.names:
                found = f"has the columns {', '.join(columns)}"
            if found is not None:
                raise DamagedFileError(name.text, found)
            groups = list(self._row_groups_of("outcome"))
            outcomes = file.read_row_groups(groups, columns=PRESENCE_COLUMNS, use_threads=False)
            self.presences = Presences(outcomes)
            """The instants inside, ascending. Every scrape has outcomes, so these name all of them."""

    @property
    def significant_digits(self) -> int | None:
        """To how many significant digits some of its rates were rounded; None: none of them."""
        return significant_digits(self._metadata.metadata)

    @cached_property
    def instants_ms(self) -> frozenset[int]:
        return self.presences.instants_ms

    def rows_at(self, kind: str, instant_ms: int, columns: list[str] | None = None) -> pa.Table:
        """All rows of ``kind`` at one instant, in the format's order, without the columns that are null.

        Args:
            kind: of the rows.
            instant_ms: the instant.
            columns: the only ones that are wanted; each costs time. ``instant`` must be among them.
        """
        columns = columns or _COLUMNS[kind]
        # The first row group that ends at or after the instant; an instant never straddles two.
        index = self._first_row_group((kind, instant_ms))
        if index < self._metadata.num_row_groups:
            group = self._row_group(index)
            if group.kind == kind and group.first_ms <= instant_ms:
                return _slice_at(self._read([index], columns), instant_ms)
        return _no_rows(tuple(columns))

    def at_instants(
        self, kind: str, instants_ms: Sequence[int], columns: list[str] | None = None
    ) -> Iterator[pa.Table]:
        """The rows of ``kind`` at these instants (ascending, at least one), as `rows_at`; some instants at a time.

        Each row group is read once, however many of the instants stand in it.
        """
        wanted = pa.array(instants_ms, pa.int64())
        first = self._first_row_group((kind, instants_ms[0]))
        for index in range(first, self._metadata.num_row_groups):
            group = self._row_group(index)
            if group.kind != kind or group.first_ms > instants_ms[-1]:
                break
            place = bisect_left(instants_ms, group.first_ms)
            if place < len(instants_ms) and instants_ms[place] <= group.last_ms:
                rows = self._read([index], columns or _COLUMNS[kind])
                among = pc.is_in(rows["instant"].cast(pa.int64()), value_set=wanted)
                found = rows if pc.all(among).as_py() else rows.filter(among)
                if found.num_rows:
                    yield found

    def rows(self, kind: str, columns: list[str] | None = None) -> pa.Table:
        """All rows of ``kind``, in the format's order."""
        return self._read(list(self._row_groups_of(kind)), columns)

    def rows_between(self, kind: str, start_ms: int, end_ms: int, columns: Sequence[str]) -> pa.Table:
        """The rows of ``kind`` in ``[start_ms, end_ms)``, in the format's order."""
        groups = range(self._first_row_group((kind, start_ms)), self._metadata.num_row_groups)
        overlapping: list[int] = []
        for index in groups:
            group = self._row_group(index)
            if group.kind != kind or group.first_ms >= end_ms:
                break
            overlapping.append(index)
        if not overlapping:
            return _no_rows(tuple(columns))
        rows = self._read(overlapping, list(columns))
        parts = []
        start = 0
        # From 05:10 to 05:20, of 05:00 05:00 05:10 | 05:10 05:20: [2, 3) of the first chunk, [0, 1) of the second.
        for chunk in rows["instant"].cast(pa.int64()).chunks:
            first, last = np.searchsorted(chunk.to_numpy(), (start_ms, end_ms)).tolist()
            parts.append(rows.slice(start + first, last - first))
            start += len(chunk)
        return pa.concat_tables(parts) if parts else rows

    @property
    def row_groups(self) -> int:
        return int(self._metadata.num_row_groups)

    @property
    def rows_in_all(self) -> int:
        return int(self._metadata.num_rows)

    def by_instant(
        self, kind: str, *, whole: bool = True, among: Collection[int] | None = None
    ) -> Iterator[tuple[int, pa.Table]]:
        """The rows of ``kind``, instant by instant, ascending; one row group is in memory at a time.

        Args:
            kind: of the rows.
            whole: with all columns; else without those that are null in such rows.
            among: only these instants; row groups outside of them are not read. None for all.
        """
        first_ms, last_ms = (min(among, default=0), max(among, default=-1)) if among is not None else (0, inf)
        for index in self._row_groups_of(kind):
            group = self._row_group(index)
            if group.last_ms < first_ms or group.first_ms > last_ms:
                continue
            rows = self._read([index], None if whole else ["kind", *_COLUMNS[kind]])
            instants = rows["instant"].cast(pa.int64()).to_pylist()
            start = 0
            while start < len(instants):
                end = bisect_right(instants, instants[start], lo=start)
                if among is None or instants[start] in among:
                    yield instants[start], rows.slice(start, end - start)
                start = end

    def describe_row_groups(self) -> Iterator[tuple[str, int, int]]:
        """Kind, first and last instant of every row group, as its statistics say."""
        groups = map(self._row_group, range(self._metadata.num_row_groups))
        return ((group.kind, group.first_ms, group.last_ms) for group in groups)

    def _row_groups_of(self, kind: str) -> range:
        # No instant is before 0, and none of this kind is after infinity.
        return range(self._first_row_group((kind, -1)), self._first_row_group((kind, inf)))

    def _first_row_group(self, key: tuple[str, float]) -> int:
        """Index of the first row group that does not end before ``key``, a kind and an instant."""
        count = self._metadata.num_row_groups
        return bisect_left(range(count), key, key=lambda index: self._row_group(index).ends)

    def _read(self, groups: list[int], columns: list[str] | None) -> pa.Table:
        with _named(self.name.text), self._store.open(self.name.text) as source:
            file = pq.ParquetFile(
                source,
                metadata=self._metadata,
                read_dictionary=DICTIONARY_COLUMNS,
                # A flipped bit becomes an error here, never a wrong rate.
                page_checksum_verification=True,
                # Reading ahead on another thread: waiting for that takes longer than reading from a local disk.
                pre_buffer=False,
            )
            return file.read_row_groups(groups, columns=columns, use_threads=False)

    def _row_group(self, index: int) -> _RowGroup:
        found = self._described.get(index)
        if found is None:
            found = self._described[index] = self._describe(index)
        return found

    def _describe(self, index: int) -> _RowGroup:
        group = self._metadata.row_group(index)
        kind, instant = group.column(_KIND).statistics, group.column(_INSTANT).statistics
        if kind is None or instant is None or not (kind.has_min_max and instant.has_min_max):
            raise DamagedFileError(self.name.text, f"row group {index} has no statistics")
        if kind.min_raw != kind.max_raw:
            raise DamagedFileError(self.name.text, f"row group {index} mixes kinds")
        # As they are stored, milliseconds: `min` makes a datetime, which takes ten times as long.
        first_ms, last_ms = instant.min_raw, instant.max_raw
        if first_ms < self.name.first_ms or last_ms > self.name.last_ms:
            raise DamagedFileError(
                self.name.text,
                f"holds instants from {format_instant(first_ms)} to {format_instant(last_ms)}, outside of its name",
            )
        return _RowGroup(kind.min_raw.decode(errors="replace"), first_ms, last_ms)


class EventFiles:
    """Opens event files, and keeps the last used ones open-and-read (footers and instants, not rows)."""

    def __init__(self, store: Store, most_bytes: int = FOOTERS_BYTES) -> None:
        self._store = store
        self._kept: Cache[EventsName, EventFile] = Cache(most_bytes, _weight_bytes)

    def __getitem__(self, name: EventsName) -> EventFile:
        version = version_of(self._store, name)
        kept = self._kept.get(name)
        if kept is not None and kept.version == version:
            return kept
        file = EventFile(self._store, name)
        self._kept.put(name, file)
        return file

    def fill(self, names: Iterable[EventsName]) -> int:
        """Open files, the first ones first, for as long as one more can be kept; returns how many."""
        opened: list[EventsName] = []
        for name in names:
            try:
                file = self[name]
            except (DamagedFileError, FilesChangedError):
                continue  # whoever needs it is told
            opened.append(name)
            if self._kept.room < _weight_bytes(file):
                break
        for name in reversed(opened):  # the first ones shall stay longest
            self._kept.get(name)
        return len(opened)

    @property
    def weight_bytes(self) -> int:
        """What is kept weighs so much."""
        return self._kept.weight

    def shrink(self, most_bytes: int) -> None:
        """Keep no more than so much for now, of what was used last; files that are opened later are kept again."""
        self._kept.shrink(most_bytes)

    def uri(self, name: EventsName) -> str:
        """How DuckDB reaches a file."""
        return self._store.uri(name.text)

    def version(self, name: EventsName) -> str:
        """`version_of` a file, which need not be opened for it."""
        return version_of(self._store, name)

    def forget(self, name: EventsName) -> None:
        """Keep nothing of a file that has gone."""
        self._kept.drop(name)


def version_of(store: Store, name: EventsName) -> str:
    """What tells a file from another one that took its name.

    Raises:
        FilesChangedError: it has gone.
    """
    try:
        return store.version(name.text)
    except FileNotFoundError as error:
        raise FilesChangedError(name.text) from error


@cache
def _no_rows(columns: tuple[str, ...]) -> pa.Table:
    """Most instants have no measurements, and making this costs as much as a third of reading samples."""
    return SCHEMA.empty_table().select(list(columns))


def _weight_bytes(file: EventFile) -> int:
    return file.row_groups * _ROW_GROUP_BYTES + _FILE_BYTES


class _named:  # noqa: N801 - used as a function
    """Names the file in what the store says of its absence, and pyarrow of its content."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, FileNotFoundError):
            raise FilesChangedError(self._name) from error
        if isinstance(error, pa.ArrowException | OSError | ValueError | UnicodeDecodeError):
            first_line = str(error).partition("\n")[0]
            raise DamagedFileError(self._name, first_line or type(error).__name__) from error


def _slice_at(rows: pa.Table, instant_ms: int) -> pa.Table:
    instants = rows["instant"].cast(pa.int64()).to_numpy()
    if len(instants) and instants[0] == instant_ms == instants[-1]:
        return rows
    start, end = np.searchsorted(instants, (instant_ms, instant_ms + 1)).tolist()
    return rows.slice(start, end - start)
