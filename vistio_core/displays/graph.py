"""What a graph shows of itself: its levels as small pictures, what fails most, and what was not seen. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from vistio_core.displays import html
from vistio_core.displays.picture import PictureEdge, PictureNode, busiest, picture
from vistio_core.displays.words import counted, number, share
from vistio_core.marked_from import MarkedFrom

MOST_LEVELS = 3
"""How many levels are drawn: those that carry most."""


def graph_html(
    title: str, facts: str, nodes: pa.Table, edges: pa.Table, unseen: Sequence[str], marked_from: MarkedFrom
) -> str:
    """A fragment of HTML.

    Args:
        title: what it is of, and when.
        facts: its size, and what else there is to say.
        nodes: as `vistio_core.graph.model.Graph.nodes_table` has them.
        edges: as `vistio_core.graph.model.Graph.edges_table` has them.
        unseen: lines about what was not seen.
        marked_from: from which shares on an edge is drawn as failing.
    """
    node_rows, edge_rows = nodes.to_pylist(), edges.to_pylist()
    told = [
        f"{row['severity']}: {row['cluster'] or 'global level'}/{row['node']}: {title}"
        for row in node_rows
        for title in row["notices"]
    ]
    return html.box(
        title,
        html.line(facts, quiet=True),
        *_pictures(node_rows, edge_rows, marked_from),
        _worst_edges(edge_rows),
        html.table(["notice of a node"], [[each] for each in told], one="notice"),
        html.unseen(unseen),
    )


def _pictures(
    nodes: Sequence[dict[str, Any]], edges: Sequence[dict[str, Any]], marked_from: MarkedFrom
) -> list[str]:
    carries: dict[str, float] = {row["cluster"]: 0.0 for row in nodes}
    for row in edges:
        carries[row["cluster"]] += row["total"] or 0.0
    order = sorted(carries, key=lambda cluster: (-carries[cluster], cluster))
    made = [
        _level(
            cluster,
            [row for row in nodes if row["cluster"] == cluster],
            [row for row in edges if row["cluster"] == cluster],
            marked_from,
        )
        for cluster in order[:MOST_LEVELS]
    ]
    rest = len(order) - MOST_LEVELS
    return [
        *made,
        html.line(f"not drawn: {counted(rest, 'level')} with less traffic", quiet=True) if rest > 0 else "",
    ]


def _level(
    cluster: str, nodes: Sequence[dict[str, Any]], edges: Sequence[dict[str, Any]], marked_from: MarkedFrom
) -> str:
    all_nodes = [
        PictureNode(row["node"], _most(row["entering_rps"], row["leaving_rps"]), tuple(row["notices"]))
        for row in nodes
    ]
    all_edges = [
        PictureEdge(row["source"], row["target"], row["total"], row["warning"], row["danger"])
        for row in edges
    ]
    drawn_nodes, drawn_edges = busiest(all_nodes, all_edges)
    left_out = ""
    if len(drawn_nodes) < len(all_nodes):
        left_out = (
            f"drawn: the {len(drawn_nodes)} nodes with notices or most requests, of {len(all_nodes):,};"
            f" {len(drawn_edges):,} of {counted(len(all_edges), 'edge')}"
        )
    name = html.text(cluster or "global level")
    inside = picture(drawn_nodes, drawn_edges, marked_from) + html.line(left_out, quiet=True)
    return f'<details open><summary style="cursor: pointer">{name}</summary>{inside}</details>'


def _most(*rates: float | None) -> float | None:
    return max((rate for rate in rates if rate is not None), default=None)


def _worst_edges(edges: Sequence[dict[str, Any]]) -> str:
    """Those that fail most, then those that carry most."""
    order = sorted(edges, key=lambda row: (-(row["danger"] or 0.0), -(row["total"] or 0.0)))[: html.MOST_ROWS]
    latency = any(row.get("latency_mean_ms") is not None for row in order)
    head = [
        "cluster",
        "source",
        "target",
        " requests/s",
        " warning",
        " danger",
        *([" mean latency, ms"] if latency else []),
    ]
    rows = [
        [
            row["cluster"] or "global level",
            row["source"],
            row["target"],
            number(row["total"]),
            share(row["warning"], row["total"]),
            share(row["danger"], row["total"]),
            *(
                [number(row["latency_mean_ms"]) if row["latency_mean_ms"] is not None else ""]
                if latency
                else []
            ),
        ]
        for row in order
    ]
    return html.table(head, rows, of=len(edges), one="edge")
