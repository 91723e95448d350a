"""Questions about windows of time, answered by DuckDB over the log's files.

Every window is ``[start, end)``. Sums of rates go through DECIMAL: addition of decimals is
exact, so a result does not depend on the order in which threads or files deliver rows. They
are kept to a millionth of a request per second.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from vistio_core.configuration.mapping import StatusClass
from vistio_core.graph.model import Graph, Rates
from vistio_core.recording.format import INSTANT
from vistio_core.replay.duckdb_session import DuckDBSession
from vistio_core.replay.gaps import Gap, Instant

Classify = Callable[[str, str, str, str], StatusClass]
"""Configuration hash, cluster, rule and status to the class of that status."""

# What counts for a rule is the outcome that was answered, else the newest one. Interval and
# configuration are the scrape's; a supplement without its scrape counts for nothing. Few rules are
# supplemented, and grouping by rule costs three times of all else: only those few are.
_RULES = """
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
"""

INSTANTS_QUERY = f"""{_RULES}
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

UNANSWERED_QUERY = f"""{_RULES}
    select
        epoch_ms(instant) as instant_ms, interval_ms, configuration, cluster, rule,
        coalesce(error, '') as error
    from rules
    where writer = $writer and outcome <> 'ok'
    order by all
"""

_RATES_QUERY = """
    select
        (epoch_ms(instant) - $start_ms) // $step_ms as step,
        configuration, cluster, rule, status,
        sum(rate::decimal(18, 6))::double as rate
    from (
        select instant, writer, cluster, rule, status, rate from samples
        where instant >= make_timestamptz($start_ms * 1000) and instant < make_timestamptz($end_ms * 1000)
          and ($cluster is null or cluster = $cluster)
          and ($source is null or source = $source)
          and ($target is null or target = $target)
    )
    join (
        select instant, writer, any_value(configuration) as configuration from scrapes
        where instant >= make_timestamptz($start_ms * 1000) and instant < make_timestamptz($end_ms * 1000)
          and supplement = 0
        group by instant, writer
    ) using (instant, writer)
    group by all
    order by all
"""

_EDGES_QUERY = """
    select (epoch_ms(instant) - $start_ms) // $step_ms as step, count(distinct (cluster, source, target)) as edges
    from samples
    where instant >= make_timestamptz($start_ms * 1000) and instant < make_timestamptz($end_ms * 1000)
      and ($cluster is null or cluster = $cluster)
      and ($source is null or source = $source)
      and ($target is null or target = $target)
    group by all
"""


def instants_of(table: pa.Table) -> list[Instant]:
    """The rows of `INSTANTS_QUERY` as values, sorted by writer and instant."""
    reasons = {"skipped": "skipped", "failed": "not seen", "timeout": "not seen"}
    instants = []
    for row in table.to_pylist():
        outcome, _, error = (row["failure"] or "").partition(": ")
        failure = f"{reasons.get(outcome, outcome)}: {error}" if error else reasons.get(outcome, outcome)
        instants.append(
            Instant(
                round(row["instant"].timestamp() * 1000),
                row["writer"],
                row["interval_ms"],
                row["seen"],
                "" if row["seen"] else failure,
            )
        )
    return sorted(instants, key=lambda instant: (instant.writer, instant.instant_ms))


def gaps_table(gaps: Sequence[Gap]) -> pa.Table:
    """`Gap` values as a table, sorted by start and writer."""
    ordered = sorted(gaps, key=lambda gap: (gap.start_ms, gap.writer))
    return pa.table(
        {
            "start": pa.array([gap.start_ms for gap in ordered], INSTANT),
            "end": pa.array([gap.end_ms for gap in ordered], INSTANT),
            "writer": pa.array([gap.writer for gap in ordered], pa.string()),
            "missing": pa.array([gap.missing for gap in ordered], pa.int64()),
            "reason": pa.array([gap.reason for gap in ordered], pa.string()),
        }
    )


def timeline(
    session: DuckDBSession,
    uris: Sequence[str],
    window: tuple[int, int, int],
    filters: dict[str, str | None],
    classify: Classify,
    instants: Sequence[Instant],
    gaps: Sequence[Gap],
) -> pa.Table:
    """Rates by class, step by step; the shape is told at `Recording.timeline`.

    Args:
        session: where the queries run.
        uris: the files that hold the window, none superseded.
        window: start, end and step in milliseconds.
        filters: ``cluster``, ``source`` and ``target``; None for all.
        classify: the class of a status under a configuration.
        instants: every instant of the window.
        gaps: every gap of the window.
    """
    start_ms, end_ms, step_ms = window
    steps = -(-(end_ms - start_ms) // step_ms)
    parameters = {"start_ms": start_ms, "end_ms": end_ms, "step_ms": step_ms, **filters}
    rates = [dict.fromkeys(StatusClass, 0.0) for _ in range(steps)]
    for row in session.table(_RATES_QUERY, uris, parameters).to_pylist():
        status_class = classify(row["configuration"], row["cluster"], row["rule"], row["status"])
        rates[row["step"]][status_class] += row["rate"]
    edges = {row["step"]: row["edges"] for row in session.table(_EDGES_QUERY, uris, parameters).to_pylist()}

    seen: list[set[int]] = [set() for _ in range(steps)]
    for instant in instants:
        if instant.seen:
            seen[(instant.instant_ms - start_ms) // step_ms].add(instant.instant_ms)
    counts = [len(each) for each in seen]

    def mean(status_class: StatusClass) -> pa.Array:
        # A step without any instant has no rate; that is not a rate of zero.
        values = [rates[step][status_class] / counts[step] if counts[step] else None for step in range(steps)]
        return pa.array(values, pa.float64())

    return pa.table(
        {
            "start": pa.array([start_ms + step * step_ms for step in range(steps)], INSTANT),
            "normal": mean(StatusClass.NORMAL),
            "warning": mean(StatusClass.WARNING),
            "danger": mean(StatusClass.DANGER),
            "edges": pa.array([edges.get(step, 0) for step in range(steps)], pa.int64()),
            "instants": pa.array(counts, pa.int64()),
            "missing": pa.array(_missing(gaps, start_ms, step_ms, steps), pa.int64()),
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


def diff(before: Graph, after: Graph) -> pa.Table:
    """What changed between two graphs; the shape is told at `Recording.diff`."""
    old, new = _edges(before), _edges(after)
    changes = []
    for key in sorted({*old, *new}):
        was, now = old.get(key), new.get(key)
        if was == now:
            continue
        change = "new" if was is None else "gone" if now is None else "changed"
        a, b = was or Rates(), now or Rates()
        size = abs(b.normal - a.normal) + abs(b.warning - a.warning) + abs(b.danger - a.danger)
        changes.append((size, *key, change, a, b))
    # Equal sizes stay in the order of their names.
    changes.sort(key=lambda change: -change[0])
    columns: dict[str, list[object]] = {
        "cluster": [change[1] for change in changes],
        "source": [change[2] for change in changes],
        "target": [change[3] for change in changes],
        "change": [change[4] for change in changes],
        "change_rps": [change[0] for change in changes],
    }
    for position, prefix in ((5, "before"), (6, "after")):
        for name in ("normal", "warning", "danger"):
            columns[f"{prefix}_{name}"] = [getattr(change[position], name) for change in changes]
    texts = ("cluster", "source", "target", "change")
    return pa.table({n: pa.array(v, pa.string() if n in texts else pa.float64()) for n, v in columns.items()})


def _edges(graph: Graph) -> dict[tuple[str, str, str], Rates]:
    levels = [("", graph.edges), *((region.name, region.edges) for region in graph.regions)]
    return {(cluster, edge.source, edge.target): edge.rates for cluster, edges in levels for edge in edges}


def with_instants_in_ms(table: pa.Table) -> pa.Table:
    """DuckDB answers in microseconds; this library speaks milliseconds."""
    for index, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type):
            table = table.set_column(index, field.name, pc.cast(table[field.name], INSTANT))
    return table
