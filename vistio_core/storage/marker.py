"""``vistio.json``: what makes a directory a recording, and says in which format it is.

Every file of events says its own version too, so a marker that cannot be read costs nothing: a
newer file is still refused by name, and `verify` says how to mend the marker.
"""

from __future__ import annotations

import logging

import msgspec

from vistio_core.errors import FormatVersionError, NotARecordingError
from vistio_core.storage.format import FORMAT_VERSION
from vistio_core.storage.layout import MARKER
from vistio_core.storage.store import Sink, Store
from vistio_core.times import format_instant, parse_instant

log = logging.getLogger(__name__)


class Part(msgspec.Struct, frozen=True):
    """Of which part of another recording this one is: what it says of other times, nobody exported."""

    start: str
    end: str
    """Exclusive."""
    since: str
    """What was recorded from here to ``start`` is there as well: graphs look back."""
    clusters: list[str] | None = None
    """Whose levels; None for all. Rules of the others were not answered, as far as this recording knows."""

    @property
    def whole_ms(self) -> tuple[int, int]:
        """The span of which it has all that was recorded."""
        return parse_instant(self.since, now_ms=0), parse_instant(self.end, now_ms=0)


class Marker(msgspec.Struct, omit_defaults=True):
    """The content of ``vistio.json``."""

    format_version: int
    created: str
    part: Part | None = None


def create_marker(store: Store, now_ms: int) -> None:
    """Begin a recording in an empty store.

    Raises:
        NotARecordingError: the store holds something else.
    """
    foreign = next((entry.name for entry in store.entries()), None)
    if foreign is not None:
        raise NotARecordingError(
            store.place,
            f"holds other files, such as {foreign}, and no recording; name an empty or new directory",
        )
    put_marker(store, Marker(FORMAT_VERSION, format_instant(now_ms)))


def put_marker(store: Sink, marker: Marker) -> None:
    """Write the marker of a new recording."""
    with store.create(MARKER) as sink:
        sink.write(msgspec.json.encode(marker))


def require_marker(store: Store) -> None:
    """Look before each write, and where nothing is found, whether the recording is still there.

    A vanished mount leaves an empty directory: writing there would hide what it holds from
    everyone as soon as the mount is back, and it is no recording without instants either.

    Raises:
        NotARecordingError: it has gone.
    """
    if not store.exists(MARKER):
        raise NotARecordingError(store.place, f"{MARKER} has gone, the directory or its mount vanished")


def read_marker(store: Store) -> Marker:
    """The marker of a recording that this vistio can read; one of this version where it is damaged.

    Raises:
        NotARecordingError: there is none.
        FormatVersionError: a newer vistio wrote the recording.
    """
    marker, problem = _read(store)
    if problem:
        log.warning("marker.damaged", extra={"place": store.place, "problem": problem})
    if marker.format_version > FORMAT_VERSION:
        raise FormatVersionError(store.place, marker.format_version, FORMAT_VERSION)
    return marker


def marker_problem(store: Store) -> str:
    """What is wrong with the marker and how to mend it; empty when nothing is."""
    return _read(store)[1]


def _read(store: Store) -> tuple[Marker, str]:
    try:
        with store.open(MARKER) as source:
            return msgspec.json.decode(source.read(), type=Marker), ""
    except FileNotFoundError as error:
        raise NotARecordingError(store.place, f"has no {MARKER}, so it is no recording") from error
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        whole = msgspec.json.encode(Marker(FORMAT_VERSION, "2026-11-23T05:00:00Z")).decode()
        text = f"cannot be read ({error}); write {whole} into it, with any time as created"
        return Marker(FORMAT_VERSION, "unknown"), text
