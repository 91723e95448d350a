"""Grafana's node graph panel, in the shapes of the ``nodegraph-api`` data source.

That data source asks ``/api/graph/fields`` and ``/api/graph/data``; whatever serves them can pass on
``part=fields`` and ``part=data``. Without it both come in one document.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING
from urllib.parse import quote

from vistio_core.errors import UsageError
from vistio_core.frontends.flat import FlatEdge, FlatNode, Json, about, drawn_rps, encode, flatten, rate_text
from vistio_core.graph.model import LOST_RPS, NETWORK_MS, Edge, Graph, Notice, Rates
from vistio_core.names import visible
from vistio_core.sentences import say
from vistio_core.shares import percent

if TYPE_CHECKING:
    from collections.abc import Mapping

_GREEN, _YELLOW, _RED, _GREY = "#73bf69", "#fade2a", "#f2495c", "#8e8e8e"


def _field(name: str, kind: str, label: str = "", color: str = "") -> Json:
    field: Json = {"field_name": name, "type": kind}
    if label:
        field["displayName"] = label
    if color:
        field["color"] = color
    return field


_FIELDS: Json = {
    "nodes_fields": [
        _field("id", "string"),
        _field("title", "string"),
        _field("subtitle", "string"),
        _field("mainstat", "string", "Incoming"),
        _field("secondarystat", "string", "Outgoing"),
        _field("arc__normal", "number", "normal", _GREEN),
        _field("arc__warning", "number", "warning", _YELLOW),
        _field("arc__danger", "number", "danger", _RED),
        _field("arc__idle", "number", "no traffic", _GREY),
        _field("detail__class", "string", "Class"),
        _field("detail__notices", "string", "Notices"),
        _field("detail__measurements", "string", "Measurements"),
    ],
    "edges_fields": [
        _field("id", "string"),
        _field("source", "string"),
        _field("target", "string"),
        _field("mainstat", "string", "Rate"),
        _field("secondarystat", "string", "Danger"),
        _field("thickness", "number"),
        _field("color", "string"),
        _field("detail__normal_rps", "number", "Normal (rps)"),
        _field("detail__warning_rps", "number", "Warning (rps)"),
        _field("detail__danger_rps", "number", "Danger (rps)"),
        _field("detail__lost_rps", "number", "Lost (rps)"),
        _field("detail__network_ms", "number", "Network (ms)"),
        _field("detail__told_by", "string", "Told by"),
        _field("detail__notices", "string", "Notices"),
        _field("detail__measurements", "string", "Measurements"),
    ],
}


class GrafanaNodeGraph:
    """Options: ``cluster``; ``part``, one of ``fields`` and ``data``."""

    name = "grafana"
    content_type = "application/json"
    options: tuple[str, ...] = ("cluster", "part")

    def render(self, graph: Graph, options: Mapping[str, str]) -> bytes:
        part = options.get("part", "")
        if part not in ("", "fields", "data"):
            raise UsageError(
                say(
                    "option {option}={value!r}: use fields or data, or leave it out for both",
                    option="part",
                    value=part,
                )
            )
        if part == "fields":
            return encode(_FIELDS)
        flat = flatten(graph, options)
        made: Json = {
            "nodes": [_node(each) for each in flat.nodes],
            "edges": [_edge(each) for each in flat.edges],
        }
        if not part:
            made = {"vistio": about(graph), "fields": _FIELDS, **made}
        return encode(made)


def _node(flat: FlatNode) -> Json:
    # An entry node takes nothing, so what it sends is what it is judged by.
    seen = flat.incoming if flat.incoming.total > 0 else flat.outgoing
    return {
        "id": flat.id,
        "title": visible(flat.node.name),
        "subtitle": visible(flat.cluster),
        "mainstat": rate_text(flat.incoming),
        "secondarystat": rate_text(flat.outgoing),
        **_arc(seen),
        "detail__class": flat.node.node_class,
        "detail__notices": _lines(flat.node.notices),
        "detail__measurements": _numbers(flat.node.measurements),
    }


def _arc(rates: Rates) -> Json:
    """Shares of a circle; they must sum to 1."""
    warning, danger = max(rates.warning, 0.0), max(rates.danger, 0.0)
    total = max(rates.normal, 0.0) + warning + danger
    if not 0 < total < math.inf:
        return {"arc__normal": 0.0, "arc__warning": 0.0, "arc__danger": 0.0, "arc__idle": 1.0}
    warning, danger = warning / total, danger / total
    return {
        "arc__normal": max(1.0 - warning - danger, 0.0),
        "arc__warning": warning,
        "arc__danger": danger,
        "arc__idle": 0.0,
    }


def _edge(flat: FlatEdge) -> Json:
    rates = flat.edge.rates
    total = rates.total
    color = _GREY if not total > 0 else _RED if rates.danger > 0 else _YELLOW if rates.warning > 0 else _GREEN
    return {
        "id": f"{_safe(flat.source)}~to~{_safe(flat.target)}",
        "source": flat.source,
        "target": flat.target,
        "mainstat": rate_text(Rates(total)),
        "secondarystat": f"{percent(rates.danger, total)} % danger" if total > 0 and rates.danger > 0 else "",
        "thickness": round(1 + math.log10(1 + drawn_rps(rates)), 2),
        "color": color,
        "detail__normal_rps": rates.normal,
        "detail__warning_rps": rates.warning,
        "detail__danger_rps": rates.danger,
        **_two_ends(flat.edge),
        "detail__notices": _lines(flat.edge.notices),
        "detail__measurements": _numbers(flat.edge.measurements),
    }


def _two_ends(edge: Edge) -> Json:
    """What both ends of an edge say; null or empty where they say nothing of it."""
    measured = {f"detail__{name}": edge.measurements.get(name) for name in (LOST_RPS, NETWORK_MS)}
    told_by = {"detail__told_by": f"{edge.told_by} ends" if edge.told_by == "both" else edge.told_by}
    return {**measured, **told_by}


def _safe(identifier: str) -> str:
    """``identifier`` for Grafana's unquoted ``url(#triangle-<id of the edge>)``: "a b" is "a~20b".

    Percent-encoding with another sign, for a browser may decode a percent sign before it looks the id up. No two
    identifiers become the same, and none has ``~to~`` in it: each ``~`` is followed by two hexadecimal digits.
    """
    return quote(identifier, safe="/").replace("~", "~7E").replace("%", "~")


def _lines(notices: tuple[Notice, ...]) -> str:
    ordered = sorted(notices, key=lambda notice: (-notice.severity, notice.title))
    return "; ".join(f"{notice.severity.name.lower()}: {notice.title}" for notice in ordered)


def _numbers(measurements: Mapping[str, float]) -> str:
    return "; ".join(f"{name}: {value:.6g}" for name, value in sorted(measurements.items()))
