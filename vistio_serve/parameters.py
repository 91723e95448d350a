"""The query string, read strictly: what is misspelt, repeated or empty is an error that helps.

A parameter that is silently ignored would answer another question than the one that was asked.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import attrs
from werkzeug.datastructures import MultiDict

from vistio_core.errors import InvalidTimeError, UsageError
from vistio_core.events import GLOBAL_LEVEL
from vistio_core.sentences import Cut, Language, Said, Sentence, language_named, say
from vistio_core.times import SECOND_MS, format_instant, parse_duration, parse_instant

LEVELS = ("global",)
DEFAULT_LISTED, MAX_LISTED = 100, 100_000
"""How many of its kind an answer lists, such as edges that changed."""
CACHE_BUSTER = "_"
"""Ignored wherever it appears: a widespread way around caches. Nothing else is ignored, not even
``t``, which is one letter away from ``at``."""


class ParameterError(UsageError):
    """A query parameter cannot be used.

    Attributes:
        parameter: its name; empty when the whole query string is meant.
        allowed: what may stand there, when it is a list.
    """

    def __init__(self, message: Said, parameter: str = "", allowed: Sequence[str] = ()) -> None:
        self.parameter, self.allowed = parameter, tuple(allowed)
        super().__init__(message)


@attrs.frozen
class Asked:
    """The instant that a request asks about."""

    instant_ms: int
    fixed: bool
    """True when it was given absolutely: asked again later, it is the same instant."""


def read(arguments: MultiDict[str, str], known: Sequence[str], alone: Sequence[str] = ()) -> dict[str, str]:
    """The parameters of a request, each once.

    Args:
        arguments: as they were sent.
        known: which there are.
        alone: which of them say something without a value, too.

    Raises:
        ParameterError: one that is not in ``known``, one given twice, one without a value.
    """
    values: dict[str, str] = {}
    for name, given in arguments.lists():
        if name == CACHE_BUSTER:
            continue
        if name not in known:
            takes = (
                say("known here: {names}", names=", ".join(known))
                if known
                else say("this address takes none")
            )
            raise ParameterError(
                say("parameter {name}: unknown; {takes}", name=_short(name), takes=takes), _cut(name), known
            )
        if len(given) > 1:
            raise ParameterError(
                say("parameter {name!r} is given {times} times; give it once", name=name, times=len(given)),
                name,
            )
        if not given[0].strip() and name not in alone:
            raise ParameterError(
                say("parameter {name!r} has no value; give it one, or leave it out", name=name), name
            )
        values[name] = given[0]
    return values


def asked(values: Mapping[str, str], now_ms: int) -> Asked:
    """The instant meant by ``at`` or ``offset``; now when neither is there.

    Live and relative instants are whole seconds, so that everyone who asks within a second asks the
    same question and shares its answer.

    Raises:
        ParameterError: both are given, or ``offset`` is not a number.
        InvalidTimeError: ``at`` is not an instant, or the instant lies before 1970.
    """
    now_ms -= now_ms % SECOND_MS
    if "at" in values and "offset" in values:
        raise ParameterError(
            say(
                "parameters {one!r} and {other!r} exclude each other; give one of them",
                one="at",
                other="offset",
            ),
            "offset",
        )
    if "offset" in values:
        return Asked(_before_now(values["offset"], now_ms), fixed=False)
    if "at" not in values:
        return Asked(now_ms, fixed=False)
    fixed = not is_relative(values["at"])
    return Asked(instant(values, "at", now_ms, default_ms=now_ms), fixed)


def instant(values: Mapping[str, str], name: str, now_ms: int, *, default_ms: int) -> int:
    """Epoch milliseconds of parameter ``name``, ``default_ms`` where it is not given.

    Raises:
        InvalidTimeError: not an instant; the message names the parameter.
    """
    if name not in values:
        return default_ms
    try:
        return parse_instant(values[name], now_ms=now_ms)
    except InvalidTimeError as error:
        raise InvalidTimeError(_wrong(name, error)) from error
    except ValueError as error:  # CPython refuses to convert numbers of more than 4300 digits
        raise InvalidTimeError(
            say("parameter {name!r}: a number of {length} characters", name=name, length=len(values[name]))
        ) from error


def window(values: Mapping[str, str], name: str, now_ms: int) -> tuple[int, int, bool] | None:
    """Start and end of the window in parameter ``name``, and whether both are absolute; None where it is not given.

    Raises:
        ParameterError: not two instants with a slash between, or the end is not after the start.
        InvalidTimeError: one of them is not an instant.
    """
    if name not in values:
        return None
    parts = [part.strip() for part in values[name].split("/")]
    if len(parts) != 2 or "" in parts:
        raise ParameterError(
            say(
                "parameter {name!r} is {value}; give a window, two instants with one slash between, such as -1h/now",
                name=name,
                value=_short(values[name]),
            ),
            name,
        )
    start_ms, end_ms = (instant({name: part}, name, now_ms, default_ms=0) for part in parts)
    if start_ms >= end_ms:
        raise no_window(name)
    return start_ms, end_ms, not any(map(is_relative, parts))


def no_window(name: str) -> ParameterError:
    """That the window in a parameter has nothing in it."""
    return ParameterError(
        say(
            "parameter {name!r}: the window's start is not before its end; a window is [start, end)",
            name=name,
        ),
        name,
    )


def check_window(start_ms: int, end_ms: int) -> None:
    """That a window has something in it.

    Raises:
        ParameterError: it has not.
    """
    if start_ms >= end_ms:
        raise ParameterError(
            say(
                "start {start} is not before end {end}; a window is [start, end)",
                start=format_instant(start_ms),
                end=format_instant(end_ms),
            ),
            "start",
        )


def is_relative(text: str) -> bool:
    """Whether an instant is told in relation to now: asked again later, it is another one."""
    return text.strip() == "now" or text.strip().startswith("-")


def choice(values: Mapping[str, str], name: str, allowed: Sequence[str], default: str) -> str:
    """Parameter ``name``, which is one of ``allowed``.

    Raises:
        ParameterError: it is something else.
    """
    value = values.get(name, default)
    if value not in allowed:
        raise ParameterError(
            say(
                "parameter {name!r} is {value}; allowed: {allowed}",
                name=name,
                value=_short(value),
                allowed=", ".join(allowed),
            ),
            name,
            allowed,
        )
    return value


def length(values: Mapping[str, str], name: str, default_ms: int) -> int:
    """Milliseconds of parameter ``name``, a length of time; 0 or more.

    Raises:
        ParameterError: it is none.
    """
    if name not in values:
        return default_ms
    try:
        return parse_duration(values[name])
    except InvalidTimeError as error:
        raise ParameterError(_wrong(name, error), name) from error


def required(values: Mapping[str, str], name: str) -> str:
    """Parameter ``name``, without which there is no answer.

    Raises:
        ParameterError: it is not given.
    """
    if name not in values:
        raise ParameterError(say("parameter {name!r} is missing; this address needs it", name=name), name)
    return values[name]


def language(arguments: Mapping[str, str]) -> Language | None:
    """What is asked for by ``lang``; None where that is not given, or no language.

    Asked before the rest is read: what is wrong with that is told in it.
    """
    return language_named(arguments.get("lang"))


def level(values: Mapping[str, str]) -> str | None:
    """The cluster in question by ``cluster`` or ``level``, empty for the global one; None for all.

    Raises:
        ParameterError: both are given, or an unknown level.
    """
    if "level" not in values:
        return values.get("cluster")
    choice(values, "level", LEVELS, LEVELS[0])
    if "cluster" in values:
        raise ParameterError(
            say(
                "parameters {one!r} and {other!r} exclude each other; give one", one="level", other="cluster"
            ),
            "level",
        )
    return GLOBAL_LEVEL


def limit(values: Mapping[str, str]) -> int:
    """Parameter ``limit``: how much of each kind is listed.

    Raises:
        ParameterError: it is no number, or not one that is allowed.
    """
    text = values.get("limit", str(DEFAULT_LISTED)).strip()
    if not (text.isascii() and text.isdecimal() and len(text) < 9 and 1 <= int(text) <= MAX_LISTED):
        raise ParameterError(
            say("parameter {name!r}: use a number from 1 to {most:,}", name="limit", most=MAX_LISTED), "limit"
        )
    return int(text)


def _before_now(text: str, now_ms: int) -> int:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not math.isfinite(seconds) or "_" in text:
        raise ParameterError(
            say(
                "parameter {name!r} is {value}; give the number of seconds before now, 0 for live",
                name="offset",
                value=_short(text),
            ),
            "offset",
        )
    if seconds <= 0:  # Vistio's rule: live
        return now_ms
    # Compared before it is multiplied: Vistio's offset=18446744074 overflowed into the live graph.
    if seconds > now_ms / SECOND_MS:
        raise ParameterError(
            say(
                "parameter {name!r} is {value} seconds, which lies before 1970; now is {now}",
                name="offset",
                value=_short(text),
                now=format_instant(now_ms),
            ),
            "offset",
        )
    return now_ms - round(seconds * SECOND_MS)


def _wrong(name: str, error: InvalidTimeError) -> Sentence:
    return say("parameter {name!r}: {wrong}", name=name, wrong=Cut(error.said, 300))


def _cut(text: str, most: int = 60) -> str:
    return text if len(text) <= most else text[:most] + "…"


def _short(text: str) -> str:
    return repr(_cut(text))
