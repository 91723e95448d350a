"""What goes wrong in the simulated mesh, and when, relative to an anchor instant.

The hour before the anchor tells one story::

    -50m .. -47m    the recorder is not running: a gap
    -35m .. -21m    the incident, which is one of `INCIDENTS`
    -12m .. -10m30s one rule of us-east is not answered

At all other times, past and future, every 45 minutes have a chance of one small incident.
"""

from __future__ import annotations

import attrs

from vistio_core.times import MINUTE_MS, SECOND_MS
from vistio_record.sources.simulated_faults import FAULTS, PASSED_ON, Window
from vistio_record.sources.simulated_mesh import CALLS, Service, Trouble, callers_by_distance
from vistio_record.sources.simulated_noise import between, ease, fraction, smooth

_SPREAD_MS = 75 * SECOND_MS
"""How much later a caller begins to fail than the service that it calls."""
_RELIEF_MS = 20 * SECOND_MS
"""How much later a caller is well again."""
_RISE_MS = 150 * SECOND_MS
_FALL_MS = 120 * SECOND_MS

_FULL_BEFORE_FAILING_MS = 3 * MINUTE_MS
"""How long before calls into a service fail it is near its limit."""
_FULL_FROM = 0.2
"""From which share of failing calls on it is as near as it can be."""

_SLOT_MS = 45 * MINUTE_MS
_CHANCE = 0.75
_STORY_SLOTS = (-1, -2)
"""The slots that hold the last hour before the anchor: no small incident disturbs its story."""

DATABASE = "database"
_SATURATED = Service("eu-west", "mongodb")
INCIDENTS = (DATABASE, *FAULTS)
"""What the incident of the hour before the anchor may be, the usual one first."""


@attrs.frozen
class MadeUpIncident:
    """A service that begins to fail, and takes its callers with it."""

    service: Service
    window: Window
    """From the first failure of ``service`` to its last."""
    peak: float
    """The share of calls into ``service`` that fail when it is worst."""
    reach: int
    """How many calls away from ``service`` failures are still seen."""

    def failing(self, t_ms: int, distance: int) -> float:
        """The share of calls into a service at this distance that fail at ``t_ms``."""
        begin_ms = self.window.start_ms + distance * _SPREAD_MS
        end_ms = self.window.end_ms + distance * _RELIEF_MS
        if distance > self.reach or not begin_ms < t_ms < end_ms:
            return 0.0
        share = self.peak
        for _ in range(distance):
            share *= PASSED_ON
        return share * min(ease((t_ms - begin_ms) / _RISE_MS), ease((end_ms - t_ms) / _FALL_MS))


@attrs.frozen
class Story:
    """Everything that happens, as a pure function of seed and anchor."""

    seed: int
    anchor_ms: int
    kind: str = DATABASE
    """One of `INCIDENTS`."""

    @property
    def gap(self) -> Window:
        """When the recorder was not running."""
        return self._before(minutes=50, lasting_s=180)

    @property
    def unanswered(self) -> Window:
        """When one rule was not answered."""
        return self._before(minutes=12, lasting_s=90)

    @property
    def incident(self) -> Window:
        """When the incident happens that the hour is about."""
        return self._before(minutes=35, lasting_s=14 * 60)

    def trouble(self, t_ms: int) -> Trouble:
        """What is not well at ``t_ms``."""
        failing, ahead = self._failing(t_ms), self._failing(t_ms + _FULL_BEFORE_FAILING_MS)
        full = {
            service: min(1.0, max(failing.get(service, 0.0), ahead.get(service, 0.0)) / _FULL_FROM)
            for service in {**failing, **ahead}
        }
        if self.kind == DATABASE:
            return Trouble(failing, full)
        fault = FAULTS[self.kind].at(self.seed, t_ms, self.incident)
        return attrs.evolve(fault, failing={**failing, **fault.failing}, full={**full, **fault.full})

    def _failing(self, t_ms: int) -> dict[Service, float]:
        worst: dict[Service, float] = {}
        for incident in self._incidents_near(t_ms):
            for service, distance in callers_by_distance(incident.service):
                wobble = 1.0 + 0.12 * smooth(self.seed, f"failing/{'/'.join(service)}", t_ms, 90_000)
                failing = wobble * incident.failing(t_ms, distance)
                if failing > worst.get(service, 0.0):
                    worst[service] = failing
        return worst

    def _incidents_near(self, t_ms: int) -> list[MadeUpIncident]:
        # An incident's consequences may reach into the slot after its own.
        slot = (t_ms - self.anchor_ms) // _SLOT_MS
        near = [self._small_incident(number) for number in (slot - 1, slot)]
        incidents = [incident for incident in near if incident is not None]
        if self.kind == DATABASE:
            incidents.append(MadeUpIncident(_SATURATED, self.incident, peak=0.55, reach=9))
        return incidents

    def _small_incident(self, slot: int) -> MadeUpIncident | None:
        if slot in _STORY_SLOTS or fraction(self.seed, "incident", slot) >= _CHANCE:
            return None
        targets = sorted({call.target for call in CALLS})
        service = targets[int(fraction(self.seed, "incident at", slot) * len(targets))]
        after_ms = int(between(self.seed, "incident from", slot, 3, 30) * MINUTE_MS)
        begin_ms = self.anchor_ms + slot * _SLOT_MS + after_ms
        lasting_ms = int(between(self.seed, "incident for", slot, 4, 8) * MINUTE_MS)
        peak = between(self.seed, "incident peak", slot, 0.04, 0.14)
        return MadeUpIncident(service, Window(begin_ms, begin_ms + lasting_ms), peak, reach=2)

    def _before(self, *, minutes: int, lasting_s: int) -> Window:
        start_ms = self.anchor_ms - minutes * MINUTE_MS
        return Window(start_ms, start_ms + lasting_s * SECOND_MS)
