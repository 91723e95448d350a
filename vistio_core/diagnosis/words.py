"""Evidence in plain language: what left its normal, by how much, since when, at which end, and who felt it. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np

from vistio_core.diagnosis.charges import Charge
from vistio_core.diagnosis.observed import Observed
from vistio_core.diagnosis.signals import Mesh
from vistio_core.times import MINUTE_MS, format_instant

NEAR_MS = 10 * MINUTE_MS
"""How far from an onset a mark may lie to be named."""
_MOST_NAMES = 3


@attrs.frozen
class Mark:
    """Something that is known to have happened: an annotation."""

    start_ms: int
    kind: str
    text: str
    cluster: str
    node: str


@attrs.frozen(eq=False)
class Words:
    """Says what was found."""

    seen: Observed
    mesh: Mesh
    made: Sequence[Charge]
    """All charges: what else is said of a suspect."""

    def evidence(self, charge: Charge, subject: int, node: int | None, onset_ms: int) -> str:
        """One or two sentences.

        Args:
            charge: what a suspect is charged with.
            subject: the edge or node of its signal.
            node: the suspect, where it is one; None for an edge.
            onset_ms: since when.
        """
        left = charge.departure
        before, now = float(left.normal.value[subject]), float(left.now[subject])
        told = self._moved(charge, subject, before, now)
        told += (
            f" since {format_instant(onset_ms)} ({_spreads(float(left.spreads[subject]))} its usual spread)"
        )
        return "; ".join([told, *self._peers(charge, node), *self._direction(charge, node)])

    def near(self, marks: Sequence[Mark], onset_ms: int) -> str:
        """What happened near an onset, and how near: it need not be the cause."""
        close = [mark for mark in marks if abs(mark.start_ms - onset_ms) <= NEAR_MS]
        close.sort(key=lambda mark: (abs(mark.start_ms - onset_ms), mark.start_ms, mark.text))
        return "".join(
            f"; near it: {mark.kind} {' '.join(mark.text.split())!r} {_apart(mark.start_ms - onset_ms)}"
            for mark in close[:_MOST_NAMES]
        )

    def _moved(self, charge: Charge, subject: int, before: float, now: float) -> str:
        measure = charge.signal.measure
        edge = self._edge(subject) if charge.signal.of_edges else ""
        if measure == "own_time_ms":
            return f"its own time, without what it waits for, went from {_ms(before)} to {_ms(now)} a request"
        if measure == "network_ms":
            return f"between both ends of {edge} a request spends {_ms(now)}, before {_ms(before)}"
        if measure == "own_failure_share":
            return f"{now:.1%} of its requests fail by its own doing, before {before:.1%}"
        if measure == "own_warning_share":
            return f"{now:.1%} of its requests get a warning by its own doing, before {before:.1%}"
        if measure == "lost_share":
            return f"{now:.1%} of the requests of {edge} are sent and not received, before {before:.1%}"
        if measure == "calls_per_request":
            entry = not self.mesh.called[self.mesh.source[subject]]
            unit = "of all its calls" if entry else "calls for each request of the caller"
            return f"{edge} went from {before:.3g} to {now:.3g} {unit}"
        if charge.signal.unit == "ms":
            return f"{measure}, without what it waits for, went from {_ms(before)} to {_ms(now)}"
        return f"{measure} went from {abs(before):.4g} to {abs(now):.4g}"

    def _edge(self, subject: int) -> str:
        _, source, target = self.seen.edges[subject]
        return f"{self.seen.names[source]} > {self.seen.names[target]}"

    def _peers(self, charge: Charge, node: int | None) -> list[str]:
        """On how many of its edges a node shows it."""
        if node is None:
            return ["the other calls of both ends are well"] if charge.signal.of_edges else []
        if not charge.signal.of_edges:
            return []
        own = (self.mesh.source == node) | (self.mesh.target == node)
        harmed = int((charge.harmed_rps[own] > 0).sum())
        return [f"so {'is' if harmed == 1 else 'are'} {harmed} of its {int(own.sum())} edges"]

    def _direction(self, charge: Charge, node: int | None) -> list[str]:
        """Who calls it and got worse, and whether those that it calls did."""
        if node is None:
            return []
        callers, called = (
            [other for other in sorted(set(ends[mine == node].tolist()) - {node}) if self._worse(other)]
            for ends, mine in ((self.mesh.source, self.mesh.target), (self.mesh.target, self.mesh.source))
        )
        told = []
        if callers:
            told.append(f"callers that got worse, too: {self._names(callers)}")
        if called:
            told.append(f"of those that it calls, these got worse, too: {self._names(called)}")
        elif (self.mesh.source == node).any():
            told.append("those that it calls are well")
        return told

    def _worse(self, node: int) -> bool:
        return any(
            charge.harmed_rps[node] > 0
            if not charge.signal.of_edges
            else bool((charge.harmed_rps[self.mesh.target == node] > 0).any())
            for charge in self.made
        )

    def _names(self, nodes: Sequence[int]) -> str:
        names = [self.seen.names[self.seen.nodes[node][1]] for node in nodes[:_MOST_NAMES]]
        more = len(nodes) - _MOST_NAMES
        return ", ".join(names) + (f" and {more} more" if more > 0 else "")


def _ms(value: float) -> str:
    return f"{value:.3g} ms" if abs(value) < 1000 else f"{value / 1000:.3g} s"


def _spreads(spreads: float) -> str:
    return f"{spreads:.0f} times" if np.isfinite(spreads) and spreads < 1000 else "more than 1000 times"


def _apart(apart_ms: int) -> str:
    seconds = abs(apart_ms) // 1000
    length = f"{seconds} s" if seconds < 120 else f"{seconds // 60} min"
    return f"{length} {'after' if apart_ms > 0 else 'before'} it" if seconds else "at the same time"
