"""The recorder as a second process, as in production: started, watched and stopped from here."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from vistio_core.errors import VistioError
from vistio_core.native_paths import native

_STOP_TIMEOUT_S = 5.0
_LAST_LINES = 10


class RecorderError(VistioError):
    """The recorder process ended by itself."""


class RecorderProcess:
    """One run of ``vistio-record``, which never outlives this process (`vistio_serve.leash`).

    It has its own process group: Ctrl-C reaches this process alone, which then stops it in order.

    Args:
        arguments: as on the command line of ``vistio-record``.
        log_file: where its output goes; None shows it on ours.
    """

    def __init__(self, arguments: Sequence[str], log_file: Path | None = None) -> None:
        self._log_file = log_file
        output: IO[bytes] | None = None if log_file is None else log_file.open("ab")
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "vistio_serve.leash", "vistio_record", *map(native, arguments)],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                process_group=0,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
        finally:
            if output is not None:
                output.close()

    @property
    def pid(self) -> int:
        return self._process.pid

    def ended(self) -> bool:
        return self._process.poll() is not None

    def finish(self) -> None:
        """Wait until it ends by itself.

        Raises:
            RecorderError: it ended with anything but 0.
        """
        if self._process.wait() != 0:
            raise self.error()

    def error(self) -> RecorderError:
        """Why it ended, with the last lines it wrote."""
        told = ""
        if self._log_file is not None:
            lines = self._log_file.read_text(errors="replace").splitlines()[-_LAST_LINES:]
            told = "; its last lines:\n" + "\n".join(f"  {line}" for line in lines)
        return RecorderError(f"the recorder ended by itself with code {self._process.returncode}{told}")

    def stop(self) -> None:
        """SIGTERM, and SIGKILL where that is not heard. It has ended when this returns."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()
