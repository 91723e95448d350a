"""Faults of a single service of the simulated mesh, each a function of time.

Other than a pool that fills up (`simulated_incidents`), they reach the callers in the same instant: a request fails
when a call that it needs fails, and takes as long as what it waits for.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import attrs

from vistio_core.times import SECOND_MS
from vistio_record.sources.simulated_mesh import CALLS, ORDERED_CALLS, Service, Trouble
from vistio_record.sources.simulated_noise import ease, smooth

PASSED_ON = 0.68
"""The share of a service's failures that become failures of its caller."""
_WOBBLE = 0.12
_FALL_MS = 60 * SECOND_MS


@attrs.frozen
class Window:
    """A half-open stretch of time, ``[start_ms, end_ms)``."""

    start_ms: int
    end_ms: int

    def __contains__(self, t_ms: int) -> bool:
        return self.start_ms <= t_ms < self.end_ms


@attrs.frozen
class Fault:
    """What is wrong with a service while it is worst; the fields are those of `Trouble`."""

    service: Service
    rise_ms: int
    """How long it takes until it is worst."""
    failing: float = 0.0
    full: float = 0.0
    lost: float = 0.0
    slower_ms: float = 0.0
    repeated: float = 0.0
    """Of the calls of each of its callers."""

    def at(self, seed: int, t_ms: int, window: Window) -> Trouble:
        """What is not well at ``t_ms``, where the fault has this window."""
        if t_ms not in window:
            return Trouble()
        how_far = min(ease((t_ms - window.start_ms) / self.rise_ms), ease((window.end_ms - t_ms) / _FALL_MS))
        wobble = 1.0 + _WOBBLE * smooth(seed, f"fault/{'/'.join(self.service)}", t_ms, 90_000)

        def own(worst: float) -> dict[Service, float]:
            return {self.service: worst * how_far * wobble} if worst else {}

        lost = own(self.lost)
        callers = [call.source for call in CALLS if call.target == self.service]
        return Trouble(
            failing=_passed_up(own(self.failing), lost),
            full={service: min(1.0, full) for service, full in own(self.full).items()},
            lost=lost,
            slower_ms=own(self.slower_ms),
            repeated={(caller, self.service): self.repeated * how_far * wobble for caller in callers},
        )


FAULTS: Mapping[str, Fault] = MappingProxyType(
    {
        # A new version answers every third request with an error.
        "version": Fault(Service("eu-west", "reviews-v3"), rise_ms=60 * SECOND_MS, failing=0.35),
        # A third of its instances are in a zone that nobody reaches: what is sent there is lost.
        "zone": Fault(Service("eu-west", "auth"), rise_ms=10 * SECOND_MS, lost=0.34),
        # It fails, its callers call again and again, and that is what it fails of.
        "retries": Fault(
            Service("eu-west", "catalogue"), rise_ms=90 * SECOND_MS, failing=0.5, full=1.0, repeated=2.0
        ),
        # It answers everything, and late.
        "slow": Fault(Service("eu-west", "recommendations"), rise_ms=120 * SECOND_MS, slower_ms=400.0),
    }
)
"""By the name of the incident that it is."""


def _passed_up(own: Mapping[Service, float], lost: Mapping[Service, float]) -> dict[Service, float]:
    """The shares of a few services' calls that fail, and what comes of them for all that call them."""
    failing = dict(own)
    for call in reversed(ORDERED_CALLS):  # so that what becomes of a service is known before who calls it
        bad = failing.get(call.target, 0.0) + lost.get(call.target, 0.0)
        if bad:
            failing[call.source] = failing.get(call.source, 0.0) + min(call.fan_out, 1.0) * PASSED_ON * bad
    return failing
