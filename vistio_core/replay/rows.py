"""What a query over the log answers: rows that are read when somebody takes them.

It is DuckDB's relation, and does what that one does, but for two things that a relation cannot be told. Times
leave it as this library has them, `vistio_core.storage.format.INSTANT`, so that its tables join with all others:
DuckDB knows no milliseconds with a zone. And it outlives the files that it was made of: those that a recorder
merged or sealed away meanwhile are listed anew (`Reading`).

Not in here: what a query may be (`vistio_core.replay.queries`), and how DuckDB is set up (`duckdb_session`).
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import pyarrow as pa

from vistio_core import tables
from vistio_core.storage.format import INSTANT

if TYPE_CHECKING:
    import duckdb

T = TypeVar("T")


class Reading(Protocol):
    """What stands between a query and the files."""

    def ask(self, question: Callable[[], T]) -> T:
        """What ``question`` says of the files as they are.

        Raises:
            VistioError: in place of DuckDB's own errors.
        """
        ...


class Rows:
    """Rows that a query answers, as a lazy DuckDB relation has them: `df`, `fetchall`, `filter`, `show` and all else.

    Each method runs the query again. Times with a zone are milliseconds in UTC in whatever table they
    are handed out in; what is finer is cut off.
    """

    def __init__(self, relation: Any, reading: Reading) -> None:
        self._relation = relation
        self._reading = reading

    @property
    def relation(self) -> duckdb.DuckDBPyRelation:
        """DuckDB's own, for whoever wants exactly that: its times are microseconds, and its errors DuckDB's."""
        found: duckdb.DuckDBPyRelation = self._relation
        return found

    def to_arrow_table(self, batch_size: int = 1_000_000) -> pa.Table:
        """All rows as an Arrow table."""
        return self._asked(self._relation.to_arrow_table, batch_size)

    def to_pandas(self) -> Any:
        """All rows as a pandas ``DataFrame``, by way of Arrow: DuckDB's own way ends in what pandas 3 warns of.

        Raises:
            MissingLibraryError: pandas is not installed.
        """
        return tables.to_pandas(self.to_arrow_table())

    # As DuckDB calls it.
    df = fetchdf = to_df = to_pandas

    def to_polars(self) -> Any:
        """All rows as a polars ``DataFrame``.

        Raises:
            MissingLibraryError: polars is not installed.
        """
        return tables.to_polars(self.to_arrow_table())

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        found = self._reading.ask(lambda: getattr(self._relation, name))
        if not callable(found):
            return self._ours(found)

        @wraps(found)
        def asked(*args: Any, **keywords: Any) -> Any:
            return self._asked(found, *args, **keywords)

        return asked

    def __dir__(self) -> list[str]:
        return sorted(
            {*super().__dir__(), *(name for name in dir(self._relation) if not name.startswith("_"))}
        )

    def __getitem__(self, column: str) -> Rows:
        return Rows(self._reading.ask(lambda: self._relation[column]), self._reading)

    def __contains__(self, column: str) -> bool:
        return column in self._relation

    def __len__(self) -> int:
        return self._reading.ask(lambda: len(self._relation))

    def __repr__(self) -> str:
        return self._reading.ask(lambda: repr(self._relation))

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return self._reading.ask(lambda: self._relation._repr_mimebundle_(include, exclude))

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.to_arrow_reader().__arrow_c_stream__(requested_schema)

    def _asked(self, method: Callable[..., Any], /, *args: Any, **keywords: Any) -> Any:
        """What a method of the relation says; other rows may be among its arguments."""
        plain = [each._relation if isinstance(each, Rows) else each for each in args]
        named = {name: each._relation if isinstance(each, Rows) else each for name, each in keywords.items()}
        return self._ours(self._reading.ask(lambda: method(*plain, **named)))

    def _ours(self, found: Any) -> Any:
        if (
            type(found).__module__ == type(self._relation).__module__
        ):  # a relation, or one that is being grouped
            return Rows(found, self._reading)
        return in_milliseconds(found)


def in_milliseconds(table: Any) -> Any:
    """A table, a reader or a data frame, its times with a zone as `INSTANT`; anything else as it is."""
    if isinstance(table, pa.Table):
        return table.cast(_schema_in_ms(table.schema), safe=False)
    if isinstance(table, pa.RecordBatchReader):
        return _reader_in_ms(table)
    # Who has a data frame has imported its library, wholly; in others it may be on its way, by another thread.
    library = type(table).__module__.partition(".")[0]
    if library == "pandas" and hasattr(table, "dtypes"):
        pandas = sys.modules["pandas"]
        zoned = [name for name, kind in table.dtypes.items() if isinstance(kind, pandas.DatetimeTZDtype)]
        return table.astype(dict.fromkeys(zoned, "datetime64[ms, UTC]"))
    if library == "polars" and hasattr(table, "with_columns"):
        times = sys.modules["polars"].selectors.datetime(time_zone="*")
        return table.with_columns(times.dt.cast_time_unit("ms"))
    return table


def _reader_in_ms(reader: pa.RecordBatchReader) -> pa.RecordBatchReader:
    schema = _schema_in_ms(reader.schema)
    batches = (
        cast
        for batch in reader
        for cast in pa.Table.from_batches([batch]).cast(schema, safe=False).to_batches()
    )
    return pa.RecordBatchReader.from_batches(schema, batches)


def _schema_in_ms(schema: pa.Schema) -> pa.Schema:
    return pa.schema([field.with_type(_in_ms(field.type)) for field in schema], schema.metadata)


def _in_ms(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        return INSTANT
    if pa.types.is_list(kind):
        return pa.list_(_in_ms(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(_in_ms(field.type)) for field in kind])
    return kind
