"""What was measured of every edge and node over a window, in columns by time: read from the log, piece by piece.

A row for each step (`STEP_MS`), a column for each edge or node. A value is the mean over the instants of the step at
which that very edge was seen; NaN where there is none. Of what is measured beside rates nothing is known but its
values, so a step without one is NaN, never 0.

    rates of cart > db     normal   warning   danger        latency_mean_ms   caller_latency_mean_ms
    05:00                  12.0     0         0             4.1               4.6
    05:01                  11.5     0         0.5           80.2              80.9
    05:02                  NaN      NaN       NaN           NaN               NaN         mesh/http was not answered
    05:03                  0        0         0             NaN               NaN         nobody called

A step stands in one piece, whole, and what a piece has of it is added in the order of names and instants: so no
sum depends on which files hold the window.

What must not be in here: what is derived of these columns (`signals`), and what is normal (`normal`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import reduce

import attrs
import numpy as np
import pyarrow as pa

from vistio_core.configuration.mapping import CLASSES
from vistio_core.configuration.model import Configuration, MeasurementRule, Merge, Rule, Witness
from vistio_core.events import RuleKey
from vistio_core.graph.numbering import each_once, edge_digits, edge_number, node_number
from vistio_core.judging.codes import Booleans, Integers, numbered
from vistio_core.judging.judge import Judge, Measured
from vistio_core.judging.reports import ToldEdges
from vistio_core.judging.rule_edges import MILLIONTHS, EdgeRows, sums_by
from vistio_core.judging.rulebook import Rulebook
from vistio_core.judging.seen import told_by_any
from vistio_core.replay.coverage import AnsweredAlike, answered_alike, in_order
from vistio_core.replay.pieces import judge_of, measured_pieces
from vistio_core.replay.window_presence import presence
from vistio_core.samples import Floats
from vistio_core.storage.listing import Listing

STEP_MS = 10_000
"""A usual interval; it divides a minute, so that each step stands in one piece."""
CALLER = "caller_"
"""Before the name of what the caller measured, as in a graph (`judging.build`)."""
_MERGES = {Merge.MAX: np.maximum, Merge.MIN: np.minimum, Merge.SUM: np.add}


@attrs.frozen(eq=False)
class Observed:
    """A window in columns. Names are sorted, and so are edges and nodes by theirs."""

    start_ms: int
    """Of the first step; the others follow each `STEP_MS`."""
    steps: int
    names: Sequence[str]
    """Of clusters (empty for the global level) and nodes."""
    edges: Integers
    """Cluster, source and target of each, indexes into ``names``."""
    rates: Floats
    """Classes by steps by edges, requests per second."""
    lost: Floats
    """Steps by edges, requests per second that were sent and not received; NaN where that is not known."""
    of_edges: Mapping[str, Floats]
    """What else was measured of edges, by name: steps by edges."""
    nodes: Integers
    """Cluster and name of each, indexes into ``names``; all ends of edges are among them."""
    of_nodes: Mapping[str, Floats]
    """What was measured of nodes, by name: steps by nodes."""

    def step_of(self, instant_ms: int) -> int:
        """The step that an instant is in."""
        return (instant_ms - self.start_ms) // STEP_MS


def observed(listing: Listing, configuration: Callable[[str], Configuration]) -> Observed:
    """What was measured in a listing's span, which starts and ends at full minutes.

    Args:
        listing: of the window.
        configuration: from a hash to the configuration.
    """
    judge = judge_of(listing, configuration)
    present = in_order(presence(listing))
    groups = answered_alike(present, lambda known: Rulebook(configuration(known)))
    gathered = _Adding(judge, listing.start_ms, -(-(listing.end_ms - listing.start_ms) // STEP_MS))
    hidden = [(_instants(present, group), group) for group in groups if group.unseen]
    for rows, measured in measured_pieces(judge, listing):
        gathered.measure(measured)
        gathered.see(rows.where(~_in_part(judge, rows, hidden)) if hidden else rows)
    return gathered.observed(present, groups)


def _instants(present: pa.Table, group: AnsweredAlike) -> Integers:
    instants: Integers = present["instant_ms"].to_numpy()[group.rows]
    return instants


def _in_part(judge: Judge, rows: EdgeRows, hidden: Sequence[tuple[Integers, AnsweredAlike]]) -> Booleans:
    """Which rows say only a part of their edge: another rule could have told of it, and was not answered."""
    partial = np.zeros(len(rows), bool)
    for instants, group in hidden:
        here = np.isin(rows.instant_ms, instants) & (rows.writer == judge.writers.of(group.writer))
        partial |= here & told_by_any(group.unseen, judge.names.of, rows.cluster, rows.source, rows.target)
    return partial


@attrs.frozen(eq=False)
class _OfPiece:
    """Sums of the steps of one piece: of what was there, step by step."""

    steps: slice
    numbers: Integers
    """`Judge.edge_numbers`, each once."""
    sums: Sequence[Floats]
    """Steps by numbers: millionths of each class; and, where witnesses told, of what was lost, and how often."""


@attrs.frozen(eq=False)
class _Cells:
    """Sums of some steps of some edges or nodes, each once."""

    step: Integers
    number: Integers
    """`Judge.edge_numbers`; of a node, its target is `Judge.nobody`."""
    sums: Sequence[Floats | Integers]


@attrs.define
class _Adding:
    """Gathers a window, piece by piece."""

    judge: Judge
    start_ms: int
    steps: int
    seen: dict[int, list[_OfPiece]] = attrs.field(factory=dict)
    """By the number of a writer."""
    measured: dict[tuple[str, bool], list[_Cells]] = attrs.field(factory=dict)
    """By name, and whether it is about edges: the sum over instants, and how many there are."""

    def see(self, rows: EdgeRows) -> None:
        """The traffic of a piece."""
        for writer in each_once(rows.writer).tolist():
            own = rows.where(rows.writer == writer)
            numbers, edge = numbered(self.judge.edge_numbers(own.cluster, own.source, own.target))
            step = self._step(own.instant_ms)
            first, last = int(step.min()), int(step.max()) + 1
            cell = (step - first) * len(numbers) + edge
            columns = [*own.millionths.T]
            if isinstance(own, ToldEdges):
                lost = np.rint(or_zero(own.lost_rps) * MILLIONTHS).astype(np.int64)
                columns += [lost, (~np.isnan(own.lost_rps)).astype(np.int64)]
            shape = last - first, len(numbers)
            sums = [sums_by(cell, column, shape[0] * shape[1]) for column in columns]
            piece = _OfPiece(
                slice(first, last), numbers, [each.astype(np.float64).reshape(shape) for each in sums]
            )
            self.seen.setdefault(writer, []).append(piece)

    def measure(self, rows: Measured) -> None:
        """Every measurement of a piece."""
        by_name: dict[tuple[str, Merge], list[slice | Integers]] = {}
        for key, rule, own in self.judge.rules_of(rows.rulebook, rows.rule) if len(rows.row) else ():
            by_name.setdefault(_name_and_merge(key, rule), []).append(own)
        every = np.arange(len(rows.row))
        for (name, merge), parts in by_name.items():
            own = np.concatenate([every[part] for part in parts])
            about_edge = rows.target[own] != self.judge.nobody
            for of_edges in (False, True):
                some = own[about_edge == of_edges]
                if len(some):
                    self.measured.setdefault((name, of_edges), []).append(self._means(rows, some, merge))

    def _means(self, rows: Measured, own: Integers, merge: Merge) -> _Cells:
        """Of each step: the sum over its instants, of each of which several rows are made one."""
        numbers, series = numbered(
            self.judge.edge_numbers(rows.cluster[own], rows.source[own], rows.target[own])
        )
        instant, value = rows.instant_ms[own], rows.value[own]
        order = np.lexsort((value, instant, series))
        series, instant, value = series[order], instant[order], value[order]
        first = np.ones(len(order), bool)
        first[1:] = (series[1:] != series[:-1]) | (instant[1:] != instant[:-1])
        merged = _MERGES[merge].reduceat(value, np.flatnonzero(first))
        series, instant = series[first], instant[first]
        cells, cell = numbered(self._step(instant) * len(numbers) + series)
        sums = np.bincount(cell, merged, len(cells))
        return _Cells(
            cells // len(numbers),
            numbers[cells % len(numbers)],
            [sums, np.bincount(cell, minlength=len(cells))],
        )

    def _step(self, instants_ms: Integers) -> Integers:
        step: Integers = (instants_ms - self.start_ms) // STEP_MS
        return step

    def observed(self, present: pa.Table, groups: Sequence[AnsweredAlike]) -> Observed:
        """All of it, in the order of names."""
        judge = self.judge
        of_edges = [piece.numbers for parts in self.seen.values() for piece in parts]
        of_edges += [cells.number for (_, edge), parts in self.measured.items() if edge for cells in parts]
        of_nodes = [cells.number for (_, edge), parts in self.measured.items() if not edge for cells in parts]
        names, ranks = judge.names.ranks()
        known = _all_of(of_edges)
        cluster, source, target = edge_digits(known)
        ranked = edge_number(ranks[source], ranks[target], ranks[cluster])
        edges = known[np.argsort(ranked)]
        cluster, source, target = edge_digits(edges)
        nobody = np.full(len(edges), judge.nobody)
        ends = [judge.edge_numbers(cluster, end, nobody) for end in (source, target)]
        nodes = each_once(np.concatenate([*ends, _all_of(of_nodes)]))
        node_cluster, node_name, _ = edge_digits(nodes)
        order = np.argsort(node_number(ranks[node_name], ranks[node_cluster]))
        nodes = nodes[order]
        rates, lost = self._traffic(edges, present, groups)
        return Observed(
            self.start_ms,
            self.steps,
            names,
            np.column_stack([ranks[cluster], ranks[source], ranks[target]]),
            rates,
            lost,
            {name: self._mean(parts, edges) for (name, edge), parts in sorted(self.measured.items()) if edge},
            np.column_stack([ranks[node_cluster[order]], ranks[node_name[order]]]),
            {
                name: self._mean(parts, nodes)
                for (name, edge), parts in sorted(self.measured.items())
                if not edge
            },
        )

    def _mean(self, parts: Sequence[_Cells], numbers: Integers) -> Floats:
        values = np.full((self.steps, len(numbers)), np.nan)
        for cells, place in zip(parts, _places(numbers, (each.number for each in parts)), strict=True):
            values[cells.step, place] = cells.sums[0] / cells.sums[1]
        return values

    def _traffic(
        self, edges: Integers, present: pa.Table, groups: Sequence[AnsweredAlike]
    ) -> tuple[Floats, Floats]:
        """Means over the instants at which each edge was wholly seen; those of several writers are added."""
        rates: list[Floats] = []
        lost: list[Floats] = []
        blind = np.zeros((self.steps, len(edges)), bool)
        for writer in sorted({group.writer for group in groups}):
            own = [group for group in groups if group.writer == writer]
            count = self._instants_seen(edges, present, own)
            sums = self._sums(self.seen.get(self.judge.writers.of(writer), ()), edges)
            unseen = count == 0
            # What one writer tells of and could not see now is not what the others saw.
            blind |= unseen & (sums[:CLASSES] != 0).any(axis=(0, 1))
            with np.errstate(invalid="ignore", divide="ignore"):
                rates.append(sums[:CLASSES] / np.where(unseen, np.nan, MILLIONTHS * count))
                if len(sums) > CLASSES:
                    lost.append(sums[CLASSES] / (MILLIONTHS * sums[CLASSES + 1]))
        in_all, lost_in_all = (
            reduce(_plus, parts) if parts else np.full(shape, np.nan)
            for parts, shape in ((rates, (CLASSES, *blind.shape)), (lost, blind.shape))
        )
        if blind.any():
            in_all[:, blind], lost_in_all[blind] = np.nan, np.nan
        return in_all, lost_in_all

    def _sums(self, pieces: Sequence[_OfPiece], edges: Integers) -> Floats:
        """What one writer saw: columns as of `_OfPiece`, by steps by edges."""
        told = max((len(piece.sums) for piece in pieces), default=CLASSES)
        sums = np.zeros((told, self.steps, len(edges)))
        for piece, place in zip(pieces, _places(edges, (each.numbers for each in pieces)), strict=True):
            for column, values in zip(sums, piece.sums, strict=False):
                column[piece.steps, place] = values
        return sums

    def _instants_seen(self, edges: Integers, present: pa.Table, groups: Sequence[AnsweredAlike]) -> Integers:
        """At how many instants of each step a writer wholly saw each edge."""
        ends = edge_digits(edges)
        count = np.zeros((self.steps, len(edges)), np.int64)
        for group in groups:
            of = self.judge.names.of
            seen = told_by_any(group.tellers, of, *ends) & ~told_by_any(group.unseen, of, *ends)
            instants = np.bincount(self._step(_instants(present, group)), minlength=self.steps)
            count[:, seen] += instants[:, None]
        return count


def _plus(some: Floats, more: Floats) -> Floats:
    """The sum of what is known of both."""
    both: Floats = np.where(np.isnan(some), more, some + or_zero(more))
    return both


def or_zero(values: Floats) -> Floats:
    """What is not known counts for nothing. `numpy.nan_to_num` looks for infinities, too: four times as long."""
    known: Floats = np.where(np.isnan(values), 0.0, values)
    return known


def _name_and_merge(key: RuleKey, rule: Rule | None) -> tuple[str, Merge]:
    """What a rule measures, and how several values of an instant become one: as a graph has it."""
    if not isinstance(rule, MeasurementRule):
        return key[1], Merge.MAX
    return (CALLER if rule.witness is Witness.CALLER else "") + rule.measure, rule.merge


def _all_of(parts: Sequence[Integers]) -> Integers:
    return each_once(np.concatenate([np.zeros(0, np.int64), *parts]))


def _places(numbers: Integers, parts: Iterable[Integers]) -> Iterator[Integers]:
    """For each part, where its numbers stand among all of them."""
    order = np.argsort(numbers)
    for part in parts:
        yield order[np.searchsorted(numbers[order], part)]


def joined(before: Observed, after: Observed) -> tuple[Observed, int]:
    """Two windows as one, the second one right after the first; and by how much the first one was moved, in ms.

    What only one of them has was not there in the other: it has no rate there, and was not measured.
    """
    parts = before, after
    names = sorted({*before.names, *after.names})
    edges, of_edges = _together(names, parts, [part.edges for part in parts])
    nodes, of_nodes = _together(names, parts, [part.nodes for part in parts])
    rates = np.array(
        [
            _wide(parts, of_edges, of_class, len(edges))
            for of_class in zip(*(part.rates for part in parts), strict=True)
        ]
    )
    begin = 0
    for part, own in zip(parts, of_edges, strict=True):
        # Where something was seen at a step at all, an edge that is not there had no traffic.
        some = begin + np.flatnonzero(~np.isnan(part.rates).all(axis=(0, 2)))
        rates[:, some[:, None], np.setdiff1d(np.arange(len(edges)), own)] = 0.0
        begin += part.steps
    shift_ms = after.start_ms - before.steps * STEP_MS - before.start_ms
    return Observed(
        before.start_ms + shift_ms,
        before.steps + after.steps,
        names,
        edges,
        rates,
        _wide(parts, of_edges, [part.lost for part in parts], len(edges)),
        {
            name: _wide(parts, of_edges, [part.of_edges.get(name) for part in parts], len(edges))
            for name in sorted({*before.of_edges, *after.of_edges})
        },
        nodes,
        {
            name: _wide(parts, of_nodes, [part.of_nodes.get(name) for part in parts], len(nodes))
            for name in sorted({*before.of_nodes, *after.of_nodes})
        },
    ), shift_ms


def _together(
    names: Sequence[str], parts: Sequence[Observed], rows: Sequence[Integers]
) -> tuple[Integers, list[Integers]]:
    """The edges, or nodes, of all parts by their names, and where those of each stand among them."""
    place = {name: index for index, name in enumerate(names)}
    own = [
        [tuple(place[part.names[digit]] for digit in row) for row in each.tolist()]
        for part, each in zip(parts, rows, strict=True)
    ]
    every = sorted({row for each in own for row in each})
    index = {row: number for number, row in enumerate(every)}
    found = np.array(every, np.int64).reshape(-1, rows[0].shape[1])
    return found, [np.array([index[row] for row in each], np.int64) for each in own]


def _wide(
    parts: Sequence[Observed], own: Sequence[Integers], columns: Sequence[Floats | None], width: int
) -> Floats:
    """The columns of all parts, one after the other; NaN for what a part has not."""
    found = []
    for part, place, column in zip(parts, own, columns, strict=True):
        filled = np.full((part.steps, width), np.nan)
        if column is not None:
            filled[:, place] = column
        found.append(filled)
    return np.concatenate(found)
