"""Questions of an incident, asked of the log: which part of it is read, and what is taken as normal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial

import numpy as np
import pyarrow as pa

from vistio_core.configuration.model import Configuration
from vistio_core.diagnosis.heat import Heat, heat
from vistio_core.diagnosis.incidents import Incidents, incidents_of
from vistio_core.diagnosis.latencies import Ends, latencies
from vistio_core.diagnosis.normal import Span
from vistio_core.diagnosis.observed import STEP_MS, Observed, joined, observed
from vistio_core.diagnosis.path import IncidentPath, path_table
from vistio_core.diagnosis.suspects import Suspects, suspects_table
from vistio_core.diagnosis.words import Mark
from vistio_core.errors import UsageError
from vistio_core.sentences import say
from vistio_core.storage.log import Log
from vistio_core.times import HOUR_MS, MINUTE_MS, align

BASELINE_MS = HOUR_MS
"""How long before a window counts as normal, where nobody says."""
MOST_HOURS = 48
"""In one question: all of it is in memory."""
Gaps = Callable[[int, int], pa.Table]


class Diagnosis:
    """Asks a log what happened."""

    def __init__(self, log: Log, configuration: Callable[[str], Configuration]) -> None:
        self._log = log
        self._configuration = configuration

    def suspects(
        self,
        window_ms: tuple[int, int],
        baseline_ms: tuple[int, int] | None,
        about: str | None,
        gaps: Gaps,
        marks: Iterable[Mark],
    ) -> Suspects:
        """Who is likely the cause of what a window shows; `Recording.suspects` says more."""
        seen, spans, told_ms = self._beside_normal(window_ms, baseline_ms)
        table, evidence = suspects_table(seen, *spans, about, marks)
        unseen = _unseen(gaps, told_ms, window_ms)
        return Suspects(table, *window_ms, told_ms, unseen, evidence)

    def path(
        self, window_ms: tuple[int, int], baseline_ms: tuple[int, int] | None, gaps: Gaps
    ) -> IncidentPath:
        """How errors and latency moved in a window; `Recording.path` says more."""
        seen, spans, told_ms = self._beside_normal(window_ms, baseline_ms)
        unseen = _unseen(gaps, told_ms, window_ms)
        return IncidentPath(path_table(seen, *spans), *window_ms, told_ms, unseen)

    def _beside_normal(
        self, window_ms: tuple[int, int], baseline_ms: tuple[int, int] | None
    ) -> tuple[Observed, tuple[Span, Span], tuple[int, int]]:
        """A window and what is normal beside it: what was measured, the steps of normal and window; what is normal."""
        start_ms, end_ms = window_ms
        base = told_ms = (start_ms - BASELINE_MS, start_ms) if baseline_ms is None else baseline_ms
        first_ms, last_ms = min(base[0], start_ms), max(base[1], end_ms)
        if base[1] <= start_ms and start_ms - base[1] > BASELINE_MS:
            seen, shift_ms = joined(self._observed(*base), self._observed(start_ms, end_ms))
            base = base[0] + shift_ms, base[1] + shift_ms
        else:
            seen = self._observed(first_ms, last_ms)
        return seen, (_span(seen, *base), _span(seen, *window_ms)), told_ms

    def incidents(self, start_ms: int, end_ms: int, gaps: Gaps) -> Incidents:
        """When something left its normal in a window; `Recording.incidents` says more."""
        seen = self._observed(start_ms - BASELINE_MS, end_ms)
        return Incidents(incidents_of(seen, _span(seen, start_ms, end_ms)), gaps(start_ms, end_ms))

    def heat(self, start_ms: int, end_ms: int, step_ms: int) -> Heat:
        """Every node and edge over a window; `Recording.heat` says more."""
        return heat((start_ms, end_ms), step_ms, self._observed)

    def latencies(self, start_ms: int, end_ms: int) -> Mapping[Ends, float]:
        """How long a request took over a window, however long it is: hour by hour."""

        def hours() -> Iterator[Observed]:
            for first_ms in range(start_ms, end_ms, HOUR_MS):
                yield self._read(first_ms, min(first_ms + HOUR_MS, end_ms))

        return latencies(hours())

    def _observed(self, start_ms: int, end_ms: int) -> Observed:
        start_ms, end_ms = align(start_ms, MINUTE_MS), -(-end_ms // MINUTE_MS) * MINUTE_MS
        if end_ms - start_ms > MOST_HOURS * HOUR_MS:
            raise UsageError(
                say(
                    "what is asked about and what is normal span {hours:.0f} hours;"
                    " at most {most} can be looked at in one question: use a shorter window",
                    hours=(end_ms - start_ms) / HOUR_MS,
                    most=MOST_HOURS,
                )
            )
        return self._read(start_ms, end_ms)

    def _read(self, start_ms: int, end_ms: int) -> Observed:
        question = partial(observed, configuration=self._configuration)
        return self._log.read(start_ms, end_ms, lambda listing: listing.around_damage(question))


def _unseen(gaps: Gaps, baseline_ms: tuple[int, int], window_ms: tuple[int, int]) -> pa.Table:
    """The gaps of both; where the one ends as the other begins, a gap over both is one."""
    if baseline_ms[1] == window_ms[0]:
        return gaps(baseline_ms[0], window_ms[1])
    return pa.concat_tables([gaps(*baseline_ms), gaps(*window_ms)])


def _span(seen: Observed, start_ms: int, end_ms: int) -> Span:
    first = int(np.ceil((start_ms - seen.start_ms) / STEP_MS))
    return Span(max(first, 0), min(seen.step_of(end_ms - 1) + 1, seen.steps))
