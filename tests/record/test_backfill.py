"""Planning and filling, with a real recording and a scripted past."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest
from support.past import NO_DATA_ERROR, UNREACHED, Past, configuration

from vistio_core.errors import SourceError, UsageError
from vistio_core.events import Outcome, RuleOutcome, Sample, Scrape
from vistio_core.recording.recording import Recording
from vistio_core.storage.writer import Writer
from vistio_core.times import DAY_MS, HOUR_MS
from vistio_record.backfill import Plan, Summary, fill, plan
from vistio_record.gate import Stopped

NOON = 1_763_899_200_000
INTERVAL = 10_000


@attrs.frozen
class Bench:
    source: Past
    recording: Recording
    writer: Writer

    def plan(self, start_ms: int, end_ms: int, now_ms: int = NOON + DAY_MS) -> Plan:
        return plan(
            self.recording,
            self.source,
            writer="main",
            start_ms=start_ms,
            end_ms=end_ms,
            interval_ms=INTERVAL,
            now_ms=now_ms,
        )

    def fill(self, start_ms: int, end_ms: int) -> Summary:
        summary = Summary()
        for piece, learnt in fill(self.source, self.writer, self.plan(start_ms, end_ms).pieces, 1.0):
            summary.add(piece, learnt)
        return summary

    def commit(self, instant_ms: int, error: str = "") -> None:
        """A live scrape whose rule ``one`` failed with ``error``, and ``two`` was answered."""
        hash_ = self.writer.put_configuration(self.source.configuration)
        one = RuleOutcome("mesh", "one", Outcome.FAILED if error else Outcome.OK, error)
        two = RuleOutcome("mesh", "two", Outcome.OK)
        samples = (Sample("mesh", "two", "a", "b", "200", 1.0),)
        self.writer.commit(Scrape(instant_ms, INTERVAL, hash_, (one, two), samples))

    def unanswered(self) -> dict[int, dict[str, str]]:
        return {
            one.instant_ms: {rule.rule: rule.error for rule in one.rules}
            for one in self.recording.unanswered()
        }


@pytest.fixture
def bench(recording_dir: Path) -> Iterator[Bench]:
    recording = Recording.open(recording_dir, create=True)
    with recording.writer() as writer:
        yield Bench(Past("one", "two"), recording, writer)


def test_a_plan_is_made_of_what_is_missing_and_what_was_not_answered(bench: Bench) -> None:
    for index, error in ((2, ""), (3, "refused"), (4, "timeout"), (6, "refused")):
        bench.commit(NOON + index * INTERVAL, error)
    planned = bench.plan(NOON, NOON + 8 * INTERVAL)
    found = [
        ((piece.instants[0] - NOON) // INTERVAL, len(piece.instants), piece.in_log)
        for piece in planned.pieces
    ]
    assert found == [(0, 2, False), (3, 2, True), (5, 1, False), (6, 1, True), (7, 1, False)]
    assert (planned.present, planned.instants) == (4, 7)


@pytest.mark.parametrize(
    ("start_ms", "end_ms", "now_ms"), [(NOON, NOON, NOON), (NOON + 1, NOON, NOON), (NOON, NOON + 1, NOON)]
)
def test_a_window_that_is_empty_or_not_over_is_refused(
    bench: Bench, start_ms: int, end_ms: int, now_ms: int
) -> None:
    with pytest.raises(UsageError, match="the start must be before the end"):
        bench.plan(start_ms, end_ms, now_ms)


def test_a_plan_of_weeks_is_a_few_runs(bench: Bench) -> None:
    planned = bench.plan(NOON - 30 * DAY_MS, NOON)
    assert planned.instants == 30 * 8_640
    assert len(planned.pieces) == 31


def test_everything_is_filled_once_and_nothing_is_overwritten(bench: Bench) -> None:
    bench.commit(NOON + INTERVAL)
    bench.commit(NOON + 2 * INTERVAL, "refused")
    before = bench.recording.graph(NOON + INTERVAL)
    summary = bench.fill(NOON, NOON + 4 * INTERVAL)
    assert (summary.written, summary.supplemented, list(summary.lines())) == (2, 1, [])
    assert bench.recording.graph(NOON + INTERVAL) == before
    assert bench.unanswered() == {}
    again = bench.fill(NOON, NOON + 4 * INTERVAL)
    assert (again.written, again.supplemented, again.samples) == (0, 0, 0)


def test_what_prometheus_does_not_have_is_told_with_its_reason_and_not_written(bench: Bench) -> None:
    bench.source.says = lambda instant_ms, rule: NO_DATA_ERROR if instant_ms < NOON + 3 * INTERVAL else ""
    bench.commit(NOON, "refused")
    summary = bench.fill(NOON, NOON + 5 * INTERVAL)
    assert list(summary.lines()) == [f"3 instants: something cannot be had: {NO_DATA_ERROR}"]
    assert bench.recording.instants().num_rows == 3
    assert bench.unanswered() == {NOON: {"one": "refused"}}
    bench.source.says = lambda instant_ms, rule: ""
    assert bench.fill(NOON, NOON + 5 * INTERVAL).written == 2, "another server may have it"


def test_when_nobody_answers_it_ends_and_nothing_is_written(bench: Bench) -> None:
    bench.source.says = lambda instant_ms, rule: UNREACHED if instant_ms > NOON else ""
    with pytest.raises(SourceError, match="no rule was answered") as refusal:
        bench.fill(NOON, NOON + 5 * INTERVAL)
    assert "12:00:10" in str(refusal.value)
    assert bench.recording.instants().num_rows == 1


def test_a_server_that_does_not_answer_is_asked_once_and_told_and_the_others_go_on(bench: Bench) -> None:
    bench.source.says = lambda instant_ms, rule: UNREACHED if rule == "one" else ""
    bench.commit(NOON + 2 * INTERVAL, "refused")
    summary = bench.fill(NOON, NOON + 5 * INTERVAL)
    assert (summary.written, summary.supplemented) == (4, 0)
    lines = list(summary.lines())
    assert lines == [f"5 instants: something could not be asked; run the command again: {UNREACHED}"]
    assert [rules for _, rules in bench.source.asked] == [("one", "two"), ("two",)]
    assert len(bench.unanswered()) == 5
    bench.source.says = lambda instant_ms, rule: ""
    assert bench.fill(NOON, NOON + 5 * INTERVAL).supplemented == 5
    assert bench.unanswered() == {}


def test_finished_hours_are_sealed_on_the_way(bench: Bench) -> None:
    bench.fill(NOON + HOUR_MS - 3 * INTERVAL, NOON + HOUR_MS + 3 * INTERVAL)
    info = bench.recording.info()
    assert (info.log_files, info.head_files) == (1, 3)


def test_a_stop_is_heard_before_the_next_question_and_what_is_written_stays(bench: Bench) -> None:
    calls = 0

    def pause() -> None:
        nonlocal calls
        calls += 1
        if calls == 4:
            raise Stopped

    filling = fill(bench.source, bench.writer, bench.plan(NOON, NOON + 9 * INTERVAL).pieces, 1.0, pause=pause)
    with pytest.raises(Stopped):
        list(filling)
    assert bench.recording.instants().num_rows == 2
    assert bench.fill(NOON, NOON + 9 * INTERVAL).written == 7


def test_rules_that_were_others_then_are_not_asked(bench: Bench) -> None:
    bench.commit(NOON, "refused")
    bench.source.configuration = configuration("two", "three")
    assert bench.plan(NOON, NOON + INTERVAL).pieces == ()


def test_a_long_list_of_reasons_is_cut() -> None:
    summary = Summary(refused={f"reason {n:02}": n for n in range(1, 15)})
    lines = list(summary.lines())
    assert lines[0].startswith("14 instants: something cannot be had: reason 14")
    assert (len(lines), lines[-1]) == (11, "... and 4 more reasons why something cannot be had")
