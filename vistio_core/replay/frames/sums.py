"""The rates, notices and topology of a row of frames: what all writers saw, added up and judged.

A frame is a moment of `vistio_core.judging.levels`, as a graph is; here it is put into columns instead of values.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import attrs
import numpy as np
import pyarrow as pa

from vistio_core.configuration.model import Configuration, ServiceNoticeRule
from vistio_core.errors import UsageError
from vistio_core.events import RuleKey
from vistio_core.graph.numbering import each_once, edge_digits, edge_number
from vistio_core.graph.topology import NOBODY, Topology, in_order, peak_rps, topology_of
from vistio_core.graph.unseen import Round
from vistio_core.judging.codes import Integers
from vistio_core.judging.judge import Judge
from vistio_core.judging.levels import MomentEdges, Shown, at_moments, numbers_of, shown_at, summed
from vistio_core.judging.notices import raised_on_edges, raised_on_nodes, service_notice
from vistio_core.judging.reports import existing
from vistio_core.judging.rule_edges import EdgeRows, RuleEdges
from vistio_core.judging.rulebook import Rulebook
from vistio_core.judging.seen import told_by_any
from vistio_core.replay.frames.model import MAX_CELLS, MAX_NOTICES, FrameLevel, FrameNotice
from vistio_core.replay.frames.shown import WriterFrames
from vistio_core.sentences import say
from vistio_core.storage.format import measurements_of


@attrs.frozen(eq=False)
class _Gathered:
    """What a question about frames knows once everything was read."""

    judge: Judge
    frames: int
    writers: list[tuple[RuleEdges, Shown]] = attrs.field(factory=list)
    edge_notices: dict[str, list[FrameNotice]] = attrs.field(factory=dict)
    """By cluster; those of a frame in the graph's order."""
    node_notices: dict[str, list[FrameNotice]] = attrs.field(factory=dict)
    noticed: Counter[str] = attrs.field(factory=Counter)
    """How many notices there are, of edges and of nodes."""
    sighted: dict[RuleKey, list[Integers]] = attrs.field(factory=dict)
    """Rows of source and target: see `vistio_core.graph.topology.Sighting`."""


def frame_levels(
    writers: Sequence[WriterFrames],
    asked: Sequence[Round | None],
    configuration: Callable[[str], Configuration],
) -> tuple[tuple[FrameLevel, ...], Topology]:
    """The levels of a row of frames, and who was there.

    Args:
        writers: what each has for the frames, in their order.
        asked: by frame, what it tells of, and what not; None where it shows nothing.
        configuration: from a hash to the configuration.

    Raises:
        UsageError: more than `MAX_CELLS` frames times edges.
    """
    frames = len(asked)
    in_force = {
        (instant_ms, writer.name): facts.configuration
        for writer in writers
        for instant_ms, facts in writer.facts.items()
    }
    gathered = _Gathered(Judge(in_force, lambda known: Rulebook(configuration(known))), frames)
    for writer in writers:
        _add_samples(gathered, writer)
        for rows in writer.rows("measurement"):
            _add_measurements(gathered, writer, rows)
    shown = at_moments(gathered.judge, gathered.writers)
    _add_edges(gathered, shown)
    names, ranks = gathered.judge.names.ranks()
    numbers = numbers_of([edges for edges, _ in shown], ranks)
    if len(numbers) * frames > MAX_CELLS:
        raise _too_many(frames)
    traffic = _with_unseen(summed(shown, ranks, numbers, frames), asked, names)
    levels = tuple(_levels(gathered, traffic, names))
    by_rule = {key: _ranked(np.concatenate(ends), ranks) for key, ends in gathered.sighted.items()}
    configurations = gathered.judge.in_force(0, max((ms for ms, _ in in_force), default=0) + 1)
    peaks_rps = {level.cluster: peak_rps(level.rates) for level in levels}
    return levels, topology_of(names, in_order(by_rule, configurations), peaks_rps)


def _add_samples(gathered: _Gathered, writer: WriterFrames) -> None:
    judge, parts, cells = gathered.judge, list[RuleEdges](), 0
    for rows in writer.rows("sample"):
        parts.append(judge.edges(writer.name, rows))
        instants, counts = np.unique(parts[-1].instant_ms, return_counts=True)
        cells += sum(
            len(writer.frames[instant_ms]) * count
            for instant_ms, count in zip(instants.tolist(), counts.tolist(), strict=True)
        )
        if cells > 2 * MAX_CELLS:
            raise _too_many(gathered.frames)
    edges = RuleEdges.joined(parts)
    gathered.writers.append((edges, writer.frames))


def _add_edges(gathered: _Gathered, shown: Sequence[tuple[EdgeRows, Shown]]) -> None:
    """Who was there, and the notices of edges."""
    judge = gathered.judge
    parts = [edges for edges, _ in gathered.writers]
    for part in existing(judge, parts, [edges for edges, _ in shown]):
        numbers = edge_number(part.source, part.target)
        for key, _, rows in part.rules:
            _see(gathered, key, *edge_digits(each_once(numbers[rows]))[1:])
    names = judge.names.values
    for edges, moments in shown:
        for raised in raised_on_edges(edges):
            shown_in = list(shown_at(edges.instant_ms[raised.rows], moments))
            _count_notices(gathered, "edges", sum(len(places) for places, _ in shown_in))
            notices = dict(raised.notices())
            for places, moment in shown_in:
                for row, frame in zip(raised.rows[places].tolist(), moment.tolist(), strict=True):
                    ends = names[edges.source[row]], names[edges.target[row]]
                    notice = FrameNotice(frame, *ends, notices[row])
                    gathered.edge_notices.setdefault(names[edges.cluster[row]], []).append(notice)


def _add_measurements(gathered: _Gathered, writer: WriterFrames, rows: pa.Table) -> None:
    judge = gathered.judge
    measured = judge.measured(writer.name, rows)
    target = np.where(measured.target == judge.nobody, NOBODY, measured.target)
    for number in np.unique(measured.rule).tolist():
        own = measured.rule == number
        _see(gathered, judge.rules.values[number], measured.source[own], target[own])
    raised, _ = raised_on_nodes(judge, measured)
    for index, measurement in zip(
        raised.tolist(), measurements_of(rows.take(measured.row[raised])), strict=True
    ):
        rule = judge.rulebook(int(measured.rulebook[index])).rule((measurement.cluster, measurement.rule))
        notice = service_notice(rule, measurement) if isinstance(rule, ServiceNoticeRule) else None
        if notice is not None:
            _count_notices(gathered, "nodes", len(writer.frames[int(measured.instant_ms[index])]))
            gathered.node_notices.setdefault(measurement.cluster, []).extend(
                FrameNotice(frame, measurement.source, "", notice)
                for frame in writer.frames[int(measured.instant_ms[index])]
            )


def _count_notices(gathered: _Gathered, of: str, more: int) -> None:
    """Before they are made: each takes more than a rate does."""
    gathered.noticed[of] += more
    if gathered.noticed.total() > MAX_NOTICES:
        raise UsageError(
            say(
                "{frames:,} frames have more than {most:,} notices; use a longer step or a shorter window",
                frames=gathered.frames,
                most=MAX_NOTICES,
            )
        )


def _see(gathered: _Gathered, key: RuleKey, source: Integers, target: Integers) -> None:
    gathered.sighted.setdefault(key, []).append(np.column_stack([source, target]))


def _ranked(ends: Integers, ranks: Integers) -> Integers:
    return np.where(ends == NOBODY, NOBODY, ranks[ends])


def _with_unseen(traffic: MomentEdges, asked: Sequence[Round | None], names: Sequence[str]) -> MomentEdges:
    """With NaN for what was not seen: nobody told of it, and who could have was not answered, or nobody could."""
    ends = edge_digits(traffic.numbers)
    place = {name: rank for rank, name in enumerate(names)}
    rps = traffic.rps
    frames: dict[Round | None, list[int]] = {}
    for frame, own in enumerate(asked):
        frames.setdefault(own, []).append(frame)
    for alike, own_frames in frames.items():
        hidden = np.ones(len(ends[0]), bool)
        if alike is not None:
            unseen, could = (
                told_by_any(rules, lambda name: place.get(name, NOBODY), *ends)
                for rules in (alike.unseen, alike.tellers or ())
            )
            hidden = unseen | ~could
        for frame in own_frames if hidden.any() else ():
            rps[frame, hidden & ~traffic.told[frame]] = np.nan
    return traffic


def _levels(gathered: _Gathered, traffic: MomentEdges, names: Sequence[str]) -> Iterator[FrameLevel]:
    clusters, source, target = edge_digits(traffic.numbers)
    with_edges = {names[rank]: rank for rank in each_once(clusters).tolist()}
    for cluster in sorted({*with_edges, *gathered.edge_notices, *gathered.node_notices}):
        first, last = np.searchsorted(
            clusters, [with_edges.get(cluster, -1), with_edges.get(cluster, -1) + 1]
        )
        own = slice(first, last) if cluster in with_edges else slice(0, 0)
        notices = [*gathered.edge_notices.get(cluster, ()), *gathered.node_notices.get(cluster, ())]
        ends = zip(source[own].tolist(), target[own].tolist(), strict=True)
        yield FrameLevel(
            cluster,
            tuple([(names[one], names[other]) for one, other in ends]),
            traffic.rps[:, own],
            # Those of a frame stay as they came.
            tuple(sorted(notices, key=lambda notice: notice.frame)),
        )


def _too_many(frames: int) -> UsageError:
    return UsageError(
        say(
            "{frames:,} frames of this mesh are more than {most:,} rates of edges;"
            " use a longer step or a shorter window",
            frames=frames,
            most=MAX_CELLS,
        )
    )
