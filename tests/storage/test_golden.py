"""Recordings of every format version that there ever was, as an old vistio wrote them."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.scrapes import INTERVAL_MS, START_MS

from vistio_core import Recording
from vistio_core.storage.format import FORMAT_VERSION
from vistio_core.times import HOUR_MS, MINUTE_MS

GOLDEN = sorted((Path(__file__).parent / "golden").iterdir())


def test_there_is_a_golden_recording_of_every_version() -> None:
    assert [place.name for place in GOLDEN] == [f"version-{n}" for n in range(1, FORMAT_VERSION + 1)]


@pytest.mark.parametrize("place", GOLDEN, ids=lambda place: place.name)
def test_an_old_recording_still_says_what_it_said(place: Path) -> None:
    recording = Recording.open(place, clock=lambda: START_MS + 2 * HOUR_MS)
    assert [checked for checked in recording.verify() if checked.problems] == []

    graph = recording.graph(START_MS + 2 * INTERVAL_MS)
    region = graph.region("mesh")
    rates = {(e.source, e.target): (e.rates.normal, e.rates.warning, e.rates.danger) for e in region.edges}
    assert rates == {("cart", "db"): (0.0, 1 / 3, 0.0), ("front", "cart"): (12.5, 0.0, 0.25)}
    assert [edge.rates.normal for edge in graph.edges] == [100.0]
    [db] = [node for node in region.nodes if node.name == "db"]
    assert [notice.title for notice in db.notices] == ["db is saturated: 0.97000"]

    failed = recording.graph(START_MS + 4 * INTERVAL_MS)
    assert (failed.instant_ms, len(failed.failed_rules)) == (START_MS + 2 * INTERVAL_MS, 3)
    assert recording.graph(START_MS + 5 * INTERVAL_MS).backfilled
    newest = recording.graph()
    assert (newest.instant_ms, newest.failed_rules[0].error) == (
        START_MS + HOUR_MS + 5 * MINUTE_MS,
        "http did not answer",
    )
    # The ranks of a file: sealed, merged, a commit of its own.
    assert (recording.info().log_files, recording.info().head_files) == (1, 2)
    assert [gap["reason"] for gap in recording.gaps().to_pylist()][:2] == [
        "not running",
        "not seen: ingress did not answer",
    ]
