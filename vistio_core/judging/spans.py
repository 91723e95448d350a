"""When each edge was first and last there, in a stretch of time. Pure.

    instant   edge                 edge        first      last
    05:00     cart > db
    05:10     cart > db, web > cart            cart > db   05:00      05:10
    05:20     web > cart           web > cart  05:10      05:20

An edge is there when the graph of the instant shows traffic of it, be that 0: a counter that stands still. Stretches
are joined by the least and the greatest instant, so it does not matter how time was cut.

What must not be in here: what was not seen (`vistio_core.replay.lifetimes`), and files (`vistio_core.replay.rollups`).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pyarrow as pa

from vistio_core.graph.numbering import edge_digits
from vistio_core.judging.codes import numbered
from vistio_core.judging.judge import Judge
from vistio_core.judging.rule_edges import EdgeRows

_TEXT = pa.dictionary(pa.int32(), pa.string())
EDGE = ("cluster", "source", "target")
SPANS = pa.schema(
    [
        *(pa.field(name, _TEXT) for name in EDGE),
        pa.field("first_ms", pa.int64()),
        pa.field("last_ms", pa.int64()),
    ]
)
"""The columns of `edge_spans`: an edge, and the first and the last instant at which it was there."""


def edge_spans(judge: Judge, edges: EdgeRows) -> pa.Table:
    """From what was seen of edges to one row for each; the columns are those of `SPANS`, in any order."""
    numbers, edge = numbered(judge.edge_numbers(edges.cluster, edges.source, edges.target))
    first = np.full(len(numbers), np.iinfo(np.int64).max)
    last = np.full(len(numbers), np.iinfo(np.int64).min)
    np.minimum.at(first, edge, edges.instant_ms)
    np.maximum.at(last, edge, edges.instant_ms)
    names = pa.array(judge.names.values, pa.string())
    ends = [
        pa.DictionaryArray.from_arrays(pa.array(digits.astype(np.int32)), names)
        for digits in edge_digits(numbers)
    ]
    return pa.table([*ends, first, last], schema=SPANS)


def joined(parts: Iterable[pa.Table]) -> pa.Table:
    """The spans of several stretches as those of all of them, sorted by cluster, source and target.

    Shape: as `SPANS`, of texts instead of dictionaries.
    """
    table = pa.concat_tables([SPANS.empty_table(), *parts]).unify_dictionaries()
    found = table.group_by(list(EDGE)).aggregate([("first_ms", "min"), ("last_ms", "max")])
    found = found.rename_columns([*EDGE, "first_ms", "last_ms"])
    texts = pa.schema([(name, pa.string()) for name in EDGE]).append(SPANS.field(3)).append(SPANS.field(4))
    return found.cast(texts).sort_by([(name, "ascending") for name in EDGE])
