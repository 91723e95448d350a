"""A real forward proxy, small: tunnels (CONNECT) and absolute addresses, with or without a password."""

from __future__ import annotations

import http.client
import selectors
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from urllib.parse import urlsplit

import attrs

from support.loopback import LoopbackServer


@attrs.define
class ForwardProxy:
    """What the proxy has seen, and where it is."""

    url: str
    requests: list[tuple[str, str, dict[str, str]]] = attrs.field(factory=list)
    """Method, target and headers of each."""


@contextmanager
def proxying(*, authorization: str = "", tls: ssl.SSLContext | None = None) -> Iterator[ForwardProxy]:
    """A running proxy.

    Args:
        authorization: the value of ``Proxy-Authorization`` without which it refuses; empty: none needed.
        tls: what it speaks TLS with itself; None: plain.
    """
    found = ForwardProxy("")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _admitted(self) -> bool:
            found.requests.append((self.command, self.path, dict(self.headers.items())))
            if not authorization or self.headers.get("Proxy-Authorization") == authorization:
                return True
            self.send_response(407)
            self.send_header("Proxy-Authenticate", 'Basic realm="test"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return False

        def do_CONNECT(self) -> None:
            if not self._admitted():
                return
            host, _, port = self.path.rpartition(":")
            with socket.create_connection((host.strip("[]"), int(port)), timeout=10) as upstream:
                self.send_response(200)
                self.end_headers()
                _pump(self.connection, upstream)
            self.close_connection = True

        def _forward(self) -> None:
            if not self._admitted():
                return
            length = int(self.headers.get("Content-Length", 0))
            body = self.rfile.read(length) if length else None
            target = urlsplit(self.path)
            upstream = http.client.HTTPConnection(target.netloc, timeout=10)
            headers = {n: v for n, v in self.headers.items() if not n.lower().startswith("proxy-")}
            path = target.path + (f"?{target.query}" if target.query else "")
            upstream.request(self.command, path, body, headers)
            answer = upstream.getresponse()
            content = answer.read()
            upstream.close()
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.headers["Content-Type"])
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _forward  # noqa: N815  # http.server's names

        def log_message(self, format: str, *args: object) -> None:
            """Silent."""

    server = LoopbackServer(Handler, tls)
    found.url = server.url
    with server.running():
        yield found


def _pump(one: socket.socket, other: socket.socket) -> None:
    """Bytes in both directions, until one side has gone or nothing came for a minute."""
    with selectors.DefaultSelector() as selector:
        selector.register(one, selectors.EVENT_READ, other)
        selector.register(other, selectors.EVENT_READ, one)
        while ready := selector.select(60):
            for key, _ in ready:
                source, to = key.fileobj, key.data
                assert isinstance(source, socket.socket)
                while data := source.recv(65536):
                    to.sendall(data)
                    # A TLS socket may hold decrypted bytes that no selector tells of.
                    if not (isinstance(source, ssl.SSLSocket) and source.pending()):
                        break
                if not data:
                    return
