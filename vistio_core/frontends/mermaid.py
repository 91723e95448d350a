"""A Mermaid flowchart, to paste into a page of Markdown.

Mermaid refuses more than 500 edges and more than 50,000 characters, and shows an error instead of a
picture. So the edges with the most traffic are drawn, without measurements if need be, and a comment
on top says what was left out.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from vistio_core.errors import UsageError
from vistio_core.events import GLOBAL_LEVEL
from vistio_core.frontends.flat import (
    Flat,
    FlatEdge,
    FlatNode,
    describe,
    drawn_rps,
    flatten,
    measurements,
    rate_text,
    witness_text,
)
from vistio_core.graph.model import LOST_RPS
from vistio_core.names import visible
from vistio_core.sentences import say

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vistio_core.graph.model import Graph

MAX_EDGES = 500
MAX_CHARACTERS = 50_000
_COLORS = (("danger", "#b82424"), ("warning", "#c98a00"))


class Mermaid:
    """Options: ``cluster``; ``max_edges`` (1 or more) where the page's Mermaid allows more than 500."""

    name = "mermaid"
    content_type = "text/vnd.mermaid; charset=utf-8"
    options: tuple[str, ...] = ("cluster", "max_edges")

    def render(self, graph: Graph, options: Mapping[str, str]) -> bytes:
        flat = flatten(graph, options)
        limit, chosen = _limit(options)
        ranked = sorted(
            flat.edges, key=lambda each: (-drawn_rps(each.edge.rates), each.cluster, each.source, each.target)
        )
        keep = min(limit, len(ranked))
        text = _chart(graph, flat, ranked[:keep], measured=True)
        # Who sets a limit of their own has also raised the other one.
        if not chosen and len(text) > MAX_CHARACTERS:
            text = _chart(graph, flat, ranked[:keep], measured=False)
        while not chosen and len(text) > MAX_CHARACTERS and keep:
            keep = keep * 9 // 10
            text = _chart(graph, flat, ranked[:keep], measured=False)
        return text.encode("utf-8", "replace")


def _limit(options: Mapping[str, str]) -> tuple[int, bool]:
    given = options.get("max_edges")
    if given is None:
        return MAX_EDGES, False
    if not re.fullmatch("[0-9]{1,9}", given) or int(given) < 1:
        raise UsageError(
            say("option {option}={value!r}: use a whole number from 1 on", option="max_edges", value=given)
        )
    return int(given), True


def _chart(graph: Graph, flat: Flat, kept: Sequence[FlatEdge], *, measured: bool) -> str:
    edges = sorted(kept, key=lambda each: (each.cluster, each.source, each.target))
    nodes = flat.nodes
    lines = ["flowchart LR", *(f"  %% {_comment(line)}" for line in describe(graph))]
    has_measurements = any(each.node.measurements for each in flat.nodes) or any(
        each.edge.measurements for each in flat.edges
    )
    if has_measurements and not measured:
        lines.append("  %% measurements are left out, they would take the place of edges")
    if len(edges) < len(flat.edges):
        ends = {end for each in edges for end in (each.source, each.target)}
        nodes = tuple(node for node in nodes if node.id in ends)
        lines.append(
            f"  %% shown: the {len(edges)} edges with the most traffic; left out:"
            f" {len(flat.edges) - len(edges)} edges and {len(flat.nodes) - len(nodes)} nodes"
            " (the option max_edges changes that)"
        )
    ids = {node.id: f"n{number}" for number, node in enumerate(nodes)}
    clusters: dict[str, list[FlatNode]] = {}
    for node in nodes:
        clusters.setdefault(node.cluster, []).append(node)
    for number, (cluster, inside) in enumerate(clusters.items()):
        indent = "  "
        if cluster != GLOBAL_LEVEL:
            lines.append(f'  subgraph c{number}["{escape(visible(cluster))}"]')
            indent = "    "
        lines.extend(f'{indent}{ids[node.id]}["{_label(node, measured=measured)}"]' for node in inside)
        if cluster != GLOBAL_LEVEL:
            lines.append("  end")
    lines.extend(
        f'  {ids[each.source]} -->|"{_edge_label(each, measured=measured)}"| {ids[each.target]}'
        for each in edges
    )
    lines.extend(_styles(edges))
    return "\n".join(lines) + "\n"


def _label(node: FlatNode, *, measured: bool) -> str:
    worst = max((notice.severity for notice in node.node.notices), default=None)
    label = escape(visible(node.node.name)) + (f"<br/>{worst.name.lower()}" if worst is not None else "")
    return label + (_numbers(node.node.measurements) if measured else "")


def _edge_label(flat: FlatEdge, *, measured: bool) -> str:
    worst = max((notice.severity for notice in flat.edge.notices), default=None)
    label = escape(rate_text(flat.edge.rates) + (f", {worst.name.lower()}" if worst is not None else ""))
    if told := witness_text(flat.edge):
        label += f"<br/>{escape(told)}"
    others = {name: value for name, value in flat.edge.measurements.items() if name != LOST_RPS}
    return label + (_numbers(others) if measured else "")


def _numbers(of: Mapping[str, float]) -> str:
    return "".join(f"<br/>{escape(f'{name} {value:.6g}')}" for name, value in measurements(of).items())


def _styles(edges: Sequence[FlatEdge]) -> list[str]:
    bad = [
        "danger" if each.edge.rates.danger > 0 else "warning" if each.edge.rates.warning > 0 else ""
        for each in edges
    ]
    styles = []
    for kind, color in _COLORS:
        numbers = ",".join(str(number) for number, each in enumerate(bad) if each == kind)
        if numbers:
            styles.append(f"  linkStyle {numbers} stroke:{color}")
    return styles


def escape(text: str) -> str:
    """``text`` as a quoted Mermaid label: whatever could be syntax, there or in HTML, by its number."""
    return "".join(
        character
        if character.isalnum() or character in " ._-,/()"
        else " "
        if character < " " or "\x7f" <= character <= "\x9f"
        else f"#{ord(character)};"
        for character in text
    )


def _comment(line: str) -> str:
    # A brace could make it a directive, and a new line would end it.
    return re.sub(r"[{}\x00-\x1f\x7f-\x9f\u2028\u2029]", " ", line)
