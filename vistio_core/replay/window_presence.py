"""Which instants were recorded, by whom, and whether anything was seen then; without their samples.

The same as `vistio_core.replay.windows.INSTANTS_QUERY` says, without DuckDB: a recorder asks this each minute,
and DuckDB is 50 MB of a process that needs it for nothing else.
"""

from __future__ import annotations

import pyarrow as pa

from vistio_core.storage.listing import Listing
from vistio_core.storage.parts import failures

PRESENCE = pa.schema(
    [
        pa.field("instant_ms", pa.int64()),
        pa.field("writer", pa.string()),
        pa.field("interval_ms", pa.int64()),
        pa.field("seen", pa.bool_()),
        pa.field("failure", pa.string()),
    ]
)
"""The columns of `presence`, as in `Recording.instants`."""


def presence(listing: Listing) -> pa.Table:
    """Every recorded instant of a listing's span, sorted by writer and instant; columns as in `PRESENCE`."""
    rows: list[tuple[int, str, int, bool, str | None]] = []
    for writer in listing.writers:
        scrapes = {scrape.instant_ms: scrape for scrape in writer.scrapes(listing.start_ms, listing.end_ms)}
        # Of most instants all rules were answered, and that is all there is to say.
        doubtful = writer.instants(ms for ms, scrape in sorted(scrapes.items()) if not scrape.whole)
        unseen_ms = {instant.instant_ms for instant in doubtful if not instant.seen}
        failed = failures(doubtful)
        for instant_ms in sorted(scrapes):
            seen = instant_ms not in unseen_ms
            # The first rule that was not answered, and why.
            told = next(iter(failed.get(instant_ms, {}).values()), None)
            failure = None if told is None else ": ".join(told)
            rows.append((instant_ms, writer.name, scrapes[instant_ms].interval_ms, seen, failure))
    columns = list(zip(*rows, strict=True)) or [()] * len(PRESENCE)
    return pa.table(list(map(pa.array, columns, PRESENCE.types)), schema=PRESENCE)
