"""A window as one side of a comparison: the mean rates of all edges, and all nodes that were ever there.

The mean of an edge is taken over the instants at which that very edge was seen: each rule that could have told of it
was answered. So the sum of an edge leaves other instants out, and is divided by how many there are left; that of a node
leaves out those at which some edge of it was not seen:

    mesh/http is not answered at 2 of 6 instants    cart > db       sum of 4 instants / 4
                                                    INTERNET > mesh (told by the global level)    sum of 6 / 6

Each writer has instants of its own, so the means of all of them are added. Of an edge that some writer wholly saw at
none, the mean of what was known is a part; `Blind` says so, and why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import reduce

import attrs
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vistio_core.configuration.model import Configuration
from vistio_core.graph.numbering import each_once, edge_digits, node_digits, node_number
from vistio_core.judging.codes import Integers
from vistio_core.judging.judge import Judge, Measured
from vistio_core.judging.reports import judged
from vistio_core.judging.rule_edges import MILLIONTHS, EdgeRows, EdgeSums, RuleEdges
from vistio_core.judging.rulebook import Rulebook
from vistio_core.judging.seen import Blind, Round, Unseen, missing_writer, told_by_any
from vistio_core.replay.comparison import Moment
from vistio_core.replay.coverage import AnsweredAlike, answered_alike, in_order
from vistio_core.replay.pieces import judge_of, pieces_of_time, rows_of
from vistio_core.replay.window_presence import presence
from vistio_core.samples import Floats
from vistio_core.storage.listing import Listing


@attrs.frozen(eq=False)
class _Instants:
    """Instants at which a writer's rules were answered alike."""

    instants_ms: Integers
    tellers: tuple[Unseen, ...]
    answered: tuple[Unseen, ...]
    unseen: tuple[Unseen, ...]


@attrs.frozen(eq=False)
class _WriterSums:
    """What one writer saw."""

    instants: Sequence[_Instants]
    whole: EdgeSums = attrs.field(factory=EdgeSums.none)
    """Of each edge, over the instants at which all of it was seen."""
    partial: EdgeSums = attrs.field(factory=EdgeSums.none)
    """Over the others."""
    into: EdgeSums = attrs.field(factory=EdgeSums.none)
    """Of each edge, over the instants at which all that enters its target was seen."""
    out_of: EdgeSums = attrs.field(factory=EdgeSums.none)
    """Likewise, all that leaves its source."""

    def plus(self, judge: Judge, edges: EdgeRows) -> _WriterSums:
        """With what more rows say."""
        partial, into, out_of = np.zeros((3, len(edges)), bool)
        for alike in self.instants:
            if alike.unseen:
                here = np.isin(edges.instant_ms, alike.instants_ms)
                for hidden, rules in zip((partial, into, out_of), _about_ends(alike.unseen), strict=True):
                    hidden |= here & told_by_any(
                        rules, judge.names.of, edges.cluster, edges.source, edges.target
                    )
        numbers = judge.edge_numbers(edges.cluster, edges.source, edges.target)
        return _WriterSums(
            self.instants,
            self.whole.plus(numbers[~partial], edges.millionths[~partial]),
            self.partial.plus(numbers[partial], edges.millionths[partial]) if partial.any() else self.partial,
            self.into if self.all_seen else self.into.plus(numbers[~into], edges.millionths[~into]),
            self.out_of if self.all_seen else self.out_of.plus(numbers[~out_of], edges.millionths[~out_of]),
        )

    @property
    def all_seen(self) -> bool:
        return not any(alike.unseen for alike in self.instants)


def _about_ends(rules: Sequence[Unseen]) -> tuple[Sequence[Unseen], ...]:
    """Rules about edges; about all edges into the target of one; and about all out of its source."""
    return (
        rules,
        [attrs.evolve(rule, source=None) for rule in rules],
        [attrs.evolve(rule, target=None) for rule in rules],
    )


def window_moment(
    listing: Listing, before: pa.Table, configuration: Callable[[str], Configuration]
) -> Moment | None:
    """A window as one side of a comparison; None where nothing was seen in it.

    Args:
        listing: of the window.
        before: the newest instant of each writer before it, of those that are missed (`window_presence`).
        configuration: from a hash to the configuration.
    """
    there = presence(listing)
    seen = pc.count_distinct(there.filter(there["seen"])["instant_ms"]).as_py()
    if not seen:
        return None
    judge = judge_of(listing, configuration)
    rulebook = lambda known: Rulebook(configuration(known))  # noqa: E731
    present = in_order(there)
    groups = answered_alike(present, rulebook)
    sums = {
        writer: _WriterSums([_alike(group, present) for group in groups if group.writer == writer])
        for writer in sorted({group.writer for group in groups})
    }
    nodes = _add_all(judge, listing, sums)
    silent = in_order(before.filter(pc.invert(pc.is_in(before["writer"], pa.array(list(sums), pa.string())))))
    numbers = each_once(
        np.concatenate([own.numbers for each in sums.values() for own in (each.whole, each.partial)])
    )
    cluster, source, target = edge_digits(numbers)
    nodes = each_once(np.concatenate([nodes, node_number(source, cluster), node_number(target, cluster)]))
    rates = _added(_mean(judge, each, numbers) for each in sums.values())
    into = out_of = rates
    if not all(each.all_seen for each in sums.values()):
        into = _added(_mean_of_end(judge, each, numbers, each.into, 1) for each in sums.values())
        out_of = _added(_mean_of_end(judge, each, numbers, each.out_of, 2) for each in sums.values())
    return Moment(
        listing.start_ms,
        listing.end_ms,
        seen,
        False,
        tuple(judge.names.values),
        np.column_stack([cluster, source, target]),
        rates,
        np.column_stack(node_digits(nodes)),
        (*_blind(sums.values()), *_missing(answered_alike(silent, rulebook))),
        listing.significant_digits,
        into,
        out_of,
    )


def _alike(group: AnsweredAlike, present: pa.Table) -> _Instants:
    instants_ms = present["instant_ms"].to_numpy()[group.rows]
    return _Instants(instants_ms, group.tellers, group.answered(), group.unseen)


def _add_all(judge: Judge, listing: Listing, sums: dict[str, _WriterSums]) -> Integers:
    """Add what was seen, a piece of time after the other; returns the numbers of the nodes that were measured."""
    nodes = np.zeros(0, np.int64)
    for from_ms, to_ms, inside in pieces_of_time(listing):
        parts: list[RuleEdges] = []
        for writer, samples, measurements in rows_of(inside, from_ms, to_ms):
            parts.append(judge.edges(writer, samples))
            nodes = np.concatenate([nodes, *_node_numbers(judge, judge.measured(writer, measurements))])
        edges = judged(judge, RuleEdges.joined(parts))
        for number in each_once(edges.writer).tolist():
            name = judge.writers.values[number]
            sums[name] = sums[name].plus(judge, edges.where(edges.writer == number))
    return nodes


def _node_numbers(judge: Judge, measured: Measured) -> Iterator[Integers]:
    """Who was measured, each once: nodes, and the ends of edges."""
    for end in (measured.source, measured.target):
        yield each_once(node_number(end, measured.cluster)[end != judge.nobody])


def _mean(judge: Judge, writer: _WriterSums, numbers: Integers) -> Floats:
    """The mean of each edge over the instants at which all of it was seen, or where there are none, some of it."""
    ends = edge_digits(numbers)
    # What a rule that no configuration knows told of, the writer's other instants could have told of as well.
    strange = ~np.any(
        [told_by_any(alike.tellers, judge.names.of, *ends) for alike in writer.instants], axis=0
    )
    wholly, partly = np.zeros((2, len(numbers)), np.int64)
    for alike in writer.instants:
        instants = len(alike.instants_ms)
        asked = told_by_any(alike.tellers, judge.names.of, *ends) | strange
        wholly += instants * (asked & ~told_by_any(alike.unseen, judge.names.of, *ends))
        partly += instants * told_by_any(alike.answered, judge.names.of, *ends)
    whole, partial = writer.whole.of(numbers), writer.partial.of(numbers)
    total = np.where(wholly[:, None] > 0, whole, whole + partial)
    count = np.where(wholly > 0, wholly, partly)[:, None]
    mean: Floats = np.asarray(total, np.float64) / MILLIONTHS / np.maximum(count, 1)
    return mean


def _added(of_writers: Iterable[Floats]) -> Floats:
    """The sums, in the order of writers."""
    return reduce(np.add, of_writers)


def _mean_of_end(judge: Judge, writer: _WriterSums, numbers: Integers, sums: EdgeSums, end: int) -> Floats:
    """The part of each edge in the mean of all at one of its ends, over the instants at which all of that was seen.

    Args:
        judge: who made the numbers.
        writer: what it saw.
        numbers: of the edges.
        sums: over these instants.
        end: 1: what enters its target; 2: what leaves its source.
    """
    mean = _mean(judge, writer, numbers)
    if writer.all_seen:
        return mean
    ends = edge_digits(numbers)
    count = np.zeros(len(numbers), np.int64)
    for alike in writer.instants:
        tellers, unseen = (
            told_by_any(_about_ends(rules)[end], judge.names.of, *ends)
            for rules in (alike.tellers, alike.unseen)
        )
        count += len(alike.instants_ms) * (tellers & ~unseen)
    whole: Floats = np.asarray(sums.of(numbers), np.float64) / MILLIONTHS / np.maximum(count, 1)[:, None]
    return np.where(count[:, None] > 0, whole, mean)


def _blind(writers: Iterable[_WriterSums]) -> Iterator[Blind]:
    for writer in writers:
        yield Blind(tuple(Round(alike.unseen, alike.tellers) for alike in writer.instants))


def _missing(silent: Sequence[AnsweredAlike]) -> Iterator[Blind]:
    """Writers without an instant, which would have told of as much as they told of last."""
    for group in silent:
        name = missing_writer(group.writer).name
        unseen = tuple(attrs.evolve(rule, name=name) for rule in group.tellers)
        yield Blind((Round(unseen, unseen),))
