"""Whether the windows of a query hold two scrapes, without which there is no rate. No I/O here.

A metric that is scraped each minute has a rate over ``[1m]`` at the moment of a scrape at best. At all other instants
the answer is empty, and nothing happened as little as it did not: such an answer is none.

    scrapes           :00                 :60
    instant           :00  :10 ... :50    :60
    samples in [1m]     2    1 ...   1      2
    answer            one   none    none  one

What is asked is how many samples a series of the metric has in each of the newest ten windows, at most. A metric that
is new, or has vanished, has few in all of them, but was scraped often for a while: some window tells.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import attrs

from vistio_core.errors import InvalidTimeError
from vistio_core.times import MINUTE_MS, SECOND_MS, align, format_duration, parse_duration
from vistio_record.sources.answer import QueryAnswer
from vistio_record.sources.base import NO_DATA
from vistio_record.sources.promql_names import windows

_LEAST = 2
_WINDOWS = 10
# What is known of fewer samples than that could be chance.
_FEW = 3
# How often a metric is scraped changes when somebody changes it.
_KNOWN_MS = 10 * MINUTE_MS

Ask = Callable[[str], QueryAnswer]


@attrs.frozen
class Sampled:
    """How many samples a metric's series have in windows of a length, those that have most."""

    metric: str
    window: str
    window_ms: int
    in_one: int
    """In that of the newest ten windows that has most."""
    in_ten: int
    """In all of them together."""

    @property
    def is_too_rare(self) -> bool:
        """Whether windows hold two of them at times only. One of twenty may be late."""
        return self.in_one <= _LEAST and _FEW <= self.in_ten < _LEAST * _WINDOWS - 1

    @property
    def apart_ms(self) -> int:
        """How far apart samples are, about."""
        return align(_WINDOWS * self.window_ms // self.in_ten, SECOND_MS)

    @property
    def enough(self) -> str:
        """A window that is long enough: it has room for a scrape that fails."""
        return format_duration(4 * self.apart_ms)

    def __str__(self) -> str:
        apart = format_duration(self.apart_ms)
        return f"{self.metric} has a sample each {apart} or so, and a rate over [{self.window}] takes two"


def sampled(query: str, ask: Ask) -> Iterator[Sampled]:
    """Of each metric that ``query`` takes a rate of, as far as enough is known of it.

    Raises:
        SourceError: the server does not say.
    """
    for metric, window in windows(query):
        try:
            window_ms = parse_duration(window)
        except InvalidTimeError:
            continue  # the server will say so
        # Prometheus before 3 counts both ends of a window, and so at some moments a sample more.
        in_ten = _number(ask(f"max(count_over_time({metric}[{_WINDOWS * window_ms - 1}ms]))"))
        if in_ten < _FEW:
            continue  # as a rule it is not there at all, and its windows need not be looked at one by one
        counted = f"count_over_time({metric}[{window_ms - 1}ms])"
        newest = f"[{(_WINDOWS - 1) * window_ms}ms:{window_ms}ms]"
        in_one = _number(ask(f"max(max_over_time({counted}{newest}))"))
        yield Sampled(metric, window, window_ms, in_one, in_ten)


class Windows:
    """What is known of the windows of queries to one server. One thread uses it at a time."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[int, str | None]] = {}
        """Of a query: when it was asked, and why its empty answers are none."""

    def refusal(self, query: str, instant_ms: int, ask: Ask) -> str | None:
        """Why an empty answer to ``query`` is none; None when it is one.

        Args:
            query: what was asked.
            instant_ms: of when.
            ask: asks for something else at that instant.

        Raises:
            SourceError: the server does not say.
        """
        known = self._known.get(query)
        if known is None or abs(instant_ms - known[0]) >= _KNOWN_MS:
            rare = next((each for each in sampled(query, ask) if each.is_too_rare), None)
            why = None if rare is None else f"{NO_DATA}: {rare}; take [{rare.enough}]"
            known = self._known[query] = instant_ms, why
        return known[1]


def _number(answer: QueryAnswer) -> int:
    values = [float(series.value[1]) for series in answer.series if series.value is not None]
    return int(values[0]) if values else 0
