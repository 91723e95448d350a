"""/report: what `vistio-record report` writes, to be saved."""

from __future__ import annotations

import pytest
from support.scrapes import START_MS
from werkzeug.test import Client

import vistio_core as vistio
from serve.conftest import NEWEST_MS
from vistio_core.report.facts import gather
from vistio_core.report.page import render
from vistio_core.times import DAY_MS, format_instant
from vistio_serve import create_app
from vistio_serve.memory import Memory

WINDOW = {"start": format_instant(START_MS), "end": format_instant(NEWEST_MS + 1)}


def test_it_is_what_the_command_writes_with_a_name_to_save_it_by(
    client: Client, recorded: vistio.Recording
) -> None:
    response = client.get("/report", query_string=WINDOW)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    name = format_instant(START_MS).replace(":", "")
    assert response.headers["Content-Disposition"] == f'attachment; filename="vistio-{name}.html"'
    assert response.data == b"".join(render(gather(recorded, START_MS, NEWEST_MS + 1)))


@pytest.mark.parametrize(
    ("window", "status", "said"),
    [
        ({"start": format_instant(NEWEST_MS - DAY_MS)}, 400, "at most 24 hours"),
        ({"start": "2001-01-01T00:00:00Z", "end": "2001-01-01T01:00:00Z"}, 404, "othing"),
    ],
)
def test_what_cannot_be_told_says_why(client: Client, window: dict[str, str], status: int, said: str) -> None:
    response = client.get("/report", query_string={**WINDOW, **window})
    assert response.status_code == status
    assert said in response.get_json()["title"] + response.get_json()["detail"]


def test_what_would_not_fit_is_refused_before_it_is_made(
    recorded: vistio.Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vistio_serve import costs

    monkeypatch.setattr(costs, "_ROW_OF_FRAMES_BYTES", 100_000_000)
    client = Client(create_app(recorded, memory=Memory.of(256 * 2**20)))
    response = client.get("/report", query_string=WINDOW)
    assert response.status_code == 400
    assert "vistio-record report" in response.get_json()["detail"]
