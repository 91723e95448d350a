r"""The files in which Vistio and promviz kept drawings, found and read. They are never written.

`--storage.path` has a directory for each hour, and in it a file for each five minutes, named by the seconds at which
they begin (`storage/storage.go`, `storage/chunk.go` of promviz; Vistio's are the same):

    1540000800/1540001100.json    {"id": 1540001100, "snapshots": [{"timestamp": "2018-10-20T02:05:07.12Z",
                                   "graphJSON": "{\"renderer\": ...}"}, ...], "completed": true}

Vistio wrote a chunk in place when the next one began, so a file may be cut off: of such a one the drawings before the
cut are whole. What must not be in here: what a drawing says (`drawing`).
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import attrs
import msgspec

from vistio_core.errors import UsageError
from vistio_core.native_paths import shown
from vistio_core.regular_files import open_regular
from vistio_core.times import HOUR_MS, MINUTE_MS, SECOND_MS, align
from vistio_record.drawings.drawing import Drawing, NoDrawingError, instant_of, read_drawing

CHUNK_MS = 5 * MINUTE_MS
_MOST_BYTES = 512 * 1024 * 1024
"""Of a file. Thirty drawings of ten thousand edges have less."""
_NUMBER = re.compile(r"0|[1-9][0-9]{0,10}")
_SNAPSHOTS = re.compile(r'"snapshots"\s*:\s*\[')


class _Snapshot(msgspec.Struct, frozen=True):
    timestamp: str = ""
    graphJSON: str = ""  # noqa: N815  # its name in the file


class _Chunk(msgspec.Struct, frozen=True):
    id: int
    snapshots: list[_Snapshot | None] | None = None


_DECODER = msgspec.json.Decoder(_Chunk)
_SNAPSHOT = msgspec.json.Decoder(_Snapshot)


@attrs.frozen
class ChunkFile:
    """One file, by its name."""

    path: Path
    start_ms: int
    """What it has begins then, and ends `CHUNK_MS` later."""


@attrs.frozen
class Refused:
    """Something that is left out."""

    file: str
    reason: str


def chunk_files(directory: Path) -> tuple[list[ChunkFile], int]:
    """The chunks in a directory, oldest first, and how many other files lie there.

    Raises:
        UsageError: there are none, or it cannot be read.
    """
    found: list[ChunkFile] = []
    others = 0
    try:
        for hour in sorted(directory.iterdir()):
            if not _NUMBER.fullmatch(hour.name) or not hour.is_dir():
                others += 1
                continue
            for path in sorted(hour.iterdir()):
                start_ms = _start_ms(hour.name, path.name)
                if start_ms is None:
                    others += 1
                else:
                    found.append(ChunkFile(path, start_ms))
    except OSError as error:
        raise UsageError(f"{shown(directory)}: cannot be read: {error.strerror or error}") from error
    if not found:
        raise UsageError(
            f"{shown(directory)}: has no chunks, which are called like 1540000800/1540001100.json; name the directory"
            " that Vistio was given as --storage.path"
        )
    return sorted(found, key=lambda chunk: chunk.start_ms), others


def _start_ms(hour: str, name: str) -> int | None:
    """When a chunk of this name begins; None for a file that Vistio would not look for there."""
    seconds = name.removesuffix(".json")
    if name == seconds or not _NUMBER.fullmatch(seconds):
        return None
    start_ms = int(seconds) * SECOND_MS
    if align(start_ms, CHUNK_MS) != start_ms or align(start_ms, HOUR_MS) != int(hour) * SECOND_MS:
        return None
    return start_ms


def read_chunk(chunk: ChunkFile) -> Iterator[Drawing | Refused]:
    """The drawings of a chunk, and what in it is none; broken or hostile files are told, never raised."""
    file = shown(chunk.path)
    try:
        with open_regular(chunk.path) as stream:
            content = stream.read(_MOST_BYTES + 1)
    except OSError as error:
        yield Refused(file, f"the file cannot be read: {error.strerror or error}")
        return
    if len(content) > _MOST_BYTES:
        yield Refused(file, f"the file has more than {_MOST_BYTES:,} bytes")
        return
    try:
        whole = _DECODER.decode(content)
    except (msgspec.DecodeError, ValueError, RecursionError):
        yield Refused(file, "the file is cut off, or no chunk")
        snapshots: Iterator[_Snapshot | None] = _before_the_cut(content)
    else:
        if whole.id * SECOND_MS != chunk.start_ms:
            yield Refused(file, "the file says that it is another chunk than its name says")
            return
        snapshots = iter(whole.snapshots or ())
    for snapshot in snapshots:
        yield _read(chunk, file, snapshot)


def _read(chunk: ChunkFile, file: str, snapshot: _Snapshot | None) -> Drawing | Refused:
    try:
        if snapshot is None:
            raise NoDrawingError("it is null")
        instant_ms = instant_of(snapshot.timestamp)
        if align(instant_ms, CHUNK_MS) != chunk.start_ms:
            raise NoDrawingError("its timestamp is not of its chunk")
        return read_drawing(instant_ms, snapshot.graphJSON)
    except NoDrawingError as error:
        return Refused(file, f"a drawing is left out: {error}")


def _before_the_cut(content: bytes) -> Iterator[_Snapshot | None]:
    """The snapshots that are whole, of a file that is not."""
    text = content.decode(errors="replace")
    begin = _SNAPSHOTS.search(text)
    if begin is None:
        return
    decoder, place = json.JSONDecoder(), begin.end()
    try:
        while True:
            found, place = decoder.raw_decode(text, place)
            yield _SNAPSHOT.decode(json.dumps(found))
            if text[place : place + 1] != ",":
                return
            place += 1
    except (ValueError, RecursionError):
        return


def counted(refused: Counter[Refused]) -> Iterator[str]:
    """What was left out, by reason, most frequent first, with the first file of each."""
    by_reason: dict[str, tuple[int, str]] = {}
    for each, count in sorted(refused.items(), key=lambda item: item[0].file):
        number, file = by_reason.get(each.reason, (0, each.file))
        by_reason[each.reason] = number + count, file
    for reason, (number, file) in sorted(by_reason.items(), key=lambda item: (-item[1][0], item[0])):
        yield f"{number:,} times: {reason} ({file})"
