"""Asking about the past, and keeping what is learnt: what healing and backfill have in common.

A `Piece` is a run of instants about which the same rules are asked. Where the instants are not in
the log, each becomes a scrape of its own; where they are, and the rules were not answered then,
what is learnt becomes a supplement. Nothing is ever overwritten.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

import attrs

from vistio_core.configuration import loads
from vistio_core.errors import AlreadyRecordedError, RecordingError
from vistio_core.events import Outcome, RuleKey, RuleOutcome, Scrape
from vistio_core.times import align
from vistio_record.sources.base import AnswersRanges, Evaluation, Source

if TYPE_CHECKING:
    from vistio_core.configuration.model import Configuration
    from vistio_core.recording.recording import Recording
    from vistio_core.replay.unanswered import Unanswered


class PastLog(Protocol):
    """What is needed of a recording's writer (`vistio_core.Writer`)."""

    def put_configuration(self, configuration: Configuration) -> str: ...

    def commit(self, scrape: Scrape) -> None: ...

    def supplement(self, scrape: Scrape) -> None: ...


@attrs.frozen
class Piece:
    """A run of instants, and what to ask about them."""

    instants: range
    """Milliseconds; the step is the interval."""
    configuration: Configuration
    """That in force then, for instants in the log; else the one in force now."""
    rules: tuple[RuleKey, ...]
    """Which rules to ask."""
    in_log: bool
    """Whether the instants are in the log, and only these rules were not answered."""


@attrs.frozen
class Learnt:
    """What became of one instant of a piece."""

    instant_ms: int
    samples: int = 0
    kept: bool = False
    """Whether something was written."""
    answered: frozenset[RuleKey] = frozenset()
    refused: Mapping[RuleKey, str] = attrs.field(factory=dict)
    """Rules that cannot be answered for this instant, with the reason: asking again would not help."""
    unreached: Mapping[RuleKey, str] = attrs.field(factory=dict)
    """Rules about which nothing was learnt: worth asking again later."""


def evaluations(
    source: Source,
    instants: range,
    timeout_s: float,
    rules: Collection[RuleKey],
    pause: Callable[[], None] = lambda: None,
) -> Iterator[tuple[int, Evaluation]]:
    """What ``rules`` saw at each of ``instants``: in ranges where the source can, else one by one."""
    if isinstance(source, AnswersRanges):
        yield from source.evaluate_range(instants, timeout_s, rules=rules, pause=pause)
        return
    for instant_ms in instants:
        pause()
        yield instant_ms, _only(source.evaluate(instant_ms, timeout_s), rules)


def learn(
    source: Source,
    writer: PastLog,
    piece: Piece,
    timeout_s: float,
    *,
    unasked: Mapping[RuleKey, str] | None = None,
    keep_refusals: Callable[[int, RuleKey, str], bool] = lambda instant_ms, rule, error: False,
    pause: Callable[[], None] = lambda: None,
) -> Iterator[Learnt]:
    """Ask about ``piece``, commit, and tell instant by instant, ascending, what was learnt.

    Args:
        source: who is asked.
        writer: who keeps it.
        piece: what is asked about.
        timeout_s: for each question.
        unasked: the configuration's other rules with the reason why they are not asked now; a
            missing instant's scrape has them as failed, for a supplement to answer later.
        keep_refusals: whether a rule's refusal is written down (instant, rule, error), where
            nothing was answered that has to be written anyway.
        pause: called before each question and each commit; it may wait.

    Raises:
        RecordingError: the recording refused.
    """
    configuration = writer.put_configuration(piece.configuration)
    for instant_ms, seen in evaluations(source, piece.instants, timeout_s, piece.rules, pause):
        refused = {
            key: outcome.error
            for outcome in seen.outcomes
            if outcome.outcome is not Outcome.OK and (key := _key(outcome)) not in seen.unreached
        }
        answered = frozenset(_key(o) for o in seen.outcomes if o.outcome is Outcome.OK)
        unreached = {_key(o): o.error for o in seen.outcomes if _key(o) in seen.unreached}
        told = {key for key, error in refused.items() if keep_refusals(instant_ms, key, error)}
        outcomes = seen.outcomes
        if piece.in_log:
            outcomes = tuple(o for o in outcomes if _key(o) in answered | told)
        else:
            unreached |= unasked or {}
            outcomes += tuple(
                RuleOutcome(*key, Outcome.FAILED, error) for key, error in (unasked or {}).items()
            )
        kept = False
        if answered or told:
            pause()
            kept = _keep(writer, piece, Scrape(
                instant_ms,
                piece.instants.step,
                configuration,
                outcomes,
                seen.samples,
                seen.measurements,
                backfilled=True,
            ))  # fmt: skip
        yield Learnt(instant_ms, len(seen.samples) if kept else 0, kept, answered, refused, unreached)


def missing_runs(present: Iterable[tuple[int, int]], until_ms: int) -> Iterator[range]:
    """The instants that were due and are not there, as ranges, from the first of ``present`` on.

    Args:
        present: instants with their intervals, ascending. What is due after an instant is due in
            its interval, until the next one that is there.
        until_ms: exclusive.
    """
    known = [*present, (until_ms, 0)]
    for (instant_ms, interval_ms), (next_ms, _) in pairwise(known):
        run = range(instant_ms + interval_ms, min(next_ms, until_ms), interval_ms)
        if run:
            yield run


def due_runs(present: Collection[int], start_ms: int, end_ms: int, interval_ms: int) -> Iterator[range]:
    """The instants in ``[start_ms, end_ms)`` that are multiples of the interval and not in ``present``."""
    first = align(start_ms + interval_ms - 1, interval_ms)
    run_start = first
    for instant_ms in range(first, end_ms, interval_ms):
        if instant_ms in present:
            if run_start < instant_ms:
                yield range(run_start, instant_ms, interval_ms)
            run_start = instant_ms + interval_ms
    if run_start < end_ms:
        yield range(run_start, end_ms, interval_ms)


class SameRules:
    """Which rules of the current configuration are what they were when an instant was recorded."""

    def __init__(self, recording: Recording, current: Configuration) -> None:
        self._recording = recording
        # As a recording has it, without credentials: new ones do not make it another rule.
        self._current = {(c, r.id): r for c, r in loads(current.text, "configuration").rules()}
        self._then: dict[str, tuple[Configuration, frozenset[RuleKey]] | None] = {}

    def of(self, unanswered: Unanswered) -> tuple[Configuration, tuple[RuleKey, ...]] | None:
        """The configuration of then, and those of the unanswered rules that can be asked now; None without any."""
        in_force = unanswered.configuration
        if in_force not in self._then:
            self._then[in_force] = self._compare(in_force)
        found = self._then[in_force]
        if found is None:
            return None
        configuration, same = found
        rules = tuple((r.cluster, r.rule) for r in unanswered.rules if (r.cluster, r.rule) in same)
        return (configuration, rules) if rules else None

    def _compare(self, configuration_hash: str) -> tuple[Configuration, frozenset[RuleKey]] | None:
        try:
            then = self._recording.configuration_by_hash(configuration_hash)
        except RecordingError:
            return None  # damaged or gone: nobody can say what the rule was
        same = (
            (cluster, rule.id)
            for cluster, rule in then.rules()
            if self._current.get((cluster, rule.id)) == rule
        )
        return then, frozenset(same)


def _keep(writer: PastLog, piece: Piece, scrape: Scrape) -> bool:
    try:
        if piece.in_log:
            writer.supplement(scrape)
        else:
            writer.commit(scrape)
    except AlreadyRecordedError:  # by someone else, since the piece was planned
        return False
    return True


def _key(outcome: RuleOutcome) -> RuleKey:
    return outcome.cluster, outcome.rule


def _only(seen: Evaluation, rules: Collection[RuleKey]) -> Evaluation:
    """The part about ``rules`` of what a source says that cannot answer ranges.

    Such a source does not tell whether asking again would help. When no rule was answered it
    would, and a timeout is no answer about the past.
    """
    none_answered = not any(o.outcome is Outcome.OK for o in seen.outcomes)
    unreached = frozenset(
        _key(o)
        for o in seen.outcomes
        if o.outcome is Outcome.TIMEOUT or (none_answered and o.outcome is not Outcome.OK)
    )
    return attrs.evolve(seen, unreached=unreached).only(rules)
