"""From when to when somebody was charged: what ends an incident, and what only was not seen. Pure; numpy inside.

    instant     05:00   05:10   05:20   05:30   05:40   05:50
    db          charged charged (not answered)  well    well     charged until 05:40, for all that is known
    db          charged charged (not answered)  charged well     once, until 05:40
    db          charged charged (not answered) ...               it may last

What is not seen of a signal is as it was when it was seen last; where there were no requests, there was nothing to see.
It is the same of instants that lie farther apart than the steps: each stands for the time until the next.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import attrs
import numpy as np

from vistio_core.diagnosis.normal import Span
from vistio_core.diagnosis.observed import STEP_MS
from vistio_core.diagnosis.signals import Mesh, Signal
from vistio_core.judging.codes import Booleans
from vistio_core.times import MINUTE_MS

APART_STEPS = 5 * MINUTE_MS // STEP_MS
"""Two that lie less than this apart are one."""


@attrs.define
class Course:
    """When nodes were charged, and from then on until when nobody knows that they no longer were."""

    mesh: Mesh
    measured: Sequence[Signal]
    """As it was seen, step by step."""
    steps: int
    charged: dict[tuple[int, int], Booleans] = attrs.field(factory=dict)
    """Of a signal and a node, both by place: at which steps."""

    def charge(self, signal: int, steps: slice, charged: Booleans) -> None:
        """What a signal charges nodes with: some steps by nodes."""
        for node in np.flatnonzero(charged.any(axis=0)).tolist():
            own = self.charged.setdefault((signal, node), np.zeros(self.steps, bool))
            own[steps] = charged[:, node]

    def runs(self, window: Span) -> Iterator[tuple[Span, int]]:
        """The incidents of a window; and after which step nobody is charged any more, as far as that was seen."""
        sick, unsure = np.zeros((2, self.steps), bool)
        for (signal, node), charged in self.charged.items():
            some, every = self._seen(self.measured[signal], node)
            own = charged & some
            told = np.maximum.accumulate(np.where(own | every, np.arange(self.steps), -1))
            sick |= own
            unsure |= (told >= 0) & own[told] & ~own
        steps = slice(window.first, window.last)
        for first, last in runs_of((sick | unsure)[steps]):
            run = Span(window.first + first, window.first + last)
            yield run, run.first + int(np.flatnonzero(run.of(sick))[-1]) + 1

    def _seen(self, signal: Signal, node: int) -> tuple[Booleans, Booleans]:
        """At which steps something, and all, of what a signal tells of a node was seen; or there was nothing to see."""
        own = np.array([node])
        if signal.of_edges:
            own = np.flatnonzero((self.mesh.source == node) | (self.mesh.target == node))
        own = own[~np.isnan(signal.values[:, own]).all(axis=0)]
        known = ~np.isnan(signal.values[:, own]) | (signal.rps[:, own] == 0)
        return known.any(axis=1), known.all(axis=1)


def usually_apart(mesh: Mesh) -> int:
    """How many steps lie between two at which something was seen."""
    seen = np.flatnonzero(~np.isnan(mesh.rps).all(axis=1)) if mesh.rps.size else np.zeros(0, np.int64)
    return int(np.median(np.diff(seen))) if len(seen) > 1 else 1


def runs_of(sick: Booleans) -> list[tuple[int, int]]:
    """First and last (exclusive) step of each run; those that are not far apart are one."""
    runs: list[tuple[int, int]] = []
    for step in np.flatnonzero(sick).tolist():
        if runs and step - runs[-1][1] < APART_STEPS:
            runs[-1] = runs[-1][0], step + 1
        else:
            runs.append((step, step + 1))
    return runs
