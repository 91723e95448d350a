"""Traffic and notices over a window, step by step.

First the *totals*: for each instant and cluster its rates by class, how many edges it had and how many
notices were raised. Then the steps, which are sums and maxima of totals. Totals depend on nothing but
the log and the configuration in force at the instant, so they can be kept.

Sums of rates go through DECIMAL, which is exact: a result does not depend on the order in which
threads or files deliver rows. Rates are kept to a millionth of a request per second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import inf

import attrs
import pyarrow as pa

from vistio_core.configuration.mapping import StatusClassifier
from vistio_core.configuration.model import (
    Configuration,
    ConnectionRule,
    ServiceNoticeRule,
    SeverityThreshold,
)
from vistio_core.graph.model import Rates
from vistio_core.recording.format import INSTANT
from vistio_core.replay.duckdb_session import DuckDBSession
from vistio_core.replay.gaps import Gap

_WINDOW = "instant >= make_timestamptz($start_ms * 1000) and instant < make_timestamptz($end_ms * 1000)"
# Interval and configuration are the scrape's; a supplement without its scrape counts for nothing.
_IN_FORCE = f"""
    select instant, writer, any_value(configuration) as configuration from scrapes
    where {_WINDOW} and supplement = 0 group by all
"""
_NAMES_QUERY = f"select distinct cluster, rule, status from samples where {_WINDOW}"
_CONFIGURATIONS_QUERY = f"select distinct configuration from scrapes where {_WINDOW} and supplement = 0"

_TOTALS_QUERY = f"""
    with in_force as materialized ({_IN_FORCE}),
    rule_edges as materialized (
        select instant, configuration, writer, cluster, rule, source, target,
            coalesce(sum(rate::decimal(18, 6)) filter (class = 'normal'), 0) as normal,
            coalesce(sum(rate::decimal(18, 6)) filter (class = 'warning'), 0) as warning,
            coalesce(sum(rate::decimal(18, 6)) filter (class = 'danger'), 0) as danger
        from samples join in_force using (instant, writer)
            join classes using (configuration, cluster, rule, status)
        where {_WINDOW}
          and ($cluster is null or cluster = $cluster)
          and ($source is null or source = $source)
          and ($target is null or target = $target)
          and ($node is null or source = $node or target = $node)
        group by all
    ),
    edges as (
        select instant, cluster, source, target,
            sum(normal) as normal, sum(warning) as warning, sum(danger) as danger
        from rule_edges group by all
    ),
    shares as (
        select instant, cluster, info, warning_from, error_from,
            -- as doubles and in this order, as the graph does
            bad::double / (normal::double + warning::double + danger::double) as value
        from (
            select *, case status_type when 'danger' then danger else warning end as bad
            from rule_edges join edge_notices using (configuration, cluster, rule)
        )
        where bad > 0
    ),
    levels as (
        select instant, cluster, info, warning_from, error_from, value
        from measurements join in_force using (instant, writer)
            join node_notices using (configuration, cluster, rule)
        where {_WINDOW} and coalesce(target, '') = ''
          and ($cluster is null or cluster = $cluster)
          and $source is null and $target is null
          and ($node is null or source = $node)
    ),
    notices as (
        select instant, cluster,
            count(*) filter (value >= error_from) as notices_error,
            count(*) filter (value >= warning_from and not value >= error_from) as notices_warning,
            count(*) filter (value >= info and not value >= warning_from and not value >= error_from)
                as notices_info
        from (from shares union all from levels) group by all
    ),
    rates as (
        select instant, cluster, sum(normal) as normal, sum(warning) as warning, sum(danger) as danger,
            count(*) as edges
        from edges group by all
    )
    select epoch_ms(instant) as instant_ms, cluster,
        coalesce(normal, 0)::decimal(38, 6) as normal,
        coalesce(warning, 0)::decimal(38, 6) as warning,
        coalesce(danger, 0)::decimal(38, 6) as danger,
        coalesce(edges, 0)::bigint as edges,
        coalesce(notices_info, 0)::bigint as notices_info,
        coalesce(notices_warning, 0)::bigint as notices_warning,
        coalesce(notices_error, 0)::bigint as notices_error
    from rates full join notices using (instant, cluster)
    order by instant_ms, cluster
"""

# By status first: which statuses there are is then known without a scan of its own.
_SUMS_QUERY = f"""
    with in_force as materialized ({_IN_FORCE})
    select configuration, cluster, rule, source, target, status, sum(rate::decimal(18, 6)) as rate
    from samples join in_force using (instant, writer)
    where {_WINDOW}
    group by all
"""
_SUMS_BY_CLASS_QUERY = """
    select cluster, source, target,
        coalesce(sum(rate) filter (class = 'normal'), 0)::double as normal,
        coalesce(sum(rate) filter (class = 'warning'), 0)::double as warning,
        coalesce(sum(rate) filter (class = 'danger'), 0)::double as danger
    from sums join classes using (configuration, cluster, rule, status)
    group by all
    order by all
"""
_STATUSES_QUERY = "select distinct configuration, cluster, rule, status from sums"

_MEASURED_QUERY = f"""
    select distinct cluster, unnest([source, target]) as node
    from measurements join ({_IN_FORCE}) using (instant, writer)
    where {_WINDOW}
"""

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
_RATES = ("normal", "warning", "danger")
_COUNTS = ("edges", "notices_info", "notices_warning", "notices_error")

TOTALS = pa.schema(
    [
        pa.field("instant_ms", pa.int64()),
        pa.field("cluster", pa.string()),
        *(pa.field(name, pa.decimal128(38, 6)) for name in _RATES),
        *(pa.field(name, pa.int64()) for name in _COUNTS),
    ]
)
"""The columns of `totals`: requests per second by class, and numbers of edges and notices."""


@attrs.frozen
class Subject:
    """What a timeline is about; None for all."""

    cluster: str | None = None
    source: str | None = None
    target: str | None = None
    node: str | None = None
    """Edges from or to this node, and its own notices."""


def totals(
    session: DuckDBSession,
    uris: Sequence[str],
    window_ms: tuple[int, int],
    subject: Subject,
    configuration: Callable[[str], Configuration],
) -> pa.Table:
    """Each instant's traffic in numbers, judged as recorded; the columns are those of `TOTALS`.

    Args:
        session: where the queries run.
        uris: the files that hold the window, none superseded.
        window_ms: start and end.
        subject: what of it counts.
        configuration: from a hash to the configuration.
    """
    window = {"start_ms": window_ms[0], "end_ms": window_ms[1]}
    tables = _judgement(session, uris, window, configuration)
    found = session.table(_TOTALS_QUERY, uris, {**window, **attrs.asdict(subject)}, tables)
    return found.cast(TOTALS)


def means(
    session: DuckDBSession,
    uris: Sequence[str],
    window_ms: tuple[int, int],
    instants: int,
    configuration: Callable[[str], Configuration],
) -> tuple[dict[tuple[str, str, str], Rates], frozenset[tuple[str, str]]]:
    """The mean rates of all edges over a window, and all nodes that were there at some time in it.

    Args:
        session: where the queries run.
        uris: the files that hold the window, none superseded.
        window_ms: start and end.
        instants: how many were seen. Where an edge was not seen at one of them, it had no traffic.
        configuration: from a hash to the configuration.
    """
    window = {"start_ms": window_ms[0], "end_ms": window_ms[1]}
    sums = {"sums": session.table(_SUMS_QUERY, uris, window)}
    statuses = session.table(_STATUSES_QUERY, (), None, sums).to_pylist()
    known = [configuration(each) for each in sorted({row["configuration"] for row in statuses})]
    names = sorted({(row["cluster"], row["rule"], row["status"]) for row in statuses})
    classes = {"classes": _classes(known, names)}
    columns = session.table(_SUMS_BY_CLASS_QUERY, (), None, {**sums, **classes}).to_pydict()
    edges = {
        (cluster, source, target): Rates(normal / instants, warning / instants, danger / instants)
        for cluster, source, target, normal, warning, danger in zip(*columns.values(), strict=True)
    }
    measured = session.table(_MEASURED_QUERY, uris, window).to_pylist()
    nodes = {(row["cluster"], row["node"]) for row in measured if row["node"]}
    nodes.update((cluster, end) for cluster, *ends in edges for end in ends)
    return edges, frozenset(nodes)


def _judgement(
    session: DuckDBSession,
    uris: Sequence[str],
    window: dict[str, int],
    configuration: Callable[[str], Configuration],
) -> dict[str, pa.Table]:
    """What the configurations in force in a window say, as tables for queries."""
    names = session.table(_NAMES_QUERY, uris, window).to_pylist()
    hashes = session.table(_CONFIGURATIONS_QUERY, uris, window)["configuration"].to_pylist()
    known = [configuration(each) for each in sorted(hashes)]
    return {
        "classes": _classes(known, sorted({(row["cluster"], row["rule"], row["status"]) for row in names})),
        "edge_notices": _edge_notices(known),
        "node_notices": _node_notices(known),
    }


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
            **{name: pa.array(mean(name), pa.float64()) for name in _RATES},
            "edges": pa.array(most("edges"), pa.int64()),
            "instants": pa.array(counts, pa.int64()),
            "missing": pa.array(_missing(gaps, start_ms, step_ms, number), pa.int64()),
            **{name: pa.array(most(name), pa.int64()) for name in _COUNTS if name != "edges"},
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


def _classes(known: Sequence[Configuration], names: Sequence[tuple[str, str, str]]) -> pa.Table:
    rows = []
    for configuration in known:
        for cluster, rule_id, status in names:
            rule = configuration.connection_rule(cluster, rule_id)
            judged = StatusClassifier(rule.status if rule else None).classify(status)
            rows.append((configuration.hash, cluster, rule_id, status, judged.value))
    return _texts(("configuration", "cluster", "rule", "status", "class"), rows)


def _edge_notices(known: Sequence[Configuration]) -> pa.Table:
    rows = [
        (configuration.hash, cluster, rule.id, notice.status_type.value, *_limits(notice.severity_threshold))
        for configuration in known
        for cluster, rule in configuration.rules()
        if isinstance(rule, ConnectionRule)
        for notice in rule.notices
    ]
    return _texts(("configuration", "cluster", "rule", "status_type", *_LIMITS), rows)


def _node_notices(known: Sequence[Configuration]) -> pa.Table:
    rows = [
        (configuration.hash, cluster, rule.id, *_limits(rule.severity_threshold))
        for configuration in known
        for cluster, rule in configuration.rules()
        if isinstance(rule, ServiceNoticeRule)
    ]
    return _texts(("configuration", "cluster", "rule", *_LIMITS), rows)


_LIMITS = ("info", "warning_from", "error_from")


def _limits(threshold: SeverityThreshold) -> Iterator[float]:
    """The values from which a notice has each severity; infinity where that is switched off."""
    for limit in (threshold.info, threshold.warning, threshold.error):
        yield limit if limit > 0 else inf


def _texts(names: Sequence[str], rows: Sequence[tuple[object, ...]]) -> pa.Table:
    """A table of texts; the columns of `_LIMITS` are numbers."""
    columns = zip(*rows, strict=True) if rows else ((),) * len(names)
    return pa.table(
        {
            name: pa.array(column, pa.float64() if name in _LIMITS else pa.string())
            for name, column in zip(names, columns, strict=True)
        }
    )
