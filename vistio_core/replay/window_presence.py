"""Which instants were recorded, by whom, and whether anything was seen then; without their samples.

The same as `vistio_core.replay.windows.INSTANTS_QUERY` says, without DuckDB: a recorder asks this each minute,
and DuckDB is 50 MB of a process that needs it for nothing else.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from vistio_core.storage.listing import Listing
from vistio_core.storage.parts import failures

PRESENCE = pa.schema(
    [
        pa.field("instant_ms", pa.int64()),
        pa.field("writer", pa.string()),
        pa.field("interval_ms", pa.int64()),
        pa.field("seen", pa.bool_()),
        pa.field("failure", pa.string()),
        pa.field("configuration", pa.dictionary(pa.int32(), pa.string())),
        pa.field(
            "failed",
            pa.list_(pa.struct([(name, pa.string()) for name in ("cluster", "rule", "outcome", "error")])),
        ),
    ]
)
"""The columns of `presence`, as in `Recording.instants`; and all rules that were not answered, mostly none (null)."""


def newest_of_each(listing: Listing) -> pa.Table:
    """The newest instant of each writer in a listing's span; columns as in `PRESENCE`."""
    found = [PRESENCE.empty_table()]
    for writer in listing.writers:
        newest_ms = writer.newest(listing.start_ms, listing.end_ms, seen=False)
        if newest_ms is not None:
            there = presence(listing.within(newest_ms, newest_ms + 1))
            found.append(there.filter(pc.equal(there["writer"], writer.name)))
    return pa.concat_tables(found)


def presence(listing: Listing) -> pa.Table:
    """Every recorded instant of a listing's span, sorted by writer and instant; columns as in `PRESENCE`."""
    rows: list[tuple[int, str, int, bool, str | None, str, list[dict[str, str]] | None]] = []
    for writer in listing.writers:
        scrapes = {scrape.instant_ms: scrape for scrape in writer.scrapes(listing.start_ms, listing.end_ms)}
        # Of most instants all rules were answered, and that is all there is to say.
        doubtful = writer.instants(ms for ms, scrape in sorted(scrapes.items()) if not scrape.whole)
        unseen_ms = {instant.instant_ms for instant in doubtful if not instant.seen}
        failed = failures(doubtful)
        for instant_ms in sorted(scrapes):
            scrape, seen = scrapes[instant_ms], instant_ms not in unseen_ms
            unanswered = [
                {"cluster": cluster, "rule": rule, **told._asdict()}
                for (cluster, rule), told in failed.get(instant_ms, {}).items()
            ]
            # The first rule that was not answered, and why.
            failure = f"{unanswered[0]['outcome']}: {unanswered[0]['error']}" if unanswered else None
            facts = scrape.interval_ms, seen, failure, scrape.configuration, unanswered or None
            rows.append((instant_ms, writer.name, *facts))
    columns = list(zip(*rows, strict=True)) or [()] * len(PRESENCE)
    return pa.table([list(column) for column in columns], schema=PRESENCE)
