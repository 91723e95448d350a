"""The rates of all edges over a window, as a file for other tools."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from vistio_core.recording.edge_files import WRITERS
from vistio_core.sentences import say
from vistio_core.times import DAY_MS, HOUR_MS, SECOND_MS, align, format_duration, format_instant
from vistio_serve import parameters
from vistio_serve.answers import Answer
from vistio_serve.history import History
from vistio_serve.parameters import ParameterError
from vistio_serve.routes import EDGE_FORMATS

MOST_MS: Final = DAY_MS
"""The longest window of one answer."""
_LESS = say(
    "use a shorter window, or one cluster; or `vistio-record export --format csv` where the recording is"
)


class EdgeTables:
    """Answers with every edge at every instant, over a recording that may not exist yet."""

    def __init__(self, history: History) -> None:
        """Answers are made and kept as those of ``history``."""
        self._history = history

    def edges(self, values: Mapping[str, str], now_ms: int) -> Answer:
        format = parameters.choice(values, "format", EDGE_FORMATS, EDGE_FORMATS[0])
        write, content_type = WRITERS[format]
        cluster = values.get("cluster")
        now_ms = align(now_ms, SECOND_MS)
        start_ms, end_ms = self._history.window_of(values, now_ms, HOUR_MS)
        if end_ms - start_ms > MOST_MS:
            raise ParameterError(
                say(
                    "start and end: one answer has {most} at most; ask for parts of it",
                    most=format_duration(MOST_MS),
                ),
                "start",
            )
        start, end = format_instant(start_ms), format_instant(end_ms)

        def make() -> tuple[Iterable[bytes], bool]:
            rows = self._history.recording().edges(start, end, cluster=cluster)
            return write(rows), False

        return self._history.answer(
            ("edges", start_ms, end_ms, cluster, format),
            make,
            lambda: self._history.costs.edges(start_ms, end_ms),
            advice=_LESS,
            content_type=content_type,
            headers={"Content-Disposition": f'attachment; filename="edges.{format}"'},
        )
