"""Sources by name: the built-in ones and what other packages add as ``vistio.sources``."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points
from typing import cast

from vistio_core.errors import UsageError
from vistio_record.sources.base import Source, SourceFactory, SourceOptions

GROUP = "vistio.sources"

# Named here too, so that the recorder works from a source tree that is not installed.
_BUILT_IN = {
    "prometheus": "vistio_record.sources.prometheus:PrometheusSource",
    "simulator": "vistio_record.sources.simulator:SimulatorSource",
}


def names() -> list[str]:
    """Every name that `create` knows, sorted."""
    return sorted({*_BUILT_IN, *(point.name for point in entry_points(group=GROUP))})


def create(name: str, options: SourceOptions) -> Source:
    """The source called ``name``, made for ``options``.

    Raises:
        UsageError: no such source, its package cannot be imported, or it refuses the options.
    """
    return _factory(name)(options)


def _factory(name: str) -> SourceFactory:
    if name in _BUILT_IN:
        module, _, attribute = _BUILT_IN[name].partition(":")
        return cast("SourceFactory", getattr(import_module(module), attribute))
    for point in entry_points(group=GROUP, name=name):
        try:
            return cast("SourceFactory", point.load())
        except (ImportError, AttributeError) as error:
            raise UsageError(
                f"source {name!r}: {point.value} cannot be loaded ({error}); reinstall its package"
            ) from error
    raise UsageError(f"source {name!r} is not installed; there are {', '.join(names())}")
