"""Whether what a server answered to a live scrape is an answer: what a backfill of the same instant would say, too.

Three things make an answer none, although it came well: the server collected no data then (`liveness`); a rate looks
back into a time when it did not (`evidence`); scrapes are too rare for a rate (`windows`). Servers are asked for
evidence where something hints at it: an answer without series, or none of the server's a moment ago.

What must not be in here: HTTP. Who asks is an `Asks`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from typing import Protocol

from vistio_core.errors import SourceError
from vistio_core.events import Outcome
from vistio_core.times import MINUTE_MS
from vistio_record.sources import evidence
from vistio_record.sources.answer import QueryAnswer, RangeSeries
from vistio_record.sources.liveness import Liveness
from vistio_record.sources.probes import AFTERMATH_S, Probe
from vistio_record.sources.ranges import LOOKBACK_MS, cut_short, no_data
from vistio_record.sources.servers import Server
from vistio_record.sources.windows import Windows, longest_ms

log = logging.getLogger(__name__)

_TO_LEARN = 0.25
"""Which part of the time that a scrape has left may go for learning what nothing hints at: how often is scraped."""
_STEP_MS = 10_000
"""How close one looks for outages, until it is known how often is asked."""


class Asks(Protocol):
    """Who asks a server, within a time. Both methods raise `SourceError`."""

    def ask(self, server: Server, promql: str, instant_ms: int, timeout_s: float) -> QueryAnswer: ...

    def ask_over(
        self, server: Server, promql: str, instants: range, timeout_s: float
    ) -> tuple[list[RangeSeries], tuple[str, ...]]: ...


class LiveEvidence:
    """What is known of each server from scrape to scrape. One thread uses it at a time."""

    def __init__(self, servers: Mapping[str, Server], asks: Asks) -> None:
        self._servers = servers
        self._asks = asks
        self._liveness = {url: Liveness() for url in servers}
        self._windows = {url: Windows() for url in servers}
        self._silent_ms: dict[str, int] = {}
        """When a server answered no rule last, or was asked first: of what was before, nothing is known."""
        self._answered: set[str] = set()
        self._interrupted: set[str] = set()
        """Those that answered a rule before they were silent."""
        self._last_ms: int | None = None
        self._step_ms: int | None = None
        """The interval at which servers are asked, where it is known."""

    def of(self, probes: Sequence[Probe], instant_ms: int, timeout_s: float) -> tuple[Probe, ...]:
        """``probes``, and as failed those whose answers are none."""
        step_ms = None if self._last_ms is None else instant_ms - self._last_ms
        self._step_ms = step_ms if step_ms is not None and 0 < step_ms <= MINUTE_MS else None
        deadline_s = time.monotonic() + timeout_s
        until_s = time.monotonic() + timeout_s * _TO_LEARN
        if self._last_ms is None:
            self._silent_ms = dict.fromkeys(self._servers, instant_ms)
        good = [probe for probe in probes if probe.outcome.outcome is Outcome.OK]
        empty = {probe.rule.prometheus_url for probe in good if not probe.outcome.series}
        refused = {url: why for url in empty if (why := self._refusal(url, probes, instant_ms, deadline_s))}
        outages = {
            url: self._outages(url, good, instant_ms, deadline_s)
            for url in {probe.rule.prometheus_url for probe in good} - refused.keys()
        }

        def why_none(probe: Probe) -> str | None:
            url = probe.rule.prometheus_url
            if probe.outcome.outcome is not Outcome.OK:
                return None
            if url in refused:
                return refused[url]
            cut = cut_short(self._servers[url], outages[url], probe.rule.query, instant_ms)
            return cut or self._rarely_scraped(probe, instant_ms, deadline_s, until_s)

        told = tuple(probe.failed(why) if (why := why_none(probe)) else probe for probe in probes)
        answering = {p.rule.prometheus_url for p in good} - refused.keys()
        silent = self._servers.keys() - answering
        self._silent_ms |= dict.fromkeys(silent, instant_ms)
        self._interrupted |= silent & self._answered
        self._answered |= answering
        self._last_ms = instant_ms
        return told

    def _outages(
        self, url: str, good: Sequence[Probe], instant_ms: int, deadline_s: float
    ) -> evidence.Outages:
        """Of a server that was silent so shortly that a rate may look back to it."""
        own = [probe.rule.query for probe in good if probe.rule.prometheus_url == url]
        window_ms = max(map(longest_ms, own), default=0)
        silent_ms = self._silent_ms.get(url)
        if silent_ms is None or not 0 <= instant_ms - silent_ms <= window_ms + MINUTE_MS:
            return evidence.Outages()
        step_ms = self._step_ms or _STEP_MS
        back_ms = min(instant_ms, window_ms + LOOKBACK_MS) // step_ms * step_ms
        grid = range(instant_ms - back_ms, instant_ms + 1, step_ms)
        try:
            newest = evidence.newest_scrapes(self._over(url, grid, deadline_s))
        except SourceError as error:
            self._missing(url, error)
            return evidence.Outages()
        return evidence.Outages.of(
            newest, evidence.usual_distance_ms(newest), collected_before=url in self._interrupted
        )

    def _rarely_scraped(self, probe: Probe, instant_ms: int, deadline_s: float, until_s: float) -> str | None:
        """Why a rule's answer is none, where it is only that its window is too short for the rates of all series.

        What is not known yet of a rule with series is learnt while there is time for it, else at the next scrape.
        """
        url, query, has_series = probe.rule.prometheus_url, probe.rule.query, probe.outcome.series > 0
        server, windows = self._servers[url], self._windows[url]
        if has_series and not windows.knows(query, instant_ms):
            deadline_s = until_s
            if time.monotonic() >= until_s:
                return None
        try:
            return windows.refusal(
                query,
                instant_ms,
                lambda promql: self._asks.ask(server, promql, instant_ms, _left_s(deadline_s)),
                has_series=has_series,
            )
        except SourceError as error:
            self._missing(url, error)
            return None

    def _refusal(self, url: str, probes: Sequence[Probe], instant_ms: int, deadline_s: float) -> str | None:
        """Why nothing that the server says of this instant is an answer; None when it is one."""
        server = self._servers[url]
        try:
            collecting = self._liveness[url].collecting(
                instant_ms,
                lambda at_ms: self._asks.ask(server, evidence.NEWEST_SCRAPE, at_ms, _left_s(deadline_s)),
                lambda grid: self._over(url, grid, deadline_s),
                self._step_ms,
            )
        except SourceError as error:
            self._missing(url, error)
            collecting = None
        if collecting is None:  # the weaker evidence, for servers that do not tell
            collecting = any(probe.rule.prometheus_url == url and probe.outcome.series for probe in probes)
        return None if collecting else no_data(server)

    def _over(self, url: str, grid: range, deadline_s: float) -> list[RangeSeries]:
        series, _ = self._asks.ask_over(self._servers[url], evidence.NEWEST_SCRAPE, grid, _left_s(deadline_s))
        return series

    def _missing(self, url: str, error: SourceError) -> None:
        log.debug("evidence.missing", extra={"server": self._servers[url].shown, "error": str(error)})


def _left_s(deadline_s: float) -> float:
    return max(deadline_s - time.monotonic(), AFTERMATH_S)
