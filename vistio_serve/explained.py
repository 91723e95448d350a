"""The answers to what happened: incidents of a window, who is likely their cause, and all nodes over time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from vistio_core.diagnosis.asking import BASELINE_MS
from vistio_core.diagnosis.observed import STEP_MS
from vistio_core.sentences import Language, say
from vistio_core.times import HOUR_MS, SECOND_MS, align, format_instant
from vistio_serve.answers import Answer
from vistio_serve.history import History, asked_step
from vistio_serve.parameters import ParameterError

MOST_MS = 24 * HOUR_MS
"""The longest window of one question."""
_LESS = say("ask for a shorter window")


class Explained:
    """Answers what happened, over a recording that may not exist yet."""

    def __init__(self, history: History) -> None:
        """Answers are made and kept as those of ``history``."""
        self._history = history

    def incidents(self, values: Mapping[str, str], now_ms: int, language: Language) -> Answer:
        window_ms = explained_window(self._history, values, align(now_ms, SECOND_MS))

        def make(start: str, end: str) -> dict[str, Any]:
            return self._history.recording().incidents(start, end).document(language)

        return self._answer(("incidents", language), window_ms, make)

    def suspects(self, values: Mapping[str, str], now_ms: int, language: Language) -> Answer:
        window_ms = explained_window(self._history, values, align(now_ms, SECOND_MS))
        about = values.get("about")

        def make(start: str, end: str) -> dict[str, Any]:
            return self._history.recording().suspects(start, end, about=about).document(language)

        return self._answer(("suspects", language, about), window_ms, make)

    def heat(self, values: Mapping[str, str], now_ms: int) -> Answer:
        start_ms, end_ms = explained_window(self._history, values, align(now_ms, SECOND_MS))
        # It looks each ten seconds, and not at less.
        step_ms = asked_step(values, end_ms - start_ms) or max(
            STEP_MS, self._history.usual_step(end_ms - start_ms)
        )

        def body() -> tuple[Iterable[bytes], bool]:
            window = format_instant(start_ms), format_instant(end_ms)
            found = self._history.recording().heat(*window, f"{step_ms}ms")
            return [msgspec.json.encode(found.document())], False

        cost = self._history.costs.explained
        key = "heat", start_ms, end_ms, step_ms
        return self._history.answer(key, body, lambda: cost(start_ms, end_ms), None, _LESS)

    def _answer(
        self,
        asked: tuple[str | None, ...],
        window_ms: tuple[int, int],
        make: Callable[[str, str], dict[str, Any]],
    ) -> Answer:
        start_ms, end_ms = window_ms
        start, end = map(format_instant, window_ms)

        def body() -> tuple[Iterable[bytes], bool]:
            return [msgspec.json.encode({"start": start, "end": end, **make(start, end)})], False

        cost = self._history.costs.explained
        return self._history.answer(
            (*asked, *window_ms), body, lambda: cost(start_ms - BASELINE_MS, end_ms), None, _LESS
        )


def explained_window(history: History, values: Mapping[str, str], now_ms: int) -> tuple[int, int]:
    """What was asked for; else the hour up to the newest instant.

    Raises:
        ParameterError: it is longer than `MOST_MS`.
    """
    start_ms, end_ms = history.window_of(values, now_ms, HOUR_MS)
    if end_ms - start_ms > MOST_MS:
        raise ParameterError(say("start and end: at most 24 hours are looked at in one question"), "start")
    return start_ms, end_ms
