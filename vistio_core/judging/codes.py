"""Texts and other values as numbers, so that numpy can work with them. Pure."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Integers = npt.NDArray[Any]
"""64-bit integers, or Python's where those might not do."""
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

    def of(self, value: Value) -> int:
        return self._codes[value]

    def of_all(self, values: Iterable[Value]) -> Integers:
        return np.fromiter(map(self._codes.__getitem__, values), np.int64)


def numbered(values: Integers) -> tuple[Integers, Integers]:
    """The distinct values, and for each of ``values`` which of them it is."""
    # By hash: sorting takes five times as long.
    encoded = pa.array(values, pa.int64()).dictionary_encode()
    return numbers(encoded.dictionary), numbers(encoded.indices).astype(np.int64)


def mapped(cases: Integers, number: int, of: Callable[[int], int]) -> Integers:
    """``of`` each of ``cases``, which are below ``number``; it is asked once for each distinct one."""
    if number > _MOST_CASES:
        each, inverse = np.unique(cases, return_inverse=True)
        return np.array([of(case) for case in each.tolist()], np.int64)[inverse]
    found = np.zeros(number, np.int64)
    for case in distinct(cases, number):
        found[case] = of(case)
    return found[cases]


def distinct(cases: Integers, number: int) -> list[int]:
    """Each of ``cases``, which are below ``number``, once, ascending."""
    if number > _MOST_CASES:
        return list(np.unique(cases).tolist())
    return list(np.flatnonzero(np.bincount(cases, minlength=number)).tolist())


def translated(column: pa.Array, codes_of: Callable[[list[str]], Integers]) -> Integers:
    """A column of texts as codes: every distinct text is looked up once."""
    column = column if isinstance(column, pa.DictionaryArray) else column.dictionary_encode()
    codes = codes_of([text or "" for text in column.dictionary.to_pylist()])
    return codes[numbers(column.indices)] if len(column) else codes[:0]


def numbers(column: pa.Array) -> npt.NDArray[Any]:
    """A column without nulls."""
    # `to_numpy` would import pandas where it is installed, which takes half a second.
    return np.from_dlpack(column)
