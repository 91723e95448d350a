"""The samples of an instant, one by one or in columns. No I/O.

Ten thousand edges are thirty thousand samples, scrape after scrape. A recorder that makes an object of
each spends most of its time on that; in columns, whoever has names and numbers already passes them on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import starmap
from typing import Any, NamedTuple, TypeVar, overload

import numpy as np
import pyarrow as pa

Floats = np.ndarray[Any, np.dtype[np.float64]]
Integers = np.ndarray[Any, np.dtype[np.int64]]
T = TypeVar("T")


class Sample(NamedTuple):
    """The rate of requests with one status on one edge, as one rule saw it."""

    cluster: str
    """The cluster whose rule this is; ``GLOBAL_LEVEL`` for traffic between clusters."""
    rule: str
    """Id of the rule, unique within its cluster and configuration."""
    source: str
    target: str
    status: str
    """The raw value of the status label; empty where the rule or series has none."""
    rate: float
    """Requests per second, finite; negative only if the query really says so."""


class Texts(NamedTuple):
    """A column of texts: each is there once, and a number says where."""

    values: Sequence[str]
    """Each once; some may be used by none."""
    place: Integers
    """Index into ``values``, for each row."""

    @classmethod
    def of(cls, column: Iterable[str]) -> Texts:
        known: dict[str, int] = {}
        place = [known.setdefault(text, len(known)) for text in column]
        return cls(tuple(known), np.array(place, np.int64))

    @classmethod
    def of_column(cls, column: pa.ChunkedArray) -> Texts:
        """Of a column of texts without nulls, plain or a dictionary's."""
        array = column.combine_chunks()
        if not pa.types.is_dictionary(array.type):
            array = array.dictionary_encode()
        return cls(array.dictionary.to_pylist(), array.indices.to_numpy().astype(np.int64))

    @classmethod
    def joined(cls, columns: Sequence[Texts]) -> Texts:
        known: dict[str, int] = {}
        moved = [
            np.array([known.setdefault(text, len(known)) for text in each.values], np.int64)[each.place]
            for each in columns
        ]
        return cls(tuple(known), np.concatenate(moved))

    def rows(self) -> list[str]:
        return list(map(self.values.__getitem__, self.place.tolist()))

    def ranked(self) -> Texts:
        """The same rows; the values are sorted, so that places compare as texts do, and all are used."""
        used = np.flatnonzero(np.bincount(self.place, minlength=len(self.values))).tolist()
        used.sort(key=self.values.__getitem__)
        rank = np.zeros(len(self.values), np.int64)
        rank[used] = np.arange(len(used))
        return Texts(tuple([self.values[index] for index in used]), rank[self.place])


class Samples(Sequence[Sample]):
    """A sequence of `Sample`, equal to any other sequence of the same ones.

    Attributes:
        keys: cluster, rule, source, target and status.
        rates: requests per second.
    """

    def __init__(self, keys: Sequence[Texts], rates: Floats) -> None:
        self.keys = tuple(keys)
        self.rates = rates

    @classmethod
    def of(cls, samples: Iterable[Sample]) -> Samples:
        """The same samples in columns."""
        if isinstance(samples, Samples):
            return samples
        columns = list(zip(*samples, strict=True)) or [()] * len(Sample._fields)
        return cls([Texts.of(column) for column in columns[:-1]], np.array(columns[-1], np.float64))

    @classmethod
    def joined(cls, parts: Iterable[Sequence[Sample]]) -> Samples:
        """The samples of all parts, one part after the other."""
        of = [cls.of(part) for part in parts if len(part)]
        if len(of) < 2:
            return of[0] if of else cls.of(())
        columns = zip(*(part.keys for part in of), strict=True)
        return cls([Texts.joined(column) for column in columns], np.concatenate([part.rates for part in of]))

    def rules(self) -> set[tuple[str, str]]:
        """Cluster and rule of each."""
        cluster, rule = self.keys[:2]
        both = np.unique(cluster.place * max(1, len(rule.values)) + rule.place).tolist()
        return {
            (cluster.values[each // len(rule.values)], rule.values[each % len(rule.values)]) for each in both
        }

    def first_twice(self) -> int | None:
        """Index of the first one whose key a sample before it has; None where all keys differ."""
        key = np.zeros(len(self), np.int64)
        for column in self.keys:
            key = key * max(1, len(column.values)) + column.place
        ordered = np.sort(key)
        if not (ordered[1:] == ordered[:-1]).any():
            return None
        seen: set[int] = set()
        for index, each in enumerate(key.tolist()):
            if each in seen:
                return index
            seen.add(each)
        return None

    @cached_property
    def _made(self) -> tuple[Sample, ...]:
        rows = zip(*(column.rows() for column in self.keys), self.rates.tolist(), strict=True)
        return tuple(starmap(Sample, rows))

    def __len__(self) -> int:
        return len(self.rates)

    @overload
    def __getitem__(self, index: int) -> Sample: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Sample, ...]: ...
    def __getitem__(self, index: int | slice) -> Sample | tuple[Sample, ...]:
        return self._made[index]

    def __iter__(self) -> Iterator[Sample]:
        return iter(self._made)

    def __eq__(self, other: object) -> bool:
        return self._made == tuple(other) if isinstance(other, Sequence) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._made)

    def __repr__(self) -> str:
        return repr(self._made)
