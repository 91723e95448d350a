"""The right to write under a name in a directory: a lock of the kernel's, on a file in ``locks/``.

The kernel lets go of it when its process dies, however it dies: a stale lock file is taken over
without asking. But the lock is on the file, not on its name: whoever deletes the file and makes
another one of that name can lock that. So the holder looks, before it writes, whether the name
still is its file.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from types import TracebackType

import filelock
import msgspec

from vistio_core.errors import WriterLockedError
from vistio_core.regular_files import open_regular, require_regular
from vistio_core.times import format_instant, system_now_ms

log = logging.getLogger(__name__)


class LocalLock:
    """Held from entering to leaving; `require` sees to it in between. Usable from many threads.

    Args:
        place: of the recording, for errors.
        writer: the name.
        path: the file.
        folder: a context in which the file's folder is there, and in which errors get their names.

    Raises:
        WriterLockedError: someone else has it; the error says who.
    """

    def __init__(
        self, place: str, writer: str, path: Path, folder: Callable[[], AbstractContextManager[object]]
    ) -> None:
        self._place = place
        self._writer = writer
        self._path = path
        self._folder = folder
        self._mutex = threading.Lock()
        self._held: filelock.BaseFileLock | None = None
        # Nobody else's file gets this number while ours is open.
        self._file = (0, 0)

    def __enter__(self) -> LocalLock:
        self._take()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        held, self._held = self._held, None
        if held is not None:
            held.release()

    def _intact(self) -> bool:
        """Whether the name still is the file that was locked. Costs one look at the directory."""
        try:
            status = self._path.stat()
        except FileNotFoundError:
            return False
        return (status.st_dev, status.st_ino) == self._file

    def require(self) -> None:
        """Lock again where the file was deleted or replaced, and nobody has locked the new one."""
        with self._mutex:
            if self._intact():
                return
            before = self._held
            try:
                self._take()
            except WriterLockedError:
                if self._intact():
                    return  # it was away with its mount, which is back
                log.error("lock.lost", extra={"file": str(self._path), "reason": "deleted or replaced"})
                raise
            log.warning("lock.taken_again", extra={"file": str(self._path), "reason": "deleted or replaced"})
            if before is not None:
                before.release()

    def _take(self) -> None:
        # Not bound to a thread: the recorder's, the healer's and the housekeeper's need it.
        lock = filelock.FileLock(self._path, timeout=0, thread_local=False)
        with self._folder(), ExitStack() as undo:
            if self._path.exists():
                require_regular(self._path)
            try:
                lock.acquire()
            except filelock.Timeout as error:
                raise WriterLockedError(self._place, self._writer, self._holder()) from error
            undo.callback(lock.release)
            status = self._path.stat()
            # Made anew, not written over: whatever has this name is not opened for writing.
            self._json.unlink(missing_ok=True)
            with self._json.open("xb") as stream:
                stream.write(msgspec.json.encode(_Holder.this_process()))
            undo.pop_all()
        self._held, self._file = lock, (status.st_dev, status.st_ino)

    @property
    def _json(self) -> Path:
        """The file beside that says who holds the lock."""
        return self._path.with_suffix(".json")

    def _holder(self) -> str:
        try:
            with open_regular(self._json) as stream:
                holder = msgspec.json.decode(stream.read(), type=_Holder)
        except (OSError, msgspec.MsgspecError):
            return "another process"
        return f"process {holder.pid} on {holder.host} since {holder.since}"


class _Holder(msgspec.Struct):
    """Who holds a writer's lock, for the message to whoever comes second."""

    pid: int
    host: str
    since: str

    @staticmethod
    def this_process() -> _Holder:
        return _Holder(os.getpid(), os.uname().nodename, format_instant(system_now_ms() // 1000 * 1000))
