"""Fixtures of the faults: each is injected for real, into real processes and real file systems."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.disks import Disk, MountNotPermittedError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DISK_BYTES = 4 * 2**20


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """A mounted file system of 4 MiB with nothing on it."""
    try:
        disk = Disk(tmp_path / "mounts", DISK_BYTES)
    except MountNotPermittedError as error:
        pytest.skip(f"this needs the right to mount a tmpfs (root, or CAP_SYS_ADMIN): {error}")
    yield disk
    disk.close()
