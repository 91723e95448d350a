"""What can have a file's name, and is no file."""

from __future__ import annotations

import atexit
import os
import socket
from collections.abc import Callable
from pathlib import Path
from tempfile import gettempdir


def fifo(path: Path) -> None:
    os.mkfifo(path)


def a_socket(path: Path) -> None:
    # By its short name: a socket's address may have 108 bytes.
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(f"/proc/self/fd/{folder}/{path.name}")
    finally:
        os.close(folder)


def directory(path: Path) -> None:
    path.mkdir()


def device(path: Path) -> None:
    """One that never ends."""
    path.symlink_to("/dev/zero")


def link_to_a_directory(path: Path) -> None:
    path.symlink_to(path.parent)


def link_to_a_fifo(path: Path) -> None:
    real = Path(gettempdir(), f"vistio-tests-fifo-{os.getpid()}")  # beside it, it would be one more stranger
    if not real.exists():
        os.mkfifo(real)
        atexit.register(real.unlink)
    path.symlink_to(real)


EVERY_STRANGER = {
    fifo: "a FIFO (a named pipe)",
    a_socket: "a socket",
    directory: "a directory",
    device: "a device",
    link_to_a_directory: "a directory",
    link_to_a_fifo: "a FIFO (a named pipe)",
}
"""How to make one, and what it is called."""


def said_of(make: Callable[[Path], None]) -> str:
    """What the error says of one."""
    called = EVERY_STRANGER[make]
    return "Is a directory" if called == "a directory" else f"is not a file, but {called}"
