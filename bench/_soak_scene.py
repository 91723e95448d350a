"""What `soak.py` breaks: a mesh, its Prometheus, a recorder on a small disk, and each fault.

Everything is real: the processes get real signals, the disk is a real tmpfs behind a real mount,
the network is a real TCP connection. They are the tests' own (`tests/support`).
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import attrs

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from support.cable import Cable
from support.disks import Disk
from support.exporter import Exporter
from support.ports import free_port
from support.processes import RunningProcess, console_script, wait_until
from support.prometheus import Prometheus
from support.recorders import answered, committed

from vistio_core.times import system_now_ms

INTERVAL_MS = 1_000
QUERY = "sum by (source, target, code) (rate(requests_total[5s]))"

CONFIGURATION = """\
graphName: Soak
globalLevel:
  clusterConnections:
    - name: ingress
      query: sum(rate(requests_total{{code="200"}}[5s]))
      prometheusURL: {url}
      source: {{replacement: INTERNET}}
      target: {{replacement: mesh}}
clusterLevel:
  - cluster: mesh
    serviceConnections:
      - name: http
        query: {query}
        prometheusURL: {url}
        source: {{label: source}}
        target: {{label: target}}
        status: {{label: code, warningRegex: ^4..$, dangerRegex: ^5..$}}
"""


@attrs.define
class Scene:
    """Everything that runs. `start` it, break it with `faults`, `stop` it."""

    folder: Path
    edges: int
    disk: Disk
    exporter: Exporter
    prometheus: Prometheus
    cable: Cable
    recorder: RunningProcess | None = None
    down_ms: list[tuple[int, int]] = attrs.field(factory=list)
    """Spans of time without a recorder process, until its first commit."""
    logs: list[str] = attrs.field(factory=list)
    """What ended recorders wrote."""
    memory: dict[int, list[tuple[float, float]]] = attrs.field(factory=dict)
    """Seconds and resident MB of each recorder, by PID."""
    _over: threading.Event = attrs.field(factory=threading.Event)

    @classmethod
    def make(cls, folder: Path, edges: int, disk_bytes: int) -> Scene:
        exporter = Exporter()
        for number in range(edges):
            code = "500" if number % 50 == 0 else "200"
            labels = {"source": f"service-{number % 97}", "target": f"service-{number}", "code": code}
            exporter.counter("requests_total", labels, rate_rps=1.0 + number % 31)
        (folder / "prometheus").mkdir()
        prometheus = Prometheus(folder / "prometheus", exporter.address)
        host, port = prometheus.url.removeprefix("http://").split(":")
        return cls(
            folder, edges, Disk(folder / "mounts", disk_bytes), exporter, prometheus, Cable((host, int(port)))
        )

    @property
    def place(self) -> Path:
        return self.disk.path / "recording"

    def start(self) -> None:
        """Returns when the first scrape with all edges is committed."""
        self.exporter.__enter__()
        self.prometheus.start()
        self.prometheus.wait_for(QUERY, lambda answer: len(answer) == self.edges)
        self.cable.put_in()
        text = CONFIGURATION.format(url=self.cable.url, query=QUERY)
        (self.folder / "vistio.yaml").write_text(text)
        self.start_recorder()
        self.wait_until_well()
        threading.Thread(target=self._sample_memory, daemon=True).start()

    def start_recorder(self) -> None:
        command = [
            console_script("vistio-record"), "run", "--config", str(self.folder / "vistio.yaml"),
            "--recording", str(self.place), "--interval", "1s", "--timeout", "900ms",
            "--port", str(free_port()), *(("--heal", "24h") if self.heals else ()),
        ]  # fmt: skip
        self.recorder = RunningProcess(command)

    @property
    def heals(self) -> bool:
        """Whether this vistio fills gaps by itself."""
        help_text = RunningProcess([console_script("vistio-record"), "run", "--help"]).wait()
        return "--heal" in help_text

    def kill_recorder(self) -> None:
        assert self.recorder is not None
        killed_ms = system_now_ms()
        os.kill(self.recorder.pid, signal.SIGKILL)
        self.recorder.wait(exit_code=-signal.SIGKILL)
        self.logs.append(self.recorder.log)
        self.start_recorder()
        recorder = self.recorder
        wait_until(lambda: bool(committed(recorder.log)), what="the restarted recorder's first commit")
        self.down_ms.append((killed_ms, system_now_ms()))

    def wait_until_well(self) -> None:
        """Until an instant from now on is answered in full."""
        now_ms, recorder = system_now_ms(), self.recorder
        assert recorder is not None
        wait_until(
            lambda: max(answered(recorder.log), default=0) >= now_ms,
            what=f"a scrape in which every rule was answered; the log:\n{recorder.log[-3000:]}",
            timeout_s=60,
        )

    def stop(self) -> str:
        """Ends the recorder as an operator does; the log of all of them."""
        assert self.recorder is not None
        self._over.set()
        self.logs.append(self.recorder.terminate())
        return "".join(self.logs)

    def close(self) -> None:
        """Ends everything that still runs."""
        self._over.set()
        if self.recorder is not None:
            self.recorder.kill()
        self.cable.pull_out()
        self.prometheus.close()
        self.exporter.__exit__(None, None, None)
        self.disk.close()

    def _sample_memory(self) -> None:
        while not self._over.wait(1.0):
            recorder = self.recorder
            if recorder is None or not recorder.running:
                continue
            try:
                status = Path(f"/proc/{recorder.pid}/status").read_text()
            except OSError:
                continue
            resident = [line for line in status.splitlines() if line.startswith("VmRSS:")]
            if resident:
                megabytes = int(resident[0].split()[1]) / 1024
                self.memory.setdefault(recorder.pid, []).append((time.monotonic(), megabytes))


@attrs.frozen
class Fault:
    """Something that breaks, and how it is mended; in between time passes."""

    name: str
    promise: str
    break_it: Callable[[Scene], None]
    mend_it: Callable[[Scene], None]


def _nothing(scene: Scene) -> None:
    """Mended already."""


FAULTS = (
    Fault(
        "Prometheus killed",
        "not seen, with its reason; never an empty mesh",
        lambda scene: scene.prometheus.kill(),
        lambda scene: scene.prometheus.start(),
    ),
    Fault(
        "Prometheus frozen",
        "a scrape costs its timeout, no more; healed afterwards",
        lambda scene: scene.prometheus.process.freeze(),
        lambda scene: scene.prometheus.process.thaw(),
    ),
    Fault(
        "network cut",
        "not seen, with its reason; healed afterwards",
        lambda scene: scene.cable.pull_out(),
        lambda scene: scene.cable.put_in(),
    ),
    Fault(
        "recorder killed (SIGKILL)",
        "nothing acknowledged is lost, nothing torn, the lock is taken over",
        lambda scene: scene.kill_recorder(),
        _nothing,
    ),
    Fault(
        "disk full",
        "recording goes on by itself when there is room; the reason is recorded",
        lambda scene: (scene.disk.fill(), None)[1],
        lambda scene: scene.disk.make_room(),
    ),
    Fault(
        "disk read-only",
        "recording goes on by itself when it is writable; the reason is recorded",
        lambda scene: scene.disk.become_read_only(),
        lambda scene: scene.disk.become_writable(),
    ),
    Fault(
        "mount vanished",
        "the empty mount point is never written to; recording goes on by itself",
        lambda scene: scene.disk.vanish(),
        lambda scene: scene.disk.come_back(),
    ),
)
KILLS = FAULTS[3]
