"""A real Prometheus for a test: own port, own data directory, ended by PID.

It scrapes one target each second. `Prometheus.query` is what the tests compare vistio with.
"""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import requests

from support.ports import free_port
from support.processes import PATIENCE_S, RunningProcess, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

BINARY = "prometheus"
WITHOUT_BINARY = (
    "no `prometheus` on PATH: this test needs a real one;"
    " install Debian's package with `apt-get install prometheus` (.ci/run does)"
)

_CONFIGURATION = """\
global:
  scrape_interval: 1s
  scrape_timeout: 1s
scrape_configs:
  - job_name: exporter
    static_configs:
      - targets: ["{target}"]
"""


def installed() -> bool:
    return shutil.which(BINARY) is not None


class Prometheus:
    """One Prometheus server; `start`, `kill` and `start` again keep its port and its data."""

    def __init__(
        self, directory: Path, target: str, *, web_config: Path | None = None, **options: Any
    ) -> None:
        """Writes its configuration; starts nothing yet.

        Args:
            directory: where its files are.
            target: ``host:port`` of what it scrapes.
            web_config: its ``--web.config.file``; it speaks TLS then.
            options: what `requests` needs then to ask it, such as ``verify`` and ``auth``.
        """
        self._directory = directory
        self._web_config = web_config
        self._options = options
        self._configuration = directory / "prometheus.yml"
        self._configuration.write_text(_CONFIGURATION.format(target=target))
        self._port = free_port()
        self._process: RunningProcess | None = None

    @property
    def url(self) -> str:
        """Without a slash at its end, as a ``prometheusURL``."""
        return f"http{'s' if self._web_config else ''}://127.0.0.1:{self._port}"

    @property
    def process(self) -> RunningProcess:
        assert self._process is not None, "Prometheus was not started"
        return self._process

    def load(self, samples: str) -> None:
        """Put OpenMetrics text with time stamps into its database, before it is started."""
        text = self._directory / "samples.om"
        text.write_text(samples)
        command = ["promtool", "tsdb", "create-blocks-from", "openmetrics", text, self._directory / "data"]
        subprocess.run(command, check=True, capture_output=True, timeout=60)

    def start(self) -> None:
        """Returns when it answers queries."""
        self._process = RunningProcess(
            [
                shutil.which(BINARY) or BINARY,
                f"--config.file={self._configuration}",
                f"--storage.tsdb.path={self._directory / 'data'}",
                f"--web.listen-address=127.0.0.1:{self._port}",
                *([f"--web.config.file={self._web_config}"] if self._web_config else []),
            ]
        )
        self._process.wait_for_url(f"{self.url}/-/ready", **self._options)

    def kill(self) -> None:
        """Ends it as a crash does: from now on connections are refused."""
        self.process.kill()

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()

    def query(self, expression: str, *, time_ms: int | None = None) -> list[Mapping[str, Any]]:
        """The vector that Prometheus answers, as decoded JSON: ``[{"metric": {...}, "value": [t, "1.5"]}]``.

        Args:
            expression: PromQL with an instant vector as result.
            time_ms: the evaluation time; None: now.
        """
        parameters = {"query": expression}
        if time_ms is not None:
            parameters["time"] = f"{time_ms / 1000:.3f}"
        response = requests.get(f"{self.url}/api/v1/query", params=parameters, timeout=10, **self._options)
        answer = response.json()
        assert answer["status"] == "success", f"{expression}: {answer}"
        assert answer["data"]["resultType"] == "vector", f"{expression}: {answer}"
        result: list[Mapping[str, Any]] = answer["data"]["result"]
        return result

    def wait_for(
        self,
        expression: str,
        holds: Callable[[list[Mapping[str, Any]]], bool] = bool,
        *,
        timeout_s: float = PATIENCE_S,
    ) -> list[Mapping[str, Any]]:
        """The first answer to ``expression``, asked for now, that ``holds``; by default any will do."""
        answers: list[list[Mapping[str, Any]]] = []

        def answered() -> bool:
            answers.append(self.query(expression))
            return holds(answers[-1])

        wait_until(answered, what=f"Prometheus' answer to {expression}", timeout_s=timeout_s)
        return answers[-1]
