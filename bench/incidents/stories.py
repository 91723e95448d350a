"""What is recorded, and what is asked of it. Pure.

A story is what becomes one recording: what a mesh exposed at each scrape, and the questions about it, each with the
cause that is known, or with none where nothing was wrong.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import attrs

from vistio_core.configuration import Configuration, loads
from vistio_core.events import Scrape
from vistio_core.times import MINUTE_MS

GAP_AFTER_MS = MINUTE_MS // 2
"""A gap begins so long after a fault."""
Points = Sequence[tuple[int, float]]
"""Of one series: milliseconds and value, by time."""


@attrs.frozen
class Series:
    """One series of an exposition, as Prometheus scraped it."""

    metric: str
    labels: Mapping[str, str]
    points: Points


@attrs.frozen
class Question:
    """One incident, or a normal time."""

    kind: str
    cause: str | None
    """The node that was at fault; None where nobody was."""
    start_ms: int
    end_ms: int


@attrs.frozen
class Story:
    """What becomes one recording."""

    dataset: str
    name: str
    configuration: Path
    interval_ms: int
    span_ms: tuple[int, int]
    """First instant, and before which one it ends."""
    questions: tuple[Question, ...]
    exposed: Callable[[], Iterator[Series]] = attrs.field(repr=False)
    """All that was scraped."""
    told: Callable[[Configuration], Iterator[Scrape]] = attrs.field(repr=False)
    """What the configuration's rules would answer, if they only looked at one scrape: for `direct`."""

    @property
    def loaded(self) -> Configuration:
        """Its configuration, with an address that nobody asks."""
        return loads(self.configuration.read_text() + "prometheusURL: http://127.0.0.1:9090\n")


@attrs.frozen
class Harder:
    """What makes it harder: scrapes that are missing, digits that are, edges that nobody saw."""

    gap_ms: int = 0
    significant_digits: int | None = None
    unseen_share: float = 0.0

    def sees(self, source: str, target: str) -> bool:
        """Whether an edge is seen; which ones are not is always the same."""
        return zlib.crc32(f"{source}>{target}".encode()) % 1000 >= self.unseen_share * 1000

    def scraped(self, at_ms: int, faults_ms: Iterable[int]) -> bool:
        """Whether there was a scrape: there is none in a gap, which begins after each fault."""
        return not any(0 <= at_ms - fault_ms - GAP_AFTER_MS < self.gap_ms for fault_ms in faults_ms)
