"""A small picture of one level, as SVG. Pure.

Lines are as thick as the logarithm of their traffic. What fails is red, dashed, and has its share written beside it;
what was not seen is dotted: no colour says anything alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import attrs

from vistio_core.displays.html import DANGER, NORMAL, WARNING, text
from vistio_core.displays.layers import Call, layers
from vistio_core.displays.words import counted, number, share
from vistio_core.marked_from import MarkedFrom

MOST_NODES = 40
_ACROSS, _DOWN, _PASSING = 160, 34, 14
_WIDTH, _HEIGHT = 112, 22
_MARGIN = 8
_PAPER, _EDGE_OF_NODE, _INK = "#dbe4ec", "#8a98a5", "#1b2733"
"""Nodes are as labels that lie on the page, be it dark or light: nothing shines through."""
_LONGEST = 16

_Point = tuple[float, float]


@attrs.frozen
class PictureNode:
    """A node; its rates are requests a second, None where they were not seen."""

    name: str
    rps: float | None
    notices: tuple[str, ...] = ()


@attrs.frozen
class PictureEdge:
    """An edge; its rates are requests a second, all None where they were not seen."""

    source: str
    target: str
    total: float | None
    warning: float | None
    danger: float | None


def busiest(
    nodes: Sequence[PictureNode], edges: Sequence[PictureEdge]
) -> tuple[list[PictureNode], list[PictureEdge]]:
    """The `MOST_NODES` nodes with most requests, and the edges between them; with notices come first."""
    order = sorted(nodes, key=lambda node: (not node.notices, -(node.rps or 0.0), node.name))
    kept = {node.name for node in order[:MOST_NODES]}
    return [node for node in nodes if node.name in kept], [
        edge for edge in edges if edge.source in kept and edge.target in kept
    ]


def picture(nodes: Sequence[PictureNode], edges: Sequence[PictureEdge], marked_from: MarkedFrom) -> str:
    """An SVG element that shows all of them; empty for no nodes.

    Args:
        nodes: each once.
        edges: each once; both ends are among the nodes.
        marked_from: from which shares on a line is drawn as one that fails, or that has warnings.
    """
    if not nodes:
        return ""
    entered = {edge.target for edge in edges if edge.source != edge.target}
    roots_first = sorted(nodes, key=lambda node: (node.name in entered, -(node.rps or 0.0), node.name))
    columns = layers([node.name for node in roots_first], [(edge.source, edge.target) for edge in edges])
    heights = [[_DOWN if isinstance(each, str) else _PASSING for each in column] for column in columns]
    tallest = max(map(sum, heights))
    at: dict[str, _Point] = {}
    passed: dict[Call, list[_Point]] = {}
    for number_of_column, (column, own) in enumerate(zip(columns, heights, strict=True)):
        left, top = _MARGIN + number_of_column * _ACROSS, _MARGIN + (tallest - sum(own)) / 2
        for each, height in zip(column, own, strict=True):
            if isinstance(each, str):
                at[each] = left, top + height / 2
            else:
                passed.setdefault(each, []).append((left, top + height / 2))
            top += height
    width, height = (len(columns) - 1) * _ACROSS + _WIDTH + 2 * _MARGIN, tallest + 2 * _MARGIN
    if any(at[edge.target][0] <= at[edge.source][0] for edge in edges):
        height += _DOWN  # where those go that lead back
    ordered = sorted(edges, key=lambda edge: edge.danger or 0.0)  # what fails lies on top
    drawn = [
        _edge(
            edge,
            _look(edge, marked_from),
            at[edge.source],
            passed.get((edge.source, edge.target), []),
            at[edge.target],
        )
        for edge in ordered
    ]
    drawn += [_node(node, *at[node.name]) for node in nodes]
    return (
        f'<div style="overflow-x: auto"><svg xmlns="http://www.w3.org/2000/svg" role="img"'
        f' aria-label="{counted(len(nodes), "node")} and their calls" width="{width:g}" height="{height:g}"'
        f' style="display: block; max-width: none" font-family="sans-serif" font-size="11" fill="currentColor">'
        f"{''.join(drawn)}</svg></div>"
    )


def _node(node: PictureNode, left: float, middle: float) -> str:
    told = [node.name, f"{number(node.rps)} requests a second" if node.rps is not None else "not seen"]
    line, mark = (DANGER, "! ") if node.notices else (_EDGE_OF_NODE, "")
    return (
        f"<g><title>{text('; '.join([*told, *node.notices]))}</title>"
        f'<rect x="{left:g}" y="{middle - _HEIGHT / 2:g}" width="{_WIDTH}" height="{_HEIGHT}" rx="5"'
        f' fill="{_PAPER}" stroke="{line}"></rect>'
        f'<text x="{left + _WIDTH / 2:g}" y="{middle + 4:g}" text-anchor="middle" fill="{_INK}">'
        f"{mark}{text(node.name, _LONGEST)}</text></g>"
    )


def _edge(
    edge: PictureEdge, look: tuple[str, str], source: _Point, passed: Sequence[_Point], target: _Point
) -> str:
    start = source[0] + _WIDTH, source[1]
    way, last = [f"M{start[0]:g},{start[1]:g}"], start
    for left, middle in (*passed, target):
        way.append(_curve(last, (left, middle)))
        last = left, middle
        if (left, middle) != target:  # straight past what stands in that layer
            last = left + _WIDTH, middle
            way.append(f"H{last[0]:g}")
    color, dashes = look
    told = f"{edge.source} to {edge.target}: {number(edge.total)}"
    fails = share(edge.danger, edge.total)
    if edge.total is not None:
        told += f" requests a second{f', {fails} fail' if fails else ''}"
    beside = ""
    if color == DANGER:
        first = (*passed, target)[0]
        across, down = (start[0] + first[0]) / 2, (start[1] + first[1]) / 2 - 3
        beside = f'<text x="{across:g}" y="{down:g}" text-anchor="middle" font-size="10">{text(fails)}</text>'
    return (
        f'<g><title>{text(told)}</title><path d="{" ".join(way)}" fill="none" stroke="{color}" stroke-opacity="0.8"'
        f' stroke-width="{1 + math.log10(1 + max(edge.total or 0.0, 0.0)):.2f}"{dashes}></path>{beside}</g>'
    )


def _curve(start: _Point, end: _Point) -> str:
    """From the right side of something to the left side of the next; what leads back goes around below."""
    bend, below = (end[0] - start[0]) / 2, 0.0
    if bend <= 0:
        bend, below = 40.0, 1.5 * _DOWN
    controls = start[0] + bend, start[1] + below, end[0] - bend, end[1] + below
    return "C{:g},{:g} {:g},{:g} {:g},{:g}".format(*controls, *end)


def _look(edge: PictureEdge, marked_from: MarkedFrom) -> tuple[str, str]:
    """Colour, and how it is dashed."""
    if edge.total is None or not edge.total > 0:
        return "currentColor", ' stroke-dasharray="1 4"'
    if edge.danger and edge.danger / edge.total >= marked_from.danger:
        return DANGER, ' stroke-dasharray="7 3"'
    if edge.warning and edge.warning / edge.total >= marked_from.warning:
        return WARNING, ' stroke-dasharray="12 2"'
    return NORMAL, ""
