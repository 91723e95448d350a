"""Rollups: what a timeline needs of a sealed hour, worked out once. Derived data, never an answer of its own.

A rollup's name has a digest of everything that it was made of: the recording, this format, and the names
and sizes of the hour's files. When an hour gets another file, by a backfill or a supplement, the digest
is another one: an old rollup is not even looked for. Its content begins with a hash of the rest and of its name, so
what is torn, changed or belongs elsewhere is not believed. Without a rollup the log is read, to the
same answer (`docs/decisions/0011-rollups.md`).
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

import attrs
import duckdb
import pyarrow as pa

from vistio_core.configuration.model import Configuration
from vistio_core.errors import RecordingError
from vistio_core.recording.configurations import load_configuration
from vistio_core.recording.event_file import EventFile
from vistio_core.recording.judging import totals_of
from vistio_core.recording.layout import (
    LOG,
    MARKER,
    ROLLUPS,
    EventsName,
    hour_folder,
    parse_events_name,
    rollup_name,
)
from vistio_core.recording.marker import read_marker
from vistio_core.recording.store import StorageError, Store
from vistio_core.replay import windows
from vistio_core.replay.duckdb_session import DuckDBSession
from vistio_core.times import HOUR_MS, align, format_instant

log = logging.getLogger(__name__)

_VERSION = "2"
"""Raised when totals are worked out in another way: older rollups are then made anew."""
_HASH_BYTES = 32
# A round that makes up for many hours ends after so long, for merging and pruning wait; the next one goes on.
_ROUND_S = 20.0
_FEW_HOURS = 48

_PRESENCE_QUERY = f"""
    select epoch_ms(instant) as instant_ms, writer, interval_ms, seen, failure
    from ({windows.INSTANTS_QUERY}) order by writer, instant_ms
"""
PRESENCE = pa.schema(
    [
        pa.field("instant_ms", pa.int64()),
        pa.field("writer", pa.string()),
        pa.field("interval_ms", pa.int64()),
        pa.field("seen", pa.bool_()),
        pa.field("failure", pa.string()),
    ]
)
"""The columns of `presence`, as in `Recording.instants`."""


@attrs.frozen
class Rollup:
    """What is known of an hour, or of a window."""

    totals: pa.Table
    """`vistio_core.replay.totals.TOTALS`."""
    presence: pa.Table
    """`PRESENCE`."""


def presence(session: DuckDBSession, uris: Sequence[str], start_ms: int, end_ms: int) -> pa.Table:
    """Every recorded instant in ``[start_ms, end_ms)``, sorted by writer and instant."""
    found = session.table(_PRESENCE_QUERY, uris, {"start_ms": start_ms, "end_ms": end_ms})
    return found.cast(PRESENCE)


def sealed_sizes(store: Store, start_ms: int, end_ms: int) -> dict[str, int]:
    """The names of sealed files in the hours that the window touches, with their sizes."""
    hours = range(align(start_ms, HOUR_MS), end_ms, HOUR_MS)
    folders = [LOG] if len(hours) > _FEW_HOURS else [hour_folder(hour_ms) for hour_ms in hours]
    return {entry.name: entry.size_bytes for folder in folders for entry in store.entries(folder)}


class Rollups:
    """Finds and reads the rollups of a recording."""

    def __init__(self, store: Store) -> None:
        self._store = store
        marker = read_marker(store)
        self._recording = f"{_VERSION} {marker.format_version} {marker.created}"

    def name(self, hour_ms: int, names: Iterable[EventsName], sizes: Mapping[str, int]) -> str | None:
        """What the rollup of an hour is called; None for an hour that is not (wholly) sealed.

        Args:
            hour_ms: the hour's start.
            names: all files of the hour, none superseded.
            sizes: of the sealed ones.
        """
        files = sorted(name.text for name in names)
        if not files or any(file not in sizes for file in files):
            return None
        made_of = "\n".join([self._recording, *(f"{file} {sizes[file]}" for file in files)])
        return rollup_name(hour_ms, hashlib.sha256(made_of.encode()).hexdigest()[:32])

    def read(self, name: str) -> Rollup | None:
        """The rollup of this name; None when there is none, or it is not whole."""
        try:
            with self._store.open(name) as source:
                content: bytes = source.read()
        except OSError:
            return None
        if not is_whole(name, content):
            log.warning(
                "rollup.ignored", extra={"file": name, "error": "its content is not what was written"}
            )
            return None
        try:
            reader = pa.BufferReader(pa.py_buffer(content)[_HASH_BYTES:])
            totals = pa.ipc.open_stream(reader).read_all()
            found = pa.ipc.open_stream(reader).read_all()
        except pa.ArrowInvalid as error:
            log.warning("rollup.ignored", extra={"file": name, "error": str(error)})
            return None
        return Rollup(totals, found)


def is_whole(name: str, content: bytes) -> bool:
    """Whether a rollup's content is what was once written under this name."""
    return content[:_HASH_BYTES] == _hash(name, content[_HASH_BYTES:])


def _hash(name: str, rest: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + rest).digest()


class RollupMaker:
    """Keeps the rollups of sealed hours complete. For a writer's upkeep; several may be at it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._rollups = Rollups(store)
        self._configuration: Callable[[str], Configuration] = lru_cache(maxsize=16)(
            lambda configuration_hash: load_configuration(store, configuration_hash)
        )
        self._whole: set[str] = set()
        """Rollups that were read since this process began."""
        self._refused: set[str] = set()
        """Rollups that could not be made: not tried again until their hour has changed."""

    def complete(self, head: Iterable[EventsName]) -> int:
        """Make what is missing, newest hours first, after a `sweep`; returns how many were made.

        Args:
            head: what counts and is not sealed; its hours are left for later.
        """
        started = time.monotonic()
        wanted, there = self._swept(head)
        made = 0
        for name in wanted:
            if name in there or name in self._refused:
                continue
            if time.monotonic() - started > _ROUND_S:
                break
            made += self._make(name, *wanted[name])
        return made

    def sweep(self, head: Iterable[EventsName]) -> None:
        """Delete rollups that belong to no hour as it is now, and those that are not whole."""
        self._swept(head)

    def _swept(self, head: Iterable[EventsName]) -> tuple[dict[str, tuple[int, list[EventsName]]], set[str]]:
        """What should be there, as `_wanted` tells it, and what is."""
        wanted = self._wanted({align(name.first_ms, HOUR_MS) for name in head})
        listed = set(self._store.names(ROLLUPS))
        there = {name for name in listed if name in wanted and self._is_whole(name)}
        for name in listed - there:
            self._store.delete(name)
        return wanted, there

    def _wanted(self, unsealed: set[int]) -> dict[str, tuple[int, list[EventsName]]]:
        """Name of each rollup that should be there to its hour's start and files; newest first."""
        sizes = {entry.name: entry.size_bytes for entry in self._store.entries(LOG)}
        by_hour: dict[int, list[EventsName]] = {}
        for events in filter(None, map(parse_events_name, sizes)):
            by_hour.setdefault(align(events.first_ms, HOUR_MS), []).append(events)
        wanted = {}
        for hour_ms in sorted(by_hour.keys() - unsealed, reverse=True):
            names = by_hour[hour_ms]
            name = self._rollups.name(hour_ms, names, sizes)
            if name is not None:
                wanted[name] = hour_ms, names
        return wanted

    def _is_whole(self, name: str) -> bool:
        if name not in self._whole and self._rollups.read(name) is not None:
            self._whole.add(name)
        return name in self._whole

    def _make(self, name: str, hour_ms: int, names: Sequence[EventsName]) -> bool:
        started = time.perf_counter()
        session = DuckDBSession(threads=1)
        uris = [self._store.uri(each.text) for each in names]
        try:
            files = [EventFile(self._store, each) for each in names]
            totals = totals_of(files, hour_ms, hour_ms + HOUR_MS, self._configuration)
            found = presence(session, uris, hour_ms, hour_ms + HOUR_MS)
            rest = b"".join(_streams(totals, found))
            with self._store.create(name, beside=MARKER) as sink:
                sink.write(_hash(name, rest) + rest)
        except (FileExistsError, FileNotFoundError):
            return False  # someone else made it, or the hour has changed meanwhile
        except (RecordingError, duckdb.Error) as error:
            # Only a timeline becomes slower. A storage may take it next time; of what is damaged, `verify` tells.
            if not isinstance(error, StorageError):
                self._refused.add(name)
            log.warning("rollup.failed", extra={"hour": format_instant(hour_ms), "error": str(error)})
            return False
        log.debug(
            "rollup.made",
            extra={
                "hour": format_instant(hour_ms),
                "bytes": len(rest),
                "ms": round((time.perf_counter() - started) * 1000, 1),
            },
        )
        return True


def _streams(*tables: pa.Table) -> Iterator[bytes]:
    """Arrow's streaming format, a stream for each table."""
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    for table in tables:
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema, options=options) as writer:
            writer.write_table(table.combine_chunks())
        yield sink.getvalue().to_pybytes()
