"""`Recording.sql`: the same rows in whatever zone, of the recording and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from support.recordings import recorded
from support.scrapes import START_MS, mesh, scrape

from vistio_core import Recording
from vistio_core.errors import InvalidTimeError, UsageError
from vistio_core.storage.format import INSTANT
from vistio_core.times import DAY_MS, HOUR_MS, format_instant

START = format_instant(START_MS)
NEXT_MS = START_MS + 10_000
OUR_OWN_WORDS = ("getvariable", "read_parquet", "filename", "events", "unnamed", "temp.", "_ms *", "regexp")


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    scrapes = scrape(START_MS, {"a>b 200": 1.0, "a>b 503": 0.5}), scrape(NEXT_MS, {"a>b 200": 2.0})
    return recorded(tmp_path / "recording", scrapes)


def test_the_log_is_three_tables(recording: Recording) -> None:
    rows = recording.sql("select source, target, status, rate, writer from samples order by rate")
    assert rows.fetchall() == [
        ("a", "b", "503", 0.5, "a"),
        ("a", "b", "200", 1.0, "a"),
        ("a", "b", "200", 2.0, "a"),
    ]
    assert recording.sql("select count(*) from scrapes where outcome = 'ok'").fetchall() == [(6,)]
    assert recording.sql("from measurements").fetchall() == []


# -- times

IN_A_ZONE = """
import sys
from vistio_core import Recording
recording = Recording.open(sys.argv[1])
print(recording.sql(f"select count(*) from samples where instant = timestamptz '{sys.argv[2][:-1]}'").fetchall())
print(recording.sql("select distinct date_trunc('day', instant), instant::date, hour(instant) from samples").fetchall())
print(recording.sql("select min(instant) from samples").to_arrow_table().to_pylist())
print(recording.sql("from samples", start=sys.argv[2]).aggregate("count(*), min(instant)::text").fetchall())
print(recording.sql("select current_setting('TimeZone')", allow_files=True).fetchall())
print(recording.instants().to_pylist()[0]["instant"])
"""


@pytest.mark.slow
def test_rows_are_the_same_in_every_zone(recording: Recording) -> None:
    said = {
        subprocess.run(
            [sys.executable, "-c", IN_A_ZONE, recording.place, START],
            env={**os.environ, "TZ": zone},
            check=True,
            capture_output=True,
            text=True,
            timeout=60,
        ).stdout
        for zone in ("UTC", "America/New_York", "Asia/Kolkata")
    }
    [said_by_all] = said
    assert said_by_all.startswith("[(2,)]\n")
    assert f"{datetime.fromtimestamp(START_MS / 1000, UTC):%Y-%m-%d %H:%M:%S}+00:00\n" in said_by_all


def test_times_of_all_tables_have_one_type_and_join(recording: Recording) -> None:
    window = START_MS, NEXT_MS + 1
    tables = {
        "sql": recording.sql("select instant, writer, rate from samples").to_arrow_table(),
        "sql in parts": recording.sql("select instant from samples").arrow().read_all(),
        "rows": pa.table(recording.sql("select instant from samples")),
        "instants": recording.instants(),
        "presence": recording.presence(),
        "gaps": recording.gaps(),
        "timeline": recording.timeline(*window, "10s"),
        "annotations": recording.annotations(),
    }
    times = {
        (name, field.name): field.type
        for name, table in tables.items()
        for field in table.schema
        if pa.types.is_temporal(field.type)
    }
    assert {name for name, _ in times} == set(tables)
    assert set(times.values()) == {INSTANT}
    joined = tables["sql"].join(tables["instants"], ["instant", "writer"], join_type="inner")
    assert joined.num_rows == 3


@pytest.mark.filterwarnings(
    "ignore:The inplace keyword"
)  # DuckDB 2.0 uses what pandas 3.1 would rather not have
def test_times_inside_of_lists_and_frames_are_milliseconds_too(recording: Recording) -> None:
    query = "select list(instant) as all_of_them, {first: min(instant)} as packed, now() as read from samples"
    assert recording.sql(query).to_arrow_table().schema.types == [
        pa.list_(INSTANT),
        pa.struct([("first", INSTANT)]),
        INSTANT,
    ]
    frame = recording.sql("select instant, rate from samples").df()
    assert str(frame.dtypes["instant"]) == "datetime64[ms, UTC]"
    assert len(frame.merge(recording.instants().to_pandas(), on="instant")) == 3


# -- a window


def test_a_window_has_its_instants_and_no_other(recording: Recording) -> None:
    def rows(**window: object) -> list[tuple[object, ...]]:
        return recording.sql("select epoch_ms(instant) from samples order by all", **window).fetchall()

    assert rows(start=START_MS, end=NEXT_MS) == [(START_MS,), (START_MS,)]
    assert rows(start=START_MS + 1, end=NEXT_MS + 1) == [(NEXT_MS,)]
    assert rows(end=START_MS) == []
    with pytest.raises(InvalidTimeError, match="is empty"):
        rows(start=NEXT_MS, end=NEXT_MS)


def test_a_window_of_one_instant_opens_one_file_of_a_hundred(tmp_path: Path) -> None:
    now_ms = START_MS + 100 * HOUR_MS
    recording = Recording.open(tmp_path / "recording", create=True, clock=lambda: now_ms)
    with recording.writer() as writer:
        writer.put_configuration(mesh())
        for hour in range(100):
            writer.commit(scrape(START_MS + hour * HOUR_MS, {"a>b 200": float(hour)}))
        writer.seal(now_ms + DAY_MS)
    asked_ms = START_MS + 50 * HOUR_MS
    query = "select rate from samples"
    assert _files_read(recording.sql(f"explain analyze {query}").fetchall()) == 100
    window = {"start": asked_ms, "end": asked_ms + 1}
    assert _files_read(recording.sql(f"explain analyze {query}", **window).fetchall()) == 1
    assert recording.sql(query, **window).fetchall() == [(50.0,)]


def _files_read(plan: list[tuple[str, ...]]) -> int:
    [read] = [line for row in plan for line in row[1].splitlines() if "Total Files Read" in line]
    return int(read.partition(":")[2].strip(" │|"))


# -- values and tables of the user


@pytest.mark.parametrize(
    ("query", "parameters"),
    [
        ("select rate from samples where status = $status", {"status": "503"}),
        ("select rate from samples where status = ?", ["503"]),
        ("select rate from samples where rate < $2 and status = $1", ("503", np.float64(0.75))),
        ("select rate from samples where instant = ? and status = '503'", [pd.Timestamp(START)]),
        ("select rate from samples where instant = ? and status = '503'", [datetime.fromisoformat(START)]),
        (
            "select rate from samples where instant = $at and rate < 1",
            {"at": pa.scalar(START_MS, INSTANT)},
        ),
    ],
)
def test_values_are_bound_by_name_and_by_place(recording: Recording, query: str, parameters: object) -> None:
    rows = recording.sql(query, parameters=parameters)
    assert rows.fetchall() == [(0.5,)]
    assert rows.filter("rate > 0.5").fetchall() == []


@pytest.mark.parametrize(
    ("query", "parameters", "told"),
    [
        ("select $a, $b", {"a": 1}, "not provided for the following parameters: b"),
        ("select ?", [1, 2], "excess parameters: 2"),
        ("select ?", None, "not provided"),
        ("select ?", "text", "use a list of values"),
        ("select ?", 7, "use a list of values"),
    ],
)
def test_values_that_do_not_fit_are_refused(
    recording: Recording, query: str, parameters: object, told: str
) -> None:
    with pytest.raises(UsageError, match=told):
        recording.sql(query, parameters=parameters).fetchall()


@pytest.mark.parametrize(
    "table",
    [
        pa.table({"status": ["503"], "meaning": ["unavailable"], "since": pa.array([START_MS], INSTANT)}),
        pa.record_batch(
            {"status": ["503"], "meaning": ["unavailable"], "since": pa.array([START_MS], INSTANT)}
        ),
        pd.DataFrame({"status": ["503"], "meaning": ["unavailable"], "since": [pd.Timestamp(START)]}),
        {"status": ["503"], "meaning": ["unavailable"], "since": [datetime.fromisoformat(START)]},
    ],
    ids=["Arrow table", "Arrow batch", "pandas", "columns"],
)
def test_a_table_of_the_user_joins(recording: Recording, table: object) -> None:
    query = "select meaning, rate from samples join Meanings using (status) where instant = since"
    assert recording.sql(query, tables={"meanings": table}).fetchall() == [("unavailable", 0.5)]


def test_rows_of_another_query_are_a_table_too(recording: Recording) -> None:
    worst = recording.sql("select max(rate) as rate from samples")
    rows = recording.sql("select status from samples semi join worst using (rate)", tables={"worst": worst})
    assert rows.fetchall() == [("200",)]


@pytest.mark.parametrize(
    ("tables", "told"),
    [
        ({"Samples": pa.table({"a": [1]})}, "'Samples': the recording has a table of this name"),
        ({"a b": pa.table({"a": [1]})}, "'a b': use a name of letters"),
        ({"mine": 7}, "'mine': is int; use a table of Arrow, pandas or polars"),
    ],
)
def test_what_cannot_be_a_table_is_refused(
    recording: Recording, tables: dict[str, object], told: str
) -> None:
    with pytest.raises(UsageError, match=told):
        recording.sql("from samples", tables=tables)


def test_a_variable_of_python_is_no_table(recording: Recording) -> None:
    mine = pa.table({"a": [1]})
    # Of the caller, of this library's frames, and of a module.
    for name in ("mine", "query", "tables", "VIEWS", "pd"):
        for allow_files in (False, True):
            with pytest.raises(UsageError, match=f"Table with name {name} does not exist"):
                recording.sql(f"from {name}", allow_files=allow_files)
            with pytest.raises(UsageError, match=f"Table with name {name} does not exist"):
                recording.sql("from samples", allow_files=allow_files).query("s", f"from {name}")
    assert mine.num_rows == 1


# -- what a query may do


@pytest.mark.parametrize(
    "query",
    [
        "",
        "-- nothing",
        "select 1; select 2",
        "from samples; drop view samples",
        "create table x (a int)",
        "insert into samples values (1)",
        "delete from samples",
        "update samples set rate = 0",
        "drop view samples",
        "set TimeZone = 'Asia/Tokyo'",
        "reset TimeZone",
        "set variable files = []",
        "pragma version",
        "call pragma_version()",
        "attach '{folder}/x.db'",
        "use memory",
        "copy (select 1) to '{folder}/x.csv'",
        "copy samples from '{folder}/x.csv'",
        "export database '{folder}/x'",
        "install httpfs",
        "load httpfs",
        "prepare x as select 1",
        "begin",
        "checkpoint",
        "explain analyze copy (select 1) to '{recording}/log/x.csv'",
        "/* a */ explain -- b\n analyze copy (select 1) to '{recording}/log/x.csv'",
        "explain (analyze, format json) copy (select 1) to '{recording}/log/x.csv'",
        "explain explain analyze copy (select 1) to '{recording}/log/x.csv'",
    ],
)
@pytest.mark.parametrize("allow_files", [False, True])
@pytest.mark.slow
def test_whatever_does_more_than_read_is_refused(
    recording: Recording, tmp_path: Path, query: str, allow_files: bool
) -> None:
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UsageError) as refused:
        recording.sql(query.format(folder=tmp_path, recording=recording.place), allow_files=allow_files)
    assert "a recording is only read" in str(refused.value) or "syntax error" in str(refused.value)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    "query",
    [
        "from '{file}'",
        "from read_csv('{file}')",
        "from read_text('{file}')",
        "from read_blob('{file}')",
        "from read_parquet('{file}')",
        "from read_json('{file}')",
        "from glob('{folder}/*')",
        "from read_text('{recording}/../beside.csv')",
        "from read_csv('https://127.0.0.1:9/x.csv')",
        "from read_parquet('s3://bucket/x.parquet')",
        "explain analyze from read_text('{file}')",
    ],
)
def test_other_files_are_read_only_by_who_asked_for_it(
    recording: Recording, tmp_path: Path, query: str
) -> None:
    file = tmp_path / "beside.csv"
    file.write_text("secret\n7\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"reads the recording and nothing else.*allow_files=True"):
        recording.sql(query.format(file=file, folder=tmp_path, recording=recording.place)).fetchall()


def test_files_can_be_allowed(recording: Recording, tmp_path: Path) -> None:
    file = tmp_path / "beside.csv"
    file.write_text("status,meaning\n503,unavailable\n", encoding="utf-8")
    query = f"select meaning, rate from samples join read_csv('{file}', all_varchar = true) using (status)"
    rows = recording.sql(query, allow_files=True)
    assert rows.fetchall() == [("unavailable", 0.5)]
    rows.to_csv(str(tmp_path / "told.csv"))
    assert (tmp_path / "told.csv").read_text(encoding="utf-8").startswith("meaning,rate\n")


def test_rows_are_written_nowhere_unless_files_are_allowed(recording: Recording, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="reads the recording and nothing else"):
        recording.sql("from samples").to_parquet(str(tmp_path / "x.parquet"))
    assert not (tmp_path / "x.parquet").exists()


@pytest.mark.parametrize("allow_files", [False, True])
def test_nothing_is_fetched_from_elsewhere_and_nothing_can_be_set(
    recording: Recording, allow_files: bool
) -> None:
    names = {
        "TimeZone": "UTC",
        "parquet_metadata_cache": True,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "python_enable_replacements": False,
        "enable_external_access": allow_files,
        "lock_configuration": True,
    }
    query = ", ".join(f"current_setting('{name}')" for name in names)
    assert recording.sql(f"select {query}", allow_files=allow_files).fetchall() == [tuple(names.values())]
    with pytest.raises(UsageError):
        recording.sql("select getenv('HOME')", allow_files=allow_files)


# -- errors


def _the_query(query: str) -> Callable[[Recording], object]:
    return lambda recording: recording.sql(query).fetchall()


@pytest.mark.parametrize(
    "ask",
    [
        *map(
            _the_query,
            (
                "select",
                "from sample",
                "select rats from samples",
                "select filenam from samples",
                "select kin from scrapes",
                "select supplement from measurements",
                "select rate::date from samples",
                "select source::int from samples",
                "select rate from samples group by source",
                "select sum(source) from samples",
                "select nosuch(rate) from samples",
                "select error('x') from samples",
                "from samples join scrapes using (rate)",
                "select instant from samples, scrapes",
                "select rate from samples where instant = 'noon'",
            ),
        ),
        lambda recording: recording.sql("from samples").filter("rats = 1"),
        lambda recording: recording.sql("from samples").aggregate("sum(source)").fetchall(),
        lambda recording: recording.sql("from samples").join(recording.sql("from scrapes"), "rule"),
        lambda recording: recording.sql("from samples").order("nosuch").show(),
    ],
)
def test_errors_are_ours_and_speak_of_what_was_written(
    recording: Recording, ask: Callable[[Recording], object]
) -> None:
    with pytest.raises(UsageError) as told:
        ask(recording)
    assert [word for word in OUR_OWN_WORDS if word in str(told.value)] == []


def test_a_table_that_is_not_there_is_told_beside_those_that_are(recording: Recording) -> None:
    with pytest.raises(UsageError, match="the tables are samples, scrapes, measurements and mine"):
        recording.sql("from sample", tables={"mine": pa.table({"a": [1]})})


# -- rows


@pytest.mark.filterwarnings("ignore:The inplace keyword")
def test_rows_do_what_a_relation_does(recording: Recording, capsys: pytest.CaptureFixture[str]) -> None:
    rows = recording.sql("select source, target, status, rate, instant from samples")
    assert rows.columns == ["source", "target", "status", "rate", "instant"]
    assert len(rows) == 3
    assert "rate" in rows
    assert rows["rate"].order("rate").fetchall() == [(0.5,), (1.0,), (2.0,)]
    sums = rows.filter("status = '200'").aggregate("source, sum(rate) as total")
    assert sums.fetchall() == [("a", 3.0)]
    assert rows.group_by("status").agg("max(rate) as most").order("status").fetchall() == [
        ("200", 2.0),
        ("503", 0.5),
    ]
    assert rows.set_alias("each").join(sums.set_alias("all_of_them"), "source").columns[-1] == "total"
    assert rows.union(rows).distinct().to_arrow_table().num_rows == 3
    assert rows.limit(1).df().shape == (1, 5)
    rows.show()
    assert "rate" in capsys.readouterr().out
    assert "503" in repr(rows)
    assert {"filter", "df", "to_arrow_table"} <= set(dir(rows))
    assert rows.relation.columns == rows.columns
    with pytest.raises(AttributeError):
        _ = rows.nosuch


def test_rows_outlive_the_files_that_they_were_made_of(recording: Recording) -> None:
    rows = recording.sql("select count(*), sum(rate) from samples")
    windowed = recording.sql("select rate from samples", start=START_MS, end=NEXT_MS).order("rate")
    with recording.writer("a") as writer:
        writer.seal(NEXT_MS + DAY_MS)
        assert rows.fetchall() == [(3, 3.5)]
        assert windowed.fetchall() == [(0.5,), (1.0,)]
        writer.prune(NEXT_MS + DAY_MS)
    assert rows.fetchall() == [(0, None)]


def test_a_damaged_file_is_left_out(tmp_path: Path) -> None:
    later = scrape(START_MS + HOUR_MS, {"a>b 200": 2.0})
    recording = recorded(tmp_path / "recording", [scrape(START_MS, {"a>b 200": 1.0}), later])
    first, _ = sorted((tmp_path / "recording" / "head").iterdir())
    rows = recording.sql("select rate from samples")
    first.write_bytes(b"no Parquet")
    assert rows.fetchall() == [(2.0,)]
    assert recording.sql("select rate from samples").fetchall() == [(2.0,)]
