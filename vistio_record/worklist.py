"""What the healer has to do, and which rules it may ask now. No I/O, no threads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

import attrs

from vistio_core.events import Outcome, RuleKey, Scrape
from vistio_record.past import Learnt, Piece

if TYPE_CHECKING:
    from vistio_core.configuration.model import Configuration

PIECE_INSTANTS = 360
"""So many instants are asked about together at most, before the newest work is looked for again."""
_FIRST_PAUSE_S = 5.0
_LONGEST_PAUSE_S = 600.0


@attrs.frozen
class Todo:
    """What is to be learnt of one instant."""

    interval_ms: int
    configuration: Configuration | None = None
    """That in force then; None when the instant is missing."""
    errors: Mapping[RuleKey, str] = attrs.field(factory=dict)
    """For an instant in the log: its unanswered rules, with the reasons that are written there."""


class Worklist:
    """Instants with what is to be learnt of them. Pure; knows neither source nor log."""

    def __init__(self) -> None:
        self._todo: dict[int, Todo] = {}

    def __len__(self) -> int:
        return len(self._todo)

    def __getitem__(self, instant_ms: int) -> Todo:
        return self._todo[instant_ms]

    def add(self, instant_ms: int, todo: Todo) -> None:
        self._todo[instant_ms] = todo

    def forget_before(self, start_ms: int) -> None:
        """Drop the instants before ``start_ms``: they are too old, or pruned."""
        self._todo = {ms: todo for ms, todo in self._todo.items() if ms >= start_ms}

    def clear(self) -> None:
        self._todo.clear()

    def newest(self, current: Configuration, ready: Callable[[RuleKey], bool]) -> Piece | None:
        """The newest run of instants with a rule that is ``ready``; None when there is none."""
        every = tuple((cluster, rule.id) for cluster, rule in current.rules())
        run: list[int] = []
        found: tuple[int, Configuration | None, tuple[RuleKey, ...]] | None = None
        for instant_ms in sorted(self._todo, reverse=True):
            todo = self._todo[instant_ms]
            rules = tuple(filter(ready, every if todo.configuration is None else sorted(todo.errors)))
            same = (todo.interval_ms, todo.configuration, rules)
            if found is None:
                if not rules:
                    continue
                found = same
            elif same != found or run[-1] - instant_ms != todo.interval_ms or len(run) == PIECE_INSTANTS:
                break
            run.append(instant_ms)
        if found is None:
            return None
        interval_ms, configuration, rules = found
        return Piece(
            range(run[-1], run[0] + 1, interval_ms),
            configuration or current,
            rules,
            in_log=configuration is not None,
        )

    def done(self, piece: Piece, learnt: Learnt) -> None:
        """Take note of what was learnt; what could not be asked stays to be done."""
        before = self._todo.pop(learnt.instant_ms)
        if piece.in_log:
            left = {
                rule: error
                for rule, error in before.errors.items()
                if rule not in learnt.answered and rule not in learnt.refused
            }
        elif learnt.kept:
            left = dict(learnt.unreached)
        elif learnt.answered or learnt.refused:
            left = {}  # somebody else has recorded it
        else:
            self._todo[learnt.instant_ms] = before
            return
        if left:
            self._todo[learnt.instant_ms] = Todo(before.interval_ms, piece.configuration, left)


class Backoff:
    """Which rules can be asked: those whose live scrapes are answered, and that were reached of late."""

    def __init__(self, monotonic_s: Callable[[], float]) -> None:
        self._monotonic_s = monotonic_s
        self._live: dict[RuleKey, str] = {}
        # Rule to the time until which it is left alone, and how long that is.
        self._until: dict[RuleKey, tuple[float, float]] = {}

    def scraped(self, scrape: Scrape) -> bool:
        """Take note of a live scrape; whether a rule is answered that was not before."""
        before = dict(self._live)
        for outcome in scrape.outcomes:
            if outcome.outcome is not Outcome.SKIPPED:
                key = (outcome.cluster, outcome.rule)
                self._live[key] = "" if outcome.outcome is Outcome.OK else outcome.error or "failed"
        return any(not error and before.get(key, "never asked") for key, error in self._live.items())

    def ready(self, rule: RuleKey) -> bool:
        return self._live.get(rule) == "" and self._until.get(rule, (0.0, 0.0))[0] <= self._monotonic_s()

    def why(self, rule: RuleKey) -> str:
        """Why a rule that is not ready is not asked."""
        reason = self._live.get(rule, "it has not been answered since the recorder started")
        return f"not asked while this instant was healed: {reason or 'its server was not reached'}"

    def reached(self, rules: Iterable[RuleKey]) -> None:
        for rule in rules:
            self._until.pop(rule, None)

    def unreached(self, rules: Iterable[RuleKey]) -> float:
        """Leave these alone for a while, longer each time; the seconds of the longest pause."""
        longest_s = 0.0
        for rule in rules:
            pause_s = min(2 * self._until.get(rule, (0.0, _FIRST_PAUSE_S / 2))[1], _LONGEST_PAUSE_S)
            self._until[rule] = (self._monotonic_s() + pause_s, pause_s)
            longest_s = max(longest_s, pause_s)
        return longest_s

    @property
    def next_s(self) -> float:
        """Seconds until a rule can be asked again that is left alone now; the longest pause when none is."""
        now_s = self._monotonic_s()
        waits = [until - now_s for until, _ in self._until.values() if until > now_s]
        return max(1.0, min(waits, default=_LONGEST_PAUSE_S))
