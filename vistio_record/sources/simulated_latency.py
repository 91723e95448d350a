"""How long calls of the made-up mesh take: a service's own time, and what it waits for those that it calls.

A database whose pool of connections is full lets its callers wait, minutes before their calls begin to fail; and they
let theirs wait. As everything here, additions and multiplications of floats alone: the same bits on every machine.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import attrs

from vistio_core.events import GLOBAL_LEVEL
from vistio_record.sources.simulated_mesh import (
    CLUSTERS,
    DATABASE,
    GATEWAY,
    INTERNET,
    ORDERED_CALLS,
    Service,
    Trouble,
    seen_as,
)
from vistio_record.sources.simulated_noise import jitter, smooth

_OWN_MS = {GATEWAY: 3.0, "mongodb": 3.0, "mysql": 4.0, "redis": 0.8, "payment": 60.0, "recommendations": 14.0}
_USUAL_OWN_MS = 7.0
_OCEAN_MS = 85.0
"""How much longer a call into the other cluster takes."""
_POOL_WAIT_MS = 220.0
"""How long a call waits for a connection of a pool that is full."""
_WHEN_FAILING = 4.0
"""By how many times more its own time a service takes that is as near to its limit as it can be."""
_WAY_MS = 0.4
"""What lies between both ends of a call."""
_GIVES_UP_MS = 1000.0
"""How long a caller waits for somebody who is not there."""


@attrs.frozen
class Timed:
    """How long calls of an edge inside of a cluster take, in the mean."""

    cluster: str
    source: str
    target: str
    called_ms: float | None
    """As the called side says; None where it is in another cluster."""
    caller_ms: float | None
    """As the caller says; None where it is in another cluster, or outside."""


def latencies(seed: int, t_ms: int, trouble: Trouble) -> Iterator[Timed]:
    """Each edge inside of a cluster; arguments as in `vistio_record.sources.simulated_mesh.flows`."""
    waits_ms: defaultdict[Service, float] = defaultdict(float)
    own_ms: dict[Service, float] = {}
    databases = {call.target for call in ORDERED_CALLS if call.protocol == DATABASE}

    def takes_ms(service: Service) -> float:
        if service not in own_ms:
            full = trouble.full.get(service, 0.0)
            key = f"latency/{'/'.join(service)}"
            wobble = 1.0 + 0.06 * smooth(seed, key, t_ms, 300_000) + 0.03 * jitter(seed, key, t_ms)
            usual_ms = _OWN_MS.get(service.name, _USUAL_OWN_MS)
            more_ms = _POOL_WAIT_MS * full if service in databases else _WHEN_FAILING * usual_ms * full
            own_ms[service] = (usual_ms + more_ms + trouble.slower_ms.get(service, 0.0)) * wobble
        return own_ms[service] + waits_ms[service]

    for call in reversed(ORDERED_CALLS):  # so that what a service waits for is known before who waits for it
        called_ms, lost = takes_ms(call.target), trouble.lost.get(call.target, 0.0)
        way_ms = _WAY_MS * (1.0 + 0.1 * jitter(seed, f"way/{call.key}", t_ms))
        here, there = call.source.cluster, call.target.cluster
        answered_ms = called_ms + way_ms + (0.0 if here == there else _OCEAN_MS)
        caller_ms = (1.0 - lost) * answered_ms + lost * _GIVES_UP_MS
        waits_ms[call.source] += call.fan_out * caller_ms
        for cluster, _, source, target in seen_as(call):
            if cluster != GLOBAL_LEVEL:
                both = called_ms if cluster == there else None, caller_ms if cluster == here else None
                yield Timed(cluster, source, target, *both)
    for cluster in CLUSTERS:
        yield Timed(cluster, INTERNET, GATEWAY, takes_ms(Service(cluster, GATEWAY)), None)
