"""What rules saw of edges, in columns. Pure; numpy inside.

Names, rules and statuses are numbers here (`Judge` knows what they mean). Samples come in, those of an edge,
a rule and an instant side by side; what goes out has one row for these:

    samples                                            a row of `RuleEdges`
    instant  rule  source  target  status  rate        instant  rule  source  target  normal  warning  danger
    05:00    http  cart    db      200     4.5
    05:00    http  cart    db      201     0.5         05:00    http  cart    db      5.0     0        0.25
    05:00    http  cart    db      503     0.25

Rates are added in one of two ways, both exact, so that no sum depends on the order in which rows or files
arrive (decision 0004):

- `rps`, the graph's: doubles, the sum of a class correctly rounded (`math.fsum`).
- `millionths`, those of windows: whole millionths of a request per second, each sample rounded to one, as 64-bit
  integers. Where those might not hold a sum, numpy is given Python's integers, by the same operations.

What must not be in here: what a class or a threshold means (`rulebook`, `notices`), and sums over rules
(`levels`, `totals`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from math import fsum
from typing import Protocol

import attrs
import numpy as np

from vistio_core.configuration.mapping import CLASSES
from vistio_core.configuration.model import Rule
from vistio_core.events import RuleKey
from vistio_core.judging.codes import NOTHING, Booleans, Integers, numbered, run_lengths
from vistio_core.samples import Floats

RulesSeen = list[tuple[RuleKey, Rule | None, slice | Integers]]
"""Rules in their order, each with the rows that it saw."""
MILLIONTHS = 1_000_000
_MOST_64_BITS = 2**62
_MOST_DOUBLE = 2**53
"""Up to here doubles add whole numbers exactly."""


class EdgeRows(Protocol):
    """Rows of edges, in columns: what rules saw (`RuleEdges`), or what is made of several such reports."""

    instant_ms: Integers
    """Of what was seen; or the number of a moment (`levels`)."""
    writer: Integers
    """Whose it is, as a number (`Judge.writers`)."""
    rulebook: Integers
    rule: Integers
    cluster: Integers
    source: Integers
    target: Integers

    def __len__(self) -> int: ...

    def where(self, rows: Booleans) -> EdgeRows:
        """Some of the rows."""

    @property
    def rules(self) -> RulesSeen:
        """Whose these rows are, in the order of the rules, and which of them."""

    @property
    def rps(self) -> Floats:
        """Requests per second: a row for each edge, a column for each class."""

    @property
    def millionths(self) -> Integers:
        """The same in whole millionths of a request per second."""

    @property
    def drawn_millionths(self) -> Integers:
        """What pictures are scaled by: of all classes, rounded up; what is negative does not count."""


class RuleEdges:
    """What rules saw of edges: one row for each instant, writer, rule and edge. Sums are made when asked for.

    Attributes:
        instant_ms: ascending within what one file holds.
        writer: whose it is, as a number (`Judge.writers`).
        rulebook: which one judges it, as a number (`Judge.rulebook`).
        rule: its number, as all that follow.
        cluster: the rule's, as a name.
        source: the edge's.
        target: the edge's.
        starts: where the samples of each row begin.
        status: of every sample.
        rate: of every sample, in requests per second.
    """

    COLUMNS = ("instant_ms", "writer", "rulebook", "rule", "cluster", "source", "target", "status", "rate")
    _OF_ROWS = 7

    def __init__(
        self,
        columns: Sequence[Integers],
        starts: Integers,
        classes_of: Callable[[RuleEdges], Integers],
        rules_of: Callable[[Integers, Integers], RulesSeen],
    ) -> None:
        """What these samples say.

        Args:
            columns: `COLUMNS`; the last two are of samples, those of a row side by side.
            starts: at which sample each row begins.
            classes_of: the column of each sample's class.
            rules_of: from rulebooks and rules to the rows of each pair.
        """
        self.columns = tuple(columns)
        self.instant_ms, self.writer, self.rulebook, self.rule = columns[:4]
        self.cluster, self.source, self.target, self.status, self.rate = columns[4:]
        self.starts = starts
        self._classes_of = classes_of
        self._rules_of = rules_of

    def __len__(self) -> int:
        return len(self.starts)

    @classmethod
    def joined(cls, parts: Sequence[RuleEdges]) -> RuleEdges:
        """The rows of all parts, one after the other; all of them were made by one `Judge`."""
        some = [part for part in parts if len(part)]
        if len(some) < 2:
            return some[0] if some else NO_EDGES
        offsets = np.cumsum([0, *(len(part.rate) for part in some[:-1])])
        return cls(
            [np.concatenate(column) for column in zip(*(part.columns for part in some), strict=True)],
            np.concatenate([part.starts + offset for part, offset in zip(some, offsets, strict=True)]),
            some[0]._classes_of,
            some[0]._rules_of,
        )

    def where(self, rows: Booleans) -> RuleEdges:
        """Some of the rows."""
        if rows.all():
            return self
        samples = np.repeat(rows, self.lengths)
        columns = [column[rows] for column in self.columns[: self._OF_ROWS]] + [
            column[samples] for column in self.columns[self._OF_ROWS :]
        ]
        lengths = self.lengths[rows]
        return RuleEdges(columns, np.cumsum(lengths) - lengths, self._classes_of, self._rules_of)

    @cached_property
    def lengths(self) -> Integers:
        """How many samples each row has."""
        return run_lengths(self.starts, len(self.rate))

    @cached_property
    def rules(self) -> RulesSeen:
        """Who saw these rows, in the order of the rules, and which of them."""
        return self._rules_of(self.rulebook, self.rule)

    @cached_property
    def _classes(self) -> Integers:
        return self._classes_of(self)

    @cached_property
    def rps(self) -> Floats:
        """Requests per second: a row for each edge, a column for each class; exactly rounded sums."""
        slots = np.repeat(np.arange(0, len(self) * CLASSES, CLASSES), self.lengths) + self._classes
        return _rounded_sums(slots, self.rate, len(self) * CLASSES).reshape(-1, CLASSES)

    @cached_property
    def millionths(self) -> Integers:
        """The same in whole millionths of a request per second."""
        exact = summable(np.rint(self.rate * MILLIONTHS).astype(np.int64))
        return np.column_stack(
            [self._added(np.where(self._classes == column, exact, 0)) for column in range(CLASSES)]
        )

    @cached_property
    def drawn_millionths(self) -> Integers:
        """What pictures are scaled by: of all classes, each rate rounded up; what is negative does not count."""
        drawn = np.ceil(np.maximum(self.rate, 0) * MILLIONTHS).astype(np.int64)
        return self._added(summable(drawn))

    def _added(self, values: Integers) -> Integers:
        return np.add.reduceat(values, self.starts)


NO_EDGES = RuleEdges(
    [NOTHING] * len(RuleEdges.COLUMNS), NOTHING, lambda edges: edges.status, lambda rulebooks, rules: []
)


@attrs.frozen(eq=False)
class EdgeSums:
    """Rates of edges, added over instants, rules and writers."""

    numbers: Integers
    """One number for each edge (`vistio_core.graph.numbering`), each once."""
    millionths: Integers
    """A row for each of ``numbers``, a column for each class, in millionths of a request per second."""

    @classmethod
    def none(cls) -> EdgeSums:
        """No edges."""
        return cls(np.zeros(0, np.int64), np.zeros((0, CLASSES), np.int64))

    @classmethod
    def added(cls, numbers: Integers, millionths: Integers) -> EdgeSums:
        """What ``numbers`` have in all, where they may come several times."""
        distinct, place = numbered(numbers)
        slots = place[:, None] * CLASSES + np.arange(CLASSES)
        sums = sums_by(slots.ravel(), millionths.ravel(), len(distinct) * CLASSES)
        return cls(distinct, sums.reshape(-1, CLASSES))

    def of(self, numbers: Integers) -> Integers:
        """What ``numbers`` have, a row for each; 0 where that is nothing."""
        if not len(self.numbers):
            return np.zeros((len(numbers), CLASSES), np.int64)
        order = np.argsort(self.numbers)
        place = np.minimum(np.searchsorted(self.numbers[order], numbers), len(order) - 1)
        own = order[place]
        return np.where((self.numbers[own] == numbers)[:, None], self.millionths[own], 0)

    def plus(self, numbers: Integers, millionths: Integers) -> EdgeSums:
        """With what more rows say."""
        return EdgeSums.added(
            np.concatenate([self.numbers, numbers]), np.concatenate([self.millionths, millionths])
        )


def summable(values: Integers) -> Integers:
    """``values``, as Python's integers where a sum of them all might not fit 64 bits."""
    if len(values) and int(abs(values).max()) * len(values) >= _MOST_64_BITS:
        return values.astype(object)
    return values


def sums_by(groups: Integers, values: Integers, number: int) -> Integers:
    """The exact sum of the values of each group; ``groups`` says for each value to which of ``number`` it belongs."""
    exact = summable(values)
    if exact.dtype != object and int(abs(values).max(initial=0)) * len(values) < _MOST_DOUBLE:
        return np.bincount(groups, values, number).astype(np.int64)  # in a quarter of the time
    sums = np.zeros(number, exact.dtype)
    np.add.at(sums, groups, exact)
    return sums


def _rounded_sums(slots: Integers, rates: Floats, number: int) -> Floats:
    """The exactly rounded sum of the rates in each slot; zero where there are none."""
    counts = np.bincount(slots)
    if counts.max(initial=0) < 2:
        alone_in_all = np.zeros(number)
        alone_in_all[slots] = rates
        return alone_in_all
    # Of one or two numbers a plain addition is exactly rounded already.
    sums: Floats = np.bincount(slots, weights=rates, minlength=number).astype(np.float64, copy=False)
    if np.signbit(rates).any():
        alone = counts[slots] == 1
        sums[slots[alone]] = rates[alone]  # as it is: 0.0 + -0.0 would lose the sign
    many = counts[slots] > 2
    if many.any():
        gathered: dict[int, list[float]] = {}
        for slot, rate in zip(slots[many].tolist(), rates[many].tolist(), strict=True):
            gathered.setdefault(slot, []).append(rate)
        for slot, values in gathered.items():
            sums[slot] = fsum(values)
    return sums
