"""How a preset's file becomes a configuration: its parameters get values, its macros are written out. Pure.

    # Parameters:
    #   window   duration  1m                   How far rates look back.
    #   gateway  regex     .*ingressgateway.*   Which workloads are gateways.
    #: sent(by) = sum by (@{by}) (rate(requests_total{caller!~"@{gateway}"}[@{window}]))
    ...
        query: |
          @sent(caller, called)

A parameter is a line of the comment at the head, and stays there with the value that it got: what is printed, and
recorded, says what was set. A macro is a line that begins with `#:`, and those below it that do; it is gone once it is
written out, so that what users copy and edit is an ordinary configuration. `#: from FILE` takes the macros of a file.

What must not be in here: what any preset is about.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum

import attrs

from vistio_core.configuration.keys import nearest
from vistio_core.configuration.regexes import Regex
from vistio_core.errors import UsageError

_PARAMETER = re.compile(
    r"^#   (?P<name>\w+) +(?P<kind>duration|regex) +(?P<value>\S+)  +(?P<meaning>.+)$", re.M
)
_MACRO = re.compile(r"(?P<name>[\w-]+)(?:\((?P<argument>\w+)\))? = ?(?P<body>.*)")
_USE = re.compile(r"@(?:\{(?P<plain>[\w-]+)\}|(?P<call>[\w-]+)\()")
_DURATION = re.compile(r"(?=.*[1-9])(\d+y)?(\d+w)?(\d+d)?(\d+h)?(\d+m)?(\d+s)?(\d+ms)?")


class Kind(StrEnum):
    """What may be set."""

    DURATION = "duration"
    """As PromQL has them: ``90s``, ``2m``."""
    REGEX = "regex"
    """RE2 that must match the whole of a label's value, as in PromQL; it is put into a string of PromQL."""

    def written(self, value: str) -> str:
        """``value`` as it stands in a query.

        Raises:
            UsageError: it is none of this kind.
        """
        if self is Kind.DURATION:
            if not value or not _DURATION.fullmatch(value):
                raise UsageError(f"found {value!r}; write a duration as PromQL has it, such as 90s or 2m")
            return value
        written = "".join(_in_string(character) for character in value)
        Regex(value)
        return written


@attrs.frozen
class PresetParameter:
    """What of a preset can be set without a copy of it."""

    name: str
    kind: Kind
    default: str
    meaning: str


@attrs.frozen
class _Macro:
    argument: str
    body: str


def parameters(text: str) -> tuple[PresetParameter, ...]:
    """The parameters of a preset's file, in its order."""
    return tuple(
        PresetParameter(found["name"], Kind(found["kind"]), found["value"], found["meaning"])
        for found in _PARAMETER.finditer(text)
    )


def filled(text: str, settings: Mapping[str, str], library: Callable[[str], str], preset: str) -> str:
    """The configuration that a preset's file is with ``settings``.

    Args:
        text: the file.
        settings: parameters with values; the others have their defaults.
        library: gives the text of a file that ``#: from`` names.
        preset: its name, for messages.

    Raises:
        UsageError: there is no such parameter, or its value cannot be one.
    """
    values = _values(parameters(text), settings, preset)
    macros = dict(_macros(text, library))
    plain = "".join(line for line in text.splitlines(keepends=True) if not line.startswith("#:"))
    plain = _PARAMETER.sub(_with_value, plain)
    # Values come last: whatever stands in one is not looked at again.
    parts = re.split(r"@\{(\w+)\}", _expanded(plain, macros, values))
    parts[1::2] = [values[name] for name in parts[1::2]]
    return "".join(parts)


def _values(known: tuple[PresetParameter, ...], settings: Mapping[str, str], preset: str) -> dict[str, str]:
    names = [parameter.name for parameter in known]
    for name in settings:
        if name not in names:
            meant = nearest(name, dict.fromkeys(names))
            hint = f"; did you mean {meant}?" if meant else ""
            raise UsageError(
                f"--set {name}: preset {preset} has no such parameter; it has {', '.join(names)}{hint}"
            )
    values = {}
    for parameter in known:
        try:
            values[parameter.name] = parameter.kind.written(settings.get(parameter.name, parameter.default))
        except UsageError as error:
            raise UsageError(f"--set {parameter.name}: {error}") from error
    return values


def _with_value(found: re.Match[str]) -> str:
    """The line of a parameter, with a place for the value that it has where its default stands."""
    line, start = found[0], found.start()
    return f"{line[: found.start('value') - start]}@{{{found['name']}}}{line[found.end('value') - start :]}"


def _macros(text: str, library: Callable[[str], str]) -> Iterator[tuple[str, _Macro]]:
    name = ""
    bodies: dict[str, tuple[str, list[str]]] = {}
    for line in text.splitlines():
        if not line.startswith("#:"):
            continue
        line = line.removeprefix("#:").removeprefix(" ")
        if line.startswith("from "):
            yield from _macros(library(line.removeprefix("from ").strip()), library)
        elif line and not line.startswith((" ", "#")):
            begun = _MACRO.fullmatch(line)
            assert begun is not None, line
            name = begun["name"]
            bodies[name] = begun["argument"] or "", [begun["body"]] if begun["body"] else []
        elif line.startswith("  "):
            bodies[name][1].append(line[2:])
    for name, (argument, lines) in bodies.items():
        yield name, _Macro(argument, "\n".join(lines))


def _expanded(text: str, macros: Mapping[str, _Macro], values: Mapping[str, str]) -> str:
    """``text`` with every macro written out; lines of a macro are indented as the line that it stands in."""
    done = ""
    while (use := _USE.search(text)) is not None:
        done += text[: use.start()]
        rest = text[use.end() :]
        name = use["plain"] or use["call"]
        if name in values:
            done, text = done + use[0], rest
            continue
        macro, argument = macros[name], ""
        if use["call"]:
            end = _closing(rest)
            argument, rest = rest[:end].strip(), rest[end + 1 :]
        line = done.rpartition("\n")[2]
        indent = "\n" + " " * (len(line) - len(line.lstrip(" ")))
        body = macro.body.replace("\n", indent)
        if macro.argument:
            body = body.replace(f"@{{{macro.argument}}}", argument)
        text = body + rest
    return done + text


def _closing(text: str) -> int:
    """Where the parenthesis is that ends ``text``, which begins within one."""
    depth = 1
    for place, character in enumerate(text):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth == 0:
            return place
    raise AssertionError(f"a parenthesis is missing: {text[:60]}")


def _in_string(character: str) -> str:
    """A character as it stands in a string of PromQL, in a block of YAML."""
    if character in '"\\':
        return "\\" + character
    if character.isprintable():
        return character
    code = ord(character)
    if 0xD800 <= code <= 0xDFFF:
        raise UsageError("is not text: some of its bytes are no UTF-8")
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
