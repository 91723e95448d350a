"""Graphviz DOT: ``curl .../graph?format=dot | dot -Tsvg``."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from vistio_core.errors import UsageError
from vistio_core.events import GLOBAL_LEVEL
from vistio_core.frontends.flat import (
    FlatEdge,
    FlatNode,
    describe,
    drawn_rps,
    flatten,
    rate_text,
    witness_text,
)
from vistio_core.graph.model import LOST_RPS
from vistio_core.names import visible
from vistio_core.sentences import say

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from vistio_core.graph.model import Graph, Notice

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_DIRECTIONS = ("LR", "TB", "RL", "BT")
_COLORS = {"danger": "#b82424", "warning": "#c98a00", "normal": "#4a7ba6", "idle": "#999999"}


class Dot:
    """Options: ``cluster``; ``rankdir``, one of LR (as it is), TB, RL, BT."""

    name = "dot"
    content_type = "text/vnd.graphviz; charset=utf-8"
    options: tuple[str, ...] = ("cluster", "rankdir")

    def render(self, graph: Graph, options: Mapping[str, str]) -> bytes:
        direction = options.get("rankdir", "LR")
        if direction not in _DIRECTIONS:
            raise UsageError(
                say(
                    "option {option}={value!r}: use one of {allowed}",
                    option="rankdir",
                    value=direction,
                    allowed=", ".join(_DIRECTIONS),
                )
            )
        flat = flatten(graph, options)
        lines = [
            f"digraph {quote(graph.name)} {{",
            f"  graph [rankdir={direction}, labelloc=t, label={_label(describe(graph))}];",
            '  node [shape=box, style="rounded,filled", fillcolor="#eef3f8", fontname="sans-serif"];',
            '  edge [fontname="sans-serif", fontsize=10];',
        ]
        clusters: dict[str, list[FlatNode]] = {}
        for node in flat.nodes:
            clusters.setdefault(node.cluster, []).append(node)
        for number, (cluster, nodes) in enumerate(clusters.items()):
            if cluster == GLOBAL_LEVEL:
                lines.extend(f"  {_node(node)}" for node in nodes)
            else:
                lines.append(f"  subgraph cluster_{number} {{")
                lines.append(f"    label={_label([visible(cluster)])};")
                lines.extend(f"    {_node(node)}" for node in nodes)
                lines.append("  }")
        lines.extend(f"  {_edge(edge)}" for edge in flat.edges)
        lines.append("}\n")
        return "\n".join(lines).encode("utf-8", "replace")


def quote(text: str) -> str:
    """A quoted DOT string. Backslashes are doubled, or the last one would swallow the closing quote.

    Names and ids are made `visible` before: of control characters not much is left here.
    """
    text = _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text).replace("\n", " ").replace("\t", " ")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _label(lines: Iterable[str]) -> str:
    # In labels Graphviz also reads HTML entities.
    quoted = [quote(line.replace("&", "&amp;"))[1:-1] for line in lines]
    return '"' + "\\n".join(quoted) + '"'


def _node(flat: FlatNode) -> str:
    facts = [rate_text(flat.incoming)] if flat.incoming.total else []
    facts += [f"{name}: {value:.6g}" for name, value in sorted(flat.node.measurements.items())]
    attributes = [f"label={_label([visible(flat.node.name), *facts])}", *_notices(flat.node.notices)]
    return f"{quote(visible(flat.id))} [{', '.join(attributes)}];"


def _edge(flat: FlatEdge) -> str:
    rates = flat.edge.rates
    facts = [told] if (told := witness_text(flat.edge)) else []
    measured = sorted(flat.edge.measurements.items())
    facts += [f"{name}: {value:.6g}" for name, value in measured if name != LOST_RPS]
    kind = (
        "idle"
        if not rates.total > 0
        else "danger"
        if rates.danger > 0
        else "warning"
        if rates.warning > 0
        else "normal"
    )
    attributes = [
        f"label={_label([rate_text(rates), *facts])}",
        f"penwidth={1 + math.log10(1 + drawn_rps(rates)):.2f}",
        *(_notices(flat.edge.notices) or [f'color="{_COLORS[kind]}"']),
    ]
    if kind == "idle":
        attributes.append("style=dashed")
    return f"{quote(visible(flat.source))} -> {quote(visible(flat.target))} [{', '.join(attributes)}];"


def _notices(notices: tuple[Notice, ...]) -> list[str]:
    if not notices:
        return []
    ordered = sorted(notices, key=lambda notice: (-notice.severity, notice.title))
    color = (_COLORS["normal"], _COLORS["warning"], _COLORS["danger"])[
        min(max(int(ordered[0].severity), 0), 2)
    ]
    texts = [f"{notice.severity.name.lower()}: {notice.title}" for notice in ordered]
    return [f"tooltip={_label(texts)}", f'color="{color}"']
