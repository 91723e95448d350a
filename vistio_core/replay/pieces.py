"""From files of events to rates by class: what is read of them, and in which pieces."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise

import numpy as np
import pyarrow as pa

from vistio_core.configuration.model import Configuration
from vistio_core.graph.topology import Topology
from vistio_core.judging.codes import Booleans
from vistio_core.judging.judge import MEASUREMENT_COLUMNS, SAMPLE_COLUMNS, Judge, Measured
from vistio_core.judging.notices import NodeNotices, node_notices
from vistio_core.judging.reports import judged
from vistio_core.judging.rule_edges import EdgeRows, RuleEdges
from vistio_core.judging.rulebook import Rulebook
from vistio_core.judging.subject import Subject
from vistio_core.judging.totals import TOTALS, totals
from vistio_core.judging.union import Union
from vistio_core.replay.duckdb_session import DuckDBSession
from vistio_core.storage.event_file import EventFile
from vistio_core.storage.format import INSTANT
from vistio_core.storage.listing import Listing
from vistio_core.times import MINUTE_MS

# One piece's rows: what is in memory at a time, some hundred bytes each.
_PIECE_ROWS = 200_000
WINDOW = "instant >= make_timestamptz($start_ms * 1000) and instant < make_timestamptz($end_ms * 1000)"
_IN_FORCE_QUERY = f"""
    select epoch_ms(instant) as instant_ms, writer, any_value(configuration) as configuration from scrapes
    where {WINDOW} and supplement = 0 group by all
"""
_ABOUT = f"""
    {WINDOW}
      and ($cluster is null or cluster = $cluster)
      and ($source is null or source = $source)
      and ($target is null or target = $target)
      and ($node is null or source = $node or target = $node)
"""
# All edges into the targets in question: what witnesses say of one depends on the others (`judging.witnesses`).
_SAMPLES_QUERY = f"""
    select writer, {", ".join(SAMPLE_COLUMNS)} from samples
    where {WINDOW} and (cluster, target) in (select cluster, target from samples where {_ABOUT})
    order by all
"""
_MEASUREMENTS_QUERY = f"""
    select writer, {", ".join(MEASUREMENT_COLUMNS)} from measurements
    where {WINDOW} and coalesce(target, '') = ''
      and ($cluster is null or cluster = $cluster)
      and $source is null and $target is null
      and ($node is null or source = $node)
    order by writer, instant
"""


def judge_of(listing: Listing, configuration: Callable[[str], Configuration]) -> Judge:
    """A judge that knows which configurations were in force in a listing's span."""
    return Judge(listing.configurations(), lambda known: Rulebook(configuration(known)))


def pieces(judge: Judge, listing: Listing) -> Iterator[tuple[EdgeRows, NodeNotices]]:
    """What was seen in a listing's span, a piece of time after the other.

    An instant stands in one piece, whole; where the span starts at a full minute, a minute does.

    Args:
        judge: made of the same listing.
        listing: what is read.
    """
    for edges, measured in measured_pieces(judge, listing):
        yield edges, node_notices(judge, measured)


def measured_pieces(judge: Judge, listing: Listing) -> Iterator[tuple[EdgeRows, Measured]]:
    """Likewise, with everything that was measured."""
    for from_ms, to_ms, inside in pieces_of_time(listing):
        edges: list[RuleEdges] = []
        measured: list[Measured] = []
        for writer, samples, measurements in rows_of(inside, from_ms, to_ms):
            edges.append(judge.edges(writer, samples))
            measured.append(judge.measured(writer, measurements))
        yield judged(judge, RuleEdges.joined(edges)), Measured.joined(measured)


def pieces_of_time(listing: Listing) -> Iterator[tuple[int, int, list[EventFile]]]:
    """Start and end of each piece, and the files that may hold something of it."""
    inside, start_ms, end_ms = listing.files, listing.start_ms, listing.end_ms
    if not inside:
        return
    first_ms = max(start_ms, min(file.name.first_ms for file in inside))
    last_ms = min(end_ms, max(file.name.last_ms for file in inside) + 1)
    first_ms = start_ms + (first_ms - start_ms) // MINUTE_MS * MINUTE_MS
    number = 1 + sum(file.rows_in_all for file in inside) // _PIECE_ROWS
    length_ms = max(1, (last_ms - first_ms) // (number * MINUTE_MS)) * MINUTE_MS
    bounds = [*range(first_ms, last_ms, length_ms), last_ms]
    for from_ms, to_ms in pairwise(bounds):
        yield from_ms, to_ms, [file for file in inside if file.name.overlaps(from_ms, to_ms)]


def rows_of(
    files: Iterable[EventFile], start_ms: int, end_ms: int
) -> Iterator[tuple[str, pa.Table, pa.Table]]:
    """What each file holds of ``[start_ms, end_ms)``: its writer, samples and measurements."""
    for file in files:
        yield (
            file.name.writer,
            file.rows_between("sample", start_ms, end_ms, SAMPLE_COLUMNS),
            file.rows_between("measurement", start_ms, end_ms, MEASUREMENT_COLUMNS),
        )


def totals_of(listing: Listing, configuration: Callable[[str], Configuration]) -> pa.Table:
    """The totals of a listing's span, by instant and cluster; the columns are those of `TOTALS`."""
    judge = judge_of(listing, configuration)
    found = [totals(judge, *piece) for piece in pieces(judge, listing)]
    return pa.concat_tables([TOTALS.empty_table(), *found])


def window_topology(listing: Listing, configuration: Callable[[str], Configuration]) -> Topology:
    """Who was there at some time in a listing's span, and the most that one edge had."""
    judge = judge_of(listing, configuration)
    union = Union(judge)
    for from_ms, to_ms, inside in pieces_of_time(listing):
        edges: list[RuleEdges] = []
        for writer, samples, measurements in rows_of(inside, from_ms, to_ms):
            edges.append(judge.edges(writer, samples))
            union.see(judge.measured(writer, measurements))
        union.add(RuleEdges.joined(edges))
    return union.topology(judge.in_force(listing.start_ms, listing.end_ms))


def piece_about(
    session: DuckDBSession,
    uris: Sequence[str],
    window_ms: tuple[int, int],
    subject: Subject,
    configuration: Callable[[str], Configuration],
) -> tuple[Judge, EdgeRows, NodeNotices]:
    """What was seen of a subject, which DuckDB finds among all the others.

    Args:
        session: where the queries run.
        uris: the files that hold the window, none superseded.
        window_ms: start and end.
        subject: what of it counts.
        configuration: from a hash to the configuration.
    """
    window = {"start_ms": window_ms[0], "end_ms": window_ms[1]}
    in_force = session.table(_IN_FORCE_QUERY, uris, window).to_pydict()
    judge = Judge(
        {(instant_ms, writer): known for instant_ms, writer, known in zip(*in_force.values(), strict=True)},
        lambda known: Rulebook(configuration(known)),
    )
    parameters = {**window, **subject.as_parameters()}
    samples = _by_writer(session.table(_SAMPLES_QUERY, uris, parameters))
    measurements = _by_writer(session.table(_MEASUREMENTS_QUERY, uris, parameters))
    edges = judged(judge, RuleEdges.joined([judge.edges(writer, rows) for writer, rows in samples]))
    measured = Measured.joined([judge.measured(writer, rows) for writer, rows in measurements])
    return judge, edges.where(_about(judge, edges, subject)), node_notices(judge, measured)


def _about(judge: Judge, edges: EdgeRows, subject: Subject) -> Booleans:
    """Which edges are of a subject: as `_ABOUT` says of samples."""
    source, target, node = (
        judge.names.of(name) if name is not None else None
        for name in (subject.source, subject.target, subject.node)
    )
    rows = np.ones(len(edges), bool)
    if source is not None:
        rows &= edges.source == source
    if target is not None:
        rows &= edges.target == target
    if node is not None:
        rows &= (edges.source == node) | (edges.target == node)
    return rows


def _by_writer(rows: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    """Each writer's rows, which lie side by side; instants in milliseconds."""
    instant = rows.schema.get_field_index("instant")
    rows = rows.set_column(instant, "instant", rows["instant"].cast(INSTANT))
    writers = rows["writer"].to_pylist()
    start = 0
    for index in range(1, len(writers) + 1):
        if index == len(writers) or writers[index] != writers[start]:
            # In one chunk: an edge's rows must not be torn apart.
            yield writers[start], rows.slice(start, index - start).combine_chunks()
            start = index
