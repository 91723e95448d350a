"""What keeps a recorder's memory small (`docs/decisions/0022-memory-of-a-recorder.md`). It changes no answer."""

from __future__ import annotations

import gc
import sys
from importlib.abc import MetaPathFinder

import numpy as np
import pyarrow as pa

# A scrape makes a hundred thousand small tuples at once and no cycles. With Python's own
# threshold of 700 the collector looks at them again and again, for a third of a scrape's time.
COLLECT = (100_000, 10, 10)
"""When Python's collector looks for cycles (`gc.set_threshold`): hardly ever, so there must be none."""


def keep_small() -> None:
    """For a process that records; `vistio_record.__main__` has another part, which must come before all imports."""
    gc.set_threshold(*COLLECT)
    # Arrow's own pool keeps what a seal or a large scrape needed; this one gives it back.
    pa.set_memory_pool(pa.system_memory_pool())
    keep_pandas_out()


def keep_pandas_out() -> None:
    """Let Arrow believe that there is no pandas.

    Where it is installed, Arrow imports it to see whether a column is one of its: 40 MB that nothing here
    needs. Who wants pandas (a source from anyone) may still import it.
    """
    finder = _NoPandas()
    sys.meta_path.insert(0, finder)
    try:
        # Its Python and its C++ look, each once.
        pa.chunked_array([pa.array(np.zeros(1))]).to_numpy()
    finally:
        sys.meta_path.remove(finder)


class _NoPandas(MetaPathFinder):
    """Finds no pandas, and leaves all else to the other finders."""

    def find_spec(self, name: str, path: object, target: object = None) -> None:
        if name == "pandas":
            raise ModuleNotFoundError(name)
