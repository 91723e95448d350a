"""What a recorder could not see when it was due, and may still learn: the work list of healing. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

import attrs


@attrs.frozen(order=True)
class UnansweredRule:
    """A rule that was not answered at an instant, neither then nor later."""

    cluster: str
    rule: str
    error: str
    """Why, the last time that it was tried."""


@attrs.frozen
class Unanswered:
    """An instant in the log, and its rules without an answer."""

    instant_ms: int
    interval_ms: int
    configuration: str
    """Hash of the one in force at the instant."""
    rules: tuple[UnansweredRule, ...]
    """Sorted; at least one."""


def unanswered_of(rows: Iterable[Mapping[str, Any]]) -> list[Unanswered]:
    """The rows of `vistio_core.replay.windows.UNANSWERED_QUERY` as values, by instant."""
    instants = groupby(rows, key=lambda row: (row["instant_ms"], row["interval_ms"], row["configuration"]))
    return [
        Unanswered(*facts, tuple(UnansweredRule(row["cluster"], row["rule"], row["error"]) for row in rules))
        for facts, rules in instants
    ]
