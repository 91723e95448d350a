"""What an incident says of what was not seen, and of meshes without an obvious entry: by numbers worked out by hand.

The mesh: INTERNET calls web 80 times a second, and shop 20 times; both call db, of whose requests a share fails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import attrs
import pytest

from vistio_core import Recording, loads
from vistio_core.diagnosis.incidents import Incident, Whom
from vistio_core.errors import NothingRecordedError
from vistio_core.events import Measurement, Outcome, RuleOutcome, Sample, Scrape
from vistio_core.times import HOUR_MS, MINUTE_MS

RULE = "query: q, prometheusURL: 'http://127.0.0.1:9090', status: {label: code, dangerRegex: ^5..$}"
MESH = loads(f"""\
globalLevel: {{}}
clusterLevel:
  - cluster: mesh
    serviceNotices:
      - {{name: pool, title: full, query: q, prometheusURL: 'http://127.0.0.1:9090', service: {{label: a}}}}
    serviceConnections:
      - {{name: inside, {RULE}, source: {{label: a, regex: ^(web|shop|db)$}}, target: {{label: b}}}}
      - {{name: web, {RULE}, source: {{replacement: INTERNET}}, target: {{replacement: web}}}}
      - {{name: shop, {RULE}, source: {{replacement: INTERNET}}, target: {{replacement: shop}}}}
""")
ENTERING = {"web": ("INTERNET", "web", 80.0), "shop": ("INTERNET", "shop", 20.0)}
INSIDE = {("web", "db"): 80.0, ("shop", "db"): 20.0}
START_MS = 1_767_322_800_000
END_MS = START_MS + 2 * HOUR_MS
BEGINS_MIN, OVER_MIN = 70, 80
"""From when to when a fifth of db's requests fail, minutes from the start."""


@attrs.frozen
class Told:
    """How a mesh is recorded."""

    interval_min: int = 1
    unseen: Mapping[str, Iterable[int]] = attrs.field(factory=dict)
    """Of each rule (``all``: nothing is recorded), the minutes at which it was not answered."""
    inside: Mapping[tuple[str, str], float] = attrs.field(default=INSIDE)
    entering: Mapping[str, tuple[str, str, float]] = attrs.field(default=ENTERING)
    fails_until_min: int = OVER_MIN
    pool: Callable[[int], float] = attrs.field(default=lambda minute: 0.4)
    """How full db's pool of connections is, by the minute."""


Incidents = Callable[[Told], tuple[Incident, ...]]


@pytest.fixture
def incidents(tmp_path: Path) -> Incidents:
    def incidents(told: Told) -> tuple[Incident, ...]:
        recording = Recording.open(tmp_path / "recording", create=True, clock=lambda: END_MS)
        with recording.writer() as writer:
            writer.put_configuration(MESH)
            for minute in range(0, 120, told.interval_min):
                if minute not in told.unseen.get("all", ()):
                    writer.commit(scrape(minute, told))
        return recording.incidents(START_MS + HOUR_MS, END_MS).incidents

    return incidents


def scrape(minute: int, told: Told) -> Scrape:
    share = 0.2 if BEGINS_MIN <= minute < told.fails_until_min else 0.0
    edges = [("inside", *ends, rps) for ends, rps in told.inside.items()]
    edges += [(rule, *edge) for rule, edge in told.entering.items()]
    unseen = {rule for rule, minutes in told.unseen.items() if minute in minutes}
    return Scrape(
        START_MS + minute * MINUTE_MS,
        told.interval_min * MINUTE_MS,
        MESH.hash,
        tuple(
            RuleOutcome("mesh", rule, *((Outcome.FAILED, "refused") if rule in unseen else (Outcome.OK,)))
            for rule in ("inside", "pool", "shop", "web")
        ),
        tuple(
            Sample("mesh", rule, source, target, code, rps * part)
            for rule, source, target, rps in edges
            if rule not in unseen
            for code, part in (("200", 1 - share), ("500", share))
        ),
        (Measurement("mesh", "pool", "db", "", "value", told.pool(minute)),),
    )


def lasted_min(incident: Incident) -> tuple[float, float | None]:
    """From when to when, minutes from the start."""
    start, end = (
        None if ms is None else (ms - START_MS) / MINUTE_MS for ms in (incident.start_ms, incident.end_ms)
    )
    assert start is not None
    return start, end


@pytest.mark.parametrize("interval_min", [1, 5])
def test_it_lasts_from_the_first_instant_that_is_not_normal_to_the_first_that_is(
    incidents: Incidents, interval_min: int
) -> None:
    (incident,) = incidents(Told(interval_min))
    assert lasted_min(incident) == (BEGINS_MIN, OVER_MIN)
    assert incident.worst_share == pytest.approx(0.2)
    assert [whom.node for whom in incident.hit] == ["db", "shop", "web"]


@pytest.mark.parametrize(("interval_min", "found"), [(1, []), (5, [(BEGINS_MIN, BEGINS_MIN + 5)])])
def test_one_instant_says_as_much_as_it_stands_for(
    incidents: Incidents, interval_min: int, found: list[tuple[float, float]]
) -> None:
    told = incidents(Told(interval_min, fails_until_min=BEGINS_MIN + 1))
    assert [lasted_min(each) for each in told] == found, "less than two minutes are none"


@pytest.mark.parametrize("who", ["all", "inside"])
@pytest.mark.parametrize(
    ("unseen", "fails_until_min", "end_min"),
    [
        (range(75, 120), OVER_MIN, None),  # nobody knows that it ended
        (range(75, 95), OVER_MIN, 95),  # by then all was normal again
        (range(75, 95), 100, 100),  # one incident, not two
    ],
)
@pytest.mark.slow
def test_what_was_not_seen_did_not_become_normal(
    incidents: Incidents, who: str, unseen: range, fails_until_min: int, end_min: float | None
) -> None:
    (incident,) = incidents(Told(unseen={who: unseen}, fails_until_min=fails_until_min))
    assert lasted_min(incident) == (BEGINS_MIN, end_min)
    assert incident.first.node == "db"


def test_how_much_failed_is_told_of_what_was_seen_to_enter(incidents: Incidents) -> None:
    (incident,) = incidents(Told(unseen={"shop": range(65, 90)}))
    assert incident.worst_share == pytest.approx(0.2)
    assert incident.summary.endswith("at worst 20 % of what enters mesh failed")


def test_how_much_failed_is_not_told_where_nothing_was_seen_to_enter(incidents: Incidents) -> None:
    (incident,) = incidents(Told(unseen={"shop": range(65, 90), "web": range(65, 90)}))
    assert incident.worst_share is None
    assert incident.document()["worst_share"] is None
    assert incident.summary.endswith("how much of what enters mesh failed was not seen")


@pytest.mark.parametrize("back", [("web", "web"), ("db", "web")])
def test_who_is_called_back_or_by_itself_is_still_where_requests_enter(
    incidents: Incidents, back: tuple[str, str]
) -> None:
    """Nobody on the level is called by nobody: what web calls enters, 80 a second; not the 4 that come back."""
    (incident,) = incidents(Told(inside={("web", "db"): 80.0, back: 4.0}, entering={}))
    assert lasted_min(incident) == (BEGINS_MIN, OVER_MIN)
    assert incident.worst_share == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("full", "begins_min"), [(0.45, BEGINS_MIN), (0.5, BEGINS_MIN), (0.6, BEGINS_MIN - 8)]
)
@pytest.mark.slow
def test_how_full_a_pool_is_may_vary_by_what_anything_may(
    incidents: Incidents, full: float, begins_min: int
) -> None:
    (incident,) = incidents(Told(pool=lambda minute: full if 62 <= minute < BEGINS_MIN else 0.4))
    assert lasted_min(incident) == (begins_min, OVER_MIN)


@pytest.mark.parametrize("question", ["incidents", "suspects", "path"])
def test_of_a_time_outside_of_the_recording_nothing_is_said(tmp_path: Path, question: str) -> None:
    now_ms = START_MS + HOUR_MS
    recording = Recording.open(tmp_path / "recording", create=True, clock=lambda: now_ms)
    with recording.writer() as writer:
        writer.put_configuration(MESH)
        writer.commit(scrape(0, Told()))
    ask = getattr(recording, question)
    for window in ((START_MS - HOUR_MS, START_MS + 1), (now_ms, now_ms + HOUR_MS)):
        assert not len(ask(*window).table)
    with pytest.raises(NothingRecordedError, match="before the recording begins"):
        ask(START_MS - HOUR_MS, START_MS)
    with pytest.raises(NothingRecordedError, match="nothing was recorded since"):
        ask(now_ms + 1, now_ms + HOUR_MS)


@pytest.mark.parametrize("question", ["incidents", "suspects", "path", "seen"])
def test_what_of_a_window_lies_before_the_recording_was_not_seen(tmp_path: Path, question: str) -> None:
    recording = Recording.open(tmp_path / "recording", create=True, clock=lambda: START_MS + 5 * MINUTE_MS)
    with recording.writer() as writer:
        writer.put_configuration(MESH)
        for minute in range(5):
            writer.commit(scrape(minute, Told()))
    begins_ms = recording.instants()["instant"][0].as_py().timestamp() * 1000

    def asked(recording: Recording) -> dict[str, Any]:
        found = getattr(recording, question)(START_MS - HOUR_MS, START_MS + 5 * MINUTE_MS)
        row: dict[str, Any] = found.unseen.to_pylist()[0]
        return row

    told = asked(recording)
    # What is normal is told by the hour before.
    hours = 2 if question in ("suspects", "path") else 1
    assert told["start"].timestamp() * 1000 == START_MS - hours * HOUR_MS
    assert told["end"].timestamp() * 1000 == begins_ms
    assert (told["reason"], told["writer"], told["missing"]) == ("before the recording begins", None, None)
    recording.export(START_MS, START_MS + 5 * MINUTE_MS, tmp_path / "part.vistio")
    assert asked(Recording.open(tmp_path / "part.vistio"))["reason"] == "not in this part"


@pytest.mark.parametrize("question", ["incidents", "suspects", "path"])
def test_where_no_rule_was_ever_answered_all_of_it_is_unseen(tmp_path: Path, question: str) -> None:
    recording = Recording.open(tmp_path / "recording", create=True, clock=lambda: START_MS + HOUR_MS)
    with recording.writer() as writer:
        writer.put_configuration(MESH)
        for minute in range(5):
            answered = scrape(minute, Told())
            refused = tuple(
                attrs.evolve(one, outcome=Outcome.FAILED, error="refused") for one in answered.outcomes
            )
            writer.commit(attrs.evolve(answered, outcomes=refused, samples=(), measurements=()))
    found = getattr(recording, question)(START_MS, START_MS + 5 * MINUTE_MS)
    assert not len(found.table)
    assert "not seen: mesh/inside: refused" in found.unseen["reason"].to_pylist()


def test_what_is_slow_counts_beside_what_fails() -> None:
    def harm(worst_share: float | None, times_as_long: float) -> float:
        return Incident(0, None, None, (), worst_share, times_as_long).harm  # type: ignore[arg-type]

    assert harm(0.3, 1.0) == harm(0.3, 2.0) == 0.3
    assert harm(0.0, 2.0) == harm(None, 2.0) == 0.25
    assert harm(0.0, 1.0) == harm(None, 1.0) == 0.0


@pytest.mark.parametrize(("level", "entered"), [("", "what enters"), ("mesh", "what enters mesh")])
def test_how_bad_it_was_says_which_level_that_is_about(level: str, entered: str) -> None:
    first = Whom(level, "web")
    summary = Incident(0, None, first, (first,), 0.2, 1.0).summary
    assert summary.endswith(f"alone left its normal; at worst 20 % of {entered} failed")
