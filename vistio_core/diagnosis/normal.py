"""How far something left its normal, and since when. Pure; numpy inside.

Normal is a time before, the baseline: its mean, and how much its steps spread around it. A fifth of the steps, those
that lie farthest from the median, count for neither: an hour before trouble is seldom free of any. The spread is no
less than a tenth of the mean, nor than a floor in the unit of the measure: what is usually constant would make
mountains of nothing.

    own time of db, ms      baseline 4 5 4 5 60 5 4 4 5 4     window 90 90
    without the farthest    4 5 4 5 5 4 4 5 4                 normal 4.4, spread 0.53 x (1.5 + 2/8), at least 1 ms
                                                              excess 90 - 4.4 - 3 x 1 = 82.6

The excess is what no spread explains: only beyond three spreads something counts, and only by what lies beyond.

Trouble is noticed late or early, and is over before somebody asks. So a window counts as a whole, or by one of its
halves or quarters, whichever lies farthest from normal. A quarter of the steps vary twice as much as all of them do, a
half by the square root of two, so of a part only what lies beyond that counts:

    window, 12 steps    six of 5, six of 90         whole 47.5, excess 47.5 - 4.4 - 3 x 1 = 40.1
                                                    later half 90, excess 90 - 4.4 - 3 x 1.41 x 1 = 81.4: this counts
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from itertools import pairwise

import attrs
import numpy as np

from vistio_core.judging.codes import Integers
from vistio_core.samples import Floats

SPREADS = 3.0
"""Within how many spreads of its normal something is normal."""
LEFT_OUT = 0.2
"""Which share of a baseline does not count: the steps that lie farthest from its median."""
HALF_LEFT_OUT = 0.5
"""Likewise of a baseline that may itself be the trouble: less than half of it is then."""
WIDER = {LEFT_OUT: 1.5, HALF_LEFT_OUT: 2.65}
"""By how much the spread of all steps of a normal distribution is wider than that of those that are left."""
LEAST_SPREAD = 0.1
"""Of the normal value."""
_FEWEST_STEPS = 2
_FEWEST_OF_STEADY = 60
"""How many steps a baseline has to reach over, to tell that something is steadier than `LEAST_SPREAD`."""
_FEWEST_IN_WINDOW = 2
_FEWEST_IN_PART = 6
"""A part of fewer steps tells nothing of its own."""
_PARTS = (2, 4)
"""Into how many parts a window is taken apart."""


@attrs.frozen
class Span:
    """Steps from the first to before the last."""

    first: int
    last: int

    def of(self, values: Floats) -> Floats:
        """These steps of columns."""
        return values[max(self.first, 0) : max(self.last, 0)]


@attrs.frozen(eq=False)
class Normal:
    """What is normal of each subject."""

    value: Floats
    """NaN where too little was seen."""
    spread: Floats

    def beyond(self, values: Floats, shorter: Floats | float = 1.0) -> Floats:
        """The excess of values: negative where they fell; 0 where they are normal or not known.

        Args:
            values: of the subjects; or times by subjects.
            shorter: how many times wider than usual these values spread, for few steps made them.
        """
        with np.errstate(invalid="ignore"):
            moved = np.nan_to_num(values - self.value)
        limit = SPREADS * shorter * np.nan_to_num(self.spread)
        excess: Floats = np.sign(moved) * np.maximum(np.abs(moved) - limit, 0.0)
        return excess


@attrs.frozen(eq=False)
class Departure:
    """Of each subject: what was normal, what is now, and by how much that is not normal."""

    normal: Normal
    now: Floats
    excess: Floats
    """Beyond `SPREADS`, negative where it fell; 0 where it is normal or not known."""
    until: Integers
    """Before which step: where the part of the window ends that is like ``now``."""

    @property
    def spreads(self) -> Floats:
        """How many spreads away it is."""
        with np.errstate(invalid="ignore", divide="ignore"):
            away = np.abs(self.now - self.normal.value) / self.normal.spread
        return np.nan_to_num(away, posinf=np.inf)


def normal_of(
    before: Floats, floor: float, least: float = LEAST_SPREAD, left_out: float = LEFT_OUT
) -> Normal:
    """What some steps say is normal.

    Args:
        before: steps by subjects; NaN where not seen.
        floor: the least spread, in the unit of the values.
        least: the least spread, as a share of what is normal.
        left_out: which share of the steps does not count; one of `WIDER`.
    """
    if not len(before):
        nothing = np.full(before.shape[1], np.nan)
        return Normal(nothing, nothing)
    with warnings.catch_warnings(), np.errstate(invalid="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)  # of columns in which nothing was seen
        away = np.abs(before - _ranked(before, 0.5))
        kept = np.where(away <= _ranked(away, 1 - left_out, lower=True), before, np.nan)
        value = np.nanmean(kept, axis=0)
        spread = np.nan_to_num(np.nanstd(kept, axis=0, ddof=1))
    steps = (~np.isnan(kept)).sum(axis=0)
    spread *= WIDER[left_out] + 2 / np.maximum(steps - 1, 1)  # of few steps nobody knows it well
    value = np.where(steps >= _FEWEST_STEPS, value, np.nan)
    of_value: Floats | float = least
    if least < LEAST_SPREAD:  # what moves slowly stands still for a minute
        of_value = np.where(_reach(before) < _FEWEST_OF_STEADY, LEAST_SPREAD, least)
    return Normal(value, np.maximum(spread, np.maximum(of_value * np.abs(np.nan_to_num(value)), floor)))


def _reach(before: Floats) -> Integers:
    """Of each subject, from the first step at which it is known to the last: how many they are."""
    known = ~np.isnan(before)
    reach: Integers = len(before) - np.argmax(known, axis=0) - np.argmax(known[::-1], axis=0)
    return reach


def departure(
    values: Floats, baseline: Span, window: Span, floor: float, least: float = LEAST_SPREAD
) -> Departure:
    """How far a window lies from the baseline: as a whole, or by the half or quarter that lies farthest.

    Args:
        values: steps by subjects; NaN where not seen.
        baseline: the steps that are normal.
        window: the steps in question.
        floor: the least spread, in the unit of the values.
        least: the least spread, as a share of what is normal.
    """
    normal, during = normal_of(baseline.of(values), floor, least), window.of(values)
    now = _like(during, normal.value)
    excess = normal.beyond(now)
    until = np.full(values.shape[1], window.last)
    for part in _parts(window):
        there = _like(part.of(values), normal.value)
        more = normal.beyond(there, np.sqrt(len(during) / (part.last - part.first)))
        farther = np.abs(more) > np.abs(excess)
        now, excess = np.where(farther, there, now), np.where(farther, more, excess)
        until = np.where(farther, part.last, until)
    return Departure(normal, now, excess, until)


def _parts(window: Span) -> Iterator[Span]:
    """The halves and quarters of a window that are long enough."""
    length = window.last - window.first
    for number in _PARTS:
        bounds = [window.first + round(length * place / number) for place in range(number + 1)]
        for first, last in pairwise(bounds):
            if last - first >= _FEWEST_IN_PART:
                yield Span(first, last)


def _like(during: Floats, normal: Floats) -> Floats:
    """The mean of some steps, or their median where that is nearer to normal: one wild step is no new normal."""
    known = (~np.isnan(during)).sum(axis=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of columns in which nothing was seen
        mean = np.nanmean(during, axis=0) if len(during) else np.full(during.shape[1], np.nan)
    median = _ranked(during, 0.5)
    nearer = np.where(np.abs(median - normal) < np.abs(mean - normal), median, mean)
    nearer = np.where((mean - normal) * (median - normal) < 0, normal, nearer)
    return np.where(known >= min(_FEWEST_IN_WINDOW, len(during)), nearer, np.nan)


def _ranked(values: Floats, share: float, *, lower: bool = False) -> Floats:
    """The quantile of each column among what is known of it: the mean of both neighbours, or the lower one.

    `numpy.nanquantile` asks column by column: a hundred times as long where there are ten thousand.
    """
    known = (~np.isnan(values)).sum(axis=0)
    ranked = np.sort(values.T, axis=1)  # what is not known comes last
    place = share * np.maximum(known - 1, 0)
    below = np.floor(place).astype(np.int64)
    above = below if lower else np.ceil(place).astype(np.int64)
    if not len(values):
        return np.full(values.shape[1], np.nan)
    ends = [np.take_along_axis(ranked, each[:, None], axis=1)[:, 0] for each in (below, above)]
    middle: Floats = (ends[0] + ends[1]) / 2
    return middle


def onset(values: Floats, normal: float, now: float, within: Span) -> int:
    """The step at which one subject left its normal: where what follows lies most on the far side of the middle.

    Args:
        values: its steps.
        normal: what it was.
        now: what it is.
        within: where to look.
    """
    first = max(within.first, 0)
    beyond = np.nan_to_num(values[first : within.last] - (normal + now) / 2) * (1 if now > normal else -1)
    after: Integers = np.cumsum(beyond[::-1])[::-1]
    step = first + (int(np.argmax(after)) if len(after) else 0)
    while step < within.last - 1 and np.isnan(values[step]):
        step += 1
    return step
