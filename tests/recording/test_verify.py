"""Every kind of damage that we could think of is found, named, and leaves the rest readable."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.scrapes import INTERVAL_MS, START_MS, mesh, scrape
from support.strangers import EVERY_STRANGER, said_of

from vistio_core import Recording
from vistio_core.errors import DamagedFileError, NothingRecordedError
from vistio_core.events import Measurement
from vistio_core.storage.annotations import Annotation
from vistio_core.storage.format import SCHEMA, scrape_tables, write_events
from vistio_core.times import DAY_MS, HOUR_MS, MINUTE_MS

NEXT_HOUR_MS = START_MS + HOUR_MS


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    """A sealed hour, and a head with one commit in the hour after."""
    recording = Recording.open(tmp_path / "recording", create=True, clock=lambda: START_MS + DAY_MS)
    with recording.writer() as writer:
        writer.put_configuration(mesh())
        for index in range(6):
            writer.commit(
                scrape(START_MS + index * INTERVAL_MS, {f"a>b{edge} 200": edge + 0.5 for edge in range(200)})
            )
        writer.seal(NEXT_HOUR_MS)
        writer.commit(scrape(NEXT_HOUR_MS, {"a>b 200": 1.0}))
    return recording


def sealed(recording: Recording) -> Path:
    [path] = Path(recording.place).glob("log/**/*.parquet")
    return path


def commit(recording: Recording) -> Path:
    [path] = Path(recording.place).glob("head/*.parquet")
    return path


def problems(recording: Recording) -> dict[str, tuple[str, ...]]:
    return {checked.name: checked.problems for checked in recording.verify() if checked.problems}


def truncate(recording: Recording) -> Path:
    path = sealed(recording)
    path.write_bytes(path.read_bytes()[:-100])
    return path


def empty(recording: Recording) -> Path:
    path = sealed(recording)
    path.write_bytes(b"")
    return path


def flip_a_bit_of_a_rate(recording: Recording) -> Path:
    path = sealed(recording)
    content = bytearray(path.read_bytes())
    group = pq.ParquetFile(path).metadata.row_group(1)
    rate = group.column(SCHEMA.get_field_index("rate"))
    content[rate.data_page_offset + rate.total_compressed_size // 2] ^= 1
    path.write_bytes(content)
    return path


def replace_by_a_foreign_parquet_file(recording: Recording) -> Path:
    path = sealed(recording)
    pq.write_table(pa.table({"x": [1]}), path)
    return path


def replace_by_html(recording: Recording) -> Path:
    path = sealed(recording)
    path.write_text("<html>502 Bad Gateway</html>")
    return path


def rename_to_other_instants(recording: Recording) -> Path:
    path = commit(recording)
    return path.rename(path.with_name(path.name.replace("T060000", "T060010")))


def put_a_commit_of_another_writer_s_content_twice(recording: Recording) -> Path:
    """The same instants in two sealed files: neither supersedes the other."""
    path = sealed(recording)
    twin = path.with_name(path.name.replace("T050050.000Z_main", "T050059.000Z_main"))
    shutil.copy(path, twin)
    return twin


def remove_the_configuration(recording: Recording) -> Path:
    [configuration] = Path(recording.place).glob("configurations/*.yaml")
    configuration.unlink()
    return sealed(recording)


def change_the_configuration(recording: Recording) -> Path:
    [configuration] = Path(recording.place).glob("configurations/*.yaml")
    configuration.write_text(configuration.read_text() + "# edited\n")
    return configuration


def leave_a_foreign_file(recording: Recording) -> Path:
    path = Path(recording.place) / "head" / "notes.txt"
    path.write_text("remember the milk")
    return path


def write_rows_out_of_order(recording: Recording) -> Path:
    path = commit(recording)
    tables = scrape_tables(scrape(NEXT_HOUR_MS, {"a>b 200": 1.0, "c>d 200": 2.0}))
    tables["sample"] = tables["sample"].take([1, 0])
    with open(path, "wb") as sink:
        write_events(sink, tables.values())
    return path


def write_a_row_twice(recording: Recording) -> Path:
    path = commit(recording)
    tables = scrape_tables(scrape(NEXT_HOUR_MS, {"a>b 200": 1.0}))
    tables["sample"] = tables["sample"].take([0, 0])
    with open(path, "wb") as sink:
        write_events(sink, tables.values())
    return path


def saturation(*labels: tuple[str, str]) -> Measurement:
    """What the notice's query says of one series about cart."""
    return Measurement("mesh", "saturation", "cart", "", "value", 0.9, labels)


def write_measurements(
    recording: Recording, measurements: list[Measurement], labels: list[str | None]
) -> Path:
    """A commit whose measurements have these texts in their column ``labels``."""
    path = commit(recording)
    tables = scrape_tables(scrape(NEXT_HOUR_MS, measurements=measurements))
    index = SCHEMA.get_field_index("labels")
    column = pa.array(labels, pa.string())
    tables["measurement"] = tables["measurement"].set_column(index, SCHEMA.field(index), column)
    with open(path, "wb") as sink:
        write_events(sink, tables.values())
    return path


TWO_SERIES = [saturation(("pool", "a")), saturation(("pool", "b"))]


def write_a_series_twice(recording: Recording) -> Path:
    return write_measurements(recording, TWO_SERIES, 2 * ['{"pool":"a"}'])


def write_a_series_without_labels_twice(recording: Recording) -> Path:
    return write_measurements(recording, TWO_SERIES, [None, "{}"])


def write_a_series_twice_with_its_labels_in_another_order(recording: Recording) -> Path:
    return write_measurements(recording, TWO_SERIES, ['{"db":"x","pool":"a"}', '{"pool": "a", "db": "x"}'])


def write_labels_that_are_a_list(recording: Recording) -> Path:
    return write_measurements(recording, TWO_SERIES, ['["pool"]', '{"pool":"b"}'])


def write_labels_that_are_no_json(recording: Recording) -> Path:
    return write_measurements(recording, TWO_SERIES, ['{"pool":"a"}', "pool=b"])


def write_a_rate_that_is_not_finite(recording: Recording) -> Path:
    path = commit(recording)
    tables = scrape_tables(scrape(NEXT_HOUR_MS, {"a>b 200": 1.0}))
    index = SCHEMA.get_field_index("rate")
    tables["sample"] = tables["sample"].set_column(index, SCHEMA.field(index), [[float("nan")]])
    with open(path, "wb") as sink:
        write_events(sink, tables.values())
    return path


def write_samples_without_their_outcome(recording: Recording) -> Path:
    path = commit(recording)
    tables = scrape_tables(scrape(NEXT_HOUR_MS, {"a>b 200": 1.0}))
    tables["outcome"] = tables["outcome"].slice(0, 1)
    with open(path, "wb") as sink:
        write_events(sink, tables.values())
    return path


def write_no_scrape_at_all(recording: Recording) -> Path:
    path = commit(recording)
    with open(path, "wb") as sink:
        write_events(sink, [])
    return path


MAKERS = pytest.mark.parametrize(
    ("make", "called"), EVERY_STRANGER.items(), ids=lambda each: getattr(each, "__name__", "")
)


@MAKERS
@pytest.mark.parametrize("which", [sealed, commit])
@pytest.mark.slow
def test_what_has_an_event_file_s_name_and_is_none_is_named_and_keeps_nobody_waiting(
    recording: Recording,
    which: Callable[[Recording], Path],
    make: Callable[[Path], None],
    called: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    path = which(recording)
    recording.graph(NEXT_HOUR_MS)  # its file, and what is known of it, stay in memory
    path.unlink()
    make(path)
    name = str(path.relative_to(recording.place))
    other_ms = START_MS if which is commit else NEXT_HOUR_MS
    for reader in (recording, Recording.open(recording.place)):
        assert problems(reader)[name] == (f"is not a file, but {called}; move it elsewhere",)
        assert reader.graph(other_ms).region("mesh").edges
        with pytest.raises((DamagedFileError, NothingRecordedError)):
            reader.graph(START_MS + NEXT_HOUR_MS - other_ms, staleness="10s")
        assert reader.instants().num_rows in (1, 6)
        assert reader.sql("select * from samples").fetchall()
        reader.timeline(START_MS, NEXT_HOUR_MS + MINUTE_MS, "1m")
    with recording.writer() as writer:
        writer.put_configuration(mesh())
        writer.commit(scrape(NEXT_HOUR_MS + INTERVAL_MS, {"a>b 200": 1.0}))
        writer.merge(NEXT_HOUR_MS + HOUR_MS)
        writer.seal(NEXT_HOUR_MS + HOUR_MS)
    assert recording.graph(NEXT_HOUR_MS + INTERVAL_MS).region("mesh").edges
    assert problems(recording).keys() == {name}


@MAKERS
@pytest.mark.parametrize(
    "pattern", ["vistio.json", "configurations/*.yaml", "annotations/**/*.json", "rollups/**/*.*"]
)
@pytest.mark.slow
def test_what_has_another_file_s_name_and_is_none_is_named_and_keeps_nobody_waiting(
    recording: Recording, pattern: str, make: Callable[[Path], None], called: str
) -> None:
    recording.annotate(Annotation(START_MS, "v2"))
    paths = list(Path(recording.place).glob(pattern))
    assert paths
    for path in paths:
        path.unlink()
        make(path)
    for reader in (Recording.open(recording.place), recording):
        found = problems(reader)
        for path in paths:
            assert called in found[str(path.relative_to(recording.place))][0]
        reader.annotations(START_MS, NEXT_HOUR_MS)
        reader.timeline(START_MS, NEXT_HOUR_MS, "1h")
        reader.timeline(START_MS, NEXT_HOUR_MS, "1h", source="a", target="b0")
        reader.info()
    if pattern == "configurations/*.yaml":
        with pytest.raises(DamagedFileError, match=f"is missing|{re.escape(said_of(make))}"):
            Recording.open(recording.place).graph(START_MS)
    else:
        assert Recording.open(recording.place).graph(START_MS).region("mesh").edges


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        (truncate, "magic bytes|footer|Parquet"),
        (empty, "size is 0|too small|empty"),
        (flip_a_bit_of_a_rate, "CRC|crc|checksum"),
        (replace_by_a_foreign_parquet_file, "not written by vistio"),
        (replace_by_html, "magic bytes|footer|too small"),
        (rename_to_other_instants, "outside of its name"),
        (put_a_commit_of_another_writer_s_content_twice, "stand in .* too|does not begin and end"),
        (remove_the_configuration, "its configuration .* is missing"),
        (change_the_configuration, "does not have the hash"),
        (leave_a_foreign_file, "not a file of this recording"),
        (write_rows_out_of_order, "out of order"),
        (write_a_row_twice, "twice"),
        (write_a_series_twice, "measurements of .*: rows stand there twice"),
        (write_a_series_without_labels_twice, "rows stand there twice"),
        (write_a_series_twice_with_its_labels_in_another_order, "rows stand there twice"),
        (write_labels_that_are_a_list, "labels that are no JSON object of texts"),
        (write_labels_that_are_no_json, "labels that are no JSON object of texts"),
        (write_a_rate_that_is_not_finite, "not finite"),
        (write_samples_without_their_outcome, "without an outcome"),
        (write_no_scrape_at_all, "holds no scrape"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_verify_names_the_damaged_file_and_what_it_found(
    recording: Recording, damage: Callable[[Recording], Path], found: str
) -> None:
    assert problems(recording) == {}
    path = damage(recording)
    name = str(path.relative_to(recording.place))
    import re

    assert name in (told := problems(recording))
    assert re.search(found, "\n".join(told[name])), told


@pytest.mark.parametrize("damage", [truncate, empty, flip_a_bit_of_a_rate, replace_by_html])
def test_the_rest_of_a_damaged_recording_stays_readable(
    recording: Recording, damage: Callable[[Recording], Path]
) -> None:
    damage(recording)
    again = Recording.open(recording.place, clock=lambda: START_MS + DAY_MS)
    assert again.graph(NEXT_HOUR_MS).instant_ms == NEXT_HOUR_MS
    with pytest.raises((DamagedFileError, NothingRecordedError)):
        again.graph(START_MS)
    steps = again.timeline(NEXT_HOUR_MS - MINUTE_MS, NEXT_HOUR_MS + MINUTE_MS, "1m").to_pylist()
    assert [step["normal"] for step in steps] == [None, 1.0]


@pytest.mark.parametrize("damage", [truncate, empty, replace_by_html])
def test_a_scan_leaves_out_what_is_damaged_and_says_so(
    recording: Recording, damage: Callable[[Recording], Path], caplog: pytest.LogCaptureFixture
) -> None:
    damage(recording)
    again = Recording.open(recording.place, clock=lambda: START_MS + DAY_MS)
    with caplog.at_level("WARNING"):
        assert again.instants().num_rows == 1
    assert "file.skipped" in caplog.messages


def test_a_damaged_commit_does_not_stop_the_sealing_of_the_others(tmp_path: Path) -> None:
    recording = Recording.open(tmp_path / "recording", create=True)
    with recording.writer() as writer:
        writer.put_configuration(mesh())
        for index in range(3):
            writer.commit(scrape(START_MS + index * INTERVAL_MS, {"a>b 200": 1.0}))
        damaged = sorted(Path(recording.place).glob("head/*.parquet"))[1]
        damaged.write_bytes(damaged.read_bytes()[:-9])
        assert len(writer.seal(NEXT_HOUR_MS)) == 1
    assert damaged.exists()
    assert len(problems(recording)) == 1
    assert recording.graph(START_MS + 2 * INTERVAL_MS).instant_ms == START_MS + 2 * INTERVAL_MS


def test_two_series_of_a_notice_about_one_node_are_two_rows_told_apart_by_their_labels(
    recording: Recording,
) -> None:
    first_ms, again_ms = NEXT_HOUR_MS + INTERVAL_MS, NEXT_HOUR_MS + 2 * INTERVAL_MS
    with recording.writer() as writer:
        writer.put_configuration(mesh())
        for instant_ms in (first_ms, again_ms):
            writer.commit(scrape(instant_ms, {"a>cart 200": 1.0}, measurements=TWO_SERIES))
        assert problems(recording) == {}
        writer.seal(NEXT_HOUR_MS + HOUR_MS)
    assert problems(recording) == {}
    rows = recording.sql("select instant, labels from measurements order by all").fetchall()
    assert [labels for _, labels in rows] == 2 * ['{"pool":"a"}', '{"pool":"b"}']
    [cart] = [node for node in recording.graph(again_ms).region("mesh").nodes if node.name == "cart"]
    assert len(cart.notices) == 2
