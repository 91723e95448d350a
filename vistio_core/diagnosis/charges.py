"""Who is charged with how much of what left its normal, in requests a second that are harmed. Pure; numpy inside.

Every signal becomes comparable: its excess (`normal.Departure`) a request, as a share of a whole request, times the
requests a second that it is about. A failed request is one. A slow one is up to a half, by how long what enters takes
when all is well: where that is 200 ms, 100 requests a second that take 50 ms more are 12.5. Calls beyond the usual
number, and calls that no longer come, harm nobody by themselves: they count by a tenth.

What an edge is charged with falls on both of its ends: wholly on the called one, on the caller by nine tenths. A node
that is slow on the network is slow with all of its peers, so it gathers more than any of them; with a single peer,
the called end goes first.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np

from vistio_core.diagnosis.normal import LEAST_SPREAD, Departure, Normal, Span, departure
from vistio_core.diagnosis.observed import Observed
from vistio_core.diagnosis.signals import Mesh, Signal, time_at, unit_of
from vistio_core.samples import Floats

CALLERS_PART = 0.9
"""Of what an edge is charged with: how much falls on the caller."""
_FLOORS = {"ms": 1.0, "share": 0.005, "calls": 0.05, "": 0.0}
"""The least spread of each unit: what is less than three of these is no trouble of anybody's."""
_LEAST = {"": 0.001, "calls": 0.2}
_OTHER_REQUEST_MS = 1000.0
"""How long a request takes where nobody measures that."""


@attrs.frozen(eq=False)
class Charge:
    """What one signal says of all edges or of all nodes."""

    signal: Signal
    departure: Departure
    harmed_rps: Floats
    """Of each, 0 or more."""

    def on_nodes(self, mesh: Mesh) -> Floats:
        """What falls on each node."""
        excess = self.departure.excess[None]
        on_nodes: Floats = falls_on(mesh, self.signal, self.harmed_rps[None], excess)[0]
        return on_nodes


def charges(
    seen: Observed, mesh: Mesh, found: Sequence[Signal], baseline: Span, window: Span
) -> list[Charge]:
    """What each signal charges, over a window."""
    whole_ms = request_ms(seen, mesh, baseline)
    made = []
    rps = mean_of(window.of(mesh.rps))[None]
    for signal in found:
        left = departure(signal.values, baseline, window, *floors(signal))
        about = mean_of(window.of(signal.rps))[None]
        now = left.now[None], left.excess[None]
        harm = harmed(mesh, signal, left.normal, now, (about, rps), whole_ms)
        made.append(Charge(signal, left, harm[0]))
    return made


def floors(signal: Signal) -> tuple[float, float]:
    """The least spread of a signal, in its unit and as a share of what is normal."""
    return _FLOORS[signal.unit], _LEAST.get(signal.unit, LEAST_SPREAD)


def harmed(
    mesh: Mesh,
    signal: Signal,
    normal: Normal,
    now: tuple[Floats, Floats],
    rps: tuple[Floats, Floats],
    whole_ms: float,
) -> Floats:
    """How many requests a second are harmed, at some times.

    Args:
        mesh: who calls whom.
        signal: what is looked at.
        normal: what is normal of it.
        now: times by edges or nodes: its values, and by how much they are not normal.
        rps: times by edges or nodes: how many requests a second it is about; and times by edges: of the mesh.
        whole_ms: `request_ms`.
    """
    values, excess = now
    if signal.unit == "calls":
        # A larger part of what enters is demand, and no doing of anybody's in the mesh.
        excess = np.where(mesh.entry[mesh.source], np.minimum(excess, 0.0), excess)
    excess = np.abs(excess) if signal.falls else np.maximum(excess, 0.0)
    if signal.unit == "ms":
        excess = np.minimum(excess / whole_ms, 1.0)
    elif not signal.unit:
        excess = _own_share(mesh, excess, normal, values, rps)
    harm: Floats = signal.weight * excess * np.nan_to_num(rps[0])
    if not signal.of_edges:
        harm[:, mesh.outlined] = 0.0
    return harm


def falls_on(mesh: Mesh, signal: Signal, harm: Floats, excess: Floats) -> Floats:
    """What falls on each node, at some times: times by nodes."""
    if not signal.of_edges:
        return harm
    # More calls than usual are made by whoever calls, not by whom they reach.
    made = (signal.unit == "calls") & (excess > 0)
    return mesh.by_target.added(np.where(made, 0.0, harm)) + mesh.by_source.added(
        np.where(made, harm, CALLERS_PART * harm)
    )


def request_ms(seen: Observed, mesh: Mesh, baseline: Span) -> float:
    """How long what enters takes when all is well, on average; or what is measured of the entries."""
    took, rps = time_at(seen, caller=False), mesh.rps
    if took is not None:
        took, rps = baseline.of(took)[:, mesh.enters], baseline.of(rps)[:, mesh.enters]
    else:
        measured = [name for name in seen.of_nodes if unit_of(name) in ("ms", "s", "seconds")]
        means = [name for name in measured if "mean" in name or "average" in name] or measured
        if not means:
            return _OTHER_REQUEST_MS
        own = baseline.of(seen.of_nodes[means[0]]) * (1.0 if unit_of(means[0]) == "ms" else 1000.0)
        took, rps = own[:, mesh.entry], baseline.of(mesh.entering)[:, mesh.entry]
    both = ~np.isnan(took) & (np.nan_to_num(rps) > 0)
    total = float(np.where(both, np.nan_to_num(rps), 0.0).sum())
    whole = float(np.where(both, np.nan_to_num(rps) * np.nan_to_num(took), 0.0).sum())
    return whole / total if whole > 0 else _OTHER_REQUEST_MS


def _own_share(mesh: Mesh, excess: Floats, normal: Normal, now: Floats, rps: tuple[Floats, Floats]) -> Floats:
    """In units of its own: as a share of what it is, without the share that comes of those that are called."""
    size = np.fmax(np.abs(np.nan_to_num(normal.value)), np.abs(np.nan_to_num(now)))
    share = np.divide(excess, size, out=np.zeros_like(excess), where=size > 0)
    passed = mesh.by_source.added(np.nan_to_num(rps[1]) * share[:, mesh.target])
    about = np.nan_to_num(rps[0])
    own: Floats = np.maximum(share - np.divide(passed, about, out=np.zeros_like(share), where=about > 0), 0.0)
    return own


def mean_of(values: Floats) -> Floats:
    """Over the steps at which it is known; 0 where it is at none."""
    known = ~np.isnan(values)
    mean: Floats = np.nan_to_num(values).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return mean
