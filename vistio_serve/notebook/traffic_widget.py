"""The widget: which moment, which window and who is selected, for the notebook and for the page in it.

The page asks its questions as messages of the widget; they are answered here, by the application that `vistio-serve`
runs, called in the kernel's own process. Nothing listens anywhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anywidget
import traitlets
from werkzeug.test import create_environ, run_wsgi_app

from vistio_core import Recording
from vistio_core.errors import UsageError
from vistio_core.recording import asked
from vistio_core.times import format_instant, parse_instant, system_now_ms
from vistio_serve.app import create_app
from vistio_serve.notebook.document import document, frame_script

if TYPE_CHECKING:
    from collections.abc import Sequence

_SELECTED = ({"cluster"}, {"cluster", "node"}, {"cluster", "source", "target"})


class TrafficWidget(anywidget.AnyWidget):
    """The page of ``vistio-serve`` in a cell's output; `vistio_serve.notebook.widget` makes one.

    The traits are told by the page and may be set, whenever; ``observe`` them as those of any widget. While the kernel
    runs a cell it answers nothing: the page then waits.
    """

    at = traitlets.Any(None, help="The moment that is shown, as RFC 3339; None is live.").tag(sync=True)
    window = traitlets.Any(
        None, help="What the timeline shows: start and end as RFC 3339; None: the whole recording."
    ).tag(sync=True)
    selected = traitlets.Any(
        None,
        help="The level (cluster, empty for the global one) and its selected node, or source and target.",
    ).tag(sync=True)
    height = traitlets.Int(640, min=200, help="Pixels.").tag(sync=True)

    def __init__(self, recording: Recording, **traits: Any) -> None:
        self._application = create_app(recording, cors_origin=None)
        self._esm = frame_script()
        super().__init__(**traits)
        self.on_msg(self._asked)

    @traitlets.validate("at")
    def _instant(self, proposal: Any) -> str | None:
        return None if proposal["value"] is None else _as_text(proposal["value"])

    @traitlets.validate("window")
    def _window(self, proposal: Any) -> list[str] | None:
        if proposal["value"] is None:
            return None
        start, end = map(_as_text, asked.window("window", proposal["value"]))
        if parse_instant(start, now_ms=0) >= parse_instant(end, now_ms=0):
            raise UsageError(f"window {start}/{end} is empty: end must be later than start")
        return [start, end]

    @traitlets.validate("selected")
    def _selected(self, proposal: Any) -> dict[str, str] | None:
        value = proposal["value"]
        if value is None:
            return None
        if (
            not isinstance(value, dict)
            or {*value} not in _SELECTED
            or not all(isinstance(each, str) for each in value.values())
        ):
            raise UsageError(
                f"selected {value!r}: give the names cluster (empty for the global level) and node, or cluster, source"
                " and target, or the cluster alone"
            )
        return dict(value)

    def _asked(self, widget: object, content: Any, buffers: Sequence[bytes]) -> None:
        """Answers a question of the page: the page itself for the empty path, else what a GET of it is answered."""
        path = content.get("path")
        if path == "":
            status, body = 200, document().encode()
        else:
            status, body = answer_to(self._application, str(path))
        self.send({"id": content.get("id"), "status": status}, [body])


def answer_to(application: Any, path: str) -> tuple[int, bytes]:
    """The status and body of a GET, of an application in this process.

    Args:
        application: a WSGI application.
        path: relative to its root, with the query: ``graph?at=...``.
    """
    environ = create_environ(f"/{path}", headers={"Accept": "application/json, application/problem+json"})
    body, status, _ = run_wsgi_app(application, environ, buffered=True)
    return int(status.split()[0]), b"".join(body)


def _as_text(instant: Any) -> str:
    return format_instant(parse_instant(instant, now_ms=system_now_ms()))
