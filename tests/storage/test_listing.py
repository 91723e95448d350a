"""The event files of a span, as they were listed: which count, what is in them, and how the plan reads."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

import attrs
import pytest
from support.scrapes import INTERVAL_MS, START_MS, all_failed, mesh, outcomes, scrape

from vistio_core import Recording
from vistio_core.errors import DamagedFileError, FilesChangedError
from vistio_core.storage.event_file import EventFiles
from vistio_core.storage.layout import EventsName
from vistio_core.storage.listing import Listing
from vistio_core.storage.local_store import LocalStore
from vistio_core.storage.log import Log
from vistio_core.times import HOUR_MS, MINUTE_MS

NOW_MS = START_MS + 3 * HOUR_MS
END_MS = START_MS + 2 * HOUR_MS
PLAN = """\
[2026-11-23T05:00:10Z, 2026-11-23T06:04:30Z): 7 of 10 files count
eu
  log  sealed                2026-11-23T05:00:00Z to 2026-11-23T05:00:20Z  from 2026-11-23T05:00:10Z
  log  sealed, supplement 1  2026-11-23T05:00:10Z                          all
  head commit                2026-11-23T06:00:00Z                          nothing: superseded
  head merge                 2026-11-23T06:00:00Z to 2026-11-23T06:00:20Z  all
  head commit                2026-11-23T06:00:10Z                          nothing: superseded
  head commit, supplement 1  2026-11-23T06:00:10Z                          all
  head commit                2026-11-23T06:00:20Z                          nothing: superseded
us
  head commit                2026-11-23T06:00:00Z                          all
  head commit                2026-11-23T06:00:10Z                          nothing: damaged
  head merge                 2026-11-23T06:04:10Z to 2026-11-23T06:04:40Z  before 2026-11-23T06:04:30Z"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two writers: a sealed hour with a supplement, and a head with a merge beside what it was made of."""
    place = tmp_path_factory.mktemp("listing")
    recording = Recording.open(place, create=True, clock=lambda: NOW_MS)
    with recording.writer("eu", linger="10m") as writer:
        writer.put_configuration(mesh())
        for hour_ms in (START_MS, START_MS + HOUR_MS):
            for index in range(3):
                failing = {"http": "failed"} if index == 1 else {}
                rates = {} if failing else {"a>b 200": 1.0}
                writer.commit(scrape(hour_ms + index * INTERVAL_MS, rates, **failing))
            told = tuple(each for each in outcomes() if each.rule == "http")
            later = scrape(hour_ms + INTERVAL_MS, {"a>b 200": 2.0}, backfilled=True)
            writer.supplement(attrs.evolve(later, outcomes=told))
            if hour_ms == START_MS:
                writer.seal(START_MS + HOUR_MS)
        writer.merge(NOW_MS)
    for path in (place / "head").glob("20261123T05*"):
        path.unlink()  # what lingers of the sealed hour
    with recording.writer("us") as writer:
        writer.put_configuration(mesh())
        later_ms = START_MS + HOUR_MS + 4 * MINUTE_MS
        for instant_ms in (later_ms + INTERVAL_MS, later_ms + 4 * INTERVAL_MS):
            writer.commit(scrape(instant_ms, **all_failed()))
        writer.merge(NOW_MS)
        for index in range(2):
            writer.commit(scrape(START_MS + HOUR_MS + index * INTERVAL_MS, {"c>d 200": 1.0}))
    damage(next((place / "head").glob("*_20261123T060010.000Z_us.parquet")))
    return place


@pytest.fixture
def place(made: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    return Path(shutil.copytree(made, tmp_path / "recording"))


def damage(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])


@pytest.fixture
def log(place: Path) -> Log:
    local = LocalStore(place)
    return Log(local, EventFiles(local))


def test_a_listing_prints_as_the_plan_of_a_scan(log: Log) -> None:
    listing = log.listing(START_MS + INTERVAL_MS, START_MS + HOUR_MS + 4 * MINUTE_MS + 3 * INTERVAL_MS)
    # What was not opened is not known to be damaged.
    assert str(listing) == PLAN.replace("nothing: damaged", "all")
    assert len(listing.files) == 6
    assert str(listing) == PLAN


@pytest.mark.parametrize(
    ("from_ms", "to_ms", "use"),
    [
        (0, 20_000, "before 2026-11-23T05:00:20Z"),
        (0, 20_001, "all"),
        (1, 20_001, "from 2026-11-23T05:00:00.001Z"),
        (1, 20_000, "from 2026-11-23T05:00:00.001Z before 2026-11-23T05:00:20Z"),
    ],
)
def test_a_plan_says_where_a_file_is_not_read_to_its_ends(
    log: Log, from_ms: int, to_ms: int, use: str
) -> None:
    lines = str(log.listing(START_MS + from_ms, START_MS + to_ms)).splitlines()
    assert [line.rpartition("  ")[2] for line in lines if "log  sealed  " in line] == [use]


def test_what_is_damaged_is_left_out_and_told_once(log: Log, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        listing = log.listing(START_MS, END_MS)
        for _ in range(2):
            assert len(listing.files) == len(listing.uris) == 6
            assert listing.writer("us").newest(START_MS, START_MS + HOUR_MS + 3 * MINUTE_MS, seen=True) == (
                START_MS + HOUR_MS
            )
    assert caplog.messages == ["file.skipped"]
    facts = vars(caplog.records[0])
    assert facts["file"] == "head/20261123T060010.000Z_20261123T060010.000Z_us.parquet"
    assert facts["error"].startswith(facts["file"])


def test_a_file_that_is_damaged_inside_is_an_error_for_one_and_left_out_of_many(
    place: Path, log: Log, caplog: pytest.LogCaptureFixture
) -> None:
    [sealed] = place.glob("log/*/*/*_eu.parquet")
    content = bytearray(sealed.read_bytes())
    content[len(content) // 4] ^= 0xFF
    content[len(content) // 3] ^= 0xFF
    sealed.write_bytes(content)

    def read(listing: Listing) -> int:
        return sum(file.rows("sample").num_rows + file.rows("measurement").num_rows for file in listing.files)

    with pytest.raises(DamagedFileError, match=sealed.name):
        log.read(START_MS, START_MS + HOUR_MS, read)
    assert log.read(START_MS, START_MS + HOUR_MS, lambda listing: listing.around_damage(read)) == 1
    with pytest.raises(DamagedFileError, match="something else"):
        log.read(START_MS, END_MS, lambda listing: listing.around_damage(_of_something_else))
    listing = log.listing(START_MS, START_MS + HOUR_MS)
    assert len(listing.uris) == 2
    listing.leave_out_damaged()
    assert len(listing.uris) == 1


def _of_something_else(listing: Listing) -> None:
    raise DamagedFileError("something else", "is damaged")


def test_a_question_is_asked_again_of_a_new_listing_as_often_as_files_change(log: Log) -> None:
    asked: list[Listing] = []

    def question(listing: Listing) -> str:
        asked.append(listing)
        if len(asked) % 31:
            raise FilesChangedError(listing.names[0].text)
        return "answered"

    with pytest.raises(FilesChangedError, match="merged, sealed or pruned away"):
        log.read(START_MS, END_MS, question)
    assert len(set(map(id, asked))) == 30
    assert log.read(START_MS, END_MS, question) == "answered"


@pytest.mark.parametrize(
    ("start_ms", "end_ms", "newest", "oldest_seen"),
    [
        (START_MS, END_MS, HOUR_MS + 20_000, 0),
        (START_MS, START_MS + 20_000, 10_000, 0),
        (START_MS, START_MS + 20_001, 20_000, 0),
        (START_MS + 1, START_MS + 10_001, 10_000, 10_000),
        (START_MS + 20_001, START_MS + HOUR_MS, None, None),
        (START_MS + 20_001, START_MS + HOUR_MS + 1, HOUR_MS, HOUR_MS),
        (START_MS, START_MS, None, None),
    ],
)
def test_the_ends_of_a_window_are_half_open_in_look_ups_too(
    log: Log, start_ms: int, end_ms: int, newest: int | None, oldest_seen: int | None
) -> None:
    eu = log.everything().writer("eu")
    found = eu.newest(start_ms, end_ms, seen=False), eu.oldest_seen(start_ms, end_ms)
    assert found == tuple(None if by_ms is None else START_MS + by_ms for by_ms in (newest, oldest_seen))


def test_of_a_writer_that_has_nothing_nothing_is_known(log: Log) -> None:
    nobody = log.everything().writer("nobody")
    assert nobody.names == []
    assert nobody.newest(0, END_MS, seen=False) is None
    assert nobody.instant(START_MS) is None


def test_an_instant_is_its_scrape_and_its_supplements(log: Log) -> None:
    eu = log.everything().writer("eu")
    for hour_ms in (START_MS, START_MS + HOUR_MS):
        healed, plain = eu.instants([hour_ms + INTERVAL_MS, hour_ms + 1, hour_ms])
        assert [part.name.supplement for part in healed.parts] == [0, 1]
        assert (healed.seen, healed.whole, healed.backfilled) == (True, False, True)
        assert healed.rows("sample")["rate"].to_pylist() == [2.0]
        assert (plain.seen, plain.whole, plain.backfilled) == (True, True, False)
        assert [part.name.rank for part in plain.parts] == [2 if hour_ms == START_MS else 1]
    us = log.everything().writer("us")
    [unseen] = us.instants([START_MS + HOUR_MS + 4 * MINUTE_MS + INTERVAL_MS])
    assert (unseen.seen, unseen.whole) == (False, False)


def test_a_part_of_a_listing_is_what_would_have_been_listed(log: Log) -> None:
    everything = log.everything()
    for start_ms, end_ms in ((START_MS, START_MS + 1), (START_MS + HOUR_MS, END_MS), (END_MS, NOW_MS)):
        part = everything.within(start_ms, end_ms)
        assert part.listed == log.listing(start_ms, end_ms).listed
        assert str(part) == str(log.listing(start_ms, end_ms))


def test_a_question_that_cannot_do_without_a_damaged_file_fails_at_last(log: Log) -> None:
    listing = log.listing(START_MS, END_MS)
    asked: list[Listing] = []

    def question(listing: Listing) -> None:
        asked.append(listing)
        raise DamagedFileError(listing.listed[0].text, "is damaged")

    with pytest.raises(DamagedFileError, match="05"):
        listing.around_damage(question)
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("damaged", "ranks"), [(None, [2]), ("commit", [2]), ("merge", [1, 2]), ("sealed", [1, 2])]
)
def test_what_cannot_be_read_supersedes_nothing_and_is_not_superseded(
    tmp_path: Path, damaged: str | None, ranks: list[int]
) -> None:
    """Commits, their merge and the sealed hour that was made of it: a damaged merge stays, for `verify` to tell."""
    recording = Recording.open(tmp_path, create=True, clock=lambda: NOW_MS)
    with recording.writer(linger="10m") as writer:
        writer.put_configuration(mesh())
        for index in range(3):
            writer.commit(scrape(START_MS + index * INTERVAL_MS, {"a>b 200": 1.0}))
        writer.merge(NOW_MS)
        writer.seal(NOW_MS)
    files = {
        "commit": "head/20261123T050010.000Z_20261123T050010.000Z_main.parquet",
        "merge": "head/20261123T050000.000Z_20261123T050020.000Z_main.parquet",
        "sealed": "log/date=2026-11-23/hour=05/20261123T050000.000Z_20261123T050020.000Z_main.parquet",
    }
    for path in files.values():
        assert (tmp_path / path).exists()
    if damaged is not None:
        damage(tmp_path / files[damaged])
    local = LocalStore(tmp_path)
    listing = Log(local, EventFiles(local)).everything()
    assert sorted(name.rank for name in listing.names) == ranks
    assert [presence.instant_ms for presence in listing.writer("main").scrapes(START_MS, END_MS)] == [
        START_MS + index * INTERVAL_MS for index in range(3)
    ]


@pytest.mark.parametrize("start_ms", [START_MS, START_MS + 20_000, START_MS + 20_001, START_MS + HOUR_MS + 1])
@pytest.mark.parametrize("end_ms", [START_MS + 1, START_MS + HOUR_MS, START_MS + HOUR_MS + 1, END_MS])
def test_files_that_may_hold_an_instant_are_those_that_overlap_its_window(
    log: Log, start_ms: int, end_ms: int
) -> None:
    eu = log.everything().writer("eu")
    expected = [name for name in reversed(eu.listed) if name.overlaps(start_ms, end_ms)]
    assert list(eu.overlapping(start_ms, end_ms)) == expected


def test_a_scrape_is_told_once_and_not_what_came_later(log: Log) -> None:
    everything = log.everything()
    eu = everything.writer("eu")
    scrapes = [START_MS + hour_ms + index * INTERVAL_MS for hour_ms in (0, HOUR_MS) for index in range(3)]
    found = list(eu.scrapes(0, END_MS))
    assert [(scrape.instant_ms, scrape.backfilled) for scrape in found] == [
        (at_ms, False) for at_ms in scrapes
    ]
    inside = eu.scrapes(START_MS + 1, START_MS + HOUR_MS + 1)
    assert [scrape.instant_ms for scrape in inside] == scrapes[1:4]
    later_ms = START_MS + HOUR_MS + 4 * MINUTE_MS
    others = START_MS + HOUR_MS, later_ms + INTERVAL_MS, later_ms + 4 * INTERVAL_MS
    assert everything.configurations() == dict.fromkeys(
        [*((at_ms, "eu") for at_ms in scrapes), *((at_ms, "us") for at_ms in others)], mesh().hash
    )


def test_a_supplement_without_a_readable_scrape_counts_for_nothing(place: Path, log: Log) -> None:
    start_ms = START_MS + HOUR_MS
    for path in place.glob("head/20261123T06*_eu.parquet"):
        damage(path)
    eu = log.everything().writer("eu")
    assert [name.supplement for name in eu.overlapping(start_ms, END_MS) if eu.instant(name.first_ms)] == []
    assert eu.newest(start_ms, END_MS, seen=False) is None
    assert eu.newest(start_ms, END_MS, seen=True) is None
    assert eu.oldest_seen(start_ms, END_MS) is None
    assert eu.newest(START_MS, END_MS, seen=True) == START_MS + 2 * INTERVAL_MS
    assert eu.oldest_seen(START_MS + INTERVAL_MS, END_MS) == START_MS + INTERVAL_MS


def test_a_supplement_counts_whatever_other_files_lie_around_its_scrape(tmp_path: Path) -> None:
    """A merge from before to after an instant does not hold it, and says nothing of it."""
    recording = Recording.open(tmp_path, create=True, clock=lambda: NOW_MS)
    at_ms = START_MS + INTERVAL_MS
    with recording.writer() as writer:
        writer.put_configuration(mesh())
        for index in (0, 2):
            writer.commit(scrape(START_MS + index * INTERVAL_MS, {"a>b 200": 1.0}))
        assert writer.merge(NOW_MS) == 2
        writer.commit(scrape(at_ms, **all_failed()))
        told = tuple(each for each in outcomes() if each.rule == "http")
        later = scrape(at_ms, {"a>b 200": 2.0}, backfilled=True)
        writer.supplement(attrs.evolve(later, outcomes=told))
    local = LocalStore(tmp_path)
    main = Log(local, EventFiles(local)).everything().writer("main")
    assert main.newest(at_ms, at_ms + 1, seen=True) == main.oldest_seen(at_ms, at_ms + 1) == at_ms
    assert recording.graph(at=at_ms).instant_ms == at_ms
    (tmp_path / "head" / "20261123T050010.000Z_20261123T050010.000Z_main.parquet").unlink()
    without = Log(local, EventFiles(local)).everything().writer("main")
    assert without.newest(at_ms, at_ms + 1, seen=True) is None


def test_the_newest_instant_is_found_among_files_that_interleave(tmp_path: Path) -> None:
    recording = Recording.open(tmp_path, create=True, clock=lambda: NOW_MS)
    with recording.writer() as writer:
        writer.put_configuration(mesh())
        for instants_ms in ((9_999, 40_000), (10_000, 50_000)):
            for after_ms in instants_ms:
                writer.commit(scrape(START_MS + after_ms, {"a>b 200": 1.0}))
            assert writer.merge(NOW_MS) == 2
    local = LocalStore(tmp_path)
    main = Log(local, EventFiles(local)).everything().writer("main")
    for end_ms, newest_ms in ((10_000, 9_999), (10_001, 10_000), (30_000, 10_000), (40_001, 40_000)):
        assert main.newest(START_MS, START_MS + end_ms, seen=False) == START_MS + newest_ms


def test_of_many_files_the_one_that_is_damaged_inside_is_left_out_alone(log: Log) -> None:
    everything = [file.name for file in log.listing(START_MS, END_MS).files]
    damaged = everything[2]

    def question(listing: Listing) -> list[EventsName]:
        names = [file.name for file in listing.files]
        if damaged in names:
            raise DamagedFileError(damaged.text, "is damaged")
        return names

    found = log.listing(START_MS, END_MS).around_damage(question)
    assert found == [name for name in everything if name != damaged]
