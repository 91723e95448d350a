"""The recorder's own port: the standard library's HTTP server, with limits.

A thread answers each request, as in prometheus_client's own server. A request a few times a minute
does not need the production server that `vistio-serve` has, which would bring worker processes.
What the standard library leaves open is closed here, so that no client can keep /metrics from
being answered:

- a request must be there whole within `REQUEST_TIMEOUT_S`, however slowly its bytes come;
- no more than `MAX_CONNECTIONS` are served at a time; one more is closed unanswered;
- one request for each connection (HTTP/1.0), so an idle one holds nothing.
"""

from __future__ import annotations

import io
import logging
import socket
import threading
import time
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from vistio_core.errors import UsageError

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

log = logging.getLogger(__name__)

REQUEST_TIMEOUT_S = 10.0
MAX_CONNECTIONS = 64
_ANSWER_TIMEOUT_S = 10.0


class HttpServer:
    """A port, and a WSGI application that answers on it in threads of its own.

    The application may get a `TimeoutError` from its input: the client did not send it in time.
    """

    def __init__(self, host: str, port: int) -> None:
        """Binds the port; who connects waits for `serve`.

        Raises:
            UsageError: the address cannot be bound.
        """
        server_class = _Server6 if ":" in host else _Server
        try:
            self._server = server_class((host, port), _Handler)
        except OSError as error:
            raise UsageError(
                f"{host}:{port} cannot be listened on ({error.strerror or error}); choose another address"
                " with --host and --port (--port 0 takes a free one)"
            ) from error
        self.port: int = self._server.server_address[1]
        shown = f"[{host}]" if ":" in host else host
        self.url = f"http://{shown}:{self.port}"
        self._thread: threading.Thread | None = None

    def serve(self, application: WSGIApplication) -> None:
        """Answer from now on."""
        self._server.set_app(application)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.1,), daemon=True, name="http"
        )
        self._thread.start()

    def close(self) -> None:
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = MAX_CONNECTIONS

    def __init__(self, *args: Any) -> None:
        self._free = threading.BoundedSemaphore(MAX_CONNECTIONS)
        super().__init__(*args)

    def server_bind(self) -> None:
        # Not WSGIServer's own: it asks the resolver for this machine's full name, which can take seconds.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])
        self.setup_environ()

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._free.acquire(blocking=False):
            log.debug("connection.refused", extra={"client": str(client_address), "why": "too many"})
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: object, client_address: object) -> None:
        log.debug("request.broken", exc_info=True)


class _Server6(_Server):
    address_family = socket.AF_INET6


class _Handler(WSGIRequestHandler):
    def setup(self) -> None:
        super().setup()
        self.rfile.close()
        self.rfile = io.BufferedReader(_Until(self.connection, time.monotonic() + REQUEST_TIMEOUT_S))
        self.connection.settimeout(_ANSWER_TIMEOUT_S)

    def log_message(self, format: str, *args: object) -> None:
        log.debug("request.answered", extra={"request": format % args})


class _Until(io.RawIOBase):
    """What a socket receives until a moment; `TimeoutError` after it.

    A socket's own time limit is one for each read, so a byte now and then would be enough to stay.
    """

    def __init__(self, connection: socket.socket, end_s: float) -> None:
        self._connection = connection
        self._end_s = end_s

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        left_s = self._end_s - time.monotonic()
        if left_s <= 0:
            raise TimeoutError("the request was not sent in time")
        self._connection.settimeout(left_s)
        try:
            return self._connection.recv_into(buffer)
        finally:
            self._connection.settimeout(_ANSWER_TIMEOUT_S)
