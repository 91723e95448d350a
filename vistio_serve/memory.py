"""How much memory a server may use, and what for. The parts are bounded, so their sum is.

A fixed part is the process. All the rest may be used by answers that are made and sent (`vistio_serve.admission`);
what is kept ready and what is known of files have limits of their own within it, and go when those need the room.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterable
from typing import Any, Protocol

import attrs
import pyarrow as pa

from vistio_core.errors import UsageError

_MB = 2**20
DEFAULT_BYTES = 400 * _MB
SMALLEST_BYTES = 256 * _MB
# Python with its libraries (about 110 MB), and small answers.
_REST_BYTES = 125 * _MB
# Of glibc's malloc.h.
_M_ARENA_MAX = -8


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
    work_bytes: int
    """All that is made and sent, and what is kept: the other parts are within it."""

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
            graphs_bytes=growing * 3 // 32,
            frames_bytes=growing * 3 // 32,
            unions_bytes=growing * 1 // 32,
            windows_bytes=growing * 2 // 32,
            footers_bytes=growing * 10 // 32,
            scans_bytes=growing * 8 // 32,
            work_bytes=growing,
        )


class Kept(Protocol):
    """What is kept only to be quick."""

    @property
    def weight_bytes(self) -> int:
        """What it takes."""

    def shrink(self, most_bytes: int) -> None:
        """Let go what was not used for longest, until the rest takes no more."""


def make_room(kept: Iterable[Kept], left_bytes: int) -> None:
    """Let go what is kept ready, the first of ``kept`` first, until all together takes no more than is left."""
    shares = list(kept)
    for place, each in enumerate(shares):
        others = sum(other.weight_bytes for other in shares[place + 1 :])
        each.shrink(max(0, left_bytes - others))


def hold_less() -> None:
    """Make the C library return what is freed, for the whole process; call it before threads begin.

    Else each of many threads keeps an arena of its own.
    """
    mallopt = _of_libc("mallopt")
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 4)


def give_back() -> None:
    """Return to the system what was freed, after something large."""
    pa.default_memory_pool().release_unused()
    malloc_trim = _of_libc("malloc_trim")
    if malloc_trim is not None:
        malloc_trim(0)


def _of_libc(name: str) -> Any:
    """A function of glibc; None elsewhere."""
    try:
        return getattr(ctypes.CDLL(None), name, None)
    except (OSError, TypeError):
        return None
