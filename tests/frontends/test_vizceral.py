"""The Vizceral frontend avoids each of the component's traps (docs/frontends.md), one by one."""

from __future__ import annotations

import json
import random
import re
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from frontends import graphs
from frontends.graphs import edge, graph, region
from vistio_core.configuration.model import Severity
from vistio_core.errors import UsageError
from vistio_core.frontends.css_colors import is_color
from vistio_core.frontends.vizceral import Vizceral
from vistio_core.frontends.vizceral_level import scale
from vistio_core.frontends.vizceral_text import safe_link
from vistio_core.graph.model import Edge, FailedRule, Graph, Node, Notice, Rates, Region

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = dict[str, Any]

FORBIDDEN_FIELDS = (  # noqa: SIM905  as words they read better
    "view options data type boundingBox incomingConnections outgoingConnections connected filtered"
    " defaultFiltered graphRenderer context depth invalidatedSinceLastViewUpdate classInvalidated _events"
    " nodeStatus position"
).split()


def drawn(of: Graph) -> Json:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    made: Json = json.loads(Vizceral().render(of, {}), parse_constant=refuse)
    return made


def inside(of: Graph, name: str = "mesh") -> Json:
    return next(node for node in drawn(of)["nodes"] if node["name"] == name)


def names(level: Json) -> list[str]:
    return [node["name"] for node in level["nodes"]]


def pairs(level: Json) -> list[tuple[str, str]]:
    return [(each["source"], each["target"]) for each in level["connections"]]


def total(connection: Json) -> float:
    return sum(connection["metrics"].values())


def synthetic(thing: Json) -> bool:
    return bool(thing["metadata"].get("vistio", {}).get("synthetic", False))


def levels(root: Json) -> Iterator[Json]:
    yield root
    for node in root["nodes"]:
        if "nodes" in node:
            yield node


def reached(level: Json) -> set[str]:
    """What the component's layout reaches from its entry nodes, for a level without cycles or with."""
    edges = pairs(level)
    stack = list({source for source, _ in edges} - {target for _, target in edges})
    found: set[str] = set()
    while stack:
        name = stack.pop()
        if name not in found:
            found.add(name)
            stack.extend(target for source, target in edges if source == name)
    return found


# -- the shape ------------------------------------------------------------------------------------


def test_the_shape_is_vistios() -> None:
    root = drawn(graphs.bookinfo())

    assert root["renderer"] == "global"
    assert root["name"] == "vistio"
    assert root["maxVolume"] == 2000.0
    assert root["serverUpdateTime"] == graphs.INSTANT_MS // 1000
    assert root["classes"] == [
        {"name": "app", "color": "#00ff00"},
        {"name": "default", "color": "rgb(186, 213, 237)"},
    ]
    internet, mesh = root["nodes"]
    assert internet == {
        "name": "INTERNET",
        "renderer": "region",
        "class": "default",
        "metadata": {"streaming": 1},
        "notices": [],
        "connections": [],
    }
    assert mesh["renderer"] == "region"
    assert mesh["maxVolume"] == 1000.0
    assert mesh["metadata"] == {"streaming": 1}
    details = mesh["nodes"][0]
    assert details["renderer"] == "focusedChild"
    assert details["connections"] == details["notices"] == []
    assert mesh["connections"][0] == {
        "source": "gateway",
        "target": "productpage",
        "metadata": {"streaming": 1},
        "metrics": {"normal": 90.0, "warning": 2.0, "danger": 1.0},
        "notices": [],
    }


def test_an_ordinary_tree_gets_nothing_that_was_not_recorded() -> None:
    root = drawn(graphs.bookinfo())
    assert names(root) == ["INTERNET", "mesh"]
    assert pairs(root) == [("INTERNET", "mesh")]
    assert names(root["nodes"][1]) == ["details", "gateway", "productpage", "ratings", "reviews"]
    assert not any(
        synthetic(each) for level in levels(root) for each in level["nodes"] + level["connections"]
    )


def test_the_root_says_which_instant_it_shows_and_what_was_not_seen() -> None:
    failed = FailedRule("mesh", "http", "timeout", "no answer within 8 s")
    about = drawn(graph(region("mesh", edge("a", "b")), failed=[failed]))["metadata"]["vistio"]
    assert about == {
        "instant": "2026-11-23T05:10:00Z",
        "asked": "2026-11-23T05:10:05Z",
        "age_s": 5.0,
        "interval_s": 10.0,
        "failed_rules": [
            {"cluster": "mesh", "rule": "http", "outcome": "timeout", "error": "no answer within 8 s"}
        ],
        "configuration": "5f" * 32,
        "backfilled": False,
        "marked_from": {"danger": 0.005, "warning": 0.05},
    }


def test_measurements_are_in_the_metadata_of_their_node_or_edge() -> None:
    mesh = inside(graphs.bookinfo())
    reviews = next(node for node in mesh["nodes"] if node["name"] == "reviews")
    assert reviews["metadata"] == {"streaming": 1, "vistio": {"measurements": {"saturation": 0.75}}}
    to_reviews = next(each for each in mesh["connections"] if each["target"] == "reviews")
    assert to_reviews["metadata"]["vistio"]["measurements"] == {"latency_p99_ms": 250.5}


# -- the ten traps ----------------------------------------------------------------------------------


def test_trap_1_the_root_has_no_updated() -> None:
    assert "updated" not in drawn(graphs.hostile())


def test_trap_2_any_order_of_the_same_facts_gives_the_same_bytes_sorted_by_name() -> None:
    ordered = graphs.large(300, 80, cycles=False)
    chance = random.Random(3)

    def shuffled(things: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(chance.sample(things, len(things)))

    mixed = attrs.evolve(
        ordered,
        nodes=shuffled(ordered.nodes),
        regions=tuple(
            attrs.evolve(each, nodes=shuffled(each.nodes), edges=shuffled(each.edges))
            for each in ordered.regions
        ),
    )
    assert Vizceral().render(mixed, {}) == Vizceral().render(ordered, {})
    for level in levels(drawn(ordered)):
        assert names(level) == sorted(names(level))
        assert pairs(level) == sorted(pairs(level))


def test_trap_2_where_there_is_a_cycle_the_entry_nodes_come_first() -> None:
    mesh = inside(
        graph(region("mesh", edge("z-gateway", "b"), edge("b", "c"), edge("c", "a"), edge("a", "b")))
    )
    assert names(mesh) == ["z-gateway", "a", "b", "c"]


@pytest.mark.parametrize(
    "edges",
    [
        [edge("b", "c"), edge("c", "d"), edge("d", "b")],
        [edge("gateway", "web"), edge("b", "c"), edge("c", "d"), edge("d", "b")],
        [edge("a", "b"), edge("b", "a")],
        [edge("a", "a")],
        [edge("a", "a"), edge("gateway", "web")],
        [edge("b", "c"), edge("c", "b"), edge("c", "a"), edge("x", "y"), edge("y", "x")],
    ],
    ids=[
        "a cycle",
        "a cycle beside a tree",
        "two that call each other",
        "a loop",
        "a loop beside a tree",
        "two cycles",
    ],
)
def test_trap_3_every_node_is_reached_from_an_entry_node(edges: list[Edge]) -> None:
    mesh = inside(graph(region("mesh", *edges)))
    assert reached(mesh) == set(names(mesh))
    added = [each for each in mesh["connections"] if synthetic(each)]
    assert added
    assert all(total(each) == 0 and each["source"] == "no-caller-seen" for each in added)
    assert [synthetic(node) for node in mesh["nodes"] if node["name"] == "no-caller-seen"] == [True]


def test_trap_3_what_is_added_depends_on_who_talks_to_whom_but_not_on_how_much() -> None:
    def added(*rates: float) -> list[tuple[str, str]]:
        ring = [edge("d", "b", rates[0]), edge("b", "c", rates[1]), edge("c", "d", rates[2]), edge("c", "a")]
        mesh = inside(graph(region("mesh", *ring)))
        return [(each["source"], each["target"]) for each in mesh["connections"] if synthetic(each)]

    # One edge is enough for the whole ring and what hangs on it, though "a" has a smaller name.
    assert added(1, 2, 3) == added(300, 0.5, 1) == [("no-caller-seen", "b")]


def test_trap_3_a_real_internet_node_is_preferred() -> None:
    mesh = inside(graph(region("mesh", edge("INTERNET", "web"), edge("b", "c"), edge("c", "b"))))
    assert names(mesh) == ["INTERNET", "b", "c", "web"]
    assert pairs(mesh) == [("INTERNET", "b"), ("INTERNET", "web"), ("b", "c"), ("c", "b")]


def test_trap_3_an_internet_node_that_is_called_itself_is_no_entry() -> None:
    mesh = inside(graph(region("mesh", edge("web", "INTERNET"), edge("INTERNET", "web"))))
    assert reached(mesh) == {"INTERNET", "web", "no-caller-seen"}


def test_trap_3_a_service_may_have_the_name_of_the_synthetic_entry() -> None:
    mesh = inside(graph(region("mesh", edge("a", "no-caller-seen"), edge("no-caller-seen", "a"))))
    assert names(mesh) == ["no-caller-seen_", "a", "no-caller-seen"]
    assert reached(mesh) == set(names(mesh))


def test_trap_4_an_idle_service_gets_an_edge_without_traffic() -> None:
    mesh = inside(graph(region("mesh", edge("a", "b"), nodes=[Node("idle"), Node("INTERNET")])))
    assert {"INTERNET", "idle"} <= reached(mesh)
    assert ("no-caller-seen", "idle") in pairs(mesh)


def test_trap_5_duplicate_edges_are_summed_and_their_notices_united() -> None:
    first, second = Notice("one", Severity.INFO), Notice("two", Severity.ERROR)
    twice = [
        Edge("a", "b", Rates(1.0, 2.0, 3.0), (first,), {"p50_ms": 1.0}),
        Edge("a", "b", Rates(10.0, 20.0, 30.0), (first, second), {"p99_ms": 2.0}),
    ]
    (only,) = inside(graph(region("mesh", *twice, max_volume=1.0)))["connections"]
    assert only["metrics"] == {"normal": 11.0, "warning": 22.0, "danger": 33.0}
    assert [notice["title"] for notice in only["notices"]] == ["two", "one"]
    assert only["metadata"]["vistio"]["measurements"] == {"p50_ms": 1.0, "p99_ms": 2.0}


def test_trap_5_edges_that_the_component_cannot_tell_apart_stay_two() -> None:
    # It calls an edge source--target: both of these are a--b--c.
    mesh = inside(graph(region("mesh", edge("a--b", "c", 1.0), edge("a", "b--c", 2.0))))
    keys = [f"{source}--{target}" for source, target in pairs(mesh)]
    assert len(set(keys)) == 2
    assert sorted(node.get("displayName", node["name"]) for node in mesh["nodes"]) == [
        "a",
        "a--b",
        "b--c",
        "c",
    ]
    assert sorted(node["metadata"].get("vistio", {}).get("name", node["name"]) for node in mesh["nodes"]) == [
        "a",
        "a--b",
        "b--c",
        "c",
    ]


def test_names_are_kept_where_nothing_is_ambiguous() -> None:
    mesh = inside(graph(region("mesh", edge("ns/a--b", "xn--c-"), edge("ns/a", "b"))))
    assert names(mesh) == ["b", "ns/a", "ns/a--b", "xn--c-"]


@pytest.mark.parametrize("name", ["constructor", "__proto__", "toString", "hasOwnProperty"])
def test_a_name_that_every_javascript_object_knows_is_changed_everywhere(name: str) -> None:
    root = drawn(graph(region(name, edge("a", name), edge(name, "b"))))
    assert names(root) == ["INTERNET", f"{name}_"]
    assert root["nodes"][1]["displayName"] == name
    assert pairs(root) == [("INTERNET", f"{name}_")]
    assert set(pairs(root["nodes"][1])) == {("a", f"{name}_"), (f"{name}_", "b")}


@pytest.mark.parametrize("severity", [-1, 0, 1, 2, 3, 99])
def test_trap_6_a_severity_is_0_1_or_2(severity: Any) -> None:
    odd = Node("a", notices=(Notice("odd", severity),))
    mesh = inside(graph(region("mesh", edge("a", "b"), nodes=[odd])))
    assert mesh["nodes"][0]["notices"][0]["severity"] == min(max(severity, 0), 2)


def test_trap_6_metrics_are_numbers_always_all_three() -> None:
    for level in levels(drawn(graphs.hostile())):
        for connection in level["connections"]:
            assert list(connection["metrics"]) == ["normal", "warning", "danger"]
            assert all(type(rate) in (int, float) for rate in connection["metrics"].values())


@pytest.mark.parametrize(
    ("configured", "peak", "expected"),
    [
        (1000.0, 0.0, 1000.0),
        (1000.0, 999.9, 1000.0),
        (1000.0, 1000.0, 1000.0),
        (1000.0, 1000.1, 2000.0),
        (5.0, 100.0, 160.0),
        (0.0, 3.0, 4.0),
        (0.0, 0.0, 0.0),
        (-1.0, 0.5, 1.0),
        (float("nan"), 7.0, 8.0),
    ],
)
def test_trap_7_the_scale_is_the_configured_one_doubled_until_it_covers_the_peak(
    configured: float, peak: float, expected: float
) -> None:
    assert scale(configured, peak) == expected


def test_trap_7_on_each_level_max_volume_covers_the_largest_edge() -> None:
    busy = graph(
        region("mesh", edge("a", "b", 50.0, 30.0, 21.0), max_volume=5.0),
        region("quiet"),
        edges=[edge("INTERNET", "mesh", 4321.0)],
        max_volume=10.0,
    )
    for level in levels(drawn(busy)):
        peak = max((total(each) for each in level["connections"]), default=0.0)
        assert level["maxVolume"] >= peak
        assert level["maxVolume"] > 0


def test_trap_7_the_scale_stays_while_traffic_changes_a_little() -> None:
    scales = {
        inside(graph(region("mesh", edge("a", "b", rate), max_volume=100.0)))["maxVolume"]
        for rate in (101.0, 150.0, 199.0)
    }
    assert scales == {200.0}


def test_trap_8_zero_rates_keep_an_edge_and_its_nodes() -> None:
    # The union topology of a window is a graph with such edges; they must not be dropped.
    mesh = inside(graph(region("mesh", edge("a", "b", 0.0), edge("b", "c", 0.0))))
    assert pairs(mesh) == [("a", "b"), ("b", "c")]
    assert not any(synthetic(each) for each in mesh["connections"])


def test_trap_9_notice_texts_are_escaped_and_ordered_by_severity() -> None:
    evil = '<img src=x onerror="alert(1)"> & more'
    noticed = Node("a", notices=(Notice("mild", Severity.INFO), Notice(evil, Severity.ERROR, subtitle=evil)))
    worst, mild = inside(graph(region("mesh", edge("a", "b"), nodes=[noticed])))["nodes"][0]["notices"]
    assert worst == {
        "title": '&lt;img src=x onerror="alert(1)"&gt; &amp; more',
        "subtitle": '&lt;img src=x onerror="alert(1)"&gt; &amp; more',
        "severity": 2,
    }
    assert mild == {"title": "mild", "severity": 0}


def test_trap_9_the_text_of_a_failed_rule_is_escaped_too() -> None:
    failed = FailedRule("mesh", "<b>", "failed", "<script>alert(1)</script>")
    mesh = inside(graph(region("mesh"), failed=[failed]))
    for node in (mesh, mesh["nodes"][0]):
        assert "<" not in node["notices"][0]["title"]


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        (
            "http://prometheus:9090/graph?g0.expr=a&g0.tab=0",
            "http://prometheus:9090/graph?g0.expr=a&g0.tab=0",
        ),
        ("HTTPS://x/", "HTTPS://x/"),
        ("//host/path", "//host/path"),
        ("/d/abc?var=1", "/d/abc?var=1"),
        ("../up", "../up"),
        ("?at=1", "?at=1"),
        ("#here", "#here"),
        ("runbooks/high-errors.html", "runbooks/high-errors.html"),
        (' http://x/"onclick="alert(1)', "http://x/%22onclick=%22alert(1)"),
        ("http://x/<b> `c`", "http://x/%3Cb%3E%20%60c%60"),
        ("javascript:alert(1)", ""),
        ("JaVaScRiPt:alert(1)", ""),
        ("java\tscript:alert(1)", ""),
        ("\x01javascript:alert(1)", ""),
        ("javascript&colon;alert(1)", ""),
        ("&#106;avascript:alert(1)", ""),
        ("data:text/html,<script>", ""),
        ("vbscript:x", ""),
        ("http://x/\nheader", ""),
        ("mailto:a@b", ""),
        ("", ""),
    ],
)
def test_trap_9_only_http_https_and_relative_links_pass(link: str, expected: str) -> None:
    assert safe_link(link) == expected


def test_trap_10_no_forbidden_field_is_on_any_node() -> None:
    for level in levels(drawn(graphs.hostile())):
        for node in level["nodes"]:
            assert not node.keys() & set(FORBIDDEN_FIELDS)
            # The component copies every field onto a live object, so only known ones may be there.
            assert node.keys() <= {
                "name",
                "renderer",
                "class",
                "metadata",
                "notices",
                "connections",
                "nodes",
                "maxVolume",
                "displayName",
            }


# -- what else is lost, blank or throws ---------------------------------------------------------------


@pytest.mark.parametrize("rate", [float("nan"), float("inf"), float("-inf"), -1.5])
def test_a_rate_that_cannot_be_drawn_is_drawn_as_zero(rate: float) -> None:
    (only,) = inside(graph(region("mesh", edge("a", "b", 2.0, rate))))["connections"]
    assert only["metrics"] == {"normal": 2.0, "warning": 0.0, "danger": 0.0}


def test_a_negative_rate_stays_in_the_metadata() -> None:
    (only,) = inside(graph(region("mesh", edge("a", "b", 2.0, -1.5))))["connections"]
    assert only["metadata"]["vistio"]["rates"] == {"normal": 2.0, "warning": -1.5, "danger": 0.0}


def test_a_cluster_without_traffic_from_outside_is_shown_and_can_be_entered() -> None:
    root = drawn(graph(region("mesh", edge("gateway", "web", 9.0)), edges=[]))
    assert names(root) == ["INTERNET", "mesh"]
    assert synthetic(root["nodes"][0])
    (only,) = root["connections"]
    assert (only["source"], only["target"], total(only), synthetic(only)) == ("INTERNET", "mesh", 0, True)
    assert names(root["nodes"][1]) == ["gateway", "web"]


def test_a_region_that_no_global_node_is_named_after_is_shown_beside_the_others() -> None:
    root = drawn(
        graph(region("mesh", edge("a", "b")), region("other", edge("c", "d")), edges=[edge("users", "mesh")])
    )
    assert root["entryNode"] == "users"
    assert pairs(root) == [("users", "mesh"), ("users", "other")]


def test_the_graph_always_has_one_entry_node_on_the_global_level() -> None:
    crossing = [edge("PARTNER", "mesh"), edge("INTERNET", "mesh"), edge("mesh", "INTERNET")]
    assert drawn(graph(region("mesh", edge("a", "b")), edges=crossing))["entryNode"] == "INTERNET"
    assert drawn(graph(edges=[]))["nodes"][0]["name"] == "INTERNET"


def test_a_quiet_region_says_so_instead_of_having_no_nodes() -> None:
    mesh = inside(graph(region("mesh", max_volume=30.0)))
    (only,) = mesh["nodes"]
    assert (only["name"], synthetic(only), only["notices"][0]["severity"]) == ("no-traffic", True, 0)
    assert mesh["maxVolume"] == 30.0


def test_a_region_whose_rules_failed_is_told_from_a_quiet_one() -> None:
    failed = [
        FailedRule("mesh", "b", "timeout", "8 s"),
        FailedRule("mesh", "a", "failed", "422: parse error"),
    ]
    mesh = inside(graph(region("mesh"), failed=failed))
    (only,) = mesh["nodes"]
    assert only["name"] == "not-seen"
    expected = {"title": "Not all was seen: rule a: failed: 422: parse error, and 1 more", "severity": 1}
    assert only["notices"] == mesh["notices"] == [expected]


def test_a_failed_rule_of_the_global_level_is_noticed_at_the_entry() -> None:
    failed = [FailedRule("", "ingress", "failed", "503")]
    for edges in ([], [edge("INTERNET", "mesh")]):
        internet = drawn(graph(region("mesh", edge("a", "b")), edges=edges, failed=failed))["nodes"][0]
        assert "ingress" in internet["notices"][0]["title"]


def test_a_global_node_that_is_no_region_can_be_entered_too() -> None:
    # Else it shows REGION LOADING for ever, or stops the component when its last edge goes.
    root = drawn(graph(edges=[edge("INTERNET", "mesh"), edge("mesh", "partner")]))
    assert [names(node) for node in root["nodes"][1:]] == [["not-recorded"], ["not-recorded"]]


@pytest.mark.parametrize(
    ("given", "failed", "told"),
    [
        (region("mesh"), [], "mesh 的所有规则均得到应答：没有流量"),
        (region("mesh"), [FailedRule("mesh", "a", "timeout", "8 s")], "数据不完整：规则 a：超时：8 s"),
        (region("mesh"), [FailedRule("mesh", "{a}", "{b!r}", "{")], "数据不完整：规则 {a}：{b!r}：{"),
        (None, [], "没有规则查询 mesh 的内部"),
    ],
)
def test_why_there_is_nothing_inside_is_told_in_a_language(
    given: Region | None, failed: list[FailedRule], told: str
) -> None:
    regions = [] if given is None else [given]
    of = graph(*regions, edges=[edge("INTERNET", "mesh")], failed=failed)
    made = json.loads(Vizceral().render(of, {"lang": "zh"}))
    (mesh,) = [node for node in made["nodes"] if node["name"] == "mesh"]
    assert [notice["title"] for notice in mesh["nodes"][0]["notices"]] == [told]
    assert Vizceral().render(of, {"lang": "en"}) == Vizceral().render(of, {})
    with pytest.raises(UsageError, match=r"^option lang='fr': use one of en, zh$"):
        Vizceral().render(of, {"lang": "fr"})


@pytest.mark.parametrize(
    ("color", "passes"),
    [
        ("red", True),
        ("RebeccaPurple", True),
        ("#abc", True),
        ("#aabbcc", True),
        ("rgb(186, 213, 237)", True),
        ("rgba(1,2,3,.5)", True),
        ("hsl(120.5,50%,50%)", True),
        ("transparent", False),
        ("#ab", False),
        ("rgb(1 2 3)", False),
        ("hsl(120deg,50%,50%)", False),
        ("url(javascript:alert(1))", False),
        ("red;background:url(x)", False),
        ("", False),
    ],
)
def test_only_colours_that_the_component_can_parse_pass(color: str, passes: bool) -> None:
    assert is_color(color) is passes
    classes = drawn(graph(classes={"app": color, "default": "#123456"}))["classes"]
    assert classes == [
        {"name": "app", "color": color if passes else "#123456"},
        {"name": "default", "color": "#123456"},
    ]


def test_every_class_in_use_has_a_colour_and_default_is_always_there() -> None:
    odd = [Node("a", "unheard-of"), Node("b", "")]
    root = drawn(graph(region("mesh", edge("a", "b"), nodes=odd), classes={}))
    assert [known["name"] for known in root["classes"]] == ["default", "unheard-of"]
    assert all(re.fullmatch(r"rgb\(.*\)", known["color"]) for known in root["classes"])
    used = {node["class"] for level in levels(root) for node in level["nodes"]}
    assert used == {"default", "unheard-of"}


def test_an_edge_whose_ends_are_not_among_the_nodes_is_not_lost() -> None:
    stray = attrs.evolve(region("mesh", edge("a", "b")), nodes=())
    assert names(inside(graph(stray))) == ["a", "b"]


def test_names_that_javascript_sorts_first_are_reached_without_the_order_of_nodes() -> None:
    mesh = inside(graph(region("mesh", edge("gateway", "a"), edge("a", "1"), edge("1", "2"), edge("2", "a"))))
    assert {target for source, target in pairs(mesh) if source == "no-caller-seen"} == {"1", "2"}
