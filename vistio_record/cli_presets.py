"""The command of `vistio-record` that shows the presets."""

from __future__ import annotations

import click

from vistio_core.commandline import Group
from vistio_core.errors import UsageError
from vistio_record import presets as built_in
from vistio_record.options import complete_preset, pairs, set_option


@click.group(cls=Group, invoke_without_command=True)
@click.pass_context
def presets(context: click.Context) -> None:
    """List the presets: ready configurations for well-known telemetry sources.

    \b
    Examples:
      vistio-record presets
      vistio-record presets show istio
      vistio-record check --preset istio --prometheus http://prometheus.istio-system:9090
    """  # noqa: D301  # click's own mark: keep these lines
    if context.invoked_subcommand is not None:
        return
    width = max(map(len, built_in.names()))
    for name in built_in.names():
        click.echo(f"{name:<{width}}  {built_in.summary(name)}")


@presets.command()
@click.argument("name", shell_complete=complete_preset)
@set_option
def show(name: str, set: tuple[str, ...]) -> None:
    """Print the configuration file of the preset NAME, to copy and edit.

    The comment at its head lists the parameters, with the values that they have in it.

    \b
    Examples:
      vistio-record presets show istio > vistio.yaml
      vistio-record presets show istio --set window=2m --set gateway='.+-istio' > vistio.yaml
    """  # noqa: D301  # as above
    try:
        click.echo(built_in.text(name, pairs("--set", set)), nl=False)
    except UsageError as error:
        raise click.UsageError(str(error)) from error
