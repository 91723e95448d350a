"""What the other methods see of a recording: series of edges and nodes, over the hour before a window and the window.

Rates are those of the graphs of each instant, so two reports of one request count once; what was measured is taken as
it was recorded. A value for each instant at which somebody looked, NaN where that very thing was not seen.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import attrs
import numpy as np
import pyarrow as pa

from vistio_core import Recording
from vistio_core.configuration.model import MeasurementRule, Witness
from vistio_core.judging.codes import Integers
from vistio_core.samples import Floats
from vistio_core.times import HOUR_MS

RPS, FAILING = "rps", "failing"
Edge = tuple[str, str]
"""Source and target."""
Series = Mapping[str, Floats]
"""By measure, with `CALLER` before it where the caller says so."""
CALLER = "caller_"


@attrs.frozen(eq=False)
class Observations:
    """One cluster, over the hour before a window and the window."""

    instants_ms: Integers
    split: int
    """How many of them lie before the window."""
    of_edges: Mapping[Edge, Series]
    """`RPS`, `FAILING` (the share of requests that fail), and what was measured."""
    of_nodes: Mapping[str, Series]
    """What was measured; of each end of an edge, if only nothing."""

    def symptoms(self, edge: Edge) -> list[Floats]:
        """What tells that calls are slow or fail: all of an edge but how many there are, and all of its target."""
        own = [values for measure, values in self.of_edges[edge].items() if measure != RPS]
        return [*own, *self.of_nodes[edge[1]].values()]

    def departure(self, series: Sequence[Floats]) -> float:
        """By how many standard deviations of the hour before the window's mean has moved, in that which moved most."""
        return max((self._moved(values) for values in series), default=0.0)

    def _moved(self, values: Floats) -> float:
        before, during = values[: self.split], values[self.split :]
        before, during = before[~np.isnan(before)], during[~np.isnan(during)]
        if not len(before) or not len(during):
            return 0.0
        moved = abs(float(during.mean() - before.mean()))
        return moved / max(float(before.std()), 1e-9)


def observe(recording: Recording, start_ms: int, end_ms: int) -> Observations:
    """The hour before a window, and the window."""
    first_ms = start_ms - HOUR_MS
    known = recording.instants(start_ms, end_ms)
    interval = f"{known['interval_ms'][0].as_py()}ms"
    frames = recording.frames(first_ms, end_ms, interval, staleness=interval)
    (level,) = frames.levels
    looked = [frame.instant_ms for frame in frames.frames]
    rows = [row for row, instant_ms in enumerate(looked) if instant_ms is not None]
    instants_ms = np.array([looked[row] for row in rows], np.int64)
    rates = level.rates[rows]
    rps = rates.sum(axis=2)
    failing = np.divide(rates[..., 2], rps, out=np.full(rps.shape, np.nan), where=rps > 0)
    of_edges: dict[Edge, dict[str, Floats]] = {
        edge: {RPS: rps[:, place], FAILING: failing[:, place]} for place, edge in enumerate(level.edges)
    }
    of_nodes: dict[str, dict[str, Floats]] = {name: {} for edge in level.edges for name in edge}
    for (measure, source, target), values in _measured(recording, instants_ms, (first_ms, end_ms)).items():
        if target:
            of_edges.setdefault((source, target), {})[measure] = values
            of_nodes.setdefault(target, {})
        else:
            of_nodes.setdefault(source, {})[measure] = values
    return Observations(instants_ms, int((instants_ms < start_ms).sum()), of_edges, of_nodes)


def _measured(
    recording: Recording, instants_ms: Integers, window_ms: tuple[int, int]
) -> Mapping[tuple[str, str, str], Floats]:
    """By measure, source and target (empty for a node)."""
    by_caller = {
        rule.id
        for _, rule in recording.configuration().rules()
        if isinstance(rule, MeasurementRule) and rule.witness is Witness.CALLER
    }
    table: pa.Table = recording.sql(
        "select instant, rule, measure, source, target, value from measurements",
        start=window_ms[0],
        end=window_ms[1],
    ).to_arrow_table()
    columns = [table[name].to_pylist() for name in ("rule", "measure", "source", "target", "value")]
    places = np.searchsorted(instants_ms, table["instant"].cast(pa.int64()).to_numpy()).tolist()
    found: dict[tuple[str, str, str], Floats] = defaultdict(lambda: np.full(len(instants_ms), np.nan))
    for place, rule, measure, source, target, value in zip(places, *columns, strict=True):
        told = CALLER + measure if rule in by_caller else measure
        found[told, source, target or ""][place] = value
    return found
