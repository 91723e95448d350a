"""Answers that are made once for all who ask the same meanwhile, and kept for a while.

Whoever asks first makes it; who asks before it is made waits for that one; who asks later is given what was kept.
What is kept, and what has to go, is the business of `vistio_core.cache`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FuturesTimeoutError
from contextlib import AbstractContextManager, nullcontext
from operator import attrgetter
from typing import Generic, TypeVar

import attrs

from vistio_core.cache import Cache

T = TypeVar("T")

_SOON_S = 0.2
"""Most answers are made sooner than that, and who waits no longer for them does not count."""


@attrs.frozen
class _Made(Generic[T]):
    """A value, and what its maker said of it."""

    value: T
    ttl_s: float
    weight_bytes: int


class Shared(Generic[T]):
    """A bounded cache whose values are made once, while everyone else who wants one waits.

    Errors go to all who wait and are not kept: the next question tries again.
    """

    def __init__(self, max_bytes: int, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._lock = threading.Lock()
        self._making: dict[object, Future[T]] = {}
        self._kept: Cache[object, _Made[T]] = Cache(
            max_bytes, attrgetter("weight_bytes"), lasts_s=attrgetter("ttl_s"), monotonic_s=monotonic
        )

    @property
    def weight_bytes(self) -> int:
        """What is kept weighs so much."""
        return self._kept.weight

    def shrink(self, most_bytes: int) -> None:
        """Keep no more than so much, of what was used last."""
        self._kept.shrink(most_bytes)

    def get(
        self,
        key: object,
        make: Callable[[], tuple[T, float, int]],
        sharing: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> tuple[T, str]:
        """The value for ``key`` and how it came: ``hit``, ``shared`` or ``made``.

        Args:
            key: hashable; equal keys mean equal values.
            make: makes the value, and says for how many seconds and at what weight in bytes
                it may be kept. Called outside of all locks.
            sharing: entered where one waits for long for what another one makes.
        """
        # Looked up and, where it is missing, announced under one lock: else two could make the same.
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None:
                return kept.value, "hit"
            future = self._making.get(key)
            mine = future is None
            if future is None:
                future = self._making[key] = Future()
        if not mine:
            try:
                return future.result(_SOON_S), "shared"
            except FuturesTimeoutError:
                if future.done():
                    raise  # what its maker raised
            with sharing():
                return future.result(), "shared"
        try:
            made = _Made(*make())
        except BaseException as error:
            with self._lock:
                del self._making[key]
            future.set_exception(error)
            raise
        with self._lock:
            del self._making[key]
            self._kept.put(key, made)
        future.set_result(made.value)
        return made.value, "made"
