from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pyarrow as pa
import pytest
from hypothesis import given
from support.scrapes import START_MS, mesh, scrape

from vistio_core import Annotation, Recording
from vistio_core.errors import InvalidAnnotationError, NotARecordingError
from vistio_core.storage.annotations import encode_annotation, put_annotation, read_annotation
from vistio_core.storage.layout import AnnotationName, parse_annotation_name
from vistio_core.storage.local_store import LocalStore
from vistio_core.times import DAY_MS, HOUR_MS, MINUTE_MS, parse_instant

DEPLOYMENT = Annotation(
    START_MS,
    "cart 1.4.2\nby CI",
    kind="deployment",
    cluster="mesh",
    node="cart",
    link="https://ci.example/42",
    tags={"version": "1.4.2", "commit": "abc"},
)


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    return Recording.open(tmp_path / "recording", create=True, clock=lambda: START_MS + DAY_MS)


def found(recording: Recording, *window: Any) -> list[str]:
    texts: list[str] = recording.annotations(*window)["text"].to_pylist()
    return texts


def test_an_annotation_comes_back_as_it_was_written(recording: Recording) -> None:
    id = recording.annotate(DEPLOYMENT)
    incident = Annotation(START_MS - 1, "ü/--", end_ms=START_MS + HOUR_MS)
    recording.annotate(incident)
    table = recording.annotations()
    assert table.schema.field("start").type == table.schema.field("end").type == pa.timestamp("ms", "UTC")
    rows = table.to_pylist()
    assert [row["text"] for row in rows] == ["ü/--", "cart 1.4.2\nby CI"]
    assert rows[1] == {
        "id": id,
        "start": rows[1]["start"],
        "end": None,
        "kind": "deployment",
        "text": "cart 1.4.2\nby CI",
        "cluster": "mesh",
        "node": "cart",
        "link": "https://ci.example/42",
        "tags": '{"commit":"abc","version":"1.4.2"}',
    }
    assert parse_instant(rows[1]["start"], now_ms=0) == START_MS
    assert (rows[0]["tags"], rows[0]["kind"], rows[0]["cluster"]) == (None, "note", "")


def test_writing_it_again_changes_nothing_and_any_other_content_is_another_one(recording: Recording) -> None:
    same = Annotation(**{**_fields(DEPLOYMENT), "tags": {"commit": "abc", "version": "1.4.2"}})
    assert recording.annotate(DEPLOYMENT) == recording.annotate(same) == DEPLOYMENT.id
    assert recording.info().annotations == 1
    for change in (
        {"start_ms": START_MS + 1},
        {"end_ms": START_MS + 1},
        {"text": "cart 1.4.3"},
        {"kind": "incident"},
        {"cluster": ""},
        {"node": "db"},
        {"link": ""},
        {"tags": {}},
    ):
        assert recording.annotate(Annotation(**{**_fields(DEPLOYMENT), **change})) != DEPLOYMENT.id
    assert recording.info().annotations == 9


def test_annotating_needs_no_writer_and_many_may_do_it_at_once(recording: Recording) -> None:
    ids: list[str] = []

    def annotate() -> None:
        ids.append(Recording.open(recording.place).annotate(DEPLOYMENT))

    with recording.writer():
        threads = [threading.Thread(target=annotate) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert ids == [DEPLOYMENT.id] * 8
    assert [checked for checked in recording.verify() if checked.problems] == []
    assert recording.info().annotations == 1


@pytest.mark.parametrize(
    ("start_ms", "end_ms", "overlaps"),
    [
        (START_MS - 2, START_MS, False),  # before the mark
        (START_MS - 2, START_MS + 1, True),  # ends just after it
        (START_MS, START_MS + 1, True),  # at it
        (START_MS + 1, START_MS + 2, False),  # after it
    ],
)
def test_a_mark_is_in_the_windows_that_hold_its_instant(
    recording: Recording, start_ms: int, end_ms: int, overlaps: bool
) -> None:
    recording.annotate(DEPLOYMENT)
    assert bool(found(recording, start_ms, end_ms)) == overlaps


@pytest.mark.parametrize(("offset_ms", "overlaps"), [(-1, True), (0, False), (1, False)])
def test_a_span_is_in_the_windows_that_begin_before_its_end(
    recording: Recording, offset_ms: int, overlaps: bool
) -> None:
    end_ms = START_MS + 2 * DAY_MS
    recording.annotate(Annotation(START_MS, "outage", end_ms=end_ms))
    assert bool(found(recording, end_ms + offset_ms, end_ms + HOUR_MS)) == overlaps
    assert found(recording, START_MS - 1, START_MS) == []


def test_everything_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(InvalidAnnotationError) as error:
        Annotation(
            START_MS,
            " \n",
            kind="Big News",
            end_ms=START_MS,
            cluster="x" * 257,
            node="a\x1b[31m",
            link="javascript:alert(1)",
            tags={"": "v", "k" * 65: "v" * 257, **{f"t{number}": "" for number in range(31)}},
        )
    assert [problem.partition(":")[0] for problem in error.value.problems] == [
        "end_ms", "text", "kind", "cluster", "node", "link", "tags", "tags", "tags", "tags"
    ]  # fmt: skip
    assert "at most 256 are allowed" in str(error.value)
    assert "begins with http:// or https://" in str(error.value)
    with pytest.raises(
        InvalidAnnotationError, match=r"start_ms: .*epoch milliseconds as an int\ntext: found int"
    ):
        Annotation("2026-11-23T05:00:00Z", 1)  # type: ignore[arg-type]
    with pytest.raises(InvalidAnnotationError, match=r"end_ms: .* outside of the years"):
        Annotation(START_MS, "x", end_ms=10**15)
    with pytest.raises(InvalidAnnotationError, match="text: is not valid Unicode"):
        Annotation(START_MS, "\ud800")


@pytest.mark.parametrize(("size", "allowed"), [(4095, True), (4096, True), (4097, False)])
def test_a_text_may_have_4096_bytes(recording: Recording, size: int, allowed: bool) -> None:
    text = "ü" * (size // 2) + "x" * (size % 2)
    if allowed:
        recording.annotate(Annotation(START_MS, text))
        assert found(recording) == [text]
    else:
        with pytest.raises(InvalidAnnotationError, match="text: has 4,097 bytes; at most 4,096"):
            Annotation(START_MS, text)


@pytest.mark.parametrize(("count", "allowed"), [(31, True), (32, True), (33, False)])
def test_it_may_have_32_tags(count: int, allowed: bool) -> None:
    tags = {str(number): "" for number in range(count)}
    if allowed:
        assert len(Annotation(START_MS, "x", tags=tags).tags) == count
    else:
        with pytest.raises(InvalidAnnotationError, match="tags: found 33; at most 32"):
            Annotation(START_MS, "x", tags=tags)


def test_tags_cannot_be_changed_afterwards() -> None:
    tags = {"a": "b"}
    annotation = Annotation(START_MS, "x", tags=tags)
    tags["a"] = "c"
    assert annotation.tags == {"a": "b"}
    with pytest.raises(TypeError):
        annotation.tags["a"] = "c"  # type: ignore[index]


def test_what_is_damaged_is_left_out_and_verify_names_it(recording: Recording) -> None:
    recording.annotate(DEPLOYMENT)
    recording.annotate(Annotation(START_MS + 1, "good"))
    recording.annotate(Annotation(START_MS + 2, "cut"))
    forged, _, cut = sorted(Path(recording.place).glob("annotations/*/*.json"))
    forged.write_bytes(forged.read_bytes().replace(b"1.4.2", b"1.4.3"))
    cut.write_bytes(cut.read_bytes()[:20])
    foreign = forged.with_name("notes.txt")
    foreign.write_text("milk")
    assert found(recording) == ["good"]
    problems = {Path(c.name).name: c.problems[0] for c in recording.verify() if c.problems}
    assert problems.keys() == {forged.name, cut.name, foreign.name}
    assert "does not have the hash" in problems[forged.name]
    assert "cannot be read as an annotation" in problems[cut.name]
    assert "not a file of this recording" in problems[foreign.name]


def test_a_vanished_recording_is_not_annotated(recording: Recording, tmp_path: Path) -> None:
    place = Path(recording.place)
    place.rename(tmp_path / "elsewhere")
    place.mkdir()
    with pytest.raises(NotARecordingError, match="vanished"):
        recording.annotate(DEPLOYMENT)
    assert list(place.iterdir()) == []


@pytest.fixture
def three_hours(recording: Recording) -> Recording:
    """A scrape and a mark in each of three hours, and an incident over the first two."""
    with recording.writer() as writer:
        writer.put_configuration(mesh())
        for hour in range(3):
            writer.commit(scrape(START_MS + hour * HOUR_MS))
            recording.annotate(Annotation(START_MS + hour * HOUR_MS + MINUTE_MS, f"mark {hour}"))
        recording.annotate(Annotation(START_MS + MINUTE_MS, "incident", end_ms=START_MS + 2 * HOUR_MS))
    return recording


def test_annotations_are_pruned_with_the_events_of_their_time(three_hours: Recording) -> None:
    with three_hours.writer() as writer:
        assert writer.prune(START_MS + HOUR_MS).files == 2
        assert found(three_hours) == ["incident", "mark 1", "mark 2"]
        # The incident was over when the first instant began that is left.
        assert writer.prune_to_size(three_hours.info().head_bytes - 1).files == 3
        assert found(three_hours) == ["mark 2"]
        assert writer.prune(START_MS + DAY_MS).files == 2
    assert three_hours.info().annotations == 0


def test_annotations_stay_as_long_as_any_writer_has_events_of_their_time(three_hours: Recording) -> None:
    with three_hours.writer("other") as other:
        other.put_configuration(mesh())
        other.commit(scrape(START_MS))
        assert other.prune(START_MS + DAY_MS).files == 1
    assert three_hours.info().annotations == 4
    with three_hours.writer("other") as other, three_hours.writer() as writer:
        other.put_configuration(mesh())
        other.commit(scrape(START_MS))
        assert writer.prune(START_MS + DAY_MS).files == 3
    assert three_hours.info().annotations == 4


def test_an_id_never_changes_for_it_is_in_links_and_files() -> None:
    assert DEPLOYMENT.id == "fe3ca991d845317905d95282782edb47"


@given(
    text=st.text(
        st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("\n\t"), min_size=1, max_size=99
    ).filter(str.strip),
    start_ms=st.integers(0, 253_402_300_799_999),
    length_ms=st.none() | st.integers(1, DAY_MS),
)
def test_every_annotation_reads_back(
    tmp_path_factory: pytest.TempPathFactory, text: str, start_ms: int, length_ms: int | None
) -> None:
    end_ms = None if length_ms is None else min(start_ms + length_ms, 253_402_300_799_999)
    if end_ms == start_ms:
        end_ms = None
    annotation = Annotation(start_ms, text, end_ms=end_ms)
    store = LocalStore(tmp_path_factory.mktemp("annotations"))
    put_annotation(store, annotation)
    [entry] = store.entries()
    name = parse_annotation_name(entry.name)
    assert name is not None
    assert (name.start_ms, name.id) == (start_ms, annotation.id)
    assert read_annotation(store, name) == annotation
    assert entry.size_bytes == len(encode_annotation(annotation))


@pytest.mark.parametrize(
    "foreign",
    [
        "annotations/date=2026-11-23/20261123T050000.000Z_20261123T050000.000Z_abc.json",
        "annotations/date=2026-11-24/20261123T050000.000Z_20261123T050000.000Z_" + "a" * 32 + ".json",
        "annotations/date=2026-11-23/20261123T050001.000Z_20261123T050000.000Z_" + "a" * 32 + ".json",
        "annotations/date=2026-13-23/20261323T050001.000Z_20261323T050001.000Z_" + "a" * 32 + ".json",
    ],
)
def test_names_that_contradict_themselves_are_foreign(foreign: str) -> None:
    assert parse_annotation_name(foreign) is None
    name = AnnotationName(START_MS, START_MS + 1, "a" * 32)
    assert parse_annotation_name(name.text) == name


def _fields(annotation: Annotation) -> dict[str, Any]:
    return {name: getattr(annotation, name) for name in Annotation.__match_args__}
