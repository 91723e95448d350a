"""Whole responses, ready to be sent again within the second in which they were made.

Many pages ask for the newest graph each second. The renderer makes it once; here also what HTTP makes
of it (encoding, validators, headers) is done once for all who ask the same in the same way. An
answer is as new as without: nothing outlives a whole second, to which live questions are rounded, or
a commit to the recording.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING

import attrs
from werkzeug.wrappers import Response

from vistio_core.cache import Cache
from vistio_core.times import SECOND_MS

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

# Mostly the same bytes that the renderer keeps.
MAX_BYTES = 8 * 1024 * 1024
_MOST_OF_KEY = 4 * 1024
"""Characters: what follows from longer headers or a longer address is not kept."""
_REST_BYTES = 2 * 1024
# All that a response to GET /graph follows from.
_SEEN = ("PATH_INFO", "SCRIPT_NAME", "QUERY_STRING", "HTTP_ACCEPT_ENCODING", "HTTP_IF_NONE_MATCH")

Stamp = tuple[int, int]
"""The whole second, and the version of what is recorded: responses are equal within both."""


@attrs.frozen
class ReadyResponse:
    """A response as WSGI wants it."""

    status: str
    headers: list[tuple[str, str]]
    chunks: list[bytes] = attrs.field(repr=False)
    """A list: granian sends one at once, and goes through any other iterable, at less than half the speed."""

    @property
    def code(self) -> str:
        return self.status[:3]

    @property
    def size_bytes(self) -> int:
        """Of the content."""
        return sum(map(len, self.chunks))

    @property
    def weight_bytes(self) -> int:
        """What keeping it takes, with its key."""
        return self.size_bytes + _MOST_OF_KEY + _REST_BYTES


_Request = tuple[str | None, ...]
"""`_SEEN` of one."""


class Ready:
    """The responses of one moment; usable from many threads."""

    def __init__(self, now_ms: Callable[[], int], version: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._version = version
        self._lock = threading.Lock()
        # Replaced together: whoever reads without the lock must not find another moment's responses.
        self._moment: tuple[Stamp, Cache[_Request, ReadyResponse]] = ((0, 0), _nothing_kept())

    def stamp(self) -> Stamp:
        """This moment's; take it before an answer is made, never after."""
        return self._now_ms() // SECOND_MS, self._version()

    def get(self, environ: WSGIEnvironment, stamp: Stamp) -> ReadyResponse | None:
        """The response that was made at ``stamp`` to a request like this one; None when there is none."""
        of, kept = self._moment
        return kept.get(_key(environ)) if of == stamp and environ["REQUEST_METHOD"] == "GET" else None

    def keep(self, environ: WSGIEnvironment, stamp: Stamp, response: Response) -> ReadyResponse:
        """The response to a GET that was made at ``stamp``, kept for as long as no later one is."""
        chunks, status, headers = response.get_wsgi_response(environ)
        ready = ReadyResponse(status, headers, list(chunks))
        with self._lock:
            of, kept = self._moment
            if stamp != of:
                kept = _nothing_kept()
                self._moment = stamp, kept
        key = _key(environ)
        if sum(len(text) for text in key if text) <= _MOST_OF_KEY:
            kept.put(key, ready)
        return ready


def _nothing_kept() -> Cache[_Request, ReadyResponse]:
    return Cache(MAX_BYTES, attrgetter("weight_bytes"))


def _key(environ: WSGIEnvironment) -> _Request:
    return tuple([environ.get(name) for name in _SEEN])
