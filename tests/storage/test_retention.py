from __future__ import annotations

import pytest

from vistio_core.storage.layout import EventsName
from vistio_core.storage.retention import Stored, beyond_size, older_than
from vistio_core.times import HOUR_MS, MINUTE_MS


def stored(
    first_min: int, last_min: int, *, supplement: int = 0, sealed: bool = True, size_bytes: int = 100
) -> Stored:
    return Stored(
        EventsName(first_min * MINUTE_MS, last_min * MINUTE_MS, "main", sealed, supplement), size_bytes
    )


@pytest.mark.parametrize(("before_min", "gone"), [(59, 0), (60, 1), (61, 1), (119, 1), (120, 2)])
def test_a_file_goes_when_its_last_instant_is_before_the_limit(before_min: int, gone: int) -> None:
    hours = [stored(0, 59), stored(60, 119)]
    assert older_than(hours, before_min * MINUTE_MS) == hours[:gone]


@pytest.mark.parametrize(("before_min", "gone"), [(21, 0), (59, 0), (60, 3)])
def test_what_came_late_and_supplements_go_with_their_hour_and_before_it(before_min: int, gone: int) -> None:
    hour, late, supplement = stored(0, 59), stored(10, 20), stored(5, 8, supplement=1)
    kept = stored(60, 61)
    assert older_than([hour, late, supplement, kept], before_min * MINUTE_MS) == (
        [supplement, hour, late] if gone else []
    )


@pytest.mark.parametrize(
    ("max_bytes", "gone"), [(301, 0), (300, 0), (299, 1), (200, 1), (199, 2), (100, 2), (99, 2), (0, 2)]
)
def test_the_oldest_go_until_the_rest_fits_but_never_the_newest_hour(max_bytes: int, gone: int) -> None:
    hours = [stored(0, 59), stored(60, 119), stored(120, 121, sealed=False)]
    assert beyond_size(reversed(hours), max_bytes) == hours[:gone]


def test_commits_of_one_hour_go_one_by_one_when_size_wants_it() -> None:
    head = [stored(minute, minute, sealed=False) for minute in range(3)]
    newest = stored(60, 60, sealed=False)
    assert beyond_size([*head, newest], 200) == head[:2]


def test_an_empty_recording_has_nothing_to_delete() -> None:
    assert older_than([], HOUR_MS) == []
    assert beyond_size([], 0) == []
