"""Rendered graphs, kept ready: one rebuild for everyone who asks for the same instant.

Vistio's UI asks for the newest graph every second, in every open tab. Live questions are whole
seconds (`parameters.asked`), so all of them share a key for a second; whoever comes first rebuilds, the
others wait for that one. What is history stays until it is the least used.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import attrs

from vistio_core import Recording, frontends
from vistio_core.graph.model import Graph
from vistio_core.graph.topology import Topology
from vistio_core.recording.recording import JudgedBy
from vistio_core.replay.settled import instant_is_settled, window_is_settled
from vistio_core.times import MINUTE_MS, format_instant
from vistio_serve.admission import Admission
from vistio_serve.bodies import Body, body_of
from vistio_serve.costs import Costs
from vistio_serve.memory import Memory
from vistio_serve.metrics import ServerMetrics
from vistio_serve.parameters import Asked
from vistio_serve.shared import Shared

# The staleness: what is asked about an older moment changes by backfilling only.
RECENT_MS = 5 * MINUTE_MS
LIVE_TTL_S = 1.0
VERSION_AGE_S = 0.02
"""How long it may take until a commit is seen; a listing of the head so often costs nothing."""
# Not for ever: a second writer may backfill an instant that was answered before.
SETTLED_TTL_S = 300.0
_EDGE_BYTES = 200


@attrs.frozen
class Question:
    """What makes one rendered graph differ from another."""

    asked: Asked
    judge: JudgedBy
    format: str
    options: tuple[tuple[str, str], ...] = ()
    """Of the format, sorted by name."""
    stable: tuple[int, int, bool] | None = None
    """A window, and whether it is absolute: everything of it is there, whenever it was."""


@attrs.frozen
class Rendered:
    """A graph in some format, and what HTTP wants to know of it."""

    body: Body
    content_type: str
    instant_ms: int
    settled: bool
    """True when no later commit of this recording's writer can change it."""


class Renderer:
    """Answers questions about graphs from a recording, through the cache."""

    def __init__(
        self,
        recording: Callable[[], Recording],
        now_ms: Callable[[], int],
        metrics: ServerMetrics,
        memory: Memory,
        admission: Admission,
        costs: Costs,
    ) -> None:
        self._recording = recording
        self._now_ms = now_ms
        self._metrics = metrics
        self._admission = admission
        self._costs = costs
        self._shared: Shared[Rendered] = Shared(memory.graphs_bytes)
        self._version = -1.0, 0
        self._unions: Shared[Topology] = Shared(memory.unions_bytes)
        self.kept: tuple[Shared[Any], ...] = self._unions, self._shared
        """What is kept ready."""
        self._frontend = lru_cache(maxsize=64)(frontends.get)

    def options(self, format: str) -> tuple[str, ...]:
        """Names of the options that a format understands."""
        return self._frontend(format).options

    def version(self) -> int:
        """What changes with each commit, as it was `VERSION_AGE_S` ago or later; 0 where there is no recording."""
        now_s = time.monotonic()
        seen_s, version = self._version
        if now_s - seen_s >= VERSION_AGE_S:
            try:
                version = self._recording().version()
            except Exception:  # also what a recording that comes later raises
                version = 0  # whoever reads is told why
            self._version = now_s, version
        return version

    def render(self, question: Question) -> Rendered:
        """The graph that was asked for, rendered.

        Raises:
            NothingRecordedError: nothing there.
            RecordingError: the recording cannot be read.
        """
        # A commit can change what was asked a moment ago, and must not wait for it to be forgotten.
        recent = question.asked.instant_ms + RECENT_MS > self._now_ms()
        key = question, self.version() if recent else 0
        rendered, how = self._shared.get(key, lambda: self._make(question), self._admission.sharing)
        self._metrics.graph(how)
        return rendered

    def _make(self, question: Question) -> tuple[Rendered, float, int]:
        frontend = self._frontend(question.format)
        work = self._admission.work(self._cost_bytes(question), urgent=question.stable is None)
        with work, self._metrics.rebuild_s.time():
            recording = self._recording()
            graph = recording.graph(at=_at(question.asked), judge=question.judge)
            if question.stable is not None:
                graph = recording.stable(graph, self._union(*question.stable[:2]))
            body = body_of([frontend.render(graph, dict(question.options))])
        settled = is_settled(graph, question, self._now_ms())
        rendered = Rendered(body, frontend.content_type, graph.instant_ms, settled)
        return rendered, SETTLED_TTL_S if settled else LIVE_TTL_S, body.weight_bytes

    def _cost_bytes(self, question: Question) -> int:
        cost_bytes = self._costs.graph(question.asked.instant_ms)
        return cost_bytes + (self._costs.window(*question.stable[:2]) if question.stable else 0)

    def _union(self, start_ms: int, end_ms: int) -> Topology:
        """Of a window; kept, for whoever plays it asks for many instants of it."""

        def make() -> tuple[Topology, float, int]:
            found = self._recording().topology(format_instant(start_ms), format_instant(end_ms))
            weight_bytes = sum(
                _EDGE_BYTES * (1 + len(level.source) + len(level.classes)) for level in found.values()
            )
            settled = window_is_settled(end_ms, self._now_ms())
            return found, SETTLED_TTL_S if settled else LIVE_TTL_S, weight_bytes

        union, _ = self._unions.get((start_ms, end_ms), make)
        return union


def is_settled(graph: Graph, question: Question, now_ms: int) -> bool:
    """Whether the answer is history: asked absolutely, judged as recorded, and nothing can still come."""
    return (
        question.asked.fixed
        and question.judge == "recorded"
        and (
            question.stable is None or (question.stable[2] and window_is_settled(question.stable[1], now_ms))
        )
        and instant_is_settled(graph, now_ms)
    )


def _at(asked: Asked) -> int | str:
    # Recording.graph reads a bare number below 1e11 as seconds, as people write them; we have milliseconds.
    return format_instant(asked.instant_ms)
