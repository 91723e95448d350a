"""What is due and not there, and what a source that knows no ranges says of it."""

from __future__ import annotations

import pytest
from support.past import Past

from vistio_core.events import Outcome, RuleOutcome
from vistio_record.past import due_runs, evaluations, missing_runs
from vistio_record.sources.base import Evaluation


@pytest.mark.parametrize(
    ("present", "until", "missing"),
    [
        ([], 100, []),
        ([(0, 10)], 10, []),
        ([(0, 10)], 11, [[10]]),
        ([(0, 10), (10, 10), (20, 10)], 30, []),
        ([(0, 10), (40, 10)], 60, [[10, 20, 30], [50]]),
        ([(0, 10), (40, 5), (50, 5)], 60, [[10, 20, 30], [45], [55]]),
        # The interval was changed while nobody was running: the old one holds until the first new instant.
        ([(0, 10), (33, 3)], 34, [[10, 20, 30]]),
    ],
)
def test_what_is_due_after_an_instant_is_due_in_its_interval(
    present: list[tuple[int, int]], until: int, missing: list[list[int]]
) -> None:
    assert [list(run) for run in missing_runs(present, until)] == missing


@pytest.mark.parametrize(
    ("present", "start", "end", "due"),
    [
        (set(), 0, 30, [[0, 10, 20]]),
        (set(), 1, 30, [[10, 20]]),
        (set(), 0, 31, [[0, 10, 20, 30]]),
        ({0, 10, 20}, 0, 30, []),
        ({10}, 0, 30, [[0], [20]]),
        ({0, 20}, 0, 40, [[10], [30]]),
        ({5}, 0, 20, [[0, 10]]),
        (set(), 1, 10, []),
    ],
)
def test_a_window_without_what_is_there_is_made_of_runs(
    present: set[int], start: int, end: int, due: list[list[int]]
) -> None:
    assert [list(run) for run in due_runs(present, start, end, 10)] == due


class OneByOne:
    """A source as third parties may write it: it knows instants only."""

    answers_past = True

    def __init__(self, **outcomes: Outcome) -> None:
        self.configuration = Past(*outcomes).configuration
        self.outcomes = outcomes

    def evaluate(self, instant_ms: int, timeout_s: float) -> Evaluation:
        return Evaluation(
            tuple(RuleOutcome("mesh", rule, outcome) for rule, outcome in self.outcomes.items())
        )

    def close(self) -> None: ...


@pytest.mark.parametrize(
    ("one", "two", "unreached"),
    [
        (Outcome.OK, Outcome.OK, set()),
        (Outcome.OK, Outcome.FAILED, set()),
        (Outcome.OK, Outcome.TIMEOUT, {"two"}),
        (Outcome.FAILED, Outcome.FAILED, {"one", "two"}),
    ],
)
def test_without_ranges_a_source_is_asked_one_by_one(one: Outcome, two: Outcome, unreached: set[str]) -> None:
    every = [("mesh", "one"), ("mesh", "two")]
    found = list(evaluations(OneByOne(one=one, two=two), range(0, 30, 10), 1.0, every))
    assert [instant for instant, _ in found] == [0, 10, 20]
    assert {rule for _, rule in found[0][1].unreached} == unreached
    part = list(evaluations(OneByOne(one=one, two=two), range(0, 10, 10), 1.0, every[:1]))
    assert [outcome.rule for outcome in part[0][1].outcomes] == ["one"]
