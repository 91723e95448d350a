"""Rates by class, in columns: the sums of a graph for many instants or edges at once. Pure.

What `build` says of sums holds here: the rates of one edge, rule and class are added exactly
rounded (`math.fsum`). Of one or two numbers a plain addition is that already, so only where three
or more statuses fall into one class are they handed to `fsum`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import fsum

import attrs
import numpy as np
import pyarrow as pa

from vistio_core.samples import Floats as Floats
from vistio_core.samples import Integers as Integers
from vistio_core.samples import Texts

CLASSES = 3
"""Normal, warning, danger: the columns of every array of rates, in this order."""
_BITS = 32
_MASK = (1 << _BITS) - 1


def edge_keys(source: Integers, target: Integers) -> Integers:
    """One number for each edge, from those of its ends; they ascend as pairs do."""
    return (source << _BITS) | target


def edge_ends(keys: Integers) -> tuple[Integers, Integers]:
    """Source and target of each of `edge_keys`."""
    return keys >> _BITS, keys & _MASK


@attrs.frozen(eq=False)
class RuleEdges:
    """What rules saw on edges, class by class; all columns have one length.

    An edge has a row for each instant and rule that saw it.
    """

    instant_ms: Integers
    rule: Integers
    """Index into ``rules``."""
    source: Integers
    """Index into ``sources``."""
    target: Integers
    """Index into ``targets``."""
    rates: Floats
    """Requests per second by class: one row for each edge, `CLASSES` columns."""
    rules: list[tuple[str, str]]
    """Cluster and rule."""
    sources: Sequence[str]
    targets: Sequence[str]


def rule_edges(samples: pa.Table, classify: Callable[[str, str, str], int]) -> RuleEdges:
    """The rates on the edges that rules saw.

    Args:
        samples: rows of kind ``sample``, of any number of instants, in the format's order: those of an
            edge, rule and instant lie side by side.
        classify: cluster, rule and status to the column of its class.
    """
    instant_ms = samples["instant"].cast(pa.int64()).to_numpy()
    clusters, cluster = Texts.of_column(samples["cluster"])
    rules, rule = Texts.of_column(samples["rule"])
    sources, source = Texts.of_column(samples["source"])
    targets, target = Texts.of_column(samples["target"])
    statuses, status = Texts.of_column(samples["status"])
    key = cluster * len(rules) + rule
    first = np.ones(len(key), dtype=bool)
    first[1:] = (
        (source[1:] != source[:-1])
        | (target[1:] != target[:-1])
        | (key[1:] != key[:-1])
        | (instant_ms[1:] != instant_ms[:-1])
    )
    starts = np.flatnonzero(first)
    used = _used(key)
    known = [(clusters[each // len(rules)], rules[each % len(rules)]) for each in used.tolist()]
    index = np.zeros(len(clusters) * len(rules), dtype=np.int64)
    index[used] = np.arange(len(used))
    judged = index[key] * len(statuses) + status
    column = np.zeros(len(known) * len(statuses), dtype=np.int64)
    for each in _used(judged).tolist():
        of_rule, of_status = divmod(each, len(statuses))
        cluster_name, rule_name = known[of_rule]
        column[each] = classify(cluster_name, rule_name, statuses[of_status])
    return RuleEdges(
        instant_ms=instant_ms[starts],
        rule=index[key[starts]],
        source=source[starts],
        target=target[starts],
        rates=_sums(
            (np.cumsum(first) - 1) * CLASSES + column[judged],
            samples["rate"].to_numpy(),
            len(starts) * CLASSES,
        ).reshape(-1, CLASSES),
        rules=known,
        sources=sources,
        targets=targets,
    )


def _used(small: Integers) -> Integers:
    """The numbers that are there, ascending: of small ones this is quicker than `np.unique`."""
    return np.flatnonzero(np.bincount(small, minlength=1))


def _sums(slot: Integers, rates: Floats, slots: int) -> Floats:
    """The exactly rounded sum of the rates in each slot; zero where there are none."""
    counts = np.bincount(slot, minlength=slots)
    sums: Floats = np.bincount(slot, weights=rates, minlength=slots).astype(np.float64, copy=False)
    of_slot = counts[slot]
    alone = of_slot == 1
    sums[slot[alone]] = rates[alone]  # as it is: 0.0 + -0.0 would lose the sign
    many = of_slot > 2
    if many.any():
        gathered: dict[int, list[float]] = {}
        for each, rate in zip(slot[many].tolist(), rates[many].tolist(), strict=True):
            gathered.setdefault(each, []).append(rate)
        for each, values in gathered.items():
            sums[each] = fsum(values)
    return sums
