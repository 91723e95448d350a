"""How errors and latency moved, on constructed incidents with known onsets: web > cart > db, and web > search."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import attrs
import pytest
from click.testing import CliRunner
from support.calls import CALLS, Call, calls
from support.recordings import recorded
from support.scrapes import START_MS
from werkzeug.test import Client

from vistio_core import Recording
from vistio_core.events import Scrape
from vistio_core.times import HOUR_MS, MINUTE_MS, format_instant
from vistio_record.cli import main
from vistio_serve import create_app

NOTICED_MS = START_MS + 20 * MINUTE_MS
END_MS = NOTICED_MS + 10 * MINUTE_MS
WELL: Mapping[str, Call] = {
    "INTERNET>web": (100.0, 0.0, 50.0),
    "web>cart": (50.0, 0.0, 20.0),
    "web>search": (50.0, 0.0, 10.0),
    "cart>db": (100.0, 0.0, 4.0),
}
Minutes = Mapping[str, tuple[int, Call]]
"""Of an edge: from which minute on after trouble was noticed it is how."""


def history(trouble: Minutes, failed: Callable[[int], str] = lambda minute: "") -> list[Scrape]:
    """Twenty minutes that are well, then ten of trouble; an instant each."""
    scrapes = []
    for minute in range(-20, 10):
        now = {edge: call for edge, (since, call) in trouble.items() if minute >= since}
        each = calls(NOTICED_MS + minute * MINUTE_MS, {**WELL, **now}, failed=failed(minute))
        scrapes.append(attrs.evolve(each, interval_ms=MINUTE_MS))
    return scrapes


def asked(place: Path, scrapes: list[Scrape]) -> Recording:
    return recorded(place / "r", scrapes, configurations=[CALLS])


def steps(recording: Recording, **more: Any) -> list[tuple[Any, ...]]:
    """Who, whom each follows, how many minutes later, and by what."""
    rows = recording.path(NOTICED_MS, END_MS, **more).table.to_pylist()
    assert [row["order"] for row in rows] == list(range(1, len(rows) + 1))
    later = [None if row["later_ms"] is None else row["later_ms"] / MINUTE_MS for row in rows]
    return [
        (row["node"], row["follows"], after, row["measure"]) for row, after in zip(rows, later, strict=True)
    ]


SLOW_DB: Minutes = {
    "cart>db": (0, (100.0, 0.0, 60.0)),
    "web>cart": (2, (50.0, 0.0, 140.0)),
    "INTERNET>web": (5, (100.0, 0.2, 50.0)),
}
"""The database slow, its caller two minutes later, and three after that what enters fails by timeouts."""


def test_each_follows_the_one_that_it_calls_and_left_normal_before_it(tmp_path: Path) -> None:
    recording = asked(tmp_path, history(SLOW_DB))
    assert steps(recording) == [
        ("db", None, None, "latency_ms"),
        ("cart", "db", 2.0, "latency_ms"),
        ("web", "cart", 3.0, "error_share"),
    ]
    found = recording.path(NOTICED_MS, END_MS)
    assert found.summary == (
        "db left its normal at 2026-11-23T05:20:00Z; cart followed db, 2m later; web followed cart, 3m later"
    )
    first = found.table.to_pylist()[0]
    assert (first["before"], first["now"]) == (pytest.approx(4.0), pytest.approx(60.0))
    assert found.baseline_ms == (NOTICED_MS - HOUR_MS, NOTICED_MS)


def test_at_the_same_time_the_called_one_is_first(tmp_path: Path) -> None:
    at_once: Minutes = {edge: (0, call) for edge, (_, call) in SLOW_DB.items()}
    assert steps(asked(tmp_path, history(at_once))) == [
        ("db", None, None, "latency_ms"),
        ("cart", "db", 0.0, "latency_ms"),
        ("web", "cart", 0.0, "error_share"),
    ]


def test_a_caller_that_left_normal_long_before_follows_nobody(tmp_path: Path) -> None:
    other: Minutes = {"web>cart": (0, (50.0, 0.5, 20.0)), "cart>db": (4, (100.0, 0.0, 60.0))}
    assert steps(asked(tmp_path, history(other))) == [
        ("cart", None, None, "error_share"),
        ("db", None, None, "latency_ms"),
    ]


def test_of_two_it_follows_the_one_through_whose_calls_most_harm_comes(tmp_path: Path) -> None:
    two: Minutes = {
        "web>cart": (0, (50.0, 0.1, 20.0)),
        "web>search": (0, (50.0, 0.4, 10.0)),
        "INTERNET>web": (1, (100.0, 0.25, 50.0)),
    }
    assert steps(asked(tmp_path, history(two)))[-1][:3] == ("web", "search", 1.0)


def test_calls_in_a_circle_begin_with_who_was_first(tmp_path: Path) -> None:
    circle = {"a>b": (10.0, 0.0, 5.0), "b>c": (10.0, 0.0, 5.0), "c>a": (10.0, 0.0, 5.0)}
    scrapes = []
    for minute in range(-20, 10):
        # a fails from the first minute on, b (which calls c) from the third, c (which calls a) from the second.
        failing = {"c>a": minute >= 0, "b>c": minute >= 1, "a>b": minute >= 2}
        told = {edge: (10.0, 0.3 * failing[edge], 5.0) for edge in circle}
        each = calls(NOTICED_MS + minute * MINUTE_MS, told)
        scrapes.append(attrs.evolve(each, interval_ms=MINUTE_MS))
    assert [step[:3] for step in steps(asked(tmp_path, scrapes))] == [
        ("a", None, None),
        ("c", "a", 1.0),
        ("b", "c", 1.0),
    ]
    all_at_once = []
    for minute in range(-20, 10):
        told = dict.fromkeys(circle, (10.0, 0.3 * (minute >= 0), 5.0))
        each = calls(NOTICED_MS + minute * MINUTE_MS, told)
        all_at_once.append(attrs.evolve(each, interval_ms=MINUTE_MS))
    found = steps(asked(tmp_path / "at once", all_at_once))
    assert (len(found), [step[1] for step in found].count(None)) == (3, 1)


def test_what_was_not_seen_changes_no_order_and_is_told(tmp_path: Path) -> None:
    scrapes = history(SLOW_DB, lambda minute: "http" if minute in (-9, 7) else "")
    without = [each for each in scrapes if each.instant_ms != NOTICED_MS + 8 * MINUTE_MS]
    recording = asked(tmp_path, without)
    assert steps(recording) == [
        ("db", None, None, "latency_ms"),
        ("cart", "db", 2.0, "latency_ms"),
        ("web", "cart", 3.0, "error_share"),
    ]
    reasons = [
        each["reason"].partition(":")[0] for each in recording.path(NOTICED_MS, END_MS).unseen.to_pylist()
    ]
    assert reasons == ["before the recording begins", "not seen", "not seen", "not running"]


def test_where_a_latency_was_not_seen_nobody_is_slow(tmp_path: Path) -> None:
    recording = asked(tmp_path, history(SLOW_DB, lambda minute: "mean" if minute >= 0 else ""))
    assert steps(recording) == [("web", None, None, "error_share")]


def test_where_nothing_left_normal_there_is_no_path_and_normal_can_be_given(tmp_path: Path) -> None:
    well = asked(tmp_path / "well", history({}))
    assert steps(well) == []
    assert well.path(NOTICED_MS, END_MS).summary == "no errors and no latency left their normal"
    recording = asked(tmp_path / "slow", history(SLOW_DB))
    slow = (NOTICED_MS + 6 * MINUTE_MS, END_MS)
    assert recording.path(*slow, baseline=(NOTICED_MS + 5 * MINUTE_MS, END_MS)).table.num_rows == 0


@pytest.mark.parametrize(
    ("minutes", "nodes"), [(0, []), (1, []), (2, ["db"]), (3, ["db"]), (4, ["db", "cart"])]
)
def test_what_lasted_less_than_two_minutes_when_the_window_ends_is_none_of_it(
    tmp_path: Path, minutes: int, nodes: list[str]
) -> None:
    recording = asked(tmp_path, history(SLOW_DB))
    found = recording.path(NOTICED_MS, NOTICED_MS + max(minutes * MINUTE_MS, 1))
    assert found.table["node"].to_pylist() == nodes


def test_one_wild_minute_moves_nothing(tmp_path: Path) -> None:
    scrapes = history({})
    wild = calls(scrapes[25].instant_ms, {**WELL, "cart>db": (100.0, 0.5, 900.0)})
    scrapes[25] = attrs.evolve(wild, interval_ms=MINUTE_MS)
    assert steps(asked(tmp_path, scrapes)) == []


def test_over_http_and_in_the_terminal_it_is_the_same(tmp_path: Path) -> None:
    recording = asked(tmp_path, history(SLOW_DB))
    client = Client(create_app(recording, now_ms=lambda: END_MS))
    window = {"start": format_instant(NOTICED_MS), "end": format_instant(END_MS)}
    document = recording.path(NOTICED_MS, END_MS).document()
    assert client.get("/path", query_string=window).get_json() == document
    ago = {**window, "baseline": f"{format_instant(START_MS)}/{format_instant(NOTICED_MS)}"}
    assert client.get("/path", query_string=ago).get_json()["baseline"]["start"] == format_instant(START_MS)
    long = {"start": format_instant(NOTICED_MS - 25 * HOUR_MS), "end": window["end"]}
    assert client.get("/path", query_string=long).status_code == 400

    command = ["path", "--recording", recording.place, "--start", window["start"], "--end", window["end"]]
    assert json.loads(CliRunner().invoke(main, [*command, "--json"]).stdout) == document
    assert CliRunner().invoke(main, command).stdout.splitlines() == [
        document["summary"],
        "",
        "node   cluster   follows   since (UTC)            measure       later   before      now",
        "db     mesh      -         2026-11-23T05:20:00Z   latency_ms        -     4 ms    60 ms",
        "cart   mesh      db        2026-11-23T05:22:00Z   latency_ms       2m    20 ms   140 ms",
        "web    mesh      cart      2026-11-23T05:25:00Z   error_share      3m      0 %     20 %",
        "not seen: 2026-11-23T04:20:00Z to 2026-11-23T05:00:00Z: before the recording begins",
    ]
    quiet = ["path", "--recording", recording.place, "--start", format_instant(START_MS + 10 * MINUTE_MS)]
    told = CliRunner().invoke(main, [*quiet, "--end", window["start"]])
    assert told.stdout.splitlines() == [
        "no errors and no latency left their normal",
        "not seen: 2026-11-23T04:10:00Z to 2026-11-23T05:00:00Z: before the recording begins",
    ]


@pytest.mark.parametrize("from_minute", [0, 5])
def test_a_recording_of_every_five_minutes_says_the_same(tmp_path: Path, from_minute: int) -> None:
    """Between two of its instants nothing was seen, so nothing was harmed less."""
    scrapes = history({"cart>db": (from_minute, (100.0, 0.4, 4.0))})
    seldom = [attrs.evolve(each, interval_ms=5 * MINUTE_MS) for each in scrapes[::5]]
    (told,), (less_often,) = (
        asked(tmp_path / name, each).path(NOTICED_MS, END_MS).table.to_pylist()
        for name, each in (("minute", scrapes), ("five", seldom))
    )
    assert told["node"] == "db"
    assert told["harmed_rps"] == pytest.approx(40, abs=2.5)
    assert less_often == {**told, "harmed_rps": pytest.approx(40, abs=2.5)}
