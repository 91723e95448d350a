from __future__ import annotations

import pytest

from vistio_core.replay.gaps import NOT_RUNNING, Gap, Instant, find_gaps


def instants(*seconds: int, writer: str = "main", interval_ms: int = 10_000) -> list[Instant]:
    return [Instant(second * 1000, writer, interval_ms, seen=True) for second in seconds]


def gaps(instants: list[Instant], until_s: int) -> list[tuple[int, int, int, str]]:
    found = find_gaps(instants, until_s * 1000)
    return [(gap.start_ms // 1000, gap.end_ms // 1000, gap.missing, gap.reason) for gap in found]


def test_a_full_row_of_instants_has_no_gap() -> None:
    assert gaps(instants(0, 10, 20), 30) == []


def test_missing_instants_between_two_are_one_gap() -> None:
    assert gaps(instants(0, 40), 50) == [(10, 40, 3, NOT_RUNNING)]


@pytest.mark.parametrize(("next_s", "missing"), [(19, 1), (20, 1), (21, 2)])
def test_an_instant_off_the_grid_counts_what_was_due_before_it(next_s: int, missing: int) -> None:
    assert gaps(instants(0, next_s), next_s + 1) == [(10, next_s, missing, NOT_RUNNING)]


@pytest.mark.parametrize(("until_s", "missing"), [(40, 0), (41, 4), (50, 4)])
def test_the_newest_instants_may_still_be_on_their_way(until_s: int, missing: int) -> None:
    assert sum(gap[2] for gap in gaps(instants(0), until_s)) == missing


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
    found = list(find_gaps([*instants(0, 20, writer="eu"), *instants(0, 10, 20, writer="us")], 30_000))
    assert found == [Gap(10_000, 20_000, "eu", 1, NOT_RUNNING)]


def test_no_instants_have_no_gaps() -> None:
    assert gaps([], 100) == []
