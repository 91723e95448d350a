"""Which recorded instants tell of a subject: wholly, in part, or not at all. Pure.

A number exists only if each rule that could have told it was answered (`judging.seen`). What is known of each
instant (`window_presence`) becomes what is known of it about one subject, here the edge cart > db:

    instant   writer   not answered            could   whole   known   unseen
    05:00     main                             True    True    True
    05:00     edge     (has no rule of mesh)   False   False   False
    05:10     main     mesh/grpc               True    False   True    mesh/grpc (mesh/http was answered)
    05:20     main     mesh/http, mesh/grpc    True    False   False   mesh/grpc, mesh/http

Where several writers have rules with a witness, each could have told what another one does not: such an instant of
one is whole only if the others recorded it, too.

What must not be in here: rates (`timeline`), and how presence was found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import attrs
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vistio_core.configuration.model import ConnectionRule, Rule
from vistio_core.judging.codes import Booleans, Integers
from vistio_core.judging.rulebook import Rulebook
from vistio_core.judging.seen import Unseen, about, missing_writer, name_of, tellers, unseen_of
from vistio_core.judging.subject import Subject
from vistio_core.replay.as_of import MISSED_FOR_MS
from vistio_core.times import MINUTE_MS

_NO_RULE = "failed: no rule of then tells of it"
_ANY_RULE = (Unseen("any rule"),)
FindRulebook = Callable[[str], Rulebook | None]
"""From the hash of a configuration to its rules; None where it cannot be read: then any rule could tell of anything."""


@attrs.frozen(eq=False)
class Coverage:
    """Recorded instants by writer and time, and what each tells of a subject."""

    instant_ms: Integers
    writer: Integers
    """Whose it is: a place in ``writers``."""
    writers: tuple[str, ...]
    """Sorted."""
    interval_ms: Integers
    could: Booleans
    """Some rule of the writer's could tell of it."""
    whole: Booleans
    """And each that could was answered."""
    known: Booleans
    """And one of them was answered."""
    unseen: Mapping[int, tuple[str, ...]]
    """By row, the rules that were not answered, sorted."""
    failures: Mapping[int, str]
    """Of the same rows: why the first one was not."""

    def presence(self, start_ms: int, end_ms: int) -> pa.Table:
        """The instants of a window as `window_presence.PRESENCE` has them, seen where they are whole."""
        rows = np.flatnonzero((self.instant_ms >= start_ms) & (self.instant_ms < end_ms) & self._due())
        failure = [self.failures.get(row, _NO_RULE) for row in rows[~self.whole[rows]].tolist()]
        failures = np.full(len(rows), None, object)
        failures[~self.whole[rows]] = failure
        return pa.table(
            {
                "instant_ms": self.instant_ms[rows],
                "writer": pa.array(self.writers, pa.string()).take(pa.array(self.writer[rows])),
                "interval_ms": self.interval_ms[rows],
                "seen": self.whole[rows],
                "failure": pa.array(failures, pa.string()),
            }
        )

    def by_minute(self, start_ms: int, end_ms: int) -> tuple[Booleans, Booleans]:
        """Writers by minutes of a window: whether an instant is whole, and whether each one is."""
        minute = (self.instant_ms - start_ms) // MINUTE_MS
        inside = self.could & (minute >= 0) & (self.instant_ms < end_ms)
        some, every = np.zeros((2, len(self.writers), -(-(end_ms - start_ms) // MINUTE_MS)), bool)
        whole, partly = inside & self.whole, inside & ~self.whole
        some[self.writer[whole], minute[whole]] = True
        every[self.writer[inside], minute[inside]] = True
        every[self.writer[partly], minute[partly]] = False
        return some, every

    def _due(self) -> Booleans:
        """Without instants of a writer that has no rule about it, while others have."""
        telling = set(self.writer[self.could].tolist())
        others = np.array([bool(telling - {place}) for place in range(len(self.writers))], bool)
        due: Booleans = self.could | ~others[self.writer]
        return due


@attrs.frozen(eq=False)
class AnsweredAlike:
    """Instants of a writer at which the same rules told of traffic, and the same of these were not answered."""

    writer: str
    rows: Integers
    """Of presence, ascending."""
    tellers: tuple[Unseen, ...]
    """All of these rules, answered or not."""
    unseen: tuple[Unseen, ...]
    """Those that were not, and writers that should have told beside it."""

    def answered(self) -> tuple[Unseen, ...]:
        """The rules that were."""
        return tuple(rule for rule in self.tellers if rule not in self.unseen)


def in_order(presence: pa.Table) -> pa.Table:
    """Presence by writer, then by time."""
    ascends = bool((np.diff(presence["instant_ms"].to_numpy()) > 0).all())
    if ascends and pc.count_distinct(presence["writer"]).as_py() < 2:
        return presence
    return presence.sort_by([("writer", "ascending"), ("instant_ms", "ascending")])


def coverage_of(presence: pa.Table, subject: Subject, rulebook: FindRulebook) -> Coverage:
    """What recorded instants tell of a subject.

    Args:
        presence: the instants; columns as in `window_presence.PRESENCE`, in any order.
        subject: what is asked about.
        rulebook: finds the rules of a configuration.
    """
    presence = in_order(presence)
    writers, writer = _numbered(presence["writer"])
    could, whole, known = np.zeros((3, len(writer)), bool)
    unseen: dict[int, tuple[str, ...]] = {}
    for alike in answered_alike(presence, rulebook):
        missed = tuple(sorted(rule.name for rule in alike.unseen if about(rule, subject)))
        could[alike.rows] = any(about(rule, subject) for rule in alike.tellers)
        known[alike.rows] = any(about(rule, subject) for rule in alike.answered())
        whole[alike.rows] = could[alike.rows] & (not missed)
        if missed:
            unseen.update(dict.fromkeys(alike.rows.tolist(), missed))
    return Coverage(
        presence["instant_ms"].to_numpy(),
        writer,
        tuple(writers),
        presence["interval_ms"].to_numpy(),
        could,
        whole,
        known,
        unseen,
        dict(_reasons(presence, unseen)),
    )


def answered_alike(presence: pa.Table, rulebook: FindRulebook) -> list[AnsweredAlike]:
    """Instants in groups.

    Args:
        presence: the instants, `in_order`.
        rulebook: finds the rules of a configuration.
    """
    writers, writer = _numbered(presence["writer"])
    hashes, configuration = _numbered(presence["configuration"])
    rulebooks = [rulebook(known) for known in hashes]
    kind = writer * len(hashes) + configuration  # what most rows are alike in; the others are few
    special: dict[tuple[int, tuple[Unseen, ...]], list[int]] = {}
    apart = dict(_not_answered(presence, rulebooks, configuration))
    for row, beside in _alone(presence["instant_ms"].to_numpy(), writer, writers, rulebooks, configuration):
        apart[row] = (*apart.get(row, ()), *beside)
    for row in sorted(apart):
        special.setdefault((int(kind[row]), apart[row]), []).append(row)
    kind[list(apart)] = -1
    groups: list[tuple[tuple[int, tuple[Unseen, ...]], Integers]] = [
        ((each, ()), np.flatnonzero(kind == each)) for each in np.unique(kind[kind >= 0]).tolist()
    ]
    groups += [(each, np.array(rows)) for each, rows in special.items()]
    tell = [_ANY_RULE if each is None else tuple(tellers(each).values()) for each in rulebooks]
    return [
        AnsweredAlike(writers[each // len(hashes)], rows, tell[each % len(hashes)], unseen)
        for (each, unseen), rows in groups
    ]


def _numbered(texts: pa.ChunkedArray) -> tuple[list[str], Integers]:
    """The distinct texts, sorted, and the place of each."""
    encoded = texts.unify_dictionaries().combine_chunks()
    if not isinstance(encoded, pa.DictionaryArray):
        encoded = encoded.dictionary_encode()
    values = encoded.dictionary.to_pylist()
    order = sorted(range(len(values)), key=values.__getitem__)
    rank = np.empty(len(values), np.int64)
    rank[order] = np.arange(len(values))
    return sorted(values), rank[encoded.indices.to_numpy(zero_copy_only=False)]


def _failed(presence: pa.Table) -> Iterator[tuple[int, list[dict[str, str]]]]:
    """The rows with rules that were not answered, which are few."""
    failed = presence["failed"].combine_chunks()
    rows = np.flatnonzero(failed.is_valid().to_numpy(zero_copy_only=False))
    yield from zip(rows.tolist(), failed.take(pa.array(rows)).to_pylist(), strict=True)


def _not_answered(
    presence: pa.Table, rulebooks: Sequence[Rulebook | None], configuration: Integers
) -> Iterator[tuple[int, tuple[Unseen, ...]]]:
    """The rows at which rules that tell of traffic were not answered, and those."""
    for row, failed in _failed(presence):
        keys = [(each["cluster"], each["rule"]) for each in failed]
        if unseen := unseen_of(keys, rulebooks[configuration[row]]):
            yield row, tuple(unseen)


def _alone(
    instants_ms: Integers,
    writer: Integers,
    writers: Sequence[str],
    rulebooks: Sequence[Rulebook | None],
    configuration: Integers,
) -> Iterator[tuple[int, tuple[Unseen, ...]]]:
    """The rows at which one writer's witnesses told without another's, which was at work, and that one."""
    has_witness = [
        each is not None and any(map(_has_witness, each.configuration.rules())) for each in rulebooks
    ]
    witnessed = np.array(has_witness, bool)[configuration]
    places = np.unique(writer[witnessed]).tolist()
    for place in places if len(places) > 1 else ():
        there = instants_ms[writer == place]
        rows = np.flatnonzero(witnessed & (writer != place))
        after = np.searchsorted(there, instants_ms[rows], side="right") - 1
        since = instants_ms[rows] - there[np.maximum(after, 0)]
        for row in rows[(after >= 0) & (since > 0) & (since <= MISSED_FOR_MS)].tolist():
            yield row, (missing_writer(writers[place]),)


def _has_witness(rule: tuple[str, Rule]) -> bool:
    return isinstance(rule[1], ConnectionRule) and rule[1].witness is not None


def _reasons(presence: pa.Table, unseen: Mapping[int, Sequence[str]]) -> Iterator[tuple[int, str]]:
    """Why the first of the rules of each row was not answered."""
    failed = dict(_failed(presence))
    for row, names in unseen.items():
        told = {name_of((each["cluster"], each["rule"])): each for each in failed.get(row, ())}
        why = next((told[name] for name in names if name in told), None)
        if why is None:
            yield row, f"failed: {names[0]} recorded nothing"
        else:
            yield row, f"{why['outcome']}: {names[0]}: {why['error']}"
