"""A disk that is really full: a small tmpfs, filled to its last block."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
import requests
from support.processes import RunProcess, console_script, wait_until
from support.recorders import (
    assert_whole,
    instants_of,
    problems_of,
    simulator,
    start_recorder,
    wait_for_commits,
)
from support.scrapes import INTERVAL_MS, START_MS, mesh, scrape

from vistio_core import Recording
from vistio_core.errors import AlreadyRecordedError
from vistio_core.storage.store import StorageError
from vistio_core.times import HOUR_MS, MINUTE_MS, SECOND_MS

if TYPE_CHECKING:
    from support.disks import Disk

FULL = "No space left on device"


def answers(recording: Recording) -> tuple[object, ...]:
    """What a reader gets: the newest graph, the instants, a window, SQL."""
    first, last = recording.info().first_ms, recording.info().last_ms
    assert first is not None
    assert last is not None
    return (
        recording.graph(last),
        recording.instants(first, last + 1).to_pylist(),
        recording.timeline(first, last + 1, "1m").to_pylist(),
        recording.sql(
            "select count(*), min(rate), max(rate), count(distinct (instant, target)) from samples"
        ).fetchall(),
    )


def test_a_recorder_goes_on_by_itself_when_a_full_disk_has_room_again(
    run_process: RunProcess, disk: Disk
) -> None:
    """Promise: a full disk costs the instants until there is room, with a clear message and a reason."""
    place = disk.path / "recording"
    recorder = start_recorder(run_process, place)
    before = wait_for_commits(recorder, 3)
    disk.fill()
    message = recorder.wait_for_line(r"commit\.failed.*").group(0)
    assert FULL in message
    assert "recording goes on by itself once there is room" in message

    kept = instants_of(place)
    assert set(before) <= set(kept)
    assert problems_of(place) == {}
    # Each second it tries again, which may be now; what one of them left would be there for ever.
    left = Recording.open(place)
    wait_until(lambda: left.info().temporary_files == 0, what="refused commits to leave nothing behind")

    disk.make_room()
    after = wait_for_commits(recorder, 3)
    recorder.wait_for_line(r"instant\.explained")
    recorder.terminate()
    found = Recording.open(place)
    assert found.instants().num_rows == len(set(instants_of(place)))
    assert set(kept) | set(after) <= set(instants_of(place))
    assert problems_of(place) == {}
    assert_whole(place)
    [reason] = {row["reason"] for row in found.gaps(kept[0], after[-1]).to_pylist() if FULL in row["reason"]}
    assert str(disk.path) not in reason, "a reason is shown to people who need not know this machine"

    healer = start_recorder(run_process, place, "--heal", "1h")
    wait_until(lambda: found.gaps(kept[0], after[-1]).num_rows == 0, what="the gap of the full disk to heal")
    healer.terminate()
    assert set(after) <= set(instants_of(place))
    assert problems_of(place) == {}
    assert_whole(place)


def test_a_reader_and_a_server_work_on_a_full_disk(run_process: RunProcess, disk: Disk) -> None:
    """Promise: what is recorded stays readable, with no room for so much as a temporary file."""
    place = disk.path / "recording"
    recorder = start_recorder(run_process, place)
    wait_for_commits(recorder, 2)
    disk.fill()
    recorder.wait_for_line(r"commit\.failed")
    recorder.terminate()

    answers(Recording.open(place))
    verified = subprocess.run(
        [console_script("vistio-record"), "verify", "--recording", place],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert verified.returncode == 0, verified.stdout + verified.stderr
    server = run_process("vistio-serve", "--recording", place, "--port", 0, TMPDIR=str(disk.path))
    url = server.wait_for_line(r"(http://\S+)").group(1)
    for path in ("graph", "instants?start=-5m", "config", "-/ready"):
        assert requests.get(url + path, timeout=10).status_code == 200, path
    server.terminate()


def test_a_recorder_that_starts_on_a_full_disk_says_so(run_process: RunProcess, disk: Disk) -> None:
    """Promise: wrong from the start is told at the start: exit code 1, one line, what to do."""
    disk.fill()
    log = start_recorder(run_process, disk.path / "recording").wait(exit_code=1)
    assert FULL in log
    assert "Traceback" not in log


@pytest.mark.parametrize("hours", [1, 2])
def test_a_merge_and_a_seal_on_a_full_disk_change_nothing_and_succeed_later(disk: Disk, hours: int) -> None:
    """Promise: housekeeping that is refused loses nothing; a later round does it."""
    recording = Recording.open(disk.path / "recording", create=True, clock=lambda: START_MS + 3 * HOUR_MS)
    with recording.writer() as writer:
        writer.put_configuration(mesh())
        for hour in range(hours):
            for index in range(40):
                rates = {f"a>b{edge} 200": edge + index / 7 for edge in range(50)}
                writer.commit(scrape(START_MS + hour * HOUR_MS + index * INTERVAL_MS, rates))
        before = answers(recording)
        disk.fill()
        with pytest.raises(StorageError, match=FULL):
            writer.merge(START_MS + 5 * MINUTE_MS)
        assert answers(recording) == before
        with pytest.raises(StorageError, match=FULL):
            writer.seal(START_MS + hours * HOUR_MS)
        assert answers(recording) == before
        assert recording.info().temporary_files == 0
        disk.make_room()
        writer.merge(START_MS + 5 * MINUTE_MS)
        assert len(writer.seal(START_MS + hours * HOUR_MS)) == hours
        assert answers(recording) == before
    assert problems_of(recording.place) == {}


def test_a_disk_that_is_full_at_any_byte_of_a_commit_shows_all_of_it_or_nothing(disk: Disk) -> None:
    """Promise: however much room there is, a commit is whole or not there, and can be tried again."""
    recording = Recording.open(disk.path / "recording", create=True)
    rates = {f"service-{edge}>service-{edge + 1} 200": edge / 7 for edge in range(3000)}
    with recording.writer() as writer:
        writer.put_configuration(mesh())
        filler = disk.path / "filler"
        left = disk.fill()
        refusals: list[str] = []
        while len(refusals) < 40:
            # From no room at all up to more than enough, block by block.
            disk.make_room()
            filler.write_bytes(b"\0" * (left - len(refusals) * 4096))
            try:
                writer.commit(scrape(START_MS + len(refusals) * INTERVAL_MS, rates))
                break
            except StorageError as error:
                refusals.append(str(error))
                assert recording.info().temporary_files == 0
        refused = len(refusals)
        assert all(FULL in refusal for refusal in refusals)
        assert 0 < refused < 40
        assert instants_of(recording.place) == [START_MS + refused * INTERVAL_MS]
        with pytest.raises(AlreadyRecordedError):
            writer.commit(scrape(START_MS + refused * INTERVAL_MS, rates))
        filler.unlink()
        for step in range(refused):
            writer.commit(scrape(START_MS + step * INTERVAL_MS, rates))
    assert len(instants_of(recording.place)) == refused + 1
    assert problems_of(recording.place) == {}


def test_pruning_makes_room_on_a_full_disk(disk: Disk) -> None:
    """Promise: retention frees a full disk; deleting needs no room."""
    recording = Recording.open(disk.path / "recording", create=True, clock=lambda: START_MS + HOUR_MS)
    with recording.writer() as writer:
        writer.put_configuration(mesh())
        for index in range(20):
            writer.commit(
                scrape(START_MS + index * INTERVAL_MS, {f"a>b{edge} 200": edge + 0.5 for edge in range(200)})
            )
        disk.fill()
        with pytest.raises(StorageError, match=FULL):
            writer.commit(scrape(START_MS + 20 * INTERVAL_MS))
        assert writer.prune(START_MS + 10 * INTERVAL_MS).files == 10
        writer.commit(scrape(START_MS + 20 * INTERVAL_MS))
    assert len(instants_of(recording.place)) == 11


def test_a_backfill_that_meets_a_full_disk_goes_on_when_run_again(disk: Disk) -> None:
    """Promise: an interrupted backfill keeps what it has, says why it ended, and can be repeated."""
    place = disk.path / "recording"
    command = [
        console_script("vistio-record"), "backfill", "--source", "simulator",
        "--source-option", "anchor=2001-01-01T00:00:00Z", "--recording", str(place),
        "--start", "2025-11-23T05:00:00Z", "--end", "2025-11-23T05:10:00Z", "--interval", "1s", "--timeout", "1s",
    ]  # fmt: skip
    first = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert first.returncode == 1
    assert FULL in first.stderr
    assert "Traceback" not in first.stderr
    assert 0 < len(instants_of(place)) < 600
    assert problems_of(place) == {}
    disk.resize(64 * 2**20)
    again = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert again.returncode == 0, again.stderr
    found = instants_of(place)
    assert len(found) == 600
    assert found[1] - found[0] == SECOND_MS
    source = simulator()
    graph = Recording.open(place).sql("select count(*) from samples").fetchall()
    assert graph == [(sum(len(source.evaluate(instant, 1.0).samples) for instant in found),)]
