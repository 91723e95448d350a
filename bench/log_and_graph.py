"""How long do a commit and a graph at a random instant take, and how many bytes is a sample?

    python bench/log_and_graph.py                          # 50, 1,000 and 10,000 edges, one day
    python bench/log_and_graph.py --edges 1000 --hours 2

Three statuses an edge, a 10 s interval. A commit is a scrape of all edges, durable (fsync). A
graph is asked for at a random instant of the day and ends as Vizceral JSON bytes: "new" opens
the recording for each (nothing is cached but the kernel's pages), "open" keeps it open, so
footers of files seen before are known, but each instant is asked once. Beside them, in the
same run: DuckDB's own time for the rows of the same instants, and an fsync of the same bytes.
"""

from __future__ import annotations

import gc
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import click
from workload import START_MS, Mesh, instants, record

from vistio_core import Recording, frontends
from vistio_core.times import HOUR_MS


def milliseconds(calls: Iterable[Callable[[], object]]) -> list[float]:
    times = []
    for call in calls:
        started = time.perf_counter()
        call()
        times.append((time.perf_counter() - started) * 1000)
    return times


def show(what: str, times: list[float]) -> None:
    ordered = sorted(times)
    print(
        f"  {what:<34} median {statistics.median(ordered):8.2f} ms   p99 {ordered[int(len(ordered) * 0.99)]:8.2f} ms"
        f"   n {len(ordered)}",
        flush=True,
    )


def commits(mesh: Mesh, folder: Path, rounds: int) -> None:
    scrapes = [mesh.scrape(START_MS + index * 10_000) for index in range(rounds)]
    with Recording.open(folder / "commits", create=True).writer() as writer:
        writer.put_configuration(mesh.configuration)
        show("commit, durable", milliseconds((lambda s=s: writer.commit(s)) for s in scrapes))
    content = max((folder / "commits" / "head").iterdir()).read_bytes()

    def raw() -> None:
        with open(folder / "raw", "wb") as sink:
            sink.write(content)
            sink.flush()
            os.fsync(sink.fileno())

    show(f"  of it: {len(content):,} bytes and fsync", milliseconds([raw] * rounds))


def graphs(place: Path, recording: Recording, hours: int, rounds: int) -> None:
    choose = random.Random(1)
    asked = choose.sample(list(instants(hours)), 2 * rounds)
    vizceral = frontends.get("vizceral")
    prepare_collector()

    def render(opened: Recording, instant_ms: int) -> bytes:
        return vizceral.render(opened.graph(instant_ms), {})

    clock = lambda: START_MS + hours * HOUR_MS  # noqa: E731
    show(
        "graph to JSON, recording new",
        milliseconds((lambda t=t: render(Recording.open(place, clock=clock), t)) for t in asked[:rounds]),
    )
    show(
        "graph to JSON, recording open",
        milliseconds((lambda t=t: render(recording, t)) for t in asked[rounds:]),
    )

    def rows(instant_ms: int) -> object:
        query = f"from samples where instant = make_timestamptz({instant_ms * 1000})"
        return recording._log.read(
            instant_ms, instant_ms + 1, lambda listing: recording._session.table(query, listing.uris)
        )

    show("  DuckDB, rows of the instant alone", milliseconds((lambda t=t: rows(t)) for t in asked[rounds:]))
    show(
        "graph as values, without JSON",
        milliseconds((lambda t=t: recording.graph(t)) for t in asked[:rounds]),
    )


def prepare_collector() -> None:
    """As the server does (``vistio_serve/server.py``); afresh, so that the workload's own objects do not count."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 10, 10)


@click.command()
@click.option("--edges", multiple=True, type=int, default=(50, 1_000, 10_000), show_default=True)
@click.option("--hours", default=24, show_default=True, help="Length of the recording.")
@click.option("--rounds", default=50, show_default=True, help="Timed calls of each kind.")
def main(edges: tuple[int, ...], hours: int, rounds: int) -> None:
    prepare_collector()
    for count in edges:
        mesh = Mesh(count)
        print(f"{count:,} edges, {3 * count:,} samples an instant, {hours} h", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            commits(mesh, Path(folder), rounds)
            started = time.perf_counter()
            recording = record(Path(folder) / "recording", mesh, hours)
            print(f"  recorded in {time.perf_counter() - started:.0f} s", flush=True)
            graphs(Path(folder) / "recording", recording, hours, rounds)
            samples = len(instants(hours)) * (3 * count + 1)
            print(f"  {recording.info().log_bytes / samples:.2f} bytes a sample, sealed", flush=True)
    gc.unfreeze()  # or DuckDB says at exit that it was leaked


if __name__ == "__main__":
    main()
