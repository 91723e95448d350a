"""What a recording is made of: counts, sizes and range, from its listing alone."""

from __future__ import annotations

import attrs

from vistio_core.storage.annotations import annotation_names
from vistio_core.storage.layout import CONFIGURATIONS, HEAD, LOG
from vistio_core.storage.log import Log
from vistio_core.storage.marker import Marker, Part, require_marker
from vistio_core.storage.store import Store


@attrs.frozen
class RecordingInfo:
    """What a recording is made of."""

    place: str
    format_version: int
    created: str
    writers: tuple[str, ...]
    first_ms: int | None
    """The first instant; None while there is none."""
    last_ms: int | None
    head_files: int
    head_bytes: int
    log_files: int
    log_bytes: int
    configurations: int
    annotations: int
    temporary_files: int
    part: Part | None = None
    """Of which part of another recording this one is; None: of none."""


def info_of(store: Store, marker: Marker, log: Log) -> RecordingInfo:
    """What a recording is made of now.

    Raises:
        NotARecordingError: it has gone since it was opened, as when its mount vanished.
    """
    require_marker(store)
    names = log.everything().listed
    head, sealed = list(store.entries(HEAD)), list(store.entries(LOG))
    return RecordingInfo(
        place=store.place,
        format_version=marker.format_version,
        created=marker.created,
        writers=tuple(sorted({name.writer for name in names})),
        first_ms=min((name.first_ms for name in names), default=None),
        last_ms=max((name.last_ms for name in names), default=None),
        head_files=len(head),
        head_bytes=sum(entry.size_bytes for entry in head),
        log_files=len(sealed),
        log_bytes=sum(entry.size_bytes for entry in sealed),
        configurations=sum(1 for _ in store.entries(CONFIGURATIONS)),
        annotations=sum(1 for _ in annotation_names(store)),
        temporary_files=sum(1 for _ in store.leftovers()),
        part=marker.part,
    )
