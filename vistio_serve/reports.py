"""The report of a window: what happened, as one page that opens without this server."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from vistio_core.diagnosis.asking import BASELINE_MS
from vistio_core.report.facts import MOST_FRAMES, gather
from vistio_core.report.page import render
from vistio_core.sentences import Language, say
from vistio_core.times import SECOND_MS, align, format_instant
from vistio_serve.answers import Answer
from vistio_serve.explained import explained_window
from vistio_serve.history import History

_LESS = say("ask for a shorter window; or `vistio-record report` where the recording is")


class WindowReports:
    """Makes reports over a recording that may not exist yet."""

    def __init__(self, history: History) -> None:
        """Answers are made and kept as those of ``history``."""
        self._history = history

    def report(self, values: Mapping[str, str], now_ms: int, language: Language) -> Answer:
        start_ms, end_ms = explained_window(self._history, values, align(now_ms, SECOND_MS))

        def make() -> tuple[Iterable[bytes], bool]:
            return render(gather(self._history.recording(), start_ms, end_ms), language), False

        def cost() -> int:
            costs = self._history.costs
            return costs.explained(start_ms - BASELINE_MS, end_ms) + costs.frames(
                start_ms, end_ms, MOST_FRAMES
            )

        name = f"vistio-{format_instant(start_ms).replace(':', '')}.html"
        return self._history.answer(
            ("report", start_ms, end_ms, language),
            make,
            cost,
            advice=_LESS,
            content_type="text/html; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )
