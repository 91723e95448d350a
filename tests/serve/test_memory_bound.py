"""`--memory` holds for a real server, whoever asks for what at once, and however they fetch it."""

from __future__ import annotations

import http.client
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import attrs
import pytest
import requests
from support.processes import RunProcess, wait_until
from support.scrapes import START_MS, edges, mesh, scrape

import vistio_core as vistio
from serve.test_processes import address_of, children, serving
from vistio_core.times import MINUTE_MS, format_instant

MB = 2**20
MEMORY_MB = 400
EDGES, INSTANTS, FRAMES = 1_990, 17, 990
"""Nearly the most that may be asked for at once, of as few instants as staleness allows."""


@pytest.fixture(scope="module")
def large_mesh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("large") / "recording"
    rates = {f"service-{n % 40}>service-{n} 200": 1 / (n + 3) for n in range(EDGES)}
    rates |= {f"service-{n % 40}>service-{n} 404": 1 / (n + 7) for n in range(EDGES)}
    with vistio.Recording.open(place, create=True).writer() as writer:
        writer.put_configuration(mesh())
        for number in range(INSTANTS):
            some = {pair: rate * (1 + number / 7) for pair, rate in rates.items()}
            seen = scrape(START_MS + number * MINUTE_MS, edges(some))
            writer.commit(attrs.evolve(seen, interval_ms=MINUTE_MS))
    return place


@attrs.frozen
class Server:
    url: str
    worker: int

    def memory_mb(self, of: str) -> int:
        """``VmRSS``, what is resident now, or ``VmHWM``, the most that ever was."""
        found = re.search(rf"{of}:\s+(\d+) kB", Path(f"/proc/{self.worker}/status").read_text())
        assert found is not None
        return int(found.group(1)) // 1024

    def work(self, name: str) -> float:
        """A metric of large answers."""
        text = requests.get(self.url + "metrics", timeout=30).text
        found = re.search(rf"^vistio_serve_work_{name} (\S+)$", text, re.MULTILINE)
        assert found is not None, text
        return float(found.group(1))

    def frames(self, number: int) -> str:
        """The path of a large answer; of each number another one."""
        start, end = format_instant(START_MS), format_instant(START_MS + FRAMES * 1000 - number)
        return f"/frames?start={start}&end={end}&step=1s"


@pytest.fixture
def server(run_process: RunProcess, large_mesh: Path) -> Iterator[Server]:
    with serving(run_process, "--recording", large_mesh, "--memory", f"{MEMORY_MB}MB") as (process, url):
        workers = [pid for pid in children(process.pid) if b"resource_tracker" not in _command(pid)]
        yield Server(url, max(workers))
        process.terminate()


def _command(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def test_eight_large_answers_at_once_stay_within_the_memory_and_keep_no_small_one_waiting(
    server: Server,
) -> None:
    begun_small = threading.Event()
    answers: list[tuple[int, str | None, int]] = []

    def ask(number: int) -> None:
        connection = http.client.HTTPConnection(*address_of(server.url), timeout=60)
        connection.request("GET", server.frames(number), headers={"Accept-Encoding": "identity"})
        answer = connection.getresponse()
        if number % 2:
            begun_small.wait(60)  # a slow client: it begins to read when the others are done with
        size_bytes = 0
        while piece := answer.read(MB):
            size_bytes += len(piece)
        answers.append((answer.status, answer.headers["Retry-After"], size_bytes))
        connection.close()

    with ExitStack() as stack:
        stack.callback(begun_small.set)
        threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        wait_until(lambda: server.work("waiting") > 0, what="large answers take turns")
        graph = requests.get(server.url + "graph", {"at": format_instant(START_MS)}, timeout=30)
        assert graph.status_code == 200
        assert server.work("waiting") > 0, "the graph was made before them"
    for thread in threads:
        thread.join(120)
    assert len(answers) == 8
    assert {(status, again) for status, again, _ in answers} <= {(200, None), (503, "2")}
    whole = [size_bytes for status, _, size_bytes in answers if status == 200]
    assert len(whole) >= 2
    assert min(whole) > 50 * MB
    assert server.memory_mb("VmHWM") < MEMORY_MB * 5 // 4
    wait_until(lambda: server.work("bytes") == 0, what="nothing is in work")
    wait_until(lambda: server.memory_mb("VmRSS") < MEMORY_MB * 5 // 8, what="memory is given back")


def test_clients_that_ask_and_never_fetch_stay_within_the_memory_and_keep_nobody_out(server: Server) -> None:
    with ExitStack() as stack:
        for number in range(40):
            connection = stack.enter_context(socket.socket())
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect(address_of(server.url))
            encoding = ("identity", "gzip", "zstd")[number % 3]
            head = f"GET {server.frames(number)} HTTP/1.1\r\nHost: x\r\nAccept-Encoding: {encoding}\r\n\r\n"
            connection.sendall(head.encode())
        wait_until(lambda: server.work("refused_total") > 0, what="what is too much is refused at once")
        wait_until(lambda: server.work("sending") > 0, what="one is being sent")
        assert requests.get(server.url + "-/healthy", timeout=30).status_code == 200
        assert requests.get(server.url + "graph", {"at": format_instant(START_MS)}, timeout=30).ok
        assert server.memory_mb("VmHWM") < MEMORY_MB * 5 // 4
    wait_until(lambda: server.work("waiting") == 0, what="nobody waits", timeout_s=60)
    wait_until(lambda: server.work("bytes") == 0, what="they have gone, and count no more", timeout_s=60)
    assert server.memory_mb("VmHWM") < MEMORY_MB * 5 // 4
