"""Telling of each commit whoever listens, as server-sent events: ``GET /live``.

    id: 5f0c41
    data: {"instant": "2026-11-30T03:12:40Z"}

comes at once, with each commit, and, the same again, when nothing was told for a while: so who listens knows that
nobody between holds lines back, and we that he is still there. What is new is asked of `/graph`, made once for all.

A listener holds one of the server's threads (`server.THREADS`). So there are `MOST_LISTENING`; others are told to come
again, and ask now and then instead, as the page does.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from functools import lru_cache

import msgspec

from vistio_core.sentences import say
from vistio_core.times import format_instant
from vistio_serve.admission import BusyError

EVENT_STREAM = "text/event-stream"
MOST_LISTENING = 32
LOOK_S = 0.25
"""How often a listener's thread looks for a commit."""
AGAIN_S = 10.0
"""After so long without a commit the same is told again."""
_RETRY_MS = 5_000


class Listeners:
    """Who listens; usable from many threads.

    Args:
        version: what changes with each commit, and more often; called four times a second for each who listens.
        tip: what changes with each commit of something newer; called when the version has changed, once for all.
        newest_ms: the newest recorded instant, in epoch milliseconds; None while there is none.
    """

    def __init__(
        self, version: Callable[[], int], tip: Callable[[], int], newest_ms: Callable[[], int | None]
    ) -> None:
        self._version = version
        self._tip_at = lru_cache(maxsize=1)(lambda version: tip())
        self._newest_ms = newest_ms
        self._lock = threading.Lock()
        self._listening = 0

    @property
    def listening(self) -> int:
        """How many listen at the moment."""
        return self._listening

    def told(self) -> bytes:
        """One event: how far the recording goes; another id means another commit."""
        return self._event(self._tip())

    def _tip(self) -> int:
        return self._tip_at(self._version())

    def _event(self, tip: int) -> bytes:
        newest_ms = self._newest_ms()
        told = {"instant": None if newest_ms is None else format_instant(newest_ms)}
        return b"id: %x\ndata: %s\n\n" % (abs(tip), msgspec.json.encode(told))

    def follow(self) -> CommitsBody:
        """What a listener is sent.

        Raises:
            BusyError: as many listen as may.
        """
        if self._listening >= MOST_LISTENING:
            raise BusyError(
                say("{most} listen already; ask /graph now and then instead", most=MOST_LISTENING)
            )
        return CommitsBody(self._events)

    def _events(self) -> Iterator[bytes]:
        # Counted from the first piece on: what is never begun, as the answer to HEAD, never ends either.
        with self._lock:
            if self._listening >= MOST_LISTENING:
                return
            self._listening += 1
        try:
            yield b"retry: %d\n" % _RETRY_MS
            while True:
                tip = self._tip()
                yield self._event(tip)
                self._wait_for_another(tip)
        finally:
            with self._lock:
                self._listening -= 1

    def _wait_for_another(self, tip: int) -> None:
        until_s = time.monotonic() + AGAIN_S
        while self._tip() == tip and time.monotonic() < until_s:
            time.sleep(LOOK_S)


class CommitsBody:
    """A `bodies.Body` without an end, so without validators: it is never kept, and never compressed."""

    size_bytes = 0
    weight_bytes = 0

    def __init__(self, events: Callable[[], Iterator[bytes]]) -> None:
        self._events = events

    def etag(self, encoding: str) -> str:
        """None is sent; each listener has another one."""
        return f'"{id(self)}"'

    def length(self, encoding: str) -> int | None:
        """It has none."""
        return None

    def pieces(self, encoding: str) -> Iterator[bytes]:
        """The events, as they happen."""
        return self._events()
