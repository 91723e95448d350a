"""When to scrape: aligned instants, whatever the clock and the scrapes do.

The scrape of instant T is due at T + delay. Two clocks are watched: the wall clock says which
instant it is, the monotonic one how much time we lived through. Of the instants that passed since
the last scrape,

- those that we lived through were missed because the scrape before was slow: they are *skipped*,
  which is recorded, and never made up for, so a slow server is not asked more often than a quick one;
- those that a clock set forward jumped over never took place here, nor did those of a machine
  that was asleep: they stay a gap ("not running").

A clock set back shows instants again that are done already: they are waited out, and the others
are scraped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

import attrs

from vistio_core.errors import UsageError
from vistio_core.times import align, format_duration

MAX_SKIPPED = 360
"""Instants recorded as skipped at once; what a longer standstill missed before them stays a gap."""

# Sleeps are short, so that a clock that was set is noticed soon.
_LONGEST_SLEEP_MS = 1_000
# How many instants back a clock may be set without asking for one twice; the log refuses the rest.
_REMEMBERED = 20_000


@attrs.frozen
class Scheduled:
    """An instant to scrape now."""

    instant_ms: int
    skipped: tuple[int, ...] = ()
    """Instants before it that were due while the scrape before was running, oldest first."""
    clock_step_ms: int = 0
    """How far the wall clock was set since the last one, when that is an interval or more."""


@attrs.frozen
class Wait:
    """Nothing is due; look again after this time."""

    wait_ms: int


class Schedule:
    """Decides what is due at a moment. Pure: the caller brings the clocks' readings.

    Raises:
        UsageError: an interval that is not positive, or a negative delay.
    """

    def __init__(self, *, interval_ms: int, delay_ms: int, recorded_ms: int | None = None) -> None:
        """A schedule that starts now.

        Args:
            interval_ms: time between two instants, which are multiples of it since the epoch.
            delay_ms: how long after an instant it is due.
            recorded_ms: an instant that is in the log already; it is not due again.
        """
        if interval_ms <= 0 or delay_ms < 0:
            raise UsageError(
                f"interval {format_duration(interval_ms)}, delay {format_duration(delay_ms)}:"
                " the interval must be greater than 0s and the delay not negative"
            )
        self._interval_ms = interval_ms
        self._delay_ms = delay_ms
        self._done: dict[int, None] = {} if recorded_ms is None else {recorded_ms: None}
        self._last: tuple[int, int, int] | None = (
            None  # instant, wall and monotonic time when it was given out
        )

    def decide(self, now_ms: int, monotonic_ms: int) -> Scheduled | Wait:
        """The newest due instant if it is not done yet, else how long to wait for the next.

        Args:
            now_ms: the wall clock.
            monotonic_ms: a clock that is never set, from any zero.
        """
        newest = align(now_ms - self._delay_ms, self._interval_ms)
        if newest in self._done:
            return Wait(self._next_due_ms(newest) - now_ms)
        skipped, step_ms = self._since_last(newest, now_ms, monotonic_ms)
        self._last = (newest, now_ms, monotonic_ms)
        for instant in (*skipped, newest):
            self._done[instant] = None
        while len(self._done) > _REMEMBERED:
            del self._done[next(iter(self._done))]
        return Scheduled(newest, skipped, step_ms)

    def _next_due_ms(self, instant: int) -> int:
        while instant in self._done:
            instant += self._interval_ms
        return instant + self._delay_ms

    def _since_last(self, newest: int, now_ms: int, monotonic_ms: int) -> tuple[tuple[int, ...], int]:
        if self._last is None:
            return (), 0
        last, wall_ms, lived_from_ms = self._last
        lived_until_ms = wall_ms + monotonic_ms - lived_from_ms
        step_ms = now_ms - lived_until_ms
        until = min(newest, align(lived_until_ms - self._delay_ms, self._interval_ms) + self._interval_ms)
        first = max(last + self._interval_ms, until - MAX_SKIPPED * self._interval_ms)
        skipped = tuple(i for i in range(first, until, self._interval_ms) if i not in self._done)
        return skipped, step_ms if abs(step_ms) >= self._interval_ms else 0


class Stop(Protocol):
    """What ends a schedule: a flag that a sleeper watches."""

    @property
    def requested(self) -> bool: ...

    def wait(self, seconds: float) -> bool:
        """Sleep ``seconds``, or until a stop is requested; whether one is."""
        ...


def due(
    schedule: Schedule, stop: Stop, *, clock: Callable[[], int], monotonic: Callable[[], int]
) -> Iterator[Scheduled]:
    """Each scheduled instant when its time has come, until ``stop`` is requested.

    Args:
        schedule: what decides.
        stop: also what sleeps.
        clock: epoch milliseconds.
        monotonic: milliseconds of a clock that is never set.
    """
    while not stop.requested:
        decision = schedule.decide(clock(), monotonic())
        if isinstance(decision, Scheduled):
            yield decision
        else:
            stop.wait(min(max(decision.wait_ms, 1), _LONGEST_SLEEP_MS) / 1000)
