"""Cytoscape.js elements, shaped like the graph API of Kiali.

Clusters are compound nodes (``isBox``) around their services. Traffic is ``{protocol, rates,
responses}``; what Kiali lists by status code is listed by class here, since that is what a graph knows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vistio_core.events import GLOBAL_LEVEL
from vistio_core.frontends.flat import (
    FlatNode,
    Json,
    about,
    encode,
    flatten,
    measurements,
    node_id,
    notices,
    witness,
)
from vistio_core.names import visible

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vistio_core.graph.model import Graph, Rates


class Cytoscape:
    """Options: ``cluster``."""

    name = "cytoscape"
    content_type = "application/json"
    options: tuple[str, ...] = ("cluster",)

    def render(self, graph: Graph, options: Mapping[str, str]) -> bytes:
        flat = flatten(graph, options)
        called = {each.target for each in flat.edges}
        boxes = {node_id(GLOBAL_LEVEL, each.cluster) for each in flat.nodes if each.cluster != GLOBAL_LEVEL}
        boxes &= {each.id for each in flat.nodes}
        return encode(
            {
                "timestamp": graph.instant_ms // 1000,
                "duration": graph.interval_ms // 1000,
                "graphType": "app",
                "vistio": about(graph),
                "elements": {
                    "nodes": [{"data": _node(each, boxes, called)} for each in flat.nodes],
                    "edges": [
                        {
                            "data": {
                                "id": each.id,
                                "source": each.source,
                                "target": each.target,
                                "traffic": _traffic(each.edge.rates),
                                **witness(each.edge),
                                "measurements": measurements(each.edge.measurements),
                                "notices": notices(each.edge.notices),
                            }
                        }
                        for each in flat.edges
                    ],
                },
            }
        )


def _node(flat: FlatNode, boxes: set[str], called: set[str]) -> Json:
    data: Json = {
        "id": flat.id,
        "nodeType": "box" if flat.id in boxes else "app",
        "cluster": flat.cluster or flat.node.name,
        "app": flat.node.name,
        "label": visible(flat.node.name),
        "class": flat.node.node_class,
        "traffic": [_traffic(flat.incoming)],
        "measurements": measurements(flat.node.measurements),
        "notices": notices(flat.node.notices),
    }
    parent = node_id(GLOBAL_LEVEL, flat.cluster)
    if flat.cluster != GLOBAL_LEVEL and parent in boxes:
        data["parent"] = parent
    if flat.id in boxes:
        data["isBox"] = "cluster"
    if flat.id not in called and flat.outgoing.total > 0:
        data["isRoot"] = True
    return data


def _traffic(rates: Rates) -> Json:
    share = 100 * rates.danger / rates.total if rates.total > 0 else 0.0
    return {
        "protocol": "http",
        "rates": {"http": rates.total, "httpPercentErr": share},
        "responses": {"normal": rates.normal, "warning": rates.warning, "danger": rates.danger},
    }
