"""When something left its normal, what first and what then, and how bad it was for what enters. Pure; numpy inside.

Hour by hour: what was well in the hour before is normal, so that slow changes are none, and an incident never becomes
normal by lasting. Where less of the hour before was seen, as when a recording begins, that is normal which most of
both hours was like: minutes alone tell too little of what comes and goes by itself. Unless it makes an incident of
the time before, which means that most of what was seen is one; then that time alone is normal, if it is long enough.
At every step (the mean of the minute around it) each node is charged with its own part (`charges`); an incident is a
run of steps at which somebody is charged with at least one in a hundred of what enters. Nobody noticed trouble there,
as with suspects, so no measure of whatever unit is taken to be steadier than a tenth of what is normal. Runs that lie
less than `APART_STEPS` apart are one; shorter ones than `SHORTEST_STEPS` are noise.

    step               1    2    3    4    5    6    7    8
    db, of 100/s       0    0    12   30   31   28   0    0        an incident from 3 to 7, first db
    cart               0    0    0    4    6    5    0    0        then cart
    web, its callers   0    0    0    9    12   11   0    0        hit, too: web calls cart

It ends when all is seen to be normal again: what was not seen, as between two instants that lie minutes apart, is as it
was. So an instant says as much as it stands for, and an incident in which the recorder stopped has no end.

Hit are also those who did nothing themselves: who calls, directly or by way of others, somebody who is charged, and
of whose own requests at least one in a hundred is harmed for as long (`symptoms`). How bad it was is what users felt:
the share that failed of what enters the level of who was first, and how much longer than usual it took.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import attrs
import numpy as np
import pyarrow as pa

from vistio_core.configuration.mapping import StatusClass
from vistio_core.diagnosis.charges import falls_on, floors, harmed, mean_of, request_ms
from vistio_core.diagnosis.course import APART_STEPS, Course, usually_apart
from vistio_core.diagnosis.normal import HALF_LEFT_OUT, LEAST_SPREAD, LEFT_OUT, Span, normal_of
from vistio_core.diagnosis.observed import STEP_MS, Observed
from vistio_core.diagnosis.signals import SLOW, Mesh, Signal, ratio, signals, time_at
from vistio_core.diagnosis.symptoms import symptoms
from vistio_core.diagnosis.words import listed
from vistio_core.judging.codes import Booleans
from vistio_core.names import visible
from vistio_core.replay.gaps import unseen_rows
from vistio_core.samples import Floats
from vistio_core.sentences import Joined, Language, Sentence, say
from vistio_core.shares import Percent
from vistio_core.tables import OneTable
from vistio_core.times import HOUR_MS, MINUTE_MS, format_instant

FROM_SHARE = 0.01
"""Of what enters: from this on harm is an incident."""
SHORTEST_STEPS = 2 * MINUTE_MS // STEP_MS
_HOUR_STEPS = HOUR_MS // STEP_MS
_WHOLE_STEPS = 50 * MINUTE_MS // STEP_MS
"""So much of the hour before alone tells what is normal."""
_ENOUGH_STEPS = 10 * MINUTE_MS // STEP_MS
"""A shorter time before never does."""
_MOST_SICK = 0.1
"""Of the time before: a normal by which more of it is an incident is none."""
_MOST_TOLD = 3
"""How many are told of in a line."""
SMOOTHED_STEPS = MINUTE_MS // STEP_MS
_SLOW = 1.5
"""From how many times as long as usual on it is told."""
_MOST_NAMES = 6


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
    """The first instant at which all was seen to be normal again; None where it was not, by the window's end."""
    first: Whom
    """Who left normal first."""
    hit: tuple[Whom, ...]
    """All nodes that did by themselves or for those that they call, in the order in which they did."""
    worst_share: float | None
    """Of what enters the level of ``first``: how much failed in the worst minute, 0 to 1; None where none was seen."""
    times_as_long: float
    """How many times as long as usual that took in the worst minute; 1 where it did not, or nobody knows."""

    @property
    def harm(self) -> float:
        """How much of what enters was harmed in the worst minute, 0 to 1; what is slow counts up to 1/2."""
        return max(self.worst_share or 0.0, SLOW * (1 - 1 / self.times_as_long))

    @property
    def summary(self) -> str:
        """A sentence: who left normal, in which order, and how bad it was; when is in the fields."""
        return self.summary_in("en")

    def summary_in(self, language: Language) -> str:
        """The sentence in a language."""
        told = Joined(
            [_in_order(self.hit), _how_bad(self.first.cluster, self.worst_share, self.times_as_long)], "; "
        )
        return told.told(language)

    def document(self, language: Language = "en") -> dict[str, Any]:
        """As JSON tells it, over HTTP and in the terminal: times as RFC 3339 text, ``end`` null while it lasts."""
        return {
            "start": format_instant(self.start_ms),
            "end": None if self.end_ms is None else format_instant(self.end_ms),
            "summary": self.summary_in(language),
            "first": attrs.asdict(self.first),
            "hit": [{"cluster": whom.cluster, "node": whom.node} for whom in self.hit],
            "worst_share": self.worst_share,
            "times_as_long": self.times_as_long,
        }


@attrs.frozen(eq=False, repr=False)
class Incidents(OneTable):
    """The incidents of a window, by time."""

    incidents: tuple[Incident, ...]
    unseen: pa.Table = attrs.field(repr=False)
    """The gaps of the window: what was not seen there may hide more."""

    def document(self, language: Language = "en") -> dict[str, Any]:
        """As JSON tells them over HTTP."""
        return {
            "incidents": [each.document(language) for each in self.incidents],
            "unseen": unseen_rows(self.unseen, language),
        }

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

    def __repr__(self) -> str:
        from vistio_core.displays.words import and_gaps, counted, listed

        told = listed(
            [f"{visible(each.first.node)} at {format_instant(each.start_ms)}" for each in self.incidents],
            _MOST_TOLD,
        )
        return f"<{counted(len(self), 'incident')}{': ' if told else ''}{told}{and_gaps(self.unseen)}>"

    def _repr_html_(self) -> str:
        from vistio_core.displays.found import INCIDENTS, answer_html
        from vistio_core.displays.words import counted

        return answer_html(counted(len(self), "incident"), "", self.table, INCIDENTS, self.unseen)


def incidents_of(seen: Observed, window: Span) -> tuple[Incident, ...]:
    """The incidents of a window.

    Args:
        seen: what was measured: of the window, and of the hour before it.
        window: its steps.
    """
    mesh = Mesh.of(seen)
    measured = signals(seen, mesh)
    found, got = ([smoothed(each) for each in of] for of in (measured, symptoms(seen, mesh)))
    entering = np.nan_to_num(_over_a_minute(mesh.entering))
    enters = np.maximum(entering[:, mesh.entry].sum(axis=1), 1e-9)[:, None]
    charged, felt = (np.zeros((seen.steps, len(seen.nodes))) for _ in range(2))
    well = np.ones(seen.steps, bool)
    course = Course(mesh, measured, seen.steps)
    for first in range(window.first, window.last, _HOUR_STEPS):
        hour = Span(first, min(first + _HOUR_STEPS, window.last))
        steps = slice(hour.first, hour.last)
        normal = _normal_for(seen, mesh, found, hour, well, enters)
        for place, harm in enumerate(_harms(seen, mesh, found, hour, normal)):
            share = harm / enters[steps]
            course.charge(place, steps, share >= FROM_SHARE)
            charged[steps] = np.maximum(charged[steps], share)
        felt[steps] = np.nan_to_num(ratio(_harm(seen, mesh, got, hour, normal), entering[steps]))
        well[steps] = charged[steps].max(axis=1, initial=0.0) < FROM_SHARE
    apart = usually_apart(mesh)
    users = _Users(seen, mesh, well)
    return tuple(
        _incident(users, _Harm(charged, felt, apart), run, window)
        for run, sick_until in course.runs(window)
        if min(sick_until + apart, run.last) - run.first >= SHORTEST_STEPS
    )


@attrs.frozen(eq=False)
class _Harm:
    """How much is harmed: steps by nodes."""

    charged: Floats
    """By a node's own doing, as a share of all that enters."""
    felt: Floats
    """Of a node's own requests, whoever's doing it is, as a share of these."""
    apart: int
    """How many steps lie between two that were seen."""

    def during(self, run: Span) -> _Harm:
        """The steps of a run."""
        return _Harm(run.of(self.charged), run.of(self.felt), self.apart)


@attrs.frozen(eq=False)
class _Usual:
    """The time that tells what is normal."""

    span: Span
    well: Booleans
    """Which of its steps count."""
    left_out: float = LEFT_OUT


def _normal_for(
    seen: Observed, mesh: Mesh, found: Sequence[Signal], hour: Span, well: Booleans, enters: Floats
) -> _Usual:
    """What tells what is normal in an hour."""
    before = Span(max(hour.first - _HOUR_STEPS, 0), hour.first)
    if not well[before.first : before.last].any():
        before = Span(0, hour.first)
    alone = _Usual(before, well[before.first : before.last])
    seen_for = _seen_for(mesh, before)
    if seen_for >= _WHOLE_STEPS:
        return alone
    both = Span(before.first, hour.last)
    together = _Usual(both, well[both.first : both.last], HALF_LEFT_OUT)
    if seen_for < _ENOUGH_STEPS:
        return together
    share = _harm(seen, mesh, found, before, together) / enters[before.first : before.last]
    sick = (share.max(axis=1, initial=0.0) >= FROM_SHARE) & alone.well
    return alone if sick.sum() > _MOST_SICK * seen_for else together


def _harm(seen: Observed, mesh: Mesh, found: Sequence[Signal], during: Span, usual: _Usual) -> Floats:
    """The largest charge of each node, step by step."""
    most = np.zeros((during.last - during.first, len(seen.nodes)))
    for charge in _harms(seen, mesh, found, during, usual):
        most = np.maximum(most, charge)
    return most


def _harms(
    seen: Observed, mesh: Mesh, found: Sequence[Signal], during: Span, usual: _Usual
) -> Iterator[Floats]:
    """What each signal charges each node with, step by step."""
    whole_ms = request_ms(seen, mesh, usual.span)
    for signal in found:
        well_values = np.where(usual.well[:, None], usual.span.of(signal.values), np.nan)
        floor, least = floors(signal)
        normal = normal_of(well_values, floor, max(least, LEAST_SPREAD), usual.left_out)
        now, rps = during.of(signal.values), (during.of(signal.rps), during.of(mesh.rps))
        excess = normal.beyond(now)
        harm = harmed(mesh, signal, normal, (now, excess), rps, whole_ms)
        yield falls_on(mesh, signal, harm, excess)


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


@attrs.frozen(eq=False)
class _Users:
    """What those feel whom nobody on a level calls."""

    seen: Observed
    mesh: Mesh
    well: Booleans
    """At which steps nobody is charged."""

    def failed(self, level: int, run: Span) -> float | None:
        """The share of what was seen to enter a level that fails in the worst minute of a run."""
        entries = self._entries(level)
        danger = self.seen.rates[StatusClass.DANGER.column][:, entries]
        sums = (np.nansum(_over_a_minute(each), axis=1) for each in (danger, self.mesh.rps[:, entries]))
        share = run.of(ratio(*sums))
        return None if np.isnan(share).all() else float(np.nanmax(share))

    def times_as_long(self, level: int, run: Span) -> float:
        """How many times as long as when all was well it took in the worst minute; 1 where nobody knows."""
        took, entries = time_at(self.seen, caller=False), self._entries(level)
        if took is None:
            return 1.0
        took, rps = took[:, entries], self.mesh.rps[:, entries]
        known = ~np.isnan(took) & (np.nan_to_num(rps) > 0)
        long, requests = (_over_a_minute(np.where(known, each, np.nan)) for each in (took * rps, rps))
        mean = ratio(np.nansum(long, axis=1), np.nansum(requests, axis=1))
        usual = mean_of(mean[self.well])
        worst = float(np.nan_to_num(run.of(mean)).max())
        return max(worst / float(usual), 1.0) if usual > 0 else 1.0

    def _entries(self, level: int) -> Booleans:
        entries: Booleans = (self.seen.edges[:, 0] == level) & self.mesh.enters
        return entries


def _incident(users: _Users, harm: _Harm, run: Span, window: Span) -> Incident:
    seen = users.seen
    nodes = _hit(users.mesh, harm.during(run))
    names = [Whom(*(seen.names[part] for part in seen.nodes[node])) for node in nodes]
    level = int(seen.nodes[nodes[0]][0])
    failed, times = users.failed(level, run), users.times_as_long(level, run)
    start_ms, end_ms = (seen.start_ms + step * STEP_MS for step in (run.first, run.last))
    lasts = window.last - run.last < APART_STEPS
    return Incident(start_ms, None if lasts else end_ms, names[0], tuple(names), failed, times)


def _hit(mesh: Mesh, during: _Harm) -> list[int]:
    """Who left normal: whose doing it was first, then by time, and of one minute the called before the caller."""
    did, feels = during.charged >= FROM_SHARE, during.felt >= FROM_SHARE
    charged = np.asarray(did.any(axis=0))
    callers = mesh.calls_away(charged, against=True) >= 0
    # Beside what was seen there is a minute.
    lasted = feels.sum(axis=0) * max(during.apart / SMOOTHED_STEPS, 1)
    felt = callers & (lasted >= SHORTEST_STEPS)
    since = (did | (feels & felt)).argmax(axis=0) // SMOOTHED_STEPS
    most = during.charged.max(axis=0)
    doers = np.flatnonzero(charged).tolist()
    first = min(doers, key=lambda node: (did[:, node].argmax() // SMOOTHED_STEPS, -most[node], node))
    away = mesh.calls_away(np.arange(len(charged)) == first, against=True)
    away = np.where(away < 0, len(away), away)
    others = [node for node in np.flatnonzero(charged | felt).tolist() if node != first]
    return [first, *sorted(others, key=lambda node: (since[node], away[node], -most[node], node))]


def _how_bad(level: str, failed: float | None, times: float) -> Sentence:
    """What users felt, on the level of who was first."""
    entered = say("what enters {level}", level=visible(level)) if level else say("what enters")
    if failed is None:
        share = say("how much of {entered} failed was not seen", entered=entered)
    elif failed >= 0.005:
        share = say(
            "at worst {percent:.0f} % of {entered} failed", percent=Percent(100 * failed), entered=entered
        )
    else:
        share = say("less than 1 % of {entered} failed", entered=entered)
    if times < _SLOW:
        return share
    return say("{failed}, and it took {times:.1f} times as long", failed=share, times=times)


def _in_order(names: Sequence[Whom]) -> Sentence:
    """Who left normal, and in which order; each with its cluster, unless that is the first one's."""
    first, then = names[0], names[1:]
    said = [
        visible(name.node) + (f" ({visible(name.cluster)})" if name.cluster not in ("", cluster) else "")
        for name, cluster in [(first, ""), *((each, first.cluster) for each in then)]
    ]
    if not then:
        return say("{first} alone left its normal", first=said[0])
    return say(
        "{first} left its normal first, then {others}", first=said[0], others=listed(said[1:], _MOST_NAMES)
    )
