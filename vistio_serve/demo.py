"""``vistio-serve demo``: an hour of a simulated mesh with an incident in it, then live, on one port."""

from __future__ import annotations

import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from vistio_core.times import MINUTE_MS, align, format_instant, system_now_ms
from vistio_serve.recorder import RecorderProcess
from vistio_serve.server import GraphServer

_HISTORY = "-1h"
_LOG_NAME = "recorder.log"


def run(recording: str | None, make_server: Callable[[str], GraphServer]) -> None:
    """Record a simulated mesh and serve it until SIGINT or SIGTERM.

    Args:
        recording: the directory to record into, kept afterwards; None makes one and removes it.
        make_server: a server of the recording in the given directory.

    Raises:
        RecorderError: the recorder ended by itself.
    """
    with _stopped_by_sigterm(), _directory(recording) as (place, scratch):
        # Both processes must simulate the same mesh: its incidents are placed before the anchor.
        anchor = format_instant(align(system_now_ms(), MINUTE_MS))
        source = ["--source", "simulator", "--source-option", f"anchor={anchor}", "--recording", place]
        history = RecorderProcess(["backfill", *source, "--start", _HISTORY, "--end", "now"])
        try:
            history.finish()
        finally:
            history.stop()
        live = RecorderProcess(["run", *source, "--port", "0"], scratch / _LOG_NAME)
        try:
            _serve_while_recording(make_server(place), live)
        finally:
            live.stop()


def announce(url: str) -> None:
    """Say on standard output which URL to open."""
    sys.stdout.write(
        f"vistio demo: open {url}\n"
        f"  the graph now: {url}graph\n"
        f"  and half an hour ago: {url}graph?at=-30m\n"
        "A simulated mesh is recorded there. Its past hour has an incident, a gap and a rule that failed,\n"
        "which is what was told above. Ctrl-C stops it.\n"
    )
    sys.stdout.flush()


def _serve_while_recording(server: GraphServer, recorder: RecorderProcess) -> None:
    def on_child(signum: int, frame: FrameType | None) -> None:
        if recorder.ended():
            server.stop()

    # Not a thread: the server forks its worker, and forking beside threads can lock for ever.
    before = signal.signal(signal.SIGCHLD, on_child)
    try:
        # One that ended before the handler was there sends no further signal.
        if not recorder.ended():
            server.run()
        if recorder.ended():
            raise recorder.error()
    finally:
        signal.signal(signal.SIGCHLD, before)


@contextmanager
def _directory(recording: str | None) -> Iterator[tuple[str, Path]]:
    """The recording's place, and a directory of our own that is removed in the end."""
    scratch = Path(tempfile.mkdtemp(prefix="vistio-demo-"))
    try:
        yield recording or str(scratch / "recording"), scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


@contextmanager
def _stopped_by_sigterm() -> Iterator[None]:
    """SIGTERM unwinds as Ctrl-C does, so that processes and directories are cleaned up."""

    def interrupt(signum: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
