"""The answers to what one asks around an incident: who has most, whom a node can hurt, how trouble moved, who came."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast, get_args

import msgspec

from vistio_core.diagnosis.asking import BASELINE_MS
from vistio_core.diagnosis.top import By, top_document
from vistio_core.replay.lifetimes import ONLY, Only
from vistio_core.sentences import Language, say
from vistio_core.times import DAY_MS, HOUR_MS, SECOND_MS, align, format_instant
from vistio_serve import parameters
from vistio_serve.answers import Answer
from vistio_serve.explained import explained_window
from vistio_serve.history import History
from vistio_serve.parameters import ParameterError

_LESS = say("ask for a shorter window")


class WindowQuestions:
    """Answers them, over a recording that may not exist yet."""

    def __init__(self, history: History) -> None:
        """Answers are made and kept as those of ``history``."""
        self._history = history

    def top(self, values: Mapping[str, str], now_ms: int) -> Answer:
        now_ms = align(now_ms, SECOND_MS)
        start_ms, end_ms = self._history.window_of(values, now_ms, HOUR_MS)
        by = cast("By", parameters.choice(values, "by", get_args(By), "traffic"))
        ago = parameters.window(values, "before", now_ms)
        limit = parameters.limit(values)
        window = format_instant(start_ms), format_instant(end_ms)
        before = None if ago is None else (format_instant(ago[0]), format_instant(ago[1]))

        def make() -> dict[str, Any]:
            found = self._history.recording().top(*window, by, before=before)
            return {"start": window[0], "end": window[1], "by": by, **top_document(found, limit)}

        def cost() -> int:
            costs = self._history.costs
            spans = [(start_ms, end_ms), (2 * start_ms - end_ms, start_ms) if ago is None else ago[:2]]
            most = max(costs.window(*span) for span in spans)
            return most + costs.explained(max(start_ms, end_ms - HOUR_MS), end_ms) * (by == "latency")

        return self._answer(("top", start_ms, end_ms, by, before, limit), make, cost)

    def path(self, values: Mapping[str, str], now_ms: int, language: Language) -> Answer:
        now_ms = align(now_ms, SECOND_MS)
        start_ms, end_ms = explained_window(self._history, values, now_ms)
        ago = parameters.window(values, "baseline", now_ms)
        baseline = None if ago is None else (format_instant(ago[0]), format_instant(ago[1]))

        def make() -> dict[str, Any]:
            window = format_instant(start_ms), format_instant(end_ms)
            return self._history.recording().path(*window, baseline=baseline).document(language)

        base_ms = (start_ms - BASELINE_MS, start_ms) if ago is None else ago[:2]
        cost = self._history.costs.explained

        def bytes_of() -> int:
            return cost(*base_ms) + cost(start_ms, end_ms)

        return self._answer(("path", start_ms, end_ms, baseline, language), make, bytes_of)

    def seen(self, values: Mapping[str, str], now_ms: int, language: Language) -> Answer:
        start_ms, end_ms = self._history.window_of(values, align(now_ms, SECOND_MS), 30 * DAY_MS)
        only: Only | None = None
        if "only" in values:
            only = cast("Only", parameters.choice(values, "only", ONLY, ONLY[0]))
        quiet_ms = parameters.length(values, "quiet", 0)
        if quiet_ms and not only:
            raise ParameterError(
                say("parameter {name!r}: is for what is new or vanished; give only=new", name="quiet"),
                "quiet",
            )
        limit = parameters.limit(values)

        def make() -> dict[str, Any]:
            found = self._history.recording().seen(format_instant(start_ms), format_instant(end_ms))
            rows = found.only(only, quiet_ms / SECOND_MS) if only else found.table
            return found.document(rows, limit, language)

        key = "seen", start_ms, end_ms, only, quiet_ms, limit, language
        return self._answer(key, make, lambda: self._history.costs.window(start_ms, end_ms))

    def blast_radius(self, values: Mapping[str, str], now_ms: int) -> Answer:
        node, cluster = parameters.required(values, "node"), parameters.level(values)
        asked_ms = parameters.asked(values, now_ms).instant_ms

        def make() -> dict[str, Any]:
            found = self._history.recording().blast_radius(node, format_instant(asked_ms), cluster=cluster)
            return found.document()

        key = "blast-radius", asked_ms, node, cluster
        return self._answer(key, make, lambda: self._history.costs.graph(asked_ms))

    def _answer(self, key: object, make: Callable[[], dict[str, Any]], cost: Callable[[], int]) -> Answer:
        def body() -> tuple[Iterable[bytes], bool]:
            return [msgspec.json.encode(make())], False

        return self._history.answer(key, body, cost, None, _LESS)
