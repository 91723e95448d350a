"""The whole log against a plain dictionary: random commits, merges, seals, prunes, reopenings.

The model is as simple as can be: instant -> graph bytes, as they were when only that commit was
in the recording's head. After every step every remembered instant must give the same bytes, and
DuckDB must count the same rows.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from support.scrapes import INTERVAL_MS, START_MS, mesh, scrape

from vistio_core import Recording, frontends
from vistio_core.errors import AlreadyRecordedError, NothingRecordedError
from vistio_core.events import Sample
from vistio_core.times import HOUR_MS, MINUTE_MS

# A few instants in each of three hours, among them both sides of five minutes and of an hour.
VIZCERAL = frontends.get("vizceral")
INSTANTS_MS = sorted(
    START_MS + hour * HOUR_MS + offset
    for hour in range(3)
    for offset in (
        0,
        INTERVAL_MS,
        5 * MINUTE_MS - INTERVAL_MS,
        5 * MINUTE_MS,
        59 * MINUTE_MS,
        HOUR_MS - INTERVAL_MS,
    )
)
END_MS = START_MS + 3 * HOUR_MS
CONFIGURATIONS = (mesh(), mesh(normal="normal", **{"^5..$": "^(4|5)..$"}))

names = st.sampled_from(["a", "b", "c", "ü/--", "a b"])
rates = st.floats(min_value=0, max_value=1e6, allow_nan=False)
samples = st.dictionaries(
    st.tuples(names, names, st.sampled_from(["200", "404", "503", ""])), rates, max_size=6
)


class Log(RuleBasedStateMachine):
    @initialize()
    def open(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.graphs: dict[int, bytes] = {}
        self.rows: dict[int, int] = {}
        self.recording = Recording.open(self.folder / "r", create=True, clock=lambda: END_MS)
        self.open_writer()

    def open_writer(self) -> None:
        self.writer = self.recording.writer()
        for configuration in CONFIGURATIONS:
            self.writer.put_configuration(configuration)

    @rule(
        instant_ms=st.sampled_from(INSTANTS_MS),
        samples=samples,
        configuration=st.integers(0, 1),
        http=st.sampled_from(["ok", "failed"]),
        backfilled=st.booleans(),
    )
    def commit(self, instant_ms, samples, configuration, http, backfilled) -> None:  # type: ignore[no-untyped-def]
        rows = [Sample("mesh", "http", *edge, rate) for edge, rate in samples.items()]
        event = scrape(
            instant_ms, rows, configuration=CONFIGURATIONS[configuration], backfilled=backfilled, http=http
        )
        if instant_ms in self.graphs:
            with pytest.raises(AlreadyRecordedError):
                self.writer.commit(event)
            return
        self.writer.commit(event)
        self.graphs[instant_ms] = self.render(instant_ms)
        self.rows[instant_ms] = len(samples)

    @rule(now_ms=st.integers(START_MS, END_MS + HOUR_MS))
    def merge(self, now_ms: int) -> None:
        self.writer.merge(now_ms)

    @rule(before_ms=st.integers(START_MS, END_MS + HOUR_MS))
    def seal(self, before_ms: int) -> None:
        self.writer.seal(before_ms)

    @precondition(lambda self: self.graphs)
    @rule(hour=st.integers(0, 3))
    def prune(self, hour: int) -> None:
        """A file goes only when all of it is old: prune at full hours, where no file straddles."""
        before_ms = START_MS + hour * HOUR_MS
        self.writer.prune(before_ms)
        for kept in (self.graphs, self.rows):
            for instant_ms in [ms for ms in kept if ms < before_ms]:
                del kept[instant_ms]

    @rule()
    def reopen(self) -> None:
        self.writer.close()
        self.recording = Recording.open(self.folder / "r", clock=lambda: END_MS)
        self.open_writer()

    @invariant()
    def every_instant_gives_the_same_bytes_as_when_it_was_committed(self) -> None:
        for instant_ms, graph in self.graphs.items():
            assert self.render(instant_ms) == graph
        absent = next((ms for ms in INSTANTS_MS if ms not in self.graphs), END_MS)
        assert self.render(absent) == b""

    @invariant()
    def the_graph_as_of_any_moment_is_the_newest_one_not_after_it(self) -> None:
        for moment_ms in (START_MS - 1, START_MS + HOUR_MS - 1, END_MS):
            older = [ms for ms in self.graphs if moment_ms - HOUR_MS < ms <= moment_ms]
            try:
                assert self.recording.graph(moment_ms, staleness="1h").instant_ms == max(older)
            except NothingRecordedError:
                assert not older

    @invariant()
    def a_scan_sees_every_row_once(self) -> None:
        counted = self.recording.sql(
            "select epoch_ms(instant), count(*) from samples group by all"
        ).fetchall()
        assert dict(counted) == {ms: rows for ms, rows in self.rows.items() if rows}

    def render(self, instant_ms: int) -> bytes:
        try:
            graph = self.recording.graph(instant_ms, staleness="1ms")
        except NothingRecordedError:
            return b""
        return VIZCERAL.render(graph, {})

    def teardown(self) -> None:
        damaged = [checked for checked in self.recording.verify() if checked.problems]
        self.writer.close()
        shutil.rmtree(self.folder)
        assert damaged == []


TestLog = Log.TestCase
TestLog.settings = settings(
    max_examples=20, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)
