"""Graphs for the tests of all frontends: small ones to read, and nasty ones."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from vistio_core.configuration.model import NodeClass, Severity
from vistio_core.graph.model import (
    Edge,
    FailedRule,
    Graph,
    Node,
    Notice,
    Rates,
    Region,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

INSTANT_MS = 1_795_410_600_000  # 2026-11-23T05:10:00Z

HOSTILE_NAMES = (
    "<script>window.hacked=true</script>",
    '"><img src=x onerror="window.hacked=true">',
    "]]>",
    "a/b",
    "a--b",
    "b--c",
    "back\\slash\\",
    "br{ace}[s]",
    "constructor",
    "dot.ted",
    "end",
    "line\nbreak\ttab",
    "nul\x00 and bell\x07",
    "per%cent %%{init: {}}%%",
    "pipe|semi;colon:`tick`",
    "ünïcødé ⛵ 漢字",
    "__proto__",
    " spaces ",
    "1",
    "a",
    "c",
)


def edge(source: str, target: str, normal: float = 1.0, warning: float = 0.0, danger: float = 0.0) -> Edge:
    return Edge(source, target, Rates(normal, warning, danger))


def nodes_of(edges: Iterable[Edge]) -> tuple[Node, ...]:
    return tuple(Node(name) for name in sorted({name for e in edges for name in (e.source, e.target)}))


def region(name: str, *edges: Edge, max_volume: float = 0.0, nodes: Iterable[Node] = ()) -> Region:
    """A region of these edges, with these nodes beside their ends."""
    known = {node.name: node for node in (*nodes_of(edges), *nodes)}
    ordered = tuple(known[each] for each in sorted(known))
    return Region(name, max_volume, ordered, tuple(sorted(edges, key=lambda e: (e.source, e.target))))


def graph(
    *regions: Region,
    edges: Iterable[Edge] | None = None,
    nodes: Iterable[Node] = (),
    max_volume: float = 0.0,
    classes: Mapping[str, str] | None = None,
    failed: Iterable[FailedRule] = (),
    asked_ms: int = INSTANT_MS + 5_000,
) -> Graph:
    """A graph where ``INTERNET`` calls every region, unless other edges are given."""
    if edges is None:
        edges = [edge("INTERNET", each.name, 5.0) for each in regions]
    edges = tuple(edges)
    known = {node.name: node for node in (*nodes_of(edges), *nodes)}
    colors = {"default": "rgb(186, 213, 237)"} if classes is None else classes
    return Graph(
        name="vistio",
        asked_ms=asked_ms,
        instant_ms=INSTANT_MS,
        interval_ms=10_000,
        configuration="5f" * 32,
        max_volume=max_volume,
        nodes=tuple(known[each] for each in sorted(known)),
        edges=tuple(sorted(edges, key=lambda e: (e.source, e.target))),
        regions=tuple(sorted(regions, key=lambda each: each.name)),
        classes=tuple(NodeClass(*pair) for pair in sorted(colors.items())),
        failed_rules=tuple(failed),
    )


def bookinfo() -> Graph:
    """What an ordinary mesh looks like: one cluster, a tree, one notice, a latency."""
    slow = Notice(
        "[0.06000] High Error Rate", Severity.ERROR, subtitle="5xx", link="http://p:9090/graph?g0.expr=a&b=1"
    )
    return graph(
        region(
            "mesh",
            edge("gateway", "productpage", 90.0, 2.0, 1.0),
            edge("productpage", "details", 45.0),
            Edge("productpage", "reviews", Rates(40.0, 0.0, 5.0), (slow,), {"latency_p99_ms": 250.5}),
            edge("reviews", "ratings", 20.25),
            nodes=[Node("reviews", "app", (slow,), {"saturation": 0.75})],
            max_volume=1000.0,
        ),
        max_volume=2000.0,
        classes={"default": "rgb(186, 213, 237)", "app": "#00ff00"},
    )


def hostile() -> Graph:
    """Every field that comes from outside holds something that some format takes for syntax."""
    evil = '<img src=x onerror="window.hacked=true">&amp;\'"\\ ]]> #quot; %%{init: {}}%%'
    notices = (
        Notice(evil, Severity.WARNING, evil, "javascript:window.hacked=true"),
        Notice(evil, Severity.INFO, "", 'http://x/" onmouseover="window.hacked=true'),
    )
    measured = {"latency <p99>": 1.5, "class": 2.0, "__proto__": 3.0}
    ring = [
        Edge(source, target, Rates(1.0, 0.5, 0.25), notices, measured)
        for source, target in zip(HOSTILE_NAMES, HOSTILE_NAMES[1:] + HOSTILE_NAMES[:1], strict=True)
    ]
    ring += [edge("a--b", "c"), edge("a", "b--c"), edge("a", "a")]
    named = [Node(each, evil, notices, measured) for each in HOSTILE_NAMES]
    inside = region("in/side --<b>", *ring, nodes=named)
    other = region("other", edge("a/b", "c"), edge("a", "b/c"))
    failures = [
        FailedRule("other", evil, "failed", evil),
        FailedRule("", "global", "timeout", "no answer within 8 s"),
        FailedRule("unseen", "rule", "failed", "422"),
    ]
    crossing = [
        edge("INTERNET", "in/side --<b>"),
        edge("constructor", "toString"),
        edge("toString", "constructor"),
    ]
    return graph(inside, other, edges=crossing, failed=failures, classes={evil: "url(javascript:0)"})


def large(count: int, among: int, *, cycles: bool = True, seed: int = 7) -> Graph:
    """``count`` different random edges among ``among`` services of one region."""
    chance = random.Random(seed)
    pairs: set[tuple[int, int]] = set()
    while len(pairs) < count:
        source, target = chance.randrange(among), chance.randrange(among)
        if cycles or source < target:
            pairs.add((source, target))
    edges = [
        edge(
            f"service-{source:05}",
            f"service-{target:05}",
            chance.random() * 100,
            chance.random(),
            chance.random(),
        )
        for source, target in sorted(pairs)
    ]
    return graph(region("mesh", *edges, max_volume=1000.0))
