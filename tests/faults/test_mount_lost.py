"""A recording whose file system becomes read-only, or goes away and comes back."""

from __future__ import annotations

import random
import threading
import time
from typing import TYPE_CHECKING

import requests
from support.processes import RunProcess, wait_until
from support.recorders import (
    assert_whole,
    committed,
    instants_of,
    problems_of,
    start_recorder,
    wait_for_commits,
)
from support.scrapes import INTERVAL_MS, START_MS, mesh, scrape

from vistio_core import Recording
from vistio_core.errors import RecordingError
from vistio_core.times import format_instant

if TYPE_CHECKING:
    from support.disks import Disk


def assert_nothing_lost(place: object, acknowledged: list[int]) -> None:
    assert set(acknowledged) <= set(instants_of(str(place)))
    assert problems_of(str(place)) == {}
    assert_whole(str(place))


def test_a_recorder_goes_on_by_itself_after_a_read_only_remount(run_process: RunProcess, disk: Disk) -> None:
    """Promise: a read-only file system costs the instants until it is writable again; it stays readable."""
    place = disk.path / "recording"
    recorder = start_recorder(run_process, place)
    before = wait_for_commits(recorder, 3)
    disk.become_read_only()
    message = recorder.wait_for_line(r"commit\.failed.*").group(0)
    assert "Read-only file system" in message
    assert "remount it for writing; recording goes on by itself then" in message
    assert set(before) <= set(instants_of(place))
    assert Recording.open(place).graph().regions
    server = run_process("vistio-serve", "--recording", place, "--port", 0)
    url = server.wait_for_line(r"(http://\S+)").group(1)
    assert requests.get(url + "graph", timeout=10).status_code == 200
    server.terminate()

    disk.become_writable()
    after = wait_for_commits(recorder, 3)
    recorder.wait_for_line(r"instant\.explained")
    recorder.terminate()
    assert_nothing_lost(place, after)
    reasons = [gap["reason"] for gap in Recording.open(place).gaps(before[0], after[-1]).to_pylist()]
    assert any("Read-only file system" in reason for reason in reasons)


def test_a_recorder_that_starts_on_a_read_only_disk_says_so(run_process: RunProcess, disk: Disk) -> None:
    """Promise: wrong from the start is told at the start, and reading needs no right to write."""
    place = disk.path / "recording"
    recorder = start_recorder(run_process, place)
    wait_for_commits(recorder)
    recorder.terminate()
    disk.become_read_only()
    log = start_recorder(run_process, place).wait(exit_code=1)
    assert "Read-only file system; remount it for writing" in log
    assert "Traceback" not in log
    assert problems_of(place) == {}


def test_a_recorder_goes_on_by_itself_when_a_vanished_mount_is_back(
    run_process: RunProcess, disk: Disk
) -> None:
    """Promise: a vanished mount costs its instants; the empty mount point is never written to."""
    recorder = start_recorder(run_process, disk.path)  # the mount point itself is the recording
    wait_for_commits(recorder, 3)
    disk.vanish()
    # A commit that was under way when it vanished may say so in other words.
    recorder.wait_for_line(r"commit\.failed.*its mount vanished")
    lost = len(committed(recorder.log))
    wait_until(lambda: recorder.log.count("commit.failed") >= 4, what="more refused commits")
    assert len(committed(recorder.log)) == lost
    assert list(disk.path.iterdir()) == [], "nothing may be written into the empty mount point"

    disk.come_back()
    after = wait_for_commits(recorder, 3)
    recorder.wait_for_line(r"instant\.explained")
    recorder.terminate()
    assert_nothing_lost(disk.path, after)
    reasons = [gap["reason"] for gap in Recording.open(disk.path).gaps(after[0], after[-1]).to_pylist()]
    assert any(reason.endswith("directory or its mount had gone") for reason in reasons), reasons


def test_a_recording_below_a_vanished_mount_is_not_made_again(run_process: RunProcess, disk: Disk) -> None:
    """Promise: also where the recording is a folder on the mount, nothing is made in its place."""
    recorder = start_recorder(run_process, disk.path / "deep" / "recording")
    wait_for_commits(recorder, 2)
    disk.vanish()
    recorder.wait_for_line(r"commit\.failed")
    wait_until(lambda: recorder.log.count("commit.failed") >= 3, what="more refused commits")
    assert list(disk.path.iterdir()) == []
    disk.come_back()
    after = wait_for_commits(recorder, 2)
    recorder.terminate()
    assert_nothing_lost(disk.path / "deep" / "recording", after)


def test_a_reader_and_a_server_outlive_a_vanished_mount(run_process: RunProcess, disk: Disk) -> None:
    """Promise: while the mount is away readers get an error that says so, and answers again when it is back."""
    recorder = start_recorder(run_process, disk.path)
    wait_for_commits(recorder, 2)
    newest_ms = committed(recorder.terminate())[-1]
    server = run_process("vistio-serve", "--recording", disk.path, "--port", 0)
    url = server.wait_for_line(r"(http://\S+)").group(1)

    # Who asks for now is answered for the whole second, which can begin before the last commit.
    wait_until(lambda: time.time() * 1000 >= newest_ms + 1000, what="the next second")
    graph = requests.get(url + "graph", timeout=10)
    assert graph.json()["metadata"]["vistio"]["instant"] == format_instant(newest_ms)
    disk.vanish()

    def refused() -> bool:
        answer = requests.get(url + "graph?at=-1s", timeout=10)
        return answer.status_code in (404, 503) and answer.headers["Content-Type"].startswith(
            "application/problem+json"
        )

    wait_until(refused, what="a problem document while the mount is away")
    assert requests.get(url + "-/ready", timeout=10).status_code == 503
    assert requests.get(url + "-/healthy", timeout=10).status_code == 200
    disk.come_back()
    wait_until(lambda: requests.get(url + "graph", timeout=10).status_code == 200, what="the graph again")
    assert requests.get(url + "graph", timeout=10).json()["nodes"] == graph.json()["nodes"]
    assert "Traceback" not in server.terminate()


def test_a_mount_that_comes_and_goes_between_any_two_steps_of_a_commit_takes_nothing_astray(
    disk: Disk,
) -> None:
    """Promise: however unlucky the moment, the empty mount point is never written to."""
    recording = Recording.open(disk.path, create=True)
    configuration, over = mesh(), threading.Event()
    opened, acknowledged = threading.Event(), list[int]()

    def commit_all_the_time() -> None:
        index = 0
        with recording.writer() as writer:
            opened.set()
            while not over.is_set():
                instant_ms = START_MS + index * INTERVAL_MS
                index += 1
                try:
                    writer.put_configuration(configuration)
                    writer.commit(scrape(instant_ms, {"a>b 200": 1.0}, configuration=configuration))
                except (RecordingError, OSError):
                    continue
                acknowledged.append(instant_ms)

    thread = threading.Thread(target=commit_all_the_time)
    thread.start()
    choose = random.Random(7)
    try:
        assert opened.wait(60)
        for _ in range(150):
            disk.vanish()
            time.sleep(choose.uniform(0, 0.004))
            astray = [str(path) for path in disk.path.rglob("*")]
            disk.come_back()
            assert astray == []
            time.sleep(choose.uniform(0, 0.01))
            if len(acknowledged) > 500:
                break
    finally:
        over.set()
        thread.join(30)
    assert not thread.is_alive()
    assert len(acknowledged) > 50
    assert set(acknowledged) <= set(instants_of(disk.path))
    assert problems_of(disk.path) == {}
