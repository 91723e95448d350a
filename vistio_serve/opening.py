"""A recording that may come later: in Kubernetes the recorder and the server start together."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from vistio_core import Recording
from vistio_core.errors import NotARecordingError, RecordingError, UsageError, VistioError
from vistio_core.native_paths import shown
from vistio_core.storage.packed_store import PackedStore
from vistio_core.storage.place import directory_of
from vistio_serve.memory import DEFAULT_BYTES, Memory

log = logging.getLogger(__name__)

# Opening an hour takes one to ten milliseconds, in which nobody else is answered.
_PAUSE_S = 0.02


class Opening:
    """Returns the recording at ``place`` when called, and opens it once it is there.

    Raises:
        NotARecordingError: at a call, as long as there is none.
    """

    def __init__(self, place: str, memory: Memory | None = None) -> None:
        self._place = place
        self._memory = memory or Memory.of(DEFAULT_BYTES)
        self._lock = threading.Lock()
        self._recording: Recording | None = None

    def __call__(self) -> Recording:
        with self._lock:
            if self._recording is None:
                self._recording = Recording.open(
                    self._place,
                    scan_memory_bytes=self._memory.scans_bytes,
                    footer_memory_bytes=self._memory.footers_bytes,
                )
            return self._recording

    def prefetch(self) -> None:
        """Open the recording and its newest files, if it is there: whoever asks first need not wait for that."""
        try:
            files = self().prefetch(pause_s=_PAUSE_S)
        except VistioError:
            return  # whoever asks is told
        log.debug("files.prefetched", extra={"files": files})


@contextmanager
def directory_to_serve(place: str) -> Iterator[str]:
    """``place`` itself; of a recording in one file, the directory where it is unpacked until the block ends.

    The process that has the server's worker does this, not the worker, which is ended without a chance to clean up.

    Raises:
        UsageError: the file is no recording, or is damaged.
    """
    path = directory_of(place)
    if not path.is_file():
        yield place
        return
    try:
        packed = PackedStore(path)
    except RecordingError as error:
        raise UsageError(f"--recording {error}") from error
    yield packed.directory


def is_there(place: str) -> bool:
    """Whether there is a recording at ``place`` already."""
    try:
        Recording.open(place)
    except NotARecordingError:
        return False
    return True


def refuse_plainly_wrong(place: str, *, one_file: bool = False) -> None:
    """Raise `UsageError` when no recorder can ever make a recording at ``place``.

    A directory that is missing or empty is fine: the recorder makes it. So is a file, if ``one_file`` says that a
    recording in one will do.
    """
    path = directory_of(place)
    if one_file and path.is_file():
        return  # `directory_to_serve` says whether it is one
    if path.exists() and not path.is_dir():
        raise UsageError(f"--recording {place}: this is a file; give the directory of a recording")
    if path.is_dir() and not os.access(path, os.R_OK | os.X_OK):
        raise UsageError(f"--recording {place}: no permission to read this directory; run as its owner")
    nearest = next((parent for parent in path.absolute().parents if parent.exists()), None)
    if nearest is not None and not nearest.is_dir():
        raise UsageError(f"--recording {place}: {shown(nearest)} is a file, so nothing can be below it")
