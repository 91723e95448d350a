"""examples/deploy/compose: what its file says runs here as processes, and shows the mesh; so do the page's commands."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from support import prometheus as real_prometheus
from support.ports import free_port
from support.processes import RunningProcess, RunProcess, console_script, wait_until

ROOT = Path(__file__).parents[2]
PLACE = ROOT / "examples" / "deploy" / "compose"
PAGE = (ROOT / "docs" / "compose.md").read_text()
SERVICES: dict[str, Any] = yaml.safe_load((PLACE / "compose.yaml").read_text())["services"]
PORTS = ("8080", "9090", "9091", "9092", "9100")
# What the containers have of their own, beside what is mounted into them.
IMAGES = {"vistio": "", "prom/prometheus": "prometheus"}

pytestmark = pytest.mark.skipif(not real_prometheus.installed(), reason=real_prometheus.WITHOUT_BINARY)


class OneMachine:
    """Where services are processes: names are loopback, ports are free ones, volumes are directories."""

    def __init__(self, directory: Path) -> None:
        self.ports = {port: str(free_port()) for port in PORTS}
        self._directory = directory

    def text(self, text: str) -> str:
        """The text with names and ports of this machine."""
        for service in SERVICES:
            text = text.replace(f"{service}:", "127.0.0.1:") if re.search(rf"\b{service}:\d", text) else text
        return self.with_ports(text.replace("0.0.0.0", "127.0.0.1"))

    def with_ports(self, text: str) -> str:
        for port, ours in self.ports.items():
            text = re.sub(rf"\b{port}\b", ours, text)
        # Rates look back a minute: the mesh of a test is not that old.
        return text.replace("[1m]", "[5s]").replace("_interval: 5s", "_interval: 1s").replace("=5s", "=1s")

    def mounted(self, service: dict[str, Any]) -> dict[str, str]:
        """Each path inside of the container, and where that is here."""
        found = {}
        for volume in service["volumes"]:
            here, there = volume.split(":")[:2]
            place = self._directory / there.strip("/").replace("/", "-")
            if not here.startswith("."):
                place = self._directory / f"volume-{here}"
                place.mkdir(exist_ok=True)
            elif (PLACE / here).is_dir():
                shutil.copytree(PLACE / here, place)
                self._adapt(place.glob("*.yaml"))
            else:
                shutil.copy(PLACE / here, place)
                self._adapt([place])
            found[there] = str(place)
        return found

    def _adapt(self, files: Any) -> None:
        for file in files:
            if file.suffix != ".py":
                file.write_text(self.text(file.read_text()))

    def command(self, service: dict[str, Any]) -> list[str]:
        """What the container would run, here."""
        (program,) = (own for image, own in IMAGES.items() if image in service["image"])
        parts = [self.text(part) for part in ([program] if program else []) + service["command"]]
        for there, here in self.mounted(service).items():
            parts = [re.sub(rf"(^|=){there}(?=/|$)", rf"\g<1>{here}", part) for part in parts]
        found = {"python3": sys.executable, "prometheus": shutil.which("prometheus")}
        return [str(found.get(parts[0]) or console_script(parts[0])), *parts[1:]]


def check_picture(server: RunningProcess, port: str) -> None:
    """The made-up mesh at its rates, at both levels."""
    server.wait_for_url(f"http://127.0.0.1:{port}/-/ready")

    def drawn() -> dict[tuple[str, str], float]:
        answer = requests.get(f"http://127.0.0.1:{port}/graph", timeout=10)
        if answer.status_code != 200:
            return {}
        graph = answer.json()
        return {
            (each["source"], each["target"]): sum(each["metrics"].values())
            for level in (graph, *graph["nodes"])
            for each in level.get("connections", ())
        }

    wait_until(
        lambda: drawn().get(("productpage", "details"), 0) == pytest.approx(40, rel=0.2),
        what="a rate of the mesh",
    )
    edges = drawn()
    assert edges[("reviews", "ratings")] == pytest.approx(25, rel=0.25)
    assert edges[("Total Mesh Requests", "istio-mesh")] == pytest.approx(143, rel=0.25)


def test_the_services_of_the_file_show_the_mesh(run_process: RunProcess, tmp_path: Path) -> None:
    machine = OneMachine(tmp_path)
    assert set(SERVICES) == {"mesh", "prometheus", "recorder", "server"}
    started = {}
    for name, service in SERVICES.items():
        program, *arguments = machine.command(service)
        started[name] = run_process(program, *arguments)
    check_picture(started["server"], machine.ports["9091"])


def test_what_is_vistios_keeps_to_its_rights() -> None:
    for name, service in SERVICES.items():
        if name != "prometheus":
            assert service["read_only"] is True
            assert service["cap_drop"] == ["ALL"]
            assert service["tmpfs"] == ["/tmp"]
        for port in service.get("ports", ()):
            assert port.startswith("127.0.0.1:"), "on this machine alone, until somebody wants more"


def test_the_commands_without_containers_are_those_of_the_file() -> None:
    """The page's lines, and the file's, say the same but for places."""
    block = re.search(r"<!-- compose-without-containers -->\n```sh\n(.*?)```", PAGE, re.DOTALL)
    assert block is not None
    lines = block[1].splitlines()
    assert len(lines) == len(SERVICES)
    for line, service in zip(lines, SERVICES.values(), strict=True):
        of_file = {part.split("=")[0] for part in service["command"] if part.startswith("--")}
        of_page = set(re.findall(r"--[a-z.-]+", line.split("&&")[-1]))
        assert of_page - of_file <= {"--host"}
        # What a container must be told, and a laptop has as its default.
        assert of_file - of_page <= {"--host", "--port"}


def test_the_commands_without_containers_show_the_mesh(run_process: RunProcess, tmp_path: Path) -> None:
    block = re.search(r"<!-- compose-without-containers -->\n```sh\n(.*?)```", PAGE, re.DOTALL)
    assert block is not None
    machine = OneMachine(tmp_path)
    rules = (ROOT / "examples/deploy/kubernetes/mesh-only/vistio.yaml").read_text()
    (tmp_path / "vistio.yaml").write_text(machine.with_ports(rules))
    scrapes = (PLACE / "prometheus.yml").read_text()
    (tmp_path / "prometheus.yml").write_text(machine.with_ports(scrapes))
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    for line in block[1].splitlines():
        for there, here in (
            ("examples/deploy/kubernetes/mesh-only", str(tmp_path)),
            ("examples/deploy/compose/prometheus.yml", str(tmp_path / "prometheus.yml")),
            ("examples/deploy/compose", str(PLACE)),
            ("/tmp/prometheus", str(tmp_path / "here")),
            ("=recording", f"={tmp_path / 'recording'}"),
        ):
            line = line.replace(there, here)
        if line.startswith("vistio"):
            line += f" --port={9092 if 'record run' in line else 9091}"
        line = machine.with_ports(line)
        # The last command is the one that stays: the shell becomes it, so that it ends with its process.
        *before, last = line.split(" && ")
        server = run_process("/bin/sh", "-c", " && ".join([*before, f"exec {last}"]), PATH=path)
    check_picture(server, machine.ports["9091"])
