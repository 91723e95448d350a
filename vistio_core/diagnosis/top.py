"""Who has most of something in a window: traffic, errors, latency, change. Pure.

Rates are the means of a comparison (`vistio_core.replay.window_means`): a window beside nothing is all that it has, and
beside another window it is what changed. A part that is nothing, while a rule was not answered, is not known:

    mesh/http was answered at no instant     INTERNET > mesh   7.0 a second     known
    (only latencies were measured of cart)   cart              null             unseen: mesh/http
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vistio_core.diagnosis.latencies import Ends
from vistio_core.errors import UsageError
from vistio_core.json_rows import rows_of
from vistio_core.judging.totals import RATES
from vistio_core.replay.comparison import Moment, compare

By = Literal["traffic", "errors", "latency", "change"]
RANKED_BY: Mapping[By, str] = {
    "traffic": "rps",
    "errors": "danger",
    "latency": "latency_ms",
    "change": "change_rps",
}
"""What can be asked for, and the column that is then the largest first."""
_NOTHING = Moment(0, 0, 0, True, (), np.zeros((0, 3), np.int64), np.zeros((0, 3)), np.zeros((0, 2), np.int64))


def check_by(by: str, before: object) -> None:
    """Refuse what nobody can be ranked by, and a window before where nothing is compared.

    Raises:
        UsageError: lists what there is.
    """
    if by not in get_args(By):
        raise UsageError(f"by {by!r}: use {', '.join(get_args(By))}")
    if before is not None and by != "change":
        raise UsageError(f"before {before!r}: only by 'change' compares two windows, this is by {by!r}")


def top_table(
    window: Moment, by: By, *, before: Moment | None = None, latencies: Mapping[Ends, float] | None = None
) -> pa.Table:
    """All nodes and edges of a window, who has most first; the shape is told at `Recording.top`.

    Args:
        window: what it shows.
        by: what of it.
        before: for ``change``, what it is compared with.
        latencies: for ``latency``, milliseconds by `Ends`.
    """
    found = compare(before or _NOTHING, window)
    named = [
        found.nodes.add_column(2, "target", pa.nulls(found.nodes.num_rows, pa.string())),
        found.edges.rename_columns(["cluster", "node", "target", *found.edges.column_names[3:]]),
    ]
    table = _measured(pa.concat_tables([each.replace_schema_metadata(None) for each in named]), by)
    if by == "latency":
        ends = zip(*(table[name].to_pylist() for name in ("cluster", "node", "target")), strict=True)
        known = latencies or {}
        table = table.append_column("latency_ms", pa.array([known.get(each) for each in ends], pa.float64()))
    # A node before its edges; with its null it would come after them.
    by_name = table.select(["cluster", "node"]).append_column("target", pc.fill_null(table["target"], ""))
    keys = by_name.append_column("most", table[RANKED_BY[by]])
    names = [(name, "ascending") for name in ("cluster", "node", "target")]
    return table.take(pc.sort_indices(keys, [("most", "descending"), *names]))


def top_document(table: pa.Table, most: int) -> dict[str, Any]:
    """As JSON tells it, over HTTP and in the terminal; at most so many nodes, and as many edges, are listed."""
    of_edges = table["target"].is_valid()
    parts = {"nodes": table.filter(pc.invert(of_edges)), "edges": table.filter(of_edges)}
    return {kind: rows_of(rows.slice(0, most)) for kind, rows in parts.items()}


def _measured(rows: pa.Table, by: By) -> pa.Table:
    """From the columns of a comparison to those of the answer."""
    unseen, sides = rows["after_unseen"], ("before", "after")
    rates = {side: [rows[f"{side}_{name}"] for name in RATES] for side in sides}
    of_all = {side: pc.add(pc.add(*rates[side][:2]), rates[side][2]) for side in sides}
    # What was seen of it is nothing, and something was not seen.
    unknown = pc.and_kleene(pc.equal(of_all["after"], 0.0), pc.greater(pc.list_value_length(unseen), 0))
    nothing = pa.scalar(None, pa.float64())
    known = [pc.if_else(unknown, nothing, column) for column in rates["after"]]
    rps = pc.if_else(unknown, nothing, of_all["after"])
    columns = {name: rows[name] for name in ("cluster", "node", "target")}
    columns |= {"rps": rps, **dict(zip(RATES, known, strict=True))}
    columns["error_share"] = pc.divide(known[2], pc.if_else(pc.greater(rps, 0.0), rps, nothing))
    if by == "change":
        columns |= {"before_rps": of_all["before"], "change_rps": rows["change_rps"]}
        both = zip(rows["before_unseen"].to_pylist(), unseen.to_pylist(), strict=True)
        unseen = pa.array([sorted({*one, *other}) for one, other in both], pa.list_(pa.string()))
    return pa.table({**columns, "unseen": unseen})
