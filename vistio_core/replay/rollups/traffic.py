"""What a window's timeline is made of: from rollups where there are some, else from the log.

The minutes of an edge or a node (`judging.minutes`) say nothing of single instants. They do where each instant of a
minute tells all of a subject, or none does; of other minutes the log is asked.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from functools import partial
from typing import TypeVar

import attrs
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vistio_core.cache import Cache
from vistio_core.configuration.model import Configuration
from vistio_core.errors import DamagedFileError
from vistio_core.judging.codes import Integers
from vistio_core.judging.minutes import SubjectKey, Whose, totals_by_minute
from vistio_core.judging.rulebook import Rulebook
from vistio_core.judging.subject import Subject
from vistio_core.judging.totals import TOTALS, totals
from vistio_core.replay.as_of import MISSED_FOR_MS
from vistio_core.replay.coverage import Coverage, coverage_of
from vistio_core.replay.pieces import piece_about, totals_of
from vistio_core.replay.rollups.hours import Hour, Rollup, Rollups, hours_of
from vistio_core.replay.rollups.spans import spans_of
from vistio_core.replay.rollups.subjects import SubjectRollup
from vistio_core.replay.scans import Scans
from vistio_core.replay.timeline import WHOLE
from vistio_core.replay.window_presence import PRESENCE, newest_of_each, presence
from vistio_core.storage.catalog import Span
from vistio_core.storage.extent import extent_of
from vistio_core.storage.layout import EventsName, subjects_name
from vistio_core.storage.listing import Listing
from vistio_core.storage.log import Log
from vistio_core.storage.store import Store
from vistio_core.times import HOUR_MS, MINUTE_MS, align

log = logging.getLogger(__name__)

T = TypeVar("T")
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
class _Window:
    """A window, and the whole hours that it touches: a rollup is of all files of its hour."""

    start_ms: int
    end_ms: int
    listing: Listing
    """Of the hours."""
    hours: Sequence[Hour]


@attrs.frozen(eq=False)
class TrafficAbout:
    """What is known of a subject in a window."""

    totals: pa.Table
    """`vistio_core.judging.totals.TOTALS`, and `vistio_core.replay.timeline.WHOLE`."""
    coverage: Coverage
    """Of each instant of the window, and of the newest one before it of each writer."""

    def has_traffic(self, subject: Subject) -> bool:
        """Whether anything was seen of it."""
        clusters = pc.unique(self.totals["cluster"].cast(pa.string())).to_pylist()
        return subject == EVERYTHING or (bool(clusters) and subject.cluster in (None, *clusters))


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

    def of(self, start_ms: int, end_ms: int, step_ms: int, subject: Subject = EVERYTHING) -> TrafficAbout:
        """What is known about a subject in ``[start_ms, end_ms)``, for steps of this length.

        Totals may have more times and clusters. Those of an edge or a node may be of a whole minute instead of an
        instant, where steps are whole minutes.
        """
        in_all = attrs.evolve(subject, cluster=None) == EVERYTHING
        key = None if start_ms % MINUTE_MS or step_ms % MINUTE_MS else SubjectKey.of(subject)
        before = self.before(start_ms)

        def traffic(window: _Window) -> TrafficAbout:
            found = self._rolled_up(window, with_totals=in_all)
            coverage = self.coverage_of(pa.concat_tables([before, found.presence]), subject)
            if in_all:
                return TrafficAbout(_judged_whole(found.totals, coverage), coverage)
            if key is None:
                totals = self._totals(window.listing.within(start_ms, end_ms), subject)
                return TrafficAbout(_judged_whole(totals, coverage), coverage)
            return TrafficAbout(self._by_minute(window, subject, key, coverage), coverage)

        return self._read(start_ms, end_ms, traffic)

    def coverage_of(self, presence: pa.Table, subject: Subject) -> Coverage:
        """What recorded instants tell of a subject."""
        return coverage_of(presence, subject, self.rulebook)

    def before(self, start_ms: int) -> pa.Table:
        """The newest instant of each writer in the day before; where nobody recorded then, in the last day with any."""
        newest_ms = self._log.nearest(start_ms - 1, lambda hour: hour.around_damage(_newest), backwards=True)
        if newest_ms is None:
            return PRESENCE.empty_table()
        end_ms = start_ms if start_ms - newest_ms <= MISSED_FOR_MS else newest_ms + 1
        return self._log.read(
            end_ms - MISSED_FOR_MS, end_ms, lambda listing: listing.around_damage(newest_of_each)
        )

    def rulebook(self, known: str) -> Rulebook | None:
        """The rules of then; None where they cannot be read, which a timeline of rollups needs not."""
        try:
            return Rulebook(self._configuration(known))
        except DamagedFileError:
            return None

    def presence(self, start_ms: int, end_ms: int) -> pa.Table:
        """Every instant in ``[start_ms, end_ms)``; the columns are those of `PRESENCE`."""
        return self._read(start_ms, end_ms, partial(self._rolled_up, with_totals=False)).presence

    def spans(self, start_ms: int, end_ms: int) -> tuple[pa.Table, pa.Table]:
        """Which edges were there from when to when (`spans_of`) in ``[start_ms, end_ms)``, and its `presence`."""

        def ask(window: _Window) -> tuple[pa.Table, pa.Table]:
            span = start_ms, end_ms
            edges, read = spans_of(window.listing, window.hours, span, self.rollups, self._configuration)
            there = self._rolled_up(window, with_totals=False).presence
            for (first_ms, last_ms), own in read:
                there = pa.concat_tables([there.filter(pc.invert(_inside(there, first_ms, last_ms))), own])
            return edges, there

        return self._read(start_ms, end_ms, ask)

    def _read(self, start_ms: int, end_ms: int, question: Callable[[_Window], T]) -> T:
        def ask(listing: Listing) -> T:
            return question(_Window(start_ms, end_ms, listing, hours_of(self._store, self.rollups, listing)))

        return self._log.read(align(start_ms, HOUR_MS), -(-end_ms // HOUR_MS) * HOUR_MS, ask)

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

    def _by_minute(self, window: _Window, subject: Subject, key: SubjectKey, coverage: Coverage) -> pa.Table:
        """The totals of a subject by minute, where there are some, else by instant. From a full minute on."""
        found = [_judged_whole(TOTALS.empty_table(), coverage)]
        left: list[Span] = []
        first_hour_ms = align(window.start_ms, HOUR_MS)
        some, every = coverage.by_minute(first_hour_ms, window.end_ms)
        mixed = np.any(some & ~every, axis=0)
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
            inside = np.arange(
                (first_ms - hour.start_ms) // MINUTE_MS, (last_ms - hour.start_ms) // MINUTE_MS
            )
            before = (hour.start_ms - first_hour_ms) // MINUTE_MS
            alike = inside[~mixed[before + inside]]
            for whose, values in minutes.items():
                whole = every[coverage.writers.index(whose.writer), before + alike]
                rows = totals_by_minute(hour.start_ms, whose, values, alike)
                found.append(rows.append_column(WHOLE, pa.array(whole)))
            starts_ms = hour.start_ms + MINUTE_MS * np.setdiff1d(inside, alike)
            left += [(start_ms, start_ms + MINUTE_MS) for start_ms in starts_ms.tolist()]
            if last_ms % MINUTE_MS:
                left.append((align(last_ms, MINUTE_MS), last_ms))
        for span in _joined(left):
            found.append(_judged_whole(self._totals(window.listing.within(*span), subject), coverage))
        return pa.concat_tables(found)

    def _minutes(self, name: str, key: SubjectKey, cluster: str | None) -> dict[Whose, Integers] | None:
        """An hour's values of a subject by cluster and writer; None where the log must be asked."""
        try:
            found = SubjectRollup(self._store, name).find(key)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            log.warning("rollup.ignored", extra={"file": name, "error": str(error)})
            return None
        if cluster is not None:
            found = {whose: values for whose, values in found.items() if whose.cluster == cluster}
        # How much a subject of several clusters or writers had at one instant, the minutes of each do not tell.
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


def _newest(listing: Listing) -> int | None:
    """The newest instant of a listing's span."""
    newest = (writer.newest(listing.start_ms, listing.end_ms, seen=False) for writer in listing.writers)
    return max((instant_ms for instant_ms in newest if instant_ms is not None), default=None)


def _judged_whole(totals: pa.Table, coverage: Coverage) -> pa.Table:
    """Totals by instant, with whether each instant tells all of the subject."""
    whole = np.ones(totals.num_rows, bool)
    if not coverage.whole.all():
        # Instant and writer as one number; of an instant of which nothing is known, nothing counts.
        writers = pa.array(coverage.writers, pa.string())
        writer = (
            pc.fill_null(pc.index_in(totals["writer"].cast(pa.string()), writers), -1)
            .to_numpy()
            .astype(np.int64)
        )
        number = len(coverage.writers)
        own = (coverage.instant_ms * number + coverage.writer)[coverage.whole]
        whole = np.isin(totals["instant_ms"].to_numpy() * number + writer, own) & (writer >= 0)
    return totals.append_column(WHOLE, pa.array(whole))


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
