"""A scrape is valid once it exists."""

from __future__ import annotations

import math
from typing import Any

import attrs
import pytest

from vistio_core.errors import UsageError
from vistio_core.events import GLOBAL_LEVEL, LARGEST_RATE, Measurement, Outcome, RuleOutcome, Sample, Scrape

INSTANT_MS = 1_795_410_600_000


def sample(**changes: Any) -> Sample:
    return Sample("c", "r", "a", "b", "200", 1.0)._replace(**changes)


def measurement(**changes: Any) -> Measurement:
    return Measurement("c", "r", "a", "", "value", 1.0)._replace(**changes)


def scrape(**changes: Any) -> Scrape:
    values: dict[str, Any] = {
        "instant_ms": INSTANT_MS,
        "interval_ms": 10_000,
        "configuration": "hash",
        "outcomes": (RuleOutcome("c", "r", Outcome.OK),),
    }
    return Scrape(**(values | changes))


def test_a_scrape_cannot_be_changed() -> None:
    made = scrape(samples=(sample(),), measurements=(measurement(),))
    assert made.outcomes == (RuleOutcome("c", "r", Outcome.OK),)
    assert made.samples == (sample(),)
    assert made.measurements == (measurement(),)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        made.instant_ms = 0  # type: ignore[misc]  # that is what is tested


def test_silence_is_a_fact_but_needs_a_rule_that_heard_it() -> None:
    assert scrape().samples == ()
    with pytest.raises(UsageError, match="at least one rule"):
        scrape(outcomes=())


@pytest.mark.parametrize("interval_ms", [0, -1])
def test_an_interval_is_longer_than_nothing(interval_ms: int) -> None:
    with pytest.raises(UsageError, match=r"2026-11-23T05:10:00Z: interval .* must be greater than 0"):
        scrape(interval_ms=interval_ms)
    assert scrape(interval_ms=1).interval_ms == 1


@pytest.mark.parametrize("rate", [float("nan"), float("inf"), float("-inf")])
def test_a_rate_or_value_that_is_not_finite_is_refused(rate: float) -> None:
    with pytest.raises(UsageError, match="finite rate"):
        scrape(samples=[sample(rate=rate)])
    with pytest.raises(UsageError, match="finite value"):
        scrape(measurements=[measurement(value=rate)])


@pytest.mark.parametrize("rate", [math.nextafter(LARGEST_RATE, math.inf), -2 * LARGEST_RATE])
def test_a_rate_beyond_the_largest_is_refused(rate: float) -> None:
    with pytest.raises(UsageError, match="finite rate up to"):
        scrape(samples=[sample(rate=rate)])


@pytest.mark.parametrize("rate", [0.0, -1.5, math.nextafter(LARGEST_RATE, 0), LARGEST_RATE, -LARGEST_RATE])
def test_any_ordinary_rate_is_kept_as_it_is(rate: float) -> None:
    assert scrape(samples=[sample(rate=rate)]).samples[0].rate == rate


@pytest.mark.parametrize("end", ["source", "target"])
def test_a_sample_needs_both_names(end: str) -> None:
    with pytest.raises(UsageError, match="both names"):
        scrape(samples=[sample(**{end: ""})])


def test_a_measurement_needs_a_node_and_may_be_about_an_edge() -> None:
    with pytest.raises(UsageError, match="a node"):
        scrape(measurements=[measurement(source="")])
    assert scrape(measurements=[measurement(), measurement(target="b")]).measurements[1].target == "b"


@pytest.mark.parametrize("field", ["cluster", "rule", "source", "target", "status"])
def test_a_sample_occurs_once_for_each_rule_edge_and_status(field: str) -> None:
    with pytest.raises(UsageError, match="occurs twice; sum or merge before"):
        scrape(samples=[sample(), sample(rate=2.0)])
    assert len(scrape(samples=[sample(), sample(**{field: "other"})]).samples) == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"cluster": GLOBAL_LEVEL},
        {"rule": "other"},
        {"source": "other"},
        {"target": "other"},
        {"name": "other"},
        {"labels": (("handler", "/b"),)},
    ],
)
def test_a_measurement_occurs_once_for_each_rule_place_name_and_labels(changes: dict[str, Any]) -> None:
    first = measurement(labels=(("handler", "/a"),))
    with pytest.raises(UsageError, match=r"measurement .* occurs twice"):
        scrape(measurements=[first, first._replace(value=2.0)])
    assert len(scrape(measurements=[first, first._replace(**changes)]).measurements) == 2


def test_the_order_of_labels_does_not_make_another_measurement() -> None:
    first = measurement(labels=(("handler", "/a"), ("pod", "x")))
    with pytest.raises(UsageError, match=r"measurement .* occurs twice"):
        scrape(measurements=[first, first._replace(labels=first.labels[::-1])])


def test_a_rule_has_one_outcome_in_each_cluster() -> None:
    outcome = RuleOutcome("c", "r", Outcome.OK)
    with pytest.raises(UsageError, match=r"outcome .* occurs twice"):
        scrape(outcomes=(outcome, attrs.evolve(outcome, outcome=Outcome.FAILED)))
    assert len(scrape(outcomes=(outcome, attrs.evolve(outcome, cluster=GLOBAL_LEVEL))).outcomes) == 2


@pytest.mark.parametrize(
    ("outcomes", "seen"),
    [
        ([Outcome.FAILED], False),
        ([Outcome.TIMEOUT, Outcome.SKIPPED], False),
        ([Outcome.FAILED, Outcome.OK], True),
    ],
)
def test_something_was_seen_when_at_least_one_rule_was_answered(outcomes: list[Outcome], seen: bool) -> None:
    made = scrape(outcomes=tuple(RuleOutcome("c", f"r{i}", outcome) for i, outcome in enumerate(outcomes)))
    assert made.seen is seen


def test_an_outcome_may_be_given_as_text_and_must_be_a_known_one() -> None:
    assert RuleOutcome("c", "r", "timeout").outcome is Outcome.TIMEOUT
    with pytest.raises(ValueError, match="nonsense"):
        RuleOutcome("c", "r", "nonsense")
