"""Clocks in a test's hand."""

from __future__ import annotations


class Seconds:
    """A monotonic clock, which stands still until a test moves it."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s
