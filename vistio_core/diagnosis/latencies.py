"""How long a request took over a window, for edges and nodes. Pure; numpy inside.

A step counts by its requests, so that a slow minute of a quiet night weighs as little as it mattered:

    cart > db     100 a second at 4 ms, then 1 a second at 400 ms      (100 x 4 + 1 x 400) / 101 = 7.9 ms

Of a node it is that of the requests that enter it; where nobody measures these, what is measured of the node itself.
A step of which either was not seen counts for nothing; where all are such steps, nothing is known.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from vistio_core.diagnosis.observed import Observed
from vistio_core.diagnosis.signals import Mesh, node_time, time_at
from vistio_core.judging.codes import Integers
from vistio_core.samples import Floats

Ends = tuple[str, str, str | None]
"""Cluster, node, and the target of an edge; None for a node."""


def latencies(parts: Iterable[Observed]) -> Mapping[Ends, float]:
    """Milliseconds a request of each edge and node of which they are known.

    Args:
        parts: the window, a stretch after the other; each is let go before the next one is asked for.
    """
    sums: defaultdict[Ends, list[float]] = defaultdict(lambda: [0.0, 0.0])
    itself: defaultdict[Ends, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for seen in parts:
        for found, added in ((sums, _of_requests(seen)), (itself, _of_nodes(seen))):
            for ends, total, weight in added:
                found[ends][0] += total
                found[ends][1] += weight
    return {ends: total / weight for ends, (total, weight) in {**itself, **sums}.items()}


def _of_requests(seen: Observed) -> Iterator[tuple[Ends, float, float]]:
    """Of edges and of what they enter: milliseconds of all requests, and how many these are."""
    mesh = Mesh.of(seen)
    timed = timed_requests(seen, mesh)
    if timed is None:
        return
    requests, total = (each.sum(axis=0) for each in timed)
    yield from _named(seen, seen.edges, total, requests)
    of_nodes, entering = mesh.by_target.added(np.array([total, requests]))
    yield from _named(seen, seen.nodes, of_nodes, entering)


def timed_requests(seen: Observed, mesh: Mesh) -> tuple[Floats, Floats] | None:
    """How many requests a second took a known time, and how many ms these took; steps by edges.

    None where nobody measures. 0 where a time, or how many requests there were, is not known.
    """
    took = time_at(seen, caller=False)
    if took is None:
        return None
    known = ~np.isnan(took) & ~np.isnan(mesh.rps)
    return np.where(known, mesh.rps, 0.0), np.where(known, mesh.rps * took, 0.0)


def _of_nodes(seen: Observed) -> Iterator[tuple[Ends, float, float]]:
    """Of what is measured of nodes themselves: milliseconds of all steps, and how many these are."""
    took = node_time(seen)
    if took is not None:
        steps = (~np.isnan(took)).sum(axis=0).astype(np.float64)
        yield from _named(seen, seen.nodes, np.nan_to_num(took).sum(axis=0), steps)


def _named(
    seen: Observed, rows: Integers, total: Floats, weight: Floats
) -> Iterator[tuple[Ends, float, float]]:
    for row in np.flatnonzero(weight > 0).tolist():
        cluster, node, *target = (seen.names[place] for place in rows[row].tolist())
        yield (cluster, node, target[0] if target else None), float(total[row]), float(weight[row])
