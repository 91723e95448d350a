"""The output formats of a graph, by name: the registry.

A frontend turns a `vistio_core.graph.model.Graph` into bytes (`base.Frontend`). The built-in ones
are registered exactly as anybody else's: under the entry point group ``vistio.frontends`` of an
installed distribution. The registry looks only at names until one is asked for, so a plugin
that is broken or slow to import costs those who do not use it nothing.
"""

from __future__ import annotations

import difflib
from importlib.metadata import EntryPoint, entry_points

from vistio_core.errors import UsageError
from vistio_core.frontends.base import Frontend
from vistio_core.sentences import Said, say

__all__ = ["GROUP", "Frontend", "get", "names"]

GROUP = "vistio.frontends"
# Looking through all installed distributions takes milliseconds, as long as a small graph itself.
_loaded: dict[str, Frontend] = {}


def names() -> tuple[str, ...]:
    """The names of all frontends that are installed, sorted; nothing is imported."""
    return tuple(sorted(_registered()))


def get(name: str) -> Frontend:
    """The frontend called ``name``.

    Raises:
        UsageError: no such frontend (the message lists those that exist, the nearest first), or
            its plugin cannot be loaded (the message names the distribution that brought it).
    """
    if name in _loaded:
        return _loaded[name]
    entry = _registered().get(name)
    if entry is None:
        near = difflib.get_close_matches(name, names(), n=3)
        known = [*near, *(other for other in names() if other not in near)]
        if not known:
            raise UsageError(
                say("format {name!r} does not exist; none is installed, run `pip install vistio`", name=name)
            )
        raise UsageError(
            say("format {name!r} does not exist; use one of {known}", name=name, known=", ".join(known))
        )
    return _loaded.setdefault(name, _load(entry))


def _registered() -> dict[str, EntryPoint]:
    """Name to entry point. Read anew each time, so a plugin installed meanwhile is seen."""
    found: dict[str, EntryPoint] = {}
    for entry in sorted(entry_points(group=GROUP), key=_precedence):
        found.setdefault(entry.name, entry)
    return found


def _precedence(entry: EntryPoint) -> tuple[bool, str, str]:
    # The built-in formats are promised, so no other package can take their names.
    return (not entry.value.startswith("vistio_core.frontends."), str(_distribution(entry)), entry.value)


def _load(entry: EntryPoint) -> Frontend:
    try:
        loaded = entry.load()
        frontend = loaded() if isinstance(loaded, type) else loaded
    except Exception as error:  # a plugin is somebody else's code: anything can come out of it
        raise UsageError(
            say(
                "format {name!r}: {value} of {distribution} cannot be loaded ({error});"
                " upgrade or uninstall that package",
                name=entry.name,
                value=entry.value,
                distribution=_distribution(entry),
                error=f"{type(error).__name__}: {error}",
            )
        ) from error
    missing = [
        what
        for what, present in (
            ("name", isinstance(getattr(frontend, "name", None), str)),
            ("content_type", isinstance(getattr(frontend, "content_type", None), str)),
            ("options", isinstance(getattr(frontend, "options", None), tuple)),
            ("render", callable(getattr(frontend, "render", None))),
        )
        if not present
    ]
    if missing:
        raise UsageError(
            say(
                "format {name!r}: {value} of {distribution} is not a frontend, it has no {missing}"
                " (vistio_core.frontends.base.Frontend); upgrade or uninstall that package",
                name=entry.name,
                value=entry.value,
                distribution=_distribution(entry),
                missing=", ".join(missing),
            )
        )
    checked: Frontend = frontend
    return checked


def _distribution(entry: EntryPoint) -> Said:
    return say("an unnamed distribution") if entry.dist is None else f"{entry.dist.name} {entry.dist.version}"
