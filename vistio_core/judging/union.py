"""Who was there at some time in a window, and the most that one edge had: gathered piece by piece. Pure.

A peak is rounded up to a millionth of a request per second: rates are added as whole millionths, each
rounded up, so the sum is exact in any order, and no edge of the window exceeds its level's peak.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from vistio_core.configuration.model import Configuration
from vistio_core.graph.topology import NOBODY, Sightings, Topology, topology_of
from vistio_core.judging.codes import Integers, numbered
from vistio_core.judging.edge_rates import MILLIONTHS, DrawnRates, summable
from vistio_core.judging.judge import Judge


class Union:
    """Gathers who was there."""

    def __init__(self, judge: Judge) -> None:
        """Of nothing yet; ``judge`` knows the texts behind all codes that come."""
        self._judge = judge
        self._sighted: Integers = np.zeros(0, np.int64)
        """Rule, source and target as one number (`Judge.key`), each once; the target of a node is empty."""
        self._peaks: dict[int, int] = {}
        """Of clusters, in millionths of a request per second."""

    def see(self, sighted: Integers) -> None:
        """Edges and nodes that were there, with or without traffic, by the rules that saw them (`Judge.key`)."""
        self._sighted, _ = numbered(np.concatenate([self._sighted, sighted]))

    def add(self, drawn: DrawnRates) -> None:
        """A piece of the window, of all writers: no instant of it stands in another one."""
        sighted, of_sighted = numbered(self._judge.key(drawn.rule, drawn.source, drawn.target))
        self.see(sighted)
        if not len(sighted):
            return
        # What several rules and writers saw of an edge at an instant adds up.
        edges, of_edge = numbered(self._judge.edges_of(sighted))
        _, at = numbered(drawn.instant_ms)
        summed, slot = numbered(at * len(edges) + of_edge[of_sighted])
        exact = summable(drawn.millionths)
        sums = np.zeros(len(summed), exact.dtype)
        np.add.at(sums, slot, exact)
        cluster, _, _ = self._judge.edge_codes(edges)
        of_sum = cluster[summed % len(edges)]
        for each in numbered(cluster)[0].tolist():
            self._peaks[each] = max(int(sums[of_sum == each].max()), self._peaks.get(each, 0))

    def topology(self, configurations: Iterable[Configuration]) -> Topology:
        """The union of all that was added, by the configurations in force in the window, the newest first."""
        names = self._judge.names.values
        rule, source, target = self._judge.edge_codes(self._sighted)
        target = np.where(target == self._judge.nobody, NOBODY, target)
        rows = np.column_stack([source, target])
        return topology_of(
            Sightings(
                names,
                {self._judge.rules.values[each]: rows[rule == each] for each in np.unique(rule).tolist()},
            ),
            {names[cluster]: float(peak) / MILLIONTHS for cluster, peak in self._peaks.items()},
            configurations,
        )
