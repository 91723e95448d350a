"""How errors and latency moved through the graph: who left normal first, and who followed through which call. Pure.

Suspects are charged with their own part alone (`signals`); here it is the other way round: what a node's callers got,
with all that it waited for. Both move against the calls, from who is called to who calls:

    INTERNET > web > cart > db      05:10:00  db     latency_ms 4, then 60
                                    05:10:10  cart   latency_ms 20, then 140    follows db, 10 s later
                                    05:10:10  web    error_share 0, then 0.2    follows cart, 0 s later

A node follows one that it calls and that left normal before it. Within a minute nobody can tell who was first, for
onsets of noisy measures are no sharper: there the called one is. Of several it follows the one through whose calls most
harm comes; who follows nobody is where it began. Calls in a circle begin with whoever was first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import numpy as np
import pyarrow as pa

from vistio_core.diagnosis.charges import floors, harmed, mean_of, request_ms
from vistio_core.diagnosis.course import runs_of, usually_apart
from vistio_core.diagnosis.incidents import FROM_SHARE, SHORTEST_STEPS, SMOOTHED_STEPS, smoothed
from vistio_core.diagnosis.normal import Normal, Span, normal_of, onset
from vistio_core.diagnosis.observed import STEP_MS, Observed
from vistio_core.diagnosis.signals import Mesh, Signal
from vistio_core.diagnosis.suspects import BEFORE_STEPS
from vistio_core.diagnosis.symptoms import symptoms
from vistio_core.json_rows import rows_of, span_of
from vistio_core.names import visible
from vistio_core.replay.gaps import unseen_rows
from vistio_core.sentences import Joined, Language, Sentence, say
from vistio_core.storage.format import INSTANT
from vistio_core.tables import OneTable
from vistio_core.times import MINUTE_MS, format_duration, format_instant

TOGETHER_MS = MINUTE_MS
"""Onsets that lie less than this apart may be in either order."""
_MOST_TOLD = 6
PATH = pa.schema(
    [
        pa.field("order", pa.int64()),
        pa.field("cluster", pa.string()),
        pa.field("node", pa.string()),
        pa.field("follows", pa.string()),
        pa.field("later_ms", pa.int64()),
        pa.field("onset", INSTANT),
        pa.field("measure", pa.string()),
        pa.field("before", pa.float64()),
        pa.field("now", pa.float64()),
        pa.field("harmed_rps", pa.float64()),
    ]
)


@attrs.frozen(eq=False, repr=False)
class IncidentPath(OneTable):
    """Who left normal, in the order in which errors and latency moved.

    Shape of ``table``: one row per node that left its normal, by ``order``: by onset, the called before the caller.
        order (int64): from 1,
        cluster (string): empty for the global level, node (string),
        follows (string): the node that it calls, through which it came; null for where it began,
        later_ms (int64): how much later than that one, 0 where nobody can tell; null for where it began,
        onset (timestamp[ms, UTC]): since when,
        measure (string): ``latency_ms`` or ``error_share``, whichever left its normal first,
        before, now (double): what is normal of it and what it is now: milliseconds a request, or 0 to 1,
        harmed_rps (double): how many of its requests a second that harms: failed ones count 1, slow ones up to 1/2.
    """

    table: pa.Table = attrs.field(repr=False)
    start_ms: int
    end_ms: int
    baseline_ms: tuple[int, int]
    """What was taken as normal: start and end."""
    unseen: pa.Table = attrs.field(repr=False)
    """The gaps of baseline and window, shaped as `Recording.gaps`: what was not seen there may hide a part."""

    @property
    def summary(self) -> str:
        """A sentence."""
        return self.summary_in("en")

    def summary_in(self, language: Language) -> str:
        """The sentence in a language."""
        rows = self.table.slice(0, _MOST_TOLD).to_pylist()
        if not rows:
            return say("no errors and no latency left their normal").told(language)
        more = self.table.num_rows - len(rows)
        rest = [say("and {more} more", more=more)] if more else []
        return Joined([*map(_moved, rows), *rest], "; ").told(language)

    def document(self, language: Language = "en") -> dict[str, Any]:
        """As JSON tells it, over HTTP and in the terminal."""
        return {
            **span_of(self.start_ms, self.end_ms),
            "summary": self.summary_in(language),
            "path": rows_of(self.table),
            "baseline": span_of(*self.baseline_ms),
            "unseen": unseen_rows(self.unseen, language),
        }

    def __repr__(self) -> str:
        return f"<{self._title()}: {self.summary}>"

    def _repr_html_(self) -> str:
        from vistio_core.displays.found import PATH, answer_html
        from vistio_core.displays.words import stretch

        normal = f"normal: what {stretch(*self.baseline_ms)} was like"
        return answer_html(self._title(), normal, self.table, PATH, self.unseen)

    def _title(self) -> str:
        from vistio_core.displays.words import stretch

        return f"Path of {stretch(self.start_ms, self.end_ms)}"


def _moved(row: Mapping[str, Any]) -> Sentence:
    """How a node left its normal, or whom it followed."""
    node = visible(row["node"])
    if row["follows"] is None:
        since = format_instant(round(row["onset"].timestamp() * 1000))
        return say("{node} left its normal at {since}", node=node, since=since)
    follows = visible(row["follows"])
    if not row["later_ms"]:
        return say("{node} followed {follows}, at the same time", node=node, follows=follows)
    later = format_duration(row["later_ms"])
    return say("{node} followed {follows}, {later} later", node=node, follows=follows, later=later)


@attrs.frozen
class _Left:
    """A node that left its normal, and since then."""

    node: int
    onset_ms: int
    measure: str
    before: float
    now: float
    harmed_rps: float


def path_table(seen: Observed, baseline: Span, window: Span) -> pa.Table:
    """The path of a window; columns as in `PATH`.

    Args:
        seen: what was measured; baseline and window lie in it.
        baseline: what is normal.
        window: what is asked about.
    """
    mesh = Mesh.of(seen)
    left, looked = _left(seen, mesh, baseline, window), _looked(baseline, window)
    rows = []
    for order, (own, first) in enumerate(_in_order(left, _followed(mesh, left, looked)), 1):
        cluster, node = (seen.names[place] for place in seen.nodes[own.node])
        follows = None if first is None else seen.names[seen.nodes[first.node][1]]
        later_ms = None if first is None else max(own.onset_ms - first.onset_ms, 0)
        told = own.measure, own.before, own.now, own.harmed_rps
        rows.append((order, cluster, node, follows, later_ms, own.onset_ms, *told))
    columns = list(zip(*rows, strict=True)) or [()] * len(PATH)
    return pa.table(list(map(pa.array, columns, PATH.types)), schema=PATH)


def _left(seen: Observed, mesh: Mesh, baseline: Span, window: Span) -> Mapping[int, _Left]:
    """Nodes of whose requests at least one in a hundred is harmed for a while, each by what left its normal first."""
    found: dict[int, _Left] = {}
    looked = _looked(baseline, window)
    whole_ms = request_ms(seen, mesh, baseline)
    # An instant is a minute here, and may stand for more.
    shortest = SHORTEST_STEPS - max(usually_apart(mesh) - SMOOTHED_STEPS, 0)
    for signal in symptoms(seen, mesh):
        # Step by step: who followed late has hardly changed over the whole window.
        normal = normal_of(baseline.of(signal.values), *floors(signal))
        minutes = smoothed(signal)
        values, rps = looked.of(minutes.values), np.nan_to_num(looked.of(minutes.rps))
        now = values, normal.beyond(values)
        harm = harmed(mesh, signal, normal, now, (rps, looked.of(mesh.rps)), whole_ms)
        sick = (rps > 0) & (harm >= FROM_SHARE * rps)
        harm[np.isnan(values)] = np.nan
        for node in np.flatnonzero(sick.any(axis=0)).tolist():
            runs = [Span(looked.first + first, looked.first + last) for first, last in runs_of(sick[:, node])]
            lasting = [run for run in runs if run.last - run.first >= shortest and run.last > window.first]
            if lasting:
                during = harm[lasting[0].first - looked.first : lasting[0].last - looked.first, node]
                own = _since(seen, signal, normal, node, lasting[0], float(np.nanmean(during)))
                known = found.get(node)
                if known is None or (own.onset_ms, -own.harmed_rps) < (known.onset_ms, -known.harmed_rps):
                    found[node] = own
    return found


def _looked(baseline: Span, window: Span) -> Span:
    """The steps in which somebody may have left normal: trouble begins before it is noticed."""
    return Span(max(window.first - BEFORE_STEPS, baseline.first, 0), window.last)


def _since(seen: Observed, signal: Signal, normal: Normal, node: int, run: Span, harmed_rps: float) -> _Left:
    """A node that is harmed during a run of steps; its onset is told by its own values, not by means of minutes."""
    values, before = signal.values[:, node], float(normal.value[node])
    now = float(np.nanmean(run.of(values)))
    around = Span(max(run.first - SMOOTHED_STEPS, 0), run.last)
    onset_ms = seen.start_ms + onset(values, before, now, around) * STEP_MS
    return _Left(node, onset_ms, signal.measure, before, now, harmed_rps)


def _followed(mesh: Mesh, left: Mapping[int, _Left], looked: Span) -> Mapping[int, Sequence[_Left]]:
    """Of each node those that it may follow, the one first through whose calls most harm comes."""
    rps, entering = mean_of(looked.of(mesh.rps)), mean_of(looked.of(mesh.entering))
    found: dict[int, list[tuple[float, _Left]]] = {node: [] for node in left}
    for edge in np.flatnonzero(np.isin(mesh.source, list(left)) & np.isin(mesh.target, list(left))).tolist():
        caller, called = left[int(mesh.source[edge])], left[int(mesh.target[edge])]
        if caller is not called and called.onset_ms - caller.onset_ms < TOGETHER_MS:
            share = called.harmed_rps / float(entering[called.node])  # it was harmed, so something enters
            found[caller.node].append((float(rps[edge]) * share, called))
    return {
        node: [called for _, called in sorted(many, key=lambda each: (-each[0], each[1].node))]
        for node, many in found.items()
    }


def _in_order(
    left: Mapping[int, _Left], followed: Mapping[int, Sequence[_Left]]
) -> list[tuple[_Left, _Left | None]]:
    """Each with the one that it follows, by time, the called before the caller."""
    placed: dict[int, tuple[int, int, _Left | None]] = {}
    waiting = sorted(left.values(), key=lambda one: (one.onset_ms, -one.harmed_rps, one.node))
    while waiting:
        begins = [one for one in waiting if not followed[one.node]]
        after = [one for one in waiting if any(each.node in placed for each in followed[one.node])]
        # In a circle everybody follows somebody: it begins with who was first.
        ready = begins or after or waiting[:1]
        for one in ready:
            first = next((each for each in followed[one.node] if each.node in placed), None)
            if first is None:
                placed[one.node] = one.onset_ms, 0, None
            else:
                since_ms, depth, _ = placed[first.node]
                placed[one.node] = max(one.onset_ms, since_ms), depth + 1, first
        waiting = [one for one in waiting if one.node not in placed]
    order = sorted(left.values(), key=lambda one: (*placed[one.node][:2], -one.harmed_rps, one.node))
    return [(one, placed[one.node][2]) for one in order]
