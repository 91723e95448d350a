"""Presets: a ready configuration for each telemetry source, so that ``--preset istio`` is enough.

Each is a file beside this one, an ordinary configuration without a server. It begins with one
comment line that says what it is for; the rest of that comment says what it needs of the mesh.
"""

from __future__ import annotations

from importlib import resources

from vistio_core.configuration import Configuration, loads
from vistio_core.configuration.keys import nearest
from vistio_core.errors import UsageError

_SUFFIX = ".yaml"


def names() -> tuple[str, ...]:
    """Every preset, sorted."""
    files = resources.files(__name__).iterdir()
    return tuple(sorted(file.name.removesuffix(_SUFFIX) for file in files if file.name.endswith(_SUFFIX)))


def text(name: str) -> str:
    """The file of a preset, to be printed, copied and edited.

    Raises:
        UsageError: there is no such preset.
    """
    if name not in names():  # before it becomes part of a path
        meant = nearest(name, dict.fromkeys(names()))
        hint = f"; did you mean {meant}?" if meant else ""
        raise UsageError(f"no preset {name!r}; there are {', '.join(names())}{hint}")
    return resources.files(__name__).joinpath(name + _SUFFIX).read_text(encoding="utf-8")


def summary(name: str) -> str:
    """What a preset is for, in one line.

    Raises:
        UsageError: there is no such preset.
    """
    return text(name).partition("\n")[0].removeprefix("# ")


def load(name: str, prometheus_url: str) -> Configuration:
    """The configuration of a preset whose rules ask the server at ``prometheus_url``.

    Raises:
        UsageError: there is no such preset, or ``prometheus_url`` is not an address.
    """
    return loads(text(name), f"preset {name}", prometheus_url=prometheus_url)
