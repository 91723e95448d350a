"""A server that misbehaves in every way that we could think of, beside one that does not.

One real recorder meets all of these faults at once, each at a rule in a cluster of its own, beside
a rule of the same server that is answered; then the server is well again. The tests look at what
was recorded for each of them.
"""

from __future__ import annotations

import gzip
import json
import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
from support.misbehaving import Request, serving, vector
from support.ports import free_port
from support.processes import RunningProcess, console_script, wait_until
from support.recorders import wait_for_commits

from vistio_core import Recording

pytestmark = pytest.mark.slow

# Long after the timeout: a busy machine that takes seconds over fifty ill answers skips no scrape.
INTERVAL_MS = 9_000
TIMEOUT_MS = 3_500
SCRAPES = 2
MAX_BYTES = 100_000
EDGE = ({"source": "a", "target": "b", "code": "200"}, "1.5")

RULE = """
      - name: {name}
        query: {name}
        prometheusURL: {url}
        source: {{label: source}}
        target: {{label: target}}
        status: {{label: code, dangerRegex: ^5..$}}"""


def connection(request: Request) -> socket.socket:
    sock: socket.socket = request._handler.connection
    request._handler.close_connection = True
    return sock


def raw(data: bytes) -> Callable[[Request], None]:
    """Answers these bytes, whatever they are, and closes."""

    def handle(request: Request) -> None:
        connection(request).sendall(data)

    return handle


def plain(body: bytes | str, status: int = 200, **headers: str) -> Callable[[Request], None]:
    return lambda request: request.answer(body, status, **headers)


def reset_in_the_body(request: Request) -> None:
    request.start(Content_Length="1000")
    request.write(b'{"status": "succ')
    # Linger of zero: closing sends RST instead of FIN.
    connection(request).setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def half_closed(request: Request) -> None:
    request.start(Content_Length="1000")
    request.write(b'{"status": "succ')
    connection(request).shutdown(socket.SHUT_WR)
    request.hang()


def drip_body(request: Request) -> None:
    request.start(Content_Length="100000")
    request.drip(b" ", pause_s=0.05)


def drip_headers(request: Request) -> None:
    request.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    request.drip(b"x", pause_s=0.05)


def endless_body(request: Request) -> None:
    request.start(Transfer_Encoding="chunked")
    chunk = b"ffff\r\n" + b" " * 0xFFFF + b"\r\n"
    while not request.over.is_set():
        request.write(chunk)


def redirect_to_itself(request: Request) -> None:
    request.answer("", 302, Location=f"http://{request.headers['Host']}{request.path}")


def error(kind: str, text: str) -> str:
    return json.dumps({"status": "error", "errorType": kind, "error": text})


GOOD = vector(EDGE)
PARTIAL = vector(EDGE, warnings=["one of two replicas did not answer"], isPartial=True)
LATE = (Request.hang, drip_body, drip_headers)
FAILURES: dict[str, tuple[Callable[[Request], None], str]] = {
    "hanging": (Request.hang, "no complete answer within 3s"),
    "a byte at a time in the body": (drip_body, "no complete answer within 3s"),
    "a byte at a time in the headers": (drip_headers, "no complete answer within 3s"),
    "half-closed": (half_closed, "closed before|not complete HTTP|no complete answer"),
    "garbage": (raw(b"\x00\xff\x17 no http at all\r\n\r\n"), "not complete HTTP|closed before"),
    "nothing": (raw(b""), "not complete HTTP|closed before"),
    "cut in the headers": (raw(b"HTTP/1.1 200 OK\r\nContent-Ty"), "not complete HTTP|not Prometheus' JSON"),
    "reset in the body": (reset_in_the_body, "closed before|not complete HTTP"),
    "content length too long": (plain(GOOD, Content_Length="100000", Connection="close"), "complete"),
    "content length too short": (plain(GOOD, Content_Length="20", Connection="close"), "not Prometheus' JSON"),
    "a chunk without its end": (
        raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n{}"),
        "not complete HTTP",
    ),
    "an empty answer": (plain(""), "not Prometheus' JSON"),
    "html": (plain("<html>Sign in</html>", Content_Type="text/html"), "not Prometheus' JSON"),
    "other json": (plain('{"status": "success"}'), "success without data"),
    "json null": (plain("null"), "not Prometheus' JSON"),
    "a matrix": (plain('{"status": "success", "data": {"resultType": "matrix", "result": []}}'), "a matrix"),
    "deep json": (plain('{"status": "success", "data": ' + "[" * 50_000), "not Prometheus' JSON"),
    "500": (plain("<html>oops</html>", 500, Content_Type="text/html"), "HTTP 500 Internal Server Error"),
    "503 of prometheus": (
        plain(error("unavailable", "not ready"), 503),
        "HTTP 503 .*Prometheus answers unavailable: not ready",
    ),
    "200 with an error": (
        plain(error("execution", "too many samples")),
        "Prometheus answers execution: too many samples",
    ),
    "a redirect loop": (redirect_to_itself, "HTTP 302 Found redirects to"),
    "a huge body": (plain(b" " * (MAX_BYTES + 1)), f"larger than {MAX_BYTES} bytes"),
    "an endless body": (endless_body, f"larger than {MAX_BYTES} bytes"),
    "a gzip bomb": (
        plain(gzip.compress(b"\0" * 50_000_000, 9), Content_Encoding="gzip"),
        f"larger than {MAX_BYTES} bytes",
    ),
    "a part of the data": (plain(PARTIAL), "the answer is partial.*one of two replicas did not answer"),
    "damaged gzip": (plain(gzip.compress(GOOD.encode())[:-9], Content_Encoding="gzip"), "cut short|damaged"),
}  # fmt: skip


FAULTS = [*FAILURES]
GONE = "gone"
WELL = "well"


@attrs.frozen
class Recorded:
    """What the recorder wrote while the server was sick, and when it was well again."""

    recording: Recording
    url: str
    sick: range
    """The instants at which every fault was there."""
    well: int
    """An instant after that."""
    threads: int
    descriptors: int
    log: str

    def outcomes(self, cluster: str, rule: str, instants: range | tuple[int, ...]) -> list[dict[str, Any]]:
        found = self.recording.sql(
            "select epoch_ms(instant) as instant_ms, outcome, error, series, warnings from scrapes"
            f" where cluster = '{cluster}' and rule = '{rule}'"
            f" and epoch_ms(instant) between {instants[0]} and {instants[-1]} order by instant"
        )
        rows: list[dict[str, Any]] = found.to_arrow_table().to_pylist()
        return rows

    def samples(self, cluster: str, rule: str, instants: range | tuple[int, ...]) -> list[tuple[Any, ...]]:
        return self.recording.sql(
            f"select source, target, status, rate from samples where cluster = '{cluster}' and rule = '{rule}'"
            f" and epoch_ms(instant) between {instants[0]} and {instants[-1]}"
        ).fetchall()


def configuration(ill_url: str, well_url: str) -> str:
    clusters = {WELL: RULE.format(name="always", url=well_url)}
    # The parameter is a secret: no log may have it, at no level.
    secret_url = f"{ill_url}?token=hunter2"
    for number in range(len(FAULTS)):
        clusters[f"fault-{number}"] = "".join(
            RULE.format(name=f"{name}-{number}", url=secret_url) for name in ("ill", "beside")
        )
    clusters[GONE] = RULE.format(name="refused", url=f"http://127.0.0.1:{free_port()}")
    return "clusterLevel:" + "".join(
        f"\n  - cluster: {cluster}\n    serviceConnections:{rules}" for cluster, rules in clusters.items()
    )


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:
    folder = tmp_path_factory.mktemp("sick")
    well_again = threading.Event()

    def answer(request: Request) -> None:
        name, _, number = request.form.get("query", "").partition("-")
        if name != "ill" or well_again.is_set():
            request.answer(GOOD)
        else:
            FAILURES[FAULTS[int(number)]][0](request)

    with serving(plain(GOOD)) as well_url, serving(answer) as ill_url:
        (folder / "vistio.yaml").write_text(configuration(ill_url, well_url))
        recorder = RunningProcess(
            [
                console_script("vistio-record"), "run", "--config", str(folder / "vistio.yaml"),
                "--recording", str(folder / "recording"), "--interval", f"{INTERVAL_MS}ms",
                "--timeout", f"{TIMEOUT_MS}ms", "--delay", "50ms", "--port", "0", "--log-level", "debug",
                "--source-option", f"max_response_bytes={MAX_BYTES}",
            ]
        )  # fmt: skip
        try:
            first_ms = wait_for_commits(recorder)[-1]
            # The first scrape is at once, whatever the time; from the next on there is a whole interval.
            wait_for_commits(recorder, SCRAPES)
            well_again.set()
            # The next one may have begun before that.
            last_ms = wait_for_commits(recorder, 2)[-1]
            process = Path(f"/proc/{recorder.pid}")
            threads = int(re.findall(r"Threads:\s+(\d+)", (process / "status").read_text())[0])
            descriptors = len(list((process / "fd").iterdir()))
            log = recorder.terminate()
        finally:
            recorder.kill()
        sick = range(first_ms + INTERVAL_MS, first_ms + SCRAPES * INTERVAL_MS + 1, INTERVAL_MS)
        yield Recorded(
            Recording.open(folder / "recording"), ill_url, sick, last_ms, threads, descriptors, log
        )


@pytest.mark.parametrize("fault", FAILURES)
def test_a_fault_is_recorded_with_its_reason_and_spoils_nothing_else(recorded: Recorded, fault: str) -> None:
    """Promise: not seen is recorded as not seen, why, and for that rule only; then it is seen again."""
    handle, reason = FAILURES[fault]
    number = FAULTS.index(fault)
    cluster, rule, beside = f"fault-{number}", f"ill-{number}", f"beside-{number}"
    kinds = {"timeout"} if handle in LATE else {"failed", "timeout"} if handle is half_closed else {"failed"}
    rows = recorded.outcomes(cluster, rule, recorded.sick)
    assert [row["instant_ms"] for row in rows] == list(recorded.sick)
    for row in rows:
        assert row["outcome"] in kinds, row
        assert re.search(reason, row["error"]), row
        assert row["error"].startswith(recorded.url) or fault == "a matrix"
    assert recorded.samples(cluster, rule, recorded.sick) == []

    assert {row["outcome"] for row in recorded.outcomes(cluster, beside, recorded.sick)} == {"ok"}
    assert recorded.samples(cluster, beside, recorded.sick) == [("a", "b", "200", 1.5)] * SCRAPES

    assert [row["outcome"] for row in recorded.outcomes(cluster, rule, (recorded.well,))] == ["ok"]
    assert recorded.samples(cluster, rule, (recorded.well,)) == [("a", "b", "200", 1.5)]


def test_a_server_that_is_down_fails_its_own_rules_only(recorded: Recorded) -> None:
    """Promise: a server that is gone is not an empty cluster, and other clusters do not notice."""
    for row in recorded.outcomes(GONE, "refused", recorded.sick):
        assert row["outcome"] == "failed"
        assert "connection refused; is the server running" in row["error"]
    assert [row["outcome"] for row in recorded.outcomes(WELL, "always", recorded.sick)] == ["ok"] * SCRAPES


def test_every_scrape_among_the_faults_is_on_time(recorded: Recorded) -> None:
    """Promise: no server can make a scrape late for the next one."""
    instants = recorded.recording.instants()["instant"].cast("int64").to_pylist()
    assert instants == list(range(instants[0], recorded.well + 1, INTERVAL_MS))
    assert "scrape.skipped" not in recorded.log


def test_the_faults_leave_no_threads_connections_or_secrets_behind(recorded: Recorded) -> None:
    """Promise: what a server does costs nothing for good; what its URL hides is in no log."""
    assert recorded.threads < 20 + 2 * len(FAULTS), "a thread for each rule, and a few"
    assert recorded.descriptors < 30 + 4 * len(FAULTS), "a kept connection for each rule, and a few"
    assert "Traceback" not in recorded.log
    assert "hunter2" not in recorded.log
    assert all(not checked.problems for checked in recorded.recording.verify())


def never_accepting() -> Iterator[str]:
    """A port whose connections the kernel accepts and nobody takes: the queue of the first is full."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def silent_resolver() -> Iterator[str]:
    """The address of a name server that takes every question and answers none."""
    address = "127.53.53.53"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        try:
            server.bind((address, 53))
        except OSError as failure:
            pytest.skip(f"this needs the right to bind port 53 on {address}: {failure}")
        over = threading.Event()
        server.settimeout(0.1)
        asked: list[bytes] = []

        def listen() -> None:
            while not over.is_set():
                try:
                    asked.append(server.recv(4096))
                except TimeoutError:
                    continue

        thread = threading.Thread(target=listen)
        thread.start()
        yield address
        over.set()
        thread.join()
        assert asked, "nobody asked the silent resolver, so nothing was tested"


def test_a_resolver_that_hangs_holds_up_nobody_else(
    silent_resolver: str, tmp_path: Path, recording_dir: Path
) -> None:
    """Promise: DNS that hangs or says no is one rule's failure; the others are on time, and so is the end."""
    resolv = tmp_path / "resolv.conf"
    resolv.write_text(f"nameserver {silent_resolver}\noptions timeout:20 attempts:3\n")
    with serving(plain(GOOD)) as url:
        configuration = tmp_path / "vistio.yaml"
        configuration.write_text(
            f"clusterLevel:\n  - cluster: well\n    serviceConnections:{RULE.format(name='always', url=url)}\n"
            "  - cluster: lost\n    serviceConnections:"
            f"{RULE.format(name='lost', url='http://prometheus.monitoring.example:9090')}\n"
        )
        # A mount namespace of its own: only this process sees the other resolv.conf.
        script = 'mount --bind "$1" /etc/resolv.conf && shift && exec "$@"'
        recorder = RunningProcess(
            [
                "unshare", "--mount", "sh", "-c", script, "sh", str(resolv), console_script("vistio-record"),
                "run", "--config", str(configuration), "--recording", str(recording_dir),
                "--interval", "1s", "--timeout", "500ms", "--delay", "0s", "--port", "0",
            ]
        )  # fmt: skip
        try:
            try:
                recorder.wait_for_line(r"recorder\.started")
            except AssertionError:
                if "ermi" in recorder.log:
                    pytest.skip(f"this needs the right to mount in a namespace: {recorder.log.strip()}")
                raise
            wait_until(lambda: recorder.log.count("scrape.committed") >= 5, what="five scrapes")
            recorder.terminate(timeout_s=10)
        finally:
            recorder.kill()
    rows = Recording.open(recording_dir).sql(
        "select epoch_ms(instant), rule, outcome, error from scrapes order by instant, rule"
    ).fetchall()  # fmt: skip
    instants = sorted({row[0] for row in rows})[1:]  # the first scrape of a process may be late
    assert instants == list(range(instants[0], instants[-1] + 1, 1000)), "no scrape was late"
    assert {(rule, outcome) for instant, rule, outcome, _ in rows if instant in instants} == {
        ("always", "ok"),
        ("lost", "timeout"),
    }
    assert "no complete answer within 500ms" in next(
        error for *_, outcome, error in rows if outcome == "timeout"
    )


def test_a_name_that_does_not_resolve_and_a_port_that_never_accepts_are_told_apart(
    tmp_path: Path, recording_dir: Path, run_process: Callable[..., RunningProcess]
) -> None:
    """Promise: the reason names what an operator must look at: the name, or the server."""
    accepting = never_accepting()
    queue_url = next(accepting)
    host, port = queue_url.removeprefix("http://").split(":")
    waiting = []
    try:
        # The queue holds one connection more than its length; further ones get no answer at all.
        for _ in range(4):
            sock = socket.socket()
            sock.setblocking(False)
            sock.connect_ex((host, int(port)))
            waiting.append(sock)
        configuration = tmp_path / "vistio.yaml"
        configuration.write_text(
            "clusterLevel:\n  - cluster: mesh\n    serviceConnections:"
            + RULE.format(name="nowhere", url="http://nowhere.invalid:9090")
            + RULE.format(name="queue", url=queue_url)
            + "\n"
        )
        recorder = run_process(
            "vistio-record", "run", "--config", configuration, "--recording", recording_dir,
            "--interval", "2s", "--timeout", "1500ms", "--delay", "0s", "--port", 0,
        )  # fmt: skip
        recorder.wait_for_line(r"scrape\.committed")
        recorder.terminate()
    finally:
        for sock in waiting:
            sock.close()
        accepting.close()
    query = "select distinct rule, outcome, error from scrapes where outcome <> 'skipped' order by all"
    rows = Recording.open(recording_dir).sql(query).fetchall()
    by_rule = {rule: (outcome, error) for rule, outcome, error in rows}
    assert by_rule["nowhere"][0] == "failed"
    assert "host name 'nowhere.invalid' cannot be resolved" in by_rule["nowhere"][1]
    assert by_rule["queue"] == ("timeout", f"{queue_url}: no complete answer within 1s500ms")
