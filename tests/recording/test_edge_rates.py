"""Edges at instants as rows, and as files of other tools: a rate, 0 where answered and none, nothing where not seen."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import requests
from support.ports import free_port
from support.prometheus import WITHOUT_BINARY, Prometheus, installed
from support.recordings import recorded
from support.scrapes import INTERVAL_MS, START_MS, all_failed, edges, scrape

from vistio_core import Measurement, Recording, Sample
from vistio_core.errors import UnknownNameError
from vistio_core.recording.edge_files import as_csv, as_parquet
from vistio_core.recording.openmetrics import as_openmetrics

HOSTILE = 'a "quoted",\nname\\ = ü'
END_MS = START_MS + 6 * INTERVAL_MS


def at(number: int) -> int:
    return START_MS + number * INTERVAL_MS


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """Seen, quiet, a rule that failed, all failed, a gap, seen."""
    hot = [Measurement("mesh", "saturation", "b", "", "value", 0.97)]
    return recorded(
        tmp_path_factory.mktemp("edges") / "recording",
        [
            scrape(
                at(0),
                [
                    *edges({"a>b 200": 1 / 3, "a>b 503": 0.25}),
                    Sample("mesh", "http", HOSTILE, "b", "404", 2.0),
                ],
                measurements=hot,
            ),
            scrape(at(1)),
            scrape(at(2), edges({"INTERNET>mesh 200": 5.0}, "ingress", ""), http="failed"),
            scrape(at(3), **all_failed()),
            scrape(at(5), {"a>b 200": 7.0}),
        ],
    )


Row = tuple[str, str, str, float | None, float | None, float | None]

NONE = (None, None, None)
EXPECTED: dict[int, list[Row]] = {
    number: [("", "INTERNET", "mesh", *ingress), ("mesh", "a", "b", *rates), ("mesh", HOSTILE, "b", *hostile)]
    for number, ingress, hostile, rates in (
        (0, (0.0, 0.0, 0.0), (0.0, 2.0, 0.0), (1 / 3, 0.0, 0.25)),
        (1, (0.0, 0.0, 0.0), (0.0, 0.0, 0.0), (0.0, 0.0, 0.0)),
        (2, (5.0, 0.0, 0.0), NONE, NONE),
        (3, NONE, NONE, NONE),
        (5, (0.0, 0.0, 0.0), (0.0, 0.0, 0.0), (7.0, 0.0, 0.0)),
    )
}
"""By instant; none of the fourth, which was not recorded."""


def rows_of(table: pa.Table) -> dict[int, list[Row]]:
    found: dict[int, list[Row]] = {}
    for row in table.to_pylist():
        instant, *values = row.values()
        found.setdefault((round(instant.timestamp() * 1000) - START_MS) // INTERVAL_MS, []).append(
            tuple(values)
        )
    return found


def test_an_edge_has_a_row_at_every_recorded_instant_and_null_where_it_was_not_seen(
    recording: Recording,
) -> None:
    tables = list(recording.edges(START_MS, END_MS))
    assert [table.num_rows for table in tables] == [3] * 5
    assert rows_of(pa.concat_tables(tables)) == EXPECTED


def test_an_edge_of_which_a_part_was_seen_has_no_number(tmp_path: Path) -> None:
    """Two writers tell of one edge; the rule of one of them failed."""
    recording = recorded(
        tmp_path / "recording",
        [scrape(at(0), {"a>b 200": 1.0}), scrape(at(1), {"a>b 200": 1.0})],
        [scrape(at(0), {"a>b 200": 2.0}), scrape(at(1), http="failed")],
    )
    both = pa.concat_tables(recording.edges(START_MS, END_MS)).filter(pa.compute.field("cluster") == "mesh")
    assert both["normal"].to_pylist() == [3.0, None]


def test_one_level_is_chosen_by_its_cluster(recording: Recording) -> None:
    for cluster, expected in (("mesh", 2), ("", 1)):
        tables = list(recording.edges(START_MS, END_MS, cluster=cluster))
        assert [table.num_rows for table in tables] == [expected] * 5
        assert {each for table in tables for each in table["cluster"].to_pylist()} == {cluster}
    with pytest.raises(UnknownNameError, match=r"cluster 'meshh'.*did you mean 'mesh'"):
        recording.edges(START_MS, END_MS, cluster="meshh")


def test_csv_has_the_rows_with_names_as_they_are(recording: Recording) -> None:
    text = b"".join(as_csv(recording.edges(START_MS, END_MS))).decode()
    head, *lines = csv.reader(io.StringIO(text))
    assert head == ["instant", "cluster", "source", "target", "normal", "warning", "danger"]
    assert [line[0] for line in lines[::3]] == [f"2026-11-23T05:00:{number}0Z" for number in (0, 1, 2, 3, 5)]
    rates = [tuple(float(each) if each else None for each in line[4:]) for line in lines]
    told = [(*line[1:4], *each) for line, each in zip(lines, rates, strict=True)]
    assert told == [row for rows in EXPECTED.values() for row in rows]


def test_parquet_has_the_rows(recording: Recording) -> None:
    content = b"".join(as_parquet(recording.edges(START_MS, END_MS)))
    assert rows_of(pq.read_table(io.BytesIO(content))) == EXPECTED


@pytest.mark.parametrize("write", [as_csv, as_parquet])
def test_files_of_an_empty_window_are_whole(recording: Recording, write: Callable[..., object]) -> None:
    content = b"".join(write(recording.edges(END_MS, END_MS + 1)))  # type: ignore[call-overload]
    if write is as_parquet:
        assert pq.read_table(io.BytesIO(content)).num_rows == 0
    else:
        assert content == b"instant,cluster,source,target,normal,warning,danger\n"


def test_a_long_window_comes_in_pieces(recording: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    from vistio_core.recording import edge_files

    whole = b"".join(as_csv(recording.edges(START_MS, END_MS)))
    monkeypatch.setattr(edge_files, "_ROWS_AT_ONCE", 4)
    for write in (as_csv, as_parquet):
        pieces = list(write(recording.edges(START_MS, END_MS)))
        assert len(pieces) > 3
        if write is as_csv:
            assert b"".join(pieces) == whole
        else:
            assert rows_of(pq.read_table(io.BytesIO(b"".join(pieces)))) == EXPECTED


@pytest.mark.skipif(not installed(), reason=WITHOUT_BINARY)
def test_prometheus_answers_what_the_recording_says(recording: Recording, tmp_path: Path) -> None:
    text = b"".join(as_openmetrics(recording.instant_rows(START_MS, END_MS))).decode()
    assert text.endswith("# EOF\n")
    server = Prometheus(tmp_path, f"127.0.0.1:{free_port()}")  # nobody to scrape there
    server.load(text)
    server.start()

    def answered(query: str) -> dict[tuple[tuple[str, str], ...], list[tuple[float, str]]]:
        asked = {"query": f"{query}[1h]", "time": (END_MS + INTERVAL_MS) / 1000}
        found = requests.get(f"{server.url}/api/v1/query", params=asked, timeout=10).json()["data"]["result"]
        return {
            tuple(sorted((name, text) for name, text in each["metric"].items() if name != "__name__")): each[
                "values"
            ]
            for each in found
        }

    expected: dict[tuple[tuple[str, str], ...], list[tuple[float, float]]] = {}
    for number, rows in EXPECTED.items():
        for cluster, source, target, *rates in rows:
            for name, rate in zip(("normal", "warning", "danger"), rates, strict=True):
                labels = {"class": name, "source": source, "target": target}
                labels |= {"cluster": cluster} if cluster else {}  # to Prometheus an empty label is none
                if rate is not None:
                    expected.setdefault(tuple(sorted(labels.items())), []).append((at(number) / 1000, rate))
    try:
        found = answered("vistio_edge_requests_per_second")
        measured = answered("vistio_node_measurement")
    finally:
        server.close()
    told = {key: [(at_s, float(value)) for at_s, value in values] for key, values in found.items()}
    assert told == expected
    [(key, values)] = measured.items()
    assert dict(key) == {"cluster": "mesh", "node": "b", "measure": "saturation"}
    assert [(at_s, float(value)) for at_s, value in values] == [(at(0) / 1000, 0.97)]
