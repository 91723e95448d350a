"""From labels to node names and statuses, and from a status to its class: what a rule does with each series.

A scrape may bring tens of thousands of series that share few label values, so all of them keep
what they answered, by label values.
"""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING

import attrs

from vistio_core.configuration.label_templates import parse_template
from vistio_core.configuration.regexes import Regex, Replacement

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from vistio_core.configuration.label_templates import Field
    from vistio_core.configuration.model import NodeMapping, StatusMapping

# More distinct values than any mesh has at once, few enough (some 10 MB) never to matter.
_REMEMBERED = 65_536


@attrs.frozen
class Dropped:
    """A series that does not belong to the rule."""

    reason: str
    """Short, and the same for every series of a mapping and cause: it ends up in counts."""


_EMPTY_NAME = Dropped("node name empty")


class StatusClass(StrEnum):
    """How a request ended, as the rule judges its status."""

    NORMAL = "normal"
    WARNING = "warning"
    DANGER = "danger"

    @property
    def column(self) -> int:
        """Which column of every array of rates is this class's."""
        return _COLUMNS[self]


CLASSES = len(StatusClass)
"""How many columns an array of rates has: normal, warning, danger, in this order."""
_COLUMNS = {each: column for column, each in enumerate(StatusClass)}


class NodeNamer:
    """Names the node of a series by a `NodeMapping`. Safe to share between threads.

    Raises:
        UsageError: the mapping's ``regex`` is not RE2, or its ``template`` none;
            `vistio_core.configuration.load` has refused that before, with its line.
    """

    def __init__(self, mapping: NodeMapping) -> None:
        self._fields = mapping.fields
        self._labels = tuple(dict.fromkeys(chain.from_iterable(self._fields)))
        self._parts = parse_template(mapping.template) if mapping.template else None
        self._default = mapping.default
        self._without = self._fallback(mapping)
        self._no_match = Dropped(f"regex does not match {mapping.template or ' or '.join(self._labels)}")
        self._copies = (mapping.regex, mapping.replacement) == ("(.*)", "$1")
        self._regex = Regex(mapping.regex)
        self._replacement = Replacement(mapping.replacement, self._regex)
        self._rewritten = lru_cache(_REMEMBERED)(self._rewrite)
        self._filled = lru_cache(_REMEMBERED)(self._fill)

    def name(self, labels: Mapping[str, str]) -> str | Dropped:
        """The node's name, never empty, or why the series has none."""
        if self._parts is not None:
            return self._filled(tuple([labels.get(label, "") for label in self._labels]))
        for label in self._labels:
            if value := labels.get(label):
                return self._named(value, self._rewritten)
        return self._without

    def _fallback(self, mapping: NodeMapping) -> str | Dropped:
        """What a series without the label, or any of the labels, is called."""
        if not self._fields:
            return mapping.replacement or _EMPTY_NAME
        return mapping.default or _missing(self._fields[0])

    def _fill(self, values: tuple[str, ...]) -> str | Dropped:
        """The name that the template makes of the values of ``self._labels``."""
        text = ""
        for part in self._parts or ():
            if isinstance(part, str):
                text += part
            elif value := _first(part, self._labels, values):
                text += value
            else:
                return self._default or _missing(part)
        return self._named(text, self._rewrite)

    def _named(self, text: str, rewrite: Callable[[str], str | Dropped]) -> str | Dropped:
        # As text, a dot matches no line end: `(.*)` alone would make "new" of "new" and of "new\nline".
        return text if self._copies and text else rewrite(text)

    def _rewrite(self, value: str) -> str | Dropped:
        name = self._regex.rewrite(value, self._replacement)
        if name is None:
            return self._no_match
        return name or _EMPTY_NAME


class StatusNamer:
    """Finds the raw status of a series by a `StatusMapping`. Safe to share between threads.

    Without a mapping, no series has a status.

    Raises:
        UsageError: the mapping's ``template`` is none; see `NodeNamer`.
    """

    def __init__(self, status: StatusMapping | None) -> None:
        self._labels = tuple(dict.fromkeys(chain.from_iterable(status.fields))) if status else ()
        self._parts = parse_template(status.template) if status and status.template else None
        self._without = (status.value or status.default) if status else ""
        self._filled = lru_cache(_REMEMBERED)(self._fill)

    def status(self, labels: Mapping[str, str]) -> str:
        """The status; empty where the series has none."""
        if self._parts is not None:
            return self._filled(tuple([labels.get(label, "") for label in self._labels]))
        for label in self._labels:
            if value := labels.get(label):
                return value
        return self._without

    def _fill(self, values: tuple[str, ...]) -> str:
        if not any(values):
            return self._without
        text = "".join(
            part if isinstance(part, str) else _first(part, self._labels, values)
            for part in self._parts or ()
        )
        # An empty field leaves its neighbours' blanks behind.
        return " ".join(text.split()) or self._without


class StatusClassifier:
    """Judges raw status values by a `StatusMapping`. Safe to share between threads.

    Without a mapping, everything is normal.

    Raises:
        UsageError: as in `NodeNamer`.
    """

    def __init__(self, status: StatusMapping | None) -> None:
        self._danger = _regex(status.danger_regex if status else None)
        self._warning = _regex(status.warning_regex if status else None)
        self._judged = lru_cache(_REMEMBERED)(self._judge)

    def classify(self, value: str) -> StatusClass:
        """The class of a status; an empty one (no such label on the series) is normal."""
        return self._judged(value)

    def _judge(self, value: str) -> StatusClass:
        if not value:
            return StatusClass.NORMAL
        if self._danger is not None and self._danger.matches(value):
            return StatusClass.DANGER
        if self._warning is not None and self._warning.matches(value):
            return StatusClass.WARNING
        return StatusClass.NORMAL


def _first(field: Field, labels: tuple[str, ...], values: tuple[str, ...]) -> str:
    """The first value of the field's labels that is not empty; else empty."""
    found = dict(zip(labels, values, strict=True))
    return next((found[label] for label in field if found[label]), "")


def _missing(field: Field) -> Dropped:
    several = len(field) > 1
    return Dropped(f"label{'s' if several else ''} {' and '.join(field)} missing or empty")


def _regex(pattern: str | None) -> Regex | None:
    return None if pattern is None else Regex(pattern)
