"""Writing the past by hand: what is due in a window and not in the log, or was not answered then."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Protocol

import attrs
import pyarrow as pa

from vistio_core.errors import SourceError, UsageError
from vistio_core.events import RuleKey
from vistio_core.times import DAY_MS, HOUR_MS, align, format_instant
from vistio_record.past import Learnt, PastLog, Piece, SameRules, due_runs, learn
from vistio_record.sources.base import HasGaps, Source

if TYPE_CHECKING:
    from vistio_core.configuration.model import Configuration
    from vistio_core.recording.recording import Recording

_MOST_REASONS = 10


class SealedLog(PastLog, Protocol):
    """What a backfill needs of a recording's writer (`vistio_core.Writer`)."""

    def seal(self, before_ms: int) -> list[str]: ...


@attrs.frozen
class Plan:
    """What a backfill has to do."""

    pieces: tuple[Piece, ...] = attrs.field(repr=False)
    """To ask about, ascending."""
    present: int
    """How many instants of the window are in the log already."""
    not_running: int = 0
    """How many the source says must stay a gap."""

    @property
    def instants(self) -> int:
        return sum(len(piece.instants) for piece in self.pieces)


@attrs.define
class Summary:
    """What a backfill did, for a person."""

    written: int = 0
    supplemented: int = 0
    samples: int = 0
    refused: dict[str, int] = attrs.field(factory=dict)
    """Reason to the number of instants for which something cannot be had."""
    unreached: dict[str, int] = attrs.field(factory=dict)
    """The same for what could not be asked."""

    def add(self, piece: Piece, learnt: Learnt) -> None:
        self.written += learnt.kept and not piece.in_log
        self.supplemented += learnt.kept and piece.in_log
        self.samples += learnt.samples
        for reasons, errors in ((self.refused, learnt.refused), (self.unreached, learnt.unreached)):
            for error in set(errors.values()):
                reasons[error] = reasons.get(error, 0) + 1

    def done(self, todo: Plan) -> Iterator[str]:
        """What was done of ``todo``."""
        if self.supplemented:
            yield f"{self.supplemented:,} instants that were there have more answers now"
        gaps = f", {todo.not_running:,} stay a gap" if todo.not_running else ""
        yield (
            f"{self.written:,} instants written with {self.samples:,} samples,"
            f" {todo.present:,} were there{gaps}"
        )

    def lines(self) -> Iterator[str]:
        """What could not be done; nothing when all was well."""
        for what, reasons in (
            ("cannot be had", self.refused),
            ("could not be asked; run the command again", self.unreached),
        ):
            most_first = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
            for error, instants in most_first[:_MOST_REASONS]:
                yield f"{instants:,} instants: something {what}: {error}"
            if len(reasons) > _MOST_REASONS:
                yield f"... and {len(reasons) - _MOST_REASONS} more reasons why something {what}"


def plan(
    recording: Recording,
    source: Source,
    *,
    writer: str,
    start_ms: int,
    end_ms: int,
    interval_ms: int,
    now_ms: int,
) -> Plan:
    """What ``writer`` has not recorded in ``[start_ms, end_ms)``, or saw only in part.

    Raises:
        UsageError: the source cannot answer the past, or the window is empty or not over yet.
    """
    if not source.answers_past:
        raise UsageError("this source knows only the present; backfill needs prometheus or simulator")
    if start_ms >= end_ms or end_ms > now_ms:
        raise UsageError(
            f"backfill from {format_instant(start_ms)} to {format_instant(end_ms)}: the start must be before"
            f" the end, and the end not after now ({format_instant(now_ms)})"
        )
    pieces: list[Piece] = []
    present_count = not_running = 0
    same_rules = SameRules(recording, source.configuration)
    # Day by day, so that the plan of a year is a list of runs and not of instants.
    for day_ms in range(align(start_ms, DAY_MS), end_ms, DAY_MS):
        from_ms, until_ms = max(start_ms, day_ms), min(end_ms, day_ms + DAY_MS)
        present = _present(recording, writer, from_ms, until_ms)
        present_count += len(present)
        missing = list(due_runs(present, from_ms, until_ms, interval_ms))
        running = [part for run in missing for part in _running(source, run)]
        not_running += sum(map(len, missing)) - sum(map(len, running))
        every = tuple((cluster, rule.id) for cluster, rule in source.configuration.rules())
        pieces += [Piece(run, source.configuration, every, in_log=False) for run in running]
        pieces += _unanswered(recording, same_rules, writer, from_ms, until_ms)
    return Plan(tuple(sorted(pieces, key=lambda piece: piece.instants[0])), present_count, not_running)


def fill(
    source: Source,
    writer: SealedLog,
    pieces: tuple[Piece, ...],
    timeout_s: float,
    *,
    pause: Callable[[], None] = lambda: None,
) -> Iterator[tuple[Piece, Learnt]]:
    """Ask and commit, oldest first; gives each instant when what was learnt of it is durable.

    Finished hours are sealed on the way, so that a long backfill does not pile up small files. A
    rule that cannot be reached is not asked again. What the source refuses for good is told, not
    written: a person decides about it.

    Raises:
        SourceError: of a missing instant nothing at all was learnt. The log is append-only: the
            source's bad minute must not become the past; a later backfill goes on here.
        RecordingError: the recording refused.
    """
    dead: dict[RuleKey, str] = {}
    before_ms: int | None = None
    for planned in pieces:
        alive = tuple(rule for rule in planned.rules if rule not in dead)
        if not alive and planned.in_log:
            yield from ((planned, Learnt(ms, unreached=dead)) for ms in planned.instants)
            continue
        unasked = {} if planned.in_log else {rule: dead[rule] for rule in planned.rules if rule in dead}
        piece = attrs.evolve(planned, rules=alive)
        for learnt in learn(source, writer, piece, timeout_s, unasked=unasked, pause=pause):
            if not piece.in_log and not learnt.answered and not learnt.refused:
                first = next(iter(learnt.unreached.values()), "the configuration has no rules")
                raise SourceError(
                    f"{format_instant(learnt.instant_ms)}: no rule was answered ({first}); what is filled"
                    " stays, run the same command again when the source answers"
                )
            hour_ms = align(learnt.instant_ms, HOUR_MS)
            if before_ms is not None and hour_ms > align(before_ms, HOUR_MS):
                writer.seal(hour_ms)
            before_ms = learnt.instant_ms
            dead |= learnt.unreached
            yield piece, learnt


def _present(recording: Recording, writer: str, start_ms: int, end_ms: int) -> set[int]:
    table = recording.instants(format_instant(start_ms), format_instant(end_ms))
    instants = table["instant"].cast(pa.int64()).to_pylist()
    return {ms for ms, name in zip(instants, table["writer"].to_pylist(), strict=True) if name == writer}


def _running(source: Source, run: range) -> Iterator[range]:
    """The parts of ``run`` in which the source says there was a recorder."""
    if not isinstance(source, HasGaps):
        yield run
        return
    for running, instants in groupby(run, source.was_running):
        part = list(instants)
        if running:
            yield range(part[0], part[-1] + 1, run.step)


def _unanswered(
    recording: Recording, same_rules: SameRules, writer: str, start_ms: int, end_ms: int
) -> Iterator[Piece]:
    """Runs of instants in the log with the same unanswered rules."""
    run: list[int] = []
    facts: tuple[int, Configuration, tuple[RuleKey, ...]] | None = None

    def piece() -> Iterator[Piece]:
        if facts is not None:
            interval_ms, configuration, rules = facts
            yield Piece(range(run[0], run[-1] + 1, interval_ms), configuration, rules, in_log=True)

    for unanswered in recording.unanswered(format_instant(start_ms), format_instant(end_ms), writer):
        found = same_rules.of(unanswered)
        if found is None:
            continue
        same = (unanswered.interval_ms, *found)
        if same != facts or unanswered.instant_ms - run[-1] != unanswered.interval_ms:
            yield from piece()
            run, facts = [], same
        run.append(unanswered.instant_ms)
    yield from piece()
