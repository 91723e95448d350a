"""The formulas of docs/sizing.md, held against a real recording: its bytes by edge and instant."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
from support.scrapes import INTERVAL_MS, START_MS, mesh, scrape

from vistio_core import Recording
from vistio_core.times import DAY_MS, HOUR_MS

PAGE = (Path(__file__).parents[2] / "docs" / "sizing.md").read_text(encoding="utf-8")
DISK = PAGE.split("## Disk")[1].split("\n## ")[0]
UNITS = {"MB": 1e6, "GB": 1e9}
EDGES = 200
STATUSES = {"200": 1.0, "404": 0.02, "503": 0.004}
SCRAPED_MS = 15_000


def constant(beginning: str) -> float:
    """The value in the row of a table that begins so."""
    (value,) = re.findall(rf"^\| {re.escape(beginning)}[^|]*\| ([\d.]+) \|", PAGE, re.MULTILINE)
    return float(value)


COMPUTED = constant("bytes a row, of rates that Prometheus computes")
WORST = constant("bytes a row, at worst")
EDGE_AND_HOUR = constant("bytes an edge and hour")


def disk_bytes(edges: int, rows: int, time_ms: int, of_a_row: float, interval_ms: int = 10_000) -> float:
    """The formula."""
    return time_ms / interval_ms * rows * of_a_row + edges * time_ms / HOUR_MS * EDGE_AND_HOUR


class Counters:
    """What `rate(...[1m])` makes of counters that move by whole requests and are scraped each 15 s."""

    def __init__(self) -> None:
        self._chosen = random.Random(1)
        self._grown: dict[tuple[str, int], int] = {}

    def rate(self, series: str, mean_rps: float, instant_ms: int) -> float:
        newest = instant_ms // SCRAPED_MS
        return sum(self._growth(series, each, mean_rps) for each in range(newest - 2, newest + 1)) / 45

    def _growth(self, series: str, each: int, mean_rps: float) -> int:
        mean = mean_rps * SCRAPED_MS / 1000
        found = max(0, round(self._chosen.gauss(mean, mean**0.5)))
        return self._grown.setdefault((series, each), found)


class Uniform:
    """Rates of which none is like another."""

    def __init__(self) -> None:
        self._chosen = random.Random(1)

    def rate(self, series: str, mean_rps: float, instant_ms: int) -> float:
        return mean_rps * self._chosen.uniform(0.7, 1.3)


def recorded_bytes(place: Path, rates: Counters | Uniform) -> int:
    """An hour of `EDGES`, committed, sealed and rolled up as a recorder does."""
    chosen = random.Random(2)
    means = {
        f"service-{edge % 20}>service-{edge % 67} {status}": level * share
        for edge, level in enumerate(chosen.lognormvariate(1, 2) for _ in range(EDGES))
        for status, share in STATUSES.items()
    }
    recording = Recording.open(place, create=True, clock=lambda: START_MS + 2 * HOUR_MS)
    with recording.writer() as writer:
        writer.put_configuration(mesh())
        for instant_ms in range(START_MS, START_MS + HOUR_MS, INTERVAL_MS):
            seen = {series: rates.rate(series, mean, instant_ms) for series, mean in means.items()}
            writer.commit(scrape(instant_ms, seen))
            writer.merge(instant_ms)
        writer.seal(START_MS + HOUR_MS)
    files = [path for folder in ("log", "rollups") for path in (place / folder).rglob("*") if path.is_file()]
    assert {path.suffix for path in files} >= {".parquet", ".subjects"}
    return sum(path.stat().st_size for path in files)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rates", "of_a_row"), [(Counters(), COMPUTED), (Uniform(), WORST)], ids=["computed", "worst"]
)
def test_an_hour_takes_what_the_formula_says_within_a_third(
    tmp_path: Path, rates: Counters | Uniform, of_a_row: float
) -> None:
    expected = disk_bytes(EDGES, EDGES * len(STATUSES), HOUR_MS, of_a_row)
    instants = HOUR_MS // INTERVAL_MS
    found = recorded_bytes(tmp_path, rates) / EDGES / instants
    assert found == pytest.approx(expected / EDGES / instants, rel=1 / 3)


def test_the_table_is_what_the_formula_says() -> None:
    rows = re.findall(r"^\| ([\d,]+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", DISK, re.MULTILINE)
    assert len(rows) >= 3
    for edges_text, *cells in rows:
        edges = int(edges_text.replace(",", ""))
        asked = [(days, of_a_row) for of_a_row in (COMPUTED, WORST) for days in (1, 7)]
        for cell, (days, of_a_row) in zip(cells, asked, strict=True):
            number, unit = cell.split()
            expected = disk_bytes(edges, 3 * edges, days * DAY_MS, of_a_row)
            assert float(number) * UNITS[unit] == pytest.approx(expected, rel=0.05), (edges, days, of_a_row)


def test_the_example_is_what_the_formula_says() -> None:
    a_day, a_week = re.search(r"= ([\d.]+) MB a day, ([\d.]+) GB a week", PAGE).groups()  # type: ignore[union-attr]
    rows = 600 * (3 * 2 + 4)
    assert float(a_day) * 1e6 == pytest.approx(disk_bytes(600, rows, DAY_MS, COMPUTED), rel=0.05)
    assert float(a_week) * 1e9 == pytest.approx(disk_bytes(600, rows, 7 * DAY_MS, COMPUTED), rel=0.05)
