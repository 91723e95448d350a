"""Node names and status classes, as Go's regexp would make them."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vistio_core.configuration import (
    Dropped,
    NodeMapping,
    NodeNamer,
    StatusClass,
    StatusClassifier,
    StatusMapping,
)
from vistio_core.configuration.regexes import Regex, Replacement
from vistio_core.errors import UsageError


def name(value: str, regex: str = "(.*)", replacement: str = "$1") -> str | Dropped:
    return NodeNamer(NodeMapping("app", regex, replacement)).name({"app": value})


def test_without_a_label_the_node_is_the_replacement_literally() -> None:
    assert NodeNamer(NodeMapping(replacement="$1 INTERNET")).name({"app": "cart"}) == "$1 INTERNET"
    assert NodeNamer(NodeMapping(replacement="")).name({}) == Dropped("node name empty")


@pytest.mark.parametrize("labels", [{}, {"app": ""}, {"other": "x"}])
def test_a_series_without_the_label_is_dropped_with_its_name(labels: dict[str, str]) -> None:
    assert NodeNamer(NodeMapping("app")).name(labels) == Dropped("label app missing or empty")


@pytest.mark.parametrize(
    ("value", "regex", "replacement", "expected"),
    [
        ("demo-cart", "^demo-(.+)$", "$1", "cart"),
        ("demo-cart", "^demo-(.+)$", "svc/${1}!", "svc/cart!"),
        ("demo-cart", "^(?P<env>[a-z]+)-(?P<app>.+)$", "${app}.$env", "cart.demo"),
        ("demo-cart", "^(?P<env>[a-z]+)-(?P<app>.+)$", "$app_$env", "demo"),  # the group "app_"
        ("cart.svc.cluster.local", "([^.]+)", "$1", "cart"),  # the first match only, the rest is gone
        ("a1b2", "[0-9]", "$0", "1"),
        ("a", "(a)|(b)", "$1$2", "a"),  # a group that took no part is empty
        ("cart", "(.*)", "$1x", Dropped("node name empty")),  # the group called "1x"
        ("cart", "(.*)", "${1}x", "cartx"),
        ("cart", "(.*)", "$01", Dropped("node name empty")),  # to Go, "01" is a name
        ("cart", "(.*)", "$2", Dropped("node name empty")),
        ("cart", "(.*)", "$999999999999", Dropped("node name empty")),
        ("cart", "(.*)", "$$1", "$1"),
        ("cart", "(.*)", "$$$1", "$cart"),
        ("cart", "(.*)", "a$", "a$"),
        ("cart", "(.*)", "a${1", "a${1"),
        ("cart", "(.*)", "${}", "${}"),
        ("cart", "(.*)", "$-$1", "$-cart"),
        ("cart", "(.*)", "\\1", "\\1"),
        ("cart", "(.*)", "", Dropped("node name empty")),
        ("cart", "^x", "y", Dropped("regex does not match app")),
        ("cart", "", "y", "y"),
        ("Zürich-東京", "^(.+)-(.+)$", "$2 $1", "東京 Zürich"),
        ("cart", "(?i)CART", "ok", "ok"),
        ("one\ntwo", "(.*)", "$1", "one\ntwo"),  # as it is: what was not asked to be rewritten
        ("\ntwo", "(.*)", "$1", "\ntwo"),
        ("one\ntwo", "(.*)", "${1}", "one"),  # as Go has it: a dot does not match a line break
        ("one\ntwo", "^(.*)$", "$1", Dropped("regex does not match app")),
        ("one\ntwo", "(?s)(.*)", "$1", "one\ntwo"),
    ],
)
def test_the_first_match_fills_the_replacement_as_in_go(
    value: str, regex: str, replacement: str, expected: str | Dropped
) -> None:
    assert name(value, regex, replacement) == expected


@given(st.text(st.sampled_from("ab\n\r\u2028\x00 "), min_size=1))
def test_the_default_mapping_takes_every_text_whole(value: str) -> None:
    assert name(value) == value
    assert NodeNamer(NodeMapping(template="{app}")).name({"app": value}) == value
    assert NodeNamer(NodeMapping(labels=("none", "app"))).name({"app": value}) == value


@given(st.text())
def test_the_default_mapping_says_the_same_by_its_short_cut_as_by_its_regex(value: str) -> None:
    regex = Regex("(.*)")
    if value.isprintable() and value:
        assert name(value) == regex.rewrite(value, Replacement("$1", regex)) == value


@given(st.text(alphabet="$1a{}_2 é"))
def test_a_replacement_of_any_text_expands_like_a_reading_by_character(template: str) -> None:
    # What Go's rules say, as one expression: $$, $name, ${name}, and any other dollar sign for itself.
    groups = {"1": "ONE", "a": "A"}

    def fill(match: re.Match[str]) -> str:
        return "$" if match[0] in ("$$", "$") else groups.get(match[1] or match[2], "")

    expected = re.sub(r"\$\$|\$\{(\w+)\}|\$(\w+)|\$", fill, template)
    regex = Regex("(?P<a>x)")
    found = regex.rewrite("x", Replacement(template, regex))
    assert found == expected.replace("ONE", "x").replace("A", "x")


def test_groups_that_the_expression_lacks_are_told() -> None:
    assert Replacement("$1 $2 ${n} $m", Regex("(?P<n>x)")).unknown == ("2", "m")


@pytest.mark.parametrize("pattern", ["(", "a(?=b)", "(?<!a)b", r"(a)\1", "a{1001}", r"\C", r"\\\C", "*"])
def test_what_go_does_not_know_is_refused(pattern: str) -> None:
    with pytest.raises(UsageError):
        Regex(pattern)


def test_an_escaped_backslash_before_a_c_is_no_any_byte() -> None:
    assert Regex(r"\\C").matches("\\C")


def test_an_expression_that_backtracks_elsewhere_takes_linear_time() -> None:
    started = time.perf_counter()
    assert not Regex("^(a+)+$").matches("a" * 100_000 + "b")
    assert time.perf_counter() - started < 5


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("200", StatusClass.NORMAL),
        ("404", StatusClass.WARNING),
        ("503", StatusClass.DANGER),
        ("5031", StatusClass.NORMAL),
        ("", StatusClass.NORMAL),
    ],
)
def test_a_status_is_judged_by_its_expressions(status: str, expected: StatusClass) -> None:
    assert StatusClassifier(StatusMapping("code", "^4..$", "^5..$")).classify(status) is expected


def test_danger_is_tested_before_warning_and_both_are_unanchored() -> None:
    assert StatusClassifier(StatusMapping("code", "5", "0")).classify("250") is StatusClass.DANGER
    assert StatusClassifier(StatusMapping("code", "5", None)).classify("250") is StatusClass.WARNING


def test_an_empty_status_is_normal_even_where_everything_is_danger() -> None:
    assert StatusClassifier(StatusMapping("code", None, ".*")).classify("") is StatusClass.NORMAL


def test_without_a_status_mapping_everything_is_normal() -> None:
    assert StatusClassifier(None).classify("500") is StatusClass.NORMAL


@pytest.mark.parametrize("mapping", [NodeMapping("app"), NodeMapping("app", "^svc-(.+)$", "${1}")])
def test_naming_asks_the_expression_once_for_each_value(
    mapping: NodeMapping, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    rewrite = Regex.rewrite

    def count(regex: Regex, text: str, replacement: Replacement) -> str | None:
        asked.append(text)
        return rewrite(regex, text, replacement)

    monkeypatch.setattr(Regex, "rewrite", count)
    namer = NodeNamer(mapping)
    series = [{"app": f"svc-{index % 300}"} for index in range(30_000)]
    names = {namer.name(labels) for labels in series}
    assert len(names) == 300
    assert len(asked) <= 300
