"""What was seen of edges and nodes, in columns. Pure; numpy inside.

Names and rules are codes there (`Judge` knows what they mean), so an hour of a large mesh is additions
of integers. Rates are millionths of a request per second, so sums are exact in any order (decision
0004). Where 64 bits might not hold a sum, numpy is given Python's integers, by the same operations.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import attrs
import numpy as np

from vistio_core.graph.columns import CLASSES
from vistio_core.judging.codes import Integers, numbered

MILLIONTHS = 1_000_000
_MOST_64_BITS = 2**62


@attrs.frozen(eq=False)
class _Columns:
    """Columns of one length."""

    @classmethod
    def none(cls) -> Self:
        """No rows."""
        return cls(*(np.zeros(0, np.int64) for _ in attrs.fields(cls)))

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """The rows of all parts, one after the other."""
        names = [field.name for field in attrs.fields(cls)]
        some = [cls.none(), *parts]
        return cls(*(np.concatenate([getattr(part, name) for part in some]) for name in names))


@attrs.frozen(eq=False)
class EdgeRates(_Columns):
    """What one rule of one writer saw of an edge at an instant, row by row."""

    instant_ms: Integers
    configuration: Integers
    rule: Integers
    cluster: Integers
    source: Integers
    target: Integers
    normal: Integers
    """In millionths of a request per second, as the next two."""
    warning: Integers
    danger: Integers

    @property
    def rates(self) -> tuple[Integers, Integers, Integers]:
        return self.normal, self.warning, self.danger


@attrs.frozen(eq=False)
class EdgeSums:
    """Rates of edges, added over instants, rules and writers."""

    keys: Integers
    """One number for each edge (`Judge.key`), each once."""
    rates: Integers
    """A row for each of ``keys``: normal, warning and danger in millionths of a request per second."""

    @classmethod
    def none(cls) -> EdgeSums:
        """No edges."""
        return cls(np.zeros(0, np.int64), np.zeros((0, CLASSES), np.int64))

    @classmethod
    def added(cls, keys: Integers, rates: Integers) -> EdgeSums:
        """What ``keys`` have in all, where they may come several times."""
        distinct, place = numbered(keys)
        slots = place[:, None] * CLASSES + np.arange(CLASSES)
        return cls(distinct, class_sums(slots.ravel(), rates.ravel(), len(distinct)))

    @classmethod
    def joined(cls, parts: Sequence[EdgeSums]) -> EdgeSums:
        some = [cls.none(), *parts]
        return cls.added(
            np.concatenate([part.keys for part in some]), np.concatenate([part.rates for part in some])
        )


@attrs.frozen(eq=False)
class NodeNotices(_Columns):
    """Notices that measurements raised on nodes: instant, cluster, node, and 0, 1 or 2 for their severity."""

    instant_ms: Integers
    cluster: Integers
    node: Integers
    severity: Integers


@attrs.frozen(eq=False)
class DrawnRates(_Columns):
    """What one rule of one writer saw of an edge at an instant, in all, as pictures are scaled by it."""

    instant_ms: Integers
    rule: Integers
    source: Integers
    target: Integers
    millionths: Integers
    """Of a request per second, every rate rounded up; what is negative does not count."""


def summable(values: Integers) -> Integers:
    """``values``, as Python's integers where a sum of them all might not fit 64 bits."""
    if len(values) and int(abs(values).max()) * len(values) >= _MOST_64_BITS:
        return values.astype(object)
    return values


def class_sums(slots: Integers, rates: Integers, edges: int) -> Integers:
    """What each edge has of each class; a slot is an edge's place times three, and a class."""
    exact = summable(rates)
    sums = np.zeros(edges * CLASSES, exact.dtype)
    np.add.at(sums, slots, exact)
    return sums.reshape(-1, CLASSES)
