"""What an hour's timelines of single edges and nodes are made of, minute by minute. Pure; numpy inside.

A timeline of one edge needs its rates alone. By instant, those of all edges would be the log again; by
minute they are a fifteenth of it. For each minute: the sum of the rates of its instants (the mean is
divided once, by whoever reads), and the most edges and notices that one of its instants had.

An edge counts for five subjects: itself, `from` its source, `to` its target, and each end as a node (once, where the
ends are one):

    instant    edge        rates         edge cart>db    from cart    to db    node cart    node db
    05:00:00   cart>db     5.0, 0, 0     5.0             5.0          5.0      5.0          5.0
    05:00:10   cart>db     7.0, 0, 1.0   7.0             7.0          7.0      7.0          7.0
    05:00      normal, the sum           12.0            12.0         12.0     12.0         12.0
               edges, the most           1               1            1        1            1

Sums are whole millionths, so they are exact in any order; counts are the most, for an edge that is there at each
instant of a minute is one edge. What several writers saw is kept apart: each has instants of its own.

What must not be in here: files and their compression (`replay.rollups.subjects`), and means.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from heapq import merge
from typing import Literal, NamedTuple

import attrs
import numpy as np
import pyarrow as pa

from vistio_core.errors import RecordingError
from vistio_core.graph.numbering import edge_digits
from vistio_core.judging.codes import Integers
from vistio_core.judging.judge import Judge
from vistio_core.judging.notices import NodeNotices, counts_on_edges
from vistio_core.judging.rule_edges import EdgeRows, summable, sums_by
from vistio_core.judging.subject import Subject
from vistio_core.judging.totals import COUNTS, RATES, TOTALS, decimals, distinct_edges
from vistio_core.times import HOUR_MS, MINUTE_MS

MINUTES = HOUR_MS // MINUTE_MS
VALUES = len(RATES) + len(COUNTS)
"""For each minute of a subject: `RATES`, in millionths of a request per second, then `COUNTS`."""
_AT_ONCE = 512
"""Subjects whose values are put together at a time: 2 MB."""

Kind = Literal["edge", "from", "node", "to"]


class Whose(NamedTuple):
    """Of a subject's values: who saw it, and in which cluster."""

    cluster: str
    writer: str


@attrs.frozen(order=True)
class SubjectKey:
    """An edge; or a node with the edges from it, to it, or both. In the order in which they are kept."""

    kind: Kind
    source: str
    target: str
    cluster: str = ""
    writer: str = ""
    """Who saw it."""

    @classmethod
    def of(cls, subject: Subject) -> SubjectKey | None:
        """The key of a subject in any cluster, by any writer; None for one that has no minutes."""
        if subject.node is not None:
            alone = subject.source is None and subject.target is None
            return cls("node", subject.node, "") if alone else None
        if subject.source is not None and subject.target is not None:
            return cls("edge", subject.source, subject.target)
        if subject.source is not None:
            return cls("from", subject.source, "")
        return cls("to", "", subject.target) if subject.target is not None else None


class HourOfMinutes:
    """Gathers the minutes of all subjects of an hour, piece by piece."""

    def __init__(self, judge: Judge, hour_ms: int) -> None:
        self._judge = judge
        self._hour_ms = hour_ms
        self._groups: dict[tuple[Kind, int], _Group] = {}
        """By kind, and the number of the writer."""

    def add(self, edges: EdgeRows, notices: NodeNotices) -> None:
        """A piece of the hour; every minute stands in one of them.

        Raises:
            RecordingError: the rates are so high that their sums do not fit.
        """
        for writer in np.union1d(edges.writer, notices.writer).tolist():
            self._add(writer, edges.where(edges.writer == writer), notices.where(notices.writer == writer))

    def _add(self, writer: int, edges: EdgeRows, notices: NodeNotices) -> None:
        judge, zero = self._judge, np.zeros_like(edges.source)
        instants, at = np.unique(np.concatenate([edges.instant_ms, notices.instant_ms]), return_inverse=True)
        at_edges, at_nodes = at[: len(edges)], at[len(edges) :]
        numbers = judge.edge_numbers(edges.cluster, edges.source, edges.target)
        first = np.zeros(len(edges), np.int64)
        first[distinct_edges(at_edges, numbers)] = 1
        columns = [*edges.millionths.T, first, *counts_on_edges(edges)]
        minutes = (instants - self._hour_ms) // MINUTE_MS
        from_numbers = judge.edge_numbers(edges.cluster, edges.source, zero)
        to_numbers = judge.edge_numbers(edges.cluster, edges.target, zero)
        self._group("edge", writer).add(minutes, at_edges, numbers, columns)
        self._group("from", writer).add(minutes, at_edges, from_numbers, columns)
        self._group("to", writer).add(minutes, at_edges, to_numbers, columns)
        # An edge from a node to itself is one edge of it.
        others = edges.target != edges.source
        none = np.zeros(len(notices.node), np.int64)
        raised = [(notices.severity == severity).astype(np.int64) for severity in range(3)]
        of_nodes = [none, none, none, none, *raised]
        self._group("node", writer).add(
            minutes,
            np.concatenate([at_edges, at_edges[others], at_nodes]),
            np.concatenate(
                [
                    from_numbers,
                    to_numbers[others],
                    judge.edge_numbers(notices.cluster, notices.node, np.zeros_like(notices.node)),
                ]
            ),
            # One at a time: together they are the largest of all that is in memory for a piece.
            (
                np.concatenate([column, column[others], own])
                for column, own in zip(columns, of_nodes, strict=True)
            ),
        )

    def _group(self, kind: Kind, writer: int) -> _Group:
        return self._groups.setdefault((kind, writer), _Group())

    def subjects(self) -> Iterator[tuple[SubjectKey, Integers]]:
        """Every subject, in the order of keys, with its values: `VALUES` rows of `MINUTES` 64-bit integers."""
        of_writers = (self._subjects(kind, writer, group) for (kind, writer), group in self._groups.items())
        yield from merge(*of_writers, key=lambda each: each[0])

    def _subjects(self, kind: Kind, writer: int, group: _Group) -> Iterator[tuple[SubjectKey, Integers]]:
        name = self._judge.writers.values[writer]
        rows = sorted((self._key(kind, number, name), number) for number in group.keys().tolist())
        for start in range(0, len(rows), _AT_ONCE):
            some = rows[start : start + _AT_ONCE]
            values = group.values(np.array([number for _, number in some], np.int64))
            yield from zip((key for key, _ in some), values, strict=True)

    def _key(self, kind: Kind, number: int, writer: str) -> SubjectKey:
        """From a group's number: of nodes, the one that counts is the first."""
        cluster, one, other = (self._judge.names.values[digit] for digit in edge_digits(number))
        source = "" if kind == "to" else one
        target = {"edge": other, "to": one}.get(kind, "")
        return SubjectKey(kind, source, target, cluster, writer)


def totals_by_minute(hour_ms: int, whose: Whose, values: Integers, minutes: Integers) -> pa.Table:
    """Some minutes of a subject as totals, each at its start; the columns are those of `TOTALS`."""
    rates, counts = values[: len(RATES), minutes], values[len(RATES) :, minutes]
    number = len(minutes)
    instants = hour_ms + minutes * MINUTE_MS
    alike = np.zeros(number, np.int32)
    columns = [
        pa.array(instants),
        *(pa.DictionaryArray.from_arrays(alike, [text]) for text in (whose.writer, whose.cluster)),
        *(decimals(column) for column in rates),
        *(pa.array(column) for column in counts),
    ]
    return pa.Table.from_arrays(columns, schema=TOTALS)


@attrs.frozen(eq=False)
class _Minutes:
    """Some minutes of the subjects that were seen in them."""

    keys: Integers
    """Ascending."""
    minutes: Integers
    columns: dict[int, Integers]
    """Index of a value to a row for each minute, a column for each key. One of nothing but zeros is left out."""


class _Group:
    """The minutes of all subjects of one kind.

    Kept as they come: most subjects have no notices, and a table of all values of all subjects is twice
    as large, four times while it grows.
    """

    def __init__(self) -> None:
        self._pieces: list[_Minutes] = []

    def add(self, minutes: Integers, at: Integers, keys: Integers, columns: Iterable[Integers]) -> None:
        """Rows: the index of each one's instant, the subject's key, and its columns.

        ``minutes`` has the minute of every instant, ascending.
        """
        if not len(keys):
            return
        # Keys 7 9 7 at the instants 0 0 1: the subjects 7 9, and the cells (instant by subject) 0 1 2.
        subjects, rows = np.unique(keys, return_inverse=True)
        cells = at * len(subjects) + rows
        begins = np.flatnonzero(np.diff(minutes, prepend=-1))
        kept: dict[int, Integers] = {}
        for index, column in enumerate(columns):
            if not column.any():
                continue
            sums = sums_by(cells, column, len(minutes) * len(subjects))
            by_instant = summable(sums).reshape(len(minutes), len(subjects))
            gathered = (np.add if index < len(RATES) else np.maximum).reduceat(by_instant, begins, axis=0)
            try:
                kept[index] = gathered.astype(np.int64)
            except OverflowError:
                raise RecordingError("rates of edges are too high to be kept by minute") from None
        self._pieces.append(_Minutes(subjects, minutes[begins], kept))

    def keys(self) -> Integers:
        """Of all subjects, ascending."""
        return np.unique(np.concatenate([np.zeros(0, np.int64), *(piece.keys for piece in self._pieces)]))

    def values(self, keys: Integers) -> Integers:
        """For each of ``keys``: `VALUES` rows of `MINUTES` values, 0 where it was not seen."""
        found = np.zeros((len(keys), VALUES, MINUTES), np.int64)
        for piece in self._pieces:
            # The keys 3 7 9 in a piece that has 7 9: its places 0 0 1, of which the first is another's.
            place = np.minimum(np.searchsorted(piece.keys, keys), len(piece.keys) - 1)
            there = np.flatnonzero(piece.keys[place] == keys)
            for index, column in piece.columns.items():
                found[there[:, None], index, piece.minutes] = column[:, place[there]].T
        return found
