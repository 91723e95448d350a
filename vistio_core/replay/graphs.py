"""The graph of one instant, put together: what was seen, who judges it, who is missing, or why there is none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

import attrs

from vistio_core.configuration.model import Configuration
from vistio_core.events import RuleKey
from vistio_core.graph.model import Graph
from vistio_core.judging.build import Account, build_graph
from vistio_core.judging.rulebook import Rulebook
from vistio_core.replay.absence import nearest_seen, nothing_recorded
from vistio_core.replay.as_of import AsOf, as_of, asked_of, failed_rules, reach
from vistio_core.replay.in_force import configuration_in_force
from vistio_core.storage.catalog import END_MS
from vistio_core.storage.format import fewest_digits, measurements_of
from vistio_core.storage.listing import Listing
from vistio_core.storage.log import Log
from vistio_core.storage.parts import RecordedInstant, Told, failures

JudgedBy = Literal["recorded", "current"]


class Graphs:
    """Answers for single instants of a recording."""

    def __init__(
        self, log: Log, configuration: Callable[[str], Configuration], clock: Callable[[], int]
    ) -> None:
        self._log = log
        self._configuration = configuration
        self._clock = clock

    def newest(self, judge: JudgedBy, staleness_ms: int) -> Graph:
        """The newest graph that there is, however old.

        Raises:
            NothingRecordedError: nothing was ever seen.
        """
        newest_ms = nearest_seen(self._log, END_MS, before=True)
        if newest_ms is None:
            raise nothing_recorded(self._log, self._clock(), staleness_ms)
        return self.at(newest_ms, judge, staleness_ms)

    def at(self, at_ms: int, judge: JudgedBy, staleness_ms: int) -> Graph:
        """The graph at an instant.

        Raises:
            NothingRecordedError: nothing was seen then.
        """
        accounts, facts = self._log.read(
            *reach(at_ms, at_ms, staleness_ms),
            lambda listing: self._seen(listing, at_ms, judge, staleness_ms),
        )
        if not accounts:
            raise nothing_recorded(self._log, at_ms, staleness_ms)
        # Of an edge that was measured only there is no traffic, where no rule tells of any.
        in_part = facts["asked"].in_part()
        return attrs.evolve(build_graph(at_ms, accounts, in_part), **facts)

    def configuration(self, at_ms: int | None = None) -> Configuration:
        """The one in force at an instant, or the newest one.

        Raises:
            NothingRecordedError: nothing was recorded until then.
        """
        until_ms = END_MS if at_ms is None else at_ms
        in_force = configuration_in_force(self._log, until_ms)
        if in_force is None:
            raise nothing_recorded(self._log, min(until_ms, self._clock()), 0)
        return self._configuration(in_force)

    def _seen(
        self, listing: Listing, at_ms: int, judge: JudgedBy, staleness_ms: int
    ) -> tuple[list[Account], dict[str, Any]]:
        """What was seen as of an instant, with its judges; and what else the graph says of itself."""
        answers = as_of(listing, at_ms, staleness_ms)
        shown = [
            answer.writer.instants([answer.shown_ms]) for answer in answers if answer.shown_ms is not None
        ]
        instants = [instant for each in shown for instant in each]
        accounts = [self._account(instant, judge) for instant in instants]
        if not accounts:
            return [], {}
        found = {(each.writer, each.instant_ms): each.configuration for each in instants}

        def rulebook(writer: str, instant_ms: int) -> Rulebook:
            known = found.get((writer, instant_ms))
            if known is None:
                own = next(answer.writer for answer in answers if answer.writer.name == writer)
                known = own.instants([instant_ms])[0].configuration
            return Rulebook(self._configuration(known))

        return accounts, {
            "asked": asked_of(answers, _failures, rulebook),
            "failed_rules": failed_rules(answers, _failures),
            "significant_digits": fewest_digits(instant.significant_digits for instant in instants),
        }

    def _account(self, shown: RecordedInstant, judge: JudgedBy) -> Account:
        recorded = self._configuration(shown.configuration)
        return Account(
            writer=shown.writer,
            instant_ms=shown.instant_ms,
            interval_ms=shown.interval_ms,
            rulebook=Rulebook(self.configuration() if judge == "current" else recorded, recorded),
            samples=shown.rows("sample"),
            measurements=measurements_of(shown.rows("measurement")),
            backfilled=shown.backfilled,
        )


def _failures(answer: AsOf) -> Mapping[RuleKey, Told]:
    """The rules that failed at the instant that a writer tried."""
    if answer.tried_ms is None:
        return {}
    return failures(answer.writer.instants([answer.tried_ms])).get(answer.tried_ms, {})
