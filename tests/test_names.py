"""Names of nodes: how long one may be, and how one is shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vistio_core.names import LONGEST_NAME_BYTES, shortened, visible

CASES: list[tuple[str, str]] = json.loads(
    (Path(__file__).parents[1] / "vistio_serve/web/test/visible_names.json").read_text("utf-8")
)
NASTY = st.text(
    st.sampled_from("ab \\u02e\n\u202e\u200b\u0301\u00e9\u212b\u00c5\u1100\u1161\ud800"), max_size=8
)


@pytest.mark.parametrize(("name", "shown"), CASES)
def test_a_name_is_shown_with_what_cannot_be_seen_in_it(name: str, shown: str) -> None:
    assert visible(name) == shown


@given(NASTY, NASTY)
@example("\u202e", "\\u202e")
@example("\\\u202e", "\\\\u202e")
def test_two_names_are_never_shown_alike(one: str, other: str) -> None:
    assert (visible(one) == visible(other)) == (one == other)


@given(st.text())
def test_what_is_shown_can_be_seen(name: str) -> None:
    assert not set(visible(name)) & set("\n\r\t\u202e\u200b\ufeff\u0301")


@pytest.mark.parametrize(("size", "kept"), [(-1, True), (0, True), (1, False)])
@pytest.mark.parametrize("character", ["a", "é", "支", "🛒"])
def test_a_name_of_more_bytes_than_the_longest_is_cut(character: str, size: int, kept: bool) -> None:
    width = len(character.encode())
    name = "a" * (LONGEST_NAME_BYTES % width) + character * (LONGEST_NAME_BYTES // width)
    name = name[1:] if size < 0 else name + "a" * size
    cut = shortened(name)
    assert (cut == name) == kept
    assert len(cut.encode()) <= LONGEST_NAME_BYTES
    assert cut.startswith(name[:200])


def test_cut_names_differ_where_only_their_ends_do_and_stay_the_same() -> None:
    names = [10_000 * "x" + end for end in "abc"]
    assert len(set(map(shortened, names))) == 3
    assert shortened(names[0]) == shortened(names[0])
    assert shortened(shortened(names[0])) == shortened(names[0])
    assert shortened(names[0])[-17] == "…"
