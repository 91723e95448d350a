"""DuckDB at the rim: one database in memory per recording, a cursor per query, views over files.

It is imported when something is first asked of it: a recorder never does, and would pay 50 MB for it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from functools import cached_property
from tempfile import gettempdir
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from vistio_core.errors import FilesChangedError, UsageError
from vistio_core.storage.format import SCHEMA

if TYPE_CHECKING:
    import duckdb

_SHARED = "instant, writer, cluster, rule"
# Writer and supplement stand in the file's name only. DuckDB evaluates this once per file, not per row.
_EVENTS = r"""
    select * exclude (filename),
        regexp_extract(filename, '_([a-z0-9-]+)([.][0-9]+)?[.]parquet$', 1) as writer,
        coalesce(try_cast(regexp_extract(filename, '[.]([0-9]+)[.]parquet$', 1) as integer), 0) as supplement
    from read_parquet([{files}], hive_partitioning = false, filename = true)
"""
VIEWS: Mapping[str, str] = {
    "samples": f"select {_SHARED}, source, target, status, rate from events where kind = 'sample'",
    "measurements": f"select {_SHARED}, source, target, measure, value, labels from events where kind = 'measurement'",
    "scrapes": f"""select {_SHARED}, supplement, outcome, error, series, dropped, dropped_by_reason, warnings,
        duration_ms, interval_ms, configuration, backfilled from events where kind = 'outcome'""",
}


class DuckDBSession:
    """Runs SQL over lists of Parquet files."""

    def __init__(self, threads: int | None = None, memory_bytes: int | None = None) -> None:
        """A session that begins when it is first used.

        Args:
            threads: how many one query may use; None for as many as there are cores.
            memory_bytes: how much DuckDB may use; what does not fit goes to the temporary directory. None
                for its own limit, most of the machine's memory.
        """
        self._threads = threads
        self._memory_bytes = memory_bytes
        self._mutex = threading.Lock()

    @cached_property
    def _connection(self) -> duckdb.DuckDBPyConnection:
        import duckdb

        # Made when it is first needed: a graph of one instant never does (decision 0003).
        connection = duckdb.connect(":memory:")
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("set parquet_metadata_cache = true")
        if self._threads is not None:
            connection.execute(f"set threads = {self._threads}")
        if self._memory_bytes is not None:
            connection.execute(f"set memory_limit = '{self._memory_bytes}B'")
            # Its own choice is the directory in which the process happens to be, which may be read-only.
            folder = f"{gettempdir()}/vistio-duckdb-{os.getpid()}"
            connection.execute(f"set temp_directory = {_quoted(folder)}")
        return connection

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        with self._mutex:
            return self._connection.cursor()

    def table(
        self,
        query: str,
        uris: Sequence[str],
        parameters: Mapping[str, object] | None = None,
        tables: Mapping[str, pa.Table] | None = None,
    ) -> pa.Table:
        """The whole result of ``query`` over the views of `VIEWS` on these files.

        Args:
            query: one that returns rows.
            uris: the files.
            parameters: of the query.
            tables: tables in memory that the query may name, too.

        Raises:
            FilesChangedError: one of the files has gone meanwhile.
            UsageError: DuckDB needs more memory than it may use.
        """
        import duckdb

        with self._cursor() as cursor:
            try:
                # Making a view opens a file: only those that the query names.
                _make_views(cursor, uris, [name for name in VIEWS if name in query])
                for name, table in (tables or {}).items():
                    cursor.register(name, table)
                return cursor.sql(query, params=dict(parameters or {})).to_arrow_table()
            except duckdb.IOException as error:
                raise FilesChangedError(str(error).partition("\n")[0]) from error
            except duckdb.OutOfMemoryException as error:
                raise UsageError(
                    "this needs more memory than scans may use; ask for a shorter window, or give more"
                    " (vistio-serve --memory, scan_memory_bytes)"
                ) from error

    def relation(self, query: str, uris: Sequence[str]) -> duckdb.DuckDBPyRelation:
        """``query`` as a lazy relation over the views of `VIEWS` on these files.

        Raises:
            FilesChangedError: one of the files has gone meanwhile.
            UsageError: DuckDB does not accept the query; the message is DuckDB's.
        """
        import duckdb

        reading = duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN, duckdb.StatementType.MULTI
        cursor = self._cursor()
        try:
            _make_views(cursor, uris, list(VIEWS))
            if any(statement.type not in reading for statement in cursor.extract_statements(query)):
                raise UsageError(
                    "a recording is only read: use a query that returns rows, such as select or from"
                )
            return cursor.sql(query)
        except duckdb.IOException as error:
            raise FilesChangedError(str(error).partition("\n")[0]) from error
        except duckdb.Error as error:
            raise UsageError(f"{error}\nthe tables are samples, scrapes and measurements") from error


def _make_views(cursor: duckdb.DuckDBPyConnection, uris: Sequence[str], names: Sequence[str]) -> None:
    """Temporary views, so that cursors on other files do not see them."""
    if not names and not uris:
        return
    events = _EVENTS.format(files=", ".join(map(_quoted, uris))) if uris else _no_events()
    cursor.execute(f"create or replace temporary view events as {events}")
    for name in names:
        cursor.execute(f"create or replace temporary view {name} as {VIEWS[name]}")


def _no_events() -> str:
    columns = ", ".join(f"null::{_duckdb_type(field.type)} as {field.name}" for field in SCHEMA)
    return f"select {columns}, null::varchar as writer, null::integer as supplement where false"


def _duckdb_type(arrow: Any) -> str:
    if pa.types.is_timestamp(arrow):
        return "timestamp with time zone"
    names = {pa.float64(): "double", pa.int64(): "bigint", pa.bool_(): "boolean"}
    return names.get(arrow, "varchar")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
