"""What changed between two moments: instants, or windows by their mean rates. Pure; numpy inside."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import attrs
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from vistio_core.events import GLOBAL_LEVEL
from vistio_core.graph.edges import Edges
from vistio_core.graph.model import Graph
from vistio_core.judging.seen import Blind, names_of_edge, names_of_node
from vistio_core.judging.totals import RATES
from vistio_core.replay.settled import nothing_is_open
from vistio_core.storage.format import DIGITS_KEY, fewest_digits
from vistio_core.tables import TwoTables
from vistio_core.times import format_instant

CHANGES = ("changed", "new", "gone", "unseen")
"""``new`` and ``gone`` are only said where both moments were answered."""
Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@attrs.frozen(eq=False)
class Moment:
    """One side of a comparison. Edges and nodes are rows of indexes into ``names``, in any order."""

    start_ms: int
    """The instant that is shown, or the window's start."""
    end_ms: int
    """The same instant, or the window's end, exclusive."""
    instants: int
    """How many instants were seen and count."""
    settled: bool
    """False when what is missing may still be filled in: something `nothing_is_open` finds, or a window."""
    names: Sequence[str] = attrs.field(repr=False)
    """Of clusters (empty for the global level) and nodes, each once."""
    edges: Integers = attrs.field(repr=False)
    """Cluster, source and target of every edge, each once."""
    rates: Floats = attrs.field(repr=False)
    """A row for each of ``edges``: normal, warning and danger in requests per second."""
    nodes: Integers = attrs.field(repr=False)
    """Cluster and name of every node, each once; the ends of edges are among them."""
    blind: tuple[Blind, ...] = attrs.field(default=(), repr=False)
    """What was never answered in it: an edge that it could have told is not known, or known in part."""
    significant_digits: int | None = None
    """To how many its rates may have been rounded when they were recorded; None: they are exact."""
    into: Floats | None = attrs.field(default=None, repr=False)
    """As ``rates``: the part of each edge in what enters its target, where all of that was seen; None: its rates."""
    out_of: Floats | None = attrs.field(default=None, repr=False)
    """Likewise, in what leaves its source."""

    def parts(self, places: Integers, number: int) -> tuple[Floats, Floats]:
        """``into`` and ``out_of`` among so many edges, at these places."""
        parts = np.zeros((2, number, 3))
        for part, own in zip(parts, (self.into, self.out_of), strict=True):
            part[places] = self.rates if own is None else own
        return parts[0], parts[1]

    def document(self) -> dict[str, Any]:
        """What is compared, as JSON tells it."""
        return {
            "start": format_instant(self.start_ms),
            "end": format_instant(self.end_ms),
            "instants": self.instants,
            "significant_digits": self.significant_digits,
        }

    @property
    def title(self) -> str:
        """When it is, as people read it."""
        if self.start_ms == self.end_ms:
            return format_instant(self.start_ms)
        return f"{format_instant(self.start_ms)}/{format_instant(self.end_ms)}"


@attrs.frozen(repr=False)
class Comparison(TwoTables):
    """Two moments and what differs; `Recording.compare` tells the shapes."""

    before: Moment
    after: Moment
    edges: pa.Table = attrs.field(repr=False)
    nodes: pa.Table = attrs.field(repr=False)

    @property
    def significant_digits(self) -> int | None:
        """The fewest to which a side was rounded: smaller differences are not seen. None: both are exact."""
        return fewest_digits((self.before.significant_digits, self.after.significant_digits))

    def document(self, most: int) -> dict[str, Any]:
        """As JSON tells it, over HTTP and in the terminal; at most so many edges, and as many nodes, are listed."""
        return {
            "before": self.before.document(),
            "after": self.after.document(),
            "changed_edges": self.edges.num_rows,
            "changed_nodes": self.nodes.num_rows,
            "edges": [_told(row) for row in self.edges.slice(0, most).to_pylist()],
            "nodes": [_told(row) for row in self.nodes.slice(0, most).to_pylist()],
        }

    def _tables(self) -> tuple[pa.Table, pa.Table]:
        return self.edges, self.nodes

    def __repr__(self) -> str:
        from vistio_core.displays.found import comparison_counts

        return f"<Comparison of {self._title()}: {comparison_counts(self.edges)}>"

    def _repr_html_(self) -> str:
        from vistio_core.displays.found import comparison_html

        digits = self.significant_digits
        rounded = "" if digits is None else f"rates were rounded to {digits} significant digits"
        return comparison_html(self._title(), rounded, self.edges, self.nodes)

    def _title(self) -> str:
        return f"{self.before.title} with {self.after.title}"


def moment_of(graph: Graph) -> Moment:
    """A graph as one side of a comparison."""
    levels = [
        (GLOBAL_LEVEL, graph.nodes, Edges.of(graph.edges)),
        *((region.name, region.nodes, Edges.of(region.edges)) for region in graph.regions),
    ]
    place: dict[str, int] = {}
    edge_rows, node_rows = [], []
    for cluster, nodes, edges in levels:
        number = place.setdefault(cluster, len(place))
        own, ends = (
            np.array([place.setdefault(name, len(place)) for name in names], np.int64)
            for names in ([node.name for node in nodes], edges.names)
        )
        edge_rows.append(_rows(number, ends[edges.source], ends[edges.target]))
        node_rows.append(_rows(number, own))
    rates = np.concatenate([edges.rates for _, _, edges in levels])
    known = ~np.isnan(rates[:, 0])  # of the others nothing can be said, as if they were not there
    return Moment(
        graph.instant_ms,
        graph.instant_ms,
        1,
        nothing_is_open(graph),
        tuple(place),
        np.concatenate(edge_rows)[known],
        rates[known],
        np.concatenate(node_rows),
        (Blind((graph.asked,)),),
        graph.significant_digits,
    )


def _rows(cluster: int, *columns: Integers) -> Integers:
    return np.column_stack([np.full(len(columns[0]), cluster), *columns])


def compare(before: Moment, after: Moment) -> Comparison:
    """What differs between two moments, the largest change first."""
    sides = before, after
    numbering = _Numbering(sides)
    node_sides, edge_sides = zip(*map(numbering.of, sides), strict=True)
    nodes, edges = (np.unique(np.concatenate(each)) for each in (node_sides, edge_sides))
    places = [np.searchsorted(edges, each) for each in edge_sides]
    rates = [np.zeros((len(edges), 3)) for _ in sides]
    for moment, own, place in zip(sides, rates, places, strict=True):
        own[place] = moment.rates
    source, target = (np.searchsorted(nodes, each) for each in numbering.ends_of(edges))
    cluster, node = numbering.texts_of(nodes)
    ends = {"source": node.take(pa.array(source)), "target": node.take(pa.array(target))}
    of_edges = {"cluster": cluster.take(pa.array(source)), **ends}
    of_nodes = {"cluster": cluster, "node": node}
    digits = fewest_digits((before.significant_digits, after.significant_digits))
    # As files say it.
    said = None if digits is None else {DIGITS_KEY: str(digits)}
    return Comparison(
        before,
        after,
        _changes(
            of_edges, places, rates, [_unseen(side, of_edges, names_of_edge) for side in sides]
        ).replace_schema_metadata(said),
        _changes(
            of_nodes,
            [np.searchsorted(nodes, each) for each in node_sides],
            [
                _by_node(side.parts(place, len(edges)), source, target, len(nodes))
                for side, place in zip(sides, places, strict=True)
            ],
            [_unseen(side, of_nodes, names_of_node) for side in sides],
        ).replace_schema_metadata(said),
    )


def _told(row: dict[str, Any]) -> dict[str, Any]:
    """A row with its two sides as objects; null where it was not there, or not seen."""
    sides = {side: {name: row.pop(f"{side}_{name}") for name in RATES} for side in ("before", "after")}
    absent = {"new": "before", "gone": "after"}.get(row["change"])
    for side, rates in sides.items():
        row[side] = None if side == absent or rates["normal"] is None else rates
    return row


def _unseen(
    side: Moment, names: dict[str, pa.Array], names_of: Callable[..., list[str]]
) -> dict[int, list[str]]:
    """Which edges or nodes a side says nothing sure about, and the rules that were not answered."""
    if all(each.tellers is None and not each.unseen for one in side.blind for each in one.rounds):
        return {}
    rules = [
        rule for one in side.blind for each in one.rounds for rule in (*each.unseen, *(each.tellers or ()))
    ]
    # All other names are alike to every rule, so few cases are asked.
    fixed = {name for rule in rules for name in (rule.source, rule.target)}
    clusters, *ends = (column.to_pylist() for column in names.values())
    unseen_of_case = cache(lambda *case: names_of(side.blind, *case))
    found = {}
    for place, (cluster, *own) in enumerate(zip(clusters, *ends, strict=True)):
        unseen = unseen_of_case(cluster, *(name if name in fixed else "" for name in own))
        if unseen:
            found[place] = unseen
    return found


class _Numbering:
    """Nodes and edges of two moments as one number each, in the order of their names.

    The digits are the places of cluster, source and target among the sorted names; of clusters, only those that
    are some count, so that 64 bits do for a thousand million names.
    """

    def __init__(self, sides: Sequence[Moment]) -> None:
        self._names = sorted({name for side in sides for name in side.names})
        self._place = {name: place for place, name in enumerate(self._names)}
        self._base = max(1, len(self._names))
        clusters = [self._places(side)[side.nodes[:, 0]] for side in sides]
        self._clusters: Integers = np.unique(np.concatenate(clusters))

    def of(self, side: Moment) -> tuple[Integers, Integers]:
        """The numbers of a side's nodes and of its edges, in its order."""
        place = self._places(side)
        cluster = np.searchsorted(self._clusters, place)  # of what is no cluster it means nothing
        nodes = cluster[side.nodes[:, 0]] * self._base + place[side.nodes[:, 1]]
        sources = cluster[side.edges[:, 0]] * self._base + place[side.edges[:, 1]]
        return nodes, sources * self._base + place[side.edges[:, 2]]

    def _places(self, side: Moment) -> Integers:
        return np.fromiter(map(self._place.__getitem__, side.names), np.int64, len(side.names))

    def ends_of(self, edges: Integers) -> tuple[Integers, Integers]:
        """The numbers of the nodes that edges leave and enter."""
        sources, targets = np.divmod(edges, self._base)
        return sources, sources // self._base * self._base + targets

    def texts_of(self, nodes: Integers) -> tuple[pa.Array, pa.Array]:
        """Cluster and name of each."""
        clusters, names = np.divmod(nodes, self._base)
        texts = pa.array(self._names, pa.string())
        return texts.take(pa.array(self._clusters[clusters])), texts.take(pa.array(names))


def _by_node(parts: tuple[Floats, Floats], sources: Integers, targets: Integers, number: int) -> Floats:
    """A node is measured by what enters it; one that nothing enters, such as INTERNET, by what leaves it."""
    into, out_of = parts
    sums = np.zeros((number, 3))
    # One after the other, in the order of the edges' names: a sum of floats depends on its order.
    np.add.at(sums, targets, into)
    entered = np.zeros(number, bool)
    entered[targets] = True
    leaving = ~entered[sources]
    np.add.at(sums, sources[leaving], out_of[leaving])
    return sums


def _changes(
    names: dict[str, pa.Array],
    places: Sequence[Integers],
    rates: Sequence[Floats],
    unseen: Sequence[Mapping[int, list[str]]],
) -> pa.Table:
    """What differs, the largest change first; equal ones in the order of their names. Last, what was not seen.

    Args:
        names: the columns of names, in their order.
        places: where each side has something.
        rates: of each side, at all places.
        unseen: of each side, a place to the rules that could have told of it and were not answered.
    """
    present = np.zeros((2, len(rates[0])), bool)
    blind = np.zeros((2, len(rates[0])), bool)
    for side in range(2):
        present[side, places[side]] = True
        blind[side, list(unseen[side])] = True
    hidden = blind[0] & ~present[0] | blind[1] & ~present[1]
    differences = np.abs(rates[1] - rates[0])
    sizes = np.where(hidden, -1.0, differences[:, 0] + differences[:, 1] + differences[:, 2])
    changed = np.flatnonzero(~present.all(axis=0) | (rates[0] != rates[1]).any(axis=1))
    order = changed[np.argsort(-sizes[changed], kind="stable")]
    taken = pa.array(order)
    columns = {name: texts.take(taken) for name, texts in names.items()}
    kinds = np.where(hidden, 3, np.where(present[0] & present[1], 0, np.where(present[1], 1, 2)))[order]
    columns["change"] = pa.array(CHANGES, pa.string()).take(pa.array(kinds))
    columns["change_rps"] = pa.array(sizes[order], mask=hidden[order])
    for side, prefix in enumerate(("before", "after")):
        unknown = (blind[side] & ~present[side])[order]
        for part, name in enumerate(RATES):
            columns[f"{prefix}_{name}"] = pa.array(rates[side][order, part], mask=unknown)
    for side, prefix in enumerate(("before", "after")):
        rules = [unseen[side].get(place, []) for place in order.tolist()]
        columns[f"{prefix}_unseen"] = pa.array(rules, pa.list_(pa.string()))
    return pa.table(columns)
