"""From when to when nodes and edges were there, and whether anybody would have seen them before and after. Pure.

What was not there may not have been looked for. So beside the first and the last instant of a thing stand those nearest
to them at which all that could have told of it was answered, and it was not there:

    instant   mesh/http      cart > db
    05:00     answered       -               watched from here
    05:10     answered       -               absent before: the last one without it
    05:20     not answered   ?
    05:30     answered       4 a second      first seen: it came at some time after 05:10
    05:40     answered       5 a second      last seen
    05:50     not answered   ?               absent after: unknown, so nobody says that it vanished

Where several writers could tell, each of them has to have been answered. One that was silent for longer than a day
beforehand is not missed (`MISSED_FOR_MS`), and one that only came later could not have told.

What must not be in here: how it was found when each was there (`vistio_core.replay.rollups.spans`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any, Literal, get_args

import attrs
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vistio_core.json_rows import rows_of
from vistio_core.judging.codes import Integers
from vistio_core.judging.seen import Unseen
from vistio_core.replay.as_of import MISSED_FOR_MS
from vistio_core.replay.coverage import AnsweredAlike, FindRulebook, answered_alike, in_order
from vistio_core.replay.gaps import unseen_rows
from vistio_core.sentences import Language
from vistio_core.storage.format import INSTANT
from vistio_core.tables import OneTable
from vistio_core.times import DurationLike, format_instant, parse_duration

_NEVER, _NO_MORE = np.int64(-1), np.int64(2**62)
_TIMES = ("first_seen", "last_seen", "absent_before", "absent_after", "watched_from", "watched_to")
Only = Literal["new", "vanished"]
ONLY: tuple[Only, ...] = get_args(Only)
_BY_NAME = [(name, "ascending") for name in ("cluster", "node", "target")]
CouldTell = Callable[[Unseen], bool]


@attrs.frozen(eq=False, repr=False)
class Lifetimes(OneTable):
    """From when to when nodes and edges were there in a window.

    Shape of ``table``: one row per node and edge, by cluster and name, a node before its edges; all times are
    timestamp[ms, UTC], instants of the window.
        cluster (string): empty for the global level, node (string): who; of an edge, its source,
        target (string): of an edge, its target; null for a node,
        first_seen, last_seen: when the graph showed it first and last; a node when it showed an edge of it,
        absent_before: the last instant before ``first_seen`` at which all that could have told of it was answered, and
        it was not there; null where there is none: it may have been there, unseen,
        absent_after: likewise, the first one after ``last_seen``,
        watched_from, watched_to: the first and the last instant at which all rules of some writer that could have told
        of it were answered; null where there is none.
    """

    table: pa.Table = attrs.field(repr=False)
    start_ms: int
    end_ms: int
    unseen: pa.Table = attrs.field(repr=False)
    """The gaps of the window, shaped as `Recording.gaps`: what was there only then is not in the table."""

    def new(self, quiet: DurationLike = "0s") -> pa.Table:
        """What was not there at first, the latest first; only where that was seen.

        Args:
            quiet: for how long at least it was watched before it came: so what is called seldom is not new.
        """
        came = pc.and_kleene(
            self._apart("watched_from", "first_seen", quiet), _is_valid(self, "absent_before")
        )
        return self.table.filter(came).sort_by([("first_seen", "descending"), *_BY_NAME])

    def vanished(self, quiet: DurationLike = "0s") -> pa.Table:
        """What was no longer there in the end, the latest first; only where that was seen.

        Args:
            quiet: for how long at least it was watched after it went.
        """
        went = pc.and_kleene(self._apart("last_seen", "watched_to", quiet), _is_valid(self, "absent_after"))
        return self.table.filter(went).sort_by([("last_seen", "descending"), *_BY_NAME])

    def only(self, which: Only, quiet: DurationLike = "0s") -> pa.Table:
        """`new` or `vanished`, by name."""
        return self.new(quiet) if which == "new" else self.vanished(quiet)

    def _apart(self, earlier: str, later: str, quiet: DurationLike) -> pa.ChunkedArray:
        """Of which rows two times lie apart for so long; null where one is not known."""
        first, last = (self.table[name].cast(pa.int64()) for name in (earlier, later))
        return pc.greater_equal(pc.subtract(last, first), parse_duration(quiet))

    def document(self, rows: pa.Table, most: int, language: Language = "en") -> dict[str, Any]:
        """Some of its rows as JSON tells them, over HTTP and in the terminal; at most so many of nodes and of edges."""
        of_edges = rows["target"].is_valid()
        parts = {"nodes": rows.filter(pc.invert(of_edges)), "edges": rows.filter(of_edges)}
        return {
            "start": format_instant(self.start_ms),
            "end": format_instant(self.end_ms),
            **{f"all_{kind}": part.num_rows for kind, part in parts.items()},
            **{kind: rows_of(part.slice(0, most)) for kind, part in parts.items()},
            "unseen": unseen_rows(self.unseen, language),
        }

    def __repr__(self) -> str:
        from vistio_core.displays.words import and_gaps

        return f"<{self._title()}: {self._size()}{and_gaps(self.unseen)}>"

    def _repr_html_(self) -> str:
        from vistio_core.displays.found import LIFETIMES, answer_html

        return answer_html(self._title(), self._size(), self.table, LIFETIMES, self.unseen)

    def _title(self) -> str:
        from vistio_core.displays.words import stretch

        return f"Seen in {stretch(self.start_ms, self.end_ms)}"

    def _size(self) -> str:
        from vistio_core.displays.words import counted

        nodes = self.table["target"].null_count
        return (
            f"{counted(nodes, 'node')}, {counted(len(self) - nodes, 'edge')};"
            f" {self.new().num_rows:,} new, {self.vanished().num_rows:,} vanished"
        )


def _is_valid(of: Lifetimes, name: str) -> pa.ChunkedArray:
    return of.table[name].is_valid()


@attrs.frozen(eq=False)
class _Watch:
    """When one writer could have told of something, and when all of its rules about it were answered; ascending."""

    could_ms: Integers
    whole_ms: Integers


def lifetimes(spans: pa.Table, presence: pa.Table, before: pa.Table, rulebook: FindRulebook) -> pa.Table:
    """Nodes and edges with their times; the shape is told at `Lifetimes`.

    Args:
        spans: the edges of the window, as `vistio_core.judging.spans.joined` has them.
        presence: the instants of the window; columns as in `window_presence.PRESENCE`.
        before: the newest instant of each writer in the day before it.
        rulebook: finds the rules of a configuration.
    """
    present = in_order(presence)
    groups = answered_alike(present, rulebook)
    writers = pa.array({group.writer for group in groups}, pa.string())
    silent = in_order(before.filter(pc.invert(pc.is_in(before["writer"], writers))))
    watching = _Watching(
        [(group, present["instant_ms"].to_numpy()[group.rows]) for group in groups],
        [(group, silent["instant_ms"].to_numpy()[group.rows]) for group in answered_alike(silent, rulebook)],
    )
    edges = spans.rename_columns(["cluster", "node", "target", *spans.column_names[3:]])
    ends = [edges.select(["cluster", end, "first_ms", "last_ms"]) for end in ("node", "target")]
    nodes = pa.concat_tables([end.rename_columns(["cluster", "node", "first_ms", "last_ms"]) for end in ends])
    nodes = nodes.group_by(["cluster", "node"]).aggregate([("first_ms", "min"), ("last_ms", "max")])
    nodes = nodes.rename_columns(["cluster", "node", "first_ms", "last_ms"])
    nodes = nodes.add_column(2, "target", pa.nulls(nodes.num_rows, pa.string()))
    table = pa.concat_tables([watching.timed(nodes), watching.timed(edges)])
    by_name = table.select(["cluster", "node"]).append_column("target", pc.fill_null(table["target"], ""))
    order = [(name, "ascending") for name in by_name.column_names]
    return table.take(pc.sort_indices(by_name, order))


class _Watching:
    """What all writers could have told of, and when they did."""

    def __init__(
        self,
        groups: Sequence[tuple[AnsweredAlike, Integers]],
        silent: Sequence[tuple[AnsweredAlike, Integers]],
    ) -> None:
        """Instants that were answered alike; and those, before the window, of writers that have none in it."""
        self._groups = groups
        self._silent = silent
        rules = [rule for group, _ in (*groups, *silent) for rule in (*group.tellers, *group.unseen)]
        self._fixed = {name for rule in rules for name in (rule.source, rule.target)}

    def timed(self, rows: pa.Table) -> pa.Table:
        """Nodes, whose target is null, or edges; with their times."""
        columns = [rows[name].to_pylist() for name in ("cluster", "node", "target")]
        cases: dict[tuple[str, str, str | None], list[int]] = {}
        for row, (cluster, *names) in enumerate(zip(*columns, strict=True)):
            # All other names are alike to every rule.
            node, target = (name if name is None or name in self._fixed else "" for name in names)
            cases.setdefault((cluster, node or "", target), []).append(row)
        first, last = (rows[name].to_numpy() for name in ("first_ms", "last_ms"))
        times = np.full((len(_TIMES), len(first)), _NEVER)
        times[0], times[1] = first, last
        for case, places in cases.items():
            watches = self._watches(_could_tell(*case))
            times[2, places], times[3, places] = (
                _before(watches, first[places]),
                _after(watches, last[places]),
            )
            whole = [watch.whole_ms for watch in watches if len(watch.whole_ms)]
            if whole:
                times[4, places] = min(int(each[0]) for each in whole)
                times[5, places] = max(int(each[-1]) for each in whole)
        known = {
            name: pa.array(column, pa.int64(), mask=column == _NEVER).cast(INSTANT)
            for name, column in zip(_TIMES, times, strict=True)
        }
        return pa.table({**{name: rows[name] for name in ("cluster", "node", "target")}, **known})

    def _watches(self, could_tell: CouldTell) -> list[_Watch]:
        tells = cache(could_tell)
        could: dict[str, list[Integers]] = {}
        whole: dict[str, list[Integers]] = {}
        for group, instants_ms in (*self._groups, *self._silent):
            if any(map(tells, group.tellers)):
                could.setdefault(group.writer, []).append(instants_ms)
        for group, instants_ms in self._groups:
            if any(map(tells, group.tellers)) and not any(map(tells, group.unseen)):
                whole.setdefault(group.writer, []).append(instants_ms)
        return [_Watch(_sorted(parts), _sorted(whole.get(writer, ()))) for writer, parts in could.items()]


def _could_tell(cluster: str, node: str, target: str | None) -> CouldTell:
    if target is None:
        return lambda rule: rule.node(cluster, node)
    return lambda rule: rule.edge(cluster, node, target)


def _sorted(parts: Iterable[Integers]) -> Integers:
    every: Integers = np.sort(np.concatenate([np.zeros(0, np.int64), *parts]))
    return every


def _before(watches: Sequence[_Watch], first_ms: Integers) -> Integers:
    """The last instant before each at which all writers that watched were answered; `_NEVER` where there is none."""
    if not watches:
        return np.full(len(first_ms), _NEVER)
    could = np.array([_last(watch.could_ms, first_ms) for watch in watches])
    whole = np.array([_last(watch.whole_ms, first_ms) for watch in watches])
    watched = (could != _NEVER) & (could.max(axis=0) - could <= MISSED_FOR_MS)
    found: Integers = np.where(watched, whole, _NO_MORE).min(axis=0)
    return np.where(found == _NO_MORE, _NEVER, found)


def _after(watches: Sequence[_Watch], last_ms: Integers) -> Integers:
    """The first instant after each at which all writers that watch were answered; `_NEVER` where there is none."""
    found = np.full(len(last_ms), _NEVER)
    for watch in watches:
        until = _last(watch.could_ms, last_ms + 1)
        goes_on = bool(len(watch.could_ms)) & (watch.could_ms[-1:].max(initial=_NEVER) > last_ms)
        watches_then = goes_on | ((until != _NEVER) & (last_ms - until <= MISSED_FOR_MS))
        place = np.searchsorted(watch.whole_ms, last_ms, side="right")
        whole = np.append(watch.whole_ms, _NO_MORE)[place]
        found = np.where(watches_then, np.maximum(found, whole), found)
    return np.where(found == _NO_MORE, _NEVER, found)


def _last(instants_ms: Integers, before_ms: Integers) -> Integers:
    """The last of the instants before each; `_NEVER` where there is none."""
    found: Integers = np.append(_NEVER, instants_ms)[np.searchsorted(instants_ms, before_ms, side="left")]
    return found
