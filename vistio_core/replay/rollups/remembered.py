"""Tables that need not be worked out again, within so many bytes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable

import pyarrow as pa

TABLE_BYTES = 6 * 1024
"""What a table takes beside its values, with its schema and its key: of one instant's presence, all but 50 bytes."""


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
            self._bytes += _size_of(table) - (0 if replaced is None else _size_of(replaced))
            while self._bytes > self._most_bytes:
                _, oldest = self._tables.popitem(last=False)
                self._bytes -= _size_of(oldest)


def _size_of(table: pa.Table) -> int:
    return int(table.nbytes) + TABLE_BYTES
