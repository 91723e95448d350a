"""The nearest of something in a long history: found without looking at all of it, and the same as if one had."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import attrs
import pyarrow as pa
import pytest
from support.scrapes import INTERVAL_MS, START_MS, all_failed, mesh, scrape

from vistio_core import Recording, loads
from vistio_core.errors import NothingRecordedError
from vistio_core.events import Scrape
from vistio_core.replay.absence import nearest_seen
from vistio_core.replay.in_force import configuration_in_force
from vistio_core.storage import local_store
from vistio_core.storage.catalog import Catalog, _parsed_before
from vistio_core.storage.event_file import EventFiles
from vistio_core.storage.format import KINDS, scrape_tables, write_events
from vistio_core.storage.layout import EventsName
from vistio_core.storage.local_store import LocalStore
from vistio_core.storage.log import Log
from vistio_core.times import DAY_MS, HOUR_MS, MINUTE_MS

# Days without anything, hours without anything, a day's last and first hour, and one instant that nobody saw.
HOURS = (0, 1, 18, 19, 20, 24 * 3, 24 * 3 + 5)
UNSEEN_MS = START_MS + 19 * HOUR_MS
OTHER = loads(mesh().text.replace("Test mesh", "Renamed mesh"))


@pytest.fixture
def history(recording_dir: Path) -> Recording:
    """Two writers; the newest hour is in the head, and an old one that its writer left there for ever."""
    recording = Recording.open(recording_dir, create=True, clock=lambda: START_MS + 10 * DAY_MS)
    with recording.writer() as writer:
        for configuration in (mesh(), OTHER):
            writer.put_configuration(configuration)
        for index in range(2):
            writer.commit(_scrape(START_MS + HOURS[-1] * HOUR_MS + index * INTERVAL_MS))
    for hour in HOURS[:-1]:
        seal(recording, *(_scrape(START_MS + hour * HOUR_MS + index * INTERVAL_MS) for index in range(2)))
    with recording.writer("left") as writer:
        writer.put_configuration(OTHER)
        writer.commit(_scrape(START_MS + 18 * HOUR_MS + 30 * MINUTE_MS))
    return recording


def seal(recording: Recording, *scrapes: Scrape) -> None:
    """A sealed partition, without the rollups that a writer would make."""
    name = EventsName(scrapes[0].instant_ms, scrapes[-1].instant_ms, "main", sealed=True)
    tables = [scrape_tables(each) for each in scrapes]
    with LocalStore(Path(recording.place)).create(name.text) as sink:
        by_kind = ([each[kind] for each in tables if kind in each] for kind in KINDS)
        write_events(sink, (pa.concat_tables(each) for each in by_kind if each))


def _scrape(instant_ms: int) -> Scrape:
    if instant_ms == UNSEEN_MS:
        return scrape(instant_ms, **all_failed())
    of = OTHER if instant_ms >= START_MS + 18 * HOUR_MS else mesh()
    return attrs.evolve(scrape(instant_ms, {"a>b 200": 1.0}), configuration=of.hash)


def _instants() -> list[int]:
    own = [START_MS + hour * HOUR_MS + index * INTERVAL_MS for hour in HOURS for index in range(2)]
    return sorted([*own, START_MS + 18 * HOUR_MS + 30 * MINUTE_MS])


def _asked() -> list[int]:
    return [ms + by for ms in _instants() for by in (-1, 0, 1)] + [
        0,
        START_MS - DAY_MS,
        START_MS + 9 * DAY_MS,
    ]


def test_the_nearest_seen_instants_are_those_of_a_plain_list(history: Recording) -> None:
    local = LocalStore(Path(history.place))
    log = Log(local, EventFiles(local))
    seen = [ms for ms in _instants() if ms != UNSEEN_MS]
    for asked_ms in _asked():
        before = max((ms for ms in seen if ms <= asked_ms), default=None)
        after = min((ms for ms in seen if ms > asked_ms), default=None)
        assert nearest_seen(log, asked_ms, before=True) == before
        assert nearest_seen(log, asked_ms, before=False) == after


def test_the_configuration_in_force_is_that_of_the_newest_scrape(history: Recording) -> None:
    local = LocalStore(Path(history.place))
    log = Log(local, EventFiles(local))
    for asked_ms in _asked():
        newest = max((ms for ms in _instants() if ms <= asked_ms), default=None)
        wanted = None if newest is None else _scrape(newest).configuration
        assert configuration_in_force(log, asked_ms) == wanted


def test_the_span_is_that_of_all_files(history: Recording, tmp_path: Path) -> None:
    info = history.info()
    assert history.span() == (info.first_ms, info.last_ms) == (_instants()[0], _instants()[-1])
    assert Recording.open(tmp_path / "empty", create=True).span() is None


def test_the_span_reaches_into_the_head_at_both_ends(history: Recording) -> None:
    with history.writer("early") as writer:
        writer.put_configuration(mesh())
        writer.commit(_scrape(START_MS - DAY_MS))
    assert history.span() == (START_MS - DAY_MS, _instants()[-1])
    assert history.graph(START_MS - DAY_MS).instant_ms == START_MS - DAY_MS
    with pytest.raises(NothingRecordedError) as raised:
        history.graph(START_MS - DAY_MS - 1)
    assert raised.value.after_ms == START_MS - DAY_MS


@pytest.mark.parametrize("days", [1, 40])
def test_the_newest_graph_lists_as_many_folders_of_a_long_history_as_of_a_short_one(
    recording_dir: Path, days: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    newest_ms = START_MS + 50 * DAY_MS
    recording = Recording.open(recording_dir, create=True, clock=lambda: newest_ms)
    with recording.writer() as writer:
        writer.put_configuration(mesh())
    for day in range(days):
        seal(recording, scrape(newest_ms - day * DAY_MS, {"a>b 200": 1.0}))
    listed: Counter[str] = Counter()
    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: (listed.update([str(path)]), scandir(path))[1])
    reader = Recording.open(recording_dir, clock=lambda: newest_ms)
    assert reader.graph().instant_ms == newest_ms
    assert reader.span() == (newest_ms - (days - 1) * DAY_MS, newest_ms)
    assert reader.configuration().hash == mesh().hash
    assert len(listed) <= 8, "the head, the log, day and hour of both ends, and of the day before"


def test_a_folder_that_changed_lately_is_listed_each_time(tmp_path: Path) -> None:
    """File systems' clocks tick: two changes may have one time, and the second must not be overlooked."""
    local = LocalStore(tmp_path)
    for index in range(50):
        with local.create(f"log/{index}") as sink:
            sink.write(b"content")
        assert len(list(local.names("log"))) == index + 1


def test_no_listing_of_the_head_is_kept(recording_dir: Path) -> None:
    """It is another one after each commit: thousands of them would be tens of megabytes in a recorder."""
    with Recording.open(recording_dir, create=True).writer() as writer:
        writer.put_configuration(mesh())
        local = LocalStore(recording_dir)
        listings = Catalog(local)
        listings.within(START_MS, START_MS + 1)  # of the hour, which has none
        kept = _parsed_before.cache_info().currsize
        for index in range(5):
            writer.commit(_scrape(START_MS + index * INTERVAL_MS))
            assert len(listings.within(START_MS, START_MS + HOUR_MS)) == index + 1
    assert _parsed_before.cache_info().currsize == kept


def test_a_folder_that_is_long_unchanged_is_listed_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_store, "_TRUSTED_AFTER_S", -3600.0)
    local = LocalStore(tmp_path)
    with local.create("log/first") as sink:
        sink.write(b"content")
    assert list(local.names("log")) == ["log/first"]
    with monkeypatch.context() as forbidden:
        forbidden.delattr(os, "scandir")
        assert list(local.names("log")) == ["log/first"]
    listed_at_ns = os.stat(tmp_path / "log").st_ctime_ns
    while os.stat(tmp_path / "log").st_ctime_ns == listed_at_ns:  # until the clock ticks
        (tmp_path / "log" / "second").touch()
        (tmp_path / "log" / "second").unlink()
    with local.create("log/third") as sink:
        sink.write(b"content")
    assert sorted(local.names("log")) == ["log/first", "log/third"]
    local.delete("log/third")
    local.delete("log/first")
    assert list(local.names("log")) == []


def test_an_hour_that_holds_only_what_is_foreign_is_passed_by(history: Recording) -> None:
    span = history.span()
    for day, hour in (("2026-01-01", "03"), ("2027-01-01", "03"), ("2026-11-25", "99"), ("tomorrow", "01")):
        foreign = Path(history.place) / "log" / f"date={day}" / f"hour={hour}"
        foreign.mkdir(parents=True)
        (foreign / "part-00000.parquet").write_bytes(b"not ours")
    assert history.span() == span
    assert history.graph().instant_ms == _instants()[-1]
    assert history.configuration().hash == OTHER.hash
