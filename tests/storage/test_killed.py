"""A writer that is really killed, between any two steps of commit, supplement, merge and seal.

The children of `support.killed_child` count every call that changes the disk (open for writing,
write, fsync, rename, unlink, mkdir, rmdir); the N-th child gets SIGKILL before its N-th such
call, until one comes through. After each death: what was acknowledged is there, whole and once;
what was not is there whole or not at all; `verify` finds no damage; and the next writer goes on.
"""

from __future__ import annotations

import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from support.killed_child import AT_ONCE, COMMITS, LATE, supplement
from support.scrapes import INTERVAL_MS, START_MS, mesh, scrape

from vistio_core import Recording
from vistio_core.times import HOUR_MS

# In the name of an unfinished file; and what says when it was made, and by which process.
_UNIQUE = re.compile(r"\.tmp-[0-9a-f]+-")
_WHEN = ("vistio.json", "locks")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_writer_killed_before_any_of_its_steps_loses_nothing_it_acknowledged(tmp_path: Path) -> None:
    children = subprocess.run(
        [sys.executable, "-m", "support.killed_child", str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[1],
        timeout=600,
        check=False,
    )
    assert children.returncode == 0, children.stderr
    places = sorted(tmp_path.iterdir())
    assert len(places) > 60, "the children were killed at fewer steps than they have"
    # Many of them left the same, byte for byte; then what holds for one holds for all.
    kinds = {_left(place): place / "recording" for place in places}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(_check, kinds.values(), (acknowledged for acknowledged, _ in kinds)))


def _left(place: Path) -> tuple[int, frozenset[tuple[str, bytes]]]:
    """What a child acknowledged, and all that it left: names with their content."""
    marks, recording = place / "acknowledged", place / "recording"
    files = ((path.relative_to(recording), path) for path in recording.rglob("*") if path.is_file())
    found = frozenset(
        (_UNIQUE.sub(".tmp-", str(name)), b"" if name.parts[0] in _WHEN else path.read_bytes())
        for name, path in files
    )
    return len(marks.read_bytes()) if marks.exists() else 0, found


def _check(place: Path, acknowledged: int) -> None:
    if not (place / "vistio.json").exists():
        assert acknowledged == 0
        return
    recording = Recording.open(place)
    instants = recording.instants().column("instant").cast("int64").to_pylist()
    commits, supplements = min(acknowledged, COMMITS), max(acknowledged - COMMITS, 0)
    expected = [START_MS + index * INTERVAL_MS for index in range(COMMITS)]
    # The one commit or supplement that was under way may be there, whole; nothing else may.
    assert instants == expected[: len(instants)]
    assert commits <= len(instants) <= min(acknowledged + 1, COMMITS)
    healed = 0
    for index, instant_ms in enumerate(instants):
        graph = recording.graph(instant_ms, staleness="1ms")
        rates = [edge.rates.normal for edge in graph.region("mesh").edges]
        if index < LATE and rates == []:
            assert [rule.rule for rule in graph.failed_rules] == ["http"]
            continue
        assert rates == [1.5 + index, 2.5]
        assert graph.failed_rules == ()
        healed += index < LATE
    assert supplements <= healed <= max(acknowledged + 1 - COMMITS, 0)
    [rows] = recording.sql("select count(*), count(distinct (instant, source)) from samples").fetchall()
    seen = max(len(instants) - LATE, 0) + healed
    assert rows == (2 * seen, 2 * seen)
    assert [checked for checked in recording.verify() if checked.problems] == []
    _goes_on(recording, instants)


def _goes_on(recording: Recording, instants: list[int]) -> None:
    with recording.writer() as writer:
        writer.put_configuration(mesh())
        next_ms = START_MS + 2 * HOUR_MS
        writer.commit(scrape(next_ms, {"a>b 200": 1.0}))
        writer.seal(next_ms + 2 * HOUR_MS)
        late = [unanswered.instant_ms for unanswered in recording.unanswered()]
        for index in range(LATE):
            if START_MS + index * INTERVAL_MS in late:
                writer.supplement(supplement(index))
        writer.seal(next_ms + 2 * HOUR_MS)
    after = recording.instants().column("instant").cast("int64").to_pylist()
    assert after == [*instants, next_ms]
    assert recording.unanswered() == []
    assert [checked for checked in recording.verify() if checked.problems] == []
    assert recording.info().head_files == 0
