"""`vistio-record` with a wall clock that a test sets while it runs.

    python -m support.stepped_clock FILE run --recording ...

FILE holds the milliseconds to add to the system's clock, and may change at any moment. The
machine's own clock belongs to everyone on it, and Linux' time namespaces have no wall clock of their
own, so the step is made where the recorder reads its clock. Everything else is the real program.
"""

from __future__ import annotations

import sys
from pathlib import Path

from vistio_core.times import system_now_ms
from vistio_record import running
from vistio_record.cli import main


def stepped(offset: Path) -> None:
    running.system_now_ms = lambda: system_now_ms() + int(offset.read_text() or 0)  # type: ignore[attr-defined]


if __name__ == "__main__":
    stepped(Path(sys.argv.pop(1)))
    main()
