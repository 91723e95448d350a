"""What graphs look like in each format of JSON, as JSON Schema; `answer_schemas` has all other answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from vistio_serve.json_schema import (
    FLAG,
    INSTANT,
    NUMBER,
    NUMBER_OR_NULL,
    NUMBERS_OR_NULLS,
    TEXT,
    TEXT_OR_NULL,
    TEXTS,
    WHOLE,
    Schema,
    array_of,
    choice_of,
    list_of,
    map_of,
    object_of,
    one_of,
    ref,
)

RATES: Final = ("normal", "warning", "danger")
_MEASUREMENTS: Final = map_of(NUMBER)
_SEVERITY: Final[Schema] = {"type": "integer", "enum": [0, 1, 2], "description": "Info, warning, error."}
_TOLD_BY: Final = {"told_by": choice_of("caller", "called", "both")}
_ABOUT: Final = {
    "instant": INSTANT,
    "asked": INSTANT,
    "age_s": NUMBER,
    "interval_s": NUMBER,
    "failed_rules": list_of("FailedRule"),
    "configuration": TEXT,
    "backfilled": FLAG,
}
_OF_LEVELS: Final[dict[str, Schema]] = {
    "FailedRule": object_of(dict.fromkeys(("cluster", "rule", "outcome", "error"), TEXT)),
    "About": object_of(
        {**_ABOUT, "marked_from": ref("MarkedFrom")}, description="What a graph tells about itself."
    ),
    "MarkedFrom": object_of(
        {"danger": NUMBER, "warning": NUMBER}, description="Shares, 0 to 1, from which on an edge is marked."
    ),
    "VizceralNotice": object_of(
        {"title": TEXT, "severity": _SEVERITY},
        maybe={"subtitle": TEXT, "link": TEXT},
        description="Title and subtitle are escaped, as the component wants them.",
    ),
    "Rates": object_of(dict.fromkeys(RATES, NUMBER), description="Requests per second."),
    "VizceralConnection": object_of(
        {
            "source": TEXT,
            "target": TEXT,
            "metadata": object_of({"streaming": NUMBER}, maybe={"vistio": ref("ConnectionFacts")}),
            "metrics": ref("Rates"),
            "notices": list_of("VizceralNotice"),
        }
    ),
    "ConnectionFacts": object_of(
        {},
        maybe={
            **_TOLD_BY,
            "synthetic": FLAG,
            "unseen": FLAG,
            "rates": object_of({}, maybe=dict.fromkeys(RATES, NUMBER)),
            "measurements": _MEASUREMENTS,
        },
    ),
    "VizceralNode": object_of(
        {
            **dict.fromkeys(("name", "renderer", "class"), TEXT),
            "metadata": object_of({"streaming": NUMBER}, maybe={"vistio": ref("NodeFacts")}),
            "notices": list_of("VizceralNotice"),
            "connections": list_of("VizceralConnection"),
        },
        maybe={"displayName": TEXT, "nodes": list_of("VizceralNode"), "maxVolume": NUMBER},
    ),
    "NodeFacts": object_of({}, maybe={"name": TEXT, "synthetic": FLAG, "measurements": _MEASUREMENTS}),
    "VizceralClass": object_of({"name": TEXT, "color": TEXT}),
    "VizceralGraph": object_of(
        {
            "renderer": TEXT,
            "name": TEXT,
            "maxVolume": NUMBER,
            "entryNode": TEXT,
            "serverUpdateTime": WHOLE,
            "metadata": object_of({"vistio": ref("About")}),
            "nodes": list_of("VizceralNode"),
            "connections": list_of("VizceralConnection"),
            "classes": list_of("VizceralClass"),
        }
    ),
    "NotShown": object_of(
        {"asked": INSTANT, "instant": {"type": "null"}},
        description="A frame of which nothing was seen in the five minutes up to it.",
    ),
    "FrameNotice": object_of(
        {
            "frame": WHOLE,
            "source": TEXT,
            "target": TEXT_OR_NULL,
            "title": TEXT,
            "severity": _SEVERITY,
        },
        maybe={"subtitle": TEXT, "link": TEXT},
    ),
    "FrameLevel": object_of(
        {
            "cluster": TEXT,
            "source": TEXTS,
            "target": TEXTS,
            **dict.fromkeys(RATES, array_of(NUMBERS_OR_NULLS)),
            "notices": list_of("FrameNotice"),
        }
    ),
    "Frames": object_of(
        {
            "now": INSTANT,
            "start": INSTANT,
            "end": INSTANT,
            "step_ms": WHOLE,
            "graph": ref("VizceralGraph"),
            "frames": array_of(one_of("About", "NotShown")),
            "levels": list_of("FrameLevel"),
        }
    ),
}

# Of formats without levels: rates are null where not seen.
_FLAT_RATES: Final = dict.fromkeys((*RATES, "total"), NUMBER_OR_NULL)
_NOTED: Final = {"measurements": _MEASUREMENTS, "notices": list_of("Notice")}
_NODE_LINK: Final = {
    "directed": FLAG,
    "multigraph": FLAG,
    "graph": ref("NamedAbout"),
    "nodes": list_of("NodeLinkNode"),
}
_DETAILS: Final = dict.fromkeys(("detail__notices", "detail__measurements"), TEXT)
_WITHOUT_LEVELS: Final[dict[str, Schema]] = {
    "NamedAbout": object_of({"name": TEXT, **_ABOUT}),
    "Notice": object_of({"title": TEXT, "subtitle": TEXT, "link": TEXT, "severity": _SEVERITY}),
    "FlatRates": object_of(_FLAT_RATES, description="Requests per second; null where not seen."),
    "FlatClasses": object_of(dict.fromkeys(RATES, NUMBER_OR_NULL)),
    "NodeLinkNode": object_of(
        {
            "id": TEXT,
            "name": TEXT,
            "cluster": TEXT,
            "class": TEXT,
            "incoming": ref("FlatRates"),
            "outgoing": ref("FlatRates"),
            **_NOTED,
        }
    ),
    "NodeLinkEdge": object_of(
        {**dict.fromkeys(("source", "target", "cluster"), TEXT), **_FLAT_RATES, **_NOTED}, maybe=_TOLD_BY
    ),
    "NodeLinkGraph": object_of({**_NODE_LINK, "edges": list_of("NodeLinkEdge")}),
    "NodeLinkGraphForD3": object_of({**_NODE_LINK, "links": list_of("NodeLinkEdge")}),
    "CytoscapeTraffic": object_of(
        {
            "protocol": TEXT,
            "rates": object_of({"http": NUMBER_OR_NULL, "httpPercentErr": NUMBER}),
            "responses": ref("FlatClasses"),
        }
    ),
    "CytoscapeNode": object_of(
        {
            "id": TEXT,
            "nodeType": choice_of("box", "app"),
            **dict.fromkeys(("cluster", "app", "label", "class"), TEXT),
            "traffic": list_of("CytoscapeTraffic"),
            **_NOTED,
        },
        maybe={"parent": TEXT, "isBox": TEXT, "isRoot": FLAG},
    ),
    "CytoscapeEdge": object_of(
        {
            **dict.fromkeys(("id", "source", "target"), TEXT),
            "traffic": ref("CytoscapeTraffic"),
            **_NOTED,
        },
        maybe=_TOLD_BY,
    ),
    "CytoscapeGraph": object_of(
        {
            "timestamp": WHOLE,
            "duration": WHOLE,
            "graphType": TEXT,
            "vistio": ref("NamedAbout"),
            "elements": object_of(
                {
                    "nodes": array_of(object_of({"data": ref("CytoscapeNode")})),
                    "edges": array_of(object_of({"data": ref("CytoscapeEdge")})),
                }
            ),
        }
    ),
    "GrafanaNode": object_of(
        {
            **dict.fromkeys(("id", "title", "subtitle", "mainstat", "secondarystat", "detail__class"), TEXT),
            **dict.fromkeys(("arc__normal", "arc__warning", "arc__danger", "arc__idle"), NUMBER),
            **_DETAILS,
        }
    ),
    "GrafanaEdge": object_of(
        {
            **dict.fromkeys(("id", "source", "target", "mainstat", "secondarystat", "color"), TEXT),
            "thickness": NUMBER,
            **dict.fromkeys([f"detail__{name}_rps" for name in RATES], NUMBER_OR_NULL),
            "detail__lost_rps": NUMBER_OR_NULL,
            "detail__network_ms": NUMBER_OR_NULL,
            "detail__told_by": TEXT,
            **_DETAILS,
        }
    ),
    "GrafanaField": object_of({"field_name": TEXT, "type": TEXT}, maybe={"displayName": TEXT, "color": TEXT}),
    "GrafanaFields": object_of(
        {"nodes_fields": list_of("GrafanaField"), "edges_fields": list_of("GrafanaField")}
    ),
    "GrafanaData": object_of({"nodes": list_of("GrafanaNode"), "edges": list_of("GrafanaEdge")}),
    "GrafanaGraph": object_of(
        {
            "vistio": ref("NamedAbout"),
            "fields": ref("GrafanaFields"),
            "nodes": list_of("GrafanaNode"),
            "edges": list_of("GrafanaEdge"),
        }
    ),
}

SCHEMAS: Final[Mapping[str, Schema]] = {**_OF_LEVELS, **_WITHOUT_LEVELS}
"""By name."""

_OF_FORMAT: Final[Mapping[str, Sequence[str]]] = {
    "vizceral": ("VizceralGraph",),
    "node-link": ("NodeLinkGraph", "NodeLinkGraphForD3"),
    "cytoscape": ("CytoscapeGraph",),
    "grafana": ("GrafanaGraph", "GrafanaData", "GrafanaFields"),
}
"""The schemas of each format, of which its options choose one."""


def graph_in(formats: Sequence[str]) -> Schema:
    """A graph in one of these formats; anything where one of them is somebody else's."""
    if not all(name in _OF_FORMAT for name in formats):
        return {}
    return one_of(*(schema for name in formats for schema in _OF_FORMAT[name]))
