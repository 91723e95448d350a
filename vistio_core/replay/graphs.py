"""The graph of one instant, put together: what was seen, who judges it, who is missing, or why there is none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import attrs
import pyarrow as pa

from vistio_core.configuration.model import Configuration
from vistio_core.errors import NothingRecordedError
from vistio_core.graph.model import FailedRule, Graph
from vistio_core.judging.build import Evidence, build_graph
from vistio_core.judging.rulebook import Rulebook
from vistio_core.replay import windows
from vistio_core.replay.absence import nearest_seen, nothing_recorded
from vistio_core.replay.as_of import Seen, missing_writers, seen_as_of, within_reach
from vistio_core.replay.in_force import configuration_in_force
from vistio_core.replay.scans import Scans, retrying
from vistio_core.storage.catalog import Catalog
from vistio_core.storage.event_file import EventFiles
from vistio_core.storage.format import measurements_of
from vistio_core.times import DAY_MS

Judge = Literal["recorded", "current"]
FOREVER_MS = 100 * 365 * DAY_MS


class Graphs:
    """Answers for single instants of a recording."""

    def __init__(
        self,
        catalog: Catalog,
        files: EventFiles,
        scans: Scans,
        configuration: Callable[[str], Configuration],
        clock: Callable[[], int],
    ) -> None:
        self._catalog = catalog
        self._files = files
        self._scans = scans
        self._configuration = configuration
        self._clock = clock

    def at(self, at_ms: int | None, judge: Judge, staleness_ms: int) -> Graph:
        """The graph at an instant, or the newest one.

        Raises:
            NothingRecordedError: nothing was seen then.
        """
        if at_ms is None:
            at_ms = self._nearest_seen(FOREVER_MS, before=True)
            if at_ms is None:
                raise self.nothing(self._clock(), staleness_ms)
        asked_ms = at_ms
        found, missing = retrying(lambda: self._look(asked_ms, staleness_ms))
        if not found:
            raise self.nothing(asked_ms, staleness_ms)
        graph = build_graph(asked_ms, [self._evidence(seen, judge) for seen in found])
        return attrs.evolve(graph, failed_rules=(*graph.failed_rules, *missing)) if missing else graph

    def configuration(self, at_ms: int | None = None) -> Configuration:
        """The one in force at an instant, or the newest one.

        Raises:
            NothingRecordedError: nothing was recorded until then.
        """
        until_ms = FOREVER_MS if at_ms is None else at_ms
        in_force = retrying(lambda: configuration_in_force(self._catalog, until_ms))
        if in_force is None:
            raise self.nothing(min(until_ms, self._clock()), 0)
        return self._configuration(in_force)

    def instants(self, start_ms: int, end_ms: int) -> pa.Table:
        """Every recorded instant in ``[start_ms, end_ms)``; `Recording.instants` tells the shape."""
        return windows.with_instants_in_ms(self._scans.table(windows.INSTANTS_QUERY, start_ms, end_ms))

    def nothing(self, asked_ms: int, staleness_ms: int) -> NothingRecordedError:
        """Why there is no graph, and where the nearest ones are."""
        before_ms = self._nearest_seen(asked_ms, before=True)
        after_ms = self._nearest_seen(asked_ms, before=False)
        tried = windows.instants_of(self.instants(max(0, asked_ms - staleness_ms + 1), asked_ms + 1))
        return nothing_recorded(asked_ms, staleness_ms, before_ms, after_ms, tried)

    def _look(self, asked_ms: int, staleness_ms: int) -> tuple[list[Seen], list[FailedRule]]:
        """What was seen, and of whom nothing was."""
        listed = within_reach(self._catalog, asked_ms, asked_ms, staleness_ms)
        found = seen_as_of(self._catalog, self._files, listed, asked_ms, staleness_ms)
        writers = {seen.writer for seen in found}
        return found, missing_writers(self._catalog, self._files, listed, asked_ms, staleness_ms, writers)

    def _nearest_seen(self, asked_ms: int, *, before: bool) -> int | None:
        return retrying(lambda: nearest_seen(self._catalog, asked_ms, before=before))

    def _evidence(self, seen: Seen, judge: Judge) -> Evidence:
        recorded = self._configuration(seen.configuration)
        return Evidence(
            writer=seen.writer,
            instant_ms=seen.instant_ms,
            interval_ms=seen.interval_ms,
            rulebook=Rulebook(self.configuration() if judge == "current" else recorded, recorded),
            samples=seen.samples,
            measurements=measurements_of(seen.measurements),
            failed=seen.failed,
            backfilled=seen.backfilled,
        )
