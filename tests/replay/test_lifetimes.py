"""When things were first and last there: only what was seen is told, and a month is what plain Python says of it."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import attrs
import pytest
from click.testing import CliRunner
from support.recordings import recorded
from support.scrapes import INTERVAL_MS, START_MS, all_failed, edges, mesh, scrape
from werkzeug.test import Client

from vistio_core import Recording
from vistio_core.replay.rollups import spans
from vistio_core.storage.listing import Listing
from vistio_core.times import DAY_MS, HOUR_MS, MINUTE_MS, format_instant
from vistio_record.cli import main
from vistio_serve import create_app

T = [START_MS + index * INTERVAL_MS for index in range(10)]
STEP_MS = 3 * HOUR_MS
Times = tuple[int | None, ...]
NAMES = ("first_seen", "last_seen", "absent_before", "absent_after", "watched_from", "watched_to")


def times(recording: Recording, start_ms: int, end_ms: int) -> dict[str, Times]:
    """Of each node and edge, as ``cluster/node>target``."""
    return {
        _name(row): tuple(_ms(row[name]) for name in NAMES)
        for row in recording.seen(start_ms, end_ms).table.to_pylist()
    }


def _name(row: dict[str, Any]) -> str:
    return f"{row['cluster']}/{row['node']}" + (f">{row['target']}" if row["target"] is not None else "")


def _ms(instant: Any) -> int | None:
    return None if instant is None else round(instant.timestamp() * 1000)


def in_short(table: Any) -> list[str]:
    return [_name(row) for row in table.to_pylist()]


def test_new_and_vanished_are_what_came_and_what_went(tmp_path: Path) -> None:
    recording = recorded(
        tmp_path / "r",
        [
            scrape(T[0], {"a>b 200": 1.0, "a>old 200": 1.0}),
            scrape(T[1], {"a>b 200": 1.0}),
            scrape(T[2], {"a>b 200": 1.0, "b>new 200": 0.0}),
        ],
    )
    found = recording.seen(T[0], T[3])
    assert in_short(found.table) == [
        *("mesh/a", "mesh/a>b", "mesh/a>old", "mesh/b", "mesh/b>new", "mesh/new", "mesh/old")
    ]
    assert in_short(found.new()) == ["mesh/b>new", "mesh/new"]
    assert in_short(found.vanished()) == ["mesh/a>old", "mesh/old"]
    assert times(recording, T[0], T[3])["mesh/b>new"] == (T[2], T[2], T[1], None, T[0], T[2])
    assert times(recording, T[0], T[3])["mesh/a>old"] == (T[0], T[0], None, T[1], T[0], T[2])
    assert times(recording, T[0], T[3])["mesh/a"] == (T[0], T[2], None, None, T[0], T[2])


@pytest.mark.parametrize(("quiet", "new"), [("0s", 2), ("20s", 2), ("20001ms", 0)])
def test_what_is_called_seldom_is_not_new_when_one_asks_for_a_quiet_time(
    tmp_path: Path, quiet: str, new: int
) -> None:
    recording = recorded(
        tmp_path / "r", [scrape(T[0]), scrape(T[1]), scrape(T[2], {"a>b 200": 1.0}), scrape(T[4])]
    )
    found = recording.seen(T[0], T[5])
    assert sum(row["target"] is None for row in found.new(quiet).to_pylist()) == new
    assert sum(row["target"] is None for row in found.vanished(quiet).to_pylist()) == new


@pytest.mark.parametrize("how", ["rule failed", "gap", "nothing answered"])
def test_what_came_when_nobody_looked_before_is_not_called_new_nor_vanished(tmp_path: Path, how: str) -> None:
    unseen = {
        "rule failed": lambda ms: [scrape(ms, http="failed")],
        "nothing answered": lambda ms: [scrape(ms, **all_failed())],
        "gap": lambda ms: [],
    }[how]
    recording = recorded(tmp_path / "r", [*unseen(T[0]), scrape(T[1], {"a>b 200": 1.0}), *unseen(T[2])])
    found = recording.seen(T[0], T[3])
    assert (in_short(found.new()), in_short(found.vanished())) == ([], [])
    assert times(recording, T[0], T[3])["mesh/a>b"] == (T[1], T[1], None, None, T[1], T[1])
    before = found.unseen["reason"].to_pylist()[0]
    assert (before == "before the recording begins") == (how == "gap"), (
        "before the first instant nothing was due"
    )
    assert found.unseen.num_rows == 2


def test_it_is_said_between_which_two_instants_something_came(tmp_path: Path) -> None:
    recording = recorded(
        tmp_path / "r", [scrape(T[0]), scrape(T[1], http="timeout"), scrape(T[5], {"a>b 200": 1.0})]
    )
    assert times(recording, T[0], T[6])["mesh/a>b"] == (T[5], T[5], T[0], None, T[0], T[5])


def test_a_rule_of_other_edges_that_fails_hides_nothing(tmp_path: Path) -> None:
    recording = recorded(tmp_path / "r", [scrape(T[0], ingress="failed"), scrape(T[1], {"a>b 200": 1.0})])
    assert times(recording, T[0], T[2])["mesh/a>b"][2] == T[0]


def test_each_writer_that_watches_must_have_been_answered_and_one_that_came_later_need_not(
    tmp_path: Path,
) -> None:
    silent = [scrape(T[0], http="failed"), scrape(T[3])]
    telling = [scrape(T[0]), scrape(T[1], {"a>b 200": 1.0}), scrape(T[2])]
    found = times(recorded(tmp_path / "both", telling, silent), T[0], T[4])["mesh/a>b"]
    assert found[2:4] == (None, T[3]), "b was not answered before; both were afterwards"
    later = times(recorded(tmp_path / "later", telling, [scrape(T[3])]), T[0], T[4])["mesh/a>b"]
    assert later[2:4] == (T[0], T[3])
    gone = times(recorded(tmp_path / "gone", telling, [scrape(T[0])]), T[0], T[4])["mesh/a>b"]
    assert gone[2:4] == (T[0], None), "b may have seen it since"


def test_a_writer_that_was_silent_for_the_whole_window_hides_what_came(tmp_path: Path) -> None:
    telling = [scrape(T[8]), scrape(T[9], {"a>b 200": 1.0})]
    for ago_ms, before in ((DAY_MS + INTERVAL_MS, T[8]), (HOUR_MS, None)):
        recording = recorded(tmp_path / str(ago_ms), telling, [scrape(T[8] - ago_ms)])
        assert times(recording, T[8], T[9] + 1)["mesh/a>b"][2] == before


@pytest.mark.parametrize(("later_ms", "missed"), [(DAY_MS, True), (DAY_MS + 1_000, False)])
def test_a_writer_that_stopped_is_missed_for_a_day(tmp_path: Path, later_ms: int, missed: bool) -> None:
    begins_ms = T[0] + later_ms
    telling = [scrape(begins_ms), scrape(begins_ms + 1_000, {"a>b 200": 1.0}), scrape(begins_ms + 2_000)]
    recording = recorded(tmp_path / "r", telling, [scrape(T[0], http="failed")])
    before, after = times(recording, T[0], begins_ms + 3_000)["mesh/a>b"][2:4]
    assert before == (None if missed else begins_ms)
    assert after == begins_ms + 2_000, "at last it was silent for longer in both cases"
    near = recorded(tmp_path / "near", telling, [scrape(begins_ms + 1_000 - DAY_MS, http="failed")])
    assert times(near, begins_ms - DAY_MS, begins_ms + 3_000)["mesh/a>b"][3] is None


# -- a history of several days, sealed but for its end, against plain Python


@attrs.frozen
class Told:
    """What one writer saw at an instant."""

    instant_ms: int
    writer: str
    http: bool
    """Whether the rule about the inside of the mesh was answered."""
    pairs: frozenset[str]


def model(history: Sequence[Told], start_ms: int, end_ms: int) -> dict[str, Times]:
    """What `Recording.seen` says, one thing after the other."""
    inside = [told for told in history if start_ms <= told.instant_ms < end_ms]
    here = {told.writer for told in inside}
    ago = [told for told in history if start_ms - DAY_MS <= told.instant_ms < start_ms]
    newest = {told.writer: told for told in ago if told.writer not in here}
    found: dict[str, Times] = {}
    things = {thing for told in inside for pair in told.pairs for thing in (pair, *pair.split(">"))}
    for thing in things:
        there = [
            told.instant_ms
            for told in inside
            if any(thing in (pair, *pair.split(">")) for pair in told.pairs)
        ]
        first, last = min(there), max(there)
        could = {writer: [told.instant_ms] for writer, told in newest.items()}
        whole: dict[str, list[int]] = {}
        for told in inside:
            could.setdefault(told.writer, []).append(told.instant_ms)
            if told.http:
                whole.setdefault(told.writer, []).append(told.instant_ms)
        before = {
            writer: max((ms for ms in own if ms < first), default=None) for writer, own in could.items()
        }
        reach = max((ms for ms in before.values() if ms is not None), default=0)
        watched = [writer for writer, ms in before.items() if ms is not None and reach - ms <= DAY_MS]
        lasts = [max((ms for ms in whole.get(each, ()) if ms < first), default=None) for each in watched]
        afters = [
            min((ms for ms in whole.get(writer, ()) if ms > last), default=None)
            for writer, own in could.items()
            if max(own) > last or last - max(ms for ms in own if ms <= last) <= DAY_MS
        ]
        every = sorted(ms for own in whole.values() for ms in own)
        found[f"mesh/{thing}"] = (
            *(first, last),
            None if None in lasts or not lasts else min(lasts),
            None if None in afters or not afters else max(afters),
            *(every[0], every[-1]),
        )
    return found


def write(place: Path, history: Iterable[Told], sealed_before_ms: int) -> Recording:
    now_ms = START_MS + 10 * DAY_MS
    recording = Recording.open(place, create=True, clock=lambda: now_ms)
    for name in ("main", "second"):
        with recording.writer(name) as writer:
            writer.put_configuration(mesh())
            for told in history:
                if told.writer == name:
                    rates = dict.fromkeys((f"{pair} 200" for pair in sorted(told.pairs)), 1.0)
                    http = "ok" if told.http else "failed"
                    writer.commit(scrape(told.instant_ms, edges(rates) if told.http else (), http=http))
            writer.seal(sealed_before_ms)
    return recording


def random_history(seed: int, hours: int) -> list[Told]:
    """Two instants in each third hour: some edges come and go, and a rule is not always answered."""
    chance = random.Random(seed)
    names = "abcd"
    lives = {f"{a}>{b}": sorted(chance.sample(range(hours + 1), 2)) for a in names for b in names}
    history = []
    for writer, begins, ends in (("main", 0, hours), ("second", hours // 3, 2 * hours // 3)):
        for hour in range(begins, ends):
            for minutes in (0, chance.choice((20, 59))):
                if chance.random() < 0.1:
                    continue
                http = chance.random() < 0.7
                pairs = {pair for pair, life in lives.items() if life[0] <= hour < life[1]}
                kept = frozenset(pair for pair in pairs if http and chance.random() < 0.8)
                instant_ms = START_MS + hour * STEP_MS + minutes * MINUTE_MS
                history.append(Told(instant_ms, writer, http, kept))
    return history


@pytest.mark.parametrize("seed", range(2))
def test_days_of_sealed_hours_and_a_head_are_what_plain_python_says(tmp_path: Path, seed: int) -> None:
    steps = 20
    history = random_history(seed, steps)
    end_ms = START_MS + steps * STEP_MS
    recording = write(tmp_path / "r", history, end_ms - 3 * STEP_MS)
    for first_ms, last_ms in (
        (START_MS, end_ms),
        (START_MS + STEP_MS, end_ms - 5 * STEP_MS),
        (START_MS + 2 * STEP_MS + 20 * MINUTE_MS, end_ms - 7 * STEP_MS + 20 * MINUTE_MS + 1),
        (end_ms - 4 * STEP_MS + 1, end_ms),
    ):
        assert times(recording, first_ms, last_ms) == model(history, first_ms, last_ms)
    for path in Path(recording.place).glob("rollups/*/*/*"):
        path.unlink()
    assert times(recording, START_MS, end_ms) == model(history, START_MS, end_ms), "a rollup is never needed"


def test_of_whole_sealed_hours_the_log_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    history = random_history(7, 4)
    recording = write(tmp_path / "r", history, START_MS + 7 * HOUR_MS)
    read: list[tuple[int, int]] = []
    of_log = spans._of_log

    def counted(listing: Listing, configuration: Any) -> Any:
        read.append((listing.start_ms - START_MS, listing.end_ms - START_MS))
        return of_log(listing, configuration)

    monkeypatch.setattr(spans, "_of_log", counted)
    recording.seen(START_MS, START_MS + 7 * HOUR_MS)
    assert read == []
    recording.seen(START_MS + MINUTE_MS, START_MS + 10 * HOUR_MS)
    assert read == [(MINUTE_MS, HOUR_MS), (9 * HOUR_MS, 10 * HOUR_MS)]


def test_a_torn_rollup_is_not_believed(tmp_path: Path) -> None:
    history = random_history(3, 4)
    recording = write(tmp_path / "r", history, START_MS + DAY_MS)
    window = START_MS, START_MS + DAY_MS
    whole = times(recording, *window)
    for path in Path(recording.place).glob("rollups/*/*/*.arrow"):
        path.write_bytes(path.read_bytes()[:-5])
    assert times(recording, *window) == whole


def test_what_a_damaged_file_had_is_not_absent_although_a_rollup_says_that_it_was_answered(
    tmp_path: Path,
) -> None:
    later_ms = START_MS + HOUR_MS
    recording = recorded(tmp_path / "r", [scrape(T[0], {"a>b 200": 1.0}), scrape(later_ms, {"a>c 200": 1.0})])
    with recording.writer("a") as writer:
        writer.seal(later_ms + HOUR_MS)
    cut = START_MS, later_ms + MINUTE_MS
    assert times(recording, *cut)["mesh/a>b"][3] == later_ms
    [damaged] = Path(recording.place).glob("log/*/hour=06/*.parquet")
    damaged.write_bytes(damaged.read_bytes()[:100])
    assert times(Recording.open(recording.place), *cut)["mesh/a>b"][3] is None


def test_over_http_and_in_the_terminal_it_is_the_same(tmp_path: Path) -> None:
    scrapes = [scrape(T[0], {"a>b 200": 1.0}), scrape(T[1], {"a>b 200": 1.0, "a>c 200": 2.0}), scrape(T[2])]
    recording = recorded(tmp_path / "r", scrapes)
    client = Client(create_app(recording, now_ms=lambda: T[3]))
    found = recording.seen(T[0], T[3])
    window = {"start": format_instant(T[0]), "end": format_instant(T[3])}
    assert client.get("/seen", query_string=window).get_json() == found.document(found.table, 100)
    new = client.get("/seen", query_string={**window, "only": "new", "limit": "1"}).get_json()
    assert new == found.document(found.new(), 1)
    assert ([row["target"] for row in new["edges"]], new["all_edges"]) == (["c"], 1)
    assert (
        client.get("/seen", query_string={**window, "only": "new", "quiet": "1h"}).get_json()["edges"] == []
    )
    for wrong, parameter in (
        ({"only": "old"}, "only"),
        ({"quiet": "x"}, "quiet"),
        ({"quiet": "1h"}, "quiet"),
    ):
        refused = client.get("/seen", query_string={**window, **wrong})
        assert (refused.status_code, refused.get_json()["parameter"]) == (400, parameter)

    command = ["seen", "--recording", recording.place, "--start", window["start"], "--end", window["end"]]
    told = CliRunner().invoke(main, [*command, "--only", "vanished"])
    assert told.stdout.splitlines() == [
        "2026-11-23T05:00:00Z to 2026-11-23T05:00:30Z (UTC), vanished: 3 nodes, 2 edges",
        "",
        "node   cluster   first seen             last seen              not there before       not there after",
        "a      mesh      2026-11-23T05:00:00Z   2026-11-23T05:00:10Z   not seen               2026-11-23T05:00:20Z",
        "b      mesh      2026-11-23T05:00:00Z   2026-11-23T05:00:10Z   not seen               2026-11-23T05:00:20Z",
        "c      mesh      2026-11-23T05:00:10Z   2026-11-23T05:00:10Z   2026-11-23T05:00:00Z   2026-11-23T05:00:20Z",
        "",
        "edge    cluster   first seen             last seen              not there before       not there after",
        "a > b   mesh      2026-11-23T05:00:00Z   2026-11-23T05:00:10Z   not seen               2026-11-23T05:00:20Z",
        "a > c   mesh      2026-11-23T05:00:10Z   2026-11-23T05:00:10Z   2026-11-23T05:00:00Z   2026-11-23T05:00:20Z",
    ]
    as_json = CliRunner().invoke(main, [*command, "--only", "new", "--limit", "1", "--json"])
    assert json.loads(as_json.stdout) == new
    assert "nothing" in CliRunner().invoke(main, [*command, "--only", "new", "--quiet", "1h"]).stdout
