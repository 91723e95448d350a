"""Adds a recording in one file to one in a directory: what fits, once. What does not fit is refused, nothing written.

It fits where nothing is said twice in different words: an instant that both have, under one writer's name, must have
the same rows in both. It is written by the writers' own means (locks, whole objects, one rename for each), an hour's
scrapes before its supplements, so that killed in between, every reader sees some of the instants, each of them whole,
and doing it again brings the rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import attrs

from vistio_core.errors import PackedRecordingError, RecordingError, WriterLockedError
from vistio_core.recording.exporting import copy_objects
from vistio_core.recording.verify import verify
from vistio_core.storage.annotations import annotation_names
from vistio_core.storage.configurations import configuration_hashes, load_configuration
from vistio_core.storage.copying import Instants, copy_instants, files_of, first_difference, instants_of, only
from vistio_core.storage.event_file import EventFile, EventFiles
from vistio_core.storage.layout import MARKER, configuration_name
from vistio_core.storage.listing import Listing
from vistio_core.storage.log import Log
from vistio_core.storage.store import Store
from vistio_core.times import format_instant

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager


@attrs.frozen
class Imported:
    """What a file brought."""

    file: str
    instants: int
    """That are new; of all writers, each counted."""
    known: int
    """That were there already, with the same rows."""
    supplements: int
    """Instants of which rules were answered later, and this was new."""
    annotations: int
    """New ones."""


@attrs.frozen(eq=False)
class _Missing:
    """What one writer's name is to get."""

    writer: str
    files: Mapping[int, list[EventFile]]
    instants: Instants
    known: int


def add_part(part: Store, store: Store, lock: Callable[[str], AbstractContextManager[object]]) -> Imported:
    """Add a recording to another one.

    Args:
        part: what is added.
        store: what it is added to.
        lock: takes the right to write under a writer's name.

    Raises:
        PackedRecordingError: it is damaged, or does not fit; nothing is written.
        RecordingError: somebody else writes under a writer's name, or the storage refused.
    """
    _require_whole(part)
    _require_same_mesh(part, store)
    ours, theirs = Log(part, EventFiles(part)).everything(), EventFiles(store)
    with ExitStack() as stack:
        for writer in ours.writers:
            stack.enter_context(_locked(lock, store, writer.name))
        # Not before: who had the lock may have written.
        first_ms = min((name.first_ms for name in ours.listed), default=0)
        last_ms = max((name.last_ms for name in ours.listed), default=0)
        there = Log(store, theirs).listing(first_ms, last_ms + 1)
        missing = [_missing(part, ours, there, writer.name) for writer in ours.writers]
        new = [name for name in map(configuration_name, configuration_hashes(part)) if not store.exists(name)]
        copy_objects(part, store, new, beside=MARKER)
        for each in missing:
            for _ in copy_instants(store, each.writer, each.files, each.instants, only(None)):
                pass
        marks = sorted(name.text for name in annotation_names(part) if not store.exists(name.text))
        copy_objects(part, store, marks, beside=MARKER)
    return Imported(
        part.place,
        sum(len(each.instants.get(0, ())) for each in missing),
        sum(each.known for each in missing),
        sum(len(own) for each in missing for sequence, own in each.instants.items() if sequence),
        len(marks),
    )


def _locked(
    lock: Callable[[str], AbstractContextManager[object]], store: Store, writer: str
) -> AbstractContextManager[object]:
    try:
        return lock(writer)
    except WriterLockedError as error:
        raise RecordingError(
            f"{store.place}: writer {writer!r}, under which the file was recorded, is in use by {error.holder}; stop"
            " that one, or import into a recording of its own, --recording OTHER"
        ) from error


def _require_whole(part: Store) -> None:
    problems = [f"{checked.name}: {checked.problems[0]}" for checked in verify(part) if checked.problems]
    if problems:
        more = f", and {len(problems) - 1:,} more files are damaged" if len(problems) > 1 else ""
        raise PackedRecordingError(
            part.place, f"{problems[0]}{more}", "nothing was imported; ask for the file again"
        )


def _require_same_mesh(part: Store, store: Store) -> None:
    """One recording is of one mesh, and its configurations say which."""
    brought, there = _graph_names(part), _graph_names(store)
    if brought and there and not brought & there:
        raise PackedRecordingError(
            part.place,
            f"is of {_listed(brought)}, and {store.place} is of {_listed(there)}",
            "import it into a recording of its own, --recording OTHER",
        )


def _graph_names(store: Store) -> set[str]:
    return {name for name in _configured(store) if name}


def _configured(store: Store) -> Iterator[str]:
    for known in configuration_hashes(store):
        try:
            yield load_configuration(store, known).graph_name
        except RecordingError:
            continue  # `verify` names it


def _listed(names: set[str]) -> str:
    return " and ".join(map(repr, sorted(names)))


def _missing(part: Store, ours: Listing, there: Listing, writer: str) -> _Missing:
    """What the recording does not have yet of what was recorded under a writer's name.

    Raises:
        PackedRecordingError: it has something else of the same instant.
    """
    own, others = ours.writer(writer), there.writer(writer)
    files, known_files = files_of(ours, writer), files_of(there, writer)
    span = there.start_ms, there.end_ms
    brought = instants_of(files, {scrape.instant_ms for scrape in own.scrapes(*span)})
    known = instants_of(known_files, {scrape.instant_ms for scrape in others.scrapes(*span)})
    shared = {sequence: brought[sequence] & known.get(sequence, frozenset()) for sequence in brought}
    for sequence, instants_ms in shared.items():
        if instants_ms:
            differing_ms = first_difference(files[sequence], known_files[sequence], instants_ms)
            if differing_ms is not None:
                raise PackedRecordingError(
                    part.place,
                    f"says something else of {format_instant(differing_ms)} than the recording has from writer"
                    f" {writer!r}",
                    "nothing was imported; import it into a recording of its own, --recording OTHER",
                )
    instants = {sequence: brought[sequence] - shared[sequence] for sequence in brought}
    return _Missing(writer, files, instants, len(shared.get(0, ())))
