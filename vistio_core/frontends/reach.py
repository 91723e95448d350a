"""Which nodes Vizceral's left-to-right layout would lose, and what keeps them.

The layout walks from *entry nodes*: those with no incoming and at least one outgoing edge. What
the walk does not meet gets no position and cannot be seen. Before the walk it turns some
edges around to break cycles, starting at the nodes in the order in which they were given; so
even a cycle that hangs on an entry node can lose members, unless the entry nodes come first.
(Observed with vizceral 4.9.0; `tests/frontends/test_vizceral_component.py` runs it.)
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

Pair = tuple[str, str]
Neighbours = Mapping[str, Sequence[str]]


def neighbours(pairs: Iterable[Pair]) -> dict[str, list[str]]:
    """Source to its targets, in the order of ``pairs``."""
    out: defaultdict[str, list[str]] = defaultdict(list)
    for source, target in pairs:
        out[source].append(target)
    return out


def entries(pairs: Collection[Pair]) -> set[str]:
    """The names with an outgoing and no incoming edge; a loop onto itself is incoming too."""
    return {source for source, _ in pairs} - {target for _, target in pairs}


def flood(roots: Iterable[str], out: Neighbours, seen: set[str]) -> set[str]:
    """``seen``, grown by everything that can be reached from ``roots``."""
    stack = [root for root in roots if root not in seen]
    seen.update(stack)
    while stack:
        for target in out.get(stack.pop(), ()):
            if target not in seen:
                seen.add(target)
                stack.append(target)
    return seen


def missing_roots(names: Sequence[str], out: Neighbours, reached: set[str]) -> list[str]:
    """The fewest nodes from which all others than ``reached`` can be reached, sorted.

    Of a cycle it is the member with the smallest name, so the choice depends on who talks to whom
    but not on how much: it does not move with the traffic.

    Args:
        names: all names, sorted.
        out: source to targets.
        reached: what is reached already.
    """
    candidates: list[str] = []
    seen = set(reached)
    for name in names:
        if name not in seen:
            candidates.append(name)
            flood((name,), out, seen)
    # A later candidate may reach an earlier one (never the other way around), so look backwards.
    roots: list[str] = []
    seen = set(reached)
    for name in reversed(candidates):
        if name not in seen:
            roots.append(name)
            flood((name,), out, seen)
    return sorted(roots)


def has_cycle(pairs: Collection[Pair], out: Neighbours) -> bool:
    """Whether any edges lead back to where they started; loops onto themselves do not count."""
    loops = {source for source, target in pairs if source == target}
    incoming = Counter(target for _, target in pairs)
    incoming.subtract(loops)
    free = [name for name in {*out, *incoming} if not incoming[name]]
    removed = 0
    while free:
        source = free.pop()
        removed += 1
        for target in out.get(source, ()):
            if target != source:
                left = incoming[target] = incoming[target] - 1
                if not left:
                    free.append(target)
    return removed != len({*out, *incoming})
