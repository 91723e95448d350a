"""How long calls of the made-up mesh take: a service's own time, and what it waits for those that it calls.

A database whose pool of connections is full lets its callers wait, minutes before their calls begin to fail; and they
let theirs wait. As everything here, additions and multiplications of floats alone: the same bits on every machine.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from vistio_core.events import GLOBAL_LEVEL
from vistio_record.sources.simulated_mesh import (
    CLUSTERS,
    DATABASE,
    GATEWAY,
    INTERNET,
    ORDERED_CALLS,
    Failures,
    Service,
    fullness,
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
"""By how many times more its own time a service takes that fails as much as it can."""


def latencies(
    seed: int, t_ms: int, failures: Failures, ahead: Failures
) -> Iterator[tuple[str, str, str, float]]:
    """Cluster, source, target and mean milliseconds of a call, for each edge inside of a cluster.

    Args:
        seed: as in `vistio_record.sources.simulated_mesh.flows`.
        t_ms: likewise.
        failures: likewise.
        ahead: the failures of a little later: a pool fills up before calls fail.
    """
    waits_ms: defaultdict[Service, float] = defaultdict(float)
    own_ms: dict[Service, float] = {}
    databases = {call.target for call in ORDERED_CALLS if call.protocol == DATABASE}

    def takes_ms(service: Service) -> float:
        if service not in own_ms:
            full = fullness(service, failures, ahead)
            key = f"latency/{'/'.join(service)}"
            wobble = 1.0 + 0.06 * smooth(seed, key, t_ms, 300_000) + 0.03 * jitter(seed, key, t_ms)
            usual_ms = _OWN_MS.get(service.name, _USUAL_OWN_MS)
            more_ms = _POOL_WAIT_MS * full if service in databases else _WHEN_FAILING * usual_ms * full
            own_ms[service] = (usual_ms + more_ms) * wobble
        return own_ms[service] + waits_ms[service]

    for call in reversed(ORDERED_CALLS):  # so that what a service waits for is known before who waits for it
        call_ms = takes_ms(call.target) + (0.0 if call.source.cluster == call.target.cluster else _OCEAN_MS)
        waits_ms[call.source] += call.fan_out * call_ms
        for cluster, _, source, target in seen_as(call):
            if cluster != GLOBAL_LEVEL:
                yield cluster, source, target, call_ms
    for cluster in CLUSTERS:
        yield cluster, INTERNET, GATEWAY, takes_ms(Service(cluster, GATEWAY))
