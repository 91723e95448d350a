"""A recording in one file comes from somebody else: what is not plain is refused by name, and nothing of it is left."""

from __future__ import annotations

import gc
import os
import re
import stat
import struct
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from support.recordings import recorded
from support.scrapes import INTERVAL_MS, START_MS, scrape
from support.strangers import EVERY_STRANGER, directory

from vistio_core import Recording
from vistio_core.errors import PackedRecordingError, RecordingError
from vistio_core.storage.layout import MARKER
from vistio_core.storage.packed_store import PackedStore

EVENTS = "log/date=2026-11-23/hour=05/20261123T050000.000Z_20261123T050010.000Z_a.parquet"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("whole")
    seen = [scrape(START_MS + number * INTERVAL_MS, {"a>b 200": 1.0}) for number in range(2)]
    recorded(folder / "recording", seen).export(START_MS, START_MS + 1 + INTERVAL_MS, folder / "x.vistio")
    return (folder / "x.vistio").read_bytes()


@pytest.fixture(autouse=True)
def unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where files are unpacked, and which must be empty in the end."""
    folder = tmp_path / "unpacked"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def made(
    path: Path, *entries: tuple[str | zipfile.ZipInfo, bytes], compression: int = zipfile.ZIP_STORED
) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return path


def link() -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(EVENTS)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


MARKED = (MARKER, b'{"format_version":1,"created":"2026-11-23T05:00:00Z"}')
ROLLUP = f"rollups/date=2026-11-23/hour=05/{'0' * 32}.arrow"


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        ("/etc/passwd", "has an entry '/etc/passwd', which no such file has"),
        ("../../outside", "has an entry '../../outside'"),
        (f"log/../../{EVENTS}", "which no such file has"),
        ("head/..\\outside.parquet", "which no such file has"),
        ("C:\\outside", "which no such file has"),
        ("head/", "has an entry 'head/'"),
        ("locks/main.lock", "has an entry 'locks/main.lock'"),
        (ROLLUP, f"has an entry '{ROLLUP}'"),
        (link(), "is no regular file"),
    ],
)
def test_an_entry_that_no_such_file_has_is_refused(
    tmp_path: Path, unpacked: Path, entry: str | zipfile.ZipInfo, found: str
) -> None:
    path = made(tmp_path / "x.vistio", MARKED, (entry, b"content"))
    with pytest.raises(PackedRecordingError, match=re.escape(found)) as refused:
        PackedStore(path)
    assert str(refused.value).startswith(f"{path}: ")
    assert list(unpacked.iterdir()) == []
    assert not (tmp_path / "outside").exists()


def test_a_bomb_is_refused_before_a_byte_of_it_is_unpacked(tmp_path: Path, unpacked: Path) -> None:
    path = made(tmp_path / "x.vistio", MARKED, (EVENTS, bytes(50_000_000)), compression=zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 100_000
    with pytest.raises(PackedRecordingError, match="is compressed or encrypted"):
        PackedStore(path)


def test_entries_that_share_their_bytes_are_refused(tmp_path: Path) -> None:
    """A file of a megabyte, of which each of a hundred entries says that it is all its own."""
    path = made(tmp_path / "x.vistio", MARKED)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(EVENTS, bytes(1_000_000))
        first = archive.getinfo(EVENTS)
        for second in range(10, 60):
            info = zipfile.ZipInfo(EVENTS.replace("050000", f"0500{second}").replace("050010", "050100"))
            info.header_offset, info.CRC = first.header_offset, first.CRC
            info.compress_size = info.file_size = first.file_size
            archive.filelist.append(info)
            archive.NameToInfo[info.filename] = info
    with pytest.raises(PackedRecordingError, match="larger than its own"):
        PackedStore(path)


def test_two_entries_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        path = made(tmp_path / "x.vistio", MARKED, MARKED)
    with pytest.raises(PackedRecordingError, match=r"has two entries 'vistio.json'"):
        PackedStore(path)


def test_a_file_without_a_marker_is_none(tmp_path: Path) -> None:
    with pytest.raises(PackedRecordingError, match=r"has no vistio.json, so it is no recording"):
        PackedStore(made(tmp_path / "x.vistio", (EVENTS, b"")))


@pytest.mark.parametrize("entries", [70_000, 0xFFFF])
def test_a_list_of_entries_that_is_too_long_is_never_read(tmp_path: Path, whole: bytes, entries: int) -> None:
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, len(whole), 1)
    (tmp_path / "x.vistio").write_bytes(whole[:-22] + (locator if entries > 0xFFFF else b"") + end)
    with pytest.raises(PackedRecordingError, match="has a list of 65,535 entries"):
        PackedStore(tmp_path / "x.vistio")


def test_wherever_it_was_cut_off_it_is_refused(tmp_path: Path, whole: bytes) -> None:
    for length in (0, 1, 21, 22, 100, len(whole) // 2, len(whole) - 22, len(whole) - 1):
        (tmp_path / "x.vistio").write_bytes(whole[:length])
        with pytest.raises(PackedRecordingError, match="or only the beginning of it"):
            PackedStore(tmp_path / "x.vistio")


def test_a_byte_that_changed_is_found_or_changes_nothing(tmp_path: Path, whole: bytes) -> None:
    """Checksums of the zip, or the recording's own; what neither covers is times and attributes of the zip."""
    path = tmp_path / "x.vistio"
    path.write_bytes(whole)
    expected = Recording.open(path).graph()
    found = 0
    for place in range(0, len(whole), max(1, len(whole) // 100)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x40]) + whole[place + 1 :])
        try:
            recording = Recording.open(path)
            if any(checked.problems for checked in recording.verify()):
                found += 1
            else:
                assert recording.graph() == expected
        except RecordingError:
            found += 1
    assert found > 80


@pytest.mark.parametrize("make", [make for make in EVERY_STRANGER if make is not directory])
def test_what_is_no_file_is_not_waited_for(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "x.vistio")
    with pytest.raises(RecordingError, match=r"x\.vistio"):
        PackedStore(tmp_path / "x.vistio")


def test_what_was_unpacked_goes_with_the_recording(tmp_path: Path, unpacked: Path, whole: bytes) -> None:
    (tmp_path / "x.vistio").write_bytes(whole)
    recording = Recording.open(tmp_path / "x.vistio")
    (tmp_path / "x.vistio").unlink()
    assert recording.graph().region("mesh").edges
    assert recording.sql("select count(*) from samples").fetchall() == [(2,)]
    assert len(list(unpacked.iterdir())) == 1
    del recording
    gc.collect()
    assert list(unpacked.iterdir()) == []


def test_a_full_disk_is_told(tmp_path: Path, whole: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    from vistio_core.storage import packed_store

    def full(*_: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(packed_store, "copyfileobj", full)
    (tmp_path / "x.vistio").write_bytes(whole)
    with pytest.raises(RecordingError, match="No space left"):
        PackedStore(tmp_path / "x.vistio")
