"""Presets: a ready configuration for each telemetry source, so that ``--preset istio`` is enough.

Each is a file beside this one, an ordinary configuration without a server. It begins with one
comment line that says what it is for; the rest of that comment says what it needs of the mesh.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import resources

import attrs

from vistio_core.configuration import Configuration, loads
from vistio_core.configuration.keys import nearest
from vistio_core.errors import UsageError
from vistio_record.presets import templates
from vistio_record.presets.templates import PresetParameter

_SUFFIX = ".yaml"
_SELECTOR = re.compile(r'(?P<label>\w+)=~"[^"]*@\{(?P<name>\w+)\}')


@attrs.frozen
class Chosen:
    """A preset in force."""

    name: str
    values: Mapping[str, str]
    """All of its parameters."""
    labels: Mapping[str, str] = attrs.field(factory=dict)
    """Those that select series, with the label whose value they are about."""


def names() -> tuple[str, ...]:
    """Every preset, sorted."""
    files = resources.files(__name__).iterdir()
    return tuple(sorted(file.name.removesuffix(_SUFFIX) for file in files if file.name.endswith(_SUFFIX)))


def text(name: str, settings: Mapping[str, str] | None = None) -> str:
    """A preset as a configuration file, to be printed, copied and edited.

    Args:
        name: the preset.
        settings: its parameters with values; the others have their defaults.

    Raises:
        UsageError: there is no such preset, no such parameter, or a value cannot be one.
    """
    return templates.filled(_file(name), settings or {}, _read, name)


def parameters(name: str) -> tuple[PresetParameter, ...]:
    """What of a preset can be set.

    Raises:
        UsageError: there is no such preset.
    """
    return templates.parameters(_file(name))


def chosen(name: str, settings: Mapping[str, str]) -> Chosen:
    """A preset with ``settings``, which `text` has accepted, and the defaults of its other parameters.

    Raises:
        UsageError: there is no such preset.
    """
    values = {each.name: settings.get(each.name, each.default) for each in parameters(name)}
    labels = {match["name"]: match["label"] for match in _SELECTOR.finditer(_file(name))}
    return Chosen(name, values, labels)


def summary(name: str) -> str:
    """What a preset is for, in one line.

    Raises:
        UsageError: there is no such preset.
    """
    return _file(name).partition("\n")[0].removeprefix("# ")


def load(name: str, prometheus_url: str, settings: Mapping[str, str] | None = None) -> Configuration:
    """The configuration of a preset whose rules ask the server at ``prometheus_url``.

    Raises:
        UsageError: as `text`, or ``prometheus_url`` is not an address.
    """
    return loads(text(name, settings), f"preset {name}", prometheus_url=prometheus_url)


def _file(name: str) -> str:
    if name not in names():  # before it becomes part of a path
        meant = nearest(name, dict.fromkeys(names()))
        hint = f"; did you mean {meant}?" if meant else ""
        raise UsageError(f"no preset {name!r}; there are {', '.join(names())}{hint}")
    return _read(name + _SUFFIX)


def _read(file: str) -> str:
    return resources.files(__name__).joinpath(file).read_text(encoding="utf-8")
