"""The mesh as processes: starts them, breaks and heals them as it is told, and ends them all, whatever happens.

All in one thread: `Process` asks for it.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import faults
import loopback
import programs
import proxies
from control import Desk, MeshError
from faults import Orders
from plan import CALLS, Plan, make_plan
from processes import Process, end_all

from vistio_core.times import system_now_ms

_HERE = Path(__file__).parent
_START_S, _END_S = 90.0, 8.0
_POLL_S = 0.1
_STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Options:
    """What one can choose."""

    rate_rps: float
    ceiling: int
    lifetime_s: float
    interval_ms: int
    window: str
    mesh_only: bool
    """Without a recorder and a server of the recording."""


class Mesh:
    """The running mesh in a directory; `run` it."""

    def __init__(self, directory: Path, options: Options) -> None:
        self._directory = directory
        self._options = options
        self._plan = make_plan()
        self._desk = Desk(directory)
        # Numbers go on from one mesh of a directory to the next.
        self._orders = Orders(number=system_now_ms())
        self._python: dict[str, Process] = {}
        """Services by name, and ``network``."""
        self._envoys: dict[str, Process] = {}
        self._others: list[Process] = []
        self._parent = os.getppid()
        self._deadline = time.monotonic() + options.lifetime_s

    def run(self, on_ready: Callable[[Plan], None]) -> str:
        """Starts everything, calls back, and returns why it ended: a signal, or its time. MeshError when it had to."""
        for number in _STOPS:
            signal.signal(number, signal.default_int_handler)
        try:
            self._start()
            on_ready(self._plan)
            while time.monotonic() < self._deadline:
                self._look_after()
                self._carry_out(self._desk.orders())
                time.sleep(_POLL_S)
        except KeyboardInterrupt:
            return "as it was told"
        else:
            return "as its time is over"
        finally:
            # The end is bounded in time, so nobody has to ask twice.
            for number in _STOPS:
                signal.signal(number, signal.SIG_IGN)
            # Users first: requests that fail since all ends are none of the truth.
            end_all(self._others, _END_S)
            end_all([*self._envoys.values(), *self._python.values()], _END_S)

    def _start(self) -> None:
        directory, plan = self._directory, self._plan
        for each in ("logs", "envoys"):
            (directory / each).mkdir(parents=True, exist_ok=True)
        plan.save(directory / "plan.json")
        self._desk.lay_down(self._orders)
        for name in CALLS:
            self._python[name] = self._process(name, sys.executable, _HERE / "service.py", directory, name)
        self._python["network"] = self._process("network", sys.executable, _HERE / "network.py", directory)
        for name in plan.proxies:
            (directory / "envoys" / f"{name}.json").write_text(json.dumps(proxies.configuration(plan, name)))
            self._envoys[name] = self._start_envoy(name)
        for name, port in plan.services.items():
            self._wait(self._python[name], partial(loopback.listens, port))
        for name in self._envoys:
            self._wait_for_envoy(name)
        self._watch()
        rate, ceiling = self._options.rate_rps, self._options.ceiling
        self._others.insert(
            0, self._process("users", sys.executable, _HERE / "users.py", directory, rate, ceiling)
        )
        self._desk.carried_out(self._orders)

    def _watch(self) -> None:
        """Starts what looks at the mesh: Prometheus, the recorder, the server of the recording."""
        directory, plan = self._directory, self._plan
        (directory / "prometheus.json").write_text(json.dumps(programs.prometheus_configuration(plan)))
        prometheus = self._process("prometheus", *programs.prometheus(directory, plan))
        self._others.append(prometheus)
        self._wait(prometheus, lambda: programs.scraped(plan.prometheus) == len(self._envoys))
        if self._options.mesh_only:
            return
        (directory / "vistio.yaml").write_text(programs.vistio_configuration(self._options.window))
        commands = {
            plan.recorder: programs.recorder(directory, plan, self._options.interval_ms),
            plan.server: programs.server(directory, plan),
        }
        for port, command in commands.items():
            process = self._process(Path(command[0]).name, *command)
            self._others.append(process)
            self._wait(process, partial(loopback.is_ready, port, "/-/ready"))

    def _look_after(self) -> None:
        """MeshError when something has ended that should not have."""
        if os.getppid() != self._parent:
            raise MeshError("who started it has gone")
        for process in (*self._python.values(), *self._envoys.values(), *self._others):
            if not process.running:
                raise MeshError(f"{process.name} has ended; {process.last_lines()}")

    def _carry_out(self, orders: Orders) -> None:
        if orders.number == self._orders.number:
            return
        self._orders = orders
        dead = faults.killed(orders.faults)
        for name in dead & self._envoys.keys():
            envoy = self._envoys.pop(name)
            envoy.end(signal.SIGKILL)
            envoy.wait(_END_S)
        for name in self._plan.proxies.keys() - dead - self._envoys.keys():
            self._envoys[name] = self._start_envoy(name)
            self._wait_for_envoy(name)
        for name in CALLS.keys() - dead:
            values = faults.runtime_of(orders.faults, name)
            loopback.post(self._plan.proxies[name].admin, "/runtime_modify", values)
        for name in CALLS:
            self._python[name].tell(faults.cpu_of(orders.faults, name))
        self._python["network"].tell(faults.network_of(orders.faults))
        self._desk.carried_out(orders)

    def _process(self, name: str, *command: object) -> Process:
        return Process(name, list(map(str, command)), self._directory / "logs" / f"{name}.log")

    def _start_envoy(self, name: str) -> Process:
        return self._process(f"envoy-{name}", *programs.envoy(self._directory / "envoys" / f"{name}.json"))

    def _wait_for_envoy(self, name: str) -> None:
        admin = self._plan.proxies[name].admin
        self._wait(self._envoys[name], partial(loopback.is_ready, admin, "/ready"))

    def _wait(self, process: Process, ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _START_S
        while not ready():
            self._look_after()
            if time.monotonic() > deadline:
                raise MeshError(f"{process.name} is not ready after {_START_S:g} s; {process.last_lines()}")
            time.sleep(_POLL_S)
