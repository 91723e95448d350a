"""A recording is a plain table for others: DuckDB, Spark, Polars and DataFusion read the same rows of it.

`nox -s engines` has these engines; no other session runs this. The examples of docs/format.md are run as they
stand there.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from support.scrapes import INTERVAL_MS, START_MS, all_failed, mesh, scrape

from vistio_core import Recording
from vistio_core.storage.format import INSTANT
from vistio_core.times import HOUR_MS

ONLY_HERE = "only `nox -s engines` installs it"
duckdb = pytest.importorskip("duckdb", reason=ONLY_HERE)
polars = pytest.importorskip("polars", reason=ONLY_HERE)
datafusion = pytest.importorskip("datafusion", reason=ONLY_HERE)
pyspark_sql = pytest.importorskip("pyspark.sql", reason=ONLY_HERE)

pytestmark = [
    pytest.mark.skipif(shutil.which("java") is None, reason="no java on PATH: Spark runs on it"),
    pytest.mark.filterwarnings("default"),  # pyspark 3.5 is older than what warns of it
]

FORMAT = Path(__file__).parents[2] / "docs" / "format.md"
GOLDEN = Path(__file__).parents[1] / "storage" / "golden" / "version-1" / "log"
COLUMNS = ["instant", "cluster", "rule", "source", "target", "status", "rate"]
WHAT = "epoch_ms(instant)", *COLUMNS[1:]
Row = tuple[Any, ...]


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    """One core, little memory, nobody outside."""
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    settings = {
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.memory": "600m",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "1",
        "spark.ui.enabled": "false",
    }
    builder = pyspark_sql.SparkSession.builder.master("local[1]").appName("vistio")
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    yield session
    session.stop()


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """Three sealed hours: rates that repeat, rates that do not, and rates that were learned later."""
    now_ms = START_MS + 4 * HOUR_MS
    place = tmp_path_factory.mktemp("engines") / "recording"
    recording = Recording.open(place, create=True, clock=lambda: now_ms)
    with recording.writer() as writer:
        writer.put_configuration(mesh())
        for hour in range(3):
            for index in range(6):
                instant_ms = START_MS + hour * HOUR_MS + index * INTERVAL_MS
                if index == 4:
                    writer.commit(scrape(instant_ms, **all_failed()))
                    continue
                writer.commit(scrape(instant_ms, _rates(hour, index)))
        for hour in range(3):
            instant_ms = START_MS + hour * HOUR_MS + 4 * INTERVAL_MS
            later = scrape(instant_ms, _rates(hour, 4), backfilled=True)
            writer.supplement(later)
        writer.seal(now_ms)
    assert not list((place / "head").iterdir())
    return recording


def _rates(hour: int, index: int) -> dict[str, float]:
    """In the first hour four rates, in the others each has one of its own."""
    different = 4 if hour == 0 else 1_000
    return {f"a>{edge} 200": 1 / (1 + (edge + 31 * index + 7 * hour) % different) for edge in range(30)}


@pytest.fixture
def copy(recording: Recording, tmp_path: Path) -> Path:
    """A recording to break."""
    return Path(shutil.copytree(recording.place, tmp_path / "recording"))


def by_duckdb(log: Path, _: Any) -> list[Row]:
    query = f"from read_parquet('{log}/*/*/*.parquet') select {', '.join(WHAT)} where kind = 'sample'"
    rows: list[Row] = duckdb.connect().sql(query).fetchall()
    return rows


def by_spark(log: Path, spark: Any) -> list[Row]:
    samples = spark.read.parquet(str(log)).where("kind = 'sample'")
    return [tuple(row) for row in samples.selectExpr("unix_millis(instant)", *COLUMNS[1:]).collect()]


def by_polars(log: Path, _: Any) -> list[Row]:
    samples = (
        polars.scan_parquet(f"{log}/**/*.parquet").filter(polars.col("kind") == "sample").select(COLUMNS)
    )
    return [tuple(row) for row in samples.with_columns(polars.col("instant").dt.epoch("ms")).collect().rows()]


def by_datafusion(log: Path, _: Any) -> list[Row]:
    context = datafusion.SessionContext()
    partitions = [("date", pa.string()), ("hour", pa.string())]
    context.register_listing_table("log", f"{log}/", table_partition_cols=partitions)
    columns = ", ".join(f'"{name}"' for name in COLUMNS)
    table = context.sql(f"select {columns} from log where kind = 'sample'").to_arrow_table()
    return _rows(table)


def _rows(table: pa.Table) -> list[Row]:
    instants = table["instant"].cast(INSTANT).cast(pa.int64())
    plain = table.set_column(0, "instant", instants)
    return [tuple(row.values()) for row in plain.to_pylist()]


ENGINES: dict[str, Callable[[Path, Any], list[Row]]] = {
    "duckdb": by_duckdb,
    "spark": by_spark,
    "polars": by_polars,
    "datafusion": by_datafusion,
}
engines = pytest.mark.parametrize("engine", ENGINES)


@engines
def test_each_engine_reads_the_rows_that_the_recording_has(
    recording: Recording, spark: Any, engine: str
) -> None:
    found = ENGINES[engine](Path(recording.place, "log"), spark)
    expected = _rows(recording.sql(f"select {', '.join(COLUMNS)} from samples").to_arrow_table())
    assert len(expected) == 3 * 6 * 30  # the supplements' among them, each once
    assert sorted(found) == sorted(expected)


def test_the_files_that_they_read_have_all_encodings_that_there_are(recording: Recording) -> None:
    assert _encodings_of_rates(Path(recording.place, "log")) == {
        frozenset({"PLAIN", "RLE", "RLE_DICTIONARY"}),
        frozenset({"PLAIN", "RLE"}),
    }
    names = [file.name for file in Path(recording.place, "log").rglob("*.parquet")]
    assert sorted("_main.1." in name for name in names) == [False] * 3 + [True] * 3


def _encodings_of_rates(log: Path) -> set[frozenset[str]]:
    found = set()
    for file in log.rglob("*.parquet"):
        metadata = pq.read_metadata(file)
        last = metadata.row_group(metadata.num_row_groups - 1)  # samples come last
        columns = [last.column(index) for index in range(last.num_columns)]
        found.update(frozenset(column.encodings) for column in columns if column.path_in_schema == "rate")
    return found


# -- the examples of docs/format.md

EXAMPLES = {
    re.search(r"(?:#|--) (\w+)", code)[1].lower(): code  # type: ignore[index]
    for code in re.findall(
        r"^```(?:sql|python)\n((?:#|--) \w.*?)^```",
        FORMAT.read_text(encoding="utf-8").partition("## Reading it without vistio")[2],
        re.DOTALL | re.MULTILINE,
    )
}


def answer_of_the_example(
    engine: str, place: Path, spark: Any, change: Callable[[str], str] = str
) -> list[Row]:
    assert EXAMPLES[engine].count("recording/log") >= 1
    code = change(EXAMPLES[engine]).replace("recording/log", f"{place}/log")
    if engine == "duckdb":
        rows: list[Row] = duckdb.connect().sql(code).fetchall()
        return rows
    named: dict[str, Any] = {"spark": spark}
    exec(code, named)
    answer = named["answer"]
    match engine:
        case "spark":
            return [tuple(row) for row in answer.collect()]
        case "polars":
            return [tuple(row) for row in answer.rows()]
        case _:
            return [tuple(row.values()) for row in answer.to_arrow_table().to_pylist()]


def test_there_is_an_example_for_each_engine() -> None:
    assert set(EXAMPLES) == set(ENGINES)


@engines
def test_each_example_says_what_the_recording_says(recording: Recording, spark: Any, engine: str) -> None:
    window = {"start": START_MS + INTERVAL_MS, "end": START_MS + HOUR_MS}
    query = "select source, target, avg(rate) from samples group by all order by all"
    found = answer_of_the_example(engine, Path(recording.place), spark)
    expected = recording.sql(query, **window).fetchall()
    assert [row[:2] for row in found] == [row[:2] for row in expected]
    assert [row[2] for row in found] == pytest.approx([row[2] for row in expected])


def _of_each_hour(code: str) -> str:
    """An example without its partition."""
    without = re.sub(r"date = '2026-11-23' and hour = ('05'|5)", "true", code)
    without = without.replace(
        'pl.col("date") == datetime.date(2026, 11, 23), pl.col("hour") == 5', "pl.lit(True)"
    )
    assert without != code
    return without


@engines
def test_each_example_opens_the_files_of_its_hour_only(copy: Path, spark: Any, engine: str) -> None:
    before = answer_of_the_example(engine, copy, spark)
    # The last ones: some engine may take the table's columns from the first file.
    damaged = list((copy / "log" / f"date={date(2026, 11, 23)}" / "hour=07").iterdir())
    assert damaged
    for file in damaged:
        file.write_bytes(b"no Parquet")
    assert answer_of_the_example(engine, copy, spark) == before
    with pytest.raises(Exception, match=r"(?i)parquet|magic|cannot|error|corrupt"):
        answer_of_the_example(engine, copy, spark, _of_each_hour)


# -- old files


@engines
def test_an_old_recording_is_read_too(spark: Any, engine: str) -> None:
    """Rates were byte-stream-split once. Spark wants a setting for these, which docs/format.md names."""
    assert any("BYTE_STREAM_SPLIT" in encodings for encodings in _encodings_of_rates(GOLDEN))
    setting = "spark.sql.parquet.enableVectorizedReader"
    assert f"`{setting}=false`" in FORMAT.read_text(encoding="utf-8")
    spark.conf.set(setting, "false")
    try:
        found = ENGINES[engine](GOLDEN, spark)
    finally:
        spark.conf.unset(setting)
    table = pq.read_table(next(GOLDEN.rglob("*.parquet")), partitioning=None)
    samples = table.filter(pc.equal(table["kind"].cast(pa.string()), "sample")).select(COLUMNS)
    assert sorted(found, key=str) == sorted(_rows(samples), key=str)
