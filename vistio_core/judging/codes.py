"""Texts and other values as numbers, so that numpy can work with them. Pure.

A column of texts from Parquet is a dictionary and places in it, anew in each file. `Codes` gives each text one number
for all files of a question, in the order in which texts come; each distinct text is looked up once:

    file 1   dictionary  cart db         places  0 0 1       codes  0 0 1
    file 2   dictionary  db web          places  0 1 0       codes  1 2 1
    ranks    by code, the place among the sorted ones        cart 0, db 1, web 2

What must not be in here: what a text means. Numbers of one `Codes` mean nothing to another one.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from itertools import pairwise
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from vistio_core.samples import Texts

Integers = npt.NDArray[Any]
"""64-bit integers, or Python's where those might not do."""
Booleans = npt.NDArray[np.bool_]
NOTHING: Integers = np.zeros(0, np.int64)
Value = TypeVar("Value", bound=Hashable)

_MOST_CASES = 2**20
"""Above this, sorting is cheaper than a table of all that there could be."""


class Codes(Generic[Value]):
    """Numbers values in the order in which they come, from 0."""

    def __init__(self) -> None:
        self._codes: defaultdict[Value, int] = defaultdict(itertools.count().__next__)
        self._values: list[Value] = []

    def __len__(self) -> int:
        return len(self._codes)

    @property
    def values(self) -> list[Value]:
        """The values by their codes."""
        if len(self._values) != len(self._codes):
            self._values = list(self._codes)
        return self._values

    def ranks(self) -> tuple[list[Value], Integers]:
        """The values sorted, and by code the place of each among them."""
        values = self.values
        order = sorted(range(len(values)), key=values.__getitem__)  # type: ignore[arg-type]  # who asks has texts
        ranks = np.empty(len(order), np.int64)
        ranks[order] = np.arange(len(order))
        return [values[code] for code in order], ranks

    def of(self, value: Value) -> int:
        return self._codes[value]

    def of_all(self, values: Iterable[Value]) -> Integers:
        return np.fromiter(map(self._codes.__getitem__, values), np.int64)


def numbered(values: Integers) -> tuple[Integers, Integers]:
    """The distinct values, and for each of ``values`` which of them it is: of 9 7 9 these are 9 7, and 0 1 0."""
    # By hash: sorting takes five times as long.
    encoded = pa.array(values, pa.int64()).dictionary_encode()
    return numbers(encoded.dictionary), numbers(encoded.indices).astype(np.int64)


def mapped(cases: Integers, number: int, of: Callable[[int], int]) -> Integers:
    """``of`` each of ``cases``, which are below ``number``; it is asked once for each distinct one."""
    if number > _MOST_CASES:
        each, inverse = np.unique(cases, return_inverse=True)
        return np.array([of(case) for case in each.tolist()], np.int64)[inverse]
    found = np.zeros(number, np.int64)
    for case in np.bincount(cases).nonzero()[0].tolist():
        found[case] = of(case)
    return found[cases]


def rows_of(cases: Integers) -> dict[int, slice | Integers]:
    """Each of ``cases``, ascending, to the rows where it stands.

    Those of a file of one instant lie side by side, as a slice: 4 4 2 is {2: rows 2 to 3, 4: rows 0 to 2}. Of 4 2 4 the
    rows of 4 are listed: {2: [1], 4: [0, 2]}.
    """
    starts = run_starts([cases])
    there = cases[starts].tolist()
    distinct = sorted(set(there))
    if len(distinct) == len(there):
        runs = zip(there, pairwise([*starts.tolist(), len(cases)]), strict=True)
        return {case: slice(*run) for case, run in sorted(runs)}
    return {case: np.flatnonzero(cases == case) for case in distinct}


def run_starts(columns: Sequence[Integers]) -> Integers:
    """The rows that differ from the one before them in some column; the first one always does.

    Of the columns 1 1 1 2 and 5 5 6 6 these are 0, 2, 3.
    """
    begins = np.ones(len(columns[0]), bool)
    differs = begins[1:]
    np.not_equal(columns[0][1:], columns[0][:-1], out=differs)
    for column in columns[1:]:
        differs |= column[1:] != column[:-1]
    return begins.nonzero()[0]


def run_lengths(starts: Integers, rows: int) -> Integers:
    """How long each run of ``rows`` is: of the starts 0, 2, 3 of four rows these are 2, 1, 1."""
    lengths = np.empty(len(starts), np.int64)
    np.subtract(starts[1:], starts[:-1], out=lengths[:-1])
    lengths[-1:] = rows - starts[-1:]
    return lengths


def texts_of(column: pa.Array) -> Texts:
    """A column of texts without nulls, plain or a dictionary's."""
    encoded = column.dictionary_encode()  # of a dictionary's, the column itself
    return Texts(encoded.dictionary.to_pylist(), numbers(encoded.indices))


def translated(texts: Texts, codes: Codes[str]) -> Integers:
    """A column of texts as codes: every distinct text is looked up once."""
    return codes.of_all(texts.values)[texts.place]


def numbers(column: pa.Array) -> npt.NDArray[Any]:
    """A column without nulls."""
    # `to_numpy` would import pandas where it is installed, which takes half a second.
    return np.from_dlpack(column)
