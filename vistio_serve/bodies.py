"""The bytes of an answer, with their validators, in the encodings that HTTP knows.

A small body is kept as it is. A large one is kept compressed, as zstd made it while it was written, piece by piece:
nowhere is it whole. It is sent so to those who take zstd, which browsers do; for others it is read and, for gzip,
compressed again while it is sent.
"""

from __future__ import annotations

import gzip
import hashlib
import threading
import zlib
from collections.abc import Iterable, Iterator
from typing import Protocol

import attrs
import pyarrow as pa

LARGE_BYTES = 2 * 1024 * 1024
"""From here on a body is kept compressed only."""
PIECE_BYTES = 16 * 1024
"""What is handed out at a time: the server keeps up to five such pieces for each connection."""
_REST_BYTES = 4 * 1024
"""What else is kept with a body: a question may have 2,048 characters."""
_READ_BYTES = 512 * 1024
_GZIP = 16 + zlib.MAX_WBITS


class Body(Protocol):
    """Bytes with their validators, in any encoding: ``identity``, ``gzip`` or ``zstd``."""

    @property
    def size_bytes(self) -> int:
        """Of the content, not compressed."""

    @property
    def weight_bytes(self) -> int:
        """What keeping it takes, encodings included."""

    def etag(self, encoding: str) -> str:
        """A strong validator, which RFC 9110 wants to differ between encodings."""

    def length(self, encoding: str) -> int | None:
        """How many bytes an encoding has; None where that is not known before they are made."""

    def pieces(self, encoding: str) -> Iterable[bytes]:
        """The content, encoded; equal on every call."""


class WholeBody:
    """A body that is kept as it is; each encoding is computed once, however many clients ask."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._digest = hashlib.sha256(content).hexdigest()[:32]
        self._encoded: dict[str, bytes] = {"identity": content}
        self._lock = threading.Lock()

    @property
    def size_bytes(self) -> int:
        return len(self._content)

    @property
    def weight_bytes(self) -> int:
        return 2 * len(self._content) + _REST_BYTES

    def etag(self, encoding: str) -> str:
        return _tag(self._digest, encoding)

    def length(self, encoding: str) -> int | None:
        return len(self._in(encoding))

    def pieces(self, encoding: str) -> Iterable[bytes]:
        return [self._in(encoding)]

    def _in(self, encoding: str) -> bytes:
        with self._lock:
            if encoding not in self._encoded:
                self._encoded[encoding] = _compress(self._content, encoding)
            return self._encoded[encoding]


@attrs.frozen(eq=False)
class PackedBody:
    """A large body, kept compressed by zstd."""

    digest: str
    size_bytes: int
    packed: tuple[bytes, ...] = attrs.field(repr=False)

    @property
    def weight_bytes(self) -> int:
        return sum(map(len, self.packed)) + _REST_BYTES

    def etag(self, encoding: str) -> str:
        return _tag(self.digest, encoding)

    def length(self, encoding: str) -> int | None:
        if encoding == "zstd":
            return sum(map(len, self.packed))
        return self.size_bytes if encoding == "identity" else None

    def pieces(self, encoding: str) -> Iterable[bytes]:
        if encoding == "zstd":
            return self.packed
        return self._gzipped() if encoding == "gzip" else self._plain()

    def _plain(self) -> Iterator[bytes]:
        with pa.CompressedInputStream(pa.PythonFile(_Source(self.packed), mode="r"), "zstd") as unpacked:
            while piece := unpacked.read(_READ_BYTES):
                yield piece

    def _gzipped(self) -> Iterator[bytes]:
        # The fastest level: it is done for each client, while others wait for the processor.
        compressor = zlib.compressobj(1, zlib.DEFLATED, _GZIP)
        for piece in self._plain():
            if packed := compressor.compress(piece):
                yield packed
        yield compressor.flush()


def body_of(pieces: Iterable[bytes]) -> Body:
    """A body of the content that comes in pieces."""
    first: list[bytes] = []
    size_bytes = 0
    coming = iter(pieces)
    for piece in coming:
        first.append(piece)
        size_bytes += len(piece)
        if size_bytes > LARGE_BYTES:
            return _packed(first, coming)
    return WholeBody(b"".join(first))


def sliced(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of `PIECE_BYTES` or less."""
    for piece in pieces:
        for start in range(0, len(piece), PIECE_BYTES):
            yield piece[start : start + PIECE_BYTES]


def _packed(first: list[bytes], coming: Iterator[bytes]) -> PackedBody:
    digest = hashlib.sha256()
    size_bytes = 0
    sink = _Sink()
    with pa.CompressedOutputStream(pa.PythonFile(sink, mode="w"), "zstd") as stream:
        for pieces in (first, coming):
            for piece in pieces:
                digest.update(piece)
                size_bytes += len(piece)
                stream.write(piece)
    return PackedBody(digest.hexdigest()[:32], size_bytes, tuple(sink.written))


class _Sink:
    """What Arrow writes into: it keeps the pieces as they come, where a buffer that grows would be there twice."""

    closed = False

    def __init__(self) -> None:
        self.written: list[bytes] = []

    def write(self, data: bytes) -> int:
        self.written.append(bytes(data))
        return len(data)

    def flush(self) -> None: ...

    def close(self) -> None: ...


class _Source:
    """What Arrow reads from: pieces, one after the other."""

    closed = False

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._left = b""

    def read(self, most: int = -1) -> bytes:
        """At most so many bytes, as of a file; none at the end."""
        if not self._left:
            self._left = next(self._pieces, b"")
        most = len(self._left) if most < 0 else most
        found, self._left = self._left[:most], self._left[most:]
        return found

    def close(self) -> None: ...


def _tag(digest: str, encoding: str) -> str:
    return digest if encoding == "identity" else f"{digest}-{encoding}"


def _compress(content: bytes, encoding: str) -> bytes:
    if encoding == "gzip":
        # mtime=0, for the same content must give the same bytes under a strong validator.
        return gzip.compress(content, compresslevel=5, mtime=0)
    return bytes(pa.Codec("zstd", compression_level=3).compress(content, asbytes=True))
