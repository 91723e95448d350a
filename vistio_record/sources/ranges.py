"""One question about many instants: range queries, cut back into what live answers would have been.

Per rule, `query_range` is asked for a chunk of instants; its matrix is cut into one vector for each
instant, and that goes the way of a live answer. Three things could make it another answer than
live, and are dealt with, and a fourth could make it none:

- A range query answers a matrix even where an instant query answers a scalar. A few functions
  (``@ end()``) know which range they are in. And VictoriaMetrics looks back less far in a range. So
  each rule is asked by instant queries too: for the first instant, and for the first one at which a
  series has vanished. What is no vector stays none; what differs is asked instant by instant.
- A chunk can be too much for the server or for us, or one instant in it can be in error. It is
  halved, down to a single instant, whose error is that instant's own.
- The server may not have been collecting data then; see `evidence`.
- It may call its answer partial. All of the chunk is worth asking for again then, later; what follows is asked now.

A server that cannot be reached is asked once; its rules are *unreached* for the rest of the run,
and those of other servers go on. No I/O here: the questions are asked by a `Questions`.

    a run of instants 0 to 99, one rule of 5,000 series
    chunk 0-9      as many as first; answered with 5,000 series
    chunk 10-49    four times as many: 200,000 points are as much as is held at a time
                   refused as too large: halved, 10-29 and 30-49, and again where that is refused, too

What must not be in here: how a matrix is cut (`matrix`), what a series becomes (`mapped`), and why a server should be
believed (`evidence`).
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, repeat
from typing import Protocol, TypeAlias

import attrs

from vistio_core.errors import SourceError
from vistio_core.events import Measurement, Outcome, RuleKey, RuleOutcome, Sample
from vistio_core.samples import Samples
from vistio_core.times import MINUTE_MS, align, format_duration, system_now_ms
from vistio_record.sources import evidence
from vistio_record.sources.answer import PARTIAL, QueryAnswer, RangeSeries
from vistio_record.sources.base import NO_DATA, Evaluation
from vistio_record.sources.matrix import Labels, alike, at_end, cut, first_vanishing
from vistio_record.sources.servers import Server
from vistio_record.sources.windows import Windows, longest_ms

log = logging.getLogger(__name__)

MOST_POINTS = 200_000
"""Of all rules in one chunk together: some 30 MB while they are held."""
MOST_INSTANTS = 1_000
"""In one chunk. Prometheus refuses more than 11,000 points of a series."""
_FIRST_INSTANTS = 10
_GROWTH = 4
# A question that takes longer than this keeps others waiting: the next chunk is smaller.
_LONG_S = 1.0
# Prometheus' lookback: it does not see a scrape that is older.
LOOKBACK_MS = 5 * MINUTE_MS
# What a server says of the query itself, not of its own condition. VictoriaMetrics names the status.
_NO_DATA = "no_data"
_FACTS = frozenset({"execution", "bad_data", "too_large", "400", "422", _NO_DATA})
# `@ start()` and `@ end()`, and MetricsQL's functions: they depend on the range.
_KNOWS_ITS_RANGE = re.compile(r"\b(?:start|end|step|range)\s*\(\s*\)")


class Questions(Protocol):
    """Who asks the servers. Both methods raise `SourceError`."""

    def at(self, server: Server, promql: str, instant_ms: int) -> QueryAnswer: ...

    def over(
        self, server: Server, promql: str, instants: range
    ) -> tuple[list[RangeSeries], tuple[str, ...]]: ...


@attrs.frozen
class RangeRule:
    """A rule, as it is asked."""

    key: RuleKey
    query: str
    server: Server
    meaning: Callable[[QueryAnswer], Evaluation]
    """What a live answer means: an evaluation of this rule alone."""


@attrs.frozen
class _Failed:
    error: SourceError

    @property
    def reached(self) -> bool:
        return self.error.answered in _FACTS


_Got: TypeAlias = QueryAnswer | _Failed


def evaluate(
    rules: Sequence[RangeRule],
    instants: range,
    questions: Questions,
    *,
    now_ms: Callable[[], int] = system_now_ms,
) -> Iterator[tuple[int, Evaluation]]:
    """As `vistio_record.sources.base.AnswersRanges.evaluate_range`, for these rules."""
    asked = [_RuleOverRange(rule, questions) for rule in rules]
    longest: dict[Server, int] = {}
    for rule in rules:
        longest[rule.server] = max(longest.get(rule.server, 0), longest_ms(rule.query))
    history = {
        server: _History(server, window_ms, instants, questions, now_ms)
        for server, window_ms in longest.items()
    }
    size, done = _FIRST_INSTANTS, 0
    while done < len(instants):
        chunk = instants[done : done + size]
        answers = [one.ask(chunk) for one in asked]
        for instant_ms, got in zip(chunk, zip(*answers, strict=True), strict=True):
            yield instant_ms, _together(instant_ms, asked, got, history)
        done += len(chunk)
        series = sum(one.series for one in asked)
        size = min(_GROWTH * len(chunk), MOST_INSTANTS, max(1, MOST_POINTS // max(1, series)))
        if any(one.seconds > _LONG_S for one in asked):
            size = max(1, min(size, len(chunk) // 2))


def _together(
    instant_ms: int,
    asked: Sequence[_RuleOverRange],
    got: Sequence[_Got],
    history: dict[Server, _History],
) -> Evaluation:
    """What all rules say of one instant."""
    outcomes: list[RuleOutcome] = []
    samples: list[Sequence[Sample]] = []
    measurements: list[Measurement] = []
    unreached: set[RuleKey] = set()
    # The weaker evidence, for servers without `up`.
    with_series = {
        one.rule.server
        for one, answer in zip(asked, got, strict=True)
        if isinstance(answer, QueryAnswer) and answer.count
    }
    for one, answer in zip(asked, got, strict=True):
        rule = one.rule
        try:
            if isinstance(answer, _Failed):
                raise answer.error
            seen = rule.meaning(answer)
            if seen.outcomes[0].outcome is Outcome.OK:
                had_data = history[rule.server].collecting(instant_ms)
                if not (rule.server in with_series if had_data is None else had_data):
                    raise SourceError(no_data(rule.server), answered=_NO_DATA)
                of_server = history[rule.server]
                if why := of_server.cut_short(rule, instant_ms) or of_server.rarely_scraped(
                    rule, instant_ms, answer.count > 0
                ):
                    raise SourceError(why, answered=_NO_DATA)
        except SourceError as error:
            outcomes.append(RuleOutcome(*rule.key, Outcome(error.kind), str(error)))
            if error.answered not in _FACTS:
                unreached.add(rule.key)
        else:
            outcomes.append(attrs.evolve(seen.outcomes[0], duration_ms=one.duration_ms))
            samples.append(seen.samples)
            measurements.extend(seen.measurements)
    return Evaluation(tuple(outcomes), Samples.joined(samples), tuple(measurements), frozenset(unreached))


def no_data(server: Server) -> str:
    """Why what a server says of an instant is no answer."""
    return f"{NO_DATA}: {server.shown} collected none then, or does not keep it so long"


def cut_short(server: Server, outages: evidence.Outages, query: str, instant_ms: int) -> str | None:
    """Why a rate that looks back into an outage of its server is no answer; None where it does not."""
    window_ms = longest_ms(query)
    if not window_ms or not outages.begins_in(instant_ms - window_ms):
        return None
    return f"{NO_DATA}: a rate over [{format_duration(window_ms)}] looks back to when {server.shown} collected none"


class _RuleOverRange:
    """What one rule says of each instant of a run, chunk by chunk."""

    def __init__(self, rule: RangeRule, questions: Questions) -> None:
        self.rule = rule
        self.series = 0
        """In the answers about the last chunk."""
        self.seconds = 0.0
        """How long the longest question about the last chunk took."""
        self.duration_ms = 0.0
        """Of the last chunk, per instant."""
        self._questions = questions
        self._always: _Got | None = None
        """Once it is known: what it says of every instant."""
        self._one_by_one = _KNOWS_ITS_RANGE.search(rule.query) is not None
        self._first: tuple[int, QueryAnswer] | None = None
        """The answer to an instant query, until it is compared with that to a range query."""
        self._began = False
        self._vanishing_is_alike = False
        self._present: frozenset[Labels] = frozenset()
        """Series at the last instant of the chunk before."""
        self._most = MOST_INSTANTS

    def ask(self, chunk: range) -> Iterator[_Got]:
        """One answer for each instant; what can be asked at once is asked before this returns."""
        self.series, self.seconds = 0, 0.0
        started_s = time.monotonic()
        if not self._began and not self._one_by_one and len(chunk) > 1:
            got = self._at(chunk[0])
            if isinstance(got, QueryAnswer) and got.result_type == "vector":
                self._first = (chunk[0], got)
            elif isinstance(got, QueryAnswer) or got.error.answered == "bad_data":
                self._always = got
        self._began = True
        answers = self._over(chunk)
        self.duration_ms = (time.monotonic() - started_s) * 1000 / len(chunk)
        return answers

    def _at(self, instant_ms: int) -> _Got:
        if self._always is not None:
            return self._always
        try:
            return self._questions.at(self.rule.server, self.rule.query, instant_ms)
        except SourceError as error:
            failed = _Failed(error)
            if not failed.reached and error.answered != PARTIAL:
                self._always = failed
            return failed

    def _over(self, chunk: range) -> Iterator[_Got]:
        if self._always is not None:
            return repeat(self._always, len(chunk))
        if self._one_by_one or len(chunk) == 1:
            return map(self._at, chunk)
        if len(chunk) > self._most:
            return self._halved(chunk)
        started_s = time.monotonic()
        try:
            series, warnings = self._questions.over(self.rule.server, self.rule.query, chunk)
        except SourceError as error:
            if self._worth_halving(error, chunk):
                self._most = max(1, len(chunk) // 2)
                return self._halved(chunk)
            failed = _Failed(error)
            if error.answered != PARTIAL:
                self._always = failed
            return repeat(failed, len(chunk))
        finally:
            self.seconds = max(self.seconds, time.monotonic() - started_s)
        self.series += len(series)
        self._most = min(MOST_INSTANTS, max(self._most, _GROWTH * len(chunk)))
        if not self._is_like_live(series, chunk):
            log.info("range.differs", extra={"cluster": self.rule.key[0], "rule": self.rule.key[1]})
            self._one_by_one = True
            return map(self._at, chunk)
        return (QueryAnswer("vector", vector, len(vector), warnings) for vector in cut(series, chunk))

    def _is_like_live(self, series: list[RangeSeries], chunk: range) -> bool:
        """Whether the matrix says what instant queries say, where they are most likely to differ."""
        if self._first is not None:
            instant_ms, live = self._first
            self._first = None
            if not alike(series, instant_ms, live):
                return False
        if self._vanishing_is_alike:
            return True
        vanished_ms = first_vanishing(series, chunk, self._present)
        self._present = at_end(series, chunk)
        if vanished_ms is not None:
            got = self._at(vanished_ms)
            self._vanishing_is_alike = isinstance(got, QueryAnswer) and alike(series, vanished_ms, got)
            return self._vanishing_is_alike
        return True

    def _halved(self, chunk: range) -> Iterator[_Got]:
        half = len(chunk) // 2
        return chain(self._over(chunk[:half]), self._over(chunk[half:]))

    def _worth_halving(self, error: SourceError, chunk: range) -> bool:
        if error.answered in _FACTS:
            return True
        if error.kind != "timeout":
            return False
        self._at(chunk[0])  # was it too much for its time, or does the server not answer at all?
        return self._always is None


class _History:
    """Whether a server was collecting data at each instant of a run."""

    def __init__(
        self, server: Server, window_ms: int, instants: range, questions: Questions, now_ms: Callable[[], int]
    ) -> None:
        self._server = server
        self._window_ms = window_ms
        self._instants = instants
        self._questions = questions
        self._now_ms = now_ms
        self._chunk = range(0)
        self._collecting: frozenset[int] = frozenset()
        self._usual_ms: int | None = None
        self._unknown = False
        self._has_up = False
        self._windows = Windows()
        self._outages = evidence.Outages()
        self._collected_before = False

    def cut_short(self, rule: RangeRule, instant_ms: int) -> str | None:
        """Why a rule's answer is none, where its window begins in an outage of the server.

        Raises:
            SourceError: it cannot be reached.
        """
        if self.collecting(instant_ms) is None:
            return None
        return cut_short(self._server, self._outages, rule.query, instant_ms)

    def rarely_scraped(self, rule: RangeRule, instant_ms: int, has_series: bool) -> str | None:
        """Why a rule's answer is none, where its window is too short for the rates of all series.

        Raises:
            SourceError: it cannot be reached.
        """
        try:
            return self._windows.refusal(
                rule.query,
                instant_ms,
                lambda promql: self._questions.at(self._server, promql, instant_ms),
                has_series=has_series,
            )
        except SourceError as error:
            if error.answered not in _FACTS:
                raise
            return None

    def collecting(self, instant_ms: int) -> bool | None:
        """None when the server does not tell: it has no ``up``.

        Raises:
            SourceError: it cannot be reached.
        """
        if not self._unknown and instant_ms not in self._chunk:
            index = self._instants.index(instant_ms)
            self._load(self._instants[index : index + MOST_INSTANTS])
        return None if self._unknown else instant_ms in self._collecting

    def _load(self, chunk: range) -> None:
        step_ms = chunk.step
        margin_ms = -(-LOOKBACK_MS // step_ms) * step_ms
        before_ms = -(-(LOOKBACK_MS + self._window_ms) // step_ms) * step_ms
        from_ms = chunk[0] - min(before_ms, align(chunk[0], step_ms))
        until_ms = chunk[-1] + min(margin_ms, align(max(0, self._now_ms() - chunk[-1]), step_ms))
        newest = self._ask(range(from_ms, until_ms + step_ms, step_ms))
        if newest:
            self._has_up = True
        elif not self._has_up and not self._unknown:
            self._has_up = bool(
                self._questions.at(self._server, evidence.NEWEST_SCRAPE, self._now_ms()).count
            )
            self._unknown = not self._has_up
        self._usual_ms = evidence.usual_distance_ms(newest) or self._usual_ms
        self._collecting = evidence.collecting(chunk, newest, until_ms=until_ms, usual_ms=self._usual_ms)
        self._outages = evidence.Outages.of(newest, self._usual_ms, collected_before=self._collected_before)
        self._collected_before = self._collected_before or bool(newest)
        self._chunk = chunk

    def _ask(self, grid: range) -> dict[int, int]:
        """Instant to the newest scrape's time; without the instants at which there is none."""
        try:
            series, _ = self._questions.over(self._server, evidence.NEWEST_SCRAPE, grid)
        except SourceError as error:
            if error.answered not in _FACTS:
                raise
            if len(grid) < _FIRST_INSTANTS or self._unknown:
                self._unknown = True
                return {}
            half = len(grid) // 2
            return {**self._ask(grid[:half]), **self._ask(grid[half:])}
        return evidence.newest_scrapes(series)
