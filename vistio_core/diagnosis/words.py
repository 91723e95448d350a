"""Evidence in plain language: what left its normal, by how much, since when, at which end, and who felt it. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np

from vistio_core.diagnosis.charges import Charge
from vistio_core.diagnosis.observed import Observed
from vistio_core.diagnosis.signals import Mesh
from vistio_core.sentences import Joined, Said, Sentence, say
from vistio_core.shares import Share, number
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

    def evidence(
        self, charge: Charge, subject: int, node: int | None, onset_ms: int, marks: Sequence[Mark]
    ) -> Said:
        """One or two sentences.

        Args:
            charge: what a suspect is charged with.
            subject: the edge or node of its signal.
            node: the suspect, where it is one; None for an edge.
            onset_ms: since when.
            marks: what may be named beside it: it need not be the cause.
        """
        left = charge.departure
        moved = say(
            "{moved} since {onset} ({spreads} its usual spread)",
            moved=self._moved(charge, subject, float(left.normal.value[subject]), float(left.now[subject])),
            onset=format_instant(onset_ms),
            spreads=_spreads(float(left.spreads[subject])),
        )
        others = (*self._peers(charge, node), *self._direction(charge, node), *_near(marks, onset_ms))
        return Joined([moved, *others], "; ")

    def _moved(self, charge: Charge, subject: int, before: float, now: float) -> Sentence:
        if charge.signal.of_edges:
            return self._moved_between(charge.signal.measure, subject, before, now)
        measure, shares = charge.signal.measure, {"before": Share(before), "now": Share(now)}
        times = {name: _ms(value) for name, value in shares.items()}
        if measure == "own_time_ms":
            return say(
                "its own time, without what it waits for, went from {before} to {now} a request", **times
            )
        if measure == "own_failure_share":
            return say("{now:.1%} of its requests fail by its own doing, before {before:.1%}", **shares)
        if measure == "own_warning_share":
            return say(
                "{now:.1%} of its requests get a warning by its own doing, before {before:.1%}", **shares
            )
        if charge.signal.unit == "ms":
            return say(
                "{measure}, without what it waits for, went from {before} to {now}", measure=measure, **times
            )
        return say(
            "{measure} went from {before:.4g} to {now:.4g}", measure=measure, before=abs(before), now=abs(now)
        )

    def _moved_between(self, measure: str, subject: int, before: float, now: float) -> Sentence:
        edge = self._edge(subject)
        if measure == "network_ms":
            return say(
                "between both ends of {edge} a request spends {now}, before {before}",
                edge=edge,
                now=_ms(now),
                before=_ms(before),
            )
        facts = {"edge": edge, "before": before, "now": now}
        if measure == "lost_share":
            return say(
                "{now:.1%} of the requests of {edge} are sent and not received, before {before:.1%}",
                edge=edge,
                before=Share(before),
                now=Share(now),
            )
        if self.mesh.entry[self.mesh.source[subject]]:
            return say("{edge} went from {before:.3g} to {now:.3g} of all its calls", **facts)
        return say("{edge} went from {before:.3g} to {now:.3g} calls for each request of the caller", **facts)

    def _edge(self, subject: int) -> str:
        _, source, target = self.seen.edges[subject]
        return f"{self.seen.names[source]} > {self.seen.names[target]}"

    def _peers(self, charge: Charge, node: int | None) -> list[Sentence]:
        """On how many of its edges a node shows it."""
        if node is None:
            return [say("the other calls of both ends are well")] if charge.signal.of_edges else []
        if not charge.signal.of_edges:
            return []
        own = (self.mesh.source == node) | (self.mesh.target == node)
        harmed = int((charge.harmed_rps[own] > 0).sum())
        return [
            say(
                "so is {harmed} of its {edges} edges"
                if harmed == 1
                else "so are {harmed} of its {edges} edges",
                harmed=harmed,
                edges=int(own.sum()),
            )
        ]

    def _direction(self, charge: Charge, node: int | None) -> list[Sentence]:
        """Who calls it and got worse, and whether those that it calls did."""
        if node is None:
            return []
        callers, called = (
            [other for other in sorted(set(ends[mine == node].tolist()) - {node}) if self._worse(other)]
            for ends, mine in ((self.mesh.source, self.mesh.target), (self.mesh.target, self.mesh.source))
        )
        told = []
        if callers:
            told.append(say("callers that got worse, too: {names}", names=self._names(callers)))
        if called:
            told.append(
                say("of those that it calls, these got worse, too: {names}", names=self._names(called))
            )
        elif (self.mesh.source == node).any():
            told.append(say("those that it calls are well"))
        return told

    def _worse(self, node: int) -> bool:
        return any(
            charge.harmed_rps[node] > 0
            if not charge.signal.of_edges
            else bool((charge.harmed_rps[self.mesh.target == node] > 0).any())
            for charge in self.made
        )

    def _names(self, nodes: Sequence[int]) -> Said:
        return listed([self.seen.names[self.seen.nodes[node][1]] for node in nodes], _MOST_NAMES)


def listed(names: Sequence[str], most: int) -> Said:
    """The first ``most`` names, and how many more there are."""
    first, more = Joined(names[:most], ", "), len(names) - most
    return say("{names} and {more} more", names=first, more=more) if more > 0 else first


def _near(marks: Sequence[Mark], onset_ms: int) -> list[Sentence]:
    """What happened near an onset, and how near."""
    close = [mark for mark in marks if abs(mark.start_ms - onset_ms) <= NEAR_MS]
    close.sort(key=lambda mark: (abs(mark.start_ms - onset_ms), mark.start_ms, mark.text))
    return [
        say(
            "near it: {kind} {text!r} {apart}",
            kind=mark.kind,
            text=" ".join(mark.text.split()),
            apart=_apart(mark.start_ms - onset_ms),
        )
        for mark in close[:_MOST_NAMES]
    ]


def _ms(value: float) -> str:
    return f"{value:.3g} ms" if abs(value) < 999.5 else f"{number(value / 1000)} s"


def _spreads(spreads: float) -> Sentence:
    if np.isfinite(spreads) and spreads < 1000:
        return say("{spreads:.0f} times", spreads=spreads)
    return say("more than 1000 times")


def _apart(apart_ms: int) -> Sentence:
    seconds = abs(apart_ms) // 1000
    if not seconds:
        return say("at the same time")
    length = f"{seconds} s" if seconds < 120 else f"{seconds // 60} min"
    return say("{length} after it" if apart_ms > 0 else "{length} before it", length=length)
