"""Makes the rollups of sealed hours, and sweeps those that belong to no hour any more."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

import pyarrow as pa

from vistio_core.configuration.model import Configuration
from vistio_core.errors import FilesChangedError, RecordingError
from vistio_core.judging.minutes import HourOfMinutes
from vistio_core.judging.spans import SPANS, edge_spans, joined
from vistio_core.judging.totals import TOTALS, totals
from vistio_core.replay.pieces import judge_of, pieces
from vistio_core.replay.rollups.hours import Rollup, Rollups, content_of, is_content
from vistio_core.replay.rollups.subjects import SubjectRollup, write_subjects
from vistio_core.replay.window_presence import presence
from vistio_core.storage.catalog import by_time
from vistio_core.storage.configurations import load_configuration
from vistio_core.storage.event_file import EventFile, EventFiles
from vistio_core.storage.layout import LOG, MARKER, ROLLUPS, EventsName, parse_events_name, subjects_name
from vistio_core.storage.listing import Listing
from vistio_core.storage.store import StorageError, Store
from vistio_core.times import HOUR_MS, align, format_instant

log = logging.getLogger(__name__)

# A round that makes up for many hours ends after so long, for merging and pruning wait; the next one goes on.
_ROUND_S = 20.0


def is_whole(store: Store, name: str) -> bool:
    """Whether a rollup, of either kind, has the content that was once written under this name.

    Raises:
        FileNotFoundError: there is none.
    """
    if not name.endswith(".subjects"):
        with store.open(name) as source:
            return is_content(name, source.read())
    try:
        for _ in SubjectRollup(store, name).subjects():
            pass
    except ValueError:
        return False
    return True


class RollupMaker:
    """Keeps the rollups of sealed hours complete. For a writer's upkeep; several may be at it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._rollups = Rollups(store)
        self._configuration: Callable[[str], Configuration] = lru_cache(maxsize=16)(
            lambda configuration_hash: load_configuration(store, configuration_hash)
        )
        self._whole: set[str] = set()
        """Rollups that were read since this process began."""
        self._refused: set[str] = set()
        """Rollups that could not be made: not tried again until their hour has changed."""

    def complete(self, unsealed: Iterable[EventsName]) -> int:
        """Make what is missing, newest hours first, after a `sweep`; returns how many were made.

        Args:
            unsealed: what counts and is not sealed; its hours are left for later.
        """
        started = time.monotonic()
        wanted, there = self._swept(unsealed)
        made = 0
        for name, (hour_ms, names) in wanted.items():
            missing = {name, subjects_name(name)} - there - self._refused
            if not missing:
                continue
            if time.monotonic() - started > _ROUND_S:
                break
            made += self._make(name, missing, hour_ms, names)
        return made

    def sweep(self, unsealed: Iterable[EventsName]) -> None:
        """Delete rollups that belong to no hour as it is now, and those that are not whole."""
        self._swept(unsealed)

    def _swept(
        self, unsealed: Iterable[EventsName]
    ) -> tuple[dict[str, tuple[int, list[EventsName]]], set[str]]:
        """What should be there, as `_wanted` tells it, and what is."""
        wanted = self._wanted({align(name.first_ms, HOUR_MS) for name in unsealed})
        listed = set(self._store.names(ROLLUPS))
        fitting = wanted.keys() | set(map(subjects_name, wanted))
        there = {name for name in listed if name in fitting and self._is_whole(name)}
        for name in listed - there:
            self._store.delete(name)
        return wanted, there

    def _wanted(self, hours_ms: set[int]) -> dict[str, tuple[int, list[EventsName]]]:
        """Name of each rollup that should be there to its hour's start and files; newest first."""
        sizes = {entry.name: entry.size_bytes for entry in self._store.entries(LOG)}
        by_hour: dict[int, list[EventsName]] = {}
        for events in filter(None, map(parse_events_name, sizes)):
            by_hour.setdefault(align(events.first_ms, HOUR_MS), []).append(events)
        wanted = {}
        for hour_ms in sorted(by_hour.keys() - hours_ms, reverse=True):
            names = by_hour[hour_ms]
            name = self._rollups.name(hour_ms, names, sizes)
            if name is not None:
                wanted[name] = hour_ms, names
        return wanted

    def _is_whole(self, name: str) -> bool:
        if name not in self._whole and self._can_be_read(name):
            self._whole.add(name)
        return name in self._whole

    def _can_be_read(self, name: str) -> bool:
        if not name.endswith(".subjects"):
            return self._rollups.read(name) is not None
        try:
            # Of some megabytes only the index: whoever needs a block looks at that one.
            SubjectRollup(self._store, name)
        except (OSError, ValueError):
            return False
        return True

    def _make(self, name: str, missing: set[str], hour_ms: int, names: Sequence[EventsName]) -> bool:
        """Make of an hour's rollup what is missing; whether that succeeded."""
        started = time.perf_counter()
        subjects = subjects_name(name)
        try:
            # All of them, or there is no rollup: what is damaged now may be put back.
            files = [EventFile(self._store, each) for each in names]
            hour = Listing(EventFiles(self._store, 0), by_time(names), (hour_ms, hour_ms + HOUR_MS), files)
            judge = judge_of(hour, self._configuration)
            minutes = HourOfMinutes(judge, hour_ms)
            found, spans = [TOTALS.empty_table()], [SPANS.empty_table()]
            for piece in pieces(judge, hour):
                found.append(totals(judge, *piece))
                spans.append(edge_spans(judge, piece[0]))
                if subjects in missing:
                    minutes.add(*piece)
            if name in missing:
                rollup = Rollup(pa.concat_tables(found), presence(hour))
                with self._store.create(name, beside=MARKER) as sink:
                    sink.write(content_of(name, rollup, joined(spans).cast(SPANS)))
            size_bytes = 0
            if subjects in missing:
                with self._store.create(subjects, beside=MARKER) as sink:
                    size_bytes = write_subjects(sink, subjects, minutes.subjects())
        except (FileExistsError, FilesChangedError):
            return False  # someone else made it, or the hour has changed meanwhile
        except RecordingError as error:
            # Only a timeline becomes slower. A storage may take it next time; of what is damaged, `verify` tells.
            if not isinstance(error, StorageError):
                self._refused |= missing
            log.warning("rollup.failed", extra={"hour": format_instant(hour_ms), "error": str(error)})
            return False
        log.debug(
            "rollup.made",
            extra={
                "hour": format_instant(hour_ms),
                "bytes": size_bytes,
                "ms": round((time.perf_counter() - started) * 1000, 1),
            },
        )
        return True
