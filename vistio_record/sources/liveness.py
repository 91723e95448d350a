"""Whether a server collects data now: what a live answer without series needs to count as one.

A Prometheus that was frozen or restarted answers before it has scraped anything again: every rate over a short
window is empty then, with status 200. Later, a backfill says of those instants that there is no data of them. So a
live scrape with an empty answer asks what a backfill asks, `evidence.NEWEST_SCRAPE`, and says the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from vistio_core.times import MINUTE_MS, SECOND_MS
from vistio_record.sources import evidence
from vistio_record.sources.answer import QueryAnswer, RangeSeries

# As far back as Prometheus looks for a sample.
_REMEMBERED_MS = 5 * MINUTE_MS
# Until it is known how often it is asked.
_STEP_MS = 5 * SECOND_MS


class Liveness:
    """What is known of one server's newest scrapes. One thread uses it at a time."""

    def __init__(self) -> None:
        self._newest: dict[int, int] = {}
        """Instant to the newest scrape at it: of the last minutes."""
        self._has_up = False

    def collecting(
        self,
        instant_ms: int,
        at: Callable[[int], QueryAnswer],
        over: Callable[[range], Sequence[RangeSeries]],
        step_ms: int | None,
    ) -> bool | None:
        """Whether the server was collecting data at ``instant_ms``; None when it does not tell: it has no ``up``.

        Args:
            instant_ms: now, or a little before.
            at: asks for `evidence.NEWEST_SCRAPE` at an instant.
            over: asks for it at many.
            step_ms: the interval at which the server is asked, where it is known.

        Raises:
            SourceError: it cannot be reached.
        """
        step_ms = step_ms or _STEP_MS
        self._newest = {ms: scrape for ms, scrape in self._newest.items() if ms > instant_ms - _REMEMBERED_MS}
        if instant_ms - max(self._newest, default=0) > 3 * step_ms:
            grid = range(instant_ms - _REMEMBERED_MS // step_ms * step_ms, instant_ms, step_ms)
            self._newest |= evidence.newest_scrapes(over(grid))
        for series in at(instant_ms).series:
            if series.value is not None:
                self._newest[instant_ms] = round(float(series.value[1]) * 1000)
        self._has_up = self._has_up or bool(self._newest)
        if not self._has_up:
            return None
        usual_ms = evidence.usual_distance_ms(self._newest)
        return instant_ms in evidence.collecting(
            [instant_ms], self._newest, until_ms=instant_ms, usual_ms=usual_ms
        )
