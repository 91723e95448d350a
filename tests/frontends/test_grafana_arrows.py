"""Grafana's node graph panel draws an edge's arrowhead as ``marker-end="url(#triangle-<id>)"``, without quotes.

So an id that holds a blank, a quote or a parenthesis costs the edge its arrowhead, without a word. A browser tells.
"""

from __future__ import annotations

import json
import re
import subprocess
from html import unescape
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import chromium

from frontends import graphs
from frontends.graphs import edge, graph, region
from vistio_core import frontends
from vistio_core.graph.model import Graph

# Letters, digits and what no browser decodes, escapes or ends an unquoted url() at.
_SAFE = re.compile(r"[A-Za-z0-9._~/-]+")

_PAGE = """<!doctype html><meta charset="utf-8"><pre id="result"></pre><script>
const ids = IDS, space = "http://www.w3.org/2000/svg";
async function headDrawn(id) {
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("width", "20"); svg.setAttribute("height", "20");
  const marker = svg.appendChild(document.createElementNS(space, "marker"));
  const size = {markerWidth: 9, markerHeight: 9, refX: 4, refY: 4, markerUnits: "userSpaceOnUse"};
  const attributes = {id: `triangle-${id}`, ...size};
  for (const [name, value] of Object.entries(attributes)) marker.setAttribute(name, value);
  const head = marker.appendChild(document.createElementNS(space, "rect"));
  head.setAttribute("width", "9"); head.setAttribute("height", "9");
  const line = svg.appendChild(document.createElementNS(space, "path"));
  line.setAttribute("d", "M 0 0 L 10 10");
  line.setAttribute("marker-end", `url(#triangle-${id})`);
  const image = new Image();
  image.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(new XMLSerializer().serializeToString(svg));
  await image.decode();
  const canvas = document.createElement("canvas").getContext("2d");
  canvas.drawImage(image, 0, 0);
  return canvas.getImageData(10, 10, 1, 1).data[3] > 0;
}
(async () => {
  const drawn = {};
  for (const id of ids) drawn[id] = await headDrawn(id).catch(String);
  document.getElementById("result").textContent = JSON.stringify(drawn);
})();
</script>"""


def edge_ids(of: Graph) -> list[str]:
    made = json.loads(frontends.get("grafana").render(of, {}))
    return [each["id"] for each in made["edges"]]


def arrowheads(ids: list[str], place: Path) -> dict[str, bool]:
    """Which of them a browser draws."""
    page = place / "page.html"
    page.write_text(_PAGE.replace("IDS", json.dumps(ids).replace("<", "\\u003c")))
    options = ("--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=60000")
    done = subprocess.run(
        [chromium.binary(), *options, f"--user-data-dir={place / 'profile'}", "--dump-dom", page.as_uri()],
        capture_output=True,
        check=True,
        timeout=120,
    )
    found = re.search(r'<pre id="result">(.*?)</pre>', done.stdout.decode(), re.DOTALL)
    assert found is not None
    drawn: dict[str, bool] = json.loads(unescape(found[1]))
    return drawn


@pytest.mark.slow
def test_every_edge_keeps_its_arrowhead(tmp_path: Path) -> None:
    ids = edge_ids(graphs.bookinfo()) + edge_ids(graphs.hostile())
    lost = ["mesh/a mesh/b", 'a"b', "a(b)", "a%41"]
    assert arrowheads([*ids, *lost], tmp_path) == {**dict.fromkeys(ids, True), **dict.fromkeys(lost, False)}


def test_an_edge_s_id_is_readable_and_does_not_depend_on_the_rest_of_the_graph() -> None:
    reviews = edge("productpage", "reviews")
    alone = edge_ids(graph(region("mesh", reviews), edges=[]))
    assert alone == ["mesh/productpage~to~mesh/reviews"]
    assert set(alone) <= set(edge_ids(graphs.bookinfo()))


@given(
    st.sets(
        st.tuples(*2 * [st.text(st.sampled_from('ab ~/%to2(E"ä\u202e'), min_size=1, max_size=6)]), max_size=30
    )
)
def test_ids_are_safe_and_differ_whatever_the_names_are(pairs: set[tuple[str, str]]) -> None:
    of = graph(region("m", *(edge(*pair) for pair in pairs)), region("m~to~m"))
    ids = edge_ids(of)
    assert len(set(ids)) == len(ids)
    assert all(_SAFE.fullmatch(each) and quote(each, safe="/") == each for each in ids)
