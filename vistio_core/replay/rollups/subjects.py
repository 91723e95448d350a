"""The minutes of every edge and node of a sealed hour, in a file in which one of them is found quickly.

    SHA-256 of the name and the index      32 bytes
    length of the index                     8 bytes, little endian
    index                                   JSON: for each block its first subject, place, size and digest
    blocks                                  zstd: JSON of the subjects' keys, then their values

A block has some subjects, in their order (`judging.minutes.SubjectKey`). Its values are 64-bit integers:
for every kind of value, subject and minute, first all lowest bytes, then all second ones, and so on: the high bytes
of rates are zeros, and take no room so. A timeline reads the index and one block of each hour.

    values by minute    2,500,000   2,600,000   0               three of one subject's 60, in millionths
    as bytes            a0 25 26    40 ac 27    00 00 00        little endian, the five high ones are 00
    as written          a0 40 00    25 ac 00    26 27 00        then 00 for all that is left: zstd makes little of it

Nothing in such a file is believed before its digest was looked at: of the index when it is opened, of a block when it
is read. So a file that was cut short, changed or renamed is no file, and the log is asked instead.

What must not be in here: what the values mean (`judging.minutes`), and whether the hour is still the same: the name
says that (`hours`).
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import IO

import attrs
import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from vistio_core.judging.codes import Integers
from vistio_core.judging.minutes import MINUTES, VALUES, Kind, SubjectKey, Whose
from vistio_core.storage.store import Store

_HASH_BYTES = 32
_HEAD_BYTES = _HASH_BYTES + 8
_BLOCK_SUBJECTS = 64
_VALUE_BYTES = 8


class _Block(msgspec.Struct, array_like=True, frozen=True):
    first: tuple[Kind, str, str, str, str]
    place: int
    """Where it begins, from the end of the index."""
    size: int
    unpacked: int
    keys: int
    """How many of its unpacked bytes are keys."""
    digest: str


def write_subjects(sink: IO[bytes], name: str, subjects: Iterable[tuple[SubjectKey, Integers]]) -> int:
    """Write the file called ``name``; returns its size in bytes."""
    blocks: list[_Block] = []
    contents: list[bytes] = []
    place = 0
    for batch in _batches(subjects):
        keys = [attrs.astuple(key) for key, _ in batch]
        head = msgspec.json.encode(keys)
        values = np.stack([values for _, values in batch], axis=1).astype("<i8")
        unpacked = (
            head
            + np.ascontiguousarray(values.reshape(-1).view(np.uint8).reshape(-1, _VALUE_BYTES).T).tobytes()
        )
        packed: bytes = pa.Codec("zstd", 3).compress(unpacked, asbytes=True)
        blocks.append(_Block(keys[0], place, len(packed), len(unpacked), len(head), _digest(name, packed)))
        contents.append(packed)
        place += len(packed)
    index = msgspec.json.encode(blocks)
    sink.write(_hash(name, index) + len(index).to_bytes(8, "little") + index)
    for packed in contents:
        sink.write(packed)
    return _HEAD_BYTES + len(index) + place


class SubjectRollup:
    """One such file, opened for as long as this object lives.

    Raises:
        FileNotFoundError: there is none.
        ValueError: its content is not what was written.
    """

    def __init__(self, store: Store, name: str) -> None:
        self._name = name
        self._source = store.open(name)
        size = self._source.size()
        head = self._source.read(_HEAD_BYTES)
        self._start = _HEAD_BYTES + int.from_bytes(head[_HASH_BYTES:], "little")
        if len(head) < _HEAD_BYTES or self._start > size:
            raise ValueError("too short")
        index = self._source.read(self._start - _HEAD_BYTES)
        if head[:_HASH_BYTES] != _hash(name, index):
            raise ValueError("its index is not what was written")
        self._blocks = msgspec.json.decode(index, type=list[_Block])
        if size != self._start + (self._blocks[-1].place + self._blocks[-1].size if self._blocks else 0):
            raise ValueError("it is torn")

    def find(self, key: SubjectKey) -> dict[Whose, Integers]:
        """The values of a subject by cluster and writer, whatever those of the key.

        Raises:
            ValueError: a block is not what was written.
        """
        wanted = key.kind, key.source, key.target
        found: dict[Whose, Integers] = {}
        # The subject may begin before the first block that begins with it.
        index = max(0, bisect_right(self._blocks, wanted, key=lambda block: block.first[:3]) - 1)
        while index > 0 and self._blocks[index].first[:3] == wanted:
            index -= 1
        for block in self._blocks[index:]:
            if block.first[:3] > wanted:
                break
            keys, values = self._unpacked(block)
            for at, each in enumerate(keys):
                if each[:3] == wanted:
                    found[Whose(*each[3:])] = _together(values[:, :, at])
        return found

    def subjects(self) -> Iterator[tuple[SubjectKey, Integers]]:
        """All of it, in the order of keys.

        Raises:
            ValueError: a block is not what was written.
        """
        for block in self._blocks:
            keys, values = self._unpacked(block)
            for at, each in enumerate(keys):
                yield SubjectKey(*each), _together(values[:, :, at])

    def _unpacked(self, block: _Block) -> tuple[list[tuple[Kind, str, str, str, str]], npt.NDArray[np.uint8]]:
        """The keys of a block, and the bytes of its values: by byte, value, subject, minute."""
        self._source.seek(self._start + block.place)
        packed = self._source.read(block.size)
        if _digest(self._name, packed) != block.digest:
            raise ValueError("a block is not what was written")
        unpacked: bytes = pa.Codec("zstd").decompress(packed, block.unpacked, asbytes=True)
        keys = msgspec.json.decode(unpacked[: block.keys], type=list[tuple[Kind, str, str, str, str]])
        values = np.frombuffer(unpacked, np.uint8, offset=block.keys)
        return keys, values.reshape(_VALUE_BYTES, VALUES, len(keys), MINUTES)


def _together(by_byte: npt.NDArray[np.uint8]) -> Integers:
    """From bytes, by byte, to integers."""
    return np.ascontiguousarray(np.moveaxis(by_byte, 0, -1)).view("<i8")[..., 0]


def _batches(subjects: Iterable[tuple[SubjectKey, Integers]]) -> Iterator[list[tuple[SubjectKey, Integers]]]:
    left = iter(subjects)
    while batch := list(islice(left, _BLOCK_SUBJECTS)):
        yield batch


def _hash(name: str, index: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + index).digest()


def _digest(name: str, packed: bytes) -> str:
    return hashlib.sha256(name.encode() + b"\n" + packed).hexdigest()[:32]
