"""A request to stop that a signal may make.

A `threading.Event` must not be set in a handler: when the main thread is just entering its
``wait``, both want the same lock, and the process hangs. And a handler runs in the main thread
only, while the kernel may give the signal to any thread. A byte in a socket, which the interpreter
writes as the signal arrives, knows neither problem.
"""

from __future__ import annotations

import os
import select
import signal
import socket
from collections.abc import Callable
from functools import partial
from types import FrameType


class StopRequest:
    """Made once, by a signal or by a call, and waited for by any number of threads."""

    def __init__(self) -> None:
        self._reader, self._writer = socket.socketpair()
        self._writer.setblocking(False)
        self._requested = False
        self._signals = 0
        self._undo: list[Callable[[], object]] = []

    @property
    def requested(self) -> bool:
        return self._requested or self.wait(0)

    def request(self) -> None:
        if not self._requested:
            self._requested = True
            self._writer.send(b"\0")

    def wait(self, seconds: float | None = None) -> bool:
        """Sleep ``seconds`` (None: for ever), or until a stop is requested; whether one is."""
        # The byte is never read, so every later wait returns at once.
        if select.select([self._reader], [], [], seconds)[0]:
            self._requested = True
        return self._requested

    def on_signals(self) -> None:
        """Let SIGTERM and SIGINT request a stop; a second one ends the process on the spot.

        For the main thread. The log needs no farewell: what was committed is whole. `close` puts
        back what was there before.
        """
        before_fd = signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        self._undo.append(partial(signal.set_wakeup_fd, before_fd))
        for number in (signal.SIGTERM, signal.SIGINT):
            before = signal.signal(number, self._handle)
            self._undo.append(partial(signal.signal, number, before))

    def close(self) -> None:
        for undo in reversed(self._undo):
            undo()
        self._reader.close()
        self._writer.close()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self._signals += 1
        if self._signals > 1:
            os._exit(1)
        self.request()
