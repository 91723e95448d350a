"""Where a matrix, the answer to a range query, is most likely to differ from live answers: against plain Python."""

from __future__ import annotations

import hypothesis.strategies as st
import msgspec
import pytest
from hypothesis import example, given

from vistio_record.sources.answer import QueryAnswer, RangeSeries, Series
from vistio_record.sources.matrix import Labels, alike, at_end, first_vanishing, labels_of

STEP_MS = 10_000
PART = range(50_000, 90_000, STEP_MS)  # :50, :60, :70, :80

present = st.dictionaries(st.sampled_from("ab"), st.sets(st.sampled_from(PART)), max_size=2)
names = st.frozensets(st.sampled_from("ab"))


def matrix(at: dict[str, set[int]]) -> list[RangeSeries]:
    """Series by name, each with a value at some instants."""
    return [
        RangeSeries(raw(name), [(instant_ms / 1000, "1") for instant_ms in sorted(instants)])
        for name, instants in at.items()
    ]


def raw(name: str) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode({"name": name}))


def labels(some: frozenset[str] | set[str]) -> frozenset[Labels]:
    return frozenset(labels_of({"name": name}) for name in some)


@given(present, names)
@example({"a": {60_000, 70_000, 80_000}}, frozenset("a"))  # vanished between two parts, and came back
@example({"a": {50_000, 70_000}}, frozenset())  # vanished within, and came back
@example({"a": {50_000, 60_000, 70_000, 80_000}}, frozenset("b"))
@example({"a": set()}, frozenset("a"))
def test_the_first_vanishing_is_the_first_instant_without_what_was_there_before(
    at: dict[str, set[int]], before: frozenset[str]
) -> None:
    known = [set(before), *({name for name in at if instant in at[name]} for instant in PART)]
    expected = next((instant for index, instant in enumerate(PART) if known[index] - known[index + 1]), None)
    assert first_vanishing(matrix(at), PART, labels(before)) == expected


@given(present)
@example({"a": {50_000}, "b": {50_000, 80_000}})
def test_at_the_end_is_what_has_a_value_at_the_last_instant(at: dict[str, set[int]]) -> None:
    assert at_end(matrix(at), PART) == labels({name for name in at if PART[-1] in at[name]})


@pytest.mark.parametrize(
    ("live", "same"),
    [
        ({"a": "1"}, True),
        ({"a": "1.5"}, False),
        ({"b": "1"}, False),
        ({"a": "1", "b": "1"}, False),
        ({}, False),
    ],
)
def test_a_matrix_is_like_a_live_answer_with_the_same_series_and_digits(
    live: dict[str, str], same: bool
) -> None:
    vector = [Series(raw(name), (50.0, value)) for name, value in live.items()]
    answer = QueryAnswer("vector", vector, len(vector), ())
    assert alike(matrix({"a": {50_000}}), 50_000, answer) == same
