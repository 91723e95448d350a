"""Rollups are made when hours are sealed, are only believed when they fit, and are never needed."""

from __future__ import annotations

import shutil
from pathlib import Path

import attrs
import pyarrow as pa
import pytest
from support.scrapes import INTERVAL_MS, START_MS, all_failed, edges, mesh, scrape

from vistio_core import Recording
from vistio_core.cache import Cache
from vistio_core.judging import minutes
from vistio_core.judging.subject import Subject
from vistio_core.replay.rollups import subjects as subjects_file
from vistio_core.replay.rollups import traffic
from vistio_core.replay.rollups.hours import Rollup, Rollups
from vistio_core.replay.rollups.traffic import TABLE_BYTES, Traffic, weight_bytes
from vistio_core.storage.listing import Listing
from vistio_core.times import HOUR_MS

NOW_MS = START_MS + 10 * HOUR_MS
WINDOW = START_MS, START_MS + 3 * HOUR_MS, "10m"


def make(place: Path, rate: float = 1.0, now_ms: int = NOW_MS) -> Recording:
    recording = Recording.open(place, create=True, clock=lambda: now_ms)
    with recording.writer() as writer:
        writer.put_configuration(mesh())
        for hour in range(3):
            for index in range(3):
                samples = {"a>b 200": rate * (index + 1), "a>b 503": rate}
                writer.commit(scrape(START_MS + hour * HOUR_MS + index * INTERVAL_MS, samples))
        writer.commit(scrape(START_MS + 5 * INTERVAL_MS, **all_failed()))
        writer.seal(START_MS + 2 * HOUR_MS)
    return recording


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    return make(tmp_path / "r")


def rollups(recording: Recording) -> list[Path]:
    return sorted(Path(recording.place).glob("rollups/date=*/hour=*/*.arrow"))


def read_hours(recording: Recording, monkeypatch: pytest.MonkeyPatch) -> tuple[pa.Table, int]:
    """The timeline by a reader that knows nothing yet, and how many times the log was read for it."""
    reader = Recording.open(recording.place, clock=lambda: NOW_MS)
    reads = windows_read(monkeypatch)
    return reader.timeline(*WINDOW), len(reads)


def windows_read(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """The windows for which totals are read from the log, from now on."""
    reads: list[tuple[int, int]] = []
    totals = Traffic._totals

    def counted(self: Traffic, listing: Listing, subject: Subject) -> pa.Table:
        reads.append((listing.start_ms, listing.end_ms))
        return totals(self, listing, subject)

    monkeypatch.setattr(Traffic, "_totals", counted)
    return reads


def test_sealed_hours_have_rollups_and_the_log_is_read_for_the_rest(
    recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(rollups(recording)) == 2
    found, reads = read_hours(recording, monkeypatch)
    assert reads == 1  # the newest hour, in the head
    for path in rollups(recording):
        path.unlink()
    again, reads = read_hours(recording, monkeypatch)
    assert reads == 1  # all hours at once
    assert again.equals(found)
    with recording.writer() as writer:
        writer.seal(NOW_MS)
    assert len(rollups(recording)) == 3
    assert read_hours(recording, monkeypatch) == (found, 0)


def test_a_rollup_is_read_once_and_again_when_its_hour_has_other_files(
    recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    names: list[str] = []
    read = Rollups.read

    def counted(self: Rollups, name: str) -> Rollup | None:
        names.append(name)
        return read(self, name)

    monkeypatch.setattr(Rollups, "read", counted)
    reader = Recording.open(recording.place, clock=lambda: NOW_MS)
    gaps, found = reader.gaps(*WINDOW[:2]), reader.timeline(*WINDOW)
    assert len(names) == 2 * 2, "what is there first, then the totals, too"
    assert reader.gaps(*WINDOW[:2]).equals(gaps)
    assert reader.timeline(*WINDOW).equals(found)
    assert len(names) == 4
    shutil.rmtree(recording.place)
    make(Path(recording.place), rate=2.0)
    assert reader.timeline(*WINDOW)["normal"][0].as_py() == 2 * found["normal"][0].as_py()


@pytest.mark.parametrize("how", ["torn", "changed", "empty", "of another hour", "of another recording"])
def test_a_rollup_that_does_not_fit_is_not_believed_and_made_anew(
    recording: Recording, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, how: str
) -> None:
    found, _ = read_hours(recording, monkeypatch)
    first, second = rollups(recording)
    good = first.read_bytes()
    if how == "torn":
        first.write_bytes(good[:-9])
    elif how == "changed":
        first.write_bytes(good[:200] + bytes([good[200] ^ 1]) + good[201:])
    elif how == "empty":
        first.write_bytes(b"")
    elif how == "of another hour":
        shutil.copy(second, first)
    else:
        shutil.copy(rollups(make(tmp_path / "other", rate=7.0, now_ms=NOW_MS + 1000))[0], first)
    assert read_hours(recording, monkeypatch) == (found, 2)
    if (
        how != "of another recording"
    ):  # there, name and content may be right: the facts are not told apart by it
        assert [checked.name for checked in recording.verify() if checked.problems] == [
            str(first.relative_to(recording.place))
        ]
    with recording.writer() as writer:
        writer.seal(START_MS)
    assert rollups(recording)[0].read_bytes() == good


def test_a_backfill_into_a_sealed_hour_makes_the_old_rollup_worthless(recording: Recording) -> None:
    before = rollups(recording)
    with recording.writer() as writer:
        writer.put_configuration(mesh())
        writer.commit(scrape(START_MS + 30 * INTERVAL_MS, {"a>b 200": 99.0}, backfilled=True))
        assert recording.timeline(*WINDOW)["edges"].to_pylist()[0] == 1
        whole = recording.timeline(*WINDOW)
        assert whole["instants"].to_pylist()[0] == 4
        writer.seal(NOW_MS)
    assert recording.timeline(*WINDOW).equals(whole)
    assert len(rollups(recording)) == 3
    assert before[0] not in rollups(recording)


def subjects(recording: Recording) -> list[Path]:
    return sorted(Path(recording.place).glob("rollups/date=*/hour=*/*.subjects"))


SUBJECTS = [
    {"source": "a", "target": "b", "cluster": "mesh"},
    {"node": "b"},
    {"source": "a"},
    {"target": "b", "cluster": "mesh"},
    {"source": "b", "target": "a"},  # both are there, and never talk to each other
]


@pytest.mark.parametrize("subject", SUBJECTS)
def test_an_edge_or_a_node_by_minute_is_what_the_log_says(
    recording: Recording, monkeypatch: pytest.MonkeyPatch, subject: dict[str, str]
) -> None:
    asked = windows_read(monkeypatch)
    windows = [WINDOW, (START_MS, START_MS + HOUR_MS + INTERVAL_MS, "1m")]
    found = [recording.timeline(*window, **subject) for window in windows]
    # Of the first minute some instants were seen and some were not. The newest hour is in the head; the other window
    # ends within a minute.
    mixed = START_MS, START_MS + 60_000
    newest, end_ms = START_MS + 2 * HOUR_MS, START_MS + HOUR_MS
    assert asked == [mixed, (newest, newest + HOUR_MS), mixed, (end_ms, end_ms + INTERVAL_MS)]
    for path in subjects(recording):
        path.unlink()
    assert [recording.timeline(*window, **subject) for window in windows] == found
    with recording.writer() as writer:
        writer.seal(START_MS)
    assert len(subjects(recording)) == 2


def test_steps_that_are_no_whole_minutes_are_read_from_the_log(recording: Recording) -> None:
    rows = recording.timeline(START_MS + 5_000, START_MS + 35_000, "10s", source="a", target="b")
    assert rows["normal"].to_pylist() == [1.0, 2.0, 3.0, None]


@pytest.mark.parametrize("subject", SUBJECTS)
def test_what_is_too_much_at_once_is_read_in_pieces_and_says_the_same(
    recording: Recording, monkeypatch: pytest.MonkeyPatch, subject: dict[str, str]
) -> None:
    window = START_MS + 5_000, START_MS + 2 * HOUR_MS + 65_000, "10s"
    expected = recording.timeline(*window, **subject)
    pieces: list[int] = []
    about = Traffic._about

    def counted(self: Traffic, listing: Listing, subject: Subject) -> pa.Table:
        pieces.append(listing.end_ms - listing.start_ms)
        return about(self, listing, subject)

    monkeypatch.setattr(Traffic, "_about", counted)
    monkeypatch.setattr(traffic, "_MOST_ROWS", 5)
    assert recording.timeline(*window, **subject) == expected
    assert len(pieces) > 5


def test_what_leaves_a_node_for_itself_or_for_another_is_no_timeline_of_the_node(
    recording: Recording,
) -> None:
    """A subject that is a node and an end has no minutes: the node's would say too much of it."""
    window = START_MS, START_MS + HOUR_MS, "1m"
    for ends, normal in (({"source": "a"}, 2.0), ({"target": "a"}, 0.0), ({"target": "b"}, 2.0)):
        assert recording.timeline(*window, node="b", **ends)["known_normal"][0].as_py() == normal


def test_subjects_of_several_writers_are_found_however_few_are_put_together_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(minutes, "_AT_ONCE", 2)
    monkeypatch.setattr(subjects_file, "_BLOCK_SUBJECTS", 3)
    recording = Recording.open(tmp_path / "r", create=True, clock=lambda: NOW_MS)
    pairs = ["a>b", "c>d", "e>f", "g>g", "h>i"]
    for number, name in enumerate(("east", "west")):
        with recording.writer(name) as writer:
            writer.put_configuration(mesh())
            for minute in range(3):
                rates = {f"{pair} 200": 1.0 + minute + place for place, pair in enumerate(pairs[number::2])}
                writer.commit(scrape(START_MS + minute * 60_000, rates))
    asked = [
        subject
        for pair in pairs
        for source, _, target in [pair.partition(">")]
        for subject in (
            {"source": source, "target": target},
            {"source": source},
            {"target": target},
            {"node": source},
            {"node": target},
        )
    ]
    window = START_MS, START_MS + 180_000, "1m"
    found = [recording.timeline(*window, **subject) for subject in asked]
    for name in ("east", "west"):
        with recording.writer(name) as writer:
            writer.seal(NOW_MS)
    assert len(subjects(recording)) == 1
    assert [recording.timeline(*window, **subject) for subject in asked] == found


def test_an_hour_may_begin_late(tmp_path: Path) -> None:
    recording = Recording.open(tmp_path / "r", create=True, clock=lambda: NOW_MS)
    window = START_MS, START_MS + 6 * 60_000, "1m"
    with recording.writer() as writer:
        writer.put_configuration(mesh())
        for minute in (1, 2, 4):
            writer.commit(scrape(START_MS + minute * 60_000, {"a>b 200": float(minute)}))
        found = recording.timeline(*window, source="a", target="b")
        assert found["normal"].to_pylist() == [None, 1.0, 2.0, None, 4.0, None]
        writer.seal(NOW_MS)
    assert recording.timeline(*window, source="a", target="b") == found


def test_of_a_node_in_two_clusters_the_most_edges_are_those_of_one_instant(tmp_path: Path) -> None:
    recording = Recording.open(tmp_path / "r", create=True, clock=lambda: NOW_MS)
    with recording.writer() as writer:
        writer.put_configuration(mesh())
        writer.commit(scrape(START_MS, {"mesh>b 200": 1.0}))
        writer.commit(scrape(START_MS + INTERVAL_MS, edges({"INTERNET>mesh 200": 3.0}, "ingress", "")))
        writer.seal(NOW_MS)
    for subject, most in (({"node": "mesh"}, 1), ({"node": "mesh", "cluster": ""}, 1), ({"target": "b"}, 1)):
        [row] = recording.timeline(START_MS, START_MS + 60_000, "1m", **subject).to_pylist()
        assert row["edges"] == most


@pytest.mark.parametrize("how", ["torn", "a block changed", "empty", "of another hour"])
@pytest.mark.slow
def test_minutes_that_are_not_as_they_were_written_are_not_believed(recording: Recording, how: str) -> None:
    def ask() -> list[pa.Table]:
        return [recording.timeline(*WINDOW, **subject) for subject in SUBJECTS]

    found = ask()
    first, second = subjects(recording)
    good = first.read_bytes()
    if how == "torn":
        first.write_bytes(good[:-9])
    elif how == "a block changed":
        first.write_bytes(good[:-9] + bytes([good[-9] ^ 1]) + good[-8:])
    elif how == "empty":
        first.write_bytes(b"")
    else:
        shutil.copy(second, first)
    assert ask() == found
    [damaged] = [checked.name for checked in recording.verify() if checked.problems]
    assert damaged == str(first.relative_to(recording.place))
    first.unlink()
    with recording.writer() as writer:
        writer.seal(START_MS)
    assert subjects(recording)[0].read_bytes() == good


@pytest.mark.parametrize("rate", [9e11, -9e11])
def test_rates_too_high_for_minutes_leave_the_log_to_be_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, rate: float
) -> None:
    recording = Recording.open(tmp_path / "r", create=True, clock=lambda: NOW_MS)
    with recording.writer() as writer:
        writer.put_configuration(mesh())
        writer.commit(scrape(START_MS, {f"a>b {status}": rate for status in range(200, 230)}))
        writer.seal(NOW_MS)
    assert "rollup.failed" in caplog.messages
    [row] = recording.timeline(START_MS, START_MS + 60_000, "1m", source="a").to_pylist()
    assert row["normal"] == 30 * rate


def test_of_an_hour_that_is_not_sealed_only_what_is_new_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = Recording.open(tmp_path / "r", create=True, clock=lambda: NOW_MS)
    window = START_MS, START_MS + HOUR_MS, "10s"
    failed = {"http": "failed", "ingress": "ok", "saturation": "ok"}
    with recording.writer() as writer:
        writer.put_configuration(mesh())
        writer.commit(scrape(START_MS, {}, **failed))
        writer.commit(scrape(START_MS + INTERVAL_MS, {"a>b 200": 1.0}))
        recording.timeline(*window)
        reads = windows_read(monkeypatch)
        writer.commit(scrape(START_MS + 2 * INTERVAL_MS, {"a>b 200": 2.0}))
        assert recording.timeline(*window)["normal"].to_pylist()[:3] == [None, 1.0, 2.0]
        recording.timeline(*window)
        assert reads == [(START_MS + 2 * INTERVAL_MS, START_MS + 2 * INTERVAL_MS + 1)]
        supplement = scrape(START_MS, {"a>b 200": 5.0}, backfilled=True)
        outcomes = tuple(outcome for outcome in supplement.outcomes if outcome.rule == "http")
        writer.supplement(attrs.evolve(supplement, outcomes=outcomes))
        assert recording.timeline(*window)["normal"].to_pylist()[:3] == [5.0, 1.0, 2.0]
        assert reads[1:] == [(START_MS, START_MS + 1)]
        writer.merge(NOW_MS)
        assert recording.timeline(*window)["normal"].to_pylist()[:3] == [5.0, 1.0, 2.0]


def test_tables_are_remembered_within_so_many_bytes() -> None:
    table = pa.table({"x": pa.array([1, 2, 3], pa.int64())})
    remembered: Cache[str, pa.Table] = Cache(3 * (table.nbytes + TABLE_BYTES), weight_bytes)
    for key in "abc":
        remembered.put(key, table)
    assert remembered.get("a") is table
    remembered.put("c", table)
    remembered.put("d", table)
    assert [remembered.get(key) for key in "abcd"] == [table, None, table, table]
    remembered.put("large", pa.table({"x": range(TABLE_BYTES)}))
    assert [key for key in (*"abcd", "large") if remembered.get(key)] == ["a", "c", "d"]


def test_retention_takes_rollups_along(recording: Recording) -> None:
    with recording.writer() as writer:
        writer.prune(START_MS + HOUR_MS)
        assert len(rollups(recording)) == 1
        writer.prune(NOW_MS)
    assert rollups(recording) == []


def test_a_rollup_of_a_damaged_hour_is_not_made_and_does_not_stop_sealing(
    recording: Recording, caplog: pytest.LogCaptureFixture
) -> None:
    for path in rollups(recording):
        path.unlink()
    [damaged] = Path(recording.place).glob("log/*/hour=05/*.parquet")
    damaged.write_bytes(damaged.read_bytes()[:100])
    with recording.writer() as writer:
        assert len(writer.seal(NOW_MS)) == 1
    assert len(rollups(recording)) == 2
    assert "rollup.failed" in caplog.messages
