"""Merging, sealing and deleting: what a writer does to its files beside appending.

`sealing` and `retention` say which files; here it is done, one step at a time, each of which
leaves a recording that says the same.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol

import attrs
import pyarrow as pa

from vistio_core.errors import DamagedFileError
from vistio_core.storage.event_file import EventFiles
from vistio_core.storage.layout import (
    ANNOTATIONS,
    HEAD,
    LOG,
    EventsName,
    parse_annotation_name,
    parse_events_name,
)
from vistio_core.storage.log import Log
from vistio_core.storage.retention import Stored
from vistio_core.storage.sealing import combine, merge_groups, seal_groups
from vistio_core.storage.store import Store
from vistio_core.times import HOUR_MS, align

log = logging.getLogger(__name__)


@attrs.frozen
class Pruned:
    """What retention removed."""

    files: int
    bytes: int


def _give_back() -> None:
    """Give freed memory back to the system: after an hour of a large mesh that is 60 MB, until the next hour."""
    pa.default_memory_pool().release_unused()


class Patience(NamedTuple):
    """How long a writer's upkeep waits for others."""

    linger_ms: int = 0
    """A file that was merged or sealed into another one stays for as long: queries under way may name it."""
    quiet_ms: int = 0
    """An hour is sealed when nothing was backfilled into it for as long: it makes one file, not many."""


class Derived(Protocol):
    """What is worked out of sealed hours, by those who judge: rollups (`docs/decisions/0011-rollups.md`)."""

    def complete(self, unsealed: Iterable[EventsName]) -> int:
        """Make what is missing, and sweep what belongs to no hour; returns how many were made.

        Args:
            unsealed: what counts and is not sealed; its hours are left for later.
        """

    def sweep(self, unsealed: Iterable[EventsName]) -> None:
        """Delete what belongs to no hour as it is now."""


class Upkeep:
    """Looks after the files of one writer. One round at a time; appending may go on beside it."""

    def __init__(
        self,
        store: Store,
        files: EventFiles,
        writer: str,
        patience: Patience,
        clock: Callable[[], int],
        derived: Derived,
    ) -> None:
        self._store = store
        self._files = files
        self._log = Log(store, files)
        self._writer = writer
        self._patience = patience
        self._clock = clock
        self._derived = derived
        self._mutex = threading.Lock()
        self._backfilled_ms: dict[int, int] = {}
        """Start of an hour to the moment at which something was last backfilled into it."""
        self._superseded_ms: dict[EventsName, int] = {}
        """A file to the moment at which another one had taken its place."""

    def backfilled(self, instant_ms: int) -> None:
        """Note that an instant was appended long after it was due."""
        self._backfilled_ms[align(instant_ms, HOUR_MS)] = self._clock()

    def merge(self, now_ms: int) -> int:
        """Merge the head's commits of every finished five minutes; returns how many files went into others."""
        with self._mutex:
            groups = merge_groups(self._log.head(), self._writer, now_ms)
            return sum(len(group) for group in groups if self._replace(group, sealed=False) is not None)

    def seal(self, before_ms: int) -> list[str]:
        """Seal every hour that ended at or before ``before_ms`` and is quiet; returns the new files' names.

        Then what is missing of derived data is made, of all sealed hours.
        """
        with self._mutex:
            groups = seal_groups(self._log.head(), self._writer, before_ms)
            quiet = [group for group in groups if self._is_quiet(group[0].first_ms)]
            sealed = [self._replace(group, sealed=True) for group in quiet]
            if sealed:
                _give_back()  # before derived data needs as much again
            if self._derived.complete(self._unsealed()):
                _give_back()
            return [name.text for name in sealed if name is not None]

    def _unsealed(self) -> list[EventsName]:
        """What of the head counts; what only lingers after it was sealed does not."""
        return [name for name in self._log.everything().names if not name.sealed]

    def delete(self, choose: Callable[[list[Stored]], list[Stored]], before_ms: int | None = None) -> Pruned:
        """Delete those of this writer's files that ``choose`` picks, in its order, then old annotations.

        Annotations are old that were over before ``before_ms`` and before the first instant that
        any writer has left. Without ``before_ms`` they go only if anything was picked.
        """
        with self._mutex:
            gone = choose(self._stored())
            for each in gone:
                self._delete(each.name)
            if gone:
                self._derived.sweep(self._unsealed())
            files, size_bytes = len(gone), sum(each.size_bytes for each in gone)
            if gone or before_ms is not None:
                limits = [before_ms] if before_ms is not None else []
                limits += [name.first_ms for name in self._log.everything().listed]
                old_files, old_bytes = self._delete_annotations(min(limits, default=0))
                files, size_bytes = files + old_files, size_bytes + old_bytes
            return Pruned(files, size_bytes)

    def _delete_annotations(self, before_ms: int) -> tuple[int, int]:
        files = size_bytes = 0
        for entry in list(self._store.entries(ANNOTATIONS)):
            name = parse_annotation_name(entry.name)
            if name is not None and name.over_ms <= before_ms:
                self._store.delete(entry.name)
                files, size_bytes = files + 1, size_bytes + entry.size_bytes
        return files, size_bytes

    def _stored(self) -> list[Stored]:
        stored = []
        for tier in (HEAD, LOG):
            for entry in self._store.entries(tier):
                name = parse_events_name(entry.name)
                if name is not None and name.writer == self._writer:
                    stored.append(Stored(name, entry.size_bytes))
        return stored

    def _is_quiet(self, instant_ms: int) -> bool:
        hour_ms = align(instant_ms, HOUR_MS)
        last_ms = self._backfilled_ms.get(hour_ms)
        if last_ms is not None and self._clock() - last_ms < self._patience.quiet_ms:
            return False
        self._backfilled_ms.pop(hour_ms, None)
        return True

    def _replace(self, names: list[EventsName], *, sealed: bool) -> EventsName | None:
        """Combine ``names`` into one file and retire them; None when there was nothing to combine.

        A damaged file is left where it is, for `verify` to report; the others go on without it.
        """
        started = time.perf_counter()
        listing = self._log.listing(names[0].first_ms, max(name.last_ms for name in names) + 1)
        own = listing.writer(self._writer)
        stale = [name for name in names if own.superseded(name)]
        fresh = [name for name in names if name not in stale]
        combined = None
        while combined is None and len(fresh) > (0 if sealed else 1):
            try:
                combined = combine(self._store, self._files, fresh, sealed=sealed)
            except DamagedFileError as error:
                log.error("file.damaged", extra={"file": error.name, "error": str(error)})
                fresh = [name for name in fresh if name.text != error.name]
            except FileExistsError as error:
                # A damaged earlier result of the same merge: its sources still have the facts.
                log.error(
                    "file.damaged", extra={"file": error.filename, "error": "cannot be replaced by itself"}
                )
                break
        self._retire([*stale, *(fresh if combined is not None else ())])
        if combined is not None:
            log.info(
                "partition.sealed" if sealed else "head.merged",
                extra={
                    "file": combined.text,
                    "files": len(fresh),
                    "ms": round((time.perf_counter() - started) * 1000, 1),
                },
            )
        return combined

    def _retire(self, names: Iterable[EventsName]) -> None:
        """Delete superseded files once they have lingered; later rounds find the others again.

        Scans leave superseded files out, so those that linger never count twice. What an earlier
        process left lingers from when it is found.
        """
        now_ms = self._clock()
        for name in names:
            since_ms = self._superseded_ms.setdefault(name, now_ms)
            if now_ms - since_ms >= self._patience.linger_ms:
                self._delete(name)
                del self._superseded_ms[name]

    def _delete(self, name: EventsName) -> None:
        self._store.delete(name.text)
        self._files.forget(name)
