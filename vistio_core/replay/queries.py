"""What a query over the log may be, and DuckDB's errors in words for whoever wrote it.

A query comes from the user of the library, who may run any code; but it is often a text that came from elsewhere,
and text should not read what it was not given. DuckDB is closed for it (`duckdb_session`); here it is
refused what would only fail there, or would change something.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from vistio_core.errors import FilesChangedError, UsageError, VistioError
from vistio_core.scalars import plain

if TYPE_CHECKING:
    import duckdb

Parameters = Mapping[str, object] | Sequence[object]
"""Values of a query, by name (``$name``) or by place (``?``)."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_EXPLAIN = re.compile(
    r"(?:\s|--[^\n]*(?:\n|$)|/\*.*?\*/)*explain\b(?:\s|--[^\n]*(?:\n|$)|/\*.*?\*/)*"
    r"(?:analyze\b|\([^()]*\))?",
    re.IGNORECASE | re.DOTALL,
)
_ONLY_READ = "a recording is only read: use one query that returns rows, such as select or from"


def require_reading(cursor: duckdb.DuckDBPyConnection, query: str) -> None:
    """Refuse what is not one query that returns rows.

    Raises:
        UsageError: it is another statement, several of them, or none.
        duckdb.Error: it is no SQL.
    """
    import duckdb

    statements = cursor.extract_statements(query)
    if len(statements) != 1:
        raise UsageError(f"{len(statements)} statements: {_ONLY_READ}")
    kind = statements[0].type
    if kind == duckdb.StatementType.EXPLAIN:
        # `explain analyze` does what it explains.
        return require_reading(cursor, _EXPLAIN.sub("", query, count=1))
    # MULTI is a pivot, whose columns are looked up first.
    if kind not in (duckdb.StatementType.SELECT, duckdb.StatementType.MULTI):
        raise UsageError(f"{kind.name.lower().replace('_', ' ')}: {_ONLY_READ}")
    return None


def bound(parameters: Parameters | None) -> dict[str, object] | list[object] | None:
    """Values as DuckDB takes them; those of pandas, numpy and Arrow among them.

    Raises:
        UsageError: neither by name nor by place.
    """
    if parameters is None:
        return None
    if isinstance(parameters, Mapping):
        return {name: plain(value) for name, value in parameters.items()}
    if isinstance(parameters, str | bytes) or not isinstance(parameters, Sequence):
        raise UsageError(
            f"parameters {parameters!r}: use a list of values for ?, or a mapping of names to values for $name"
        )
    return [plain(value) for value in parameters]


def tables_of(tables: Mapping[str, Any] | None, reserved: Sequence[str]) -> dict[str, pa.Table]:
    """The user's own tables as Arrow's, by the names that the query may use.

    Raises:
        UsageError: a name is none, or taken; or what it names is no table.
    """
    found = {}
    for name, table in (tables or {}).items():
        if not _NAME.fullmatch(name):
            raise UsageError(f"table {name!r}: use a name of letters, digits and _")
        if name.lower() in reserved:
            raise UsageError(f"table {name!r}: the recording has a table of this name; use another one")
        try:
            found[name] = pa.table(table)
        except (TypeError, ValueError, pa.ArrowException) as error:
            raise UsageError(
                f"table {name!r}: is {type(table).__name__}; use a table of Arrow, pandas or polars ({error})"
            ) from error
    return found


def told(error: duckdb.Error, known: Sequence[str]) -> VistioError:
    """DuckDB's error as one of ours.

    Args:
        error: what it raised.
        known: the names of the tables that the query may use.
    """
    import duckdb

    if isinstance(error, duckdb.OutOfMemoryException):
        return UsageError(
            "this needs more memory than scans may use; ask for a shorter window, or give more"
            " (vistio-serve --memory, scan_memory_bytes)"
        )
    if isinstance(error, duckdb.PermissionException):
        return UsageError(
            f"{_first_line(error)}: a query reads the recording and nothing else; give tables with tables=, or allow"
            " files with allow_files=True if you trust the query"
        )
    if isinstance(error, duckdb.IOException):
        return FilesChangedError(_first_line(error))
    if isinstance(error, duckdb.CatalogException | duckdb.BinderException | duckdb.ParserException):
        *others, last = known
        return UsageError(f"{error}\nthe tables are {', '.join(others)} and {last}")
    return UsageError(str(error))


def _first_line(error: duckdb.Error) -> str:
    return str(error).partition("\n")[0]
