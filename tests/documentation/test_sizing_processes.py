"""The formulas of docs/sizing.md for memory, held against real processes and what the chart gives; CPU is only told.

Within a third above, as the page promises; and no less than half of it, or the formula would say nothing.
"""

from __future__ import annotations

import os
import random
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import msgspec
import pytest
import requests
import yaml
from support.processes import RunningProcess, RunProcess, wait_until
from support.scrapes import INTERVAL_MS, MESH, mesh, scrape

from vistio_core import Recording
from vistio_core.times import HOUR_MS, align, system_now_ms

ROOT = Path(__file__).parents[2]
MEMORY = (ROOT / "docs" / "sizing.md").read_text(encoding="utf-8").split("## Memory")[1].split("\n## ")[0]
CHART = yaml.safe_load((ROOT / "examples" / "deploy" / "helm" / "vistio" / "values.yaml").read_text())
STATUSES = {"200": 1.0, "404": 0.02, "503": 0.004}
MB, MI = 1e6, 2**20
SCRAPES = 10


def numbers(pattern: str) -> list[float]:
    found = re.search(pattern, MEMORY)
    assert found, pattern
    return [float(each) for each in found.groups()]


RECORDER, KB_A_ROW, SEALING = numbers(
    r"recorder = (\d+) MB \+ ([\d.]+) kB x rows, and (\d+) MB more while it seals"
)
OF_MEMORY, WATCHER = numbers(r"server   = --memory x ([\d.]+) \+ (\d+) MB")


def recorder_bytes(rows: int, *, sealing: bool = True) -> float:
    """The formula."""
    return (RECORDER + SEALING * sealing) * MB + KB_A_ROW * 1e3 * rows


def server_bytes(memory: float) -> float:
    """The formula."""
    return memory * OF_MEMORY + WATCHER * MB


def series_of(edges: int, chosen: random.Random) -> dict[str, float]:
    """Requests a second, as ``caller>called status``."""
    return {
        f"service-{edge % 67}>service-{edge // 3} {status}": share * chosen.lognormvariate(1, 2)
        for edge in range(edges)
        for status, share in STATUSES.items()
    }


@contextmanager
def prometheus(edges: int) -> Iterator[str]:
    """The URL of what answers `MESH` with ready bytes, as a Prometheus with that many edges would."""
    chosen = random.Random(edges)
    bodies = [body(series_of(edges, chosen)) for _ in range(3)]
    nothing = body({})

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            fields = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            asked_for_edges = "http_rate" in fields["query"][0]
            content = bodies[round(float(fields["time"][0])) % len(bodies)] if asked_for_edges else nothing
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def body(series: dict[str, float]) -> bytes:
    result = []
    for name, rate_rps in series.items():
        ends, _, code = name.partition(" ")
        source, _, target = ends.partition(">")
        labels = {"source": source, "target": target, "code": code}
        result.append({"metric": labels, "value": [1764000000, repr(rate_rps)]})
    return msgspec.json.encode({"status": "success", "data": {"resultType": "vector", "result": result}})


def fill_an_hour(place: Path, edges: int) -> None:
    """Committed and merged as a recorder leaves it; it is due to be sealed."""
    hour_ms = align(system_now_ms(), HOUR_MS) - 2 * HOUR_MS
    chosen = random.Random(1)
    with Recording.open(place, create=True).writer() as writer:
        writer.put_configuration(mesh())
        for instant_ms in range(hour_ms, hour_ms + HOUR_MS, INTERVAL_MS):
            writer.commit(scrape(instant_ms, series_of(edges, chosen)))
            writer.merge(instant_ms)


def family(pid: int) -> list[int]:
    """A process and its children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(each for child in children for each in family(int(child)))]


def peak_bytes(pid: int) -> float:
    """The most resident memory of a process and its children; files that they share count once, as in a container."""
    told = [memory_of(each) for each in family(pid)]
    files = [each["RssFile"] for each in told]
    peak = sum(each["VmHWM"] for each in told) - (sum(files) - max(files))
    print(f"\n{peak / MB:.0f} MB at most: {told}")
    return peak


def memory_of(pid: int) -> dict[str, float]:
    """Bytes, by what the kernel calls them."""
    status = Path(f"/proc/{pid}/status").read_text()
    return {name: 1024.0 * int(kb) for name, kb in re.findall(r"(VmHWM|Rss\w+):\s+(\d+) kB", status)}


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


def committed(process: RunningProcess) -> int:
    return process.log.count("scrape.committed")


@pytest.mark.slow
@pytest.mark.parametrize(("edges", "seals"), [(50, True), (1_000, True), (10_000, False)])
def test_a_recorder_stays_within_the_formula(
    edges: int, seals: bool, run_process: RunProcess, tmp_path: Path
) -> None:
    place = tmp_path / "recording"
    if seals:
        fill_an_hour(place, edges)
    with prometheus(edges) as url:
        configuration = tmp_path / "vistio.yaml"
        configuration.write_text(MESH.replace("http://127.0.0.1:9090", url))
        options = ("--interval", "2s", "--heal", "0s", "--port", "0", "--log-level", "debug")
        recorder = run_process(
            "vistio-record", "run", "--config", configuration, "--recording", place, *options
        )
        wait_until(lambda: committed(recorder) > 0, what="a first scrape")
        if seals:
            wait_until(lambda: any(place.joinpath("rollups").rglob("*.subjects")), what="an hour's rollup")
        before, spent_s = committed(recorder), cpu_s(recorder.pid)
        wait_until(lambda: committed(recorder) >= before + SCRAPES, what=f"{SCRAPES} scrapes")
        spent_s = (cpu_s(recorder.pid) - spent_s) / (committed(recorder) - before)
        peak = peak_bytes(recorder.pid)
    expected = recorder_bytes(edges * len(STATUSES), sealing=seals)
    print(
        f"\nrecorder, {edges:,} edges: {peak / MB:.0f} MB at most, the formula says {expected / MB:.0f} MB;"
        f" {1000 * spent_s:.0f} ms of CPU a scrape"
    )
    assert expected / 2 < peak < expected * 4 / 3


@pytest.mark.slow
def test_a_server_stays_within_the_formula(run_process: RunProcess, tmp_path: Path) -> None:
    fill_an_hour(tmp_path, 300)
    memory = 256 * MB
    server = run_process("vistio-serve", "--recording", tmp_path, "--port", "0", "--memory", "256MB")
    url = server.wait_for_line(r"open (http://\S+)/").group(1)
    start = str(align(system_now_ms(), HOUR_MS) - 2 * HOUR_MS)
    window = {"start": start, "end": str(int(start) + HOUR_MS)}
    for route, given in {
        "graph": {"at": str(int(start) + HOUR_MS // 2)},
        "timeline": window,
        "suspects": window,
        "frames": {"start": start, "end": str(int(start) + HOUR_MS // 6)},
        "instants": window,
    }.items():
        answer = requests.get(f"{url}/{route}", params=given, timeout=120)
        assert answer.ok, answer.text
    peak, expected = peak_bytes(server.pid), server_bytes(memory)
    spent_s = sum(map(cpu_s, family(server.pid)))
    print(
        f"\nserver: {peak / MB:.0f} MB at most, the formula says {expected / MB:.0f} MB;"
        f" {spent_s:.1f} s of CPU until then"
    )
    assert expected / 2 < peak < expected


def test_the_chart_gives_what_the_formula_says_for_ten_thousand_edges() -> None:
    recorder = limit_bytes(CHART["recorder"]["resources"])
    assert recorder > recorder_bytes(10_000 * len(STATUSES)) * 4 / 3
    memory = float(CHART["api"]["memory"].removesuffix("MB")) * MB
    assert limit_bytes(CHART["api"]["resources"]) > server_bytes(memory)


def limit_bytes(resources: dict[str, dict[str, str]]) -> float:
    return float(resources["limits"]["memory"].removesuffix("Mi")) * MI
