"""HTTP servers of the tests' own process, on loopback."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class LoopbackServer(ThreadingHTTPServer):
    """A server on a free port, https with ``tls``, that does not wait for connections that are still open."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 256  # with five, the kernel resets some of a hundred that come at once

    def __init__(self, handler: type[BaseHTTPRequestHandler], tls: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self._tls = tls
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.server_port}"

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        if self._tls is not None:  # the handshake is made by the first read, in the thread of the connection
            connection = self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return connection, address

    def handle_error(self, request: object, client_address: object) -> None:
        """Silent: clients go away as they like."""

    @contextmanager
    def running(self) -> Iterator[None]:
        """Serves in a thread of its own until the block ends."""
        thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            self.shutdown()
            self.server_close()
            thread.join()
