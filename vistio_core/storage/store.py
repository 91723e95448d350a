"""Where a recording's objects lie: what a store promises, and what it says when it cannot keep it.

A store has whole, immutable objects under ``/``-separated names. An object is there or not
there; nobody ever sees half of one. Everything else in vistio works with names and leaves
paths, rename, fsync and permissions to the store: `vistio_core.storage.local_store` is a directory,
`vistio_core.storage.packed_store` one file.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from types import TracebackType
from typing import IO, Protocol

import attrs
import pyarrow as pa

from vistio_core.errors import RecordingError
from vistio_core.native_paths import shown
from vistio_core.regular_files import NotRegularError


class StorageError(RecordingError):
    """The storage refused: full, read-only, gone, or broken. ``code`` is the errno, if any."""

    def __init__(self, place: str, doing: str, error: OSError) -> None:
        self.code = error.errno
        found, hint = (
            error.strerror or error,
            _REMEDIES.get(error.errno or 0, "look at the storage and its mount"),
        )
        if isinstance(error, NotRegularError):
            found, hint = f"{shown(error.filename)} {error}", "move it elsewhere"
        super().__init__(f"{place}: {doing}: {found}; {hint}")


_REMEDIES = {
    errno.ENOSPC: "free space or shorten --retention; recording goes on by itself once there is room",
    errno.EDQUOT: "raise the quota or shorten --retention; recording goes on by itself once there is room",
    errno.EROFS: "remount it for writing; recording goes on by itself then",
    errno.EACCES: "give this user the right to write there",
    errno.EPERM: "give this user the right to write there",
    errno.ENOENT: "the directory or its mount has gone; recording goes on by itself when it is back",
    errno.ENOTDIR: "name a directory",
    errno.EIO: "the disk reports an error: look at the kernel's log",
}


@attrs.frozen
class Entry:
    """An object in a listing."""

    name: str
    size_bytes: int


class Lock(Protocol):
    """The right to write under a name, held from entering to leaving."""

    def require(self) -> None:
        """Look before writing whether it is still held; take it again where it was deleted and is free.

        Raises:
            WriterLockedError: someone else has it now.
            StorageError: the storage refused.
        """
        ...

    def __enter__(self) -> object: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...


class Sink(Protocol):
    """Where whole objects can be put."""

    def create(self, name: str, *, beside: str | None = None) -> AbstractContextManager[IO[bytes]]:
        """A sink whose content becomes the object ``name``, whole and durable, when the block ends well.

        When the block raises, or the process dies, nothing is ever seen of it.

        Args:
            name: of the new object.
            beside: an object that must be there. Where it is not, this is no longer the storage
                that was opened: a volume has gone, and its empty mount point must stay empty.

        Raises:
            FileExistsError: there is one already: objects are immutable.
            StorageError: the storage refused, or has no object ``beside``.
        """
        ...


class Store(Sink, Protocol):
    """Whole objects under names. A local directory today; an object store fits the same shape."""

    place: str
    """What a person would call it: a path or a URL."""

    def prepare(self) -> None:
        """Make the place, for a recording to begin in. Nothing else ever makes it again.

        Raises:
            StorageError: the storage refused.
        """
        ...

    def entries(self, prefix: str = "") -> Iterator[Entry]:
        """All objects below the folder ``prefix``, in no particular order; none if there is no such folder."""
        ...

    def names(self, prefix: str = "") -> Iterable[str]:
        """The names of `entries`, for those who need no sizes."""
        ...

    def folders(self, prefix: str) -> list[str]:
        """The names of the folders directly below the folder ``prefix``, sorted."""
        ...

    def strangers(self) -> Iterator[tuple[str, str]]:
        """Names, in no particular order, that stand for no object, and for what: ``a FIFO (a named pipe)``.

        Nothing ever opens one of these: who opens a pipe waits until somebody writes into it.
        """
        ...

    def exists(self, name: str) -> bool: ...

    def version(self, name: str) -> str:
        """Changes when the object of this name was deleted and another one made in its place.

        Raises:
            FileNotFoundError: there is none.
        """
        ...

    def open(self, name: str) -> pa.NativeFile:
        """The object for random access.

        Raises:
            FileNotFoundError: there is none; a concurrent seal or prune may have removed it.
        """
        ...

    def delete(self, name: str) -> None:
        """Remove the object; that it has gone already is no error."""
        ...

    def leftovers(self) -> Iterator[Entry]:
        """What was being written when a process died. Never visible as an object."""
        ...

    def sweep(self, ending: str) -> None:
        """Remove leftovers: of objects whose names end as the regular expression says, and all that are a day old.

        A locked writer's name is such an ending; what is old is nobody's work in progress.
        """
        ...

    def uri(self, name: str) -> str:
        """How DuckDB reaches the object."""
        ...

    def lock(self, writer: str, *, beside: str | None = None) -> Lock:
        """Hold the right to write as ``writer`` until the block ends or the process dies.

        Args:
            writer: the name.
            beside: as with `create`, when it is taken and when it is taken again.

        Raises:
            WriterLockedError: someone else has it; the error says who.
            StorageError: the storage refused, or has no object ``beside``.
        """
        ...
