"""Options that several commands of `vistio-record` share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import attrs
import click

from vistio_core.commandline import DURATION
from vistio_core.configuration import Configuration, load, load_http_config
from vistio_core.configuration.default_server import check_url
from vistio_core.errors import InvalidTimeError, UsageError
from vistio_core.storage.place import directory_of
from vistio_core.times import format_duration
from vistio_record import presets
from vistio_record.sources import registry
from vistio_record.sources.base import Source, SourceOptions

_TIMEOUT_PERCENT = 80
"""Of the interval: what is left is for writing, and for the next scrape to begin on time."""

F = TypeVar("F", bound=Callable[..., Any])  # click decorates any function


class _Place(click.Path):
    """Where a recording is, as the library understands it."""

    def __init__(self, *, file_okay: bool) -> None:
        super().__init__(file_okay=file_okay, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return super().convert(directory_of(value), param, ctx)
        except UsageError as error:
            self.fail(str(error), param, ctx)


recording_option = click.option(
    "--recording",
    type=_Place(file_okay=False),
    required=True,
    metavar="DIR",
    help="The directory with the recording.",
)
reading_option = click.option(
    "--recording",
    type=_Place(file_okay=True),
    required=True,
    metavar="PLACE",
    help="The recording: a directory, or one file that `export` made.",
)
writer_option = click.option(
    "--writer",
    default="main",
    metavar="NAME",
    help="Under which name to write; one process at a time per name.",
)
digits_option = click.option(
    "--significant-digits",
    type=click.IntRange(1, 17),
    metavar="N",
    help="Round each rate to N significant digits, for smaller files; without it rates are exact.",
)
json_option = click.option("--json", is_flag=True, help="Print JSON instead of text.")
config_option = click.option(
    "--config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The configuration: the rules to evaluate (Vistio's and promviz's format).",
)


def complete_preset(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """For a shell's completion: the presets that begin so."""
    return [name for name in presets.names() if name.startswith(incomplete)]


_preset_option = click.option(
    "--preset",
    metavar="NAME",
    shell_complete=complete_preset,
    help="A ready configuration instead of --config, see `vistio-record presets`; needs --prometheus.",
)
set_option = click.option(
    "--set",
    multiple=True,
    metavar="NAME=VALUE",
    help="A parameter of the preset, such as window=2m; `vistio-record presets show NAME` lists them. Repeatable.",
)
_prometheus_option = click.option(
    "--prometheus",
    metavar="URL",
    help="The server of every rule that names none, instead of the configuration's prometheusURL.",
)
_http_config_option = click.option(
    "--http-config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="How servers are asked that have no http_config: Prometheus' format, as for promtool.",
)
_source_option = click.option(
    "--source",
    default="prometheus",
    metavar="NAME",
    help="Who is asked: prometheus, simulator, or what an installed package adds.",
)
_source_settings_option = click.option(
    "--source-option",
    multiple=True,
    metavar="NAME=VALUE",
    help="A setting of the source, such as max_response_bytes=134217728. Repeatable.",
)
_interval_option = click.option("--interval", type=DURATION, default="10s", help="Time between two instants.")
_timeout_option = click.option(
    "--timeout",
    type=DURATION,
    show_default="80 % of the interval",
    help="How long the evaluation of all rules of an instant may take; at most the interval.",
)


def configuration_options(command: F) -> F:
    """Where the rules come from, a file or a preset, and how their servers are asked."""
    for option in (_http_config_option, _prometheus_option, set_option, _preset_option, config_option):
        command = option(command)
    return command


def asking_options(command: F) -> F:
    """What is needed to ask a source: its rules, itself, how often and how long."""
    for option in (_timeout_option, _interval_option, _source_settings_option, _source_option):
        command = option(command)
    return configuration_options(command)


@attrs.frozen
class Rules:
    """Where the rules come from, and how their servers are asked: the shared options, as they were given."""

    config: Path | None = None
    preset: str | None = None
    prometheus: str | None = None
    http_config: Path | None = None
    settings: tuple[str, ...] = ()
    """Parameters of the preset, ``NAME=VALUE``."""

    @property
    def files(self) -> tuple[Path, ...]:
        """What `read` reads; a change of one is a change of the configuration."""
        return tuple(path for path in (self.config, self.http_config) if path is not None)

    @property
    def chosen(self) -> presets.Chosen | None:
        """The preset, with all of its parameters; None if the rules come from a file."""
        return presets.chosen(self.preset, pairs("--set", self.settings)) if self.preset is not None else None

    def read(self) -> Configuration | None:
        """The configuration that the options name; None when they name none.

        Raises:
            ConfigurationError: a file is wrong.
            UsageError: the options cannot go together, or one of them is wrong.
        """
        if self.config is not None and self.preset is not None:
            raise UsageError(
                f"--config {self.config} and --preset {self.preset} are two configurations; keep one, or copy the"
                f" preset with `vistio-record presets show {self.preset}` and edit it"
            )
        if self.settings and self.preset is None:
            raise UsageError(f"--set {self.settings[0]}: is for a preset; name one with --preset NAME")
        if self.prometheus is not None:
            try:
                check_url(self.prometheus)
            except UsageError as error:
                raise UsageError(f"--prometheus: {error}") from error
        found = self._read_rules()
        if self.http_config is not None and found is not None:
            shared = load_http_config(self.http_config)
            if found.http_config is None:
                found = attrs.evolve(found, http_config=shared)
        return found

    def _read_rules(self) -> Configuration | None:
        if self.config is not None:
            return load(self.config, prometheus_url=self.prometheus)
        if self.preset is not None:
            settings = pairs("--set", self.settings)
            presets.text(self.preset, settings)  # a name that is wrong comes before a server that is missing
            if self.prometheus is None:
                raise UsageError(
                    f"--preset {self.preset} has no server yet; add --prometheus with its address,"
                    " such as --prometheus http://prometheus.istio-system:9090"
                )
            return presets.load(self.preset, self.prometheus, settings)
        for option, value in (("--prometheus", self.prometheus), ("--http-config", self.http_config)):
            if value is not None:
                raise UsageError(
                    f"{option} is for the servers of a configuration; name its file with --config,"
                    " or a preset with --preset"
                )
        return None


def make_source(name: str, rules: Rules, settings: tuple[str, ...]) -> Source:
    """The source of the shared options.

    Raises:
        ConfigurationError: a file is wrong.
        click.UsageError: the source is not known, or refuses its options.
    """
    try:
        return build_source(name, rules, settings)
    except (UsageError, InvalidTimeError) as error:
        raise click.UsageError(str(error)) from error


def build_source(name: str, rules: Rules, settings: tuple[str, ...]) -> Source:
    """As `make_source`, for a reload: nothing but `VistioError` is raised."""
    return registry.create(name, SourceOptions(rules.read(), pairs("--source-option", settings)))


def pairs(option: str, settings: tuple[str, ...]) -> dict[str, str]:
    """What ``option``, which is given as NAME=VALUE and several times, says; of one name the last counts.

    Raises:
        UsageError: one is not NAME=VALUE.
    """
    found = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not key or not equals:
            raise UsageError(f"{option}: {setting!r} is not NAME=VALUE")
        found[key] = value
    return found


def timeout_within(interval_ms: int, timeout_ms: int | None) -> int:
    """The timeout that goes with an interval: the one given, or most of the interval.

    Raises:
        click.BadParameter: the two cannot be kept together.
    """
    if interval_ms <= 0:
        raise click.BadParameter("must be greater than 0s", param_hint="--interval")
    if timeout_ms is None:
        return max(1, interval_ms * _TIMEOUT_PERCENT // 100)
    if not 0 < timeout_ms <= interval_ms:
        raise click.BadParameter(
            f"{format_duration(timeout_ms)} must be greater than 0s and at most the interval,"
            f" {format_duration(interval_ms)}; a longer scrape would be late for the next",
            param_hint="--timeout",
        )
    return timeout_ms
