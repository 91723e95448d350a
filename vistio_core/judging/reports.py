"""Rows of edges on which two witnesses are made one (`witnesses`): what totals, graphs and frames are made of. Pure.

    a row of `RuleEdges`                              a row of `ToldEdges`
    05:00  http-caller  cart  db   7  0  3
    05:00  http-called  cart  db   7  0  0            05:00  http-called  cart  db   7  0  3   told by both, 3 lost

A row belongs to a rule of the called side where one tells of the edge, else to one of the callers': that rule's
notices look at it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from vistio_core.configuration.mapping import CLASSES
from vistio_core.configuration.model import ConnectionRule, Witness
from vistio_core.graph.numbering import node_number
from vistio_core.judging.codes import Booleans, Integers, numbered
from vistio_core.judging.judge import Judge
from vistio_core.judging.rule_edges import MILLIONTHS, EdgeRows, RuleEdges, RulesSeen
from vistio_core.judging.witnesses import UNKNOWN, Reports, reconciled
from vistio_core.samples import Floats


class ToldEdges:
    """What is known of edges: a row for each instant (or moment) and edge, or for each rule without a witness too."""

    COLUMNS = ("instant_ms", "writer", "rulebook", "rule", "cluster", "source", "target")

    def __init__(
        self,
        judge: Judge,
        columns: Sequence[Integers],
        rps: Floats,
        millionths: Integers,
        drawn_millionths: Integers,
        told: Integers,
        lost_rps: Floats,
    ) -> None:
        """Rows.

        Args:
            judge: who made them.
            columns: `COLUMNS`.
            rps: see `EdgeRows`, as the two that follow.
            millionths: whole numbers.
            drawn_millionths: whole numbers.
            told: `BY_CALLER`, `BY_CALLED`, or the sum of both; 0 for what has no witness.
            lost_rps: sent and not received; NaN where that is not known.
        """
        self._judge = judge
        self.instant_ms, self.writer, self.rulebook, self.rule = columns[:4]
        self.cluster, self.source, self.target = columns[4:]
        self.rps, self.millionths, self.drawn_millionths = rps, millionths, drawn_millionths
        self.told, self.lost_rps = told, lost_rps

    def __len__(self) -> int:
        return len(self.instant_ms)

    def where(self, rows: Booleans) -> ToldEdges:
        """Some of the rows."""
        return ToldEdges(
            self._judge,
            [getattr(self, name)[rows] for name in self.COLUMNS],
            self.rps[rows],
            self.millionths[rows],
            self.drawn_millionths[rows],
            self.told[rows],
            self.lost_rps[rows],
        )

    @cached_property
    def rules(self) -> RulesSeen:
        return self._judge.rules_of(self.rulebook, self.rule)


BY_CALLER, BY_CALLED = 1, 2
_WITNESSES = {Witness.CALLER: BY_CALLER, Witness.CALLED: BY_CALLED}


def witness_of(edges: RuleEdges) -> Integers:
    """For each row, whose report it is: `BY_CALLER`, `BY_CALLED`, or 0."""
    witness = np.zeros(len(edges), np.int64)
    for _, rule, rows in edges.rules:
        if isinstance(rule, ConnectionRule) and rule.witness is not None:
            witness[rows] = _WITNESSES[rule.witness]
    return witness


def judged(judge: Judge, edges: RuleEdges) -> EdgeRows:
    """What all writers saw at some instants, with the reports of witnesses made one.

    Args:
        judge: who made the rows.
        edges: all rows of each of the instants.
    """
    witness = witness_of(edges)
    if not witness.any():
        return edges
    plain, reports = edges.where(witness == 0), edges.where(witness != 0)
    told = told_at(judge, reports, witness[witness != 0], np.arange(len(reports)), reports.instant_ms)
    return _joined(judge, plain, told)


def existing(judge: Judge, parts: Sequence[RuleEdges], judged: Sequence[EdgeRows]) -> list[RuleEdges]:
    """What rules saw of edges that there are: an unknown caller may have turned out to be a known one.

    Args:
        judge: who made the rows.
        parts: what rules saw.
        judged: all that was made of it.
    """
    if not any(isinstance(rows, ToldEdges) for rows in judged):
        return list(parts)
    numbers = [judge.edge_numbers(rows.cluster, rows.source, rows.target) for rows in judged]
    return [
        edges.where(
            np.isin(judge.edge_numbers(edges.cluster, edges.source, edges.target), np.concatenate(numbers))
        )
        for edges in parts
    ]


def told_at(
    judge: Judge, edges: RuleEdges, witness: Integers, rows: Integers, moments: Integers
) -> ToldEdges:
    """The reports of witnesses at some moments, made one.

    Args:
        judge: who made the rows.
        edges: the reports.
        witness: `witness_of` them.
        rows: those that count; where one is shown at several moments, several times.
        moments: of each of ``rows``, when it is shown.
    """
    times, moment = numbered(moments)
    own = judge.edge_numbers(edges.cluster[rows], edges.source[rows], edges.target[rows])
    numbers, edge = numbered(own)
    cells = moment * len(numbers) + edge
    shape = len(times), len(numbers)
    owner = np.zeros(len(times) * len(numbers), np.int64)
    rank = _ranks(edges)
    said: dict[int, tuple[Floats, Booleans]] = {}
    for side in (BY_CALLER, BY_CALLED):
        here = np.flatnonzero(witness[rows] == side)
        here = here[np.argsort(-rank[rows[here]], kind="stable")]
        owner[cells[here]] = rows[here]  # of several rules, the first one: it comes last
        by_side = np.zeros(len(owner), bool)
        by_side[cells[here]] = True
        rps = _added(cells[here], edges.rps[rows[here]], len(owner))
        said[side] = rps.reshape(*shape, CLASSES), by_side.reshape(shape)
    first = np.zeros(len(numbers), np.int64)
    first[edge] = rows
    told = reconciled(
        Reports(
            caller=said[BY_CALLER][0],
            called=said[BY_CALLED][0],
            by_caller=said[BY_CALLER][1],
            by_called=said[BY_CALLED][1],
            targets=numbered(node_number(edges.target[first], edges.cluster[first]))[1],
            unknown=edges.source[first] == judge.names.of(UNKNOWN),
        )
    )
    who = (BY_CALLER * told.by_caller + BY_CALLED * told.by_called).reshape(-1)
    known = np.flatnonzero(who)
    of = owner[known]
    rps = told.rps.reshape(-1, CLASSES)[known]
    return ToldEdges(
        judge,
        [
            times[known // len(numbers)],
            *(getattr(edges, name)[of] for name in ToldEdges.COLUMNS[1:]),
        ],
        rps,
        _integers(np.rint(rps * MILLIONTHS)),
        _integers(np.ceil(rps * MILLIONTHS)).sum(axis=1),
        who[known],
        told.lost_rps.reshape(-1)[known],
    )


def _ranks(edges: RuleEdges) -> Integers:
    """For each row, the place of its rule among the others."""
    ranks = np.zeros(len(edges), np.int64)
    for place, (_, _, rows) in enumerate(edges.rules):
        ranks[rows] = place
    return ranks


def _added(cells: Integers, rps: Floats, number: int) -> Floats:
    """The sum of the rows of each cell, by class. Of several they are added by size, so in the same order always."""
    sums = np.zeros((CLASSES, number))
    for column, rates in zip(sums, rps.T, strict=True):
        order = np.argsort(rates, kind="stable")
        np.add.at(column, cells[order], rates[order])
    return sums.T


def _integers(values: Floats) -> Integers:
    """Whole numbers of rows as integers: Python's where 64 bits might not hold the sum of a row."""
    if values.max(initial=0.0) * CLASSES < 2.0**63:
        return values.astype(np.int64)
    return np.array([int(each) for each in values.ravel().tolist()], object).reshape(values.shape)


def _joined(judge: Judge, plain: RuleEdges, told: ToldEdges) -> ToldEdges:
    """The rows of both."""
    return ToldEdges(
        judge,
        [np.concatenate([getattr(plain, name), getattr(told, name)]) for name in ToldEdges.COLUMNS],
        np.concatenate([plain.rps, told.rps]),
        np.concatenate([plain.millionths, told.millionths]),
        np.concatenate([plain.drawn_millionths, told.drawn_millionths]),
        np.concatenate([np.zeros(len(plain), np.int64), told.told]),
        np.concatenate([np.full(len(plain), np.nan), told.lost_rps]),
    )
