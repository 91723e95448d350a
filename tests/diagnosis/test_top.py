"""Who has most of something, on constructed windows with known answers; what was not seen is null, never 0."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from click.testing import CliRunner
from support.calls import CALLS, calls
from support.recordings import recorded
from support.scrapes import INTERVAL_MS, START_MS, edges, scrape
from werkzeug.test import Client

from vistio_core import Recording
from vistio_core.diagnosis.top import RANKED_BY
from vistio_core.errors import NothingRecordedError, UsageError
from vistio_core.events import Measurement
from vistio_core.times import MINUTE_MS, format_instant
from vistio_record.cli import main
from vistio_serve import create_app

FIRST_MS, SECOND_MS, THIRD_MS, END_MS = range(START_MS, START_MS + 4 * INTERVAL_MS, INTERVAL_MS)
WINDOW = FIRST_MS, END_MS


def who(table: pa.Table) -> list[str]:
    ends = zip(*(table[name].to_pylist() for name in ("node", "target")), strict=True)
    return [node if target is None else f"{node}>{target}" for node, target in ends]


def of(table: pa.Table, name: str) -> dict[str, Any]:
    return dict(zip(who(table), table[name].to_pylist(), strict=True))


@pytest.fixture
def steady(tmp_path: Path) -> Recording:
    told = {
        "web>cart": (10.0, 0.0, 30.0),
        "web>search": (30.0, 0.1, 20.0),
        "cart>db": (20.0, 0.5, 4.0),
    }
    scrapes = [calls(instant_ms, told) for instant_ms in (FIRST_MS, SECOND_MS, THIRD_MS)]
    return recorded(tmp_path / "r", scrapes, configurations=[CALLS])


def test_most_traffic_comes_first_and_equal_ones_by_name(steady: Recording) -> None:
    table = steady.top(*WINDOW)
    assert table["rps"].to_pylist() == [40.0, 30.0, 30.0, 20.0, 20.0, 10.0, 10.0]
    assert who(table) == ["web", "search", "web>search", "cart>db", "db", "cart", "web>cart"]
    assert of(table, "error_share") == {
        "web": 3 / 40,
        "search": 0.1,
        "web>search": 0.1,
        "cart>db": 0.5,
        "db": 0.5,
        "cart": 0.0,
        "web>cart": 0.0,
    }
    assert table["unseen"].to_pylist() == [[]] * 7


def test_most_errors_are_requests_that_failed_not_their_share(tmp_path: Path) -> None:
    rare_and_bad = {"a>b": (1.0, 1.0, 1.0), "a>c": (100.0, 0.1, 1.0)}
    recording = recorded(tmp_path / "r", [calls(FIRST_MS, rare_and_bad)], configurations=[CALLS])
    table = recording.top(*WINDOW, "errors")
    assert who(table) == ["a", "a>c", "c", "a>b", "b"]
    assert table["danger"].to_pylist() == [11.0, 10.0, 10.0, 1.0, 1.0]


def test_latency_is_that_of_a_request_so_quiet_steps_weigh_little(tmp_path: Path) -> None:
    scrapes = [
        calls(FIRST_MS, {"cart>db": (99.0, 0.0, 4.0), "web>db": (100.0, 0.0, 10.0)}),
        calls(SECOND_MS, {"cart>db": (1.0, 0.0, 404.0), "web>db": (100.0, 0.0, 10.0)}),
    ]
    table = recorded(tmp_path / "r", scrapes, configurations=[CALLS]).top(*WINDOW, "latency")
    assert of(table, "latency_ms") == {
        "web>db": 10.0,
        "db": pytest.approx((99 * 4 + 404 + 2000) / 300),
        "cart>db": pytest.approx(8.0),
        "cart": None,
        "web": None,
    }
    assert who(table) == ["web>db", "db", "cart>db", "cart", "web"], "of the last two nobody measures it"


def test_latency_of_a_window_of_hours_is_that_of_all_of_its_requests(tmp_path: Path) -> None:
    hours = [FIRST_MS + hour * 3_600_000 for hour in range(3)]
    scrapes = [calls(ms, {"a>b": (1.0 + hour, 0.0, 10.0 * hour)}) for hour, ms in enumerate(hours)]
    recording = recorded(tmp_path / "r", scrapes, configurations=[CALLS])
    found = of(recording.top(FIRST_MS, hours[-1] + 1, "latency"), "latency_ms")
    assert found["a>b"] == pytest.approx((0 * 1 + 10 * 2 + 20 * 3) / 6)
    without_end = of(recording.top(FIRST_MS, hours[-1], "latency"), "latency_ms")
    assert without_end["a>b"] == pytest.approx((0 * 1 + 10 * 2) / 3)


def test_what_is_measured_of_a_node_itself_is_its_latency_where_nobody_measures_its_requests(
    tmp_path: Path,
) -> None:
    told = [
        calls(ms, {"a>b": (1.0, 0.0, 0.0)}, nodes_s={"b": took_s})
        for ms, took_s in ((FIRST_MS, 0.2), (SECOND_MS, 0.3))
    ]
    recording = recorded(tmp_path / "r", told, configurations=[CALLS])
    assert of(recording.top(*WINDOW, "latency"), "latency_ms") == {"b": 250.0, "a": None, "a>b": None}


def test_a_mean_is_over_the_instants_at_which_the_rule_was_answered_and_a_gap_is_none(tmp_path: Path) -> None:
    told = {"a>b": (10.0, 0.0, 5.0)}
    recording = recorded(
        tmp_path / "r",
        [calls(FIRST_MS, told), calls(SECOND_MS, told, failed="http"), calls(END_MS - 1, told)],
        configurations=[CALLS],
    )
    assert of(recording.top(*WINDOW), "rps") == {"a": 10.0, "a>b": 10.0, "b": 10.0}


def test_what_no_rule_told_is_null_and_comes_last_with_the_rule(tmp_path: Path) -> None:
    slow = Measurement("mesh", "latency", "cart", None, "latency_ms", 5.0, ())
    entering = edges({"INTERNET>mesh 200": 7.0}, "ingress", "")
    recording = recorded(tmp_path / "r", [scrape(FIRST_MS, entering, measurements=[slow], http="failed")])
    table = recording.top(*WINDOW)
    assert who(table) == ["INTERNET", "INTERNET>mesh", "mesh", "cart"]
    last = table.to_pylist()[-1]
    rates = ("rps", "normal", "warning", "danger", "error_share")
    assert ([last[name] for name in rates], last["unseen"]) == ([None] * 5, ["mesh/http"])


def test_answered_and_none_is_zero(tmp_path: Path) -> None:
    slow = Measurement("mesh", "latency", "cart", None, "latency_ms", 5.0, ())
    recording = recorded(tmp_path / "r", [scrape(FIRST_MS, measurements=[slow])])
    [row] = recording.top(*WINDOW).to_pylist()
    assert (row["node"], row["rps"], row["error_share"], row["unseen"]) == ("cart", 0.0, None, [])


def test_the_largest_change_is_against_the_window_right_before(tmp_path: Path) -> None:
    instants = [
        scrape(FIRST_MS, {"a>b 200": 10.0, "a>c 200": 5.0}),
        scrape(SECOND_MS, {"a>b 200": 12.0, "a>d 500": 4.0}),
    ]
    recording = recorded(tmp_path / "r", instants)
    window = SECOND_MS, SECOND_MS + INTERVAL_MS
    table = recording.top(*window, "change")
    changes = ["a", "a>c", "c", "a>d", "d", "a>b", "b"]
    assert who(table) == changes
    assert of(table, "change_rps") == dict(zip(changes, [7.0, 5.0, 5.0, 4.0, 4.0, 2.0, 2.0], strict=True))
    assert of(table, "before_rps")["a"] == 15.0
    assert (of(table, "before_rps")["a>c"], of(table, "rps")["a>c"]) == (5.0, 0.0)
    assert recording.top(*window, "change", before=(FIRST_MS, SECOND_MS)) == table
    with pytest.raises(NothingRecordedError):
        recording.top(FIRST_MS, SECOND_MS, "change")


def test_a_change_that_was_not_seen_is_null_with_the_rules_of_both_sides(tmp_path: Path) -> None:
    instants = [scrape(FIRST_MS, {"a>b 200": 10.0}), scrape(SECOND_MS, http="timeout")]
    table = recorded(tmp_path / "r", instants).top(SECOND_MS, END_MS, "change", before=(FIRST_MS, SECOND_MS))
    [*_, last] = table.to_pylist()
    assert (last["rps"], last["before_rps"], last["change_rps"]) == (None, 10.0, None)
    assert last["unseen"] == ["mesh/http"]


def test_what_cannot_be_asked_says_what_can(steady: Recording) -> None:
    with pytest.raises(UsageError, match="traffic, errors, latency, change"):
        steady.top(*WINDOW, "requests")  # type: ignore[arg-type]  # as somebody types it
    with pytest.raises(UsageError, match="only by 'change'"):
        steady.top(*WINDOW, "errors", before=(FIRST_MS, SECOND_MS))


def test_over_http_it_is_what_it_is_in_python(steady: Recording) -> None:
    client = Client(create_app(steady, now_ms=lambda: END_MS))
    window = {"start": format_instant(FIRST_MS), "end": format_instant(END_MS)}
    for by, column in RANKED_BY.items():
        asked = {**window, "by": by, "limit": "2"}
        if by == "change":
            asked |= {"start": format_instant(THIRD_MS), "before": f"{window['start']}/{window['end']}"}
        found = client.get("/top", query_string=asked).get_json()
        before = (FIRST_MS, END_MS) if by == "change" else None
        start_ms = THIRD_MS if by == "change" else FIRST_MS
        rows = steady.top(start_ms, END_MS, by, before=before).to_pylist()
        assert found["nodes"] == [row for row in rows if row["target"] is None][:2], column
        assert found["edges"] == [row for row in rows if row["target"] is not None][:2], column
        assert (found["by"], found["end"]) == (by, window["end"])
    for wrong, parameter in (
        ({"by": "requests"}, "by"),
        ({"limit": "0"}, "limit"),
        ({"before": "x"}, "before"),
    ):
        refused = client.get("/top", query_string={**window, **wrong})
        assert (refused.status_code, refused.get_json()["parameter"]) == (400, parameter)
    assert client.get("/top", query_string={**window, "before": "-2h/-1h"}).status_code == 400


def in_terminal(*arguments: str) -> str:
    told = CliRunner().invoke(main, arguments)
    assert told.exit_code == 0, told.output
    return told.stdout


def test_in_the_terminal_columns_stand_side_by_side_with_their_units(tmp_path: Path) -> None:
    slow = Measurement("mesh", "latency", "cart", None, "latency_ms", 5.0, ())
    scrapes = [
        scrape(FIRST_MS, {"web>cart 200": 1500.0, "web>cart 500": 0.5, "a\nb>c 200": 0.25}),
        scrape(END_MS + INTERVAL_MS, measurements=[slow], http="failed"),
    ]
    recording = recorded(tmp_path / "r", scrapes)
    place = ("--recording", recording.place, "--start", format_instant(FIRST_MS))
    assert in_terminal("top", *place, "--end", format_instant(END_MS)).splitlines() == [
        "2026-11-23T05:00:00Z to 2026-11-23T05:00:30Z (UTC), most traffic first",
        "",
        "node       cluster   requests/s   failing/s   failing",
        "cart       mesh           1,500         0.5    <0.1 %",
        "web        mesh           1,500         0.5    <0.1 %",
        r"a\u000ab   mesh            0.25           0       0 %",
        "c          mesh            0.25           0       0 %",
        "",
        "edge           cluster   requests/s   failing/s   failing",
        "web > cart     mesh           1,500         0.5    <0.1 %",
        r"a\u000ab > c   mesh            0.25           0       0 %",
    ]
    later = (*place[:2], "--start", format_instant(END_MS), "--end", format_instant(END_MS + MINUTE_MS))
    told = in_terminal("top", *later).splitlines()
    assert told[3:] == [
        "cart   mesh        not seen    not seen         -   not answered: mesh/http",
        "",
        "no edges",
    ]
    assert "no latency was measured" in in_terminal("top", *place, "--by", "latency")
    rows = json.loads(in_terminal("top", *place, "--end", format_instant(END_MS), "--limit", "1", "--json"))
    assert [row["node"] for row in rows["nodes"]] == ["cart"]


def test_in_the_terminal_a_diff_says_what_is_new_and_what_was_not_seen(tmp_path: Path) -> None:
    scrapes = [
        scrape(FIRST_MS, {"a>b 200": 10.0}),
        scrape(SECOND_MS, {"a>b 200": 9.0, "a>b 500": 1.0, "a>c 200": 4.0}),
        scrape(THIRD_MS, http="timeout"),
    ]
    recording = recorded(tmp_path / "r", scrapes)
    place = ("--recording", recording.place, "--before", format_instant(FIRST_MS))
    told = in_terminal("diff", *place, "--after", format_instant(SECOND_MS)).splitlines()
    assert told[:6] == [
        "before 2026-11-23T05:00:00Z (UTC), instants seen: 1",
        "after  2026-11-23T05:00:10Z (UTC), instants seen: 1",
        "",
        "edge    cluster   what      change, requests/s   before   after   failing before   failing after",
        "a > c   mesh      new                        4        -       4                -             0 %",
        "a > b   mesh      changed                    2       10      10              0 %            10 %",
    ]
    told = in_terminal("diff", *place, "--after", format_instant(THIRD_MS)).splitlines()
    assert (
        re.sub(" +", " ", told[4]) == "a > b mesh unseen not seen 10 not seen 0 % - not answered: mesh/http"
    )
    same = in_terminal("diff", *place, "--after", format_instant(FIRST_MS))
    assert ("no edges changed" in same, "no nodes changed" in same) == (True, True)
    as_json = json.loads(in_terminal("diff", *place, "--after", format_instant(SECOND_MS), "--json"))
    client = Client(create_app(recording, now_ms=lambda: END_MS))
    over_http = client.get("/diff", query_string={"before": FIRST_MS, "after": SECOND_MS}).get_json()
    assert as_json == over_http


def test_in_the_terminal_a_timeline_says_what_was_not_seen_and_offers_names(tmp_path: Path) -> None:
    scrapes = [scrape(FIRST_MS, {"a>bc 200": 10.0}), scrape(SECOND_MS, http="timeout"), scrape(THIRD_MS)]
    recording = recorded(tmp_path / "r", scrapes)
    window = ("--start", format_instant(FIRST_MS), "--end", format_instant(END_MS))
    asked = ("timeline", "--recording", recording.place, *window, "--step", "10s", "--node")
    assert in_terminal(*asked, "bc").splitlines() == [
        "2026-11-23T05:00:00Z to 2026-11-23T05:00:30Z, steps of 10s",
        "start (UTC)            requests/s   failing/s   failing      edges    notices",
        "2026-11-23T05:00:00Z           10           0       0 %          1          0",
        "2026-11-23T05:00:10Z     not seen    not seen         -   not seen   not seen   not answered: mesh/http",
        "2026-11-23T05:00:20Z            0           0         -          0          0",
        "not seen: 2026-11-23T05:00:10Z to 2026-11-23T05:00:20Z: not seen: mesh/http: http did not answer",
    ]
    assert (
        in_terminal(*asked[:-1])
        .splitlines()[0]
        .endswith("steps of 10s; of all levels: a request counts at each of its hops")
    )
    document = json.loads(in_terminal(*asked, "bc", "--json"))
    assert [step["normal"] for step in document["steps"]] == [10.0, None, 0.0]
    refused = CliRunner().invoke(main, [*asked, "bd"])
    assert (refused.exit_code, "did you mean 'bc'" in refused.output) == (1, True)
