"""`examples/envoy-mesh` for a test: started as its user does, lived through in parts, and what was told of each."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

import attrs

import vistio_core as vistio
from support.processes import RunningProcess
from vistio_core.times import SECOND_MS, align, system_now_ms

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vistio_core.graph.model import Edge, Graph

MESH = Path(__file__).parents[2] / "examples" / "envoy-mesh" / "mesh.py"
INTERVAL_S, WINDOW_S = 2, 6
# No rate looks back any more to the time before a change: its window, a scrape, and what was under way.
_SETTLE_S = WINDOW_S + 2
_MEASURE_S = 6
# Until an instant is recorded.
_DELAY_S = 4

Rates = tuple[float, float, float]
"""Normal, warning, danger."""


@attrs.frozen
class TrueEdge:
    """What both ends of an edge counted themselves, in requests per second."""

    sent: Rates
    """By the status that who asked was given; no answer at all is danger."""
    received_rps: float

    @property
    def lost_rps(self) -> float:
        """What no service has received: it may have got as far as the service's Envoy."""
        return sum(self.sent) - self.received_rps


@attrs.frozen
class Shown:
    """An edge over some graphs: means, of measurements over those graphs that have them."""

    rates: Rates
    told_by: frozenset[str]
    measurements: Mapping[str, float]

    @classmethod
    def of(cls, edges: Sequence[Edge], graphs: int) -> Shown:
        rates = [
            sum(each) / graphs for each in zip(*(attrs.astuple(edge.rates) for edge in edges), strict=True)
        ]
        measured: defaultdict[str, list[float]] = defaultdict(list)
        for edge in edges:
            for name, value in edge.measurements.items():
                measured[name].append(value)
        told_by = frozenset(edge.told_by for edge in edges)
        return cls(
            (rates[0], rates[1], rates[2]), told_by, {name: fmean(all_) for name, all_ in measured.items()}
        )


@attrs.frozen
class Part:
    """A part of the mesh's life in which nothing changed. Edges are called ``caller>called``."""

    truth: Mapping[str, TrueEdge]
    shown: Mapping[str, Shown]
    """Edges of the mesh, and INTERNET>mesh of the global level; those that had any request."""
    nodes: frozenset[str]


class EnvoyMesh:
    """A running mesh in a directory."""

    def __init__(self, directory: Path, *options: object, orphan: bool = False) -> None:
        """Starts it; it may not be ready yet.

        Args:
            directory: where all of it is.
            options: of ``up``.
            orphan: `process` is a shell that has started it, and can die alone.
        """
        self.directory = directory
        command = [sys.executable, str(MESH), "up", "--directory", str(directory), *map(str, options)]
        self.process = RunningProcess(["sh", "-c", '"$@" & wait', "sh", *command] if orphan else command)

    def ask(self, *arguments: object) -> str:
        """What ``mesh.py ARGUMENTS`` prints; it must succeed."""
        command = [sys.executable, str(MESH), *map(str, arguments), "--directory", str(self.directory)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}\n{self.process.log}"
        return done.stdout

    def live(self) -> tuple[int, int]:
        """From when to when it lived, in milliseconds, with nothing of what was before in any rate."""
        time.sleep(_SETTLE_S)
        start_ms = system_now_ms()
        time.sleep(_MEASURE_S)
        return start_ms, system_now_ms()

    def part(self, start_ms: int, end_ms: int) -> Part:
        """What happened then, and what all graphs of that time say."""
        interval_ms = INTERVAL_S * SECOND_MS
        first_ms = align(start_ms, interval_ms) + interval_ms
        instants = range(first_ms, end_ms + 1, interval_ms)
        recording = vistio.Recording.open(self.directory / "recording")
        graphs = [recording.graph(at=instant_ms) for instant_ms in instants]
        assert [graph.instant_ms for graph in graphs] == list(instants), "every instant is recorded"
        assert not any(graph.failed_rules for graph in graphs)
        return Part(
            self._truth(first_ms - WINDOW_S * SECOND_MS, instants[-1]),
            _shown(graphs),
            frozenset(node.name for graph in graphs for node in graph.region("mesh").nodes),
        )

    def _truth(self, start_ms: int, end_ms: int) -> dict[str, TrueEdge]:
        counted: dict[str, Any] = json.loads(
            self.ask("truth", "--start", start_ms, "--end", end_ms, "--json")
        )
        seconds = (end_ms - start_ms) / SECOND_MS
        return {name: _true_edge(both, seconds) for name, both in counted.items()}

    def processes(self) -> set[int]:
        """The PIDs of all that runs for it: its directory is in the command."""
        found = set()
        for file in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                command = file.read_bytes().split(b"\0")
            except OSError:
                continue  # ended meanwhile
            if any(str(self.directory).encode() in argument for argument in command):
                found.add(int(file.parent.name))
        return found


def wait_until_recorded() -> None:
    """Until the instants before now are in the recording."""
    time.sleep(_DELAY_S)


def _true_edge(both: Mapping[str, Any], seconds: float) -> TrueEdge:
    sent = dict.fromkeys("245", 0)
    for status, number in both["sent"]["statuses"].items():
        sent["5" if status == "0" else status[0]] += number
    normal, warning, danger = (number / seconds for number in sent.values())
    return TrueEdge((normal, warning, danger), both["received"]["count"] / seconds)


def _shown(graphs: Sequence[Graph]) -> dict[str, Shown]:
    edges: defaultdict[str, list[Edge]] = defaultdict(list)
    for graph in graphs:
        for edge in (*graph.edges, *graph.region("mesh").edges):
            edges[f"{edge.source}>{edge.target}"].append(edge)
    shown = {name: Shown.of(own, len(graphs)) for name, own in edges.items()}
    return {name: edge for name, edge in shown.items() if any(edge.rates)}
