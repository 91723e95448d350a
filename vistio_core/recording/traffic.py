"""What a window's timeline is made of: from rollups where there are some, else from the log."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import attrs
import pyarrow as pa
import pyarrow.compute as pc

from vistio_core.configuration.model import Configuration
from vistio_core.recording.catalog import Catalog
from vistio_core.recording.judging import piece_about, totals_of
from vistio_core.recording.layout import EventsName
from vistio_core.recording.marker import require_marker
from vistio_core.recording.rollups import PRESENCE, Rollup, Rollups, presence, sealed_sizes
from vistio_core.recording.scans import Scans, retrying
from vistio_core.recording.store import Store
from vistio_core.replay.timeline import Subject
from vistio_core.replay.totals import TOTALS, totals
from vistio_core.times import HOUR_MS, align

EVERYTHING = Subject()


class Traffic:
    """Totals and presence of windows. Rollups only make it quick: the answer is the log's."""

    def __init__(
        self, store: Store, catalog: Catalog, scans: Scans, configuration: Callable[[str], Configuration]
    ) -> None:
        self._store = store
        self._catalog = catalog
        self._scans = scans
        self._configuration = configuration
        self.rollups = Rollups(store)

    def of(self, start_ms: int, end_ms: int, subject: Subject = EVERYTHING) -> Rollup:
        """Totals about a subject, and presence, of ``[start_ms, end_ms)``; totals may have more times and clusters."""
        if attrs.evolve(subject, cluster=None) == EVERYTHING:
            return retrying(lambda: self._rolled_up(start_ms, end_ms, with_totals=True))
        return Rollup(self._totals(start_ms, end_ms, subject), self.presence(start_ms, end_ms))

    def presence(self, start_ms: int, end_ms: int) -> pa.Table:
        """Every instant in ``[start_ms, end_ms)``; the columns are those of `PRESENCE`."""
        return retrying(lambda: self._rolled_up(start_ms, end_ms, with_totals=False)).presence

    def _rolled_up(self, start_ms: int, end_ms: int, *, with_totals: bool) -> Rollup:
        """Hour by hour.

        Raises:
            FileNotFoundError: a file was merged, sealed or pruned away meanwhile; ask again.
        """
        first_ms, last_ms = align(start_ms, HOUR_MS), -(-end_ms // HOUR_MS) * HOUR_MS
        by_hour: dict[int, list[EventsName]] = {}
        for name in self._catalog.counting(self._catalog.within(first_ms, last_ms)):
            by_hour.setdefault(align(name.first_ms, HOUR_MS), []).append(name)
        if not by_hour:
            require_marker(self._store)
        sizes = sealed_sizes(self._store, first_ms, last_ms)
        found: list[Rollup] = []
        left: list[int] = []
        for hour_ms, names in by_hour.items():
            called = self.rollups.name(hour_ms, names, sizes)
            rollup = None if called is None else self.rollups.read(called)
            if rollup is None:
                left.append(hour_ms)
            else:
                found.append(rollup)
        for from_ms, to_ms in _joined_hours(left):
            window = max(from_ms, start_ms), min(to_ms, end_ms)
            if window[0] < window[1]:
                found.append(self._read_log(*window, with_totals=with_totals))
        tables = [TOTALS.empty_table(), *(each.totals for each in found)]
        there = pa.concat_tables([PRESENCE.empty_table(), *(each.presence for each in found)])
        inside = pc.and_(
            pc.greater_equal(there["instant_ms"], start_ms), pc.less(there["instant_ms"], end_ms)
        )
        return Rollup(pa.concat_tables(tables), there.filter(inside))

    def _read_log(self, start_ms: int, end_ms: int, *, with_totals: bool) -> Rollup:
        session = self._scans.session
        there = self._scans.scan(start_ms, end_ms, lambda uris: presence(session, uris, start_ms, end_ms))
        if not with_totals:
            return Rollup(TOTALS.empty_table(), there)
        return Rollup(self._totals(start_ms, end_ms, EVERYTHING), there)

    def _totals(self, start_ms: int, end_ms: int, subject: Subject) -> pa.Table:
        if subject == EVERYTHING:
            return self._scans.read(
                start_ms, end_ms, lambda files: totals_of(files, start_ms, end_ms, self._configuration)
            )
        window_ms = start_ms, end_ms
        return self._scans.scan(
            start_ms,
            end_ms,
            lambda uris: totals(
                *piece_about(self._scans.session, uris, window_ms, subject, self._configuration)
            ),
        )


def _joined_hours(hours_ms: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Start and end of each run of neighbouring hours."""
    run: tuple[int, int] | None = None
    for hour_ms in sorted(hours_ms):
        if run is not None and run[1] == hour_ms:
            run = run[0], hour_ms + HOUR_MS
            continue
        if run is not None:
            yield run
        run = hour_ms, hour_ms + HOUR_MS
    if run is not None:
        yield run
