"""Real processes, real sockets: what only shows there."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import requests
from support.processes import RunningProcess, RunProcess, wait_until
from support.scrapes import INTERVAL_MS, edges, mesh, scrape

import vistio_core as vistio
from vistio_core.times import align, system_now_ms


@pytest.fixture
def live_recording(recording_dir: Path) -> Path:
    """A recording whose newest instant is now."""
    recording = vistio.Recording.open(recording_dir, create=True)
    newest_ms = align(system_now_ms(), INTERVAL_MS)
    with recording.writer() as writer:
        writer.put_configuration(mesh())
        for age in range(5, -1, -1):
            samples = edges({f"front>service-{n} 200": 1.0 + age for n in range(40)})
            writer.commit(scrape(newest_ms - age * INTERVAL_MS, samples))
    return recording_dir


@contextmanager
def serving(run: RunProcess, *arguments: object) -> Iterator[tuple[RunningProcess, str]]:
    process = run("vistio-serve", "--port", 0, *arguments)
    yield process, process.wait_for_line(r"(http://\S+)").group(1)


def children(pid: int) -> list[int]:
    """The PIDs of all descendants."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            child = int(path.parent.name)
            found += [child, *children(child)]
    return found


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def address_of(url: str) -> tuple[str, int]:
    host, _, port = url.removeprefix("http://").rstrip("/").rpartition(":")
    return host, int(port)


def test_the_announced_url_answers_at_once_and_only_on_loopback(
    run_process: RunProcess, live_recording: Path
) -> None:
    with serving(run_process, "--recording", live_recording) as (process, url):
        graph = requests.get(url + "graph?offset=0", timeout=5)
        assert graph.status_code == 200
        assert graph.json()["metadata"]["vistio"]["age_s"] < 60
        assert url.startswith("http://127.0.0.1:")
        process.terminate()


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_cleanly_within_a_second_even_with_connections_open(
    run_process: RunProcess, live_recording: Path, by: signal.Signals
) -> None:
    with serving(run_process, "--recording", live_recording) as (process, url), ExitStack() as stack:
        for _ in range(3):
            half = stack.enter_context(socket.create_connection(address_of(url)))
            half.sendall(b"GET /graph HTTP/1.1\r\nHost: x\r\n")
        pids = children(process.pid)
        began_s = time.monotonic()
        log = process.terminate(by=by)
        # About 0.6 s on a quiet machine; waiting for the half-sent requests would take 10 s.
        assert time.monotonic() - began_s < 8
        assert "Traceback" not in log
        assert all(gone(pid) for pid in pids)


def test_nothing_is_left_when_the_main_process_is_killed(
    run_process: RunProcess, live_recording: Path
) -> None:
    with serving(run_process, "--recording", live_recording) as (process, url):
        pids = children(process.pid)
        assert pids
        process.kill()
        wait_until(lambda: all(gone(pid) for pid in pids), what="the worker to end with its parent")
        with pytest.raises(requests.ConnectionError):
            requests.get(url, timeout=2)


def test_a_port_in_use_is_an_error_before_anything_is_announced(
    run_process: RunProcess, live_recording: Path
) -> None:
    with serving(run_process, "--recording", live_recording) as (_, url):
        port = address_of(url)[1]
        second = run_process("vistio-serve", "--recording", live_recording, "--port", port)
        log = second.wait(exit_code=1)
        assert str(port) in log
        assert "http://" not in log
        assert "Traceback" not in log
        assert requests.get(url + "-/healthy", timeout=5).status_code == 200


def test_a_recording_that_is_a_file_is_refused(run_process: RunProcess, tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.write_text("")
    log = run_process("vistio-serve", "--recording", place, "--port", 0).wait(exit_code=2)
    assert "this is a file" in log
    assert "Traceback" not in log


def test_it_serves_before_the_recorder_has_begun(run_process: RunProcess, recording_dir: Path) -> None:
    with serving(run_process, "--recording", recording_dir) as (process, url):
        assert requests.get(url + "graph", timeout=5).status_code == 503
        assert requests.get(url, timeout=5).status_code == 200
        vistio.Recording.open(recording_dir, create=True)
        assert requests.get(url + "graph", timeout=5).status_code == 404
        process.terminate()


def test_slow_clients_do_not_hold_up_others(run_process: RunProcess, live_recording: Path) -> None:
    with serving(run_process, "--recording", live_recording) as (process, url), ExitStack() as stack:
        for head in (
            b"",
            b"GET /graph HTTP/1.1\r\nHost: x\r\nX-Slow: ",
            b"POST /graph HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n",
        ):
            for _ in range(25):
                slow = stack.enter_context(socket.create_connection(address_of(url)))
                slow.sendall(head)

        def poll(_: int) -> None:
            with requests.Session() as session:
                for _ in range(10):
                    assert session.get(url + "graph?offset=0", timeout=20).status_code == 200

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(poll, range(8)))
        process.terminate()


def test_a_connection_is_kept_for_the_next_request(run_process: RunProcess, live_recording: Path) -> None:
    with serving(run_process, "--recording", live_recording) as (_, url):
        connection = http.client.HTTPConnection(*address_of(url), timeout=5)
        connection.connect()
        kept = connection.sock
        for method in ("GET", "HEAD", "GET", "OPTIONS", "DELETE", "GET"):
            connection.request(method, "/graph", headers={"Accept-Encoding": "gzip"})
            response = connection.getresponse()
            body = response.read()
            assert response.status == {"OPTIONS": 204, "DELETE": 405}.get(method, 200)
            assert bool(body) == (method in ("GET", "DELETE"))
            if method in ("GET", "HEAD"):
                assert response.headers["Content-Encoding"] == "gzip"
                assert int(response.headers["Content-Length"]) > 0
        assert connection.sock is kept
        connection.close()


@pytest.mark.parametrize(
    "request_line",
    [b"GET /graph?at=%00%ff HTTP/1.1", b"GET /%ff%00 HTTP/1.1", b"GET //graph HTTP/1.1", b"\x00\x01\x02",
     b"GET /graph?at=\xff HTTP/1.1", b"GET http://other/graph HTTP/1.1", b"OPTIONS * HTTP/1.1"],
)  # fmt: skip
def test_no_request_line_breaks_it(
    run_process: RunProcess, live_recording: Path, request_line: bytes
) -> None:
    with serving(run_process, "--recording", live_recording) as (process, url):
        with socket.create_connection(address_of(url), timeout=5) as raw:
            raw.sendall(request_line + b"\r\nHost: x\r\nConnection: close\r\n\r\n")
            answer = b"".join(iter(lambda: raw.recv(65536), b""))
        assert b" 500 " not in answer.split(b"\r\n")[0]
        assert requests.get(url + "graph", timeout=5).status_code == 200
        assert "Traceback" not in process.terminate()


def test_headers_have_a_limit(run_process: RunProcess, live_recording: Path) -> None:
    with serving(run_process, "--recording", live_recording) as (_, url):
        with socket.create_connection(address_of(url), timeout=5) as raw:
            raw.sendall(b"GET /graph HTTP/1.1\r\nHost: x\r\n")
            try:
                for _ in range(64):
                    raw.sendall(b"X-Long: " + b"a" * 65_536 + b"\r\n")
                answer = raw.recv(100)
            except (BrokenPipeError, ConnectionResetError):
                answer = b""
        assert b" 200 " not in answer
        assert requests.get(url + "graph", timeout=5).status_code == 200


def test_the_environment_does_not_become_part_of_a_request(
    run_process: RunProcess, live_recording: Path
) -> None:
    process = run_process(
        "vistio-serve", "--port", 0, "--recording", live_recording, HTTP_IF_NONE_MATCH="*", SCRIPT_NAME="/x"
    )
    url = process.wait_for_line(r"(http://\S+)").group(1)
    assert requests.get(url + "graph", timeout=5).status_code == 200


# --- the demo ---


@pytest.fixture
def demo(run_process: RunProcess, tmp_path: Path) -> Callable[..., RunningProcess]:
    def start(*arguments: object) -> RunningProcess:
        return run_process("vistio-serve", "demo", "--port", 0, *arguments, TMPDIR=str(tmp_path))

    return start


def test_the_demo_needs_nothing_shows_an_incident_and_leaves_nothing(
    demo: Callable[..., RunningProcess], tmp_path: Path
) -> None:
    process = demo()
    url = process.wait_for_line(r"(http://\S+)", timeout_s=120).group(1)
    assert requests.get(url, timeout=5).status_code == 200
    graph = requests.get(url + "graph?offset=0", timeout=5)
    assert graph.status_code == 200, graph.text
    severities = set()
    for minutes in range(0, 59, 2):
        past = requests.get(f"{url}graph?offset={minutes * 60}", timeout=5)
        if past.status_code == 200:
            for node in past.json()["nodes"]:
                for edge in node.get("connections", []):
                    severities |= {notice["severity"] for notice in edge.get("notices", [])}
    assert 2 in severities, "no edge ever had a notice of an error: the incident is not visible"
    assert requests.get(url + "instants", timeout=5).json()["gaps"], "the demo has a recording gap"
    pids = children(process.pid)
    assert "Traceback" not in process.terminate()
    assert all(gone(pid) for pid in pids)
    assert list(tmp_path.glob("vistio-demo-*")) == []


def test_the_demo_keeps_recording(demo: Callable[..., RunningProcess]) -> None:
    process = demo()
    url = process.wait_for_line(r"(http://\S+)").group(1)

    def newest() -> str:
        return str(requests.get(url + "instants?start=-2m", timeout=5).json()["recording"]["last"])

    first = newest()
    wait_until(lambda: newest() > first, what="a new instant")


def test_the_demos_recorder_ends_with_a_killed_parent(demo: Callable[..., RunningProcess]) -> None:
    process = demo()
    process.wait_for_line(r"(http://\S+)")
    pids = children(process.pid)
    assert len(pids) >= 2
    process.kill()
    wait_until(lambda: all(gone(pid) for pid in pids), what="recorder and worker to end")


def test_a_recorder_that_dies_ends_the_demo_with_its_last_lines(demo: Callable[..., RunningProcess]) -> None:
    process = demo()
    process.wait_for_line(r"(http://\S+)")
    recorders = [
        pid for pid in children(process.pid) if b"vistio_record" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]
    os.kill(recorders[0], signal.SIGKILL)
    log = process.wait(exit_code=1)
    assert "the recorder ended by itself" in log
    assert "Traceback" not in log


def test_a_given_recording_is_kept_after_the_demo(
    demo: Callable[..., RunningProcess], tmp_path: Path
) -> None:
    place = tmp_path / "kept"
    process = demo("--recording", place)
    process.wait_for_line(r"(http://\S+)")
    process.terminate()
    assert vistio.Recording.open(place).info().last_ms is not None
