"""Which instants were recorded, by whom, and whether anything was seen then; without their samples.

The same as `vistio_core.replay.windows.INSTANTS_QUERY` says, without DuckDB: a recorder asks this each minute,
and DuckDB is 50 MB of a process that needs it for nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vistio_core.events import Outcome
from vistio_core.recording.event_file import EventFile

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

_COLUMNS = ("instant", "cluster", "rule", "outcome", "error", "interval_ms")
_Key = tuple[str, int]
"""Writer and instant."""
_Outcomes = dict[tuple[str, str], tuple[str, str]]
"""Cluster and rule to what counts for it: outcome and error."""


def presence(files: Iterable[EventFile], start_ms: int, end_ms: int) -> pa.Table:
    """Every recorded instant in ``[start_ms, end_ms)``, sorted by writer and instant; columns as in `PRESENCE`.

    Args:
        files: all that hold the window, none superseded.
        start_ms: the window's start.
        end_ms: its end, exclusive.
    """
    intervals: dict[_Key, int] = {}
    doubtful: dict[_Key, _Outcomes] = {}
    # Supplements in their order, after the scrapes: what they say of an instant without one counts for nothing.
    for file in sorted(files, key=lambda file: file.name.supplement):
        if not file.name.overlaps(start_ms, end_ms):
            continue
        rows = file.rows_between("outcome", start_ms, end_ms, _COLUMNS)
        if file.name.supplement:
            _supplement(doubtful, file.name.writer, rows)
        else:
            _note(intervals, doubtful, file.name.writer, rows)
    keys = sorted(intervals)
    failures = [_failure(doubtful.get(key, {})) for key in keys]
    columns = {
        "instant_ms": [instant_ms for _, instant_ms in keys],
        "writer": [writer for writer, _ in keys],
        "interval_ms": [intervals[key] for key in keys],
        "seen": [key not in doubtful or _seen(doubtful[key]) for key in keys],
        "failure": failures,
    }
    return pa.table(columns, schema=PRESENCE)


def _note(
    intervals: dict[_Key, int], doubtful: dict[_Key, _Outcomes], writer: str, outcomes: pa.Table
) -> None:
    """Add a writer's scrapes: of most of them all rules were answered, and that is all there is to say."""
    if not outcomes.num_rows:
        return
    instants = outcomes["instant"].cast(pa.int64()).to_numpy()
    answered = pc.equal(outcomes["outcome"].cast(pa.string()), Outcome.OK.value).to_numpy()
    starts = np.flatnonzero(np.diff(instants, prepend=-1))
    whole = np.logical_and.reduceat(answered, starts).tolist()
    found = zip(
        instants[starts].tolist(), outcomes["interval_ms"].take(pa.array(starts)).to_pylist(), strict=True
    )
    ends = [*starts[1:].tolist(), len(instants)]
    for (instant_ms, interval_ms), good, start, end in zip(found, whole, starts.tolist(), ends, strict=True):
        intervals[writer, instant_ms] = interval_ms
        if not good:
            rows = outcomes.slice(start, end - start).drop_columns("instant").to_pylist()
            doubtful[writer, instant_ms] = {
                (row["cluster"], row["rule"]): (row["outcome"], row["error"] or "") for row in rows
            }


def _supplement(doubtful: dict[_Key, _Outcomes], writer: str, outcomes: pa.Table) -> None:
    """What counts for a rule is the outcome that was answered, else the newest one."""
    instants = outcomes["instant"].cast(pa.int64()).to_pylist()
    for instant_ms, row in zip(instants, outcomes.drop_columns("instant").to_pylist(), strict=True):
        counting = doubtful.get((writer, instant_ms), {})
        rule = row["cluster"], row["rule"]
        if rule in counting and counting[rule][0] != Outcome.OK:
            counting[rule] = row["outcome"], row["error"] or ""


def _seen(outcomes: _Outcomes) -> bool:
    return any(outcome == Outcome.OK for outcome, _ in outcomes.values())


def _failure(outcomes: _Outcomes) -> str | None:
    """The first rule that was not answered, and why."""
    failed = [rule for rule, (outcome, _) in outcomes.items() if outcome != Outcome.OK]
    return ": ".join(outcomes[min(failed)]) if failed else None
