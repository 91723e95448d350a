"""What a window's timeline is made of: from rollups where there are some, else from the log."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence

import attrs
import pyarrow as pa
import pyarrow.compute as pc

from vistio_core.configuration.model import Configuration
from vistio_core.judging.codes import Integers
from vistio_core.judging.minutes import SubjectKey, totals_by_minute
from vistio_core.judging.subject import Subject
from vistio_core.judging.totals import TOTALS, totals
from vistio_core.replay.pieces import piece_about, totals_of
from vistio_core.replay.rollups.hours import Rollup, Rollups, sealed_sizes
from vistio_core.replay.rollups.remembered import RememberedTables
from vistio_core.replay.rollups.subjects import SubjectRollup
from vistio_core.replay.scans import Scans, retrying
from vistio_core.replay.window_presence import PRESENCE, presence
from vistio_core.storage.catalog import Catalog
from vistio_core.storage.layout import EventsName, subjects_name
from vistio_core.storage.marker import require_marker
from vistio_core.storage.store import Store
from vistio_core.times import HOUR_MS, MINUTE_MS, align

log = logging.getLogger(__name__)

EVERYTHING = Subject()
# Of an hour that is not sealed, or of a rollup: some hundred bytes for each instant and cluster.
_MOST_REMEMBERED_BYTES = 16 * 1024 * 1024


@attrs.frozen
class _Part:
    """Files whose instants stand in no other file: what is known of them stays true as long as they are there."""

    start_ms: int
    end_ms: int
    versions: tuple[tuple[str, str], ...]


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
        self._remembered = RememberedTables(_MOST_REMEMBERED_BYTES)

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
        left: list[_Part] = []
        by_hour = self._files(start_ms, end_ms)
        sizes = sealed_sizes(self._store, start_ms, end_ms)
        for hour_ms, names in by_hour.items():
            called = self.rollups.name(hour_ms, names, sizes)
            rollup = None if called is None else self._rollup(called, with_totals=with_totals)
            if rollup is None:
                parts = map(self._part, _apart(names))
                left += [part for part in parts if part.start_ms < end_ms and part.end_ms > start_ms]
            else:
                found.append(rollup)
        found.append(self._read_log(left, with_totals=with_totals))
        tables = [TOTALS.empty_table(), *(each.totals for each in found)]
        there = pa.concat_tables([PRESENCE.empty_table(), *(each.presence for each in found)])
        return Rollup(pa.concat_tables(tables), there.filter(_inside(there, start_ms, end_ms)))

    def _rollup(self, name: str, *, with_totals: bool) -> Rollup | None:
        """An hour's rollup, read or remembered for as long as this very file is there; None where there is none."""
        try:
            version = self._store.version(name)
        except OSError:
            return None
        there = self._remembered.get(("presence", name, version))
        found = self._remembered.get(("totals", name, version)) if with_totals else TOTALS.empty_table()
        if there is not None and found is not None:
            return Rollup(found, there)
        rollup = self.rollups.read(name)
        if rollup is not None:
            self._remembered.put(("presence", name, version), rollup.presence)
            if with_totals:
                self._remembered.put(("totals", name, version), rollup.totals)
        return rollup

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

    def _files(self, start_ms: int, end_ms: int) -> dict[int, list[EventsName]]:
        """The files that count of every hour that the window touches and of which there are some."""
        first_ms, last_ms = align(start_ms, HOUR_MS), -(-end_ms // HOUR_MS) * HOUR_MS
        by_hour: dict[int, list[EventsName]] = {}
        for name in self._catalog.counting(self._catalog.within(first_ms, last_ms)):
            by_hour.setdefault(align(name.first_ms, HOUR_MS), []).append(name)
        if not by_hour:
            require_marker(self._store)
        return by_hour

    def _hours(self, start_ms: int, end_ms: int) -> list[tuple[int, str | None]]:
        """The hours of which there is something, and what the rollup of each is called; None for one not sealed."""
        by_hour = self._files(start_ms, end_ms)
        sizes = sealed_sizes(self._store, start_ms, end_ms)
        return [(hour_ms, self.rollups.name(hour_ms, names, sizes)) for hour_ms, names in by_hour.items()]

    def _part(self, names: Sequence[EventsName]) -> _Part:
        versions = tuple((name.text, self._store.version(name.text)) for name in names)
        return _Part(names[0].first_ms, max(name.last_ms for name in names) + 1, versions)

    def _read_log(self, parts: Sequence[_Part], *, with_totals: bool) -> Rollup:
        """What the log says of some parts of it, all of their instants. What was read lately is not read again."""
        there = self._remembering(
            parts,
            "presence",
            lambda start_ms, end_ms: self._scans.read(
                start_ms, end_ms, lambda files: presence(files, start_ms, end_ms)
            ),
        )
        found = [TOTALS.empty_table()]
        if with_totals:
            found = self._remembering(
                parts, "totals", lambda start_ms, end_ms: self._totals(start_ms, end_ms, EVERYTHING)
            )
        return Rollup(
            pa.concat_tables([TOTALS.empty_table(), *found]),
            pa.concat_tables([PRESENCE.empty_table(), *there]),
        )

    def _remembering(
        self, parts: Sequence[_Part], what: str, read: Callable[[int, int], pa.Table]
    ) -> list[pa.Table]:
        known = [self._remembered.get((what, part)) for part in parts]
        missing = [part for part, table in zip(parts, known, strict=True) if table is None]
        found = [table for table in known if table is not None]
        # Neighbours are read together: a query over many files takes little longer than one over one file.
        for run in _neighbours(missing, parts):
            table = read(run[0].start_ms, run[-1].end_ms)
            for part in run:
                rows = table if len(run) == 1 else table.filter(_inside(table, part.start_ms, part.end_ms))
                self._remembered.put((what, part), rows)
                found.append(rows)
        return found

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


def _apart(names: Iterable[EventsName]) -> Iterator[list[EventsName]]:
    """Files in groups that do not overlap in time, ascending."""
    group: list[EventsName] = []
    for name in sorted(names, key=lambda name: (name.first_ms, name.text)):
        if group and name.first_ms > max(other.last_ms for other in group):
            yield group
            group = []
        group.append(name)
    if group:
        yield group


def _neighbours(missing: Sequence[_Part], parts: Sequence[_Part]) -> Iterator[list[_Part]]:
    """``missing`` in runs between which there is nothing else: none of the other ``parts``, and no whole hour."""
    wanted, run = set(missing), list[_Part]()
    for part in sorted(parts, key=lambda part: part.start_ms):
        if run and (part not in wanted or part.start_ms - align(run[-1].start_ms, HOUR_MS) >= 2 * HOUR_MS):
            yield run
            run = []
        if part in wanted:
            run.append(part)
    if run:
        yield run


def _inside(table: pa.Table, start_ms: int, end_ms: int) -> pa.Array:
    return pc.and_(pc.greater_equal(table["instant_ms"], start_ms), pc.less(table["instant_ms"], end_ms))


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
