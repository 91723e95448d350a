"""Frontends are found by entry points, whoever brings them, and one that is broken harms nobody else."""

from __future__ import annotations

import inspect
import re
import sys
from pathlib import Path

import pytest

from frontends import graphs
from frontends.plugins import install
from vistio_core import frontends
from vistio_core.errors import UsageError

BUILT_IN = ("cytoscape", "dot", "grafana", "graphml", "mermaid", "node-link", "vizceral")
DOCUMENTATION = Path(__file__).parents[2] / "docs/frontends.md"

COUNTING = """
class Counting:
    name = "count"
    content_type = "text/plain; charset=utf-8"
    options = ()

    def render(self, graph, options):
        return str(len(graph.regions)).encode()

ready = Counting()
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(frontends, "_loaded", {})  # plugins of other tests
    return tmp_path


def test_the_built_in_frontends_are_registered_under_their_own_names() -> None:
    assert set(BUILT_IN) <= set(frontends.names())
    assert [frontends.get(name).name for name in BUILT_IN] == list(BUILT_IN)


@pytest.mark.parametrize("value", ["counting_class:Counting", "counting_class:ready"])
def test_an_installed_package_adds_a_frontend_as_a_class_or_as_an_object(site: Path, value: str) -> None:
    install(site, "vistio-count", entry_points={"count": value}, modules={"counting_class": COUNTING})

    assert "count" in frontends.names()
    assert frontends.get("count").render(graphs.bookinfo(), {}) == b"1"
    sys.modules.pop("counting_class")


def test_listing_names_imports_nothing(site: Path) -> None:
    install(
        site,
        "vistio-lazy",
        entry_points={"lazy": "lazy_frontend:It"},
        modules={"lazy_frontend": "raise OSError"},
    )

    assert "lazy" in frontends.names()
    assert "lazy_frontend" not in sys.modules


@pytest.mark.parametrize(
    ("module", "found"),
    [
        ("raise OSError('disk on fire')", "OSError: disk on fire"),
        ("import no_such_module_anywhere", "ModuleNotFoundError"),
        ("Other = 1", "AttributeError"),
        ("class It:\n    def __init__(self, needed): pass", "TypeError"),
        ("class It:\n    name = 'broken'\n    render = None", "content_type, options, render"),
    ],
)
def test_a_broken_plugin_is_named_with_its_distribution_and_the_others_work(
    site: Path, module: str, found: str
) -> None:
    install(
        site,
        "vistio-broken",
        entry_points={"broken": "broken_frontend:It"},
        modules={"broken_frontend": module},
    )

    with pytest.raises(UsageError, match=re.escape("vistio-broken 1.0")) as caught:
        frontends.get("broken")
    sys.modules.pop("broken_frontend", None)

    assert found in str(caught.value)
    assert frontends.get("vizceral").name == "vizceral"


def test_another_package_cannot_take_the_name_of_a_built_in_frontend(site: Path) -> None:
    install(site, "aaa", entry_points={"vizceral": "taker:Counting"}, modules={"taker": COUNTING})

    assert frontends.get("vizceral").content_type == "application/json"


def test_an_unknown_name_lists_what_exists_the_nearest_first() -> None:
    with pytest.raises(UsageError, match=r"'visceral' does not exist; use one of vizceral, cytoscape, dot"):
        frontends.get("visceral")


def test_the_documented_example_of_a_third_party_frontend_works(site: Path) -> None:
    text = DOCUMENTATION.read_text()
    (module,) = re.findall(r"```python\n# vistio_csv\.py\n(.*?)```", text, re.DOTALL)
    (entry,) = re.findall(r'\[project\.entry-points\."vistio\.frontends"\]\n(\w+) = "(.+)"', text)
    install(site, "vistio-csv", entry_points=dict([entry]), modules={"vistio_csv": module})

    rows = frontends.get("csv").render(graphs.bookinfo(), {}).decode().splitlines()

    assert rows[0] == "cluster,source,target,normal,warning,danger"
    assert "mesh,productpage,reviews,40.0,0.0,5.0" in rows


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("vizceral", {"lang"}),
        ("node-link", {"cluster", "edges"}),
        ("cytoscape", {"cluster"}),
        ("grafana", {"cluster", "part"}),
        ("dot", {"cluster", "rankdir"}),
        ("mermaid", {"cluster", "max_edges"}),
        ("graphml", {"cluster"}),
    ],
)
def test_every_frontend_and_its_options_are_documented(name: str, options: set[str]) -> None:
    section = DOCUMENTATION.read_text().split(f"### {name}\n")[1].split("\n##")[0]
    assert frontends.get(name).content_type.split(";")[0] in section
    code = set(re.findall(r"`(\w+)[=<`]", section))
    # What the source asks its options for is what the page must describe.
    source = inspect.getsource(sys.modules[type(frontends.get(name)).__module__])
    asked = set(re.findall(r'options\.get\("(\w+)"', source)) | (
        {"cluster"} if "flatten(" in source else set()
    )
    assert asked == options
    assert options <= code
