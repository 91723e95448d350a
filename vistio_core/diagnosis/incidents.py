"""When something left its normal, what first and what then, and how bad it was for what enters. Pure; numpy inside.

Hour by hour: what was well in the hour before is normal, so that slow changes are none, and an incident never becomes
normal by lasting. Where hardly anything was seen in the hour before, as when a recording begins, that is normal which
most of the hour itself was like. At every step (the mean of the minute around it) each node is charged with its own
part (`charges`); an incident is a run of steps at which somebody is charged with at least one in a hundred of what
enters. Runs that lie less than `APART_STEPS` apart are one; shorter ones than `SHORTEST_STEPS` are noise.

    step            1    2    3    4    5    6    7    8
    db, of 100/s    0    0    12   30   31   28   0    0        an incident from 3 to 7, first db
    cart            0    0    0    4    6    5    0    0        then cart; the worst share is 31 %
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import attrs
import numpy as np
import pyarrow as pa

from vistio_core import tables
from vistio_core.diagnosis.charges import falls_on, floors, harmed, request_ms
from vistio_core.diagnosis.normal import HALF_LEFT_OUT, LEFT_OUT, Span, normal_of
from vistio_core.diagnosis.observed import STEP_MS, Observed
from vistio_core.diagnosis.signals import Mesh, Signal, signals
from vistio_core.judging.codes import Booleans
from vistio_core.names import visible
from vistio_core.samples import Floats
from vistio_core.times import HOUR_MS, MINUTE_MS, format_instant

FROM_SHARE = 0.01
"""Of what enters: from this on harm is an incident."""
APART_STEPS = 5 * MINUTE_MS // STEP_MS
SHORTEST_STEPS = 2 * MINUTE_MS // STEP_MS
_HOUR_STEPS = HOUR_MS // STEP_MS
_ENOUGH_STEPS = 10 * MINUTE_MS // STEP_MS
"""A shorter time before tells too little of what is normal."""
_MOST_TOLD = 3
"""How many are told of in a line."""
SMOOTHED_STEPS = MINUTE_MS // STEP_MS
_MOST_NAMES = 3


@attrs.frozen
class Whom:
    """A node, or an edge with its target."""

    cluster: str
    node: str
    target: str | None = None


@attrs.frozen
class Incident:
    """Something left its normal, and came back to it, or did not yet."""

    start_ms: int
    end_ms: int | None
    """The first instant at which all was normal again; None while it lasts at the window's end."""
    summary: str
    """A sentence: who left normal, in which order, and how bad it was; when is in the fields."""
    first: Whom
    """Who left normal first."""
    hit: tuple[Whom, ...]
    """All nodes that did, in the order in which they did."""
    worst_share: float
    """Of what enters: how much of it was harmed at the worst moment, 0 to 1."""

    def document(self) -> dict[str, Any]:
        """As JSON tells it, over HTTP and in the terminal: times as RFC 3339 text, ``end`` null while it lasts."""
        return {
            "start": format_instant(self.start_ms),
            "end": None if self.end_ms is None else format_instant(self.end_ms),
            "summary": self.summary,
            "first": attrs.asdict(self.first),
            "hit": [{"cluster": whom.cluster, "node": whom.node} for whom in self.hit],
            "worst_share": self.worst_share,
        }


@attrs.frozen(eq=False, repr=False)
class Incidents:
    """The incidents of a window, by time."""

    incidents: tuple[Incident, ...]
    unseen: pa.Table = attrs.field(repr=False)
    """The gaps of the window: what was not seen there may hide more."""

    def __len__(self) -> int:
        return len(self.incidents)

    def __iter__(self) -> Iterator[Incident]:
        return iter(self.incidents)

    @property
    def table(self) -> pa.Table:
        """One row per incident: start, end, summary, cluster and node of the first, worst_share."""
        columns = {
            "start": pa.array([each.start_ms for each in self.incidents], pa.timestamp("ms", "UTC")),
            "end": pa.array([each.end_ms for each in self.incidents], pa.timestamp("ms", "UTC")),
            "summary": pa.array([each.summary for each in self.incidents], pa.string()),
            "cluster": pa.array([each.first.cluster for each in self.incidents], pa.string()),
            "node": pa.array([each.first.node for each in self.incidents], pa.string()),
            "worst_share": pa.array([each.worst_share for each in self.incidents], pa.float64()),
        }
        return pa.table(columns)

    def to_pandas(self) -> Any:
        """The table as a pandas ``DataFrame``.

        Raises:
            MissingLibraryError: pandas is not installed.
        """
        return tables.to_pandas(self.table)

    def to_polars(self) -> Any:
        """The table as a polars ``DataFrame``.

        Raises:
            MissingLibraryError: polars is not installed.
        """
        return tables.to_polars(self.table)

    def __repr__(self) -> str:
        from vistio_core.displays.words import counted, listed

        told = listed(
            [f"{visible(each.first.node)} at {format_instant(each.start_ms)}" for each in self.incidents],
            _MOST_TOLD,
        )
        hidden = f"; {counted(self.unseen.num_rows, 'gap')}" if self.unseen.num_rows else ""
        return f"<{counted(len(self), 'incident')}{': ' if told else ''}{told}{hidden}>"

    def _repr_html_(self) -> str:
        from vistio_core.displays.found import incidents_html
        from vistio_core.displays.words import counted

        return incidents_html(counted(len(self), "incident"), self.table, self.unseen)


def incidents_of(seen: Observed, window: Span) -> tuple[Incident, ...]:
    """The incidents of a window.

    Args:
        seen: what was measured: of the window, and of the hour before it.
        window: its steps.
    """
    mesh = Mesh.of(seen)
    found = [smoothed(signal) for signal in signals(seen, mesh)]
    entering = np.nan_to_num(_over_a_minute(mesh.entering[:, ~mesh.called])).sum(axis=1)
    shares = np.zeros((seen.steps, len(seen.nodes)))
    well = np.ones(seen.steps, bool)
    for first in range(window.first, window.last, _HOUR_STEPS):
        hour = Span(first, min(first + _HOUR_STEPS, window.last))
        harm = _harm_of_hour(seen, mesh, found, hour, well)
        enters = np.maximum(entering[hour.first : hour.last], 1e-9)[:, None]
        shares[hour.first : hour.last] = harm / enters
        well[hour.first : hour.last] = shares[hour.first : hour.last].max(axis=1, initial=0.0) < FROM_SHARE
    runs = runs_of(~well[window.first : window.last])
    return tuple(
        _incident(seen, shares, Span(window.first + first, window.first + last), window)
        for first, last in runs
        if last - first >= SHORTEST_STEPS
    )


def _harm_of_hour(seen: Observed, mesh: Mesh, found: Sequence[Signal], hour: Span, well: Booleans) -> Floats:
    """The largest charge of each node, step by step."""
    before = Span(max(hour.first - _HOUR_STEPS, 0), hour.first)
    if not well[before.first : before.last].any():
        before = Span(0, hour.first)
    left_out = LEFT_OUT
    if _seen_for(mesh, before) < _ENOUGH_STEPS:
        before, left_out = hour, HALF_LEFT_OUT
    sick = ~well[before.first : before.last]
    whole_ms = request_ms(seen, mesh, before)
    most = np.zeros((hour.last - hour.first, len(seen.nodes)))
    for signal in found:
        well_values = np.where(sick[:, None], np.nan, before.of(signal.values))
        normal = normal_of(well_values, *floors(signal), left_out=left_out)
        now, rps = hour.of(signal.values), (hour.of(signal.rps), hour.of(mesh.rps))
        excess = normal.beyond(now)
        harm = harmed(mesh, signal, normal, (now, excess), rps, whole_ms)
        most = np.maximum(most, falls_on(mesh, signal, harm, excess))
    return most


def _seen_for(mesh: Mesh, span: Span) -> int:
    """How many steps lie between the first and the last one of which something is known."""
    steps = np.flatnonzero(~np.isnan(span.of(mesh.entering)).all(axis=1))
    return int(steps[-1] - steps[0]) + 1 if len(steps) else 0


def smoothed(signal: Signal) -> Signal:
    """A signal of which each step is the mean of the minute around it."""
    return attrs.evolve(signal, values=_over_a_minute(signal.values), rps=_over_a_minute(signal.rps))


def _over_a_minute(values: Floats) -> Floats:
    """The mean of what was seen in the minute around each step."""
    half = SMOOTHED_STEPS // 2
    padded = np.full((len(values) + 2 * half, *values.shape[1:]), np.nan)
    padded[half : half + len(values)] = values
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of minutes in which nothing was seen
        parts = [padded[shift : shift + len(values)] for shift in range(2 * half)]
        mean: Floats = np.nanmean(parts, axis=0)
    return mean


def runs_of(sick: Booleans) -> list[tuple[int, int]]:
    """First and last (exclusive) step of each run; those that are not far apart are one."""
    runs: list[tuple[int, int]] = []
    for step in np.flatnonzero(sick).tolist():
        if runs and step - runs[-1][1] < APART_STEPS:
            runs[-1] = runs[-1][0], step + 1
        else:
            runs.append((step, step + 1))
    return runs


def _incident(seen: Observed, shares: Floats, run: Span, window: Span) -> Incident:
    during = shares[run.first : run.last]
    harmed_at = during >= FROM_SHARE
    hit = np.flatnonzero(harmed_at.any(axis=0))
    since = harmed_at[:, hit].argmax(axis=0)
    # Who left first; of those who left within the same minute, the one that is charged with most.
    order = sorted(
        range(len(hit)),
        key=lambda place: (since[place] // SMOOTHED_STEPS, -during[:, hit[place]].max(), hit[place]),
    )
    names = [Whom(*(seen.names[part] for part in seen.nodes[hit[place]])) for place in order]
    worst = float(min(during.max(), 1.0))
    start_ms, end_ms = (seen.start_ms + step * STEP_MS for step in (run.first, run.last))
    lasts = window.last - run.last < APART_STEPS
    summary = f"{_in_order(names)}; at worst {100 * worst:.0f} % of what enters harmed"
    return Incident(start_ms, None if lasts else end_ms, summary, names[0], tuple(names), worst)


def _in_order(names: Sequence[Whom]) -> str:
    """Who left normal, and in which order; each with its cluster, unless that is the first one's."""
    first, then = names[0], names[1 : 1 + _MOST_NAMES]
    said = [
        visible(name.node) + (f" ({visible(name.cluster)})" if name.cluster not in ("", cluster) else "")
        for name, cluster in [(first, ""), *((each, first.cluster) for each in then)]
    ]
    more = len(names) - 1 - len(then)
    rest = ", ".join(said[1:]) + (f" and {more} more" if more else "")
    return f"{said[0]} left its normal first, then {rest}" if rest else f"{said[0]} alone left its normal"
