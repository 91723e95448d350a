"""From when to when notices were raised. Pure; numpy inside.

A notice of an edge or node that is raised, instant by instant, is one alert until it was not raised for `RESOLVED_MS`
of instants at which its rule was answered. While nothing was seen it is neither raised nor resolved.

    http, error rate, cart > db
    05:00 warning   05:10 error   05:20 -   05:30 error   ...   05:40 to 05:50 not raised      one alert, an error
    05:00 warning   05:10 to 05:30 not answered           05:30 error                          one alert, an error

What must not be in here: what a threshold is (`notices`), and how anything was read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import attrs
import numpy as np

from vistio_core.configuration.model import ServiceNoticeRule
from vistio_core.events import RuleKey
from vistio_core.judging.codes import Booleans, Codes, Integers
from vistio_core.judging.judge import Judge, Measured
from vistio_core.judging.notices import raised_on_edges, raised_on_nodes
from vistio_core.judging.rule_edges import EdgeRows
from vistio_core.samples import Floats
from vistio_core.times import MINUTE_MS

RESOLVED_MS = 5 * MINUTE_MS
AnsweredAt = Callable[[RuleKey], Integers]
"""From a rule to the instants at which it was answered, ascending."""


class NoticeOf(NamedTuple):
    """A notice as its rule has it."""

    rule: RuleKey
    title: str
    """Not filled in."""


@attrs.frozen(eq=False)
class Raised:
    """Alerts, in columns."""

    notice: Integers
    """As a number (`Alerts.notices`)."""
    number: Integers
    """`Judge.edge_numbers`; of a node, its target is `Judge.nobody`."""
    first_ms: Integers
    last_ms: Integers
    """The last instant at which it was raised."""
    severity: Integers
    """The highest."""
    worst: Floats
    """The largest share or value."""

    @classmethod
    def joined(cls, parts: list[Raised]) -> Raised:
        """The alerts of all parts, one after the other."""
        columns = [field.name for field in attrs.fields(cls)]
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in columns))


class Alerts:
    """Gathers a window, piece by piece."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self.notices = Codes[NoticeOf]()
        nothing = np.zeros(0, np.int64)
        self._parts = [Raised(nothing, nothing, nothing, nothing, nothing, np.zeros(0))]

    def see(self, edges: EdgeRows, measured: Measured) -> None:
        """A piece of time: what was seen of edges, and measured of nodes."""
        judge = self._judge
        for raised in raised_on_edges(edges):
            cluster, source, target = (
                getattr(edges, name)[raised.rows] for name in ("cluster", "source", "target")
            )
            numbers = judge.edge_numbers(cluster, source, target)
            rules = edges.rule[raised.rows]
            for rule in np.unique(rules).tolist():
                own = rules == rule
                self._add(
                    NoticeOf(judge.rules.values[rule], raised.notice.title),
                    numbers[own],
                    edges.instant_ms[raised.rows][own],
                    raised.severities[own],
                    raised.shares[own],
                )
        rows, severity = raised_on_nodes(judge, measured)
        of_rows = np.full(len(measured.value), -1, np.int64)
        of_rows[rows] = severity
        nobody = np.full(len(measured.value), judge.nobody)
        numbers = judge.edge_numbers(measured.cluster, measured.source, nobody)
        for key, rule, own in judge.rules_of(measured.rulebook, measured.rule) if len(rows) else ():
            if isinstance(rule, ServiceNoticeRule):
                here = of_rows[own] >= 0
                self._add(
                    NoticeOf(key, rule.title),
                    numbers[own][here],
                    measured.instant_ms[own][here],
                    of_rows[own][here],
                    measured.value[own][here],
                )

    def _add(
        self, notice: NoticeOf, numbers: Integers, instants: Integers, severity: Integers, value: Floats
    ) -> None:
        of = np.full(len(numbers), self.notices.of(notice))
        self._parts.append(_runs(Raised(of, numbers, instants, instants, severity, value), _far_apart))

    def raised(self, answered_at: AnsweredAt) -> Raised:
        """All alerts, those of a notice and a thing by time."""

        def resolved(notices: Integers, last_ms: Integers, next_ms: Integers) -> Booleans:
            found = _far_apart(notices, last_ms, next_ms)
            for place in np.flatnonzero(found).tolist():
                answered = answered_at(self.notices.values[notices[place]].rule)
                between = answered[(answered > last_ms[place]) & (answered < next_ms[place])]
                found[place] = len(between) > 0 and between[-1] - between[0] >= RESOLVED_MS
            return found

        return _runs(Raised.joined(self._parts), resolved)


def _far_apart(notices: Integers, last_ms: Integers, next_ms: Integers) -> Booleans:
    del notices
    apart: Booleans = next_ms - last_ms > RESOLVED_MS
    return apart


def _runs(rows: Raised, apart: Callable[[Integers, Integers, Integers], Booleans]) -> Raised:
    """Those of a notice and a thing made one, unless they lie apart."""
    if not len(rows.notice):
        return rows
    order = np.lexsort((rows.first_ms, rows.number, rows.notice))
    notice, number, first, last, severity, worst = (
        getattr(rows, field.name)[order] for field in attrs.fields(Raised)
    )
    begins = np.ones(len(order), bool)
    same = (notice[1:] == notice[:-1]) & (number[1:] == number[:-1])
    begins[1:] = ~same
    places = np.flatnonzero(same)
    begins[places + 1] = apart(notice[places], last[places], first[places + 1])
    starts = np.flatnonzero(begins)
    return Raised(
        notice[starts],
        number[starts],
        first[starts],
        np.maximum.reduceat(last, starts),
        np.maximum.reduceat(severity, starts),
        np.maximum.reduceat(worst, starts),
    )
