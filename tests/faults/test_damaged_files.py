"""Damaged, truncated, empty and foreign files in a recording at which a recorder is at work.

`tests/recording/test_verify.py` has every kind of damage that we could think of in one file. Here each
place has its damage at once, under a running recorder, its next process, and a server.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
import requests
from support.processes import RunProcess, console_script, wait_until
from support.recorders import instants_of, problems_of, start_recorder, wait_for_commits
from support.scrapes import INTERVAL_MS, START_MS, mesh, scrape
from support.strangers import EVERY_STRANGER

from vistio_core import Recording
from vistio_core.errors import DamagedFileError, NothingRecordedError
from vistio_core.times import DAY_MS, HOUR_MS, MINUTE_MS

if TYPE_CHECKING:
    from pathlib import Path

Damage = Callable[[bytes], bytes]


def truncated(content: bytes) -> bytes:
    return content[: len(content) // 2]


def empty(content: bytes) -> bytes:
    return b""


def zeros(content: bytes) -> bytes:
    """What a file system may leave of a file after a power failure."""
    return b"\0" * len(content)


def foreign(content: bytes) -> bytes:
    return b"<html>502 Bad Gateway</html>"


def flipped(content: bytes) -> bytes:
    """Some bits turned over, seeded, in the middle of the data."""
    damaged, choose = bytearray(content), random.Random(len(content))
    for _ in range(20):
        damaged[choose.randrange(4, len(damaged) // 2)] ^= 1 << choose.randrange(8)
    return bytes(damaged)


EVERY_DAMAGE: tuple[Damage, ...] = (truncated, empty, zeros, foreign, flipped)


def damage(path: Path, how: Damage) -> None:
    """As a disk does it: the same name, other content, under the feet of whoever has it open."""
    path.write_bytes(how(path.read_bytes()))


def verify(recording: Path) -> tuple[int, dict[str, list[str]]]:
    """Exit code and damaged files of ``vistio-record verify``."""
    done = subprocess.run(
        [console_script("vistio-record"), "verify", "--recording", recording, "--json"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr
    report = json.loads(done.stdout)
    return done.returncode, {file["name"]: file["problems"] for file in report["damaged"]}


def recorded_hours(place: Path) -> Recording:
    """Three sealed hours, and a head with ten commits of the hour after."""
    recording = Recording.open(place, create=True, clock=lambda: START_MS + DAY_MS)
    with recording.writer() as writer:
        writer.put_configuration(mesh())
        for hour in range(4):
            for index in range(10):
                rates = {f"a>b{edge} 200": edge + 0.5 for edge in range(50)}
                writer.commit(scrape(START_MS + hour * HOUR_MS + index * INTERVAL_MS, rates))
        writer.seal(START_MS + 3 * HOUR_MS)
    return recording


@pytest.mark.parametrize("how", EVERY_DAMAGE)
def test_a_running_recorder_and_the_next_one_go_around_damaged_files(
    run_process: RunProcess, recording_dir: Path, how: Damage
) -> None:
    """Promise: a damaged file costs what is in it; verify names it; recording, merging, sealing go on."""
    recorded_hours(recording_dir)
    sealed = sorted(recording_dir.glob("log/**/*.parquet"))[1]
    commit = sorted(recording_dir.glob("head/*.parquet"))[4]
    recorder = start_recorder(run_process, recording_dir)
    wait_for_commits(recorder)
    newest = max(recording_dir.glob("head/*.parquet"))
    for path in (sealed, commit, newest):
        if path.exists():  # the recorder may have merged the old commits by now
            damage(path, how)
    wait_for_commits(recorder, 2)
    recorder.terminate()
    again = start_recorder(run_process, recording_dir)  # merges and seals what is old at its start
    wait_for_commits(again, 2)
    wait_until(lambda: len(list(recording_dir.glob("log/**/*.parquet"))) >= 4, what="the old hour sealed")
    log = again.terminate()
    assert "Traceback" not in log
    assert "commit.failed" not in log

    code, found = verify(recording_dir)
    assert code == 1
    assert str(sealed.relative_to(recording_dir)) in found
    assert str(newest.relative_to(recording_dir)) in found
    assert found.keys() <= {str(path.relative_to(recording_dir)) for path in (sealed, commit, newest)}

    recording = Recording.open(recording_dir)
    for hour in (0, 2):
        assert recording.graph(START_MS + hour * HOUR_MS).region("mesh").edges
    with pytest.raises((DamagedFileError, NothingRecordedError)):
        recording.graph(START_MS + HOUR_MS)
    timeline = recording.timeline(START_MS, START_MS + 4 * HOUR_MS, "1h").to_pylist()
    assert [step["instants"] for step in timeline][::2] == [10, 10]


def test_foreign_files_everywhere_disturb_nobody(run_process: RunProcess, recording_dir: Path) -> None:
    """Promise: what is not ours is named by verify and left alone, also by retention."""
    recorded_hours(recording_dir)
    strangers = [
        recording_dir / "notes.txt",
        recording_dir / "head" / "README",
        recording_dir / "head" / "20261123T050000.000Z_20261123T040000.000Z_main.parquet",
        recording_dir / "log" / "date=2026-11-23" / "hour=05" / "part-00000.parquet",
        recording_dir / "log" / "date=tomorrow" / "x.parquet",
        recording_dir / "configurations" / "mine.yaml",
        recording_dir / "lost+found" / "#1234",
    ]
    for stranger in strangers:
        stranger.parent.mkdir(parents=True, exist_ok=True)
        stranger.write_bytes(b"not ours")
    recorder = start_recorder(run_process, recording_dir, "--retention", "1h")
    wait_for_commits(recorder, 2)
    wait_until(lambda: "files.pruned" in recorder.log, what="retention at work")
    log = recorder.terminate()
    assert "Traceback" not in log
    assert all(stranger.read_bytes() == b"not ours" for stranger in strangers)
    code, found = verify(recording_dir)
    assert code == 1
    assert found.keys() == {str(stranger.relative_to(recording_dir)) for stranger in strangers}
    assert Recording.open(recording_dir).graph().regions


@pytest.mark.parametrize("make", EVERY_STRANGER)
def test_what_has_a_file_s_name_and_is_none_keeps_nobody_waiting(
    run_process: RunProcess, recording_dir: Path, make: Callable[[Path], None]
) -> None:
    """Promise: a FIFO, a socket, a device or a directory in the place of a file is named, and waited for by nobody."""
    recorded_hours(recording_dir)
    sealed = sorted(recording_dir.glob("log/**/*.parquet"))[1]
    strangers = [
        sealed,
        recording_dir / "head" / "20261123T050000.000Z_20261123T050000.000Z_main.parquet",
        recording_dir / "head" / "20991123T050000.000Z_20991123T050000.000Z_other.parquet",
        next(recording_dir.glob("rollups/**/*.arrow")),
        next(recording_dir.glob("rollups/**/*.subjects")),
    ]
    for stranger in strangers:
        stranger.unlink(missing_ok=True)
        make(stranger)
    recorder = start_recorder(run_process, recording_dir, "--retention", "1h")
    server = run_process("vistio-serve", "--recording", recording_dir, "--port", 0)
    url = server.wait_for_line(r"(http://\S+)").group(1)
    wait_for_commits(recorder, 2)
    wait_until(lambda: "files.pruned" in recorder.log, what="retention at work")
    # The newest graph is asked for at a whole second, which the first commits may lie after.
    wait_until(lambda: requests.get(url + "graph", timeout=20).status_code == 200, what="a graph")
    for path in ("graph", "instants?start=-1h", "timeline?start=-1h", "annotations?start=-1h"):
        assert requests.get(url + path, timeout=20).status_code == 200, path
    for process in (recorder, server):
        assert "Traceback" not in process.terminate()
    code, found = verify(recording_dir)
    assert code == 1
    assert found.keys() == {str(path.relative_to(recording_dir)) for path in strangers}
    assert all(EVERY_STRANGER[make] in found[name][0] for name in found)


def test_a_configuration_that_is_a_pipe_holds_up_neither_start_nor_reload_nor_end(
    run_process: RunProcess, recording_dir: Path, tmp_path: Path
) -> None:
    """Promise: a recorder never waits for a file's content to be written."""
    file = tmp_path / "vistio.yaml"
    os.mkfifo(file)
    run = "vistio-record", "run", "--config", file, "--recording", recording_dir, "--port", 0
    log = run_process(*run).wait(exit_code=1)
    assert f"{file}: cannot be read: is not a file, but a FIFO (a named pipe); give another one" in log
    file.unlink()
    file.write_text(mesh().text)
    recorder = run_process(*run)
    url = recorder.wait_for_line(r"metrics=(http\S+)/metrics")[1]
    good = file.rename(tmp_path / "good.yaml")
    os.mkfifo(file)
    answer = requests.post(f"{url}/-/reload", timeout=20)
    assert (answer.status_code, "a FIFO" in answer.text) == (500, True)
    good.write_text(mesh().text + "# new\n")
    good.replace(file)
    assert requests.post(f"{url}/-/reload", timeout=20).status_code == 200
    file.unlink()
    os.mkfifo(file)
    requests.post(f"{url}/-/reload", timeout=20)
    recorder.terminate()


@pytest.mark.parametrize("how", [truncated, empty, zeros, foreign])
def test_a_damaged_marker_costs_nothing(run_process: RunProcess, recording_dir: Path, how: Damage) -> None:
    """Promise: every file says its own version, so a recording without a readable marker is still one."""
    recorded_hours(recording_dir)
    recorder = start_recorder(run_process, recording_dir)
    wait_for_commits(recorder)
    damage(recording_dir / "vistio.json", how)
    wait_for_commits(recorder)
    recorder.terminate()
    code, found = verify(recording_dir)
    assert code == 1
    assert list(found) == ["vistio.json"]
    assert 'write {"format_version":1,' in found["vistio.json"][0], "the problem says how to mend it"
    again = start_recorder(run_process, recording_dir)
    wait_for_commits(again)
    again.terminate()
    assert Recording.open(recording_dir).graph(START_MS).region("mesh").edges
    (recording_dir / "vistio.json").write_text('{"format_version": 1, "created": "2026-11-23T05:00:00Z"}')
    assert problems_of(recording_dir) == {}


@pytest.mark.parametrize("how", [*EVERY_DAMAGE, None])
def test_a_damaged_configuration_is_put_back_by_the_recorder_that_has_it(
    run_process: RunProcess, recording_dir: Path, how: Damage | None
) -> None:
    """Promise: a damaged configuration never judges a graph; whoever has the right one mends it."""
    recorder = start_recorder(run_process, recording_dir)
    acknowledged = wait_for_commits(recorder, 2)
    recorder.terminate()
    graph = Recording.open(recording_dir).graph(acknowledged[0])
    [configuration] = recording_dir.glob("configurations/*.yaml")
    whole = configuration.read_bytes()
    if how is None:
        configuration.unlink()
    else:
        damage(configuration, how)
    with pytest.raises(DamagedFileError, match="configurations/"):
        Recording.open(recording_dir).graph(acknowledged[0])
    code, found = verify(recording_dir)
    assert code == 1
    assert found
    again = start_recorder(run_process, recording_dir)
    wait_for_commits(again)
    log = again.terminate()
    assert how is None or "configuration.restored" in log
    assert configuration.read_bytes() == whole
    assert Recording.open(recording_dir).graph(acknowledged[0]) == graph
    assert problems_of(recording_dir) == {}


def test_a_server_answers_around_damage_and_says_what_is_damaged(
    run_process: RunProcess, recording_dir: Path
) -> None:
    """Promise: a damaged hour is a problem document, not a crash; the others are served."""
    recorded_hours(recording_dir)
    server = run_process("vistio-serve", "--recording", recording_dir, "--port", 0)
    url = server.wait_for_line(r"(http://\S+)").group(1)

    def status(hour: int) -> int:
        return requests.get(
            f"{url}graph", params={"at": str(START_MS + hour * HOUR_MS + INTERVAL_MS)}, timeout=10
        ).status_code

    assert [status(hour) for hour in range(4)] == [200] * 4
    for how in EVERY_DAMAGE:
        sealed = sorted(recording_dir.glob("log/**/*.parquet"))[1]
        whole = sealed.read_bytes()
        damage(sealed, how)
        at = START_MS + HOUR_MS + 5 * INTERVAL_MS + EVERY_DAMAGE.index(how)  # not asked before
        answer = requests.get(f"{url}graph", params={"at": str(at)}, timeout=10)
        assert answer.status_code in (404, 500), how.__name__
        assert answer.headers["Content-Type"].startswith("application/problem+json")
        assert str(recording_dir) not in answer.text
        assert status(0) == status(2) == 200
        sealed.write_bytes(whole)
        window = {"start": str(START_MS), "end": str(START_MS + 10 * MINUTE_MS)}
        assert requests.get(f"{url}instants", params=window, timeout=10).status_code == 200
    assert "Traceback" not in server.terminate()


def test_a_file_that_shrinks_while_it_is_read_is_an_error_not_a_crash(recording_dir: Path) -> None:
    """Promise: a disk that takes data away from under an open file does not kill the reader."""
    recorded_hours(recording_dir)
    script = """
import pathlib, sys
from vistio_core.storage.local_store import LocalStore

root = pathlib.Path(sys.argv[1])
path = sorted(root.glob("log/**/*.parquet"))[0]
with LocalStore(root).open(str(path.relative_to(root))) as source:
    size = path.stat().st_size
    path.write_bytes(b"")
    try:
        read = len(source.read())
    except OSError:
        read = 0
print(read < size)
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(recording_dir)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, f"killed by signal {-done.returncode}" + done.stderr
    assert done.stdout.strip() == "True"
    assert len(instants_of(recording_dir)) >= 30
