"""Arrow tables as other libraries have them, which are imported when somebody asks: none of them is needed else."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Literal

import pyarrow as pa

from vistio_core.errors import MissingLibraryError, UsageError

Of = Literal["edges", "nodes"]
"""Which one, of a value that has two tables."""


class OneTable(ABC):
    """Mixed into a value that is, for the most part, one table."""

    __slots__ = ()

    @property
    @abstractmethod
    def table(self) -> Any:
        """Its rows, a ``pyarrow.Table``."""

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def to_pandas(self) -> Any:
        """The table as a pandas ``DataFrame``.

        Raises:
            MissingLibraryError: pandas is not installed.
        """
        return to_pandas(self.table)

    def to_polars(self) -> Any:
        """The table as a polars ``DataFrame``.

        Raises:
            MissingLibraryError: polars is not installed.
        """
        return to_polars(self.table)


class TwoTables(ABC):
    """Mixed into a value that has a table of its edges and one of its nodes."""

    __slots__ = ()

    @abstractmethod
    def _tables(self) -> tuple[pa.Table, pa.Table]:
        """Of edges and of nodes."""

    def to_pandas(self, of: Of = "edges") -> Any:
        """The table of edges or of nodes as a pandas ``DataFrame``.

        Raises:
            MissingLibraryError: pandas is not installed.
            UsageError: ``of`` is neither ``edges`` nor ``nodes``.
        """
        return to_pandas(self._table(of))

    def to_polars(self, of: Of = "edges") -> Any:
        """The table of edges or of nodes as a polars ``DataFrame``.

        Raises:
            MissingLibraryError: polars is not installed.
            UsageError: ``of`` is neither ``edges`` nor ``nodes``.
        """
        return to_polars(self._table(of))

    def _table(self, of: str) -> pa.Table:
        if of not in ("edges", "nodes"):
            raise UsageError(f"of {of!r}: use edges or nodes")
        edges, nodes = self._tables()
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
