"""Whether a server was collecting data: outages that are clear, and edges that are not."""

from __future__ import annotations

from itertools import pairwise

from vistio_record.sources.evidence import Outages, collecting, usual_distance_ms

INTERVAL = 10_000
SCRAPE = 15_000


def newest_at(scrapes: list[int], until_ms: int, lookback_ms: int = 300_000) -> dict[int, int]:
    """What `NEWEST_SCRAPE` answers at each instant, given the times of all scrapes."""
    found = {}
    for instant_ms in range(0, until_ms + 1, INTERVAL):
        before = [time for time in scrapes if instant_ms - lookback_ms < time <= instant_ms]
        if before:
            found[instant_ms] = max(before)
    return found


def instants(until_ms: int) -> range:
    return range(0, until_ms + 1, INTERVAL)


def test_while_scrapes_come_as_usual_the_server_collects_at_every_instant() -> None:
    newest = newest_at(list(range(0, 600_001, SCRAPE)), 600_000)
    assert usual_distance_ms(newest) == SCRAPE
    every = instants(600_000)
    assert collecting(every, newest, until_ms=600_000, usual_ms=SCRAPE) == frozenset(every)


def test_an_outage_is_seen_although_lookback_hides_it() -> None:
    died, back = 150_000, 300_000
    scrapes = [t for t in range(0, 600_001, SCRAPE) if t <= died or t >= back]
    newest = newest_at(scrapes, 600_000)
    assert set(newest) == set(instants(600_000)), "at every instant Prometheus answers with something"
    usual_ms = usual_distance_ms(newest)
    alive = collecting(instants(600_000), newest, until_ms=600_000, usual_ms=usual_ms)
    # At 150 s and 160 s the last scrape is no older than always; at 300 s there is a new one.
    assert sorted(set(instants(600_000)) - alive) == list(range(170_000, 300_000, INTERVAL))


def test_a_pause_is_an_outage_only_when_it_is_longer_than_three_scrapes() -> None:
    for pause_ms, outage in ((3 * SCRAPE, False), (3 * SCRAPE + 1, True)):
        scrapes = [*range(0, 300_001, SCRAPE), *range(300_000 + pause_ms, 600_001, SCRAPE)]
        newest = newest_at(scrapes, 600_000)
        alive = collecting(instants(600_000), newest, until_ms=600_000, usual_ms=SCRAPE)
        assert (330_000 not in alive) is outage


def test_what_comes_after_the_last_known_scrape_counts_until_it_is_proven_dead() -> None:
    newest = newest_at(list(range(0, 300_001, SCRAPE)), 345_000)
    newest = {instant: scrape for instant, scrape in newest.items() if instant <= 340_000}
    assert 340_000 in collecting([340_000], newest, until_ms=345_000, usual_ms=SCRAPE)
    assert 340_000 not in collecting([340_000], newest, until_ms=345_001, usual_ms=SCRAPE)


def test_before_the_first_scrape_and_beyond_the_lookback_nothing_was_collected() -> None:
    newest = newest_at([400_000, 415_000, 1_000_000], 1_000_000)
    alive = collecting(instants(1_000_000), newest, until_ms=1_000_000, usual_ms=SCRAPE)
    assert sorted(alive) == [400_000, 410_000, 420_000, 430_000, 1_000_000]


def test_slow_scrapes_are_slow_not_dead() -> None:
    slow = list(range(0, 1_200_001, 120_000))
    newest = newest_at(slow, 1_200_000)
    assert usual_distance_ms(newest) == 120_000
    assert collecting(instants(1_200_000), newest, until_ms=1_200_000, usual_ms=120_000) == frozenset(
        instants(1_200_000)
    )


def test_the_usual_distance_is_not_that_of_one_outage() -> None:
    scrapes = [*range(0, 100_000, SCRAPE), *range(1_000_000, 1_100_000, SCRAPE)]
    assert usual_distance_ms(newest_at(scrapes, 1_100_000)) == SCRAPE
    assert [b - a for a, b in pairwise(scrapes)].count(SCRAPE) < len(scrapes) - 1
    assert usual_distance_ms({}) is None
    assert usual_distance_ms({10: 5, 20: 5}) is None


def test_a_window_begins_in_an_outage_from_the_last_scrape_until_the_first_one_after() -> None:
    died, back = 150_000, 300_000
    scrapes = [t for t in range(0, 600_001, SCRAPE) if t <= died or t >= back]
    outages = Outages.of(newest_at(scrapes, 600_000), SCRAPE, collected_before=False)
    assert [start for start in range(0, 600_001, INTERVAL // 2) if outages.begins_in(start)] == list(
        range(died, back, INTERVAL // 2)
    )


def test_what_was_never_seen_to_collect_before_has_begun_and_was_not_away() -> None:
    newest = newest_at(list(range(400_000, 600_001, SCRAPE)), 600_000)
    first_ms = min(newest.values())
    for before in (False, True):
        outages = Outages.of(newest, SCRAPE, collected_before=before)
        assert outages.begins_in(first_ms - 1) is before
        assert not outages.begins_in(first_ms)
    assert not Outages.of({}, None, collected_before=True).begins_in(0)
