"""Runs SQL over the files of a listing, although some of them may be damaged."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import pyarrow as pa

from vistio_core.replay.duckdb_session import DuckDBSession, Files
from vistio_core.replay.queries import Parameters
from vistio_core.replay.rows import Rows
from vistio_core.storage.catalog import END_MS
from vistio_core.storage.listing import Listing
from vistio_core.storage.log import Log

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

    def rows(
        self,
        query: str,
        window_ms: tuple[int, int] | None,
        parameters: Parameters | None,
        tables: Mapping[str, Any] | None,
        *,
        allow_files: bool,
    ) -> Rows:
        """What a user's query answers over the files of a window, None for all of them; see `Recording.sql`."""
        start_ms, end_ms = window_ms or (0, END_MS)

        def uris(readable: bool) -> list[str]:
            def question(listing: Listing) -> list[str]:
                if readable:
                    listing.leave_out_damaged()
                return listing.uris

            return self._log.read(start_ms, end_ms, question)

        files = Files(uris, window_ms)
        return self.session.rows(query, files, parameters, tables, allow_files=allow_files)
