"""What other programs tell this one by signals: to end, or to read its configuration again.

A handler of Python's may do little: a `threading.Event` that it sets while the main thread is just
entering its ``wait`` hangs the process (both want one lock), and it runs in the main thread only,
whenever that gets to it. So handlers do nothing here. The interpreter writes each signal's number
into a socket as the signal arrives, and a thread that reads this socket acts on it at once.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable
from functools import partial
from types import FrameType


class StopRequest:
    """Made once, by a signal or by a call, and waited for by any number of threads."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._undo: list[Callable[[], object]] = []

    @property
    def requested(self) -> bool:
        return self._event.is_set()

    def request(self) -> None:
        """For threads, not for signal handlers."""
        self._event.set()

    def wait(self, seconds: float | None = None) -> bool:
        """Sleep ``seconds`` (None: for ever), or until a stop is requested; whether one is."""
        return self._event.wait(seconds)

    def on_signals(self, hangup: threading.Event | None = None) -> None:
        """Let SIGTERM and SIGINT request a stop; a second one ends the process on the spot.

        For the main thread. The log needs no farewell: what was committed is whole. `close` puts
        back what was there before.

        Args:
            hangup: set by SIGHUP; None leaves SIGHUP as it is.
        """
        reader, writer = socket.socketpair()
        writer.setblocking(False)
        before_fd = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        thread = threading.Thread(target=self._listen, args=(reader, hangup), daemon=True, name="signals")
        thread.start()
        # Undone from the last to the first: the thread ends when its socket does.
        self._undo += [reader.close, thread.join, writer.close, partial(signal.set_wakeup_fd, before_fd)]
        for number in (signal.SIGTERM, signal.SIGINT, *([signal.SIGHUP] if hangup else [])):
            before = signal.signal(number, _ignore)
            self._undo.append(partial(signal.signal, number, before))

    def close(self) -> None:
        while self._undo:
            self._undo.pop()()

    def _listen(self, reader: socket.socket, hangup: threading.Event | None) -> None:
        stops = 0
        while number := reader.recv(1):
            if number[0] == signal.SIGHUP and hangup is not None:
                hangup.set()
            elif number[0] in (signal.SIGTERM, signal.SIGINT):
                stops += 1
                if stops > 1:
                    os._exit(1)
                self.request()


def _ignore(number: int, frame: FrameType | None) -> None:
    """Not SIG_IGN: with that, the signal would not reach the socket either."""
