"""The rules of one scrape while they are asked: one thread each, one deadline for all. No I/O.

What must not be in here: how a rule is asked. It is cut off by its `Call`, and tells what it saw by a `Probe`.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from queue import Empty, SimpleQueue

import attrs

from vistio_core.configuration.model import Rule
from vistio_core.events import Measurement, Outcome, RuleOutcome, Sample
from vistio_record.sources.abortable import Call

# How long an overdue request's thread may take to notice that its socket was shut.
AFTERMATH_S = 0.05


@attrs.frozen
class Probe:
    """One rule's evaluation with what `check` explains and a recording does not keep."""

    cluster: str
    rule: Rule
    outcome: RuleOutcome
    samples: Sequence[Sample] = attrs.field(default=(), repr=False)
    measurements: tuple[Measurement, ...] = attrs.field(default=(), repr=False)
    examples: Mapping[str, Mapping[str, str]] = attrs.field(factory=dict)
    """Reason to the labels of one series that was dropped for it."""

    def failed(self, why: str) -> Probe:
        """The same rule with an answer that is none."""
        told = self.outcome
        outcome = RuleOutcome(told.cluster, told.rule, Outcome.FAILED, why, duration_ms=told.duration_ms)
        return Probe(self.cluster, self.rule, outcome)


class Batch:
    """The requests of one scrape, and the probes that come back while somebody still waits."""

    def __init__(self, calls: list[Call]) -> None:
        self.calls = calls
        self._done: SimpleQueue[tuple[int, Probe] | None] = SimpleQueue()

    def put(self, index: int, probe: Probe) -> None:
        self._done.put((index, probe))

    def stop(self) -> None:
        """Cut off what still runs; `collect` returns."""
        for call in self.calls:
            call.abort()
        self._done.put(None)

    def collect(self, timeout_s: float) -> dict[int, Probe]:
        """What comes within ``timeout_s``, by index."""
        deadline_s = time.monotonic() + timeout_s + AFTERMATH_S
        probes: dict[int, Probe] = {}
        while len(probes) < len(self.calls):
            try:
                item = self._done.get(timeout=max(deadline_s - time.monotonic(), 0))
            except Empty:
                break
            if item is None:
                break
            probes[item[0]] = item[1]
        return probes
