"""Nodes and edges as one number each, made of the numbers of their names. Pure.

With the names ``["", "mesh", "cart", "db"]`` the edge from cart to db in mesh is 1, 2, 3, written in digits
of 21 bits. Numbers ascend as their digits do, so where names are numbered in their order, edges sort as
their names. Within one level the cluster is 0.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np

from vistio_core.errors import UsageError
from vistio_core.samples import Integers
from vistio_core.sentences import say

_BITS = 21
_MASK = (1 << _BITS) - 1
MOST_NAMES = 1 << _BITS

Number = TypeVar("Number", int, Integers)


def node_number(name: Number, cluster: Number | int = 0) -> Number:
    """One number for each node."""
    return (cluster << _BITS) | name


def edge_number(source: Number, target: Number, cluster: Number | int = 0) -> Number:
    """One number for each edge."""
    return (node_number(source, cluster) << _BITS) | target


def node_digits(number: Number) -> tuple[Number, Number]:
    """Cluster and name of a node's number."""
    return number >> _BITS, number & _MASK


def edge_digits(number: Number) -> tuple[Number, Number, Number]:
    """Cluster, source and target of an edge's number."""
    return number >> 2 * _BITS, number >> _BITS & _MASK, number & _MASK


def each_once(numbers: Integers) -> Integers:
    """The distinct numbers, ascending."""
    # `np.unique` goes by hash, which takes ten times as long for what is nearly in order.
    ordered = np.sort(numbers)
    first = np.ones(len(ordered), bool)
    first[1:] = ordered[1:] != ordered[:-1]
    return ordered[first]


def check_names(count: int) -> None:
    """Refuse more names than can be told apart.

    Raises:
        UsageError: says how many there may be.
    """
    if count > MOST_NAMES:
        raise UsageError(
            say(
                "{count:,} names of nodes in one window; at most {most:,} can be told apart: use a shorter one",
                count=count,
                most=MOST_NAMES,
            )
        )
