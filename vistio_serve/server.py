"""Granian, run as this process's child: what it leaves open (a port in use, orphans) is closed here.

The main process reserves the port, starts one worker process and waits for a signal. The worker
makes the application, says when it really answers, and ends when the main process is gone. One
worker, because the ready bytes and the metrics are per process, and DuckDB and Arrow use the other
cores from within it.

TLS is granian's, which reads certificates when a worker starts. So a renewed one means another worker (SIGHUP to the
main process, `renew`): both answer until the new one is well under way.
"""

from __future__ import annotations

import gc
import http.client
import logging
import multiprocessing
import os
import signal
import socket
import ssl
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import wait
from typing import TYPE_CHECKING

import attrs
from granian.constants import HTTPModes, Interfaces, SSLProtocols
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server import MPServer

from vistio_core.access.web_config import TlsServer
from vistio_core.errors import VistioError
from vistio_serve.memory import hold_less

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

log = logging.getLogger(__name__)

# One is held while an answer is made, waited for, or, when it is large, fetched by a slow client: of these there are at
# most `MOST_WAITING`, `MOST_SHARING` and `MOST_SENDING` (admission); the others are for what is small. They are
# started when they are needed.
THREADS = 128
CONNECTIONS = 512
"""Of each, granian and the kernel may hold a head and some pieces of an answer."""
# Who takes nothing of an answer for so long is cut off: the server would wait for ever.
STALLED_TIMEOUT_MS = 30_000
_FIRST_DESCRIPTORS = 256
# Also how long a connection may be idle: while all are held by who sends nothing, others wait for so long.
HEADERS_TIMEOUT_MS = 5_000
MAX_HEADERS_BYTES = 65_536
# Connections that are idle or half-sent never finish: after this the worker is killed.
STOP_TIMEOUT_S = 0.5
# A new worker has so long to open the recording, before the old one ends.
RESPAWN_S = 10.0
_TLS = {"TLS12": SSLProtocols.tls12, "TLS13": SSLProtocols.tls13}
_LISTENING_TIMEOUT_S = 30.0
_LISTENING_POLL_S = 0.02


class ListenError(VistioError):
    """The address cannot be listened on."""


@attrs.frozen
class Address:
    """Where to listen: ``host`` is a numeric address, ``port`` a real one, never 0."""

    host: str
    port: int
    scheme: str = "http"

    @property
    def url(self) -> str:
        """An address that a browser on this machine can open."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)
        return f"{self.scheme}://{f'[{host}]' if ':' in host else host}:{self.port}/"


def reserve(host: str, port: int) -> Address:
    """The address to listen on, known to be free a moment ago; port 0 picks one.

    Granian binds with SO_REUSEPORT, so a second server on the same port would start without a word
    and take half of the requests. Binding without that option first finds it.

    Raises:
        ListenError: unknown host, port in use, or no permission.
    """
    try:
        family, _, _, _, resolved = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError) as error:
        raise ListenError(f"--host {host}: not an address of this machine ({error})") from error
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # A server that has just stopped leaves connections behind that are no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(resolved)
            probe.listen(1)
        except OSError as error:
            raise ListenError(
                f"{host}:{port}: cannot listen there ({os.strerror(error.errno or 0)});"
                " stop what uses it, or choose another --host or --port"
            ) from error
        return Address(str(resolved[0]), int(probe.getsockname()[1]))


class GraphServer:
    """Serves one application until SIGTERM, SIGINT or `stop`.

    Args:
        make_app: called in the worker process; it must be picklable (a module's function, or a
            `functools.partial` of one), as Python 3.14 no longer forks.
        address: from `reserve`.
        on_listening: called in the first worker, once requests are really answered; picklable as well.
        tls: by which TLS; None: plain HTTP.
    """

    def __init__(
        self,
        make_app: Callable[[], WSGIApplication],
        address: Address,
        on_listening: Callable[[], None],
        tls: TlsServer | None = None,
    ) -> None:
        self._load = _Loader(make_app, address, on_listening)
        self._granian = MPServer(
            target="vistio_serve",  # a name only: the application comes from target_loader
            address=address.host,
            port=address.port,
            interface=Interfaces.WSGI,
            http=HTTPModes.http1,
            http1_settings=HTTP1Settings(
                header_read_timeout=HEADERS_TIMEOUT_MS, max_buffer_size=MAX_HEADERS_BYTES
            ),
            websockets=False,
            ssl_cert=None if tls is None else tls.cert_file,
            ssl_key=None if tls is None else tls.key_file,
            ssl_ca=None if tls is None else tls.client_ca_file,
            ssl_client_verify=tls is not None and tls.client_ca_file is not None,
            ssl_protocol_min=_TLS["TLS12" if tls is None else tls.min_version],
            respawn_interval=RESPAWN_S,
            blocking_threads=THREADS,
            backpressure=CONNECTIONS,
            workers_kill_timeout=STOP_TIMEOUT_S,  # type: ignore[arg-type]  # given to join(), which takes floats
            # Its "Listening at" comes before it listens; ours comes after.
            log_level=LogLevels.error,
            log_dictconfig={"handlers": {}, "loggers": {"_granian": {"handlers": [], "propagate": True}}},
        )

    def run(self) -> None:
        """Serve. Call it in the main thread, with no other thread running: it may fork.

        Raises:
            SystemExit: with code 1, when the worker ended by itself.
        """
        self._granian.on_reload(self._load.be_quiet)
        self._granian.serve(target_loader=self._load, wrap_loader=False)

    def stop(self) -> None:
        """Make `run` return; safe in a signal handler."""
        self._granian.signal_handler_interrupt()  # type: ignore[no-untyped-call]  # granian is not fully typed


def renew() -> None:
    """In the worker: have the main process start another one in its place."""
    os.kill(os.getppid(), signal.SIGHUP)


@attrs.define
class _Loader:
    """Makes the application in a worker; picklable, if what it has is."""

    make_app: Callable[[], WSGIApplication]
    address: Address
    on_listening: Callable[[], None]

    def __call__(self) -> WSGIApplication:
        return _load_in_worker(self.make_app, self.address, self.on_listening)

    def be_quiet(self) -> None:
        """What is told is true already."""
        self.on_listening = _told_already


def _told_already() -> None:
    """Of a worker that is not the first."""


def _load_in_worker(
    make_app: Callable[[], WSGIApplication], address: Address, on_listening: Callable[[], None]
) -> WSGIApplication:
    _end_with_parent()
    hold_less()
    _forget_http_variables()
    app = make_app()
    # A large graph is a hundred thousand small objects without a cycle: at the default threshold,
    # collecting in between costs as much as building it (docs/benchmarks.md).
    gc.freeze()
    gc.set_threshold(100_000, 10, 10)
    threading.Thread(target=_announce, args=(address, on_listening), daemon=True).start()
    return app


def _end_with_parent() -> None:
    """Without it, a killed main process would leave a worker behind that keeps the port."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()


def _forget_http_variables() -> None:
    """Granian mixes the environment into every request, where HTTP_PROXY would be a header ``Proxy``."""
    for name in list(os.environ):
        if name.startswith("HTTP_") or name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            del os.environ[name]


def _announce(address: Address, on_listening: Callable[[], None]) -> None:
    deadline_s = time.monotonic() + _LISTENING_TIMEOUT_S
    while time.monotonic() < deadline_s:
        # Another worker may answer while this one does not listen yet.
        if _answers(address) and _cut_off_who_stalls(address):
            log.info("server.started", extra={"url": address.url})
            on_listening()
            return
        time.sleep(_LISTENING_POLL_S)
    log.error("server.unreachable", extra={"url": address.url, "waited_s": _LISTENING_TIMEOUT_S})


def _cut_off_who_stalls(address: Address) -> bool:
    """Connections have this from the socket that listens, which is granian's; false while there is none.

    Linux only: elsewhere nothing is set.
    """
    user_timeout = getattr(socket, "TCP_USER_TIMEOUT", None)
    if user_timeout is None:
        return True
    found_any = False
    for number in range(3, _FIRST_DESCRIPTORS):
        try:
            with socket.socket(fileno=os.dup(number)) as found:
                listens = found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
                if listens and found.getsockname()[1] == address.port:
                    found.setsockopt(socket.IPPROTO_TCP, user_timeout, STALLED_TIMEOUT_MS)
                    found_any = True
        except OSError:
            continue  # no socket, or it has gone
    return found_any


def _answers(address: Address) -> bool:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address.host, address.host)
    connection = http.client.HTTPConnection(host, address.port, timeout=1)
    if address.scheme == "https":
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # it is us
        connection = http.client.HTTPSConnection(host, address.port, timeout=1, context=context)
    try:
        connection.request("GET", "/-/healthy", headers={"Connection": "close"})
        return connection.getresponse().status == 200
    except ssl.SSLError:
        return True  # it wants a certificate of who asks, and so it does listen
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
