"""A real VictoriaMetrics for a test: own port, own data directory, ended by PID."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import requests

from support.ports import free_port
from support.processes import RunningProcess

if TYPE_CHECKING:
    from pathlib import Path

BINARY = "victoria-metrics"
WITHOUT_BINARY = (
    "no `victoria-metrics` on PATH: this test needs a real one;"
    " install Debian's package with `apt-get install victoria-metrics` (.ci/run does)"
)
PATH_PREFIX = "/select/0/prometheus"
"""As the cluster version has it for tenant 0."""


def installed() -> bool:
    return shutil.which(BINARY) is not None


class VictoriaMetrics:
    """One server of the single-node version; it has what `push` gave it."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._port = free_port()
        self._process: RunningProcess | None = None

    @property
    def url(self) -> str:
        """Without a slash at its end, as a ``prometheusURL``."""
        return f"http://127.0.0.1:{self._port}{PATH_PREFIX}"

    def start(self) -> None:
        """Returns when it answers queries."""
        self._process = RunningProcess(
            [
                shutil.which(BINARY) or BINARY,
                f"-storageDataPath={self._directory / 'data'}",
                f"-httpListenAddr=127.0.0.1:{self._port}",
                f"-http.pathPrefix={PATH_PREFIX}",
                "-memory.allowedBytes=128MB",
            ]
        )
        self._process.wait_for_url(f"{self.url}/health")

    def push(self, samples: str) -> None:
        """Store samples in Prometheus' text format, each line with its time stamp in milliseconds."""
        requests.post(f"{self.url}/api/v1/import/prometheus", data=samples, timeout=10).raise_for_status()
        # What was pushed is shown a second later, or at once after this.
        requests.get(f"{self.url}/internal/force_flush", timeout=10).raise_for_status()

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
