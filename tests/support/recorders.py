"""Real recorder processes of the simulated mesh, and what must hold in their recordings.

The simulator is a pure function of seed and instant, so what a recording should hold is known
without asking whoever wrote it.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from support.processes import PATIENCE_S, wait_until
from vistio_core import Recording
from vistio_core.times import parse_instant
from vistio_record.sources.base import SourceOptions
from vistio_record.sources.simulator import SimulatorSource

if TYPE_CHECKING:
    from pathlib import Path

    from support.processes import RunningProcess, RunProcess
    from vistio_core.events import Sample

# Far from every test's own time: the simulated incident has its gap elsewhere.
ANCHOR = "2001-01-01T00:00:00Z"


def simulator() -> SimulatorSource:
    """The source that `start_recorder`'s process has."""
    return SimulatorSource(SourceOptions(None, {"anchor": ANCHOR}))


def start_recorder(
    run: RunProcess, recording: Path, *arguments: object, interval: str = "200ms"
) -> RunningProcess:
    """``vistio-record run`` with the simulator; it records each ``interval`` without a delay.

    It heals nothing unless ``arguments`` say so: what a fault costs would be gone again at any moment. And it keeps
    all, for the hours that tests make up lie further back each day.
    """
    return run(
        "vistio-record", "run", "--source", "simulator", "--source-option", f"anchor={ANCHOR}",
        "--recording", recording, "--interval", interval, "--timeout", interval, "--delay", "0s",
        "--port", 0, "--heal", "0s", "--retention", "0s", *arguments,
    )  # fmt: skip


def committed(log: str) -> list[int]:
    """The instants that a recorder's log acknowledges, in its order."""
    found = re.findall(r"scrape\.committed .*?\binstant=(\S+)", log)
    return [parse_instant(instant, now_ms=0) for instant in found]


def answered(log: str) -> list[int]:
    """Those of `committed` at which every rule was answered: neither failed nor skipped."""
    found = re.findall(r"scrape\.committed .*?\bfailed=0 instant=(\S+)", log)
    return [parse_instant(instant, now_ms=0) for instant in found]


def wait_for_commits(recorder: RunningProcess, count: int = 1, *, timeout_s: float = PATIENCE_S) -> list[int]:
    """Waits for ``count`` further commits; all that the log acknowledges."""
    before = len(committed(recorder.log))
    wait_until(
        lambda: len(committed(recorder.log)) >= before + count,
        what=f"{count} more commits; the end of the recorder's log:\n{recorder.log[-3000:]}",
        timeout_s=timeout_s,
    )
    return committed(recorder.log)


def instants_of(place: Path | str) -> list[int]:
    """Every recorded instant, seen or not."""
    found: list[int] = Recording.open(place).instants()["instant"].cast("int64").to_pylist()
    return found


def problems_of(place: Path | str) -> dict[str, tuple[str, ...]]:
    """What `verify` finds wrong, by file."""
    return {checked.name: checked.problems for checked in Recording.open(place).verify() if checked.problems}


def assert_whole(place: Path | str) -> None:
    """Nothing is torn or twice: every seen instant has exactly the samples that the simulator gives."""
    recording = Recording.open(place)
    instants = recording.instants().to_pylist()
    times = [row["instant"] for row in instants]
    assert [time for time, count in Counter(times).items() if count > 1] == [], "instants stand there twice"
    rows = recording.sql(
        "select epoch_ms(instant), cluster, rule, source, target, status, rate from samples"
    ).fetchall()
    recorded: dict[int, list[tuple[object, ...]]] = defaultdict(list)
    for instant_ms, *sample in rows:
        recorded[instant_ms].append(tuple(sample))
    source = simulator()
    for row in instants:
        instant_ms = round(row["instant"].timestamp() * 1000)
        expected: tuple[Sample, ...] = source.evaluate(instant_ms, 1.0).samples if row["seen"] else ()
        found = sorted(recorded.get(instant_ms, []))
        assert found == sorted(map(tuple, expected)), f"{row['instant']} is not what was seen"
