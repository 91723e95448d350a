"""Asking about many files at once, while others merge, seal and prune, and although some are damaged."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

import pyarrow as pa

from vistio_core.errors import DamagedFileError
from vistio_core.replay.duckdb_session import DuckDBSession
from vistio_core.storage.catalog import Catalog
from vistio_core.storage.event_file import EventFile, EventFiles
from vistio_core.storage.format import KINDS
from vistio_core.storage.layout import EventsName
from vistio_core.storage.marker import require_marker
from vistio_core.storage.store import Store

log = logging.getLogger(__name__)
T = TypeVar("T")

# Each time a file goes away under a reader, someone merged, sealed or pruned. That is rare, but a
# recorder that catches up may do so many times in a row.
_ATTEMPTS = 30


def retrying(ask: Callable[[], T]) -> T:
    """Ask again when a file was merged, sealed or pruned away between listing and reading."""
    for _ in range(_ATTEMPTS - 1):
        try:
            return ask()
        except FileNotFoundError as error:
            log.debug("read.repeated", extra={"error": str(error)})
    return ask()


class Scans:
    """Runs SQL over the files of a window, or reads them."""

    def __init__(self, store: Store, catalog: Catalog, files: EventFiles, session: DuckDBSession) -> None:
        self._store = store
        self._catalog = catalog
        self._files = files
        self.session = session

    def scan(self, start_ms: int, end_ms: int, ask: Callable[[list[str]], T]) -> T:
        """``ask`` with the files of a window; the damaged ones, if any, are left out and told in the log."""
        import duckdb  # not before it is asked: see `duckdb_session`

        def attempt() -> T:
            try:
                return ask(self.uris(start_ms, end_ms))
            except duckdb.Error as error:
                # DuckDB names no file in most of its errors, so look at each of them.
                readable = self.uris(start_ms, end_ms, check=True)
                log.warning("scan.repeated", extra={"error": str(error).partition("\n")[0]})
                return ask(readable)

        return retrying(attempt)

    def read(self, start_ms: int, end_ms: int, ask: Callable[[list[EventFile]], T]) -> T:
        """``ask`` with the files of a window opened; the damaged ones, if any, are left out and told in the log."""
        damaged: set[str] = set()

        def attempt() -> T:
            names = [name for name in self._names(start_ms, end_ms) if name.text not in damaged]
            while True:
                try:
                    return ask([self._files[name] for name in names])
                except DamagedFileError as error:
                    if error.name not in {name.text for name in names}:
                        raise
                    damaged.add(error.name)
                    log.warning("file.skipped", extra={"file": error.name, "error": str(error)})
                    names = [name for name in names if name.text not in damaged]

        return retrying(attempt)

    def table(self, query: str, start_ms: int, end_ms: int, **parameters: object) -> pa.Table:
        """The result of a query over a window, whose ends are its parameters ``start_ms`` and ``end_ms``."""
        parameters |= {"start_ms": start_ms, "end_ms": end_ms}
        return self.scan(start_ms, end_ms, lambda uris: self.session.table(query, uris, parameters))

    def uris(self, start_ms: int, end_ms: int, *, check: bool = False) -> list[str]:
        """Where the files of a window are, none superseded; with ``check`` only those that can be read.

        Raises:
            NotARecordingError: the recording has gone.
        """
        names = self._names(start_ms, end_ms)
        return [self._store.uri(name.text) for name in names if not check or self._readable(name)]

    def _names(self, start_ms: int, end_ms: int) -> list[EventsName]:
        names = self._catalog.counting(self._catalog.within(start_ms, end_ms))
        if not names:
            # An empty mount point must not pass for a recording without instants.
            require_marker(self._store)
        return names

    def _readable(self, name: EventsName) -> bool:
        try:
            for kind in KINDS:
                self._files[name].rows(kind)
        except DamagedFileError as error:
            log.warning("file.skipped", extra={"file": name.text, "error": str(error)})
            return False
        return True
