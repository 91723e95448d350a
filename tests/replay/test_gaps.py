from __future__ import annotations

import pytest

from vistio_core.replay.gaps import NOT_IN_PART, NOT_RUNNING, Gap, Instant, Within, find_gaps


def instants(*seconds: int, writer: str = "main", interval_ms: int = 10_000) -> list[Instant]:
    return [Instant(second * 1000, writer, interval_ms, seen=True) for second in seconds]


def gaps(
    instants: list[Instant], until_s: int, *, start_s: int = 0, now_s: int = 1000
) -> list[tuple[int, int, int, str]]:
    found = find_gaps(instants, Within(start_s * 1000, until_s * 1000, now_s * 1000))
    return [(gap.start_ms // 1000, gap.end_ms // 1000, gap.missing, gap.reason) for gap in found]


def test_a_full_row_of_instants_has_no_gap() -> None:
    assert gaps(instants(0, 10, 20), 30) == []


def test_missing_instants_between_two_are_one_gap() -> None:
    assert gaps(instants(0, 40), 50) == [(10, 40, 3, NOT_RUNNING)]


@pytest.mark.parametrize(("next_s", "missing"), [(19, 1), (20, 1), (21, 2)])
def test_an_instant_off_the_grid_counts_what_was_due_before_it(next_s: int, missing: int) -> None:
    assert gaps(instants(0, next_s), next_s + 1) == [(10, next_s, missing, NOT_RUNNING)]


@pytest.mark.parametrize(("now_s", "missing"), [(40, 0), (41, 4), (50, 4)])
def test_the_newest_instants_may_still_be_on_their_way(now_s: int, missing: int) -> None:
    assert sum(gap[2] for gap in gaps(instants(0), 1000, now_s=now_s)) == missing


@pytest.mark.parametrize(("until_s", "missing"), [(10, 0), (11, 1), (30, 2)])
def test_of_a_window_that_has_long_ended_nothing_is_on_its_way(until_s: int, missing: int) -> None:
    assert sum(gap[2] for gap in gaps(instants(0), until_s)) == missing


@pytest.mark.parametrize(
    ("start_s", "expected"),
    [
        (10, (10, 60, 5, NOT_RUNNING)),
        (11, (20, 60, 4, NOT_RUNNING)),
        (20, (20, 60, 4, NOT_RUNNING)),
        (50, (50, 60, 1, NOT_RUNNING)),
    ],
)
def test_a_window_that_begins_in_a_gap_has_what_is_left_of_it(
    start_s: int, expected: tuple[int, int, int, str]
) -> None:
    assert gaps(instants(0, 60), 70, start_s=start_s) == [expected]


def test_a_window_in_the_midst_of_a_gap_is_one() -> None:
    assert gaps(instants(0), 50, start_s=30) == [(30, 50, 2, NOT_RUNNING)]
    assert gaps(instants(0), 39, start_s=31) == []  # nothing was due


def test_what_was_not_seen_before_the_window_is_no_gap_of_it() -> None:
    before = Instant(0, "main", 10_000, seen=False, failure="not seen: refused")
    assert gaps([before, *instants(10, 20)], 30, start_s=10) == []


def test_a_longer_interval_is_no_gap_and_a_shorter_one_makes_them() -> None:
    changed = [*instants(0, 10), *instants(20, 50, interval_ms=30_000), *instants(80, 85, interval_ms=5_000)]
    assert gaps(changed, 90) == []


def test_unseen_instants_are_gaps_with_their_own_reasons_and_equal_neighbours_join() -> None:
    row = instants(0, 10, 20, 30, 40)
    row[1] = Instant(10_000, "main", 10_000, seen=False, failure="not seen: refused")
    row[2] = Instant(20_000, "main", 10_000, seen=False, failure="not seen: refused")
    row[3] = Instant(30_000, "main", 10_000, seen=False, failure="skipped: slow")
    assert gaps(row, 50) == [(10, 30, 2, "not seen: refused"), (30, 40, 1, "skipped: slow")]


def test_writers_have_gaps_of_their_own() -> None:
    within = Within(0, 30_000, 30_000)
    found = list(find_gaps([*instants(0, 20, writer="eu"), *instants(0, 10, 20, writer="us")], within))
    assert found == [Gap(10_000, 20_000, "eu", 1, NOT_RUNNING)]


@pytest.mark.parametrize(
    ("whole_s", "expected"),
    [
        ((0, 100), [(10, 90, 8, NOT_RUNNING)]),
        ((40, 60), [(10, 40, 3, NOT_IN_PART), (40, 60, 2, NOT_RUNNING), (60, 90, 3, NOT_IN_PART)]),
        ((45, 65), [(10, 50, 4, NOT_IN_PART), (50, 70, 2, NOT_RUNNING), (70, 90, 2, NOT_IN_PART)]),
        ((0, 10), [(10, 90, 8, NOT_IN_PART)]),
        ((90, 100), [(10, 90, 8, NOT_IN_PART)]),
        ((10, 11), [(10, 20, 1, NOT_RUNNING), (20, 90, 7, NOT_IN_PART)]),
    ],
)
def test_a_part_does_not_say_what_happened_outside_of_it(
    whole_s: tuple[int, int], expected: list[tuple[int, int, int, str]]
) -> None:
    start_s, end_s = whole_s
    found = find_gaps(instants(0, 90), Within(0, 100_000, 100_000, (start_s * 1000, end_s * 1000)))
    assert [(gap.start_ms // 1000, gap.end_ms // 1000, gap.missing, gap.reason) for gap in found] == expected


def test_no_instants_have_no_gaps() -> None:
    assert gaps([], 100) == []
