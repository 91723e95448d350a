"""Any table of this library as a notebook shows it: times in UTC, numbers to three digits, nothing for null. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import pyarrow as pa

from vistio_core.displays import html
from vistio_core.displays.chart import chart
from vistio_core.displays.words import counted, number
from vistio_core.times import format_instant

_TIMELINE = {"start", "normal", "warning", "danger", "instants", "missing"}


@attrs.frozen(repr=False, eq=False)
class Shown:
    """A table that shows itself in a notebook."""

    table: pa.Table

    def __repr__(self) -> str:
        return f"<{counted(self.table.num_rows, 'row')} of {', '.join(self.table.column_names)}>"

    def _repr_html_(self) -> str:
        drawn = timeline_chart(self.table) if {*self.table.column_names} >= _TIMELINE else ""
        return html.box(counted(self.table.num_rows, "row"), drawn, rows_html(self.table))


def show(table: pa.Table) -> Shown:
    """What a notebook shows of a table, such as a timeline (with a chart), gaps or annotations.

    Its first rows are shown, and how many there are; `to_pandas` of a table, or ``polars.from_arrow``, has all of them.
    """
    return Shown(table)


def rows_html(table: pa.Table, columns: Sequence[str] | None = None, one: str = "row") -> str:
    """The first rows of a table as HTML.

    Args:
        table: of this library.
        columns: which ones, in this order; None for all.
        one: what a row is called.
    """
    names = table.column_names if columns is None else list(columns)
    head = [f" {name}" if _is_number(table.schema.field(name).type) else name for name in names]
    first = table.select(names).slice(0, html.MOST_ROWS)
    # As milliseconds: Python's datetimes end before what Arrow can hold.
    for place, name in enumerate(names):
        if pa.types.is_timestamp(first.schema.field(name).type):
            first = first.set_column(place, name, _instants(first[name]))
    rows = [[cell(value) for value in row.values()] for row in first.to_pylist()]
    return html.table(head, rows, of=table.num_rows, one=one)


def cell(value: Any) -> str:
    """One value as text; empty for null."""
    if value is None:
        return ""
    if isinstance(value, float):
        return number(value)
    if isinstance(value, list):
        return ", ".join(map(cell, value))
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def timeline_chart(timeline: pa.Table) -> str:
    """The chart of a table that is shaped as `vistio_core.recording.recording.Recording.timeline` says."""
    starts = timeline["start"].cast(pa.int64()).to_pylist()
    rates = (timeline[name].to_pylist() for name in ("normal", "warning", "danger"))
    return chart(list(zip(starts, *rates, strict=True)))


def gap_lines(gaps: pa.Table) -> list[str]:
    """A line for each gap, as `vistio_core.recording.recording.Recording.gaps` has them, and for what is none."""
    return [
        f"{row['start']} to {row['end']}{_missed(row)}: {row['reason']}"
        for row in gaps.set_column(0, "start", _instants(gaps["start"]))
        .set_column(1, "end", _instants(gaps["end"]))
        .to_pylist()
    ]


def _missed(row: Mapping[str, Any]) -> str:
    if row["missing"] is None:
        return ""
    return f", {counted(row['missing'], 'instant')} of writer {row['writer']}"


def _instants(column: pa.ChunkedArray) -> pa.Array:
    ms = column.cast(pa.timestamp("ms", "UTC"), safe=False).cast(pa.int64()).to_pylist()
    return pa.array([None if each is None else format_instant(each) for each in ms], pa.string())


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))
