"""From facts to a graph: what each writer has of one instant, and the rules that judge it. Pure.

A graph is the case of one moment: who was there is its topology (`graph.topology`), rates are added by
`levels`, notices are raised by `notices`. What is left to do here is measurements, and putting all of it
into values.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from math import nan
from operator import add

import attrs
import numpy as np
import pyarrow as pa

from vistio_core.configuration.mapping import CLASSES
from vistio_core.configuration.model import (
    MeasurementRule,
    Merge,
    NodeClass,
    Rule,
    ServiceNoticeRule,
    Witness,
)
from vistio_core.events import GLOBAL_LEVEL, Measurement, RuleKey
from vistio_core.graph.edges import NOTHING_TOLD, Edges
from vistio_core.graph.model import LOST_RPS, NETWORK_MS, NOTHING_MEASURED, Graph, Node, Notice, Region
from vistio_core.graph.numbering import edge_digits, edge_number
from vistio_core.graph.topology import (
    NOBODY,
    NOTHING,
    LevelTopology,
    Sighting,
    topology_of,
)
from vistio_core.graph.unseen import NotSeen, all_seen
from vistio_core.judging.codes import Integers
from vistio_core.judging.judge import Judge
from vistio_core.judging.levels import MomentEdges, Shown, at_moments, numbers_of, ranked, summed
from vistio_core.judging.notices import raised_on_edges, service_notice
from vistio_core.judging.reports import ToldEdges, existing
from vistio_core.judging.rule_edges import EdgeRows, RuleEdges
from vistio_core.judging.rulebook import Rulebook
from vistio_core.marked_from import MarkedFrom
from vistio_core.samples import Floats

_Pair = tuple[str, str]

LATENCY_MEAN_MS = "latency_mean_ms"
"""How long a request took on average, as the called side (or the only witness) measures it."""
CALLER = "caller_"
"""Before the name of what the caller measured, where the called side measured it, too."""

_MERGES: dict[Merge, Callable[[float, float], float]] = {Merge.MAX: max, Merge.MIN: min, Merge.SUM: add}


@attrs.frozen
class Account:
    """What one writer saw at one instant, and by whose rules it is judged."""

    writer: str
    instant_ms: int
    interval_ms: int
    rulebook: Rulebook
    """Names of nodes were mapped when the scrape was recorded and stay."""
    samples: pa.Table
    """Rows of kind ``sample`` of the instant, in the format's order."""
    measurements: Sequence[Measurement] = ()
    backfilled: bool = False


@attrs.define
class _Level:
    """What gathers for the global level or for one cluster, beside traffic."""

    max_volume: float = 0.0
    edge_notices: dict[_Pair, list[Notice]] = attrs.field(factory=dict)
    edge_measurements: dict[_Pair, dict[str, float]] = attrs.field(factory=dict)
    node_notices: dict[str, list[Notice]] = attrs.field(factory=dict)
    node_measurements: dict[str, dict[str, float]] = attrs.field(factory=dict)


def build_graph(asked_ms: int, accounts: Sequence[Account], not_seen: NotSeen = all_seen) -> Graph:
    """The graph of what was seen, judged.

    Args:
        asked_ms: the instant that was asked for.
        accounts: one entry per writer, in a fixed order; at least one. Where several say
            something of the same edge, their rates add up; the graph's name is the first one's.
        not_seen: whether the traffic of an edge that was measured only is not known (NaN); else there was none.

    Returns:
        What was seen. What was not, `vistio_core.replay.as_of.failed_rules` tells.
    """
    rulebooks = {account.writer: account.rulebook for account in accounts}
    judge = Judge(
        {(account.instant_ms, account.writer): account.writer for account in accounts}, rulebooks.__getitem__
    )
    seen = [(account, judge.edges(account.writer, account.samples)) for account in accounts]
    shown = at_moments(judge, [(edges, {account.instant_ms: [0]}) for account, edges in seen])
    levels: dict[str, _Level] = {}
    for rows, _ in shown:
        _gather_edges(levels, rows, judge)
    for account in accounts:
        _gather(levels, account, judge)
    names, ranks = judge.names.ranks()
    traffic = summed(shown, ranks, numbers_of([rows for rows, _ in shown], ranks), 1)
    known = existing(judge, [edges for _, edges in seen], [rows for rows, _ in shown])
    sightings = [
        sighting
        for account, edges in zip(accounts, known, strict=True)
        for sighting in _sightings(account, edges, judge, ranks)
    ]
    topology = topology_of(names, sightings, {})
    told = _told(shown, ranks, traffic)
    insides = {
        name: _inside(
            levels.get(name, _Level()), level, _Columns.of(level, traffic, told, names, name, not_seen)
        )
        for name in sorted({GLOBAL_LEVEL, *levels, *topology})
        for level in [topology.get(name, NOTHING)]
    }
    return _graph(asked_ms, accounts, {name: level.max_volume for name, level in levels.items()}, insides)


def _graph(
    asked_ms: int,
    accounts: Sequence[Account],
    max_volumes: Mapping[str, float],
    insides: Mapping[str, tuple[tuple[Node, ...], Edges]],
) -> Graph:
    newest = max(accounts, key=lambda account: account.instant_ms)
    first = accounts[0].rulebook.configuration
    classes: dict[str, NodeClass] = {}
    for account in accounts:
        for node_class in account.rulebook.configuration.classes:
            classes.setdefault(node_class.name, node_class)
    nodes, edges = insides[GLOBAL_LEVEL]
    return Graph(
        name=first.graph_name,
        asked_ms=asked_ms,
        instant_ms=newest.instant_ms,
        interval_ms=newest.interval_ms,
        configuration=first.hash,
        max_volume=max_volumes.get(GLOBAL_LEVEL, 0.0),
        nodes=nodes,
        edges=edges,
        regions=tuple(
            Region(name, max_volumes.get(name, 0.0), *inside)
            for name, inside in insides.items()
            if name != GLOBAL_LEVEL
        ),
        classes=tuple(classes[name] for name in sorted(classes)),
        backfilled=any(account.backfilled for account in accounts),
        marked_from=MarkedFrom.lowest([account.rulebook.configuration.marked_from for account in accounts]),
    )


def _gather_edges(levels: dict[str, _Level], edges: EdgeRows, judge: Judge) -> None:
    """Notices of edges in the order of the rules, and what was lost on them."""
    names = judge.names.values

    def level_and_pair(row: int) -> tuple[_Level, _Pair]:
        cluster, source, target = (
            names[column[row]] for column in (edges.cluster, edges.source, edges.target)
        )
        return levels.setdefault(cluster, _Level()), (source, target)

    for raised in raised_on_edges(edges):
        for row, notice in raised.notices():
            level, pair = level_and_pair(row)
            level.edge_notices.setdefault(pair, []).append(notice)
    if isinstance(edges, ToldEdges):
        for row in np.flatnonzero(edges.lost_rps > 0).tolist():
            level, pair = level_and_pair(row)
            level.edge_measurements.setdefault(pair, {})[LOST_RPS] = float(edges.lost_rps[row])


def _gather(levels: dict[str, _Level], account: Account, judge: Judge) -> None:
    """Scales, measurements and their notices, in the order of the rules."""
    configuration = account.rulebook.configuration
    volumes = {level.cluster: level.max_volume for level in configuration.clusters}
    for name, volume in {GLOBAL_LEVEL: configuration.global_level.max_volume, **volumes}.items():
        level = levels.setdefault(name, _Level())
        level.max_volume = max(level.max_volume, volume)
    for key, rule, measurements in _by_rule(account):
        judge.names.of_all([name for measurement in measurements for name in measurement[2:4]])
        _add_measurements(levels.setdefault(key[0], _Level()), key[1], rule, measurements)


def _by_rule(account: Account) -> Iterator[tuple[RuleKey, Rule | None, list[Measurement]]]:
    by_rule: dict[RuleKey, list[Measurement]] = {}
    for measurement in account.measurements:
        by_rule.setdefault((measurement.cluster, measurement.rule), []).append(measurement)
    for key in account.rulebook.ordered(by_rule):
        yield key, account.rulebook.rule(key), by_rule[key]


def _add_measurements(
    level: _Level, rule_id: str, rule: Rule | None, measurements: Iterable[Measurement]
) -> None:
    merge = _MERGES[rule.merge if isinstance(rule, MeasurementRule) else Merge.MAX]
    of_caller = isinstance(rule, MeasurementRule) and rule.witness is Witness.CALLER
    for measurement in measurements:
        # A notice's query has one value, which goes by the rule's name.
        name = rule_id if isinstance(rule, ServiceNoticeRule) else measurement.name
        if of_caller:
            name = CALLER + name
        if measurement.target:
            values = level.edge_measurements.setdefault((measurement.source, measurement.target), {})
        else:
            values = level.node_measurements.setdefault(measurement.source, {})
        # Another rule, or another writer, may have measured the same.
        values[name] = merge(values[name], measurement.value) if name in values else measurement.value
        if isinstance(rule, ServiceNoticeRule) and not measurement.target:
            raised = service_notice(rule, measurement)
            if raised is not None:
                level.node_notices.setdefault(measurement.source, []).append(raised)


def _sightings(
    account: Account, edges: RuleEdges, judge: Judge, ranks: Integers
) -> list[tuple[Sighting, Rule | None]]:
    """What each rule of a writer saw, in the order of the rules."""
    ends = ranks[np.column_stack([edges.source, edges.target])]
    rows: dict[RuleKey, list[Integers]] = {key: [ends[own]] for key, _, own in edges.rules}
    for key, _, measurements in _by_rule(account):
        measured = [
            (
                ranks[judge.names.of(measurement.source)],
                ranks[judge.names.of(measurement.target)] if measurement.target else NOBODY,
            )
            for measurement in measurements
        ]
        rows.setdefault(key, []).append(np.array(measured, np.int64))
    return [
        (Sighting(key[0], np.concatenate(rows[key])), account.rulebook.rule(key))
        for key in account.rulebook.ordered(rows)
    ]


@attrs.frozen(eq=False)
class _Columns:
    """Of every edge of a level, in the order of its topology."""

    rates: Floats
    told: Integers

    @classmethod
    def of(
        cls,
        topology: LevelTopology,
        traffic: MomentEdges,
        told: Integers,
        names: Sequence[str],
        cluster: str,
        not_seen: NotSeen,
    ) -> _Columns:
        """Those that are only measured have no traffic, or it was not seen; nobody told of them."""
        count = len(topology.source)
        if not count:
            return cls(np.zeros((0, CLASSES)), NOTHING_TOLD)
        rank = bisect_left(names, cluster)
        first, last = np.searchsorted(traffic.numbers, [edge_number(0, 0, rank), edge_number(0, 0, rank + 1)])
        rates, told = traffic.rps[0, first:last], told[first:last]
        if len(rates) == count:
            return cls(rates, told)
        place = np.zeros(len(names), np.int64)
        place[[bisect_left(names, name) for name in topology.names]] = np.arange(len(topology.names))
        _, source, target = edge_digits(traffic.numbers[first:last])
        known = edge_number(topology.source, topology.target)
        own = np.searchsorted(known, edge_number(place[source], place[target]))
        columns = cls(np.zeros((count, CLASSES)), np.zeros(count, np.int64))
        columns.rates[own], columns.told[own] = rates, told
        measured_only = np.ones(count, bool)
        measured_only[own] = False
        for index in measured_only.nonzero()[0].tolist():
            ends = topology.names[topology.source[index]], topology.names[topology.target[index]]
            if not_seen(cluster, *ends):
                columns.rates[index] = nan
        return columns


def _told(shown: Sequence[tuple[EdgeRows, Shown]], ranks: Integers, traffic: MomentEdges) -> Integers:
    """Who told of each edge with traffic."""
    told = np.zeros(len(traffic.numbers), np.int64)
    for rows, _ in shown:
        if isinstance(rows, ToldEdges):
            told[np.searchsorted(traffic.numbers, ranked(rows, ranks))] = rows.told
    return told


def _inside(level: _Level, topology: LevelTopology, columns: _Columns) -> tuple[tuple[Node, ...], Edges]:
    notices, measurements = level.node_notices, level.node_measurements
    nodes = tuple(
        [
            Node(
                name,
                node_class,
                tuple(notices[name]) if name in notices else (),
                _sorted(measurements[name]) if name in measurements else NOTHING_MEASURED,
            )
            for name, node_class in sorted(topology.classes.items())
        ]
    )
    ends = topology.names, topology.source, topology.target
    edges = Edges(*ends, columns.rates, {}, {}, columns.told)
    if level.edge_notices or level.edge_measurements:
        place = {pair: index for index, pair in enumerate(edges.ends)}
        edges.notices = {place[pair]: tuple(notices) for pair, notices in level.edge_notices.items()}
        edges.measurements = {
            place[pair]: _sorted(_between_ends(values)) for pair, values in level.edge_measurements.items()
        }
    return nodes, edges


def _between_ends(values: Mapping[str, float]) -> dict[str, float]:
    """With the time that a request spends between both ends, where each says how long it took."""
    told = {}
    for name, value in values.items():
        plain = name.removeprefix(CALLER)
        told[name if plain in values else plain] = value  # what the caller alone measured is not set apart
    if LATENCY_MEAN_MS in told and CALLER + LATENCY_MEAN_MS in told:
        told[NETWORK_MS] = max(0.0, told[CALLER + LATENCY_MEAN_MS] - told[LATENCY_MEAN_MS])
    return told


def _sorted(values: Mapping[str, float]) -> Mapping[str, float]:
    return dict(sorted(values.items()))
