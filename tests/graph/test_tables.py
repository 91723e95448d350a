"""A graph as tables, for pandas, polars and networkx; and names that are not in it."""

from __future__ import annotations

import sys
from pathlib import Path

import networkx
import numpy as np
import pytest
from frontends.graphs import bookinfo, edge, graph, region
from support.recordings import recorded
from support.scrapes import INTERVAL_MS, START_MS, scrape

import vistio_core as vistio
from vistio_core.configuration.model import Severity
from vistio_core.errors import MissingLibraryError, NotInGraphError, UsageError
from vistio_core.graph.model import Edge, Graph, Node, Notice, Rates


def rows(graph: Graph) -> dict[tuple[str, str], dict[str, object]]:
    return {(row["source"], row["target"]): row for row in graph.edges_table().to_pylist()}


def test_the_table_of_edges_has_what_the_graph_has() -> None:
    shown = bookinfo()
    table = shown.edges_table()
    pairs = [(level.cluster, each.source, each.target) for level in shown.levels for each in level.edges]
    assert (
        list(zip(*(table[name].to_pylist() for name in ("cluster", "source", "target")), strict=True))
        == pairs
    )
    assert rows(shown)["productpage", "reviews"] == {
        "cluster": "mesh",
        "source": "productpage",
        "target": "reviews",
        "normal": 40.0,
        "warning": 0.0,
        "danger": 5.0,
        "total": 45.0,
        "told_by": None,
        "severity": "error",
        "notices": ["[0.06000] High Error Rate"],
        "latency_p99_ms": 250.5,
    }
    assert rows(shown)["reviews", "ratings"]["latency_p99_ms"] is None


def test_what_was_not_seen_is_null_and_what_was_none_is_zero() -> None:
    unseen = edge("a", "b", np.nan, np.nan, np.nan)
    shown = graph(region("mesh", unseen, edge("b", "c", 2.0), edge("d", "c", 0.0)))
    assert rows(shown)["a", "b"]["normal"] is None
    assert rows(shown)["a", "b"]["total"] is None
    assert rows(shown)["d", "c"]["total"] == 0.0
    nodes = {row["node"]: row for row in shown.nodes_table().to_pylist() if row["cluster"] == "mesh"}
    assert nodes["b"]["entering_rps"] is None
    assert nodes["b"]["leaving_rps"] == 2.0
    assert (nodes["a"]["entering_rps"], nodes["a"]["leaving_rps"]) == (0.0, None)
    assert nodes["c"]["entering_rps"] == 2.0


def test_a_measure_that_is_called_as_a_column_keeps_both() -> None:
    named = Edge("a", "b", Rates(1.0), (), {"total": 7.0})
    notice = Notice("b", Severity.INFO), Notice("a", Severity.ERROR)
    shown = graph(region("mesh", named, nodes=[Node("a", "default", notice, {"node": 3.0})]))
    assert (rows(shown)["a", "b"]["total"], rows(shown)["a", "b"]["measured_total"]) == (1.0, 7.0)
    node = shown.nodes_table().to_pylist()[-2]
    assert (node["node"], node["measured_node"]) == ("a", 3.0)
    assert (node["severity"], node["notices"]) == ("error", ["a", "b"])


def test_an_empty_graph_has_tables_without_rows() -> None:
    shown = graph(edges=[])
    assert shown.edges_table().num_rows == shown.nodes_table().num_rows == 0
    assert shown.to_networkx().number_of_nodes() == 0


def test_pandas_and_polars_have_the_same_rows() -> None:
    shown = bookinfo()
    for of, table in (("edges", shown.edges_table()), ("nodes", shown.nodes_table())):
        assert shown.to_polars(of).to_dicts() == table.to_pylist()  # type: ignore[arg-type]
        frame = shown.to_pandas(of)  # type: ignore[arg-type]
        assert [*frame.columns] == table.column_names
        assert frame["cluster"].tolist() == table["cluster"].to_pylist()
    with pytest.raises(UsageError, match="use edges or nodes"):
        shown.to_pandas("levels")  # type: ignore[arg-type]


def test_networkx_has_every_level_or_one() -> None:
    shown = bookinfo()
    whole = shown.to_networkx()
    assert whole.number_of_nodes() == 7
    assert whole.edges[("mesh", "productpage"), ("mesh", "reviews")]["danger"] == 5.0
    assert not whole.has_edge(("", "mesh"), ("mesh", "gateway")), "levels are apart, as in the graph"
    mesh = shown.to_networkx("mesh")
    assert networkx.shortest_path(mesh, "gateway", "ratings") == [
        "gateway",
        "productpage",
        "reviews",
        "ratings",
    ]
    assert mesh.nodes["reviews"]["node_class"] == "app"
    assert "latency_p99_ms" not in mesh.edges["reviews", "ratings"], "not measured is no attribute"
    assert list(shown.to_networkx("").edges) == [("INTERNET", "mesh")]


def test_a_region_that_is_not_there_offers_the_nearest() -> None:
    with pytest.raises(NotInGraphError, match=r"region 'mseh'.*did you mean 'mesh'\?") as raised:
        bookinfo().region("mseh")
    assert raised.value.nearest == ("mesh",)
    with pytest.raises(KeyError):
        bookinfo().to_networkx("unlike")


def test_what_is_found_over_time_becomes_frames_of_other_libraries(tmp_path: Path) -> None:
    scrapes = [scrape(START_MS + index * INTERVAL_MS, {"a>b 200": 1.0 + index}) for index in range(12)]
    recording = recorded(tmp_path / "r", scrapes)
    window = START_MS, START_MS + 120_000
    compared = recording.compare(START_MS, START_MS + 110_000)
    assert compared.to_pandas()["change_rps"].tolist() == [11.0]
    assert compared.to_polars("nodes")["node"].to_list() == ["a", "b"]
    for found in (recording.suspects(*window), recording.incidents(*window)):
        assert [*found.to_pandas().columns] == found.table.column_names == found.to_polars().columns
    found = recording.sql("select instant, rate from samples order by instant")
    assert found.to_pandas().equals(found.df())
    assert str(found.df()["instant"].dtype) == "datetime64[ms, UTC]"
    assert found.to_polars()["rate"].sum() == found.to_pandas()["rate"].sum() == 78.0


@pytest.mark.parametrize("library", ["pandas", "polars", "networkx"])
def test_a_library_that_is_missing_is_named_with_how_to_get_it(
    library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(
        MissingLibraryError, match=rf"pip install {library}, or .*vistio\[notebook\]"
    ) as raised:
        getattr(bookinfo(), f"to_{library}")()
    assert raised.value.library == library
    assert isinstance(raised.value, vistio.VistioError)
