"""Names that were found are known for a minute; `tests/replay/test_not_seen.py` has which names are found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import pytest
from support.recordings import recorded
from support.scrapes import START_MS, mesh, scrape

from vistio_core import Recording
from vistio_core.errors import UnknownNameError
from vistio_core.judging.subject import Subject
from vistio_core.replay.duckdb_session import DuckDBSession
from vistio_core.replay.rollups.hours import Rollups
from vistio_core.replay.rollups.known_names import KnownNames
from vistio_core.replay.scans import Scans
from vistio_core.storage.catalog import END_MS
from vistio_core.storage.configurations import load_configuration
from vistio_core.storage.event_file import EventFiles
from vistio_core.storage.local_store import LocalStore
from vistio_core.storage.log import Log
from vistio_core.times import HOUR_MS, MINUTE_MS

WINDOW = START_MS, START_MS + MINUTE_MS


@attrs.define
class Clock:
    now_s: float = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    return recorded(tmp_path / "r", [scrape(START_MS, {"cart>db 200": 5.0})])


@pytest.fixture
def whole_listings(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Each time that the whole log is listed, from now on."""
    listings: list[tuple[int, int]] = []
    read = Log.read

    def counted(self: Log, start_ms: int, end_ms: int, question: Any) -> Any:
        if (start_ms, end_ms) == (0, END_MS):
            listings.append((start_ms, end_ms))
        return read(self, start_ms, end_ms, question)

    monkeypatch.setattr(Log, "read", counted)
    return listings


def test_who_asks_about_a_node_again_and_again_has_the_log_listed_once(
    recording: Recording, whole_listings: list[tuple[int, int]]
) -> None:
    for _ in range(3):
        recording.gaps(*WINDOW, node="db")
    assert len(whole_listings) == 1
    recording.gaps(*WINDOW, node="cart")
    assert len(whole_listings) == 2, "another one is looked for"
    recording.gaps(*WINDOW)
    assert len(whole_listings) == 2, "everything has no name"


def test_a_name_that_was_not_found_is_looked_for_each_time(recording: Recording) -> None:
    with pytest.raises(UnknownNameError):
        recording.gaps(*WINDOW, node="web")
    with recording.writer("a") as writer:
        writer.put_configuration(mesh())
        writer.commit(scrape(START_MS + 10_000, {"web>cart 200": 1.0}))
    assert recording.gaps(*WINDOW, node="web").column_names[0] == "start"


@pytest.mark.parametrize(("later_s", "known"), [(59.0, True), (60.0, False), (61.0, False)])
def test_a_name_that_retention_took_is_known_for_a_minute(
    recording: Recording, later_s: float, known: bool
) -> None:
    clock = Clock()
    store = LocalStore(Path(recording.place))
    log = Log(store, EventFiles(store))
    scans = Scans(log, DuckDBSession(store.uri("")))
    names = KnownNames(store, log, scans, Rollups(store), lambda it: load_configuration(store, it), clock)
    cart = Subject(node="cart")
    names.require(cart)
    with recording.writer("a") as writer:
        writer.put_configuration(mesh())
        writer.commit(scrape(START_MS + 5 * HOUR_MS, {"a>b 200": 1.0}))
        writer.seal(START_MS + 9 * HOUR_MS)
        writer.prune(START_MS + 4 * HOUR_MS)
    clock.now_s += later_s
    if known:
        names.require(cart)
    else:
        with pytest.raises(UnknownNameError):
            names.require(cart)
