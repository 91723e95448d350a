"""The body of a response, in pieces, unpacked and bounded."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

import requests

from vistio_core.errors import SourceError
from vistio_core.times import format_duration
from vistio_record.sources.abortable import Call
from vistio_record.sources.answer import one_line

_CHUNK_BYTES = 256 * 2**10


def read_body(response: requests.Response, call: Call, max_bytes: int) -> Iterator[bytes]:
    """What the body is, piece by piece.

    Raises:
        SourceError: larger than ``max_bytes``, in another encoding than gzip, damaged, or late.
    """
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("identity", "", "gzip", "x-gzip"):
        raise SourceError(f"the answer is encoded as {one_line(encoding, 40)}, only gzip was asked for")
    unpack = _Gunzip() if "gzip" in encoding else None
    total = 0
    while chunk := response.raw.read(_CHUNK_BYTES, decode_content=False):
        for piece in unpack.pieces(chunk) if unpack else (chunk,):
            total += len(piece)
            if total > max_bytes:
                raise SourceError(
                    f"the answer is larger than {max_bytes} bytes; aggregate more in the query (sum by ...),"
                    " or raise --source-option max_response_bytes",
                    answered="too_large",
                )
            yield piece
        if call.overdue:
            raise SourceError(not_in_time(call.timeout_s), kind="timeout")
    if unpack and not unpack.finished:
        raise SourceError("the gzip data of the answer is cut short")


class _Gunzip:
    """Unpacks in pieces of bounded size, so that a small body cannot become a large one unseen."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(wbits=31)

    @property
    def finished(self) -> bool:
        return self._stream.eof

    def pieces(self, data: bytes) -> Iterator[bytes]:
        try:
            while data and not self._stream.eof:
                yield self._stream.decompress(data, _CHUNK_BYTES)
                data = self._stream.unconsumed_tail
        except zlib.error as error:
            raise SourceError(
                f"the gzip data of the answer is damaged ({one_line(str(error), 80)})"
            ) from error


def not_in_time(timeout_s: float) -> str:
    """What to say of an answer that was not complete at the deadline."""
    return f"no complete answer within {format_duration(round(timeout_s * 1000))}"
