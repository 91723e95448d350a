"""Who goes first: live scrapes. Whatever else wants to ask or write waits at the gate."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from vistio_core.times import system_now_ms

# Closed so long before the next scrape is due, so that nothing is begun that would still run then.
_LONGEST_MARGIN_MS = 500


class Stopped(Exception):  # noqa: N818  # no error: somebody asked for it
    """Whoever waits at the gate is asked to give up instead."""


class Gate:
    """Closed while a live scrape or its commit is running, or about to be due."""

    def __init__(self, interval_ms: int, delay_ms: int, clock: Callable[[], int] = system_now_ms) -> None:
        """A gate for scrapes at the multiples of ``interval_ms``, each ``delay_ms`` later."""
        self._interval_ms = interval_ms
        self._delay_ms = delay_ms
        self._clock = clock
        self._changed = threading.Condition()
        self._live = False
        self._stopped = False

    @contextmanager
    def live(self) -> Iterator[None]:
        """Closes the gate for as long as the block runs; never waits for anybody."""
        with self._changed:
            self._live = True
        try:
            yield
        finally:
            with self._changed:
                self._live = False
                self._changed.notify_all()

    def stop(self) -> None:
        """Send away whoever waits, now and later."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def wait(self) -> None:
        """Returns when the gate is open.

        Raises:
            Stopped: it will not be any more.
        """
        with self._changed:
            while not self._stopped and (self._live or self.closing_ms(self._clock())):
                # While a scrape runs, its end wakes us.
                self._changed.wait(None if self._live else self.closing_ms(self._clock()) / 1000)
            if self._stopped:
                raise Stopped

    def closing_ms(self, now_ms: int) -> int:
        """0, or how long it is until the scrape that is about to be due."""
        left_ms = self._interval_ms - (now_ms - self._delay_ms) % self._interval_ms
        return left_ms if left_ms <= min(self._interval_ms // 10, _LONGEST_MARGIN_MS) else 0
