"""Which failures and warnings of rules are worth a line of log: those that say something new."""

from __future__ import annotations

import logging
import re

import attrs

from vistio_core.events import Outcome, RuleOutcome, Scrape
from vistio_core.times import MINUTE_MS, format_duration, format_instant

log = logging.getLogger(__name__)

REMIND_EVERY_MS = 5 * MINUTE_MS
_DIGITS = re.compile("[0-9]+")


@attrs.define
class _Failure:
    outcome: RuleOutcome
    since_ms: int
    told_ms: int


class RuleLog:
    """Tells when a rule begins to fail, fails otherwise, still fails after five minutes, and is well again.

    A server that is down overnight would fill the log with the same line for each rule and
    instant, and what else happened would drown in it. The recording has them all.
    """

    def __init__(self) -> None:
        self._failures: dict[tuple[str, str], _Failure] = {}
        self._warned: dict[tuple[str, str], set[str]] = {}

    def tell(self, scrape: Scrape) -> None:
        """Log what is new in ``scrape``."""
        before, self._failures = self._failures, {}
        for rule in scrape.outcomes:
            known = before.get((rule.cluster, rule.rule))
            if rule.outcome is not Outcome.OK:
                self._failures[rule.cluster, rule.rule] = self._failed(rule, known, scrape.instant_ms)
            elif known is not None:
                lasted = format_duration(scrape.instant_ms - known.since_ms)
                log.info("rule.recovered", extra={**_place(rule, scrape.instant_ms), "failed_for": lasted})
        self._warn(scrape)

    def _warn(self, scrape: Scrape) -> None:
        """Each warning once, for as long as its rule has it; one of other numbers is none of its own."""
        before, self._warned = self._warned, {}
        for rule in scrape.outcomes:
            place = rule.cluster, rule.rule
            known = before.get(place, set())
            if rule.outcome is not Outcome.OK:
                self._warned[place] = known
                continue
            said = {_DIGITS.sub("", warning): warning for warning in rule.warnings}
            self._warned[place] = set(said)
            for words in said.keys() - known:
                log.warning("rule.warned", extra={**_place(rule, scrape.instant_ms), "warning": said[words]})

    def _failed(self, rule: RuleOutcome, known: _Failure | None, instant_ms: int) -> _Failure:
        since_ms = instant_ms if known is None else known.since_ms
        same = known is not None and (known.outcome.outcome, known.outcome.error) == (
            rule.outcome,
            rule.error,
        )
        if known is not None and same and instant_ms - known.told_ms < REMIND_EVERY_MS:
            return attrs.evolve(known, outcome=rule)
        log.warning(
            "rule.failed",
            extra={
                **_place(rule, instant_ms),
                "outcome": rule.outcome.value,
                "error": rule.error,
                "since": format_instant(since_ms),
            },
        )
        return _Failure(rule, since_ms, instant_ms)


def _place(rule: RuleOutcome, instant_ms: int) -> dict[str, str]:
    return {"instant": format_instant(instant_ms), "cluster": rule.cluster, "rule": rule.rule}
