from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.scrapes import INTERVAL_MS, START_MS, all_failed, edges, mesh, scrape

from vistio_core import Recording
from vistio_core.errors import (
    AlreadyRecordedError,
    FormatVersionError,
    InvalidTimeError,
    NotARecordingError,
    NothingRecordedError,
    RecordingError,
    UsageError,
    WriterLockedError,
)
from vistio_core.events import Sample, Scrape
from vistio_core.storage.local_store import LocalStore
from vistio_core.times import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, format_instant

NOW_MS = START_MS + 2 * HOUR_MS


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    return Recording.open(tmp_path / "recording", create=True, clock=lambda: NOW_MS)


def record(recording: Recording, *scrapes: Scrape, seal: bool = False) -> None:
    with recording.writer() as writer:
        writer.put_configuration(mesh())
        for each in scrapes:
            writer.commit(each)
        if seal:
            writer.seal(NOW_MS + DAY_MS)


@pytest.mark.parametrize("seal", [False, True], ids=["head", "sealed"])
@pytest.mark.parametrize("offset_ms", [0, 1, INTERVAL_MS - 1])
def test_as_of_an_instant_and_until_before_the_next_one_it_is_the_answer(
    recording: Recording, seal: bool, offset_ms: int
) -> None:
    record(
        recording,
        scrape(START_MS, {"a>b 200": 1.0}),
        scrape(START_MS + INTERVAL_MS, {"a>b 200": 2.0}),
        seal=seal,
    )
    graph = recording.graph(START_MS + offset_ms)
    assert graph.instant_ms == START_MS
    assert graph.age_ms == offset_ms
    assert recording.graph(START_MS + INTERVAL_MS).instant_ms == START_MS + INTERVAL_MS


def test_as_of_before_the_first_instant_there_is_nothing_never_a_later_one(recording: Recording) -> None:
    record(recording, scrape(START_MS))
    with pytest.raises(NothingRecordedError, match="before the recording begins") as error:
        recording.graph(START_MS - 1)
    assert (error.value.before_ms, error.value.after_ms) == (None, START_MS)


@pytest.mark.parametrize("age_ms", [5 * MINUTE_MS - 1, 5 * MINUTE_MS, 5 * MINUTE_MS + 1])
def test_an_instant_answers_until_it_is_stale(recording: Recording, age_ms: int) -> None:
    record(recording, scrape(START_MS))
    if age_ms < 5 * MINUTE_MS:
        assert recording.graph(START_MS + age_ms).age_ms == age_ms
    else:
        with pytest.raises(
            NothingRecordedError, match=r"nothing was recorded since; the nearest before is 2026"
        ):
            recording.graph(START_MS + age_ms)
    assert recording.graph(START_MS + age_ms, staleness="10m").instant_ms == START_MS


def test_without_an_instant_it_is_the_newest_graph_however_old(recording: Recording) -> None:
    record(recording, scrape(START_MS), scrape(START_MS + INTERVAL_MS, **all_failed()))
    assert recording.graph().instant_ms == START_MS


def test_in_a_gap_the_error_names_both_neighbours_and_why(recording: Recording) -> None:
    after_ms = START_MS + 30 * MINUTE_MS
    record(recording, scrape(START_MS), scrape(after_ms))
    asked_ms = START_MS + 20 * MINUTE_MS
    with pytest.raises(NothingRecordedError) as error:
        recording.graph(asked_ms)
    assert (error.value.before_ms, error.value.after_ms) == (START_MS, after_ms)
    assert error.value.reason == "the recorder was not running"
    for instant_ms in (START_MS, after_ms, asked_ms):
        assert format_instant(instant_ms) in str(error.value)


@pytest.mark.parametrize(
    ("later_ms", "reason"),
    [
        (INTERVAL_MS - 1, "between two instants, none was due"),
        (INTERVAL_MS, "the recorder was not running"),
        (INTERVAL_MS + 1, "the recorder was not running"),
    ],
)
def test_between_two_instants_nobody_was_away(recording: Recording, later_ms: int, reason: str) -> None:
    record(recording, scrape(START_MS), scrape(START_MS + 3 * INTERVAL_MS))
    asked_ms = START_MS + later_ms
    with pytest.raises(NothingRecordedError) as error:
        recording.graph(asked_ms, staleness="1s")
    assert error.value.reason == reason
    with pytest.raises(NothingRecordedError) as error:
        recording.top(asked_ms, asked_ms + 1)
    assert error.value.reason == reason


def test_an_empty_recording_says_so(recording: Recording) -> None:
    with pytest.raises(NothingRecordedError, match="the recording is empty"):
        recording.graph()
    with pytest.raises(NothingRecordedError, match="the recording is empty"):
        recording.configuration()


def test_an_instant_at_which_every_rule_failed_shows_the_one_before_and_the_failures(
    recording: Recording,
) -> None:
    record(
        recording,
        scrape(START_MS, {"a>b 200": 1.0}),
        scrape(START_MS + INTERVAL_MS, **all_failed()),
    )
    graph = recording.graph(START_MS + INTERVAL_MS)
    assert graph.instant_ms == START_MS
    assert [(failed.cluster, failed.rule, failed.outcome) for failed in graph.failed_rules] == [
        ("", "ingress", "failed"),
        ("mesh", "http", "timeout"),
        ("mesh", "saturation", "failed"),
    ]
    assert recording.graph(START_MS).failed_rules == ()


def test_when_all_that_is_near_failed_the_reason_is_the_failure(recording: Recording) -> None:
    record(recording, scrape(START_MS, **all_failed()))
    with pytest.raises(NothingRecordedError, match="not seen: ingress did not answer"):
        recording.graph(START_MS)


def test_quiet_is_a_graph_without_traffic_not_an_error(recording: Recording) -> None:
    record(recording, scrape(START_MS))
    graph = recording.graph(START_MS)
    assert graph.region("mesh").edges == ()
    assert graph.failed_rules == ()


def test_one_failed_rule_leaves_the_others_standing(recording: Recording) -> None:
    ingress = [Sample("", "ingress", "INTERNET", "mesh", "200", 9.0)]
    record(recording, scrape(START_MS, ingress, http="failed"))
    graph = recording.graph(START_MS)
    assert [edge.rates.normal for edge in graph.edges] == [9.0]
    assert [failed.rule for failed in graph.failed_rules] == ["http"]


def test_an_instant_is_asked_in_every_way_that_people_write_it(recording: Recording) -> None:
    record(recording, scrape(START_MS))
    for at in (
        START_MS,
        START_MS / 1000,
        str(START_MS // 1000),
        "2026-11-23T05:00:00Z",
        "2026-11-23T06:00:00+01:00",
        datetime(2026, 11, 23, 5, tzinfo=UTC),
        "-2h",
    ):
        assert recording.graph(at).instant_ms == START_MS
    with pytest.raises(InvalidTimeError, match="no time zone"):
        recording.graph(datetime(2026, 11, 23, 5))


def test_the_past_is_judged_as_recorded_or_by_the_current_configuration(recording: Recording) -> None:
    strict = mesh(**{"^5..$": "^[45]..$", "^4..$": "^never$"})
    record(recording, scrape(START_MS, {"a>b 404": 1.0}))
    with recording.writer() as writer:
        writer.put_configuration(strict)
        writer.commit(scrape(START_MS + INTERVAL_MS, {"a>b 404": 1.0}, configuration=strict))
    [then] = recording.graph(START_MS).region("mesh").edges
    [now] = recording.graph(START_MS, judge="current").region("mesh").edges
    assert (then.rates.warning, then.rates.danger) == (1.0, 0.0)
    assert (now.rates.warning, now.rates.danger) == (0.0, 1.0)
    assert recording.configuration(START_MS).hash == mesh().hash
    assert recording.configuration().hash == strict.hash
    with pytest.raises(UsageError, match="recorded or current"):
        recording.graph(START_MS, judge="today")  # type: ignore[arg-type]


def test_several_writers_make_one_graph(recording: Recording) -> None:
    for name, rate in (("eu", 1.0), ("us", 2.0)):
        with recording.writer(name) as writer:
            writer.put_configuration(mesh())
            writer.commit(scrape(START_MS, {"a>b 200": rate, f"{name}>b 200": 5.0}))
    rates = {(e.source, e.target): e.rates.normal for e in recording.graph(START_MS).region("mesh").edges}
    assert rates == {("a", "b"): 3.0, ("eu", "b"): 5.0, ("us", "b"): 5.0}
    assert recording.instants()["writer"].to_pylist() == ["eu", "us"]


@pytest.mark.parametrize("seal", [False, True], ids=["head", "sealed"])
@pytest.mark.parametrize(
    ("age_ms", "stale"),
    [
        (5 * MINUTE_MS - 1, False),
        (5 * MINUTE_MS, True),
        (DAY_MS, True),
        (DAY_MS + 5 * MINUTE_MS - 1, True),
        (DAY_MS + 5 * MINUTE_MS, False),
    ],
)
def test_a_writer_that_fell_silent_is_missed_for_a_day(
    recording: Recording, seal: bool, age_ms: int, stale: bool
) -> None:
    at_ms = START_MS + age_ms
    for name, instants in (("eu", [at_ms]), ("us", [START_MS - HOUR_MS, START_MS])):
        with recording.writer(name) as writer:
            writer.put_configuration(mesh())
            for instant_ms in instants:
                writer.commit(scrape(instant_ms, {f"{name}>b 200": 1.0}))
            if seal:
                writer.seal(at_ms + DAY_MS)
    graph = recording.graph(at_ms)
    if stale:
        [missed] = graph.failed_rules
        assert (missed.cluster, missed.rule, missed.outcome) == ("", "us", "stale")
        assert missed.error == "writer 'us' recorded nothing since 2026-11-23T05:00:00Z"
    else:
        assert graph.failed_rules == ()
    assert recording.graph(START_MS).failed_rules == ()  # before it began, nobody misses eu


def test_a_writer_is_silent_since_it_last_tried_even_if_it_saw_nothing_then(recording: Recording) -> None:
    seen = {"us": [scrape(START_MS), scrape(START_MS + INTERVAL_MS, **all_failed())]}
    seen["eu"] = [scrape(START_MS + 10 * MINUTE_MS)]
    for name, scrapes in seen.items():
        with recording.writer(name) as writer:
            writer.put_configuration(mesh())
            for each in scrapes:
                writer.commit(each)
    [missed] = recording.graph(START_MS + 10 * MINUTE_MS).failed_rules
    assert missed.error == f"writer 'us' recorded nothing since {format_instant(START_MS + INTERVAL_MS)}"


def test_a_writer_all_of_whose_rules_failed_is_not_passed_over_in_silence(recording: Recording) -> None:
    for name, by_rule in (("eu", {}), ("us", all_failed())):
        with recording.writer(name) as writer:
            writer.put_configuration(mesh())
            writer.commit(scrape(START_MS, **by_rule))
    assert [(rule.rule, rule.outcome) for rule in recording.graph(START_MS).failed_rules] == [
        ("ingress", "failed"),
        ("http", "timeout"),
        ("saturation", "failed"),
    ]


def test_an_instant_is_never_recorded_twice_not_even_after_sealing(recording: Recording) -> None:
    record(recording, scrape(START_MS), scrape(START_MS + INTERVAL_MS), seal=True)
    with recording.writer() as writer:
        writer.put_configuration(mesh())
        with pytest.raises(AlreadyRecordedError, match="already recorded by writer 'main'"):
            writer.commit(scrape(START_MS))


def test_what_is_backfilled_into_a_sealed_hour_is_found_before_and_after_its_own_sealing(
    recording: Recording,
) -> None:
    late_ms = START_MS + INTERVAL_MS
    record(recording, scrape(START_MS), scrape(late_ms + INTERVAL_MS), seal=True)
    for seal in (False, True):
        if not seal:
            record(recording, scrape(late_ms, {"a>b 200": 7.0}, backfilled=True))
        else:
            record(recording, seal=True)
        graph = recording.graph(late_ms)
        assert (graph.instant_ms, graph.backfilled) == (late_ms, True)
        assert len(recording.instants()) == 3
    assert recording.info().head_files == 0


def test_a_scrape_whose_configuration_was_never_put_is_refused(recording: Recording) -> None:
    with recording.writer() as writer, pytest.raises(RecordingError, match="call put_configuration first"):
        writer.commit(scrape(START_MS))


def test_a_second_writer_is_refused_and_readers_are_not(recording: Recording) -> None:
    with recording.writer() as writer:
        writer.put_configuration(mesh())
        with pytest.raises(WriterLockedError, match="writer 'main' is in use by process"):
            Recording.open(recording.place).writer()
        writer.commit(scrape(START_MS))
        assert Recording.open(recording.place).graph().instant_ms == START_MS


@pytest.mark.slow
def test_readers_see_every_instant_whole_while_the_writer_commits_merges_seals(recording: Recording) -> None:
    done = threading.Event()
    failures: list[BaseException] = []

    def read() -> None:
        reader = Recording.open(recording.place, clock=lambda: NOW_MS)
        try:
            while not done.is_set():
                for row in reader.sql("select instant, count(*) from samples group by all").fetchall():
                    assert row[1] == 3, row
                assert set(reader.timeline(START_MS, NOW_MS, "10s")["normal"].to_pylist()) <= {3.0, None}
                if reader.info().first_ms is not None:
                    assert len(reader.graph().region("mesh").edges) == 3
                    assert len(reader.graph(START_MS).region("mesh").edges) == 3
        except BaseException as error:
            failures.append(error)

    with recording.writer() as writer:
        writer.put_configuration(mesh())
        samples = {"a>b 200": 1.0, "b>c 200": 1.0, "c>d 200": 1.0}
        writer.commit(scrape(START_MS, samples))
        threads = [threading.Thread(target=read) for _ in range(3)]
        for thread in threads:
            thread.start()
        for index in range(1, 120):
            instant_ms = START_MS + index * MINUTE_MS
            writer.commit(scrape(instant_ms, samples))
            if index % 5 == 0:
                writer.merge(instant_ms)
            if index % 60 == 0:
                writer.seal(instant_ms)
        done.set()
        for thread in threads:
            thread.join()
    assert failures == []


def test_a_merge_in_the_middle_of_a_listing_hides_no_instant(recording: Recording) -> None:
    """The listing has passed where the merged file appears, and the commits vanish before it gets there."""
    late = [START_MS + index * INTERVAL_MS for index in range(4)]
    record(recording, *(scrape(instant_ms, {"a>b 200": 1.0}) for instant_ms in late))

    class MergedMeanwhile(LocalStore):
        def __init__(self) -> None:
            super().__init__(Path(recording.place))
            self.merged = False

        def names(self, prefix: str = "") -> Iterator[str]:
            listed = list(super().names(prefix))
            if prefix == "head" and not self.merged:
                self.merged = True
                with recording.writer() as writer:
                    assert writer.merge(START_MS + HOUR_MS) == 4
                return iter(set(listed) & set(super().names(prefix)))
            return iter(listed)

    reader = Recording(MergedMeanwhile(), clock=lambda: NOW_MS)
    assert reader.instants(START_MS, START_MS + MINUTE_MS).num_rows == 4


def test_gaps_tell_not_running_from_skipped_from_not_seen(recording: Recording) -> None:
    at = [START_MS + index * INTERVAL_MS for index in range(20)]
    skipped = {"ingress": "skipped", "http": "skipped", "saturation": "skipped"}
    record(
        recording,
        scrape(at[0]),
        scrape(at[1], **skipped),
        scrape(at[2], **all_failed()),
        scrape(at[3], **all_failed()),
        scrape(at[4]),
        scrape(at[8], http="failed"),
        scrape(at[9]),
    )
    gaps = recording.gaps(START_MS, at[10]).to_pylist()
    assert [
        (gap["start"].timestamp() * 1000, gap["end"].timestamp() * 1000, gap["missing"], gap["reason"])
        for gap in gaps
    ] == [
        (at[1], at[2], 1, "skipped: ingress did not answer"),
        (at[2], at[4], 2, "not seen: ingress did not answer"),
        (at[5], at[8], 3, "not running"),
    ]


def test_the_time_since_the_last_instant_is_a_gap_too_once_it_is_long_enough(recording: Recording) -> None:
    record(recording, scrape(START_MS))
    soon = Recording(recording._store, clock=lambda: START_MS + 4 * INTERVAL_MS)
    assert soon.gaps(START_MS, START_MS + HOUR_MS).num_rows == 0
    [gap] = recording.gaps(START_MS, START_MS + 60 * SECOND_MS).to_pylist()
    assert (gap["missing"], gap["reason"]) == (5, "not running")
    [until_now] = recording.gaps().to_pylist()
    assert until_now["end"].timestamp() * 1000 == NOW_MS


@pytest.mark.parametrize("days", [0, 3])  # more than a day: how long a writer is missed beside others
def test_a_window_that_begins_in_a_gap_says_so_at_each_door(recording: Recording, days: int) -> None:
    back_ms = START_MS + days * DAY_MS + HOUR_MS
    recording = Recording(recording._store, clock=lambda: back_ms + HOUR_MS)
    record(recording, scrape(START_MS, {"a>b 200": 1.0}), scrape(back_ms, {"a>b 200": 1.0}))
    window = back_ms - 10 * MINUTE_MS, back_ms + INTERVAL_MS
    [gap] = recording.gaps(*window).to_pylist()
    assert (gap["start"].timestamp() * 1000, gap["end"].timestamp() * 1000) == (window[0], back_ms)
    assert (gap["missing"], gap["reason"]) == (60, "not running")
    assert recording.gaps(*window, cluster="mesh", node="a").to_pylist() == [gap]
    assert sum(recording.timeline(*window).column("missing").to_pylist()) == 60
    assert recording.seen(*window).unseen.to_pylist() == [gap]
    assert recording.incidents(*window).unseen.to_pylist() == [gap]
    [within] = recording.gaps(window[0], back_ms - MINUTE_MS).to_pylist()
    assert within["missing"] == 54


def test_before_the_recording_begins_there_is_no_gap(recording: Recording) -> None:
    record(recording, scrape(START_MS))
    assert recording.gaps(START_MS - HOUR_MS, START_MS + INTERVAL_MS).num_rows == 0
    assert recording.gaps(START_MS - HOUR_MS, START_MS).num_rows == 0


def test_timeline_means_the_seen_instants_and_leaves_unseen_steps_null(recording: Recording) -> None:
    record(
        recording,
        scrape(START_MS, {"a>b 200": 1.0, "a>b 503": 0.5}),
        scrape(START_MS + INTERVAL_MS, {"a>b 200": 3.0, "b>c 404": 1.0}),
        scrape(START_MS + 6 * INTERVAL_MS, **all_failed()),
        scrape(START_MS + 12 * INTERVAL_MS),
        seal=True,
    )
    rows = recording.timeline(START_MS, START_MS + 3 * MINUTE_MS, "1m").to_pylist()
    assert [(row["normal"], row["warning"], row["danger"]) for row in rows] == [
        (2.0, 0.5, 0.25),
        (None, None, None),
        (0.0, 0.0, 0.0),
    ]
    assert [(row["edges"], row["instants"], row["missing"]) for row in rows] == [
        (2, 2, 4),
        (None, 0, 6),
        (0, 1, 5),
    ]
    [row] = recording.timeline(START_MS, START_MS + MINUTE_MS, "1m", cluster="mesh", source="b").to_pylist()
    assert (row["normal"], row["warning"], row["edges"]) == (0.0, 0.5, 1)


def test_timeline_refuses_what_cannot_be_drawn(recording: Recording) -> None:
    with pytest.raises(UsageError, match="more than 100,000 steps"):
        recording.timeline(0, NOW_MS, "1s")
    with pytest.raises(InvalidTimeError, match="is empty"):
        recording.timeline(START_MS, START_MS)
    with pytest.raises(InvalidTimeError, match="longer than 0s"):
        recording.timeline(START_MS, NOW_MS, "0s")


def test_diff_has_the_largest_change_first(recording: Recording) -> None:
    record(
        recording,
        scrape(START_MS, {"a>b 200": 10.0, "a>c 200": 5.0, "a>d 200": 1.0}),
        scrape(START_MS + INTERVAL_MS, {"a>b 200": 9.0, "a>b 503": 3.0, "a>c 200": 5.0, "a>e 200": 2.0}),
    )
    rows = recording.diff(START_MS, START_MS + INTERVAL_MS).to_pylist()
    assert [(row["target"], row["change"], row["change_rps"]) for row in rows] == [
        ("b", "changed", 4.0),
        ("e", "new", 2.0),
        ("d", "gone", 1.0),
    ]
    assert (rows[0]["before_normal"], rows[0]["after_normal"], rows[0]["after_danger"]) == (10.0, 9.0, 3.0)


def test_sql_on_an_empty_recording_gives_empty_tables(recording: Recording) -> None:
    assert recording.sql("select * from samples").fetchall() == []
    assert recording.instants().num_rows == 0
    assert recording.gaps().num_rows == 0


def test_prune_removes_what_is_wholly_older_and_keeps_the_rest(recording: Recording) -> None:
    record(recording, scrape(START_MS), scrape(START_MS + HOUR_MS), seal=True)
    with recording.writer() as writer:
        assert writer.prune(START_MS).files == 0
        pruned = writer.prune(START_MS + 1)
        assert (pruned.files, pruned.bytes > 0) == (1, True)
    assert recording.info().first_ms == START_MS + HOUR_MS


def test_info_counts_what_there_is(recording: Recording) -> None:
    record(recording, scrape(START_MS), seal=True)
    record(recording, scrape(START_MS + HOUR_MS))
    info = recording.info()
    assert (info.head_files, info.log_files, info.configurations, info.writers) == (1, 1, 1, ("main",))
    assert (info.first_ms, info.last_ms) == (START_MS, START_MS + HOUR_MS)


def test_a_directory_without_a_recording_is_refused_with_the_next_step(tmp_path: Path) -> None:
    with pytest.raises(NotARecordingError, match="vistio-record run"):
        Recording.open(tmp_path)
    with pytest.raises(NotARecordingError):
        Recording.open(tmp_path / "missing")
    (tmp_path / "thesis.doc").write_text("mine")
    with pytest.raises(NotARecordingError, match=r"thesis\.doc"):
        Recording.open(tmp_path, create=True)


def test_a_newer_format_is_refused_by_name(recording: Recording) -> None:
    (Path(recording.place) / "vistio.json").write_text(
        '{"format_version": 2, "created": "2030-01-01T00:00:00Z"}'
    )
    with pytest.raises(FormatVersionError, match="format version 2, this vistio reads 1; upgrade vistio"):
        Recording.open(recording.place)


def test_a_writer_stops_when_the_recording_vanishes_and_goes_on_when_it_is_back(
    recording: Recording, tmp_path: Path
) -> None:
    place = Path(recording.place)
    with recording.writer() as writer:
        writer.put_configuration(mesh())
        writer.commit(scrape(START_MS))
        place.rename(tmp_path / "elsewhere")
        place.mkdir()  # what an unmounted directory looks like
        with pytest.raises(NotARecordingError, match="vanished"):
            writer.commit(scrape(START_MS + INTERVAL_MS))
        assert list(place.iterdir()) == []
        place.rmdir()
        (tmp_path / "elsewhere").rename(place)
        writer.commit(scrape(START_MS + INTERVAL_MS))
    assert recording.instants().num_rows == 2


def test_equal_edges_of_two_rules_are_added_and_order_does_not_matter(recording: Recording) -> None:
    rates = [0.1, 0.2, 0.3, 1e9, 1e-9]
    statuses = ["200", "201", "202", "203", "204"]
    record(recording, scrape(START_MS, edges({f"a>b {s}": r for s, r in zip(statuses, rates, strict=True)})))
    record(
        recording,
        scrape(
            START_MS + INTERVAL_MS,
            edges({f"a>b {s}": r for s, r in zip(statuses, reversed(rates), strict=True)}),
        ),
    )
    [first] = recording.graph(START_MS).region("mesh").edges
    [second] = recording.graph(START_MS + INTERVAL_MS).region("mesh").edges
    assert first == second
