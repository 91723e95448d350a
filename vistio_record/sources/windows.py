"""Whether the windows of a query hold two scrapes, without which there is no rate. No I/O here.

A metric that is scraped each minute has a rate over ``[1m]`` at the moment of a scrape at best. At all other instants
the answer is empty, and nothing happened as little as it did not: such an answer is none.

    scrapes           :00                 :60
    instant           :00  :10 ... :50    :60
    samples in [1m]     2    1 ...   1      2
    answer            one   none    none  one

What is asked is when the series of the metric that has most samples was scraped lately. So a metric that has just
begun, or has vanished, tells as well as another, as soon as it has three samples.

Pods are scraped at different moments. Where each has a rate at times only, an answer has some of them, and its sums
are a part; it is none, unless every series that has a sample in the window has a rate there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import cache
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
    for metric, window in _readable(query):
        window_ms = parse_duration(window)
        lately = f"[{_WINDOWS * window_ms}ms]"
        fullest = ask(f"topk(1, count_over_time({metric}{lately}))").series
        times_ms = _times_ms(ask(_selector(metric, fullest[0].labels) + lately)) if fullest else []
        if len(times_ms) < _FEW:
            yield None
        else:
            apart_ms = median_low(later - earlier for earlier, later in pairwise(times_ms))
            yield Sampled(metric, window, window_ms, apart_ms)


@cache
def longest_ms(query: str) -> int:
    """The longest window over which ``query`` takes a rate, in milliseconds; 0 where it takes none."""
    return max((parse_duration(window) for _, window in _readable(query)), default=0)


class Windows:
    """What is known of the windows of queries to one server. One thread uses it at a time."""

    def __init__(self) -> None:
        self._known: dict[str, _Learned] = {}
        self._full: dict[tuple[str, str], int] = {}
        """Metrics and windows that were seen to hold enough samples, and when."""

    def knows(self, query: str, instant_ms: int) -> bool:
        """Whether it is known already if the windows of ``query`` hold two scrapes."""
        known = self._known.get(query)
        return (known is not None and known.holds_at(instant_ms)) or not windows(query)

    def refusal(self, query: str, instant_ms: int, ask: Ask, *, has_series: bool = False) -> str | None:
        """Why an answer to ``query`` is none; None when it is one.

        Args:
            query: what was asked.
            instant_ms: of when.
            ask: asks for something else at that instant.
            has_series: whether the answer has some.

        Raises:
            SourceError: the server does not say.
        """
        known = self._known.get(query)
        if known is None or not known.holds_at(instant_ms):
            known = self._known[query] = self._learn(query, instant_ms, ask, has_series)
        if known.rare is None or (has_series and not _in_part(known.rare, ask)):
            return None
        return f"{NO_DATA}: {known.rare}; take [{known.rare.enough}]"

    def _learn(self, query: str, instant_ms: int, ask: Ask, has_series: bool) -> _Learned:
        if has_series and all(self._is_full(*each, instant_ms, ask) for each in windows(query)):
            return _Learned(instant_ms, _KNOWN_MS, None)
        found = list(sampled(query, ask))
        rare = next((each for each in found if each is not None and each.is_too_rare), None)
        return _Learned(instant_ms, _UNKNOWN_MS if None in found else _KNOWN_MS, rare)

    def _is_full(self, metric: str, window: str, instant_ms: int, ask: Ask) -> bool:
        """Whether some window holds three samples: then each holds two. Known of all queries that have it."""
        full_ms = self._full.get((metric, window))
        if full_ms is None or abs(instant_ms - full_ms) >= _KNOWN_MS:
            most = ask(f"max(count_over_time({metric}[{window}]))").series
            if not most or most[0].value is None or not float(most[0].value[1]) >= _FEW:
                return False
            self._full[metric, window] = instant_ms
        return True


@attrs.frozen
class _Learned:
    """Of which metric a query's windows hold two scrapes at times only, if so, and from when to when that is known."""

    asked_ms: int
    for_ms: int
    rare: Sampled | None

    def holds_at(self, instant_ms: int) -> bool:
        return abs(instant_ms - self.asked_ms) < self.for_ms


def _readable(query: str) -> Iterator[tuple[str, str]]:
    """Names and windows; of those that are no durations the server will say so."""
    for metric, window in windows(query):
        with suppress(InvalidTimeError):
            parse_duration(window)
            yield metric, window


def _in_part(rare: Sampled, ask: Ask) -> bool:
    """Whether a series that was scraped in the window has no rate."""
    over = f"{rare.metric}[{rare.window}]"
    return ask(f"count(count_over_time({over}) unless rate({over}))").count > 0


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
