"""Questions about windows of time, answered by DuckDB over the log's files.

Every window is ``[start, end)``. Sums of rates go through DECIMAL: addition of decimals is
exact, so a result does not depend on the order in which threads or files deliver rows. They
are kept to a millionth of a request per second.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pyarrow as pa

from vistio_core.configuration.mapping import StatusClass
from vistio_core.replay.duckdb_session import DuckDBSession
from vistio_core.replay.gaps import Gap, Instant, NotBegun
from vistio_core.storage.format import INSTANT

Classify = Callable[[str, str, str, str], StatusClass]
"""Configuration hash, cluster, rule and status to the class of that status."""

# What counts for a rule is told by `vistio_core.storage.parts.failures`; `arg_max` and `having` say the same here.
# Interval and configuration are the scrape's. Few rules are supplemented, and grouping by rule costs three times of
# all else: only those few are.
INSTANTS_QUERY = """
    with facts as materialized (
        select * from scrapes
        where instant >= make_timestamptz($start_ms * 1000) and instant < make_timestamptz($end_ms * 1000)
    ),
    supplemented as (select distinct instant, writer, cluster, rule from facts where supplement > 0),
    rules as (
        select instant, writer, cluster, rule,
            outcome, error, series, dropped, interval_ms, configuration, backfilled
        from facts anti join supplemented using (instant, writer, cluster, rule)
        union all
        select instant, writer, cluster, rule,
            unnest(arg_max(
                {outcome: outcome, error: error, series: series, dropped: dropped}, (outcome = 'ok', supplement)
            )),
            unnest(arg_min({interval_ms: interval_ms, configuration: configuration}, supplement)),
            true as backfilled
        from facts semi join supplemented using (instant, writer, cluster, rule)
        group by instant, writer, cluster, rule
        having min(supplement) = 0
    )
    select
        instant, writer,
        any_value(interval_ms) as interval_ms,
        bool_or(outcome = 'ok') as seen,
        count(*) as rules,
        count(*) filter (outcome <> 'ok') as failed_rules,
        sum(series)::bigint as series,
        sum(dropped)::bigint as dropped,
        bool_or(backfilled) as backfilled,
        any_value(configuration) as configuration,
        arg_min(outcome || ': ' || coalesce(error, ''), (cluster, rule)) filter (outcome <> 'ok') as failure
    from rules
    group by instant, writer
    order by instant, writer
"""

_RUNS_QUERY = """
    select min(instant_ms) as instant_ms, max(instant_ms) as last_ms, writer,
        any_value(interval_ms) as interval_ms, any_value(seen) as seen, any_value(failure) as failure
    from (
        select *, sum(begins) over (order by writer, instant_ms) as run
        from (
            select *, case when seen and lag(seen) over before and lag(interval_ms) over before = interval_ms
                and lag(instant_ms) over before = instant_ms - interval_ms then 0 else 1 end as begins
            from presence
            window before as (partition by writer order by instant_ms)
        )
    )
    group by writer, run
    order by writer, instant_ms
"""


def runs(session: DuckDBSession, presence: pa.Table) -> pa.Table:
    """Recorded instants with the regular ones joined: of days, few rows are left.

    Shape: sorted by writer and instant_ms; as ``presence`` (instant_ms, writer, interval_ms, seen, failure)
        last_ms (int64): the last instant of a run of seen ones, each an interval after the one before.
    """
    return session.table(_RUNS_QUERY, (), None, {"presence": presence})


def instants_of(table: pa.Table) -> list[Instant]:
    """The rows of `INSTANTS_QUERY` or of `runs` as values, sorted by writer and instant."""
    reasons = {"skipped": "skipped", "failed": "not seen", "timeout": "not seen"}
    instants = []
    for row in table.to_pylist():
        outcome, _, error = (row["failure"] or "").partition(": ")
        failure = f"{reasons.get(outcome, outcome)}: {error}" if error else reasons.get(outcome, outcome)
        instants.append(
            Instant(
                row["instant_ms"] if "instant_ms" in row else round(row["instant"].timestamp() * 1000),
                row["writer"],
                row["interval_ms"],
                row["seen"],
                "" if row["seen"] else failure,
                row.get("last_ms"),
            )
        )
    return sorted(instants, key=lambda instant: (instant.writer, instant.instant_ms))


def gaps_table(gaps: Sequence[Gap | NotBegun]) -> pa.Table:
    """Gaps, and what is none, as a table, sorted by start and writer."""
    ordered = sorted(gaps, key=lambda gap: (gap.start_ms, gap.writer or ""))
    return pa.table(
        {
            "start": pa.array([gap.start_ms for gap in ordered], INSTANT),
            "end": pa.array([gap.end_ms for gap in ordered], INSTANT),
            "writer": pa.array([gap.writer for gap in ordered], pa.string()),
            "missing": pa.array([gap.missing for gap in ordered], pa.int64()),
            "reason": pa.array([gap.reason for gap in ordered], pa.string()),
        }
    )
