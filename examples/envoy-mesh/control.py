"""How one command reaches the mesh that another one runs: a lock that names its holder, and a file of orders."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from faults import Fault, Orders

from vistio_core.errors import VistioError
from vistio_core.times import system_now_ms

_LOCK, _ORDERS, _CARRIED_OUT = "mesh.pid", "orders.json", "faults.jsonl"
_PATIENCE_S = 30.0
_POLL_S = 0.05


class MeshError(VistioError):
    """Why the mesh, or a command about it, cannot go on."""


class Lock:
    """Held as long as a mesh runs in the directory; the file has the PID of who holds it."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._file = directory / _LOCK

    @contextmanager
    def held(self) -> Iterator[None]:
        """Holds it meanwhile; MeshError when another mesh does."""
        self._directory.mkdir(parents=True, exist_ok=True)
        with self._file.open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise MeshError(
                    f"{self._directory} has a mesh already, of process {self.holder()};"
                    " end it with `down`, or take another --directory"
                ) from None
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            yield

    def holder(self) -> int | None:
        """The PID of the running mesh; None when there is none."""
        try:
            with self._file.open() as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                except OSError:
                    return int(file.read() or 0) or None
        except FileNotFoundError:
            pass
        return None

    def end_holder(self) -> None:
        """Ends the running mesh, and returns when it has ended."""
        pid = self.holder()
        if pid is None:
            raise MeshError(f"no mesh runs in {self._directory}")
        os.kill(pid, signal.SIGTERM)
        _wait_until(lambda: self.holder() is None, f"the mesh of process {pid} to end")


class Desk:
    """Where orders for the mesh of a directory are laid down, and where it notes when it has carried them out."""

    def __init__(self, directory: Path) -> None:
        self._orders = directory / _ORDERS
        self._carried_out = directory / _CARRIED_OUT

    def orders(self) -> Orders:
        """What is to be broken."""
        known = json.loads(self._orders.read_text())
        return Orders(known["number"], tuple(Fault(**fault) for fault in known["faults"]))

    def lay_down(self, orders: Orders) -> None:
        """New orders, visible whole and at once."""
        draft = self._orders.with_suffix(".draft")
        draft.write_text(json.dumps(asdict(orders)))
        os.replace(draft, self._orders)

    def carried_out(self, orders: Orders) -> None:
        """Notes that from now on they hold."""
        with self._carried_out.open("a") as file:
            file.write(json.dumps({"t_ms": system_now_ms(), **asdict(orders)}) + "\n")

    def since_ms(self, number: int) -> int | None:
        """Since when the orders of this number hold; None: not yet."""
        last = json.loads(self._carried_out.read_text().splitlines()[-1])
        return int(last["t_ms"]) if last["number"] == number else None


def give_orders(directory: Path, change: Callable[[Orders], Orders]) -> int:
    """Changes what is broken in the running mesh; since when that holds, as epoch milliseconds."""
    if Lock(directory).holder() is None:
        raise MeshError(f"no mesh runs in {directory}; start it with `up`, or name its --directory")
    desk = Desk(directory)
    orders = change(desk.orders())
    desk.lay_down(orders)
    since_ms: list[int] = []

    def done() -> bool:
        since_ms.extend(filter(None, [desk.since_ms(orders.number)]))
        return bool(since_ms)

    _wait_until(done, "the mesh to carry it out")
    return since_ms[0]


def _wait_until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not holds():
        if time.monotonic() > deadline:
            raise MeshError(f"waited {_PATIENCE_S:g} s in vain for {what}")
        time.sleep(_POLL_S)
