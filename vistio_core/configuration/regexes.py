"""Regular expressions and replacements as Go has them, because configurations were written for Go.

RE2 (the package google-re2) is the engine that Go's ``regexp`` re-implements: no backreferences,
no look-around, and time linear in the text, so a configuration cannot hang a scrape. A
replacement follows ``regexp.Expand`` of Go (https://pkg.go.dev/regexp#Regexp.Expand):

    $1, ${1}    the first group            $name, ${name}    the group called name
    $$          a dollar sign              $1x               the group called "1x", hence empty

The only module that touches ``re2``; it is untyped, and no value of it leaves here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

import re2  # type: ignore[import-untyped]  # google-re2 comes without types

from vistio_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

# C++'s RE2 knows "any byte", Go does not, and half a character is no node name.
_ANY_BYTE = re.compile(r"(?<!\\)(?:\\\\)*\\C")


class _Match(Protocol):
    def group(self, index: int) -> bytes | None: ...


class _Pattern(Protocol):
    groups: int
    groupindex: dict[bytes, int]

    def search(self, text: bytes) -> _Match | None: ...


class Regex:
    """An RE2 regular expression; it is searched for, so it is unanchored.

    Raises:
        UsageError: not a regular expression that RE2 knows; the message says what RE2 found.
    """

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        options = re2.Options()
        options.log_errors = False
        try:
            if _ANY_BYTE.search(pattern):
                raise UsageError(r"invalid escape sequence: \C")
            # Bytes on both sides: the str interface of re2 counts characters, for twice the time.
            self._compiled: _Pattern = re2.compile(pattern.encode(), options)
        except re2.error as error:
            found = error.args[0] if error.args else b""
            raise UsageError(
                found.decode(errors="replace") if isinstance(found, bytes) else str(found)
            ) from error

    @property
    def groups(self) -> int:
        """Number of capturing groups, not counting the whole match."""
        return self._compiled.groups

    @property
    def names(self) -> dict[str, int]:
        """Name of a group to its number."""
        return {name.decode(): number for name, number in self._compiled.groupindex.items()}

    def matches(self, text: str) -> bool:
        """Whether the expression matches anywhere in ``text``."""
        return self._compiled.search(text.encode()) is not None

    def rewrite(self, text: str, replacement: Replacement) -> str | None:
        """``replacement`` filled from the first match in ``text``; None when there is no match."""
        match = self._compiled.search(text.encode())
        if match is None:
            return None
        return "".join(
            part if isinstance(part, str) else (match.group(part) or b"").decode(errors="replace")
            for part in replacement.parts
        )


class Replacement:
    """A replacement in Go's syntax, resolved against the groups of one expression."""

    def __init__(self, template: str, regex: Regex) -> None:
        parts: list[str | int] = []
        unknown: list[str] = []
        names = regex.names
        for text, is_group in _split(template):
            if not is_group:
                parts.append(text)
                continue
            number = _number(text)
            if number is None:
                number = names.get(text)
            if number is not None and number <= regex.groups:
                parts.append(number)
            else:
                unknown.append(text)
        self.parts = tuple(parts)
        """Literal texts and numbers of groups, in order."""
        self.unknown = tuple(unknown)
        """Groups that the expression does not have: Go puts nothing in their place."""


def _split(template: str) -> Iterator[tuple[str, bool]]:
    """Literal texts and group names of a template, each with whether it is a group name."""
    position = 0
    while (dollar := template.find("$", position)) >= 0:
        yield template[position:dollar], False
        position = dollar + 1
        if template.startswith("$", position):
            yield "$", False
            position += 1
            continue
        braced = template.startswith("{", position)
        start = end = position + braced
        while end < len(template) and _in_name(template[end]):
            end += 1
        if end == start or (braced and not template.startswith("}", end)):
            yield "$", False  # malformed: the dollar sign stands for itself
            continue
        yield template[start:end], True
        position = end + braced
    yield template[position:], False


def _in_name(character: str) -> bool:
    return character == "_" or character.isalpha() or character.isdecimal()


def _number(name: str) -> int | None:
    """The group number that ``name`` is; None for a name. Go takes ``01`` for a name."""
    if not (name.isascii() and name.isdecimal()) or (name[0] == "0" and len(name) > 1):
        return None
    return int(name) if len(name) < 9 else None
