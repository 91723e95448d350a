"""Does a long history cost anything: opening it, any instant of it, and the server's memory?

    python bench/month.py                                  # 10,000 edges, 1 and 30 days
    python bench/month.py --edges 1000 --days 1 --days 90

The first hour is committed for real and sealed; its instants are copied to the other hours. Every
hour is there as a sealed partition; the first, the middle and the last one have all of their 360
instants, the others two (thirty full days of 10,000 edges would be 67 GB). Instants are asked for once
each, in full hours, of a recording that is opened once. Then a real `vistio-serve` answers other ones, timelines
and lists of instants, and its largest resident memory is read from /proc.
"""

from __future__ import annotations

import random
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import click
import pyarrow as pa
import pyarrow.compute as pc
import requests
from workload import START_MS, Mesh, instants, record

from vistio_core import Recording, frontends
from vistio_core.storage.event_file import EventFile
from vistio_core.storage.format import INSTANT, KINDS, row_groups, write_events
from vistio_core.storage.layout import EventsName, parse_events_name
from vistio_core.storage.local_store import LocalStore
from vistio_core.times import HOUR_MS, format_instant


def fill(place: Path, hours: int, full: set[int]) -> None:
    store = LocalStore(place)
    first = next(name for entry in store.entries("log") if (name := parse_events_name(entry.name)))
    file = EventFile(store, first)
    two = {kind: [table for _, table in zip(range(2), file.by_instant(kind), strict=False)] for kind in KINDS}
    for hour in range(1, hours):
        shift_ms = hour * HOUR_MS
        last_ms = first.last_ms if hour in full else two["outcome"][-1][0]
        name = EventsName(first.first_ms + shift_ms, last_ms + shift_ms, first.writer, sealed=True)
        with store.create(name.text) as sink:
            write_events(sink, _shifted(file if hour in full else two, shift_ms))


def _shifted(source: EventFile | dict[str, list[tuple[int, pa.Table]]], shift_ms: int) -> Iterator[pa.Table]:
    for kind in KINDS:
        found = source.by_instant(kind) if isinstance(source, EventFile) else source[kind]
        for rows in row_groups(kind, (table for _, table in found)):
            moved = pc.add(rows["instant"].cast(pa.int64()), shift_ms).cast(INSTANT)
            yield rows.set_column(rows.schema.get_field_index("instant"), rows.schema.field("instant"), moved)


def show(what: str, times_ms: list[float]) -> None:
    ordered = sorted(times_ms)
    print(f"  {what:<44} median {statistics.median(ordered):7.1f} ms, longest {ordered[-1]:7.1f}", flush=True)


def took_ms(call: object) -> float:
    started = time.perf_counter()
    call()  # type: ignore[operator]
    return (time.perf_counter() - started) * 1000


def ask_the_library(place: Path, chosen: list[int], end_ms: int) -> None:
    vizceral = frontends.get("vizceral")
    show("open it", [took_ms(lambda: Recording.open(place)) for _ in range(10)])
    opened = Recording.open(place, clock=lambda: end_ms)
    show("info", [took_ms(opened.info) for _ in range(10)])
    show("the newest graph", [took_ms(opened.graph) for _ in range(10)])
    show(
        "a graph at a random instant, as JSON",
        [took_ms(lambda ms=ms: vizceral.render(opened.graph(ms), {})) for ms in chosen],
    )


def ask_the_server(place: Path, chosen: list[int], memory: str) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [Path(sys.executable).with_name("vistio-serve"), "--recording", place, "--port", str(port)]
    server = subprocess.Popen([*command, "--memory", memory], stdout=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        began = time.monotonic()
        while time.monotonic() < began + 60:
            try:
                requests.get(f"{url}/-/ready", timeout=5)
                break
            except requests.ConnectionError:
                time.sleep(0.02)
        print(f"  vistio-serve --memory {memory} is ready after {time.monotonic() - began:.1f} s")
        graphs = [f"{url}/graph?at={format_instant(ms)}" for ms in chosen]
        show("over HTTP", [took_ms(lambda one=one: requests.get(one, timeout=60)) for one in graphs])
        for ms in chosen[:10]:
            for path in (
                f"/timeline?start={format_instant(ms)}&end={format_instant(ms + 600_000)}",
                "/instants",
            ):
                requests.get(f"{url}{path}", timeout=120)
        peaks = [_peak_mb(pid) for pid in (server.pid, *_children(server.pid))]
        print(f"  largest resident memory: {max(peaks):.0f} MB (worker), {min(peaks):.0f} MB (main process)")
    finally:
        server.terminate()
        server.wait()


def _children(pid: int) -> list[int]:
    return [int(text) for text in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _peak_mb(pid: int) -> float:
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


@click.command()
@click.option("--edges", default=10_000, show_default=True)
@click.option("--days", multiple=True, type=int, default=(1, 30), show_default=True)
@click.option("--rounds", default=40, show_default=True, help="Graphs that are asked for.")
@click.option("--memory", default="400MB", show_default=True)
def main(edges: int, days: tuple[int, ...], rounds: int, memory: str) -> None:
    for count in days:
        hours = count * 24
        full = {0, hours // 2, hours - 1}
        print(f"{edges:,} edges, {count} days in {hours} partitions", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder) / "recording"
            record(place, Mesh(edges), 1)
            fill(place, hours, full)
            due = [ms + hour * HOUR_MS for hour in sorted(full) for ms in instants(1)]
            chosen = random.Random(count).sample(due, 2 * rounds)
            ask_the_library(place, chosen[:rounds], START_MS + hours * HOUR_MS)
            ask_the_server(place, chosen[rounds:], memory)


if __name__ == "__main__":
    main()
