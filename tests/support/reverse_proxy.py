"""A real reverse proxy, small: it puts a server under a path of its own, as an ingress does, and can fail."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from urllib.parse import urlsplit

import attrs

from support.loopback import LoopbackServer

BAD_GATEWAY = b"<html><body><h1>502 Bad Gateway</h1></body></html>"
# Those are between two neighbours, not between the ends.
_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"}


@attrs.define
class ReverseProxy:
    """Where the proxy is, and how it does."""

    url: str
    """With the path that it takes off."""
    failing: bool = False
    """It answers 502 with a page of its own, whatever is asked."""
    outside: list[str] = attrs.field(factory=list)
    """Paths that were asked outside of ``url``."""


@contextmanager
def in_front_of(upstream: str, *, path: str) -> Iterator[ReverseProxy]:
    """A running proxy that answers ``path`` with what ``upstream`` answers without it.

    Args:
        upstream: the URL of the server, ``http://127.0.0.1:9091/``.
        path: begins and ends with a slash; the server never sees it.
    """
    found = ReverseProxy("")
    netloc = urlsplit(upstream).netloc

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if not self.path.startswith(path):
                found.outside.append(self.path)
                self._answer(404, {"Content-Type": "text/html"}, b"not here")
            elif found.failing:
                self._answer(502, {"Content-Type": "text/html"}, BAD_GATEWAY)
            else:
                self._pass_on("/" + self.path.removeprefix(path))

        def _pass_on(self, target: str) -> None:
            connection = http.client.HTTPConnection(netloc, timeout=30)
            try:
                headers = {n: v for n, v in self.headers.items() if n.lower() not in _HOP_BY_HOP}
                connection.request("GET", target, headers=headers)
                answer = connection.getresponse()
                kept = {n: v for n, v in answer.getheaders() if n.lower() not in _HOP_BY_HOP}
                self._answer(answer.status, kept, answer.read())
            except OSError:
                self._answer(502, {"Content-Type": "text/html"}, BAD_GATEWAY)
            finally:
                connection.close()

        def _answer(self, status: int, headers: dict[str, str], content: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if status != 304:
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if status != 304:
                self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Silent."""

    server = LoopbackServer(Handler)
    found.url = server.url + path
    with server.running():
        yield found
