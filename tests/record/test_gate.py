"""Live scrapes go first."""

from __future__ import annotations

import threading

import pytest

from vistio_record.gate import Gate, Stopped

NOON = 1_763_899_200_000
INTERVAL = 10_000
DELAY = 2_000


def gate(now_ms: int = NOON + DELAY + 1_000) -> Gate:
    return Gate(INTERVAL, DELAY, lambda: now_ms)


@pytest.mark.parametrize(
    ("now_ms", "closing_ms"),
    [
        (NOON + DELAY, 0),
        (NOON + DELAY + INTERVAL - 501, 0),
        (NOON + DELAY + INTERVAL - 500, 500),
        (NOON + DELAY + INTERVAL - 1, 1),
        (NOON + DELAY + INTERVAL, 0),
    ],
)
def test_the_gate_closes_half_a_second_before_a_scrape_is_due(now_ms: int, closing_ms: int) -> None:
    assert gate().closing_ms(now_ms) == closing_ms


def test_with_a_short_interval_it_closes_for_a_tenth_of_it() -> None:
    short = Gate(1_000, 0, lambda: NOON)
    assert (short.closing_ms(NOON + 899), short.closing_ms(NOON + 900)) == (0, 100)


def test_nobody_waits_at_an_open_gate() -> None:
    gate().wait()


def test_who_comes_during_a_live_scrape_waits_until_its_end() -> None:
    closed = gate()
    waiting, passed = threading.Event(), threading.Event()

    def wait() -> None:
        waiting.set()
        closed.wait()
        passed.set()

    with closed.live():
        thread = threading.Thread(target=wait)
        thread.start()
        assert waiting.wait(10)
        assert not passed.wait(0.1)
    assert passed.wait(10)
    thread.join(10)


def test_a_scrape_that_fails_opens_the_gate_too() -> None:
    opened = gate()
    with pytest.raises(ZeroDivisionError), opened.live():
        raise ZeroDivisionError
    opened.wait()


def test_before_a_scrape_is_due_the_gate_is_waited_for_by_the_clock() -> None:
    readings = iter([NOON + DELAY - 30, NOON + DELAY - 30, NOON + DELAY])
    Gate(INTERVAL, DELAY, lambda: next(readings)).wait()
    assert next(readings, None) is None


def test_a_stop_sends_everybody_away() -> None:
    closed = gate()
    gone = threading.Event()

    def wait() -> None:
        with pytest.raises(Stopped):
            closed.wait()
        gone.set()

    with closed.live():
        thread = threading.Thread(target=wait)
        thread.start()
        closed.stop()
        assert gone.wait(10)
    thread.join(10)
    with pytest.raises(Stopped):
        closed.wait()
