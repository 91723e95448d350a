"""Every node and edge over time: rates and latency, step by step, as a heat map shows them. Pure; numpy inside.

A step is the mean over those `STEP_MS` in it at which the row was wholly seen; NaN where there are none. A node is what
enters it, or where nobody calls it, what leaves it; it is wholly seen where all of these edges are:

    rates         at 05:00:00   at 05:00:10   at 05:00:20   at 05:00:30       steps of 20 s: 05:00:00   05:00:20
    web > cart    10            20            10            NaN                              15         10
    app > cart    1             1             NaN           NaN                              1          NaN
    cart          11            21            NaN           NaN                              16         NaN

Latency counts by its requests, as over a whole window (`latencies`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import attrs
import numpy as np
import pyarrow as pa

from vistio_core.diagnosis.latencies import Ends, timed_requests
from vistio_core.diagnosis.observed import STEP_MS, Observed
from vistio_core.diagnosis.signals import Mesh, node_time, ratio
from vistio_core.errors import UsageError
from vistio_core.judging.codes import Integers
from vistio_core.judging.totals import RATES
from vistio_core.samples import Floats
from vistio_core.sentences import say
from vistio_core.storage.format import INSTANT
from vistio_core.times import align, format_duration, format_instant

MOST_STEPS = 10_000


@attrs.frozen(eq=False)
class HeatRows:
    """Nodes or edges, by cluster and name."""

    ends: Sequence[Ends]
    rates: Floats
    """Classes by rows by steps, requests per second; NaN where not seen."""
    latency_ms: Floats
    """Rows by steps, of a request; NaN where not known."""


@attrs.frozen(eq=False)
class Heat:
    """A window, step by step."""

    start_ms: int
    """Of the first step."""
    end_ms: int
    """Where the last one is cut off."""
    step_ms: int
    nodes: HeatRows
    edges: HeatRows

    @property
    def starts_ms(self) -> Integers:
        """When each step begins."""
        return np.arange(self.start_ms, self.end_ms, self.step_ms)

    @property
    def table(self) -> pa.Table:
        """All of it; the shape is told at `Recording.heat`."""
        return pa.concat_tables([self._table(rows) for rows in (self.nodes, self.edges)])

    def document(self) -> dict[str, Any]:
        """The nodes in columns, as JSON tells them: for each a list, step by step."""
        cluster, node = ([ends[place] for ends in self.nodes.ends] for place in (0, 1))
        rates = dict(zip(RATES, map(_nulls, self.nodes.rates), strict=True))
        latency = _nulls(self.nodes.latency_ms)
        return {
            "start": format_instant(self.start_ms),
            "end": format_instant(self.end_ms),
            "step_ms": self.step_ms,
            "cluster": cluster,
            "node": node,
            **rates,
            "latency_ms": latency,
        }

    def _table(self, rows: HeatRows) -> pa.Table:
        steps = len(self.starts_ms)
        of = np.repeat(np.arange(len(rows.ends)), steps)
        ends = list(zip(*rows.ends, strict=True)) or [(), (), ()]
        names = [pa.array(column, pa.string()).take(pa.array(of)) for column in ends]
        values = [pa.array(each.ravel(), from_pandas=True) for each in (*rows.rates, rows.latency_ms)]
        starts = pa.array(np.tile(self.starts_ms, len(rows.ends)), INSTANT)
        return pa.table(
            [starts, *names, *values], ["start", "cluster", "node", "target", *RATES, "latency_ms"]
        )


def heat(window_ms: tuple[int, int], step_ms: int, observe: Callable[[int, int], Observed]) -> Heat:
    """A window, step by step; steps begin at multiples of their length since the epoch.

    Args:
        window_ms: start and end; an end within a `STEP_MS` counts as the end of that.
        step_ms: the length of a step.
        observe: what was measured from one time to another; it may begin earlier and end later.

    Raises:
        UsageError: no multiple of `STEP_MS`, or too many steps.
    """
    if step_ms % STEP_MS:
        raise UsageError(
            say(
                "step {step}: a heat map looks each {look}; use a multiple of it",
                step=format_duration(step_ms),
                look=format_duration(STEP_MS),
            )
        )
    start_ms, end_ms = align(window_ms[0], step_ms), -(-window_ms[1] // STEP_MS) * STEP_MS
    if end_ms - start_ms > MOST_STEPS * step_ms:
        raise UsageError(
            say(
                "more than {most:,} steps of {step}; use a longer step",
                most=MOST_STEPS,
                step=format_duration(step_ms),
            )
        )
    seen = observe(start_ms, end_ms)
    first = seen.step_of(start_ms)
    steps = _Steps(first, seen.step_of(end_ms) - first, step_ms // STEP_MS)
    mesh = Mesh.of(seen)
    rates, latency = _of_edges(seen, mesh, steps)
    of_nodes, latency_of_nodes = _of_nodes(seen, mesh, steps)
    return Heat(
        start_ms,
        end_ms,
        step_ms,
        HeatRows(list(_named(seen, seen.nodes)), of_nodes, latency_of_nodes),
        HeatRows(list(_named(seen, seen.edges)), rates, latency),
    )


@attrs.frozen
class _Steps:
    """Which rows of what was observed are a step."""

    first: int
    rows: int
    each: int

    def sums(self, of: Floats) -> Floats:
        """Rows of what was observed become steps; transposed, by edges or nodes."""
        inside = of[self.first : self.first + self.rows]
        starts = np.arange(0, self.rows, self.each)
        sums: Floats = np.add.reduceat(inside, starts, axis=0).T
        return sums

    def means(self, of: Floats) -> Floats:
        """Likewise, the means over the rows at which it is known."""
        known = ~np.isnan(of)
        means: Floats = ratio(self.sums(np.where(known, of, 0.0)), self.sums(known.astype(float)))
        return means


def _of_edges(seen: Observed, mesh: Mesh, steps: _Steps) -> tuple[Floats, Floats]:
    rates = np.array([steps.means(each) for each in seen.rates])
    timed = timed_requests(seen, mesh)
    if timed is None:
        return rates, np.full(rates.shape[1:], np.nan)
    requests, took = (steps.sums(each) for each in timed)
    return rates, ratio(took, requests)


def _of_nodes(seen: Observed, mesh: Mesh, steps: _Steps) -> tuple[Floats, Floats]:
    # With the sums of what is not seen, which is not known either.
    ends = [
        np.where(mesh.called, mesh.by_target.added(each), mesh.by_source.added(each)) for each in seen.rates
    ]
    without = ~mesh.called & ~np.isin(np.arange(len(seen.nodes)), mesh.source)
    rates = np.array([np.where(without[:, None], np.nan, steps.means(each)) for each in ends])
    itself = node_time(seen)
    latency = np.full(rates.shape[1:], np.nan) if itself is None else steps.means(itself)
    timed = timed_requests(seen, mesh)
    if timed is not None:
        requests, took = (steps.sums(mesh.by_target.added(each)) for each in timed)
        of_requests = (requests > 0).any(axis=1)
        latency[of_requests] = ratio(took, requests)[of_requests]
    return rates, latency


def _named(seen: Observed, rows: Integers) -> Iterator[Ends]:
    for places in rows.tolist():
        cluster, node, *target = (seen.names[place] for place in places)
        yield cluster, node, target[0] if target else None


def _nulls(values: Floats) -> list[list[float | None]]:
    rows: list[list[float | None]] = values.astype(object).tolist()
    for row, unknown in zip(*np.nonzero(np.isnan(values)), strict=True):
        rows[row][unknown] = None
    return rows
