"""The processes that `tests/recording/test_sharing.py` kills while they import a file.

    python -m support.killed_import FILE FOLDER

As `support.killed_child`: SIGKILL comes before the first, second, third ... call that changes the disk, each time
into a recording of its own, until an import comes through.
"""

from __future__ import annotations

import os
import signal
import sys
from itertools import count
from pathlib import Path

from support.killed_child import die_before
from vistio_core import Recording
from vistio_record.memory import keep_pandas_out


def main(file: Path, folder: Path) -> None:
    keep_pandas_out()  # which each child would import anew
    for step in count(1):
        folder.mkdir(exist_ok=True)
        recording = Recording.open(folder / f"{step:04d}", create=True)
        child = os.fork()
        if child == 0:
            die_before(step)
            recording.add(file)
            os._exit(0)
        _, status = os.wait()
        if os.waitstatus_to_exitcode(status) == 0:
            return
        if os.waitstatus_to_exitcode(status) != -signal.SIGKILL:
            sys.exit(f"the child of step {step} ended with {os.waitstatus_to_exitcode(status)}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
