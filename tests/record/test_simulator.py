"""The simulated mesh: a pure function of time whose traffic adds up and whose incident spreads."""

from __future__ import annotations

import random
import sys
from collections import Counter, defaultdict
from statistics import median
from typing import TYPE_CHECKING

import pytest

from vistio_core.errors import InvalidTimeError, UsageError
from vistio_core.events import Outcome, Scrape
from vistio_core.times import MINUTE_MS, SECOND_MS, parse_instant
from vistio_record.sources import registry
from vistio_record.sources import simulated_mesh as mesh
from vistio_record.sources.base import HasGaps, SourceOptions
from vistio_record.sources.simulator import SimulatorSource

if TYPE_CHECKING:
    from vistio_record.sources.base import Evaluation

ANCHOR = "2026-11-23T15:00:00Z"
ANCHOR_MS = parse_instant(ANCHOR, now_ms=0)
LAST_HOUR = range(ANCHOR_MS - 60 * MINUTE_MS, ANCHOR_MS, 10 * SECOND_MS)
BAD = {"500", "503", "504", "4", "14", "error", "timeout"}
INCIDENT_PATH = (
    ("ratings", "mongodb"),
    ("reviews-v2", "ratings"),
    ("productpage", "reviews-v2"),
    ("gateway", "productpage"),
    ("INTERNET", "gateway"),
)


def simulator(seed: int = 1, anchor: str = ANCHOR) -> SimulatorSource:
    return SimulatorSource(SourceOptions(settings={"seed": str(seed), "anchor": anchor}))


def rates_by_edge(
    evaluation: Evaluation, cluster: str, *, received: bool = False
) -> dict[tuple[str, str], dict[str, float]]:
    """What callers say, or what the called sides do."""
    edges: dict[tuple[str, str], dict[str, float]] = defaultdict(dict)
    for sample in evaluation.samples:
        if sample.cluster == cluster and (sample.rule == mesh.HTTP_RECEIVED) is received:
            assert sample.status not in edges[sample.source, sample.target], "one rule per edge"
            edges[sample.source, sample.target][sample.status] = sample.rate
    return edges


def bad_share(statuses: dict[str, float]) -> float:
    return sum(rate for status, rate in statuses.items() if status in BAD) / sum(statuses.values())


def test_two_sources_with_the_same_seed_and_anchor_say_the_same() -> None:
    one, other = simulator(), simulator()
    assert one.configuration.hash == other.configuration.hash
    assert [one.evaluate(t, 8) for t in LAST_HOUR[::30]] == [other.evaluate(t, 8) for t in LAST_HOUR[::30]]


def test_instants_may_be_asked_in_any_order() -> None:
    instants = list(LAST_HOUR[::12])
    shuffled = random.Random(3).sample(instants, len(instants))
    one, other = simulator(), simulator()
    in_order = {t: one.evaluate(t, 8) for t in instants}
    assert {t: other.evaluate(t, 8) for t in shuffled} == in_order


def test_another_seed_is_another_hour() -> None:
    assert simulator(1).evaluate(ANCHOR_MS, 8).samples != simulator(2).evaluate(ANCHOR_MS, 8).samples


@pytest.mark.parametrize("minutes", [-600_000, -60, -50, -30, -11, 0, 7, 60, 90 * 24 * 60])
def test_every_instant_makes_a_valid_scrape_with_positive_rates(minutes: int) -> None:
    source = simulator()
    t = ANCHOR_MS + minutes * MINUTE_MS
    evaluation = source.evaluate(t, 8)
    # The constructor refuses what is not finite, has no name or occurs twice.
    Scrape(
        t,
        10_000,
        source.configuration.hash,
        evaluation.outcomes,
        evaluation.samples,
        evaluation.measurements,
    )
    assert all(sample.rate > 0 for sample in evaluation.samples)
    saturation = [each.value for each in evaluation.measurements if each.rule == "saturation"]
    assert all(0 < value < 1 for value in saturation)
    latency = [each.value for each in evaluation.measurements if each.rule.startswith("latency")]
    assert all(0.5 < value < 5_000 for value in latency)
    assert len(evaluation.samples) > 80


def test_outcomes_follow_the_configuration_and_count_their_series() -> None:
    source = simulator()
    evaluation = source.evaluate(ANCHOR_MS, 8)
    assert [(o.cluster, o.rule) for o in evaluation.outcomes] == [
        (cluster, rule.id) for cluster, rule in source.configuration.rules()
    ]
    facts = [fact[:2] for fact in (*evaluation.samples, *evaluation.measurements)]
    for outcome in evaluation.outcomes:
        assert outcome.series == facts.count((outcome.cluster, outcome.rule)) > 0
    assert sum(outcome.series for outcome in evaluation.outcomes) == len(facts)


def test_the_configuration_is_read_without_a_warning_and_every_cluster_can_be_entered() -> None:
    source = simulator()
    assert source.configuration.warnings == ()
    targets = {s.target for s in source.evaluate(ANCHOR_MS, 8).samples if s.cluster == ""}
    assert {cluster.cluster for cluster in source.configuration.clusters} <= targets


def test_the_mesh_is_as_big_as_the_demo_promises() -> None:
    evaluation = simulator().evaluate(ANCHOR_MS, 8)
    for cluster in mesh.CLUSTERS:
        nodes = {name for edge in rates_by_edge(evaluation, cluster) for name in edge}
        assert {"gateway", "productpage", "mongodb", "INTERNET"} <= nodes
        assert len(nodes) >= 16
    assert ("eu-west", "us-east") in rates_by_edge(evaluation, "")
    assert ("us-east", "eu-west") in rates_by_edge(evaluation, "")


@pytest.mark.parametrize("minutes", [-55, -28, 5])
def test_what_enters_a_cluster_on_the_global_level_arrives_at_its_gateway(minutes: int) -> None:
    evaluation = simulator().evaluate(ANCHOR_MS + minutes * MINUTE_MS, 8)
    world = rates_by_edge(evaluation, "")
    for cluster in mesh.CLUSTERS:
        inside = rates_by_edge(evaluation, cluster)
        assert inside["INTERNET", "gateway"] == world["INTERNET", cluster]


def test_traffic_between_clusters_leaves_crosses_and_arrives_with_one_rate() -> None:
    evaluation = simulator().evaluate(ANCHOR_MS, 8)
    leaves = rates_by_edge(evaluation, "us-east")["checkout", "payment.eu-west"]
    crosses = rates_by_edge(evaluation, "")["us-east", "eu-west"]
    arrives = rates_by_edge(evaluation, "eu-west")["us-east", "payment"]
    assert leaves == crosses == arrives


@pytest.mark.parametrize("minutes", [-55, -28, 5])
def test_calls_out_of_a_service_are_its_load_times_the_fan_out_plus_retries(minutes: int) -> None:
    evaluation = simulator().evaluate(ANCHOR_MS + minutes * MINUTE_MS, 8)
    checked = 0
    for cluster in mesh.CLUSTERS:
        edges = rates_by_edge(evaluation, cluster)
        load: dict[str, float] = defaultdict(float)
        for (_, target), statuses in edges.items():
            load[target] += sum(statuses.values())
        for call in mesh.CALLS:
            if call.source.cluster != cluster or call.target.cluster != cluster:
                continue
            statuses = edges[call.source.name, call.target.name]
            usual = load[call.source.name] * call.fan_out
            retries = 1 + bad_share(statuses)  # 0.9 extra per failing call, and a little noise
            assert usual * 0.91 < sum(statuses.values()) < usual * 1.09 * retries, call
            checked += 1
    assert checked >= 50


def test_the_incident_begins_at_the_database_and_reaches_the_gateway_last() -> None:
    source = simulator()
    first_bad: dict[tuple[str, str], int] = {}
    last_bad: dict[tuple[str, str], int] = {}
    for t in LAST_HOUR:
        edges = rates_by_edge(source.evaluate(t, 8), "eu-west")
        for edge in INCIDENT_PATH:
            if bad_share(edges[edge]) > 0.02:
                first_bad.setdefault(edge, t)
                last_bad[edge] = t
    begins = [first_bad[edge] for edge in INCIDENT_PATH]
    assert begins == sorted(set(begins)), "every caller begins later than what it calls"
    assert ANCHOR_MS - 35 * MINUTE_MS < begins[0] < ANCHOR_MS - 34 * MINUTE_MS
    assert 4 * MINUTE_MS < begins[-1] - begins[0] < 8 * MINUTE_MS
    assert max(last_bad.values()) < ANCHOR_MS - 19 * MINUTE_MS


def test_the_incident_shows_as_503_at_the_gateway_and_as_retries_at_the_database() -> None:
    source = simulator()
    before = rates_by_edge(source.evaluate(ANCHOR_MS - 40 * MINUTE_MS, 8), "eu-west")
    worst = rates_by_edge(source.evaluate(ANCHOR_MS - 26 * MINUTE_MS, 8), "eu-west")
    gateway = worst["INTERNET", "gateway"]
    assert gateway["503"] / sum(gateway.values()) > 0.08
    load_before = sum(before["ratings", "mongodb"].values())
    assert sum(worst["ratings", "mongodb"].values()) > 2 * load_before


def test_the_database_is_saturated_before_it_fails() -> None:
    source = simulator()

    def saturation(minutes: int) -> float:
        evaluation = source.evaluate(ANCHOR_MS + minutes * MINUTE_MS, 8)
        return next(m.value for m in evaluation.measurements if m[:3] == ("eu-west", "saturation", "mongodb"))

    threshold = source.configuration.clusters[0].notices[0].severity_threshold
    assert saturation(-45) < threshold.warning
    assert saturation(-36) > threshold.error
    assert saturation(-22) > threshold.error
    assert saturation(-15) < threshold.warning


def latencies(
    source: SimulatorSource, minutes: int, cluster: str = "eu-west", rule: str = "latency"
) -> dict[tuple[str, str], float]:
    evaluation = source.evaluate(ANCHOR_MS + minutes * MINUTE_MS, 8)
    return {(m.source, m.target): m.value for m in evaluation.measurements if m[:2] == (cluster, rule)}


@pytest.mark.parametrize("minutes", [-55, -36, -28, 5])
def test_every_call_is_timed_and_takes_as_long_as_what_it_waits_for(minutes: int) -> None:
    source = simulator()
    evaluation = source.evaluate(ANCHOR_MS + minutes * MINUTE_MS, 8)
    for cluster in mesh.CLUSTERS:
        called, caller = (latencies(source, minutes, cluster, rule) for rule in ("latency", "latency-caller"))
        edges = rates_by_edge(evaluation, cluster).keys()
        assert called.keys() | caller.keys() == edges
        inside = {edge for edge in edges if not {"us-east", "eu-west", "INTERNET"} & {*edge}}
        assert called.keys() & caller.keys() == {edge for edge in inside if "." not in edge[1]}
        assert all(0 < caller[edge] - called[edge] < 1 for edge in called.keys() & caller.keys())
    timed, waited = latencies(source, minutes), latencies(source, minutes, rule="latency-caller")
    waits = sum(
        call.fan_out * waited[call.source.name, call.target.name]
        for call in mesh.CALLS
        if call.source == ("eu-west", "ratings")
    )
    own = timed["reviews-v2", "ratings"] - waits
    assert 5 < own < 40, "its own time is what is left of what it waits for"


def test_calls_are_slow_before_they_fail_and_from_the_database_up_to_the_gateway() -> None:
    source = simulator()
    usual, full, well = (latencies(source, minutes) for minutes in (-55, -34, -15))
    for edge in INCIDENT_PATH:
        assert full[edge] > 1.5 * usual[edge], edge
        assert well[edge] < 1.2 * usual[edge], edge
    assert full["gateway", "auth"] < 1.2 * usual["gateway", "auth"]
    assert full["ratings", "mongodb"] > 30 * usual["ratings", "mongodb"]
    failing = rates_by_edge(source.evaluate(ANCHOR_MS - 34 * MINUTE_MS, 8), "eu-west")["INTERNET", "gateway"]
    assert bad_share(failing) < 0.01, "slow without errors, for who enters"


def test_the_other_cluster_stays_well() -> None:
    source = simulator()
    for t in LAST_HOUR[::6]:
        edges = rates_by_edge(source.evaluate(t, 8), "us-east")
        assert max(bad_share(statuses) for statuses in edges.values()) < 0.01


@pytest.mark.parametrize(
    ("offset_ms", "running"),
    [
        (-50 * MINUTE_MS - 1, True),
        (-50 * MINUTE_MS, False),
        (-47 * MINUTE_MS - 1, False),
        (-47 * MINUTE_MS, True),
    ],
)
def test_the_recorder_was_not_running_in_the_gap(offset_ms: int, running: bool) -> None:
    assert simulator().was_running(ANCHOR_MS + offset_ms) is running


@pytest.mark.parametrize(
    ("offset_ms", "failed"),
    [(-12 * MINUTE_MS - 1, 0), (-12 * MINUTE_MS, 1), (-630 * SECOND_MS - 1, 1), (-630 * SECOND_MS, 0)],
)
def test_one_rule_is_not_answered_for_a_while(offset_ms: int, failed: int) -> None:
    evaluation = simulator().evaluate(ANCHOR_MS + offset_ms, 8)
    not_answered = [o for o in evaluation.outcomes if o.outcome is not Outcome.OK]
    assert len(not_answered) == failed
    for outcome in not_answered:
        assert outcome.error
        assert outcome.series == 0
        assert not [s for s in evaluation.samples if s[:2] == (outcome.cluster, outcome.rule)]


def test_small_incidents_happen_after_the_anchor_and_never_last_long() -> None:
    source = simulator()
    bad_minutes = 0
    for minute in range(6 * 60):
        evaluation = source.evaluate(ANCHOR_MS + minute * MINUTE_MS, 8)
        shares = [
            bad_share(statuses)
            for cluster in mesh.CLUSTERS
            for statuses in rates_by_edge(evaluation, cluster).values()
        ]
        assert max(shares) < 0.2
        bad_minutes += max(shares) > 0.02
    assert 10 < bad_minutes < 80


def test_it_is_a_source_with_gaps_that_the_registry_knows() -> None:
    source = registry.create("simulator", SourceOptions())
    assert isinstance(source, HasGaps)
    assert source.answers_past


def test_an_evaluation_calls_fewer_than_5000_functions() -> None:
    """Two milliseconds with 2,000 calls; they are counted, since their time depends on who else works."""
    source = simulator()
    calls: list[int] = []
    for t in LAST_HOUR[:100]:
        events: Counter[str] = Counter()
        sys.setprofile(lambda frame, event, argument, events=events: events.update((event,)))
        try:
            source.evaluate(t, 8)
        finally:
            sys.setprofile(None)
        calls.append(events["call"])
    assert 1000 < median(calls) < 5000


def test_the_anchor_is_now_to_the_minute_unless_it_is_given() -> None:
    source = SimulatorSource(SourceOptions(), now_ms=lambda: ANCHOR_MS + 59_999)
    assert source.story.anchor_ms == ANCHOR_MS
    assert simulator(anchor="2026-11-23T16:00:59+01:00").story.anchor_ms == ANCHOR_MS


def test_options_that_the_simulator_does_not_have_are_refused_by_name() -> None:
    with pytest.raises(UsageError, match=r"no option speed; there are seed, anchor, incident"):
        SimulatorSource(SourceOptions(settings={"speed": "2"}))
    with pytest.raises(UsageError, match="seed 'x' must be a whole number"):
        SimulatorSource(SourceOptions(settings={"seed": "x"}))
    with pytest.raises(
        UsageError, match="no incident 'fire'; there are database, version, zone, retries, slow"
    ):
        SimulatorSource(SourceOptions(settings={"incident": "fire"}))
    with pytest.raises(InvalidTimeError, match="yesterday"):
        SimulatorSource(SourceOptions(settings={"anchor": "yesterday"}))
    with pytest.raises(UsageError, match="leave out --config"):
        SimulatorSource(SourceOptions(configuration=simulator().configuration))
