"""How a program begins, once it is imported: what keeps it quick and small, and changes no answer.

What must come before the imports stands in each program's ``__main__``: to import anything of `vistio_core`
imports nearly all.
"""

from __future__ import annotations

import gc
import signal
import sys
from importlib.abc import MetaPathFinder
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Callable


def begin(command_line: Callable[[], object], interrupted: Any) -> None:
    """Run a command line that was imported without Python's collector, and with Ctrl-C as the system takes it.

    Args:
        command_line: what a user typed to.
        interrupted: who takes Ctrl-C from now on.
    """
    keep_pandas_out()
    # What was imported stays: nobody needs to look through it again, not even at the end.
    gc.freeze()
    gc.enable()
    signal.signal(signal.SIGINT, interrupted)
    command_line()


def keep_pandas_out() -> None:
    """Let Arrow believe that there is no pandas.

    Where it is installed, Arrow imports it to see whether a column is one of its: 30 MB and a quarter of a second
    that nothing here needs. Who wants pandas (a source from anyone) may still import it.
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
