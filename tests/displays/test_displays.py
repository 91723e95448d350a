"""What values show of themselves in a notebook: short, whole, honest, and harmless whatever names they have."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from frontends.graphs import HOSTILE_NAMES, bookinfo, edge, graph, hostile, region
from support.recordings import recorded
from support.scrapes import INTERVAL_MS, START_MS, all_failed, edges, scrape

import vistio_core as vistio
from vistio_core.displays import html
from vistio_core.displays.layers import layers
from vistio_core.displays.picture import MOST_NODES
from vistio_core.graph.edges import Edges
from vistio_core.graph.model import FailedRule, Graph, Node, Rates, Region
from vistio_core.times import HOUR_MS, MINUTE_MS, format_instant

TAGS = {
    *("div", "details", "summary", "table", "thead", "tbody", "tr", "th", "td", "a"),
    *("svg", "g", "title", "rect", "text", "path"),
}
EVIL = '"><script>window.hacked=true</script>\u202e'


class Elements(HTMLParser):
    """Every element of a fragment, which must be closed in order; and its text."""

    def __init__(self, fragment: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(fragment)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attributes)))
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.found)


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> vistio.Recording:
    """Two hours in which `db` fails in the last ten minutes, with a gap before; all names are hostile."""
    cart, db = HOSTILE_NAMES[0], EVIL
    scrapes = []
    for index in range(240):
        if 165 <= index < 172:
            continue
        failing = 4.0 if index >= 220 else 0.0
        told = edges({"INTERNET>mesh 200": 20.0}, rule="ingress", cluster="")
        told += [
            vistio.Sample("mesh", "http", "gateway", cart, "200", 20.0),
            vistio.Sample("mesh", "http", cart, db, "200", 20.0 - failing),
        ]
        if failing:
            told.append(vistio.Sample("mesh", "http", cart, db, "503", failing))
        outcome = all_failed() if index == 200 else {}
        scrapes.append(
            scrape(START_MS + index * 30_000, () if outcome else told, interval_ms=30_000, **outcome)
        )
    recording = recorded(tmp_path_factory.mktemp("displays") / "r", scrapes)
    text = f"{EVIL}\nline two"
    recording.annotate(
        text,
        START_MS + 110 * MINUTE_MS,
        kind="deployment",
        node=HOSTILE_NAMES[1],
        link='https://x/?"><b>',
        tags={"<i>": EVIL},
    )
    return recording


END_MS = START_MS + 2 * HOUR_MS
ASKED: dict[str, Callable[[vistio.Recording], object]] = {
    "recording": lambda recording: recording,
    "graph": lambda recording: recording.graph(END_MS),
    "comparison": lambda recording: recording.compare((START_MS, START_MS + HOUR_MS), END_MS),
    "suspects": lambda recording: recording.suspects(END_MS - 10 * MINUTE_MS, END_MS),
    "no suspects": lambda recording: recording.suspects(
        START_MS + HOUR_MS, START_MS + HOUR_MS + 10 * MINUTE_MS
    ),
    "incidents": lambda recording: recording.incidents(START_MS + HOUR_MS, END_MS),
    "timeline": lambda recording: vistio.show(recording.timeline(START_MS + HOUR_MS, END_MS, "1m")),
    "annotations": lambda recording: vistio.show(recording.annotations()),
    "annotation": lambda recording: vistio.Annotation(START_MS, EVIL, node=EVIL, link='https://x/"><b>'),
    "hostile graph": lambda recording: hostile(),
}


@pytest.mark.parametrize("what", ASKED)
def test_what_comes_from_outside_is_never_markup(recording: vistio.Recording, what: str) -> None:
    shown = ASKED[what](recording)._repr_html_()  # type: ignore[attr-defined]
    elements = Elements(shown)
    assert {tag for tag, _ in elements.found} <= TAGS
    assert not [name for _, attributes in elements.found for name in attributes if name.startswith("on")]
    assert {attributes["href"] for tag, attributes in elements.found if tag == "a"} <= {'https://x/"><b>'}
    assert "\u202e" not in shown


@pytest.mark.parametrize("what", ASKED)
def test_a_value_prints_in_one_short_line(recording: vistio.Recording, what: str) -> None:
    shown = repr(ASKED[what](recording))
    assert shown.startswith("<")
    assert shown.endswith(">")
    assert "\n" not in shown
    assert "\u202e" not in shown
    assert len(shown) < 300


def test_frames_print_in_a_line_and_not_all_that_they_hold(recording: vistio.Recording) -> None:
    shown = repr(recording.frames(END_MS - 10 * MINUTE_MS, END_MS, "10s"))
    assert shown == "<Frames of 2026-11-23T06:50:00Z to 2026-11-23T07:00:00Z: 60, one each 10s; levels: 2>"


def test_a_graph_of_ten_thousand_edges_prints_in_a_line_and_draws_the_busiest() -> None:
    names = [f"service-{number:04d}" for number in range(1_000)]
    source = np.repeat(np.arange(1_000), 10)
    target = (source + np.tile(np.arange(1, 11), 1_000)) % 1_000
    rates = np.zeros((10_000, 3))
    rates[:, 0] = 1.0 + (source < 20) * 100.0
    big = Edges(names, source, target, rates, {}, {})
    shown = graph(Region("mesh", 0.0, tuple(Node(name) for name in names), big))
    assert repr(shown) == (
        "<Graph vistio at 2026-11-23T05:10:00Z, asked for 2026-11-23T05:10:05Z: 1 region, 1,002 nodes, 10,001 edges>"
    )
    elements = Elements(shown._repr_html_())
    assert elements.count("rect") == MOST_NODES + 2
    assert "drawn: the 40 nodes with notices or most requests, of 1,000; " in elements.text
    assert "and 9,991 edges more" in elements.text
    assert len(shown._repr_html_()) < 300_000


def test_a_graph_shows_what_fails_what_it_notices_and_what_was_not_seen() -> None:
    shown = graph(
        region("mesh", edge("a", "b", 9.0, danger=1.0), edge("b", "c", np.nan, np.nan, np.nan)),
        failed=[FailedRule("mesh", "http", "timeout", "no answer within 8 s")],
    )
    elements = Elements(shown._repr_html_())
    assert "a to b: 10 requests a second, 10 % fail" in elements.text
    assert "b to c: not seen" in elements.text
    assert "mesh/http: timeout: no answer within 8 s" in elements.text
    assert repr(shown).endswith("1 rule not seen>")
    assert "error: mesh/reviews: [0.06000] High Error Rate" in Elements(bookinfo()._repr_html_()).text


def test_a_graph_with_many_levels_draws_those_that_carry_most() -> None:
    regions = [region(f"cluster-{number}", edge("a", "b", float(number))) for number in range(1, 6)]
    elements = Elements(graph(*regions, edges=[])._repr_html_())
    assert elements.count("details") == 3
    assert all(f"cluster-{number}" in elements.text for number in (3, 4, 5))
    assert "not drawn: 2 levels with less traffic" in elements.text


def test_a_recording_says_where_from_when_to_when_who_wrote_and_what_was_not_seen(
    recording: vistio.Recording, tmp_path: Path
) -> None:
    assert repr(recording) == f"<Recording {recording.place}: 2026-11-23T05:00:00Z to 06:59:30Z, by a>"
    text = Elements(recording._repr_html_()).text
    assert "2026-11-23T06:22:30Z to 2026-11-23T06:26:00Z, 7 instants of writer a: not running" in text
    assert "2026-11-23T06:40:00Z to 2026-11-23T06:40:30Z, 1 instant of writer a: not seen" in text
    assert "2026-11-23T06:24:00Z: not seen" in text, "in the chart"
    empty = vistio.Recording.open(tmp_path / "empty", create=True)
    assert repr(empty) == f"<Recording {empty.place}: nothing recorded yet>"
    Elements(empty._repr_html_())
    (tmp_path / "empty" / "vistio.json").unlink()
    assert "empty" in repr(empty), "it does not raise"


def test_suspects_and_incidents_say_who_and_when_or_that_there_is_nothing(
    recording: vistio.Recording,
) -> None:
    trouble = END_MS - 10 * MINUTE_MS
    suspects = recording.suspects(trouble, END_MS)
    assert repr(suspects).startswith("<Suspects of 2026-11-23T06:50:00Z to 07:00:00Z: ")
    assert repr(suspects).endswith("; 2 gaps>")
    assert "not running" in Elements(suspects._repr_html_()).text
    quiet = recording.suspects(START_MS + HOUR_MS, START_MS + HOUR_MS + 10 * MINUTE_MS)
    assert repr(quiet) == "<Suspects of 2026-11-23T06:00:00Z to 06:10:00Z: nothing stands out>"
    assert "Nothing stands out." in Elements(quiet._repr_html_()).text
    incidents = recording.incidents(START_MS + HOUR_MS, END_MS)
    assert re.fullmatch(r"<1 incident: .* at 2026-11-23T06:50:00Z; 2 gaps>", repr(incidents))
    assert repr(recording.incidents(START_MS, START_MS + HOUR_MS)) == "<0 incidents>"


def test_other_answers_say_what_was_asked_what_was_found_and_what_was_not_seen(
    recording: vistio.Recording,
) -> None:
    hour = START_MS + HOUR_MS
    around = recording.blast_radius("gateway", hour)
    assert repr(around) == "<Blast radius of gateway at 2026-11-23T06:00:00Z: 0 callers, 2 dependencies>"
    assert Elements(around._repr_html_()).count("tr") == 1 + len(around)
    path = recording.path(END_MS - 10 * MINUTE_MS, END_MS)
    assert repr(path) == f"<Path of 2026-11-23T06:50:00Z to 07:00:00Z: {path.summary}>"
    there = recording.seen(START_MS, END_MS)
    assert repr(there).startswith("<Seen in 2026-11-23T05:00:00Z to 07:00:00Z: ")
    assert repr(there).endswith(" 0 new, 0 vanished; 2 gaps>")
    raised = recording.rejudge(None, START_MS, END_MS)
    assert repr(raised).startswith("<Alerts of 2026-11-23T05:00:00Z to 07:00:00Z: ")
    for each in (path, there, raised):
        assert "not running" in Elements(each._repr_html_()).text
        assert each.to_pandas().shape == (len(each), each.table.num_columns)
        assert each.to_polars().shape == (len(each), each.table.num_columns)


def test_a_comparison_counts_its_changes_and_names_the_rules_that_were_not_answered(tmp_path: Path) -> None:
    told = {"a>b 200": 5.0, "a>c 200": 1.0}
    failed = scrape(
        START_MS + 2 * INTERVAL_MS, edges({"INTERNET>mesh 200": 1.0}, "ingress", ""), http="timeout"
    )
    recording = recorded(
        tmp_path / "r",
        [scrape(START_MS, told), scrape(START_MS + INTERVAL_MS, {"a>b 200": 7.0, "b>d 200": 1.0}), failed],
    )
    later = format_instant(START_MS + INTERVAL_MS)
    assert repr(recording.compare(START_MS, START_MS + INTERVAL_MS)) == (
        f"<Comparison of 2026-11-23T05:00:00Z with {later}: 1 changed, 1 new, 1 gone>"
    )
    unseen = recording.compare(START_MS, START_MS + 2 * INTERVAL_MS)
    assert repr(unseen).endswith("2 unseen>")
    assert "after: mesh/http, which could have told of 2 edges" in Elements(unseen._repr_html_()).text
    same = recording.compare(START_MS, START_MS)
    assert repr(same).endswith(": nothing changed>")


def test_a_timeline_is_drawn_and_its_first_rows_are_told(recording: vistio.Recording) -> None:
    table = recording.timeline(START_MS + HOUR_MS, END_MS, "1m")
    shown = vistio.show(table)
    assert repr(shown).startswith("<60 rows of start, normal, warning, danger")
    elements = Elements(shown._repr_html_())
    assert "2026-11-23T06:55:00Z: 60 requests/s, 6.7 % fail" in elements.text
    assert "and 50 rows more" in elements.text
    assert elements.count("tr") == 1 + html.MOST_ROWS
    assert vistio.show(pa.table({"n": [1.5, None]}))._repr_html_().count("<td") == 2


def test_layers_put_callers_to_the_left_and_let_calls_pass_and_lead_back() -> None:
    calls = [
        ("web", "cart"),
        ("web", "search"),
        ("cart", "db"),
        ("search", "db"),
        ("web", "db"),
        ("db", "web"),
    ]
    placed = layers(["web", "cart", "search", "db"], [*calls, ("db", "db")])
    assert [set(layer) for layer in placed] == [{"web"}, {"cart", "search", ("web", "db")}, {"db"}]
    assert layers([], []) == []
    assert layers(["a", "b"], [("a", "b"), ("b", "a")]) == [["a"], ["b"]]
    crossed = layers(["a", "b", "x", "y"], [("a", "y"), ("b", "x")])
    assert crossed in ([["a", "b"], ["y", "x"]], [["b", "a"], ["x", "y"]])


def test_a_deep_chain_of_calls_is_laid_out() -> None:
    names = [str(number) for number in range(3_000)]
    assert layers(names, [*pairwise(names)]) == [[name] for name in names]


@pytest.mark.parametrize("color", [html.DANGER, html.WARNING, html.NORMAL])
@pytest.mark.parametrize("paper", ["#ffffff", "#1e1e1e"])
def test_colours_can_be_told_from_light_and_from_dark_paper(color: str, paper: str) -> None:
    lighter, darker = sorted((luminance(color), luminance(paper)), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= 3


def luminance(color: str) -> float:
    """As WCAG 2 defines it."""
    channels = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in channels]
    return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))


def test_an_edge_without_a_node_of_its_own_is_not_drawn_and_does_not_break() -> None:
    lone = Region("mesh", 0.0, (Node("a"),), (vistio.Edge("a", "ghost", Rates(1.0)),))
    shown: Graph = graph(lone)
    assert shown.nodes_table()["leaving_rps"].to_pylist()[-1] == 1.0
    assert "ghost" in shown._repr_html_()
