"""Values as numbers: each has one, in the order in which they come; what they mean is asked once."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from vistio_core.judging.codes import (
    NOTHING,
    Codes,
    mapped,
    numbered,
    rows_of,
    run_lengths,
    run_starts,
    texts_of,
    translated,
)


def test_a_text_has_one_number_in_all_files() -> None:
    codes = Codes[str]()
    files = ["db", "db", "cart"], ["cart", "web", "cart"]
    found = [translated(texts_of(pa.array(texts)), codes).tolist() for texts in files]
    assert found == [[0, 0, 1], [1, 2, 1]]
    assert codes.values == ["db", "cart", "web"]
    names, ranks = codes.ranks()
    assert (names, ranks.tolist()) == (["cart", "db", "web"], [1, 0, 2])


def test_values_that_come_later_are_known_by_their_numbers_too() -> None:
    codes = Codes[str]()
    assert (codes.of("a"), codes.values) == (0, ["a"])
    assert (codes.of("b"), codes.of("a"), codes.values, len(codes)) == (1, 0, ["a", "b"], 2)


def test_a_column_of_a_dictionary_is_taken_as_it_is() -> None:
    column = pa.DictionaryArray.from_arrays(pa.array([1, 0, 1]), ["unused", "used", "nobody"])
    texts = texts_of(column)
    assert (list(texts.values), texts.place.tolist()) == (["unused", "used", "nobody"], [1, 0, 1])


def test_distinct_values_are_numbered_in_the_order_in_which_they_come() -> None:
    distinct, place = numbered(np.array([9, 7, 9]))
    assert (distinct.tolist(), place.tolist()) == ([9, 7], [0, 1, 0])
    assert place.dtype == np.int64, "sums of products of them are to fit"


@pytest.mark.parametrize("number", [8, 2**20, 2**20 + 1, 2**60])
def test_what_a_case_means_is_asked_once_however_many_there_could_be(number: int) -> None:
    asked: list[int] = []

    def of(case: int) -> int:
        asked.append(case)
        return case * 3

    assert mapped(np.array([5, 1, 5, 7, 1]), number, of).tolist() == [15, 3, 15, 21, 3]
    assert sorted(asked) == [1, 5, 7]
    assert {type(case) for case in asked} == {int}, "they are divided, and places in lists"


def test_rows_of_a_case_are_a_slice_where_they_lie_side_by_side() -> None:
    together = rows_of(np.array([4, 4, 2]))
    assert list(together.items()) == [(2, slice(2, 3)), (4, slice(0, 2))]
    apart = rows_of(np.array([8, 1, 8]))
    assert [(case, np.arange(3)[rows].tolist()) for case, rows in apart.items()] == [(1, [1]), (8, [0, 2])]
    assert rows_of(NOTHING) == {}


def test_a_run_begins_where_some_column_differs() -> None:
    starts = run_starts([np.array([1, 1, 1, 2]), np.array([5, 5, 6, 6])])
    assert starts.tolist() == [0, 2, 3]
    assert run_lengths(starts, 4).tolist() == [2, 1, 1]
    assert run_starts([NOTHING, NOTHING]).tolist() == run_lengths(NOTHING, 0).tolist() == []
