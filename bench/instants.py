"""How long does the graph of a random past instant take over HTTP, and does it depend on the length of history?

    python bench/instants.py                                     # 50, 1,000 and 10,000 edges, seven days
    python bench/instants.py --edges 1000 --hours 24 --rounds 100
    python bench/instants.py --keep /var/tmp/bench               # seven days of 10,000 edges take ten minutes to make

A real `vistio-serve`, five seconds old. Three statuses an edge, a 10 s interval, one hour committed for real
and sealed, the others replicas of it with their instants shifted. No instant is asked twice, none is in a cache
but the kernel's. The same number of instants is asked of the last hour only, and of a real Prometheus that scrapes
the same mesh's rates for a few minutes (``--prometheus-s``): what Kiali and promviz ask for each picture, the query
alone. And 60 consecutive instants at once, by /frames.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from urllib.parse import urlencode, urlsplit

import click
from serving import serve
from workload import INTERVAL_MS, START_MS, Mesh, record

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from support.exporter import Exporter
from support.prometheus import Prometheus

from vistio_core.times import HOUR_MS, SECOND_MS, format_instant, system_now_ms

QUERY = "sum by (source, target, code) (rate(requests_total[15s]))"


def show(what: str, times: list[float]) -> float:
    ordered = sorted(times)
    p99 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    print(f"  {what:<34} median {median(ordered):8.1f} ms   p99 {p99:8.1f} ms   n {len(ordered)}", flush=True)
    return median(ordered)


class Client:
    """One connection that stays, and nothing that would be measured beside the server."""

    def __init__(self, url: str) -> None:
        self._connection = HTTPConnection(urlsplit(url).netloc, timeout=60)

    def timed(self, path: str, **query: object) -> float:
        """Milliseconds until the whole answer is here."""
        target = f"{path}?{urlencode(query)}"
        started = time.perf_counter()
        self._connection.request("GET", target, headers={"Accept-Encoding": "identity"})
        answer = self._connection.getresponse()
        body = answer.read()
        took_ms = (time.perf_counter() - started) * 1000
        assert answer.status == 200, body
        return took_ms


def graphs(url: str, hours: int, rounds: int) -> float:
    """The median over the whole history."""
    choose = random.Random(1)
    instants = range(START_MS, START_MS + hours * HOUR_MS, INTERVAL_MS)
    last_hour = instants[-HOUR_MS // INTERVAL_MS :]
    client = Client(url)
    recent = choose.sample(last_hour, min(rounds, len(last_hour) // 2))
    asked = choose.sample(instants[: -len(last_hour)] or instants, rounds)
    for instant_ms in asked[:3]:  # the first requests load code
        client.timed("/graph", at=format_instant(instant_ms + 1))
    # In turns, so that what else the machine does falls on both alike.
    near: list[float] = []
    far: list[float] = []
    for index in range(rounds):
        far.append(client.timed("/graph", at=format_instant(asked[index])))
        if index < len(recent):
            near.append(client.timed("/graph", at=format_instant(recent[index])))
    here = show(f"graph, any of {hours} h", far)
    print(f"  of it to the last hour alone: {here / show('graph, the last hour', near):.2f}", flush=True)
    starts = choose.sample(range(len(instants) - 60), 5)
    frames = [
        client.timed(
            "/frames",
            start=format_instant(instants[start]),
            end=format_instant(instants[start + 60]),
            step="10s",
        )
        for start in starts
    ]
    show("60 instants at once, /frames", frames)
    return here


def prometheus(folder: Path, mesh: Mesh, seconds: int, rounds: int) -> float:
    """The median of the query alone at random instants that Prometheus has."""
    folder.mkdir()
    exporter = Exporter()
    for sample in mesh.scrape(START_MS).samples:
        labels = {"source": sample.source, "target": sample.target, "code": sample.status}
        exporter.counter("requests_total", labels, rate_rps=sample.rate)
    server = Prometheus(folder, exporter.address)
    with exporter, closing(server):
        server.start()
        server.wait_for(QUERY, lambda answer: len(answer) > 0)
        began_ms = system_now_ms()
        time.sleep(seconds)
        last_ms = system_now_ms() - 2 * SECOND_MS
        client = Client(server.url)
        choose = random.Random(2)
        asked = [choose.randrange(began_ms, last_ms) / 1000 for _ in range(rounds)]
        return show(
            "Prometheus, the query alone",
            [client.timed("/api/v1/query", query=QUERY, time=at) for at in asked],
        )


@click.command()
@click.option("--edges", multiple=True, type=int, default=(50, 1_000, 10_000), show_default=True)
@click.option("--hours", default=168, show_default=True, help="Length of the recording.")
@click.option("--rounds", default=300, show_default=True, help="Random instants that are asked.")
@click.option(
    "--keep",
    type=click.Path(path_type=Path),
    help="Make recordings in this directory, leave them there, and use those that are there.",
)
@click.option(
    "--prometheus-s", default=40, show_default=True, help="How long Prometheus scrapes; 0 leaves it out."
)
def main(edges: tuple[int, ...], hours: int, rounds: int, keep: Path | None, prometheus_s: int) -> None:
    for count in edges:
        mesh = Mesh(count)
        print(f"{count:,} edges, {3 * count:,} samples an instant, {hours} h", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            place = (keep or Path(folder)) / f"{count}-edges-{hours}h"
            if not place.exists():
                half = place.with_suffix(".half")
                record(half, mesh, hours)
                half.rename(place)
            for file in place.rglob("*.parquet"):
                file.read_bytes()  # into the kernel's cache, where what was just made is, too
            server, url = serve(place)
            time.sleep(5)  # it opens the newest hours ahead, and lets others go first
            try:
                here = graphs(url, hours, rounds)
            finally:
                server.terminate()
            if prometheus_s:
                there = prometheus(Path(folder) / "prometheus", mesh, prometheus_s, min(rounds, 30))
                print(f"  Prometheus takes {there / here:.1f} times as long", flush=True)


if __name__ == "__main__":
    main()
