"""Methods that others published, small and fair: each sees the same observations, and no cause has a name.

`page_rank` is MicroRCA (Wu et al., NOMS 2020) as far as it goes without numbers of containers: the calls around those
that are anomalous, weighted by how surely they are or by how alike they move, and a walk from called to caller, as its
program has it, that begins anew at the anomalous ones. `baro` is BARO's own program (Pham et al., FSE 2024).
`traversal` walks along anomalous calls for as long as there are any, from where they begin: that is seldom where
requests enter, which is noisy. Anomalous, for the two that need it, is a mean over the window that lies more than
three standard deviations from that of the hour before.
"""

from __future__ import annotations

import numpy as np

from incidents.methods import Method
from incidents.observations import Edge, Observations, observe
from vistio_core import Recording
from vistio_core.samples import Floats

ANOMALOUS = 3.0
SURE = 0.55
"""MicroRCA's weight of an anomalous call."""


def page_rank(recording: Recording, start_ms: int, end_ms: int) -> list[list[str]]:
    """Nodes of the anomalous part, by a personalised PageRank."""
    import networkx as nx

    seen = observe(recording, start_ms, end_ms)
    anomalous = anomalous_edges(seen)
    graph = nx.DiGraph()
    for node in {target for _, target in anomalous}:
        own = next(edge for edge in anomalous if edge[1] == node)
        for edge in seen.of_edges:
            if node in edge:
                graph.add_edge(*edge, weight=SURE if edge in anomalous else _alike(seen, own, edge))
    if not anomalous:
        return [[]]
    begins = {
        node: sum(graph.edges[edge]["weight"] for edge in anomalous if edge[1] == node) / graph.degree(node)
        for node in graph
    }
    rank = nx.pagerank(graph.reverse(), alpha=0.85, personalization=begins, max_iter=10_000)
    return [sorted(rank, key=lambda node: (-rank[node], node))]


def traversal(recording: Recording, start_ms: int, end_ms: int) -> list[list[str]]:
    """Where walks along anomalous calls end, the most anomalous end first."""
    seen = observe(recording, start_ms, end_ms)
    anomalous = anomalous_edges(seen)
    ends: dict[str, float] = {}
    for (_, target), departure in anomalous.items():
        if not any(source == target for source, _ in anomalous):
            ends[target] = max(departure, ends.get(target, 0.0))
    return [sorted(ends, key=lambda node: (-ends[node], node))]


def baro(recording: Recording, start_ms: int, end_ms: int) -> list[list[str]]:
    """Nodes in the order in which BARO names their metrics. An edge's count as those of its target."""
    import pandas as pd
    from baro.root_cause_analysis import robust_scorer

    seen = observe(recording, start_ms, end_ms)
    columns: dict[tuple[str, ...], Floats] = {
        (node, measure): values for node, own in seen.of_nodes.items() for measure, values in own.items()
    }
    for (source, target), own in seen.of_edges.items():
        columns |= {(target, source, measure): values for measure, values in own.items()}
    names = {"\t".join(key): key[0] for key in columns}
    # BARO knows no missing values: one stays what it was.
    frame = pd.DataFrame(dict(zip(names, columns.values(), strict=True))).ffill().bfill().fillna(0.0)
    frame.insert(0, "time", seen.instants_ms)
    ranked = robust_scorer(frame, inject_time=start_ms)["ranks"]
    return [list(dict.fromkeys(names[metric] for metric in ranked))]


def anomalous_edges(seen: Observations) -> dict[Edge, float]:
    """By how many standard deviations each has moved."""
    found = {edge: seen.departure(seen.symptoms(edge)) for edge in seen.of_edges}
    return {edge: departure for edge, departure in found.items() if departure > ANOMALOUS}


def _alike(seen: Observations, edge: Edge, other: Edge) -> float:
    """The largest correlation between what is known of two edges, without its sign."""
    return max((_correlation(a, b) for a in seen.symptoms(edge) for b in seen.symptoms(other)), default=0.0)


def _correlation(some: Floats, other: Floats) -> float:
    both = ~np.isnan(some) & ~np.isnan(other)
    some, other = some[both], other[both]
    if len(some) < 2 or not some.std() or not other.std():
        return 0.0
    return float(abs(np.corrcoef(some, other)[0, 1]))


PUBLISHED = (
    Method("PageRank over anomalous edges", page_rank, needs=("networkx", "scipy")),
    Method("BARO", baro, needs=("baro", "pandas")),
    Method("anomaly traversal", traversal),
)
