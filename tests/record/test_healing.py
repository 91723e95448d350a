"""The healer's rounds, with a real recording, a scripted past and clocks in hand."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest
from support.past import NO_DATA_ERROR, UNREACHED, Past, configuration

from vistio_core.events import Outcome, RuleOutcome, Sample, Scrape
from vistio_core.recording.recording import Recording
from vistio_core.storage.writer import Writer
from vistio_core.times import HOUR_MS
from vistio_record.gate import Gate
from vistio_record.healing import Healer, HealingOptions
from vistio_record.metrics import Metrics
from vistio_record.worklist import Backoff, Todo, Worklist

NOON = 1_763_899_200_000
INTERVAL = 10_000
DELAY = 2_000
TIMEOUT_S = 8.0
SETTLE_MS = 8_000 + 3 * INTERVAL


@attrs.define
class Bench:
    """A healer without its thread: the test calls its rounds, and is its clock."""

    source: Past
    recording: Recording
    writer: Writer
    now_ms: int = NOON + 2 * HOUR_MS + DELAY + 1_000
    monotonic_s: float = 0.0
    heal_ms: int = 24 * HOUR_MS
    metrics: Metrics = attrs.field(factory=lambda: Metrics(lambda: NOON))
    healer: Healer = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        self.healer = Healer(
            self.recording,
            self.writer,
            self,
            Gate(INTERVAL, DELAY, lambda: self.now_ms),
            self.metrics,
            HealingOptions(self.heal_ms, INTERVAL, DELAY, TIMEOUT_S),
            clock=lambda: self.now_ms,
            monotonic_s=lambda: self.monotonic_s,
        )

    def live(self, instant_ms: int, **errors: str) -> None:
        """A live scrape, committed and told to the healer; ``one="why"`` for a rule that failed."""
        hash_ = self.writer.put_configuration(self.source.configuration)
        outcomes, samples = [], []
        for cluster, rule in self.source.configuration.rules():
            error = errors.get(rule.id, "")
            outcomes.append(RuleOutcome(cluster, rule.id, Outcome.FAILED if error else Outcome.OK, error))
            if not error:
                samples.append(Sample(cluster, rule.id, "a", "b", "200", float(instant_ms % 977)))
        scrape = Scrape(instant_ms, INTERVAL, hash_, tuple(outcomes), tuple(samples))
        self.writer.commit(scrape)
        self.healer.scraped(scrape)

    def unanswered(self) -> dict[int, dict[str, str]]:
        return {
            one.instant_ms: {rule.rule: rule.error for rule in one.rules}
            for one in self.recording.unanswered()
        }

    def instants(self) -> list[int]:
        return [round(at.timestamp() * 1000) for at in self.recording.instants()["instant"].to_pylist()]

    def metric(self, name: str) -> float:
        value = self.metrics.registry.get_sample_value(f"vistio_record_{name}")
        assert value is not None
        return value


@pytest.fixture
def bench(recording_dir: Path) -> Iterator[Bench]:
    recording = Recording.open(recording_dir, create=True)
    with recording.writer() as writer:
        yield Bench(Past("one", "two"), recording, writer)


@pytest.fixture
def newest(bench: Bench) -> int:
    """The newest instant that is due."""
    return NOON + 2 * HOUR_MS


def test_missing_instants_between_recorded_ones_are_recorded_as_backfilled(bench: Bench, newest: int) -> None:
    bench.live(newest - 10 * INTERVAL)
    bench.live(newest)
    bench.healer.heal()
    # The very newest ones may still be on their way.
    healed = [
        ms for ms in range(newest - 9 * INTERVAL, newest, INTERVAL) if ms < bench.now_ms - DELAY - SETTLE_MS
    ]
    assert len(healed) == 6
    assert bench.instants() == [newest - 10 * INTERVAL, *healed, newest]
    graph = bench.recording.graph(healed[0])
    assert graph.backfilled
    assert graph.region("mesh").edges[0].rates.normal == 2 * (healed[0] % 977)
    assert bench.metric("healed_instants_total") == 6
    assert bench.metric("healing_waiting_instants") == 0


def test_the_newest_instants_are_left_to_the_live_scrapes(bench: Bench, newest: int) -> None:
    bench.live(newest - 10 * INTERVAL)
    for settled_ms, healed in (
        (newest - 9 * INTERVAL, []),
        (newest - 9 * INTERVAL + 1, [newest - 9 * INTERVAL]),
    ):
        bench.now_ms = settled_ms + DELAY + SETTLE_MS
        bench.healer.heal()
        assert bench.instants() == [newest - 10 * INTERVAL, *healed]


def test_a_new_recording_heals_nothing_before_its_first_instant(bench: Bench, newest: int) -> None:
    bench.healer.heal()
    bench.live(newest - INTERVAL)
    bench.live(newest)
    bench.healer.heal()
    assert bench.instants() == [newest - INTERVAL, newest]
    assert bench.source.asked == []


def test_what_is_older_than_heal_stays_a_gap(bench: Bench, newest: int) -> None:
    bench.heal_ms = 10 * INTERVAL
    bench.restart()
    bench.live(NOON)
    bench.live(newest)
    bench.healer.heal()
    first = bench.now_ms - DELAY - 10 * INTERVAL
    assert bench.instants()[1] == first - first % INTERVAL + INTERVAL


def test_rules_that_failed_are_supplemented_newest_first(bench: Bench, newest: int) -> None:
    for index in (6, 5, 3):
        bench.live(newest - index * INTERVAL, one="refused")
    bench.live(newest - 4 * INTERVAL)
    bench.live(newest)
    bench.healer.heal()
    unanswered = [(span, rules) for span, rules in bench.source.asked if rules == ("one",)]
    assert [(span[0], span[-1]) for span, _ in unanswered] == [
        (newest - 3 * INTERVAL, newest - 3 * INTERVAL),
        (newest - 6 * INTERVAL, newest - 5 * INTERVAL),
    ]
    assert bench.unanswered() == {}
    rate = bench.recording.graph(newest - 5 * INTERVAL).region("mesh").edges[0].rates.normal
    assert rate == 2 * ((newest - 5 * INTERVAL) % 977)


def test_skipped_instants_heal_too(bench: Bench, newest: int) -> None:
    hash_ = bench.writer.put_configuration(bench.source.configuration)
    rules = [(cluster, rule.id) for cluster, rule in bench.source.configuration.rules()]
    skipped = tuple(RuleOutcome(*key, Outcome.SKIPPED, "slow") for key in rules)
    bench.live(newest - 5 * INTERVAL)
    bench.writer.commit(Scrape(newest - 4 * INTERVAL, INTERVAL, hash_, skipped))
    bench.live(newest)
    bench.healer.heal()
    assert bench.unanswered() == {}


def test_what_can_never_be_answered_is_written_down_once_and_not_asked_again(
    bench: Bench, newest: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    bench.source.says = lambda instant_ms, rule: NO_DATA_ERROR if instant_ms < newest else ""
    bench.live(newest - 6 * INTERVAL, one="refused")
    bench.live(newest)
    bench.healer.heal()
    gone = range(newest - 6 * INTERVAL, newest - 3 * INTERVAL, INTERVAL)
    assert {ms for ms in bench.instants() if ms < newest} == set(gone)
    assert {error for errors in bench.unanswered().values() for error in errors.values()} == {NO_DATA_ERROR}
    gap = bench.recording.gaps(gone[1], gone[2]).to_pylist()[0]
    assert NO_DATA_ERROR in gap["reason"]
    assert bench.metric("unhealable_instants_total") == 3
    assert "gap.stays" in caplog.messages
    asked = len(bench.source.asked)
    bench.restart()
    bench.live(newest + INTERVAL)
    bench.healer.heal()
    assert len(bench.source.asked) == asked, "a restart does not ask again either"


def test_an_error_that_is_still_the_same_is_not_written_again(bench: Bench, newest: int) -> None:
    error = "Prometheus answers execution: many-to-many"
    bench.source.says = lambda instant_ms, rule: (
        error if (instant_ms, rule) == (newest - 4 * INTERVAL, "one") else ""
    )
    bench.live(newest - 4 * INTERVAL, one=error)
    for index in (3, 2, 1, 0):
        bench.live(newest - index * INTERVAL)
    bench.healer.heal()
    assert bench.recording.sql("select count(*) from scrapes where backfilled").fetchall() == [(0,)]
    assert bench.unanswered() == {newest - 4 * INTERVAL: {"one": error}}


def test_a_rule_that_fails_live_is_not_asked_about_the_past(bench: Bench, newest: int) -> None:
    bench.live(newest - 6 * INTERVAL, one="refused", two="refused")
    bench.live(newest, one="refused")
    bench.healer.heal()
    assert {rules for _, rules in bench.source.asked} == {("two",)}
    left = bench.unanswered()
    assert left[newest - 6 * INTERVAL] == {"one": "refused"}
    # A missing instant is recorded with what is known now, and says why it does not have the rest.
    assert left[newest - 5 * INTERVAL] == {"one": "not asked while this instant was healed: refused"}
    assert bench.metric("healing_waiting_instants") == len(left)

    bench.now_ms += INTERVAL
    bench.live(newest + INTERVAL)
    bench.healer.heal()
    assert set(bench.unanswered()) == set()


def test_a_server_that_is_not_reached_is_left_alone_longer_each_time_and_nothing_is_recorded(
    bench: Bench, newest: int, caplog: pytest.LogCaptureFixture
) -> None:
    bench.source.says = lambda instant_ms, rule: UNREACHED
    bench.live(newest - 6 * INTERVAL)
    bench.live(newest)
    tries = []
    for second in range(100):
        bench.monotonic_s = float(second)
        before = len(bench.source.asked)
        bench.healer.heal()
        if len(bench.source.asked) > before:
            tries.append(second)
    assert tries == [0, 5, 15, 35, 75]
    assert bench.instants() == [newest - 6 * INTERVAL, newest]
    assert "healing.postponed" in caplog.messages
    bench.source.says = lambda instant_ms, rule: ""
    bench.monotonic_s = 200.0
    bench.healer.heal()
    assert len(bench.instants()) == 4


def test_one_dead_server_does_not_keep_the_rules_of_the_others_from_healing(
    bench: Bench, newest: int
) -> None:
    bench.source.says = lambda instant_ms, rule: UNREACHED if rule == "one" else ""
    bench.live(newest - 6 * INTERVAL, one="refused", two="refused")
    bench.live(newest)
    bench.healer.heal()
    assert bench.unanswered()[newest - 6 * INTERVAL] == {"one": "refused"}
    assert bench.unanswered()[newest - 5 * INTERVAL] == {"one": UNREACHED}
    bench.source.says = lambda instant_ms, rule: ""
    bench.monotonic_s += 5.0
    bench.healer.heal()
    assert bench.unanswered() == {}


def test_a_rule_that_was_another_one_then_is_not_asked_for_its_past(bench: Bench, newest: int) -> None:
    bench.live(newest - 6 * INTERVAL, one="refused", two="refused")
    bench.source.configuration = configuration("one", "three")
    bench.live(newest)
    bench.healer.heal()
    assert bench.unanswered()[newest - 6 * INTERVAL] == {"two": "refused"}
    was = bench.recording.configuration_by_hash(configuration("one", "two").hash)
    assert was.hash == configuration("one", "two").hash
    then = bench.recording.sql(
        f"select distinct configuration from scrapes where epoch_ms(instant) = {newest - 6 * INTERVAL}"
    )
    assert then.fetchall() == [(was.hash,)], "a supplement is judged by the configuration of then"


def test_a_reload_plans_anew(bench: Bench, newest: int) -> None:
    bench.live(newest - 6 * INTERVAL, two="refused")
    bench.live(newest - 5 * INTERVAL, two="refused")
    bench.healer.heal()
    assert bench.source.asked[-1][1] == ("one",), "missing instants, of the rule that works"
    bench.source.configuration = configuration("one", "two", "three")
    bench.live(newest)
    bench.healer.heal()
    assert all("two" not in errors for errors in bench.unanswered().values())


def test_a_gap_heals_in_pieces_the_newest_first(
    bench: Bench, newest: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vistio_record.worklist.PIECE_INSTANTS", 15)
    bench.live(newest - 24 * INTERVAL)
    bench.live(newest)
    bench.healer.heal()
    spans = [span for span, _ in bench.source.asked]
    assert [len(span) for span in spans] == [15, 5]
    assert spans[0][0] == spans[1][-1] + INTERVAL
    assert bench.recording.gaps(newest - 24 * INTERVAL, newest - 3 * INTERVAL).num_rows == 0


def test_what_housekeeping_has_pruned_is_not_fetched_again(bench: Bench, newest: int) -> None:
    bench.live(NOON)
    bench.live(newest - 10 * INTERVAL)
    bench.live(newest)
    bench.writer.prune(newest - HOUR_MS)
    bench.healer.heal()
    assert min(bench.instants()) == newest - 10 * INTERVAL


def test_the_thread_heals_when_a_scrape_is_answered_and_ends_when_asked_to(bench: Bench, newest: int) -> None:
    asked = threading.Event()

    def says(instant_ms: int, rule: str) -> str:
        asked.set()
        return ""

    bench.source.says = says
    bench.healer.start()
    bench.live(newest - 10 * INTERVAL)
    bench.live(newest)
    assert asked.wait(20)
    assert bench.healer.close()


def test_a_closed_healer_lets_go_of_a_question_that_hangs(bench: Bench, newest: int) -> None:
    asked, over = threading.Event(), threading.Event()

    def hang(instant_ms: int, rule: str) -> str:
        asked.set()
        over.wait(20)
        return UNREACHED

    bench.source.says = hang
    bench.source.close = over.set  # type: ignore[method-assign]
    bench.healer.start()
    bench.live(newest - 10 * INTERVAL)
    bench.live(newest)
    assert asked.wait(20)
    assert bench.healer.close()
    assert bench.instants() == [newest - 10 * INTERVAL, newest]


def test_a_source_that_cannot_answer_ranges_is_left_alone(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    class OnlyNow:
        def __init__(self, past: Past) -> None:
            self.configuration = past.configuration

    caplog.set_level(logging.INFO)
    bench.source = OnlyNow(bench.source)  # type: ignore[assignment]
    bench.healer.start()
    assert caplog.messages == ["healing.off"]
    assert bench.healer.close()


def test_a_worklist_groups_only_neighbours_with_the_same_questions() -> None:
    current = configuration("one", "two")
    todo = Worklist()
    for index in (0, 1, 2, 4):
        todo.add(NOON + index * INTERVAL, Todo(INTERVAL))
    todo.add(NOON + 5 * INTERVAL, Todo(INTERVAL, current, {("mesh", "one"): "x"}))
    found = []
    while piece := todo.newest(current, lambda rule: True):
        found.append(((piece.instants[0] - NOON) // INTERVAL, len(piece.instants), piece.in_log))
        todo.forget_before(0)
        for instant_ms in piece.instants:
            todo._todo.pop(instant_ms)
    assert found == [(5, 1, True), (4, 1, False), (0, 3, False)]


def test_a_worklist_passes_over_what_is_not_ready() -> None:
    current = configuration("one", "two")
    todo = Worklist()
    todo.add(NOON, Todo(INTERVAL))
    todo.add(NOON + INTERVAL, Todo(INTERVAL, current, {("mesh", "one"): "x"}))
    piece = todo.newest(current, lambda rule: rule == ("mesh", "two"))
    assert piece is not None
    assert (piece.instants[0], piece.rules, piece.in_log) == (NOON, (("mesh", "two"),), False)
    assert todo.newest(current, lambda rule: False) is None


def test_a_rule_is_ready_only_while_its_live_scrapes_are_answered() -> None:
    backoff = Backoff(lambda: 0.0)
    key = ("mesh", "one")

    def scraped(outcome: Outcome) -> bool:
        return backoff.scraped(Scrape(NOON, INTERVAL, "0" * 64, (RuleOutcome(*key, outcome, "x"),)))

    assert not backoff.ready(key)
    steps = [
        Outcome.FAILED,
        Outcome.OK,
        Outcome.OK,
        Outcome.SKIPPED,
        Outcome.TIMEOUT,
        Outcome.SKIPPED,
        Outcome.OK,
    ]
    assert [(scraped(outcome), backoff.ready(key)) for outcome in steps] == [
        (False, False), (True, True), (False, True), (False, True), (False, False), (False, False), (True, True),
    ]  # fmt: skip


def test_pauses_grow_to_ten_minutes_and_end_when_a_rule_is_reached() -> None:
    backoff = Backoff(lambda: 0.0)
    key = ("mesh", "one")
    assert [backoff.unreached([key]) for _ in range(9)] == [5, 10, 20, 40, 80, 160, 320, 600, 600]
    backoff.reached([key])
    assert backoff.unreached([key]) == 5
