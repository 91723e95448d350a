"""How long do a timeline of an hour, a day and a week, a comparison of two moments and a stable graph take?

And what does a rollup cost?

    python bench/timeline.py                          # 10,000 edges, seven days
    python bench/timeline.py --edges 1000

Three statuses an edge, a 10 s interval. One hour is written (six scrapes again and again, each time with
other rates) and rolled up by a writer. The other hours are that one: its file by another name (hard links, for they
are listed and not read) and its rollup with its instants shifted. Timelines have some 300 steps.
Beside them, in the same run: the hour without its rollup, and DuckDB's bare sum of the rates of the hour.
"""

from __future__ import annotations

import os
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import click
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from workload import INTERVAL_MS, START_MS, Mesh

from vistio_core import Recording
from vistio_core.graph.topology import stable_graph
from vistio_core.replay.rollups.hours import Rollup, Rollups, content_of, sealed_sizes
from vistio_core.replay.rollups.subjects import SubjectRollup, write_subjects
from vistio_core.storage.format import INSTANT, KINDS, row_groups, scrape_tables, write_events
from vistio_core.storage.layout import EventsName, subjects_name
from vistio_core.storage.local_store import LocalStore
from vistio_core.times import HOUR_MS, format_instant


def shifted(rows: pa.Table, shift_ms: int) -> pa.Table:
    moved = pc.add(rows["instant"].cast(pa.int64()), shift_ms).cast(INSTANT)
    return rows.set_column(rows.schema.get_field_index("instant"), rows.schema.field("instant"), moved)


def varied(rows: pa.Table, seed: int) -> pa.Table:
    factors = np.random.default_rng(seed).uniform(0.8, 1.25, rows.num_rows)
    rates = pc.multiply(rows["rate"], pa.array(factors))
    return rows.set_column(rows.schema.get_field_index("rate"), rows.schema.field("rate"), rates)


def write_hour(store: LocalStore, mesh: Mesh, start_ms: int = START_MS) -> EventsName:
    scrapes = [scrape_tables(mesh.scrape(start_ms + index * INTERVAL_MS)) for index in range(6)]
    name = EventsName(start_ms, start_ms + HOUR_MS - INTERVAL_MS, "main", sealed=True)
    with store.create(name.text) as sink:
        groups = (
            group
            for kind in KINDS
            for group in row_groups(
                kind,
                (
                    varied(shifted(scrapes[index % 6][kind], (index - index % 6) * INTERVAL_MS), index)
                    for index in range(HOUR_MS // INTERVAL_MS)
                    if kind in scrapes[index % 6]
                ),
            )
        )
        write_events(sink, groups)
    return name


def replicate(place: Path, store: LocalStore, first: EventsName, hours: int, start: int = 1) -> None:
    rollups = Rollups(store)
    name = rollups.name(START_MS, [first], sealed_sizes(store, START_MS, START_MS + HOUR_MS))
    rollup, spans = rollups.read(name or ""), rollups.spans(name or "")
    assert rollup is not None
    assert spans is not None
    assert name is not None
    # Minutes stand in it from the hour's start, so those of all hours are the same but for the name in their digests.
    subjects = list(SubjectRollup(store, subjects_name(name)).subjects())
    for hour in range(start, hours):
        shift_ms = hour * HOUR_MS
        copy = EventsName(first.first_ms + shift_ms, first.last_ms + shift_ms, "main", sealed=True)
        (place / copy.text).parent.mkdir(parents=True, exist_ok=True)
        os.link(place / first.text, place / copy.text)
        size = {copy.text: (place / copy.text).stat().st_size}
        name = rollups.name(START_MS + shift_ms, [copy], size)
        assert name is not None
        tables = [_moved(each, shift_ms, "instant_ms") for each in (rollup.totals, rollup.presence)]
        with store.create(name) as sink:
            sink.write(content_of(name, Rollup(*tables), _moved(spans, shift_ms, "first_ms", "last_ms")))
        with store.create(subjects_name(name)) as sink:
            write_subjects(sink, subjects_name(name), subjects)


def _moved(table: pa.Table, shift_ms: int, *columns: str) -> pa.Table:
    for name in columns:
        place = table.schema.get_field_index(name)
        table = table.set_column(place, table.schema.field(place), pc.add(table[name], shift_ms))
    return table


def without_rollups(place: Path, end_ms: int) -> Recording:
    """A recording that has read nothing yet, and finds no rollup."""
    recording = Recording.open(place, clock=lambda: end_ms)
    recording._traffic.rollups.name = lambda *_: None  # type: ignore[method-assign]
    return recording


def timed(call: Callable[[], object], rounds: int) -> float:
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        call()
        times.append((time.perf_counter() - started) * 1000)
    return median(times)


@click.command()
@click.option("--edges", default=10_000, show_default=True)
@click.option("--hours", default=168, show_default=True, help="Length of the recording.")
@click.option("--rounds", default=10, show_default=True, help="Timed calls of each kind.")
def main(edges: int, hours: int, rounds: int) -> None:
    mesh = Mesh(edges)
    end_ms = START_MS + hours * HOUR_MS
    with tempfile.TemporaryDirectory(dir=os.environ.get("VISTIO_BENCH_DIR")) as folder:
        place = Path(folder) / "recording"
        recording = Recording.open(place, create=True, clock=lambda: end_ms)
        store = LocalStore(place)
        first = write_hour(store, mesh)
        with recording.writer() as writer:
            writer.put_configuration(mesh.configuration)
            peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            started, cpu = time.perf_counter(), time.process_time()
            writer.seal(START_MS + HOUR_MS)
            took_s, cpu_s = time.perf_counter() - started, time.process_time() - cpu
        more_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak_kb) / 1024
        rollup, minutes = (
            next(entry.size_bytes for entry in store.entries("rollups") if entry.name.endswith(kind))
            for kind in (".arrow", ".subjects")
        )
        size = (place / first.text).stat().st_size
        print(f"{edges:,} edges, {3 * edges:,} samples an instant, {hours} h")
        print(
            f"  rolling up an hour      {took_s:8.2f} s, {cpu_s:.2f} s of CPU, {more_mb:.0f} MB more at the peak"
        )
        print(f"  a rollup                {rollup / 1000:8.1f} kB, {rollup / size:.4%} of its hour")
        print(f"  its minutes of subjects {minutes / 1000:8.1f} kB, {minutes / size:.2%} of its hour")
        replicate(place, store, first, hours)

        hour = START_MS, START_MS + HOUR_MS
        bare = timed(
            lambda: recording._session.table("select sum(rate) from samples", [store.uri(first.text)]), 3
        )
        without = timed(lambda: without_rollups(place, end_ms).timeline(*hour, "10s"), 3)
        print(f"  DuckDB's bare sum of 1 h   {bare:8.1f} ms")
        print(f"  timeline of 1 h, log alone {without:8.1f} ms")
        for length, step in ((1, "10s"), (24, "5m"), (168, "30m")):
            if length <= hours:
                window = START_MS + (hours - length) * HOUR_MS, end_ms, step
                took = timed(lambda window=window: recording.timeline(*window), rounds)
                gaps = timed(lambda window=window: recording.gaps(*window[:2]), rounds)
                print(
                    f"  timeline of {length:3} h          {took:8.1f} ms"
                    f"   {without * length / took:6.1f} times quicker than as many hours of the log alone;"
                    f" its gaps {gaps:.1f} ms"
                )
        source, target, _ = mesh.edges[len(mesh.edges) // 2]
        for what, subject in (
            ("edge", {"cluster": "mesh", "source": source, "target": target}),
            ("node", {"cluster": "mesh", "node": target}),
            ("busiest node", {"cluster": "mesh", "node": "service-0000"}),
        ):
            window = START_MS, end_ms, "30m"
            took = timed(
                lambda window=window, subject=subject: recording.timeline(*window, **subject), rounds
            )
            print(f"  timeline of one {what} over {hours} h {took:8.1f} ms")
        took = timed(lambda: recording.seen(START_MS, end_ms), rounds)
        print(f"  when each edge was there in {hours} h {took:8.1f} ms")
        moments = [format_instant(START_MS + minute * 60_000) for minute in (1, 30, 2, 31)]
        graphs = timed(lambda: [recording.graph(moment) for moment in moments[:2]], rounds)
        diff = timed(lambda: recording.compare(*moments[:2]), rounds)
        print(f"  comparison of two instants {diff:7.1f} ms, of it their graphs {graphs:.1f} ms")
        windows = f"{moments[0]}/{moments[2]}", f"{moments[1]}/{moments[3]}"
        print(f"  of two windows of 1 min    {timed(lambda: recording.compare(*windows), rounds):7.1f} ms")
        graph = recording.graph(moments[0])
        for what, window in (("a minute", moments[:3:2]), ("an hour", tuple(map(format_instant, hour)))):
            union = timed(lambda window=window: recording.topology(*window), 3)
            topology = recording.topology(*window)
            stable = timed(lambda topology=topology: stable_graph(graph, topology), rounds)
            print(f"  who was there in {what:8} {union:10.1f} ms; a graph made stable by it {stable:.1f} ms")


if __name__ == "__main__":
    main()
