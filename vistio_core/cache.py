"""Keeps what was used last, within a limit that is weighed. No I/O.

`cachetools` does the keeping (`docs/decisions/0027-one-cache.md`). Added here: a lock around each step, for it is
not made for threads; and a value that is heavier than the whole limit is no error, but is not kept.

What must not be in here: how values are made. Who makes one while others wait for it is `vistio_serve.shared`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from cachetools import LRUCache, TLRUCache

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Cache(Generic[Key, Value]):
    """Values by key: when they become too heavy together, those go first that were not used for longest."""

    def __init__(
        self,
        most: int,
        weigh: Callable[[Value], int],
        *,
        lasts_s: Callable[[Value], float] | None = None,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """An empty cache; usable from many threads.

        Args:
            most: what all values may weigh together, in bytes or whatever `weigh` says.
            weigh: what a value weighs, 0 or more; asked once, when it is put in.
            lasts_s: for how many seconds a value may be kept at most; None: for ever.
            monotonic_s: the clock for that.
        """
        self._lock = threading.Lock()
        self._values: LRUCache[Key, Value] | TLRUCache[Key, Value, float]
        if lasts_s is None:
            self._values = LRUCache(most, weigh)
        else:
            self._values = TLRUCache(most, lambda _, value, now_s: now_s + lasts_s(value), monotonic_s, weigh)

    def get(self, key: Key) -> Value | None:
        """The value, which is thereby used; None where none is kept."""
        with self._lock:
            try:
                return self._values[key]
            except KeyError:
                return None

    def put(self, key: Key, value: Value) -> None:
        """Keep a value, in place of the one that was kept for its key."""
        with self._lock:
            try:
                self._values[key] = value
            except ValueError:  # heavier than all that may be kept; the old one, if any, is no longer true
                self._values.pop(key, None)

    def drop(self, key: Key) -> None:
        """Keep nothing for this key."""
        with self._lock:
            self._values.pop(key, None)

    def shrink(self, most: int) -> None:
        """Let go what was not used for longest, until the rest weighs no more than ``most``."""
        with self._lock:
            while self._values and self._values.currsize > most:
                self._values.popitem()

    @property
    def weight(self) -> int:
        """What is kept weighs so much."""
        with self._lock:
            return int(self._values.currsize)

    @property
    def room(self) -> int:
        """What may still be put in before anything has to go."""
        with self._lock:
            return int(self._values.maxsize - self._values.currsize)
