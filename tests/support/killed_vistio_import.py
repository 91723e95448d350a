"""The processes that `tests/drawings/test_import_vistio.py` kills while they import what Vistio stored.

    python -m support.killed_vistio_import DIRECTORY FOLDER

As `support.killed_import`, each time into a recording of its own.
"""

from __future__ import annotations

import sys
from pathlib import Path

from support.killed_child import die_until_one_comes_through
from vistio_core import Recording
from vistio_record.drawings.chunks import chunk_files
from vistio_record.drawings.importing import Brought, fill, look, recorded


def bring(directory: Path, recording: Recording) -> None:
    looked = look(chunk_files(directory)[0], lambda steps: None, lambda: None)
    with recording.writer("main") as writer:
        known = recorded(recording, looked, "main")
        for _ in fill(looked, known, writer, lambda: None, Brought()):
            pass


def main(directory: Path, folder: Path) -> None:
    die_until_one_comes_through(folder, lambda recording: bring(directory, recording))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
