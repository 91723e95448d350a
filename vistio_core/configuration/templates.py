"""What a notice says: its title, how severe it is, and where it leads.

A title is a Go template of which this is kept: a field in double braces, ``{{ .value }}`` or
``{{ .some_label }}``, with Go's trim markers (``{{- .value -}}`` also eats the white space of
the text around it). Everything else in double braces is refused when a configuration is loaded.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import quote_plus, urlsplit, urlunsplit

import attrs

from vistio_core.configuration.model import Severity
from vistio_core.errors import UsageError
from vistio_core.names import visible
from vistio_core.url_secrets import HIDDEN, redact_server

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vistio_core.configuration.model import SeverityThreshold

ALLOWED = "allowed are {{ .value }} and {{ .label }}, with the name of one of the series' labels"

_NO_VALUE = "<no value>"  # what Go prints for a field that is not there
_FIELD = re.compile(r"\{\{(?P<left>-(?=\s))?\s*\.(?P<name>[^\W\d]\w*)\s*(?P<right>(?<=\s)-)?\}\}")
_ACTION = re.compile(r"\{\{.*?(?:\}\}|\Z)", re.DOTALL)
_BLANK = " \t\r\n"


@attrs.frozen
class _Field:
    name: str


@lru_cache(1024)
def parse_title(template: str) -> tuple[str | _Field, ...]:
    """The literal texts and fields of a title, in order.

    Raises:
        UsageError: something else than a field stands in double braces.
    """
    parts: list[str | _Field] = []
    position, trim = 0, False
    while action := _ACTION.search(template, position):
        field = _FIELD.fullmatch(action.group())
        if field is None:
            raise UsageError(f"found {_shorten(action.group())}; {ALLOWED}")
        text = template[position : action.start()]
        text = text.lstrip(_BLANK) if trim else text
        parts += [text.rstrip(_BLANK) if field["left"] else text, _Field(field["name"])]
        position, trim = action.end(), bool(field["right"])
    text = template[position:]
    parts.append(text.lstrip(_BLANK) if trim else text)
    return tuple(part for part in parts if part)


def fields(template: str) -> frozenset[str]:
    """Names of the fields that a title uses.

    Raises:
        UsageError: as `parse_title`.
    """
    return frozenset(part.name for part in parse_title(template) if isinstance(part, _Field))


def render_title(template: str, value: float, labels: Mapping[str, str]) -> str:
    """The title with its fields filled in: plain text, to be escaped by whoever makes HTML of it.

    ``value`` gets five decimals and hides a label of that name; labels are shown as what they are (`visible`), since
    names are among them; what is not a label prints as ``<no value>``.

    Raises:
        UsageError: as `parse_title`.
    """
    return "".join(
        part if isinstance(part, str) else _fill(part.name, value, labels) for part in parse_title(template)
    )


def severity_of(value: float, threshold: SeverityThreshold) -> Severity | None:
    """The highest severity whose threshold is above 0 and reached; None when there is none."""
    for severity, limit in (
        (Severity.ERROR, threshold.error),
        (Severity.WARNING, threshold.warning),
        (Severity.INFO, threshold.info),
    ):
        if limit > 0 and value >= limit:
            return severity
    return None


def query_link(prometheus_url: str, query: str) -> str:
    """The address of Prometheus' own page for ``query``, without credentials and other secrets."""
    parts = urlsplit(redact_server(prometheus_url))
    parameters = [each for each in parts.query.split("&") if each and HIDDEN not in each]
    # Escapes like Go's url.QueryEscape: a space is a plus, and only letters, digits and -_.~ stay.
    parameters.append(f"g0.expr={quote_plus(query)}")
    place, path = parts.netloc.rpartition("@")[2], f"{parts.path.removesuffix('/')}/graph"
    return urlunsplit((parts.scheme, place, path, "&".join(parameters), ""))


def _fill(name: str, value: float, labels: Mapping[str, str]) -> str:
    return f"{value:.5f}" if name == "value" else visible(labels[name]) if name in labels else _NO_VALUE


def _shorten(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:40]}…"
