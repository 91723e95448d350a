"""``vistio-serve``: what a user types. Parses, reserves the port, serves."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import attrs
import click

from vistio_core.access.guard import Guard
from vistio_core.access.web_access import WebAccess
from vistio_core.access.web_config import TlsServer
from vistio_core.commandline import (
    SIZE,
    Group,
    configure_logging,
    logging_options,
    settings,
    web_config_option,
)
from vistio_core.errors import UsageError, VistioError
from vistio_serve import demo as demonstration
from vistio_serve.app import create_app
from vistio_serve.forwarding import create_forwarder
from vistio_serve.memory import Memory
from vistio_serve.opening import Opening, directory_to_serve, is_there, refuse_plainly_wrong
from vistio_serve.pages import AS_RECORDED, NO_FRAMES, NO_LINKS
from vistio_serve.server import Address, GraphServer, renew, reserve

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

log = logging.getLogger(__name__)
# A scheme, a host (its first part may be a *), and a port or any.
_ORIGIN = re.compile(r"https?://(\*\.)?[A-Za-z0-9.-]+(:([0-9]+|\*))?")
F = TypeVar("F", bound=Callable[..., Any])  # click decorates any function

DEFAULT_PORT = 9091
WEB_PORT = 8080
# What Kubernetes puts into VISTIO_SERVE_PORT of every pod beside a Service called vistio-serve.
_KUBERNETES_LINK = re.compile(r"(tcp|udp|sctp)://")


class _Port(click.IntRange):
    name = "port"

    def __init__(self, usual: int = DEFAULT_PORT) -> None:
        super().__init__(0, 65535)
        self._usual = usual

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, str) and _KUBERNETES_LINK.match(value):
            return self._usual
        return int(super().convert(value, param, ctx))


class _Prefix(click.ParamType[str]):
    name = "path"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        path = str(value).rstrip("/")
        if path and not re.fullmatch(r"(/[A-Za-z0-9._~-]+)+", path):
            self.fail(f"{value!r} is no path prefix; give one such as /vistio", param, ctx)
        return path


class _QueryLinks(click.ParamType[str]):
    name = "url"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = str(value)
        if text not in (AS_RECORDED, NO_LINKS) and not re.match(r"https?://[^/\s]", text):
            self.fail(
                f"{text!r} is no address; give one such as https://prometheus.example.com, or none",
                param,
                ctx,
            )
        return text


class _FrameAncestors(click.ParamType[str]):
    name = "origins"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        given = str(value).split()
        alone = len(given) == 1 and given[0] in (NO_FRAMES, "*")
        wrong = [each for each in given if each != "self" and not _ORIGIN.fullmatch(each)]
        if not given or (wrong and not alone):
            self.fail(
                f"{value!r} names no origins; give some such as https://grafana.example.com, self, or none",
                param,
                ctx,
            )
        return " ".join(given)


def serving_options(command: F) -> F:
    """Where and how to answer; shared by serving and the demo."""
    for option in (
        web_config_option,
        click.option(
            "--behind-proxy",
            is_flag=True,
            help="Trust one proxy's X-Forwarded-Prefix for addresses in answers, and its X-Forwarded-For.",
        ),
        click.option(
            "--prefix",
            type=_Prefix(),
            default="",
            help="Path prefix, such as /vistio, to answer under as well.",
        ),
        click.option(
            "--memory",
            type=SIZE,
            default="400MB",
            help="How much memory to use, whatever is asked at once; 256MB or more.",
        ),
        click.option(
            "--cors-origin",
            default="*",
            help="Pages of which origin may read the answers: *, one origin, or none.",
        ),
        click.option(
            "--frame-ancestors",
            type=_FrameAncestors(),
            default=NO_FRAMES,
            metavar="ORIGINS",
            help="Pages of which origins may show this one in a frame, such as https://grafana.example.com; self, or"
            " none. Several in quotes, with blanks between.",
        ),
        click.option(
            "--port", type=_Port(), default=DEFAULT_PORT, help="Port to listen on; 0 takes a free one."
        ),
        click.option("--host", default="127.0.0.1", help="Address to listen on; 0.0.0.0 is every interface."),
    ):
        command = option(command)
    return command


@click.group(cls=Group, invoke_without_command=True, context_settings=settings("VISTIO_SERVE"))
@click.option(
    "--recording",
    metavar="PLACE",
    help="The recording: a directory, which may come to be later, or one file that `vistio-record export` made."
    "  [required]",
    show_default=False,
)
@click.option(
    "--query-links",
    type=_QueryLinks(),
    default=AS_RECORDED,
    metavar="URL",
    help="Where people open a notice's query: Prometheus' public address, or any with {query} in it; recorded: as"
    " the recorder asks, none: nowhere.",
)
@serving_options
@logging_options
@click.pass_context
def main(context: click.Context, /, recording: str | None, host: str, port: int, **options: Any) -> None:
    """Serve the graphs of a recording: /graph, /instants, /config, and a page for people.

    \b
    Examples:
      vistio-serve --recording recording/
      vistio-serve --recording recording/ --host 0.0.0.0 --port 8080
      vistio-serve --recording incident.vistio
      vistio-serve demo
    """  # noqa: D301  # click wants the real \b
    if context.invoked_subcommand is not None:
        return
    if recording is None:
        raise click.UsageError(
            "name the recording's directory with --recording DIR, or try `vistio-serve demo`"
        )
    _refuse_plainly_wrong(recording, one_file=True)
    address = _address(host, port, options["web_config"])
    told = f"vistio-serve: open {address.url} (recording {recording})"
    with _directory_to_serve(recording) as place:
        if not is_there(place):
            told += "\n  there is no recording yet: answers are 503 until vistio-record has made it"
        _server(place, address, options, partial(click.echo, told)).run()
    log.info("server.stopped", extra={"url": address.url})


@main.command()
@serving_options
@click.option(
    "--recording",
    metavar="DIR",
    help="Record into this directory and keep it; else into a temporary one.",
    show_default=False,
)
@click.option(
    "--incident",
    type=click.Choice(tuple(demonstration.INCIDENTS)),
    default=next(iter(demonstration.INCIDENTS)),
    help=f"What happened in the past hour: {demonstration.CHOICES}.",
)
@logging_options
def demo(recording: str | None, incident: str, host: str, port: int, **options: Any) -> None:
    """Simulate a mesh with an incident in its past hour, record it and serve it. Needs nothing.

    \b
    Examples:
      vistio-serve demo
      vistio-serve demo --incident retries
    """  # noqa: D301  # click wants the real \b
    if recording is not None:
        _refuse_plainly_wrong(recording)
    # Before the history is made: a port in use is told at once, not after seconds of work.
    address = _address(host, port, options["web_config"])
    announce = partial(demonstration.announce, address.url)
    # What is simulated has no Prometheus that a link could lead to.
    simulated = {**options, "query_links": NO_LINKS}
    demonstration.run(recording, incident, lambda place: _server(place, address, simulated, announce))


@main.command()
@click.option("--api", required=True, metavar="URL", help="The vistio-serve that is asked for everything.")
@click.option("--host", default="127.0.0.1", help="Address to listen on; 0.0.0.0 is every interface.")
@click.option("--port", type=_Port(WEB_PORT), default=WEB_PORT, help="Port to listen on; 0 takes a free one.")
@click.option(
    "--api-ca",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Trust the certificates of this CA (PEM) at --api; else those that the system trusts.",
)
@web_config_option
@logging_options
def web(api: str, host: str, port: int, api_ca: Path | None, web_config: Path | None) -> None:
    """Serve the page on a port of its own, without a recording: another vistio-serve answers.

    \b
    Example:
      vistio-serve web --api http://vistio-api:9091
    """  # noqa: D301  # click wants the real \b
    try:
        create_forwarder(api, api_ca)
    except UsageError as error:
        raise click.UsageError(f"--api: {error}") from error
    given = click.get_current_context().params
    address = _address(host, port, web_config)
    told = f"vistio-serve: open {address.url} (asks {api})"
    logging_as = given["log_level"], given["log_format"]
    make_app = partial(_make_forwarder, api, api_ca, web_config, logging_as=logging_as)
    GraphServer(make_app, address, partial(click.echo, told), _tls(web_config)).run()
    log.info("server.stopped", extra={"url": address.url})


def _make_forwarder(
    api: str, api_ca: Path | None, web_config: Path | None, *, logging_as: tuple[str, Any]
) -> WSGIApplication:
    configure_logging(*logging_as)  # as below
    _access(web_config)  # for its certificate; who may ask is for the one that is asked to say
    return create_forwarder(api, api_ca)


def _tls(web_config: Path | None) -> TlsServer | None:
    """By which TLS the port is to speak, if by any; what is wrong with the file is told before anything begins."""
    if web_config is None:
        return None
    try:
        return WebAccess(web_config).tls
    except VistioError as error:
        raise click.UsageError(f"--web-config: {error}") from error


def _address(host: str, port: int, web_config: Path | None) -> Address:
    tls = _tls(web_config)
    return attrs.evolve(reserve(host, port), scheme="http" if tls is None else "https")


def _access(web_config: Path | None) -> WebAccess | None:
    """In the worker: the web configuration, from now on read again when it changes."""
    if web_config is None:
        return None
    access = WebAccess(web_config, wrong_is_locked=True)
    access.on_certificate = renew
    return access.watch()


def _refuse_plainly_wrong(recording: str, *, one_file: bool = False) -> None:
    try:
        refuse_plainly_wrong(recording, one_file=one_file)
    except UsageError as error:
        raise click.UsageError(str(error)) from error


@contextmanager
def _directory_to_serve(recording: str) -> Iterator[str]:
    with ExitStack() as stack:
        try:
            place = stack.enter_context(directory_to_serve(recording))
        except UsageError as error:
            raise click.UsageError(str(error)) from error
        yield place


def _memory(total_bytes: int) -> Memory:
    try:
        return Memory.of(total_bytes)
    except UsageError as error:
        raise click.UsageError(str(error)) from error


def _server(
    recording: str, address: Address, options: Mapping[str, Any], on_listening: Callable[[], None]
) -> GraphServer:
    given = click.get_current_context().params
    make_app = partial(
        _make_app,
        recording,
        cors_origin=None if options["cors_origin"] == "none" else options["cors_origin"],
        prefix=options["prefix"],
        behind_proxy=options["behind_proxy"],
        memory=_memory(options["memory"]),
        query_links=options["query_links"],
        web_config=options["web_config"],
        frame_ancestors=options["frame_ancestors"],
        logging_as=(given["log_level"], given["log_format"]),
    )
    return GraphServer(make_app, address, on_listening, _tls(options["web_config"]))


def _make_app(
    recording: str,
    *,
    cors_origin: str | None,
    prefix: str,
    behind_proxy: bool,
    memory: Memory,
    query_links: str,
    web_config: Path | None,
    frame_ancestors: str,
    logging_as: tuple[str, Any],
) -> WSGIApplication:
    # A spawned worker (Python 3.14) begins without the main process' logging.
    configure_logging(*logging_as)
    import duckdb  # noqa: F401  # now, not while the first one who asks for a timeline waits

    opening = Opening(recording, memory)
    threading.Thread(target=opening.prefetch, name="prefetch", daemon=True).start()
    return create_app(
        opening,
        cors_origin=cors_origin,
        prefix=prefix,
        behind_proxy=behind_proxy,
        memory=memory,
        query_links=query_links,
        guard=Guard(_access(web_config)),
        frame_ancestors=frame_ancestors,
    )
