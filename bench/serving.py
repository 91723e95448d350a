"""How often a second is the newest graph handed out, and how soon is a new instant visible?

    python bench/serving.py                       # 50, 1,000 and 10,000 edges
    python bench/serving.py --edges 1000 --seconds 5

A real `vistio-serve` over a recording that goes on: an instant each 10 s, up to now. `wrk` asks /graph over
8 connections, uncompressed and with gzip, with one thread, so that the other core is the server's; and it asks the
same server with an application that does nothing but hand out as many bytes. Then
instants are committed while one client asks without a pause: the time from the commit's return to the
first answer that shows it. Vistio's own numbers on a quiet machine of this kind are in the last column.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import attrs
import click
import requests
from workload import INTERVAL_MS, Mesh

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from support.ports import free_port
from support.processes import RunningProcess, console_script, wait_until

from vistio_core import Recording, Writer
from vistio_core.times import align, format_instant, system_now_ms

VISTIO_RPS = {50: 13_500, 1_000: 4_070, 10_000: 525}


def commit(writer: Writer, mesh: Mesh, instant_ms: int) -> None:
    writer.commit(mesh.scrape(instant_ms))


def serve(place: Path) -> tuple[RunningProcess, str]:
    url = f"http://127.0.0.1:{free_port()}"
    server = RunningProcess(
        [console_script("vistio-serve"), "--recording", str(place), "--port", url.rpartition(":")[2]]
    )
    wait_until(lambda: answers(f"{url}/-/ready"), what="vistio-serve", timeout_s=60)
    return server, url


def answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).ok
    except requests.ConnectionError:
        return False


def throughput(url: str, seconds: int, encoding: str) -> tuple[float, float, int]:
    """Requests and megabytes a second, and errors."""
    done = subprocess.run(
        [
            *("wrk", "--connections", "8", "--threads", "1", "--duration", f"{seconds}s"),
            *("--header", f"Accept-Encoding: {encoding}", f"{url}/graph"),
        ],
        capture_output=True, text=True, check=True, timeout=seconds + 60,
    ).stdout  # fmt: skip
    rate = re.search(r"Requests/sec:\s+([0-9.]+)", done)
    total = re.search(r"([0-9.]+)(KB|MB|GB) read", done)
    assert rate is not None, done
    assert total is not None, done
    megabytes = float(total[1]) * {"KB": 0.001, "MB": 1, "GB": 1000}[total[2]]
    bad = sum(map(int, re.findall(r"Non-2xx or 3xx responses: (\d+)", done)))
    return float(rate[1]), megabytes / seconds, bad


def bare_throughput(size: int, seconds: int) -> float:
    """Requests a second where nothing is to be done but to hand out so many bytes."""
    url = f"http://127.0.0.1:{free_port()}"
    script = Path(__file__).with_name("_nothing.py")
    server = RunningProcess([sys.executable, str(script), url.rpartition(":")[2], str(size)])
    try:
        wait_until(lambda: answers(url), what="the server that does nothing", timeout_s=60)
        return throughput(url, seconds, "identity")[0]
    finally:
        server.terminate()


def visible_ms(url: str, writer: Writer, mesh: Mesh, rounds: int) -> list[float]:
    """From the return of each commit to the end of the first answer that shows it."""
    session = requests.Session()
    found = []
    instant_ms = align(system_now_ms(), 1000)
    for _ in range(rounds):
        instant_ms = max(instant_ms + 1000, align(system_now_ms(), 1000))
        # An instant of the future is shown by nobody.
        time.sleep(max(0.0, (instant_ms - system_now_ms()) / 1000))
        writer.commit(attrs.evolve(mesh.scrape(instant_ms), interval_ms=1000))
        committed_s = time.perf_counter()
        wanted = f'"instant":"{format_instant(instant_ms)}"'.encode()
        while wanted not in session.get(f"{url}/graph", timeout=30).content:
            if time.perf_counter() - committed_s > 30:
                raise click.ClickException(f"instant {format_instant(instant_ms)} is not shown after 30 s")
        found.append((time.perf_counter() - committed_s) * 1000)
    return found


@click.command()
@click.option("--edges", multiple=True, type=int, default=(50, 1_000, 10_000), show_default=True)
@click.option("--seconds", default=5, show_default=True, help="How long wrk asks, each time.")
@click.option("--rounds", default=10, show_default=True, help="Commits that are waited for.")
def main(edges: tuple[int, ...], seconds: int, rounds: int) -> None:
    for count in edges:
        mesh = Mesh(count)
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder) / "recording"
            with Recording.open(place, create=True).writer() as writer:
                writer.put_configuration(mesh.configuration)
                newest_ms = align(system_now_ms(), INTERVAL_MS)
                for age in range(5, -1, -1):
                    commit(writer, mesh, newest_ms - age * INTERVAL_MS)
                server, url = serve(place)
                try:
                    size = len(
                        requests.get(
                            f"{url}/graph", headers={"Accept-Encoding": "identity"}, timeout=60
                        ).content
                    )
                    print(f"{count:,} edges, {size:,} bytes", flush=True)
                    for encoding in ("identity", "gzip"):
                        rps, megabytes, bad = throughput(url, seconds, encoding)
                        beside = (
                            f", Vistio {VISTIO_RPS[count]:,}"
                            if count in VISTIO_RPS and encoding == "identity"
                            else ""
                        )
                        print(
                            f"  8 connections, {encoding}: {rps:,.0f} requests/s, {megabytes:,.0f} MB/s,"
                            f" {bad} errors{beside}",
                            flush=True,
                        )
                    bare = bare_throughput(size, seconds)
                    print(f"  an application that does nothing else: {bare:,.0f} requests/s", flush=True)
                    times = visible_ms(url, writer, mesh, rounds)
                    print(
                        f"  commit to visible: median {median(times):.0f} ms, most {max(times):.0f} ms, n {len(times)}",
                        flush=True,
                    )
                finally:
                    server.terminate()


if __name__ == "__main__":
    main()
