"""Every door that takes a time or a duration takes it in whatever type its caller holds it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import cycle
from typing import Any

import attrs
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from support.scrapes import INTERVAL_MS, START_MS, mesh, scrape
from werkzeug.test import Client

from vistio_core import Recording
from vistio_core.errors import InvalidTimeError
from vistio_core.times import HOUR_MS, MINUTE_MS, format_duration, format_instant, to_datetime
from vistio_serve import create_app

NOW_MS = START_MS + 2 * HOUR_MS
END_MS = START_MS + 2 * MINUTE_MS


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    recording = Recording.open(tmp_path_factory.mktemp("asking") / "r", create=True, clock=lambda: NOW_MS)
    with recording.writer() as writer:
        writer.put_configuration(mesh())
        for index in range(12):
            writer.commit(scrape(START_MS + index * INTERVAL_MS, {"a>b 200": 1.0 + index}))
    return recording


INSTANTS: dict[str, Callable[[int], Any]] = {
    "milliseconds": lambda ms: ms,
    "seconds": lambda ms: ms / 1000,
    "datetime": to_datetime,
    "timedelta before now": lambda ms: timedelta(milliseconds=ms - NOW_MS),
    "numpy integer": np.int64,
    "numpy datetime": lambda ms: np.datetime64(ms, "ms"),
    "numpy timedelta before now": lambda ms: np.timedelta64(ms - NOW_MS, "ms"),
    "pandas": lambda ms: pd.Timestamp(ms, unit="ms", tz="Asia/Kolkata"),
    "Arrow": lambda ms: pa.scalar(ms, pa.timestamp("ms", "UTC")),
}
LENGTHS: dict[str, Callable[[int], Any]] = {
    "seconds": lambda ms: ms / 1000,
    "timedelta": lambda ms: timedelta(milliseconds=ms),
    "numpy integer": lambda ms: np.int64(ms // 1000),
    "numpy timedelta": lambda ms: np.timedelta64(ms, "ms"),
    "pandas": lambda ms: pd.Timedelta(ms, "ms"),
    "Arrow": lambda ms: pa.scalar(ms, pa.duration("ms")),
}


def everything_asked(recording: Recording, at: Callable[[int], Any], last: Callable[[int], Any]) -> list[Any]:
    """What each door answers, told times and durations in these types."""
    start, middle, end = at(START_MS), at(START_MS + MINUTE_MS), at(END_MS)
    frames = recording.frames(start, end, last(20_000), staleness=last(15_000))
    compared = recording.compare((start, middle), (middle, end))
    with recording.writer(linger=last(60_000), quiet=last(1_000)):
        pass
    return [
        recording.graph(middle, staleness=last(MINUTE_MS)),
        recording.graph(middle, stable=(start, end)),
        list(recording.topology(start, end).items()),
        (frames.frames, [level.rates.tolist() for level in frames.levels]),
        recording.instants(start, end),
        recording.presence(start, end),
        recording.gaps(start, at(NOW_MS)),
        recording.unanswered(start, end),
        recording.timeline(start, end, last(30_000)),
        recording.diff(start, middle),
        recording.diff([start, middle], [middle, end]),
        recording.suspects(middle, end, baseline=(start, middle)).table,
        recording.incidents(start, end).table,
        recording.annotate("deployed", start, end, kind="deployment"),
        (compared.edges, compared.nodes),
        recording.configuration(middle).hash,
        recording.annotations(start, end),
    ]


@pytest.mark.parametrize(("instant", "length"), list(zip(INSTANTS, cycle(LENGTHS), strict=False)))
def test_every_door_takes_every_type_of_time(recording: Recording, instant: str, length: str) -> None:
    expected = everything_asked(recording, format_instant, format_duration)
    found = everything_asked(recording, INSTANTS[instant], LENGTHS[length])
    assert [_comparable(each) for each in found] == [_comparable(each) for each in expected]


def _comparable(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_comparable(each) for each in value]
    return (
        value.to_pylist()
        if isinstance(value, pa.Table)
        else attrs.asdict(value)
        if attrs.has(type(value))
        else value
    )


def test_a_window_may_be_text_or_a_pair(recording: Recording) -> None:
    text = f"{format_instant(START_MS)}/{format_instant(END_MS)}"
    assert recording.diff(text, "-2h").equals(recording.diff((START_MS, END_MS), timedelta(hours=-2)))
    stable = recording.graph(END_MS, stable=text)
    assert stable == recording.graph(END_MS, stable=(START_MS, to_datetime(END_MS)))


@pytest.mark.parametrize(
    "wrong", [(START_MS,), (START_MS, None), (START_MS, END_MS, END_MS), (END_MS, START_MS)]
)
def test_what_is_no_window_is_refused(recording: Recording, wrong: Any) -> None:
    for each in (wrong, [*wrong]):
        with pytest.raises(InvalidTimeError, match="window"):
            recording.diff(each, END_MS)
    with pytest.raises(InvalidTimeError, match="window"):
        recording.graph(END_MS, stable=wrong)


def test_a_naive_time_is_refused_at_a_door_too(recording: Recording) -> None:
    for naive in (datetime(2026, 11, 23, 5), pd.Timestamp("2026-11-23T05:00")):
        with pytest.raises(InvalidTimeError, match="has no time zone"):
            recording.graph(naive)
        with pytest.raises(InvalidTimeError, match="has no time zone"):
            recording.diff(START_MS, (naive, END_MS))


@pytest.mark.parametrize("step_ms", [7_000, 10_000, 25_000, MINUTE_MS, HOUR_MS])
@pytest.mark.parametrize("late_ms", [0, 1, 9_999, 10_000, 31_500])
def test_steps_are_the_same_in_python_and_over_http(recording: Recording, step_ms: int, late_ms: int) -> None:
    window = START_MS + late_ms, END_MS + late_ms
    steps = recording.timeline(*window, format_duration(step_ms))
    in_ms = steps["start"].cast(pa.int64()).to_pylist()
    assert all(ms % step_ms == 0 for ms in in_ms)
    assert in_ms[0] <= window[0] < in_ms[0] + step_ms
    asked = {"start": window[0], "end": window[1], "step": format_duration(step_ms)}
    answer = Client(create_app(recording, now_ms=lambda: NOW_MS)).get("/timeline", query_string=asked)
    columns = {name: steps[name].to_pylist() for name in steps.column_names if name != "start"}
    assert answer.get_json()["steps"] == {"start_ms": in_ms, **columns}


def test_what_a_step_says_does_not_depend_on_where_the_window_begins(recording: Recording) -> None:
    whole = recording.timeline(START_MS, END_MS, "20s").to_pylist()
    assert recording.timeline(START_MS + 1, END_MS, "20s").to_pylist() == whole
    assert recording.timeline(START_MS + 20_000, END_MS, "20s").to_pylist() == whole[1:]
    assert recording.timeline(START_MS + 19_999, END_MS, "20s").to_pylist() == whole
