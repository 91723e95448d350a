"""A name is drawn as what it is, in each format; where the format is data, it also stands there exactly."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import networkx
import numpy as np
import pytest

from frontends.graphs import edge, graph, region
from vistio_core import frontends
from vistio_core.configuration.mapping import CLASSES
from vistio_core.frontends.vizceral_frames import render as render_frames
from vistio_core.graph.model import Graph
from vistio_core.names import visible
from vistio_core.replay.frames.frames import Frames
from vistio_core.replay.frames.model import FrameLevel

CASES: list[tuple[str, str]] = json.loads(
    (Path(__file__).parents[2] / "vistio_serve/web/test/visible_names.json").read_text("utf-8")
)
NAMES = sorted({name for name, _ in CASES if name and not re.search("[\ud800-\udfff]", name)})
SHOWN = {visible(name) for name in NAMES}


def of_all_names() -> Graph:
    return graph(region("mesh", *(edge("front", name) for name in NAMES)))


def loaded(format_name: str, **options: str) -> Any:
    return json.loads(frontends.get(format_name).render(of_all_names(), options))


def vizceral() -> set[str]:
    (mesh,) = (node for node in loaded("vizceral")["nodes"] if node["name"] == "mesh")
    assert {node["name"] for node in mesh["nodes"]} >= set(NAMES)
    assert {each["target"] for each in mesh["connections"]} >= set(NAMES)
    return {node.get("displayName", node["name"]) for node in mesh["nodes"]}


def cytoscape() -> set[str]:
    nodes = [each["data"] for each in loaded("cytoscape")["elements"]["nodes"]]
    assert {node["app"] for node in nodes} >= set(NAMES)
    return {node["label"] for node in nodes}


def grafana() -> set[str]:
    return {node["title"] for node in loaded("grafana")["nodes"]}


def graphml() -> set[str]:
    read = networkx.read_graphml(io.BytesIO(frontends.get("graphml").render(of_all_names(), {})))
    assert read.number_of_edges() == len(NAMES) + 1
    return {data["label"] for _, data in read.nodes(data=True)}


def dot() -> set[str]:
    text = frontends.get("dot").render(of_all_names(), {}).decode()
    ids = re.findall(r'^ +"((?:[^"\\]|\\.)*)" \[', text, re.MULTILINE)
    assert len(ids) == len(set(ids)) == len(NAMES) + 3
    labels = re.findall(r'\[label="((?:[^"\\]|\\[^n])*)', text)
    return {re.sub(r"\\(.)", r"\1", label).replace("&amp;", "&") for label in labels}


def mermaid() -> set[str]:
    text = frontends.get("mermaid").render(of_all_names(), {}).decode()
    labels = re.findall(r'n[0-9]+\["(.*)"\]', text)
    return {re.sub("#([0-9]+);", lambda found: chr(int(found[1])), label) for label in labels}


@pytest.mark.parametrize("drawn", [vizceral, cytoscape, grafana, graphml, dot, mermaid])
def test_each_name_is_drawn_as_what_it_is(drawn: Callable[[], set[str]]) -> None:
    assert drawn() - {"INTERNET", "mesh", "front"} >= SHOWN
    assert not drawn() & (set(NAMES) - SHOWN)


def test_node_link_is_data_and_has_names_exactly() -> None:
    assert {node["name"] for node in loaded("node-link")["nodes"]} >= set(NAMES)


def test_a_name_that_is_drawn_otherwise_is_still_the_name_of_its_column_in_frames() -> None:
    ends = (("front", "new\nline"), ("front", "constructor"))
    of = graph(region("mesh", *(edge(*each) for each in ends)))
    level = FrameLevel("mesh", ends, np.zeros((0, len(ends), CLASSES)), ())
    answer = json.loads(render_frames(Frames(0, 1, 1, (), (level,), {}), of, {}))
    assert answer["levels"][0]["target"] == ["new\nline", "constructor_"]
