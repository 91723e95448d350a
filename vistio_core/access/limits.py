"""How often somebody may do something: a bucket of tokens for each name or address. No I/O."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

MOST_KEYS = 4_096


class Limit:
    """``burst`` at once, and ``per_s`` in the long run, for each key; usable from many threads.

    Of more than `MOST_KEYS` those are forgotten that came first: memory is bounded, whoever asks from however many
    addresses.
    """

    def __init__(self, burst: int, per_s: float, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._burst = float(burst)
        self._per_s = per_s
        self._monotonic_s = monotonic_s
        self._lock = threading.Lock()
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        """How many were left, and when that was."""

    def wait_s(self, key: str) -> float:
        """In how many seconds it may be done again; 0: now."""
        with self._lock:
            missing = 1 - self._now_left(key)
        return max(0.0, missing / self._per_s)

    def spend(self, key: str) -> None:
        """It was done."""
        with self._lock:
            left = self._now_left(key)
            self._left[key] = max(0.0, left - 1), self._monotonic_s()
            self._left.move_to_end(key)
            while len(self._left) > MOST_KEYS:
                self._left.popitem(last=False)

    def _now_left(self, key: str) -> float:
        if key not in self._left:
            return self._burst
        left, at_s = self._left[key]
        return min(self._burst, left + (self._monotonic_s() - at_s) * self._per_s)
