"""Events as Parquet: the schema, scrapes to tables, tables to files. No file access here.

`docs/format.md` describes the format for readers that are not vistio. One file holds three
kinds of rows, each kind in row groups of its own, so that statistics alone tell them apart:

    measurement   a number about a node or an edge
    outcome       how one rule's evaluation went; every scrape has one for each of its rules
    sample        the rate of one status on one edge

Rows are sorted by kind, instant, cluster, rule, source, target, status (or measure). An
instant's rows of one kind never straddle two row groups.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import IO, Any, Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from vistio_core.errors import FormatVersionError
from vistio_core.events import Measurement, Outcome, RuleOutcome, Scrape
from vistio_core.samples import Samples

FORMAT_VERSION: Final = 1
"""Raised when an older vistio could no longer read what this one writes."""

KINDS: Final = ("measurement", "outcome", "sample")
ROW_GROUP_ROWS: Final = 32_768
"""Where a row group ends (decisions 0003 and 0021): a look-up of one instant reads all of it."""
_ROW_GROUP_LEAST_INSTANTS = 2
"""However many rows they have: what the second one repeats of the first takes no room."""
ROW_GROUP_INSTANTS: Final = 60
"""Also where a row group of samples ends: a look-up in a small mesh need not read the whole hour."""
_MOST_ROWS_OF_PAGE = 1_000_000
"""A page is compressed by itself; so that it has all instants of a row group, which repeat each other."""
_ZSTD_LEVEL = 3
_ROWS_JUDGED = 65_536

_VERSION_KEY: Final = b"vistio.format"
DIGITS_KEY: Final = b"vistio.significant_digits"
_TEXT = pa.dictionary(pa.int32(), pa.string())

INSTANT = pa.timestamp("ms", tz="UTC")
SCHEMA: Final = pa.schema(
    [
        pa.field("kind", _TEXT, nullable=False),
        pa.field("instant", INSTANT, nullable=False),
        pa.field("cluster", _TEXT, nullable=False),
        pa.field("rule", _TEXT, nullable=False),
        # sample and measurement
        pa.field("source", _TEXT),
        pa.field("target", _TEXT),
        # sample
        pa.field("status", _TEXT),
        pa.field("rate", pa.float64()),
        # measurement
        pa.field("measure", _TEXT),
        pa.field("value", pa.float64()),
        pa.field("labels", pa.string()),
        # outcome
        pa.field("outcome", _TEXT),
        pa.field("error", pa.string()),
        pa.field("series", pa.int64()),
        pa.field("dropped", pa.int64()),
        pa.field("dropped_by_reason", pa.string()),
        pa.field("warnings", pa.string()),
        pa.field("duration_ms", pa.float64()),
        pa.field("interval_ms", pa.int64()),
        pa.field("configuration", _TEXT),
        pa.field("backfilled", pa.bool_()),
    ],
    metadata={_VERSION_KEY: str(FORMAT_VERSION).encode()},
)
_SAMPLE_ORDER: Final = ("cluster", "rule", "source", "target", "status")
DICTIONARY_COLUMNS: Final = [field.name for field in SCHEMA if pa.types.is_dictionary(field.type)]


def check_version(place: str, metadata: dict[bytes, bytes] | None) -> str | None:
    """What is wrong with a file's own format version; None when this vistio reads it.

    Raises:
        FormatVersionError: it is newer than this vistio.
    """
    text = (metadata or {}).get(_VERSION_KEY)
    if text is None or not text.isdigit():
        return "not written by vistio: it names no format version"
    if int(text) > FORMAT_VERSION:
        raise FormatVersionError(place, int(text), FORMAT_VERSION)
    return None


def significant_digits(metadata: dict[bytes, bytes] | None) -> int | None:
    """To how many significant digits a file's rates may have been rounded; None where they were not."""
    text = (metadata or {}).get(DIGITS_KEY)
    return int(text) if text is not None and text.isdigit() else None


def fewest_digits(digits: Iterable[int | None]) -> int | None:
    """What several files together may have been rounded to; None where none was."""
    return min((each for each in digits if each is not None), default=None)


def rounded(rate: float, digits: int) -> float:
    """``rate`` to so many significant digits: the nearest decimal number, and of two the even one."""
    return float(f"{rate:.{digits - 1}e}")


def scrape_tables(scrape: Scrape, digits: int | None = None) -> dict[str, pa.Table]:
    """The rows of a scrape by kind, each sorted as the format wants it; kinds without rows are left out.

    Args:
        scrape: with facts as they were seen.
        digits: how many significant digits of its rates are kept; None for all.
    """
    tables = {
        "measurement": _table(
            "measurement", scrape, _measurement_columns(sorted(scrape.measurements, key=_measurement_key))
        ),
        "outcome": _table("outcome", scrape, _outcome_columns(scrape)),
        "sample": _table("sample", scrape, _sample_columns(Samples.of(scrape.samples), digits)),
    }
    return {kind: table for kind, table in tables.items() if table.num_rows}


def rates_repeat(rates: pa.ChunkedArray) -> bool:
    """Whether there are few enough of them for a dictionary, judged by the first ones.

    A quarter: with more, zstd finds by itself what repeats, at less cost. Where two ends of each edge say the same,
    it is a half.
    """
    some = rates.slice(0, _ROWS_JUDGED)
    return len(some) > 0 and pc.count_distinct(some).as_py() * 4 <= len(some)


def write_events(
    sink: IO[bytes], tables: Iterable[pa.Table], *, repeating: bool = False, digits: int | None = None
) -> None:
    """Write one Parquet file: each table becomes one row group.

    Args:
        sink: where to.
        tables: in the format's order, of one kind each (`row_groups` makes such).
        repeating: whether the rates repeat (`rates_repeat`); it decides how they are encoded.
        digits: to how many significant digits some of the rates are rounded; None: none of them.
    """
    # Plain or a dictionary: of a double, Spark 3.5 reads nothing else (decision 0033).
    schema, dictionaries = SCHEMA, [*DICTIONARY_COLUMNS, "rate"] if repeating else DICTIONARY_COLUMNS
    if digits is not None:
        schema = SCHEMA.with_metadata({**SCHEMA.metadata, DIGITS_KEY: str(digits).encode()})
    with pq.ParquetWriter(
        sink,
        schema,
        compression="zstd",
        compression_level=_ZSTD_LEVEL,
        max_rows_per_page=_MOST_ROWS_OF_PAGE,
        use_dictionary=dictionaries,
        write_page_checksum=True,
        # Others prune nothing in rows sorted by instant, and a footer is read before anything else.
        write_statistics=["kind", "instant", "cluster", "rule"],
    ) as writer:
        for table in tables:
            writer.write_table(table.unify_dictionaries(), row_group_size=max(1, table.num_rows))


def row_groups(kind: str, instants: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Concatenate the tables of successive instants, of one kind, to tables of about `ROW_GROUP_ROWS` rows."""
    most_instants = ROW_GROUP_INSTANTS if kind == "sample" else sys.maxsize
    gathered: list[pa.Table] = []
    rows = 0
    for table in instants:
        full = len(gathered) >= _ROW_GROUP_LEAST_INSTANTS and rows + table.num_rows > ROW_GROUP_ROWS
        if full or len(gathered) == most_instants:
            yield pa.concat_tables(gathered)
            gathered, rows = [], 0
        gathered.append(table)
        rows += table.num_rows
    if gathered:
        yield pa.concat_tables(gathered)


def completed(rows: pa.Table) -> pa.Table:
    """``rows`` with all columns of `SCHEMA`: nulls are made for those that are missing."""
    there = set(rows.column_names)
    columns = [
        rows[field.name] if field.name in there else pa.nulls(rows.num_rows, field.type) for field in SCHEMA
    ]
    return pa.table(columns, schema=SCHEMA)


def outcomes_of(rows: pa.Table) -> tuple[RuleOutcome, ...]:
    """The rule outcomes in rows of kind ``outcome``, in their order."""
    return tuple(
        RuleOutcome(
            cluster=row["cluster"],
            rule=row["rule"],
            outcome=Outcome(row["outcome"]),
            error=row["error"] or "",
            series=row["series"],
            dropped=msgspec.json.decode(row["dropped_by_reason"] or "{}", type=dict[str, int]),
            warnings=msgspec.json.decode(row["warnings"] or "[]", type=tuple[str, ...]),
            duration_ms=row["duration_ms"],
        )
        for row in rows.to_pylist()
    )


def measurements_of(rows: pa.Table) -> tuple[Measurement, ...]:
    """The measurements in rows of kind ``measurement``, in their order."""
    if not rows.num_rows:  # as in most instants; asking a table for nothing takes a while, too
        return ()
    return tuple(
        Measurement(
            row["cluster"],
            row["rule"],
            row["source"],
            row["target"],
            row["measure"],
            row["value"],
            tuple(sorted(msgspec.json.decode(row["labels"] or "{}", type=dict[str, str]).items())),
        )
        for row in rows.to_pylist()
    )


def _measurement_key(measurement: Measurement) -> tuple[object, ...]:
    return (*measurement[:5], measurement.labels)


def _table(kind: str, scrape: Scrape, columns: Mapping[str, Sequence[Any]]) -> pa.Table:
    rows = len(columns["cluster"])
    constants = {"kind": pa.scalar(kind, pa.string()), "instant": pa.scalar(scrape.instant_ms, INSTANT)}
    arrays = []
    for field in SCHEMA:
        is_text = pa.types.is_dictionary(field.type)
        if field.name in constants:
            array = pa.repeat(constants[field.name], rows)
        elif isinstance(columns.get(field.name), pa.Array):
            arrays.append(columns[field.name])
            continue
        elif field.name in columns:
            array = pa.array(columns[field.name], pa.string() if is_text else field.type)
        else:
            arrays.append(pa.nulls(rows, field.type))
            continue
        arrays.append(array.dictionary_encode() if is_text else array)
    return pa.Table.from_arrays(arrays, schema=SCHEMA)


def _sample_columns(samples: Samples, digits: int | None) -> Mapping[str, Sequence[Any]]:
    """Sorted as the format wants it: by one number each, ten times as fast as by the texts.

    Arrow and Parquet compare texts by their UTF-8, which is the order of Python's.
    """
    ranked = [column.ranked() for column in samples.keys]
    place = np.zeros(len(samples), np.int64)
    for column in ranked:
        place = place * max(1, len(column.values)) + column.place
    order = np.argsort(place)
    columns = {
        name: pa.DictionaryArray.from_arrays(
            pa.array(column.place[order], pa.int32()), pa.array(column.values, pa.string())
        )
        for name, column in zip(_SAMPLE_ORDER, ranked, strict=True)
    }
    rates = samples.rates[order]
    if digits is not None:
        rates = np.array([rounded(rate, digits) for rate in rates.tolist()], np.float64)
    return {**columns, "rate": pa.array(rates)}


def _measurement_columns(measurements: list[Measurement]) -> dict[str, Sequence[Any]]:
    names = ("cluster", "rule", "source", "target", "measure", "value")
    columns = dict(
        zip(
            names,
            zip(*(m[:6] for m in measurements), strict=True) if measurements else ((),) * 6,
            strict=True,
        )
    )
    return {**columns, "labels": [_json(dict(m.labels)) for m in measurements]}


def _outcome_columns(scrape: Scrape) -> dict[str, Sequence[Any]]:
    outcomes = sorted(scrape.outcomes, key=lambda outcome: (outcome.cluster, outcome.rule))
    return {
        "cluster": [outcome.cluster for outcome in outcomes],
        "rule": [outcome.rule for outcome in outcomes],
        "outcome": [outcome.outcome.value for outcome in outcomes],
        "error": [outcome.error or None for outcome in outcomes],
        "series": [outcome.series for outcome in outcomes],
        "dropped": [sum(outcome.dropped.values()) for outcome in outcomes],
        "dropped_by_reason": [_json(dict(sorted(outcome.dropped.items()))) for outcome in outcomes],
        "warnings": [_json(outcome.warnings) for outcome in outcomes],
        "duration_ms": [
            outcome.duration_ms if math.isfinite(outcome.duration_ms) else 0.0 for outcome in outcomes
        ],
        "interval_ms": [scrape.interval_ms] * len(outcomes),
        "configuration": [scrape.configuration] * len(outcomes),
        "backfilled": [scrape.backfilled] * len(outcomes),
    }


def _json(value: Any) -> str | None:
    """Compact JSON text; None for what is empty, since most are."""
    return msgspec.json.encode(value).decode() if value else None
