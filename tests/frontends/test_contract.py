"""What holds for every frontend: one suite over all that are registered."""

from __future__ import annotations

import random
import re
from typing import Any

import attrs
import pytest

from frontends import graphs
from vistio_core import frontends
from vistio_core.errors import UsageError
from vistio_core.graph.model import FailedRule, Graph

pytestmark = pytest.mark.parametrize("name", frontends.names())

EMPTY = Graph("vistio", graphs.INSTANT_MS, graphs.INSTANT_MS, 10_000, "", 0.0, (), (), (), ())


def render(name: str, graph: Graph, **options: str) -> bytes:
    return frontends.get(name).render(graph, options)


def test_the_name_is_the_registered_one_and_the_content_type_is_a_media_type(name: str) -> None:
    frontend = frontends.get(name)
    assert frontend.name == name == name.lower()
    assert re.fullmatch(r"[a-z]+/[a-z0-9.+-]+(; charset=utf-8)?", frontend.content_type)


@pytest.mark.parametrize(
    "make", [graphs.bookinfo, graphs.hostile, lambda: EMPTY], ids=["tree", "hostile", "empty"]
)
def test_equal_graphs_give_equal_bytes_that_are_utf_8(name: str, make: Any) -> None:
    once, again = render(name, make()), render(name, make())
    assert once == again
    assert once.decode("utf-8")


def test_the_order_in_which_a_graph_was_put_together_does_not_matter(name: str) -> None:
    ordered = graphs.hostile()
    chance = random.Random(11)

    def shuffled(things: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(chance.sample(things, len(things)))

    def mixed(thing: Any) -> Any:
        return attrs.evolve(
            thing,
            notices=shuffled(thing.notices),
            measurements=dict(chance.sample(sorted(thing.measurements.items()), len(thing.measurements))),
        )

    other = attrs.evolve(
        ordered,
        nodes=shuffled(ordered.nodes),
        edges=shuffled(ordered.edges),
        failed_rules=shuffled(ordered.failed_rules),
        classes=shuffled(ordered.classes),
        regions=shuffled(
            tuple(
                attrs.evolve(
                    region,
                    nodes=shuffled(tuple(map(mixed, region.nodes))),
                    edges=shuffled(tuple(map(mixed, region.edges))),
                )
                for region in ordered.regions
            )
        ),
    )
    assert render(name, other) == render(name, ordered)


def test_a_rule_that_was_not_answered_is_told(name: str) -> None:
    failed = FailedRule("mesh", "http-requests", "timeout", "no answer within 8 s")
    text = render(name, attrs.evolve(graphs.bookinfo(), failed_rules=(failed,))).decode()
    for fact in ("http-requests", "timeout", "no answer within 8 s"):
        assert fact in text


def test_the_instant_is_told(name: str) -> None:
    assert "2026-11-23T05:10:00Z" in render(name, graphs.bookinfo()).decode()


def test_every_service_and_every_notice_is_there(name: str) -> None:
    text = render(name, graphs.bookinfo()).decode()
    for fact in ("INTERNET", "gateway", "productpage", "details", "reviews", "ratings"):
        assert fact in text
    assert "High Error Rate" in text or "error" in text


def test_ten_thousand_edges_are_rendered(name: str) -> None:
    assert len(render(name, graphs.large(10_000, 1_000))) > 10_000


def test_a_cluster_that_is_not_there_is_refused_by_name(name: str) -> None:
    if name == "vizceral":
        assert render(name, graphs.bookinfo(), cluster="nowhere") == render(name, graphs.bookinfo())
    else:
        with pytest.raises(UsageError, match=r"cluster 'nowhere' is not in this graph; it has mesh"):
            render(name, graphs.bookinfo(), cluster="nowhere")
