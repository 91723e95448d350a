"""A clock that is set while a real recorder process runs (`support.stepped_clock` says how)."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import pytest
from support.misbehaving import configuration_text, serving, vector
from support.processes import RunningProcess, RunProcess, wait_until
from support.recorders import ANCHOR, assert_whole, committed, instants_of, problems_of, wait_for_commits

from vistio_core import Recording
from vistio_core.times import HOUR_MS, MINUTE_MS, SECOND_MS, system_now_ms

if TYPE_CHECKING:
    from collections.abc import Iterator

INTERVAL_MS = 500
TESTS = Path(__file__).parents[1]
SIMULATOR = ("--source", "simulator", "--source-option", f"anchor={ANCHOR}")


@attrs.define
class Clock:
    """The offset of a recorder's clock, and the recorder that has it."""

    file: Path
    recorder: RunningProcess

    def step(self, offset_ms: int) -> None:
        """Sets the clock to the system's plus ``offset_ms``; whole or not at all, as a clock is set."""
        whole = self.file.with_suffix(".new")
        whole.write_text(str(offset_ms))
        whole.replace(self.file)

    def wait_for_instant_near(self, offset_ms: int, count: int = 2) -> list[int]:
        """Waits until ``count`` instants of that clock's present are committed; returns all of them."""

        def near() -> list[int]:
            now_ms = system_now_ms() + offset_ms
            return [instant for instant in committed(self.recorder.log) if abs(instant - now_ms) < MINUTE_MS]

        wait_until(lambda: len(near()) >= count, what=f"{count} commits at {offset_ms} ms from now")
        return near()


@pytest.fixture
def clock(tmp_path: Path, recording_dir: Path, run_process: RunProcess) -> Clock:
    return start(tmp_path, recording_dir, run_process, *SIMULATOR)


def start(tmp_path: Path, recording: Path, run: RunProcess, *source: object, offset_ms: int = 0) -> Clock:
    offset = tmp_path / "offset"
    offset.write_text(str(offset_ms))
    recorder = run(
        sys.executable, "-m", "support.stepped_clock", offset, "run", *source, "--recording", recording,
        "--interval", f"{INTERVAL_MS}ms", "--timeout", f"{INTERVAL_MS}ms", "--delay", "0s", "--port", 0,
        PYTHONPATH=":".join([str(TESTS), *sys.path]),
    )  # fmt: skip
    return Clock(offset, recorder)


def assert_sound(recording: Path, acknowledged: list[int]) -> None:
    found = instants_of(recording)
    assert len(set(found)) == len(found), "an instant was recorded twice"
    assert len(set(acknowledged)) == len(acknowledged), "an instant was acknowledged twice"
    assert set(acknowledged) <= set(found)
    assert problems_of(recording) == {}
    assert_whole(recording)


def test_a_clock_set_forward_leaves_a_gap_that_is_explained(clock: Clock, recording_dir: Path) -> None:
    """Promise: instants that a clock jumped over never took place; they are a gap with its reason."""
    before = clock.wait_for_instant_near(0)
    clock.step(HOUR_MS)
    after = clock.wait_for_instant_near(HOUR_MS)
    log = clock.recorder.terminate()
    assert "clock.stepped" in log
    assert_sound(recording_dir, committed(log))
    # Seen by a reader whose clock was set too: the future is no gap.
    reader = Recording.open(recording_dir, clock=lambda: system_now_ms() + HOUR_MS)
    gaps = reader.gaps(before[0], after[0]).to_pylist()
    assert [gap["reason"] for gap in gaps if gap["missing"] > 1000] == ["not running"]
    seen = [row for row in reader.instants(before[0], after[0])["seen"].to_pylist() if row]
    due = (after[0] - before[0]) // INTERVAL_MS
    assert sum(gap["missing"] for gap in gaps) == due - len(seen), "every due instant is seen or explained"


def test_a_clock_set_back_records_no_instant_twice_and_goes_on(clock: Clock, recording_dir: Path) -> None:
    """Promise: a clock set back shows instants again; what is recorded stays, the rest is scraped."""
    clock.wait_for_instant_near(0, 3)
    # Less than what is recorded: those instants are waited out.
    clock.step(-2 * INTERVAL_MS)
    wait_for_commits(clock.recorder, 2)
    # Far more: it is an hour ago now, and that hour was not recorded.
    clock.step(-HOUR_MS)
    clock.wait_for_instant_near(-HOUR_MS)
    clock.step(0)
    wait_for_commits(clock.recorder, 3)
    log = clock.recorder.terminate()
    assert log.count("clock.stepped") >= 2
    assert "commit.failed" not in log
    assert_sound(recording_dir, committed(log))


def test_a_clock_that_swings_all_the_time_stalls_nothing(clock: Clock, recording_dir: Path) -> None:
    """Promise: whatever the clock does, the recorder goes on and the log stays sound."""
    for offset_ms in (700, -900, 5_000, -40_000, 0, 86_400_000, -86_400_000, 1, 0):
        before = len(committed(clock.recorder.log))
        clock.step(offset_ms)
        # A small step back is waited out: that takes as long as the step.
        wait_until(
            lambda before=before: len(committed(clock.recorder.log)) > before,
            what=f"a commit after the clock was set to {offset_ms} ms",
        )
    log = clock.recorder.terminate()
    assert "Traceback" not in log
    assert_sound(recording_dir, committed(log))


def test_a_recorder_that_starts_with_its_clock_behind_leaves_the_recorded_future_alone(
    clock: Clock, tmp_path: Path, recording_dir: Path, run_process: RunProcess
) -> None:
    """Promise: what an earlier process recorded is never overwritten, whatever the time is said to be."""
    first = clock.wait_for_instant_near(0, 4)
    clock.recorder.terminate()
    before = Recording.open(recording_dir).graph(first[-1])
    behind_ms = first[0] - system_now_ms()
    again = start(tmp_path, recording_dir, run_process, *SIMULATOR, offset_ms=behind_ms)
    wait_until(lambda: max(committed(again.recorder.log), default=0) > first[-1], what="a later instant")
    log = again.recorder.terminate()
    assert "commit.failed" not in log
    assert Recording.open(recording_dir).graph(first[-1]) == before
    assert_sound(recording_dir, committed(log))


@pytest.fixture
def prometheus_configuration(tmp_path: Path) -> Iterator[Path]:
    """A configuration whose server, as Prometheus does, answers an empty vector about its own future."""

    def answer(request: object) -> None:
        in_future = float(request.form["time"]) * 1000 > system_now_ms() + SECOND_MS  # type: ignore[attr-defined]
        edges = () if in_future else (({"source": "a", "target": "b", "code": "200"}, "1.5"),)
        request.answer(vector(*edges))  # type: ignore[attr-defined]

    with serving(answer) as url:
        path = tmp_path / "vistio.yaml"
        path.write_text(configuration_text(url, "q"))
        yield path


def test_a_clock_ahead_of_prometheus_is_not_a_quiet_mesh(
    prometheus_configuration: Path, tmp_path: Path, recording_dir: Path, run_process: RunProcess
) -> None:
    """Promise: nothing false is recorded about the future; the reason names the clocks."""
    source = ("--config", prometheus_configuration)
    clock = start(tmp_path, recording_dir, run_process, *source, offset_ms=HOUR_MS)
    ahead = clock.wait_for_instant_near(HOUR_MS)
    clock.step(0)
    true = clock.wait_for_instant_near(0)
    clock.recorder.terminate()
    recording = Recording.open(recording_dir)
    rows = recording.sql("select epoch_ms(instant), outcome, error from scrapes order by 1").fetchall()
    outcomes = {instant: (outcome, error or "") for instant, outcome, error in rows}
    for instant in ahead:
        assert outcomes[instant][0] in ("failed", "skipped")
    assert any("behind the asked instant" in outcomes[instant][1] for instant in ahead)
    assert {outcomes[instant][0] for instant in true} <= {"ok", "skipped"}
    assert recording.graph().instant_ms in true, "the newest graph is one that was seen"
