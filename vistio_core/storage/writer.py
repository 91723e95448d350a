"""The one who may write: commits, supplements, and upkeep (`upkeep.py`) under one writer's name."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from itertools import count
from types import TracebackType
from typing import TypeVar

from vistio_core.configuration.model import Configuration
from vistio_core.errors import (
    AlreadyRecordedError,
    RecordingError,
    UsageError,
)
from vistio_core.events import RuleKey, Scrape
from vistio_core.storage.event_file import EventFiles
from vistio_core.storage.format import rates_repeat, scrape_tables, write_events
from vistio_core.storage.layout import MARKER, EventsName, commit_name, configuration_name
from vistio_core.storage.listing import WriterListing
from vistio_core.storage.log import Log
from vistio_core.storage.marker import require_marker
from vistio_core.storage.parts import failures
from vistio_core.storage.retention import beyond_size, older_than
from vistio_core.storage.store import Lock, Store
from vistio_core.storage.upkeep import Pruned, Upkeep
from vistio_core.times import format_instant

log = logging.getLogger(__name__)
T = TypeVar("T")


class Writer:
    """Appends to a recording. Made by `Recording.writer`, which takes the lock.

    `commit` and `supplement` may run in several threads, beside `merge`, `seal` and `prune` in
    another: those touch different files. Each of them raises `WriterLockedError` when the lock's
    file was deleted by someone, and another process has the lock now.
    """

    def __init__(
        self,
        store: Store,
        files: EventFiles,
        name: str,
        lock: Lock,
        upkeep: Upkeep,
        digits: int | None = None,
    ) -> None:
        self.name = name
        self._store = store
        self._digits = digits
        self._log = Log(store, files)
        self._upkeep = upkeep
        self._lock = lock
        self._lock.__enter__()
        self._appending = threading.Lock()
        self._configurations: set[str] = set()
        try:
            store.sweep(rf"_{name}(\.\d+)?\.parquet")
            own = self._log.everything().writer(name).listed
        except BaseException:
            self.close()
            raise
        self._last_instant_ms = max((events.last_ms for events in own), default=None)

    @property
    def last_instant_ms(self) -> int | None:
        """The newest instant that this writer's name has in the recording; None when it has none."""
        return self._last_instant_ms

    @property
    def first_instant_ms(self) -> int | None:
        """The oldest instant of this writer that is in the recording now; None when it has none."""
        own = self._log.everything().writer(self.name).listed
        return min((events.first_ms for events in own), default=None)

    def put_configuration(self, configuration: Configuration) -> str:
        """Keep ``configuration`` in the recording and return its hash. Doing it again changes nothing.

        One that is there already is read once; a damaged one is put back.
        """
        name = configuration_name(configuration.hash)
        content = configuration.text.encode()
        self._require_right()
        if configuration.hash not in self._configurations and self._store.exists(name):
            try:
                with self._store.open(name) as source:
                    damaged = source.read() != content
            except OSError:
                damaged = True
            if damaged:
                log.warning("configuration.restored", extra={"file": name})
                self._store.delete(name)
        if not self._store.exists(name):
            with self._store.create(name, beside=MARKER) as sink:
                sink.write(content)
        self._configurations.add(configuration.hash)
        return configuration.hash

    def commit(self, scrape: Scrape) -> None:
        """Append one scrape. When this returns, it is durable and every reader sees it whole.

        Raises:
            AlreadyRecordedError: this writer has that instant already.
            RecordingError: the storage refused, or the scrape's configuration was never put.
        """
        self._check_configuration(scrape)
        self._require_right()
        with self._appending:
            name = commit_name(scrape.instant_ms, self.name)
            if self._recorded(name):
                raise AlreadyRecordedError(format_instant(scrape.instant_ms), self.name)
            self._append(name, scrape)
            self._last_instant_ms = max(scrape.instant_ms, self._last_instant_ms or 0)

    def supplement(self, scrape: Scrape) -> None:
        """Append what was learned later of rules that were not answered at an instant. Durable like `commit`.

        Args:
            scrape: backfilled; has outcomes, and samples, of such rules only. A rule that is not
                answered this time either may be supplemented again: the newest outcome counts.

        Raises:
            AlreadyRecordedError: all rules of the instant are answered.
            UsageError: the instant is not in the log, or the scrape says something of other rules.
            RecordingError: as `commit`.
        """
        self._check_configuration(scrape)
        self._require_right()
        with self._appending:
            name = self._at(scrape.instant_ms, lambda own: self._supplement_name(own, scrape))
            self._append(name, scrape)

    def _at(self, instant_ms: int, question: Callable[[WriterListing], T]) -> T:
        """What this writer has of an instant."""
        return self._log.read(instant_ms, instant_ms + 1, lambda listing: question(listing.writer(self.name)))

    def _supplement_name(self, own: WriterListing, scrape: Scrape) -> EventsName:
        """The lowest supplement that does not have the instant yet, once the scrape is found to fit."""
        when = format_instant(scrape.instant_ms)
        recorded = own.instant(scrape.instant_ms)
        if recorded is None:
            raise UsageError(
                f"supplement of {when}: writer {self.name!r} has no readable scrape of that instant; use commit"
            )
        unanswered = failures([recorded]).get(scrape.instant_ms, {}).keys()
        if not unanswered:
            raise AlreadyRecordedError(when, self.name)
        told = {(outcome.cluster, outcome.rule) for outcome in scrape.outcomes} | scrape.rules_with_rows()
        if not scrape.backfilled or told - unanswered:
            raise UsageError(
                f"supplement of {when}: must be backfilled, and tell of rules only that were not answered"
                f" ({_rules(unanswered)}); found backfilled={scrape.backfilled} and {_rules(told)}"
            )
        # A damaged supplement keeps its name, too.
        taken = {part.name.supplement for part in recorded.parts}
        taken |= {name.supplement for name in own.listed if name.single}
        free = next(number for number in count(1) if number not in taken)
        return commit_name(scrape.instant_ms, self.name, free)

    def _append(self, name: EventsName, scrape: Scrape) -> None:
        started = time.perf_counter()
        tables = scrape_tables(scrape, self._digits)
        with self._store.create(name.text, beside=MARKER) as sink:
            repeating = "sample" in tables and rates_repeat(tables["sample"]["rate"])
            write_events(sink, tables.values(), repeating=repeating, digits=self._digits)
        if scrape.backfilled:
            self._upkeep.backfilled(scrape.instant_ms)
        log.debug(
            "commit.written",
            extra={
                "instant": format_instant(scrape.instant_ms),
                "rows": sum(table.num_rows for table in tables.values()),
                "ms": round((time.perf_counter() - started) * 1000, 1),
            },
        )

    def merge(self, now_ms: int) -> int:
        """Merge the head's commits of every finished five minutes; returns how many files went into others."""
        self._require_right()
        return self._upkeep.merge(now_ms)

    def seal(self, before_ms: int) -> list[str]:
        """Seal every hour that ended at or before ``before_ms``; returns the names of the new partitions.

        An hour into which something is being backfilled waits until it has been quiet for as long
        as `Recording.writer` was told.
        """
        self._require_right()
        return self._upkeep.seal(before_ms)

    def prune(self, before_ms: int) -> Pruned:
        """Delete what this writer has before ``before_ms``; files that overlap go together or stay together.

        Annotations go with the last events of their time, whoever wrote those.
        """
        self._require_right()
        return self._upkeep.delete(lambda stored: older_than(stored, before_ms), before_ms)

    def prune_to_size(self, max_bytes: int) -> Pruned:
        """Delete the oldest of this writer's files until all of them have ``max_bytes`` or less.

        The newest hour stays, whatever its size. Files that overlap go together or stay together;
        annotations go as with `prune`.

        Raises:
            UsageError: ``max_bytes`` is negative.
        """
        if max_bytes < 0:
            raise UsageError(f"prune to {max_bytes} bytes: a size is 0 or more")
        self._require_right()
        return self._upkeep.delete(lambda stored: beyond_size(stored, max_bytes))

    def close(self) -> None:
        """Let go of the writer's name. What is committed stays in the head until someone seals it."""
        self._lock.__exit__(None, None, None)

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _require_right(self) -> None:
        require_marker(self._store)
        self._lock.require()

    def _check_configuration(self, scrape: Scrape) -> None:
        if scrape.configuration not in self._configurations:
            raise RecordingError(
                f"scrape {format_instant(scrape.instant_ms)}: configuration {scrape.configuration[:12]} is not in the"
                " recording; call put_configuration first"
            )

    def _recorded(self, name: EventsName) -> bool:
        """Whether there is a scrape of an instant, or a file that has its name."""
        if self._last_instant_ms is None or name.first_ms > self._last_instant_ms:
            return False

        def recorded(own: WriterListing) -> bool:
            # What cannot be read does not stand in the way of recording it again, but for a file of that one instant.
            named = any(other.single and other.sequence == name.sequence for other in own.listed)
            return named or own.instant(name.first_ms) is not None

        return self._at(name.first_ms, recorded)


def _rules(keys: Iterable[RuleKey]) -> str:
    return ", ".join("/".join(filter(None, key)) for key in sorted(keys))
