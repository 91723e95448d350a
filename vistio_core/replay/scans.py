"""Runs SQL over the files of a listing, although some of them may be damaged."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

import pyarrow as pa

from vistio_core.replay.duckdb_session import DuckDBSession
from vistio_core.storage.catalog import END_MS
from vistio_core.storage.listing import Listing
from vistio_core.storage.log import Log

if TYPE_CHECKING:
    import duckdb

log = logging.getLogger(__name__)
T = TypeVar("T")


class Scans:
    """Questions that DuckDB answers."""

    def __init__(self, log: Log, session: DuckDBSession) -> None:
        self._log = log
        self.session = session

    def scan(self, listing: Listing, ask: Callable[[Sequence[str]], T]) -> T:
        """``ask`` where the files of a listing are; the damaged ones, if any, are left out and told in the log."""
        import duckdb  # not before it is asked: see `duckdb_session`

        try:
            return ask(listing.uris)
        except duckdb.Error as error:
            log.warning("scan.repeated", extra={"error": str(error).partition("\n")[0]})
            # DuckDB names no file in most of its errors, so look at each of them.
            listing.leave_out_damaged()
            return ask(listing.uris)

    def table(self, query: str, start_ms: int, end_ms: int) -> pa.Table:
        """The result of a query over a window, whose ends are its parameters ``start_ms`` and ``end_ms``."""
        parameters = {"start_ms": start_ms, "end_ms": end_ms}
        return self._log.read(
            start_ms,
            end_ms,
            lambda listing: self.scan(listing, lambda uris: self.session.table(query, uris, parameters)),
        )

    def relation(self, query: str) -> duckdb.DuckDBPyRelation:
        """A lazy relation over all files; see `Recording.sql`."""
        return self._log.read(0, END_MS, lambda listing: self.session.relation(query, listing.uris))
