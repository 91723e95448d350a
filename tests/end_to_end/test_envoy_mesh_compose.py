"""examples/envoy-mesh/compose.yaml: what it says in containers runs here as processes, is broken and tells so."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from support import envoy as real_envoy
from support import prometheus as real_prometheus
from support.ports import free_port
from support.processes import RunProcess, wait_until

ROOT = Path(__file__).parents[2]
PLACE = ROOT / "examples" / "envoy-mesh"
PAGE = (ROOT / "docs" / "envoy-mesh.md").read_text()
SERVICES: dict[str, Any] = yaml.safe_load((PLACE / "compose.yaml").read_text())["services"]

pytestmark = [
    pytest.mark.skipif(not real_prometheus.installed(), reason=real_prometheus.WITHOUT_BINARY),
    pytest.mark.skipif(real_envoy.binary() is None, reason=real_envoy.WITHOUT_BINARY),
    pytest.mark.skipif(sys.platform != "linux", reason="the mesh ends its processes as only Linux can"),
    pytest.mark.timeout(600),
]


def here(command: list[str], place: Path, port: int) -> list[str]:
    """A container's command, with the places and the port of this machine."""
    moved = [
        part.replace("/mesh/mesh.py", str(PLACE / "mesh.py"))
        .replace("/vistio/mesh", str(place))
        .replace("0.0.0.0", "127.0.0.1")
        .replace("9091", str(port))
        for part in command
    ]
    return [sys.executable, *moved[1:]] if moved[0] == "python3" else moved


def test_the_commands_of_the_file_are_a_mesh_that_can_be_broken(
    run_process: RunProcess, tmp_path: Path
) -> None:
    assert set(SERVICES) == {"mesh", "server"}
    place, port = tmp_path / "mesh", free_port()
    mesh, server = (here(SERVICES[name]["command"], place, port) for name in ("mesh", "server"))
    started = run_process(*mesh)
    started.wait_for_line(r"envoy-mesh: ready", timeout_s=200)
    run_process(*server).wait_for_url(f"http://127.0.0.1:{port}/-/ready")
    wait_until(
        lambda: failing(port).get(("ratings", "store"), 1.0) == 0, what="a mesh that is well", timeout_s=90
    )

    [line] = re.findall(r"^docker compose --file \S+ exec mesh (.*)$", PAGE, re.MULTILINE)
    broken = run_process(*here(shlex.split(line), place, port))
    broken.wait(timeout_s=60)
    wait_until(
        lambda: failing(port).get(("reviews-v2", "ratings"), 0.0) > 0, what="what was broken", timeout_s=90
    )
    started.terminate(timeout_s=60)


def failing(port: int) -> dict[tuple[str, str], float]:
    """The failures of each edge of the mesh; nothing where there is no graph yet."""
    answer = requests.get(f"http://127.0.0.1:{port}/graph", timeout=30)
    if answer.status_code != 200:
        return {}
    return {
        (each["source"], each["target"]): each["metrics"]["danger"]
        for level in answer.json()["nodes"]
        for each in level.get("connections", ())
    }


def test_what_is_vistios_keeps_to_its_rights() -> None:
    for service in SERVICES.values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        for port in service.get("ports", ()):
            assert port.startswith("127.0.0.1:"), "on this machine alone, until somebody wants more"


def test_the_image_has_what_the_mesh_needs() -> None:
    text = (PLACE / "Dockerfile").read_text()
    for needed in ("/usr/local/bin/envoy", "/usr/local/bin/prometheus", "COPY *.py /mesh/"):
        assert needed in text
