"""A small real file system that a test fills, makes read-only, takes away and brings back.

It is a tmpfs, seen through a bind mount: the mount can vanish while what was on it stays, as when
a volume is detached. Needs the right to mount (root, or CAP_SYS_ADMIN in a container).
"""

from __future__ import annotations

import errno
import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class MountNotPermittedError(Exception):
    """This process may not mount; the text says what the system answered."""


class Disk:
    """A mounted file system of ``size_bytes`` at ``path``. Made in an empty ``folder``; `close` it."""

    def __init__(self, folder: Path, size_bytes: int) -> None:
        self._held = folder / "held"
        self.path = folder / "disk"
        """The mount point."""
        for place in (self._held, self.path):
            place.mkdir(parents=True)
        try:
            _run("mount", "-t", "tmpfs", "-o", f"size={size_bytes},nr_inodes=8192", "tmpfs", self._held)
        except subprocess.CalledProcessError as error:
            raise MountNotPermittedError(error.stderr.strip()) from error
        self.come_back()

    def fill(self) -> int:
        """Takes all room that is left, to the last block; how many bytes that were."""
        taken = 0
        with open(self._held / ".filler", "ab", buffering=0) as filler:
            for block in (b"\0" * 65_536, b"\0" * 4_096):
                try:
                    while True:
                        taken += filler.write(block)
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
        return taken

    def make_room(self) -> None:
        (self._held / ".filler").unlink(missing_ok=True)

    def resize(self, size_bytes: int) -> None:
        _run("mount", "-o", f"remount,size={size_bytes}", self._held)

    def vanish(self) -> None:
        """The mount point is an empty directory from now on; what has files open there keeps them."""
        _run("umount", "--lazy", self.path)

    def come_back(self, *, read_only: bool = False) -> None:
        """After `vanish`: the same file system is there again."""
        _run("mount", "--bind", self._held, self.path)
        if read_only:
            _run("mount", "-o", "remount,bind,ro", self.path)

    def become_read_only(self) -> None:
        """As after an error of the disk: everything can be read, nothing written.

        The kernel refuses to make a mount read-only while a file on it is open for writing, unless
        it does so itself, after an error. So the mount is exchanged for a read-only one.
        """
        self.vanish()
        self.come_back(read_only=True)

    def become_writable(self) -> None:
        _run("mount", "-o", "remount,bind,rw", self.path)

    def close(self) -> None:
        for place in (self.path, self._held):
            with suppress(subprocess.CalledProcessError):
                _run("umount", "--lazy", place)


def _run(*command: object) -> None:
    subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True, timeout=30)
