"""What is normal, and by how much something left it: the example of `docs/diagnosis.md`, and its edges."""

from __future__ import annotations

import numpy as np
import pytest

from vistio_core.diagnosis.normal import Span, departure, onset

BEFORE = [4.0, 5.0, 4.0, 5.0, 60.0, 5.0, 4.0, 4.0, 5.0, 4.0]


def excess(before: list[float], during: list[float], floor: float = 1.0) -> float:
    values = np.array([*before, *during])[:, None]
    window = Span(len(before), len(values))
    return float(departure(values, Span(0, len(before)), window, floor).excess[0])


def test_the_example_of_the_page_is_true() -> None:
    assert excess(BEFORE, [90.0, 90.0]) == pytest.approx(82.56, abs=0.01)


def test_only_what_lies_beyond_three_spreads_counts() -> None:
    assert excess([10.0] * 9, [13.0, 13.0]) == 0.0  # a tenth of 10 is the spread
    assert excess([10.0] * 9, [13.5, 13.5]) == pytest.approx(0.5)
    assert excess([10.0] * 9, [6.0, 6.0]) == pytest.approx(-1.0)


def test_one_wild_step_is_no_new_normal() -> None:
    assert excess([10.0] * 9, [10.0, 500.0, 10.0]) == 0.0


def test_trouble_that_begins_within_the_window_counts_by_its_later_half() -> None:
    values = np.array([*BEFORE, *[5.0] * 6, *[90.0] * 6])[:, None]
    left = departure(values, Span(0, 10), Span(10, 22), 1.0)
    assert left.now[0] == 90.0, "what is told is what was measured"
    assert left.excess[0] == pytest.approx(90 - 4.44 - 3 * 1.4142, abs=0.01)


def test_trouble_that_is_over_counts_by_its_quarter() -> None:
    values = np.array([*BEFORE, *[5.0] * 6, *[90.0] * 6, *[5.0] * 12])[:, None]
    left = departure(values, Span(0, 10), Span(10, 34), 1.0)
    assert left.now[0] == 90.0
    assert left.excess[0] == pytest.approx(90 - 4.44 - 3 * 2, abs=0.01)
    assert left.until[0] == 22, "and its onset is looked for before what came after"
    assert onset(values[:, 0], 4.44, 90.0, Span(0, int(left.until[0]))) == 16


def test_a_later_half_varies_more_than_the_whole() -> None:
    # 3.5 spreads away, in half of the steps: the whole is 1.75 away, and half of it may be 4.24 away by chance.
    assert excess([10.0] * 9, [10.0] * 6 + [13.5] * 6) == 0.0
    assert excess([10.0] * 9, [10.0] * 6 + [15.0] * 6) == pytest.approx(15 - 10 - 3 * 1.4142, abs=0.01)


@pytest.mark.parametrize(("steps", "counts"), [(3, False), (59, False), (60, True)])
def test_what_moves_slowly_is_not_steady_for_standing_still_a_minute(steps: int, counts: bool) -> None:
    nothing = float("nan")
    known = [nothing] * 3 + [0.56 + step / 10_000 for step in range(steps)] + [nothing] * 3
    values = np.array([*known, *[0.5] * 6])[:, None]
    left = departure(values, Span(0, len(known)), Span(len(known), len(values)), 0.0, 0.001)
    assert (left.excess[0] < 0) == counts


def test_what_was_seen_less_than_twice_is_not_told_of() -> None:
    nothing = float("nan")
    assert excess([nothing, 10.0, nothing], [90.0, 90.0]) == 0.0
    assert excess([10.0] * 9, [nothing, 90.0]) == 0.0


def test_the_onset_is_the_step_from_which_on_values_lie_beyond_the_middle() -> None:
    values = np.array([4.0, 5.0, 80.0, 4.0, 90.0, 85.0, np.nan, 90.0])
    assert onset(values, 4.5, 88.0, Span(0, 8)) == 4
    assert onset(-values, -4.5, -88.0, Span(0, 8)) == 4
