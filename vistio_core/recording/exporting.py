"""A part of a recording, as a recording in one file: what lies in a window, and what graphs of it look back at.

A graph at an instant shows what was recorded up to five minutes before, and names writers that fell silent in the
day before (`vistio_core.replay.as_of`). So the part begins before its window:

    a day before    five minutes before    start                      end
         of each writer the last instant | all instants ............. |

Where only some levels are wanted, they are whole: of a part of a level, what is missing would read as no traffic.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

import attrs
import pyarrow as pa
import pyarrow.compute as pc

from vistio_core.errors import RecordingError, UsageError
from vistio_core.events import GLOBAL_LEVEL
from vistio_core.replay.as_of import reach
from vistio_core.storage.annotations import annotation_names, read_annotation
from vistio_core.storage.copying import copy_instants, files_of, instants_of, only
from vistio_core.storage.event_file import EventFile
from vistio_core.storage.layout import AnnotationName, configuration_name
from vistio_core.storage.listing import Listing, WriterListing
from vistio_core.storage.marker import Marker, Part, put_marker
from vistio_core.storage.packed_store import Package, package
from vistio_core.storage.store import Sink, Store
from vistio_core.times import format_instant


@attrs.frozen
class Exported:
    """What went into a file."""

    file: str
    instants: int
    """In the window; of all writers, each counted."""
    before: int
    """Instants that lie before the window, since its graphs look back at them."""
    annotations: int
    clusters: tuple[str, ...] | None
    """Whose levels; None for all, the empty text is the global level."""
    size_bytes: int


@attrs.frozen
class Wanted:
    """What is to be exported."""

    start_ms: int
    end_ms: int
    staleness_ms: int
    """How far graphs look back."""
    before_ms: int
    """How much of the time before the window is wanted; at least as much as graphs look back."""
    clusters: tuple[str, ...] = ()
    """Only their levels; none: all of them."""
    node: str | None = None
    """Only the levels where it occurs."""

    @property
    def since_ms(self) -> int:
        return self.start_ms - self.before_ms + 1

    @property
    def reach(self) -> tuple[int, int]:
        """What must be looked into."""
        first_ms, end_ms = reach(self.start_ms, self.end_ms - 1, self.staleness_ms)
        return max(0, min(first_ms, self.since_ms)), end_ms


def write_part(store: Store, marker: Marker, listing: Listing, wanted: Wanted, file: Path) -> Exported | None:
    """Write a part of a recording into a file; None, and no file, where nothing of it was recorded.

    Args:
        store: the recording.
        marker: its marker.
        listing: of ``wanted.reach``.
        wanted: which part.
        file: where to; there must be none of its name.

    Raises:
        UsageError: as `Recording.export`.
        StorageError: the storage refused.
    """
    scraped = {
        writer.name: instants_ms for writer in listing.writers if (instants_ms := _instants(writer, wanted))
    }
    within = sum(wanted.start_ms <= each < wanted.end_ms for own in scraped.values() for each in own)
    if not within:
        return None
    clusters = _clusters(listing, wanted)
    with package(file) as target:
        since = format_instant(max(0, wanted.since_ms))
        part = Part(format_instant(wanted.start_ms), format_instant(wanted.end_ms), since, clusters)
        put_marker(target, Marker(marker.format_version, marker.created, part))
        _copy_events(store, target, listing, scraped, clusters)
        marks = _annotations(store, wanted, clusters)
        copy_objects(store, target, (name.text for name in marks))
    return Exported(
        str(file),
        within,
        sum(map(len, scraped.values())) - within,
        len(marks),
        None if clusters is None else tuple(clusters),
        file.stat().st_size,
    )


def copy_objects(store: Store, target: Sink, names: Iterable[str], *, beside: str | None = None) -> None:
    """Copy objects as they are; ``beside`` is as for `Sink.create`."""
    for name in names:
        with store.open(name) as source, target.create(name, beside=beside) as sink:
            sink.write(source.read())


def _instants(writer: WriterListing, wanted: Wanted) -> frozenset[int]:
    """What is wanted of a writer, and its last instant before that, since it may be missed."""
    instants_ms = {scrape.instant_ms for scrape in writer.scrapes(wanted.since_ms, wanted.end_ms)}
    last_ms = writer.newest(wanted.reach[0], wanted.since_ms, seen=False)
    return frozenset(instants_ms if last_ms is None else {last_ms, *instants_ms})


def _copy_events(
    store: Store,
    target: Package,
    listing: Listing,
    scraped: dict[str, frozenset[int]],
    clusters: Collection[str] | None,
) -> None:
    configurations: set[str] = set()
    for writer, instants_ms in scraped.items():
        files = files_of(listing, writer)
        for sequence in files.values():
            configurations |= _configurations(sequence, instants_ms)
    # Before the events that name them, as in a recording.
    copy_objects(store, target, sorted(map(configuration_name, configurations)))
    for writer, instants_ms in scraped.items():
        files = files_of(listing, writer)
        for _ in copy_instants(target, writer, files, instants_of(files, instants_ms), only(clusters)):
            pass


def _configurations(files: Sequence[EventFile], instants_ms: frozenset[int]) -> set[str]:
    return {
        presence.configuration
        for file in files
        for presence in file.presences
        if presence.instant_ms in instants_ms
    }


def _clusters(listing: Listing, wanted: Wanted) -> list[str] | None:
    """Whose levels are exported; None for all."""
    if wanted.node is None:
        return sorted(set(wanted.clusters)) or None
    found: set[str] = set()
    for file in listing.files:
        for kind in ("sample", "measurement"):
            columns = ["instant", "cluster", "source", "target"]
            rows = file.rows_between(kind, wanted.start_ms, wanted.end_ms, columns)
            own = [pc.equal(rows[end].cast(pa.string()), wanted.node) for end in ("source", "target")]
            found |= set(rows.filter(pc.or_kleene(*own))["cluster"].cast(pa.string()).unique().to_pylist())
    if wanted.clusters:
        found &= set(wanted.clusters)
    if not found:
        where = f" in {' or '.join(map(_level, wanted.clusters))}" if wanted.clusters else ""
        raise UsageError(
            f"node {wanted.node!r}: nothing of it was recorded{where} from {format_instant(wanted.start_ms)} to"
            f" {format_instant(wanted.end_ms)}; choose another window"
        )
    return sorted(found)


def _level(cluster: str) -> str:
    return "the global level" if cluster == GLOBAL_LEVEL else f"cluster {cluster!r}"


def _annotations(store: Store, wanted: Wanted, clusters: Collection[str] | None) -> list[AnnotationName]:
    """The marks in the window and before, but for those about other clusters; damaged ones stay where they are."""
    found = []
    for name in annotation_names(store):
        if name.overlaps(wanted.since_ms, wanted.end_ms):
            try:
                about = read_annotation(store, name).cluster
            except (RecordingError, FileNotFoundError):
                continue
            if not about or clusters is None or about in clusters:
                found.append(name)
    return sorted(found, key=lambda name: name.text)
