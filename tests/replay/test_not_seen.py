"""Not seen is not zero: what a rule that was not answered could have told is not known, wherever one asks.

The same rule at every door; `tests/judging/test_seen.py` has which rule could have told of what.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from support.recordings import recorded
from support.scrapes import INTERVAL_MS, START_MS, edges, scrape

from vistio_core import Recording
from vistio_core.errors import UnknownNameError
from vistio_core.times import HOUR_MS, MINUTE_MS

BEFORE_MS, FAILED_MS, AFTER_MS = (START_MS + index * INTERVAL_MS for index in range(3))


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    """The rule mesh/http is answered, fails, and is answered again; ingress is answered always."""
    traffic = [*edges({"a>b 200": 10.0, "a>c 200": 5.0}), *edges({"INTERNET>mesh 200": 7.0}, "ingress", "")]
    without = [sample for sample in traffic if sample.rule == "ingress"]
    return recorded(
        tmp_path,
        [scrape(BEFORE_MS, traffic), scrape(FAILED_MS, without, http="failed"), scrape(AFTER_MS, traffic)],
    )


def changes(table: pa.Table) -> dict[tuple[str, ...], str]:
    names = [name for name in ("cluster", "source", "target", "node") if name in table.column_names]
    return {tuple(row[name] for name in names): row["change"] for row in table.to_pylist()}


@pytest.mark.parametrize(("before_ms", "after_ms"), [(BEFORE_MS, FAILED_MS), (FAILED_MS, AFTER_MS)])
def test_what_was_not_seen_at_one_of_two_instants_is_neither_new_nor_gone(
    recording: Recording, before_ms: int, after_ms: int
) -> None:
    found = recording.compare(before_ms, after_ms)
    assert changes(found.edges) == {("mesh", "a", "b"): "unseen", ("mesh", "a", "c"): "unseen"}
    assert changes(found.nodes) == {("mesh", name): "unseen" for name in "abc"}
    row = found.edges.to_pylist()[0]
    blind, seen = ("after", "before") if after_ms == FAILED_MS else ("before", "after")
    assert (row["change_rps"], row[f"{blind}_normal"], row[f"{blind}_unseen"]) == (None, None, ["mesh/http"])
    assert (row[f"{seen}_normal"], row[f"{seen}_unseen"]) == (10.0, [])


def test_what_every_rule_was_asked_about_is_new_and_gone_as_before(tmp_path: Path) -> None:
    """A rule with fixed ends could have told of that edge alone; that it failed hides nothing else."""
    traffic = edges({"a>b 200": 10.0})
    recording = recorded(
        tmp_path, [scrape(BEFORE_MS, traffic), scrape(FAILED_MS, edges({"a>c 200": 1.0}), ingress="failed")]
    )
    found = recording.compare(BEFORE_MS, FAILED_MS).edges
    assert changes(found) == {("mesh", "a", "b"): "gone", ("mesh", "a", "c"): "new"}


def test_the_largest_known_change_comes_before_what_is_not_known(tmp_path: Path) -> None:
    before = [*edges({"a>b 200": 100.0}), *edges({"INTERNET>mesh 200": 1.0}, "ingress", "")]
    after = edges({"INTERNET>mesh 200": 2.0}, "ingress", "")
    recording = recorded(tmp_path, [scrape(BEFORE_MS, before), scrape(FAILED_MS, after, http="timeout")])
    found = recording.compare(BEFORE_MS, FAILED_MS).edges
    assert list(changes(found).values()) == ["changed", "unseen"]


@pytest.mark.parametrize("sealed", [False, True])
def test_a_name_that_was_never_recorded_is_an_error_that_offers_the_nearest(
    tmp_path: Path, sealed: bool
) -> None:
    recording = recorded(tmp_path / "r", [scrape(START_MS, {"cart>mongodb 200": 5.0})])
    if sealed:
        with recording.writer("a") as writer:
            writer.seal(START_MS + 2 * HOUR_MS)
    window = START_MS, START_MS + MINUTE_MS
    for wrong, nearest in [
        ({"node": "mongdb"}, ("mongodb",)),
        ({"source": "Cart"}, ("cart",)),
        ({"target": "db"}, ("mongodb",)),
        ({"node": "zzzzzz"}, ()),
        ({"cluster": "mehs"}, ("mesh",)),
        ({"cluster": "", "node": "cart"}, ()),
    ]:
        for ask in (recording.timeline, recording.gaps):
            with pytest.raises(UnknownNameError) as raised:
                ask(*window, **wrong)
            assert raised.value.nearest == nearest, wrong


def test_a_name_that_is_silent_now_is_no_error(tmp_path: Path) -> None:
    recording = recorded(
        tmp_path / "r",
        [scrape(START_MS, {"cart>db 200": 5.0}), scrape(START_MS + HOUR_MS, {"web>cart 200": 5.0})],
    )
    later = START_MS + HOUR_MS, START_MS + HOUR_MS + MINUTE_MS
    for _ in range(2):
        [step] = recording.timeline(*later, node="db").to_pylist()
        assert (step["normal"], step["edges"], step["unseen"]) == (0.0, 0, [])
        [edge] = recording.timeline(*later, source="db", target="web").to_pylist()
        assert edge["normal"] == 0.0  # both were there: that they never talked to each other was seen
        with recording.writer("a") as writer:
            writer.seal(START_MS + 3 * HOUR_MS)
