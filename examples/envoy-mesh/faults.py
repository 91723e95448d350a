"""What can be broken, and what that means for each part of the mesh. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import proxies

Kind = Literal["abort", "delay", "cpu", "network", "cut", "kill"]


@dataclass(frozen=True)
class Fault:
    """One thing that is broken."""

    kind: Kind
    where: str
    """A service, or an edge as ``caller>called``."""
    ms: int = 0
    """How long, for `delay`, `cpu` and `network`."""
    percent: int = 100
    """How many of the requests, for `abort`."""
    status: int = 503
    """With which status, for `abort`."""

    def __str__(self) -> str:
        share = f", {self.percent} % get {self.status}" if self.kind == "abort" else ""
        time = f", {self.ms} ms" if self.ms else ""
        return f"{self.kind} {self.where.replace('>', ' > ')}{share}{time}"


@dataclass(frozen=True)
class Orders:
    """What is broken now, and a number that grows with each change, so that one can wait for it to be carried out."""

    number: int = 0
    faults: tuple[Fault, ...] = ()

    def and_also(self, fault: Fault) -> Orders:
        """With one more fault; of the same kind and place, it takes the place of the one before."""
        others = [each for each in self.faults if (each.kind, each.where) != (fault.kind, fault.where)]
        return Orders(self.number + 1, (*others, fault))

    def healed(self) -> Orders:
        return Orders(self.number + 1)


def runtime_of(faults: Iterable[Fault], service: str) -> dict[str, str]:
    """What the runtime of this service's Envoy must say."""
    known: dict[str, int] = {}
    for fault in faults:
        if fault.where == service and fault.kind == "abort":
            known |= {"abort_percent": fault.percent, "abort_status": fault.status}
        elif fault.where == service and fault.kind == "delay":
            known |= {"delay_ms": fault.ms}
    return proxies.runtime(**known)


def cpu_of(faults: Iterable[Fault], service: str) -> dict[str, Any]:
    """What this service must be told of its CPU."""
    return {"cpu_ms": sum(each.ms for each in faults if (each.kind, each.where) == ("cpu", service))}


def network_of(faults: Iterable[Fault]) -> dict[str, Any]:
    """What the network must be told."""
    faults = list(faults)
    return {
        "delay_ms": {fault.where: fault.ms for fault in faults if fault.kind == "network"},
        "cut": [fault.where for fault in faults if fault.kind == "cut"],
    }


def killed(faults: Iterable[Fault]) -> frozenset[str]:
    """The services whose Envoy does not run."""
    return frozenset(fault.where for fault in faults if fault.kind == "kill")
