"""What is derived of what was measured: whose fault a deviation would be. Pure; numpy inside.

A slow database makes every caller slow. So of each measure that passes along calls, a node is charged with its own
part only: what it took, or failed, minus what it waited for, or got failed, from those that it calls. What lies
between both ends of a call is the edge's.

    web > cart 10/s, 100 ms     cart > db 20/s, 45 ms (as cart sees it), 40 ms (as db sees it)
    own time of cart            100 - 20/10 x 45 = 10 ms a request
    own time of db              40 ms a request
    network of cart > db        45 - 40 = 5 ms a request

    of          signal              what is counted, a request                         falls count
    nodes       own_time_ms         ms at the called end, minus those of its calls     no
    nodes       own_failure_share   share that failed (danger), minus its calls'       no
    nodes       own_warning_share   likewise, of the class warning                     no
    edges       network_ms          ms of the caller minus ms of the called            no
    edges       lost_share          share that was sent and not received               no
    edges       calls_per_request   calls for each request that enters the source      yes
    nodes       any measurement     of durations its own part; else the share of it    yes

Each signal says how many requests a second it is about, so that what is slow and what fails can be compared: by how
many requests are harmed (`suspects`).
"""

from __future__ import annotations

import re
from typing import Any

import attrs
import numpy as np

from vistio_core.configuration.mapping import StatusClass
from vistio_core.diagnosis.observed import CALLER, Observed, or_zero
from vistio_core.events import GLOBAL_LEVEL
from vistio_core.judging.codes import Booleans, Integers
from vistio_core.samples import Floats

SLOW, WARNING, CALLS = 0.5, 0.5, 0.1
"""How much of a harmed request each is: a slow one, one of the class warning, a call more or less than usual."""
LATENCY_MEAN_MS = "latency_mean_ms"
_IN_MS = {"ms": 1.0, "s": 1000.0, "seconds": 1000.0}
_UNIT = re.compile(r"_(ms|s|seconds|rps)$")
_GOOD = re.compile(r"(^|_)(availability|available|success|succeeded|uptime|ready|healthy)(_|$)")
"""What is the better, the more there is of it."""
_MEAN = re.compile(r"(^|_)(mean|avg|average)(_|$)")


@attrs.frozen(eq=False)
class Signal:
    """One measure of all edges, or of all nodes, over time."""

    measure: str
    of_edges: bool
    values: Floats
    """Steps by edges or nodes; NaN where not seen."""
    rps: Floats
    """Steps by edges or nodes: how many requests a second it is about."""
    unit: str
    """``ms``; ``share`` of requests; ``calls`` a request; or empty: of what is measured in units of its own."""
    weight: float = 1.0
    """Of a request that is concerned wholly."""
    falls: bool = False
    """Whether less than normal counts, too."""


@attrs.frozen(eq=False)
class EdgesByNode:
    """Edges by the node that is at one end of each, so that all of a node's lie side by side."""

    order: Integers | slice
    """The edges, by their node; a slice where they are in that order anyway."""
    starts: Integers
    """Where in ``order`` those of each of ``nodes`` begin."""
    nodes: Integers
    """Which nodes have any."""
    of_nodes: int
    """How many nodes there are."""

    @classmethod
    def at(cls, ends: Integers, of_nodes: int) -> EdgesByNode:
        """Of each edge's node."""
        in_order = bool((ends[1:] >= ends[:-1]).all())
        order = slice(None) if in_order else np.argsort(ends, kind="stable")
        nodes, starts = np.unique(ends[order], return_index=True)
        return cls(order, starts, nodes, of_nodes)

    def added(self, of_edges: Floats) -> Floats:
        """Times by edges become times by nodes: the sums; 0 for a node without edges."""
        sums: Floats = self._by_node(np.add, of_edges, 0.0)
        return sums

    def most(self, of_edges: Floats) -> Floats:
        """Likewise the largest one that is known; NaN where none is."""
        largest: Floats = self._by_node(np.fmax, of_edges, np.nan)
        return largest

    def all(self, of_edges: Booleans) -> Booleans:
        """Likewise whether that is so for all edges of a node; it is not for one without edges."""
        so_for_all: Booleans = self._by_node(np.logical_and, of_edges, False)
        return so_for_all

    def _by_node(self, of: np.ufunc, of_edges: Any, without: float) -> Any:
        found = np.full((len(of_edges), self.of_nodes), without)
        if len(self.nodes):
            found[:, self.nodes] = of.reduceat(of_edges[:, self.order], self.starts, axis=1)
        return found


@attrs.frozen(eq=False)
class Mesh:
    """Who calls whom, and how much."""

    source: Integers
    """Of each edge, an index of a node."""
    target: Integers
    by_source: EdgesByNode
    by_target: EdgesByNode
    rps: Floats
    """Steps by edges, of all classes."""
    entering: Floats
    """Steps by nodes: of the edges to each; of an entry, of its most frequent calls."""
    called: Booleans
    """Whether somebody calls a node, for each."""
    entry: Booleans
    """Whether what a node calls is what enters its level: nobody else calls it. On a level where everybody is called,
    it is who calls most beyond what it gets."""
    outlined: Booleans
    """Whether a node of the global level stands for a cluster whose inside is there: what it does, its nodes do."""

    @classmethod
    def of(cls, seen: Observed) -> Mesh:
        """Of what was observed."""
        place = {tuple(node): index for index, node in enumerate(seen.nodes.tolist())}
        source, target = (
            np.array([place[cluster, ends[end]] for cluster, *ends in seen.edges.tolist()], np.int64)
            for end in (0, 1)
        )
        by_source, by_target = (EdgesByNode.at(ends, len(seen.nodes)) for ends in (source, target))
        rps = seen.rates.sum(axis=0)
        called, entry = np.zeros(len(seen.nodes), bool), np.ones(len(seen.nodes), bool)
        called[target] = True
        entry[target[source != target]] = False
        gets, calls = _known(by_target, rps, rps), by_source.most(rps)
        level = seen.nodes[:, 0]
        for each in np.setdiff1d(level[source], level[source[entry[source]]]).tolist():
            beyond = np.where(level == each, or_zero(calls - gets).sum(axis=0), -np.inf)
            entry[beyond.argmax()] = True
        entering = np.where(entry, calls, gets)
        inside = {seen.names[cluster] for cluster in seen.edges[:, 0].tolist()} - {GLOBAL_LEVEL}
        outlined = np.array(
            [seen.names[level] == GLOBAL_LEVEL and seen.names[name] in inside for level, name in seen.nodes],
            bool,
        )
        return cls(source, target, by_source, by_target, rps, entering, called, entry, outlined)

    @property
    def enters(self) -> Booleans:
        """Which edges are what enters their level."""
        edges: Booleans = self.entry[self.source] & (self.source != self.target)
        return edges

    def into(self, of_edges: Floats) -> Floats:
        """The sums over the edges to each node; what is not known counts for nothing."""
        return _known(self.by_target, of_edges, self.rps)

    def out_of(self, of_edges: Floats) -> Floats:
        """Likewise, from each node."""
        return _known(self.by_source, of_edges, self.rps)

    def calls_away(self, start: Booleans, *, against: bool = False) -> Integers:
        """How many calls each node is away from the nearest of some, which call it, directly or by way of others.

        Args:
            start: which nodes.
            against: against the calls: the other nodes call these.

        Returns:
            Of each node 0 or more; -1 where there is no way.
        """
        source, target = (self.target, self.source) if against else (self.source, self.target)
        away = np.where(start, 0, -1)
        for calls in range(1, len(away) + 1):
            here = target[away[source] == calls - 1]
            here = here[away[here] < 0]
            if not len(here):
                break
            away[here] = calls
        return away


def _known(ends: EdgesByNode, of_edges: Floats, rps: Floats) -> Floats:
    """Sums by node; NaN where nothing was seen of any of its edges."""
    sums = ends.added(or_zero(of_edges))
    unseen = np.isnan(rps)
    if unseen.any():
        sums[ends.all(unseen)] = np.nan
    return sums


def signals(seen: Observed, mesh: Mesh) -> list[Signal]:
    """All of them, those of requests first."""
    return [*_times(seen, mesh), *_failures(seen, mesh), _calls(mesh), *_measured(seen, mesh)]


def time_at(seen: Observed, *, caller: bool) -> Floats | None:
    """How long a request took on each edge, in ms, as one end says, else the other; None where nobody measures."""
    plain = _plainest([name for name in seen.of_edges if not name.startswith(CALLER)])
    other = _plainest([name.removeprefix(CALLER) for name in seen.of_edges if name.startswith(CALLER)])
    names = [name for name in ((plain or ""), CALLER + (other or "")) if name in seen.of_edges]
    if not names:
        return None
    first, *rest = reversed(names) if caller else names
    found = _in_ms(first, seen.of_edges[first])
    for name in rest:
        found = np.where(np.isnan(found), _in_ms(name, seen.of_edges[name]), found)
    return found


def node_time(seen: Observed) -> Floats | None:
    """How long a request took, in ms, as far as that is measured of nodes themselves; None where nobody does."""
    plainest = _plainest(list(seen.of_nodes))
    return None if plainest is None else _in_ms(plainest, seen.of_nodes[plainest])


def _plainest(names: list[str]) -> str | None:
    """Of durations the mean, which can be subtracted; else the first one."""
    durations = sorted(name for name in names if unit_of(name) in _IN_MS)
    means = [name for name in durations if _MEAN.search(name)]
    return next(iter([*means, *durations]), None)


def unit_of(measure: str) -> str:
    """The unit that a measure's name ends with; empty where it is none that we know."""
    found = _UNIT.search(measure)
    return found[1] if found else ""


def _in_ms(measure: str, values: Floats) -> Floats:
    return values * _IN_MS.get(unit_of(measure), 1.0)


def _times(seen: Observed, mesh: Mesh) -> list[Signal]:
    called, caller = time_at(seen, caller=False), time_at(seen, caller=True)
    if called is None or caller is None:
        return []
    own = ratio(mesh.into(mesh.rps * called) - mesh.out_of(mesh.rps * caller), mesh.into(mesh.rps))
    timed = mesh.into((~np.isnan(called)).astype(float)) > 0
    found = [Signal("own_time_ms", False, np.where(timed, own, np.nan), mesh.into(mesh.rps), "ms", SLOW)]
    if CALLER + LATENCY_MEAN_MS in seen.of_edges and LATENCY_MEAN_MS in seen.of_edges:
        between = seen.of_edges[CALLER + LATENCY_MEAN_MS] - seen.of_edges[LATENCY_MEAN_MS]
        found.append(Signal("network_ms", True, np.maximum(between, 0.0), mesh.rps, "ms", SLOW))
    return found


def _failures(seen: Observed, mesh: Mesh) -> list[Signal]:
    if not len(seen.edges):
        return []
    entering = mesh.into(mesh.rps)
    danger, warning = (seen.rates[each.column] for each in (StatusClass.DANGER, StatusClass.WARNING))
    found = []
    failed = danger
    if not np.isnan(seen.lost).all():
        lost = or_zero(seen.lost)
        failed = np.maximum(danger - lost, 0.0)
        found.append(Signal("lost_share", True, ratio(lost, mesh.rps), mesh.rps, "share"))
    return [
        Signal("own_failure_share", False, _own(mesh, failed, entering), entering, "share"),
        Signal("own_warning_share", False, _own(mesh, warning, entering), entering, "share", WARNING),
        *found,
    ]


def _own(mesh: Mesh, failed: Floats, entering: Floats) -> Floats:
    return ratio(np.maximum(mesh.into(failed) - mesh.out_of(failed), 0.0), entering)


def _calls(mesh: Mesh) -> Signal:
    """Calls for each request that enters the source; of an entry, for each that it makes."""
    entering = np.where(mesh.entry, mesh.out_of(mesh.rps), mesh.entering)[:, mesh.source]
    values = np.where(np.isnan(mesh.rps), np.nan, ratio(or_zero(mesh.rps), entering))
    return Signal("calls_per_request", True, values, entering, "calls", CALLS, True)


def _measured(seen: Observed, mesh: Mesh) -> list[Signal]:
    """What was measured of nodes. Of durations the mean alone, where there is one."""
    plainest = _plainest(list(seen.of_nodes))
    with_mean = plainest is not None and _MEAN.search(plainest) is not None
    found = []
    for name, values in seen.of_nodes.items():
        unit = unit_of(name)
        if unit == "rps" or (unit in _IN_MS and with_mean and name != plainest):
            continue
        if unit in _IN_MS:
            own = _own_part(mesh, _in_ms(name, values))
            found.append(Signal(name, False, own, mesh.entering, "ms", SLOW))
        else:
            good = _GOOD.search(name) is not None
            found.append(Signal(name, False, -values if good else values, mesh.entering, "", falls=not good))
    return found


def _own_part(mesh: Mesh, values: Floats) -> Floats:
    """What is left of a node's measure without that of those that it calls, by how often it calls them."""
    passed = mesh.out_of(mesh.rps * or_zero(values)[:, mesh.target])
    own: Floats = values - or_zero(ratio(passed, mesh.entering))
    return own


def ratio(of: Floats, by: Floats) -> Floats:
    """NaN where that is of nothing."""
    ratio: Floats = np.divide(of, by, out=np.full(np.broadcast(of, by).shape, np.nan), where=by > 0)
    return ratio
