"""Where the nodes of a small picture stand: in layers, callers to the left of those that they call. Pure.

Sugiyama's way in short, for a few dozen nodes: calls that lead back are turned around for the while, a node stands one
layer to the right of its rightmost caller, calls keep a place in the layers that they pass, and within a layer
everything follows what it is connected with.

    web > cart, web > search, cart > db, search > db, web > db (passes), db > web (leads back)

    web    cart      db
           search
           (web > db)
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from itertools import pairwise

Call = tuple[str, str]
"""Caller and called."""
_SWEEPS = 4


def layers(nodes: Sequence[str], calls: Iterable[Call]) -> list[list[str | Call]]:
    """What stands in each layer, from left to right; within one from top to bottom: nodes, and calls that pass.

    Args:
        nodes: each once, those where traffic enters first: that is how calls that lead back are told.
        calls: each once; both ends are among the nodes.
    """
    called: dict[str, list[str]] = {node: [] for node in nodes}
    for source, target in calls:
        if source != target:
            called[source].append(target)
    order = _callers_first(called)
    turn = {node: index for index, node in enumerate(order)}
    forward = [
        (source, target) for source in order for target in called[source] if turn[source] < turn[target]
    ]
    layer_of = dict.fromkeys(nodes, 0)
    for source, target in forward:  # in the order of the callers, each of which is placed by now
        layer_of[target] = max(layer_of[target], layer_of[source] + 1)
    placed: list[list[str | Call]] = [[] for _ in range(max(layer_of.values(), default=-1) + 1)]
    for node in nodes:
        placed[layer_of[node]].append(node)
    links: list[tuple[Hashable, Hashable]] = []
    for source, target in forward:
        between = range(layer_of[source] + 1, layer_of[target])
        for layer in between:
            placed[layer].append((source, target))
        way = [
            (layer_of[source], source),
            *((layer, (source, target)) for layer in between),
            (layer_of[target], target),
        ]
        links += pairwise(way)
    return _untangled(placed, links)


def _callers_first(called: Mapping[str, Sequence[str]]) -> list[str]:
    """All nodes, each before those that it calls, but for calls that lead back: depth first, without recursion."""
    finished: list[str] = []
    entered: set[str] = set()
    for root in called:
        stack = [(root, iter(called[root]))] if root not in entered else []
        entered.add(root)
        while stack:
            node, rest = stack[-1]
            following = next((target for target in rest if target not in entered), None)
            if following is None:
                finished.append(node)
                stack.pop()
            else:
                entered.add(following)
                stack.append((following, iter(called[following])))
    return finished[::-1]


def _untangled(
    placed: list[list[str | Call]], links: Iterable[tuple[Hashable, Hashable]]
) -> list[list[str | Call]]:
    """Each layer in the order of its neighbours' middle, swept to and fro (the barycenter rule).

    Args:
        placed: the layers; they are put in order.
        links: pairs of what is beside each other, each as its layer and itself.
    """
    near: dict[Hashable, list[Hashable]] = {}
    for one, other in links:
        near.setdefault(one, []).append(other)
        near.setdefault(other, []).append(one)
    height: dict[Hashable, float] = {
        (number, each): (place + 0.5) / len(layer)
        for number, layer in enumerate(placed)
        for place, each in enumerate(layer)
    }
    for sweep in range(_SWEEPS):
        for number in range(len(placed)) if sweep % 2 == 0 else reversed(range(len(placed))):
            layer = placed[number]
            middle = {
                each: sum(height[other] for other in beside) / len(beside)
                for each in layer
                for beside in [near.get((number, each), [(number, each)])]
            }
            layer.sort(key=middle.__getitem__)
            height.update({(number, each): (place + 0.5) / len(layer) for place, each in enumerate(layer)})
    return placed
