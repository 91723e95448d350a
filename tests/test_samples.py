"""`Samples`: columns that are a sequence of `Sample` to everyone who looks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vistio_core.events import Sample
from vistio_core.samples import Samples, Texts

NAMES = st.sampled_from(["", "a", "b", "é", "zz", "Z"])
SAMPLES = st.lists(st.builds(Sample, NAMES, NAMES, NAMES, NAMES, NAMES, st.floats(-1e12, 1e12)), max_size=12)


@given(SAMPLES)
def test_samples_are_the_sequence_that_they_were_made_of(samples: list[Sample]) -> None:
    columns = Samples.of(samples)
    assert columns == samples
    assert tuple(columns) == tuple(samples)
    assert len(columns) == len(samples)
    assert hash(columns) == hash(tuple(samples))
    assert repr(columns) == repr(tuple(samples))
    assert Samples.of(columns) is columns
    assert columns.rules() == {sample[:2] for sample in samples}


@given(SAMPLES)
def test_the_first_that_is_there_twice_is_found(samples: list[Sample]) -> None:
    keys = [sample[:5] for sample in samples]
    twice = [index for index, key in enumerate(keys) if key in keys[:index]]
    assert Samples.of(samples).first_twice() == min(twice, default=None)


@given(st.lists(SAMPLES, max_size=4))
def test_parts_are_joined_one_after_the_other(parts: list[list[Sample]]) -> None:
    assert Samples.joined(parts) == [sample for part in parts for sample in part]


@given(st.lists(NAMES, max_size=12))
def test_ranked_texts_compare_as_their_places_do(column: list[str]) -> None:
    ranked = Texts.of(column).ranked()
    assert ranked.rows() == column
    assert list(ranked.values) == sorted(set(column)), "none that is not used"


def test_values_that_no_row_uses_are_left_out_of_ranked_texts() -> None:
    texts = Texts.of(["c", "a", "b"])
    assert Texts(texts.values, texts.place[:2]).ranked().values == ("a", "c")


@pytest.mark.parametrize("index", [0, 1, -1])
def test_a_sample_alone_is_the_one_of_the_sequence(index: int) -> None:
    samples = [Sample("", "r", "a", "b", "200", 1.0), Sample("c", "r", "a", "b", "", -0.0)]
    assert Samples.of(samples)[index] == samples[index]
    assert Samples.of(samples)[:1] == tuple(samples[:1])
    with pytest.raises(IndexError):
        Samples.of(samples)[2]
