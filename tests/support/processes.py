"""Console scripts as the real processes that users run: started, watched, ended by PID.

`RunningProcess` keeps every line that the process wrote (standard output and error in one
stream), lets a test wait for a line or for a URL to answer, and puts the tail of the log into
the message of each failure, so that a red test says what the process itself had to say.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import requests

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

PATIENCE_S = 120.0
"""How long is waited for what has to come: it ends a test that hangs, and decides none on a busy machine."""

_POLL_S = 0.05
_TAIL_LINES = 40


def console_script(name: str) -> str:
    """The path of a console script that was installed beside the running interpreter."""
    beside = Path(sysconfig.get_path("scripts")) / name
    found = str(beside) if beside.exists() else shutil.which(name)
    assert found, f"{name} is not installed for {sys.executable}; run `pip install .` (or `nox -s tests`)"
    return found


def wait_until(condition: Callable[[], bool], *, what: str, timeout_s: float = PATIENCE_S) -> None:
    """Returns as soon as ``condition()`` holds; an AssertionError that says ``what`` after ``timeout_s``."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"waited {timeout_s:g} s in vain for: {what}"
        time.sleep(_POLL_S)


class RunProcess(Protocol):
    """The type of the fixture `run_process`."""

    def __call__(self, script: str, *arguments: object, **environment: str) -> RunningProcess: ...


class RunningProcess:
    """A started process with its captured log. Use `run_process`, the fixture, to make one."""

    def __init__(self, arguments: Sequence[str], *, environment: Mapping[str, str] | None = None) -> None:
        self.arguments = [str(argument) for argument in arguments]
        self._lines: list[str] = []
        self._changed = threading.Condition()
        self._ended = False
        self._popen = subprocess.Popen(
            self.arguments,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            # A pipe makes Python buffer whole blocks; a test wants each line when it is written.
            env={**os.environ, "PYTHONUNBUFFERED": "1", **(environment or {})},
            text=True,
            errors="replace",
        )
        self._reader = threading.Thread(target=self._read, name=f"log of {self.pid}", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def running(self) -> bool:
        return self._popen.poll() is None

    @property
    def log(self) -> str:
        """All that the process wrote until now."""
        with self._changed:
            return "".join(self._lines)

    def wait_for_line(self, pattern: str, *, timeout_s: float = PATIENCE_S) -> re.Match[str]:
        """The first match of ``pattern`` in a line of the log, old or still to come."""
        compiled = re.compile(pattern)
        deadline = time.monotonic() + timeout_s
        read = 0
        with self._changed:
            while True:
                for line in self._lines[read:]:
                    if match := compiled.search(line):
                        return match
                read = len(self._lines)
                left = deadline - time.monotonic()
                assert left > 0, self._explain(f"no line matched {pattern!r} in {timeout_s:g} s")
                assert not self._ended, self._explain(f"it ended, and no line matched {pattern!r}")
                self._changed.wait(left)

    def wait_for_url(
        self, url: str, *, status: int = 200, timeout_s: float = PATIENCE_S, **options: Any
    ) -> requests.Response:
        """The first answer of ``url`` that has this status; ``options`` are those of `requests.get`."""
        deadline = time.monotonic() + timeout_s
        seen = "no answer"
        while True:
            try:
                response = requests.get(url, timeout=5, **options)
            except requests.ConnectionError as error:
                seen = type(error).__name__
            else:
                if response.status_code == status:
                    return response
                seen = f"status {response.status_code}: {response.text[:200]}"
            assert self.running, self._explain(f"it ended before {url} answered {status}")
            assert time.monotonic() < deadline, self._explain(f"{url} did not answer {status}; last: {seen}")
            time.sleep(_POLL_S)

    def wait(self, *, exit_code: int = 0, timeout_s: float = PATIENCE_S) -> str:
        """The whole log, once the process has ended by itself with this exit code."""
        try:
            found = self._popen.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(self._explain(f"still running after {timeout_s:g} s")) from None
        self._reader.join(timeout_s)
        assert found == exit_code, self._explain(f"exit code {found} instead of {exit_code}")
        return self.log

    def terminate(
        self, *, exit_code: int = 0, by: signal.Signals = signal.SIGTERM, timeout_s: float = PATIENCE_S
    ) -> str:
        """The whole log, once the process has obeyed the signal and ended with this exit code."""
        self._popen.send_signal(by)
        return self.wait(exit_code=exit_code, timeout_s=timeout_s)

    def freeze(self) -> None:
        """Stops the process without ending it: its port stays open, nothing is answered."""
        self._popen.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._popen.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """Ends the process at once, as a crash would; does nothing when it has ended already."""
        if self.running:
            self._popen.kill()
        self._popen.wait()
        self._reader.join(10)

    def _read(self) -> None:
        assert self._popen.stdout is not None
        with self._popen.stdout as stream:
            for line in stream:
                with self._changed:
                    self._lines.append(line)
                    self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _explain(self, what: str) -> str:
        tail = "".join(self._lines[-_TAIL_LINES:]) or "(it wrote nothing)\n"
        return f"{' '.join(self.arguments)} (PID {self.pid}): {what}. The end of its log:\n{tail}"


@contextmanager
def served(recording: Path) -> Iterator[str]:
    """The URL of a ``vistio-serve`` of a recording, which is ended afterwards."""
    process = RunningProcess([console_script("vistio-serve"), "--port", "0", "--recording", str(recording)])
    try:
        yield process.wait_for_line(r"open (http://\S+)").group(1)
        process.terminate()
    finally:
        process.kill()
