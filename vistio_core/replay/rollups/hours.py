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
from collections.abc import Iterable, Mapping, Sequence

import attrs
import numpy as np
import pyarrow as pa

from vistio_core.storage.layout import (
    LOG,
    EventsName,
    hour_folder,
    rollup_name,
)
from vistio_core.storage.listing import Listing
from vistio_core.storage.marker import read_marker
from vistio_core.storage.store import Store
from vistio_core.times import HOUR_MS, align

log = logging.getLogger(__name__)

_VERSION = "5"
"""Raised when totals are worked out in another way: older rollups are then made anew."""
_HASH_BYTES = 32
_TOTALS, _PRESENCE, _SPANS = range(3)
"""The order of its streams."""
_STREAMS = 3
_HEAD_BYTES = _HASH_BYTES + 16 * _STREAMS
_FEW_HOURS = 48


@attrs.frozen
class Rollup:
    """What is known of an hour, or of a window."""

    totals: pa.Table
    """`vistio_core.judging.totals.TOTALS`."""
    presence: pa.Table
    """`vistio_core.replay.window_presence.PRESENCE`."""


@attrs.frozen
class Hour:
    """An hour of which there is something."""

    start_ms: int
    names: Sequence[EventsName]
    """Its files, none superseded."""
    rollup: str | None
    """What its rollup is called, if there is one; None for an hour that is not (wholly) sealed."""


def hours_of(store: Store, rollups: Rollups, listing: Listing) -> list[Hour]:
    """The hours that a listing of whole hours has, ascending."""
    by_hour: dict[int, list[EventsName]] = {}
    for name in listing.names:
        by_hour.setdefault(align(name.first_ms, HOUR_MS), []).append(name)
    first_ms, last_ms = (min(by_hour), max(by_hour) + HOUR_MS) if by_hour else (0, 0)
    sizes = sealed_sizes(store, first_ms, last_ms)
    return [
        Hour(hour_ms, names, rollups.name(hour_ms, names, sizes))
        for hour_ms, names in sorted(by_hour.items())
    ]


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
        tables = self._tables(name, _TOTALS, _PRESENCE)
        return None if tables is None else Rollup(*tables)

    def spans(self, name: str) -> pa.Table | None:
        """Its edges, from when to when each was there (`vistio_core.judging.spans.SPANS`); None as for `read`."""
        tables = self._tables(name, _SPANS)
        return None if tables is None else tables[0]

    def _tables(self, name: str, *places: int) -> list[pa.Table] | None:
        try:
            with self._store.open(name) as source:
                content: bytes = source.read()
        except OSError:
            return None
        try:
            if not is_content(name, content):
                raise ValueError("its content is not what was written")
            sizes = np.frombuffer(content, "<i8", 2 * _STREAMS, _HASH_BYTES).reshape(_STREAMS, 2)
            ends = np.cumsum([_HEAD_BYTES, *sizes[:, 0]]).tolist()
            buffer = pa.py_buffer(content)
            return [_table(buffer[ends[place] : ends[place + 1]], int(sizes[place, 1])) for place in places]
        except ValueError as error:  # Arrow's own are of this kind
            log.warning("rollup.ignored", extra={"file": name, "error": str(error)})
            return None


def content_of(name: str, rollup: Rollup, spans: pa.Table) -> bytes:
    """What the rollup ``name`` has inside: a hash, the size of each stream, packed and not, and the packed streams."""
    streams = [_stream(table) for table in (rollup.totals, rollup.presence, spans)]
    packed = [pa.Codec("zstd").compress(stream, asbytes=True) for stream in streams]
    sizes = np.array([(len(one), stream.size) for one, stream in zip(packed, streams, strict=True)], "<i8")
    rest = b"".join([sizes.tobytes(), *packed])
    return _hash(name, rest) + rest


def is_content(name: str, content: bytes) -> bool:
    """Whether a rollup's content is what was once written under this name."""
    return content[:_HASH_BYTES] == _hash(name, content[_HASH_BYTES:])


def _hash(name: str, rest: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + rest).digest()


def _stream(table: pa.Table) -> pa.Buffer:
    """Arrow's streaming format; it is packed as a whole, for to unpack column by column takes five times as long."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table.combine_chunks())
    return sink.getvalue()


def _table(packed: pa.Buffer, size_bytes: int) -> pa.Table:
    return pa.ipc.open_stream(pa.Codec("zstd").decompress(packed, size_bytes)).read_all()
