"""A file that is there whole, or not at all: what somebody asked to be written somewhere of their choice."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from vistio_core.errors import UsageError
from vistio_core.native_paths import native, shown
from vistio_core.storage.store import StorageError


@contextmanager
def new_file(file: Path) -> Iterator[IO[bytes]]:
    """A sink whose content becomes the file when the block ends well; else there is none.

    Raises:
        UsageError: there is something of this name already, or no such directory.
        StorageError: the storage refused.
    """
    path = Path(native(file))
    if path.exists():
        raise UsageError(f"{shown(file)}: is there already, and never overwritten; name another file")
    if not path.parent.is_dir():
        folder = shown(Path(file).parent)
        raise UsageError(
            f"{shown(file)}: there is no directory {folder}; make it first, or name another file"
        )
    temporary = path.with_name(f".tmp-{secrets.token_hex(6)}-{path.name}")
    try:
        with open(temporary, "xb") as sink:
            yield sink
            sink.flush()
            os.fsync(sink.fileno())
        os.replace(temporary, path)
    except OSError as error:
        raise StorageError(shown(file), "writing", error) from error
    finally:
        with suppress(OSError):
            os.unlink(temporary)
