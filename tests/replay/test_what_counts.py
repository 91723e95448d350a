"""What counts for a rule when supplements come: the rule in Python, its form in SQL, and plain arithmetic."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence

import attrs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.scrapes import INTERVAL_MS, START_MS, mesh, outcomes, scrape

from vistio_core import Outcome, Recording, RuleOutcome
from vistio_core.times import HOUR_MS

NOW_MS = START_MS + 2 * HOUR_MS
INSTANTS_MS = [START_MS + index * INTERVAL_MS for index in range(4)]
CLUSTERS = {"ingress": "", "http": "mesh", "saturation": "mesh"}
OUTCOMES = st.sampled_from([outcome.value for outcome in Outcome])
# The scrape, then what is tried later of what is left: the outcome of each rule, and of some rules only.
TOLD = st.tuples(
    st.fixed_dictionaries(dict.fromkeys(CLUSTERS, OUTCOMES)),
    st.lists(st.dictionaries(st.sampled_from(sorted(CLUSTERS)), OUTCOMES, min_size=1), max_size=3),
)


def counting(told: Sequence[Mapping[str, str]]) -> dict[str, tuple[str, str]]:
    """Cluster and rule to what counts: the outcome that was answered, else the newest."""
    known: dict[str, tuple[str, str]] = {}
    for number, outcome_of in enumerate(told):
        for rule, outcome in outcome_of.items():
            if known.get(rule, ("", ""))[0] != "ok":
                known[rule] = outcome, "" if outcome == "ok" else error(rule, number)
    return known


def error(rule: str, number: int) -> str:
    return f"{rule} was tried {number} times before"


def tried(number: int, by_rule: Mapping[str, str]) -> tuple[RuleOutcome, ...]:
    """The outcomes of some rules, of which was told ``number`` times before."""
    return tuple(
        attrs.evolve(outcome, error=error(outcome.rule, number) if outcome.error else "")
        for outcome in outcomes(**by_rule)
        if outcome.rule in by_rule
    )


@given(
    told=st.lists(TOLD, min_size=len(INSTANTS_MS), max_size=len(INSTANTS_MS)),
    merged=st.sampled_from(["", "merge", "seal"]),
)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_python_and_sql_say_what_counts_as_plain_arithmetic_does(
    told: list[tuple[dict[str, str], list[dict[str, str]]]], merged: str
) -> None:
    known: dict[int, dict[str, tuple[str, str]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        recording = Recording.open(folder, create=True, clock=lambda: NOW_MS)
        with recording.writer() as writer:
            writer.put_configuration(mesh())
            for instant_ms, (first, later) in zip(INSTANTS_MS, told, strict=True):
                seen = [first]
                writer.commit(attrs.evolve(scrape(instant_ms), outcomes=tried(0, first)))
                for by_rule in later:
                    left = {rule for rule, (outcome, _) in counting(seen).items() if outcome != "ok"}
                    fitting = {rule: outcome for rule, outcome in by_rule.items() if rule in left}
                    if fitting:
                        answer = scrape(instant_ms, backfilled=True)
                        writer.supplement(attrs.evolve(answer, outcomes=tried(len(seen), fitting)))
                        seen.append(fitting)
                known[instant_ms] = counting(seen)
            if merged == "merge":
                writer.merge(NOW_MS)
            elif merged == "seal":
                writer.seal(NOW_MS)
        failed = {
            instant_ms: sorted(
                (CLUSTERS[rule], rule, *what) for rule, what in rules.items() if what[0] != "ok"
            )
            for instant_ms, rules in known.items()
        }
        for row in recording.instants().to_pylist():
            own = failed[round(row["instant"].timestamp() * 1000)]
            assert (row["failed_rules"], row["seen"]) == (len(own), len(own) < len(CLUSTERS))
            assert row["failure"] == (": ".join(own[0][2:]) if own else None)
        presence = recording.presence()
        assert presence.to_pylist() == recording.instants().select(presence.column_names).to_pylist()
        assert {
            unanswered.instant_ms: [(rule.cluster, rule.rule, rule.error) for rule in unanswered.rules]
            for unanswered in recording.unanswered()
        } == {
            ms: [(cluster, rule, why) for cluster, rule, _, why in own] for ms, own in failed.items() if own
        }
        frames = recording.frames(INSTANTS_MS[0], INSTANTS_MS[-1] + 1, "10s").frames
        for frame, (instant_ms, own) in zip(frames, failed.items(), strict=True):
            if len(own) < len(CLUSTERS):
                graph = recording.graph(instant_ms)
                assert graph.instant_ms == frame.instant_ms == instant_ms
                assert [attrs.astuple(rule) for rule in graph.failed_rules] == own
                assert graph.failed_rules == frame.failed_rules
