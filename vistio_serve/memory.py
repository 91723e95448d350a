"""How much memory a server may use, and what for. The parts are bounded, so their sum is."""

from __future__ import annotations

import attrs

from vistio_core.errors import UsageError

_MB = 2**20
DEFAULT_BYTES = 400 * _MB
SMALLEST_BYTES = 256 * _MB
# Python with its libraries (about 110 MB), and an estimate of what answering a few requests at once needs.
_REST_BYTES = 180 * _MB


@attrs.frozen
class Memory:
    """The parts of a server's memory that can grow, each with its limit."""

    graphs_bytes: int
    """Rendered graphs that are kept ready."""
    frames_bytes: int
    """The same for runs of graphs, to play."""
    unions_bytes: int
    """What all instants of a window have in common, for graphs that hold still."""
    windows_bytes: int
    """Answers about windows that are kept ready: timelines and comparisons, and as much again for lists of instants."""
    footers_bytes: int
    """What is kept of the recording's files that were opened."""
    scans_bytes: int
    """What DuckDB may use; it writes to the temporary directory what does not fit."""

    @classmethod
    def of(cls, total_bytes: int) -> Memory:
        """The parts of ``total_bytes``.

        Raises:
            UsageError: it is not enough for anything.
        """
        if total_bytes < SMALLEST_BYTES:
            raise UsageError(
                f"--memory {total_bytes // _MB}MB: give {SMALLEST_BYTES // _MB}MB or more;"
                f" {_REST_BYTES // _MB}MB are needed before anything is kept"
            )
        growing = total_bytes - _REST_BYTES
        return cls(
            graphs_bytes=growing * 4 // 32,
            frames_bytes=growing * 3 // 32,
            unions_bytes=growing * 1 // 32,
            windows_bytes=growing * 2 // 32,
            footers_bytes=growing * 10 // 32,
            scans_bytes=growing * 10 // 32,
        )
