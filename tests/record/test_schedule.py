"""When what is due: pure, with both clocks in hand."""

from __future__ import annotations

import pytest

from vistio_core.errors import UsageError
from vistio_record.schedule import MAX_SKIPPED, Schedule, Scheduled, Wait, due

NOON = 1_763_899_200_000
INTERVAL = 10_000
DELAY = 2_000


class Clocks:
    """A wall clock that can be set, and a monotonic one that cannot."""

    def __init__(self) -> None:
        self.now_ms = NOON + DELAY
        self.monotonic_ms = 5_000_000

    def live(self, ms: int) -> None:
        self.now_ms += ms
        self.monotonic_ms += ms

    def set_by(self, ms: int) -> None:
        self.now_ms += ms

    def decide(self, schedule: Schedule) -> Scheduled | Wait:
        return schedule.decide(self.now_ms, self.monotonic_ms)


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


@pytest.fixture
def schedule() -> Schedule:
    return Schedule(interval_ms=INTERVAL, delay_ms=DELAY)


@pytest.mark.parametrize(
    ("after_due_ms", "expected"),
    [(-1, NOON - INTERVAL), (0, NOON), (1, NOON)],
)
def test_the_newest_instant_whose_delay_is_over_comes_first(
    schedule: Schedule, after_due_ms: int, expected: int
) -> None:
    assert schedule.decide(NOON + DELAY + after_due_ms, 0) == Scheduled(expected)


def test_after_an_instant_the_next_one_is_waited_for(schedule: Schedule, clocks: Clocks) -> None:
    clocks.decide(schedule)
    clocks.live(300)
    assert clocks.decide(schedule) == Wait(INTERVAL - 300)
    clocks.live(INTERVAL - 301)
    assert clocks.decide(schedule) == Wait(1)
    clocks.live(1)
    assert clocks.decide(schedule) == Scheduled(NOON + INTERVAL)


def test_an_instant_that_is_recorded_already_is_not_due_again(clocks: Clocks) -> None:
    schedule = Schedule(interval_ms=INTERVAL, delay_ms=DELAY, recorded_ms=NOON)
    assert clocks.decide(schedule) == Wait(INTERVAL)


def test_a_recording_that_ends_in_the_future_does_not_keep_the_present_waiting(clocks: Clocks) -> None:
    schedule = Schedule(interval_ms=INTERVAL, delay_ms=DELAY, recorded_ms=NOON + 365 * 86_400_000)
    assert clocks.decide(schedule) == Scheduled(NOON)


@pytest.mark.parametrize(
    ("busy_ms", "skipped"),
    [(2 * INTERVAL - 1, 0), (2 * INTERVAL, 1), (2 * INTERVAL + 1, 1), (5 * INTERVAL, 4)],
)
def test_instants_that_passed_during_a_slow_scrape_are_skipped(
    schedule: Schedule, clocks: Clocks, busy_ms: int, skipped: int
) -> None:
    clocks.decide(schedule)
    clocks.live(busy_ms)
    newest = NOON + (skipped + 1) * INTERVAL
    expected = tuple(range(NOON + INTERVAL, newest, INTERVAL))
    assert clocks.decide(schedule) == Scheduled(newest, expected)
    assert isinstance(clocks.decide(schedule), Wait)


def test_skipped_instants_are_bounded_to_the_newest(schedule: Schedule, clocks: Clocks) -> None:
    clocks.decide(schedule)
    clocks.live(10 * MAX_SKIPPED * INTERVAL)
    decision = clocks.decide(schedule)
    assert isinstance(decision, Scheduled)
    assert len(decision.skipped) == MAX_SKIPPED
    assert decision.skipped[-1] == decision.instant_ms - INTERVAL


def test_a_clock_set_forward_leaves_a_gap_and_skips_nothing(schedule: Schedule, clocks: Clocks) -> None:
    clocks.decide(schedule)
    clocks.live(100)
    clocks.set_by(3_600_000)
    assert clocks.decide(schedule) == Scheduled(NOON + 3_600_000, (), 3_600_000)


def test_a_clock_set_forward_during_a_slow_scrape_skips_what_was_lived_through(
    schedule: Schedule, clocks: Clocks
) -> None:
    clocks.decide(schedule)
    clocks.live(3 * INTERVAL)
    clocks.set_by(100 * INTERVAL)
    decision = clocks.decide(schedule)
    assert isinstance(decision, Scheduled)
    assert decision.instant_ms == NOON + 103 * INTERVAL
    assert decision.skipped == (NOON + INTERVAL, NOON + 2 * INTERVAL, NOON + 3 * INTERVAL)


def test_a_clock_set_back_a_little_gives_no_instant_twice(schedule: Schedule, clocks: Clocks) -> None:
    clocks.decide(schedule)
    clocks.live(10)
    clocks.set_by(-50)
    # The instant before was never scraped, so it is due; then the one that was is waited out.
    assert clocks.decide(schedule) == Scheduled(NOON - INTERVAL)
    decision = clocks.decide(schedule)
    assert decision == Wait(INTERVAL + 40)
    clocks.live(INTERVAL + 40)
    assert clocks.decide(schedule) == Scheduled(NOON + INTERVAL)


def test_a_clock_set_back_an_hour_neither_stalls_nor_repeats(schedule: Schedule, clocks: Clocks) -> None:
    given: list[int] = []
    for step in range(2 * 360):
        if step == 360:
            clocks.set_by(-1_800_000)
        decision = clocks.decide(schedule)
        if isinstance(decision, Scheduled):
            assert decision.skipped == ()
            given.append(decision.instant_ms)
        clocks.live(INTERVAL)
    assert len(set(given)) == len(given)
    # Half an hour is shown twice and waited out; everything else was scraped.
    assert len(given) == 2 * 360 - 180


def test_waiting_is_always_positive_and_never_spins(schedule: Schedule, clocks: Clocks) -> None:
    clocks.decide(schedule)
    for step_ms in (1, -1, 9_999, -9_999, 10_000, -10_000, 123_457, -123_457):
        clocks.set_by(step_ms)
        for _ in range(2):
            decision = clocks.decide(schedule)
        assert isinstance(decision, Wait)
        assert decision.wait_ms > 0


@pytest.mark.parametrize(("interval_ms", "delay_ms"), [(0, 0), (-1, 0), (1, -1)])
def test_times_that_make_no_schedule_are_refused(interval_ms: int, delay_ms: int) -> None:
    with pytest.raises(UsageError, match="interval"):
        Schedule(interval_ms=interval_ms, delay_ms=delay_ms)


class SleepUntil:
    """A stop that is requested when its sleeps add up to a time."""

    def __init__(self, clocks: Clocks, stop_ms: int) -> None:
        self._clocks = clocks
        self._stop_ms = stop_ms
        self.longest_s = 0.0

    @property
    def requested(self) -> bool:
        return self._clocks.monotonic_ms >= self._stop_ms

    def wait(self, seconds: float) -> bool:
        self.longest_s = max(self.longest_s, seconds)
        self._clocks.live(round(seconds * 1000))
        return self.requested


def test_due_gives_every_instant_in_its_time_with_short_sleeps(schedule: Schedule, clocks: Clocks) -> None:
    stop = SleepUntil(clocks, clocks.monotonic_ms + 3 * INTERVAL)
    given = [
        (scheduled.instant_ms, clocks.now_ms)
        for scheduled in due(
            schedule, stop, clock=lambda: clocks.now_ms, monotonic=lambda: clocks.monotonic_ms
        )
    ]
    assert given == [(NOON + n * INTERVAL, NOON + n * INTERVAL + DELAY) for n in range(3)]
    assert stop.longest_s <= 1.0


@pytest.mark.parametrize(
    ("by_ms", "told_ms"), [(INTERVAL - 1, 0), (INTERVAL, INTERVAL), (INTERVAL + 1, INTERVAL + 1)]
)
@pytest.mark.parametrize("sign", [1, -1], ids=["forward", "back"])
def test_a_clock_that_was_set_by_an_interval_or_more_is_told(
    schedule: Schedule, clocks: Clocks, by_ms: int, told_ms: int, sign: int
) -> None:
    clocks.decide(schedule)
    clocks.live(100 * INTERVAL)
    clocks.set_by(sign * by_ms)
    decision = clocks.decide(schedule)
    assert isinstance(decision, Scheduled)
    assert decision.clock_step_ms == sign * told_ms


@pytest.mark.parametrize(
    ("lived_ms", "skipped"),
    [(INTERVAL - 1, 0), (INTERVAL, 1), (INTERVAL + 1, 1), (2 * INTERVAL - 1, 1), (2 * INTERVAL, 2)],
)
def test_an_instant_was_lived_through_once_its_delay_was_over(
    schedule: Schedule, clocks: Clocks, lived_ms: int, skipped: int
) -> None:
    """Clocks start at the moment at which NOON is due."""
    clocks.decide(schedule)
    clocks.live(lived_ms)
    clocks.set_by(100 * INTERVAL)
    decision = clocks.decide(schedule)
    assert isinstance(decision, Scheduled)
    assert decision.skipped == tuple(NOON + (index + 1) * INTERVAL for index in range(skipped))


def test_the_shortest_interval_and_no_delay_make_a_schedule() -> None:
    assert Schedule(interval_ms=1, delay_ms=0).decide(NOON, 0) == Scheduled(NOON)
