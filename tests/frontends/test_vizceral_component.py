"""The real thing: Vizceral 4.9.0, unmodified, in a real browser, fed with what our frontend makes.

It needs Chromium and the component's file, which npm fetches with ``VISTIO_TEST_NPM=1``;
``VISTIO_TEST_VIZCERAL`` can name a ``vizceral.js`` that is there already.
"""

from __future__ import annotations

import json
import os
import subprocess
from html import unescape
from pathlib import Path
from typing import Any

import msgspec
import pytest
from support import chromium

from frontends import graphs
from frontends.graphs import edge, graph, region
from vistio_core.frontends.vizceral import Vizceral
from vistio_core.graph.model import Graph, Node

VERSION = "4.9.0"

# Said for every graph: zooming starts at size 0, and a share of 0 has no arc.
HARMLESS = ("THREE.DirectGeometry: Faceless geometries", "THREE.Matrix3: .getInverse() can't invert")


@pytest.fixture(scope="module")
def component(request: pytest.FixtureRequest) -> Path:
    """The path of the component's file."""
    if named := os.environ.get("VISTIO_TEST_VIZCERAL"):
        return Path(named)
    node_modules: Path = request.getfixturevalue("node_modules")
    package = node_modules / "vizceral"
    assert json.loads((package / "package.json").read_text())["version"] == VERSION
    return package / "dist" / "vizceral.js"


@pytest.fixture(scope="module")
def browser() -> str:
    return chromium.binary()


def draw(browser: str, component: Path, tmp_path: Path, *payloads: bytes) -> dict[str, Any]:
    """What the component made of the payloads, given one after the other."""
    page = Path(__file__).with_name("component.html").read_text()
    # Inside of a script element only "<" matters, and in JSON it can be written differently.
    text = b"[%s]" % b",".join(payloads)
    page = page.replace("VIZCERAL_JS", component.as_uri())
    page = page.replace("PAYLOADS", text.decode().replace("<", "\\u003c"))
    (tmp_path / "page.html").write_text(page)
    done = subprocess.run(
        [
            browser,
            "--headless",
            "--no-sandbox",
            "--disable-quic",
            "--disable-gpu-sandbox",
            "--use-angle=swiftshader",
            "--enable-unsafe-swiftshader",
            "--allow-file-access-from-files",
            f"--user-data-dir={tmp_path / 'profile'}",
            "--virtual-time-budget=120000",
            "--dump-dom",
            (tmp_path / "page.html").as_uri(),
        ],
        capture_output=True,
        check=True,
        timeout=240,
    )
    dumped = done.stdout.decode()
    start = dumped.index('<pre id="result">') + len('<pre id="result">')
    result: dict[str, Any] = json.loads(unescape(dumped[start : dumped.index("</pre>", start)]))
    return result


def payload(drawn: Graph) -> bytes:
    return Vizceral().render(drawn, {})


def assert_nothing_is_lost(result: dict[str, Any], *payloads: bytes) -> None:
    assert [error for error in result["errors"] if not error.startswith(HARMLESS)] == []
    assert not result["hacked"]
    assert len(result["seen"]) == len(payloads)
    for levels, sent in zip(result["seen"], map(msgspec.json.decode, payloads), strict=True):
        for name, wanted in [
            ("", sent),
            *((node["name"], node) for node in sent["nodes"] if "nodes" in node),
        ]:
            names = {node["name"] for node in wanted["nodes"]}
            found = levels[name]
            assert set(found["nodes"]) == names
            assert set(found["placed"]) >= names, f"lost in {name!r}: {names - set(found['placed'])}"
            assert all(node["visible"] and node["loaded"] for node in found["nodes"].values())
            keys = [f"{each['source']}--{each['target']}" for each in wanted["connections"]]
            assert sorted(found["connections"]) == sorted(keys)
            assert found.get("focused", True)


@pytest.mark.timeout(300)
def test_the_component_places_every_node_of_ordinary_and_of_nasty_graphs(
    browser: str, component: Path, tmp_path: Path
) -> None:
    nasty = graph(
        region("cycle", edge("b", "c"), edge("c", "d"), edge("d", "b")),
        region("entered-cycle", edge("z-gateway", "b"), edge("b", "c"), edge("c", "a"), edge("a", "b")),
        region("idle", edge("x", "y"), nodes=[Node("idle")]),
        region("loops", edge("x", "x"), edge("y", "y"), edge("x", "y")),
        region("numbers", edge("gateway", "a"), edge("a", "1"), edge("1", "2"), edge("2", "a")),
        region("quiet"),
        edges=[edge("INTERNET", "cycle"), edge("PARTNER", "idle"), edge("cycle", "outside")],
    )
    payloads = [payload(graphs.bookinfo()), payload(nasty), payload(graphs.hostile())]
    # One page each, since the component keeps graphs by name.
    for number, each in enumerate(payloads):
        place = tmp_path / str(number)
        place.mkdir()
        assert_nothing_is_lost(draw(browser, component, place, each), each)


@pytest.mark.timeout(300)
def test_the_component_survives_a_region_that_falls_silent_and_comes_back(
    browser: str, component: Path, tmp_path: Path
) -> None:
    busy = payload(graph(region("mesh", edge("gateway", "web"), edge("web", "db"))))
    silent = payload(graph(region("mesh"), edges=[]))
    inside_only = payload(graph(region("mesh", edge("gateway", "web"), edge("web", "db")), edges=[]))
    sent = (busy, silent, busy, inside_only, busy)
    assert_nothing_is_lost(draw(browser, component, tmp_path, *sent), *sent)


@pytest.mark.timeout(300)
def test_the_component_loses_members_of_a_cycle_unless_the_entry_node_comes_first(
    browser: str, component: Path, tmp_path: Path
) -> None:
    # This is why the order of nodes in a region with a cycle is not just by name.
    ours = payload(
        graph(region("mesh", edge("z-gateway", "b"), edge("b", "c"), edge("c", "a"), edge("a", "b")))
    )
    by_name = msgspec.json.decode(ours)
    by_name["nodes"][1]["nodes"].sort(key=lambda node: node["name"])

    found = draw(browser, component, tmp_path, msgspec.json.encode(by_name))["seen"][0]["mesh"]

    assert set(found["nodes"]) - set(found["placed"])
    assert_nothing_is_lost(draw(browser, component, tmp_path, ours), ours)
