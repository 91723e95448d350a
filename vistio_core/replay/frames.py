"""Many graphs at once, for moving through time: who was there is told once, then columns of rates.

Each frame is what `Recording.graph` answers for its instant, number for number. A recording's
consecutive instants stand side by side in its files, so each row group is read once and summed in
columns (`graph.columns`), where a graph for each instant would read and build all of it again.
"""

from __future__ import annotations

from bisect import bisect_right
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
from vistio_core.errors import DamagedFileError, UsageError
from vistio_core.events import Outcome
from vistio_core.graph.build import connection_notice, service_notice, shares
from vistio_core.graph.columns import CLASSES, Floats, Integers, rule_edges
from vistio_core.graph.model import FailedRule, Notice
from vistio_core.graph.topology import Sighting, Topology, topology_of
from vistio_core.recording.catalog import Catalog
from vistio_core.recording.event_file import EventFile, EventFiles
from vistio_core.recording.format import measurements_of
from vistio_core.recording.layout import EventsName
from vistio_core.recording.parts import counting_outcomes, parts_at, presences_in, rows_at
from vistio_core.replay.as_of import missing_writers
from vistio_core.times import DAY_MS

MAX_FRAMES = 10_000
MAX_CELLS = 2_000_000
"""Most frames times edges: 48 MB of rates."""

_COLUMN = {StatusClass.NORMAL: 0, StatusClass.WARNING: 1, StatusClass.DANGER: 2}
_RuleKey = tuple[str, str]

# An edge is one number: that of its cluster's name, its source's and its target's.
_BITS = 21
_MASK = (1 << _BITS) - 1
_NONE: Integers = np.zeros(0, dtype=np.int64)


@attrs.frozen
class Frame:
    """What `Graph` says about itself, of one frame."""

    asked_ms: int
    instant_ms: int | None = None
    """The instant that is shown; None where nothing was seen in the staleness up to ``asked_ms``."""
    interval_ms: int = 0
    configuration: str = ""
    failed_rules: tuple[FailedRule, ...] = ()
    backfilled: bool = False


@attrs.frozen
class FrameNotice:
    """A notice of one frame, on an edge, or where ``target`` is empty on the node ``source``."""

    frame: int
    source: str
    target: str
    notice: Notice


@attrs.frozen(eq=False)
class FrameLevel:
    """One level through all frames."""

    cluster: str
    """Empty for the global level."""
    edges: tuple[tuple[str, str], ...]
    """Source and target, sorted: all that had traffic in some frame."""
    rates: Floats
    """Requests per second: frames by edges by class (normal, warning, danger); 0 where there was none."""
    notices: tuple[FrameNotice, ...]
    """By frame; within it in the graph's order."""


@attrs.frozen(eq=False)
class Frames:
    """The graphs at ``start``, ``start + step``, ... before ``end``."""

    start_ms: int
    end_ms: int
    step_ms: int
    frames: tuple[Frame, ...]
    levels: tuple[FrameLevel, ...]
    """Those with edges or notices; the global one first, then by name."""
    topology: Topology
    """Who was there in some frame, and the peaks."""

    def level(self, cluster: str) -> FrameLevel:
        """The level of a cluster, or the global one for the empty name.

        Raises:
            KeyError: it has neither edges nor notices in these frames.
        """
        for level in self.levels:
            if level.cluster == cluster:
                return level
        raise KeyError(cluster)


def frames_of(
    catalog: Catalog,
    files: EventFiles,
    window_ms: tuple[int, int, int],
    staleness_ms: int,
    configuration: Callable[[str], Configuration],
) -> Frames:
    """The frames of a window.

    Args:
        catalog: what is there.
        files: opens it.
        window_ms: start, end and step.
        staleness_ms: how old what a frame shows may be.
        configuration: from a hash to the configuration.

    Raises:
        UsageError: more than `MAX_FRAMES` frames, or `MAX_CELLS` frames times edges.
        FileNotFoundError: a file was merged, sealed or pruned away meanwhile; ask again.
    """
    start_ms, end_ms, step_ms = window_ms
    if -(-(end_ms - start_ms) // step_ms) > MAX_FRAMES:
        raise UsageError(f"more than {MAX_FRAMES:,} frames; use a longer step or a shorter window")
    asked_ms = range(start_ms, end_ms, step_ms)
    listed = catalog.within(start_ms - staleness_ms + 1, asked_ms[-1] + 1)
    writers = [
        _Writer(catalog, files, [name for name in listed if name.writer == writer], asked_ms, staleness_ms)
        for writer in sorted({name.writer for name in listed})
    ]
    gathered = _Gathered(configuration, len(asked_ms))
    for writer in writers:
        gathered.add(writer)
    levels, topology = gathered.finish()
    return Frames(
        start_ms, end_ms, step_ms, _about(catalog, files, asked_ms, staleness_ms, writers), levels, topology
    )


@attrs.frozen
class _Facts:
    """Of one writer's instant, what its outcomes say."""

    interval_ms: int
    configuration: str
    backfilled: bool
    failed: tuple[FailedRule, ...]


class _Writer:
    """What one writer has for the frames."""

    def __init__(
        self,
        catalog: Catalog,
        files: EventFiles,
        names: list[EventsName],
        asked_ms: Sequence[int],
        staleness_ms: int,
    ) -> None:
        self.name = names[0].writer
        self._files = files
        self._names = names
        seen: dict[int, bool] = {}
        for name in names:
            try:
                for presence in presences_in(name, names, catalog):
                    seen[presence.instant_ms] = presence.seen or seen.get(presence.instant_ms, False)
            except DamagedFileError:
                continue  # parts_at tells of it
        tried = sorted(seen)
        good = [instant_ms for instant_ms in tried if seen[instant_ms]]
        self.frames: dict[int, list[int]] = {}
        """Instant to the frames that show it, ascending."""
        self.shown_ms: list[int | None] = []
        """By frame."""
        self.tried_ms: list[int | None] = []
        """By frame: the newest instant of all, which may have failed; None where nothing is shown."""
        for frame, at_ms in enumerate(asked_ms):
            best_ms = _newest(good, at_ms, staleness_ms)
            self.shown_ms.append(best_ms)
            self.tried_ms.append(None if best_ms is None else _newest(tried, at_ms, staleness_ms))
            if best_ms is not None:
                self.frames.setdefault(best_ms, []).append(frame)
        self._parts = {
            instant_ms: parts_at(names, files, instant_ms)
            for instant_ms in sorted({*self.frames, *(ms for ms in self.tried_ms if ms is not None)})
        }
        self.facts = dict(self._read_facts())

    def rows(self, kind: str) -> Iterator[pa.Table]:
        """The rows of ``kind`` at the instants that are shown: whole instants, in the format's order."""
        wanted = {instant_ms: self._parts[instant_ms] for instant_ms in self.frames}
        for file, instants_ms in _alone(wanted).items():
            yield from file.at_instants(kind, instants_ms)
        for instant_ms, parts in wanted.items():
            if len(parts) > 1:
                yield rows_at(parts, kind, instant_ms)

    def _read_facts(self) -> Iterator[tuple[int, _Facts]]:
        for file, instants_ms in _alone(self._parts).items():
            for rows in file.at_instants("outcome", instants_ms):
                in_ms = rows["instant"].cast(pa.int64()).to_numpy()
                starts = np.flatnonzero(np.diff(in_ms, prepend=-1)).tolist()
                failed = np.asarray([each != Outcome.OK.value for each in rows["outcome"].to_pylist()])
                for start, end in zip(starts, [*starts[1:], len(in_ms)], strict=True):
                    part = rows.slice(start, end - start)
                    yield (int(in_ms[start]), _facts([part], bool(failed[start:end].any())))
        for instant_ms, parts in self._parts.items():
            if len(parts) > 1:
                yield (instant_ms, _facts([part.rows_at("outcome", instant_ms) for part in parts], True))


def _newest(instants_ms: Sequence[int], at_ms: int, staleness_ms: int) -> int | None:
    index = bisect_right(instants_ms, at_ms)
    newest_ms = instants_ms[index - 1] if index else None
    return newest_ms if newest_ms is not None and newest_ms > at_ms - staleness_ms else None


def _alone(parts: Mapping[int, Sequence[EventFile]]) -> dict[EventFile, list[int]]:
    """Each file with the instants of which it is the only part."""
    by_file: dict[EventFile, list[int]] = {}
    for instant_ms, files in parts.items():
        if len(files) == 1:
            by_file.setdefault(files[0], []).append(instant_ms)
    return by_file


def _facts(outcomes: Sequence[pa.Table], failed: bool) -> _Facts:
    """What the parts' outcomes of one instant say; ``failed`` is False where all are known to be good."""
    columns = ["interval_ms", "configuration", "backfilled"]
    first = outcomes[0].slice(0, 1).select(columns).to_pylist()[0]
    counting = counting_outcomes(outcomes).values() if failed else ()
    return _Facts(
        first["interval_ms"],
        first["configuration"],
        any(rows["backfilled"][0].as_py() for rows in outcomes),
        tuple(
            FailedRule(each.cluster, each.rule, each.outcome.value, each.error)
            for each in sorted(counting, key=lambda each: (each.cluster, each.rule))
            if each.outcome is not Outcome.OK
        ),
    )


def _about(
    catalog: Catalog,
    files: EventFiles,
    asked_ms: Sequence[int],
    staleness_ms: int,
    writers: Sequence[_Writer],
) -> tuple[Frame, ...]:
    everyone = {name.writer for name in catalog.within(asked_ms[0] - DAY_MS - staleness_ms, asked_ms[-1] + 1)}
    frames = []
    for frame, at_ms in enumerate(asked_ms):
        shown = [
            (instant_ms, writer.facts[instant_ms], writer)
            for writer in writers
            if (instant_ms := writer.shown_ms[frame]) is not None
        ]
        if not shown:
            frames.append(Frame(at_ms))
            continue
        failed = [
            rule
            for _, _, writer in shown
            if (tried_ms := writer.tried_ms[frame]) is not None
            for rule in writer.facts[tried_ms].failed
        ]
        seen = {writer.name for _, _, writer in shown}
        if seen != everyone:
            failed += missing_writers(catalog, files, at_ms, staleness_ms, seen)
        instant_ms, newest, _ = max(shown, key=lambda each: each[0])
        frames.append(
            Frame(
                at_ms,
                instant_ms,
                newest.interval_ms,
                shown[0][1].configuration,
                tuple(failed),
                any(facts.backfilled for _, facts, _ in shown),
            )
        )
    return tuple(frames)


_Rank = tuple[int, float, _RuleKey]
"""Of a writer, then of its rule: the order in which a graph adds and puts notices."""


@attrs.frozen(eq=False)
class _Seen:
    """Rates that one rule of one writer saw, with their places in the frames."""

    rank: _Rank
    frame: Integers
    edge: Integers
    """Cluster, source and target in one number: see `_Gathered`."""
    rates: Floats


class _Gathered:
    """What gathers from all writers. Texts get numbers as they are met."""

    def __init__(self, configuration: Callable[[str], Configuration], frames: int) -> None:
        self._configuration = cache(configuration)
        self._order = cache(lambda in_force: _places(configuration(in_force)))
        self._classifiers = cache(self._classifier)
        self._frames = frames
        self._numbers: dict[str, int] = {}
        self._texts: list[str] = []
        self._seen: list[_Seen] = []
        self._sightings: set[Sighting] = set()
        self._notices: dict[str, list[tuple[int, _Rank, FrameNotice]]] = {}
        self._judged_ms: dict[str, int] = {}
        """Configuration to the newest instant that it judged."""
        self._writers = 0
        self._rows = 0

    def add(self, writer: _Writer) -> None:
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

    def _add_samples(self, writer: _Writer, in_force: str, rows: pa.Table) -> None:
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

    def _add_measurements(self, writer: _Writer, in_force: str, rows: pa.Table) -> None:
        rows = rows.unify_dictionaries().combine_chunks()
        names = ["cluster", "rule", "source", "target"]
        for each in rows.group_by(names, use_threads=False).aggregate([]).to_pylist():
            key = each["cluster"], each["rule"]
            self._sightings.add(Sighting(*key, each["source"], each["target"] or ""))
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
        for rank, edge in {(seen.rank, edge) for seen in parts for edge in np.unique(seen.edge).tolist()}:
            _, source, target = self._ends(edge)
            self._sightings.add(Sighting(*rank[2], source, target))
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
        return tuple(levels), topology_of(self._sightings, peaks_rps, known)

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


def _by_configuration(rows: pa.Table, facts: Mapping[int, _Facts]) -> Iterator[tuple[str, pa.Table]]:
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
