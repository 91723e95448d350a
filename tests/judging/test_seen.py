"""Which rules could have told of an edge or a node."""

from __future__ import annotations

import pytest
from support.scrapes import mesh

from vistio_core.graph.unseen import Round, Unseen
from vistio_core.judging.rulebook import Rulebook
from vistio_core.judging.seen import (
    Blind,
    missing_writer,
    names_of_edge,
    names_of_node,
    unseen_of,
)

RULEBOOK = Rulebook(mesh())


def blind(*unseen: Unseen) -> list[Blind]:
    return [Blind((Round(unseen),))]


@pytest.mark.parametrize(
    ("rule", "edge", "could"),
    [
        (("mesh", "http"), ("mesh", "a", "b"), True),
        (("mesh", "http"), ("other", "a", "b"), False),
        (("mesh", "http"), ("", "INTERNET", "mesh"), False),
        (("", "ingress"), ("", "INTERNET", "mesh"), True),
        (("", "ingress"), ("", "INTERNET", "other"), False),
        (("", "ingress"), ("", "x", "mesh"), False),
        (("mesh", "saturation"), ("mesh", "a", "b"), False),
        (("mesh", "renamed"), ("mesh", "a", "b"), True),
        (("mesh", "renamed"), ("other", "a", "b"), False),
    ],
)
def test_a_rule_could_have_told_of_the_edges_of_its_level_and_fixed_names(
    rule: tuple[str, str], edge: tuple[str, str, str], could: bool
) -> None:
    assert bool(names_of_edge(blind(*unseen_of([rule], RULEBOOK)), *edge)) == could


@pytest.mark.parametrize(
    ("rule", "node", "could"),
    [
        (("mesh", "http"), ("mesh", "anyone"), True),
        (("mesh", "http"), ("", "mesh"), False),
        (("", "ingress"), ("", "mesh"), True),
        (("", "ingress"), ("", "INTERNET"), True),
        (("", "ingress"), ("", "other"), False),
    ],
)
def test_a_rule_could_have_told_of_the_nodes_of_its_edges(
    rule: tuple[str, str], node: tuple[str, str], could: bool
) -> None:
    assert bool(names_of_node(blind(*unseen_of([rule], RULEBOOK)), *node)) == could


def test_a_writer_that_is_missing_could_have_told_of_anything() -> None:
    unseen = blind(missing_writer("west"))
    assert names_of_edge(unseen, "mesh", "a", "b") == names_of_node(unseen, "", "x") == ["writer west"]
