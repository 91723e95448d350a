"""HTTP connections that another thread can cut off.

A socket's time-out limits one silence, not the whole exchange: a server that sends one byte a
second, in headers or body, is never late for it. So the thread that keeps a scrape's deadline
shuts the sockets of overdue requests, which wakes their threads at once. A `Call` is one request;
`AbortableAdapter` tells it which connection it uses. Two phases cannot be cut off: looking up a
host name, and a connection attempt, which ends by its own time-out. Their threads are left behind.
"""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from typing import Any

import requests.adapters
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

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
        self._aborted = False

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
            self._connection = connection

    def abort(self) -> None:
        """Cut the request off, whatever it is waiting for. From any thread, any number of times."""
        with self._lock:
            self._aborted = True
            sock = self._connection.sock if self._connection is not None else None
            if sock is not None:
                with suppress(OSError):  # closed or never connected: nobody waits on it
                    # Not sock.shutdown(): a TLS socket's own one takes its state from under the reader.
                    socket.socket.shutdown(sock, socket.SHUT_RDWR)


class _Announced:
    """Tells the thread's call about the connection before anything on it can block."""

    def connect(self) -> None:
        _announce(self)
        super().connect()  # type: ignore[misc]  # mixed into urllib3's connections

    def putrequest(self, *args: Any, **kwargs: Any) -> None:  # Any: urllib3's own signature is passed on
        _announce(self)
        super().putrequest(*args, **kwargs)  # type: ignore[misc]  # as above


def _announce(connection: object) -> None:
    call: Call | None = getattr(_current, "call", None)
    if call is not None and isinstance(connection, HTTPConnection):
        call.uses(connection)


class _Connection(_Announced, HTTPConnection):
    pass


class _TlsConnection(_Announced, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class AbortableAdapter(requests.adapters.HTTPAdapter):
    """requests' adapter, with connections that announce themselves to their `Call`."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:  # Any: passed on to requests
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:  # Any: as above
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
        return manager
