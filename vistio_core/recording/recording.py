"""`Recording`: everything that can be asked of a recording, in one place.

This is the library's front door. It parses what people write and passes on to the modules that know: `graphs`
for one instant, `frames` for many of them, `traffic` and `windows` for what lies between.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from vistio_core.configuration import Configuration
from vistio_core.diagnosis.asking import Diagnosis
from vistio_core.diagnosis.blast_radius import BlastRadius, blast_radius
from vistio_core.diagnosis.heat import Heat
from vistio_core.diagnosis.incidents import Incidents
from vistio_core.diagnosis.path import IncidentPath
from vistio_core.diagnosis.rejudged import Rejudged, rejudged
from vistio_core.diagnosis.suspects import Suspects
from vistio_core.diagnosis.top import By as By
from vistio_core.diagnosis.top import check_by, top_table
from vistio_core.diagnosis.words import NEAR_MS, Mark
from vistio_core.errors import (
    InvalidTimeError,
    NothingRecordedError,
    RecordingError,
    UsageError,
)
from vistio_core.events import GLOBAL_LEVEL
from vistio_core.graph.model import Graph
from vistio_core.graph.topology import Topology, stable_graph
from vistio_core.judging.subject import Subject
from vistio_core.recording import asked
from vistio_core.recording.asked import MomentLike as MomentLike
from vistio_core.recording.asked import WindowLike as WindowLike
from vistio_core.recording.edge_rates import InstantRows, rows_of_instants
from vistio_core.recording.exporting import Exported, Wanted, write_part
from vistio_core.recording.importing import Imported, add_part
from vistio_core.recording.info import RecordingInfo as RecordingInfo
from vistio_core.recording.info import info_of
from vistio_core.recording.verify import Checked, verify
from vistio_core.replay import timeline, windows
from vistio_core.replay.absence import nothing_recorded
from vistio_core.replay.as_of import MISSED_FOR_MS
from vistio_core.replay.comparison import Comparison, Moment, compare, moment_of
from vistio_core.replay.duckdb_session import DuckDBSession
from vistio_core.replay.frames.frames import Frames, frames_of
from vistio_core.replay.gaps import Gap, Within, find_gaps, not_begun
from vistio_core.replay.graphs import Graphs
from vistio_core.replay.graphs import JudgedBy as JudgedBy
from vistio_core.replay.lifetimes import Lifetimes, lifetimes
from vistio_core.replay.pieces import window_topology
from vistio_core.replay.queries import Parameters
from vistio_core.replay.rollups.known_names import KnownNames
from vistio_core.replay.rollups.maker import RollupMaker
from vistio_core.replay.rollups.traffic import EVERYTHING, Traffic
from vistio_core.replay.rows import Rows
from vistio_core.replay.scans import Scans
from vistio_core.replay.unanswered import Unanswered, unanswered_of
from vistio_core.replay.window_means import window_moment
from vistio_core.replay.window_presence import newest_of_each
from vistio_core.storage.annotations import (
    Annotation,
    annotations_table,
    find_annotation,
    put_annotation,
    remove_annotation,
)
from vistio_core.storage.configurations import load_configuration
from vistio_core.storage.event_file import FOOTERS_BYTES, EventFiles
from vistio_core.storage.extent import Extent, extent_of
from vistio_core.storage.format import INSTANT
from vistio_core.storage.layout import (
    HEAD,
    MARKER,
    EventsName,
    check_writer,
)
from vistio_core.storage.listing import Listing
from vistio_core.storage.log import Log
from vistio_core.storage.marker import create_marker, read_marker, require_marker
from vistio_core.storage.packed_store import PackedStore
from vistio_core.storage.place import directory_of, store_at
from vistio_core.storage.store import Store
from vistio_core.storage.upkeep import Patience, Upkeep
from vistio_core.storage.writer import Writer
from vistio_core.times import (
    DAY_MS,
    HOUR_MS,
    DurationLike,
    InstantLike,
    align,
    format_instant,
    parse_duration,
    parse_instant,
    system_now_ms,
)

_FOREVER_MS = 100 * 365 * DAY_MS
"""Where a window without an end ends."""


class Recording:
    """A recording, open for reading; `writer` gives the right to append. Usable from many threads.

    Instants are whatever `vistio_core.times.parse_instant` reads: text, aware datetimes, numbers, and what pandas,
    numpy and Arrow have for them. Lengths of time (`vistio_core.times.parse_duration`) are text such as ``1m``,
    timedeltas, or numbers of seconds.
    """

    def __init__(
        self,
        store: Store,
        *,
        clock: Callable[[], int] = system_now_ms,
        scan_memory_bytes: int | None = None,
        footer_memory_bytes: int = FOOTERS_BYTES,
    ) -> None:
        """Use `open` instead, unless you bring a store of your own."""
        self._store = store
        self._clock = clock
        self._marker = read_marker(store)
        self._files = EventFiles(store, footer_memory_bytes)
        self._log = Log(store, self._files, self._marker.part)
        self._session = DuckDBSession(store.uri(""), memory_bytes=scan_memory_bytes)
        self._configuration = lru_cache(maxsize=64)(
            lambda configuration_hash: load_configuration(store, configuration_hash)
        )
        self._scans = Scans(self._log, self._session)
        self._traffic = Traffic(store, self._log, self._scans, self._configuration)
        self._names = KnownNames(store, self._log, self._scans, self._traffic.rollups, self._configuration)
        self._graphs = Graphs(self._log, self._configuration, clock)
        self._diagnosis = Diagnosis(self._log, self._configuration)

    @classmethod
    def open(
        cls,
        place: str | Path,
        *,
        create: bool = False,
        clock: Callable[[], int] = system_now_ms,
        scan_memory_bytes: int | None = None,
        footer_memory_bytes: int = FOOTERS_BYTES,
    ) -> Recording:
        """The recording in the directory ``place``, or in one file that `export` made, which is only read.

        Args:
            place: a directory, or such a file.
            create: make an empty recording where there is none.
            clock: epoch milliseconds now, for relative times.
            scan_memory_bytes: how much DuckDB may use for windows and `sql`; what does not fit goes to the
                temporary directory. None: DuckDB's own limit, most of the machine's memory.
            footer_memory_bytes: how much may be kept of files that were opened, so that the next graph of the
                same hour comes sooner.

        Raises:
            NotARecordingError: there is none, and ``create`` is False.
            FormatVersionError: it was written by a newer vistio.
            PackedRecordingError: it is a file that is no recording, or is damaged.
            UsageError: ``place`` is an address such as ``s3://bucket/prefix``.
        """
        store = store_at(place)
        if create and not store.exists(MARKER):
            store.prepare()
            create_marker(store, clock())
        return cls(
            store,
            clock=clock,
            scan_memory_bytes=scan_memory_bytes,
            footer_memory_bytes=footer_memory_bytes,
        )

    @property
    def place(self) -> str:
        """Where it is: a path."""
        return self._store.place

    def version(self) -> int:
        """A number that changes with each commit; it costs one listing of the head.

        It changes as well when the head is merged or sealed, which changes no answer. Compare it within one process
        only.

        Raises:
            RecordingError: the storage cannot be read.
        """
        return hash(frozenset(self._store.names(HEAD)))

    def tip(self) -> int:
        """A number that changes when a writer commits an instant that is newer than its others; it costs as much.

        Unlike `version` it stays when commits are merged, or when something older is healed; when they are sealed it
        changes, too.

        Raises:
            RecordingError: the storage cannot be read.
        """
        newest: dict[tuple[str, int], int] = {}
        for name in self._log.head():
            newest[name.sequence] = max(name.last_ms, newest.get(name.sequence, 0))
        return hash(frozenset(newest.items()))

    def graph(
        self,
        at: InstantLike | None = None,
        *,
        judge: JudgedBy = "recorded",
        staleness: DurationLike = "5m",
        stable: WindowLike | None = None,
    ) -> Graph:
        """The traffic graph at an instant: the newest one in ``(at - staleness, at]``.

        Of several writers, one that has nothing to say then, but recorded in the day before, is named among
        the failed rules: with the outcome ``stale``, or by its rules that failed.

        Args:
            at: the instant (`vistio_core.times.parse_instant`); None for the newest graph that
                there is, however old.
            judge: ``recorded`` judges by the configuration in force then, ``current`` by the newest.
            staleness: how old the answer may be, as Prometheus' lookback.
            stable: a window (``-1h/now``, or two instants). Everything that was there at some time in it is in the
                graph, without traffic where it is absent now, and each level's ``max_volume`` is the most that one
                edge had in the window: so a picture stays in place.

        Raises:
            NothingRecordedError: nothing was seen then; names the nearest instants and the reason.
            InvalidTimeError: ``at`` or ``staleness`` is no time, ``stable`` no window.
        """
        if stable is not None:
            window = asked.window("stable", stable)
            graph = self.graph(at, judge=judge, staleness=staleness)
            return self.stable(graph, self.topology(*window))
        if judge not in ("recorded", "current"):
            raise UsageError(f"judge {judge!r}: use recorded or current")
        if at is None:
            return self._graphs.newest(judge, parse_duration(staleness))
        return self._graphs.at(parse_instant(at, now_ms=self._clock()), judge, parse_duration(staleness))

    def stable(self, graph: Graph, topology: Topology) -> Graph:
        """A graph with everything that was there in a window, so that a picture stays in place.

        What is absent in the graph has no traffic; or where a rule was not answered that could have told of it, rates
        that are not known (NaN, `Rates.seen`).
        """
        return stable_graph(graph, topology, graph.asked.not_seen())

    def topology(self, start: InstantLike, end: InstantLike) -> Topology:
        """Who was there at some time in ``[start, end)``, by cluster, and the most that one edge had.

        What ``stable`` adds to a `graph` (`stable` adds it to any).

        Raises:
            InvalidTimeError: an empty window.
        """

        def topology(listing: Listing) -> Topology:
            return window_topology(listing, self._configuration)

        return self._log.read(*self._window(start, end), lambda listing: listing.around_damage(topology))

    def frames(
        self,
        start: InstantLike,
        end: InstantLike,
        step: DurationLike = "10s",
        *,
        staleness: DurationLike = "5m",
    ) -> Frames:
        """The graphs at ``start``, ``start + step``, ... before ``end``, in columns, judged as recorded.

        For moving through time: much quicker than a `graph` for each, and equal to them, number for number.

        Args:
            start: the first frame's instant.
            end: where the window ends, exclusive.
            step: from one frame to the next.
            staleness: how old what a frame shows may be, as for `graph`.

        Raises:
            InvalidTimeError: an empty window, or no step.
            UsageError: too many frames for the size of the mesh; the message tells the limit.
        """
        start_ms, end_ms = self._window(start, end)
        window_ms = start_ms, end_ms, asked.step_length(step)
        return frames_of(self._log, window_ms, parse_duration(staleness), self._configuration)

    def instants(self, start: InstantLike | None = None, end: InstantLike | None = None) -> pa.Table:
        """Every recorded instant in ``[start, end)``, good or bad.

        Shape: one row per instant and writer, sorted so.
            instant (timestamp[ms, UTC]), writer (string),
            interval_ms (int64): the interval in force,
            seen (bool): at least one rule was answered,
            rules, failed_rules (int64), series, dropped (int64): over all rules,
            backfilled (bool), configuration (string): hash of the one in force,
            failure (string): the first failed rule's outcome and error, null when none failed.
        """
        return self._scans.table(windows.INSTANTS_QUERY, *self._window(start, end))

    def presence(self, start: InstantLike | None = None, end: InstantLike | None = None) -> pa.Table:
        """Every recorded instant in ``[start, end)``, and whether anything was seen then: the cheap part of `instants`.

        A day costs little: of sealed hours it is kept ready, and no samples are read.

        Shape: one row per instant and writer, sorted so.
            instant (timestamp[ms, UTC]), writer (string),
            interval_ms (int64): the interval in force,
            seen (bool): at least one rule was answered,
            failure (string): the first failed rule's outcome and error, null when none failed.
        """
        found = self._traffic.presence(*self._window(start, end))
        found = found.sort_by([("instant_ms", "ascending"), ("writer", "ascending")])
        instants = found["instant_ms"].cast(INSTANT)
        return found.set_column(0, "instant", instants).drop_columns(["configuration", "failed"])

    def gaps(
        self,
        start: InstantLike | None = None,
        end: InstantLike | None = None,
        *,
        cluster: str | None = None,
        source: str | None = None,
        target: str | None = None,
        node: str | None = None,
        partly: bool = False,
    ) -> pa.Table:
        """The instants in ``[start, end)`` that were due and for which there is no graph.

        Args:
            start: the window's first instant; None for the recording's.
            end: where it ends, exclusive; None for no end.
            cluster: with this or any of the following, those at which not all of it was seen: a rule that could have
                told of it was not answered.
            source: only edges from this node.
            target: only edges to this node.
            node: only edges from or to this node.
            partly: the same of all traffic.

        Shape: one row per run of such instants with one reason, sorted by start and writer.
            start, end (timestamp[ms, UTC]): half-open, writer (string),
            missing (int64): how many instants were due,
            reason (string): ``not running`` (nothing recorded), ``not in this part`` (nothing exported),
            ``skipped: ...`` or ``not seen: ...``.
        """
        start_ms, end_ms = self._window(start, end)
        subject = Subject(cluster, source, target, node)
        self._names.require(subject)
        there = self._presence(start_ms, end_ms)
        if subject != EVERYTHING or partly:
            there = self._traffic.coverage_of(there, subject).presence(0, end_ms)
        return windows.gaps_table(self._gaps(there, self._within(start_ms, end_ms)))

    def unanswered(
        self, start: InstantLike | None = None, end: InstantLike | None = None, writer: str = "main"
    ) -> list[Unanswered]:
        """The recorded instants in ``[start, end)`` with rules that were answered in none of their scrapes.

        What `Writer.supplement` may still bring: instants that are not in the log at all are `gaps`.

        Args:
            start: the window's first instant; None for the recording's.
            end: where it ends, exclusive; None for no end.
            writer: whose instants.

        Returns:
            By instant; the rules of each sorted by cluster and name.
        """
        start_ms, end_ms = self._window(start, end)
        there = self._traffic.presence(start_ms, end_ms)
        own = pc.equal(there["writer"], check_writer(writer))
        doubtful = pc.min_max(there.filter(pc.and_(own, there["failure"].is_valid()))["instant_ms"])
        if not doubtful["min"].is_valid:
            return []  # as nearly always
        window_ms = doubtful["min"].as_py(), doubtful["max"].as_py() + 1
        return self._log.read(
            *window_ms, lambda listing: listing.around_damage(partial(unanswered_of, writer=writer))
        )

    def timeline(
        self,
        start: InstantLike,
        end: InstantLike,
        step: DurationLike = "1m",
        *,
        cluster: str | None = None,
        source: str | None = None,
        target: str | None = None,
        node: str | None = None,
    ) -> pa.Table:
        """Traffic over ``[start, end)``, step by step, judged as recorded.

        Steps begin at multiples of their length since the epoch, here as over HTTP, so that moving a window does
        not move what a step says: the first one may begin before ``start``, and then counts from there. The last one
        is cut off at ``end``.

        Args:
            start: an instant of the first step.
            end: where the window ends, exclusive.
            step: the length of a step, such as ``1m``.
            cluster: only rules of this cluster; the empty text is the global level.
            source: only edges from this node.
            target: only edges to this node.
            node: only edges from or to this node, and its own notices.

        Raises:
            UnknownNameError: nothing was ever recorded of a cluster or a node; offers the nearest names.

        Shape: one row per step, ascending.
            start (timestamp[ms, UTC]),
            normal, warning, danger (double): requests per second, the mean over the step's instants at which all
            of it was seen: each rule that could have told was answered; null where there is no such instant,
            edges (int64): the most at one instant of the step; null where nothing was seen,
            instants (int64): at which all of it was seen, missing (int64): due, and there is no such instant,
            notices_info, notices_warning, notices_error (int64): the most of this severity that the graph of
            one instant of the step had; null where nothing was seen,
            known_normal, known_warning, known_danger (double): what was seen of it, the mean over all instants at which
            some rule was answered that tells of it: the same as above, or where something was not seen, a part,
            unseen (list of string): what was not answered at some instant and could have told more: rules as
            ``cluster/rule``, and writers that recorded nothing (``writer name``).
        """
        start_ms, end_ms = self._window(start, end)
        step_ms = asked.step_length(step)
        start_ms = align(start_ms, step_ms)
        if (end_ms - start_ms) / step_ms > 100_000:
            raise UsageError(
                f"step {step!r} makes more than 100,000 steps between {format_instant(start_ms)} and"
                f" {format_instant(end_ms)}; use a longer step"
            )
        window = timeline.Steps(start_ms, end_ms, step_ms)
        subject = Subject(cluster, source, target, node)
        found = self._traffic.of(start_ms, end_ms, step_ms, subject)
        if not found.has_traffic(subject):
            self._names.require(subject)
        gaps = self._gaps(found.coverage.presence(0, end_ms), self._within(start_ms, end_ms))
        return timeline.steps(self._session, found.totals, found.coverage, window, cluster, gaps)

    def diff(self, before: MomentLike, after: MomentLike) -> pa.Table:
        """What changed on every edge between two moments, the largest change first: `compare`'s ``edges``."""
        return self.compare(before, after).edges

    def compare(self, before: MomentLike, after: MomentLike) -> Comparison:
        """What changed on every edge and node between two moments, the largest change first.

        Args:
            before: an instant, whose graph is taken as by `graph`; or a window, text with a slash between
                (``-2h/-1h``) or a pair of instants. The mean of an edge is that of the instants of a window at
                which this very edge was seen: each rule was answered that could have told of it.
            after: likewise.

        Shape of ``edges``: one row per edge that changed, by change_rps, then by name.
            cluster (string, empty for the global level), source, target (string),
            change (string): ``changed``; ``new`` or ``gone`` where both moments were answered; ``unseen`` where
            it is there at one of them, and at the other a rule was not answered that could have told,
            change_rps (double): the absolute changes of the three classes, added; null for ``unseen``, which come last,
            before_normal, before_warning, before_danger,
            after_normal, after_warning, after_danger (double): requests per second; null on the side that was not seen,
            before_unseen, after_unseen (list of string): what was not answered, in a window at none of its instants,
            and could have told more: rules as ``cluster/rule``, writers (``writer name``), or ``no rule`` where none
            tells of it. Where there are some, the side's rates are a part.

        Shape of ``nodes``: the same with node (string) for source and target. Its rates are those of the
        traffic that enters the node, or where none ever does, of what leaves it.

        Where rates were rounded when they were recorded (``significant_digits`` of a writer), the side, the
        comparison and the metadata of both tables' schemas (``vistio.significant_digits``) say to how many digits.

        Raises:
            NothingRecordedError: nothing was seen then.
            InvalidTimeError: not an instant, or an empty window.
        """
        return compare(self._moment(before), self._moment(after))

    def top(
        self, start: InstantLike, end: InstantLike, by: By = "traffic", *, before: WindowLike | None = None
    ) -> pa.Table:
        """Nodes and edges with most traffic, errors, latency or change in ``[start, end)``, judged as recorded.

        Args:
            start: the window's first instant.
            end: where it ends, exclusive.
            by: ``traffic`` (rps), ``errors`` (danger), ``latency`` (latency_ms) or ``change`` (change_rps).
            before: for ``change``, the window to compare with; None for the one as long, right before.

        Raises:
            NothingRecordedError: nothing was seen in the window, or in the one before.
            InvalidTimeError: an empty window.
            UsageError: no such measure, or a window to compare with where nothing is compared.

        Shape: one row per node and edge (by ``change``: that changed), who has most first, then by name; last, of
        whom it is not known.
            cluster (string): empty for the global level, node (string): who; of an edge, its source,
            target (string): of an edge, its target; null for a node,
            rps, normal, warning, danger (double): requests per second, the mean of the instants at which all of it was
            seen; of a node, of what enters it, or where nothing ever does, of what leaves it; null where not seen,
            error_share (double): danger as a share of rps, 0 to 1; null without requests,
            by ``latency``: latency_ms (double): of a request, as the called side says, else the caller; null where that
            is not measured,
            by ``change``: before_rps (double), change_rps (double), as `compare` has them; null where not seen,
            unseen (list of string): what was not answered at any instant and could have told more, as in `compare`:
            where there is some, the numbers are a part.
        """
        check_by(by, before)
        start_ms, end_ms = self._window(start, end)
        window = self._window_moment(start_ms, end_ms)
        if by == "change":
            ago = (2 * start_ms - end_ms, start_ms)
            base_ms = ago if before is None else self._window(*asked.window("before", before))
            return top_table(window, by, before=self._window_moment(*base_ms))
        latencies = self._diagnosis.latencies(start_ms, end_ms) if by == "latency" else None
        return top_table(window, by, latencies=latencies)

    def blast_radius(
        self, node: str, at: InstantLike | None = None, *, cluster: str | None = None
    ) -> BlastRadius:
        """Who calls a node and whom it calls, directly or by way of others, with traffic and the share that fails.

        Args:
            node: who is asked about.
            at: the instant, as for `graph`; None for the newest.
            cluster: only in this cluster, empty for the global level; None for each in which the node is.

        Raises:
            NothingRecordedError: nothing was seen then.
            UnknownNameError: nothing was ever recorded of the node; offers the nearest names. Of one that was not
                there at the instant the table is empty.
        """
        graph = self.graph(at)
        found = blast_radius(graph, node, cluster, graph.asked.unseen)
        if not found.table.num_rows:
            self._names.require(Subject(cluster, None, None, node))
        return found

    def seen(self, start: InstantLike, end: InstantLike) -> Lifetimes:
        """When each node and edge was first and last there in ``[start, end)``, and what of that is sure.

        A month costs little: of whole sealed hours it is kept ready (rollups); the rest is read from the log. Of the
        `Lifetimes`, ``table`` has all; ``new()`` and ``vanished()`` what came and what went, as far as the time before
        and after was seen; ``unseen`` is as that of `incidents`.

        Raises:
            InvalidTimeError: an empty window.
        """
        start_ms, end_ms = self._window(start, end)
        spans, presence = self._traffic.spans(start_ms, end_ms)
        before = self._log.read(start_ms - MISSED_FOR_MS, start_ms, newest_of_each)
        table = lifetimes(spans, presence, before, self._traffic.rulebook)
        return Lifetimes(table, start_ms, end_ms, self._unseen(start_ms, end_ms, presence))

    def suspects(
        self,
        start: InstantLike,
        end: InstantLike,
        *,
        baseline: WindowLike | None = None,
        about: str | None = None,
    ) -> Suspects:
        """Who is likely the cause of what happened in ``[start, end)``, ranked, with evidence.

        Empty when nothing stands out. ``docs/diagnosis.md`` explains the ranking so that it can be done by hand.

        Args:
            start: when trouble was noticed, give or take minutes.
            end: where the window ends, exclusive.
            baseline: a window that is normal; None for the hour before ``start``. A fifth of it, what is farthest from
                the rest, does not count, so it need not be free of trouble.
            about: only this node, and those that it calls, directly or by way of others.

        Raises:
            NothingRecordedError: the window lies before the recording begins, or in the future.
            UnknownNameError: nothing was ever recorded of ``about``; offers the nearest names.
            InvalidTimeError: an empty window.
            UsageError: more than two days.

        Shape of ``table``: one row per suspect, by rank.
            rank (int64): from 1,
            cluster (string): empty for the global level,
            node (string): who; of an edge, its source,
            target (string): of an edge, its target; null for a node,
            score (double): requests a second that are harmed by its own doing: failed ones count 1, slow ones up to
            1/2, by how long what enters usually takes,
            onset (timestamp[ms, UTC]): since when,
            measure (string): what left its normal most,
            evidence (string): by how much, at which end, and which way along the calls, in plain language.

        ``nodes()`` has the ranked names; ``unseen`` is as that of `incidents`, of baseline and window: where nothing
        was seen of the baseline, nothing is known to stand out, and no suspect does not mean that all was well.
        """
        start_ms, end_ms = self._window_recorded(start, end)
        base_ms = None if baseline is None else self._window(*asked.window("baseline", baseline))
        if about is not None:
            self._names.require(Subject(None, None, None, about))
        near = self.annotations(max(start_ms - NEAR_MS * 2, 0), end_ms + NEAR_MS).select(
            ["start", "kind", "text", "cluster", "node"]
        )
        near = near.set_column(0, "start", near["start"].cast(pa.int64()))
        marks = [Mark(*row.values()) for row in near.to_pylist()]
        return self._diagnosis.suspects((start_ms, end_ms), base_ms, about, self._unseen, marks)

    def path(
        self, start: InstantLike, end: InstantLike, *, baseline: WindowLike | None = None
    ) -> IncidentPath:
        """How errors and latency moved through the graph in ``[start, end)``: who first, and who followed whom.

        Empty where neither left its normal. ``docs/questions.md`` says how the order is found.

        Args:
            start: when trouble was noticed, give or take minutes.
            end: where the window ends, exclusive.
            baseline: a window that is normal; None for the hour before ``start``, as for `suspects`.

        Raises:
            NothingRecordedError: as for `suspects`.
            InvalidTimeError: an empty window.
            UsageError: more than two days.
        """
        base_ms = None if baseline is None else self._window(*asked.window("baseline", baseline))
        return self._diagnosis.path(self._window_recorded(start, end), base_ms, self._unseen)

    def incidents(self, start: InstantLike, end: InstantLike) -> Incidents:
        """When something left its normal in ``[start, end)``: first what, then whom, and how bad for what enters.

        Normal is what was well in the hour before (``docs/diagnosis.md``). Each `Incident` has ``start_ms``, ``end_ms``
        (None while it lasts, for all that was seen), ``summary``, ``first``, ``hit`` (all nodes in the order in which
        they left normal, by themselves or for those that they call), ``worst_share`` (of what enters the level of
        ``first``: how much failed in the worst minute, 0 to 1; None where none of it was seen) and ``times_as_long``
        (as usual it took, in the worst minute).

        Raises:
            NothingRecordedError: as for `suspects`.
            InvalidTimeError: an empty window.
            UsageError: more than two days.

        Shape of ``table``: one row per incident, by start.
            start (timestamp[ms, UTC]), end (timestamp[ms, UTC]): null while it lasts, summary (string),
            cluster, node (string): who left normal first, worst_share (double): null where it was not seen.

        ``unseen`` is shaped as `gaps`. What of the window lies before the recording begins is a row of it, too, with
        that as its reason, and null for ``writer`` and ``missing``: no instant was due.
        """
        return self._diagnosis.incidents(*self._window_recorded(start, end), self._unseen)

    def heat(self, start: InstantLike, end: InstantLike, step: DurationLike = "1m") -> Heat:
        """Every node and edge over ``[start, end)``, step by step, judged as recorded: what a heat map shows.

        Steps begin at multiples of their length since the epoch, so the first one may begin before ``start``; the last
        one is cut off at ``end``, which counts as the end of its ten seconds.

        Args:
            start: an instant of the first step.
            end: where the window ends, exclusive.
            step: the length of a step, ``10s`` or a multiple.

        Raises:
            InvalidTimeError: an empty window.
            UsageError: more than two days, more than 10,000 steps, or a step of another length.

        Shape of ``table``: one row per node and step, then per edge and step, by cluster, name and time.
            start (timestamp[ms, UTC]), cluster (string): empty for the global level,
            node (string): of an edge, its source, target (string): null for a node,
            normal, warning, danger (double): requests per second: of a node what enters it, or where nobody calls it,
            what leaves it; the mean over the ten seconds at which all of it was seen, null where there were none,
            latency_ms (double): of a request, its mean where that is measured; null where nothing is known of it.
        """
        return self._diagnosis.heat(*self._window(start, end), asked.step_length(step))

    def rejudge(self, configuration: Configuration | None, start: InstantLike, end: InstantLike) -> Rejudged:
        """The alerts that other thresholds would have raised in ``[start, end)``, and when.

        A notice that is raised on an edge or a node is one alert until its rule was answered without it for five
        minutes. ``alerts_a_week`` says what the thresholds cost, ``caught(incidents)`` which incidents they told of:

            recorded = recording.rejudge(None, "-1d", "now")
            stricter = recording.rejudge(vistio.load("vistio.yaml"), "-1d", "now")
            stricter.alerts_a_week, stricter.caught(recording.incidents("-1d", "now"))

        Args:
            configuration: whose classes and thresholds judge; None for those in force then. Rules are the same if their
                cluster and name are; one that was never recorded has no samples and raises nothing.
            start: the window's first instant.
            end: where it ends, exclusive.

        Raises:
            InvalidTimeError: an empty window.

        Shape of ``table``: one row per alert, by start.
            start (timestamp[ms, UTC]): when it was raised first in the window,
            end (timestamp[ms, UTC]): the first answered instant at which it was not raised; null while it lasts,
            cluster (string): empty for the global level, node (string): who; of an edge, its source,
            target (string): of an edge, its target; null for a node,
            rule, title (string): the rule, and the notice's title as the configuration has it,
            severity (string): the highest: info, warning or error,
            worst (double): the largest share (0 to 1) of an edge, or value of a node.

        ``unseen`` is as that of `incidents`.
        """
        start_ms, end_ms = self._window(start, end)
        question = partial(rejudged, configuration=self._configuration, judging=configuration)
        table, seen_ms = self._log.read(start_ms, end_ms, lambda listing: listing.around_damage(question))
        return Rejudged(table, start_ms, end_ms, seen_ms, self._unseen(start_ms, end_ms))

    def _moment(self, of: MomentLike) -> Moment:
        found = asked.moment(of)
        if not isinstance(found, tuple):
            graph = self.graph(found)
            return moment_of(graph)
        return self._window_moment(*self._window(*found))

    def _window_moment(self, start_ms: int, end_ms: int) -> Moment:
        before = self._log.read(start_ms - MISSED_FOR_MS, start_ms, newest_of_each)

        def moment(listing: Listing) -> Moment | None:
            return window_moment(listing, before, self._configuration)

        side = self._log.read(start_ms, end_ms, lambda listing: listing.around_damage(moment))
        if side is None:
            raise nothing_recorded(self._log, end_ms - 1, end_ms - start_ms)
        return side

    def sql(
        self,
        query: str,
        *,
        start: InstantLike | None = None,
        end: InstantLike | None = None,
        parameters: Parameters | None = None,
        tables: Mapping[str, Any] | None = None,
        allow_files: bool = False,
    ) -> Rows:
        """A lazy DuckDB relation over the log: ``docs/sql.md``.

        The tables are ``samples`` (instant, writer, cluster, rule, source, target, status, rate),
        ``measurements`` (..., measure, value, labels) and ``scrapes`` (one row per rule and
        instant: outcome, error, series, dropped, ...). Its time zone is UTC, wherever it runs.

        Args:
            query: one that returns rows.
            start: of a window: the tables have its instants only, and only its files are opened.
            end: where the window ends, exclusive.
            parameters: values of the query's ``?``, or by name of its ``$name``.
            tables: tables of your own by name, to join: of Arrow, pandas, polars, or other rows.
            allow_files: whether the query may read and write files beside the recording's. Only for queries that
                you trust as you trust a program.

        Raises:
            UsageError: DuckDB does not accept the query, or it does more than read the recording.
            InvalidTimeError: an empty window.
        """
        whole = start is None and end is None
        window_ms = None if whole else self._window(start, end)
        return self._scans.rows(query, window_ms, parameters, tables, allow_files=allow_files)

    def configuration(self, at: InstantLike | None = None) -> Configuration:
        """The configuration in force at ``at``, or the newest one.

        Raises:
            NothingRecordedError: nothing was recorded until then.
        """
        return self._graphs.configuration(None if at is None else parse_instant(at, now_ms=self._clock()))

    def configuration_by_hash(self, configuration_hash: str) -> Configuration:
        """The configuration that a scrape of this recording names.

        Raises:
            DamagedFileError: it is missing.
        """
        return self._configuration(configuration_hash)

    def annotate(
        self,
        annotation: Annotation | str,
        at: InstantLike = "now",
        end: InstantLike | None = None,
        **fields: Any,
    ) -> str:
        """Put a mark on the timeline and return its id. Doing it again changes nothing.

        Needs no writer: any number of processes may annotate, beside a recorder.

        Args:
            annotation: the mark, or its text.
            at: of a text: when it happened, or began.
            end: of a text: the first instant after it; None for what happened at one instant.
            fields: of a text: the others of `Annotation`, such as ``kind="deployment"`` and ``node="cart"``.

        Raises:
            InvalidTimeError: ``at`` or ``end`` is no instant.
            InvalidAnnotationError: it is none, with everything that is wrong.
            NotARecordingError: the recording has gone.
            RecordingError: the storage refused.
        """
        if isinstance(annotation, str):
            now_ms = self._clock()
            end_ms = None if end is None else parse_instant(end, now_ms=now_ms)
            annotation = Annotation(parse_instant(at, now_ms=now_ms), annotation, end_ms=end_ms, **fields)
        require_marker(self._store)
        return put_annotation(self._store, annotation)

    def annotation(self, annotation_id: str) -> Annotation:
        """The mark of this id.

        Raises:
            UnknownAnnotationError: there is none.
        """
        return find_annotation(self._store, annotation_id)[1]

    def remove_annotation(self, annotation_id: str) -> Annotation:
        """Take a mark off the timeline, and return what it was; `annotate` with that puts it back.

        Raises:
            UnknownAnnotationError: there is none.
            RecordingError: the storage refused.
        """
        require_marker(self._store)
        return remove_annotation(self._store, annotation_id)

    def annotations(self, start: InstantLike | None = None, end: InstantLike | None = None) -> pa.Table:
        """The deployments, incidents and other marks that overlap ``[start, end)``.

        Shape: one row per annotation, sorted by start and id.
            id (string), start (timestamp[ms, UTC]),
            end (timestamp[ms, UTC]): exclusive; null for what happened at one instant,
            kind, text (string),
            cluster, node (string): what it is about; empty for all,
            link (string): an address, or empty,
            tags (string): a JSON object, null without tags.
        """
        return annotations_table(self._store, *self._window(start, end))

    def span(self) -> tuple[int, int] | None:
        """The first and the last recorded instant, in epoch milliseconds; None while there is none.

        A long history costs no more than a short one, as it does for `info`.

        Raises:
            NotARecordingError: it has gone since it was opened, as when its mount vanished.
        """
        require_marker(self._store)
        return self._log.span()

    @property
    def opened_files(self) -> EventFiles:
        """What is kept of files that were opened, for whoever needs its memory for a while."""
        return self._files

    def extent(self, start: InstantLike | None = None, end: InstantLike | None = None) -> Extent:
        """About how much is recorded in ``[start, end)``, from names and a few footers: what a question will cost.

        Raises:
            RecordingError: the storage cannot be read.
        """
        return self._log.read(*self._window(start, end), extent_of)

    def prefetch(self, *, pause_s: float = 0.0) -> int:
        """Open the newest sealed files, as many as are kept, before anyone asks for a graph of their hours.

        Args:
            pause_s: how long to rest before each, so that other threads get on with their work.

        Returns:
            How many were opened.

        Raises:
            RecordingError: the storage cannot be read.
        """

        def newest_first() -> Iterator[EventsName]:
            for name in self._log.newest_first():
                time.sleep(pause_s)
                yield name

        return self._files.fill(newest_first())

    def info(self) -> RecordingInfo:
        """Counts, sizes and range, from the listing alone: all of it, so a long history takes longer.

        Raises:
            NotARecordingError: it has gone since it was opened, as when its mount vanished.
        """
        return info_of(self._store, self._marker, self._log)

    def verify(self) -> Iterator[Checked]:
        """Read everything and say what is wrong, object by object."""
        return verify(self._store)

    def edges(
        self, start: InstantLike, end: InstantLike, *, cluster: str | None = None
    ) -> Iterator[pa.Table]:
        """The rates of every edge at every recorded instant of ``[start, end)``, a table for each instant.

        One instant is in memory at a time, and the edges of the window.

        Args:
            start: the window's first instant.
            end: where it ends, exclusive.
            cluster: only this one's level; the empty text is the global level, None is all of them.

        Raises:
            UnknownNameError: nothing was ever recorded of the cluster; offers the nearest names.
            InvalidTimeError: an empty window.

        Shape: one row per edge that was there at some time in the window, sorted by cluster, source and target.
            instant (timestamp[ms, UTC]): the same in all rows of a table,
            cluster, source, target (dictionary of string): the global level has the empty cluster,
            normal, warning, danger (double): requests per second; 0 where all that could have told was answered and
            there was none, null where not.
        """
        return (rows.rates for rows in self.instant_rows(start, end, cluster=cluster))

    def instant_rows(
        self, start: InstantLike, end: InstantLike, *, cluster: str | None = None
    ) -> Iterator[InstantRows]:
        """`edges`, and what was measured of nodes and edges besides, instant by instant."""
        window_ms = self._window(start, end)
        self._names.require(Subject(cluster))

        def graph_at(at_ms: int) -> Graph | None:
            try:
                return self._graphs.at(at_ms, "recorded", 1)  # no older instant for it
            except NothingRecordedError:
                return None

        instants_ms = pc.unique(self._traffic.presence(*window_ms)["instant_ms"]).sort().to_pylist()
        return rows_of_instants(instants_ms, self.topology(*window_ms), graph_at, cluster)

    def export(
        self,
        start: InstantLike,
        end: InstantLike,
        file: str | Path,
        *,
        clusters: Sequence[str] = (),
        node: str | None = None,
        before: DurationLike = "5m",
    ) -> Exported:
        """Write what was recorded in ``[start, end)`` into one file, which `open` opens: ``docs/sharing.md``.

        Graphs of any instant in the window are the same from there, byte for byte, for which it has what they look
        back at: the five minutes before, and of a writer that fell silent in the day before its last instant.

        Args:
            start: the window's first instant.
            end: where it ends, exclusive.
            file: where to; there must be none of its name.
            clusters: only the levels of these; what rules of others could tell is not seen in the file.
            node: only the levels where this one occurs in the window: whole, since of a part of a level, what is
                missing would read as no traffic.
            before: how much of the time before the window is wanted; at least the five minutes. `suspects` takes the
                hour before for normal.

        Raises:
            NothingRecordedError: there is no instant in the window.
            UnknownNameError: nothing was ever recorded of a cluster or the node.
            UsageError: the file is there already; ``before`` is too short; the node does not occur in the window.
            StorageError: the storage refused.
        """
        start_ms, end_ms = self._window(start, end)
        staleness_ms, before_ms = parse_duration("5m"), parse_duration(before)
        if before_ms < staleness_ms:
            raise UsageError(f"before {before!r}: graphs look back 5m; give as much or more")
        for subject in (*(Subject(cluster) for cluster in clusters), Subject(None, None, None, node)):
            self._names.require(subject)
        wanted = Wanted(start_ms, end_ms, staleness_ms, before_ms, tuple(clusters), node)

        def write(listing: Listing) -> Exported | None:
            return write_part(self._store, self._marker, listing, wanted, Path(file))

        exported = self._log.read(*wanted.reach, lambda listing: listing.around_damage(write))
        if exported is None:
            raise nothing_recorded(self._log, end_ms - 1, end_ms - start_ms)
        return exported

    def add(self, file: str | Path) -> Imported:
        """Add what is in a file that `export` made. Doing it again changes nothing.

        Raises:
            PackedRecordingError: it is damaged; it is of another mesh; or says something else of an instant that
                one of its writers has here. Nothing is changed then.
            FormatVersionError: a newer vistio wrote it.
            RecordingError: a writer of its names is at work here, or the storage refused.
        """
        part = PackedStore(directory_of(file))
        read_marker(part)
        return add_part(part, self._store, self.writer)

    def writer(
        self,
        name: str = "main",
        *,
        linger: DurationLike = "0s",
        quiet: DurationLike = "0s",
        significant_digits: int | None = None,
    ) -> Writer:
        """The right to append under ``name``; use it as a context manager.

        Args:
            name: who writes; one process at a time.
            linger: how long files that were merged or sealed into others stay, for queries that
                name them already. Scans that begin later leave them out.
            quiet: for how long nothing must have been backfilled into an hour before it is sealed.
            significant_digits: how many of each rate are kept, for files that are smaller and no longer
                exact; None keeps rates as they are. Files say so (``docs/format.md``).

        Raises:
            WriterLockedError: another process writes under this name.
            InvalidTimeError: ``linger`` or ``quiet`` is no duration.
            UsageError: ``significant_digits`` is not 1 to 17.
        """
        if significant_digits is not None and not 1 <= significant_digits <= 17:
            raise UsageError(f"significant_digits {significant_digits}: use 1 to 17, or None for all of them")
        patience = Patience(parse_duration(linger), parse_duration(quiet))
        lock = self._store.lock(check_writer(name), beside=MARKER)
        # One cache for all: what the writer deletes is kept by none.
        upkeep = Upkeep(self._store, self._files, name, patience, self._clock, RollupMaker(self._store))
        return Writer(self._store, self._files, name, lock, upkeep, significant_digits)

    def __repr__(self) -> str:
        return f"<Recording {self._title()}>"

    def _repr_html_(self) -> str:
        from vistio_core.displays.found import recording_html
        from vistio_core.displays.words import counted

        info = self.info()
        files = (
            f"{counted(info.log_files + info.head_files, 'file')}, {info.log_bytes + info.head_bytes:,} bytes"
        )
        facts = f"{files}; {counted(info.configurations, 'configuration')}, {counted(info.annotations, 'annotation')}"
        end_ms = (info.last_ms or 0) + 1
        last_hour = max(end_ms - HOUR_MS, 0), end_ms
        return recording_html(
            self._title(),
            facts,
            self.timeline(*last_hour, "1m", cluster=GLOBAL_LEVEL),
            self.gaps(*last_hour, partly=True),
            self.annotations(*last_hour),
        )

    def _title(self) -> str:
        """Where it is, from when to when, and who wrote in its last day."""
        from vistio_core.displays.words import listed, stretch

        try:
            span = self.span()
            if span is None:
                return f"{self.place}: nothing recorded yet"
            late = self._log.read(
                span[1] - DAY_MS, span[1] + 1, lambda listing: {each.writer for each in listing.listed}
            )
        except RecordingError as error:
            return str(error)
        return f"{self.place}: {stretch(*span)}, by {listed(sorted(late), 3)}"

    def _presence(self, start_ms: int, end_ms: int, known: pa.Table | None = None) -> pa.Table:
        """The instants of a window (``known``, where they were read), and of each writer the newest before it."""
        there = self._traffic.presence(start_ms, end_ms) if known is None else known
        return pa.concat_tables([self._traffic.before(start_ms), there])

    def _gaps(self, found: pa.Table, within: Within) -> list[Gap]:
        """The gaps of a window of whose instants, and of the newest before it, ``found`` tells (`PRESENCE`)."""
        return list(find_gaps(windows.instants_of(windows.runs(self._session, found)), within))

    def _within(self, start_ms: int, end_ms: int) -> Within:
        whole_ms = None if self._log.part is None else self._log.part.whole_ms
        return Within(start_ms, end_ms, self._clock(), whole_ms)

    def _unseen(self, start_ms: int, end_ms: int, presence: pa.Table | None = None) -> pa.Table:
        """What an answer about a window did not see: gaps of all traffic, and what lies before the first instant.

        Args:
            start_ms: where the window starts.
            end_ms: where it ends.
            presence: of the window, where it was read already.
        """
        there = self._presence(start_ms, end_ms, presence)
        within, span = self._within(start_ms, end_ms), self._log.span()
        gaps = self._gaps(self._traffic.coverage_of(there, EVERYTHING).presence(0, end_ms), within)
        before = not_begun(span[0] if span else None, within)
        return windows.gaps_table(gaps if before is None else [before, *gaps])

    def _window(self, start: InstantLike | None, end: InstantLike | None) -> tuple[int, int]:
        now_ms = self._clock()
        start_ms = 0 if start is None else parse_instant(start, now_ms=now_ms)
        end_ms = _FOREVER_MS if end is None else parse_instant(end, now_ms=now_ms)
        if end_ms <= start_ms:
            raise InvalidTimeError(
                f"the window from {format_instant(start_ms)} to {format_instant(end_ms)} is empty;"
                " windows are [start, end), so end must be later than start"
            )
        return start_ms, end_ms

    def _window_recorded(self, start: InstantLike | None, end: InstantLike | None) -> tuple[int, int]:
        """A window of which gaps tell what was not seen: before the first instant and in the future none is due."""
        start_ms, end_ms = self._window(start, end)
        span = self._log.span()
        if span is None or end_ms <= span[0] or start_ms > max(span[1], self._clock()):
            raise nothing_recorded(self._log, end_ms - 1, end_ms - start_ms)
        return start_ms, end_ms
