"""The loop, with a real recording, a scripted source and clocks in hand."""

from __future__ import annotations

import errno
import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.misbehaving import configuration_text

from vistio_core.configuration import Configuration, loads
from vistio_core.errors import NotARecordingError, RecordingError, UsageError
from vistio_core.events import Outcome, RuleOutcome, Sample, Scrape
from vistio_core.recording.recording import Recording
from vistio_core.storage.store import StorageError
from vistio_core.storage.writer import Writer
from vistio_record.housekeeping import Housekeeper, keep_house
from vistio_record.metrics import Metrics
from vistio_record.recorder import Recorder
from vistio_record.schedule import Scheduled
from vistio_record.sources.base import Evaluation
from vistio_record.stop import StopRequest
from vistio_record.unwritten import explained

NOON = 1_763_899_200_000
INTERVAL = 10_000
CONFIGURATION = loads(configuration_text("http://127.0.0.1:9090", "one", "two"))


class Scripted:
    """A source that says what a test wants; by default one edge."""

    answers_past = True

    def __init__(self) -> None:
        self.configuration: Configuration = CONFIGURATION
        self.asked: list[int] = []
        self.evaluation: Callable[[int], Evaluation] = self.one_edge
        self.closed = threading.Event()

    def evaluate(self, instant_ms: int, timeout_s: float) -> Evaluation:
        self.asked.append(instant_ms)
        return self.evaluation(instant_ms)

    def close(self) -> None:
        self.closed.set()

    def one_edge(self, instant_ms: int) -> Evaluation:
        outcomes = tuple(RuleOutcome(cluster, rule.id, Outcome.OK) for cluster, rule in CONFIGURATION.rules())
        return Evaluation(outcomes, (Sample("mesh", "one", "a", "b", "200", float(instant_ms % 977)),))


@pytest.fixture
def source() -> Scripted:
    return Scripted()


@pytest.fixture
def recording(recording_dir: Path) -> Recording:
    return Recording.open(recording_dir, create=True)


@pytest.fixture
def writer(recording: Recording) -> Iterator[Writer]:
    with recording.writer() as writer:
        yield writer


@pytest.fixture
def stop() -> Iterator[StopRequest]:
    stop = StopRequest()
    yield stop
    stop.close()


def recorder_of(source: Scripted, writer: object) -> Recorder:
    recorder = Recorder(source, writer, INTERVAL, 8.0, Metrics(lambda: NOON))  # type: ignore[arg-type]
    recorder.start()
    return recorder


def recorded(recording: Recording) -> list[tuple[int, bool]]:
    table = recording.instants().to_pylist()
    return [(round(row["instant"].timestamp() * 1000), row["seen"]) for row in table]


def test_each_instant_is_evaluated_and_committed(
    source: Scripted, recording: Recording, writer: Writer, stop: StopRequest
) -> None:
    recorder_of(source, writer).run([Scheduled(NOON), Scheduled(NOON + INTERVAL)], stop)
    assert recorded(recording) == [(NOON, True), (NOON + INTERVAL, True)]
    assert recording.graph(NOON + INTERVAL).region("mesh").edges[0].rates.normal == (NOON + INTERVAL) % 977


def test_skipped_instants_are_recorded_with_their_reason(
    source: Scripted, recording: Recording, writer: Writer, stop: StopRequest
) -> None:
    skipped = (NOON + INTERVAL, NOON + 2 * INTERVAL)
    due = [Scheduled(NOON), Scheduled(NOON + 3 * INTERVAL, skipped)]
    recorder_of(source, writer).run(due, stop)
    assert source.asked == [NOON, NOON + 3 * INTERVAL]
    assert [seen for _, seen in recorded(recording)] == [True, False, False, True]
    reasons = recording.gaps(NOON, NOON + 4 * INTERVAL)["reason"].to_pylist()
    assert len(reasons) == 1
    assert reasons[0].startswith("skipped: the scrape before was still running")


def test_an_instant_that_is_there_is_left_alone(
    source: Scripted, recording: Recording, writer: Writer, stop: StopRequest
) -> None:
    recorder = recorder_of(source, writer)
    recorder.run([Scheduled(NOON)], stop)
    before = recording.graph(NOON)
    source.evaluation = lambda instant_ms: Evaluation(source.one_edge(instant_ms).outcomes)
    assert recorder.record(NOON)
    assert recording.graph(NOON) == before


def test_a_source_that_raises_is_recorded_as_a_failure_of_every_rule(
    source: Scripted,
    recording: Recording,
    writer: Writer,
    stop: StopRequest,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def crash(instant_ms: int) -> Evaluation:
        raise ZeroDivisionError("secret detail")

    source.evaluation = crash
    recorder_of(source, writer).run([Scheduled(NOON)], stop)
    rows = recording.sql("select outcome, error from scrapes").fetchall()
    assert [outcome for outcome, _ in rows] == ["failed", "failed"]
    assert "ZeroDivisionError" in rows[0][1]
    assert "secret detail" not in rows[0][1]
    assert "source.crashed" in caplog.messages


def test_a_source_that_gives_nonsense_is_recorded_as_failed(
    source: Scripted, recording: Recording, writer: Writer, stop: StopRequest
) -> None:
    edge = Sample("mesh", "one", "a", "b", "200", float("nan"))
    source.evaluation = lambda instant_ms: Evaluation(source.one_edge(instant_ms).outcomes, (edge,))
    recorder_of(source, writer).run([Scheduled(NOON)], stop)
    assert recorded(recording) == [(NOON, False)]


class FullDisk:
    """A writer whose disk is full for the first commits, then has room again."""

    def __init__(self, writer: Writer, failures: int) -> None:
        self._writer = writer
        self._failures = failures

    def put_configuration(self, configuration: Configuration) -> str:
        return self._writer.put_configuration(configuration)

    def commit(self, scrape: Scrape) -> None:
        if self._failures:
            self._failures -= 1
            raise RecordingError("head: No space left on device; free some") from OSError(
                errno.ENOSPC, "full"
            )
        self._writer.commit(scrape)


def test_a_commit_that_is_refused_is_logged_and_the_next_instant_recorded(
    source: Scripted,
    recording: Recording,
    writer: Writer,
    stop: StopRequest,
    caplog: pytest.LogCaptureFixture,
) -> None:
    recorder = recorder_of(source, FullDisk(writer, 2))
    due = [Scheduled(NOON + n * INTERVAL) for n in range(4)]
    recorder.run(due, stop)
    assert recorded(recording) == [(NOON + n * INTERVAL, n >= 2) for n in range(4)]
    [gap] = recording.gaps(NOON, NOON + 4 * INTERVAL).to_pylist()
    assert gap["missing"] == 2
    assert "answered, but the recording could not be written" in gap["reason"]
    lost = [record for record in caplog.records if record.message == "commit.failed"]
    assert [record.levelno for record in lost] == [logging.ERROR] * 2
    assert "No space left" in lost[0].error
    assert "next instant" in lost[0].next


@pytest.mark.parametrize("failures", [24, 25, 26])
def test_only_the_newest_refused_commits_are_explained_a_few_with_each_scrape(
    source: Scripted,
    recording: Recording,
    writer: Writer,
    stop: StopRequest,
    failures: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("vistio_record.unwritten.MAX_UNWRITTEN", 25)
    recorder = recorder_of(source, FullDisk(writer, failures))
    recorder.run([Scheduled(NOON + n * INTERVAL) for n in range(failures + 1)], stop)
    assert len(recorded(recording)) == 1 + 10
    recorder.run([Scheduled(NOON + (failures + n) * INTERVAL) for n in range(1, 4)], stop)
    unseen = [instant_ms for instant_ms, seen in recorded(recording) if not seen]
    assert unseen == [NOON + n * INTERVAL for n in range(failures - min(failures, 25), failures)]


def test_an_explanation_keeps_what_was_failed_already_and_names_no_path() -> None:
    outcomes = (RuleOutcome("mesh", "one", Outcome.OK), RuleOutcome("mesh", "two", Outcome.TIMEOUT, "slow"))
    edge = Sample("mesh", "one", "a", "b", "200", 1.0)
    scrape = Scrape(NOON, INTERVAL, CONFIGURATION.hash, outcomes, (edge,))
    told = explained(scrape, StorageError("/secret/place", "writing", OSError(errno.ENOSPC, "full")))
    assert (told.instant_ms, told.samples) == (NOON, ())
    assert told.outcomes[0].error.endswith("could not be written: No space left on device")
    assert told.outcomes[1] == outcomes[1]
    assert "mount had gone" in explained(scrape, NotARecordingError("/secret", "gone")).outcomes[0].error
    assert "secret" not in explained(scrape, RecordingError("/secret")).outcomes[0].error


def test_a_configuration_without_rules_is_refused_at_the_start(source: Scripted, writer: Writer) -> None:
    source.configuration = Configuration("empty", CONFIGURATION.global_level, (), (), "graphName: empty\n")
    with pytest.raises(UsageError, match="no rules"):
        recorder_of(source, writer)


def test_a_stop_closes_a_source_that_hangs_and_its_scrape_is_not_recorded(
    source: Scripted, recording: Recording, writer: Writer, stop: StopRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vistio_record.recorder._GRACE_S", 0.01)

    def hang(instant_ms: int) -> Evaluation:
        stop.request()
        assert source.closed.wait(20)
        outcomes = tuple(
            RuleOutcome(c, rule.id, Outcome.FAILED, "closed") for c, rule in CONFIGURATION.rules()
        )
        return Evaluation(outcomes)

    source.evaluation = hang
    recorder_of(source, writer).run([Scheduled(NOON)], stop)
    assert recorded(recording) == []


def test_a_scrape_that_finishes_after_the_stop_is_recorded(
    source: Scripted, recording: Recording, writer: Writer, stop: StopRequest
) -> None:
    def answer(instant_ms: int) -> Evaluation:
        stop.request()
        return source.one_edge(instant_ms)

    source.evaluation = answer
    recorder_of(source, writer).run([Scheduled(NOON)], stop)
    assert recorded(recording) == [(NOON, True)]


def test_warnings_of_the_configuration_are_logged_with_their_place(
    source: Scripted, writer: Writer, caplog: pytest.LogCaptureFixture
) -> None:
    source.configuration = loads("oldKey: 1\n" + CONFIGURATION.text)
    assert source.configuration.warnings
    recorder_of(source, writer)
    noted = [record for record in caplog.records if record.message == "configuration.noted"]
    assert "oldKey" in noted[0].path + noted[0].problem


class Refusing:
    """A writer whose housekeeping is refused, step by step."""

    def __init__(self) -> None:
        self.steps: list[str] = []

    def merge(self, now_ms: int) -> int:
        self.steps.append("merge")
        raise RecordingError("no")

    def seal(self, before_ms: int) -> list[str]:
        self.steps.append("seal")
        raise OSError(errno.EROFS, "read-only")

    def prune(self, before_ms: int) -> object:
        self.steps.append(f"prune {before_ms}")
        raise ZeroDivisionError

    def prune_to_size(self, max_bytes: int) -> object:
        self.steps.append(f"prune to {max_bytes}")
        raise RecordingError("no")


@pytest.mark.parametrize(
    ("retention_ms", "retention_bytes", "pruned"),
    [
        (0, 0, []),
        (1, 0, [f"prune {NOON - 1}"]),
        (0, 1, ["prune to 1"]),
        (1, 1, [f"prune {NOON - 1}", "prune to 1"]),
    ],
)
def test_a_step_of_housekeeping_that_fails_does_not_keep_the_next_from_running(
    retention_ms: int, retention_bytes: int, pruned: list[str]
) -> None:
    refusing = Refusing()
    measured: list[int] = []
    keep_house(
        refusing,  # type: ignore[arg-type]
        now_ms=NOON,
        retention_ms=retention_ms,
        retention_bytes=retention_bytes,
        measure=lambda: measured.append(1),
    )
    assert refusing.steps == ["merge", "seal", *pruned]
    assert measured == [1]


def test_housekeeping_seals_an_hour_only_after_its_last_scrapes_have_settled(
    source: Scripted, recording: Recording, writer: Writer, stop: StopRequest
) -> None:
    recorder_of(source, writer).run([Scheduled(NOON), Scheduled(NOON + INTERVAL)], stop)
    end = NOON - NOON % 3_600_000 + 3_600_000
    for now_ms, sealed in ((end + 119_999, 0), (end + 120_000, 1)):
        keep_house(writer, now_ms=now_ms, retention_ms=0)
        assert recording.info().log_files == sealed


def test_what_retention_deletes_is_told(
    source: Scripted, recording: Recording, writer: Writer, stop: StopRequest
) -> None:
    recorder_of(source, writer).run([Scheduled(NOON), Scheduled(NOON + INTERVAL)], stop)
    deleted: list[int] = []
    before = recording.info().head_bytes
    for age_ms in (INTERVAL, INTERVAL - 1, INTERVAL - 1):
        keep_house(writer, now_ms=NOON + INTERVAL, retention_ms=age_ms, pruned=deleted.append)
    assert deleted == [before - recording.info().head_bytes]
    assert recorded(recording) == [(NOON + INTERVAL, True)]


def test_the_housekeeper_works_right_away_and_ends_when_closed() -> None:
    worked = threading.Event()
    housekeeper = Housekeeper(worked.set, period_s=3600)
    assert worked.wait(10)
    assert housekeeper.close()


def test_a_stop_request_wakes_every_waiter_and_stays() -> None:
    stop = StopRequest()
    threads = [threading.Thread(target=stop.wait) for _ in range(3)]
    for thread in threads:
        thread.start()
    stop.request()
    stop.request()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()
    assert stop.wait(3600)
    stop.close()
