"""Judges columns of samples and measurements by the configurations in force. Pure; numpy inside.

Texts become numbers first, once per distinct text; what they mean to a configuration is asked once for
each of its rules and statuses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import attrs
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from vistio_core.configuration.mapping import StatusClass, StatusClassifier
from vistio_core.configuration.model import (
    Configuration,
    ConnectionRule,
    ServiceNoticeRule,
    SeverityThreshold,
    StatusType,
)
from vistio_core.errors import RecordingError
from vistio_core.graph.columns import CLASSES
from vistio_core.judging.codes import Codes, Integers, distinct, mapped, numbers, translated
from vistio_core.judging.edge_rates import (
    MILLIONTHS,
    DrawnRates,
    EdgeRates,
    EdgeSums,
    NodeNotices,
    class_sums,
    summable,
)
from vistio_core.storage.format import INSTANT

SAMPLE_COLUMNS = ("instant", "cluster", "rule", "source", "target", "status", "rate")
MEASUREMENT_COLUMNS = ("instant", "cluster", "rule", "source", "target", "value")
_CLASSES = (StatusClass.NORMAL, StatusClass.WARNING, StatusClass.DANGER)
_NAME_BITS = 21
_NAME_MASK = (1 << _NAME_BITS) - 1


@attrs.frozen(eq=False)
class _Rows:
    """Samples, row by row, as codes."""

    instant_ms: Integers
    configuration: Integers
    rule: Integers
    cluster: Integers
    source: Integers
    target: Integers
    status: Integers
    rate: npt.NDArray[np.float64]

    def starts(self) -> Integers:
        """Where what one rule saw of an edge at an instant begins."""
        begins = np.zeros(len(self.rate), bool)
        begins[:1] = True
        for column in (self.instant_ms, self.rule, self.source, self.target):
            begins[1:] |= column[1:] != column[:-1]
        return np.flatnonzero(begins)


class Judge:
    """Judges columns of samples by the configurations in force. Knows the texts behind all codes."""

    def __init__(
        self, in_force: Mapping[tuple[int, str], str], configuration: Callable[[str], Configuration]
    ) -> None:
        """Judges nothing yet.

        Args:
            in_force: instant and writer to the hash of the scrape's configuration. Rows of other instants, of
                a supplement without its scrape, count for nothing.
            configuration: from a hash to the configuration.
        """
        self.names = Codes[str]()
        """Of clusters and nodes."""
        self.nobody = self.names.of("")
        """The name of no node, and of the global level."""
        self.rules = Codes[tuple[str, str]]()
        """Cluster and rule."""
        self._in_force = in_force
        self._configuration = configuration
        self._configurations = Codes[str]()
        self._clusters = Codes[str]()
        self._rule_names = Codes[str]()
        self._statuses = Codes[str]()
        self._classes: dict[tuple[int, int, int], int] = {}

    def edges(self, writer: str, rows: pa.Table) -> EdgeRates:
        """Rows of samples as rates by class.

        Args:
            writer: whose they are.
            rows: `SAMPLE_COLUMNS`, those of an edge, a rule and an instant side by side.
        """
        parts = [self._edges(writer, batch) for batch in rows.to_batches() if batch.num_rows]
        return EdgeRates.joined(parts)

    def sums(self, writer: str, rows: pa.Table) -> EdgeSums:
        """Rows of samples as rates by class, added over all of their instants and rules.

        Args:
            writer: whose they are.
            rows: `SAMPLE_COLUMNS`. It is quickest where those of an edge are neighbours.
        """
        parts = [self._sums(writer, batch) for batch in rows.to_batches()]
        return EdgeSums.joined(parts)

    def drawn(self, writer: str, rows: pa.Table) -> DrawnRates:
        """Rows of samples as what pictures are scaled by; see `edges`."""
        parts = [self._drawn(writer, batch) for batch in rows.to_batches()]
        return DrawnRates.joined(parts)

    def node_notices(self, writer: str, rows: pa.Table) -> NodeNotices:
        """The notices that rows of measurements raise; `MEASUREMENT_COLUMNS`."""
        found: list[NodeNotices] = []
        for batch in rows.to_batches():
            of_nodes = pc.equal(pc.fill_null(batch.column("target").cast(pa.string()), ""), "")
            batch = batch.filter(of_nodes)
            instants, configurations, known = self._configurations_of(writer, batch)
            rules, clusters = self._rules_of(batch)
            nodes, values = self._names_of(batch.column("source")), numbers(batch.column("value"))
            for configuration, rule, judged in self._judged(configurations[known], rules[known]):
                if isinstance(judged, ServiceNoticeRule):
                    here = known & (configurations == configuration) & (rules == rule)
                    severity = _severities(values, judged.severity_threshold)
                    here &= severity >= 0
                    found.append(NodeNotices(instants[here], clusters[here], nodes[here], severity[here]))
        return NodeNotices.joined(found)

    def measured(self, writer: str, rows: pa.Table) -> Integers:
        """What rows of measurements are about, and by which rules.

        Returns:
            The numbers (`key`) of rules, sources and targets, some of them several times; a node has no target.
        """
        found = [np.zeros(0, np.int64)]
        for batch in rows.to_batches():
            _, _, known = self._configurations_of(writer, batch)
            targets = self._names_of(pc.fill_null(batch.column("target").cast(pa.string()), ""))
            keys = self.key(self._rules_of(batch)[0], self._names_of(batch.column("source")), targets)
            found.append(keys[known])
        return np.concatenate(found)

    def edges_of(self, sighted: Integers) -> Integers:
        """The numbers of edges from those of rules, sources and targets."""
        rule, source, target = self.edge_codes(sighted)
        return self.key(self._clusters_of_rules()[rule], source, target)

    def in_force(self, start_ms: int, end_ms: int) -> list[Configuration]:
        """The configurations in force at some instant of ``[start_ms, end_ms)``, the newest first."""
        newest_ms: dict[str, int] = {}
        for (instant_ms, _), known in self._in_force.items():
            if start_ms <= instant_ms < end_ms:
                newest_ms[known] = max(instant_ms, newest_ms.get(known, instant_ms))
        return [
            self._configuration(each) for each in sorted(newest_ms, key=lambda each: (-newest_ms[each], each))
        ]

    def edge_notices(self, edges: EdgeRates) -> tuple[Integers, Integers, Integers]:
        """How many notices of each severity (info, warning, error) every row raises."""
        counts = [np.zeros(len(edges.rule), np.int64) for _ in range(3)]
        doubles: list[npt.NDArray[np.float64]] = []
        for configuration, rule, judged in self._judged(edges.configuration, edges.rule):
            if not isinstance(judged, ConnectionRule) or not judged.notices:
                continue
            # As doubles and in this order, as the graph does.
            doubles = doubles or [np.asarray(rate, np.float64) / MILLIONTHS for rate in edges.rates]
            normal, warning, danger = doubles
            here = (edges.configuration == configuration) & (edges.rule == rule)
            for notice in judged.notices:
                bad = danger if notice.status_type is StatusType.DANGER else warning
                share = np.divide(bad, normal + warning + danger, out=np.zeros_like(bad), where=bad > 0)
                severity = _severities(share, notice.severity_threshold)
                for index, count in enumerate(counts):
                    count += here & (bad > 0) & (severity == index)
        return counts[0], counts[1], counts[2]

    def key(self, cluster: Integers, source: Integers, target: Integers) -> Integers:
        """One number for each edge."""
        return (self.node_key(cluster, source) << _NAME_BITS) | target

    def node_key(self, cluster: Integers, name: Integers) -> Integers:
        """One number for each node: that of an edge without its target."""
        if len(self.names) >> _NAME_BITS:
            raise RecordingError(
                f"{len(self.names):,} names of nodes in one window; at most 2,097,152 can be told apart"
            )
        return (cluster << _NAME_BITS) | name

    def edge_codes(self, keys: Integers) -> tuple[Integers, Integers, Integers]:
        """Cluster, source and target of edges' numbers."""
        return (*self.node_codes(keys >> _NAME_BITS), keys & _NAME_MASK)

    def node_codes(self, keys: Integers) -> tuple[Integers, Integers]:
        """Cluster and name of nodes' numbers."""
        return keys >> _NAME_BITS, keys & _NAME_MASK

    def names_of(self, key: int) -> tuple[str, str, str]:
        """Cluster, source and target of an edge's number."""
        names = self.names.values
        return names[key >> 2 * _NAME_BITS], names[key >> _NAME_BITS & _NAME_MASK], names[key & _NAME_MASK]

    def _edges(self, writer: str, batch: pa.RecordBatch) -> EdgeRates:
        rows = self._rows(writer, batch)
        if not len(rows.rate):
            return EdgeRates.none()
        starts = rows.starts()
        classes = self._classes_of(rows)
        exact = summable(_millionths(rows.rate))
        sums = [np.add.reduceat(np.where(classes == index, exact, 0), starts) for index in range(3)]
        keys = rows.instant_ms, rows.configuration, rows.rule, rows.cluster, rows.source, rows.target
        return EdgeRates(*(column[starts] for column in keys), *sums)

    def _sums(self, writer: str, batch: pa.RecordBatch) -> EdgeSums:
        rows = self._rows(writer, batch)
        key = self.key(rows.cluster, rows.source, rows.target)
        begins = np.ones(len(key), bool)
        begins[1:] = key[1:] != key[:-1]
        # An edge has a row here for each of its statuses at an instant, which are neighbours.
        neighbours = np.cumsum(begins) - 1
        slots = neighbours * CLASSES + self._classes_of(rows)
        keys = key[begins]
        return EdgeSums(keys, class_sums(slots, _millionths(rows.rate), len(keys)))

    def _drawn(self, writer: str, batch: pa.RecordBatch) -> DrawnRates:
        rows = self._rows(writer, batch)
        if not len(rows.rate):
            return DrawnRates.none()
        starts = rows.starts()
        exact = summable(np.ceil(np.maximum(rows.rate, 0) * MILLIONTHS).astype(np.int64))
        columns = [column[starts] for column in (rows.instant_ms, rows.rule, rows.source, rows.target)]
        return DrawnRates(*columns, *[np.add.reduceat(exact, starts)])

    def _rows(self, writer: str, batch: pa.RecordBatch) -> _Rows:
        instants, configurations, known = self._configurations_of(writer, batch)
        rules, clusters = self._rules_of(batch)
        sources, targets = self._names_of(batch.column("source")), self._names_of(batch.column("target"))
        statuses = translated(batch.column("status"), self._statuses.of_all)
        rates = numbers(batch.column("rate"))
        columns = instants, configurations, rules, clusters, sources, targets, statuses, rates
        return _Rows(*(columns if known.all() else (column[known] for column in columns)))

    def _configurations_of(
        self, writer: str, batch: pa.RecordBatch
    ) -> tuple[Integers, Integers, npt.NDArray[np.bool_]]:
        """Every row's instant, its configuration, and whether there is one."""
        instants = numbers(batch.column("instant").cast(INSTANT).cast(pa.int64()))
        begins = np.ones(len(instants), bool)
        begins[1:] = instants[1:] != instants[:-1]
        hashes = [self._in_force.get((instant_ms, writer)) for instant_ms in instants[begins].tolist()]
        codes = np.array([-1 if each is None else self._configurations.of(each) for each in hashes], np.int64)
        configurations = codes[np.cumsum(begins) - 1]
        return instants, configurations, configurations >= 0

    def _rules_of(self, batch: pa.RecordBatch) -> tuple[Integers, Integers]:
        """Every row's rule, and its cluster's name."""
        clusters = translated(batch.column("cluster"), self._clusters.of_all)
        names = translated(batch.column("rule"), self._rule_names.of_all)
        most = len(self._rule_names)

        def rule_of(case: int) -> int:
            cluster, name = divmod(case, most)
            return self.rules.of((self._clusters.values[cluster], self._rule_names.values[name]))

        rules = mapped(clusters * most + names, len(self._clusters) * most, rule_of)
        return rules, self._clusters_of_rules()[rules]

    def _clusters_of_rules(self) -> Integers:
        return self.names.of_all([cluster for cluster, _ in self.rules.values])

    def _names_of(self, column: pa.Array) -> Integers:
        return translated(column, self.names.of_all)

    def _classes_of(self, rows: _Rows) -> Integers:
        """0, 1 or 2 for each row: normal, warning, danger."""
        most_rules, most_statuses = len(self.rules), len(self._statuses)

        def class_of(case: int) -> int:
            rest, status = divmod(case, most_statuses)
            key = (*divmod(rest, most_rules), status)
            if key not in self._classes:
                judged = self._of(key[0]).connection_rule(*self.rules.values[key[1]])
                classifier = StatusClassifier(judged.status if judged else None)
                self._classes[key] = _CLASSES.index(classifier.classify(self._statuses.values[status]))
            return self._classes[key]

        cases = (rows.configuration * most_rules + rows.rule) * most_statuses + rows.status
        return mapped(cases, len(self._configurations) * most_rules * most_statuses, class_of)

    def _of(self, configuration: int) -> Configuration:
        return self._configuration(self._configurations.values[configuration])

    def _judged(self, configurations: Integers, rules: Integers) -> list[tuple[int, int, object]]:
        """The distinct pairs of two columns, and the rule that each means."""
        most = len(self.rules)
        cases = distinct(configurations * most + rules, len(self._configurations) * most)
        return [(*divmod(case, most), _rule_of(*self._named(*divmod(case, most)))) for case in cases]

    def _named(self, configuration: int, rule: int) -> tuple[Configuration, tuple[str, str]]:
        return self._of(configuration), self.rules.values[rule]


def _millionths(rates: npt.NDArray[np.float64]) -> Integers:
    return np.rint(rates * MILLIONTHS).astype(np.int64)


def _rule_of(configuration: Configuration, key: tuple[str, str]) -> object:
    return next((rule for cluster, rule in configuration.rules() if (cluster, rule.id) == key), None)


def _severities(values: npt.NDArray[np.float64], threshold: SeverityThreshold) -> Integers:
    """0, 1, 2 for info, warning, error; -1 where no threshold is reached. A limit of 0 is switched off."""
    severity = np.full(len(values), -1, np.int64)
    for index, limit in enumerate((threshold.info, threshold.warning, threshold.error)):
        if limit > 0:
            severity[values >= limit] = index
    return severity
