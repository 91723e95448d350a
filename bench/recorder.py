"""What does the recorder cost per scrape, and does sealing an hour ever delay one?

    python bench/recorder.py                               # 10,000 edges, a scrape every 2 s
    python bench/recorder.py --edges 1000 --scrapes 60

A real `vistio-record run` asks a server that hands out ready bytes, as a Prometheus would: three
statuses an edge, Istio's labels, gzip. That server is a process of its own, so that CPU time is the
recorder's alone: user and system time of all its threads, from /proc. First it records into an empty
recording; then into one whose head has a full hour that is due, which it seals and rolls up
meanwhile. How late a scrape is, the server sees: when the question of an instant arrives, and when
that was due. "Committed" is when the recorder says that the instant is durable, counted from when it was due.
"""

from __future__ import annotations

import gzip
import multiprocessing
import os
import random
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from multiprocessing.connection import Connection
from pathlib import Path
from urllib.parse import parse_qs

import attrs
import click
import msgspec
from workload import INTERVAL_MS, STATUSES, Mesh

from vistio_core import Recording
from vistio_core.times import HOUR_MS, align, parse_instant, system_now_ms

DELAY_MS = 1_000
_ANSWERS = 8
_CONFIGURATION = """\
graphName: Benchmark
clusterLevel:
  - cluster: mesh
    serviceConnections:
      - name: http
        query: http
        prometheusURL: {url}
        source: {{label: source_workload}}
        target: {{label: destination_service_name}}
        status: {{label: response_code, warningRegex: "^4..$", dangerRegex: "^5..$"}}
"""


def answers(edges: int) -> list[bytes]:
    """Bodies of successive answers: the same series, other values."""
    vary = random.Random(edges)
    mesh = Mesh(edges)
    bodies = []
    for _ in range(_ANSWERS):
        series = [
            {
                "metric": {
                    "destination_service_name": target,
                    "destination_service_namespace": "production",
                    "response_code": status,
                    "source_workload": source,
                    "source_workload_namespace": "production",
                },
                "value": [1764000000, repr(level * share * vary.uniform(0.7, 1.3))],
            }
            for source, target, level in mesh.edges
            for status, share in STATUSES
        ]
        vary.shuffle(series)
        bodies.append(
            msgspec.json.encode({"status": "success", "data": {"resultType": "vector", "result": series}})
        )
    return bodies


def serve(edges: int, sink: Connection) -> None:
    """Ready bytes; tells through ``sink`` its port, then the instant of each question and when it came."""
    bodies = answers(edges)
    packed = [gzip.compress(body, compresslevel=1) for body in bodies]
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            now_ms = system_now_ms()
            fields = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            instant_ms = round(float(fields["time"][0]) * 1000)
            with lock:
                sink.send((instant_ms, now_ms))
            zipped = "gzip" in self.headers.get("Accept-Encoding", "")
            content = (packed if zipped else bodies)[instant_ms // 1000 % _ANSWERS]
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            if zipped:
                self.send_header("Content-Encoding", "gzip")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        sink.send(server.server_port)
        print(f"{len(bodies[0]) / 1e6:.1f} MB of JSON an answer, {len(packed[0]) / 1e6:.2f} MB with gzip")
        sys.stdout.flush()
        server.serve_forever()


@attrs.define
class Asked:
    """What the server tells: instant to the moment of its question."""

    source: Connection
    at_ms: dict[int, int] = attrs.field(factory=dict)

    def take(self) -> dict[int, int]:
        while self.source.poll():
            instant_ms, now_ms = self.source.recv()
            self.at_ms[instant_ms] = now_ms
        return self.at_ms


class Recorder:
    """The real process; its log is read while it runs."""

    def __init__(self, folder: Path, recording: Path, url: str, interval: str) -> None:
        config = folder / "vistio.yaml"
        config.write_text(_CONFIGURATION.format(url=url))
        command = Path(sys.executable).with_name("vistio-record")
        self.committed: dict[int, int] = {}
        """Instant to the moment at which the log told of its commit."""
        self.told: list[str] = []
        options: dict[str, str | Path] = {
            "--config": config,
            "--recording": recording,
            "--interval": interval,
            "--timeout": interval,
            "--delay": f"{DELAY_MS}ms",
            "--port": "0",
            "--heal": "0s",
            "--log-level": "debug",
        }
        self._popen = subprocess.Popen(
            [command, "run", *(part for pair in options.items() for part in pair)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._popen.stderr is not None
        for line in self._popen.stderr:
            if "scrape.committed" in line and (found := re.search(r"instant=(\S+)", line)):
                self.committed[parse_instant(found[1], now_ms=0)] = system_now_ms()
            elif "debug" not in line or "rollup" in line:
                self.told.append(line.rstrip())

    def wait(self, condition: Callable[[], bool], limit_s: float) -> None:
        deadline_s = time.monotonic() + limit_s
        while not condition():
            if self._popen.poll() is not None or time.monotonic() > deadline_s:
                raise click.ClickException("the recorder did not go on:\n" + "\n".join(self.told[-20:]))
            time.sleep(0.01)

    @property
    def cpu_ms(self) -> float:
        fields = Path(f"/proc/{self._popen.pid}/stat").read_text().rpartition(")")[2].split()
        ticks = sum(map(int, fields[11:15]))  # with its children that have ended
        return ticks * 1000 / os.sysconf("SC_CLK_TCK")

    def peak_mb(self) -> float:
        """The most resident memory since it began, or since `forget_peak`."""
        status = Path(f"/proc/{self._popen.pid}/status").read_text()
        found = re.search(r"VmHWM:\s+(\d+) kB", status)
        return int(found[1]) / 1024 if found else 0.0

    def forget_peak(self) -> None:
        Path(f"/proc/{self._popen.pid}/clear_refs").write_text("5")

    def end(self) -> None:
        self._popen.send_signal(signal.SIGTERM)
        try:
            self._popen.wait(20)
        except subprocess.TimeoutExpired:
            self._popen.kill()


def fill_head(place: Path, mesh: Mesh, hour_ms: int) -> None:
    """A full hour, committed and merged as a recorder leaves it, and not sealed."""
    with Recording.open(place, create=True).writer() as writer:
        writer.put_configuration(mesh.configuration)
        for instant_ms in range(hour_ms, hour_ms + HOUR_MS, INTERVAL_MS):
            writer.commit(mesh.scrape(instant_ms))
            writer.merge(instant_ms)
        writer.merge(hour_ms + 2 * HOUR_MS)


def show_lateness(what: str, recorder: Recorder, asked: Asked, from_ms: int, to_ms: int) -> None:
    instants = sorted(ms for ms in recorder.committed if from_ms <= ms < to_ms)
    first, last = instants[0], instants[-1]
    steps_ms = [after - before for before, after in pairwise(instants)]
    # Of a small mesh an hour is sealed within one interval.
    missing = (last - first) // min(steps_ms) + 1 - len(instants) if steps_ms else 0
    # An instant that was skipped, because the scrape before still ran, was never asked for.
    late = sorted(asked.at_ms[ms] - ms - DELAY_MS for ms in instants if ms in asked.take())
    done = sorted(recorder.committed[ms] - ms - DELAY_MS for ms in instants)
    print(
        f"  {what:<26} asked {statistics.median(late):4.0f} ms after it was due (latest {late[-1]} ms),"
        f" committed {statistics.median(done):4.0f} ms after (latest {done[-1]} ms);"
        f" {len(instants)} instants, {len(instants) - len(late)} of them skipped, {missing} missing"
    )


def cost_of_a_scrape(folder: Path, url: str, interval: str, scrapes: int, asked: Asked) -> float:
    recorder = Recorder(folder, folder / "empty", url, interval)
    try:
        recorder.wait(lambda: len(recorder.committed) >= 3, 60)
        before_ms, began = recorder.cpu_ms, len(recorder.committed)
        recorder.wait(lambda: len(recorder.committed) >= began + scrapes, 600)
        spent_ms = (recorder.cpu_ms - before_ms) / (len(recorder.committed) - began)
        print(f"  a scrape costs {spent_ms:.0f} ms of CPU; peak {recorder.peak_mb():.0f} MB")
        show_lateness("nothing else to do", recorder, asked, 0, system_now_ms())
        return spent_ms
    finally:
        recorder.end()


def cost_of_sealing(
    folder: Path, url: str, interval: str, edges: int, scrape_ms: float, asked: Asked
) -> None:
    hour_ms = align(system_now_ms(), HOUR_MS) - 2 * HOUR_MS
    fill_head(folder / "full", Mesh(edges), hour_ms)
    recorder = Recorder(folder, folder / "full", url, interval)
    try:
        rollups = folder / "full" / "rollups"
        from_ms, from_cpu_ms = system_now_ms(), recorder.cpu_ms
        recorder.wait(lambda: any(rollups.rglob("*.arrow")), 300)
        to_ms, to_cpu_ms = system_now_ms(), recorder.cpu_ms
        recorder.wait(lambda: max(recorder.committed) > to_ms, 30)
        scrapes = sum(from_ms <= ms < to_ms for ms in recorder.committed)
        print(
            f"  sealing and rolling up an hour of {edges:,} edges: {(to_ms - from_ms) / 1000:.1f} s,"
            f" {(to_cpu_ms - from_cpu_ms - scrapes * scrape_ms) / 1000:.1f} s of CPU beside {scrapes} scrapes;"
            f" peak {recorder.peak_mb():.0f} MB"
        )
        show_lateness("meanwhile", recorder, asked, from_ms, to_ms)
        for line in recorder.told:
            if "warning" in line or "error" in line or "sealed" in line or "rollup" in line:
                print("   ", line[:200])
    finally:
        recorder.end()


@click.command()
@click.option("--edges", default=10_000, show_default=True)
@click.option("--scrapes", default=20, show_default=True)
@click.option("--interval", default="2s", show_default=True, help="Shorter than in production, to wait less.")
@click.option("--sealing/--no-sealing", default=True, show_default=True)
def main(edges: int, scrapes: int, interval: str, sealing: bool) -> None:
    source, sink = multiprocessing.Pipe(duplex=False)
    server = multiprocessing.Process(target=serve, args=(edges, sink), daemon=True)
    server.start()
    try:
        url = f"http://127.0.0.1:{source.recv()}"
        asked = Asked(source)
        print(f"{edges:,} edges, {3 * edges:,} series", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            scrape_ms = cost_of_a_scrape(Path(folder), url, interval, scrapes, asked)
            if sealing:
                cost_of_sealing(Path(folder), url, interval, edges, scrape_ms, asked)
    finally:
        server.kill()


if __name__ == "__main__":
    main()
