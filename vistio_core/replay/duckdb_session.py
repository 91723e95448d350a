"""DuckDB at the rim: a database in memory per recording, a cursor per query, views over files.

Nothing of where it runs reaches an answer: neither the machine's time zone, nor extensions that happen to be
installed, nor variables of Python that are called like a table. It reads the recording and no other file, and
a query cannot change that.

It is imported when something is first asked of it: a recorder never does, and would pay 50 MB for it.
"""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from tempfile import gettempdir
from typing import TYPE_CHECKING, Any, TypeVar

import pyarrow as pa

from vistio_core.replay.queries import Parameters, bound, require_reading, tables_of, told
from vistio_core.replay.rows import Rows, in_milliseconds
from vistio_core.storage.format import SCHEMA
from vistio_core.times import format_instant

if TYPE_CHECKING:
    import duckdb

T = TypeVar("T")

_ATTEMPTS = 30

_SHARED = "instant, writer, cluster, rule"
# Writer and supplement stand in the file's name only. DuckDB evaluates this once per file, not per row.
# The files are a variable: a long history has thousands, which would be parsed for each view.
_EVENTS = r"""(
    select * exclude (filename),
        regexp_extract(filename, '_([a-z0-9-]+)([.][0-9]+)?[.]parquet$', 1) as writer,
        coalesce(try_cast(regexp_extract(filename, '[.]([0-9]+)[.]parquet$', 1) as integer), 0) as supplement
    from read_parquet(getvariable('files'), hive_partitioning = false, filename = true)
)"""
VIEWS: Mapping[str, str] = {
    "samples": f"select {_SHARED}, source, target, status, rate from events where kind = 'sample'",
    "scrapes": f"""select {_SHARED}, supplement, outcome, error, series, dropped, dropped_by_reason, warnings,
        duration_ms, interval_ms, configuration, backfilled from events where kind = 'outcome'""",
    "measurements": f"select {_SHARED}, source, target, measure, value, labels from events where kind = 'measurement'",
}


class DuckDBSession:
    """Runs SQL over lists of Parquet files."""

    def __init__(
        self, folder: str | None = None, *, threads: int | None = None, memory_bytes: int | None = None
    ) -> None:
        """A session that begins when it is first used.

        Args:
            folder: below which all files lie; None: it reads none.
            threads: how many one query may use; None for as many as there are cores.
            memory_bytes: how much DuckDB may use; what does not fit goes to the temporary directory. None
                for its own limit, most of the machine's memory.
        """
        self._folder = folder
        self._threads = threads
        self._memory_bytes = memory_bytes
        self._mutex = threading.Lock()
        self._databases: dict[bool, duckdb.DuckDBPyConnection] = {}

    def _cursor(self, *, allow_files: bool = False) -> duckdb.DuckDBPyConnection:
        with self._mutex:
            if allow_files not in self._databases:
                # Made when it is first needed: a graph of one instant never does (decision 0003).
                self._databases[allow_files] = self._database(allow_files)
            return self._databases[allow_files].cursor()

    def _database(self, allow_files: bool) -> duckdb.DuckDBPyConnection:
        import duckdb

        connection = duckdb.connect(
            ":memory:",
            config={
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                "python_enable_replacements": False,
            },
        )
        # Global, for what is only set reaches no cursor.
        connection.execute("set global TimeZone = 'UTC'")
        connection.execute("set global parquet_metadata_cache = true")
        if self._threads is not None:
            connection.execute(f"set global threads = {self._threads}")
        if self._memory_bytes is not None:
            connection.execute(f"set global memory_limit = '{self._memory_bytes}B'")
        # Its own choice is the directory in which the process happens to be, which may be read-only. Each database
        # has another one: names of files in it repeat.
        folder = f"{gettempdir()}/vistio-duckdb-{os.getpid()}-{secrets.token_hex(4)}"
        connection.execute(f"set global temp_directory = {_quoted(folder)}")
        if not allow_files:
            if self._folder is not None:
                connection.execute(f"set global allowed_directories = [{_quoted(self._folder)}]")
            connection.execute("set global enable_external_access = false")
        connection.execute("set global lock_configuration = true")
        return connection

    def table(
        self,
        query: str,
        uris: Sequence[str],
        parameters: Mapping[str, object] | None = None,
        tables: Mapping[str, pa.Table] | None = None,
    ) -> pa.Table:
        """The whole result of a query of ours over the views of `VIEWS` on these files; times are milliseconds.

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
                return in_milliseconds(cursor.sql(query, params=dict(parameters or {})).to_arrow_table())
            except (duckdb.IOException, duckdb.OutOfMemoryException) as error:
                raise told(error, list(VIEWS)) from error

    def rows(
        self,
        query: str,
        files: Files,
        parameters: Parameters | None = None,
        tables: Mapping[str, Any] | None = None,
        *,
        allow_files: bool = False,
    ) -> Rows:
        """What a user's query answers over the views of `VIEWS`.

        Args:
            query: one that returns rows.
            files: which files, and which window of them.
            parameters: of the query.
            tables: that the query may name, too.
            allow_files: whether it may name files, too.

        Raises:
            UsageError: the query, its parameters or a table cannot be used; or it does more than read.
        """
        values, own = bound(parameters), tables_of(tables, list(VIEWS))
        cursor = self._cursor(allow_files=allow_files)
        reading = _Reading(cursor, files, (*VIEWS, *own))
        for name, table in own.items():
            cursor.register(name, table)

        def relation() -> duckdb.DuckDBPyRelation:
            require_reading(cursor, query)
            return cursor.sql(query, params=values)

        return Rows(reading.ask(relation), reading)


class Files:
    """The files that a query is asked of, as a window of a log that changes."""

    def __init__(self, uris: Callable[[bool], Sequence[str]], window_ms: tuple[int, int] | None) -> None:
        """Lists nothing yet.

        Args:
            uris: the files as they are now; with True, only those that can be read to their end.
            window_ms: of which instants rows are seen; None for all.
        """
        self.uris = uris
        self.window_ms = window_ms


class _Reading:
    """Keeps a cursor's views on files that are there, for as long as somebody holds rows of it."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, files: Files, known: Sequence[str]) -> None:
        self._cursor = cursor
        self._files = files
        self._known = known
        self._uris: Sequence[str] | None = None

    def ask(self, question: Callable[[], T]) -> T:
        import duckdb

        for _ in range(_ATTEMPTS):
            try:
                if self._uris is None:
                    self._look(damaged_too=True)
                return question()
            except duckdb.Error as error:
                if not _may_be_of_files(error) or not self._renewed():
                    raise told(error, self._known) from error
        raise AssertionError("a list of files that changes with each look")

    def _renewed(self) -> bool:
        """Whether a file of the list has gone, or is found to be damaged: the list is without it then."""
        return self._look(damaged_too=True) or self._look(damaged_too=False)

    def _look(self, *, damaged_too: bool) -> bool:
        before, self._uris = self._uris, self._files.uris(not damaged_too)
        if before == self._uris:
            return False
        _make_views(self._cursor, self._uris, list(VIEWS), self._files.window_ms)
        return True


def _may_be_of_files(error: duckdb.Error) -> bool:
    """Whether a file has gone or is damaged, as far as DuckDB tells: for much that it finds in one it has no kind."""
    import duckdb

    return isinstance(error, duckdb.IOException) or type(error) is duckdb.Error or ".parquet" in str(error)


def _make_views(
    cursor: duckdb.DuckDBPyConnection,
    uris: Sequence[str],
    names: Sequence[str],
    window_ms: tuple[int, int] | None = None,
) -> None:
    """Temporary views, so that cursors on other files do not see them."""
    if not names:
        return
    if uris:
        cursor.execute("set variable files = $1", [list(uris)])
    events = _EVENTS if uris else f"({_no_events()})"
    within = ""
    if window_ms is not None:
        start, end = (f"timestamptz {_quoted(format_instant(ms))}" for ms in window_ms)
        within = f" and instant >= {start} and instant < {end}"
    for name in names:
        query = VIEWS[name].replace("from events", f"from {events}") + within
        cursor.execute(f"create or replace temporary view {name} as {query}")


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
