"""A made-up mesh: who calls whom how often, and what flows where at an instant.

Two clusters run the same shop, Bookinfo with a checkout beside it. `CALLS` is the whole
topology; a call's rate is its caller's own incoming rate times a fan-out, so traffic is
conserved from the gateways down to the databases. A service that fails is called more often
(its callers retry), and part of the calls end badly or do not arrive; what is not well is said
by a `Trouble` from outside (`simulated_incidents`).

Only additions, multiplications and divisions of floats are used, which IEEE 754 defines
exactly: the same seed and instant give the same bits on every machine.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from typing import NamedTuple, TypeAlias

import attrs

from vistio_core.events import Sample
from vistio_record.sources.simulated_noise import day_curve, jitter, smooth

GATEWAY = "gateway"
INTERNET = "INTERNET"

HTTP, GRPC, DATABASE = "http", "grpc", "database"
"""Protocols of a call; each is a rule of its cluster, as are the next two."""
INGRESS = "ingress"
EAST_WEST = "east-west"
HTTP_RECEIVED = "http-received"
"""What the called side says of `HTTP` calls inside of a cluster."""

# Peak traffic from the Internet, and how many hours the cluster's day is behind UTC.
_INGRESS_RPS = {"eu-west": 900.0, "us-east": 620.0}
_BEHIND_UTC_H = {"eu-west": 0, "us-east": 6}
CLUSTERS = tuple(_INGRESS_RPS)


class Service(NamedTuple):
    """A service of one cluster."""

    cluster: str
    name: str


Shares: TypeAlias = Mapping[Service, float]
"""Of each service a number from 0 to 1; services that are fine are absent."""


@attrs.frozen
class Trouble:
    """What is not well at an instant; what is absent is fine."""

    failing: Shares = attrs.field(factory=dict)
    """The share of the calls into a service that fail."""
    full: Shares = attrs.field(factory=dict)
    """How near to its limit a service is."""
    lost: Shares = attrs.field(factory=dict)
    """The share of the calls to a service that it never gets: their callers give up. No part of ``failing``."""
    slower_ms: Mapping[Service, float] = attrs.field(factory=dict)
    """How much longer than usual a service itself takes."""
    repeated: Mapping[tuple[Service, Service], float] = attrs.field(factory=dict)
    """How many more calls a caller makes than usual: 1 is twice as many."""


@attrs.frozen
class SimulatedCall:
    """Calls from one service to another, ``fan_out`` of them for each request that the caller gets."""

    source: Service
    target: Service
    fan_out: float
    protocol: str
    client_errors: float
    """The usual share of calls that are the caller's own fault (404, 401, gRPC 5)."""

    @property
    def key(self) -> str:
        return "/".join((*self.source, *self.target))

    @property
    def refusal(self) -> str:
        """The status of calls that are the caller's own fault."""
        if self.protocol == GRPC:
            return "5"
        return "401" if self.target.name == "auth" else "404"


# caller, callee, fan-out, protocol, share of client errors
_LOCAL_CALLS = (
    (GATEWAY, "productpage", 0.62, HTTP, 0.010),
    (GATEWAY, "search", 0.18, HTTP, 0.004),
    (GATEWAY, "cart", 0.12, HTTP, 0.006),
    (GATEWAY, "auth", 0.30, HTTP, 0.020),
    (GATEWAY, "checkout", 0.03, HTTP, 0.008),
    ("productpage", "details", 0.98, HTTP, 0.006),
    ("productpage", "reviews-v1", 0.30, HTTP, 0.002),
    ("productpage", "reviews-v2", 0.33, HTTP, 0.002),
    ("productpage", "reviews-v3", 0.33, HTTP, 0.002),
    ("productpage", "recommendations", 0.55, GRPC, 0.001),
    ("reviews-v2", "ratings", 0.97, HTTP, 0.003),
    ("reviews-v3", "ratings", 0.97, HTTP, 0.003),
    ("ratings", "mongodb", 1.15, DATABASE, 0.0),
    ("details", "mysql", 0.40, DATABASE, 0.0),
    ("recommendations", "redis", 1.60, DATABASE, 0.0),
    ("recommendations", "catalogue", 0.25, GRPC, 0.002),
    ("search", "catalogue", 0.80, GRPC, 0.004),
    ("catalogue", "mysql", 0.30, DATABASE, 0.0),
    ("cart", "redis", 2.10, DATABASE, 0.0),
    ("cart", "inventory", 0.35, GRPC, 0.003),
    ("auth", "redis", 1.05, DATABASE, 0.0),
    ("checkout", "cart", 1.10, HTTP, 0.002),
    ("checkout", "inventory", 1.00, GRPC, 0.004),
    ("inventory", "mysql", 1.30, DATABASE, 0.0),
)
# Only eu-west takes payments, only us-east has the index of the full-text search.
_CLUSTER_CALLS = (
    (Service("eu-west", "checkout"), Service("eu-west", "payment"), 0.94, HTTP, 0.012),
    (Service("eu-west", "payment"), Service("eu-west", "mysql"), 2.00, DATABASE, 0.0),
    (Service("us-east", "checkout"), Service("eu-west", "payment"), 0.94, HTTP, 0.012),
    (Service("us-east", "search"), Service("us-east", "search-index"), 0.90, HTTP, 0.001),
    (Service("eu-west", "search"), Service("us-east", "search-index"), 0.90, HTTP, 0.001),
)

CALLS: tuple[SimulatedCall, ...] = (
    *(
        SimulatedCall(Service(cluster, source), Service(cluster, target), fan_out, protocol, errors)
        for cluster in CLUSTERS
        for source, target, fan_out, protocol, errors in _LOCAL_CALLS
    ),
    *(SimulatedCall(*call) for call in _CLUSTER_CALLS),
)

_WORST_RETRIES = 0.9
"""Extra calls per call when every call fails."""
_WORST_RELOADS = 0.3
"""Extra requests of users, per request, when the gateway fails them all."""


def _calls_in_order() -> tuple[SimulatedCall, ...]:
    """`CALLS`, so that all calls into a service come before those that it makes itself."""
    waiting: defaultdict[Service, int] = defaultdict(int)
    for call in CALLS:
        waiting[call.target] += 1
    ready = [service for service in dict.fromkeys(call.source for call in CALLS) if not waiting[service]]
    ordered: list[SimulatedCall] = []
    for service in ready:
        for call in (call for call in CALLS if call.source == service):
            ordered.append(call)
            waiting[call.target] -= 1
            if not waiting[call.target]:
                ready.append(call.target)
    assert len(ordered) == len(CALLS), "the calls of the simulated mesh must not form a cycle"
    return tuple(ordered)


ORDERED_CALLS = _calls_in_order()
"""`CALLS`, so that all calls into a service come before those that it makes itself."""


@cache
def callers_by_distance(service: Service) -> tuple[tuple[Service, int], ...]:
    """The services that depend on ``service``, itself included, with the least number of calls between."""
    distance = {service: 0}
    for near in (queue := [service]):
        for call in CALLS:
            if call.target == near and call.source not in distance:
                distance[call.source] = distance[near] + 1
                queue.append(call.source)
    return tuple(distance.items())


def flows(seed: int, t_ms: int, trouble: Trouble) -> list[Sample]:
    """All traffic at ``t_ms``: one sample for each cluster, rule, edge and status, with rates above 0."""
    merged: defaultdict[tuple[str, str, str, str, str], float] = defaultdict(float)
    load: defaultdict[Service, float] = defaultdict(float)
    for cluster in CLUSTERS:
        failing = trouble.failing.get(Service(cluster, GATEWAY), 0.0)
        rate = load[Service(cluster, GATEWAY)] = _ingress(seed, t_ms, cluster, failing)
        key = f"{INTERNET}/{cluster}"
        for status, part in _statuses(seed, t_ms, key, INGRESS, ("404", 0.012), failing):
            merged["", INGRESS, INTERNET, cluster, status] += part * rate
            merged[cluster, INGRESS, INTERNET, GATEWAY, status] += part * rate
    for call in ORDERED_CALLS:
        failing, lost = trouble.failing.get(call.target, 0.0), trouble.lost.get(call.target, 0.0)
        more = 1.0 + trouble.repeated.get((call.source, call.target), 0.0)
        rate = (
            load[call.source] * _fan_out(seed, t_ms, call) * (1.0 + _WORST_RETRIES * (failing + lost)) * more
        )
        arrives = rate * (1.0 - lost)
        load[call.target] += arrives
        refused = (call.refusal, call.client_errors)
        for status, part in _statuses(seed, t_ms, call.key, call.protocol, refused, failing):
            for cluster, rule, source, target in (*seen_as(call), *_received(call)):
                merged[cluster, rule, source, target, status] += part * arrives
        for cluster, rule, source, target in seen_as(call) if lost else ():
            merged[cluster, rule, source, target, _WHEN_LOST[call.protocol]] += rate * lost
    return [Sample(*key, rate) for key, rate in merged.items() if rate > 0.0]


def saturation(seed: int, t_ms: int, trouble: Trouble) -> Iterator[tuple[Service, float]]:
    """How full the pool of each database is, 0 to 1; arguments as in `flows`."""
    databases = dict.fromkeys(call.target for call in CALLS if call.protocol == DATABASE)
    for service in databases:
        day = day_curve(t_ms, _BEHIND_UTC_H[service.cluster])
        wobble = 0.05 * smooth(seed, f"saturation/{'/'.join(service)}", t_ms, 420_000)
        usual = 0.28 + 0.25 * day + wobble
        yield service, usual + (0.985 - usual) * trouble.full.get(service, 0.0)


def _ingress(seed: int, t_ms: int, cluster: str, failing: float) -> float:
    key = f"ingress/{cluster}"
    wobble = 1.0 + 0.06 * smooth(seed, key, t_ms, 600_000) + 0.03 * smooth(seed, key, t_ms, 45_000)
    reloads = 1.0 + _WORST_RELOADS * failing
    return _INGRESS_RPS[cluster] * day_curve(t_ms, _BEHIND_UTC_H[cluster]) * wobble * reloads


def _fan_out(seed: int, t_ms: int, call: SimulatedCall) -> float:
    key = f"fan-out/{call.key}"
    slow, fast = smooth(seed, key, t_ms, 900_000), smooth(seed, key, t_ms, 60_000)
    return call.fan_out * (1.0 + 0.05 * slow + 0.02 * fast + 0.01 * jitter(seed, key, t_ms))


def _statuses(
    seed: int, t_ms: int, key: str, protocol: str, refused: tuple[str, float], failing: float
) -> Iterator[tuple[str, float]]:
    """Raw status values with their share of the calls; the shares add up to 1, none is negative."""
    refusal, usually = refused
    # Now and then, for a minute or two, a few calls out of a thousand fail for no visible reason.
    burst = max(0.0, smooth(seed, f"burst/{key}", t_ms, 150_000) - 0.80) * 0.02
    shares: defaultdict[str, float] = defaultdict(float)
    shares[refusal] = usually * (1.0 + 0.6 * smooth(seed, f"refused/{key}", t_ms, 120_000))
    for status, part in _WHEN_FAILING[protocol]:
        shares[status] += part * failing
    shares[_WHEN_BURSTING[protocol]] += burst
    yield _WHEN_FINE[protocol], 1.0 - sum(shares.values())
    yield from shares.items()


_WHEN_FINE = {HTTP: "200", INGRESS: "200", GRPC: "0", DATABASE: "ok"}
_WHEN_BURSTING = {HTTP: "500", INGRESS: "500", GRPC: "14", DATABASE: "error"}
_WHEN_FAILING = {
    HTTP: (("500", 0.55), ("503", 0.20), ("504", 0.25)),
    INGRESS: (("503", 0.90), ("504", 0.10)),
    GRPC: (("4", 0.45), ("14", 0.55)),
    DATABASE: (("timeout", 0.70), ("error", 0.30)),
}
_WHEN_LOST = {HTTP: "503", GRPC: "14", DATABASE: "timeout"}


def seen_as(call: SimulatedCall) -> Iterator[tuple[str, str, str, str]]:
    """Cluster, rule, source and target of every edge that the call is part of.

    A call into another cluster is seen three times: where it leaves, on the global level, and
    where it arrives.
    """
    here, there = call.source.cluster, call.target.cluster
    if here == there:
        yield here, call.protocol, call.source.name, call.target.name
        return
    yield here, call.protocol, call.source.name, f"{call.target.name}.{there}"
    yield "", EAST_WEST, here, there
    yield there, EAST_WEST, here, call.target.name


def _received(call: SimulatedCall) -> Iterator[tuple[str, str, str, str]]:
    """The same of what the called side says, where somebody asks it: HTTP inside of a cluster."""
    if call.protocol == HTTP and call.source.cluster == call.target.cluster:
        yield call.target.cluster, HTTP_RECEIVED, call.source.name, call.target.name
