"""Whether the windows of a query hold two scrapes, without which there is no rate. No I/O here.

A metric that is scraped each minute has a rate over ``[1m]`` at the moment of a scrape at best. At all other instants
the answer is empty, and nothing happened as little as it did not: such an answer is none.

    scrapes           :00                 :60
    instant           :00  :10 ... :50    :60
    samples in [1m]     2    1 ...   1      2
    answer            one   none    none  one

What is asked is when the series of the metric that has most samples was scraped lately. So a metric that has just
begun, or has vanished, tells as well as another, as soon as it has three samples.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from statistics import median_low

import attrs
import msgspec

from vistio_core.errors import InvalidTimeError
from vistio_core.times import MINUTE_MS, SECOND_MS, format_duration, parse_duration
from vistio_record.sources.answer import QueryAnswer, decode_matrix
from vistio_record.sources.base import NO_DATA
from vistio_record.sources.promql_names import windows

_LEAST = 2
_LATE = 1.05
"""Scrapes come a little late at times, and a window that holds two but for that is as its author meant it."""
_WINDOWS = 10
# What is known of fewer samples than that could be chance.
_FEW = 3
# How often a metric is scraped changes when somebody changes it.
_KNOWN_MS = 10 * MINUTE_MS
_UNKNOWN_MS = MINUTE_MS

Ask = Callable[[str], QueryAnswer]


@attrs.frozen
class Sampled:
    """How far apart a metric's samples are, beside a window over which a rate of it is taken."""

    metric: str
    window: str
    window_ms: int
    apart_ms: int
    """As a rule: now and then a scrape fails, or Prometheus was away."""

    @property
    def is_too_rare(self) -> bool:
        """Whether windows hold two of them at times only."""
        return _LEAST * self.apart_ms > _LATE * self.window_ms

    @property
    def enough(self) -> str:
        """A window that is long enough: it has room for a scrape that fails."""
        return format_duration(4 * self._about_ms)

    @property
    def _about_ms(self) -> int:
        return max(SECOND_MS, round(self.apart_ms / SECOND_MS) * SECOND_MS)

    def __str__(self) -> str:
        apart = format_duration(self._about_ms)
        return f"{self.metric} has a sample each {apart} or so, and a rate over [{self.window}] takes two"


def sampled(query: str, ask: Ask) -> Iterator[Sampled | None]:
    """Of each metric that ``query`` takes a rate of; None of one of which not enough is known.

    Raises:
        SourceError: the server does not say.
    """
    for metric, window in windows(query):
        try:
            window_ms = parse_duration(window)
        except InvalidTimeError:
            continue  # the server will say so
        lately = f"[{_WINDOWS * window_ms}ms]"
        fullest = ask(f"topk(1, count_over_time({metric}{lately}))").series
        times_ms = _times_ms(ask(_selector(metric, fullest[0].labels) + lately)) if fullest else []
        if len(times_ms) < _FEW:
            yield None
        else:
            apart_ms = median_low(later - earlier for earlier, later in pairwise(times_ms))
            yield Sampled(metric, window, window_ms, apart_ms)


class Windows:
    """What is known of the windows of queries to one server. One thread uses it at a time."""

    def __init__(self) -> None:
        self._known: dict[str, _Learned] = {}

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
        if known is None or not known.holds_at(instant_ms):
            found = list(sampled(query, ask))
            rare = next((each for each in found if each is not None and each.is_too_rare), None)
            why = None if rare is None else f"{NO_DATA}: {rare}; take [{rare.enough}]"
            known = self._known[query] = _Learned(
                instant_ms, _UNKNOWN_MS if None in found else _KNOWN_MS, why
            )
        return known.why


@attrs.frozen
class _Learned:
    """Why a query's empty answers are none, if so, and from when to when that is known."""

    asked_ms: int
    for_ms: int
    why: str | None

    def holds_at(self, instant_ms: int) -> bool:
        return abs(instant_ms - self.asked_ms) < self.for_ms


def _selector(metric: str, labels: Mapping[str, str]) -> str:
    told = {"__name__": metric, **labels}
    return "{" + ",".join(f"{_label(name)}={_quoted(value)}" for name, value in told.items()) + "}"


def _label(name: str) -> str:
    return name if re.fullmatch("[a-zA-Z_][a-zA-Z0-9_]*", name) else _quoted(name)


def _quoted(text: str) -> str:
    return msgspec.json.encode(text).decode()


def _times_ms(answer: QueryAnswer) -> list[int]:
    """When the samples of one series were taken."""
    times_ms = {
        round(sample[0] * SECOND_MS)
        for series in decode_matrix(answer.matrix)
        for sample in (*series.values, *series.histograms)
    }
    return sorted(times_ms)
