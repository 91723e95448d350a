"""``vistio-serve web``: what another vistio-serve answers, on a port of its own."""

from __future__ import annotations

import shutil
import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from click.testing import CliRunner
from support.certificates import Certificates
from support.ports import free_port
from support.processes import RunningProcess, RunProcess
from support.scrapes import INTERVAL_MS, edges, mesh, scrape
from werkzeug.test import Client

import vistio_core as vistio
from vistio_core.errors import UsageError
from vistio_core.times import align, system_now_ms
from vistio_serve.cli import main
from vistio_serve.forwarding import create_forwarder


@pytest.fixture
def recorded(recording_dir: Path) -> Path:
    """A graph of now, with a name that is not ASCII."""
    with vistio.Recording.open(recording_dir, create=True).writer() as writer:
        writer.put_configuration(mesh())
        samples = edges({f"front>größe-{n} 200": 1.0 for n in range(400)})
        writer.commit(scrape(align(system_now_ms(), INTERVAL_MS), samples))
    return recording_dir


def serve(run: RunProcess, recorded: Path, port: int) -> RunningProcess:
    api = run("vistio-serve", "--port", port, "--recording", recorded)
    api.wait_for_url(f"http://127.0.0.1:{port}/-/ready")
    return api


def test_it_answers_as_the_server_does_and_says_when_that_one_is_away(
    run_process: RunProcess, recorded: Path
) -> None:
    port = free_port()
    web = run_process("vistio-serve", "web", "--api", f"http://127.0.0.1:{port}", "--port", 0)
    url = web.wait_for_line(r"(http://\S+)/ \(asks").group(1)

    away = requests.get(f"{url}/graph", timeout=10)
    assert (away.status_code, away.headers["Content-Type"]) == (502, "application/problem+json")
    assert away.json()["type"] == "urn:vistio:problem:no-api"
    assert str(port) not in away.text
    assert requests.get(f"{url}/-/healthy", timeout=10).status_code == 200, "this process is well"
    assert requests.get(f"{url}/-/ready", timeout=10).status_code == 502

    api = serve(run_process, recorded, port)
    told = {}
    for encoding in ("identity", "gzip"):
        for at in (url, f"http://127.0.0.1:{port}"):
            told[encoding, at] = requests.get(
                f"{at}/graph?at=now", headers={"Accept-Encoding": encoding}, timeout=10
            )
        ours, theirs = told[encoding, url], told[encoding, f"http://127.0.0.1:{port}"]
        assert ours.status_code == 200
        assert ours.json()["nodes"] == theirs.json()["nodes"]
        for header in ("Content-Type", "Content-Encoding", "Access-Control-Allow-Origin"):
            assert ours.headers.get(header) == theirs.headers.get(header), header
    assert (
        requests.get(f"{url}/", timeout=10).text == requests.get(f"http://127.0.0.1:{port}/", timeout=10).text
    )
    subject = requests.get(f"{url}/timeline?start=-1m&cluster=mesh&target=größe-1", timeout=10)
    assert subject.status_code == 200, subject.text
    lost = requests.get(f"{url}/größe", timeout=10)
    assert lost.status_code == 404
    assert "größe" in lost.json()["detail"], "a path beyond ASCII arrives as it was sent"
    head = requests.head(f"{url}/graph", timeout=10)
    assert (head.status_code, head.content) == (200, b"")

    api.kill()
    assert requests.get(f"{url}/graph", timeout=10).status_code == 502
    serve(run_process, recorded, port)
    assert requests.get(f"{url}/graph", timeout=10).status_code == 200
    web.terminate()


@pytest.mark.parametrize("url", ["", "vistio-api:9091", "ftp://x", "http://", "http://x/?y=1", "http://x#y"])
def test_what_is_no_address_is_refused_at_once(url: str) -> None:
    with pytest.raises(UsageError, match="give one such as"):
        create_forwarder(url)
    result = CliRunner().invoke(main, ["web", "--api", url])
    assert (result.exit_code, "--api" in result.output) == (2, True)


class Renewed(ThreadingHTTPServer):
    """Answers by HTTPS, with the certificate that it has just now."""

    context: ssl.SSLContext

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        return self.context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False), address

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that does not trust it has gone."""


class Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *args: object) -> None: ...


def test_a_renewed_authority_is_trusted_without_a_restart(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    old, new = Certificates(tmp_path / "old"), Certificates(tmp_path / "new")
    file = Path(shutil.copy(old.ca_file, tmp_path / "ca.pem"))
    with Renewed(("127.0.0.1", 0), Answers) as server:
        server.context = old.server()
        threading.Thread(target=server.serve_forever, daemon=True).start()
        client = Client(create_forwarder(f"https://127.0.0.1:{server.server_port}", file))
        assert client.get("/graph").status_code == 200
        server.context = new.server()
        assert client.get("/graph").status_code == 502, "not trusted yet"
        file.write_text("half a certif")
        assert client.get("/graph").status_code == 502
        file.write_text(f"# Főtanúsítvány\n{new.ca_file.read_text()}", encoding="utf-8")
        assert client.get("/graph").status_code == 200
        file.write_text("")
        assert client.get("/graph").status_code == 200, "the last good one is trusted"
        file.unlink()
        assert client.get("/graph").status_code == 200
        server.shutdown()
    assert [record.message for record in caplog.records if record.name == "vistio_serve.forwarding"] == [
        "authority.kept",
        "authority.renewed",
        "authority.kept",
    ]


@pytest.mark.parametrize("content", [None, b"", b"\n", b"no certificate", b"\xff\xfe"])
def test_an_authority_that_is_none_is_refused_at_once(content: bytes | None, tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(UsageError, match="has no certificate in PEM"):
        create_forwarder("https://127.0.0.1", file)
