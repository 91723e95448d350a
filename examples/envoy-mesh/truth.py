"""What truly happened, counted apart from every proxy and every metric: by who asks, and by who answers.

Users and services note each request when it is over, a line of JSON in a file of their own::

    {"t_ms": 1795584000123, "side": "sent", "edge": "ratings>store", "status": 200, "ms": 2.1}

``sent`` is noted by who asked, with the status that it saw, ``received`` by the service that answered, with the one
that it gave. Status 0 is a request that got no answer. What was sent and never received, a proxy or the network has.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Side = Literal["sent", "received"]


class Notebook:
    """Where one process notes its requests; thread-safe."""

    def __init__(self, directory: Path, name: str) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._file = (directory / f"{name}.jsonl").open("a", buffering=1)
        self._lock = threading.Lock()

    def note(self, side: Side, edge: str, status: int, ms: float) -> None:
        """One request that is over now."""
        event = {
            "t_ms": time.time_ns() // 1_000_000,
            "side": side,
            "edge": edge,
            "status": status,
            "ms": round(ms, 3),
        }
        line = json.dumps(event) + "\n"
        with self._lock:
            self._file.write(line)


@dataclass
class Counted:
    """One side's requests of one edge in a window."""

    statuses: Counter[int] = field(default_factory=Counter)
    ms: float = 0.0
    """How long all of them took."""

    @property
    def count(self) -> int:
        return self.statuses.total()

    @property
    def mean_ms(self) -> float | None:
        return self.ms / self.count if self.count else None

    def as_json(self) -> dict[str, Any]:
        return {"count": self.count, "statuses": dict(sorted(self.statuses.items())), "mean_ms": self.mean_ms}


@dataclass
class EdgeTruth:
    """What both ends know of one edge in a window."""

    sent: Counted = field(default_factory=Counted)
    received: Counted = field(default_factory=Counted)

    def as_json(self) -> dict[str, Any]:
        return {"sent": self.sent.as_json(), "received": self.received.as_json()}


def count(directory: Path, start_ms: int, end_ms: int) -> dict[str, EdgeTruth]:
    """By edge (``caller>called``, sorted), what was over within ``[start_ms, end_ms)``."""
    edges: dict[str, EdgeTruth] = {}
    for event in _events(directory):
        if start_ms <= event["t_ms"] < end_ms:
            edge = edges.setdefault(event["edge"], EdgeTruth())
            counted = edge.sent if event["side"] == "sent" else edge.received
            counted.statuses[event["status"]] += 1
            counted.ms += event["ms"]
    return dict(sorted(edges.items()))


def table(edges: dict[str, EdgeTruth], seconds: float) -> str:
    """For people: requests a second as each end counted them, an edge a line."""
    rows: list[tuple[str, ...]] = [
        ("edge", "sent/s", "received/s", "statuses sent", "mean ms sent", "mean ms received")
    ]
    for name, edge in edges.items():
        statuses = " ".join(f"{status}:{number}" for status, number in sorted(edge.sent.statuses.items()))
        means = [
            f"{each:.1f}" if each is not None else "-" for each in (edge.sent.mean_ms, edge.received.mean_ms)
        ]
        rates = [f"{each.count / seconds:.2f}" for each in (edge.sent, edge.received)]
        rows.append((name.replace(">", " > "), *rates, statuses, *means))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def _events(directory: Path) -> Iterator[dict[str, Any]]:
    for file in sorted(directory.glob("*.jsonl")):
        with file.open() as lines:
            for line in lines:
                # The last line of a file may be half written.
                if line.endswith("\n"):
                    yield json.loads(line)
