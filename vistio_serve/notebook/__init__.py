"""The web UI in a notebook: `widget`, for whoever has ``vistio[notebook]``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vistio_core.errors import MissingLibraryError

if TYPE_CHECKING:
    from vistio_core import Recording
    from vistio_core.recording.recording import WindowLike
    from vistio_core.times import InstantLike
    from vistio_serve.notebook.traffic_widget import TrafficWidget

__all__ = ["widget"]


def widget(
    recording: Recording,
    at: InstantLike | None = None,
    *,
    window: WindowLike | None = None,
    selected: dict[str, str] | None = None,
    height: int = 640,
) -> TrafficWidget:
    """The page of ``vistio-serve`` as the output of a cell, without a server: the kernel answers its questions.

    Args:
        recording: what is shown.
        at: the moment to begin with; None is live.
        window: what the timeline shows; None is the whole recording.
        selected: whom to begin with, such as ``{"cluster": "eu-west", "node": "mongodb"}``.
        height: pixels.

    Raises:
        MissingLibraryError: anywidget is not installed.
        UsageError: this vistio was built without the web UI.
        InvalidTimeError: ``at`` or ``window`` is no time.
    """
    try:
        from vistio_serve.notebook.traffic_widget import TrafficWidget
    except ImportError as error:
        raise MissingLibraryError("anywidget", "widget") from error
    return TrafficWidget(recording, at=at, window=window, selected=selected, height=height)
