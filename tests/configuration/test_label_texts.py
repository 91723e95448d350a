"""Node names and statuses made of several labels, with defaults and constants."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vistio_core.configuration import Dropped, NodeMapping, NodeNamer, StatusMapping, StatusNamer
from vistio_core.configuration.label_templates import fields, parse_template
from vistio_core.errors import UsageError


@pytest.mark.parametrize(
    ("template", "parts"),
    [
        ("{a}", (("a",),)),
        ("{a}/{b|c}", (("a",), "/", ("b", "c"))),
        ("x{ a | b }{c}", ("x", ("a", "b"), ("c",))),
        ("{service.name}", (("service.name",),)),
        ("${a}", ("$", ("a",))),
    ],
)
def test_a_template_is_literal_texts_and_fields_of_labels(template: str, parts: tuple[object, ...]) -> None:
    assert parse_template(template) == parts
    assert fields(template) == tuple(part for part in parts if isinstance(part, tuple))


@pytest.mark.parametrize(
    ("template", "part"),
    [
        ("", "found no label"),
        ("a/b", "found no label"),
        ("{}", "a label has no name"),
        ("{a|}", "found {a|}"),
        ("{|a}", "a label has no name"),
        ("{a}/{b", "found '{' without its partner"),
        ("a}", "found '}' without its partner"),
        ("{{ .a }}", "without its partner"),
    ],
)
def test_a_template_that_means_nothing_is_refused(template: str, part: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_template(template)
    assert part in str(caught.value)
    assert "such as {namespace}/" in str(caught.value)


LABELS = st.lists(st.sampled_from(["a", "b.c", "_d", "é"]), min_size=1, max_size=3).map(tuple)
LITERALS = st.text(alphabet="ab| $/-", min_size=1, max_size=3)


@given(st.lists(st.tuples(st.just("") | LITERALS, LABELS), min_size=1, max_size=4), st.just("") | LITERALS)
def test_a_template_parses_to_what_it_was_written_from(
    pairs: list[tuple[str, tuple[str, ...]]], rest: str
) -> None:
    written = "".join(f"{literal}{{{' | '.join(field)}}}" for literal, field in pairs) + rest
    parts = [part for pair in pairs for part in pair] + [rest]
    assert parse_template(written) == tuple(part for part in parts if part)


# Nodes


@pytest.mark.parametrize(
    ("labels", "name"),
    [
        ({"a": "1"}, "1"),
        ({"b": "2"}, "2"),
        ({"a": "", "b": "2"}, "2"),
        ({"a": "1", "b": "2"}, "1"),
        ({"a": "", "b": ""}, Dropped("labels a and b missing or empty")),
        ({}, Dropped("labels a and b missing or empty")),
    ],
)
def test_the_first_label_that_is_not_empty_names_the_node(
    labels: dict[str, str], name: str | Dropped
) -> None:
    assert NodeNamer(NodeMapping(labels=("a", "b"))).name(labels) == name


@pytest.mark.parametrize(
    ("labels", "name"),
    [
        ({"ns": "shop", "deployment": "cart"}, "shop/cart"),
        ({"ns": "shop", "stateful": "db"}, "shop/db"),
        ({"ns": "shop", "deployment": "", "stateful": "db"}, "shop/db"),
        ({"ns": "shop", "deployment": "cart", "stateful": "db"}, "shop/cart"),
        ({"ns": "shop"}, Dropped("labels deployment and stateful missing or empty")),
        ({"ns": "", "deployment": "cart"}, Dropped("label ns missing or empty")),
        ({}, Dropped("label ns missing or empty")),
    ],
)
def test_a_template_names_the_node_when_every_field_finds_something(
    labels: dict[str, str], name: str | Dropped
) -> None:
    assert NodeNamer(NodeMapping(template="{ns}/{deployment|stateful}")).name(labels) == name


def test_a_label_may_stand_in_several_fields() -> None:
    namer = NodeNamer(NodeMapping(template="{a|b}-{b|a}"))
    assert namer.name({"a": "1", "b": "2"}) == "1-2"
    assert namer.name({"b": "2"}) == "2-2"


@pytest.mark.parametrize(
    "mapping",
    [
        NodeMapping("a", "^x-(.*)$", "<$1>", default="nobody"),
        NodeMapping(regex="^x-(.*)$", replacement="<$1>", labels=("b", "a"), default="nobody"),
        NodeMapping(regex="^x-(.*)$", replacement="<$1>", template="{b|a}", default="nobody"),
    ],
)
def test_the_default_stands_for_a_missing_text_and_the_regex_does_not_touch_it(mapping: NodeMapping) -> None:
    namer = NodeNamer(mapping)
    assert namer.name({"a": "x-cart"}) == "<cart>"
    assert namer.name({"a": ""}) == namer.name({}) == "nobody"
    mismatch = namer.name({"a": "cart"})
    assert isinstance(mismatch, Dropped)
    assert mismatch.reason.startswith("regex does not match")


@pytest.mark.parametrize(
    ("mapping", "reason"),
    [
        (NodeMapping("a", "^x"), "regex does not match a"),
        (NodeMapping(regex="^x", labels=("a", "b")), "regex does not match a or b"),
        (NodeMapping(regex="^x", template="{a}/{a}"), "regex does not match {a}/{a}"),
        (NodeMapping(replacement="", template="{a}"), "node name empty"),
    ],
)
def test_the_reason_says_what_did_not_match(mapping: NodeMapping, reason: str) -> None:
    assert NodeNamer(mapping).name({"a": "cart"}) == Dropped(reason)


def test_the_regex_sees_the_whole_text_of_a_template() -> None:
    mapping = NodeMapping(regex="^(.+)/(.+)$", replacement="$2.$1", template="{ns}/{name}")
    assert NodeNamer(mapping).name({"ns": "shop", "name": "cart"}) == "cart.shop"


def test_a_template_is_filled_once_for_each_combination_of_values(monkeypatch: pytest.MonkeyPatch) -> None:
    filled = []
    fill = NodeNamer._fill

    def count(namer: NodeNamer, values: tuple[str, ...]) -> str | Dropped:
        filled.append(values)
        return fill(namer, values)

    monkeypatch.setattr(NodeNamer, "_fill", count)
    namer = NodeNamer(NodeMapping(template="{ns}/{name}"))
    series = [{"ns": f"{index % 3}", "name": f"{index % 100}", "pod": f"{index}"} for index in range(30_000)]
    assert len({namer.name(labels) for labels in series}) == 300
    assert len(filled) == 300


@pytest.mark.parametrize(
    ("mapping", "expected"),
    [
        (NodeMapping("a"), (("a",),)),
        (NodeMapping(labels=("a", "b")), (("a", "b"),)),
        (NodeMapping(template="{a|b}/{c}"), (("a", "b"), ("c",))),
        (NodeMapping(replacement="INTERNET"), ()),
        (StatusMapping(value="failed"), ()),
    ],
)
def test_a_mapping_tells_which_labels_it_reads(
    mapping: NodeMapping | StatusMapping, expected: tuple[tuple[str, ...], ...]
) -> None:
    assert mapping.fields == expected


# Statuses


@pytest.mark.parametrize(
    ("status", "labels", "found"),
    [
        (None, {"code": "200"}, ""),
        (StatusMapping("code"), {"code": "200"}, "200"),
        (StatusMapping("code"), {}, ""),
        (StatusMapping("code", default="0"), {"code": ""}, "0"),
        (StatusMapping("code", default="0"), {"code": " "}, " "),  # a label's value is a fact
        (StatusMapping(labels=("grpc", "code")), {"grpc": "", "code": "200"}, "200"),
        (StatusMapping(labels=("grpc", "code")), {"grpc": "14", "code": "200"}, "14"),
        (StatusMapping(labels=("grpc", "code"), default="none"), {}, "none"),
        (StatusMapping(value="failed"), {"code": "200"}, "failed"),
        (StatusMapping(value="failed"), {}, "failed"),
    ],
)
def test_a_status_is_found_in_labels_or_is_constant(
    status: StatusMapping | None, labels: dict[str, str], found: str
) -> None:
    assert StatusNamer(status).status(labels) == found


@pytest.mark.parametrize(
    ("template", "labels", "found"),
    [
        ("{code} {grpc}", {"code": "200", "grpc": "14"}, "200 14"),
        ("{code} {grpc}", {"code": "200"}, "200"),
        ("{code} {grpc}", {"grpc": "14"}, "14"),
        ("{code} {grpc} {flags}", {"code": "0", "flags": "UF  URX"}, "0 UF URX"),
        ("HTTP {code}", {"code": "200"}, "HTTP 200"),
        ("HTTP {code}", {"code": ""}, ""),
        ("{code|status} {grpc}", {"status": "5", "grpc": "x"}, "5 x"),
        ("{code}", {"code": "  "}, ""),
        ("{code} {grpc}", {}, ""),
    ],
)
def test_fields_of_a_status_template_may_be_empty(template: str, labels: dict[str, str], found: str) -> None:
    assert StatusNamer(StatusMapping(template=template)).status(labels) == found
    expected = found if found.strip() else "none"
    assert StatusNamer(StatusMapping(template=template, default="none")).status(labels) == expected
