"""Commands and groups: environment variables, ``-v``, ``--version``, and failures as one line."""

from __future__ import annotations

import importlib.metadata
import traceback
from typing import IO, TYPE_CHECKING, Any, TypeVar

import click

from vistio_core.commandline.parameters import TEXT
from vistio_core.commandline.streams import prepare_streams
from vistio_core.errors import VistioError
from vistio_core.url_secrets import redact

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

INTERRUPTED = 130
"""The exit code of a program that Ctrl-C ended: 128 and the number of SIGINT."""

_VERBOSE = "vistio.verbose"


def settings(environment_prefix: str) -> dict[str, Any]:
    """Context settings of a program: its prefix for environment variables, and how its help looks."""
    return {
        "auto_envvar_prefix": environment_prefix,
        "help_option_names": ["-h", "--help"],
        "show_default": True,
        "max_content_width": 110,
    }


class _FailureShown(click.ClickException):
    """A failure as one line (or one per problem) on stderr; with ``-v`` its traceback before."""

    def __init__(self, message: str, *, verbose: bool) -> None:
        super().__init__(message)
        self._verbose = verbose

    def show(self, file: IO[Any] | None = None) -> None:
        if self._verbose and self.__cause__ is not None:
            click.echo(redact("".join(traceback.format_exception(self.__cause__))), err=True, nl=False)
        click.echo(redact(f"Error: {self.message}"), err=True)


def _invoke(ctx: click.Context, call: Callable[[click.Context], T]) -> T:
    """``call(ctx)``, with its failures turned into what click prints and exits with."""
    try:
        return call(ctx)
    except VistioError as error:
        raise _FailureShown(str(error), verbose=ctx.meta.get(_VERBOSE, False)) from error
    except BrokenPipeError:
        raise  # the reader of our output has gone, as in `| head`: click ends quietly
    except OSError as error:
        place = f"{error.filename}: " if error.filename is not None else ""
        message = f"{place}{error.strerror or error}"
        raise _FailureShown(message, verbose=ctx.meta.get(_VERBOSE, False)) from error
    except (KeyboardInterrupt, click.Abort):
        click.echo(err=True)  # what the shell prints next does not follow ^C
        raise click.exceptions.Exit(INTERRUPTED) from None


class Command(click.Command):
    """A command as described above, with ``-v``."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _complete_options(self)

    def invoke(self, ctx: click.Context) -> Any:
        return _invoke(ctx, super().invoke)


class Group(click.Group):
    """A group of `Command`, with ``-v`` and ``--version``."""

    command_class = Command
    group_class = type  # its subgroups are of its own class

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _complete_options(self)
        self.params.append(
            click.Option(
                ["--version"],
                is_flag=True,
                expose_value=False,
                is_eager=True,
                show_default=False,
                allow_from_autoenv=False,
                callback=_print_version,
                help="Show the version and exit.",
            )
        )

    def main(self, *args: Any, **kwargs: Any) -> Any:
        prepare_streams()
        return super().main(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        return _invoke(ctx, super().invoke)


def _complete_options(command: click.Command) -> None:
    command.params.append(
        click.Option(
            ["-v", "--verbose"],
            is_flag=True,
            expose_value=False,
            show_default=False,
            callback=_remember_verbose,
            help="Show the traceback of an error.",
        )
    )
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            parameter.show_envvar = True
        if parameter.type is click.STRING:
            parameter.type = TEXT


def _remember_verbose(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
    # A context shares ``meta`` with its parents: "-v" counts before and after the command's name.
    if value:
        ctx.meta[_VERBOSE] = True


def _print_version(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
    if not value or ctx.resilient_parsing:
        return
    click.echo(f"{ctx.find_root().info_name} {version()}")
    ctx.exit()


def version() -> str:
    """The version of the installed distribution."""
    try:
        return importlib.metadata.version("vistio")
    except importlib.metadata.PackageNotFoundError:
        return "(not installed: run from its sources)"
