"""How far something left its normal, and since when. Pure; numpy inside.

Normal is a time before, the baseline: its mean, and how much its steps spread around it. A fifth of the steps, those
that lie farthest from the median, count for neither: an hour before trouble is seldom free of any. The spread is no
less than a tenth of the mean, nor than a floor in the unit of the measure: what is usually constant would make
mountains of nothing.

    own time of db, ms      baseline 4 5 4 5 60 5 4 4 5 4     window 90 90
    without the farthest    4 5 4 5 5 4 4 5 4                 normal 4.4, spread 0.53 x (1.5 + 2/8), at least 1 ms
                                                              excess 90 - 4.4 - 3 x 1 = 82.6

The excess is what no spread explains: only beyond three spreads something counts, and only by what lies beyond.
"""

from __future__ import annotations

import warnings

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
_FEWEST_IN_WINDOW = 2


@attrs.frozen
class Span:
    """Steps from the first to before the last."""

    first: int
    last: int

    def of(self, values: Floats) -> Floats:
        """These steps of columns."""
        return values[max(self.first, 0) : max(self.last, 0)]


@attrs.frozen(eq=False)
class Departure:
    """Of each subject: what was normal, what is now, and by how much that is not normal."""

    normal: Floats
    """NaN where too little was seen."""
    spread: Floats
    now: Floats

    def beyond(self, values: Floats) -> Floats:
        """The excess of other values, of the same subjects."""
        with np.errstate(invalid="ignore"):
            moved = np.nan_to_num(values - self.normal)
        excess: Floats = np.sign(moved) * np.maximum(
            np.abs(moved) - SPREADS * np.nan_to_num(self.spread), 0.0
        )
        return excess

    @property
    def excess(self) -> Floats:
        """Beyond `SPREADS`, negative where it fell; 0 where it is normal or not known."""
        return self.beyond(self.now)

    @property
    def spreads(self) -> Floats:
        """How many spreads away it is."""
        with np.errstate(invalid="ignore", divide="ignore"):
            away: Floats = np.nan_to_num(np.abs(self.now - self.normal) / self.spread, posinf=np.inf)
        return away


def departure(
    values: Floats,
    baseline: Span,
    window: Span,
    floor: float,
    least: float = LEAST_SPREAD,
    left_out: float = LEFT_OUT,
) -> Departure:
    """How far the mean of a window lies from the baseline's.

    Args:
        values: steps by subjects; NaN where not seen.
        baseline: the steps that are normal.
        window: the steps in question.
        floor: the least spread, in the unit of the values.
        least: the least spread, as a share of what is normal.
        left_out: which share of the baseline does not count; one of `WIDER`.
    """
    before, during = baseline.of(values), window.of(values)
    if not len(before) or not len(during):
        nothing = np.full(values.shape[1], np.nan)
        return Departure(nothing, nothing, nothing)
    with warnings.catch_warnings(), np.errstate(invalid="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)  # of columns in which nothing was seen
        away = np.abs(before - np.nanmedian(before, axis=0))
        limit = np.nanquantile(away, 1 - left_out, axis=0, method="lower")
        kept = np.where(away <= limit, before, np.nan)
        normal = np.nanmean(kept, axis=0)
        spread = np.nan_to_num(np.nanstd(kept, axis=0, ddof=1))
        now = _now(during, normal)
    steps = (~np.isnan(kept)).sum(axis=0)
    spread *= WIDER[left_out] + 2 / np.maximum(steps - 1, 1)  # of few steps nobody knows it well
    enough = steps >= _FEWEST_STEPS
    enough &= (~np.isnan(during)).sum(axis=0) >= min(_FEWEST_IN_WINDOW, len(during))
    normal = np.where(enough, normal, np.nan)
    spread = np.maximum(spread, np.maximum(least * np.abs(np.nan_to_num(normal)), floor))
    return Departure(normal, spread, now)


def _now(during: Floats, normal: Floats) -> Floats:
    """The mean of a window, or its median where that is nearer to normal: one wild step is no new normal."""
    mean, median = np.nanmean(during, axis=0), np.nanmedian(during, axis=0)
    nearer: Floats = np.where(np.abs(median - normal) < np.abs(mean - normal), median, mean)
    return np.where((mean - normal) * (median - normal) < 0, normal, nearer)


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
