"""What a window's timeline is made of: from rollups where there are some, else from the log."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator

import attrs
import pyarrow as pa
import pyarrow.compute as pc

from vistio_core.configuration.model import Configuration
from vistio_core.recording.catalog import Catalog
from vistio_core.recording.judging import piece_about, totals_of
from vistio_core.recording.layout import EventsName, subjects_name
from vistio_core.recording.marker import require_marker
from vistio_core.recording.rollups import PRESENCE, Rollup, Rollups, presence, sealed_sizes
from vistio_core.recording.scans import Scans, retrying
from vistio_core.recording.store import Store
from vistio_core.recording.subject_rollups import SubjectRollup
from vistio_core.replay.edge_rates import Integers
from vistio_core.replay.minutes import SubjectKey, totals_by_minute
from vistio_core.replay.timeline import Subject
from vistio_core.replay.totals import TOTALS, totals
from vistio_core.times import HOUR_MS, MINUTE_MS, align

log = logging.getLogger(__name__)

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

    def of(self, start_ms: int, end_ms: int, step_ms: int, subject: Subject = EVERYTHING) -> Rollup:
        """Totals about a subject, and presence, of ``[start_ms, end_ms)``, for steps of this length.

        Totals may have more times and clusters. Those of an edge or a node may be of a whole minute instead of an
        instant, where steps are whole minutes.
        """
        if attrs.evolve(subject, cluster=None) == EVERYTHING:
            return retrying(lambda: self._rolled_up(start_ms, end_ms, with_totals=True))
        key = SubjectKey.of(subject)
        if key is None or start_ms % MINUTE_MS or step_ms % MINUTE_MS:
            found = self._totals(start_ms, end_ms, subject)
        else:
            found = retrying(lambda: self._by_minute(start_ms, end_ms, subject, key))
        return Rollup(found, self.presence(start_ms, end_ms))

    def presence(self, start_ms: int, end_ms: int) -> pa.Table:
        """Every instant in ``[start_ms, end_ms)``; the columns are those of `PRESENCE`."""
        return retrying(lambda: self._rolled_up(start_ms, end_ms, with_totals=False)).presence

    def _rolled_up(self, start_ms: int, end_ms: int, *, with_totals: bool) -> Rollup:
        """Hour by hour.

        Raises:
            FileNotFoundError: a file was merged, sealed or pruned away meanwhile; ask again.
        """
        found: list[Rollup] = []
        left: list[tuple[int, int]] = []
        for hour_ms, name in self._hours(start_ms, end_ms):
            rollup = None if name is None else self.rollups.read(name)
            if rollup is None:
                left.append((max(hour_ms, start_ms), min(hour_ms + HOUR_MS, end_ms)))
            else:
                found.append(rollup)
        found += [self._read_log(*window, with_totals=with_totals) for window in _joined(left)]
        tables = [TOTALS.empty_table(), *(each.totals for each in found)]
        there = pa.concat_tables([PRESENCE.empty_table(), *(each.presence for each in found)])
        inside = pc.and_(
            pc.greater_equal(there["instant_ms"], start_ms), pc.less(there["instant_ms"], end_ms)
        )
        return Rollup(pa.concat_tables(tables), there.filter(inside))

    def _by_minute(self, start_ms: int, end_ms: int, subject: Subject, key: SubjectKey) -> pa.Table:
        """The totals of a subject by minute, where there are some, else by instant; ``start_ms`` is a full minute.

        Raises:
            FileNotFoundError: a file was merged, sealed or pruned away meanwhile; ask again.
        """
        found = [TOTALS.empty_table()]
        left: list[tuple[int, int]] = []
        for hour_ms, name in self._hours(start_ms, end_ms):
            first_ms, last_ms = max(hour_ms, start_ms), min(hour_ms + HOUR_MS, end_ms)
            minutes = None if name is None else self._minutes(subjects_name(name), key, subject.cluster)
            if minutes is None:
                left.append((first_ms, last_ms))
                continue
            # Of a minute that the window ends in, not all instants count.
            inside = slice((first_ms - hour_ms) // MINUTE_MS, (last_ms - hour_ms) // MINUTE_MS)
            found += [
                totals_by_minute(hour_ms, cluster, values, inside) for cluster, values in minutes.items()
            ]
            if last_ms % MINUTE_MS:
                left.append((align(last_ms, MINUTE_MS), last_ms))
        found += [self._totals(*window, subject) for window in _joined(left)]
        return pa.concat_tables(found)

    def _minutes(self, name: str, key: SubjectKey, cluster: str | None) -> dict[str, Integers] | None:
        """An hour's values of a subject by cluster; None where the log must be asked."""
        try:
            found = SubjectRollup(self._store, name).find(key)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            log.warning("rollup.ignored", extra={"file": name, "error": str(error)})
            return None
        if cluster is not None:
            return {cluster: found[cluster]} if cluster in found else {}
        # How much a subject of several clusters had at one instant, the minutes of each do not tell.
        return found if len(found) < 2 else None

    def _hours(self, start_ms: int, end_ms: int) -> list[tuple[int, str | None]]:
        """The hours of which there is something, and what the rollup of each is called; None for one not sealed."""
        first_ms, last_ms = align(start_ms, HOUR_MS), -(-end_ms // HOUR_MS) * HOUR_MS
        by_hour: dict[int, list[EventsName]] = {}
        for name in self._catalog.counting(self._catalog.within(first_ms, last_ms)):
            by_hour.setdefault(align(name.first_ms, HOUR_MS), []).append(name)
        if not by_hour:
            require_marker(self._store)
        sizes = sealed_sizes(self._store, first_ms, last_ms)
        return [(hour_ms, self.rollups.name(hour_ms, names, sizes)) for hour_ms, names in by_hour.items()]

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


def _joined(windows: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Windows that touch as one, and none that is empty."""
    run: tuple[int, int] | None = None
    for start_ms, end_ms in sorted(window for window in windows if window[0] < window[1]):
        if run is not None and run[1] == start_ms:
            run = run[0], end_ms
            continue
        if run is not None:
            yield run
        run = start_ms, end_ms
    if run is not None:
        yield run
