"""Who was there at some time in a window, and the most that one edge had: gathered piece by piece. Pure.

A peak is rounded up to a millionth of a request per second: rates are added as whole millionths, each
rounded up, so the sum is exact in any order, and no edge of the window exceeds its level's peak.

    instant   rule    edge       rate     an edge's sum of the instant        the peak of the level
    05:00     http    cart>db    5.0
    05:00     grpc    cart>db    1.0      6.0
    05:10     http    cart>db    5.5      5.5                                 6.0

Who was there is kept as one number for each rule and edge, so that a day of a large mesh is as small as one instant of
it; the texts come back in the end.

What must not be in here: classes of statuses, and the class of a node: that is given by the order of rules
(`graph.topology`).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from vistio_core.configuration.model import Configuration
from vistio_core.graph.numbering import edge_digits
from vistio_core.graph.topology import NOBODY, Topology, in_order, topology_of
from vistio_core.judging.codes import Integers, numbered
from vistio_core.judging.judge import Judge, Measured
from vistio_core.judging.reports import existing, judged
from vistio_core.judging.rule_edges import MILLIONTHS, RuleEdges, sums_by


class Union:
    """Gathers who was there."""

    def __init__(self, judge: Judge) -> None:
        """Of nothing yet; ``judge`` knows the texts behind all numbers that come."""
        self._judge = judge
        self._sighted: Integers = np.zeros(0, np.int64)
        """Rule, source and target as one number, each once; the target of a node is `Judge.nobody`."""
        self._peaks: dict[int, int] = {}
        """Of clusters, in millionths of a request per second."""

    def see(self, measured: Measured) -> None:
        """Edges and nodes that were there, with or without traffic."""
        self._see(self._judge.edge_numbers(measured.rule, measured.source, measured.target))

    def _see(self, sighted: Integers) -> None:
        self._sighted, _ = numbered(np.concatenate([self._sighted, sighted]))

    def add(self, edges: RuleEdges) -> None:
        """A piece of the window, of all writers: no instant of it stands in another one."""
        rows = judged(self._judge, edges)
        distinct, edge = numbered(self._judge.edge_numbers(rows.cluster, rows.source, rows.target))
        (edges,) = existing(self._judge, [edges], [rows])
        self._see(self._judge.edge_numbers(edges.rule, edges.source, edges.target))
        # What several rules and writers saw of an edge at an instant adds up.
        _, at = numbered(rows.instant_ms)
        summed, slot = numbered(at * len(distinct) + edge)
        sums = sums_by(slot, rows.drawn_millionths, len(summed))
        cluster, _, _ = edge_digits(distinct)
        of_sum = cluster[summed % len(distinct)]
        for number in numbered(cluster)[0].tolist():
            self._peaks[number] = max(int(sums[of_sum == number].max()), self._peaks.get(number, 0))

    def topology(self, configurations: Iterable[Configuration]) -> Topology:
        """The union of all that was added, by the configurations in force in the window, the newest first."""
        names, ranks = self._judge.names.ranks()
        rule, source, target = edge_digits(self._sighted)
        ends = np.column_stack([ranks[source], np.where(target == self._judge.nobody, NOBODY, ranks[target])])
        by_rule = {
            self._judge.rules.values[number]: ends[rule == number] for number in np.unique(rule).tolist()
        }
        peaks_rps = {
            self._judge.names.values[cluster]: float(peak) / MILLIONTHS
            for cluster, peak in self._peaks.items()
        }
        return topology_of(names, in_order(by_rule, configurations), peaks_rps)
