"""Healing in an append-only log: what was not answered then is answered later, beside it."""

from __future__ import annotations

import threading
from pathlib import Path

import attrs
import pytest
from support.scrapes import INTERVAL_MS, START_MS, all_failed, mesh, outcomes, scrape

from vistio_core import Recording
from vistio_core.errors import AlreadyRecordedError, RecordingError, UsageError
from vistio_core.events import Measurement, Sample, Scrape
from vistio_core.replay.unanswered import Unanswered, UnansweredRule
from vistio_core.times import HOUR_MS, MINUTE_MS

NOW_MS = START_MS + 2 * HOUR_MS
INGRESS = Sample("", "ingress", "INTERNET", "mesh", "200", 9.0)
SATURATION = Measurement("mesh", "saturation", "b", "", "value", 0.97, (("service", "b"),))


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    return Recording.open(tmp_path / "recording", create=True, clock=lambda: NOW_MS)


def later(instant_ms: int, *rules: str, **by_rule: str) -> Scrape:
    """What is learned later of ``rules``: of all of them the same as what `live` sees."""
    whole = live(instant_ms)
    return attrs.evolve(
        whole,
        outcomes=tuple(outcome for outcome in outcomes(**by_rule) if outcome.rule in rules),
        samples=tuple(s for s in whole.samples if s.rule in rules and s.rule not in by_rule),
        measurements=tuple(m for m in whole.measurements if m.rule in rules and m.rule not in by_rule),
        backfilled=True,
    )


def live(instant_ms: int, **by_rule: str) -> Scrape:
    """What a scrape sees; a rule with an outcome other than ok sees nothing."""
    whole = scrape(
        instant_ms,
        [Sample("mesh", "http", "a", "b", "200", 1.5), Sample("mesh", "http", "a", "b", "503", 0.5), INGRESS],
        measurements=[SATURATION],
    )
    return attrs.evolve(
        whole,
        outcomes=outcomes(**by_rule),
        samples=tuple(sample for sample in whole.samples if sample.rule not in by_rule),
        measurements=tuple(m for m in whole.measurements if m.rule not in by_rule),
    )


def record(recording: Recording, *scrapes: Scrape, supplements: tuple[Scrape, ...] = ()) -> None:
    with recording.writer() as writer:
        writer.put_configuration(mesh())
        for each in scrapes:
            writer.commit(each)
        for each in supplements:
            writer.supplement(each)


def seal(recording: Recording) -> None:
    with recording.writer() as writer:
        writer.seal(NOW_MS)


@pytest.mark.parametrize("sealed", [False, True], ids=["head", "sealed"])
def test_a_supplemented_instant_is_the_graph_that_a_good_scrape_would_have_been(
    recording: Recording, tmp_path: Path, sealed: bool
) -> None:
    record(recording, live(START_MS, http="failed", ingress="timeout"))
    assert [rule.rule for rule in recording.graph(START_MS).failed_rules] == ["ingress", "http"]
    record(recording, supplements=(later(START_MS, "http", "ingress"),))
    if sealed:
        seal(recording)
    good = Recording.open(tmp_path / "good", create=True, clock=lambda: NOW_MS)
    record(good, live(START_MS))
    healed = recording.graph(START_MS)
    assert healed.backfilled
    assert attrs.evolve(healed, backfilled=False) == good.graph(START_MS)


def test_an_instant_whose_only_answers_are_supplements_is_seen(recording: Recording) -> None:
    record(recording, live(START_MS, **all_failed()))
    assert recording.gaps(START_MS, START_MS + INTERVAL_MS).num_rows == 1
    record(recording, supplements=(later(START_MS, "http"),))
    assert recording.graph().instant_ms == START_MS
    assert recording.gaps(START_MS, START_MS + INTERVAL_MS).num_rows == 0
    [instant] = recording.instants().to_pylist()
    facts = {key: instant[key] for key in ("writer", "seen", "rules", "failed_rules", "backfilled", "series")}
    assert facts == {
        "writer": "main", "seen": True, "rules": 3, "failed_rules": 2, "backfilled": True, "series": 3
    }  # fmt: skip


def test_a_second_supplement_brings_what_the_first_could_not(recording: Recording) -> None:
    record(recording, live(START_MS, **all_failed()))
    record(recording, supplements=(later(START_MS, "http", "ingress", ingress="failed"),))
    assert [rule.rule for rule in recording.graph(START_MS).failed_rules] == ["ingress", "saturation"]
    record(recording, supplements=(later(START_MS, "ingress", "saturation"),))
    graph = recording.graph(START_MS)
    assert graph.failed_rules == ()
    assert [edge.rates.total for edge in graph.edges] == [9.0]
    assert [notice.title for node in graph.region("mesh").nodes for notice in node.notices] == [
        "b is saturated: 0.97000"
    ]
    names = sorted(path.name for path in Path(recording.place).glob("head/*"))
    assert [name.removeprefix("20261123T050000.000Z_20261123T050000.000Z_") for name in names] == [
        "main.1.parquet",
        "main.2.parquet",
        "main.parquet",
    ]


def test_unanswered_rules_are_listed_with_their_newest_error_until_they_are_answered(
    recording: Recording,
) -> None:
    later_ms = START_MS + INTERVAL_MS
    record(
        recording,
        live(START_MS, **all_failed()),
        live(later_ms),
        live(later_ms + INTERVAL_MS, http="skipped"),
    )
    first = Unanswered(
        START_MS,
        INTERVAL_MS,
        mesh().hash,
        (
            UnansweredRule("", "ingress", "ingress did not answer"),
            UnansweredRule("mesh", "http", "http did not answer"),
            UnansweredRule("mesh", "saturation", "saturation did not answer"),
        ),
    )
    last = attrs.evolve(first, instant_ms=later_ms + INTERVAL_MS, rules=first.rules[1:2])
    assert recording.unanswered() == [first, last]
    assert recording.unanswered(START_MS, START_MS + 1) == [first]
    assert recording.unanswered(START_MS + 1, later_ms + INTERVAL_MS) == []
    assert recording.unanswered(writer="other") == []

    still = later(START_MS, "http", "ingress", ingress="failed")
    error = "Prometheus has no data of this time"
    still = attrs.evolve(
        still,
        outcomes=tuple(attrs.evolve(o, error=error) if o.rule == "ingress" else o for o in still.outcomes),
    )
    record(recording, supplements=(still,))
    left = (UnansweredRule("", "ingress", error), first.rules[2])
    assert recording.unanswered() == [attrs.evolve(first, rules=left), last]
    assert recording.graph(START_MS).failed_rules[0].error == error


def test_only_what_is_unanswered_in_the_log_can_be_supplemented(recording: Recording) -> None:
    record(recording, live(START_MS, http="failed"), live(START_MS + INTERVAL_MS))
    with recording.writer() as writer:
        writer.put_configuration(mesh())
        with pytest.raises(UsageError, match="no readable scrape of that instant; use commit"):
            writer.supplement(later(START_MS - INTERVAL_MS, "http"))
        with pytest.raises(AlreadyRecordedError):
            writer.supplement(later(START_MS + INTERVAL_MS, "http"))
        with pytest.raises(UsageError, match=r"not answered \(mesh/http\); .* and ingress, mesh/http"):
            writer.supplement(later(START_MS, "http", "ingress"))
        with pytest.raises(UsageError, match="found backfilled=False"):
            writer.supplement(attrs.evolve(later(START_MS, "http"), backfilled=False))
        stray = attrs.evolve(later(START_MS, "http"), samples=(INGRESS,))
        with pytest.raises(UsageError, match="tell of rules only that were not answered"):
            writer.supplement(stray)
        with pytest.raises(RecordingError, match="call put_configuration first"):
            writer.supplement(attrs.evolve(later(START_MS, "http"), configuration="0" * 64))
        writer.supplement(later(START_MS, "http"))
        with pytest.raises(AlreadyRecordedError):
            writer.supplement(later(START_MS, "http"))
    assert [checked for checked in recording.verify() if checked.problems] == []


def test_a_scrape_refuses_rows_of_a_rule_that_was_not_answered() -> None:
    with pytest.raises(UsageError, match="mesh/http has rows, but was not answered"):
        scrape(START_MS, {"a>b 200": 1.0}, http="failed")
    with pytest.raises(UsageError, match="mesh/saturation has rows, but was not answered"):
        scrape(START_MS, measurements=[SATURATION], saturation="timeout")


def test_supplements_merge_and_seal_as_sequences_of_their_own(recording: Recording) -> None:
    instants = [START_MS + index * INTERVAL_MS for index in range(4)]
    record(
        recording,
        *(live(instant_ms, http="failed") for instant_ms in instants),
        supplements=tuple(later(instant_ms, "http") for instant_ms in instants[1:3]),
    )
    healed = [recording.graph(instant_ms) for instant_ms in instants]
    with recording.writer() as writer:
        assert writer.merge(START_MS + 5 * MINUTE_MS) == 6
        assert [recording.graph(instant_ms) for instant_ms in instants] == healed
        assert sorted(name.rpartition("/")[2] for name in writer.seal(NOW_MS)) == [
            "20261123T050000.000Z_20261123T050030.000Z_main.parquet",
            "20261123T050010.000Z_20261123T050020.000Z_main.1.parquet",
        ]
    assert [recording.graph(instant_ms) for instant_ms in instants] == healed
    assert [len(graph.failed_rules) for graph in healed] == [1, 0, 0, 1]
    [count] = recording.sql("select count(*) from samples where rule = 'http'").fetchall()
    assert count == (4,)
    assert [checked for checked in recording.verify() if checked.problems] == []


def test_the_timeline_counts_what_came_later(recording: Recording, tmp_path: Path) -> None:
    instants = [START_MS + index * INTERVAL_MS for index in range(3)]
    record(
        recording,
        *(live(instant_ms, **all_failed()) for instant_ms in instants),
        supplements=tuple(later(instant_ms, "http", "ingress", "saturation") for instant_ms in instants),
    )
    good = Recording.open(tmp_path / "good", create=True, clock=lambda: NOW_MS)
    record(good, *(live(instant_ms) for instant_ms in instants))
    window = (START_MS, START_MS + MINUTE_MS, "30s")
    assert recording.timeline(*window).equals(good.timeline(*window))


def test_sql_has_both_outcomes_as_facts_and_says_which_came_later(recording: Recording) -> None:
    record(recording, live(START_MS, http="failed"), supplements=(later(START_MS, "http"),))
    found = recording.sql(
        "select writer, supplement, outcome, backfilled from scrapes where rule = 'http' order by supplement"
    )
    assert found.fetchall() == [("main", 0, "failed", False), ("main", 1, "ok", True)]
    assert recording.sql("select distinct writer from samples").fetchall() == [("main",)]


def test_what_came_later_is_judged_by_the_configuration_in_force_at_the_instant(recording: Recording) -> None:
    strict = mesh(**{"^5..$": "^never$", "maxVolume: 500": "maxVolume: 9000"})
    record(recording, live(START_MS, http="failed"))
    with recording.writer() as writer:
        writer.put_configuration(strict)
        writer.supplement(attrs.evolve(later(START_MS, "http"), configuration=strict.hash))
    graph = recording.graph(START_MS)
    assert (graph.configuration, graph.region("mesh").max_volume) == (mesh().hash, 500)
    assert [edge.rates.danger for edge in graph.region("mesh").edges] == [0.5]
    [row] = recording.timeline(START_MS, START_MS + INTERVAL_MS, "10s").to_pylist()
    assert row["danger"] == 0.5
    assert recording.configuration().hash == mesh().hash


def test_a_supplement_whose_scrape_is_damaged_counts_for_nothing_and_a_damaged_one_is_replaced(
    recording: Recording,
) -> None:
    later_ms = START_MS + INTERVAL_MS
    record(
        recording,
        live(START_MS, http="failed"),
        live(later_ms, http="failed"),
        supplements=(later(START_MS, "http"), later(later_ms, "http")),
    )
    scrape_file, *_ = sorted(Path(recording.place).glob("head/*_main.parquet"))
    *_, supplement_file = sorted(Path(recording.place).glob("head/*_main.1.parquet"))
    for path in (scrape_file, supplement_file):
        path.write_bytes(path.read_bytes()[:-9])
    again = Recording.open(recording.place, clock=lambda: NOW_MS)
    assert again.instants()["instant"].cast("int64").to_pylist() == [later_ms]
    assert [unanswered.instant_ms for unanswered in again.unanswered()] == [later_ms]
    assert [rule.rule for rule in again.graph(later_ms).failed_rules] == ["http"]
    record(again, supplements=(later(later_ms, "http"),))
    assert again.graph(later_ms).failed_rules == ()
    assert [path.name[-14:] for path in Path(recording.place).glob("head/*main.2.parquet")] == [
        "main.2.parquet"
    ]


def test_verify_reports_supplements_without_a_scrape_and_of_rules_that_were_answered(
    recording: Recording,
) -> None:
    record(
        recording,
        live(START_MS, http="failed"),
        live(START_MS + INTERVAL_MS, http="failed"),
        supplements=(later(START_MS, "http"), later(START_MS + INTERVAL_MS, "http")),
    )
    assert [checked for checked in recording.verify() if checked.problems] == []
    scrape_file, *_ = sorted(Path(recording.place).glob("head/*_main.parquet"))
    scrape_file.unlink()
    *_, answer = sorted(Path(recording.place).glob("head/*_main.1.parquet"))
    answer.with_name(answer.name.replace("main.1", "main.2")).write_bytes(answer.read_bytes())
    problems = {checked.name[-14:]: checked.problems for checked in recording.verify() if checked.problems}
    assert problems == {
        "main.1.parquet": ("supplements 1 instants without a readable scrape, from 2026-11-23T05:00:00Z",),
        "main.2.parquet": ("supplements 1 rules that were answered before, from 2026-11-23T05:00:10Z",),
    }


def test_sql_knows_the_writer_of_a_supplement_whatever_its_name(recording: Recording) -> None:
    with recording.writer("eu-west-1") as writer:
        writer.put_configuration(mesh())
        writer.commit(live(START_MS, http="failed"))
        writer.supplement(later(START_MS, "http"))
    assert recording.sql("select distinct writer from samples").fetchall() == [("eu-west-1",)]
    assert recording.unanswered(writer="eu-west-1") == []


def test_of_two_threads_that_append_the_same_one_succeeds(recording: Recording) -> None:
    refused: list[BaseException] = []
    with recording.writer() as writer:
        writer.put_configuration(mesh())

        def append() -> None:
            for index in range(20):
                instant_ms = START_MS + index * INTERVAL_MS
                for append_one, event in (
                    (writer.commit, live(instant_ms, http="failed")),
                    (writer.supplement, later(instant_ms, "http")),
                ):
                    try:
                        append_one(event)
                    except AlreadyRecordedError as error:
                        refused.append(error)

        threads = [threading.Thread(target=append) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(refused) == 40
    assert recording.unanswered() == []
    assert recording.instants().num_rows == 20
    assert [checked for checked in recording.verify() if checked.problems] == []


def test_what_a_dead_writer_left_of_a_supplement_is_swept_by_the_next_one(recording: Recording) -> None:
    record(recording, live(START_MS))
    head = Path(recording.place) / "head"
    for name in ("main.1", "other.1"):
        (head / f".tmp-1-20261123T050000.000Z_20261123T050000.000Z_{name}.parquet").write_bytes(b"half")
    assert recording.info().temporary_files == 2
    record(recording)
    assert [path.name[-15:] for path in head.glob(".tmp-*")] == ["other.1.parquet"]


def test_where_a_scrape_is_damaged_its_supplement_neither_answers_nor_is_added_to(
    recording: Recording,
) -> None:
    later_ms = START_MS + INTERVAL_MS
    record(recording, live(START_MS), live(later_ms, **all_failed()))
    record(recording, supplements=(later(later_ms, "http"),))
    assert recording.graph().instant_ms == later_ms
    *_, scrape_file = sorted(Path(recording.place).glob("head/*_main.parquet"))
    scrape_file.write_bytes(scrape_file.read_bytes()[:-9])
    again = Recording.open(recording.place, clock=lambda: NOW_MS)
    assert again.graph().instant_ms == again.graph(later_ms).instant_ms == START_MS
    with pytest.raises(UsageError, match="no readable scrape of that instant"):
        record(again, supplements=(later(later_ms, "ingress"),))
