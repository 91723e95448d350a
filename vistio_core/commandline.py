"""What both command lines share: parameter types, errors, logging and progress.

    @click.group(cls=Group, context_settings=settings("VISTIO_RECORD"))
    def main() -> None: ...

    @main.command()
    @click.option("--interval", type=DURATION, default="10s")
    @logging_options
    def run(interval: int) -> None: ...

Each option of a `Group` or `Command` is an environment variable too, named in ``--help``
(``VISTIO_RECORD_RUN_INTERVAL``). Exit codes: 0, 1 for a failure, 2 for wrong usage, 130 after Ctrl-C.
"""

from __future__ import annotations

import functools
import importlib.metadata
import logging
import re
import sys
import threading
import time
import traceback
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import IO, TYPE_CHECKING, Any, Literal, ParamSpec, TypeVar

import click
import structlog

from vistio_core import times
from vistio_core.errors import InvalidTimeError, VistioError

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

INTERRUPTED = 130
"""The exit code of a program that Ctrl-C ended: 128 and the number of SIGINT."""

_VERBOSE = "vistio.verbose"

_SIZE_UNITS = ("", "K", "M", "G", "T", "P")
_SIZE = re.compile(r"(?P<number>[0-9]{1,15}(\.[0-9]{1,15})?) ?((?P<unit>[KMGTP])i?)?B", re.IGNORECASE)


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, MutableMapping

    _Whole = click.ParamType[int]
else:
    _Whole = click.ParamType  # generic only in newer versions of click


class DurationType(_Whole):
    """``10s``, ``5m``, ``1h30m``, ``7d``: becomes milliseconds."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        try:
            return times.parse_duration(str(value))
        except InvalidTimeError as error:
            self.fail(str(error), param, ctx)


class InstantType(_Whole):
    """RFC 3339, epoch seconds or milliseconds, or relative such as ``-15m``: becomes epoch milliseconds."""

    name = "instant"

    def __init__(self, now_ms: Callable[[], int] = times.system_now_ms) -> None:
        self._now_ms = now_ms

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        try:
            return times.parse_instant(str(value), now_ms=self._now_ms())
        except InvalidTimeError as error:
            self.fail(str(error), param, ctx)


class SizeType(_Whole):
    """``50GB``, ``1.5GiB``, ``512MB``: becomes bytes. As in Prometheus, 1KB is 1024B."""

    name = "size"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        found = _SIZE.fullmatch(str(value).strip())
        if found is None:
            self.fail(
                f"size {value!r}: use a number and a unit, such as 512MB or 50GB (B, KB, MB, GB, TB, PB;"
                " 1KB is 1024B, as in Prometheus)",
                param,
                ctx,
            )
        return int(Decimal(found["number"]) * 1024 ** _SIZE_UNITS.index((found["unit"] or "").upper()))


DURATION = DurationType()
INSTANT = InstantType()
SIZE = SizeType()


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
            click.echo("".join(traceback.format_exception(self.__cause__)), err=True, nl=False)
        click.echo(f"Error: {self.message}", err=True)


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


LEVELS = ("debug", "info", "warning", "error")
FORMATS = ("text", "json")


def logging_options(function: Callable[P, T]) -> Callable[..., T]:
    """Adds ``--log-level`` and ``--log-format`` to a command and configures logging before it runs."""

    @click.option(
        "--log-level", type=click.Choice(LEVELS), default="info", help="Least important log entries to show."
    )
    @click.option("--log-format", type=click.Choice(FORMATS), default="text", help="How log entries look.")
    @functools.wraps(function)
    def configured(*args: Any, log_level: str, log_format: Literal["text", "json"], **kwargs: Any) -> T:
        configure_logging(log_level, log_format)
        return function(*args, **kwargs)

    return configured


def configure_logging(level: str = "info", format: Literal["text", "json"] = "text") -> None:
    """Sends the log of everything to stderr, replacing what was configured before.

    Args:
        level: one of `LEVELS`.
        format: ``text`` (``<time> [info] commit.written rows=3``) or ``json`` (one object a line).
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_formatter(format, colors=format == "text" and sys.stderr.isatty()))
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())
    # It logs whole addresses, with what a server's URL keeps behind its "?", at debug and where
    # headers cannot be read. Our own entries say what happened.
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    logging.captureWarnings(True)
    if threading.excepthook is threading.__excepthook__:  # else someone else wants to know
        threading.excepthook = _log_crash


def _log_crash(crash: threading.ExceptHookArgs) -> None:
    """What Python would print as plain lines into the middle of the log."""
    if crash.exc_value is None or isinstance(crash.exc_value, SystemExit):
        return
    name = crash.thread.name if crash.thread is not None else "?"
    # "thread" is taken: it is the log record's own.
    log.error("thread.crashed", extra={"in_thread": name}, exc_info=crash.exc_value)


def _formatter(format: str, *, colors: bool) -> logging.Formatter:
    shared: list[Any] = [structlog.stdlib.ExtraAdder(), structlog.stdlib.add_log_level, _add_timestamp]
    if format == "json":
        last: list[Any] = [
            structlog.stdlib.add_logger_name,
            structlog.processors.format_exc_info,
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _head_first,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ]
    else:
        renderer = structlog.dev.ConsoleRenderer(
            colors=colors, pad_event_to=0, pad_level=False, exception_formatter=structlog.dev.plain_traceback
        )
        last = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer]
    return structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=last)


def _add_timestamp(logger: object, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    # The record's own time: the formatter may run later.
    created = datetime.fromtimestamp(event["_record"].created, UTC)
    event["timestamp"] = f"{created:%Y-%m-%dT%H:%M:%S}.{created.microsecond // 1000:03d}Z"
    return event


def _head_first(logger: object, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {key: event[key] for key in ("timestamp", "level", "logger", "event")} | dict(event)


@contextmanager
def progress(
    label: str,
    total: int,
    *,
    every_s: float = 5.0,
    monotonic_s: Callable[[], float] = time.monotonic,
) -> Iterator[Callable[[int], None]]:
    """Shows on stderr how far long work is: a bar on a terminal, plain lines elsewhere.

    Args:
        label: what is done, such as ``Sealing``.
        total: number of steps.
        every_s: least seconds between two plain lines; short work gets only its last one.
        monotonic_s: a clock that never goes back, in seconds.

    Yields:
        A function to call with the number of steps done since the last call.
    """
    if sys.stderr.isatty():
        with click.progressbar(length=total, label=label, file=sys.stderr) as bar:
            yield bar.update
        return
    started = told = monotonic_s()
    done = 0

    def advance(steps: int) -> None:
        nonlocal done, told
        done += steps
        if done < total and (now := monotonic_s()) - told >= every_s:
            told = now
            click.echo(f"{label}: {done} of {total} ({100 * done // total} %)", err=True)

    yield advance
    click.echo(f"{label}: {done} of {total}, took {monotonic_s() - started:.1f} s", err=True)
