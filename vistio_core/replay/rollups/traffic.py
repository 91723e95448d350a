"""What a window's timeline is made of: from rollups where there are some, else from the log."""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from functools import partial

import attrs
import pyarrow as pa
import pyarrow.compute as pc

from vistio_core.cache import Cache
from vistio_core.configuration.model import Configuration
from vistio_core.judging.codes import Integers
from vistio_core.judging.minutes import SubjectKey, totals_by_minute
from vistio_core.judging.subject import Subject
from vistio_core.judging.totals import TOTALS, totals
from vistio_core.replay.pieces import piece_about, totals_of
from vistio_core.replay.rollups.hours import Rollup, Rollups, sealed_sizes
from vistio_core.replay.rollups.subjects import SubjectRollup
from vistio_core.replay.scans import Scans
from vistio_core.replay.window_presence import PRESENCE, presence
from vistio_core.storage.catalog import Span
from vistio_core.storage.extent import extent_of
from vistio_core.storage.layout import EventsName, subjects_name
from vistio_core.storage.listing import Listing
from vistio_core.storage.log import Log
from vistio_core.storage.store import Store
from vistio_core.times import HOUR_MS, MINUTE_MS, align

log = logging.getLogger(__name__)

EVERYTHING = Subject()
# Of an hour that is not sealed, or of a rollup: some hundred bytes for each instant and cluster.
_MOST_REMEMBERED_BYTES = 16 * 1024 * 1024
# All of them may be about one busy node, and each then takes some 250 bytes while it is summed.
_MOST_ROWS = 250_000
TABLE_BYTES = 6 * 1024
"""What a table takes beside its values, with its schema and its key: of one instant's presence, all but 50 bytes."""


@attrs.frozen
class _Stretch:
    """Files whose instants stand in no other file: what is known of them stays true as long as they are there."""

    start_ms: int
    end_ms: int
    versions: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, listing: Listing, names: Sequence[EventsName]) -> _Stretch:
        versions = tuple((name.text, listing.version(name)) for name in names)
        return cls(names[0].first_ms, max(name.last_ms for name in names) + 1, versions)

    def overlaps(self, start_ms: int, end_ms: int) -> bool:
        """Whether an instant in ``[start_ms, end_ms)`` could be inside."""
        return self.start_ms < end_ms and self.end_ms > start_ms


@attrs.frozen
class _Hour:
    """An hour of which there is something."""

    start_ms: int
    names: Sequence[EventsName]
    """Its files, none superseded."""
    rollup: str | None
    """What its rollup is called, if there is one; None for an hour that is not (wholly) sealed."""


@attrs.frozen
class _Window:
    """A window, and the whole hours that it touches: a rollup is of all files of its hour."""

    start_ms: int
    end_ms: int
    listing: Listing
    """Of the hours."""
    hours: Sequence[_Hour]


class Traffic:
    """Totals and presence of windows. Rollups only make it quick: the answer is the log's."""

    def __init__(
        self, store: Store, log: Log, scans: Scans, configuration: Callable[[str], Configuration]
    ) -> None:
        self._store = store
        self._log = log
        self._scans = scans
        self._configuration = configuration
        self.rollups = Rollups(store)
        self._remembered: Cache[Hashable, pa.Table] = Cache(_MOST_REMEMBERED_BYTES, weight_bytes)

    def of(self, start_ms: int, end_ms: int, step_ms: int, subject: Subject = EVERYTHING) -> Rollup:
        """Totals about a subject, and presence, of ``[start_ms, end_ms)``, for steps of this length.

        Totals may have more times and clusters. Those of an edge or a node may be of a whole minute instead of an
        instant, where steps are whole minutes.
        """
        in_all = attrs.evolve(subject, cluster=None) == EVERYTHING
        key = None if start_ms % MINUTE_MS or step_ms % MINUTE_MS else SubjectKey.of(subject)

        def traffic(window: _Window) -> Rollup:
            found = self._rolled_up(window, with_totals=in_all)
            if in_all:
                return found
            if key is None:
                totals = self._totals(window.listing.within(start_ms, end_ms), subject)
            else:
                totals = self._by_minute(window, subject, key)
            return attrs.evolve(found, totals=totals)

        return self._read(start_ms, end_ms, traffic)

    def presence(self, start_ms: int, end_ms: int) -> pa.Table:
        """Every instant in ``[start_ms, end_ms)``; the columns are those of `PRESENCE`."""
        return self._read(start_ms, end_ms, partial(self._rolled_up, with_totals=False)).presence

    def _read(self, start_ms: int, end_ms: int, question: Callable[[_Window], Rollup]) -> Rollup:
        def ask(listing: Listing) -> Rollup:
            return question(_Window(start_ms, end_ms, listing, self._hours(listing, start_ms, end_ms)))

        return self._log.read(align(start_ms, HOUR_MS), -(-end_ms // HOUR_MS) * HOUR_MS, ask)

    def _hours(self, listing: Listing, start_ms: int, end_ms: int) -> list[_Hour]:
        by_hour: dict[int, list[EventsName]] = {}
        for name in listing.names:
            by_hour.setdefault(align(name.first_ms, HOUR_MS), []).append(name)
        sizes = sealed_sizes(self._store, start_ms, end_ms)
        return [
            _Hour(hour_ms, names, self.rollups.name(hour_ms, names, sizes))
            for hour_ms, names in by_hour.items()
        ]

    def _rolled_up(self, window: _Window, *, with_totals: bool) -> Rollup:
        """Hour by hour."""
        found: list[Rollup] = []
        left: list[_Stretch] = []
        for hour in window.hours:
            rollup = None if hour.rollup is None else self._rollup(hour.rollup, with_totals=with_totals)
            if rollup is None:
                stretches = (_Stretch.of(window.listing, names) for names in _apart(hour.names))
                left += [each for each in stretches if each.overlaps(window.start_ms, window.end_ms)]
            else:
                found.append(rollup)
        found.append(self._read_log(window.listing, left, with_totals=with_totals))
        tables = [TOTALS.empty_table(), *(each.totals for each in found)]
        there = pa.concat_tables([PRESENCE.empty_table(), *(each.presence for each in found)])
        inside = there.filter(_inside(there, window.start_ms, window.end_ms))
        return Rollup(pa.concat_tables(tables), inside)

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

    def _by_minute(self, window: _Window, subject: Subject, key: SubjectKey) -> pa.Table:
        """The totals of a subject by minute, where there are some, else by instant. From a full minute on."""
        found = [TOTALS.empty_table()]
        left: list[Span] = []
        for hour in window.hours:
            first_ms = max(hour.start_ms, window.start_ms)
            last_ms = min(hour.start_ms + HOUR_MS, window.end_ms)
            minutes = None
            if hour.rollup is not None:
                minutes = self._minutes(subjects_name(hour.rollup), key, subject.cluster)
            if minutes is None:
                left.append((first_ms, last_ms))
                continue
            # Of a minute that the window ends in, not all instants count.
            inside = slice((first_ms - hour.start_ms) // MINUTE_MS, (last_ms - hour.start_ms) // MINUTE_MS)
            found += [
                totals_by_minute(hour.start_ms, cluster, values, inside)
                for cluster, values in minutes.items()
            ]
            if last_ms % MINUTE_MS:
                left.append((align(last_ms, MINUTE_MS), last_ms))
        found += [self._totals(window.listing.within(*span), subject) for span in _joined(left)]
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

    def _read_log(self, listing: Listing, stretches: Sequence[_Stretch], *, with_totals: bool) -> Rollup:
        """What the log says of some stretches of it, whole. What was read lately is not read again."""

        def read(what: str, question: Callable[[Listing], pa.Table]) -> list[pa.Table]:
            return self._remembering(listing, stretches, what, question)

        there = read("presence", lambda stretch: stretch.around_damage(presence))
        found = read("totals", lambda stretch: self._totals(stretch, EVERYTHING)) if with_totals else []
        return Rollup(
            pa.concat_tables([TOTALS.empty_table(), *found]),
            pa.concat_tables([PRESENCE.empty_table(), *there]),
        )

    def _remembering(
        self,
        listing: Listing,
        stretches: Sequence[_Stretch],
        what: str,
        question: Callable[[Listing], pa.Table],
    ) -> list[pa.Table]:
        known = [self._remembered.get((what, stretch)) for stretch in stretches]
        missing = [stretch for stretch, table in zip(stretches, known, strict=True) if table is None]
        tables = [table for table in known if table is not None]
        # Neighbours are read together: a query over many files takes little longer than one over one file.
        for run in _neighbours(missing, stretches):
            table = question(listing.within(run[0].start_ms, run[-1].end_ms))
            for stretch in run:
                own = table
                if len(run) > 1:
                    own = table.filter(_inside(table, stretch.start_ms, stretch.end_ms))
                self._remembered.put((what, stretch), own)
                tables.append(own)
        return tables

    def _totals(self, listing: Listing, subject: Subject) -> pa.Table:
        """The totals of a listing's span, by instant, from the log."""
        if subject == EVERYTHING:
            return listing.around_damage(lambda listing: totals_of(listing, self._configuration))
        found = [self._about(listing.within(*span), subject) for span in _in_pieces(listing)]
        return pa.concat_tables([TOTALS.empty_table(), *found])

    def _about(self, listing: Listing, subject: Subject) -> pa.Table:
        """The same of one piece of time, as DuckDB finds it."""
        window_ms = listing.start_ms, listing.end_ms
        return self._scans.scan(
            listing,
            lambda uris: totals(
                *piece_about(self._scans.session, uris, window_ms, subject, self._configuration)
            ),
        )


def weight_bytes(table: pa.Table) -> int:
    """What it takes to remember a table."""
    return int(table.nbytes) + TABLE_BYTES


def _in_pieces(listing: Listing) -> Iterator[Span]:
    """The part of a listing's span of which there is something, in pieces that are summed one after the other."""
    if not listing.listed:
        return
    first_ms = max(listing.start_ms, min(name.first_ms for name in listing.listed))
    last_ms = min(listing.end_ms, max(name.last_ms for name in listing.listed) + 1)
    length_ms = max(1, -(-(last_ms - first_ms) * _MOST_ROWS // max(_MOST_ROWS, extent_of(listing).rows)))
    for start_ms in range(first_ms, last_ms, length_ms):
        yield start_ms, min(start_ms + length_ms, last_ms)


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


def _neighbours(missing: Sequence[_Stretch], stretches: Sequence[_Stretch]) -> Iterator[list[_Stretch]]:
    """``missing`` in runs between which there is nothing else: none of the other ``stretches``, and no whole hour."""
    wanted, run = set(missing), list[_Stretch]()
    for stretch in sorted(stretches, key=lambda stretch: stretch.start_ms):
        far = run and stretch.start_ms - align(run[-1].start_ms, HOUR_MS) >= 2 * HOUR_MS
        if run and (stretch not in wanted or far):
            yield run
            run = []
        if stretch in wanted:
            run.append(stretch)
    if run:
        yield run


def _inside(table: pa.Table, start_ms: int, end_ms: int) -> pa.Array:
    return pc.and_(pc.greater_equal(table["instant_ms"], start_ms), pc.less(table["instant_ms"], end_ms))


def _joined(windows: Iterable[Span]) -> Iterator[Span]:
    """Windows that touch as one, and none that is empty."""
    run: Span | None = None
    for start_ms, end_ms in sorted(window for window in windows if window[0] < window[1]):
        if run is not None and run[1] == start_ms:
            run = run[0], end_ms
            continue
        if run is not None:
            yield run
        run = start_ms, end_ms
    if run is not None:
        yield run
