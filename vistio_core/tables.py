"""Arrow tables as other libraries have them, which are imported when somebody asks: none of them is needed else."""

from __future__ import annotations

from typing import Any, Literal

import pyarrow as pa

from vistio_core.errors import MissingLibraryError, UsageError

Of = Literal["edges", "nodes"]
"""Which one, of a value that has two tables."""


def chosen(of: str, *, edges: pa.Table, nodes: pa.Table) -> pa.Table:
    """The table that somebody asked for by its name.

    Raises:
        UsageError: ``of`` is neither ``edges`` nor ``nodes``.
    """
    if of not in ("edges", "nodes"):
        raise UsageError(f"of {of!r}: use edges or nodes")
    return edges if of == "edges" else nodes


def to_pandas(table: pa.Table) -> Any:
    """The same rows as a pandas ``DataFrame``: times in UTC by the millisecond, null as pandas has it (NaN, NaT, None).

    Raises:
        MissingLibraryError: pandas is not installed.
    """
    try:
        import pandas  # noqa: F401  # Arrow would import it, and say less where it is missing
    except ImportError as error:
        raise MissingLibraryError("pandas", "to_pandas") from error
    return table.to_pandas()


def to_polars(table: pa.Table) -> Any:
    """The same rows as a polars ``DataFrame``.

    Raises:
        MissingLibraryError: polars is not installed.
    """
    try:
        import polars
    except ImportError as error:
        raise MissingLibraryError("polars", "to_polars") from error
    return polars.from_arrow(table)
