"""The answers about more than one instant: the timeline, annotations, and what changed.

Several open pages ask the same; each answer is made once for all who ask within a second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

import msgspec
import pyarrow as pa

from vistio_core import Recording
from vistio_core.frontends import vizceral_frames
from vistio_core.json_rows import rows_of as rows_of
from vistio_core.recording.recording import MomentLike
from vistio_core.replay.comparison import Comparison
from vistio_core.replay.gaps import gap_rows
from vistio_core.replay.settled import instant_is_settled, window_is_settled
from vistio_core.sentences import Language, Said, say
from vistio_core.times import (
    DAY_MS,
    HOUR_MS,
    MINUTE_MS,
    SECOND_MS,
    align,
    format_duration,
    format_instant,
    parse_instant,
)
from vistio_serve import parameters
from vistio_serve.admission import Admission
from vistio_serve.answers import LIVE, SETTLED, Answer
from vistio_serve.bodies import Body, body_of
from vistio_serve.costs import Costs
from vistio_serve.memory import Memory
from vistio_serve.parameters import ParameterError
from vistio_serve.rendering import LIVE_TTL_S, SETTLED_TTL_S
from vistio_serve.shared import Shared

MAX_FRAMES = 1_000
"""Most frames in one answer of /frames."""
_USUAL_FRAMES_MS = 10 * MINUTE_MS
MAX_STEPS = 5_000
"""Most steps in one answer of /timeline: more than any screen has pixels."""
_USUAL_STEPS = 400
_STEPS_MS = (
    *(seconds * SECOND_MS for seconds in (1, 5, 10, 30)),
    *(minutes * MINUTE_MS for minutes in (1, 2, 5, 10, 15, 30)),
    *(hours * HOUR_MS for hours in (1, 2, 3, 6, 12)),
)
"""Steps that a person reads easily; the answer's is the shortest that makes few enough of them."""
_LESS = say("use a longer step or a shorter window, or give the server more")

_JSON = "application/json"
_NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class History:
    """Answers questions about windows of a recording that may not exist yet."""

    def __init__(
        self, recording: Callable[[], Recording], memory: Memory, admission: Admission, costs: Costs
    ) -> None:
        self.recording = recording
        self._admission = admission
        self.costs = costs
        self._shared: Shared[tuple[Body, bool]] = Shared(memory.windows_bytes)
        # Large, so they have a place of their own.
        self._frames: Shared[tuple[Body, bool]] = Shared(memory.frames_bytes)
        self.kept: tuple[Shared[tuple[Body, bool]], ...] = self._frames, self._shared
        """What is kept ready, what is largest first."""

    def timeline(self, values: Mapping[str, str], now_ms: int, language: Language) -> Answer:
        now_ms = align(now_ms, SECOND_MS)
        subject = {name: values.get(name) for name in ("source", "target", "node")}
        subject = {"cluster": parameters.level(values), **subject}
        start_ms, end_ms = self.window_of(values, now_ms)
        step_ms = asked_step(values, end_ms - start_ms) or self.usual_step(end_ms - start_ms)
        # Steps begin at whole steps, so that moving a window does not move what a step says.
        start_ms = align(start_ms, step_ms)
        key = "timeline", start_ms, end_ms, step_ms, *subject.values(), language
        return self.answer(
            key,
            lambda: self._timeline((start_ms, end_ms, step_ms), subject, now_ms, language),
            lambda: self.costs.window(start_ms, end_ms),
        )

    def annotations(self, values: Mapping[str, str], now_ms: int) -> Answer:
        now_ms = align(now_ms, SECOND_MS)
        start = parameters.instant(values, "start", now_ms, default_ms=0)
        end = parameters.instant(values, "end", now_ms, default_ms=now_ms + 10 * 365 * DAY_MS)
        parameters.check_window(start, end)
        found = self.recording().annotations(format_instant(start), format_instant(end))
        rows = rows_of(found)
        for row in rows:
            row["tags"] = msgspec.json.decode(row["tags"] or "{}")
        return Answer.of(msgspec.json.encode({"annotations": rows}), _JSON)

    def frames(self, values: Mapping[str, str], now_ms: int, language: Language) -> Answer:
        now_ms = align(now_ms, SECOND_MS)
        step_ms = asked_step(values) or self._interval_ms()
        span = None if "end" in values else self.recording().span()
        # So that the last frame shows the newest instant.
        after_ms = now_ms if span is None else span[1] + step_ms
        end_ms = parameters.instant(values, "end", now_ms, default_ms=after_ms)
        start_ms = parameters.instant(values, "start", now_ms, default_ms=max(0, end_ms - _USUAL_FRAMES_MS))
        parameters.check_window(start_ms, end_ms)
        _check_steps(end_ms - start_ms, step_ms, MAX_FRAMES)
        fixed = not any(parameters.is_relative(values.get(name, "now")) for name in ("start", "end"))

        def make() -> tuple[Iterable[bytes], bool]:
            recording = self.recording()
            found = recording.frames(format_instant(start_ms), format_instant(end_ms), f"{step_ms}ms")
            shown = [frame for frame in found.frames if frame.instant_ms is not None]
            # Where nothing is shown, this says why not.
            last_ms = shown[-1].asked_ms if shown else found.frames[-1].asked_ms
            graph = recording.stable(recording.graph(format_instant(last_ms)), found.topology)
            more = {
                "now": format_instant(now_ms),
                "start": format_instant(start_ms),
                "end": format_instant(end_ms),
                "step_ms": step_ms,
            }
            settled = fixed and all(instant_is_settled(frame, now_ms) for frame in found.frames)
            return vizceral_frames.pieces(found, graph, more, language), settled

        number = -(-(end_ms - start_ms) // step_ms)
        return self.answer(
            ("frames", start_ms, end_ms, step_ms, fixed, language),
            make,
            lambda: self.costs.frames(start_ms, end_ms, number),
            self._frames,
            _LESS,
        )

    def diff(self, values: Mapping[str, str], now_ms: int) -> Answer:
        now_ms = align(now_ms, SECOND_MS)
        before, before_fixed = _moment(values, "before", now_ms, now_ms - HOUR_MS)
        after, after_fixed = _moment(values, "after", now_ms, now_ms)
        limit = parameters.limit(values)
        fixed = before_fixed and after_fixed

        def make() -> tuple[Iterable[bytes], bool]:
            found = self.recording().compare(before, after)
            return [msgspec.json.encode(found.document(limit))], fixed and _is_settled(found, now_ms)

        def cost() -> int:
            spans = [_span(moment) for moment in (before, after)]
            sides = [
                self.costs.window(*span) if span[0] < span[1] else self.costs.graph(span[1]) for span in spans
            ]
            return max(sides) + self.costs.changes(limit, spans[1][1])

        return self.answer(("diff", before, after, fixed, limit), make, cost)

    def _timeline(
        self,
        steps_ms: tuple[int, int, int],
        subject: Mapping[str, str | None],
        now_ms: int,
        language: Language,
    ) -> tuple[Iterable[bytes], bool]:
        start_ms, end_ms, step_ms = steps_ms
        recording = self.recording()
        start, end = format_instant(start_ms), format_instant(end_ms)
        steps = recording.timeline(start, end, f"{step_ms}ms", **subject)
        columns = {name: steps[name].to_pylist() for name in steps.column_names if name != "start"}
        document = {
            "now": format_instant(now_ms),
            "start": start,
            "end": end,
            "step_ms": step_ms,
            "steps": {"start_ms": steps["start"].cast(pa.int64()).to_pylist(), **columns},
            "gaps": gap_rows(recording.gaps(start, end, **subject, partly=True), language),
        }
        return [msgspec.json.encode(document)], False

    def answer(
        self,
        key: object,
        make: Callable[[], tuple[Iterable[bytes], bool]],
        cost_bytes: Callable[[], int],
        kept: Shared[tuple[Body, bool]] | None = None,
        advice: Said = "",
        content_type: str = _JSON,
        headers: Mapping[str, str] = _NO_HEADERS,
    ) -> Answer:
        """What was made of this key, or is: its bytes in pieces, and whether it is history.

        Args:
            key: equal keys have equal answers.
            make: makes it.
            cost_bytes: what that may take.
            kept: where it is kept.
            advice: how to ask for less, where that can be said.
            content_type: of the answer.
            headers: what else is sent with it.
        """

        def body() -> tuple[tuple[Body, bool], float, int]:
            with self._admission.work(cost_bytes(), advice):
                pieces, settled = make()
                content = body_of(pieces)
            return (content, settled), SETTLED_TTL_S if settled else LIVE_TTL_S, content.weight_bytes

        (made, settled), _ = (kept or self._shared).get(key, body, self._admission.sharing)
        return Answer(made, content_type, cache_control=SETTLED if settled else LIVE, headers=headers)

    def window_of(
        self, values: Mapping[str, str], now_ms: int, most_ms: int | None = None
    ) -> tuple[int, int]:
        """What was asked for; the whole recording where nothing was, or the newest ``most_ms`` of it."""
        first_ms, last_ms = now_ms - HOUR_MS, now_ms
        if "start" not in values or "end" not in values:
            span = self.recording().span()
            if span is not None:
                first_ms, last_ms = span[0], span[1] + 1
        end_ms = parameters.instant(values, "end", now_ms, default_ms=last_ms)
        if most_ms is not None:
            first_ms = max(first_ms, end_ms - most_ms)
        start_ms = parameters.instant(values, "start", now_ms, default_ms=min(first_ms, end_ms - 1))
        if "end" not in values and start_ms >= end_ms:
            end_ms = now_ms  # after the newest instant there is still a window: one without any
        parameters.check_window(start_ms, end_ms)
        return start_ms, end_ms

    def usual_step(self, length_ms: int) -> int:
        """A step in milliseconds that makes a few hundred of a window."""
        # A step shorter than the interval would leave holes between instants.
        length_ms = max(length_ms, self._interval_ms() * _USUAL_STEPS)
        days_ms = -(-length_ms // (_USUAL_STEPS * DAY_MS)) * DAY_MS
        return next((step for step in _STEPS_MS if length_ms <= step * _USUAL_STEPS), days_ms)

    def _interval_ms(self) -> int:
        """The interval at the newest instant."""
        span = self.recording().span()
        if span is None:
            return SECOND_MS
        last_ms = span[1]
        newest = self.recording().instants(format_instant(last_ms), format_instant(last_ms + 1))
        intervals_ms: list[int] = newest["interval_ms"].to_pylist()
        return max([SECOND_MS, *intervals_ms])


def asked_step(values: Mapping[str, str], length_ms: int = 0) -> int | None:
    """The asked step in milliseconds; None where none was asked for.

    Raises:
        ParameterError: none at all, or so short that it makes more than `MAX_STEPS` of a window.
    """
    if "step" not in values:
        return None
    step_ms = parameters.length(values, "step", 0)
    if step_ms <= 0:
        raise ParameterError(
            say("parameter {name!r}: must be longer than 0s, such as 1m", name="step"), "step"
        )
    _check_steps(length_ms, step_ms, MAX_STEPS)
    return step_ms


def _check_steps(length_ms: int, step_ms: int, most: int) -> None:
    if length_ms > step_ms * most:
        least = format_duration(-(-length_ms // (most * SECOND_MS)) * SECOND_MS)
        raise ParameterError(
            say(
                "parameter {name!r}: makes more than {most:,} steps of {length}; use {least} or more",
                name="step",
                most=most,
                length=format_duration(length_ms),
                least=least,
            ),
            "step",
        )


def _moment(values: Mapping[str, str], name: str, now_ms: int, default_ms: int) -> tuple[MomentLike, bool]:
    """An instant or a window in the library's words, and whether it was given absolutely."""
    parts = [part.strip() for part in values.get(name, "").split("/")]
    if len(parts) > 2 or (len(parts) == 2 and "" in parts):
        raise ParameterError(
            say(
                "parameter {name!r}: give an instant, or a window as two of them with one slash between,"
                " such as -2h/-1h",
                name=name,
            ),
            name,
        )
    asked = [
        parameters.instant({name: part} if part else {}, name, now_ms, default_ms=default_ms)
        for part in parts
    ]
    if len(asked) == 2 and asked[0] >= asked[1]:
        raise parameters.no_window(name)
    fixed = all(part not in ("", "now") and not part.startswith("-") for part in parts)
    return "/".join(map(format_instant, asked)), fixed


def _span(moment: MomentLike) -> tuple[int, int]:
    """Start and end of a window; of an instant, itself twice."""
    start, _, end = str(moment).partition("/")
    start_ms = parse_instant(start, now_ms=0)
    return start_ms, parse_instant(end, now_ms=0) if end else start_ms


def _is_settled(found: Comparison, now_ms: int) -> bool:
    sides = found.before, found.after
    # Of either kind, an instant waits as long as a window does: people are told one hour (docs/http-api.md).
    return all(side.settled and window_is_settled(side.end_ms, now_ms) for side in sides)
