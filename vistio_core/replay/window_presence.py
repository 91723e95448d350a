"""Which instants were recorded, by whom, and whether anything was seen then; without their samples.

The same as `vistio_core.replay.windows.INSTANTS_QUERY` says, without DuckDB: a recorder asks this each minute,
and DuckDB is 50 MB of a process that needs it for nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa

from vistio_core.events import Outcome
from vistio_core.storage.event_file import EventFile

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

_COLUMNS = ("instant", "cluster", "rule", "outcome", "error")
_Key = tuple[str, int]
"""Writer and instant."""
_Rule = tuple[str, str]
"""Cluster and rule."""
_Outcome = tuple[str, str]
"""Outcome and error."""
_Outcomes = dict[_Rule, _Outcome]
"""What counts for each rule."""


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
        writer = file.name.writer
        if not file.name.overlaps(start_ms, end_ms):
            continue
        if file.name.supplement:
            for key, rule, found in _outcomes(
                writer, file.rows_between("outcome", start_ms, end_ms, _COLUMNS)
            ):
                _supplement(doubtful.get(key, {}), rule, found)
            continue
        inside = [there for there in file.presences if start_ms <= there.instant_ms < end_ms]
        intervals |= {(writer, there.instant_ms): there.interval_ms for there in inside}
        # Of most instants all rules were answered, and that is all there is to say.
        partly_ms = [there.instant_ms for there in inside if not there.whole]
        for rows in file.at_instants("outcome", partly_ms) if partly_ms else ():
            for key, rule, found in _outcomes(writer, rows):
                doubtful.setdefault(key, {})[rule] = found
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


def _outcomes(writer: str, rows: pa.Table) -> Iterator[tuple[_Key, _Rule, _Outcome]]:
    instants = rows["instant"].cast(pa.int64()).to_pylist()
    for instant_ms, row in zip(instants, rows.select(_COLUMNS[1:]).to_pylist(), strict=True):
        yield (writer, instant_ms), (row["cluster"], row["rule"]), (row["outcome"], row["error"] or "")


def _supplement(counting: _Outcomes, rule: _Rule, found: _Outcome) -> None:
    """What counts for a rule is the outcome that was answered, else the newest one."""
    if rule in counting and counting[rule][0] != Outcome.OK:
        counting[rule] = found


def _seen(outcomes: _Outcomes) -> bool:
    return any(outcome == Outcome.OK for outcome, _ in outcomes.values())


def _failure(outcomes: _Outcomes) -> str | None:
    """The first rule that was not answered, and why."""
    failed = [rule for rule, (outcome, _) in outcomes.items() if outcome != Outcome.OK]
    return ": ".join(outcomes[min(failed)]) if failed else None
