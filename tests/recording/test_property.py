"""The whole log against plain dictionaries: random commits, supplements, merges, seals, prunes, reopenings.

The model is as simple as can be: what each rule is known to have seen at an instant, and the bytes
of the graph that plain Python makes of it (`support.plain_graph`). After every step every instant must
give the same bytes, and DuckDB must count the same rows.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import attrs
import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from support.plain_graph import plain_graph
from support.scrapes import INTERVAL_MS, START_MS, mesh, scrape

from vistio_core import Configuration, Recording, frontends
from vistio_core.errors import AlreadyRecordedError, NothingRecordedError, UnknownNameError, UsageError
from vistio_core.events import Outcome, RuleOutcome, Sample, Scrape
from vistio_core.replay.rollups.hours import Rollups
from vistio_core.times import HOUR_MS, MINUTE_MS

# Twenty whole lives of a recording: a minute of work, and several where others work as well.
pytestmark = [pytest.mark.timeout(900), pytest.mark.slow]

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
# How the rules of `support.scrapes.MESH` went.
RULES = {"ingress": "", "http": "mesh", "saturation": "mesh"}
how = st.sampled_from(["ok", "failed"])
outcomes_of_all = st.fixed_dictionaries(dict.fromkeys(RULES, how))
outcomes_of_some = st.dictionaries(st.sampled_from(sorted(RULES)), how, min_size=1)
SUBJECTS: list[dict[str, str]] = [
    {},
    {"cluster": "mesh"},
    {"node": "b"},
    {"source": "c", "target": "b", "cluster": "mesh"},
]


def timeline_of(
    recording: Recording, window: tuple[int, int, str], subject: dict[str, str]
) -> list[dict[str, object]] | str:
    """Its rows; or that the recording never had this name."""
    try:
        return recording.timeline(*window, **subject).to_pylist()  # type: ignore[no-any-return]
    except UnknownNameError as error:
        return str(error)


@attrs.define
class Known:
    """What the log must know of an instant."""

    configuration: Configuration
    backfilled: bool
    outcomes: dict[str, RuleOutcome]
    samples: dict[str, list[Sample]]

    @property
    def unanswered(self) -> set[str]:
        return {rule for rule, outcome in self.outcomes.items() if outcome.outcome is not Outcome.OK}

    def learn(self, scrape: Scrape) -> None:
        self.backfilled |= scrape.backfilled
        self.outcomes.update((outcome.rule, outcome) for outcome in scrape.outcomes)
        for sample in sorted(scrape.samples):
            self.samples.setdefault(sample.rule, []).append(sample)

    def graph(self, instant_ms: int) -> bytes:
        if self.unanswered == set(RULES):
            return b""
        graph = plain_graph(
            instant_ms,
            INTERVAL_MS,
            self.configuration,
            [sample for rows in self.samples.values() for sample in rows],
            [self.outcomes[rule] for rule in self.unanswered],
            self.backfilled,
        )
        return VIZCERAL.render(graph, {})


def seen(instant_ms: int, samples: dict[tuple[str, str, str], float], **options: Any) -> Scrape:
    """A scrape with ``samples`` of the rules that are answered: those into ``a`` are ingress."""
    rows = [
        Sample("", "ingress", *e, r) if e[1] == "a" else Sample("mesh", "http", *e, r)
        for e, r in samples.items()
    ]
    return scrape(instant_ms, [row for row in rows if options.get(row.rule) == "ok"], **options)


class Log(RuleBasedStateMachine):
    @initialize()
    def open(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.known: dict[int, Known] = {}
        self.graphs: dict[int, bytes] = {}
        self.steps = 0
        # Whether the last step did anything to events; what was only asked is not asked again.
        self.changed = True
        self.recording = Recording.open(self.folder / "r", create=True, clock=lambda: END_MS)
        self.open_writer()

    def open_writer(self, linger: str = "0s") -> None:
        self.writer = self.recording.writer(linger=linger)
        for configuration in CONFIGURATIONS:
            self.writer.put_configuration(configuration)

    @rule(
        instant_ms=st.sampled_from(INSTANTS_MS),
        samples=samples,
        configuration=st.sampled_from(CONFIGURATIONS),
        outcomes=outcomes_of_all,
        backfilled=st.booleans(),
    )
    def commit(self, instant_ms, samples, configuration, outcomes, backfilled) -> None:  # type: ignore[no-untyped-def]
        self.changed = True
        event = seen(instant_ms, samples, configuration=configuration, backfilled=backfilled, **outcomes)
        if instant_ms in self.known:
            with pytest.raises(AlreadyRecordedError):
                self.writer.commit(event)
            return
        self.writer.commit(event)
        self.known[instant_ms] = Known(configuration, False, {}, {})
        self.learn(event)

    @precondition(lambda self: self.known)
    @rule(
        data=st.data(),
        instant_ms=st.sampled_from(INSTANTS_MS),
        samples=samples,
        configuration=st.sampled_from(CONFIGURATIONS),
        outcomes=outcomes_of_some,
    )
    def supplement(self, data, instant_ms, samples, configuration, outcomes) -> None:  # type: ignore[no-untyped-def]
        self.changed = True
        open_ms = [ms for ms, known in self.known.items() if known.unanswered]
        if open_ms and data.draw(st.booleans()):  # else it would hardly ever fit
            instant_ms = data.draw(st.sampled_from(open_ms))
            unanswered = self.known[instant_ms].unanswered
            outcomes = {rule: outcomes.get(rule, "failed") for rule in unanswered}
        event = seen(instant_ms, samples, configuration=configuration, backfilled=True, **outcomes)
        event = attrs.evolve(event, outcomes=tuple(o for o in event.outcomes if o.rule in outcomes))
        if instant_ms not in self.known:
            with pytest.raises(UsageError):
                self.writer.supplement(event)
        elif not self.known[instant_ms].unanswered:
            with pytest.raises(AlreadyRecordedError):
                self.writer.supplement(event)
        elif outcomes.keys() - self.known[instant_ms].unanswered:
            with pytest.raises(UsageError):
                self.writer.supplement(event)
        else:
            self.writer.supplement(event)
            self.learn(event)

    def learn(self, event: Scrape) -> None:
        self.known[event.instant_ms].learn(event)
        self.graphs[event.instant_ms] = self.known[event.instant_ms].graph(event.instant_ms)

    @rule(now_ms=st.integers(START_MS, END_MS + HOUR_MS))
    def merge(self, now_ms: int) -> None:
        self.changed = True
        self.writer.merge(now_ms)

    @rule(before_ms=st.integers(START_MS, END_MS + HOUR_MS))
    def seal(self, before_ms: int) -> None:
        self.changed = True
        self.writer.seal(before_ms)

    @precondition(lambda self: self.graphs)
    @rule(hour=st.integers(0, 3))
    def prune(self, hour: int) -> None:
        """A file goes only when all of it is old: prune at full hours, where no file straddles."""
        self.changed = True
        before_ms = START_MS + hour * HOUR_MS
        self.writer.prune(before_ms)
        for kept in (self.graphs, self.known):
            for instant_ms in [ms for ms in kept if ms < before_ms]:
                del kept[instant_ms]

    @rule(lost=st.sampled_from([b"", b"torn", None]))
    def lose_rollups(self, lost: bytes | None) -> None:
        self.changed = False
        for path in self.rollups():
            if lost is None:
                path.unlink()
            else:
                path.write_bytes(lost + path.read_bytes()[: 100 - len(lost)])

    def rollups(self) -> list[Path]:
        return list((self.folder / "r").glob("rollups/*/*/*"))

    @rule(
        start_ms=st.sampled_from([START_MS, INSTANTS_MS[4]]),
        step=st.sampled_from(["1m", "25m", "1h"]),
        subject=st.sampled_from(range(len(SUBJECTS))),
    )
    def a_timeline_is_the_same_with_and_without_rollups(self, start_ms: int, step: str, subject: int) -> None:
        self.compare_timelines((start_ms, END_MS, step), SUBJECTS[subject : subject + 1])

    def compare_timelines(self, window: tuple[int, int, str], subjects: list[dict[str, str]]) -> None:
        self.changed = False
        log_alone = Recording.open(self.folder / "r", clock=lambda: END_MS)
        log_alone._traffic.rollups = Mock(spec=Rollups, **{"name.return_value": None})
        for subject in subjects:
            found, expected = (timeline_of(each, window, subject) for each in (self.recording, log_alone))
            assert found == expected
        assert self.recording.gaps().equals(log_alone.gaps())

    @rule(linger=st.sampled_from(["0s", "60s"]))
    def reopen(self, linger: str) -> None:
        """With a clock that stands still, what lingers stays until a writer without patience comes."""
        self.changed = True
        self.writer.close()
        self.recording = Recording.open(self.folder / "r", clock=lambda: END_MS)
        self.open_writer(linger)

    @precondition(lambda self: self.changed)
    @invariant()
    def every_instant_gives_the_bytes_of_what_is_known_of_it(self) -> None:
        for instant_ms, graph in self.graphs.items():
            assert self.render(instant_ms) == graph
        self.steps += 1
        absent = next((ms for ms in INSTANTS_MS if ms not in self.graphs), END_MS)
        assert self.render(absent) == b""

    @precondition(lambda self: self.changed)
    @invariant()
    def the_graph_as_of_any_moment_is_the_newest_one_not_after_it(self) -> None:
        # One of them after each step: that there is nothing takes long to find out.
        moment_ms = (START_MS - 1, START_MS + HOUR_MS - 1, END_MS)[self.steps % 3]
        older = [ms for ms, graph in self.graphs.items() if graph and moment_ms - HOUR_MS < ms <= moment_ms]
        try:
            assert self.recording.graph(moment_ms, staleness="1h").instant_ms == max(older)
        except NothingRecordedError:
            assert not older

    @precondition(lambda self: self.changed)
    @invariant()
    def a_scan_sees_every_row_once(self) -> None:
        counted = self.recording.sql(
            "select epoch_ms(instant), count(*) from samples group by all"
        ).fetchall()
        rows = {ms: sum(map(len, known.samples.values())) for ms, known in self.known.items()}
        assert dict(counted) == {ms: count for ms, count in rows.items() if count}

    @precondition(lambda self: self.changed)
    @invariant()
    def what_is_unanswered_is_known(self) -> None:
        listed = {each.instant_ms: {rule.rule for rule in each.rules} for each in self.recording.unanswered()}
        assert listed == {ms: known.unanswered for ms, known in self.known.items() if known.unanswered}
        table = self.recording.instants()
        instants = zip(*(table[name].to_pylist() for name in ("failed_rules", "seen", "rules")), strict=True)
        assert list(instants) == [
            (len(known.unanswered), known.unanswered != set(RULES), 3)
            for _, known in sorted(self.known.items())
        ]
        present = self.recording.presence()
        assert present.to_pylist() == table.select(present.column_names).to_pylist()

    def render(self, instant_ms: int) -> bytes:
        try:
            graph = self.recording.graph(instant_ms, staleness="1ms")
        except NothingRecordedError:
            return b""
        return VIZCERAL.render(graph, {})

    def teardown(self) -> None:
        self.reopen("0s")
        self.writer.seal(END_MS)
        hours = {ms // HOUR_MS for ms in self.known}
        assert len(self.rollups()) == 2 * len(hours)
        self.compare_timelines((START_MS, END_MS, "25m"), SUBJECTS)
        damaged = [checked for checked in self.recording.verify() if checked.problems]
        self.writer.close()
        shutil.rmtree(self.folder)
        assert damaged == []


TestLog = Log.TestCase
TestLog.settings = settings(
    max_examples=20, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)
