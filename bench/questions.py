"""How long do the questions of an incident take in a big mesh, and who is new in a month?

    python bench/questions.py                         # 10,000 edges, thirty days
    python bench/questions.py --edges 1000

Three statuses an edge, a 10 s interval. The last two hours of the month are written for real; the others are the first
one again, as `timeline.py` does it: their rollups, and names of files that nobody reads. Beside them, in the same run:
DuckDB's bare sum of the rates of one hour.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import click
from timeline import replicate, timed, write_hour
from workload import START_MS, Mesh

from vistio_core import Recording
from vistio_core.storage.local_store import LocalStore
from vistio_core.times import HOUR_MS, MINUTE_MS


def told(what: str, call: Callable[[], object], rounds: int) -> None:
    """Prints wall and CPU time of a call, each as a median."""
    walls, cpus = [], []
    for _ in range(rounds):
        wall, cpu = time.perf_counter(), time.process_time()
        call()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    print(f"  {what:52} {median(walls):8.3f} s, {median(cpus):.3f} s of CPU", flush=True)


@click.command(help=__doc__.partition("\n")[0])
@click.option("--edges", default=10_000, show_default=True)
@click.option(
    "--hours", default=720, show_default=True, type=click.IntRange(3), help="Length of the recording."
)
@click.option("--rounds", default=3, show_default=True, help="Timed calls of each kind.")
def main(edges: int, hours: int, rounds: int) -> None:
    """See above."""
    mesh = Mesh(edges)
    end_ms = START_MS + hours * HOUR_MS
    with tempfile.TemporaryDirectory(dir=os.environ.get("VISTIO_BENCH_DIR")) as folder:
        place = Path(folder) / "recording"
        recording = Recording.open(place, create=True, clock=lambda: end_ms)
        store = LocalStore(place)
        with recording.writer() as writer:
            writer.put_configuration(mesh.configuration)
            first = write_hour(store, mesh)
            writer.seal(START_MS + HOUR_MS)
            replicate(place, store, first, hours - 2)
            for start_ms in (end_ms - 2 * HOUR_MS, end_ms - HOUR_MS):
                last = write_hour(store, mesh, start_ms)
                writer.seal(start_ms + HOUR_MS)
        bare = timed(
            lambda: recording._session.table("select sum(rate) from samples", [store.uri(last.text)]), 3
        )
        print(f"{edges:,} edges, {hours} h; DuckDB's bare sum of an hour {bare / 1000:.3f} s")
        window = end_ms - 10 * MINUTE_MS, end_ms
        busiest = max(mesh.edges, key=lambda edge: edge[2])[1]
        told("suspects of ten minutes, an hour as normal", lambda: recording.suspects(*window), rounds)
        told("path of ten minutes", lambda: recording.path(*window), rounds)
        told("incidents of an hour", lambda: recording.incidents(end_ms - HOUR_MS, end_ms), rounds)
        told("top of ten minutes, by errors", lambda: recording.top(*window, by="errors"), rounds)
        told("blast radius of a busy service", lambda: recording.blast_radius(busiest, end_ms - 1), rounds)
        told(f"who is new, who vanished in {hours} h", lambda: recording.seen(START_MS, end_ms), rounds)


if __name__ == "__main__":
    main()
