"""How many bytes is a sample on the disk, beside a Prometheus TSDB and Vistio's JSON, and which encoding is best?

    python bench/disk.py                                   # 1,000 edges, needs prometheus and promtool

An hour at 10 s. *Computed* rates are what a real Prometheus answers to `rate(...[1m])` over counters that
it scraped every 15 s; *random* ones have random mantissas, the worst case. The TSDB has the same
rates as a series each (as a recording rule would make them), in a block made by promtool. Vistio's
JSON is the Vizceral graph of each instant, not compressed, as it kept them. Variants are the rows of
the sealed hour written again; "an instant" is reading one at random, median of 40. The edge as a number
counts its table of names, and leaves out what joining the two would take.
"""

from __future__ import annotations

import random
import socket
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import requests
from workload import INTERVAL_MS, START_MS, STATUSES, Mesh, instants

from vistio_core import Recording, frontends
from vistio_core.events import RuleOutcome, Sample, Scrape
from vistio_core.storage.format import DICTIONARY_COLUMNS, ROW_GROUP_ROWS
from vistio_core.times import HOUR_MS

Key = tuple[str, str, str]
Rates = dict[Key, list[tuple[int, float]]]
"""Source, target and status to instants and rates."""
_QUERY = "sum by (source, target, code) (rate(requests_total[1m]))"
_SCRAPED_MS = 15_000


def computed_rates(folder: Path, mesh: Mesh) -> Rates:
    """What Prometheus makes of counters."""
    vary = random.Random(2)
    with open(folder / "counters.txt", "w") as sink:
        sink.write("# TYPE requests counter\n")
        for source, target, level in mesh.edges:
            for status, share in STATUSES:
                total = 0.0
                for at_ms in range(START_MS - 120_000, START_MS + HOUR_MS + 1, _SCRAPED_MS):
                    total += level * share * vary.uniform(0.7, 1.3) * _SCRAPED_MS / 1000
                    labels = f'source="{source}",target="{target}",code="{status}"'
                    sink.write(f"requests_total{{{labels}}} {int(total)} {at_ms / 1000}\n")
        sink.write("# EOF\n")
    make_blocks(folder / "counters.txt", folder / "counters")
    found: Rates = {}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    (folder / "prometheus.yml").write_text("")
    command = ["prometheus", f"--config.file={folder / 'prometheus.yml'}", f"--web.listen-address={address}"]
    command += [f"--storage.tsdb.path={folder / 'counters'}", "--storage.tsdb.retention.time=100y"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(f"http://{address}/-/ready")
        for start_ms in range(START_MS, START_MS + HOUR_MS, HOUR_MS // 6):
            asked = {"query": _QUERY, "start": start_ms / 1000, "step": INTERVAL_MS / 1000}
            asked["end"] = (start_ms + HOUR_MS // 6 - INTERVAL_MS) / 1000
            answer = requests.post(f"http://{address}/api/v1/query_range", asked, timeout=120)
            for one in msgspec.json.decode(answer.content)["data"]["result"]:
                labels = one["metric"]
                points = [(round(at_s * 1000), float(value)) for at_s, value in one["values"]]
                found.setdefault((labels["source"], labels["target"], labels["code"]), []).extend(points)
    finally:
        server.terminate()
        server.wait()
    return found


def random_rates(mesh: Mesh) -> Rates:
    vary = random.Random(3)
    return {
        (source, target, status): [(ms, level * share * vary.uniform(0.7, 1.3)) for ms in instants(1)]
        for source, target, level in mesh.edges
        for status, share in STATUSES
    }


def wait_for(url: str) -> None:
    for _ in range(600):
        try:
            if requests.get(url, timeout=1).status_code == 200:
                return
        except requests.ConnectionError:
            pass
        time.sleep(0.1)
    raise click.ClickException(f"{url} does not answer")


def make_blocks(text: Path, folder: Path) -> None:
    command = ["promtool", "tsdb", "create-blocks-from", "openmetrics", str(text), str(folder)]
    subprocess.run(command, check=True, capture_output=True)


def tsdb_bytes(folder: Path, rates: Rates) -> int:
    """What a Prometheus keeps of the same rates: chunks and index of its blocks."""
    with open(folder / "rates.txt", "w") as sink:
        sink.write("# TYPE rate gauge\n")
        for (source, target, status), points in rates.items():
            labels = f'source="{source}",target="{target}",code="{status}"'
            sink.writelines(f"rate{{{labels}}} {rate!r} {ms / 1000}\n" for ms, rate in points)
        sink.write("# EOF\n")
    make_blocks(folder / "rates.txt", folder / "tsdb")
    return sum(file.stat().st_size for file in (folder / "tsdb").rglob("*") if file.is_file())


def record(place: Path, mesh: Mesh, rates: Rates, digits: int | None) -> Recording:
    by_instant: dict[int, list[Sample]] = {}
    for key, points in rates.items():
        for ms, rate in points:
            by_instant.setdefault(ms, []).append(Sample("mesh", "http", *key, rate))
    recording = Recording.open(place, create=True, clock=lambda: START_MS + HOUR_MS)
    with recording.writer(significant_digits=digits) as writer:
        writer.put_configuration(mesh.configuration)
        for ms, samples in sorted(by_instant.items()):
            outcomes = (RuleOutcome("mesh", "http", "ok", series=len(samples), duration_ms=40.0),)
            writer.commit(Scrape(ms, INTERVAL_MS, mesh.configuration.hash, outcomes, tuple(samples)))
        writer.seal(START_MS + HOUR_MS)
    return recording


def vistio_json_bytes(recording: Recording) -> float:
    """The Vizceral graph of an instant, on average."""
    vizceral = frontends.get("vizceral")
    return statistics.mean(len(vizceral.render(recording.graph(ms), {})) for ms in list(instants(1))[::30])


Variant = tuple[str, Callable[[pa.Table], Iterator[pa.Table]], dict[str, Any]]


def variants() -> list[Variant]:
    split = {"rate": "BYTE_STREAM_SPLIT"}
    base = {
        "compression": "zstd",
        "compression_level": 3,
        "max_rows_per_page": 1_000_000,
        "use_dictionary": DICTIONARY_COLUMNS,
        "column_encoding": split,
    }
    with_rates = {**base, "use_dictionary": [*DICTIONARY_COLUMNS, "rate"], "column_encoding": None}
    by_edge = {"source": pa.string(), "target": pa.string(), "status": pa.string(), "instant": pa.int64()}

    def sorted_by_edge(rows: pa.Table) -> Iterator[pa.Table]:
        texts = pa.table({name: pa.compute.cast(rows[name], by_edge[name]) for name in by_edge})
        yield rows.take(pa.compute.sort_indices(texts, sort_keys=[(name, "ascending") for name in by_edge]))

    return [
        ("rates split", by_rows(ROW_GROUP_ROWS), base),
        ("rates plain", by_rows(ROW_GROUP_ROWS), {**base, "column_encoding": {"rate": "PLAIN"}}),
        ("rates with a dictionary", by_rows(ROW_GROUP_ROWS), with_rates),
        ("rates split, pages of 20,000 rows", by_rows(ROW_GROUP_ROWS), {**base, "max_rows_per_page": None}),
        ("rates split, zstd 1", by_rows(ROW_GROUP_ROWS), {**base, "compression_level": 1}),
        ("rates split, zstd 9", by_rows(ROW_GROUP_ROWS), {**base, "compression_level": 9}),
        ("rates split, zstd 19", by_rows(ROW_GROUP_ROWS), {**base, "compression_level": 19}),
        ("rates split, groups of 2 x as many rows", by_rows(2 * ROW_GROUP_ROWS), base),
        ("rates split, groups of 8 x as many rows", by_rows(8 * ROW_GROUP_ROWS), base),
        ("sorted by edge, rates split", sorted_by_edge, base),
        ("sorted by edge, rates with a dictionary", sorted_by_edge, with_rates),
    ]


def by_rows(count: int) -> Callable[[pa.Table], Iterator[pa.Table]]:
    def groups(rows: pa.Table) -> Iterator[pa.Table]:
        per_instant = len(rows) * INTERVAL_MS // HOUR_MS
        step = max(2, count // per_instant) * per_instant
        for start in range(0, len(rows), step):
            yield rows.slice(start, step)

    return groups


def edges_as_numbers(rows: pa.Table) -> tuple[pa.Table, pa.Table]:
    """The rows with a number in place of cluster, rule, source, target and status, and the names of numbers."""
    names = rows.select(["cluster", "rule", "source", "target", "status"])
    texts = [pa.compute.cast(column, pa.string()) for column in names.columns]
    edge = pa.compute.binary_join_element_wise(*texts, "\n").combine_chunks().dictionary_encode()
    numbered = rows.drop_columns(names.column_names).append_column("edge", edge.indices)
    return numbered, pa.table({"names": edge.dictionary})


def show_edges_as_numbers(folder: Path, rows: pa.Table) -> None:
    place = folder / "numbers.parquet"
    numbered, names = edges_as_numbers(rows)
    options = {
        "compression": "zstd",
        "compression_level": 3,
        "max_rows_per_page": 1_000_000,
        "use_dictionary": ["kind"],
        "column_encoding": {"rate": "BYTE_STREAM_SPLIT", "edge": "DELTA_BINARY_PACKED"},
    }
    with pq.ParquetWriter(place, numbered.schema, **options) as writer:
        for group in by_rows(ROW_GROUP_ROWS)(numbered):
            writer.write_table(group, row_group_size=len(group))
    pq.write_table(names, folder / "names.parquet", compression="zstd")
    size = place.stat().st_size + (folder / "names.parquet").stat().st_size
    print(f"    {'rates split, the edge as a number':<42} {size / len(rows):6.2f}")


def show_variants(folder: Path, recording: Recording) -> None:
    file = next(Path(recording.place, "log").rglob("*.parquet"))
    rows = pq.read_table(file, read_dictionary=DICTIONARY_COLUMNS).unify_dictionaries()
    kinds = rows["kind"].cast(pa.string())
    rows = rows.filter(pa.compute.equal(kinds, "sample"))
    show_edges_as_numbers(folder, rows)
    choose = random.Random(4)
    for name, groups, options in variants():
        place = folder / "variant.parquet"
        started = time.process_time()
        statistics_of = ["kind", "instant", "cluster", "rule"]
        with pq.ParquetWriter(place, rows.schema, write_statistics=statistics_of, **options) as writer:
            for group in groups(rows):
                writer.write_table(group, row_group_size=max(1, len(group)))
        wrote_s = time.process_time() - started
        times = []
        footer = pq.read_metadata(place)
        for _ in range(40):
            began = time.perf_counter()
            reader = pq.ParquetFile(place, metadata=footer, read_dictionary=DICTIONARY_COLUMNS)
            reader.read_row_group(choose.randrange(footer.num_row_groups), use_threads=False)
            times.append((time.perf_counter() - began) * 1000)
        size = place.stat().st_size / len(rows)
        print(
            f"    {name:<42} {size:6.2f}   an instant {statistics.median(times):6.1f} ms   written in {wrote_s:.1f} s"
        )


def show_beside(folder: Path, mesh: Mesh, rates: Rates, recording: Recording) -> None:
    """Vistio's JSON and a TSDB of the same rates, and the recording as it is and with fewer digits."""
    samples = sum(map(len, rates.values()))

    def show(what: str, size: float) -> None:
        print(f"    {what:<42} {size / samples:6.2f}", flush=True)

    show("Vistio's JSON", vistio_json_bytes(recording) * len(instants(1)))
    show("Prometheus TSDB", tsdb_bytes(folder, rates))
    show("vistio", recording.info().log_bytes)
    for digits in (4, 3, 2):
        kept = record(folder / str(digits), mesh, rates, digits)
        show(f"vistio, --significant-digits {digits}", kept.info().log_bytes)


@click.command()
@click.option("--edges", default=1_000, show_default=True)
@click.option("--rates", "kinds", multiple=True, default=("computed", "random"), show_default=True)
@click.option("--variants-only", is_flag=True, help="Leave out JSON, TSDB and significant digits.")
def main(edges: int, kinds: tuple[str, ...], variants_only: bool) -> None:
    mesh = Mesh(edges)
    print(f"{edges:,} edges, {3 * edges:,} series, 1 h at 10 s; bytes a sample", flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for kind in kinds:
            rates = computed_rates(folder, mesh) if kind == "computed" else random_rates(mesh)
            (folder / kind).mkdir()
            samples = sum(map(len, rates.values()))
            recording = record(folder / kind / "all", mesh, rates, None)
            print(f"  {kind} rates, {samples:,} samples")
            if not variants_only:
                show_beside(folder / kind, mesh, rates, recording)
            print("  variants, the samples alone")
            show_variants(folder, recording)


if __name__ == "__main__":
    main()
