"""What callers of a node get of it, whoever's doing it is: the other side of `signals`. Pure; numpy inside."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from vistio_core.configuration.mapping import StatusClass
from vistio_core.diagnosis.latencies import timed_requests
from vistio_core.diagnosis.observed import Observed
from vistio_core.diagnosis.signals import SLOW, Mesh, Signal, node_time, ratio


def symptoms(seen: Observed, mesh: Mesh) -> Iterator[Signal]:
    """What callers of each node get: how long it takes, and which share fails."""
    entering = mesh.into(mesh.rps)
    timed, itself = timed_requests(seen, mesh), node_time(seen)
    took = np.full(entering.shape, np.nan)
    if timed is not None:
        requests, total = map(mesh.into, timed)
        took = ratio(total, requests)
    if itself is not None:
        took = np.where(np.isnan(took), itself, took)
    yield Signal("latency_ms", False, took, mesh.entering, "ms", SLOW)
    if len(seen.edges):
        failed = mesh.into(seen.rates[StatusClass.DANGER.column])
        yield Signal("error_share", False, ratio(failed, entering), entering, "share")
