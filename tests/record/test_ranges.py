"""Chunks, halving, comparison and evidence, with servers whose answers are known to the test."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping

import attrs
import msgspec
import pytest

from vistio_core.errors import SourceError
from vistio_core.events import Outcome, RuleOutcome, Sample
from vistio_record.sources import matrix, ranges
from vistio_record.sources.answer import QueryAnswer, RangeSeries, Series, decode, decode_range
from vistio_record.sources.base import NO_DATA, Evaluation
from vistio_record.sources.evidence import NEWEST_SCRAPE
from vistio_record.sources.servers import Server

START = 1_763_873_400_000
INTERVAL = 10_000
NOW = START + 100 * 3_600_000
ONE = Server.from_url("http://one")
OTHER = Server.from_url("http://other")

Values = Callable[[int], Mapping[str, str]]
"""Instant to the value of each series, by its label ``name``."""


def raw(labels: Mapping[str, str]) -> msgspec.Raw:
    return msgspec.Raw(json.dumps(labels))


@attrs.define
class Servers:
    """Answers range and instant queries from one function, as a right server does."""

    values: dict[str, Values]
    up: Callable[[int], int | None] = lambda instant_ms: instant_ms - instant_ms % 15_000
    most_points: int = 10**9
    unreachable: set[Server] = attrs.field(factory=set)
    instant_answers: dict[str, QueryAnswer] = attrs.field(factory=dict)
    fails_at: dict[str, Callable[[int], SourceError | None]] = attrs.field(factory=dict)
    asked: list[tuple[str, int]] = attrs.field(factory=list)
    """Query and how many instants; 0 for an instant query."""

    def at(self, server: Server, promql: str, instant_ms: int) -> QueryAnswer:
        self.asked.append((promql, 0))
        self._check(server, promql, [instant_ms])
        if promql in self.instant_answers:
            return self.instant_answers[promql]
        vector = [
            Series(raw({"name": name}), (instant_ms / 1000, value))
            for name, value in self._values(promql, instant_ms).items()
        ]
        return QueryAnswer("vector", vector, len(vector))

    def over(self, server: Server, promql: str, instants: range) -> tuple[list[RangeSeries], tuple[str, ...]]:
        self.asked.append((promql, len(instants)))
        self._check(server, promql, instants)
        series: dict[str, list[tuple[float, str]]] = {}
        for instant_ms in instants:
            for name, value in self._values(promql, instant_ms).items():
                series.setdefault(name, []).append((instant_ms / 1000, value))
        if sum(map(len, series.values())) > self.most_points:
            raise SourceError("too many samples", answered="execution")
        return [RangeSeries(raw({"name": name}), points) for name, points in series.items()], ("a warning",)

    def _values(self, promql: str, instant_ms: int) -> Mapping[str, str]:
        if promql == NEWEST_SCRAPE:
            newest = self.up(instant_ms)
            return {} if newest is None else {"": f"{newest / 1000:.3f}"}
        return self.values[promql](instant_ms)

    def _check(self, server: Server, promql: str, instants: range | list[int]) -> None:
        if server in self.unreachable:
            raise SourceError(f"{server.base_url}: connection refused")
        for instant_ms in instants if promql in self.fails_at else ():
            if error := self.fails_at[promql](instant_ms):
                raise error


def rule(query: str, server: Server = ONE) -> ranges.RangeRule:
    def judge(answer: QueryAnswer) -> Evaluation:
        if answer.result_type != "vector":
            outcome = RuleOutcome("", query, Outcome.FAILED, f"a {answer.result_type}")
            return Evaluation((outcome,))
        samples = tuple(
            Sample("", query, one.labels["name"], "t", "", float(one.value[1]))
            for one in answer.series
            if one.value
        )
        outcome = RuleOutcome("", query, Outcome.OK, series=answer.count, warnings=answer.warnings)
        return Evaluation((outcome,), samples)

    return ranges.RangeRule(("", query), query, server, judge)


def run(
    servers: Servers, count: int, *rules: ranges.RangeRule, start: int = START
) -> list[tuple[int, Evaluation]]:
    instants = range(start, start + count * INTERVAL, INTERVAL)
    found = list(ranges.evaluate(rules, instants, servers, now_ms=lambda: NOW))
    assert [instant for instant, _ in found] == list(instants)
    return found


def rates(found: list[tuple[int, Evaluation]]) -> list[dict[str, float]]:
    return [{sample.source: sample.rate for sample in seen.samples} for _, seen in found]


def counting(instant_ms: int) -> Mapping[str, str]:
    """Series ``always``, and ``sometimes`` at every third instant."""
    index = (instant_ms - START) // INTERVAL
    return {"always": repr(index + 0.1)} | ({"sometimes": "7"} if index % 3 == 0 else {})


def test_a_matrix_is_cut_into_the_vector_of_each_instant() -> None:
    found = run(Servers({"q": counting}), 25, rule("q"))
    assert rates(found) == [{n: float(v) for n, v in counting(instant).items()} for instant, _ in found]
    assert {seen.outcomes[0].outcome for _, seen in found} == {Outcome.OK}
    assert [seen.outcomes[0].series for _, seen in found[:4]] == [2, 1, 1, 2]
    assert found[0][1].outcomes[0].warnings == ("a warning",)


def test_the_first_chunk_is_small_and_the_next_ones_keep_to_the_budget_of_points(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ranges, "MOST_POINTS", 100)
    servers = Servers({"q": lambda instant_ms: {str(n): "1" for n in range(5)}})
    run(servers, 70, rule("q"))
    assert [count for query, count in servers.asked if query == "q" and count] == [10, 20, 20, 20]


def test_no_chunk_has_more_instants_than_prometheus_gives_points_for() -> None:
    servers = Servers({"q": counting})
    run(servers, 2_500, rule("q"))
    counts = [count for _, count in servers.asked]
    assert max(counts) < 11_000
    assert max(count for query, count in servers.asked if query == "q") == ranges.MOST_INSTANTS


def test_a_chunk_that_is_too_much_is_halved_until_it_is_not() -> None:
    servers = Servers({"q": counting}, most_points=6)
    found = run(servers, 40, rule("q"))
    assert rates(found) == [{n: float(v) for n, v in counting(instant).items()} for instant, _ in found]


def test_an_error_at_one_instant_is_that_instants_own() -> None:
    bad = START + 13 * INTERVAL

    def many_to_many(instant_ms: int) -> SourceError | None:
        return SourceError("many-to-many", answered="execution") if instant_ms == bad else None

    found = run(Servers({"q": counting}, fails_at={"q": many_to_many}), 30, rule("q"))
    failed = [instant for instant, seen in found if seen.outcomes[0].outcome is not Outcome.OK]
    assert failed == [bad]
    assert dict(found)[bad].outcomes[0].error == "many-to-many"
    assert dict(found)[bad].unreached == frozenset(), "asking again would say the same"


def test_a_server_that_is_not_reached_is_asked_once_and_the_others_go_on() -> None:
    servers = Servers({"q": counting, "r": counting}, unreachable={OTHER})
    found = run(servers, 30, rule("q"), rule("r", OTHER))
    assert {seen.unreached for _, seen in found} == {frozenset({("", "r")})}
    assert all(seen.outcomes[0].outcome is Outcome.OK for _, seen in found)
    assert sum(query == "r" for query, _ in servers.asked) == 1


def test_a_server_that_never_answers_in_time_is_not_asked_for_every_half() -> None:
    late = SourceError("late", kind="timeout")
    servers = Servers({"q": counting}, fails_at={"q": lambda instant_ms: late})
    found = run(servers, 500, rule("q"))
    assert {seen.outcomes[0].outcome for _, seen in found} == {Outcome.TIMEOUT}
    assert all(seen.unreached for _, seen in found)
    assert len(servers.asked) == 1


def test_a_chunk_that_takes_too_long_is_halved_when_its_server_does_answer() -> None:
    class Slow(Servers):
        def over(
            self, server: Server, promql: str, instants: range
        ) -> tuple[list[RangeSeries], tuple[str, ...]]:
            if promql == "q" and len(instants) > 4:
                raise SourceError("late", kind="timeout")
            return super().over(server, promql, instants)

    servers = Slow({"q": counting})
    found = run(servers, 20, rule("q"))
    assert {seen.outcomes[0].outcome for _, seen in found} == {Outcome.OK}


@pytest.mark.parametrize("kind", ["scalar", "string", "matrix"])
def test_a_query_that_answers_no_vector_live_answers_none_about_the_past(kind: str) -> None:
    servers = Servers({"q": counting}, instant_answers={"q": QueryAnswer(kind, [], 1)})
    found = run(servers, 30, rule("q"))
    assert {seen.outcomes[0].error for _, seen in found} == {f"a {kind}"}
    assert servers.asked == [("q", 0)]


def test_a_query_that_nobody_understands_is_asked_once() -> None:
    wrong = SourceError("parse error", answered="bad_data")
    servers = Servers({"q": counting}, fails_at={"q": lambda instant_ms: wrong})
    found = run(servers, 30, rule("q"))
    assert {seen.outcomes[0].error for _, seen in found} == {"parse error"}
    assert len(servers.asked) == 1


def test_a_server_whose_ranges_differ_from_its_instants_is_asked_one_by_one() -> None:
    class Wider(Servers):
        def over(
            self, server: Server, promql: str, instants: range
        ) -> tuple[list[RangeSeries], tuple[str, ...]]:
            series, warnings = super().over(server, promql, instants)
            if promql == "q":
                series.append(RangeSeries(raw({"name": "old"}), [(ms / 1000, "1") for ms in instants]))
            return series, warnings

    servers = Wider({"q": counting})
    found = run(servers, 30, rule("q"))
    assert rates(found) == [{n: float(v) for n, v in counting(instant).items()} for instant, _ in found]


@pytest.mark.parametrize("vanishes_at", [1, 3, 9, 10, 11, 30, 49, 50])
def test_a_server_that_looks_back_less_in_a_range_is_asked_one_by_one(vanishes_at: int) -> None:
    """As VictoriaMetrics does: a vanished series lives on for minutes in instant queries only."""

    def in_ranges(instant_ms: int) -> Mapping[str, str]:
        index = (instant_ms - START) // INTERVAL
        return {"stays": "1"} | ({"goes": "2"} if index < vanishes_at else {})

    def live(instant_ms: int) -> Mapping[str, str]:
        return in_ranges(instant_ms) | {"goes": "2"}

    class LooksBackLess(Servers):
        def at(self, server: Server, promql: str, instant_ms: int) -> QueryAnswer:
            self.values["q"] = live
            try:
                return super().at(server, promql, instant_ms)
            finally:
                self.values["q"] = in_ranges

    found = run(LooksBackLess({"q": in_ranges}), 60, rule("q"))
    assert rates(found) == [{"stays": 1.0, "goes": 2.0}] * 60


def test_a_right_server_is_compared_where_a_series_vanishes_and_then_trusted() -> None:
    servers = Servers({"q": counting})
    run(servers, 200, rule("q"))
    assert [count for query, count in servers.asked if query == "q"].count(0) == 2


@pytest.mark.parametrize("query", ["x @ end()", "x @ start ( )", "x[5m:1m] @ end()"])
def test_a_query_that_knows_its_range_is_never_asked_for_one(query: str) -> None:
    servers = Servers({query: counting})
    found = run(servers, 12, rule(query))
    assert {count for asked, count in servers.asked if asked == query} == {0}
    assert rates(found) == [{n: float(v) for n, v in counting(instant).items()} for instant, _ in found]


def test_what_prometheus_had_no_data_of_is_not_called_quiet() -> None:
    died, back = START + 20 * INTERVAL, START + 60 * INTERVAL

    def up(instant_ms: int) -> int | None:
        scrape = instant_ms - instant_ms % 15_000
        last = died - died % 15_000
        if died < instant_ms < back:
            return last if instant_ms - last < 300_000 else None
        return scrape

    servers = Servers({"quiet": lambda instant_ms: {}, "q": counting}, up=up)
    found = run(servers, 80, rule("quiet"), rule("q"))
    gone = [instant for instant, seen in found if seen.outcomes[0].outcome is not Outcome.OK]
    assert gone == list(range(died + 2 * INTERVAL, back, INTERVAL))
    errors = {seen.outcomes[0].error for instant, seen in found if instant in gone}
    assert [error.startswith(NO_DATA) for error in errors] == [True]
    assert all(not seen.samples for instant, seen in found if instant in gone), "lookback is not data"
    assert all(seen.unreached == frozenset() for _, seen in found)


def test_without_up_a_series_of_another_rule_of_the_same_server_is_the_evidence() -> None:
    cut_off = START + 10 * INTERVAL

    def until_cut_off(instant_ms: int) -> Mapping[str, str]:
        return {"a": "1"} if instant_ms < cut_off else {}

    servers = Servers(
        {"quiet": lambda instant_ms: {}, "q": until_cut_off, "elsewhere": counting},
        up=lambda instant_ms: None,
    )
    found = run(servers, 20, rule("quiet"), rule("q"), rule("elsewhere", OTHER))
    for instant, seen in found:
        expected = Outcome.OK if instant < cut_off else Outcome.FAILED
        assert [one.outcome for one in seen.outcomes] == [expected, expected, Outcome.OK]


def test_without_evidence_because_its_server_is_not_reached_nothing_is_learnt() -> None:
    servers = Servers({"q": counting}, fails_at={NEWEST_SCRAPE: lambda instant_ms: SourceError("reset")})
    found = run(servers, 3, rule("q"))
    assert all(seen.unreached == frozenset({("", "q")}) and not seen.samples for _, seen in found)


def test_what_a_server_calls_partial_is_asked_for_again_later_and_what_follows_now() -> None:
    def error(instant_ms: int) -> SourceError | None:
        return (
            SourceError("a store is gone", answered="partial") if instant_ms < START + 5 * INTERVAL else None
        )

    found = run(Servers({"q": counting}, fails_at={"q": error}), 25, rule("q"))
    again = [instant_ms for instant_ms, seen in found if seen.unreached]
    assert again == list(range(START, START + 10 * INTERVAL, INTERVAL)), "the first chunk"
    assert all(not seen.samples for _, seen in found[:10])
    assert rates(found)[10:] == [
        {n: float(v) for n, v in counting(instant).items()} for instant, _ in found[10:]
    ]


def test_a_rate_that_looks_back_into_an_outage_is_none_and_a_gauge_is_one() -> None:
    """Promise: after Prometheus was away, what it has not scraped often enough is not told as little traffic."""
    rate, back = "rate(q[1m])", START + 40 * INTERVAL
    died = START + 10 * INTERVAL

    def up(instant_ms: int) -> int | None:
        newest = instant_ms - instant_ms % 15_000
        return newest if newest <= died or newest >= back else died

    full = {"max(count_over_time(q[1m]))": lambda instant_ms: {"": "4"}}
    found = run(Servers({"g": counting, rate: counting, **full}, up=up), 60, rule("g"), rule(rate))
    outcomes = {instant: [one.outcome is Outcome.OK for one in seen.outcomes] for instant, seen in found}
    collecting = [instant for instant, (gauge, _) in outcomes.items() if gauge]
    # Its first scrape is at the first multiple of 15 s.
    first = back + 5_000
    assert back not in collecting
    assert back + INTERVAL in collecting
    looks_back = [instant for instant in collecting if not outcomes[instant][1]]
    assert looks_back == list(range(back + INTERVAL, first + 60_000, INTERVAL))
    (error,) = {seen.outcomes[1].error for instant, seen in found if instant in looks_back}
    assert error.startswith(NO_DATA)
    assert "a rate over [1m] looks back to when" in error


def test_the_epochs_first_minutes_can_be_asked_for() -> None:
    found = run(Servers({"q": lambda instant_ms: {"a": "1"}}), 3, rule("q"), start=10_000)
    assert len(found) == 3


def points(*times: float) -> list[list[object]]:
    return [[time, "1"] for time in times]


def matrix_body(*series: Mapping[str, object], kind: str = "matrix") -> bytes:
    data = {"resultType": kind, "result": list(series)}
    return json.dumps({"status": "success", "data": data, "infos": ["an info"]}).encode()


def test_points_beside_the_asked_instants_are_left_out_and_histograms_stay_histograms() -> None:
    series, warnings = decode_range(
        matrix_body(
            {"metric": {"name": "a"}, "values": points(9.999, 10.0, 10.5, 20.001, 30.0)},
            {"metric": {"name": "h"}, "histograms": [[10.0, {"count": "1"}], [30, {}]]},
        )
    )
    assert warnings == ("an info",)
    cut = list(matrix.cut(series, range(10_000, 30_001, 10_000)))
    assert [[one.labels["name"] for one in vector] for vector in cut] == [["a", "h"], [], ["a", "h"]]
    live = decode(matrix_body({"metric": {}, "histogram": [10.0, {"count": "1"}]}, kind="vector")).series[0]
    assert (live.value, bool(bytes(live.histogram))) == (None, True)
    assert (cut[0][1].value, bool(bytes(cut[0][1].histogram))) == (None, True)


@pytest.mark.parametrize(
    "body", [b"<html>", matrix_body(kind="vector"), matrix_body({"metric": 3}), b'{"status": "success"}']
)
def test_a_range_answer_that_is_none_is_an_error(body: bytes) -> None:
    with pytest.raises(SourceError):
        decode_range(body)


def test_memory_holds_one_chunk_whatever_the_number_of_instants() -> None:
    servers = Servers({"q": counting})
    found: Iterator[tuple[int, Evaluation]] = ranges.evaluate(
        [rule("q")], range(START, START + 10**9, INTERVAL), servers, now_ms=lambda: NOW
    )
    for _ in range(11):
        next(found)
    assert sum(count for query, count in servers.asked if query == "q") == 10 + 40
