"""The recorder's own port, by clients that behave and by those that do not: real sockets."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
import requests
from support.clocks import Seconds
from support.processes import RunProcess, wait_until
from support.recorders import start_recorder, wait_for_commits
from werkzeug.wrappers import Request, Response

from vistio_core.access.guard import Guard, Identity
from vistio_core.access.web_access import WebAccess
from vistio_core.errors import UsageError
from vistio_core.events import Outcome, RuleOutcome, Scrape
from vistio_record import http_server
from vistio_record.application import MAX_BODY_BYTES, Application, text
from vistio_record.http_server import MAX_CONNECTIONS, MAX_HEAD_BYTES, MAX_WORK, HttpServer
from vistio_record.metrics import Metrics
from vistio_record.reload import Reloaded, ReloadOutcome

NOON = 1_763_899_200_000


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def metrics(seconds: Seconds) -> Metrics:
    return Metrics(lambda: NOON, seconds)


@pytest.fixture
def reloads() -> list[str]:
    return []


@pytest.fixture
def server(metrics: Metrics, reloads: list[str], tmp_path: Path) -> Iterator[HttpServer]:
    def reload(by: str) -> Reloaded:
        reloads.append(by)
        good = len(reloads) == 1
        return Reloaded(ReloadOutcome.RELOADED if good else ReloadOutcome.REFUSED, "one\ntwo")

    def annotate(request: Request, who: Identity) -> Response:
        return text(f"{len(request.get_data())}\n")

    everybody = tmp_path / "web.yaml"
    everybody.write_text("anonymous_scopes: [metrics, reload, annotate]")
    server = HttpServer("127.0.0.1", 0)
    guard = Guard(WebAccess(everybody))
    server.serve(Application(metrics, reload, stalled_after_s=60, annotate=annotate, guard=guard))
    yield server
    server.close()


@pytest.fixture
def connect(server: HttpServer) -> Iterator[Callable[[bytes], socket.socket]]:
    """A connection over which something was sent, and nothing more will be."""
    with ExitStack() as stack:

        def connect(sent: bytes) -> socket.socket:
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), 20))
            connection.sendall(sent)
            return connection

        yield connect


def scrape(outcome: Outcome, error: str = "") -> Scrape:
    return Scrape(NOON, 10_000, "0" * 64, (RuleOutcome("mesh", "http", outcome, error),))


def test_ready_only_after_a_committed_scrape_with_an_answered_rule(
    metrics: Metrics, server: HttpServer
) -> None:
    url = f"{server.url}/-/ready"
    response = requests.get(url, timeout=10)
    assert (response.status_code, "first scrape" in response.text) == (503, True)
    metrics.committed(scrape(Outcome.FAILED, "connection refused"), 0.01)
    response = requests.get(url, timeout=10)
    assert response.status_code == 503
    assert "cluster 'mesh', rule 'http': failed: connection refused" in response.text
    metrics.lost("No space left on device")
    assert "not committed: No space left" in requests.get(url, timeout=10).text
    metrics.committed(scrape(Outcome.OK), 0.01)
    assert requests.get(url, timeout=10).status_code == 200


def test_healthy_as_long_as_the_loop_is_at_work(
    metrics: Metrics, server: HttpServer, seconds: Seconds
) -> None:
    url = f"{server.url}/-/healthy"
    assert requests.get(url, timeout=10).text == "healthy\n"
    seconds.now_s = 60.0
    assert requests.get(url, timeout=10).status_code == 200
    seconds.now_s = 61.0
    response = requests.get(url, timeout=10)
    assert (response.status_code, "not moved for 61 s" in response.text) == (503, True)
    metrics.alive()
    assert requests.get(url, timeout=10).status_code == 200


def test_other_paths_are_refused_and_told_what_there_is(server: HttpServer) -> None:
    response = requests.get(f"{server.url}/metrics/x", timeout=10)
    assert response.status_code == 404
    assert "/metrics, /-/healthy, /-/ready, /-/reload, /annotations" in response.text


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/metrics", "GET, HEAD"),
        ("DELETE", "/-/healthy", "GET, HEAD"),
        ("GET", "/-/reload", "POST"),
        ("GET", "/annotations", "POST"),
    ],
)
def test_other_methods_are_refused_and_told_which_would_do(
    server: HttpServer, method: str, path: str, allowed: str
) -> None:
    response = requests.request(method, server.url + path, timeout=10)
    assert (response.status_code, response.headers["Allow"]) == (405, allowed)


@pytest.mark.parametrize("path", ["/metrics", "/-/healthy", "/-/ready"])
def test_head_is_get_without_its_body(server: HttpServer, path: str) -> None:
    head, get = (requests.request(method, server.url + path, timeout=10) for method in ("HEAD", "GET"))
    assert (head.status_code, head.content) == (get.status_code, b"")
    assert head.headers["Content-Type"] == get.headers["Content-Type"]


def test_a_reload_is_answered_with_what_became_of_it(server: HttpServer, reloads: list[str]) -> None:
    good, bad = (requests.post(f"{server.url}/-/reload", timeout=10) for _ in range(2))
    assert (good.status_code, good.text) == (200, "one\ntwo\n")
    assert (bad.status_code, bad.text) == (500, "one\ntwo\n")
    assert reloads == ["POST /-/reload"] * 2


@pytest.mark.parametrize(
    ("length", "status"), [(MAX_BODY_BYTES - 1, 200), (MAX_BODY_BYTES, 200), (MAX_BODY_BYTES + 1, 413)]
)
def test_a_body_may_be_as_long_as_the_limit(server: HttpServer, length: int, status: int) -> None:
    response = requests.post(f"{server.url}/annotations", data=b"x" * length, timeout=10)
    assert response.status_code == status


def test_who_sends_far_too_much_still_reads_why_it_is_refused(server: HttpServer) -> None:
    response = requests.post(f"{server.url}/annotations", data=b"x" * 5_000_000, timeout=10)
    assert (response.status_code, "5,000,000 bytes" in response.text) == (413, True)


def test_a_body_without_a_length_is_refused(server: HttpServer) -> None:
    response = requests.post(f"{server.url}/annotations", data=iter([b"x"]), timeout=10)
    assert response.status_code == 411


HALF_SENT = (
    b"GET /met",
    b"GET /metrics HTTP/1.1\r\nHost: x",
    b"POST /-/reload HTTP/1.1\r\nContent-Length: 9\r\n\r\n{",
)


@pytest.mark.parametrize("sent", HALF_SENT)
def test_half_a_request_is_cut_off_in_time_and_does_nothing(
    connect: Callable[[bytes], socket.socket],
    monkeypatch: pytest.MonkeyPatch,
    reloads: list[str],
    sent: bytes,
) -> None:
    monkeypatch.setattr(http_server, "REQUEST_TIMEOUT_S", 0.2)
    connection = connect(sent)
    answer = b"".join(iter(lambda: connection.recv(4096), b""))  # until the server closes
    assert answer == b"" or b" 408 " in answer
    assert reloads == []


def test_a_request_that_drips_is_cut_off_though_it_is_never_silent(
    connect: Callable[[bytes], socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_server, "REQUEST_TIMEOUT_S", 0.5)
    connection = connect(b"GET /metrics HTTP/1.1\r\n")
    connection.settimeout(0.02)

    def cut_off() -> bool:
        try:
            connection.sendall(b"X-Slow: x\r\n")
            return connection.recv(4096) == b""
        except TimeoutError:
            return False
        except (BrokenPipeError, ConnectionResetError):
            return True

    wait_until(cut_off, what="the server to cut off a request that is never complete", timeout_s=20)


NEVER_WHOLE = (b"", *HALF_SENT, b"GET /metrics HTTP/1.1\r\n" + 400 * (b"X-Long: %s\r\n" % (60 * b"x")))


@pytest.mark.parametrize("sent", NEVER_WHOLE)
@pytest.mark.parametrize("more", [-2, 0, 3 * MAX_CONNECTIONS])
@pytest.mark.slow
def test_clients_that_hang_do_not_keep_health_and_metrics_from_being_answered(
    server: HttpServer, connect: Callable[[bytes], socket.socket], sent: bytes, more: int
) -> None:
    for _ in range(MAX_CONNECTIONS + more):
        connect(sent)
    for path in ("/metrics", "/-/healthy", "/metrics"):
        assert requests.get(server.url + path, timeout=10).status_code == 200


def test_who_comes_back_whenever_it_is_closed_keeps_nobody_out(server: HttpServer) -> None:
    ended = threading.Event()

    def besiege() -> None:
        held: deque[socket.socket] = deque()
        while not ended.is_set():
            with suppress(OSError):
                held.append(socket.create_connection(("127.0.0.1", server.port), 5))
                held[-1].sendall(HALF_SENT[0])
            if len(held) > MAX_CONNECTIONS:
                held.popleft().close()
        for connection in held:
            connection.close()

    thread = threading.Thread(target=besiege)
    thread.start()
    try:
        for _ in range(20):
            assert requests.get(f"{server.url}/-/healthy", timeout=20).status_code == 200
    finally:
        ended.set()
        thread.join()


def test_who_does_not_fetch_its_answer_keeps_nobody_out(
    server: HttpServer, connect: Callable[[bytes], socket.socket]
) -> None:
    for _ in range(2 * MAX_CONNECTIONS):
        connect(b"GET /metrics HTTP/1.0\r\n\r\n")
    assert requests.get(f"{server.url}/-/healthy", timeout=10).status_code == 200


def test_requests_that_wait_for_a_disk_keep_health_and_metrics_from_nothing(metrics: Metrics) -> None:
    hangs = threading.Event()

    def reload(by: str) -> Reloaded:
        hangs.wait(60)
        return Reloaded(ReloadOutcome.RELOADED, "at last")

    server = HttpServer("127.0.0.1", 0)
    server.serve(Application(metrics, reload, stalled_after_s=60))
    try:
        with ThreadPoolExecutor(MAX_WORK) as clients:
            asked = [
                clients.submit(requests.post, f"{server.url}/-/reload", timeout=60) for _ in range(MAX_WORK)
            ]

            def refused() -> bool:
                try:
                    response = requests.post(f"{server.url}/-/reload", timeout=0.5)
                except requests.Timeout:
                    return False  # one of those above is still on its way
                return response.status_code == 503 and "Retry-After" in response.headers

            wait_until(refused, what="a request too many to be told to come back")
            assert requests.get(f"{server.url}/-/healthy", timeout=10).status_code == 200
            assert requests.get(f"{server.url}/metrics", timeout=10).status_code == 200
            hangs.set()
            answers = [each.result().text for each in asked]
            assert answers.count("at last\n") >= MAX_WORK - 1
    finally:
        hangs.set()
        server.close()


def test_a_recorder_under_siege_records_and_tells_its_health(run_process: RunProcess, tmp_path: Path) -> None:
    recorder = start_recorder(run_process, tmp_path / "recording")
    url = recorder.wait_for_line(r"metrics=(http\S+)/metrics")[1]
    port = int(url.rpartition(":")[2])
    with ExitStack() as stack:
        for number in range(4 * MAX_CONNECTIONS):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", port), 20))
            with suppress(OSError):
                connection.sendall(NEVER_WHOLE[number % len(NEVER_WHOLE)])
        assert requests.get(f"{url}/-/healthy", timeout=10).text == "healthy\n"
        assert "vistio_record_scrapes_total" in requests.get(f"{url}/metrics", timeout=10).text
        wait_for_commits(recorder, 3)
        recorder.terminate()


def test_who_resets_its_connection_is_no_trouble(
    server: HttpServer, connect: Callable[[bytes], socket.socket], caplog: pytest.LogCaptureFixture
) -> None:
    for sent in (b"GET /metrics HTTP/1.0\r\n\r\n", *NEVER_WHOLE):
        for _ in range(20):
            connection = connect(sent)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()
    assert requests.get(f"{server.url}/-/healthy", timeout=10).status_code == 200
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


@pytest.mark.parametrize(
    ("more", "status"), [(-1, b" 200 "), (0, b" 200 "), (1, b" 431 "), (10 * MAX_HEAD_BYTES, b" 431 ")]
)
def test_a_head_may_be_as_long_as_the_limit(
    connect: Callable[[bytes], socket.socket], more: int, status: bytes
) -> None:
    begin, end = b"GET /-/healthy HTTP/1.1\r\nX-Long: ", b"\r\n\r\n"
    connection = connect(begin + (MAX_HEAD_BYTES - len(begin) - len(end) + more) * b"x" + end)
    assert status in connection.recv(4096).partition(b"\r\n")[0]


def test_a_request_may_come_in_any_pieces(connect: Callable[[bytes], socket.socket]) -> None:
    connection = connect(b"")
    for byte in b"POST /annotations HTTP/1.1\r\ncontent-LENGTH:  2 \r\n\r\nab":
        connection.sendall(bytes([byte]))
    connection.shutdown(socket.SHUT_WR)  # as `nc -N` does; the answer comes all the same
    answer = b"".join(iter(lambda: connection.recv(4096), b""))
    assert answer.endswith(b"\r\n\r\n2\n")


def test_too_many_clients_that_hang_are_shed_and_then_all_is_well(
    server: HttpServer, connect: Callable[[bytes], socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_server, "REQUEST_TIMEOUT_S", 2.0)
    for _ in range(MAX_CONNECTIONS + 10):
        connect(HALF_SENT[0])

    def answered() -> bool:
        try:
            return requests.get(f"{server.url}/metrics", timeout=10).status_code == 200
        except requests.ConnectionError:
            return False

    wait_until(answered, what="room for a client after the others were cut off", timeout_s=20)


def test_a_client_that_does_not_read_its_answer_holds_nobody_up(
    server: HttpServer, connect: Callable[[bytes], socket.socket]
) -> None:
    connect(b"GET /metrics HTTP/1.0\r\n\r\n")
    assert requests.get(f"{server.url}/metrics", timeout=10).status_code == 200


def test_garbage_is_refused(connect: Callable[[bytes], socket.socket]) -> None:
    connection = connect(b"\x16\x03\x01\x02\x00 this is no HTTP\r\n\r\n")
    assert b"400" in connection.recv(4096)


def test_a_fault_of_ours_is_a_500_that_tells_nothing(metrics: Metrics) -> None:
    def crash(by: str) -> Reloaded:
        raise ZeroDivisionError("secret detail")

    server = HttpServer("127.0.0.1", 0)
    server.serve(Application(metrics, crash, stalled_after_s=60))
    try:
        response = requests.post(f"{server.url}/-/reload", timeout=10)
        assert (response.status_code, "secret" in response.text) == (500, False)
        assert requests.get(f"{server.url}/-/healthy", timeout=10).status_code == 200
    finally:
        server.close()


def test_a_port_in_use_is_an_error_that_names_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"127.0.0.1:{port} cannot be listened on .*--port"):
            HttpServer("127.0.0.1", port)


@pytest.mark.slow
def test_a_port_that_was_bound_and_never_served_can_be_closed() -> None:
    server = HttpServer("127.0.0.1", 0)
    server.close()
    started_s = time.monotonic()
    HttpServer("127.0.0.1", server.port).close()
    assert time.monotonic() - started_s < 20
