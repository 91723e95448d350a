"""What programs keep out of their memory, and off their way, while they start."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

_ARROW = """
import sys
import numpy as np
import pyarrow as pa
from vistio_core.judging.totals import TOTALS
from vistio_core.commandline.starting import keep_pandas_out

keep_pandas_out()
pa.array(np.zeros(3))
pa.chunked_array([[1]]).to_numpy()
TOTALS.empty_table()  # with decimals
assert "pandas" not in sys.modules
import pandas

assert pa.table({"a": [1]}).to_pandas()["a"].tolist() == [1]
assert pa.array(pandas.Series([1.0, None])).null_count == 1
"""
_PROGRAM = """
import gc, os, sys
import PACKAGE.__main__ as program

sys.argv = ["vistio", "--version"]
try:
    program.main()
except SystemExit:
    import pyarrow as pa

    pa.chunked_array([[1]]).to_numpy()
    assert "pandas" not in sys.modules
    assert gc.isenabled()
    assert gc.get_freeze_count() > 10_000
    # A thread that did not call itself something has its process' name; Arrow's memory has one that did.
    own, *others = [open(f"/proc/self/task/{each}/comm").read() for each in sorted(os.listdir("/proc/self/task"))]
    print(others.count(own), "threads")
"""


def test_arrow_does_not_import_pandas_and_others_may() -> None:
    subprocess.run([sys.executable, "-c", _ARROW], check=True, timeout=60)


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux which threads there are")
@pytest.mark.parametrize("package", ["vistio_record", "vistio_serve"])
def test_a_program_starts_without_pandas_and_threads_and_leaves_what_it_imported_alone(package: str) -> None:
    command = [sys.executable, "-c", _PROGRAM.replace("PACKAGE", package)]
    environment = {name: said for name, said in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment)
    assert done.stdout.splitlines()[-1:] == ["0 threads"], done.stderr
