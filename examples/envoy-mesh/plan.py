"""What the mesh is: its services, who calls whom, and the port of everything. No I/O but for finding free ports.

    users > ingress > productpage > details > books
                                  > reviews-v1
                                  > reviews-v2 > ratings > store
                                  > reviews-v3 > ratings
                                  > login > store           (each third request)

Every arrow but the first goes through two Envoys and, between them, a piece of network of its own:

    service > its Envoy (outbound) > network > Envoy of the called (inbound) > called service
"""

from __future__ import annotations

import json
import random
import socket
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

INGRESS = "ingress"
"""The Envoy at the edge of the mesh: it has no service beside it."""

# Whatever goes out from this machine has a port of its own of the range that begins at 32768. An Envoy that is
# killed and started again must find its port free, so nobody's outgoing connection may take it meanwhile.
_PORTS = range(20_000, 32_000)


@dataclass(frozen=True)
class Call:
    """A call that a service makes while it answers a request."""

    to: tuple[str, ...]
    """Whom: one after the other in turn, a request each."""
    every: int = 1
    """Only each so-many-th request makes it."""
    needed: bool = True
    """Whether the service fails when the call does."""


CALLS: dict[str, tuple[Call, ...]] = {
    "productpage": (
        Call(("details",)),
        Call(("reviews-v1", "reviews-v2", "reviews-v3"), needed=False),
        Call(("login",), every=3),
    ),
    "details": (Call(("books",)),),
    "reviews-v1": (),
    "reviews-v2": (Call(("ratings",), needed=False),),
    "reviews-v3": (Call(("ratings",), needed=False),),
    "ratings": (Call(("store",)),),
    "login": (Call(("store",)),),
    "store": (),
    "books": (),
}
"""Service to the calls that it makes; of a page without reviews, or reviews without stars, nobody complains."""


@dataclass(frozen=True)
class ProxyPorts:
    """Where one Envoy listens."""

    admin: int
    inbound: int
    outbound: int


@dataclass(frozen=True)
class Plan:
    """The mesh with a port for everything that listens, all of them on the loopback."""

    proxies: dict[str, ProxyPorts]
    """By service, `INGRESS` included, which listens for users and has nobody who goes out through it."""
    services: dict[str, int]
    network: dict[str, int]
    """By edge (``caller>called``): where the network takes what the caller's Envoy sends to the called one."""
    prometheus: int
    recorder: int
    server: int

    def save(self, file: Path) -> None:
        file.write_text(json.dumps(asdict(self), indent=1))

    @classmethod
    def load(cls, file: Path) -> Plan:
        known = json.loads(file.read_text())
        proxies = {name: ProxyPorts(**ports) for name, ports in known.pop("proxies").items()}
        return cls(proxies=proxies, **known)


def called_by(caller: str) -> tuple[str, ...]:
    """Whom a service, or the ingress, calls."""
    if caller == INGRESS:
        return ("productpage",)
    return tuple(target for call in CALLS[caller] for target in call.to)


def edges() -> tuple[str, ...]:
    """All edges of the mesh, as ``caller>called``."""
    return tuple(f"{caller}>{called}" for caller in (INGRESS, *CALLS) for called in called_by(caller))


def make_plan() -> Plan:
    """A plan with ports that were free a moment ago."""
    proxies = (INGRESS, *CALLS)
    ports = iter(free_ports(3 * len(proxies) + len(CALLS) + len(edges()) + 3))
    return Plan(
        proxies={name: ProxyPorts(next(ports), next(ports), next(ports)) for name in proxies},
        services={name: next(ports) for name in CALLS},
        network={edge: next(ports) for edge in edges()},
        prometheus=next(ports),
        recorder=next(ports),
        server=next(ports),
    )


def free_ports(count: int) -> list[int]:
    """So many loopback ports on which nobody listens."""
    candidates = random.sample(_PORTS, len(_PORTS))
    found: list[int] = []
    with ExitStack() as held:
        for port in candidates:
            probe = held.enter_context(socket.socket())
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            found.append(port)
            if len(found) == count:
                return found
    raise OSError(
        f"of the ports {_PORTS.start}-{_PORTS.stop - 1}, only {len(found)} are free; {count} are needed"
    )
