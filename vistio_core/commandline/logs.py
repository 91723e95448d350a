"""Logs of the programs: one configuration for the records of all libraries."""

from __future__ import annotations

import functools
import logging
import sys
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, TypeVar

import click
import structlog

from vistio_core.url_secrets import redact

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

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
    return structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=[*last, _without_secrets])


def _without_secrets(logger: object, method: str, line: Any) -> str:
    # Whoever logs a URL has redacted it. A library's exception in a traceback has not.
    return redact(line)


def _add_timestamp(logger: object, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    # The record's own time: the formatter may run later.
    created = datetime.fromtimestamp(event["_record"].created, UTC)
    event["timestamp"] = f"{created:%Y-%m-%dT%H:%M:%S}.{created.microsecond // 1000:03d}Z"
    return event


def _head_first(logger: object, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {key: event[key] for key in ("timestamp", "level", "logger", "event")} | dict(event)
