"""Whether a server was collecting data at an instant of the past. Pure.

An empty answer about the past may mean that nothing happened, or that nobody looked: Prometheus
was not running, or does not keep data that long. A full one proves nothing either: for five
minutes after its death a Prometheus answers with the last values that it has (its lookback).
What tells is when it scraped. Each scrape writes a sample of ``up`` for its target, 1 where it went well, and
`NEWEST_SCRAPE` at an instant is the time of the newest one of the targets that can be scraped:

    instant       :00  :10  :20  :30  :40  :50  :00
    newest scrape :58  :08  :18  :18  :18  :48  :58      dead from :18 to :48
    collecting    yes  yes  no   no   no   yes  yes

Here the usual distance of two scrapes is 10 s; :20 is within it, yet Prometheus may have died in
between: only "the next scrape came in time" or "this is no older than usual" tells it alive.

A rate looks back, too. Over [1m] it is of a part until a minute after such an outage: at :48 there is no series or one
in two, and for a while each is too low, since nothing is known of how much it grew before :48.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from itertools import pairwise
from statistics import median

import attrs

from vistio_core.times import SECOND_MS
from vistio_record.sources.answer import RangeSeries

NEWEST_SCRAPE = "max(timestamp(up) and (up == 1))"
"""The query: Unix seconds of the newest scrape of any target that can be scraped."""

# As long as nothing is known of a server: its scrapes come every 20 s, so a minute without is an outage.
_USUAL_MS = 20 * SECOND_MS
# One missed scrape is an accident, two may be a restart.
_MISSED = 3
# Scrapes are late now and then, for reasons that have nothing to do with outages.
_LEAST_OUTAGE_MS = 10 * SECOND_MS


def newest_scrapes(series: Iterable[RangeSeries]) -> dict[int, int]:
    """What `NEWEST_SCRAPE` over many instants says: instant to the newest scrape's time, both in milliseconds."""
    return {
        round(at_s * SECOND_MS): round(float(value) * SECOND_MS)
        for one in series
        for at_s, value in one.values
    }


def usual_distance_ms(newest: Mapping[int, int]) -> int | None:
    """How far apart scrapes are, as far as one can see at these instants; None where one cannot.

    Args:
        newest: instant to the time of the newest scrape at it, both in milliseconds.
    """
    times = sorted(set(newest.values()))
    return round(median(later - earlier for earlier, later in pairwise(times))) if len(times) > 1 else None


def collecting(
    instants: Iterable[int], newest: Mapping[int, int], *, until_ms: int, usual_ms: int | None = None
) -> frozenset[int]:
    """Those of ``instants`` at which the server was collecting data.

    Args:
        instants: milliseconds.
        newest: as for `usual_distance_ms`, for these instants and some around them.
        until_ms: how far ``newest`` reaches; no scrape that it does not have came before this.
        usual_ms: the usual distance of two scrapes, if known.
    """
    usual_ms = usual_ms or _USUAL_MS
    outage_ms = _outage_ms(usual_ms)
    times = sorted(set(newest.values()))
    following = dict(pairwise(times))

    def collected(instant_ms: int) -> bool:
        scrape_ms = newest.get(instant_ms)
        if scrape_ms is None:
            return False
        if instant_ms - scrape_ms <= usual_ms:
            return True
        return following.get(scrape_ms, until_ms) - scrape_ms <= outage_ms

    return frozenset(filter(collected, instants))


@attrs.frozen
class Outages:
    """When a server collected nothing, as far as one can see."""

    between: tuple[tuple[float, int], ...] = ()
    """The scrapes before and after each, in milliseconds; infinitely long ago where that before is not known."""

    @classmethod
    def of(cls, newest: Mapping[int, int], usual_ms: int | None, *, collected_before: bool) -> Outages:
        """Those in what is known, as for `collecting`.

        Args:
            newest: as for `collecting`.
            usual_ms: likewise.
            collected_before: whether the server did before all of this; else its first scrape is its beginning.
        """
        times = sorted(set(newest.values()))
        before: list[float] = [-math.inf if collected_before else math.inf, *times]
        longest_ms = _outage_ms(usual_ms or _USUAL_MS)
        return cls(tuple(each for each in zip(before, times, strict=False) if each[1] - each[0] > longest_ms))

    def begins_in(self, start_ms: int) -> bool:
        """Whether a window that starts at ``start_ms`` does so in one of them."""
        return any(before <= start_ms < after for before, after in self.between)


def _outage_ms(usual_ms: int) -> int:
    return max(_MISSED * usual_ms, _LEAST_OUTAGE_MS)
