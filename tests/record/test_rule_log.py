"""What the log says of rules that fail."""

from __future__ import annotations

import pytest

from vistio_core.events import Outcome, RuleOutcome, Scrape
from vistio_record.rule_log import REMIND_EVERY_MS, RuleLog

NOON = 1_763_899_200_000
OK, DOWN, SLOW = (Outcome.OK, ""), (Outcome.FAILED, "connection refused"), (Outcome.TIMEOUT, "too late")


def scrape(instant_ms: int, *outcomes: tuple[Outcome, str]) -> Scrape:
    rules = tuple(RuleOutcome("mesh", f"r{n}", *outcome) for n, outcome in enumerate(outcomes))
    return Scrape(instant_ms, 10_000, "0" * 64, rules)


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level("INFO")
    return caplog


def test_a_failure_is_told_once_and_so_is_its_end(told: pytest.LogCaptureFixture) -> None:
    rule_log = RuleLog()
    for number, outcome in enumerate([OK, DOWN, DOWN, DOWN, OK, OK]):
        rule_log.tell(scrape(NOON + number * 10_000, outcome))
    assert told.messages == ["rule.failed", "rule.recovered"]
    failed, recovered = told.records
    assert (failed.cluster, failed.rule, failed.outcome, failed.error) == ("mesh", "r0", "failed", DOWN[1])
    assert (failed.instant, failed.since) == ("2025-11-23T12:00:10Z", "2025-11-23T12:00:10Z")
    assert (recovered.instant, recovered.failed_for) == ("2025-11-23T12:00:40Z", "30s")


def test_another_reason_is_told_with_when_it_all_began(told: pytest.LogCaptureFixture) -> None:
    rule_log = RuleLog()
    for number, outcome in enumerate([DOWN, SLOW, DOWN]):
        rule_log.tell(scrape(NOON + number * 10_000, outcome))
    assert [(record.outcome, record.since) for record in told.records] == [
        (outcome, "2025-11-23T12:00:00Z") for outcome in ("failed", "timeout", "failed")
    ]


@pytest.mark.parametrize(("after_ms", "lines"), [(-1, 1), (0, 2), (1, 2)])
def test_a_failure_that_lasts_is_told_again_after_five_minutes(
    told: pytest.LogCaptureFixture, after_ms: int, lines: int
) -> None:
    rule_log = RuleLog()
    for instant_ms in (NOON, NOON + 10_000, NOON + REMIND_EVERY_MS + after_ms):
        rule_log.tell(scrape(instant_ms, DOWN))
    assert told.messages == ["rule.failed"] * lines


def test_each_rule_is_told_for_itself_and_one_that_is_gone_is_forgotten(
    told: pytest.LogCaptureFixture,
) -> None:
    rule_log = RuleLog()
    rule_log.tell(scrape(NOON, DOWN, DOWN))
    rule_log.tell(scrape(NOON + 10_000, DOWN))  # a reload without the second
    rule_log.tell(scrape(NOON + 20_000, OK, DOWN))
    assert [(record.message, record.rule) for record in told.records] == [
        *(("rule.failed", "r0"), ("rule.failed", "r1")),
        *(("rule.recovered", "r0"), ("rule.failed", "r1")),
    ]


def test_a_warning_is_told_once_whatever_its_numbers_and_again_when_it_was_gone(
    told: pytest.LogCaptureFixture,
) -> None:
    def warned(instant_ms: int, *warnings: str) -> Scrape:
        return Scrape(
            instant_ms, 10_000, "0" * 64, (RuleOutcome("mesh", "r0", Outcome.OK, warnings=warnings),)
        )

    rule_log = RuleLog()
    said = [("cut in 2",), ("cut in 3",), ("cut in 3", "partial"), (), ("cut in 4",)]
    for number, warnings in enumerate(said):
        rule_log.tell(warned(NOON + number * 10_000, *warnings))
    assert [(record.message, record.warning) for record in told.records] == [
        ("rule.warned", "cut in 2"),
        ("rule.warned", "partial"),
        ("rule.warned", "cut in 4"),
    ]


def test_a_warning_is_not_told_again_after_a_failure(told: pytest.LogCaptureFixture) -> None:
    rule_log = RuleLog()
    good = RuleOutcome("mesh", "r0", Outcome.OK, warnings=("cut",))
    bad = RuleOutcome("mesh", "r0", *DOWN)
    for number, outcome in enumerate([good, bad, good]):
        rule_log.tell(Scrape(NOON + number * 10_000, 10_000, "0" * 64, (outcome,)))
    assert told.messages == ["rule.warned", "rule.failed", "rule.recovered"]
