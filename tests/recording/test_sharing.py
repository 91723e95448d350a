"""A part of a recording in one file says what the recording says; and adds to another one what fits, once."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from support.recordings import recorded
from support.scrapes import INTERVAL_MS, START_MS, all_failed, edges, mesh, outcomes, scrape

from vistio_core import Annotation, Measurement, Recording, Scrape, frontends
from vistio_core.errors import (
    FormatVersionError,
    NothingRecordedError,
    PackedRecordingError,
    RecordingError,
    UnknownNameError,
    UsageError,
)
from vistio_core.frontends import vizceral_frames
from vistio_core.graph.model import Graph
from vistio_core.times import DAY_MS, HOUR_MS, MINUTE_MS, format_instant

FROM_MS = START_MS + 20 * MINUTE_MS
TO_MS = START_MS + 28 * MINUTE_MS
WIDER = mesh(**{"maxVolume: 500": "maxVolume: 700"})
OTHER = mesh(**{"cluster: mesh": "cluster: other", "replacement: mesh": "replacement: other"})


def instant(number: int) -> int:
    return START_MS + number * INTERVAL_MS


def scrapes(first: int = 80, last: int = 170) -> list[Scrape]:
    """With everything that a graph tells: failures, a gap, quiet, notices, two configurations."""
    found = []
    for number in range(first, last):
        if number in (130, 131):
            continue  # nothing was recorded
        saturated = [Measurement("mesh", "saturation", "c", "", "value", 0.97)]
        configuration = mesh() if number < 140 else WIDER
        rates = {} if number % 7 == 0 else {"a>b 200": 1.5 + number, "b>c 503": 0.25 * number}
        if number in range(118, 124):
            found.append(scrape(instant(number), configuration=configuration, **all_failed()))
        elif number % 5 == 0:
            found.append(scrape(instant(number), configuration=configuration, http="failed"))
        else:
            found.append(scrape(instant(number), rates, configuration=configuration, measurements=saturated))
    return found


def healed(number: int) -> Scrape:
    answered = tuple(outcome for outcome in outcomes() if outcome.rule == "http")
    samples = tuple(edges({"a>b 200": 3.5, "a>d 200": 1.0}))
    return Scrape(instant(number), INTERVAL_MS, mesh().hash, answered, samples, backfilled=True)


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """Of writer ``a``; and ``b``, which fell silent long before the window."""
    configurations = [mesh(), WIDER]
    place = tmp_path_factory.mktemp("shared") / "recording"
    found = recorded(place, scrapes(), scrapes(0, 30), configurations=configurations)
    with found.writer("a") as writer:
        for configuration in configurations:
            writer.put_configuration(configuration)
        for number in (125, 135):
            writer.supplement(healed(number))
        writer.merge(START_MS + 20 * MINUTE_MS)
    for at_ms, text in ((START_MS, "long before"), (FROM_MS + 1, "version 2"), (TO_MS, "after")):
        found.annotate(Annotation(at_ms, text))
    return found


@pytest.fixture(scope="module")
def file(recording: Recording, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("part") / "incident.vistio"
    recording.export(FROM_MS, TO_MS, path)
    return path


def opened(file: Path) -> Recording:
    return Recording.open(file, clock=lambda: START_MS + 2 * HOUR_MS)


def told(recording: Recording, at_ms: int, judge: str = "recorded") -> Graph | str:
    try:
        return recording.graph(at_ms, judge=judge)  # type: ignore[arg-type]
    except NothingRecordedError as error:
        return error.reason


@pytest.mark.slow
def test_graphs_of_every_instant_have_the_same_bytes_in_every_format(
    recording: Recording, file: Path
) -> None:
    part = opened(file)
    unanswered = 0
    for at_ms in range(FROM_MS, TO_MS, INTERVAL_MS // 2):
        ours, theirs = told(part, at_ms), told(recording, at_ms)
        assert ours == theirs
        assert isinstance(ours, Graph)
        assert isinstance(theirs, Graph)
        unanswered += bool(ours.failed_rules)
        for name in frontends.names():
            frontend = frontends.get(name)
            assert frontend.render(ours, {}) == frontend.render(theirs, {}), name
    assert unanswered > 20  # writer b is missed in all of them, and rules failed


def test_windows_say_the_same(recording: Recording, file: Path) -> None:
    part = opened(file)
    window = FROM_MS, TO_MS
    assert part.timeline(*window, "1m").equals(recording.timeline(*window, "1m"))
    assert part.instants(*window).equals(recording.instants(*window))
    assert part.gaps(*window).equals(recording.gaps(*window))
    assert part.annotations(*window).equals(recording.annotations(*window))
    ours, theirs = (
        vizceral_frames.render(each.frames(*window), each.graph(FROM_MS), {}) for each in (part, recording)
    )
    assert ours == theirs
    halves = ((FROM_MS, FROM_MS + 4 * MINUTE_MS), (FROM_MS + 4 * MINUTE_MS, TO_MS))
    assert part.diff(*halves).equals(recording.diff(*halves))
    counted = "select count(*), sum(rate) from samples"
    sums, others = (each.sql(counted, start=FROM_MS, end=TO_MS).fetchall() for each in (part, recording))
    assert sums == others


def test_the_part_is_whole_and_says_which_it_is(file: Path) -> None:
    part = opened(file)
    assert [checked for checked in part.verify() if checked.problems] == []
    known = part.info().part
    assert known is not None
    assert (known.start, known.end) == ("2026-11-23T05:20:00Z", "2026-11-23T05:28:00Z")
    assert part.annotations()["text"].to_pylist() == ["version 2"]
    assert part.span() == (instant(29), TO_MS - INTERVAL_MS)  # b's last instant: it is missed in the window


def test_it_says_of_other_times_that_they_are_not_in_it(recording: Recording, file: Path) -> None:
    part = opened(file)
    for at_ms in (START_MS, TO_MS + HOUR_MS):
        with pytest.raises(NothingRecordedError, match="part of a recording, from ") as raised:
            part.graph(at_ms)
        assert format_instant(TO_MS) in raised.value.reason
    reasons = {row["reason"] for row in part.gaps(START_MS, START_MS + 2 * HOUR_MS).to_pylist()}
    assert "not in this part" in reasons
    inside = part.gaps(FROM_MS, TO_MS).to_pylist()
    assert inside == recording.gaps(FROM_MS, TO_MS).to_pylist()


def test_the_same_part_makes_the_same_file(recording: Recording, file: Path, tmp_path: Path) -> None:
    recording.export(FROM_MS, TO_MS, tmp_path / "again.vistio")
    assert (tmp_path / "again.vistio").read_bytes() == file.read_bytes()


def test_a_part_of_a_part_and_of_a_sealed_recording_is_the_same(
    recording: Recording, file: Path, tmp_path: Path
) -> None:
    opened(file).export(FROM_MS, TO_MS, tmp_path / "again.vistio")
    again = opened(tmp_path / "again.vistio")
    for at_ms in range(FROM_MS, TO_MS, MINUTE_MS):
        assert told(again, at_ms) == told(recording, at_ms)


@pytest.mark.parametrize(("moved_ms", "instants"), [(-1, 1), (0, 1), (1, 0)])
def test_the_start_is_inside(recording: Recording, tmp_path: Path, moved_ms: int, instants: int) -> None:
    start_ms = FROM_MS + moved_ms
    if instants:
        assert recording.export(start_ms, FROM_MS + 2, tmp_path / "x.vistio").instants == instants
    else:
        with pytest.raises(NothingRecordedError, match="no graph at 2026-11-23T05:20:00"):
            recording.export(start_ms, FROM_MS + 2, tmp_path / "x.vistio")
        assert list(tmp_path.iterdir()) == []


def test_the_end_is_not_inside(recording: Recording, tmp_path: Path) -> None:
    assert recording.export(FROM_MS, FROM_MS + INTERVAL_MS, tmp_path / "x.vistio").instants == 1
    assert recording.export(FROM_MS, FROM_MS + INTERVAL_MS + 1, tmp_path / "y.vistio").instants == 2


def test_more_of_the_time_before_is_exported_on_request(recording: Recording, tmp_path: Path) -> None:
    done = recording.export(FROM_MS, TO_MS, tmp_path / "x.vistio", before="15m")
    part = opened(tmp_path / "x.vistio")
    since_ms = FROM_MS - 15 * MINUTE_MS
    assert part.instants(since_ms + 1, FROM_MS).equals(recording.instants(since_ms + 1, FROM_MS))
    assert done.before == part.instants(0, FROM_MS).num_rows
    with pytest.raises(UsageError, match="graphs look back 5m"):
        recording.export(FROM_MS, TO_MS, tmp_path / "y.vistio", before="4m")


def test_a_file_that_is_there_is_never_overwritten(recording: Recording, tmp_path: Path) -> None:
    (tmp_path / "x.vistio").write_text("precious")
    with pytest.raises(UsageError, match="never overwritten"):
        recording.export(FROM_MS, TO_MS, tmp_path / "x.vistio")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["precious"]


# -- only some levels


@pytest.fixture(scope="module")
def two_clusters(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """One writer of ``mesh``, one of ``other``; each has the global level, too."""
    theirs = [
        Scrape(
            each.instant_ms,
            INTERVAL_MS,
            OTHER.hash,
            tuple(
                type(outcome)("other" if outcome.cluster else "", outcome.rule, "ok")
                for outcome in outcomes()
            ),
            tuple(edges({"x>y 200": 2.0}, cluster="other")),
        )
        for each in scrapes(100, 140)
    ]
    place = tmp_path_factory.mktemp("two") / "recording"
    return recorded(place, scrapes(100, 140), theirs, configurations=[mesh(), WIDER, OTHER])


def test_levels_that_were_wanted_are_the_same_and_the_others_not_seen(
    two_clusters: Recording, tmp_path: Path
) -> None:
    done = two_clusters.export(FROM_MS, TO_MS, tmp_path / "x.vistio", clusters=["mesh"])
    assert done.clusters == ("mesh",)
    part = opened(tmp_path / "x.vistio")
    assert [checked for checked in part.verify() if checked.problems] == []
    compared = 0
    for at_ms in range(FROM_MS + MINUTE_MS, TO_MS, INTERVAL_MS):
        ours, theirs = part.graph(at_ms), two_clusters.graph(at_ms)
        if any(rule.cluster == "mesh" for rule in theirs.failed_rules):
            continue  # below
        assert ours.region("mesh") == theirs.region("mesh")
        assert {(rule.cluster, rule.rule) for rule in ours.failed_rules} >= {
            ("", "ingress"),
            ("other", "http"),
        }
        compared += 1
    assert compared > 5
    other = part.timeline(FROM_MS, TO_MS, "1m", cluster="other")
    assert set(other["normal"].to_pylist()) == set(other["known_normal"].to_pylist()) == {None}
    ours, theirs = (each.timeline(FROM_MS, TO_MS, "1m", cluster="mesh") for each in (part, two_clusters))
    assert ours["normal"].to_pylist() == theirs["normal"].to_pylist()
    assert part.sql("select distinct cluster from samples").fetchall() == [("mesh",)]


def test_a_node_brings_its_levels_whole(two_clusters: Recording, tmp_path: Path) -> None:
    assert two_clusters.export(FROM_MS, TO_MS, tmp_path / "x.vistio", node="y").clusters == ("other",)
    part = opened(tmp_path / "x.vistio")
    at_ms = FROM_MS + MINUTE_MS
    assert part.graph(at_ms).region("other") == two_clusters.graph(at_ms).region("other")
    with pytest.raises(UnknownNameError, match="did you mean"):
        two_clusters.export(FROM_MS, TO_MS, tmp_path / "y.vistio", node="yy")
    with pytest.raises(UnknownNameError):
        two_clusters.export(FROM_MS, TO_MS, tmp_path / "y.vistio", clusters=["nowhere"])
    with pytest.raises(UsageError, match="nothing of it was recorded in cluster 'mesh'"):
        two_clusters.export(FROM_MS, TO_MS, tmp_path / "y.vistio", node="y", clusters=["mesh"])


def test_an_instant_at_which_no_wanted_rule_was_answered_shows_nothing_newer(tmp_path: Path) -> None:
    """As a recorder of these levels alone would have it: the last that it saw, and what failed since."""
    seen = [scrape(instant(0), {"a>b 200": 1.0}), scrape(instant(1), http="failed", saturation="failed")]
    recording = recorded(tmp_path / "recording", seen)
    recording.export(instant(0), instant(2), tmp_path / "x.vistio", clusters=["mesh"])
    graph = opened(tmp_path / "x.vistio").graph(instant(1))
    assert graph.instant_ms == instant(0)
    assert {rule.rule for rule in graph.failed_rules} == {"ingress", "http", "saturation"}


# -- adding it to a recording


def test_what_is_imported_says_the_same_and_importing_twice_changes_nothing(
    recording: Recording, file: Path, tmp_path: Path
) -> None:
    target = Recording.open(tmp_path / "new", create=True, clock=lambda: START_MS + 2 * HOUR_MS)
    first = target.add(file)
    before = sorted(path for path in (tmp_path / "new").rglob("*") if path.is_file())
    assert (first.instants, first.supplements, first.annotations) == (46 + 30 + 1, 2, 1)
    second = target.add(file)
    assert (second.instants, second.supplements, second.annotations, second.known) == (0, 0, 0, 77)
    assert sorted(path for path in (tmp_path / "new").rglob("*") if path.is_file()) == before
    assert [checked for checked in target.verify() if checked.problems] == []
    for at_ms in range(FROM_MS, TO_MS, INTERVAL_MS):
        assert told(target, at_ms) == told(recording, at_ms)


def test_the_recording_it_is_of_has_all_of_it(recording: Recording, file: Path) -> None:
    added = recording.add(file)
    assert (added.instants, added.supplements, added.annotations) == (0, 0, 0)


def test_it_fills_a_hole_and_the_hour_is_sealed_and_rolled_up_as_ever(
    recording: Recording, file: Path, tmp_path: Path
) -> None:
    outside = [each for each in scrapes() if not FROM_MS <= each.instant_ms < TO_MS]
    configurations = [mesh(), WIDER]
    target = recorded(tmp_path / "holed", outside, configurations=configurations)
    assert target.add(file).instants == 46 + 1
    with target.writer("a") as writer:
        writer.seal(START_MS + HOUR_MS)
    with target.writer("b") as writer:
        writer.seal(START_MS + HOUR_MS)
    assert [checked for checked in target.verify() if checked.problems] == []
    for at_ms in range(FROM_MS, TO_MS, INTERVAL_MS):
        assert told(target, at_ms) == told(recording, at_ms)


def test_what_was_healed_meanwhile_is_added(tmp_path: Path) -> None:
    seen = [scrape(instant(0), http="failed"), scrape(instant(1), {"a>b 200": 1.0})]
    target, source = recorded(tmp_path / "target", seen), recorded(tmp_path / "source", seen)
    with source.writer("a") as writer:
        writer.put_configuration(mesh())
        writer.supplement(healed(0))
    source.export(instant(0), instant(2), tmp_path / "x.vistio")
    added = target.add(tmp_path / "x.vistio")
    assert (added.instants, added.known, added.supplements) == (0, 2, 1)
    assert target.graph(instant(0)) == source.graph(instant(0))


def in_another_mesh(folder: Path) -> Recording:
    bank = mesh(**{"Test mesh": "Bank"})
    return recorded(folder, [scrape(instant(500), configuration=bank)], configurations=[bank])


def with_something_else(folder: Path) -> Recording:
    configurations = [mesh(), WIDER]
    return recorded(folder, [scrape(instant(129), {"a>b 200": 7.0})], configurations=configurations)


@pytest.mark.parametrize(
    ("make", "found"),
    [
        (in_another_mesh, r"incident.vistio: is of 'Test mesh', and .*target is of 'Bank'; import it into a"),
        (
            with_something_else,
            r"says something else of 2026-11-23T05:21:30Z than the recording has from writer 'a'",
        ),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_written(
    file: Path, tmp_path: Path, make: Callable[[Path], Recording], found: str
) -> None:
    target = make(tmp_path / "target")
    before = {
        path: path.read_bytes()
        for path in tmp_path.rglob("*.*")
        if path.parent.name != "locks" and path.is_file()
    }
    with pytest.raises(PackedRecordingError, match=found) as refused:
        target.add(file)
    assert "--recording OTHER" in str(refused.value)
    assert {path: path.read_bytes() for path in before} == before
    assert len(list((tmp_path / "target").rglob("*.parquet"))) == 1


def test_a_writer_at_work_is_not_disturbed(file: Path, tmp_path: Path) -> None:
    target = Recording.open(tmp_path / "target", create=True)
    with (
        target.writer("b"),
        pytest.raises(
            RecordingError, match=rf"writer 'b'.* in use by process {os.getpid()}.*--recording OTHER"
        ),
    ):
        target.add(file)
    assert list((tmp_path / "target").rglob("*.parquet")) == []


def test_a_part_is_read_only_and_its_refusal_names_the_next_step(file: Path) -> None:
    part = opened(file)
    for write in (
        lambda: part.writer("main"),
        lambda: part.annotate(Annotation(FROM_MS, "x")),
        lambda: part.add(file),
    ):
        with pytest.raises(
            PackedRecordingError, match=r"vistio-record import .*incident.vistio --recording DIR"
        ):
            write()


def test_a_newer_format_is_refused_by_name(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vistio_core.storage import marker

    monkeypatch.setattr(marker, "FORMAT_VERSION", 0)
    with pytest.raises(FormatVersionError, match="format version 1, this vistio reads 1-0; upgrade vistio"):
        Recording.open(file)


@pytest.mark.slow
def test_killed_at_any_step_an_import_can_be_done_again(tmp_path: Path) -> None:
    seen = [scrape(instant(0), http="failed"), scrape(instant(1), {"a>b 200": 1.0})]
    source = recorded(tmp_path / "source", seen)
    with source.writer("a") as writer:
        writer.put_configuration(mesh())
        writer.supplement(healed(0))
    source.annotate(Annotation(instant(0), "version 2"))
    source.export(instant(0), instant(2), tmp_path / "x.vistio")
    graphs = [source.graph(each.instant_ms) for each in seen]
    unhealed = recorded(tmp_path / "unhealed", seen).graph(instant(0))

    script = [
        sys.executable,
        "-m",
        "support.killed_import",
        str(tmp_path / "x.vistio"),
        str(tmp_path / "killed"),
    ]
    paths = os.pathsep.join([str(Path(__file__).parents[1]), *filter(None, sys.path)])
    # Who is killed leaves what it had unpacked.
    environment = {**os.environ, "PYTHONPATH": paths, "TMPDIR": str(tmp_path)}
    subprocess.run(script, env=environment, check=True, timeout=300)
    states = []
    for place in sorted((tmp_path / "killed").iterdir()):
        target = Recording.open(place, clock=lambda: START_MS + 2 * HOUR_MS)
        assert [checked for checked in target.verify() if checked.problems] == [], place
        states.append([told(target, each.instant_ms) for each in seen])
        if len(states) % 4 == 0 or states[-1] != states[-2:][0]:  # each costs as much as an import
            target.add(tmp_path / "x.vistio")
            assert [target.graph(each.instant_ms) for each in seen] == graphs
    # Nothing, then all instants at once, then what was learned later of the first one.
    changes = [state for before, state in pairwise([None, *states]) if state != before]
    assert changes == [["the recording is empty"] * 2, [unhealed, graphs[1]], graphs]


@pytest.mark.slow
def test_a_writer_that_is_silent_for_longer_than_a_day_is_left_out(tmp_path: Path) -> None:
    late = [scrape(START_MS + 2 * DAY_MS, {"a>b 200": 1.0})]
    recording = recorded(tmp_path / "recording", late, [scrape(START_MS)])
    recording.export(START_MS + 2 * DAY_MS, START_MS + 2 * DAY_MS + 1, tmp_path / "x.vistio")
    assert Recording.open(tmp_path / "x.vistio").info().writers == ("a",)
