"""A writer that is really killed, between any two steps of commit, merge and seal.

The children of `support.killed_child` count every call that changes the disk (open for writing,
write, fsync, rename, unlink, mkdir, rmdir); the N-th child gets SIGKILL before its N-th such
call, until one comes through. After each death: what was acknowledged is there, whole and once;
what was not is there whole or not at all; `verify` finds no damage; and the next writer goes on.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from support.scrapes import INTERVAL_MS, START_MS, mesh, scrape

from vistio_core import Recording
from vistio_core.times import HOUR_MS


def test_a_writer_killed_before_any_of_its_steps_loses_nothing_it_acknowledged(tmp_path: Path) -> None:
    children = subprocess.run(
        [sys.executable, "-m", "support.killed_child", str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[1],
        timeout=200,
        check=False,
    )
    assert children.returncode == 0, children.stderr
    places = sorted(tmp_path.iterdir())
    for place in places:
        marks = place / "acknowledged"
        _check(place / "recording", len(marks.read_bytes()) if marks.exists() else 0)
    assert len(places) > 60, "the children were killed at fewer steps than they have"


def _check(place: Path, acknowledged: int) -> None:
    if not (place / "vistio.json").exists():
        assert acknowledged == 0
        return
    recording = Recording.open(place)
    instants = recording.instants().column("instant").cast("int64").to_pylist()
    expected = [START_MS + index * INTERVAL_MS for index in range(acknowledged)]
    # The one commit that was under way may be there, whole; nothing else may.
    assert instants[:acknowledged] == expected
    assert len(instants) <= acknowledged + 1
    assert len(set(instants)) == len(instants)
    for index, instant_ms in enumerate(instants):
        graph = recording.graph(instant_ms, staleness="1ms")
        assert [edge.rates.normal for edge in graph.region("mesh").edges] == [1.5 + index, 2.5]
    [rows] = recording.sql("select count(*), count(distinct (instant, source)) from samples").fetchall()
    assert rows == (2 * len(instants), 2 * len(instants))
    assert [checked for checked in recording.verify() if checked.problems] == []
    _goes_on(recording, instants)


def _goes_on(recording: Recording, instants: list[int]) -> None:
    with recording.writer() as writer:
        writer.put_configuration(mesh())
        next_ms = START_MS + 2 * HOUR_MS
        writer.commit(scrape(next_ms, {"a>b 200": 1.0}))
        writer.seal(next_ms + 2 * HOUR_MS)
    after = recording.instants().column("instant").cast("int64").to_pylist()
    assert after == [*instants, next_ms]
    assert [checked for checked in recording.verify() if checked.problems] == []
    assert recording.info().head_files == 0
