"""What was added to a format version after its golden recording was made, as it was written then."""

from __future__ import annotations

from pathlib import Path

from support.scrapes import INTERVAL_MS, START_MS

from vistio_core import Recording
from vistio_core.times import HOUR_MS

ADDITIONS = Path(__file__).parent / "golden_additions" / "version-1"


def test_supplements_still_say_what_they_said() -> None:
    recording = Recording.open(ADDITIONS, clock=lambda: START_MS + 2 * HOUR_MS)
    assert [checked for checked in recording.verify() if checked.problems] == []
    assert (recording.info().log_files, recording.info().head_files) == (3, 2)

    for instant_ms, open_rules in (
        (START_MS, ["saturation"]),
        (START_MS + INTERVAL_MS, ["ingress", "saturation"]),
        (START_MS + HOUR_MS + INTERVAL_MS, []),
    ):
        graph = recording.graph(instant_ms, staleness="1ms")
        [edge] = graph.region("mesh").edges
        assert (edge.rates.normal, edge.rates.danger, graph.backfilled) == (4.5, 0.5, True)
        assert [rule.rule for rule in graph.failed_rules] == open_rules
    assert [unanswered.instant_ms - START_MS for unanswered in recording.unanswered()] == [
        0,
        INTERVAL_MS,
        2 * INTERVAL_MS,
    ]
    assert recording.instants()["failed_rules"].to_pylist() == [1, 2, 3, 0, 0]


def test_annotations_still_say_what_they_said() -> None:
    recording = Recording.open(ADDITIONS, clock=lambda: START_MS + 2 * HOUR_MS)
    rows = recording.annotations().select(["kind", "text", "node", "tags"]).to_pylist()
    assert sorted(tuple(row.values()) for row in rows) == [
        ("deployment", "cart 1.4.2", "cart", '{"version":"1.4.2"}'),
        ("incident", "Prometheus is away", "", None),
    ]
