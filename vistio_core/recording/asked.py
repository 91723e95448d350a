"""Windows and moments, as people ask for them."""

from __future__ import annotations

from vistio_core.errors import InvalidTimeError
from vistio_core.times import DurationLike, InstantLike, parse_duration

WindowLike = str | tuple[InstantLike, InstantLike] | list[InstantLike]
"""Two instants: a pair, or text with a slash between, ``2026-11-23T05:00:00Z/2026-11-23T05:10:00Z``."""
MomentLike = InstantLike | WindowLike
"""An instant or a window."""


def moment(asked: MomentLike) -> InstantLike | tuple[InstantLike, InstantLike]:
    """``asked``, a window always as a pair.

    Raises:
        InvalidTimeError: a window without two ends.
    """
    if isinstance(asked, str) and "/" in asked:
        start, _, end = asked.partition("/")
        return start, end
    if not isinstance(asked, tuple | list):
        return asked
    if len(asked) != 2 or any(end is None for end in asked):
        raise InvalidTimeError(f"window {asked!r}: give two instants, its start and its end")
    return asked[0], asked[1]


def window(name: str, asked: WindowLike) -> tuple[InstantLike, InstantLike]:
    """The start and the end of a window.

    Args:
        name: of what was asked, for the message.
        asked: what was asked.

    Raises:
        InvalidTimeError: it is no window.
    """
    pair = moment(asked)
    if not isinstance(pair, tuple):
        raise InvalidTimeError(
            f"{name} {asked!r}: give a window, two instants with a slash between, such as -1h/now"
        )
    return pair


def step_length(asked: DurationLike) -> int:
    """Milliseconds of the length of a step.

    Raises:
        InvalidTimeError: no duration, or none at all.
    """
    step_ms = parse_duration(asked)
    if step_ms <= 0:
        raise InvalidTimeError(f"step {asked!r}: must be longer than 0s")
    return step_ms
