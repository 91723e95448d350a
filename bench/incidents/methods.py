"""Who names the causes: `Recording.suspects`, and what needs no thought, to compare it with."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from importlib.util import find_spec

import attrs

from vistio_core import Recording
from vistio_core.times import HOUR_MS

SHUFFLES = 1_000

Rankings = Callable[[Recording, int, int], list[list[str]]]
"""Of a recording, and what is asked about (milliseconds): the nodes, most likely cause first, with the hour before as
normal. One ranking, or many where chance has a part in it."""


@attrs.frozen
class Method:
    """One way to find a cause."""

    name: str
    ranked: Rankings
    needs: Sequence[str] = ()
    """Modules beyond those of the tests."""

    @property
    def missing(self) -> list[str]:
        """What it needs and is not installed."""
        return [name for name in self.needs if find_spec(name) is None]


def suspects(recording: Recording, start_ms: int, end_ms: int) -> list[list[str]]:
    """As it is."""
    return [recording.suspects(start_ms, end_ms).nodes()]


def largest_change(recording: Recording, start_ms: int, end_ms: int) -> list[list[str]]:
    """The nodes whose traffic changed most, by `Recording.compare`."""
    compared = recording.compare((start_ms - HOUR_MS, start_ms), (start_ms, end_ms))
    return [compared.nodes["node"].to_pylist()]


def shuffled(recording: Recording, start_ms: int, end_ms: int) -> list[list[str]]:
    """All nodes that were there, in random order."""
    nodes = nodes_of(recording, start_ms, end_ms)
    chance = random.Random(start_ms)
    return [chance.sample(nodes, len(nodes)) for _ in range(SHUFFLES)]


def nodes_of(recording: Recording, start_ms: int, end_ms: int) -> list[str]:
    """Who was there, in the hour before or in the window."""
    levels = recording.topology(start_ms - HOUR_MS, end_ms)
    return sorted({name for level in levels.values() for name in level.classes})


OURS = Method("suspects", suspects)
PLAIN: Sequence[Method] = (
    Method("random order", shuffled),
    Method("largest change first", largest_change),
)
