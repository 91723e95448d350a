"""Who may ask the recorder's port: a real recorder, real TLS, and a real Prometheus that scrapes it."""

from __future__ import annotations

import shutil
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from support import prometheus as real_prometheus
from support.certificates import Certificates
from support.ports import free_port
from support.processes import RunningProcess, RunProcess, wait_until
from support.recorders import start_recorder
from support.web_config import ALICE, BOB, CI_TOKEN, SCRAPER_TOKEN, bearer, write

from vistio_core import Recording
from vistio_core.access.web_access import WebAccess
from vistio_record.application import Application
from vistio_record.http_server import MAX_CONNECTIONS, HttpServer
from vistio_record.metrics import Metrics

MARK = {"text": "v2 is out"}


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return Certificates(tmp_path / "tls")


@pytest.fixture
def recorder(
    run_process: RunProcess, recording_dir: Path, tmp_path: Path, certificates: Certificates
) -> RunningProcess:
    return start_recorder(
        run_process, recording_dir, "--web-config", write(tmp_path, certificates), interval="1s"
    )


def url_of(recorder: RunningProcess) -> str:
    return recorder.wait_for_line(r"metrics=(https?://\S+)/metrics")[1]


def shown(url: str) -> str:
    host, _, port = url.partition("://")[2].rpartition(":")
    return ssl.get_server_certificate((host, int(port)), timeout=10)


def test_each_route_takes_its_scope_and_health_takes_none(
    recorder: RunningProcess, certificates: Certificates, recording_dir: Path
) -> None:
    url, trust = url_of(recorder), str(certificates.ca_file)
    recorder.wait_for_line(r"scrape\.committed")

    def status(method: str, path: str, **options: object) -> int:
        answer = requests.request(method, url + path, verify=trust, timeout=10, **options)  # type: ignore[arg-type]
        return answer.status_code

    assert [status("GET", path) for path in ("/-/healthy", "/-/ready", "/metrics")] == [200, 200, 401]
    assert [status("GET", "/metrics", auth=who) for who in (ALICE, BOB)] == [200, 200]
    assert status("GET", "/metrics", headers=bearer(SCRAPER_TOKEN)) == 200
    assert status("GET", "/metrics", headers=bearer(CI_TOKEN)) == 403
    assert [status("POST", "/-/reload", auth=who) for who in (ALICE, BOB)] == [200, 403]
    assert status("POST", "/-/reload") == 401
    assert status("POST", "/annotations", json=MARK, auth=BOB) == 403
    assert status("POST", "/annotations", json=MARK, headers=bearer(CI_TOKEN)) == 200
    evil = {**bearer(CI_TOKEN), "Origin": "https://evil.example"}
    assert status("POST", "/annotations", json=MARK, headers=evil) == 403
    assert [row["text"] for row in Recording.open(recording_dir).annotations().to_pylist()] == ["v2 is out"]
    recorder.wait_for_line(r"annotation\.written .*by=ci client=127\.0\.0\.1")
    recorder.wait_for_line(r"reload\.asked .*by=alice client=127\.0\.0\.1")
    for secret in (CI_TOKEN, SCRAPER_TOKEN, ALICE[1], BOB[1]):
        assert secret not in recorder.log
        assert secret not in requests.get(f"{url}/metrics", verify=trust, auth=ALICE, timeout=10).text
        assert secret.encode() not in Path(f"/proc/{recorder.pid}/cmdline").read_bytes()


def test_a_renewed_certificate_is_shown_to_who_connects_next(
    recorder: RunningProcess, certificates: Certificates
) -> None:
    url, trust = url_of(recorder), str(certificates.ca_file)
    before = shown(url)
    certificates.issue("port")
    statuses = []

    def renewed() -> bool:
        statuses.append(requests.get(f"{url}/-/healthy", verify=trust, timeout=10).status_code)
        return shown(url) != before

    wait_until(renewed, what="the new certificate")
    recorder.wait_for_line(r"certificate\.renewed")
    assert set(statuses) == {200}


def test_a_rotated_token_is_taken_without_a_restart(
    recorder: RunningProcess, certificates: Certificates, tmp_path: Path
) -> None:
    url, trust = url_of(recorder), str(certificates.ca_file)
    new = "4d4d" * 16
    (tmp_path / "ci.token").write_text(new)

    def status(token: str) -> int:
        answer = requests.post(
            f"{url}/annotations", json=MARK, headers=bearer(token), verify=trust, timeout=10
        )
        return answer.status_code

    recorder.wait_for_line(r"web_config\.reloaded")
    assert status(new) == 200
    assert status(CI_TOKEN) == 401


def test_the_token_file_goes_on_beside_a_web_configuration(
    run_process: RunProcess, recording_dir: Path, tmp_path: Path
) -> None:
    token = tmp_path / "token"
    token.write_text("6e6e" * 16)
    recorder = start_recorder(
        run_process, recording_dir, "--web-config", write(tmp_path), "--token-file", token, interval="1s"
    )
    url = url_of(recorder)
    assert requests.post(f"{url}/annotations", json=MARK, headers=bearer("6e6e" * 16), timeout=10).ok
    assert requests.get(f"{url}/metrics", headers=bearer("6e6e" * 16), timeout=10).status_code == 403


_SCRAPES = """\
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - job_name: right
    scheme: https
    tls_config: {{ca_file: {ca}}}
    basic_auth: {{username: bob, password: {password}}}
    static_configs: [{{targets: ["{target}"]}}]
  - job_name: token
    scheme: https
    tls_config: {{ca_file: {ca}}}
    authorization: {{credentials: {token}}}
    static_configs: [{{targets: ["{target}"]}}]
  - job_name: wrong
    scheme: https
    tls_config: {{ca_file: {ca}}}
    static_configs: [{{targets: ["{target}"]}}]
"""


@pytest.mark.skipif(not real_prometheus.installed(), reason=real_prometheus.WITHOUT_BINARY)
def test_prometheus_scrapes_the_port_by_tls_with_a_password_and_with_a_token(
    recorder: RunningProcess, certificates: Certificates, run_process: RunProcess, tmp_path: Path
) -> None:
    target = url_of(recorder).removeprefix("https://")
    (tmp_path / "prometheus.yml").write_text(
        _SCRAPES.format(ca=certificates.ca_file, password=BOB[1], token=SCRAPER_TOKEN, target=target)
    )
    port = free_port()
    server = run_process(
        shutil.which(real_prometheus.BINARY) or real_prometheus.BINARY,
        f"--config.file={tmp_path / 'prometheus.yml'}",
        f"--storage.tsdb.path={tmp_path / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    )
    server.wait_for_url(f"http://127.0.0.1:{port}/-/ready")

    def up() -> dict[str, str]:
        answer = requests.get(f"http://127.0.0.1:{port}/api/v1/query?query=up", timeout=10).json()
        return {each["metric"]["job"]: each["value"][1] for each in answer["data"]["result"]}

    wait_until(lambda: up() == {"right": "1", "token": "1", "wrong": "0"}, what="Prometheus' scrapes")


# -- TLS by clients that do not behave


@pytest.fixture
def secured(tmp_path: Path, certificates: Certificates) -> Iterator[HttpServer]:
    server = HttpServer("127.0.0.1", 0, WebAccess(write(tmp_path, certificates)))
    server.serve(Application(Metrics(lambda: 0), lambda by: None, 60))  # type: ignore[arg-type, return-value]
    yield server
    server.close()


@pytest.fixture
def connect(secured: HttpServer) -> Iterator[Callable[[bytes], socket.socket]]:
    opened: list[socket.socket] = []

    def connect(sent: bytes) -> socket.socket:
        opened.append(socket.create_connection(("127.0.0.1", secured.port), timeout=10))
        opened[-1].sendall(sent)
        return opened[-1]

    yield connect
    for each in opened:
        each.close()


@pytest.mark.parametrize("sent", [b"", b"\x16\x03\x01\x02\x00\x01", b"GET /metrics HTTP/1.1\r\n\r\n"])
def test_handshakes_that_are_never_finished_keep_health_from_nobody(
    secured: HttpServer, connect: Callable[[bytes], socket.socket], certificates: Certificates, sent: bytes
) -> None:
    held = [connect(sent) for _ in range(MAX_CONNECTIONS + 40)]
    for _ in range(20):
        answer = requests.get(f"{secured.url}/-/healthy", verify=str(certificates.ca_file), timeout=10)
        assert answer.text == "healthy\n"
    assert len(held) > MAX_CONNECTIONS


def test_a_request_in_one_piece_with_the_handshakes_end_is_answered(
    secured: HttpServer, certificates: Certificates
) -> None:
    context = ssl.create_default_context(cafile=certificates.ca_file)
    for pause_s in (0.0, 0.05):
        for _ in range(20):
            with (
                socket.create_connection(("127.0.0.1", secured.port), timeout=10) as plain,
                context.wrap_socket(plain, server_hostname="127.0.0.1") as connection,
            ):
                time.sleep(pause_s)
                connection.sendall(b"GET /-/healthy HTTP/1.0\r\n\r\n")
                assert b"".join(iter(lambda: connection.recv(4096), b"")).endswith(b"healthy\n")


def test_the_port_closes_while_a_handshake_hangs(tmp_path: Path, certificates: Certificates) -> None:
    server = HttpServer("127.0.0.1", 0, WebAccess(write(tmp_path, certificates)))
    server.serve(Application(Metrics(lambda: 0), lambda by: None, 60))  # type: ignore[arg-type, return-value]
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as hangs:
        hangs.sendall(b"\x16\x03\x01")
        time.sleep(0.2)
        began_s = time.monotonic()
        server.close()
        assert time.monotonic() - began_s < 5
