"""examples/spark: one job over the logs of several recordings, by a real Spark; DuckDB says the same of these files."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from support.scrapes import INTERVAL_MS, START_MS, all_failed, mesh, scrape

from vistio_core import Recording
from vistio_core.times import DAY_MS

ONLY_HERE = "only `nox -s engines` installs it"
duckdb = pytest.importorskip("duckdb", reason=ONLY_HERE)
pyspark = pytest.importorskip("pyspark", reason=ONLY_HERE)
sqlglot = pytest.importorskip("sqlglot", reason=ONLY_HERE)

pytestmark = [
    pytest.mark.skipif(shutil.which("java") is None, reason="no java on PATH: Spark runs on it"),
    pytest.mark.timeout(900),  # Spark takes its time on a small machine
]

ROOT = Path(__file__).parents[2]
PLACE = ROOT / "examples" / "spark"
PAGE = (ROOT / "docs" / "engines.md").read_text()
QUESTIONS = ("traffic", "new_dependencies", "error_budgets")
UNTIL = date(2026, 12, 1)
PARAMETERS: dict[str, object] = {
    "since": date(2026, 11, 1),
    "week": date(2026, 11, 24),
    "until": UNTIL,
    "objective": 0.999,
}


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two meshes on four days: an edge that is new, failures, an instant that was not seen, one learned later."""
    found = {}
    for number, name in enumerate(("shop", "bank")):
        place = tmp_path_factory.mktemp("job") / name
        recording = Recording.open(place, create=True, clock=lambda: START_MS + 9 * DAY_MS)
        with recording.writer("main" if number else "eu-west") as writer:
            writer.put_configuration(mesh())
            for day in (0, 2, 6, 7):
                for index in range(4):
                    instant_ms = START_MS + day * DAY_MS + index * INTERVAL_MS
                    edges = {
                        "a>b 200": 10.0 + day + number,
                        "a>b 503": 0.25 * index,
                        "b>c 404": 1 / (1 + index),
                    }
                    if day >= 6 and not number:
                        edges |= {"b>new 200": 3.5, "a>quiet 200": 0.0}
                    if index == 3:
                        writer.commit(scrape(instant_ms, **all_failed()))
                        if day == 2:
                            writer.supplement(scrape(instant_ms, edges, backfilled=True))
                    else:
                        writer.commit(scrape(instant_ms, edges))
            writer.seal(START_MS + 9 * DAY_MS)
        found[name] = place / "log"
    return found


@pytest.fixture(scope="module")
def answers(
    logs: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[dict[str, Any]]]:
    """What the job says."""
    before = {file: file.stat().st_mtime_ns for log in logs.values() for file in log.rglob("*")}
    output = tmp_path_factory.mktemp("report")
    spark_submit = Path(pyspark.__file__).parent / "bin" / "spark-submit"
    done = subprocess.run(
        [
            *(str(spark_submit), "--master", "local[1]", "--driver-memory", "600m"),
            *("--conf", "spark.ui.enabled=false", "--conf", "spark.sql.shuffle.partitions=1"),
            *("--conf", "spark.driver.bindAddress=127.0.0.1", "--conf", "spark.driver.host=127.0.0.1"),
            str(PLACE / "traffic.py"),
            *(part for name, log in logs.items() for part in ("--log", f"{name}={log}")),
            *("--until", str(UNTIL), "--rules", "^http$", "--output", str(output)),
        ],
        env={
            **os.environ,
            "PYSPARK_PYTHON": sys.executable,
            "SPARK_LOCAL_IP": "127.0.0.1",
            "SPARK_HOME": str(Path(pyspark.__file__).parent),
        },
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-5000:]
    assert {file: file.stat().st_mtime_ns for log in logs.values() for file in log.rglob("*")} == before
    assert "error_budgets" in done.stdout
    return {
        question: duckdb.sql(f"from read_parquet('{output}/{question}/*.parquet')")
        .to_arrow_table()
        .to_pylist()
        for question in QUESTIONS
    }


def by_duckdb(logs: dict[str, Path]) -> Any:
    """The two tables, said in DuckDB's own words."""
    session = duckdb.connect()
    session.sql("set timezone = 'UTC'")
    each = " union all by name ".join(
        f"select '{name}' as mesh, * from read_parquet('{log}/*/*/*.parquet', hive_partitioning = true)"
        for name, log in logs.items()
    )
    session.sql(f"create table events as {each}")
    session.sql("""
        create view answered as
        select mesh, instant, rule, any_value(interval_ms) / 1000 as seconds from events
        where kind = 'outcome' and outcome = 'ok' and rule = 'http' group by all;
        create view calls as
        select mesh, cast(instant as date) as day, cluster, source, target, sum(rate * seconds) as requests,
               coalesce(sum(rate * seconds) filter (status = '503'), 0) as failed
        from events join answered using (mesh, instant, rule) where kind = 'sample' group by all;
        create view watched as
        select mesh, cast(instant as date) as day, 'mesh' as cluster, sum(seconds) as seconds from answered group by all
    """)
    return session


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_job_says_what_duckdb_says(
    logs: dict[str, Path], answers: dict[str, list[dict[str, Any]]], question: str
) -> None:
    text = (PLACE / f"{question}.sql").read_text()
    used = {name: value for name, value in PARAMETERS.items() if f":{name}" in text}
    asked = by_duckdb(logs).execute(re.sub(r":(\w+)", r"$\1", text), used)
    names = [column[0] for column in asked.description]
    expected = [dict(zip(names, row, strict=True)) for row in asked.fetchall()]
    assert expected
    assert [list(row.values())[:4] for row in answers[question]] == [
        list(row.values())[:4] for row in expected
    ]
    for found, wanted in zip(answers[question], expected, strict=True):
        assert found.keys() == wanted.keys()
        for name, value in wanted.items():
            # Spark adds in another order.
            assert found[name] == (pytest.approx(value, rel=1e-12) if isinstance(value, float) else value)


def test_what_it_says_is_what_was_recorded(answers: dict[str, list[dict[str, Any]]]) -> None:
    day = next(
        row
        for row in answers["traffic"]
        if (row["mesh"], str(row["day"]), row["service"]) == ("shop", "2026-11-23", "b")
    )
    assert day["requests"] == pytest.approx(10 * (3 * 10 + 0.25 * (0 + 1 + 2)))
    assert day["failed"] == pytest.approx(10 * 0.25 * (0 + 1 + 2))
    assert day["seen"] == pytest.approx(30 / 86400)
    learned = next(
        row
        for row in answers["traffic"]
        if (row["mesh"], str(row["day"]), row["service"]) == ("shop", "2026-11-25", "b")
    )
    assert learned["seen"] == pytest.approx(40 / 86400)
    [new] = answers["new_dependencies"]
    assert (new["mesh"], new["source"], new["target"], str(new["first_day"])) == (
        "shop",
        "b",
        "new",
        "2026-11-29",
    )
    budget = {(row["mesh"], row["service"]): row["budget_left"] for row in answers["error_budgets"]}
    assert budget["shop", "c"] == 1
    assert budget["shop", "b"] < 0, "far more than a thousandth failed"


# -- the page

STATEMENTS = dict(re.findall(r"^### (\w+)\n.*?^```sql\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE))
DIALECTS = {"Trino": "trino", "Athena": "athena", "ClickHouse": "clickhouse", "BigQuery": "bigquery"}


def test_each_engine_has_the_statement_that_creates_the_table() -> None:
    assert STATEMENTS.keys() == DIALECTS.keys()


@pytest.mark.parametrize("engine", DIALECTS)
def test_the_statement_is_one_and_has_the_columns_of_the_log(logs: dict[str, Path], engine: str) -> None:
    """Parsed by sqlglot in the engine's dialect: none of these engines runs here."""
    statements = [
        each for each in sqlglot.parse(STATEMENTS[engine], read=DIALECTS[engine]) if each is not None
    ]
    assert statements
    assert not any(
        isinstance(each, sqlglot.exp.Command) for each in statements if "partition" not in each.sql().lower()
    )
    file = next(logs["shop"].rglob("*.parquet"))
    of_log = duckdb.sql(
        f"describe select * from read_parquet('{file}', hive_partitioning = false)"
    ).fetchall()
    text = STATEMENTS[engine]
    if engine in ("Trino", "Athena"):
        body = text[text.index("(") + 1 :]
        columns = re.findall(r"^ {4}(\w+) +(\w+(?:\(\d\))?)", body, re.MULTILINE)
        assert [name for name, _ in columns if name not in ("date", "hour")] == [row[0] for row in of_log]
        types = {"VARCHAR": {"varchar", "string"}, "DOUBLE": {"double"}, "BIGINT": {"bigint"}, "BOOLEAN": {"boolean"},
                 "TIMESTAMP WITH TIME ZONE": {"timestamp(3)", "timestamp"}}  # fmt: skip
        of_type = {row[0]: types[row[1]] for row in of_log}
        assert [name for name, kind in columns if kind not in of_type.get(name, {kind})] == []
