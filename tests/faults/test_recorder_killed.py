"""A recorder process that gets SIGKILL at random moments, round after round.

`tests/storage/test_killed.py` kills a writer between any two of its steps. Here the whole
process dies, wherever it is: importing, taking the lock, committing, merging or sealing an hour.
"""

from __future__ import annotations

import os
import random
import signal
import statistics
import time
from typing import TYPE_CHECKING

import pytest
from support.processes import RunningProcess, RunProcess, wait_until
from support.recorders import (
    assert_whole,
    committed,
    instants_of,
    problems_of,
    simulator,
    start_recorder,
    wait_for_commits,
)

from vistio_core import Recording
from vistio_core.events import Scrape
from vistio_core.times import HOUR_MS, SECOND_MS, align, system_now_ms

if TYPE_CHECKING:
    from pathlib import Path

ROUNDS = 24
SEED = 20_261_123


def leave_work_for_housekeeping(place: Path, first_ms: int) -> list[int]:
    """Commits to an hour that is over, so that the next recorder merges and seals right at its start."""
    source, interval_ms = simulator(), 10 * SECOND_MS
    instants = [first_ms + index * interval_ms for index in range(12)]
    # Opening the writer also proves that the lock of the killed process is free at once.
    with Recording.open(place, create=True).writer() as writer:
        configuration = writer.put_configuration(source.configuration)
        for instant_ms in instants:
            seen = source.evaluate(instant_ms, 1.0)
            writer.commit(
                Scrape(instant_ms, interval_ms, configuration, seen.outcomes, seen.samples, seen.measurements)
            )
    return instants


def wait_for_a_sealed_hour(recorder: RunningProcess, place: Path) -> None:
    recording = Recording.open(place)
    wait_until(
        lambda: recording.info().log_files > 0,
        what=f"a sealed hour; the end of the recorder's log:\n{recorder.log[-3000:]}",
        timeout_s=60,
    )


def die(recorder: RunningProcess) -> None:
    os.kill(recorder.pid, signal.SIGKILL)
    recorder.wait(exit_code=-signal.SIGKILL)


@pytest.mark.timeout(600)
def test_a_recorder_killed_at_random_moments_loses_nothing_that_it_acknowledged(
    run_process: RunProcess, recording_dir: Path
) -> None:
    """Promise: killed at any moment, nothing acknowledged is lost and nothing half-written is seen."""
    choose = random.Random(SEED)
    # Once: an hour may end while this runs.
    this_hour_ms = align(system_now_ms(), HOUR_MS)
    acknowledged: set[int] = set()
    until_started_s: list[float] = []
    until_committed_s: list[float] = []
    for number in range(ROUNDS):
        acknowledged.update(leave_work_for_housekeeping(recording_dir, this_hour_ms - (number + 2) * HOUR_MS))
        began_s = time.monotonic()
        recorder = start_recorder(run_process, recording_dir, interval="100ms")
        if number % 2:
            recorder.wait_for_line(r"recorder\.started")
            until_started_s.append(time.monotonic() - began_s)
            wait_for_commits(recorder)
            until_committed_s.append(time.monotonic() - began_s)
            if number % 8 == 7:  # so that the next ones die over a log that has hours, too
                wait_for_a_sealed_hour(recorder, recording_dir)
            time.sleep(choose.uniform(0, 0.3))
        else:
            time.sleep(choose.uniform(0.1, 1.2))
        readable_before = set(instants_of(recording_dir))
        die(recorder)
        acknowledged.update(committed(recorder.log))
        found = instants_of(recording_dir)
        assert readable_before | acknowledged <= set(found), f"round {number} lost instants"
        assert len(set(found)) == len(found), f"round {number} has instants twice"
        if number % 6 == 5:
            assert problems_of(recording_dir) == {}, f"round {number}"
    assert problems_of(recording_dir) == {}
    assert_whole(recording_dir)
    print(
        f"\n{ROUNDS} kills; {len(acknowledged)} instants acknowledged; until recorder.started"
        f" median {statistics.median(until_started_s):.2f} s, until the first commit"
        f" {statistics.median(until_committed_s):.2f} s"
    )
    # A second is the aim, on a quiet machine; this bound is for one that is busy.
    assert statistics.median(until_started_s) < 10


def test_what_a_killed_recorder_left_half_written_is_swept_by_the_next(
    run_process: RunProcess, recording_dir: Path
) -> None:
    """Promise: what a dying process left is never seen, and does not pile up."""
    recorder = start_recorder(run_process, recording_dir)
    wait_for_commits(recorder)
    die(recorder)
    half = recording_dir / "head" / ".tmp-0123456789ab-20261123T050000.000Z_20261123T050000.000Z_main.parquet"
    half.write_bytes(b"PAR1 half a commit")
    assert problems_of(recording_dir) == {}
    again = start_recorder(run_process, recording_dir)
    wait_for_commits(again)
    again.terminate()
    assert not half.exists()
    assert Recording.open(recording_dir).info().temporary_files == 0
