"""The processes that `tests/recording/test_sharing.py` kills while they import a file.

    python -m support.killed_import FILE FOLDER

As `support.killed_child`: SIGKILL comes before the first, second, third ... call that changes the disk, each time
into a recording of its own, until an import comes through.
"""

from __future__ import annotations

import sys
from pathlib import Path

from support.killed_child import die_until_one_comes_through


def main(file: Path, folder: Path) -> None:
    die_until_one_comes_through(folder, lambda recording: recording.add(file))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
