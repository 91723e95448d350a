"""What `EventFile` keeps in memory, and for how long."""

from __future__ import annotations

import gc
import weakref
from typing import TYPE_CHECKING

from support.scrapes import INTERVAL_MS, START_MS, mesh, scrape

from vistio_core.recording.recording import Recording
from vistio_core.storage.event_file import EventFile, EventFiles
from vistio_core.storage.layout import commit_name
from vistio_core.storage.local_store import LocalStore
from vistio_core.times import HOUR_MS

if TYPE_CHECKING:
    from pathlib import Path


def test_what_a_file_holds_goes_with_it_and_waits_for_no_collection(recording_dir: Path) -> None:
    """A footer is large, and Python, which knows only its small handle, would not collect it for hours."""
    with Recording.open(recording_dir, create=True).writer() as writer:
        writer.put_configuration(mesh())
        writer.commit(scrape(START_MS, {"a>b 200": 1.5}))
    gc.collect()
    gc.disable()
    try:
        file = EventFile(LocalStore(recording_dir), commit_name(START_MS, "main"))
        assert file.instants_ms == {START_MS}
        assert file.rows_at("sample", START_MS).num_rows
        assert list(file.by_instant("sample"))
        assert list(file.describe_row_groups())
        held = [weakref.ref(file), weakref.ref(file._metadata)]
        del file
        assert [reference() for reference in held] == [None, None]
    finally:
        gc.enable()


def test_what_a_writer_deletes_is_not_kept_open(tmp_path: Path) -> None:
    recording = Recording.open(tmp_path / "recording", create=True, clock=lambda: START_MS + HOUR_MS)
    with recording.writer() as writer:
        writer.put_configuration(mesh())
        for index in range(12):
            writer.commit(scrape(START_MS + index * INTERVAL_MS, {"a>b 200": 1.0}))
            assert recording.graph().instant_ms == START_MS + index * INTERVAL_MS
        writer.merge(START_MS + HOUR_MS)
        writer.seal(START_MS + HOUR_MS)
        recording.graph()
    assert [name.sealed for name in recording._files._kept._values] == [True]


def test_what_is_kept_of_files_has_a_limit_and_the_last_used_ones_stay(recording_dir: Path) -> None:
    with Recording.open(recording_dir, create=True).writer() as writer:
        writer.put_configuration(mesh())
        for index in range(6):
            writer.commit(scrape(START_MS + index * INTERVAL_MS, {"a>b 200": 1.5}))
    names = [commit_name(START_MS + index * INTERVAL_MS, "main") for index in range(6)]
    files = EventFiles(LocalStore(recording_dir), most_bytes=3 * 70_000)
    opened = [files[name] for name in names]
    assert [files[name] is file for name, file in zip(names[3:], opened[3:], strict=True)] == 3 * [True]
    assert files[names[0]] is not opened[0]
    assert files[names[3]] is not opened[3], "the one that was used longest ago had to go"
    for few_bytes in (0, 70_000):
        recording = Recording.open(recording_dir, footer_memory_bytes=few_bytes)
        shown_ms = [recording.graph(name.first_ms).instant_ms for name in (*names, *reversed(names))]
        assert shown_ms == [name.first_ms for name in (*names, *reversed(names))]


def test_the_newest_hours_are_opened_ahead_as_far_as_they_are_kept(tmp_path: Path) -> None:
    place = tmp_path / "recording"
    with Recording.open(place, create=True).writer() as writer:
        writer.put_configuration(mesh())
        for hour in range(4):
            writer.commit(scrape(START_MS + hour * HOUR_MS, {"a>b 200": 1.5}))
        writer.seal(START_MS + 4 * HOUR_MS)
    sealed = sorted(place.glob("log/*/*/*.parquet"))
    assert len(sealed) == 4
    sealed[2].write_bytes(b"damaged")
    recording = Recording.open(place, footer_memory_bytes=2 * 70_000)
    assert recording.prefetch() == 2
    kept = recording._files._kept._values
    oldest_first = [kept.popitem()[0].first_ms for _ in range(len(kept))]
    assert oldest_first == [START_MS + HOUR_MS, START_MS + 3 * HOUR_MS], "the newest hour stays longest"
    assert Recording.open(place).prefetch() == 3
