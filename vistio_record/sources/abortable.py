"""HTTP connections that another thread can cut off.

A socket's time-out limits one silence, not the whole exchange: a server that sends one byte a
second, in headers or body, is never late for it. So the thread that keeps a scrape's deadline
shuts the sockets of overdue requests, which wakes their threads at once. A `Call` is one request;
`AbortableAdapter` tells it which connection it uses. Two phases cannot be cut off: looking up a
host name, and a connection attempt, which ends by its own time-out. Their threads are left behind.

A TLS handshake takes the plain socket over into an object that its connection gets to know only
afterwards. So each new socket is duplicated until its connection is made: shutting the duplicate
shuts both.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import requests
import requests.adapters
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

if TYPE_CHECKING:
    from vistio_record.sources.tls import Contexts

_current = threading.local()


class CallAbortedError(OSError):
    """The request was cut off before it used a connection."""


class Call:
    """One request with its deadline; a context in the thread that makes the request."""

    def __init__(self, timeout_s: float) -> None:
        self.timeout_s = timeout_s
        self._deadline_s = time.monotonic() + timeout_s
        self._lock = threading.Lock()
        self._connection: HTTPConnection | None = None
        self._connecting: socket.socket | None = None
        self._aborted = False
        self.reuses = False
        """Whether its connection has answered another one before."""

    def __enter__(self) -> Call:
        _current.call = self
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._connection = None  # it is another call's from here on
        _current.call = None

    @property
    def remaining_s(self) -> float:
        return self._deadline_s - time.monotonic()

    @property
    def aborted(self) -> bool:
        return self._aborted

    @property
    def overdue(self) -> bool:
        return self._aborted or self.remaining_s <= 0

    def uses(self, connection: HTTPConnection) -> None:
        with self._lock:
            if self._aborted:
                raise CallAbortedError("cut off")
            # Over TLS this is told twice of a new one: before it connects, and before it is used.
            if connection.sock is None or connection is not self._connection:
                self.reuses = connection.sock is not None
            self._connection = connection

    def connecting(self, sock: socket.socket) -> None:
        """Hold on to a socket while its connection is being made."""
        with self._lock:
            if self._aborted:
                raise CallAbortedError("cut off")
            self._connecting = sock.dup()

    def connected(self) -> None:
        """The connection is made, or will not be."""
        with self._lock:
            if self._connecting is not None:
                self._connecting.close()
                self._connecting = None

    def abort(self) -> None:
        """Cut the request off, whatever it is waiting for. From any thread, any number of times."""
        with self._lock:
            self._aborted = True
            sock = self._connecting or (self._connection.sock if self._connection is not None else None)
            # TLS through a proxy that is spoken to by TLS: urllib3's own object around the outer one.
            while sock is not None and not isinstance(sock, socket.socket):
                sock = getattr(sock, "socket", None)
            if sock is not None:
                with suppress(OSError):  # closed or never connected: nobody waits on it
                    # Not sock.shutdown(): a TLS socket's own one takes its state from under the reader.
                    socket.socket.shutdown(sock, socket.SHUT_RDWR)


class _Announced:
    """Tells the thread's call about the connection before anything on it can block."""

    def connect(self) -> None:
        call = _announce(self)
        try:
            super().connect()  # type: ignore[misc]  # mixed into urllib3's connections
        finally:
            if call is not None:
                call.connected()

    def _new_conn(self) -> socket.socket:
        sock: socket.socket = super()._new_conn()  # type: ignore[misc]  # as above
        if (call := _current_call()) is not None:
            try:
                call.connecting(sock)
            except CallAbortedError:
                sock.close()
                raise
        return sock

    def putrequest(self, *args: Any, **kwargs: Any) -> None:  # Any: urllib3's own signature is passed on
        _announce(self)
        super().putrequest(*args, **kwargs)  # type: ignore[misc]  # as above


def _current_call() -> Call | None:
    return getattr(_current, "call", None)


def _announce(connection: object) -> Call | None:
    call = _current_call()
    if call is not None and isinstance(connection, HTTPConnection):
        call.uses(connection)
    return call


class _Connection(_Announced, HTTPConnection):
    pass


class _TlsConnection(_Announced, HTTPSConnection):
    def connect(self) -> None:
        super().connect()
        # urllib3 warns at each request to a server whose certificate is not verified. Ours are by
        # configuration only, and were told of once, in the log.
        self.is_verified = True
        self.proxy_is_verified = True


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


_POOLS = {"http": _Pool, "https": _TlsPool}


class AbortableAdapter(requests.adapters.HTTPAdapter):
    """requests' adapter, with connections that announce themselves to their `Call`.

    Its TLS is that of ``contexts`` and nothing else: requests would add certificates to trust.
    """

    def __init__(
        self,
        connections: int = 1,
        *,
        contexts: Contexts | None = None,
        server_name: str = "",
        connect_headers: Mapping[str, str] | None = None,
    ) -> None:
        """Opens nothing yet.

        Args:
            connections: how many are kept.
            contexts: for https; None when neither server nor proxy speak it.
            server_name: what the server's certificate is for, when it is not the host.
            connect_headers: what a proxy is told when it makes a tunnel.
        """
        self._connect_headers = connect_headers or {}
        self._contexts = contexts
        self._server_name = server_name
        super().__init__(pool_connections=connections, pool_maxsize=connections)

    def init_poolmanager(
        self,
        connections: int,
        maxsize: int,
        block: bool = False,
        **kwargs: Any,  # passed on to urllib3
    ) -> None:
        super().init_poolmanager(connections, maxsize, block, **kwargs, **self._tls())
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:  # Any: as above
        if self._contexts is not None:
            kwargs["proxy_ssl_context"] = self._contexts.proxy
        manager = super().proxy_manager_for(proxy, **kwargs, **self._tls())
        manager.pool_classes_by_scheme = _POOLS
        return manager

    def proxy_headers(self, proxy: str) -> dict[str, str]:
        return super().proxy_headers(proxy) | dict(self._connect_headers)

    def cert_verify(self, *_: object) -> None:
        """Nothing: the context knows."""

    def build_connection_pool_key_attributes(
        self,
        request: requests.PreparedRequest,
        *args: Any,  # as above
        **kwargs: Any,
    ) -> Any:
        where, _ = super().build_connection_pool_key_attributes(request, *args, **kwargs)
        return where, {}

    def _tls(self) -> dict[str, Any]:  # Any: urllib3's own keywords
        if self._contexts is None:
            return {}
        name = {"server_hostname": self._server_name} if self._server_name else {}
        return {"ssl_context": self._contexts.server, **name}
