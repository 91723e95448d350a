"""/edges: every edge at every instant as a file, with what was not seen left open."""

from __future__ import annotations

import csv
import io

import pyarrow.parquet as pq
import pytest
from support.scrapes import START_MS
from werkzeug.test import Client

import vistio_core as vistio
from serve.conftest import NEWEST_MS, PARTLY_MS
from vistio_core.recording.edge_files import as_csv
from vistio_core.times import DAY_MS, format_instant
from vistio_serve import create_app
from vistio_serve.memory import Memory

WINDOW = {"start": format_instant(START_MS), "end": format_instant(NEWEST_MS + 1)}


def test_csv_is_what_the_library_says(client: Client, recorded: vistio.Recording) -> None:
    response = client.get("/edges", query_string=WINDOW)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert response.headers["Content-Disposition"] == 'attachment; filename="edges.csv"'
    assert response.data == b"".join(as_csv(recorded.edges(*WINDOW.values())))
    rows = list(csv.DictReader(io.StringIO(response.text)))
    partly = {row["source"]: row["normal"] for row in rows if row["instant"] == format_instant(PARTLY_MS)}
    assert partly == {"INTERNET": "70.0", "front": "", "cart": ""}


def test_parquet_has_null_where_it_was_not_seen(client: Client) -> None:
    response = client.get("/edges", query_string={**WINDOW, "format": "parquet", "cluster": "mesh"})
    assert response.headers["Content-Type"] == "application/vnd.apache.parquet"
    assert response.headers["Content-Disposition"] == 'attachment; filename="edges.parquet"'
    table = pq.read_table(io.BytesIO(response.data))
    assert table.num_rows == 10 * 2  # instants by edges
    assert table["normal"].null_count == 2 * 2  # one failed wholly, in one the rule failed
    assert set(table["cluster"].to_pylist()) == {"mesh"}


def test_without_a_window_it_is_the_hour_up_to_the_newest_instant(client: Client) -> None:
    rows = list(csv.DictReader(io.StringIO(client.get("/edges").text)))
    assert rows[-1]["instant"] == format_instant(NEWEST_MS)


@pytest.mark.parametrize(
    ("more", "status", "said"),
    [
        ({"format": "xlsx"}, 400, "allowed: csv, parquet"),
        ({"start": format_instant(NEWEST_MS + 1 - DAY_MS - 1)}, 400, "one answer has 1d at most"),
        ({"cluster": "mush"}, 404, "did you mean 'mesh'"),
        ({"node": "cart"}, 400, "unknown"),
    ],
)
def test_what_cannot_be_answered_says_what_would_work(
    client: Client, more: dict[str, str], status: int, said: str
) -> None:
    response = client.get("/edges", query_string={**WINDOW, **more})
    assert response.status_code == status
    assert said in response.get_json()["detail"]


def test_what_would_not_fit_is_refused_before_it_is_made(
    recorded: vistio.Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vistio_serve import costs

    monkeypatch.setattr(costs, "_ROW_OF_TABLE_BYTES", 10_000_000)
    client = Client(create_app(recorded, memory=Memory.of(256 * 2**20)))
    response = client.get("/edges", query_string=WINDOW)
    assert response.status_code == 400
    assert "vistio-record export --format csv" in response.get_json()["detail"]
