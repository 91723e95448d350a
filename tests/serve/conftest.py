"""A small real recording with everything in it that the server must be honest about.

``recorded`` has, from 05:00:00 UTC on, an instant each 10 s: six good ones, one that failed wholly
(05:01:00), one where a rule failed (05:01:10), then a gap of ten minutes, then two good ones
(05:11:20 and 05:11:30). The clock stands at 05:11:35.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from support.processes import RunningProcess, console_script
from support.scrapes import INTERVAL_MS, START_MS, all_failed, edges, mesh, scrape
from werkzeug.test import Client

import vistio_core as vistio
from vistio_core.times import MINUTE_MS, SECOND_MS, align, format_instant, system_now_ms
from vistio_serve import create_app

FAILED_MS = START_MS + 60 * SECOND_MS
PARTLY_MS = START_MS + 70 * SECOND_MS
AFTER_GAP_MS = START_MS + 11 * MINUTE_MS + 20 * SECOND_MS
NEWEST_MS = AFTER_GAP_MS + INTERVAL_MS


class Clock:
    """Epoch milliseconds that only a test moves."""

    def __init__(self, now_ms: int) -> None:
        self.now_ms = now_ms

    def __call__(self) -> int:
        return self.now_ms


@pytest.fixture
def clock() -> Clock:
    return Clock(NEWEST_MS + 5 * SECOND_MS)


def traffic(rate: float) -> list[vistio.Sample]:
    return [
        *edges({"INTERNET>mesh 200": 10 * rate, "INTERNET>mesh 503": rate}, "ingress", ""),
        *edges({"front>cart 200": rate, "front>cart 500": rate / 4, "cart>database 200": 2 * rate}),
    ]


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Written once and copied for each test: a commit waits for the disk."""
    place = tmp_path_factory.mktemp("serve") / "recording"
    with vistio.Recording.open(place, create=True).writer() as writer:
        writer.put_configuration(mesh())
        for step in range(6):
            writer.commit(scrape(START_MS + step * INTERVAL_MS, traffic(1.0 + step)))
        writer.commit(scrape(FAILED_MS, **all_failed()))
        writer.commit(scrape(PARTLY_MS, edges({"INTERNET>mesh 200": 70.0}, "ingress", ""), http="timeout"))
        writer.commit(scrape(AFTER_GAP_MS, traffic(20.0)))
        writer.commit(scrape(NEWEST_MS, traffic(21.0)))
    return place


@pytest.fixture
def recorded(template: Path, recording_dir: Path, clock: Clock) -> vistio.Recording:
    shutil.copytree(template, recording_dir)
    return vistio.Recording.open(recording_dir, clock=clock)


@pytest.fixture
def client(recorded: vistio.Recording, clock: Clock) -> Client:
    return Client(create_app(recorded, now_ms=clock))


def simulate(place: Path, *windows: tuple[str, str]) -> Path:
    """A recording of the demo's mesh, which has its incident in the hour until now, with a mark."""
    now_ms = align(system_now_ms(), MINUTE_MS)
    source = ("--source", "simulator", "--source-option", f"anchor={format_instant(now_ms)}")
    for start, end in windows:
        window = ("--recording", str(place), "--start", start, "--end", end)
        RunningProcess([console_script("vistio-record"), "backfill", *source, *window]).wait()
    mark = vistio.Annotation(now_ms - 35 * MINUTE_MS, "v2 is out", "deployment", tags={"version": "2"})
    vistio.Recording.open(place).annotate(mark)
    return place


@pytest.fixture(scope="session")
def simulated_hour(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An incident, a gap, a rule that was not answered, and a mark."""
    return simulate(tmp_path_factory.mktemp("simulated") / "recording", ("-1h", "now"))


@pytest.fixture(scope="session")
def simulated_minutes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Little of it, for who asks very often: some now, and some an hour ago, which is what comparisons ask for."""
    place = tmp_path_factory.mktemp("simulated") / "recording"
    return simulate(place, ("-65m", "-59m"), ("-20m", "-14m"), ("-3m", "now"))
