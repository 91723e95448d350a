"""A recording in one file, such as ``incident.vistio``, to attach to a ticket: read only.

The file is an uncompressed zip of what a recording's directory holds, under the same names. It is unpacked into a
temporary directory when it is opened, which costs as much as copying it: DuckDB, too, then finds files where it
expects them, and everything that holds of a directory holds here (`docs/decisions/0038-one-file.md`).

The file comes from somebody else, so nothing of it is believed:

    names         only those of facts (`layout.is_object_name`): nothing absolute, no ``..``, nothing derived
    sizes         nothing is compressed, and all entries together are no larger than the file: no bomb
    entries       few enough for their list to be read into memory, and regular files all of them: no links
    content       has the checksums that the zip names; what it means is for `verify`, as of any recording

What must not be in here: which instants go into such a file (`vistio_core.recording.exporting`).
"""

from __future__ import annotations

import os
import stat
import struct
import weakref
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copyfileobj, rmtree
from tempfile import mkdtemp
from typing import IO, NoReturn

from vistio_core.errors import PackedRecordingError, UsageError
from vistio_core.native_paths import readable, shown
from vistio_core.regular_files import open_regular
from vistio_core.storage.layout import MARKER, is_object_name, is_rollup_name
from vistio_core.storage.local_store import LocalStore
from vistio_core.storage.new_file import new_file
from vistio_core.storage.store import StorageError

_END = struct.Struct("<4s4H2LH")
"""The end of a zip: signature, two numbers of disks, entries of this disk, entries, size and place of their list,
length of a comment."""
_LARGE_LOCATOR_BYTES = 20
"""What stands before the end in a zip of the larger kind (zip64)."""
_MOST_LIST_BYTES = 32 * 1024 * 1024
"""Of the list of entries; 65,534 entries with our names take 10 MB."""
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The time of all entries: the same part makes the same file."""
_TOO_LARGE = (
    "is more than one file takes (4 GB, 65,534 objects); choose a shorter window, or copy the directory"
)


class PackedStore(LocalStore):
    """The recording in one file. Unpacked for as long as this object lives; the file itself is read once.

    Raises:
        PackedRecordingError: it is none, not what such a file may be, or not there.
        StorageError: it cannot be read, or there is no room to unpack it.
    """

    def __init__(self, file: Path) -> None:
        try:
            folder = mkdtemp(prefix="vistio-unpacked-")
            # Not a TemporaryDirectory: that one complains when nobody closes it, and a recording is not closed.
            remove = weakref.finalize(self, rmtree, folder, ignore_errors=True)
            super().__init__(Path(folder))
            self.place = readable(file)
            try:
                with open_regular(file) as source:
                    self._unpack(source)
            except BaseException:
                remove()
                raise
        except FileNotFoundError as error:
            raise PackedRecordingError(
                shown(file), "there is no such file", "look at its name, or ask for it again"
            ) from error
        except OSError as error:
            raise StorageError(shown(file), "opening a recording in one file", error) from error

    @property
    def directory(self) -> str:
        """Where it is unpacked."""
        return readable(self._path)

    def uri(self, name: str) -> str:
        return f"{self.directory}/{name}"

    def prepare(self) -> None:
        """Nothing to do: it is there."""

    def create(self, name: str, *, beside: str | None = None) -> NoReturn:
        self._refuse()

    def delete(self, name: str) -> None:
        self._refuse()

    def sweep(self, ending: str) -> None:
        self._refuse()

    def lock(self, writer: str, *, beside: str | None = None) -> NoReturn:
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise PackedRecordingError(
            self.place,
            "is a recording in one file, which is only read",
            f"`vistio-record import {self.place} --recording DIR` adds it to one in a directory",
        )

    def _unpack(self, source: IO[bytes]) -> None:
        try:
            self._require_small_list(source)
            with zipfile.ZipFile(source) as archive:
                infos = archive.infolist()
                self._require_plain(infos, source.seek(0, os.SEEK_END))
                for info in infos:
                    path = self._root / info.filename
                    path.parent.mkdir(parents=True, exist_ok=True)
                    with archive.open(info) as content, open(path, "xb") as sink:
                        copyfileobj(content, sink)
        except (zipfile.BadZipFile, EOFError, struct.error, NotImplementedError, UnicodeDecodeError) as error:
            raise self._damaged(f"is damaged ({error})") from error

    def _require_small_list(self, source: IO[bytes]) -> None:
        """Before the list of entries is read into memory: look how long it says it is."""
        size_bytes = source.seek(0, os.SEEK_END)
        source.seek(max(0, size_bytes - _END.size - _LARGE_LOCATOR_BYTES))
        end = source.read()
        if len(end) < _END.size or not end[-_END.size :].startswith(b"PK\5\6"):
            raise self._damaged("this is a file, and no recording in one, or only the beginning of it")
        _, _, _, _, entries, list_bytes, _, comment_bytes = _END.unpack(end[-_END.size :])
        if end.startswith(b"PK\6\7") or entries == 0xFFFF or list_bytes > _MOST_LIST_BYTES or comment_bytes:
            raise self._damaged(f"has a list of {entries:,} entries and {list_bytes:,} bytes, or a comment")

    def _require_plain(self, infos: list[zipfile.ZipInfo], size_bytes: int) -> None:
        names: set[str] = set()
        for info in infos:
            name, mode = info.filename, info.external_attr >> 16
            if not is_object_name(name) or is_rollup_name(name):  # derived data is made, never taken over
                raise self._damaged(f"has an entry {name[:200]!r}, which no such file has")
            if name in names:
                raise self._damaged(f"has two entries {name!r}")
            if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
                raise self._damaged(f"has an entry {name!r} that is no regular file")
            if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1:
                raise self._damaged(f"has an entry {name!r} that is compressed or encrypted")
            names.add(name)
        if MARKER not in names:
            raise self._damaged(f"has no {MARKER}, so it is no recording")
        if sum(info.file_size for info in infos) > size_bytes:
            raise self._damaged(f"says of its entries that they are larger than its own {size_bytes:,} bytes")

    def _damaged(self, found: str) -> PackedRecordingError:
        return PackedRecordingError(
            self.place, found, "ask for it again: `vistio-record export` writes such a file"
        )


class Package:
    """A recording in one file that is being written, object by object."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive

    @contextmanager
    def create(self, name: str, *, beside: str | None = None) -> Iterator[IO[bytes]]:
        """A sink whose content becomes the object ``name``, as `Store.create` has it; one at a time."""
        info = zipfile.ZipInfo(name, _EPOCH)
        info.external_attr = (stat.S_IFREG | 0o644) << 16
        with self._archive.open(info, "w") as sink:
            yield sink


@contextmanager
def package(file: Path) -> Iterator[Package]:
    """Write a recording into one file. It is there, whole, when the block ends well; else nothing is.

    Raises:
        UsageError: there is a file of this name already; or it would become too large.
        StorageError: the storage refused.
    """
    try:
        with (
            new_file(file) as sink,
            zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED, allowZip64=False) as archive,
        ):
            yield Package(archive)
    except zipfile.LargeZipFile as error:
        raise UsageError(f"{shown(file)}: {_TOO_LARGE}") from error
