"""Rows of samples and of what a notice measured, as a judge takes them from files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa

from vistio_core.configuration import Configuration
from vistio_core.judging.judge import Judge, Measured
from vistio_core.judging.notices import NodeNotices, node_notices
from vistio_core.judging.rule_edges import RuleEdges
from vistio_core.judging.rulebook import Rulebook

Row = tuple[int, str, str, str, str, str, float]
"""Instant, cluster, rule, source, target, status and rate."""
Saturation = tuple[int, str, float]
"""Instant, node and value, as `support.scrapes.MESH` measures it."""


def judged(
    configuration: Configuration,
    samples: Mapping[str, Sequence[Row]],
    measured: Mapping[str, Sequence[Saturation]],
) -> tuple[Judge, RuleEdges, NodeNotices]:
    """What writers saw, in the order in which they are read."""
    instants = {(row[0], writer) for rows in (samples, measured) for writer in rows for row in rows[writer]}
    judge = Judge(dict.fromkeys(instants, configuration.hash), lambda _: Rulebook(configuration))
    edges = RuleEdges.joined([judge.edges(writer, _samples(rows)) for writer, rows in samples.items()])
    values = Measured.joined([judge.measured(writer, _values(rows)) for writer, rows in measured.items()])
    return judge, edges, node_notices(judge, values)


def _samples(rows: Sequence[Row]) -> pa.Table:
    types = pa.timestamp("ms", "UTC"), *[pa.string()] * 5, pa.float64()
    names = ["instant", "cluster", "rule", "source", "target", "status", "rate"]
    columns = zip(*rows, strict=True)
    return pa.table([pa.array(column, kind) for column, kind in zip(columns, types, strict=True)], names)


def _values(rows: Sequence[Saturation]) -> pa.Table:
    instants, nodes, values = zip(*rows, strict=True)
    count = len(rows)
    return pa.table(
        {
            "instant": pa.array(instants, pa.timestamp("ms", "UTC")),
            "cluster": ["mesh"] * count,
            "rule": ["saturation"] * count,
            "source": nodes,
            "target": pa.nulls(count, pa.string()),
            "value": values,
        }
    )
