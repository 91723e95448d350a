"""Which instants answer for an asked one: of every writer the newest seen one, unless it is stale.

The rule for a graph and for each frame of many, and what they lack. One instant's rows stand together in one
row group, so Parquet is read directly here; windows are DuckDB's (`windows.py`). Why:
`docs/decisions/0003-point-lookups.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import attrs

from vistio_core.events import GLOBAL_LEVEL, RuleKey
from vistio_core.graph.model import FailedRule
from vistio_core.graph.unseen import Round, Unseen
from vistio_core.judging.rulebook import Rulebook
from vistio_core.judging.seen import STALE, missing_writer, tellers, unseen_of
from vistio_core.storage.catalog import Span
from vistio_core.storage.listing import Listing, WriterListing
from vistio_core.storage.parts import Told
from vistio_core.times import DAY_MS, format_instant

MISSED_FOR_MS = DAY_MS
"""A writer that fell silent is missed for as long, in graphs and in windows."""


@attrs.frozen
class AsOf:
    """Which of a writer's instants answer for an asked one."""

    writer: WriterListing = attrs.field(repr=False)
    shown_ms: int | None
    """The newest at which a rule was answered."""
    tried_ms: int | None
    """The newest of all: where it is a later one than the shown one, every rule failed then."""
    silent_since_ms: int | None
    """Where nothing was tried in time: the newest instant of the day before."""


def reach(first_ms: int, last_ms: int, staleness_ms: int) -> Span:
    """What `as_of` looks into for instants from ``first_ms`` to ``last_ms``."""
    return first_ms - staleness_ms + 1 - MISSED_FOR_MS, last_ms + 1


def as_of(listing: Listing, at_ms: int, staleness_ms: int) -> list[AsOf]:
    """What answers for an asked instant, from ``(at_ms - staleness_ms, at_ms]``; by writer.

    An instant at which every rule failed says nothing about the traffic, so an older one that
    was seen answers, and the failures are told beside it.

    Args:
        listing: of what is in `reach`, or more.
        at_ms: the asked instant.
        staleness_ms: how old the answer may be.
    """
    fresh_ms, end_ms = at_ms - staleness_ms + 1, at_ms + 1
    answers = []
    for writer in listing.writers:
        shown_ms = writer.newest(fresh_ms, end_ms, seen=True)
        tried_ms = writer.newest(fresh_ms if shown_ms is None else shown_ms, end_ms, seen=False)
        silent_since_ms = None
        if tried_ms is None:
            silent_since_ms = writer.newest(fresh_ms - MISSED_FOR_MS, fresh_ms, seen=False)
        answers.append(AsOf(writer, shown_ms, tried_ms, silent_since_ms))
    return answers


def asked_of(
    answers: Sequence[AsOf],
    failures: Callable[[AsOf], Mapping[RuleKey, Told]],
    rulebook: Callable[[str, int], Rulebook],
) -> Round:
    """Of which edges the writers could tell, each by its own rules, and of which they did not.

    Args:
        answers: of all writers.
        failures: what failed at the instant that was tried.
        rulebook: the rules of a writer at an instant.
    """
    could: list[Unseen] = []
    unseen: list[Unseen] = []
    for answer in answers:
        if answer.shown_ms is not None:
            could += tellers(rulebook(answer.writer.name, answer.shown_ms)).values()
        if answer.tried_ms is None:
            unseen += [missing_writer(answer.writer.name)] * (answer.silent_since_ms is not None)
        elif failed := failures(answer):
            unseen += unseen_of(failed, rulebook(answer.writer.name, answer.tried_ms))
    return Round(tuple(dict.fromkeys(unseen)), tuple(dict.fromkeys([*could, *unseen])))


def failed_rules(
    answers: Sequence[AsOf], failures: Callable[[AsOf], Mapping[RuleKey, Told]]
) -> tuple[FailedRule, ...]:
    """What is not seen in a graph, of those who show something, then of those who do not.

    The graph of several writers would look whole without one of them, which may have a whole
    cluster. A writer that was silent for longer than a day was taken away on purpose, in all likelihood.

    Args:
        answers: of all writers.
        failures: what failed at the instant that was tried.

    Returns:
        By writer: of one that tried, its rules that failed at the newest instant; of one that did not, its
        name as the rule, with the outcome ``stale``.
    """
    missing: list[FailedRule] = []
    for answer in sorted(answers, key=lambda answer: answer.shown_ms is None):
        if answer.tried_ms is not None:
            missing += [FailedRule(*rule, *told) for rule, told in failures(answer).items()]
        elif answer.silent_since_ms is not None:
            since = format_instant(answer.silent_since_ms)
            error = f"writer {answer.writer.name!r} recorded nothing since {since}"
            missing.append(FailedRule(GLOBAL_LEVEL, answer.writer.name, STALE, error))
    return tuple(missing)
