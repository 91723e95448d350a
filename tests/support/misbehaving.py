"""A real HTTP server that answers whatever a test tells it to, at its own pace."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

from support.loopback import LoopbackServer

Handle = Callable[["Request"], None]


class Request:
    """One request, and the means to answer it."""

    def __init__(self, handler: BaseHTTPRequestHandler, over: threading.Event) -> None:
        self._handler = handler
        self.over = over
        """Set when the test is over: what a handler that hangs waits for."""
        self.path = handler.path
        self.method = handler.command
        self.headers = dict(handler.headers.items())
        self.query = {key: values[0] for key, values in parse_qs(urlsplit(handler.path).query).items()}
        self.connection = handler.connection
        length = int(handler.headers.get("Content-Length", 0))
        self.form = {key: values[0] for key, values in parse_qs(handler.rfile.read(length).decode()).items()}

    def answer(self, body: bytes | str, status: int = 200, **headers: str) -> None:
        data = body.encode() if isinstance(body, str) else body
        self.start(status, **{"Content_Length": str(len(data)), **headers})
        self.write(data)

    def start(self, status: int = 200, **headers: str) -> None:
        self._handler.send_response(status)
        for name, value in {"Content_Type": "application/json", **headers}.items():
            self._handler.send_header(name.replace("_", "-"), value)
        self._handler.end_headers()

    def write(self, data: bytes) -> None:
        self._handler.wfile.write(data)
        self._handler.wfile.flush()

    def hang(self) -> None:
        self.over.wait(60)

    def drip(self, data: bytes, pause_s: float = 0.02) -> None:
        """Write a byte now and then until the test is over or the client has gone."""
        while not self.over.wait(pause_s):
            self.write(data)


@contextmanager
def serving(handle: Handle, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """The URL of a server that gives each request to ``handle``, in a thread of its own; https with ``tls``."""
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _any(self) -> None:
            try:
                handle(Request(self, over))
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        do_GET = do_POST = _any  # noqa: N815  # http.server's names

        def log_message(self, format: str, *args: object) -> None:
            """Silent."""

    server = LoopbackServer(Handler, tls)
    with server.running():
        try:
            yield server.url
        finally:
            over.set()


def vector(*series: tuple[Mapping[str, str], str], **more: Any) -> str:
    """The body of an instant vector: ``vector(({"source": "a"}, "1.5"))``."""
    result = [{"metric": dict(labels), "value": [1_763_873_400.0, value]} for labels, value in series]
    return json.dumps({"status": "success", "data": {"resultType": "vector", "result": result}, **more})


def configuration_text(url: str, *queries: str) -> str:
    """A configuration with one connection rule for each query, all of cluster ``mesh``."""
    rules = "".join(
        f"""
      - name: {query}
        query: {query}
        prometheusURL: {url}
        source: {{label: source}}
        target: {{label: target}}
        status: {{label: code, warningRegex: ^4..$, dangerRegex: ^5..$}}"""
        for query in queries
    )
    return f"clusterLevel:\n  - cluster: mesh\n    maxVolume: 100\n    serviceConnections:{rules}\n"
