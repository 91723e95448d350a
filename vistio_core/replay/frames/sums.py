"""The rates, notices and topology of a row of frames, summed over rules and writers in columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from itertools import pairwise
from math import inf

import attrs
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vistio_core.configuration.mapping import StatusClass, StatusClassifier
from vistio_core.configuration.model import Configuration, ConnectionRule, Rule, ServiceNoticeRule
from vistio_core.errors import UsageError
from vistio_core.graph.build import connection_notice, service_notice, shares
from vistio_core.graph.columns import CLASSES, Floats, Integers, rule_edges
from vistio_core.graph.topology import NOBODY, Sightings, Topology, topology_of
from vistio_core.replay.frames.model import MAX_CELLS, FrameLevel, FrameNotice
from vistio_core.replay.frames.shown import Facts, WriterFrames
from vistio_core.storage.format import measurements_of

_COLUMN = {StatusClass.NORMAL: 0, StatusClass.WARNING: 1, StatusClass.DANGER: 2}
_RuleKey = tuple[str, str]

# An edge is one number: that of its cluster's name, its source's and its target's.
_BITS = 21
_MASK = (1 << _BITS) - 1
_NONE: Integers = np.zeros(0, dtype=np.int64)

_Rank = tuple[int, float, _RuleKey]
"""Of a writer, then of its rule: the order in which a graph adds and puts notices."""


@attrs.frozen(eq=False)
class _Seen:
    """Rates that one rule of one writer saw, with their places in the frames."""

    rank: _Rank
    frame: Integers
    edge: Integers
    """Cluster, source and target in one number: see `GatheredFrames`."""
    rates: Floats


class GatheredFrames:
    """What gathers from all writers. Texts get numbers as they are met."""

    def __init__(self, configuration: Callable[[str], Configuration], frames: int) -> None:
        self._configuration = cache(configuration)
        self._order = cache(lambda in_force: _places(configuration(in_force)))
        self._classifiers = cache(self._classifier)
        self._frames = frames
        self._numbers: dict[str, int] = {}
        self._texts: list[str] = []
        self._seen: list[_Seen] = []
        self._sightings: dict[_RuleKey, list[Integers]] = {}
        """Sources and targets; see `Sightings`."""
        self._notices: dict[str, list[tuple[int, _Rank, FrameNotice]]] = {}
        self._judged_ms: dict[str, int] = {}
        """Configuration to the newest instant that it judged."""
        self._writers = 0
        self._rows = 0

    def add(self, writer: WriterFrames) -> None:
        """Takes what one writer saw; the writers come in order."""
        for rows in writer.rows("sample"):
            for in_force, part in _by_configuration(rows, writer.facts):
                self._add_samples(writer, in_force, part)
        for rows in writer.rows("measurement"):
            for in_force, part in _by_configuration(rows, writer.facts):
                self._add_measurements(writer, in_force, part)
        for instant_ms, facts in writer.facts.items():
            self._judged_ms[facts.configuration] = max(
                instant_ms, self._judged_ms.get(facts.configuration, 0)
            )
        self._writers += 1

    def _add_samples(self, writer: WriterFrames, in_force: str, rows: pa.Table) -> None:
        found = rule_edges(rows, lambda *key: self._column(in_force, *key))
        source = self._numbered(found.sources)[found.source]
        target = self._numbered(found.targets)[found.target]
        for index, key in enumerate(found.rules):
            cluster = self._number(key[0])
            here = np.flatnonzero(found.rule == index)
            edge = (cluster << 2 * _BITS) | (source[here] << _BITS) | target[here]
            rank, rule = self._ranked(in_force, key)
            for places, frame in _placed(found.instant_ms[here], writer.frames):
                self._rows += len(frame)
                seen = _Seen(rank, frame, edge[places], found.rates[here[places]])
                self._seen.append(seen)
                if isinstance(rule, ConnectionRule):
                    self._raise_notices(key[0], rule, seen)
            if self._rows > 2 * MAX_CELLS:
                raise _too_many(self._frames)

    def _add_measurements(self, writer: WriterFrames, in_force: str, rows: pa.Table) -> None:
        rows = rows.unify_dictionaries().combine_chunks()
        names = ["cluster", "rule", "source", "target"]
        for each in rows.group_by(names, use_threads=False).aggregate([]).to_pylist():
            key = each["cluster"], each["rule"]
            target = self._number(each["target"]) if each["target"] else NOBODY
            self._sighted(key, np.array([self._number(each["source"])]), np.array([target]))
            rank, rule = self._ranked(in_force, key)
            if isinstance(rule, ServiceNoticeRule):
                raising = pc.and_(pc.equal(rows["cluster"], key[0]), pc.equal(rows["rule"], key[1]))
                raising = pc.and_(raising, pc.equal(rows["source"], each["source"]))
                part = rows.filter(raising)
                in_ms = part["instant"].cast(pa.int64()).to_pylist()
                for instant_ms, measurement in zip(in_ms, measurements_of(part), strict=True):
                    notice = None if measurement.target else service_notice(rule, measurement)
                    if notice is not None:
                        for frame in writer.frames[instant_ms]:
                            self._notice(key[0], rank, FrameNotice(frame, measurement.source, "", notice))

    def _raise_notices(self, cluster: str, rule: ConnectionRule, seen: _Seen) -> None:
        for notice in rule.notices:
            for index, share in shares(seen.rates, notice):
                raised = connection_notice(rule, notice, share)
                if raised is not None:
                    _, source, target = self._ends(int(seen.edge[index]))
                    self._notice(
                        cluster, seen.rank, FrameNotice(int(seen.frame[index]), source, target, raised)
                    )

    def finish(self) -> tuple[tuple[FrameLevel, ...], Topology]:
        """The levels and who was there."""
        parts = sorted(self._seen, key=lambda seen: seen.rank)
        numbers = np.unique(np.concatenate([_NONE, *(seen.edge for seen in parts)]))
        if len(numbers) * self._frames > MAX_CELLS:
            raise _too_many(self._frames)
        rates = np.zeros((self._frames, len(numbers), CLASSES))
        for seen in parts:
            # A rule of one writer has an edge once in a frame, so no place is written twice.
            rates[seen.frame, np.searchsorted(numbers, seen.edge)] += seen.rates
        edges = [self._ends(number) for number in numbers.tolist()]
        for seen in parts:
            distinct = np.unique(seen.edge)
            self._sighted(seen.rank[2], distinct >> _BITS & _MASK, distinct & _MASK)
        order = sorted(range(len(edges)), key=edges.__getitem__)
        levels: list[FrameLevel] = []
        peaks_rps: dict[str, float] = {}
        for cluster in sorted({cluster for cluster, _, _ in edges} | set(self._notices)):
            here = [index for index in order if edges[index][0] == cluster]
            own = rates[:, here]
            drawn = np.maximum(own, 0.0)
            peaks_rps[cluster] = float((drawn[..., 0] + drawn[..., 1] + drawn[..., 2]).max(initial=0.0))
            raised = sorted(self._notices.get(cluster, ()), key=lambda each: each[:2])
            levels.append(
                FrameLevel(
                    cluster,
                    tuple((edges[index][1], edges[index][2]) for index in here),
                    own,
                    tuple(notice for _, _, notice in raised),
                )
            )
        newest_first = sorted(self._judged_ms, key=self._judged_ms.__getitem__, reverse=True)
        known = [self._configuration(hash_) for hash_ in newest_first]
        sightings = {key: np.concatenate(rows) for key, rows in self._sightings.items()}
        return tuple(levels), topology_of(Sightings(self._text_list(), sightings), peaks_rps, known)

    def _sighted(self, key: _RuleKey, source: Integers, target: Integers) -> None:
        self._sightings.setdefault(key, []).append(np.column_stack([source, target]))

    def _notice(self, cluster: str, rank: _Rank, notice: FrameNotice) -> None:
        self._notices.setdefault(cluster, []).append((notice.frame, rank, notice))

    def _ranked(self, in_force: str, key: _RuleKey) -> tuple[_Rank, Rule | None]:
        # As in a graph: rules that the configuration does not know come last, by name.
        place, rule = self._order(in_force).get(key, (inf, None))
        return (self._writers, place, key), rule

    def _column(self, in_force: str, cluster: str, rule: str, status: str) -> int:
        return _COLUMN[self._classifiers(in_force, cluster, rule).classify(status)]

    def _classifier(self, in_force: str, cluster: str, rule_id: str) -> StatusClassifier:
        rule = self._configuration(in_force).connection_rule(cluster, rule_id)
        return StatusClassifier(rule.status if rule else None)

    def _number(self, text: str) -> int:
        return self._numbers.setdefault(text, len(self._numbers))

    def _numbered(self, texts: Sequence[str]) -> Integers:
        numbers = np.asarray([self._number(text) for text in texts], dtype=np.int64)
        if len(self._numbers) >> _BITS:
            raise UsageError("more than two million names in one window; use a shorter one")
        return numbers

    def _ends(self, edge: int) -> tuple[str, str, str]:
        """Cluster, source and target of an edge's number."""
        texts = self._text_list()
        return (texts[edge >> 2 * _BITS], texts[edge >> _BITS & _MASK], texts[edge & _MASK])

    def _text_list(self) -> list[str]:
        if len(self._texts) != len(self._numbers):
            self._texts = list(self._numbers)
        return self._texts


def _places(configuration: Configuration) -> dict[_RuleKey, tuple[int, Rule]]:
    """Every rule, and its place in the file."""
    return {(cluster, rule.id): (place, rule) for place, (cluster, rule) in enumerate(configuration.rules())}


def _by_configuration(rows: pa.Table, facts: Mapping[int, Facts]) -> Iterator[tuple[str, pa.Table]]:
    """``rows``, instants of neighbours with one configuration together."""
    in_ms = rows["instant"].cast(pa.int64()).to_numpy()
    starts = np.flatnonzero(np.diff(in_ms, prepend=-1)).tolist()
    hashes = [facts[int(in_ms[start])].configuration for start in starts]
    begins = [index for index in range(len(starts)) if index == 0 or hashes[index] != hashes[index - 1]]
    for begin, end in pairwise([*begins, len(starts)]):
        first, last = starts[begin], starts[end] if end < len(starts) else len(in_ms)
        yield hashes[begin], rows.slice(first, last - first)


def _placed(instant_ms: Integers, frames: Mapping[int, Sequence[int]]) -> Iterator[tuple[Integers, Integers]]:
    """Indexes of rows and the frames that show them; what is shown in several frames comes again."""
    instants, index = np.unique(instant_ms, return_inverse=True)
    shown = [frames[each] for each in instants.tolist()]
    for layer in range(max(map(len, shown), default=0)):
        table = np.asarray([each[layer] if layer < len(each) else -1 for each in shown], dtype=np.int64)
        frame = table[index]
        places = np.flatnonzero(frame >= 0)
        yield places, frame[places]


def _too_many(frames: int) -> UsageError:
    return UsageError(
        f"{frames:,} frames of this mesh are more than {MAX_CELLS:,} rates of edges;"
        " use a longer step or a shorter window"
    )
