"""Constructed incidents with known answers, through the front door: written by a `Writer`, asked of a `Recording`.

The mesh: INTERNET > web > cart, search; cart > db, pay; search > db; pay > bank. Every request takes what its node
takes, and what it waits for.
"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

import attrs
import pytest
from click.testing import CliRunner
from werkzeug.test import Client

from vistio_core import Annotation, Recording, loads
from vistio_core.errors import UnknownNameError, UsageError
from vistio_core.events import Measurement, Outcome, RuleOutcome, Sample, Scrape
from vistio_core.times import HOUR_MS, MINUTE_MS, format_instant
from vistio_record.cli import main
from vistio_serve import create_app

SHARED = "query: q, prometheusURL: 'http://127.0.0.1:9090'"
ENDS = "source: {label: a, class: service}, target: {label: b, class: service}"
STATUS = "status: {label: code, warningRegex: ^4..$, dangerRegex: ^5..$}"
MESH = loads(f"""\
globalLevel: {{}}
clusterLevel:
  - cluster: mesh
    serviceConnections:
      - {{name: sent, {SHARED}, witness: caller, {ENDS}, {STATUS}}}
      - {{name: received, {SHARED}, witness: called, {ENDS}, {STATUS}}}
    serviceMeasurements:
      - {{name: mean-sent, measure: latency_mean_ms, {SHARED}, witness: caller, {ENDS}}}
      - {{name: mean-received, measure: latency_mean_ms, {SHARED}, witness: called, {ENDS}}}
classes: [{{name: service, color: blue}}]
""")
START_MS = 1_767_322_800_000
NOTICED_MS = START_MS + HOUR_MS
END_MS = NOTICED_MS + 10 * MINUTE_MS
CALLS = {
    "INTERNET": {"web": 100.0},
    "web": {"cart": 0.5, "search": 0.5},
    "cart": {"db": 2.0, "pay": 0.2},
    "search": {"db": 1.0},
    "pay": {"bank": 1.0},
}
"""Of each node: calls for each request that enters it; of INTERNET, calls a second."""
ORDER = ("INTERNET", "web", "cart", "search", "pay", "db", "bank")


@attrs.define
class State:
    """How things are at an instant."""

    own_ms: dict[str, float] = attrs.field(
        factory=lambda: {"web": 5.0, "cart": 10.0, "search": 20.0, "pay": 8.0, "db": 4.0, "bank": 30.0}
    )
    network_ms: dict[tuple[str, str], float] = attrs.field(factory=dict)
    failing: dict[str, float] = attrs.field(factory=dict)
    lost: dict[str, float] = attrs.field(factory=dict)
    calls: dict[tuple[str, str], float] = attrs.field(factory=dict)
    tolerant: set[str] = attrs.field(factory=set)
    """Who answers well although what it calls fails."""


Trouble = Callable[[State], None]


def scrape(instant_ms: int, state: State, noise: random.Random | None, failed: str = "") -> Scrape:
    def noisy(value: float) -> float:
        return value if noise is None else value * noise.lognormvariate(0, 0.1)

    entering, edges = dict.fromkeys(ORDER, 0.0), {}
    for source in ORDER:
        for target, calls in CALLS.get(source, {}).items():
            number = state.calls.get((source, target), calls)
            rps = number * (1.0 if source == "INTERNET" else entering[source])
            edges[source, target] = noisy(rps)
            entering[target] += edges[source, target] * (1 - state.lost.get(target, 0.0))
    took: dict[str, float] = {}
    bad: dict[str, float] = {}
    for node in reversed(ORDER[1:]):
        waits, passed = 0.0, 0.0
        for target in CALLS.get(node, {}):
            each = edges[node, target] / entering[node] if entering[node] else 0.0
            waits += each * (took[target] + state.network_ms.get((node, target), 1.0))
            passed += min(each, 1.0) * max(bad[target], state.lost.get(target, 0.0))
        took[node] = noisy(state.own_ms[node]) + waits
        bad[node] = min(1.0, state.failing.get(node, 0.0) + (0.0 if node in state.tolerant else passed))
    samples: list[Sample] = []
    measurements: list[Measurement] = []
    for (source, target), rps in edges.items():
        if not rps:
            continue
        lost = rps * state.lost.get(target, 0.0)
        for rule, arrived, gone in (("sent", rps - lost, lost), ("received", rps - lost, 0.0)):
            samples.append(Sample("mesh", rule, source, target, "200", arrived * (1 - bad[target])))
            samples.append(Sample("mesh", rule, source, target, "500", arrived * bad[target]))
            if rule == "sent":
                samples.append(Sample("mesh", rule, source, target, "503", gone))
        network = state.network_ms.get((source, target), 1.0)
        for rule, ms in (("mean-sent", took[target] + network), ("mean-received", took[target])):
            measurements.append(Measurement("mesh", rule, source, target, "latency_mean_ms", ms))
    outcomes = tuple(
        RuleOutcome(
            cluster,
            rule.id,
            Outcome.TIMEOUT if rule.id == failed else Outcome.OK,
            "too slow" if rule.id == failed else "",
        )
        for cluster, rule in MESH.rules()
    )
    return Scrape(
        instant_ms,
        10_000,
        MESH.hash,
        outcomes,
        [each for each in samples if each.rule != failed],
        tuple(each for each in measurements if each.rule != failed),
    )


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int | None, bool], Path]:
    """An hour that is well: made once for each kind of noise, and copied by whoever goes on with it."""

    @cache
    def made(noise: int | None, rule_fails: bool) -> Path:
        place = tmp_path_factory.mktemp("healthy")
        write(place, range(START_MS, NOTICED_MS, MINUTE_MS), lambda state: None, noise, rule_fails=rule_fails)
        return place

    return made


def write(
    place: Path, instants_ms: Iterable[int], trouble: Trouble, noise: int | None, *, rule_fails: bool = False
) -> Recording:
    recording = Recording.open(place, create=True, clock=lambda: END_MS + HOUR_MS)
    chance = None if noise is None else random.Random(noise)
    with recording.writer() as writer:
        writer.put_configuration(MESH)
        for instant_ms in instants_ms:
            state = State()
            trouble(state)
            failed = (
                "received" if rule_fails and 3 * MINUTE_MS < NOTICED_MS - instant_ms < 6 * MINUTE_MS else ""
            )
            each = scrape(instant_ms, state, chance, failed)
            writer.commit(attrs.evolve(each, interval_ms=MINUTE_MS))
    return recording


Recorded = Callable[..., Recording]


@pytest.fixture
def recorded(tmp_path: Path, healthy: Callable[[int | None, bool], Path]) -> Recorded:
    """An hour that is well, then trouble: scrapes each minute."""

    def made(
        trouble: Trouble,
        *,
        noise: int | None = None,
        gap: bool = False,
        rule_fails: bool = False,
        lasts_ms: int = HOUR_MS,
    ) -> Recording:
        place = tmp_path / "recording"
        shutil.copytree(healthy(noise, rule_fails), place)
        for part, begins_ms, ends_ms, how in (
            (1, NOTICED_MS, min(NOTICED_MS + lasts_ms, END_MS), trouble),
            (2, NOTICED_MS + lasts_ms, END_MS, lambda state: None),
        ):
            instants_ms = [
                instant_ms
                for instant_ms in range(begins_ms, ends_ms, MINUTE_MS)
                if not (gap and NOTICED_MS + 2 * MINUTE_MS <= instant_ms < NOTICED_MS + 4 * MINUTE_MS)
            ]
            write(place, instants_ms, how, None if noise is None else noise + 100 * part)
        return Recording.open(place, clock=lambda: END_MS + HOUR_MS)

    return made


def slow_database(state: State) -> None:
    state.own_ms["db"] = 60.0


def bad_version(state: State) -> None:
    state.failing["cart"] = 0.2


def slow_without_errors(state: State) -> None:
    state.own_ms["search"] = 120.0


def lost_zone(state: State) -> None:
    state.lost["pay"] = 0.4


def retry_storm(state: State) -> None:
    state.calls["cart", "pay"] = 1.2
    state.failing["pay"] = 0.6


def quiet_disappearance(state: State) -> None:
    state.calls["web", "search"] = 0.0


def slow_network(state: State) -> None:
    for pair in (("cart", "db"), ("search", "db")):
        state.network_ms[pair] = 80.0


TROUBLES = {
    "slow database": (slow_database, "db", "own_time_ms"),
    "bad version": (bad_version, "cart", "own_failure_share"),
    "slow without errors": (slow_without_errors, "search", "own_time_ms"),
    "lost zone": (lost_zone, "pay", "lost_share"),
    "retry storm": (retry_storm, "pay", "own_failure_share"),
    "quiet disappearance": (quiet_disappearance, "search", "calls_per_request"),
    "slow network": (slow_network, "db", "network_ms"),
}


@pytest.mark.parametrize("name", TROUBLES)
def test_the_cause_of_a_constructed_incident_is_the_first_suspect(name: str, recorded: Recorded) -> None:
    trouble, cause, measure = TROUBLES[name]
    found = recorded(trouble).suspects(NOTICED_MS, END_MS)
    assert found.nodes()[0] == cause, found.table.to_pylist()
    first = found.table.to_pylist()[0]
    assert first["measure"] == measure
    assert first["rank"] == 1
    assert abs(first["onset"].timestamp() * 1000 - NOTICED_MS) <= MINUTE_MS


@pytest.mark.parametrize("name", TROUBLES)
def test_the_cause_is_the_first_suspect_in_noise_with_a_gap_and_a_rule_that_failed(
    name: str, recorded: Recorded
) -> None:
    trouble, cause, _ = TROUBLES[name]
    recording = recorded(
        trouble,
        noise=7,
        gap=True,
        rule_fails=True,
    )
    found = recording.suspects(NOTICED_MS, END_MS)
    assert found.nodes()[0] == cause, found.table.to_pylist()
    assert {each["reason"].partition(":")[0] for each in found.unseen.to_pylist()} == {
        "not running",
        "not seen",
    }


@pytest.mark.parametrize("shift_ms", [-60_000, 60_000])
@pytest.mark.parametrize("name", TROUBLES)
@pytest.mark.slow
def test_a_minute_early_or_late_names_the_same_cause(name: str, shift_ms: int, recorded: Recorded) -> None:
    trouble, cause, _ = TROUBLES[name]
    found = recorded(trouble, noise=3).suspects(NOTICED_MS + shift_ms, END_MS)
    assert found.nodes()[0] == cause


def test_two_at_once_are_the_first_two(recorded: Recorded) -> None:
    def both(state: State) -> None:
        slow_database(state)
        bad_version(state)

    assert set(recorded(both, noise=1).suspects(NOTICED_MS, END_MS).nodes()[:2]) == {"db", "cart"}


@pytest.mark.parametrize("seed", range(4))
def test_nobody_is_suspected_where_nothing_happened(seed: int, recorded: Recorded) -> None:
    recording = recorded(lambda state: None, noise=seed)
    found = recording.suspects(NOTICED_MS, END_MS)
    assert (len(found), found.nodes()) == (0, [])
    assert len(recording.incidents(NOTICED_MS - 10 * MINUTE_MS, END_MS)) == 0


def test_a_slow_way_between_two_nodes_whose_other_calls_are_well_is_an_edge(recorded: Recorded) -> None:
    def slow_way(state: State) -> None:
        state.network_ms["search", "db"] = 200.0
        state.calls["web", "search"] = 0.5

    found = recorded(slow_way).suspects(NOTICED_MS, END_MS)
    assert "search > db" in found.table.to_pylist()[0]["evidence"]


def test_evidence_says_by_how_much_since_when_and_who_felt_it(recorded: Recorded) -> None:
    evidence = recorded(slow_database).suspects(NOTICED_MS, END_MS).table["evidence"][0].as_py()
    assert evidence.startswith(
        "its own time, without what it waits for, went from 4 ms to 60 ms a request since 2026-01-02T04:00:00"
    )


def test_a_mark_near_the_onset_is_named_with_how_near_it_was_and_is_no_cause(recorded: Recorded) -> None:
    recording = recorded(slow_database)
    recording.annotate(Annotation(NOTICED_MS - 40_000, "db v2", "deployment", cluster="mesh", node="db"))
    recording.annotate(Annotation(NOTICED_MS, "bank v9", "deployment", cluster="mesh", node="bank"))
    table = recording.suspects(NOTICED_MS, END_MS).table
    assert table["evidence"][0].as_py().endswith("near it: deployment 'db v2' 40 s before it")
    assert "bank" not in table["node"].to_pylist()


def test_about_leaves_those_that_a_node_calls_and_refuses_unknown_names(recorded: Recorded) -> None:
    def both(state: State) -> None:
        state.own_ms["bank"] = 400.0
        state.own_ms["search"] = 120.0

    recording = recorded(both)
    assert recording.suspects(NOTICED_MS, END_MS, about="cart").nodes()[0] == "bank"
    assert "search" not in recording.suspects(NOTICED_MS, END_MS, about="cart").nodes()
    with pytest.raises(UnknownNameError):
        recording.suspects(NOTICED_MS, END_MS, about="carts")


def test_a_baseline_of_ones_own_is_what_is_normal(recorded: Recorded) -> None:
    recording = recorded(slow_database)
    ago = (START_MS, START_MS + 20 * MINUTE_MS)
    assert recording.suspects(NOTICED_MS, END_MS, baseline=ago).nodes()[0] == "db"
    while_slow = (NOTICED_MS, NOTICED_MS + 5 * MINUTE_MS)
    assert recording.suspects(NOTICED_MS + 5 * MINUTE_MS, END_MS, baseline=while_slow).nodes() == []


def test_the_same_question_has_the_same_answer_before_and_after_files_are_sealed(recorded: Recorded) -> None:
    recording = recorded(retry_storm, noise=5)
    before = recording.suspects(NOTICED_MS, END_MS).table
    with recording.writer() as writer:
        writer.seal(END_MS + HOUR_MS)
    assert (
        Recording.open(recording.place, clock=lambda: END_MS + HOUR_MS).suspects(NOTICED_MS, END_MS).table
        == before
    )


def test_an_incident_says_when_who_first_and_how_bad(recorded: Recorded) -> None:
    recording = recorded(bad_version, lasts_ms=4 * MINUTE_MS)
    (incident,) = recording.incidents(NOTICED_MS - 10 * MINUTE_MS, END_MS)
    assert abs(incident.start_ms - NOTICED_MS) <= MINUTE_MS
    assert incident.end_ms is not None
    assert abs(incident.end_ms - NOTICED_MS - 4 * MINUTE_MS) <= MINUTE_MS
    assert (incident.first.cluster, incident.first.node) == ("mesh", "cart")
    assert incident.worst_share == pytest.approx(0.1, abs=0.01), (
        "half of what enters is for cart, a fifth fails"
    )
    assert [whom.node for whom in incident.hit] == ["cart", "web"], (
        "web did nothing itself, and its users see it"
    )
    assert (
        incident.summary
        == "cart (mesh) left its normal first, then web; at worst 10 % of what enters mesh failed"
    )


def test_slowness_hits_who_waits_and_is_told_as_how_long_it_takes(recorded: Recorded) -> None:
    (incident,) = recorded(slow_without_errors).incidents(NOTICED_MS - 10 * MINUTE_MS, END_MS)
    assert [whom.node for whom in incident.hit] == ["search", "web"]
    assert incident.worst_share == 0
    # What enters usually takes 32.5 ms, and half of it takes 100 ms more.
    assert incident.summary.endswith(
        "less than 1 % of what enters mesh failed, and it took 2.5 times as long"
    )


def test_who_gets_along_without_what_fails_is_not_hit(recorded: Recorded) -> None:
    def not_needed(state: State) -> None:
        state.failing["bank"] = 0.5
        state.calls["pay", "bank"] = 1.0
        state.tolerant.add("pay")

    (incident,) = recorded(not_needed).incidents(NOTICED_MS - 10 * MINUTE_MS, END_MS)
    assert [whom.node for whom in incident.hit] == ["bank"]
    assert incident.summary == "bank (mesh) alone left its normal; less than 1 % of what enters mesh failed"


def test_an_incident_that_lasts_has_no_end(recorded: Recorded) -> None:
    (incident,) = recorded(slow_database).incidents(NOTICED_MS - 10 * MINUTE_MS, END_MS)
    assert incident.end_ms is None
    assert incident.first.node == "db"


def test_an_incident_in_the_first_hour_of_a_recording_is_found_by_what_most_of_it_was_like(
    tmp_path: Path,
) -> None:
    place = tmp_path / "recording"
    begins_ms, ends_ms = START_MS + 25 * MINUTE_MS, START_MS + 40 * MINUTE_MS
    for noise, (first_ms, last_ms, how) in enumerate(
        (
            (START_MS, begins_ms, lambda state: None),
            (begins_ms, ends_ms, bad_version),
            (ends_ms, NOTICED_MS, lambda state: None),
        )
    ):
        write(place, range(first_ms, last_ms, MINUTE_MS), how, noise)
    recording = Recording.open(place, clock=lambda: END_MS)
    (incident,) = recording.incidents(START_MS, NOTICED_MS)
    assert incident.first.node == "cart"
    assert abs(incident.start_ms - begins_ms) <= MINUTE_MS
    assert incident.end_ms is not None
    assert abs(incident.end_ms - ends_ms) <= MINUTE_MS


def test_a_window_has_its_start_and_not_its_end(recorded: Recorded) -> None:
    """Two instants of trouble say enough, one does not."""
    recording = recorded(slow_database)
    second_ms = NOTICED_MS + MINUTE_MS
    for start_ms, end_ms, named in (
        (NOTICED_MS, second_ms, []),
        (NOTICED_MS, second_ms + 1, ["db"]),
        (NOTICED_MS + 1, second_ms + 1, []),
    ):
        assert recording.suspects(start_ms, end_ms).nodes()[:1] == named


def test_an_incident_after_the_window_is_none_of_it(recorded: Recorded) -> None:
    assert len(recorded(slow_database).incidents(NOTICED_MS - 10 * MINUTE_MS, NOTICED_MS)) == 0


def test_more_than_two_days_are_refused(recorded: Recorded) -> None:
    with pytest.raises(UsageError, match="at most 48"):
        recorded(slow_database).incidents(END_MS - 50 * HOUR_MS, END_MS)


def test_over_http_both_say_what_they_say_in_python(recorded: Recorded) -> None:
    recording = recorded(slow_database)
    client = Client(create_app(recording, now_ms=lambda: END_MS))
    window = {"start": format_instant(NOTICED_MS), "end": format_instant(END_MS)}

    found = client.get("/suspects", query_string=window).get_json()
    table = recording.suspects(NOTICED_MS, END_MS).table
    assert [list(each) for each in found["suspects"]] == [table.column_names] * table.num_rows
    for name in ("rank", "cluster", "node", "target", "score", "measure", "evidence"):
        assert [each[name] for each in found["suspects"]] == table[name].to_pylist()
    assert found["suspects"][0]["onset"] == format_instant(NOTICED_MS)
    assert found["baseline"] == {"start": format_instant(START_MS), "end": format_instant(NOTICED_MS)}

    found = client.get("/incidents", query_string=window).get_json()
    (incident,) = recording.incidents(NOTICED_MS, END_MS)
    assert found["incidents"] == [
        {
            "start": format_instant(incident.start_ms),
            "end": None,
            "summary": incident.summary,
            "first": {"cluster": "mesh", "node": "db", "target": None},
            "hit": [{"cluster": whom.cluster, "node": whom.node} for whom in incident.hit],
            "worst_share": incident.worst_share,
            "times_as_long": incident.times_as_long,
        }
    ]
    assert found["unseen"] == []

    other = client.get("/suspects", query_string={**window, "about": "carts"})
    assert (other.status_code, other.get_json()["nearest"]) == (404, ["cart"])
    long = {"start": format_instant(NOTICED_MS - 25 * HOUR_MS), "end": format_instant(NOTICED_MS)}
    assert client.get("/incidents", query_string=long).status_code == 400


def test_in_the_terminal_both_say_who_and_why(recorded: Recorded, tmp_path: Path) -> None:
    recording = recorded(slow_database)
    window = (
        "--recording",
        recording.place,
        "--start",
        format_instant(NOTICED_MS),
        "--end",
        format_instant(END_MS),
    )
    told = CliRunner().invoke(main, ["suspects", *window])
    assert told.exit_code == 0
    assert told.stdout.startswith("  1  db (mesh), ")
    assert recording.suspects(NOTICED_MS, END_MS).table["evidence"][0].as_py() in told.stdout
    ranked = json.loads(CliRunner().invoke(main, ["suspects", *window, "--json"]).stdout)["suspects"]
    assert [each["rank"] for each in ranked] == list(range(1, len(ranked) + 1))

    (incident,) = recording.incidents(NOTICED_MS, END_MS)
    told = CliRunner().invoke(main, ["incidents", *window])
    assert told.stdout == f"{format_instant(incident.start_ms)} still: {incident.summary}\n"
    # From the first instant on, so nothing was recorded before.
    from_first = (*window[:2], "--start", format_instant(START_MS), "--end", format_instant(NOTICED_MS))
    told = CliRunner().invoke(main, ["suspects", *from_first])
    assert told.stdout.startswith("nothing can be said: ")
    quiet = (
        *window[:2],
        "--start",
        format_instant(NOTICED_MS - 600_000),
        "--end",
        format_instant(NOTICED_MS),
    )
    assert CliRunner().invoke(main, ["incidents", *quiet]).stdout == "nothing left its normal\n"
