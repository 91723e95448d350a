"""When an answer is history: the same rule for a graph, a frame, and a window."""

from __future__ import annotations

import attrs
import pytest
from support.scrapes import INTERVAL_MS, START_MS

from vistio_core.graph.model import FailedRule
from vistio_core.replay.frames.model import Frame
from vistio_core.replay.settled import instant_is_settled, nothing_is_open, window_is_settled
from vistio_core.times import HOUR_MS, MINUTE_MS

SHOWN = Frame(START_MS, START_MS, INTERVAL_MS)


@pytest.mark.parametrize(("age_ms", "wanted"), [(0, True), (INTERVAL_MS - 1, True), (INTERVAL_MS, False)])
def test_nothing_is_open_until_the_next_instant_is_due(age_ms: int, wanted: bool) -> None:
    assert nothing_is_open(attrs.evolve(SHOWN, asked_ms=START_MS + age_ms)) is wanted


def test_where_nothing_is_shown_or_a_rule_failed_something_is_open() -> None:
    for shown in (
        attrs.evolve(SHOWN, instant_ms=None),
        attrs.evolve(SHOWN, failed_rules=(FailedRule("", "ingress", "failed", "no answer"),)),
    ):
        assert not nothing_is_open(shown)
        assert not instant_is_settled(shown, START_MS + 365 * 24 * HOUR_MS)


@pytest.mark.parametrize(("by_ms", "wanted"), [(-1, False), (0, True), (1, True)])
def test_an_answer_settles_once_a_slow_commit_would_have_arrived(by_ms: int, wanted: bool) -> None:
    assert instant_is_settled(SHOWN, START_MS + INTERVAL_MS + MINUTE_MS + by_ms) is wanted
    assert window_is_settled(START_MS, START_MS + HOUR_MS + MINUTE_MS + by_ms) is wanted
