"""What keeps a recorder's memory small (`docs/decisions/0022-memory-of-a-recorder.md`). It changes no answer."""

from __future__ import annotations

import gc

import pyarrow as pa

# A scrape makes a hundred thousand small tuples at once and no cycles. With Python's own
# threshold of 700 the collector looks at them again and again, for a third of a scrape's time.
COLLECT = (100_000, 10, 10)
"""When Python's collector looks for cycles (`gc.set_threshold`): hardly ever, so there must be none."""


def keep_small() -> None:
    """For a process that records, beside what `vistio_record.__main__` and `vistio_core.commandline.starting` do."""
    gc.set_threshold(*COLLECT)
    # Arrow's own pool keeps what a seal or a large scrape needed; this one gives it back.
    pa.set_memory_pool(pa.system_memory_pool())
