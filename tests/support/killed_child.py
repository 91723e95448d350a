"""The processes that `tests/storage/test_killed.py` kills: each commits, heals, merges and seals an hour.

    python -m support.killed_child FOLDER

Forks one child after the other, a few at a time; each works in a folder of its own, and SIGKILL comes
before its first, second, third ... call that changes the disk, until one of them comes through.
"""

from __future__ import annotations

import builtins
import os
import signal
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

from support.scrapes import INTERVAL_MS, START_MS, edges, mesh, outcomes, scrape
from vistio_core import Recording, Scrape
from vistio_core.commandline.starting import keep_pandas_out
from vistio_core.times import HOUR_MS, MINUTE_MS

AT_ONCE = 4
"""More than a small machine has cores: half of the time a child waits for the disk."""
COMMITS = 4
LATE = 2
"""So many of them, the first ones, see nothing of the rule ``http``: supplements bring that later."""
# A Parquet file takes about ninety writes, all into a file that nobody sees yet: dying before the
# first one and before some later ones covers them.
_WRITES_BETWEEN_DEATHS = 60


def die_before(step: int) -> None:
    """Let SIGKILL come before the ``step``-th call that changes the disk."""
    left = step

    def counted(call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            nonlocal left
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*args, **kwargs)

        return wrapper

    for name in ("fsync", "replace", "rename", "unlink", "mkdir", "rmdir"):
        setattr(os, name, counted(getattr(os, name)))
    real_open = builtins.open
    counted_open = counted(real_open)

    def open_counted(file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        if "x" not in mode and "w" not in mode:
            return real_open(file, mode, *args, **kwargs)
        sink = counted_open(file, mode, *args, **kwargs)
        return _Counted(sink, counted(sink.write))

    builtins.open = open_counted


def die_until_one_comes_through(folder: Path, work: Callable[[Recording], object]) -> None:
    """Does work in one child after the other, each with a recording of its own and killed one call later.

    Exits with what went wrong, where a child ends in another way.
    """
    keep_pandas_out()  # which each child would import anew
    for step in count(1):
        folder.mkdir(exist_ok=True)
        recording = Recording.open(folder / f"{step:04d}", create=True)
        child = os.fork()
        if child == 0:
            die_before(step)
            work(recording)
            os._exit(0)
        _, status = os.wait()
        if os.waitstatus_to_exitcode(status) == 0:
            return
        if os.waitstatus_to_exitcode(status) != -signal.SIGKILL:
            sys.exit(f"the child of step {step} ended with {os.waitstatus_to_exitcode(status)}")


class _Counted:
    """A file some of whose writes are counted; everything else is the file's own."""

    def __init__(self, sink: Any, counted_write: Callable[..., Any]) -> None:
        self._sink = sink
        self._counted_write = counted_write
        self._writes = 0

    def write(self, content: bytes) -> Any:
        self._writes += 1
        counts = self._writes % _WRITES_BETWEEN_DEATHS == 1
        return (self._counted_write if counts else self._sink.write)(content)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sink, name)

    def __enter__(self) -> _Counted:
        self._sink.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._sink.__exit__(*error)


def rates(index: int) -> dict[str, float]:
    """What is to be seen at an instant."""
    return {"a>b 200": 1.5 + index, "b>c 200": 2.5}


def supplement(index: int) -> Scrape:
    answered = tuple(outcome for outcome in outcomes() if outcome.rule == "http")
    instant_ms = START_MS + index * INTERVAL_MS
    return Scrape(instant_ms, INTERVAL_MS, mesh().hash, answered, tuple(edges(rates(index))), backfilled=True)


def run(place: Path) -> None:
    recording = Recording.open(place / "recording", create=True)
    acknowledged = os.open(place / "acknowledged", os.O_WRONLY | os.O_CREAT)
    with recording.writer() as writer:
        writer.put_configuration(mesh())
        for index in range(COMMITS):
            if index < LATE:
                writer.commit(scrape(START_MS + index * INTERVAL_MS, http="failed"))
            else:
                writer.commit(scrape(START_MS + index * INTERVAL_MS, rates(index)))
            os.write(acknowledged, b".")
        for index in range(LATE):
            writer.supplement(supplement(index))
            os.write(acknowledged, b".")
        writer.merge(START_MS + 5 * MINUTE_MS)
        writer.seal(START_MS + HOUR_MS)


def start(step: int, folder: Path) -> int:
    """The PID of a new child, which dies before its ``step``-th call."""
    place = folder / f"{step:04d}"
    place.mkdir()
    child = os.fork()
    if child == 0:
        die_before(step)
        run(place)
        os._exit(0)
    return child


def main(folder: Path) -> None:
    # As in a recorder; each child would import it anew.
    keep_pandas_out()
    steps = count(1)
    running: dict[int, int] = {}
    came_through = False
    while running or not came_through:
        while len(running) < AT_ONCE and not came_through:
            step = next(steps)
            running[start(step, folder)] = step
        child, status = os.wait()
        step, exit_code = running.pop(child), os.waitstatus_to_exitcode(status)
        if exit_code not in (0, -signal.SIGKILL):
            sys.exit(f"the child of step {step} ended with {exit_code}")
        # Those of later steps that run already come through as well.
        came_through |= exit_code == 0


if __name__ == "__main__":
    main(Path(sys.argv[1]))
