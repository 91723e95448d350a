"""Edges' rates as CSV and Parquet, piece by piece: however long a window is, some instants of it are in memory."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping

import pyarrow as pa
import pyarrow.parquet as pq

from vistio_core.recording.edge_rates import EDGE_RATES
from vistio_core.times import format_instant

_ROWS_AT_ONCE = 32_768


def as_csv(tables: Iterable[pa.Table]) -> Iterator[bytes]:
    """Lines: a head, then a row each, instants as RFC 3339; what was not seen is an empty field.

    A name that has a comma, a quote or the end of a line stands in quotes (RFC 4180).
    """
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\n")
    writer.writerow(EDGE_RATES.names)
    for table in _some(tables):
        instants_ms = table["instant"].cast(pa.int64()).to_pylist()
        others = (table[name].to_pylist() for name in EDGE_RATES.names[1:])
        told = map(format_instant, instants_ms)
        writer.writerows(zip(told, *others, strict=True))
        yield sink.getvalue().encode()
        sink.seek(0)
        sink.truncate()
    yield sink.getvalue().encode()


def as_parquet(tables: Iterable[pa.Table]) -> Iterator[bytes]:
    """A Parquet file with the columns of `EDGE_RATES`, zstd; what was not seen is null."""
    sink = _Taken()
    with pq.ParquetWriter(pa.PythonFile(sink, mode="w"), EDGE_RATES, compression="zstd") as writer:
        for table in _some(tables):
            writer.write_table(table)
            yield sink.take()
    yield sink.take()


WRITERS: Mapping[str, tuple[Callable[[Iterable[pa.Table]], Iterator[bytes]], str]] = {
    "csv": (as_csv, "text/csv; charset=utf-8"),
    "parquet": (as_parquet, "application/vnd.apache.parquet"),
}
"""By format: who writes it, and its content type."""


def _some(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """The tables of instants, some thousand rows at a time."""
    gathered: list[pa.Table] = []
    rows = 0
    for table in tables:
        gathered.append(table)
        rows += table.num_rows
        if rows >= _ROWS_AT_ONCE:
            yield pa.concat_tables(gathered).unify_dictionaries()
            gathered, rows = [], 0
    if rows:
        yield pa.concat_tables(gathered).unify_dictionaries()


class _Taken:
    """What Arrow writes into, and somebody takes away meanwhile."""

    closed = False

    def __init__(self) -> None:
        self._written: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._written.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        taken, self._written = b"".join(self._written), []
        return taken

    def flush(self) -> None: ...

    def close(self) -> None: ...
