"""Regular files only: whatever has a name that we open might be something else.

A FIFO keeps who opens it waiting until somebody writes into it, perhaps for ever; a device may never
end. So everything that is read by its name is opened here, without waiting, and looked at before a byte
is read. What only another library can open, by its name, is looked at right before (`require_regular`).
"""

from __future__ import annotations

import errno
import os
import stat
from typing import BinaryIO

from vistio_core.native_paths import native

_KINDS = (
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISFIFO, "a FIFO (a named pipe)"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


class NotRegularError(OSError):
    """Something has this name, and it is no regular file. ``strerror`` says what it is."""

    def __init__(self, path: str | os.PathLike[str], mode: int) -> None:
        code, what = errno.EINVAL, f"is not a file, but {kind_of(mode)}"
        if stat.S_ISDIR(mode):  # the one that the system itself has a word for
            code, what = errno.EISDIR, os.strerror(errno.EISDIR)
        super().__init__(code, what, os.fspath(path))

    def __str__(self) -> str:
        return str(self.strerror)


def kind_of(mode: int) -> str:
    """What ``st_mode`` says a thing is: ``a FIFO (a named pipe)``."""
    return next((name for is_kind, name in _KINDS if is_kind(mode)), "something special")


def open_regular(path: str | os.PathLike[str]) -> BinaryIO:
    """The file, opened for reading. Never waits for anybody.

    Raises:
        NotRegularError: it is something else.
        OSError: it cannot be opened.
    """
    try:
        descriptor = os.open(native(path), os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError as error:
        if error.errno == errno.ENXIO:  # a socket, or a device without a driver
            require_regular(path)
        raise
    try:
        _require(path, os.fstat(descriptor).st_mode)
        return open(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def require_regular(path: str | os.PathLike[str]) -> None:
    """Look at a file that somebody else will open.

    Raises:
        NotRegularError: it is something else.
        OSError: it cannot be looked at.
    """
    _require(path, os.stat(native(path)).st_mode)


def _require(path: str | os.PathLike[str], mode: int) -> None:
    if not stat.S_ISREG(mode):
        raise NotRegularError(path, mode)
