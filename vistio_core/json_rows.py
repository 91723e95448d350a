"""Tables as JSON tells them, over HTTP and in the terminal: rows, with times as RFC 3339 text."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from vistio_core.times import format_instant


def rows_of(table: pa.Table) -> list[dict[str, Any]]:
    """A table as JSON-ready rows, its timestamps as RFC 3339 text."""
    columns: dict[str, list[Any]] = {}
    for name in table.column_names:
        column = table[name]
        if pa.types.is_timestamp(column.type):
            in_ms = column.cast(pa.timestamp("ms", "UTC")).cast(pa.int64())
            columns[name] = [None if ms is None else format_instant(ms) for ms in in_ms.to_pylist()]
        else:
            columns[name] = column.to_pylist()
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def span_of(start_ms: int, end_ms: int) -> dict[str, str]:
    """A window's first instant and its end, each as RFC 3339 text."""
    return {"start": format_instant(start_ms), "end": format_instant(end_ms)}
