"""What `vistio-record run` keeps out of its memory."""

from __future__ import annotations

import subprocess
import sys

_SCRIPT = """
import sys
import numpy as np
import pyarrow as pa
from vistio_core.judging.totals import TOTALS
from vistio_record.memory import keep_pandas_out

keep_pandas_out()
pa.array(np.zeros(3))
pa.chunked_array([[1]]).to_numpy()
TOTALS.empty_table()  # with decimals
assert "pandas" not in sys.modules
import pandas

assert pa.table({"a": [1]}).to_pandas()["a"].tolist() == [1]
assert pa.array(pandas.Series([1.0, None])).null_count == 1
"""


def test_arrow_does_not_import_pandas_in_a_recorder_and_others_may() -> None:
    subprocess.run([sys.executable, "-c", _SCRIPT], check=True, timeout=60)
