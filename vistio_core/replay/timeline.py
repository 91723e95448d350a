"""Traffic and notices over a window, step by step.

Steps are sums and maxima of totals (`totals.py`). Sums of rates are decimals, which is exact: a result does
not depend on the order in which threads or files deliver rows.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from vistio_core.judging.totals import COUNTS, RATES
from vistio_core.replay.duckdb_session import DuckDBSession
from vistio_core.replay.gaps import Gap
from vistio_core.storage.format import INSTANT

_STEPS_QUERY = """
    with instants as (
        select instant_ms, sum(normal) as normal, sum(warning) as warning, sum(danger) as danger,
            sum(edges) as edges, sum(notices_info) as notices_info,
            sum(notices_warning) as notices_warning, sum(notices_error) as notices_error
        from totals
        where instant_ms >= $start_ms and instant_ms < $end_ms and ($cluster is null or cluster = $cluster)
        group by all
    )
    select (instant_ms - $start_ms) // $step_ms as step,
        sum(normal)::double as normal, sum(warning)::double as warning, sum(danger)::double as danger,
        max(edges)::bigint as edges, max(notices_info)::bigint as notices_info,
        max(notices_warning)::bigint as notices_warning, max(notices_error)::bigint as notices_error
    from instants group by all
"""
_SEEN_QUERY = """
    select (instant_ms - $start_ms) // $step_ms as step, count(distinct instant_ms) as instants
    from presence where seen group by all
"""


def steps(
    session: DuckDBSession,
    found: pa.Table,
    presence: pa.Table,
    window_ms: tuple[int, int, int],
    cluster: str | None,
    gaps: Sequence[Gap],
) -> pa.Table:
    """From totals to steps; the shape is told at `Recording.timeline`.

    Args:
        session: where the query runs.
        found: `totals` of the window; may hold more.
        presence: every instant of the window: instant_ms (int64), seen (bool).
        window_ms: start, end and step.
        cluster: the only one to count, or None.
        gaps: every gap of the window.
    """
    start_ms, end_ms, step_ms = window_ms
    number = -(-(end_ms - start_ms) // step_ms)
    parameters = {"start_ms": start_ms, "end_ms": end_ms, "step_ms": step_ms, "cluster": cluster}
    rows = session.table(_STEPS_QUERY, (), parameters, {"totals": found}).to_pylist()
    by_step = {row["step"]: row for row in rows}
    counts = [0] * number
    for row in session.table(
        _SEEN_QUERY, (), {"start_ms": start_ms, "step_ms": step_ms}, {"presence": presence}
    ).to_pylist():
        counts[row["step"]] = row["instants"]

    def mean(name: str) -> list[float | None]:
        # A step without any instant has no rate; that is not a rate of zero.
        return [
            by_step[step][name] / count if count and step in by_step else 0.0 if count else None
            for step, count in enumerate(counts)
        ]

    def most(name: str) -> list[int]:
        return [by_step[step][name] if step in by_step else 0 for step in range(number)]

    return pa.table(
        {
            "start": pa.array([start_ms + step * step_ms for step in range(number)], INSTANT),
            **{name: pa.array(mean(name), pa.float64()) for name in RATES},
            "edges": pa.array(most("edges"), pa.int64()),
            "instants": pa.array(counts, pa.int64()),
            "missing": pa.array(_missing(gaps, start_ms, step_ms, number), pa.int64()),
            **{name: pa.array(most(name), pa.int64()) for name in COUNTS[1:]},
        }
    )


def _missing(gaps: Sequence[Gap], start_ms: int, step_ms: int, steps: int) -> list[int]:
    missing = [0] * steps
    for gap in gaps:
        spacing_ms = (gap.end_ms - gap.start_ms) / gap.missing
        for index in range(gap.missing):
            step = int(gap.start_ms + index * spacing_ms - start_ms) // step_ms
            if 0 <= step < steps:
                missing[step] += 1
    return missing
