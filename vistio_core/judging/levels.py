"""The edges of all levels at some moments: what rules and writers saw of each, added up. Pure; numpy inside.

A moment is one graph, or one frame of many. Rates are doubles, and are added in the order of the writers, then
in the order of the rules (`Rulebook.ordered`), so that a sum never depends on what was read first:

    instant shown at moments 4 and 5     a row of `RuleEdges`      rps[4, edge] += rates
                                                                   rps[5, edge] += rates
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import attrs
import numpy as np

from vistio_core.configuration.mapping import CLASSES
from vistio_core.graph.numbering import check_names, each_once, edge_number
from vistio_core.judging.codes import NOTHING, Booleans, Integers, run_lengths, run_starts
from vistio_core.judging.judge import Judge
from vistio_core.judging.reports import told_at, witness_of
from vistio_core.judging.rule_edges import EdgeRows, RuleEdges
from vistio_core.samples import Floats

Shown = Mapping[int, Sequence[int]]
"""An instant to the moments that show it, ascending."""


@attrs.frozen(eq=False)
class MomentEdges:
    """Edges at moments."""

    numbers: Integers
    """Of each edge, ascending; with the places of sorted names as digits, so by cluster, source and target."""
    rps: Floats
    """Requests per second: moments by edges by class; 0 where there was no traffic."""
    told: Booleans
    """Moments by edges: whether some rule told of it, if only that there was none."""


def at_moments(judge: Judge, writers: Sequence[tuple[RuleEdges, Shown]]) -> list[tuple[EdgeRows, Shown]]:
    """What all writers saw, with the reports of witnesses made one, moment by moment.

    Returns:
        Of each writer, in their order, what has no witness; then, if anything has, what was made of the
        reports of all of them, as if another writer had seen it, with moments for instants.
    """
    witnesses = [witness_of(edges) for edges, _ in writers]
    if not any(witness.any() for witness in witnesses):
        return list(writers)
    apart: list[tuple[EdgeRows, Shown]] = []
    reports, rows, moments = [], [NOTHING], [NOTHING]
    start = 0
    for (edges, shown), witness in zip(writers, witnesses, strict=True):
        apart.append((edges.where(witness == 0), shown))
        reports.append(edges.where(witness != 0))
        for places, moment in shown_at(reports[-1].instant_ms, shown):
            rows.append(places + start)
            moments.append(moment)
        start += len(reports[-1])
    together = RuleEdges.joined(reports)
    moment = np.concatenate(moments)
    told = told_at(judge, together, witness_of(together), np.concatenate(rows), moment)
    return [*apart, (told, {each: [each] for each in each_once(moment).tolist()})]


def summed(
    writers: Sequence[tuple[EdgeRows, Shown]], ranks: Integers, numbers: Integers, moments: int
) -> MomentEdges:
    """What all writers saw, added up.

    Args:
        writers: of each, in their order, what it saw, and the moments that show its instants.
        ranks: by the number of a name, its place among the sorted ones (`Codes.ranks`).
        numbers: `numbers_of` what they saw.
        moments: how many there are.
    """
    rps = np.full((moments * len(numbers), CLASSES), -0.0)  # which changes nothing that is added to it
    told = np.zeros(len(rps), bool)
    for edges, shown in writers:
        column = np.searchsorted(numbers, ranked(edges, ranks))
        for _, _, rows in edges.rules:
            own, rates = column[rows], edges.rps[rows]
            for places, moment in shown_at(edges.instant_ms[rows], shown):
                # A rule of one writer has an edge once at a moment, so no row is written twice.
                row = moment * len(numbers) + own[places] if moments > 1 else own
                added = rates[places] if moments > 1 else rates
                # Most edges are told by one rule: nothing is to be added then.
                rps[row] = rps[row] + added if told[row].any() else added
                told[row] = True
    if not told.all():
        rps[~told] = 0.0
    return MomentEdges(numbers, rps.reshape(moments, len(numbers), CLASSES), told.reshape(moments, -1))


def numbers_of(parts: Iterable[EdgeRows], ranks: Integers) -> Integers:
    """The number of each edge that some part has, as `MomentEdges` has them."""
    check_names(len(ranks))
    return each_once(np.concatenate([NOTHING, *(ranked(edges, ranks) for edges in parts)]))


def ranked(edges: EdgeRows, ranks: Integers) -> Integers:
    """A number for each row, which ascends by the names of cluster, source and target."""
    return edge_number(ranks[edges.source], ranks[edges.target], ranks[edges.cluster])


def shown_at(instants_ms: Integers, shown: Shown) -> Iterator[tuple[Integers, Integers]]:
    """Indexes of rows and the moments that show them; what is shown at several moments comes again."""
    starts = run_starts([instants_ms])
    if len(starts) == 1:  # as of one graph
        for single in shown[int(instants_ms[0])]:
            yield np.arange(len(instants_ms)), np.full(len(instants_ms), single)
        return
    lengths = run_lengths(starts, len(instants_ms))
    moments = [shown[instant_ms] for instant_ms in instants_ms[starts].tolist()]
    for layer in range(max(map(len, moments), default=0)):
        table = np.array([own[layer] if layer < len(own) else -1 for own in moments], np.int64)
        moment = np.repeat(table, lengths)
        places = np.flatnonzero(moment >= 0)
        yield places, moment[places]
