"""Node-link JSON, as networkx' ``node_link_graph`` and d3-force read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vistio_core.errors import UsageError
from vistio_core.frontends.flat import about, encode, flatten, measurements, notices, rates, witness
from vistio_core.sentences import say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vistio_core.graph.model import Graph


class NodeLink:
    """Options: ``cluster``; ``edges`` names the list of edges, ``edges`` (networkx) or ``links`` (d3)."""

    name = "node-link"
    content_type = "application/json"
    options: tuple[str, ...] = ("cluster", "edges")

    def render(self, graph: Graph, options: Mapping[str, str]) -> bytes:
        key = options.get("edges", "edges")
        if key not in ("edges", "links"):
            raise UsageError(say("option {option}={value!r}: use edges or links", option="edges", value=key))
        flat = flatten(graph, options)
        return encode(
            {
                "directed": True,
                "multigraph": False,
                "graph": about(graph),
                "nodes": [
                    {
                        "id": each.id,
                        "name": each.node.name,
                        "cluster": each.cluster,
                        "class": each.node.node_class,
                        "incoming": rates(each.incoming),
                        "outgoing": rates(each.outgoing),
                        "measurements": measurements(each.node.measurements),
                        "notices": notices(each.node.notices),
                    }
                    for each in flat.nodes
                ],
                key: [
                    {
                        "source": each.source,
                        "target": each.target,
                        "cluster": each.cluster,
                        **rates(each.edge.rates),
                        **witness(each.edge),
                        "measurements": measurements(each.edge.measurements),
                        "notices": notices(each.edge.notices),
                    }
                    for each in flat.edges
                ],
            }
        )
