"""Shares and rates as people read them, at the ends of what can be rounded away."""

from __future__ import annotations

import pytest

from vistio_core.sentences import say
from vistio_core.shares import Percent, Share, number, percent


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.0, "0.0%"), (1e-9, "<0.1%"), (0.0004, "<0.1%"), (0.0006, "0.1%"), (0.5946, "59.5%"),
        (0.9994, "99.9%"), (0.9996, ">99.9%"), (1 - 1e-9, ">99.9%"), (1.0, "100.0%"),
    ],
)  # fmt: skip
def test_a_sentence_says_none_or_all_only_where_it_is(share: float, text: str) -> None:
    assert str(say("{now:.1%} fail", now=Share(share))) == f"{text} fail"


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.0, "0"), (0.5, "<1"), (12.2, "12"), (99.4, "99"), (99.6, ">99"), (100.0, "100")],
)
def test_so_does_one_in_percent(share: float, text: str) -> None:
    assert str(say("at worst {percent:.0f} %", percent=Percent(share))) == f"at worst {text} %"


@pytest.mark.parametrize(
    ("part", "digits", "text"),
    [
        (0.0, 3, "0"), (1e-9, 3, "<0.01"), (0.0123, 3, "1.23"), (0.9989, 3, "99.9"), (0.9996, 3, ">99.9"),
        (1.0, 3, "100"), (0.123, 2, "12"), (0.996, 2, ">99"), (1.0, 2, "100"),
    ],
)  # fmt: skip
def test_a_share_in_percent(part: float, digits: int, text: str) -> None:
    assert percent(part * 200, 200, digits) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.25, "0.25"), (999.4, "999"), (999.6, "1,000"), (-999.6, "-1,000"), (12_345.6, "12,346")],
)
def test_a_number_has_three_digits_that_count_or_all_before_the_point(value: float, text: str) -> None:
    assert number(value) == text
