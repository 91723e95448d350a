"""What is kept, for how long, and what has to go."""

from __future__ import annotations

import threading
from collections.abc import Iterable

import attrs
import pytest

from vistio_core.cache import Cache


@attrs.define
class Clock:
    now_s: float = 100.0

    def __call__(self) -> float:
        return self.now_s


def kept(cache: Cache[str, str], keys: Iterable[str]) -> str:
    return "".join(key for key in keys if cache.get(key) is not None)


def test_what_was_used_longest_ago_goes_first() -> None:
    cache: Cache[str, str] = Cache(9, len)
    for key in "abc":
        cache.put(key, key * 3)
    assert cache.get("a") == "aaa"
    cache.put("c", "CCC")
    cache.put("d", "ddd")
    assert cache.get("b") is None
    assert [cache.get(key) for key in "acd"] == ["aaa", "CCC", "ddd"]


@pytest.mark.parametrize(("weight", "stays"), [(8, True), (9, True), (10, False)])
def test_a_value_is_kept_up_to_the_whole_limit(weight: int, stays: bool) -> None:
    cache: Cache[str, str] = Cache(9, len)
    cache.put("large", weight * "x")
    assert (cache.get("large") is not None) == stays


def test_what_is_too_heavy_takes_the_place_of_nothing_but_its_own_key() -> None:
    cache: Cache[str, str] = Cache(9, len)
    for key in "abc":
        cache.put(key, key)
    cache.put("b", 10 * "b")
    assert kept(cache, "abc") == "ac", "the old value of b is no longer true"


def test_where_nothing_may_be_kept_nothing_is() -> None:
    cache: Cache[str, str] = Cache(0, len)
    cache.put("a", "a")
    assert cache.get("a") is None


def test_a_value_that_is_replaced_weighs_nothing() -> None:
    cache: Cache[str, str] = Cache(9, len)
    for weight in (9, 1, 9, 4):
        cache.put("a", weight * "a")
        assert cache.room == 9 - weight
    cache.put("b", 5 * "b")
    assert kept(cache, "ab") == "ab"


def test_what_is_dropped_makes_room_and_dropping_it_again_is_no_error() -> None:
    cache: Cache[str, str] = Cache(2, len)
    for key in "ab":
        cache.put(key, key)
    cache.drop("b")
    cache.drop("b")
    assert cache.room == 1
    cache.put("c", "c")
    assert kept(cache, "abc") == "ac"


@pytest.mark.parametrize(("after_s", "stays"), [(4.9, True), (5.0, False), (5.1, False)])
def test_a_value_lasts_as_long_as_it_says(after_s: float, stays: bool) -> None:
    clock = Clock()
    cache: Cache[str, str] = Cache(100, len, lasts_s=float, monotonic_s=clock)
    cache.put("long", "1000")
    cache.put("short", "5")
    clock.now_s += after_s
    assert (cache.get("short") is not None) == stays
    assert cache.get("long") == "1000"


def test_what_is_over_goes_before_what_was_used_longest_ago() -> None:
    clock = Clock()
    cache: Cache[str, str] = Cache(9, len, lasts_s=float, monotonic_s=clock)
    cache.put("old", "0900")
    cache.put("over", "0001")
    clock.now_s += 2
    cache.put("new", "01000")
    assert kept(cache, ["old", "new"]) == "oldnew"


def test_a_value_that_lasts_no_time_is_not_kept() -> None:
    cache: Cache[str, str] = Cache(9, len, lasts_s=float)
    cache.put("a", "100")
    cache.put("a", "0")
    assert cache.get("a") is None


def test_many_threads_keep_to_the_limit() -> None:
    cache: Cache[int, str] = Cache(50, len, lasts_s=lambda value: len(value) / 1000)
    failed: list[BaseException] = []

    def use(seed: int) -> None:
        try:
            for step in range(2_000):
                key = (seed * step) % 17
                cache.put(key, (1 + key) * "x")
                cache.get((key + 1) % 17)
                if step % 5 == 0:
                    cache.drop(key)
                assert 0 <= cache.room <= 50
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=use, args=(seed,)) for seed in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
