"""Two recorder processes that want one recording."""

from __future__ import annotations

import os
import re
import signal
import time
from typing import TYPE_CHECKING

import pytest
from support.processes import RunningProcess, RunProcess
from support.recorders import (
    assert_whole,
    committed,
    instants_of,
    problems_of,
    start_recorder,
    wait_for_commits,
)

from vistio_core import Recording

if TYPE_CHECKING:
    from pathlib import Path


def refused(run: RunProcess, recording: Path) -> str:
    """What a second recorder says before it ends with exit code 1."""
    log = start_recorder(run, recording).wait(exit_code=1)
    assert "Traceback" not in log
    assert "scrape.committed" not in log
    return log


@pytest.fixture
def holder(run_process: RunProcess, recording_dir: Path) -> RunningProcess:
    recorder = start_recorder(run_process, recording_dir)
    wait_for_commits(recorder)
    return recorder


def test_the_second_recorder_refuses_and_names_the_first(
    run_process: RunProcess, recording_dir: Path, holder: RunningProcess
) -> None:
    """Promise: one writer at a time per name; the second says who is there and what to do, exit code 1."""
    log = refused(run_process, recording_dir)
    found = re.search(r"writer 'main' is in use by process (\d+) on (\S+) since (20\S+Z)", log)
    assert found, log
    assert int(found[1]) == holder.pid
    assert found[2] == os.uname().nodename
    assert "stop that one, or give this one another name with --writer" in log
    before = len(committed(holder.log))
    wait_for_commits(holder)
    assert len(committed(holder.log)) > before, "the first one goes on"
    holder.terminate()
    assert problems_of(recording_dir) == {}
    assert_whole(recording_dir)


def test_a_stopped_holder_keeps_its_lock_and_goes_on_when_it_wakes(
    run_process: RunProcess, recording_dir: Path, holder: RunningProcess
) -> None:
    """Promise: a process that hangs is not a process that died: nobody writes beside it."""
    holder.freeze()
    try:
        assert f"process {holder.pid} " in refused(run_process, recording_dir)
    finally:
        holder.thaw()
    wait_for_commits(holder)
    holder.terminate()
    assert len(instants_of(recording_dir)) == len(set(instants_of(recording_dir)))
    assert problems_of(recording_dir) == {}


@pytest.mark.parametrize("frozen", [False, True])
def test_the_lock_of_a_killed_recorder_is_taken_over_at_once(
    run_process: RunProcess, recording_dir: Path, holder: RunningProcess, frozen: bool
) -> None:
    """Promise: a stale lock needs nobody's help, however its holder died."""
    if frozen:
        holder.freeze()
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait(exit_code=-signal.SIGKILL)
    began_s = time.monotonic()
    second = start_recorder(run_process, recording_dir)
    acknowledged = wait_for_commits(second)
    print(f"\ntaken over and recording after {time.monotonic() - began_s:.2f} s")
    assert f"process {second.pid} " in refused(run_process, recording_dir)
    second.terminate()
    assert set(committed(holder.log)) | set(acknowledged) <= set(instants_of(recording_dir))
    assert problems_of(recording_dir) == {}


def test_a_deleted_lock_file_does_not_let_a_second_recorder_in(
    run_process: RunProcess, recording_dir: Path, holder: RunningProcess
) -> None:
    """Promise: who deletes what nobody has to delete finds it made again with the next commit."""
    for lock in (recording_dir / "locks").iterdir():
        lock.unlink()
    holder.wait_for_line("lock.taken_again")
    assert f"process {holder.pid} " in refused(run_process, recording_dir)
    wait_for_commits(holder)
    holder.terminate()


def test_a_recorder_that_lost_its_lock_ends_and_names_who_has_it(
    run_process: RunProcess, recording_dir: Path, holder: RunningProcess
) -> None:
    """Promise: two never go on side by side; the first one ends with exit code 1 at its next commit."""
    holder.freeze()  # so that the second one is surely the first to lock the new file
    (recording_dir / "locks/main.lock").unlink()
    second = start_recorder(run_process, recording_dir)
    wait_for_commits(second)
    holder.thaw()
    log = holder.wait(exit_code=1)
    assert "lock.lost" in log
    assert "Traceback" not in log
    assert f"writer 'main' is in use by process {second.pid} on " in log.splitlines()[-1]
    wait_for_commits(second)
    second.terminate()
    assert problems_of(recording_dir) == {}
    assert_whole(recording_dir)


def test_recorders_with_names_of_their_own_share_a_recording(
    run_process: RunProcess, recording_dir: Path, holder: RunningProcess
) -> None:
    """Promise: any number of recorders write side by side, each under its own name."""
    other = start_recorder(run_process, recording_dir, "--writer", "eu-west-1")
    wait_for_commits(other, 2)
    wait_for_commits(holder, 2)
    holder.terminate()
    other.terminate()
    table = Recording.open(recording_dir).instants().to_pylist()
    for name, recorder in (("main", holder), ("eu-west-1", other)):
        own = [round(row["instant"].timestamp() * 1000) for row in table if row["writer"] == name]
        assert set(committed(recorder.log)) <= set(own)
        assert len(own) == len(set(own))
    assert problems_of(recording_dir) == {}


def test_two_that_start_at_the_same_moment_are_one_recorder_in_the_end(
    run_process: RunProcess, recording_dir: Path
) -> None:
    """Promise: the lock decides, not luck: of several that start together exactly one records."""
    together = [start_recorder(run_process, recording_dir) for _ in range(3)]
    deadline_s = time.monotonic() + 30
    while sum(recorder.running for recorder in together) > 1:
        assert time.monotonic() < deadline_s, "more than one recorder is running"
        time.sleep(0.05)
    [winner] = [recorder for recorder in together if recorder.running]
    wait_for_commits(winner)
    for loser in (recorder for recorder in together if recorder is not winner):
        log = loser.wait(exit_code=1)
        assert "is in use by" in log or "another process" in log, log
        assert committed(log) == []
    winner.terminate()
    assert problems_of(recording_dir) == {}
    assert_whole(recording_dir)
