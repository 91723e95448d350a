"""The formats without levels, each read back by what it is for."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
from typing import Any
from xml.etree import ElementTree

import attrs
import networkx
import pytest

from frontends import graphs
from frontends.graphs import HOSTILE_NAMES, edge, graph, region
from vistio_core import frontends
from vistio_core.errors import UsageError
from vistio_core.frontends.flat import flatten, node_id
from vistio_core.frontends.mermaid import MAX_CHARACTERS
from vistio_core.frontends.tidy import tidy
from vistio_core.graph.model import Edge, Graph, Node, Rates


def render(name: str, of: Graph, **options: str) -> str:
    return frontends.get(name).render(of, options).decode()


def loaded(name: str, of: Graph, **options: str) -> Any:
    return json.loads(render(name, of, **options))


def ids(of: Graph) -> set[str]:
    return {each.id for each in flatten(of, {}).nodes}


# -- ids ------------------------------------------------------------------------------------------


def test_an_id_is_unique_whatever_characters_names_have() -> None:
    addresses = [
        ("a", "b/c"),
        ("a/b", "c"),
        ("", "a/b"),
        ("a", "b%2Fc"),
        ("a%2Fb", "c"),
        ("a", "b"),
        ("", "a%2Fb"),
    ]
    assert len({node_id(*address) for address in addresses}) == len(addresses)
    assert node_id("mesh", "reviews") == "mesh/reviews"
    assert node_id("", "INTERNET") == "INTERNET"


def test_edge_ids_are_unique_even_with_spaces_in_names() -> None:
    flat = flatten(graph(region("m", edge("a b", "c"), edge("a", "b c"), edge("a%20b", "c"))), {})
    assert len({each.id for each in flat.edges}) == len(flat.edges)


def test_a_cluster_without_a_global_node_still_has_one_to_belong_to() -> None:
    assert "mesh" in ids(graph(region("mesh", edge("a", "b")), edges=[]))


def test_one_cluster_can_be_asked_for() -> None:
    several = graph(region("one", edge("a", "b")), region("two", edge("c", "d")))
    assert [each.id for each in flatten(several, {"cluster": "two"}).nodes] == ["two/c", "two/d"]


# -- node-link ------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["edges", "links"])
def test_networkx_reads_node_link_json(key: str) -> None:
    made = loaded("node-link", graphs.bookinfo(), edges=key)
    read = networkx.node_link_graph(made, edges=key)
    assert set(read) == ids(graphs.bookinfo())
    assert read["mesh/productpage"]["mesh/reviews"]["danger"] == 5.0
    assert read["mesh/productpage"]["mesh/reviews"]["measurements"] == {"latency_p99_ms": 250.5}
    assert read.nodes["mesh/reviews"]["incoming"]["total"] == 45.0
    assert read.nodes["mesh/reviews"]["notices"][0]["severity"] == 2
    assert read.graph["instant"] == "2026-11-23T05:10:00Z"


def test_node_link_keeps_hostile_names_as_they_are() -> None:
    read = networkx.node_link_graph(loaded("node-link", graphs.hostile()), edges="edges")
    assert {data["name"] for _, data in read.nodes(data=True)} >= set(HOSTILE_NAMES)


# -- cytoscape ------------------------------------------------------------------------------------


@pytest.mark.parametrize("of", [graphs.bookinfo(), graphs.hostile()], ids=["tree", "hostile"])
def test_cytoscape_elements_have_unique_ids_and_refer_to_each_other(of: Graph) -> None:
    elements = loaded("cytoscape", of)["elements"]
    nodes = [each["data"] for each in elements["nodes"]]
    edges = [each["data"] for each in elements["edges"]]
    known = {each["id"] for each in nodes}
    assert len(known | {each["id"] for each in edges}) == len(nodes) + len(edges)
    assert all(each["source"] in known and each["target"] in known for each in edges)
    boxes = {each["id"] for each in nodes if each.get("isBox")}
    assert {each["parent"] for each in nodes if "parent" in each} == boxes


def test_networkx_reads_cytoscape_json() -> None:
    made = loaded("cytoscape", graphs.bookinfo())
    read = networkx.cytoscape_graph(
        {
            "data": [],
            "directed": True,
            "multigraph": False,
            "elements": {
                "nodes": [
                    {"data": {"value": each["data"]["id"], "name": each["data"]["app"], **each["data"]}}
                    for each in made["elements"]["nodes"]
                ],
                "edges": made["elements"]["edges"],
            },
        }
    )
    traffic = read["mesh/productpage"]["mesh/reviews"]["traffic"]
    assert traffic["rates"] == {"http": 45.0, "httpPercentErr": pytest.approx(100 / 9)}
    assert traffic["responses"] == {"normal": 40.0, "warning": 0.0, "danger": 5.0}


# -- grafana --------------------------------------------------------------------------------------


@pytest.mark.parametrize("of", [graphs.bookinfo(), graphs.hostile()], ids=["tree", "hostile"])
def test_grafana_gets_only_declared_fields_and_arcs_that_sum_to_one(of: Graph) -> None:
    made = loaded("grafana", of)
    for what in ("nodes", "edges"):
        declared = {field["field_name"] for field in made["fields"][f"{what}_fields"]}
        assert made[what]
        assert all(set(each) == declared for each in made[what])
        assert len({each["id"] for each in made[what]}) == len(made[what])
    for node in made["nodes"]:
        assert sum(value for name, value in node.items() if name.startswith("arc__")) == pytest.approx(1)
    known = {node["id"] for node in made["nodes"]}
    assert all(each["source"] in known and each["target"] in known for each in made["edges"])


def test_grafana_asks_for_fields_and_data_apart() -> None:
    whole = loaded("grafana", graphs.bookinfo())
    assert loaded("grafana", graphs.bookinfo(), part="fields") == whole["fields"]
    assert loaded("grafana", graphs.bookinfo(), part="data") == {
        key: whole[key] for key in ("nodes", "edges")
    }
    with pytest.raises(UsageError, match="use fields or data"):
        render("grafana", graphs.bookinfo(), part="all")


# -- dot ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("of", [graphs.bookinfo(), graphs.hostile()], ids=["tree", "hostile"])
def test_graphviz_draws_every_node_with_its_name_as_text(of: Graph) -> None:
    dot = shutil.which("dot")
    if dot is None:
        pytest.skip("needs Graphviz (dot)")
    done = subprocess.run(
        [dot, "-Tsvg"], input=render("dot", of).encode(), capture_output=True, check=True, timeout=60
    )
    assert done.stderr == b""
    svg = ElementTree.fromstring(done.stdout)
    space = "{http://www.w3.org/2000/svg}"
    assert len(svg.findall(f".//{space}g[@class='node']")) == len(ids(of))
    assert len(svg.findall(f".//{space}g[@class='edge']")) == len(flatten(of, {}).edges)
    shown = "\n".join(text.text or "" for text in svg.iter(f"{space}text")).replace("\xa0", " ")
    for each in flatten(of, {}).nodes:
        visible = re.sub(r"[\x00-\x1f]", "", each.node.name)
        if visible == each.node.name:
            assert each.node.name.strip() in shown


def test_dot_refuses_another_direction() -> None:
    with pytest.raises(UsageError, match="use one of LR, TB, RL, BT"):
        render("dot", graphs.bookinfo(), rankdir="up")


# -- mermaid --------------------------------------------------------------------------------------

_MERMAID_LINES = (
    r"flowchart LR",
    r"  %% [^{}]*",
    r'  subgraph c\d+\["[^"<>{}`|]*"\]',
    r"  end",
    r' +n\d+\["[^"<>{}`|]*(<br/>(info|warning|error))?(<br/>[^"<>{}`|]+)*"\]',
    r'  n\d+ -->\|"[^"<>{}`|]*(<br/>[^"<>{}`|]+)*"\| n\d+',
    r"  linkStyle [\d,]+ stroke:#[0-9a-f]{6}",
)


@pytest.mark.parametrize("of", [graphs.bookinfo(), graphs.hostile()], ids=["tree", "hostile"])
def test_every_line_of_mermaid_is_one_of_those_that_we_mean(of: Graph) -> None:
    lines = render("mermaid", of).splitlines()
    for line in lines:
        assert any(re.fullmatch(form, line) for form in _MERMAID_LINES), line
    assert sum(" -->|" in line for line in lines) == len(flatten(of, {}).edges)


def test_mermaid_shows_the_edges_with_the_most_traffic_and_says_what_it_leaves_out() -> None:
    edges = [edge(f"s{number}", f"t{number}", float(number)) for number in range(1, 601)]
    text = render("mermaid", graph(region("m", *edges), edges=[]))
    shown = text.count("-->")
    assert 300 <= shown <= 500
    assert len(text) <= MAX_CHARACTERS
    assert f"shown: the {shown} edges with the most traffic; left out: {600 - shown} edges" in text
    assert "600 rps" in text
    assert '"1 rps"' not in text


def test_mermaid_shows_measurements_of_edges_and_nodes() -> None:
    text = render("mermaid", graphs.bookinfo())
    assert '|"45 rps, 11.1 #37; danger, error<br/>latency_p99_ms 250.5"|' in text
    assert '["reviews<br/>error<br/>saturation 0.75"]' in text


def test_mermaid_leaves_out_measurements_before_edges() -> None:
    measured = {f"latency_p{percent}_ms": 1.0 for percent in (50, 75, 90, 95, 99)}
    edges = [Edge("a", f"t{number}", Rates(1.0), (), measured) for number in range(500)]
    text = render("mermaid", graph(region("m", *edges), edges=[]))
    assert text.count("-->") == 500
    assert len(text) <= MAX_CHARACTERS
    assert "latency" not in text
    assert text.count("measurements are left out") == 1
    assert "measurements are left out" not in render("mermaid", graph(region("m", edge("a", "b")), edges=[]))


@pytest.mark.parametrize("name", frontends.names())
def test_an_edge_without_requests_is_drawn_with_what_was_measured(name: str) -> None:
    tcp = Edge("app", "db", Rates(), (), {"sent_bytes_per_second": 1234.0})
    text = render(name, graph(region("mesh", tcp)))
    assert "sent_bytes_per_second" in text
    assert "1234" in text


@pytest.mark.parametrize(("count", "shown"), [(499, 499), (500, 500), (501, 500)])
def test_mermaid_draws_up_to_500_edges(count: int, shown: int) -> None:
    edges = [edge("a", f"t{number}") for number in range(count)]
    assert render("mermaid", graph(region("m", *edges), edges=[])).count("-->") == shown


def test_mermaid_takes_another_limit() -> None:
    text = render("mermaid", graphs.large(600, 100), max_edges="10")
    assert text.count("-->") == 10
    # Who raises this limit has raised the one on characters too, so the text may be longer.
    long = render("mermaid", graphs.large(2_000, 100), max_edges="1999")
    assert long.count("-->") == 1_999
    assert len(long) > MAX_CHARACTERS
    with pytest.raises(UsageError, match="whole number from 1"):
        render("mermaid", graphs.bookinfo(), max_edges="0")


# -- graphml --------------------------------------------------------------------------------------


@pytest.mark.parametrize("of", [graphs.bookinfo(), graphs.hostile()], ids=["tree", "hostile"])
def test_networkx_reads_graphml(of: Graph) -> None:
    read = networkx.read_graphml(io.BytesIO(frontends.get("graphml").render(of, {})))
    assert read.is_directed()
    assert len(read) == len(ids(of))
    assert read.number_of_edges() == len(flatten(of, {}).edges)
    named = {data["name"] for _, data in read.nodes(data=True)}
    assert named >= {each.node.name for each in flatten(of, {}).nodes if "\x00" not in each.node.name}


def test_graphml_has_rates_notices_and_measurements() -> None:
    read = networkx.read_graphml(io.BytesIO(frontends.get("graphml").render(graphs.bookinfo(), {})))
    found = read["mesh/productpage"]["mesh/reviews"]
    assert (found["normal"], found["danger"], found["total"]) == (40.0, 5.0, 45.0)
    assert found["measurement.latency_p99_ms"] == 250.5
    assert json.loads(found["notices"])[0]["title"] == "[0.06000] High Error Rate"
    assert read.nodes["mesh/reviews"]["measurement.saturation"] == 0.75


def test_a_node_without_edges_is_in_every_flat_format() -> None:
    idle = graph(region("mesh", edge("a", "b"), nodes=[Node("idle-service")]))
    for name in ("node-link", "cytoscape", "grafana", "dot", "mermaid", "graphml"):
        assert "idle-service" in render(name, idle)


# -- two witnesses --------------------------------------------------------------------------------


def told(told_by: str, **measured: float) -> Edge:
    return Edge(
        "a", f"{told_by or 'nobody'}-b", Rates(7.0, danger=3.0), measurements=measured, told_by=told_by
    )


TOLD = graph(
    region(
        "mesh",
        told("both", lost_rps=3.0, network_ms=2.5, latency_mean_ms=10.0, caller_latency_mean_ms=12.5),
        told("caller"),
        told("called"),
        told(""),
    )
)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("node-link", ("edges",)),
        ("cytoscape", ("elements", "edges")),
        ("vizceral", ("nodes", 1, "connections")),
    ],
)
def test_json_says_who_told_of_an_edge_and_nothing_where_no_rule_says_whose_it_is(
    name: str, path: tuple[str | int, ...]
) -> None:
    found: Any = loaded(name, TOLD)
    for each in path:
        found = found[each]
    facts = [each.get("data", each) for each in found]
    if name == "vizceral":
        facts = [{**each, **each["metadata"].get("vistio", {})} for each in found]
    edges = {each["target"].removeprefix("mesh/"): each for each in facts if each["source"].endswith("a")}
    told_by = {target: each.get("told_by") for target, each in edges.items() if target != "a"}
    assert told_by == {"both-b": "both", "caller-b": "caller", "called-b": "called", "nobody-b": None}
    assert edges["both-b"]["measurements"] == {
        "caller_latency_mean_ms": 12.5,
        "latency_mean_ms": 10.0,
        "lost_rps": 3.0,
        "network_ms": 2.5,
    }


def test_grafana_has_fields_of_what_both_ends_say() -> None:
    edges = {each["target"]: each for each in loaded("grafana", TOLD)["edges"]}
    both = edges["mesh/both-b"]
    assert (both["detail__lost_rps"], both["detail__network_ms"], both["detail__told_by"]) == (
        3.0,
        2.5,
        "both ends",
    )
    assert edges["mesh/caller-b"]["detail__told_by"] == "caller"
    nobody = edges["mesh/nobody-b"]
    assert (nobody["detail__lost_rps"], nobody["detail__network_ms"], nobody["detail__told_by"]) == (
        None,
        None,
        "",
    )


def test_graphml_says_who_told_of_an_edge() -> None:
    read = networkx.read_graphml(io.BytesIO(frontends.get("graphml").render(TOLD, {})))
    found = {target: data.get("told_by") for _, target, data in read.edges("mesh/a", data=True)}
    assert found["mesh/both-b"] == "both"
    assert found["mesh/nobody-b"] is None
    assert read["mesh/a"]["mesh/both-b"]["measurement.lost_rps"] == 3.0


@pytest.mark.parametrize("name", ["dot", "mermaid"])
def test_a_picture_says_what_was_lost_and_where_only_one_end_told(name: str) -> None:
    labels = [line for line in render(name, TOLD).splitlines() if " -> " in line or "-->" in line]
    inside = [line for line in labels if "INTERNET" not in line and "3" in line]
    assert sum("3 rps lost" in line for line in inside) == 1
    assert sum("told by the caller only" in line for line in inside) == 1
    assert sum("told by the called only" in line for line in inside) == 1
    assert sum("network_ms" in line for line in inside) == 1
    assert not any("lost_rps" in line for line in labels)


def test_mermaid_says_what_was_lost_where_measurements_find_no_room() -> None:
    many = [edge(f"caller-{n}", f"{'x' * 120}{n}") for n in range(400)]
    lossy = Edge("a", "b", Rates(danger=9.0), measurements={"lost_rps": 9.0, "x": 1.0}, told_by="caller")
    text = render("mermaid", graph(region("mesh", lossy, *many)))
    assert "measurements are left out" in text
    assert "9 rps lost, told by the caller only" in text


def test_an_edge_that_stands_twice_is_told_by_whoever_told_of_either() -> None:
    for one, other, both in (("caller", "called", "both"), ("caller", "", "caller"), ("", "", "")):
        twice = [attrs.evolve(told(each), target="b") for each in (one, other)]
        (found,) = tidy((), twice)[1]
        assert found.told_by == both
