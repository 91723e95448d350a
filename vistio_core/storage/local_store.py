"""A recording in a local directory: whole objects by rename, kept by fsync.

Nobody else knows paths. What was listed of a folder is remembered for as long as the folder does not change.
"""

from __future__ import annotations

import errno
import logging
import os
import re
import secrets
import stat
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from itertools import chain
from pathlib import Path
from typing import IO

import attrs
import pyarrow as pa

from vistio_core.errors import UsageError
from vistio_core.native_paths import native, readable, shown
from vistio_core.regular_files import kind_of, require_regular
from vistio_core.storage.layout import LOCKS
from vistio_core.storage.local_lock import LocalLock
from vistio_core.storage.store import Entry, StorageError

log = logging.getLogger(__name__)

_TEMPORARY_PREFIX = ".tmp-"
_ABANDONED_AFTER_S = 86_400
_TRUSTED_AFTER_S = 60.0
"""A folder that changed this lately may change again without another time of change: clocks of file systems tick."""
_MOST_FOLDERS = 20_000
"""Whose listings are remembered: two years of hours, some 10 MB."""


@attrs.frozen
class _Listed:
    """What is directly in a folder, as of a change to it."""

    changed: tuple[int, int, int]
    names: tuple[str, ...]
    """Of objects."""
    temporary: tuple[str, ...]
    """Names of what may become objects."""
    folders: tuple[str, ...]
    strangers: tuple[str, ...]
    """Names of what is no object and no folder."""


_NOTHING_LISTED = _Listed((0, 0, 0), (), (), (), ())


class LocalStore:
    """A directory. Durable by fsync of the file and of its folder, atomic by rename.

    Raises:
        UsageError: its name is none that every reader can use.
    """

    def __init__(self, root: Path) -> None:
        try:
            self.place = readable(root)
        except ValueError as error:
            raise UsageError(
                f"{shown(root)}: is not UTF-8, and DuckDB finds files by names in UTF-8 only; rename the directory"
            ) from error
        self._path = native(root)
        self._root = Path(self._path)
        self._listed: dict[str, _Listed] = {}
        self._told: set[str] = set()
        """Names of strangers that the log has been told of."""

    def prepare(self) -> None:
        """Make the directory, for a recording to begin in. Nothing else ever makes it again."""
        try:
            self._root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(self.place, "making the directory", error) from error

    def entries(self, prefix: str = "") -> Iterator[Entry]:
        return self._sized(self.names(prefix))

    def names(self, prefix: str = "") -> Iterable[str]:
        listed = self._list(prefix)
        if not listed.folders:  # an hour's, as a rule
            return listed.names
        return chain.from_iterable(each.names for each in self._walk(prefix))

    def leftovers(self) -> Iterator[Entry]:
        return self._sized(chain.from_iterable(listed.temporary for listed in self._walk("")))

    def sweep(self, ending: str) -> None:
        for entry in list(self.leftovers()):
            with suppress(FileNotFoundError):
                age_s = time.time() - (self._root / entry.name).stat().st_mtime
                if re.search(f"(?:{ending})$", entry.name) or age_s > _ABANDONED_AFTER_S:
                    self.delete(entry.name)

    def folders(self, prefix: str) -> list[str]:
        return sorted(self._list(prefix).folders)

    def strangers(self) -> Iterator[tuple[str, str]]:
        for listed in self._walk(""):
            for name in listed.strangers:
                yield name, self._kind(name)

    def _kind(self, name: str) -> str:
        try:
            return kind_of(os.stat(f"{self._path}/{name}").st_mode)
        except OSError:
            return "a link to nothing"

    def exists(self, name: str) -> bool:
        return (self._root / name).exists()

    def version(self, name: str) -> str:
        status = os.stat(f"{self._path}/{name}")
        return f"{status.st_ino}-{status.st_size}-{status.st_mtime_ns}"

    def open(self, name: str) -> pa.NativeFile:
        path = f"{self._path}/{name}"
        require_regular(path)
        # Not a memory map: there a disk's error, or a file that was cut short, is SIGBUS, which ends
        # the process; here it is an OSError, and the rest of the recording stays readable.
        return pa.OSFile(os.fsencode(path), "r")

    @contextmanager
    def create(self, name: str, *, beside: str | None = None) -> Iterator[IO[bytes]]:
        # Every step goes through one open folder, never again from the root's path: a mount that
        # comes or goes between two of them cannot lead the second one astray.
        with self._named_errors(f"writing {name}"), self._open_folder(name, beside) as folder:
            last = name.rpartition("/")[2]
            temporary = f"{_TEMPORARY_PREFIX}{secrets.token_hex(6)}-{last}"
            if _exists(last, folder):
                raise FileExistsError(errno.EEXIST, "objects are immutable", name)
            try:
                with open(temporary, "xb", opener=partial(os.open, mode=0o666, dir_fd=folder)) as sink:
                    yield sink
                    sink.flush()
                    os.fsync(sink.fileno())
                os.replace(temporary, last, src_dir_fd=folder, dst_dir_fd=folder)
                os.fsync(folder)
            except BaseException:
                with suppress(OSError):
                    os.unlink(temporary, dir_fd=folder)
                raise

    def delete(self, name: str) -> None:
        path = self._root / name
        try:
            path.unlink(missing_ok=True)
            # Folders of partitions go with their last file; the top level stays.
            for folder in path.parents:
                if folder.parent == self._root or folder == self._root:
                    break
                folder.rmdir()
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOENT):
                raise StorageError(self.place, f"deleting {name}", error) from error

    def uri(self, name: str) -> str:
        return f"{self.place}/{name}"

    def lock(self, writer: str, *, beside: str | None = None) -> LocalLock:
        path = self._root / LOCKS / f"{writer}.lock"
        return LocalLock(self.place, writer, path, partial(self._locking, writer, beside))

    @contextmanager
    def _locking(self, writer: str, beside: str | None) -> Iterator[None]:
        doing = f"locking for writer {writer!r}"
        with self._named_errors(doing), self._open_folder(f"{LOCKS}/{writer}.lock", beside):
            yield

    def _sized(self, names: Iterable[str]) -> Iterator[Entry]:
        for name in names:
            with suppress(FileNotFoundError):  # deleted since it was listed
                yield Entry(name, (self._root / name).stat().st_size)

    def _walk(self, prefix: str) -> Iterator[_Listed]:
        """The folder ``prefix``, and every one below it."""
        folders = [prefix]
        while folders:
            found = self._list(folders.pop())
            folders += found.folders
            yield found

    def _list(self, folder: str) -> _Listed:
        """What is directly in a folder. One that did not change since is not listed again: it costs a third."""
        # Text, not a Path: a graph looks at 26 folders.
        path = f"{self._path}/{folder}"
        try:
            changed = _change_of(path)
            known = self._listed.get(folder)
            if known is not None and known.changed == changed:
                return known
            before_ns = time.time_ns()
            names, temporary, folders, strangers = [], [], [], []
            with os.scandir(path) as found:
                for item in found:
                    name = f"{folder}/{item.name}" if folder else item.name
                    if item.is_dir(follow_symlinks=False):
                        folders.append(name)
                    elif not _is_file(item):
                        strangers.append(name)
                        self._tell(name)
                    elif item.name.startswith(_TEMPORARY_PREFIX):
                        temporary.append(name)
                    else:
                        names.append(name)
        except (FileNotFoundError, NotADirectoryError):
            return _NOTHING_LISTED  # never made, or removed by a concurrent prune
        except OSError as error:
            raise StorageError(self.place, f"listing {folder or '.'}", error) from error
        listed = _Listed(changed, tuple(names), tuple(temporary), tuple(folders), tuple(strangers))
        if before_ns - changed[0] > _TRUSTED_AFTER_S * 1e9:
            if len(self._listed) >= _MOST_FOLDERS:
                self._listed.clear()
            self._listed[folder] = listed
        return listed

    def _tell(self, stranger: str) -> None:
        if stranger not in self._told:
            self._told.add(stranger)
            found = f"is not a file, but {self._kind(stranger)}"
            log.warning("file.skipped", extra={"file": stranger, "error": found})

    @contextmanager
    def _open_folder(self, name: str, beside: str | None) -> Iterator[int]:
        """The folder of an object as an open descriptor, made durably where it is missing.

        The root itself is not made: a vanished mount must not be papered over.
        """
        with ExitStack() as stack:

            def open_in(parent: int | None, part: str | Path) -> int:
                descriptor = os.open(part, os.O_RDONLY | os.O_DIRECTORY, dir_fd=parent)
                stack.callback(os.close, descriptor)
                return descriptor

            folder = open_in(None, self._root)
            if beside is not None:
                os.stat(beside, dir_fd=folder)
            for part in name.split("/")[:-1]:
                parent = folder
                try:
                    folder = open_in(parent, part)
                except FileNotFoundError:
                    with suppress(FileExistsError):  # somebody else made it just now
                        os.mkdir(part, dir_fd=parent)
                    os.fsync(parent)
                    folder = open_in(parent, part)
            yield folder

    @contextmanager
    def _named_errors(self, doing: str) -> Iterator[None]:
        try:
            yield
        except FileExistsError:
            raise
        except OSError as error:
            raise StorageError(self.place, doing, error) from error


def _change_of(path: str) -> tuple[int, int, int]:
    """When a folder's content changed, and which one it is. Not `st_mtime`: tools that copy set that one back."""
    status = os.stat(path)
    return status.st_ctime_ns, status.st_ino, status.st_dev


def _is_file(item: os.DirEntry[str]) -> bool:
    try:
        return item.is_file()
    except OSError:  # links in a circle
        return False


def _exists(name: str, folder: int) -> bool:
    try:
        return stat.S_ISREG(os.stat(name, dir_fd=folder).st_mode)
    except FileNotFoundError:
        return False
