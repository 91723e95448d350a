"""A graph for networkx, which is imported when somebody asks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vistio_core.errors import MissingLibraryError
from vistio_core.graph.tables import GraphLevel, edges_table, nodes_table


def network_of(levels: Sequence[GraphLevel], *, paired: bool) -> Any:
    """The levels as one networkx ``DiGraph``: an edge stands once in its level, so it needs no parallel ones.

    Args:
        levels: whose nodes and edges; each column of their tables is an attribute, None where it is null. What was not
            measured is no attribute.
        paired: whether nodes are pairs of cluster and name; else they are names.

    Raises:
        MissingLibraryError: networkx is not installed.
    """
    try:
        import networkx
    except ImportError as error:
        raise MissingLibraryError("networkx", "to_networkx") from error
    nodes, edges = nodes_table(levels), edges_table(levels)
    made = networkx.DiGraph()
    for row in _rows(nodes, last="notices"):
        made.add_node((row["cluster"], row["node"]) if paired else row["node"], **row)
    for row in _rows(edges, last="notices"):
        cluster, source, target = row["cluster"], row.pop("source"), row.pop("target")
        ends = ((cluster, source), (cluster, target)) if paired else (source, target)
        made.add_edge(*ends, **row)
    return made


def _rows(table: Any, last: str) -> list[dict[str, Any]]:
    """The rows, without measures that are null; they stand behind the column ``last``."""
    fixed = {*table.column_names[: table.column_names.index(last) + 1]}
    return [
        {name: value for name, value in row.items() if name in fixed or value is not None}
        for row in table.to_pylist()
    ]
