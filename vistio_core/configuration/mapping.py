"""From labels to node names, and from a status to its class: what a rule does with each series.

A scrape may bring tens of thousands of series that share few label values, so both keep what
they answered, by label value.
"""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING

import attrs

from vistio_core.configuration.regexes import Regex, Replacement

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vistio_core.configuration.model import NodeMapping, StatusMapping

# More distinct values than any mesh has at once, few enough (some 10 MB) never to matter.
_REMEMBERED = 65_536


@attrs.frozen
class Dropped:
    """A series that does not belong to the rule."""

    reason: str
    """Short, and the same for every series of a mapping and cause: it ends up in counts."""


class StatusClass(StrEnum):
    """How a request ended, as the rule judges its status."""

    NORMAL = "normal"
    WARNING = "warning"
    DANGER = "danger"


class NodeNamer:
    """Names the node of a series by a `NodeMapping`. Safe to share between threads.

    Raises:
        UsageError: the mapping's ``regex`` is not RE2; `vistio_core.configuration.load` has
            refused that before, with its line.
    """

    def __init__(self, mapping: NodeMapping) -> None:
        self._mapping = mapping
        self._label = mapping.label
        self._literal: str | Dropped = mapping.replacement or Dropped("node name empty")
        self._missing = Dropped(f"label {mapping.label} missing or empty")
        self._copies = (mapping.regex, mapping.replacement) == ("(.*)", "$1")
        self._regex = Regex(mapping.regex)
        self._replacement = Replacement(mapping.replacement, self._regex)
        self._rewritten = lru_cache(_REMEMBERED)(self._rewrite)

    def name(self, labels: Mapping[str, str]) -> str | Dropped:
        """The node's name, never empty, or why the series has none."""
        if not self._label:
            return self._literal
        value = labels.get(self._label)
        if not value:
            return self._missing
        # A dot does not match a line break, so even (.*) would shorten such a value.
        if self._copies and "\n" not in value:
            return value
        return self._rewritten(value)

    def _rewrite(self, value: str) -> str | Dropped:
        name = self._regex.rewrite(value, self._replacement)
        if name is None:
            return Dropped(f"regex does not match {self._label}")
        return name or Dropped("node name empty")


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


def _regex(pattern: str | None) -> Regex | None:
    return None if pattern is None else Regex(pattern)
