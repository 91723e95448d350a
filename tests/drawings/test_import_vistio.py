"""`vistio-record import-vistio`: what Vistio answered is what the recording shows, and nothing more."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from html import unescape
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st
from support.processes import RunProcess
from support.vistio_chunks import (
    CHUNK_S,
    START_S,
    Json,
    chunk_path,
    cluster,
    connection,
    go_json,
    graph,
    notice,
    snapshot,
    store,
    write_chunk,
)

from vistio_core import Recording
from vistio_core.errors import NothingRecordedError
from vistio_core.events import Outcome, RuleOutcome, Scrape
from vistio_core.frontends.vizceral import Vizceral
from vistio_core.times import HOUR_MS
from vistio_record.cli import main
from vistio_record.drawings.chunks import chunk_files
from vistio_record.drawings.drawing import instant_of, read_drawing
from vistio_record.drawings.rules import Kinds

SECOND_NS = 10**9
FIRST_NS = START_S * SECOND_NS + 7_120_345_678
FIRST_MS = FIRST_NS // 10**6
PROMVIZ = Path(__file__).parent / "promviz-0.5.0"
LINK = "http://prometheus:9090/graph?g0.expr=sum%28rate%28requests%5B1m%5D%29%29"
NOW_MS = FIRST_MS + 2 * HOUR_MS

CLASSES = [
    {"name": "storage", "color": "rgb(128, 150, 128)"},
    {"name": "default", "color": "rgb(186, 213, 237)"},
]


def run(directory: Path, recording: Path, *more: object) -> Result:
    arguments = ["import-vistio", directory, "--recording", recording, *more]
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def opened(recording: Path) -> Recording:
    return Recording.open(recording, clock=lambda: NOW_MS)


def bookshop(n: int = 0) -> Json:
    """What Vistio draws of a mesh with failures, two rules for one edge, classes and notices."""
    share = f"{2 / (43 + n):.5f}"
    inside = [
        connection("web", "cart", 40 + n, 1, 2, [notice(f"[{share}] High &lt;Error&gt; Rate", 2, LINK)]),
        connection("cart", "db", 12.25),
        connection("cart", "db", 0, 0, 0.75, [notice("some <b>failed</b>", 0, LINK, "see the runbook")]),
        connection("cart", "cache"),
    ]
    return graph(
        [
            cluster(
                "shop",
                inside,
                3000,
                {"db": "storage"},
                {"db": [notice("db is saturated: 0.90000", 1, LINK), notice("db is slow", 2, LINK)]},
            ),
            cluster("INTERNET"),
        ],
        [connection("INTERNET", "shop", 43.25 + n, 0, 0.5)],
        20000,
        classes=CLASSES,
    )


# -- pictures, of Vistio's JSON and of ours


def picture(drawing: Json) -> Json:
    """What a page shows of Vistio's JSON: without order, and with what was made up left out.

    Of two connections between the same nodes Vistio shows the last one; a recording adds up what rules say.
    """
    levels = {"": drawing} | {each["name"]: each for each in drawing["nodes"] if each.get("nodes")}
    shown = {name: _level(level, inside=name != "") for name, level in levels.items()}
    return {
        "name": drawing["name"],
        "classes": {each["name"]: each["color"] for each in drawing["classes"]},
        "levels": {name: level for name, level in shown.items() if level["edges"]},
    }


def _level(level: Json, inside: bool) -> Json:
    edges: dict[tuple[str, str], Any] = {}
    for each in level["connections"] or ():
        if "synthetic" in each["metadata"].get("vistio", {}):
            continue
        rates, notices = edges.setdefault((each["source"], each["target"]), ([0.0, 0.0, 0.0], []))
        for place, kind in enumerate(("normal", "warning", "danger")):
            rates[place] += each["metrics"][kind]
        notices += _notices(each)
        notices.sort()
    ends = {name for pair in edges for name in pair}
    # Inside, what is not drawn is a gap of our own making; Vistio's page has no notices on clusters.
    nodes = {
        each["name"]: (each.get("class") or "default", sorted(_notices(each)) if inside else [])
        for each in level["nodes"]
        if each["name"] in ends
    }
    # What several rules say of an edge is added in no order that a drawing tells.
    told = {
        ends: ([float(f"{rate:.12g}") for rate in rates], notices) for ends, (rates, notices) in edges.items()
    }
    return {"maxVolume": level.get("maxVolume", 0), "nodes": nodes, "edges": told}


def _notices(of: Json) -> list[tuple[str, str, str, int]]:
    return [
        (_text(each["title"]), _text(each.get("subtitle", "")), each.get("link", ""), each["severity"])
        for each in of["notices"] or ()
    ]


def _text(html: str) -> str:
    return " ".join(unescape(html).split())


def shown_at(recording: Recording, instant_ms: int) -> Json:
    drawn: Json = json.loads(Vizceral().render(recording.graph(instant_ms), {}))
    return drawn


# -- what is imported


def test_the_picture_of_an_instant_is_what_vistio_answered(tmp_path: Path) -> None:
    drawings = {FIRST_NS + n * 10 * SECOND_NS + n * 1_000_003: bookshop(n) for n in range(8)}
    store(tmp_path / "vistio", drawings, zone_hours=9)
    told = run(tmp_path / "vistio", tmp_path / "recording")
    assert told.exit_code == 0, told.output
    assert "8 drawings imported, 0 were there; 2018-10-20T02:00:07.120Z to " in told.stdout
    recording = opened(tmp_path / "recording")
    for instant_ns, drawing in drawings.items():
        ours = shown_at(recording, instant_ns // 10**6)
        assert picture(ours) == picture(drawing)
        assert ours["serverUpdateTime"] == instant_ns // SECOND_NS
        assert ours["metadata"]["vistio"]["failed_rules"] == []
    assert [checked for checked in recording.verify() if checked.problems] == []


def test_what_promviz_itself_wrote_is_what_the_recording_shows(tmp_path: Path) -> None:
    """A chunk of promviz 0.5.0, built from its source, over a Prometheus with the mesh of examples/deploy/compose."""
    told = run(PROMVIZ, tmp_path / "recording")
    assert "2 drawings imported, 0 were there" in told.stdout
    recording = Recording.open(tmp_path / "recording")
    [chunk] = chunk_files(PROMVIZ)[0]
    for written in json.loads(chunk.path.read_text())["snapshots"]:
        drawing = json.loads(written["graphJSON"])
        assert len(picture(drawing)["levels"]["istio-mesh"]["edges"]) == 4
        assert picture(shown_at(recording, instant_of(written["timestamp"]))) == picture(drawing)


def test_as_vistio_answers_an_offset_the_newest_drawing_before_it_is_shown(tmp_path: Path) -> None:
    store(tmp_path / "vistio", {FIRST_NS: bookshop(0), FIRST_NS + 10 * SECOND_NS: bookshop(1)})
    run(tmp_path / "vistio", tmp_path / "recording")
    recording = opened(tmp_path / "recording")
    for later_ms, n in ((0, 0), (9_999, 0), (10_000, 1), (10_001, 1)):
        assert picture(shown_at(recording, FIRST_MS + later_ms)) == picture(bookshop(n)), later_ms
    with pytest.raises(NothingRecordedError):
        recording.graph(FIRST_MS - 1)  # Vistio would have shown the first one, of later


def test_a_jitter_of_the_clock_is_no_gap_and_a_missing_drawing_is_one(tmp_path: Path) -> None:
    times = [FIRST_NS + n * 10 * SECOND_NS + (n * 7 % 5) * 1_000_000 for n in range(60) if n not in (20, 21)]
    store(tmp_path / "vistio", dict.fromkeys(times, bookshop()))
    run(tmp_path / "vistio", tmp_path / "recording")
    gaps = opened(tmp_path / "recording").gaps(FIRST_MS, times[-1] // 10**6 + 1).to_pylist()
    assert [(each["missing"], each["reason"]) for each in gaps] == [(2, "not running")]


def test_a_level_that_was_not_drawn_was_not_seen(tmp_path: Path) -> None:
    drawings = {
        FIRST_NS: bookshop(),
        FIRST_NS + 10 * SECOND_NS: bookshop() | {"nodes": [cluster("shop"), cluster("INTERNET")]},
        FIRST_NS + 20 * SECOND_NS: graph(name="Vistio", classes=CLASSES),
        FIRST_NS + 30 * SECOND_NS: bookshop(),
    }
    store(tmp_path / "vistio", drawings)
    run(tmp_path / "vistio", tmp_path / "recording")
    recording = opened(tmp_path / "recording")
    partly = recording.graph(FIRST_MS + 10_000)
    assert {rule.cluster for rule in partly.failed_rules} == {"shop"}
    assert all("Vistio drew both alike" in rule.error for rule in partly.failed_rules)
    assert [(edge.source, edge.target) for edge in partly.edges] == [("INTERNET", "shop")]
    gaps = recording.gaps(FIRST_MS, FIRST_MS + 31_000).to_pylist()
    assert [each["missing"] for each in gaps] == [1]
    assert "nothing is drawn of this level" in gaps[0]["reason"]
    timeline = recording.timeline(
        START_S * 1000, START_S * 1000 + 40_000, step="10s", cluster="shop"
    ).to_pylist()
    assert [each["normal"] is None for each in timeline] == [False, True, True, False]


def test_what_a_drawing_does_not_tell_is_not_made_up(tmp_path: Path) -> None:
    store(tmp_path / "vistio", {FIRST_NS: bookshop()})
    run(tmp_path / "vistio", tmp_path / "recording")
    recording = opened(tmp_path / "recording")
    rows = recording.sql("select distinct status from samples order by status").fetchall()
    assert rows == [("danger",), ("normal",), ("warning",)], "classes, no codes"
    configuration = recording.configuration_by_hash(recording.graph(FIRST_MS).configuration)
    assert {rule.prometheus_url for _, rule in configuration.rules()} == {"http://drawn-by-vistio.invalid"}
    assert configuration.warnings == ()
    assert not recording.graph(FIRST_MS).backfilled, "it was seen then, by Vistio"


def test_twice_is_once_and_what_was_added_meanwhile_comes_too(tmp_path: Path) -> None:
    vistio, place = tmp_path / "vistio", tmp_path / "recording"
    store(vistio, {FIRST_NS + n * 10 * SECOND_NS: bookshop(n) for n in range(30)})
    assert "30 drawings imported, 0 were there" in run(vistio, place).stdout
    before = opened(place).graph(FIRST_MS + 100_000)
    other = bookshop()
    other["nodes"][0]["connections"][1]["notices"] = []
    other["nodes"][0]["nodes"][1]["class"] = "storage"
    grown = {FIRST_NS + n * 10 * SECOND_NS: bookshop(n) for n in range(30)}
    store(vistio, grown | {FIRST_NS + n * 10 * SECOND_NS: other for n in range(30, 40)})
    assert "10 drawings imported, 30 were there" in run(vistio, place).stdout
    assert "0 drawings imported, 40 were there" in run(vistio, place).stdout
    recording = opened(place)
    assert recording.instants().num_rows == 40
    assert recording.graph(FIRST_MS + 100_000) == before
    assert recording.gaps(FIRST_MS, FIRST_MS + 400_000).num_rows == 0
    # Names of rules mean the same in both configurations: judged by the newer one, the older look the same.
    again = recording.graph(FIRST_MS, judge="current")
    assert again.region("shop").edges == recording.graph(FIRST_MS).region("shop").edges


def test_what_the_recorder_saw_itself_stays(tmp_path: Path) -> None:
    vistio, place = tmp_path / "vistio", tmp_path / "recording"
    store(vistio, {FIRST_NS + n * 10 * SECOND_NS: bookshop(n) for n in range(12)})
    recording = Recording.open(place, create=True, clock=lambda: NOW_MS)
    drawing = read_drawing(FIRST_MS, go_json(graph([], [connection("INTERNET", "shop", 1)])))
    kinds = Kinds()
    kinds.add(drawing)
    own_ms = range(START_S * 1000 + 30_000, START_S * 1000 + 80_000, 10_000)
    with recording.writer("main") as writer:
        configuration = writer.put_configuration(kinds.configuration(drawing))
        for instant_ms in own_ms:
            scrape = kinds.scrape(drawing, 10_000, configuration)
            writer.commit(Scrape(instant_ms, 10_000, configuration, scrape.outcomes, scrape.samples))
    told = run(vistio, place)
    assert "7 drawings imported" in told.stdout
    assert "5 drawings are of a time that the recording has seen itself; that stays" in told.stdout
    recording = opened(place)
    for instant_ms in range(own_ms[0], own_ms[-1] + 10_000, 1_000):
        assert sum(edge.rates.normal for edge in recording.graph(instant_ms).edges) == 1
    assert picture(shown_at(recording, FIRST_MS + 20_000)) == picture(bookshop(2))
    assert picture(shown_at(recording, FIRST_MS + 80_000)) == picture(bookshop(8))


# -- what is broken


def hostile(directory: Path) -> None:
    write_chunk(directory, START_S, [snapshot(FIRST_NS, bookshop())])
    whole = go_json({"id": START_S + CHUNK_S, "snapshots": [
        snapshot((START_S + CHUNK_S + n * 10) * SECOND_NS, bookshop(n)) for n in range(5)
    ], "completed": True})  # fmt: skip
    chunk_path(directory, START_S + CHUNK_S).write_text(whole[: int(len(whole) * 0.7)])
    chunk_path(directory, START_S + 2 * CHUNK_S).write_bytes(b"\xff\xfe\x00" + os.urandom(1000))
    chunk_path(directory, START_S + 3 * CHUNK_S).write_text("[" * 100_000)
    write_chunk(directory, START_S + 4 * CHUNK_S, []).write_text(
        go_json({"id": START_S, "snapshots": [], "completed": True})
    )
    at_ns = (START_S + 5 * CHUNK_S) * SECOND_NS
    shots = [
        None,
        {"timestamp": "now", "graphJSON": go_json(bookshop())},
        {"timestamp": "2999-01-01T00:00:00Z", "graphJSON": go_json(bookshop())},
        {"timestamp": snapshot(at_ns, bookshop())["timestamp"], "graphJSON": "{" * 5_000},
        {"timestamp": snapshot(at_ns, bookshop())["timestamp"], "graphJSON": '{"nodes":' * 5_000},
        {"timestamp": snapshot(at_ns, bookshop())["timestamp"], "graphJSON": go_json({"nodes": "x"})},
        snapshot(at_ns + SECOND_NS, bookshop()),
    ]
    write_chunk(directory, START_S + 5 * CHUNK_S, shots)  # type: ignore[arg-type]
    write_chunk(directory, START_S + 6 * CHUNK_S, []).unlink()
    os.mkfifo(chunk_path(directory, START_S + 6 * CHUNK_S))
    (directory / "lost+found").mkdir()
    (directory / str(START_S) / "notes.txt").write_text("x")
    (directory / str(START_S) / f"{START_S + 7}.json").write_text("{}")


def test_broken_and_hostile_files_are_told_and_the_rest_is_kept(tmp_path: Path) -> None:
    hostile(tmp_path / "vistio")
    told = run(tmp_path / "vistio", tmp_path / "recording")
    assert told.exit_code == 0, told.output
    assert "5 drawings imported, 0 were there" in told.stdout  # 1, 3 before the cut, 1
    assert "3 other files and directories" in told.stdout
    for reason, times in (
        ("the file is cut off, or no chunk", 3),
        ("the file says that it is another chunk than its name says", 1),
        ("the file cannot be read: is not a file, but a FIFO (a named pipe)", 1),
        ("a drawing is left out: it is null", 1),
        ("a drawing is left out: its timestamp is no RFC 3339 time", 1),
        ("a drawing is left out: its timestamp is not of its chunk", 1),
        ("a drawing is left out: it is no graph of Vistio's", 3),
    ):
        assert f"Left out {times} times: {reason} (" in told.stdout
    recording = opened(tmp_path / "recording")
    assert picture(shown_at(recording, (START_S + CHUNK_S) * 1000)) == picture(bookshop())
    assert [checked for checked in recording.verify() if checked.problems] == []


def test_what_cannot_be_kept_of_a_drawing_is_counted(tmp_path: Path) -> None:
    drawing = bookshop()
    inside = drawing["nodes"][0]
    inside["nodes"].append({"name": "alone", "connections": None, "notices": None})
    inside["connections"] += [
        connection("", "db", 1),
        connection("web", "db", 1) | {"metrics": None},
        connection("web", "db", 1e300),
        connection("web", "search", 1, 0, 0, [notice("nothing failed", 1, LINK)]),
        connection("web", "mail", 1, 0, 1, [notice("{{ .x }}", 1, LINK), notice("no severity", 7, LINK)]),
    ]
    write_chunk(tmp_path / "vistio", START_S, [snapshot(FIRST_NS, drawing)])
    told = run(tmp_path / "vistio", tmp_path / "recording")
    for times, reason in (
        (1, "a connection without a name at one end"),
        (1, "a connection without metrics"),
        (1, "a rate out of range"),
        (1, "a node without connections"),
        (2, "a notice on a connection without failures, or with braces in its title"),
        (1, "a notice without a severity"),
    ):
        assert f"Left out {times} times, of what was written: {reason}" in told.stdout, told.stdout
    edges = {
        (edge.source, edge.target)
        for edge in opened(tmp_path / "recording").graph(FIRST_MS).region("shop").edges
    }
    assert edges == {("web", "cart"), ("cart", "db"), ("cart", "cache"), ("web", "search"), ("web", "mail")}


def test_more_kinds_than_a_configuration_takes_lose_their_notices_and_no_traffic(tmp_path: Path) -> None:
    inside = [
        connection(f"a{n}", "b", 1, 0, 1, [notice(f"notice {n}", 1, f"http://x/{n}")]) for n in range(250)
    ]
    inside += [connection("a0", "b", 1) for _ in range(150)]
    classes = {f"a{n}": f"class-{n}" for n in range(250)}
    drawing = graph([cluster("shop", inside, 0, classes)], [connection("INTERNET", "shop", 1)])
    write_chunk(tmp_path / "vistio", START_S, [snapshot(FIRST_NS, drawing)])
    told = run(tmp_path / "vistio", tmp_path / "recording")
    assert told.exit_code == 0, told.output
    # The global level has one kind, 199 more have notices, 50 none; 50 more connections between a0 and b find a rule.
    assert "Left out 51 times, of what was written: a notice of one kind too many" in told.stdout
    assert "Left out 101 times, of what was written: a connection drawn too many times" in told.stdout
    region = opened(tmp_path / "recording").graph(FIRST_MS).region("shop")
    assert len(region.edges) == 250
    assert {edge.rates.danger for edge in region.edges} == {1.0}
    assert max(edge.rates.normal for edge in region.edges) == 50


def test_a_directory_without_chunks_says_which_one_is_meant(tmp_path: Path) -> None:
    told = run(tmp_path, tmp_path / "recording")
    assert told.exit_code == 1
    assert "name the directory that Vistio was given as --storage.path" in told.stderr
    assert not (tmp_path / "recording").exists()


# -- interrupted


@pytest.mark.slow
def test_killed_at_any_step_it_goes_on_where_it_was(tmp_path: Path) -> None:
    vistio = tmp_path / "vistio"
    store(vistio, {FIRST_NS + n * 10 * SECOND_NS: bookshop(n) for n in range(3)})
    paths = os.pathsep.join([str(Path(__file__).parents[1]), *filter(None, sys.path)])
    script = [sys.executable, "-m", "support.killed_vistio_import", str(vistio), str(tmp_path / "killed")]
    subprocess.run(script, env={**os.environ, "PYTHONPATH": paths}, check=True, timeout=300)
    lengths = []
    for place in sorted((tmp_path / "killed").iterdir()):
        recording = opened(place)
        assert [checked for checked in recording.verify() if checked.problems] == [], place
        lengths.append(recording.instants().num_rows)
        if len(lengths) % 5 == 0 or lengths[-1] != lengths[-2:][0]:
            assert run(vistio, place).exit_code == 0
            recording = opened(place)
            for n in range(3):
                assert picture(shown_at(recording, FIRST_MS + n * 10_000)) == picture(bookshop(n))
    assert sorted(set(lengths)) == [0, 1, 2, 3]
    assert all(later >= earlier for earlier, later in pairwise(lengths)), "nothing that was there is lost"


def test_asked_to_stop_it_ends_and_says_how_to_go_on(run_process: RunProcess, tmp_path: Path) -> None:
    store(tmp_path / "vistio", {FIRST_NS + n * 10 * SECOND_NS: bookshop(n) for n in range(120)})
    recording = tmp_path / "recording"
    process = run_process("vistio-record", "import-vistio", tmp_path / "vistio", "--recording", recording)
    while not list(recording.glob("head/**/*.parquet")):
        time.sleep(0.01)
    log = process.terminate(exit_code=1)
    assert "Stopped; run the same command again to go on." in log
    some = opened(recording).instants().num_rows
    assert 0 < some < 120
    told = run(tmp_path / "vistio", recording)
    assert f"{120 - some} drawings imported, {some} were there" in told.stdout


# -- any drawing at all

names = st.text(st.characters(min_codepoint=97, max_codepoint=122), min_size=1, max_size=3)
rates = st.floats(0, 1e9, allow_subnormal=False)
# A \\ before a u is shown as \\u005c: no two names look the same (`vistio_core.names`).
titles = st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters="{}&\\"), max_size=10)
links = st.sampled_from([LINK, "https://runbook.example/errors?a=b&c=d"])


@st.composite
def connections(draw: st.DrawFn, ends: st.SearchStrategy[str]) -> list[Json]:
    found = []
    for pair in draw(st.lists(st.tuples(ends, ends), min_size=1, max_size=8)):
        normal, warning, danger = draw(st.tuples(rates, rates, rates))
        notices = []
        for kind, bad in (("danger", danger), ("warning", warning)):
            if bad > 0 and draw(st.booleans()):
                before, after = draw(titles), draw(titles)
                value = f"{bad / (normal + warning + danger):.5f}" if draw(st.booleans()) else kind
                title = f"{before}{value}{after}".replace("<", "&lt;")
                notices.append(notice(title, draw(st.integers(0, 2)), draw(links), draw(titles)))
        found.append(connection(*pair, normal, warning, danger, notices))
    return found


@st.composite
def drawings(draw: st.DrawFn) -> Json:
    regions = draw(st.lists(names, min_size=1, max_size=2, unique=True))
    clusters = []
    for region in regions:
        inside = draw(connections(names))
        ends = sorted({name for each in inside for name in (each["source"], each["target"])})
        classes = draw(st.dictionaries(st.sampled_from(ends), st.sampled_from(["storage", "web"])))
        notices = draw(
            st.dictionaries(
                st.sampled_from(ends),
                st.lists(
                    st.builds(notice, titles, st.integers(0, 2), links),
                    max_size=2,
                    unique_by=lambda n: (n["title"], n["link"]),
                ),
            )
        )
        clusters.append(cluster(region, inside, 1e11, classes, notices))
    entering = [connection("INTERNET", region, *draw(st.tuples(rates, rates, rates))) for region in regions]
    classes = [{"name": name, "color": "red"} for name in ("default", "storage", "web")]
    return graph([*clusters, cluster("INTERNET")], entering, 1e11, classes=classes)


@given(drawn=st.lists(drawings(), min_size=1, max_size=3))
@settings(max_examples=12, deadline=None)
@pytest.mark.slow
def test_any_drawing_comes_back_as_it_was(
    drawn: list[Json], tmp_path_factory: pytest.TempPathFactory
) -> None:
    place = tmp_path_factory.mktemp("any")
    store(place / "vistio", {FIRST_NS + n * 10 * SECOND_NS: each for n, each in enumerate(drawn)})
    assert run(place / "vistio", place / "recording").exit_code == 0
    recording = opened(place / "recording")
    for n, drawing in enumerate(drawn):
        assert picture(shown_at(recording, FIRST_MS + n * 10_000)) == picture(drawing)


def test_a_notice_stays_however_few_requests_failed(tmp_path: Path) -> None:
    few = sys.float_info.min
    inside = connection("a", "b", 1e9, 0, few, [notice("danger", 2, LINK)])
    drawing = graph(
        [cluster("shop", [inside], 1e11), cluster("INTERNET")], [connection("INTERNET", "shop", 1)], 1e11
    )
    store(tmp_path / "vistio", {FIRST_NS: drawing})
    assert run(tmp_path / "vistio", tmp_path / "recording").exit_code == 0
    assert picture(shown_at(opened(tmp_path / "recording"), FIRST_MS)) == picture(drawing)


def test_outcomes_tell_what_was_left_out_once(tmp_path: Path) -> None:
    drawing = graph([], [connection("INTERNET", "shop", 1), connection("", "shop", 1)])
    read = read_drawing(FIRST_MS, go_json(drawing))
    kinds = Kinds()
    kinds.add(read)
    scrape = kinds.scrape(read, 10_000, kinds.configuration(read).hash)
    assert scrape.outcomes == (
        RuleOutcome("", scrape.outcomes[0].rule, Outcome.OK, series=1,
                    dropped={"a connection without a name at one end": 1}),
    )  # fmt: skip
