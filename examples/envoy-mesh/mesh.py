"""A mesh on a laptop: nine services, an Envoy beside each, users, Prometheus, and vistio that records it all.

``python mesh.py --help`` says how it is started, broken, healed and ended. All of it listens on the loopback only, and
is in one directory: logs, truth, Prometheus' data, the recording.
"""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

import click
import truth
from control import Lock, give_orders
from faults import Fault, Orders
from plan import CALLS, INGRESS, Plan, edges
from supervisor import Mesh, Options

from vistio_core.commandline import DURATION, INSTANT, Group, settings
from vistio_core.times import format_duration, format_instant

directory_option = click.option(
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    default="envoy-mesh",
    show_default=True,
    help="Where everything is that the mesh writes.",
)
ms_option = click.option(
    "--ms", type=click.IntRange(1, 60_000), default=300, show_default=True, help="How long."
)
service_argument = click.argument("service", type=click.Choice(tuple(CALLS)), metavar="SERVICE")
caller_argument = click.argument("caller", type=click.Choice((INGRESS, *CALLS)), metavar="CALLER")
called_argument = click.argument("called", type=click.Choice(tuple(CALLS)), metavar="CALLED")


@click.group(cls=Group, context_settings=settings("ENVOY_MESH"))
def main() -> None:
    """A mesh of nine services with an Envoy beside each, to be broken on purpose.

    \b
    Start it, until Ctrl-C or until its time is over:
      python mesh.py up
    \b
    In another terminal, break something, look, and mend it:
      python mesh.py break abort ratings --percent 50
      python mesh.py truth --start -30s
      python mesh.py heal
    """  # noqa: D301  # click's own mark: keep these lines


@main.command()
@directory_option
@click.option(
    "--rate", type=click.FloatRange(0.1, 200), default=12, show_default=True, help="Page views a second."
)
@click.option(
    "--ceiling",
    type=click.IntRange(1, 500),
    default=48,
    show_default=True,
    help="Page views that are waited for at a time; users who would be more go away.",
)
@click.option(
    "--for", "lifetime", type=DURATION, default="30m", show_default=True, help="When it ends by itself."
)
@click.option("--interval", type=DURATION, default="2s", show_default=True, help="How often vistio records.")
@click.option(
    "--window", type=DURATION, default="10s", show_default=True, help="How far its rates look back."
)
@click.option("--mesh-only", is_flag=True, help="No recorder and no server: start your own.")
def up(
    directory: Path, rate: float, ceiling: int, lifetime: int, interval: int, window: int, mesh_only: bool
) -> None:
    """Start the mesh, record it and serve the recording, until Ctrl-C."""
    options = Options(
        rate_rps=rate,
        ceiling=ceiling,
        lifetime_s=lifetime / 1000,
        interval_ms=interval,
        window=format_duration(window),
        mesh_only=mesh_only,
    )
    with Lock(directory.absolute()).held():
        click.echo(f"envoy-mesh: starting in {directory}/, for {format_duration(lifetime)} at most")
        ended = Mesh(directory.absolute(), options).run(lambda plan: _announce(plan, directory, mesh_only))
        click.echo(f"envoy-mesh: ended, {ended}")


def _announce(plan: Plan, directory: Path, mesh_only: bool) -> None:
    click.echo(f"envoy-mesh: Prometheus is at http://127.0.0.1:{plan.prometheus}")
    if not mesh_only:
        click.echo(f"envoy-mesh: ready, open http://127.0.0.1:{plan.server}/")
    else:
        click.echo("envoy-mesh: ready")
    command = shlex.join([sys.executable, sys.argv[0]])
    where = shlex.join(["--directory", str(directory)])
    click.echo(f"  break it (what else, says break --help): {command} break abort ratings {where}")
    click.echo(f"  what truly happened: {command} truth {where}")
    click.echo(f"  heal it: {command} heal {where}\nCtrl-C ends it.")


@main.command()
@directory_option
def down(directory: Path) -> None:
    """End the mesh, as Ctrl-C in its terminal does."""
    Lock(directory).end_holder()
    click.echo("envoy-mesh: ended")


@main.group(name="break")
def break_() -> None:
    """Break one thing; what is broken already stays so."""


@break_.command()
@service_argument
@click.option(
    "--percent", type=click.IntRange(1, 100), default=100, show_default=True, help="Of its requests."
)
@click.option(
    "--status", type=click.IntRange(400, 599), default=503, show_default=True, help="What they get."
)
@directory_option
def abort(service: str, percent: int, status: int, directory: Path) -> None:
    """The service's Envoy answers itself, with an error."""
    _break(directory, Fault("abort", service, percent=percent, status=status))


@break_.command()
@service_argument
@ms_option
@directory_option
def delay(service: str, ms: int, directory: Path) -> None:
    """The service's Envoy keeps each request before it passes it on."""
    _break(directory, Fault("delay", service, ms=ms))


@break_.command()
@service_argument
@ms_option
@directory_option
def cpu(service: str, ms: int, directory: Path) -> None:
    """The service has a slow CPU, which each request keeps busy, one at a time."""
    _break(directory, Fault("cpu", service, ms=ms))


@break_.command()
@caller_argument
@called_argument
@ms_option
@directory_option
def network(caller: str, called: str, ms: int, directory: Path) -> None:
    """The way between two Envoys is slow, there and back together."""
    _break(directory, Fault("network", _edge(caller, called), ms=ms))


@break_.command()
@caller_argument
@called_argument
@directory_option
def cut(caller: str, called: str, directory: Path) -> None:
    """Nothing gets from one Envoy to the other."""
    _break(directory, Fault("cut", _edge(caller, called)))


@break_.command()
@service_argument
@directory_option
def kill(service: str, directory: Path) -> None:
    """The service's Envoy is killed."""
    _break(directory, Fault("kill", service))


@main.command()
@directory_option
def heal(directory: Path) -> None:
    """Mend all that is broken."""
    since_ms = give_orders(directory, Orders.healed)
    click.echo(f"healed since {format_instant(since_ms)}")


@main.command(name="truth")
@directory_option
@click.option(
    "--start", type=INSTANT, default="-30s", show_default=True, help="RFC 3339, epoch, or relative."
)
@click.option("--end", type=INSTANT, default="now", show_default=True, help="Exclusive.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def truth_(directory: Path, start: int, end: int, as_json: bool) -> None:
    """What truly happened, as those counted who asked and those who answered."""
    counted = truth.count(directory / "truth", start, end)
    if as_json:
        click.echo(json.dumps({edge: both.as_json() for edge, both in counted.items()}, indent=1))
    else:
        click.echo(truth.table(counted, seconds=(end - start) / 1000))


def _edge(caller: str, called: str) -> str:
    edge = f"{caller}>{called}"
    if edge not in edges():
        known = ", ".join(each.replace(">", " ") for each in edges())
        raise click.UsageError(f"{caller} does not call {called}; these do: {known}")
    return edge


def _break(directory: Path, fault: Fault) -> None:
    since_ms = give_orders(directory, lambda orders: orders.and_also(fault))
    click.echo(f"broken since {format_instant(since_ms)}: {fault}")


if __name__ == "__main__":
    main()
