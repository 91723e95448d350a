"""``vistio-serve web``: what another vistio-serve answers, on a port of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests
from click.testing import CliRunner
from support.ports import free_port
from support.processes import RunningProcess, RunProcess
from support.scrapes import INTERVAL_MS, edges, mesh, scrape

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
