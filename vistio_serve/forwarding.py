"""``vistio-serve web``: a page's own port, which asks another vistio-serve for everything.

A page needs no recording. So it runs as many times, and wherever, as one likes, and one server per recording
keeps the answers. The forwarding itself is werkzeug's; here is only what is answered when there is nobody to
ask, and the health of this process, which is not the other one's.
"""

from __future__ import annotations

from http.client import HTTPException
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from werkzeug.middleware.http_proxy import ProxyMiddleware
from werkzeug.wrappers import Request, Response

from vistio_core.errors import UsageError
from vistio_serve.answers import to_response
from vistio_serve.problems import no_api

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

HEALTHY = "/-/healthy"
TIMEOUT_S = 60
"""A large answer waits for its turn and is then made: longer than a server takes for either."""


def create_forwarder(api_url: str) -> WSGIApplication:
    """A WSGI application that answers each request as the vistio-serve at ``api_url`` does.

    While that one cannot be reached the answer is the problem ``no-api`` (502). `HEALTHY` is answered here.

    Raises:
        UsageError: ``api_url`` is not the address of a server.
    """
    parts = urlsplit(api_url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise UsageError(
            f"{api_url!r} is not the address of a vistio-serve; give one such as http://vistio-api:9091"
        )
    target = {"target": api_url, "remove_prefix": True, "host": "<auto>", "headers": {}, "ssl_context": None}
    proxy = ProxyMiddleware(_unused, {}, timeout=TIMEOUT_S)

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        # WSGI has each byte as a character; the proxy quotes characters.
        path = environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace")
        if path == HEALTHY:
            return Response("healthy\n", content_type="text/plain")(environ, start_response)
        started: list[tuple[str, list[tuple[str, str]]]] = []
        try:
            body = proxy.proxy_to(target, path, "/")(environ, _noting(started))
        except HTTPException:  # what came back is not HTTP
            started.clear()
        # Werkzeug's own words for a server that is not there, which are a page of HTML.
        if not started or started[-1][0].startswith("502 "):
            return to_response(Request(environ), no_api().to_answer())(environ, start_response)
        start_response(*started[-1])
        return body

    return application


def _noting(started: list[tuple[str, list[tuple[str, str]]]]) -> StartResponse:
    """A start_response that only takes note: whether it is to be believed shows afterwards."""

    def note(status: str, headers: list[tuple[str, str]], *_: Any) -> Callable[[bytes], object]:
        started.append((status, headers))
        return lambda piece: None

    return note


def _unused(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """What the middleware would ask for paths without a target; all of ours have one."""
    return Response(status=404)(environ, start_response)
