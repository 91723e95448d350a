"""Nodes and edges over time: the same numbers as timelines and graphs have, and null where nothing was seen."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.calls import CALLS, calls
from support.recordings import recorded
from support.scrapes import INTERVAL_MS, START_MS
from werkzeug.test import Client

from vistio_core import Recording
from vistio_core.diagnosis.heat import heat
from vistio_core.diagnosis.observed import Observed
from vistio_core.errors import InvalidTimeError, UsageError
from vistio_core.judging.totals import RATES
from vistio_core.times import format_instant
from vistio_serve import create_app

END_MS = START_MS + 12 * INTERVAL_MS
QUIET = {"web>cart": (10.0, 0.0, 20.0), "app>cart": (2.0, 0.0, 50.0), "cart>db": (20.0, 0.0, 4.0)}
BROKEN = {"web>cart": (8.0, 0.25, 40.0), "app>cart": (2.0, 0.5, 90.0), "cart>db": (16.0, 0.5, 9.0)}


@pytest.fixture
def broken(tmp_path: Path) -> Recording:
    """Two minutes: one that is well, one that is not; at two instants a rule was not answered, at one nothing was."""
    scrapes = [
        calls(
            START_MS + place * INTERVAL_MS,
            QUIET if place < 6 else BROKEN,
            failed="http" if place in (2, 7) else "mean" if place == 8 else "",
        )
        for place in range(12)
        if place != 10
    ]
    return recorded(tmp_path / "r", scrapes, configurations=[CALLS])


def cells(recording: Recording, step: str) -> dict[tuple[str, str | None], list[dict[str, Any]]]:
    rows = recording.heat(START_MS, END_MS, step).table.to_pylist()
    by_row = itertools.groupby(rows, key=lambda row: (row["node"], row["target"]))
    return {ends: list(of) for ends, of in by_row}


@pytest.mark.parametrize("step", ["10s", "20s", "1m", "2m"])
def test_a_step_says_what_a_timeline_says_of_the_same(broken: Recording, step: str) -> None:
    found = cells(broken, step)
    for (node, target), of_heat in found.items():
        subject = {"target": node} if target is None else {"source": node, "target": target}
        if node in ("web", "app") and target is None:
            subject = {"source": node}
        of_timeline = broken.timeline(START_MS, END_MS, step, **subject).to_pylist()
        assert [row["start"] for row in of_heat] == [row["start"] for row in of_timeline]
        for one, other in zip(of_heat, of_timeline, strict=True):
            assert [one[name] for name in RATES] == pytest.approx(
                [other[name] for name in RATES], nan_ok=True
            )
    assert len(found) == 4 + 3


def test_an_instant_says_what_its_graph_says(broken: Recording) -> None:
    for place, row in enumerate(cells(broken, "10s")["cart", "db"]):
        if row["normal"] is None:
            assert place in (2, 7, 10)
            continue
        [edge] = [
            each
            for level in broken.graph(START_MS + place * INTERVAL_MS).regions
            for each in level.edges
            if (each.source, each.target) == ("cart", "db")
        ]
        assert (row["normal"], row["danger"]) == (edge.rates.normal, edge.rates.danger)


def test_latency_counts_by_requests_and_is_null_where_it_was_not_measured(broken: Recording) -> None:
    found = cells(broken, "1m")
    quiet, bad = (row["latency_ms"] for row in found["cart", None])
    assert quiet == pytest.approx((10 * 20 + 2 * 50) / 12)
    assert bad == pytest.approx((8 * 40 + 2 * 90) / 10)
    assert [row["latency_ms"] for row in found["web", None]] == [None, None]
    by_instant = [row["latency_ms"] for row in cells(broken, "10s")["cart", "db"]]
    assert by_instant == [4.0, 4.0, None, 4.0, 4.0, 4.0, 9.0, None, None, 9.0, None, 9.0]


def test_latency_of_the_whole_window_is_that_of_top(broken: Recording) -> None:
    top = broken.top(START_MS, END_MS, "latency").to_pylist()
    expected = {(row["node"], row["target"]): row["latency_ms"] for row in top}
    found = {ends: row["latency_ms"] for ends, [row] in cells(broken, "2m").items()}
    assert found == pytest.approx(expected)


def test_a_node_is_not_known_while_one_of_its_callers_is_not() -> None:
    """As the table in the module says."""
    nan = float("nan")
    web, app = [10.0, 20.0, 10.0, nan], [1.0, 1.0, nan, nan]
    normal = np.array([app, web]).T
    rates = np.array([normal, np.zeros((4, 2)), np.zeros((4, 2))])
    names, ends = ["", "app", "cart", "web"], np.array([[0, 1, 2], [0, 3, 2]])
    nodes = np.array([[0, 1], [0, 2], [0, 3]])
    seen = Observed(START_MS, 4, names, ends, rates, np.full((4, 2), nan), {}, nodes, {})
    found = heat((START_MS, START_MS + 40_000), 20_000, lambda *_: seen)
    assert found.document()["normal"] == [[1.0, None], [16.0, None], [15.0, 10.0]]


def test_steps_are_refused_that_it_cannot_look_at(broken: Recording) -> None:
    with pytest.raises(UsageError, match="a multiple of it"):
        broken.heat(START_MS, END_MS, "15s")
    with pytest.raises(UsageError, match="use a longer step"):
        broken.heat(START_MS, START_MS + 40 * 3_600_000, "10s")
    with pytest.raises(InvalidTimeError):
        broken.heat(END_MS, START_MS)


def test_where_nothing_was_recorded_there_is_nothing(broken: Recording) -> None:
    found = broken.heat(END_MS + 60_000, END_MS + 120_000)
    assert (found.table.num_rows, found.document()["node"], found.document()["normal"]) == (0, [], [])


def test_the_route_answers_the_nodes_in_columns(broken: Recording) -> None:
    client = Client(create_app(broken))
    start, end = map(format_instant, (START_MS, END_MS))
    answer = client.get(f"/heat?start={start}&end={end}&step=1m")
    document = json.loads(answer.data)
    assert document == broken.heat(START_MS, END_MS, "1m").document()
    assert document["node"] == ["app", "cart", "db", "web"]
    assert document["cluster"] == ["mesh"] * 4
    usual = json.loads(client.get(f"/heat?start={start}&end={end}").data)
    assert (usual["step_ms"], len(usual["danger"][0])) == (10_000, 12)
    hour = json.loads(client.get("/heat").data)
    assert hour["end"] == end, "the ten seconds of the newest instant"
    assert client.get(f"/heat?start={start}&end={end}&step=15s").status_code == 400
    assert client.get(f"/heat?start={start}&end={end}&step=0s").status_code == 400
    assert client.get("/heat?start=-30d&end=now").status_code == 400
