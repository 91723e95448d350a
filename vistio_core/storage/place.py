"""What people may write for where a recording is: the path of a directory, or of one file."""

from __future__ import annotations

import re
from pathlib import Path

from vistio_core.errors import UsageError
from vistio_core.native_paths import native
from vistio_core.storage.local_store import LocalStore
from vistio_core.storage.packed_store import PackedStore
from vistio_core.storage.store import Store

# A scheme of RFC 3986, and what can be shown: no password, no token. One slash is enough to know it:
# of "s3://bucket" a Path keeps no more.
_ADDRESS = re.compile(r"\s*(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*):/+(?:[^/]*@)?(?P<shown>[^?]*)")


def store_at(place: str | Path) -> Store:
    """Where the recording is that ``place`` names: a directory, which need not be there yet, or one file.

    Raises:
        UsageError: as `directory_of`.
        PackedRecordingError: a file that is no recording, or is damaged.
    """
    path = directory_of(place)
    return PackedStore(path) if path.is_file() else LocalStore(path)


def directory_of(place: str | Path) -> Path:
    """The path that ``place`` is.

    Raises:
        UsageError: it is an address of something else. Taken as a path, ``s3://bucket/x`` would be a directory
            ``s3:`` wherever this process happens to run, and nobody would look there for what was recorded.
    """
    found = _ADDRESS.match(str(place))
    if found is None:
        return Path(native(place))
    scheme, shown = found["scheme"], found["shown"]
    advice = (
        "give the path alone" if scheme.lower() == "file" else "mount what is there, and name its directory"
    )
    raise UsageError(
        f"recording {scheme}://{shown}: the scheme {scheme}: cannot be used, a recording is a directory or one file;"
        f" {advice} (one that is really called {scheme}: is ./{scheme}:)"
    )
