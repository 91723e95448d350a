"""Processes of the mesh: started with a log of their own, ended by PID, never left behind. Linux."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)


class Process:
    """A running program. Start it from the main thread: it dies with the thread that started it."""

    def __init__(self, name: str, command: Sequence[str | Path], log: Path) -> None:
        self.name = name
        self.log = log
        parent = os.getpid()

        def die_with_parent() -> None:
            # Also when the parent is killed and can end nobody any more.
            _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:
                os._exit(1)

        with log.open("ab") as output:
            self._popen = subprocess.Popen(
                list(map(str, command)),
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                preexec_fn=die_with_parent,  # there is one thread
                process_group=0,  # Ctrl-C is for us: we end the others, in order
            )

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def running(self) -> bool:
        return self._popen.poll() is None

    def tell(self, order: dict[str, Any]) -> None:
        """Writes a line of JSON to its standard input."""
        assert self._popen.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it has ended, and `running` says so
            self._popen.stdin.write(json.dumps(order).encode() + b"\n")
            self._popen.stdin.flush()

    def end(self, by: signal.Signals = signal.SIGTERM) -> None:
        """Asks it to end; does nothing when it has ended."""
        if self.running:
            self._popen.send_signal(by)

    def wait(self, timeout_s: float) -> None:
        """Returns when it has ended, by itself or killed after ``timeout_s``."""
        try:
            self._popen.wait(max(0.0, timeout_s))
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()
        assert self._popen.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._popen.stdin.close()

    def last_lines(self, count: int = 15) -> str:
        """The end of its log, for people."""
        lines = self.log.read_text(errors="replace").splitlines()[-count:] or ["(it wrote nothing)"]
        return "\n".join((f"the end of {self.log}:", *lines))


def end_all(processes: Iterable[Process], timeout_s: float) -> None:
    """Ends them together; those that do not obey in time are killed."""
    processes = list(processes)
    for process in processes:
        process.end()
    deadline = time.monotonic() + timeout_s
    for process in processes:
        process.wait(deadline - time.monotonic())
