"""Merging, sealing and pruning, beside the recording and never in its way."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Protocol

from vistio_core.errors import VistioError
from vistio_core.storage.upkeep import Pruned
from vistio_core.times import MINUTE_MS, format_instant

log = logging.getLogger(__name__)

PERIOD_S = 60.0
SETTLE_MS = 2 * MINUTE_MS
"""An hour is sealed this long after its end: its last scrapes may still be on their way."""


class Keeper(Protocol):
    """What housekeeping needs of a recording's writer (`vistio_core.Writer`)."""

    def merge(self, now_ms: int) -> int: ...

    def seal(self, before_ms: int) -> list[str]: ...

    def prune(self, before_ms: int) -> Pruned: ...

    def prune_to_size(self, max_bytes: int) -> Pruned: ...


def keep_house(
    keeper: Keeper,
    *,
    now_ms: int,
    retention_ms: int,
    retention_bytes: int = 0,
    pruned: Callable[[int], None] | None = None,
    measure: Callable[[], None] | None = None,
) -> None:
    """One round: merge, seal, prune, measure. A step that is refused is logged; the next round tries again.

    Args:
        keeper: the writer.
        now_ms: the wall clock.
        retention_ms: age from which files go; 0 keeps everything.
        retention_bytes: size from which the oldest files go; 0 is without limit.
        pruned: told how many bytes were deleted.
        measure: called last, to take the recording's sizes.
    """

    def prune(gone: Pruned, **why: object) -> None:
        if gone.files:
            log.info("files.pruned", extra={**why, "files": gone.files, "bytes": gone.bytes})
            if pruned is not None:
                pruned(gone.bytes)

    def prune_by_age() -> None:
        if retention_ms:
            before_ms = now_ms - retention_ms
            prune(keeper.prune(before_ms), before=format_instant(before_ms))

    def prune_by_size() -> None:
        if retention_bytes:
            prune(keeper.prune_to_size(retention_bytes), above_bytes=retention_bytes)

    steps: list[tuple[str, Callable[[], object]]] = [
        ("merge", lambda: keeper.merge(now_ms)),
        ("seal", lambda: keeper.seal(now_ms - SETTLE_MS)),
        ("prune", prune_by_age),
        ("prune to size", prune_by_size),
        *([("measure", measure)] if measure else []),
    ]
    for name, step in steps:
        try:
            step()
        except (VistioError, OSError) as error:
            log.error(
                "housekeeping.failed",
                extra={"step": name, "error": str(error), "next": "tried again in a minute"},
            )
        except Exception:  # the thread must live as long as the recorder
            log.exception("housekeeping.crashed", extra={"step": name})


class Housekeeper:
    """Calls ``work`` every ``period_s`` seconds in a thread of its own, first right away."""

    def __init__(self, work: Callable[[], None], period_s: float = PERIOD_S) -> None:
        self._work = work
        self._period_s = period_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="housekeeping")
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._work()
            self._stop.wait(self._period_s)

    def close(self, timeout_s: float = 5.0) -> bool:
        """End after the running round; whether it ended in time. What it leaves half-done is not visible."""
        self._stop.set()
        self._thread.join(timeout_s)
        return not self._thread.is_alive()
