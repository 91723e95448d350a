"""What may stand at a single key: texts, numbers, regular expressions, URLs, titles.

Each function takes a placed value and returns what the model holds, or raises `RefusedError`
with what was found, what is allowed and the remedy.
"""

from __future__ import annotations

import math
import re
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from vistio_core.configuration.keys import nearest
from vistio_core.configuration.label_templates import parse_template
from vistio_core.configuration.model import Merge, StatusType, Witness
from vistio_core.configuration.regexes import Regex
from vistio_core.configuration.templates import parse_title
from vistio_core.configuration.yaml_lines import Items, Scalar
from vistio_core.errors import Problem, UsageError
from vistio_core.url_secrets import redact, redact_server

if TYPE_CHECKING:
    from collections.abc import Callable

    from vistio_core.configuration.places import Placed

Choice = TypeVar("Choice", bound=StrEnum)


class RefusedError(Exception):
    """A value, or several below it, cannot be used. Never leaves the loader."""

    def __init__(self, *problems: Problem) -> None:
        self.problems = problems
        super().__init__(*problems)


def refused(placed: Placed, message: str) -> RefusedError:
    """The error for what stands at ``placed``."""
    return RefusedError(Problem(placed.path, message, placed.line))


def describe(placed: Placed, without_secrets: Callable[[str], str] = redact) -> str:
    """What was found, in a few words and without secrets."""
    content = placed.content
    if isinstance(content, Scalar):
        if content.is_null:
            return "found nothing"
        text = without_secrets(content.text)
        quoted = repr(text if len(text) <= 60 else f"{text[:60]}…")
        return f"found the text {quoted}" if content.is_quoted else f"found {quoted}"
    return "found a list" if isinstance(content, list | Items) else "found a mapping"


def read_text(placed: Placed) -> str:
    """Any scalar, as it is written: ``class: 0755`` is the text 0755."""
    if not isinstance(placed.content, Scalar):
        raise refused(placed, f"{describe(placed)}; write one text")
    return placed.content.text


def read_name(placed: Placed) -> str:
    """A text that is not empty."""
    text = read_text(placed)
    if not text.strip():
        raise refused(placed, "found an empty text; write a name")
    return text


def read_label(placed: Placed) -> str:
    """The name of a label; empty text is no label."""
    if isinstance(placed.content, Items | list):
        raise refused(placed, f"{describe(placed)}; write one label, several stand at labels: [...]")
    return read_text(placed)


def read_labels(placed: Placed) -> tuple[str, ...]:
    """Names of labels, at least one."""
    if not isinstance(placed.content, list) or not placed.content:
        found = "found an empty list" if placed.content == [] else describe(placed)
        raise refused(placed, f"{found}; write a list of labels, such as [deployment, statefulset]")
    return tuple(read_name(item) for item in placed.content)


def read_template(placed: Placed) -> str:
    """A text with labels in braces, see `label_templates`."""
    text = read_text(placed)
    try:
        parse_template(text)
    except UsageError as error:
        raise refused(placed, str(error)) from error
    return text


_MEASURE = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


def read_measure(placed: Placed) -> str:
    """What is measured: it becomes a key of JSON and an attribute of GraphML."""
    text = read_text(placed)
    if _MEASURE.fullmatch(text) is None:
        remedy = "write letters, digits and _, with the unit at the end, such as latency_p99_ms"
        raise refused(placed, f"{describe(placed)}; {remedy}")
    return text


def read_query(placed: Placed) -> str:
    """A PromQL query: Prometheus itself judges it."""
    text = read_text(placed)
    if not text.strip():
        raise refused(placed, "found an empty text; write the PromQL query whose series make the graph")
    return text


# What Go's yaml.v2 takes for a number (its resolve.go), underscores removed.
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_BASED = (
    (re.compile(r"([-+]?)0[xX]([0-9a-fA-F]+)"), 16),
    (re.compile(r"([-+]?)0[bB]([01]+)"), 2),
    (re.compile(r"([-+]?)0([0-7]+)"), 8),
)
_SPECIAL = re.compile(r"([-+]?)\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")


def go_float(text: str) -> float | None:
    """The number that Go's yaml.v2 reads from unquoted ``text`` into a float; None for no number."""
    if special := _SPECIAL.fullmatch(text):
        return math.nan if special[1] is None else math.copysign(math.inf, -1 if special[1] == "-" else 1)
    plain = text.replace("_", "")
    for pattern, base in _BASED:
        # Go reads 64 bits; what is longer is a decimal number or none.
        if (based := pattern.fullmatch(plain)) and (number := int(based[2][:70], base)) < 1 << 64:
            return float(-number if based[1] == "-" else number)
    return float(plain) if _FLOAT.fullmatch(plain) else None


def read_number(placed: Placed) -> float:
    """A number as Go's yaml.v2 reads it; not a number (``.nan``) is 0, which no value compares to."""
    content = placed.content
    number = go_float(content.text) if isinstance(content, Scalar) and not content.is_quoted else None
    if number is None:
        unquoted = go_float(placed.text) is not None
        remedy = "write it without quotes" if unquoted else "write one such as 0.05 or 1200"
        raise refused(placed, f"{describe(placed)}; a number is needed, {remedy}")
    return 0.0 if math.isnan(number) else number


def read_volume(placed: Placed) -> float:
    """A number of requests per second."""
    number = read_number(placed)
    if not math.isfinite(number) or number < 0:
        raise refused(placed, f"{describe(placed)}; write requests per second, 0 or more, such as 1200")
    return number


def read_regex(placed: Placed) -> str:
    """An RE2 regular expression."""
    text = read_text(placed)
    try:
        Regex(text)
    except UsageError as error:
        message = (
            f"{describe(placed)}, {error}; write an RE2 expression (https://github.com/google/re2/wiki/Syntax):"
            " no look-around, no backreferences"
        )
        raise refused(placed, message) from error
    return text


def read_title(placed: Placed) -> str:
    """A notice's title, see `templates`."""
    text = read_text(placed)
    try:
        parse_title(text)
    except UsageError as error:
        raise refused(placed, str(error)) from error
    return text


def read_status_type(placed: Placed) -> StatusType:
    """One of `StatusType`."""
    return _read_choice(placed, StatusType)


def read_merge(placed: Placed) -> Merge:
    """One of `Merge`."""
    return _read_choice(placed, Merge)


def read_witness(placed: Placed) -> Witness:
    """One of `Witness`."""
    return _read_choice(placed, Witness)


def _read_choice(placed: Placed, choices: type[Choice]) -> Choice:
    text = read_text(placed)
    try:
        return choices(text)
    except ValueError as error:
        names = sorted(choice.value for choice in choices)
        meant = nearest(text, dict.fromkeys(names))
        hint = f"; did you mean {meant}?" if meant else ""
        allowed = f"{', '.join(names[:-1])} and {names[-1]}"
        raise refused(placed, f"{describe(placed)}; allowed are {allowed}{hint}") from error


_URL_EXAMPLE = "write the address of a Prometheus server, such as http://prometheus.istio-system:9090"
_NOT_IN_URL = re.compile(r"[^!-~]|[\"<>\\^`{|}]")


def read_url(placed: Placed) -> str:
    """The address of a Prometheus server; a path prefix and credentials are kept."""
    text = read_text(placed)
    if (bad := _NOT_IN_URL.search(text)) is not None:
        character = bad.group()
        remedy = f"{character!r} does not belong in a URL, percent-encode it"
        raise refused(placed, f"{describe(placed, redact_server)}; {remedy}")
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # of .port, and of a bracket that does not close
        usable = False
    if not usable:
        raise refused(placed, f"{describe(placed, redact_server)}; {_URL_EXAMPLE}")
    return text
