"""``vistio-serve demo``: an hour of a simulated mesh with an incident in it, then live, on one port."""

from __future__ import annotations

import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, MappingProxyType

import attrs

from vistio_core.recording.recording import Recording
from vistio_core.storage.annotations import Annotation
from vistio_core.times import MINUTE_MS, SECOND_MS, align, format_instant, system_now_ms
from vistio_serve.recorder import RecorderProcess
from vistio_serve.server import GraphServer

_HISTORY = "-1h"
_LOG_NAME = "recorder.log"
_CLUSTER = "eu-west"


@attrs.frozen
class DemoHour:
    """What the demo's past hour is about, and what is marked near it."""

    summary: str
    """For who chooses one."""
    marks: tuple[tuple[int, str, str], ...] = ()
    """Deployments: seconds before the anchor, what it says, which node it is about."""


# The incident begins 35 minutes before the anchor (`vistio_record.sources.simulated_incidents`). Only the mark of the
# bad version is its cause; the others are near because something is always deployed.
INCIDENTS: Mapping[str, DemoHour] = MappingProxyType(
    {
        "database": DemoHour("a database is saturated"),
        "version": DemoHour(
            "a new version of a service answers errors",
            ((43 * 60, "cart 5.2.0", "cart"), (35 * 60 + 15, "reviews-v3 3.4.1", "reviews-v3")),
        ),
        "zone": DemoHour(
            "a zone is lost, and a third of a service with it",
            ((37 * 60, "search 1.9.0", "search"), (33 * 60, "productpage 7.1.2", "productpage")),
        ),
        "retries": DemoHour(
            "callers that call again and again keep a service from recovering",
            ((38 * 60, "details 4.0.3", "details"), (34 * 60, "checkout 2.8.0", "checkout")),
        ),
        "slow": DemoHour(
            "a service is slow, and nothing fails",
            ((36 * 60, "auth 3.1.0", "auth"), (31 * 60, "inventory 1.2.7", "inventory")),
        ),
    }
)
"""By the name that the simulator has for each; the usual one first."""
CHOICES = "; ".join(f"{name}: {incident.summary}" for name, incident in INCIDENTS.items())


def run(recording: str | None, incident: str, make_server: Callable[[str], GraphServer]) -> None:
    """Record a simulated mesh and serve it until SIGINT or SIGTERM.

    Args:
        recording: the directory to record into, kept afterwards; None makes one and removes it.
        incident: one of `INCIDENTS`.
        make_server: a server of the recording in the given directory.

    Raises:
        RecorderError: the recorder ended by itself.
    """
    with _stopped_by_sigterm(), _directory(recording) as (place, scratch):
        # Both processes must simulate the same mesh: its incidents are placed before the anchor.
        anchor_ms = align(system_now_ms(), MINUTE_MS)
        story = [
            "--source-option",
            f"anchor={format_instant(anchor_ms)}",
            "--source-option",
            f"incident={incident}",
        ]
        source = ["--source", "simulator", *story, "--recording", place]
        history = RecorderProcess(["backfill", *source, "--start", _HISTORY, "--end", "now"])
        try:
            history.finish()
        finally:
            history.stop()
        _mark(place, anchor_ms, INCIDENTS[incident])
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


def _mark(place: str, anchor_ms: int, hour: DemoHour) -> None:
    recording = Recording.open(place)
    for before_s, text, node in hour.marks:
        at_ms = anchor_ms - before_s * SECOND_MS
        recording.annotate(Annotation(at_ms, text, "deployment", cluster=_CLUSTER, node=node))


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
