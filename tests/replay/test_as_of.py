"""Which instant answers for an asked one: before, at and after each boundary, wherever the instant lies."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest
from support.scrapes import INTERVAL_MS, START_MS, all_failed, mesh, outcomes, scrape

from vistio_core import Recording
from vistio_core.errors import NothingRecordedError
from vistio_core.times import DAY_MS, HOUR_MS, MINUTE_MS

STALENESS_MS = 5 * MINUTE_MS
AT_MS = START_MS + 20 * MINUTE_MS
NOW_MS = START_MS + 2 * DAY_MS
LIES = ["commit", "merge", "sealed", "inside of what is sealed", "supplement", "sealed supplement"]


def recorded(place: Path, lies: str) -> Recording:
    """A recording with something long before, and then one instant that was seen, in a file of this kind."""
    recording = Recording.open(place, create=True, clock=lambda: NOW_MS)
    with recording.writer() as writer:
        writer.put_configuration(mesh())
        writer.commit(scrape(START_MS, {"a>b 200": 1.0}))
        if "supplement" in lies:
            writer.commit(scrape(AT_MS, **all_failed()))
            later = scrape(AT_MS, {"a>b 200": 2.0}, backfilled=True)
            told = tuple(each for each in outcomes() if each.rule == "http")
            writer.supplement(attrs.evolve(later, outcomes=told))
        else:
            writer.commit(scrape(AT_MS, {"a>b 200": 2.0}))
        # Then the file goes on where the instant is stale: it is told by the rule, not by a file's name.
        if lies == "merge":
            writer.commit(scrape(AT_MS + STALENESS_MS - 1, **all_failed()))
            assert writer.merge(NOW_MS) == 2
        if lies == "inside of what is sealed":
            writer.commit(scrape(AT_MS + 2 * STALENESS_MS, **all_failed()))
        if "sealed" in lies:
            writer.seal(NOW_MS)
    return recording


def shown(recording: Recording, at_ms: int) -> int | None:
    """The instant that a graph shows, which is the one that a frame shows."""
    [frame] = recording.frames(at_ms, at_ms + 1, "1ms").frames
    try:
        graph = recording.graph(at_ms)
    except NothingRecordedError:
        assert frame.instant_ms is None
        return None
    assert (frame.instant_ms, frame.failed_rules) == (graph.instant_ms, graph.failed_rules)
    return graph.instant_ms


@pytest.mark.parametrize("lies", LIES)
@pytest.mark.parametrize(
    ("by_ms", "is_shown"),
    [
        (-1, False), (0, True), (1, True),
        (STALENESS_MS - 1, True), (STALENESS_MS, False), (STALENESS_MS + 1, False),
    ],
)  # fmt: skip
def test_an_instant_answers_from_itself_on_until_it_is_stale(
    recording_dir: Path, lies: str, by_ms: int, is_shown: bool
) -> None:
    assert shown(recorded(recording_dir, lies), AT_MS + by_ms) == (AT_MS if is_shown else None)


@pytest.mark.parametrize("lies", LIES)
def test_what_is_near_an_instant_without_a_graph_is_told_on_both_sides(
    recording_dir: Path, lies: str
) -> None:
    recording = recorded(recording_dir, lies)
    for at_ms, before_ms, after_ms in (
        (AT_MS - 1, START_MS, AT_MS),
        (AT_MS + STALENESS_MS, AT_MS, None),
        (START_MS - 1, None, START_MS),
    ):
        with pytest.raises(NothingRecordedError) as raised:
            recording.graph(at_ms)
        assert (raised.value.before_ms, raised.value.after_ms) == (before_ms, after_ms)


@pytest.mark.parametrize("sealed", [False, True], ids=["head", "sealed"])
@pytest.mark.parametrize(
    ("by_ms", "failed"),
    [(-1, []), (0, ["ingress", "http", "saturation"]), (1, ["ingress", "http", "saturation"])],
)
def test_a_later_instant_at_which_all_failed_is_told_beside_the_one_that_is_shown(
    recording_dir: Path, sealed: bool, by_ms: int, failed: list[str]
) -> None:
    recording = Recording.open(recording_dir, create=True, clock=lambda: NOW_MS)
    tried_ms = AT_MS + INTERVAL_MS
    with recording.writer() as writer:
        writer.put_configuration(mesh())
        writer.commit(scrape(AT_MS, {"a>b 200": 2.0}))
        writer.commit(scrape(tried_ms, **all_failed()))
        if sealed:
            writer.seal(NOW_MS)
    assert shown(recording, tried_ms + by_ms) == AT_MS
    assert [rule.rule for rule in recording.graph(tried_ms + by_ms).failed_rules] == failed


@pytest.mark.parametrize("sealed", [False, True], ids=["head", "sealed"])
@pytest.mark.parametrize(
    ("age_ms", "outcome"),
    [
        (STALENESS_MS - 1, None),
        (STALENESS_MS, "stale"),
        (STALENESS_MS + DAY_MS - 1, "stale"),
        (STALENESS_MS + DAY_MS, None),
    ],
)
def test_a_writer_is_missed_from_when_it_is_stale_for_a_day(
    recording_dir: Path, sealed: bool, age_ms: int, outcome: str | None
) -> None:
    recording = Recording.open(recording_dir, create=True, clock=lambda: NOW_MS)
    at_ms = START_MS + DAY_MS + HOUR_MS
    for name, instant_ms in (("here", at_ms), ("silent", at_ms - age_ms)):
        with recording.writer(name) as writer:
            writer.put_configuration(mesh())
            writer.commit(scrape(instant_ms, {f"{name}>b 200": 2.0}))
            if sealed:
                writer.seal(NOW_MS)
    assert shown(recording, at_ms) == at_ms
    missed = {rule.rule: rule.outcome for rule in recording.graph(at_ms).failed_rules}
    assert missed == ({"silent": outcome} if outcome else {})
    # A writer that is not stale yet is shown.
    sources = {edge.source for edge in recording.graph(at_ms).region("mesh").edges}
    assert sources == ({"here"} if age_ms >= STALENESS_MS else {"here", "silent"})


@pytest.mark.parametrize("sealed", [False, True], ids=["head", "sealed"])
def test_of_two_writers_the_newest_instant_tells_the_configuration_in_force(
    recording_dir: Path, sealed: bool
) -> None:
    """However long the files are in which it stands: sealing changes no answer."""
    recording = Recording.open(recording_dir, create=True, clock=lambda: NOW_MS)
    other = mesh(**{"Test mesh": "Other mesh"})
    for name, configuration, shift_ms in (("early", mesh(), 0), ("late", other, 4_000)):
        with recording.writer(name) as writer:
            writer.put_configuration(configuration)
            for index in range(3):
                instant_ms = START_MS + shift_ms + index * INTERVAL_MS
                writer.commit(scrape(instant_ms, {"a>b 200": 1.0}, configuration=configuration))
            if sealed:
                writer.seal(NOW_MS)
    for by_ms, wanted in (
        (0, mesh()),
        (3_999, mesh()),
        (4_000, other),
        (INTERVAL_MS - 1, other),
        (INTERVAL_MS, mesh()),
    ):
        assert recording.configuration(START_MS + by_ms).hash == wanted.hash
