"""The recorder's own port: answers that nobody's slowness can keep from anybody.

What matters here is a few GETs of health and metrics a minute; whoever else connects must not be able
to keep them from being answered. So no thread ever waits for a client. One event loop holds all
connections, each a few kilobytes of what came until now; a request that is there whole is parsed
and answered by the standard library's WSGI handler, from memory into memory:

- GET and HEAD at once, in the loop: the application answers them from its own memory;
- anything else, which may wait for a disk, in a thread of its own, `MAX_WORK` at a time.

No more than `MAX_CONNECTIONS` are held, for each is a file descriptor that the recorder may need. For one
more, the one that has made us wait longest is cut off: half a request, or an answer that is not
fetched. Who sends its request as it connects, as every ordinary client does, is never that one.
A request must be there whole within `REQUEST_TIMEOUT_S`, however slowly its bytes come. There is one for
each connection (HTTP/1.0), so an idle one holds nothing. Who shows credentials is answered in a thread as well: a
password takes a while to look at. Where TLS is spoken, a connection counts from its first byte, not from the end of its
handshake, and each is made with the certificate of its moment.
"""

from __future__ import annotations

import asyncio
import io
import logging
import re
import socket
import ssl
import threading
from abc import ABC, abstractmethod
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from vistio_core.access.web_access import WebAccess
from vistio_core.errors import UsageError
from vistio_record.application import MAX_BODY_BYTES

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

log = logging.getLogger(__name__)

REQUEST_TIMEOUT_S = 10.0
MAX_CONNECTIONS = 256
MAX_WORK = 64
MAX_HEAD_BYTES = 32 * 2**10
_ANSWER_TIMEOUT_S = 10.0
# What waits in the kernel costs no descriptor. The loop takes a few of these at a time, so that
# it reads from one before others can push that one out.
_BACKLOG = 256
_TAKEN_AT_ONCE = 32

_HEAD_END = re.compile(rb"\r?\n\r?\n")
_CREDENTIALS = re.compile(rb"^authorization:", re.IGNORECASE | re.MULTILINE)
_LENGTH = re.compile(rb"^content-length:[ \t]*([0-9]{1,18})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)


class HttpServer:
    """A port, and a WSGI application that answers on it.

    The application must answer GET and HEAD without waiting for anything. A body that is longer than
    `MAX_BODY_BYTES` is not there for it to read: it has to refuse such a length.
    """

    def __init__(self, host: str, port: int, access: WebAccess | None = None) -> None:
        """Binds the port; who connects waits for `serve`.

        Args:
            host: an address of this machine.
            port: 0 takes a free one.
            access: says by which TLS; None: plain HTTP.

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
        self._access = access
        scheme = "http" if access is None or access.context is None else "https"
        self._server.base_environ["wsgi.url_scheme"] = scheme
        self.url = f"{scheme}://{shown}:{self.port}"
        self._loop = asyncio.new_event_loop()
        self._ended = asyncio.Event()
        self._thread: threading.Thread | None = None

    def serve(self, application: WSGIApplication) -> None:
        """Answer from now on."""
        self._server.set_app(application)
        loop, answering = self._loop, self._answer_all()
        self._thread = threading.Thread(
            target=loop.run_until_complete, args=(answering,), daemon=True, name="http"
        )
        self._thread.start()

    def close(self) -> None:
        """End it; what is being answered is cut off."""
        if self._thread is not None:
            self._loop.call_soon_threadsafe(self._ended.set)
            self._thread.join()
        self._loop.close()
        self._server.server_close()

    async def _answer_all(self) -> None:
        listening, clients = self._server.socket, _Clients(self._server, self._loop)

        def connection() -> asyncio.Protocol:
            context = None if self._access is None else self._access.context
            return _HttpConnection(clients) if context is None else _Handshake(clients, context)

        server = await self._loop.create_server(connection, sock=listening, backlog=_TAKEN_AT_ONCE)
        listening.listen(_BACKLOG)
        await self._ended.wait()
        # Nobody else is taken; who just was becomes a client first, and clients end in the loop.
        self._loop.remove_reader(listening)
        while being_taken := asyncio.all_tasks() - {asyncio.current_task()}:
            clients.abort()  # handshakes
            await asyncio.wait(being_taken, timeout=0.1)
        clients.abort()
        server.close()
        await asyncio.sleep(0)


class _Server(WSGIServer):
    """The socket, and what the handler wants to know of a server."""

    request_queue_size = _BACKLOG

    def server_bind(self) -> None:
        # Not WSGIServer's own: it asks the resolver for this machine's full name, which can take seconds.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])
        self.setup_environ()

    def answer(self, request: bytes, client: Any) -> bytes:
        """What to send to a client for a whole request."""
        try:
            return _Handler(request, client, self).written.getvalue()  # type: ignore[arg-type]  # no socket: `setup`
        except Exception:
            log.exception("request.crashed")
            return _refusal(HTTPStatus.INTERNAL_SERVER_ERROR, "the recorder's log says what went wrong")


class _Server6(_Server):
    address_family = socket.AF_INET6


class _Handler(WSGIRequestHandler):
    """Reads a request from memory, and writes the answer into `written`."""

    def setup(self) -> None:
        self.rfile = io.BytesIO(self.request)
        self.wfile = self.written = io.BytesIO()

    def finish(self) -> None:
        """Nothing to close: whoever made this reads what was written."""

    def log_message(self, format: str, *args: object) -> None:
        log.debug("request.answered", extra={"request": format % args})


class _Clients:
    """All connections, and what is worked on for them. For the loop's thread."""

    def __init__(self, server: _Server, loop: asyncio.AbstractEventLoop) -> None:
        self.server = server
        self.loop = loop
        # Those that wait for their client, in the order in which they began to.
        self._waiting: dict[_Held, None] = {}
        self._working: set[_Held] = set()

    def wait(self, connection: _Held) -> None:
        """It is the client's turn; whoever has not used his for longest may have to go."""
        self.forget(connection)
        self._waiting[connection] = None
        if len(self._waiting) + len(self._working) > MAX_CONNECTIONS:
            log.debug("connection.cut_off", extra={"why": "too many"})
            next(iter(self._waiting)).abort()

    def work(self, connection: _Held) -> bool:
        """It is our turn; false where there is too much to do already."""
        if len(self._working) >= MAX_WORK:
            return False
        self.forget(connection)
        self._working.add(connection)
        return True

    def forget(self, connection: _Held) -> None:
        self._waiting.pop(connection, None)
        self._working.discard(connection)

    def abort(self) -> None:
        for connection in [*self._waiting, *self._working]:
            connection.abort()


class _Held(asyncio.Protocol, ABC):
    """What counts as a connection."""

    @abstractmethod
    def abort(self) -> None:
        """End it at once."""


class _Handshake(_Held):
    """A connection that becomes one of HTTP when TLS is agreed upon."""

    def __init__(self, clients: _Clients, context: ssl.SSLContext) -> None:
        self._clients = clients
        self._context = context

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._clients.wait(self)
        self._task = self._clients.loop.create_task(self._agree())

    def abort(self) -> None:
        self._clients.forget(self)
        self._transport.abort()

    async def _agree(self) -> None:
        inner = _HttpConnection(self._clients)
        try:
            secured = await self._clients.loop.start_tls(
                self._transport,
                inner,
                self._context,
                server_side=True,
                ssl_handshake_timeout=REQUEST_TIMEOUT_S,
                ssl_shutdown_timeout=_ANSWER_TIMEOUT_S,
            )
        except (OSError, EOFError) as error:  # of TLS, or of the connection
            log.debug("handshake.failed", extra={"error": str(error)})
            self.abort()
            return
        self._clients.forget(self)
        if secured is not None:
            inner.connection_made(secured)


class _HttpConnection(_Held):
    """One request and its answer."""

    _transport: asyncio.Transport

    def __init__(self, clients: _Clients) -> None:
        self._clients = clients
        self._received = bytearray()
        self._length: int | None = None
        """Of the whole request, once its head is there."""
        self._taken = False
        self._made = self._lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._made = True
        if self._lost:
            return
        self._timer = self._clients.loop.call_later(REQUEST_TIMEOUT_S, self._too_slow)
        self._clients.wait(self)
        if self._received:  # together with the end of the handshake
            self.data_received(b"")

    def connection_lost(self, error: Exception | None) -> None:
        self._lost = True
        if self._made:
            self._timer.cancel()
        self._clients.forget(self)

    def data_received(self, data: bytes) -> None:
        # What follows the request is read and thrown away, be it the rest of one that was refused: a
        # client whose connection is reset while it still sends does not read its answer.
        if self._taken:
            return
        searched = 0 if data == b"" else max(0, len(self._received) - 3)
        self._received += data
        if not self._made:
            return
        if self._length is None:
            head = _HEAD_END.search(self._received, searched)
            if (head.end() if head else len(self._received)) > MAX_HEAD_BYTES:
                status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
                self._answer(_refusal(status, f"a request's head may have {MAX_HEAD_BYTES:,} bytes"))
            elif head is not None:
                self._length = head.end() + _body_length(bytes(self._received[: head.end()]))
        if self._length is not None and len(self._received) >= self._length:
            self._take(bytes(self._received[: self._length]))

    def abort(self) -> None:
        self._clients.forget(self)
        self._transport.abort()

    def _too_slow(self) -> None:
        if self._received:
            text = f"the request was not there whole after {REQUEST_TIMEOUT_S:g} s; send all of it at once"
            self._answer(_refusal(HTTPStatus.REQUEST_TIMEOUT, text))
        else:
            self.abort()

    def _take(self, request: bytes) -> None:
        client = self._transport.get_extra_info("peername") or ("", 0)
        waits_for_nothing = request.startswith((b"GET ", b"HEAD ")) and not _CREDENTIALS.search(request)
        if waits_for_nothing:
            self._answer(self._clients.server.answer(request, client))
        elif self._clients.work(self):
            self._taken = True
            self._timer.cancel()
            self._transport.pause_reading()
            threading.Thread(target=self._work, args=(request, client), daemon=True, name="http work").start()
        else:
            text = f"{MAX_WORK} requests are being worked on; send the same again later"
            self._answer(_refusal(HTTPStatus.SERVICE_UNAVAILABLE, text))

    def _work(self, request: bytes, client: Any) -> None:
        answer = self._clients.server.answer(request, client)
        with suppress(RuntimeError):  # the loop has ended meanwhile
            self._clients.loop.call_soon_threadsafe(self._answer, answer)

    def _answer(self, answer: bytes) -> None:
        self._taken = True
        self._received.clear()
        self._timer.cancel()
        if self._transport.is_closing():
            return
        self._timer = self._clients.loop.call_later(_ANSWER_TIMEOUT_S, self.abort)
        self._clients.wait(self)
        self._transport.write(answer)
        self._transport.resume_reading()
        # The client closes when it has read all of it; that ends the connection here too.
        if not self._transport.can_write_eof():  # TLS says so itself, and waits for the other side's word
            self._transport.close()
            return
        with suppress(OSError):  # it has gone already
            self._transport.write_eof()


def _body_length(head: bytes) -> int:
    """How much of a body belongs to the request; none of one that is too long."""
    found = _LENGTH.search(head)
    length = int(found[1]) if found else 0
    return length if length <= MAX_BODY_BYTES else 0


def _refusal(status: HTTPStatus, text: str) -> bytes:
    """An answer of which the application learns nothing."""
    content = f"{text}\n"
    retry = "Retry-After: 1\r\n" if status == HTTPStatus.SERVICE_UNAVAILABLE else ""
    return (
        f"HTTP/1.0 {status.value} {status.phrase}\r\nContent-Type: text/plain; charset=utf-8\r\n{retry}"
        f"Content-Length: {len(content)}\r\n\r\n{content}"
    ).encode()
