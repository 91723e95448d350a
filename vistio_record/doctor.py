"""What would bite a recorder, before it bites: versions, limits, the disk, Prometheus, clocks.

What is measured and what is thought of it are apart: ``judge_`` functions are pure. `vistio-record check` goes on
from here: whether the rules see anything.
"""

from __future__ import annotations

import os
import platform
import resource
import shutil
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import attrs
import msgspec

from vistio_core.errors import SourceError
from vistio_core.times import system_now_ms
from vistio_record.sources.abortable import Call
from vistio_record.sources.http_api import request
from vistio_record.sources.servers import Server

GOOD, WARNING, WRONG = "good", "warning", "wrong"
_GB = 1_000_000_000
_LEAST_BYTES, _FEW_BYTES = _GB // 10, 2 * _GB
_LEAST_DESCRIPTORS = 1024
# A Date, or a `time()`, is as old as its way: less than this says nothing.
_CLOCK_WARNING_S, _CLOCK_WRONG_S = 1.0, 10.0
_MAX_BYTES = 1_000_000


@attrs.frozen
class Observation:
    """One thing that was looked at: what was found, and what to do if it is not `GOOD`."""

    about: str
    level: str
    told: str
    remedy: str = ""


def look_at_machine() -> Iterator[Observation]:
    """Versions, and how many files and connections a process may hold."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("vistio", "pyarrow", "duckdb", "granian"))
    yield Observation(
        "versions", GOOD, f"{packages}; Python {platform.python_version()}, {platform.platform(terse=True)}"
    )
    yield judge_descriptors(resource.getrlimit(resource.RLIMIT_NOFILE)[0])


def judge_descriptors(most: int) -> Observation:
    """``most`` open files and connections are allowed; -1: any number."""
    if most == resource.RLIM_INFINITY or most >= _LEAST_DESCRIPTORS:
        return Observation(
            "open files", GOOD, "any number" if most == resource.RLIM_INFINITY else f"{most:,}"
        )
    remedy = f"raise it to {_LEAST_DESCRIPTORS:,} or more: ulimit -n, LimitNOFILE= of systemd"
    return Observation("open files", WARNING, f"only {most:,} are allowed", remedy)


def look_at_place(recording: Path) -> Iterator[Observation]:
    """Whether a recorder could write here, and how much; nothing of it stays."""
    place = recording
    while not place.exists() and place != place.parent:
        place = place.parent
    where = str(recording) if place == recording else f"{recording} (not there yet; {place} is)"
    try:
        # What a commit does: a file, its bytes on the disk, a name.
        with tempfile.NamedTemporaryFile(dir=place, prefix=".tmp-doctor-") as file:
            file.write(b"vistio")
            file.flush()
            os.fsync(file.fileno())
        room = shutil.disk_usage(place)
    except OSError as error:
        remedy = f"give user {os.geteuid()} the right to write there, and look at the mount"
        yield Observation("recording", WRONG, f"{where}: {os.strerror(error.errno or 0)}", remedy)
        return
    yield Observation("recording", GOOD, f"{where}: can be written to")
    yield judge_room(room.free)


def judge_room(free_bytes: int) -> Observation:
    """``free_bytes`` are left on the disk of the recording."""
    told = f"{free_bytes / _GB:,.1f} GB free"
    remedy = "make room, or bound the recording with --retention and --retention-size"
    if free_bytes < _LEAST_BYTES:
        return Observation("disk", WRONG, told, remedy)
    return (
        Observation("disk", WARNING, told, remedy)
        if free_bytes < _FEW_BYTES
        else Observation("disk", GOOD, told)
    )


def look_at_server(server: Server, timeout_s: float) -> Iterator[Observation]:
    """Whether it answers, what it is, and whether its clock is ours."""
    before_ms = system_now_ms()
    try:
        body = request(server, "/api/v1/query", {"query": "time()"}, Call(timeout_s), _MAX_BYTES)
        after_ms = system_now_ms()
        theirs_s = float(msgspec.json.decode(body)["data"]["result"][1])
    except SourceError as error:
        yield Observation("prometheus", WRONG, str(error), "vistio-record check explains it rule by rule")
        return
    except (msgspec.DecodeError, KeyError, IndexError, TypeError, ValueError):
        remedy = "name the address of a Prometheus, with the path prefix that it has"
        yield Observation("prometheus", WRONG, f"{server.shown}: its answer is not Prometheus'", remedy)
        return
    yield Observation("prometheus", GOOD, f"{server.shown}: answers{_version_of(server, timeout_s)}")
    yield judge_clock(theirs_s - (before_ms + after_ms) / 2000, (after_ms - before_ms) / 2000, server.shown)


def _version_of(server: Server, timeout_s: float) -> str:
    """`` as version 2.42.0``, or nothing: not every server says."""
    try:
        body = request(server, "/api/v1/status/buildinfo", None, Call(timeout_s), _MAX_BYTES)
        return f" as version {msgspec.json.decode(body)['data']['version']}"
    except (SourceError, msgspec.DecodeError, KeyError, TypeError):
        return ""


def judge_clock(ahead_s: float, unsure_s: float, shown: str) -> Observation:
    """The server's clock is ``ahead_s`` ahead of ours, known to ``unsure_s``."""
    told = f"that of {shown} is {abs(ahead_s):.1f} s {'ahead' if ahead_s > 0 else 'behind'}"
    apart_s = abs(ahead_s) - unsure_s
    if apart_s <= _CLOCK_WARNING_S:
        return Observation("clock", GOOD, f"as that of {shown}")
    remedy = "set both clocks by NTP"
    return Observation("clock", WRONG if apart_s > _CLOCK_WRONG_S else WARNING, told, remedy)
