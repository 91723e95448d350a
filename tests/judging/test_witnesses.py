"""Two witnesses: the table of the contract, and what must hold whatever they say."""

from __future__ import annotations

from math import isnan

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from vistio_core.judging.witnesses import NOISE, UNKNOWN, Reconciled, Reports, reconciled

Rates = tuple[float, float, float]
Said = dict[str, Rates]
"""What one side says of the edges into one target: source to rates by class."""


def reports(*moments: tuple[Said, Said], sources: list[str] | None = None) -> tuple[Reports, list[str]]:
    """Reports about one target: at each moment what callers say, and what the called side says."""
    sources = sources or sorted({source for both in moments for said in both for source in said})
    shape = len(moments), len(sources)
    arrays = [np.zeros((*shape, 3)), np.zeros((*shape, 3)), np.zeros(shape, bool), np.zeros(shape, bool)]
    for moment, both in enumerate(moments):
        for side, said in enumerate(both):
            for source, rates in said.items():
                arrays[side][moment, sources.index(source)] = rates
                arrays[2 + side][moment, sources.index(source)] = True
    unknown = np.array([source == UNKNOWN for source in sources])
    return Reports(*arrays, targets=np.zeros(len(sources), np.int64), unknown=unknown), sources


def edges(
    told: Reconciled, sources: list[str], moment: int = 0
) -> dict[str, tuple[Rates, str, float | None]]:
    """Source to rates, who told, and what was lost."""
    found = {}
    for place, source in enumerate(sources):
        who = [
            name for name, by in (("caller", told.by_caller), ("called", told.by_called)) if by[moment, place]
        ]
        if who:
            lost = float(told.lost_rps[moment, place])
            rates = tuple(round(rate, 9) for rate in told.rps[moment, place].tolist())
            found[source] = rates, "+".join(who), None if isnan(lost) else round(lost, 9)
    return found


def normal(rate: float) -> Rates:
    return (rate, 0.0, 0.0)


@pytest.mark.parametrize(
    ("caller", "called", "expected"),
    [
        pytest.param(
            # Failures that never arrived are not the requests of somebody whom B does not know: it knows a by name.
            {"a": (7.0, 0.0, 3.0)},
            {"a": normal(7), "unknown": normal(0.5)},
            {"a": ((7.0, 0.0, 3.0), "caller+called", 3.0), "unknown": (normal(0.5), "called", None)},
            id="known by name, and an outsider",
        ),
        pytest.param(
            {"a": normal(10)}, {"a": normal(10)}, {"a": (normal(10), "caller+called", 0.0)}, id="agree"
        ),
        pytest.param(
            {"a": normal(10)}, {"a": normal(9.8)}, {"a": (normal(9.8), "caller+called", 0.0)}, id="noise"
        ),
        pytest.param(
            {"a": (7, 0, 3)}, {"a": normal(7)}, {"a": ((7, 0, 3), "caller+called", 3.0)}, id="never arrived"
        ),
        pytest.param(
            {"a": (7, 0, 2)}, {"a": normal(9)}, {"a": ((7, 0, 2), "caller+called", 0.0)}, id="too late"
        ),
        pytest.param({}, {"a": normal(5)}, {"a": (normal(5), "called", None)}, id="only the called"),
        pytest.param(
            {"a": normal(5)}, {"a": normal(0)}, {"a": (normal(5), "caller", 0.0)}, id="a counter stands"
        ),
        pytest.param(
            {"a": normal(5), "b": normal(7)},
            {"b": normal(7), UNKNOWN: normal(5)},
            {"a": (normal(5), "caller+called", 0.0), "b": (normal(7), "caller+called", 0.0)},
            id="unknown was a",
        ),
        pytest.param(
            {"a": normal(5)},
            {UNKNOWN: normal(8)},
            {"a": (normal(5), "caller+called", 0.0), UNKNOWN: (normal(3), "called", None)},
            id="unknown was a, and others",
        ),
        pytest.param({"a": (4, 0, 1)}, {}, {"a": ((4, 0, 1), "caller", None)}, id="nobody reports there"),
        pytest.param(
            {"a": (0, 0, 5)}, {"b": normal(2)}, {"a": ((0, 0, 5), "caller", 5.0), "b": (normal(2), "called", None)},
            id="none of one caller's arrived",
        ),
        pytest.param(
            {"a": normal(12)}, {"a": normal(7)}, {"a": (normal(12), "caller+called", 0.0)},
            id="a part of the called side is not scraped",
        ),
        pytest.param(
            {"a": normal(10)}, {"a": (8, 0, 2)}, {"a": ((8, 0, 2), "caller+called", 0.0)},
            id="retried or hidden: failures of the called side count",
        ),
        pytest.param(
            {"a": (6, 1, 3)}, {"a": (6, 1, 0)}, {"a": ((6, 1, 3), "caller+called", 3.0)}, id="three classes"
        ),
        pytest.param(
            {"a": normal(5)}, {UNKNOWN: normal(5.2)}, {"a": (normal(5.2), "caller+called", 0.0)},
            id="unknown was a, but for noise",
        ),
        pytest.param(
            {"a": normal(6), "b": normal(2)},
            {UNKNOWN: (3, 0, 1)},
            {"a": ((5.25, 0, 0.75), "caller+called", 0.0), "b": ((1.75, 0, 0.25), "caller+called", 0.0)},
            id="less unknown than is lacking",
        ),
        pytest.param(
            {"a": normal(4), "b": (0, 0, 4)},
            {UNKNOWN: normal(4)},
            {"a": (normal(4), "caller+called", 0.0), "b": ((0, 0, 4), "caller", 4.0)},
            id="unknown was a: nothing of b arrived",
        ),
        pytest.param(
            {"a": normal(4), "b": (0, 0, 4)},
            {UNKNOWN: (4, 0, 4)},
            {"a": (normal(4), "caller+called", 0.0), "b": ((0, 0, 4), "caller+called", 0.0)},
            id="unknown was both: the failures are b's",
        ),
        pytest.param(
            {"a": normal(4), "b": (2, 0, 2)},
            {UNKNOWN: normal(8)},
            {"a": (normal(4), "caller+called", 0.0), "b": ((2, 0, 2), "caller+called", 0.0)},
            id="unknown was both: some of b's came too late",
        ),
        pytest.param(
            {"a": (0, 0, 5)}, {UNKNOWN: normal(0)}, {"a": ((0, 0, 5), "caller", 5.0)},
            id="an unknown caller's counter stands",
        ),
        pytest.param(
            {}, {UNKNOWN: normal(0)}, {UNKNOWN: (normal(0), "called", None)}, id="nobody else is known",
        ),
        pytest.param(
            {"a": (0, 0, 5), UNKNOWN: normal(8)},
            {UNKNOWN: normal(5)},
            {"a": ((0, 0, 5), "caller+called", 0.0), UNKNOWN: (normal(8), "caller", 0.0)},
            id="what its own side calls unknown is no known caller",
        ),
        pytest.param({"a": normal(0)}, {}, {"a": (normal(0), "caller", None)}, id="a caller's counter stands"),
        pytest.param({"a": normal(0)}, {"a": normal(0)}, {"a": (normal(0), "caller+called", 0.0)}, id="quiet"),
        pytest.param(
            {"a": (5, 0, 5)}, {"a": (8, 0, 2)}, {"a": ((5, 0, 5), "caller+called", 0.0)},
            id="failures that both saw count once",
        ),
        pytest.param(
            {"a": (10, 0, 1)}, {"a": (10.5, 0, 0)}, {"a": ((10, 0, 1), "caller+called", 0.5)},
            id="a failure of which half is lost",
        ),
        pytest.param(
            {"a": normal(5.5)}, {"a": normal(5)}, {"a": (normal(5), "caller+called", 0.0)},
            id="a tenth more is noise",
        ),
        pytest.param(
            {"a": (0, 0, 5.5)}, {"a": (0, 0, 5)}, {"a": ((0, 0, 5), "caller+called", 0.0)},
            id="a tenth more failures is noise",
        ),
        pytest.param(
            {"a": normal(10)},
            {"a": normal(9.8), UNKNOWN: normal(5)},
            {"a": (normal(9.8), "caller+called", 0.0), UNKNOWN: (normal(5), "called", None)},
            id="noise is not what an unknown caller sent",
        ),
        pytest.param(
            {"a": normal(10)},
            {"a": normal(9), UNKNOWN: normal(5)},
            {"a": (normal(10), "caller+called", 0.0), UNKNOWN: (normal(5), "called", None)},
            id="nor is exactly a tenth",
        ),
        pytest.param(
            {"a": normal(10)},
            {"a": normal(4), UNKNOWN: normal(8)},
            {"a": (normal(10), "caller+called", 0.0), UNKNOWN: (normal(2), "called", None)},
            id="a is known of half, and unknown was the rest",
        ),
        pytest.param(
            {"a": normal(10), "b": normal(6)},
            {"a": normal(4), UNKNOWN: normal(12.6)},
            {"a": (normal(10.3), "caller+called", 0.0), "b": (normal(6.3), "caller+called", 0.0)},
            id="noise of unknown callers goes to whom something was missing, in proportion to that",
        ),
        pytest.param(
            {"a": normal(9)}, {UNKNOWN: normal(10)}, {"a": (normal(10), "caller+called", 0.0)},
            id="exactly a tenth of the unknown is noise",
        ),
        pytest.param(
            {"a": normal(0.5)}, {UNKNOWN: normal(0.52)}, {"a": (normal(0.52), "caller+called", 0.0)},
            id="noise of hardly any traffic",
        ),
        pytest.param(
            {"a": normal(4), "b": (0, 0, 4)},
            {UNKNOWN: (3, 1, 0)},
            {"a": ((3.8, 0.2, 0), "caller+called", 0.0), "b": ((0, 0, 4), "caller+called", 3.2)},
            id="what no caller saw is given in proportion to what is still missing",
        ),
        pytest.param(
            {"a": (6, 0, 4)},
            {"a": normal(6), UNKNOWN: (0, 0, 4)},
            {"a": ((6, 0, 4), "caller+called", 0.0)},
            id="unknown were a's failures",
        ),
        pytest.param(
            {"a": (6, 0, 4)},
            {"a": normal(8), UNKNOWN: (0, 0, 5)},
            {"a": ((6, 0, 4), "caller+called", 0.0), UNKNOWN: ((0, 0, 3), "called", None)},
            id="unknown were as many of a's failures as requests of a are missing",
        ),
    ],
)  # fmt: skip
def test_what_two_witnesses_say_is_one_edge(
    caller: Said, called: Said, expected: dict[str, tuple[Rates, str, float | None]]
) -> None:
    said, sources = reports((caller, called))
    assert edges(reconciled(said), sources) == expected


rates = st.tuples(*[st.one_of(st.just(0.0), st.floats(0.001, 1e4))] * 3)
said = st.dictionaries(st.sampled_from(["a", "b", "c", UNKNOWN]), rates, max_size=4)
of_callers = st.dictionaries(st.sampled_from(["a", "b", "c"]), rates, max_size=3)


@given(of_callers, said)
def test_a_target_has_at_least_what_either_side_says_and_nothing_twice(caller: Said, called: Said) -> None:
    if not caller and not called:
        return
    both, sources = reports((caller, called))
    told = reconciled(both)
    there = told.by_caller | told.by_called
    assert not told.rps[~there].any(), "what is no edge has no traffic"
    assert (told.rps >= 0).all()
    total = float(told.rps.sum())
    sent, received = (sum(map(sum, side.values())) for side in (caller, called))
    assert total * (1 + NOISE) >= max(sent, received) * (1 - 1e-9)
    assert total <= (sent + received) * (1 + 1e-9)
    for place, source in enumerate(sources):
        own = told.rps[0, place]
        lost = told.lost_rps[0, place]
        assert isnan(lost) or 0 <= lost <= sum(caller[source][1:]) + 1e-9, "only failures are lost"
        # A failure that either end saw is a failure.
        seen = max(side.get(source, (0, 0, 0))[2] for side in (caller, called)) / (1 + NOISE)
        if source != UNKNOWN:
            assert own[2] >= seen * (1 - 1e-9) or own[2] >= sum(own) * (1 - 1e-9)


@given(of_callers, rates)
def test_callers_who_saw_no_failure_get_none_that_others_saw(caller: Said, unknown: Rates) -> None:
    both, sources = reports((caller, {UNKNOWN: unknown}))
    if any(sum(told[kind] for told in caller.values()) < unknown[kind] for kind in range(3)):
        return  # somebody saw what no caller did
    told = reconciled(both)
    for source, said_rates in caller.items():
        if not any(said_rates[1:]):
            own = told.rps[0, sources.index(source)]
            assert own[1:].sum() <= NOISE * sum(unknown) + 1e-9


@given(st.lists(st.tuples(of_callers, said), min_size=1, max_size=4))
def test_moments_do_not_touch_each_other(moments: list[tuple[Said, Said]]) -> None:
    together, sources = reports(*moments)
    if not sources:
        return
    told = reconciled(together)
    for moment, both in enumerate(moments):
        alone, own = reports(both, sources=sources)
        assert edges(told, sources, moment) == edges(reconciled(alone), own)


@given(st.lists(st.tuples(of_callers, said), min_size=2, max_size=4))
def test_targets_do_not_touch_each_other(by_target: list[tuple[Said, Said]]) -> None:
    """Nor does it matter in which order their edges come."""
    alone = [reports(both)[0] for both in by_target if any(both)]
    if not alone:
        return
    place = np.concatenate([np.arange(len(each.targets)) for each in alone])
    targets = np.repeat(np.arange(len(alone)), [len(each.targets) for each in alone])
    mixed = np.lexsort((targets, place))
    caller, called, by_caller, by_called = (
        np.concatenate([getattr(each, name) for each in alone], axis=1)[:, mixed]
        for name in ("caller", "called", "by_caller", "by_called")
    )
    unknown = np.concatenate([each.unknown for each in alone])[mixed]
    told = reconciled(Reports(caller, called, by_caller, by_called, targets[mixed], unknown))
    for name in ("rps", "by_caller", "by_called", "lost_rps"):
        own = np.concatenate([getattr(reconciled(each), name) for each in alone], axis=1)
        np.testing.assert_array_equal(getattr(told, name), own[:, mixed])


@given(said)
def test_one_witness_alone_is_believed_to_the_last_digit(called: Said) -> None:
    if called:
        both, sources = reports(({}, called))
        assert {source: rate for source, (rate, _, _) in edges(reconciled(both), sources).items()} == {
            source: tuple(round(rate, 9) for rate in rates) for source, rates in called.items()
        }
