"""The answers to what happened: incidents of a window, and who is likely their cause."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec
import pyarrow as pa

from vistio_core.diagnosis.asking import BASELINE_MS
from vistio_core.times import HOUR_MS, SECOND_MS, align, format_instant
from vistio_serve.answers import Answer
from vistio_serve.history import History, rows_of
from vistio_serve.parameters import ParameterError

MOST_MS = 24 * HOUR_MS
"""The longest window of one question."""
_LESS = "ask for a shorter window"


class Explained:
    """Answers what happened, over a recording that may not exist yet."""

    def __init__(self, history: History) -> None:
        """Answers are made and kept as those of ``history``."""
        self._history = history

    def incidents(self, values: Mapping[str, str], now_ms: int) -> Answer:
        window_ms = explained_window(self._history, values, align(now_ms, SECOND_MS))

        def make(start: str, end: str) -> dict[str, Any]:
            found = self._history.recording().incidents(start, end)
            return {
                "incidents": [each.document() for each in found],
                "unseen": _unseen(found.unseen),
            }

        return self._answer("incidents", window_ms, None, make)

    def suspects(self, values: Mapping[str, str], now_ms: int) -> Answer:
        window_ms = explained_window(self._history, values, align(now_ms, SECOND_MS))
        about = values.get("about")

        def make(start: str, end: str) -> dict[str, Any]:
            found = self._history.recording().suspects(start, end, about=about)
            normal = dict(zip(("start", "end"), map(format_instant, found.baseline_ms), strict=True))
            return {"suspects": rows_of(found.table), "baseline": normal, "unseen": _unseen(found.unseen)}

        return self._answer("suspects", window_ms, about, make)

    def _answer(
        self,
        kind: str,
        window_ms: tuple[int, int],
        about: str | None,
        make: Callable[[str, str], dict[str, Any]],
    ) -> Answer:
        start_ms, end_ms = window_ms
        start, end = map(format_instant, window_ms)

        def body() -> tuple[Iterable[bytes], bool]:
            return [msgspec.json.encode({"start": start, "end": end, **make(start, end)})], False

        cost = self._history.costs.explained
        return self._history.answer(
            (kind, *window_ms, about), body, lambda: cost(start_ms - BASELINE_MS, end_ms), None, _LESS
        )


def explained_window(history: History, values: Mapping[str, str], now_ms: int) -> tuple[int, int]:
    """What was asked for; else the hour up to the newest instant.

    Raises:
        ParameterError: it is longer than `MOST_MS`.
    """
    start_ms, end_ms = history.window_of(values, now_ms, HOUR_MS)
    if end_ms - start_ms > MOST_MS:
        raise ParameterError("start and end: at most 24 hours are looked at in one question", "start")
    return start_ms, end_ms


def _unseen(gaps: pa.Table) -> list[dict[str, Any]]:
    return rows_of(gaps.select(["start", "end", "reason"]))
