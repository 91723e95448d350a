"""Months of many meshes in one job: traffic by service and day, dependencies that are new, error budgets.

    spark-submit examples/spark/traffic.py --log shop=recording/log --log bank=/mnt/bank/log --output report

Each log is read as it lies, by Spark itself: nothing is copied, and only the days that are asked for are opened. What
is still in a recording's head (the last hour) is not in its log. docs/engines.md has the same for other engines.
"""

from __future__ import annotations

import argparse
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as f

HERE = Path(__file__).parent
QUESTIONS = ("traffic", "new_dependencies", "error_budgets")
WRITER = r"_([^_/]+?)(?:\.\d+)?\.parquet$"
"""A log's files are called <first>_<last>_<writer>.parquet; supplements have a number behind."""


def main() -> None:
    asked = arguments()
    spark = SparkSession.builder.appName("vistio").getOrCreate()
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    first = min(asked.until - timedelta(days=asked.days), asked.until - timedelta(days=asked.before + 7))
    events(spark, dict(asked.log), first, asked.until).createOrReplaceTempView("events")
    views = (HERE / "views.sql").read_text().replace("{rules}", asked.rules).replace("{failed}", asked.failed)
    for statement in views.split(";"):
        spark.sql(statement)
    named = {
        "since": asked.until - timedelta(days=asked.days),
        "week": asked.until - timedelta(days=7),
        "until": asked.until,
        "objective": asked.objective,
    }
    for question in QUESTIONS:
        text = (HERE / f"{question}.sql").read_text()
        found = spark.sql(text, args={name: value for name, value in named.items() if f":{name}" in text})
        print(f"\n{question}")
        if asked.output is None:
            found.show(50, truncate=False)
        else:
            found.write.mode("overwrite").parquet(f"{asked.output}/{question}")
            spark.read.parquet(f"{asked.output}/{question}").show(50, truncate=False)
    spark.stop()


def events(spark: SparkSession, logs: dict[str, str], first: date, until: date) -> DataFrame:
    """The rows of all logs in these days, each with its mesh and who wrote it."""
    found = None
    for mesh, log in logs.items():
        rows = spark.read.parquet(log).where((f.col("date") >= str(first)) & (f.col("date") < str(until)))
        writer = f.regexp_extract(f.col("_metadata.file_name"), WRITER, 1)
        rows = rows.withColumn("writer", writer).withColumn("mesh", f.lit(mesh))
        found = rows if found is None else found.unionByName(rows, allowMissingColumns=True)
    assert found is not None  # argparse sees to it
    return found


def arguments() -> argparse.Namespace:
    today = datetime.now(UTC).date()
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--log", action="append", required=True, type=named_log, metavar="MESH=LOG")
    parser.add_argument(
        "--until", default=today, type=date.fromisoformat, help="first day that does not count"
    )
    parser.add_argument("--days", default=30, type=int, help="how many days of traffic and error budget")
    parser.add_argument(
        "--before", default=28, type=int, help="how many days before this week tell what is new"
    )
    parser.add_argument("--rules", default="", help="RE2-like expression: only rules that match count")
    parser.add_argument("--failed", default="^(5..|0|danger)$", help="which statuses are failures")
    parser.add_argument(
        "--objective", default=0.999, type=float, help="part of the requests that must succeed"
    )
    parser.add_argument("--output", help="where to write three tables in Parquet; else they are shown alone")
    return parser.parse_args()


def named_log(text: str) -> tuple[str, str]:
    mesh, equals, log = text.partition("=")
    if not mesh or not equals or not log:
        raise argparse.ArgumentTypeError(f"{text!r} is not MESH=LOG, such as shop=recording/log")
    return mesh, log


if __name__ == "__main__":
    main()
