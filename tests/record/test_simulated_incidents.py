"""What is said of the demo's five incidents, recorded as a user would: the cause first, with honest times."""

from __future__ import annotations

import re
from pathlib import Path

import attrs
import pytest
from click.testing import CliRunner

from vistio_core import Edge, Incident, Recording
from vistio_core.times import MINUTE_MS, format_instant, parse_instant
from vistio_record.cli import main
from vistio_record.sources.simulated_incidents import INCIDENTS

pytestmark = pytest.mark.slow

ANCHOR = "2026-11-23T15:00:00Z"
ANCHOR_MS = parse_instant(ANCHOR, now_ms=0)
BEGINS_MS, ENDS_MS = ANCHOR_MS - 35 * MINUTE_MS, ANCHOR_MS - 21 * MINUTE_MS


@attrs.frozen
class Told:
    """What must be said of an incident."""

    cause: str
    hit: tuple[str, ...]
    """The others; who is first of two in the same minute is chance."""
    how_bad: str
    """Where the sentence ends."""
    measures: frozenset[str]
    warned_ms: int = 0
    """How long before the first failure it could be seen."""


SLOW = ", and it took [34].. times as long"
TOLD = {
    "database": Told(
        "mongodb",
        ("ratings", "reviews-v2", "reviews-v3", "productpage", "gateway"),
        rf"at worst 1[123] % of what enters eu-west failed{SLOW}",
        frozenset({"saturation", "own_time_ms", "own_failure_share"}),
        3 * MINUTE_MS,
    ),
    "version": Told(
        "reviews-v3",
        ("productpage", "gateway"),
        "at worst [34] % of what enters eu-west failed",
        frozenset({"own_failure_share"}),
    ),
    "zone": Told(
        "auth",
        ("gateway",),
        f"at worst [678] % of what enters eu-west failed{SLOW.replace('[34]', '[23]')}",
        frozenset({"lost_share", "network_ms"}),
    ),
    "retries": Told(
        "catalogue",
        ("search", "recommendations", "gateway", "productpage"),
        "at worst [56] % of what enters eu-west failed",
        frozenset({"own_failure_share"}),
    ),
    "slow": Told(
        "recommendations",
        ("productpage", "gateway"),
        f"less than 1 % of what enters eu-west failed{SLOW}",
        frozenset({"own_time_ms"}),
    ),
}


@pytest.fixture(scope="module", params=INCIDENTS)
def incident(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """Its name, and the recording of its hour."""
    place = tmp_path_factory.mktemp(request.param) / "recording"
    simulate(place, request.param, ANCHOR_MS)
    return request.param, place


def simulate(place: Path, name: str, anchor_ms: int) -> None:
    """Record the hour before an anchor."""
    anchor = format_instant(anchor_ms)
    source = ("--source", "simulator", "--source-option", f"anchor={anchor}")
    window = ("--start", format_instant(anchor_ms - 60 * MINUTE_MS), "--end", anchor)
    asked = ("--source-option", f"incident={name}", "--recording", str(place))
    made = CliRunner().invoke(main, ["backfill", *source, *asked, *window], catch_exceptions=False)
    assert made.exit_code == 0, made.output


def hour(place: Path) -> Recording:
    return Recording.open(place, clock=lambda: ANCHOR_MS)


@pytest.fixture(scope="module")
def whole(incident: tuple[str, Path]) -> Incident:
    """The only one of the hour."""
    (found,) = hour(incident[1]).incidents(ANCHOR_MS - 60 * MINUTE_MS, ANCHOR_MS)
    return found


def test_an_incident_names_the_cause_first_and_when(incident: tuple[str, Path], whole: Incident) -> None:
    told, found = TOLD[incident[0]], whole
    assert (found.first.cluster, found.first.node) == ("eu-west", told.cause)
    assert found.hit[0] == found.first
    assert sorted((whom.cluster, whom.node) for whom in found.hit[1:]) == sorted(
        ("eu-west", node) for node in told.hit
    )
    assert re.fullmatch(
        rf"{told.cause} \(eu-west\) left its normal first, then .*; {told.how_bad}", found.summary
    )
    assert abs(found.start_ms - (BEGINS_MS - told.warned_ms)) <= MINUTE_MS
    assert found.end_ms is not None
    assert abs(found.end_ms - ENDS_MS) <= MINUTE_MS


@pytest.mark.parametrize(("before", "after"), [(2, 6), (7, 7), (12, 12), (20, 6)])
def test_a_part_of_the_hour_tells_the_same(
    incident: tuple[str, Path], whole: Incident, before: int, after: int
) -> None:
    """Promise: who zooms to an incident is told what it was, though less than an hour was recorded before it."""
    assert whole.end_ms is not None
    window = whole.start_ms - before * MINUTE_MS, whole.end_ms + after * MINUTE_MS
    (part,) = hour(incident[1]).incidents(*window)
    assert part.first == whole.first
    assert set(part.hit) == set(whole.hit)
    assert abs(part.start_ms - whole.start_ms) <= MINUTE_MS
    assert part.end_ms is not None
    assert abs(part.end_ms - whole.end_ms) <= MINUTE_MS


@pytest.mark.parametrize("anchor", ["2026-11-02T03:17:00Z", "2026-11-27T22:58:00Z"])
def test_pools_that_come_and_go_by_themselves_are_not_told_of(tmp_path: Path, anchor: str) -> None:
    """Without it: these hours began with a database whose pool was a tenth emptier than in most of them."""
    anchor_ms = parse_instant(anchor, now_ms=0)
    simulate(tmp_path / "recording", "database", anchor_ms)
    recording = Recording.open(tmp_path / "recording", clock=lambda: anchor_ms)
    (whole,) = recording.incidents(anchor_ms - 60 * MINUTE_MS, anchor_ms)
    assert whole.end_ms is not None
    (part,) = recording.incidents(whole.start_ms - 8 * MINUTE_MS, whole.end_ms + 8 * MINUTE_MS)
    assert (whole.first.node, part.first.node) == ("mongodb", "mongodb")


@pytest.mark.parametrize("late_ms", [0, MINUTE_MS])
def test_the_cause_is_the_first_suspect_by_what_is_wrong_with_it(
    incident: tuple[str, Path], late_ms: int
) -> None:
    name, place = incident
    told = TOLD[name]
    found = hour(place).suspects(BEGINS_MS + late_ms, ENDS_MS)
    first = found.table.to_pylist()[0]
    assert (first["cluster"], first["node"], first["target"]) == ("eu-west", told.cause, None)
    assert first["measure"] in told.measures
    onset_ms = round(first["onset"].timestamp() * 1000)
    assert -MINUTE_MS - told.warned_ms <= onset_ms - BEGINS_MS <= 2 * MINUTE_MS


def test_it_is_in_the_graph_as_what_it_is(incident: tuple[str, Path]) -> None:
    """At its height: what fails, what is lost, what is slow, and what is called too often."""
    name, place = incident
    edge = {
        "database": ("ratings", "mongodb"),
        "version": ("productpage", "reviews-v3"),
        "zone": ("gateway", "auth"),
        "retries": ("search", "catalogue"),
        "slow": ("productpage", "recommendations"),
    }[name]
    usual, height = (edge_at(place, edge, minutes) for minutes in (45, 28))
    assert usual.rates.danger < 0.01 * usual.rates.total
    assert "lost_rps" not in usual.measurements
    assert (height.rates.danger > 0.25 * height.rates.total) is (name != "slow")
    assert (height.measurements.get("lost_rps", 0.0) > 0.25 * height.rates.total) is (name == "zone")
    slower = height.measurements["latency_mean_ms"] > 2 * usual.measurements["latency_mean_ms"]
    assert slower is (name in ("database", "retries", "slow"))
    assert (height.rates.total > 2 * usual.rates.total) is (name in ("database", "retries"))


def edge_at(place: Path, edge: tuple[str, str], minutes: int) -> Edge:
    """An edge of eu-west as it was some minutes before the anchor."""
    (region,) = [
        each for each in hour(place).graph(ANCHOR_MS - minutes * MINUTE_MS).regions if each.name == "eu-west"
    ]
    (found,) = [each for each in region.edges if (each.source, each.target) == edge]
    return found
