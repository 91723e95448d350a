"""README and the pages about clusters and migration, walked through: each command runs, or says why not here."""

from __future__ import annotations

import json
import re
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from support import prometheus as real_prometheus
from support.ports import free_port
from support.processes import RunProcess, wait_until
from support.prometheus import Prometheus
from support.vistio_chunks import cluster, connection, graph, store
from support.walk import NOT_HERE, Walk, commands, why_not_here

from vistio_core.times import DAY_MS, format_instant, system_now_ms

ROOT = Path(__file__).parents[2]
README, CLUSTER, MIGRATION = (
    ROOT / name for name in ("README.md", "docs/kubernetes.md", "docs/migration.md")
)
SECOND_NS = 10**9

pytestmark = [
    pytest.mark.skipif(not real_prometheus.installed(), reason=real_prometheus.WITHOUT_BINARY),
    pytest.mark.timeout(900),  # twenty programs, one after the other
]

# A file as Vistio's users have it: a server at each rule, and none of our own keys.
VISTIO = """\
graphName: Vistio
globalLevel:
  maxVolume: 2000
  clusterConnections:
    - query: sum(rate(istio_requests_total{reporter="destination"}[5s])) by (response_code)
      prometheusURL: SERVER
      source: {replacement: INTERNET}
      target: {replacement: istio-mesh}
      status: {label: response_code, warningRegex: ^4..$, dangerRegex: ^5..$}
clusterLevel:
  - cluster: istio-mesh
    maxVolume: 3000
    serviceConnections:
      - query: >-
          sum(rate(istio_requests_total{reporter="destination"}[5s]))
          by (source_canonical_service, destination_canonical_service, response_code)
        prometheusURL: SERVER
        source: {label: source_canonical_service}
        target: {label: destination_canonical_service}
        status: {label: response_code, warningRegex: ^4..$, dangerRegex: ^5..$}
"""


@pytest.fixture
def prometheus(run_process: RunProcess, tmp_path: Path) -> Iterator[Prometheus]:
    """One that scrapes the made-up mesh of examples/deploy/compose."""
    port = free_port()
    mesh = ROOT / "examples" / "deploy" / "compose" / "mesh.py"
    run_process(sys.executable, mesh, "--host", "127.0.0.1", "--port", port)
    place = tmp_path / "prometheus"
    place.mkdir()
    server = Prometheus(place, f"127.0.0.1:{port}")
    server.start()
    question = 'sum(rate(istio_requests_total{reporter="destination"}[5s]))'
    asked = f"{server.url}/api/v1/query"
    wait_until(
        lambda: requests.get(asked, params={"query": question}, timeout=10).json()["data"]["result"] != [],
        what="rates in Prometheus",
    )
    yield server
    server.kill()


def test_each_command_of_the_page_about_clusters_says_what_holds_it_instead() -> None:
    found = list(commands(CLUSTER))
    assert len(found) > 8
    assert [command for command in found if why_not_here(command) is None] == []


def test_what_cannot_run_here_is_what_some_page_says() -> None:
    said = "\n".join(command for page in (README, CLUSTER, MIGRATION) for command in commands(page))
    assert [pattern for pattern in NOT_HERE if not re.search(pattern, said, re.MULTILINE)] == []


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl on PATH: README asks by it")
def test_the_readme(run_process: RunProcess, prometheus: Prometheus, tmp_path: Path) -> None:
    ports = {"9091": str(free_port())}
    fetched = "curl --fail --silent --show-error --max-time 120 "

    # The pages tell of a day that is longer ago each day, and a recorder keeps a week.
    yesterday = format_instant(system_now_ms() - DAY_MS)[:10]

    def adapt(command: str) -> str:
        command = command.replace("http://prometheus.istio-system:9090", prometheus.url)
        command = command.replace("2026-11-23", yesterday)
        return command.replace("127.0.0.1:9091", f"127.0.0.1:{ports['9091']}").replace("curl ", fetched, 1)

    walk = Walk(
        tmp_path, run_process, adapt, VISTIO_SERVE_PORT=ports["9091"], VISTIO_RECORD_RUN_PORT=str(free_port())
    )
    # Its questions are about hours in which a recorder has run.
    backfill = "vistio-record backfill --source simulator --recording recording/"
    for window in (
        "--interval 5m --start -130m --end -1m",
        f"--interval 10m --start {yesterday}T05:00:00Z --end {yesterday}T05:12:00Z",
    ):
        walk.type(f"{backfill} {window}")
    answers = {}
    for command in commands(README):
        if why_not_here(command) is not None:
            continue
        answers[command.split("  ")[0]] = walk.type(command)
        if command.startswith("vistio-serve"):
            walk.running["vistio-serve"].wait_for_url(f"http://127.0.0.1:{ports['9091']}/-/ready")
    assert len(answers) > 10, "README has a walk"
    graph_of_then = next(answer for command, answer in answers.items() if "at=2026-11-23" in command)
    assert json.loads(graph_of_then)["metadata"]["vistio"]["instant"] == f"{yesterday}T05:10:00Z"
    assert any("flowchart" in answer or "graph " in answer for answer in answers.values()), "Mermaid"
    assert (tmp_path / "report.html").stat().st_size > 10_000
    assert (tmp_path / "incident.vistio").stat().st_size > 10_000


def test_the_way_from_vistio(run_process: RunProcess, prometheus: Prometheus, tmp_path: Path) -> None:
    (tmp_path / "vistio.yaml").write_text(VISTIO.replace("SERVER", prometheus.url))
    ports = {port: str(free_port()) for port in ("9091", "9191")}
    stored = tmp_path / "stored-by-vistio"
    hour_ago_ns = (int(time.time()) - 3600) * SECOND_NS
    inside = [
        connection("istio-ingressgateway", "productpage", 40, 0, 2),
        connection("productpage", "details", 40),
    ]
    drawing = graph([cluster("istio-mesh", inside, 3000), cluster("INTERNET")],
                    [connection("INTERNET", "istio-mesh", 40, 0, 2)], 2000)  # fmt: skip
    drawings = {hour_ago_ns + n * 10 * SECOND_NS: drawing for n in range(4)}
    store(stored, drawings)

    def adapt(command: str) -> str:
        for port, ours in ports.items():
            command = command.replace(f"--port {port}", f"--port {ours}")
        return command.replace("import-vistio /vistio ", f"import-vistio {stored} ")

    walk = Walk(tmp_path, run_process, adapt, VISTIO_RECORD_RUN_PORT=str(free_port()))
    imported = []
    for command in commands(MIGRATION):
        if "import-vistio" in command:
            walk.stop("vistio-record run")  # as the page says
        told = walk.type(command)
        if " check " in command:
            assert "The graph would show" in told
        if "import-vistio" in command:
            imported.append(re.findall(r"(\d+) drawings imported, (\d+) were there", told)[0])
            drawings[hour_ago_ns + 50 * SECOND_NS] = drawing  # of its last minutes
            store(stored, drawings)
        if command.startswith("vistio-serve"):
            port = ports["9191" if "9191" in command else "9091"]
            url = f"http://127.0.0.1:{port}"
            walk.running["vistio-serve"].wait_for_url(f"{url}/-/ready")
            wait_until(
                lambda url=url: ("productpage", "reviews") in edges_at(f"{url}/graph"), what="the mesh of now"
            )
    assert imported == [("4", "0"), ("1", "4")]
    then = edges_at(f"{url}/graph?at={hour_ago_ns // SECOND_NS + 5}")
    assert then == {("istio-ingressgateway", "productpage"): 42.0, ("productpage", "details"): 40.0}


def edges_at(url: str) -> dict[tuple[str, str], float]:
    """What is inside of the mesh; nothing where there is no graph yet."""
    answer = requests.get(url, timeout=30)
    if answer.status_code != 200:
        return {}
    inside = [each for each in answer.json()["nodes"] if each["name"] == "istio-mesh"]
    return {
        (each["source"], each["target"]): sum(each["metrics"].values())
        for level in inside
        for each in level["connections"]
        if "synthetic" not in each["metadata"].get("vistio", {})
    }
