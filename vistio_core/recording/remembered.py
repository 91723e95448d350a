"""Tables that need not be worked out again, within so many bytes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable

import pyarrow as pa


class RememberedTables:
    """Keeps the tables used last; safe to use from several threads."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._tables: OrderedDict[Hashable, pa.Table] = OrderedDict()
        self._mutex = threading.Lock()

    def get(self, key: Hashable) -> pa.Table | None:
        with self._mutex:
            if key in self._tables:
                self._tables.move_to_end(key)
            return self._tables.get(key)

    def put(self, key: Hashable, table: pa.Table) -> None:
        with self._mutex:
            replaced = self._tables.pop(key, None)
            self._tables[key] = table
            self._bytes += table.nbytes - (0 if replaced is None else replaced.nbytes)
            while self._bytes > self._most_bytes:
                _, oldest = self._tables.popitem(last=False)
                self._bytes -= oldest.nbytes
