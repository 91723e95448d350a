"""The traffic graph of one instant, as plain values.

`Graph` > regions > nodes and edges (`elements`). Everything is sorted by name, so that equal traffic gives
equal graphs, whatever the order in which it was recorded. Nothing here knows of Vizceral, of
Parquet or of Prometheus.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import pyarrow as pa

from vistio_core.configuration.model import NodeClass
from vistio_core.errors import NotInGraphError
from vistio_core.events import GLOBAL_LEVEL
from vistio_core.graph.elements import LOST_RPS as LOST_RPS
from vistio_core.graph.elements import NETWORK_MS as NETWORK_MS
from vistio_core.graph.elements import NOTHING_MEASURED as NOTHING_MEASURED
from vistio_core.graph.elements import Edge as Edge
from vistio_core.graph.elements import Node as Node
from vistio_core.graph.elements import Notice as Notice
from vistio_core.graph.elements import Rates as Rates
from vistio_core.graph.networks import network_of
from vistio_core.graph.tables import GraphLevel, edges_table, nodes_table
from vistio_core.graph.unseen import Round
from vistio_core.marked_from import USUALLY_MARKED, MarkedFrom
from vistio_core.names import nearest, visible
from vistio_core.tables import TwoTables
from vistio_core.times import format_instant


@attrs.frozen
class Region:
    """The inside of a cluster. It can be entered when a global node has its name."""

    name: str
    max_volume: float
    """The configured scale of traffic in requests per second; 0 where none is configured."""
    nodes: tuple[Node, ...]
    edges: Sequence[Edge]

    @property
    def level(self) -> GraphLevel:
        """Its nodes and edges, beside those of other levels."""
        return GraphLevel(self.name, self.nodes, self.edges)


@attrs.frozen
class FailedRule:
    """A rule that was not answered at the graph's instant: its part of the graph was not seen."""

    cluster: str
    rule: str
    """Or the name of a writer, when all of it is missing."""
    outcome: str
    """One of `vistio_core.events.Outcome`, or ``stale`` for a writer that recorded nothing of late."""
    error: str


@attrs.frozen(repr=False)
class Graph(TwoTables):
    """The traffic of the mesh at one instant."""

    name: str
    asked_ms: int
    """The instant that was asked for."""
    instant_ms: int
    """The instant that this graph shows: the newest recorded one that is not after ``asked_ms``."""
    interval_ms: int
    configuration: str
    """Hash of the configuration by which it was judged."""
    max_volume: float
    nodes: tuple[Node, ...]
    """The global level: clusters, and what lies outside of the mesh."""
    edges: Sequence[Edge]
    """Traffic of the global level."""
    regions: tuple[Region, ...]
    """The clusters' insides, sorted by name."""
    classes: tuple[NodeClass, ...]
    """Sorted by name; always has ``default``."""
    failed_rules: tuple[FailedRule, ...] = ()
    backfilled: bool = False
    marked_from: MarkedFrom = USUALLY_MARKED
    """The lowest thresholds of the configurations that judged it: what a picture marks as bad."""
    asked: Round = attrs.field(default=Round(), eq=False)
    """Which rules of all writers could have told of traffic, and which of them were not answered."""
    significant_digits: int | None = attrs.field(default=None, eq=False)
    """To how many its rates may have been rounded when they were recorded; None: they are exact. A sealed hour
    says it of all of its instants, a commit of its own, so equal graphs may differ in it."""

    @property
    def age_ms(self) -> int:
        """How much older the shown instant is than the asked one."""
        return self.asked_ms - self.instant_ms

    @property
    def levels(self) -> list[GraphLevel]:
        """The global level, whose cluster is the empty text, then all regions."""
        return [GraphLevel(GLOBAL_LEVEL, self.nodes, self.edges), *(each.level for each in self.regions)]

    def region(self, name: str) -> Region:
        """The region called ``name``.

        Raises:
            NotInGraphError: no such region in this graph; offers the nearest names.
        """
        for region in self.regions:
            if region.name == name:
                return region
        raise NotInGraphError("region", name, nearest(name, (region.name for region in self.regions)))

    def edges_table(self) -> pa.Table:
        """All edges of all levels.

        Shape: one row per edge, by level, source and target.
            cluster (string): empty for the global level, source, target (string),
            normal, warning, danger, total (double): requests per second; null where they were not seen,
            told_by (string): ``caller``, ``called`` or ``both``; null where rules do not say whose reports they are,
            severity (string): of its worst notice; null without one, notices (list of string): titles, the worst first,
            and one column (double) for each measure of an edge, such as ``latency_mean_ms``: null where it was not
            measured. One that is called as one of the columns above is ``measured_<measure>``.
        """
        return edges_table(self.levels)

    def nodes_table(self) -> pa.Table:
        """All nodes of all levels.

        Shape: one row per node, by level and name.
            cluster (string): empty for the global level, node (string), node_class (string),
            entering_rps, entering_danger_rps, leaving_rps (double): requests per second over its edges, 0 where there
            is no edge; null where those of one of them were not seen,
            severity, notices and measures as in `edges_table`.
        """
        return nodes_table(self.levels)

    def to_networkx(self, cluster: str | None = None) -> Any:
        """The graph as a networkx ``DiGraph``; what stands in the tables is an attribute.

        Args:
            cluster: one level, whose nodes are called by their names (the empty text is the global one); None for all
                of them, each node as the pair of its cluster and its name.

        Raises:
            MissingLibraryError: networkx is not installed.
            NotInGraphError: no such cluster in this graph; offers the nearest names.
        """
        levels = self.levels
        if cluster is not None:
            levels = [levels[0] if cluster == GLOBAL_LEVEL else self.region(cluster).level]
        return network_of(levels, paired=cluster is None)

    def _tables(self) -> tuple[pa.Table, pa.Table]:
        return self.edges_table(), self.nodes_table()

    def __repr__(self) -> str:
        return f"<Graph {self._title()}: {self._size()}>"

    def _repr_html_(self) -> str:
        from vistio_core.displays.graph import graph_html

        facts = [self._size()]
        if self.backfilled:
            facts.append("backfilled")
        if self.significant_digits is not None:
            facts.append(f"rates were rounded to {self.significant_digits} significant digits")
        return graph_html(
            self._title(),
            "; ".join(facts),
            self.nodes_table(),
            self.edges_table(),
            [
                f"{each.cluster or 'global level'}/{each.rule}: {each.outcome}: {each.error}"
                for each in self.failed_rules
            ],
            self.marked_from,
        )

    def _title(self) -> str:
        asked = f", asked for {format_instant(self.asked_ms)}" if self.age_ms else ""
        return f"{visible(self.name)} at {format_instant(self.instant_ms)}{asked}"

    def _size(self) -> str:
        from vistio_core.displays.words import counted

        levels = self.levels
        told = [
            counted(len(self.regions), "region"),
            counted(sum(len(level.nodes) for level in levels), "node"),
            counted(sum(len(level.edges) for level in levels), "edge"),
        ]
        if self.failed_rules:
            told.append(f"{counted(len(self.failed_rules), 'rule')} not seen")
        return ", ".join(told)
