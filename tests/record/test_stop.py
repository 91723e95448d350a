"""Signals to this very process: they stop, they hang up, and afterwards everything is as before."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator

import pytest

from vistio_record.stop import StopRequest


@pytest.fixture
def stop() -> Iterator[StopRequest]:
    stop = StopRequest()
    yield stop
    stop.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_wakes_whoever_waits_for_a_stop(stop: StopRequest, number: signal.Signals) -> None:
    stop.on_signals()
    threading.Timer(0.01, os.kill, (os.getpid(), number)).start()
    assert stop.wait(20)
    assert stop.requested


def test_a_hangup_is_told_and_stops_nothing(stop: StopRequest) -> None:
    hangup = threading.Event()
    stop.on_signals(hangup)
    os.kill(os.getpid(), signal.SIGHUP)
    assert hangup.wait(20)
    assert not stop.requested


def test_a_stop_by_call_is_not_the_first_of_two_signals(stop: StopRequest) -> None:
    hangup = threading.Event()
    stop.on_signals(hangup)
    stop.request()
    os.kill(os.getpid(), signal.SIGTERM)  # as the first signal it must not end the process
    os.kill(os.getpid(), signal.SIGHUP)
    assert hangup.wait(20)


def test_closing_puts_everything_back(stop: StopRequest) -> None:
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    handlers = [signal.getsignal(number) for number in numbers]
    threads = threading.active_count()
    stop.on_signals(threading.Event())
    assert [signal.getsignal(number) for number in numbers] != handlers
    stop.close()
    assert [signal.getsignal(number) for number in numbers] == handlers
    assert signal.set_wakeup_fd(-1) == -1
    assert threading.active_count() == threads


def test_without_interest_a_hangup_keeps_its_usual_effect(stop: StopRequest) -> None:
    before = signal.getsignal(signal.SIGHUP)
    stop.on_signals()
    assert signal.getsignal(signal.SIGHUP) == before
