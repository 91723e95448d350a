"""``vistio-serve web``: a page's own port, which asks another vistio-serve for everything.

A page needs no recording. So it runs as many times, and wherever, as one likes, and one server per recording
keeps the answers. The forwarding itself is werkzeug's; here is only what is answered when there is nobody to
ask, and the health of this process, which is not the other one's.
"""

from __future__ import annotations

import logging
import ssl
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from werkzeug.middleware.http_proxy import ProxyMiddleware
from werkzeug.wrappers import Request, Response

from vistio_core.access.origins import foreign
from vistio_core.errors import UsageError
from vistio_core.native_paths import shown
from vistio_serve import parameters
from vistio_serve.answers import to_response
from vistio_serve.problems import no_api

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = logging.getLogger(__name__)

HEALTHY = "/-/healthy"
LIVE = "/live"
TIMEOUT_S = 60
"""A large answer waits for its turn and is then made: longer than a server takes for either."""


def create_forwarder(api_url: str, ca_file: Path | None = None) -> WSGIApplication:
    """A WSGI application that answers each request as the vistio-serve at ``api_url`` does.

    While that one cannot be reached the answer is the problem ``no-api`` (502). `HEALTHY` is answered here. Credentials
    are passed on as they are.

    Args:
        api_url: the one that is asked.
        ca_file: whose certificates are trusted there, in PEM, read again when it is another one; None: whom the system
            trusts.

    Raises:
        UsageError: ``api_url`` is not the address of a server, or there is no certificate in ``ca_file``.
    """
    parts = urlsplit(api_url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise UsageError(
            f"{api_url!r} is not the address of a vistio-serve; give one such as http://vistio-api:9091"
        )
    trusted = _Trusted(ca_file) if ca_file else None
    target = {"target": api_url, "remove_prefix": True, "host": "<auto>", "headers": {}}
    proxy = ProxyMiddleware(_unused, {}, timeout=TIMEOUT_S)
    # Reading waits until as much has come as is asked for: what comes line by line is passed on byte by byte.
    at_once = ProxyMiddleware(_unused, {}, timeout=TIMEOUT_S, chunk_size=1)

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        # WSGI has each byte as a character; the proxy quotes characters.
        path = environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace")
        if path == HEALTHY:
            return Response("healthy\n", content_type="text/plain")(environ, start_response)
        started: list[tuple[str, list[tuple[str, str]]]] = []
        _introduce(environ)
        try:
            by = at_once if path == LIVE else proxy
            asked = {**target, "ssl_context": trusted.context() if trusted else None}
            body = by.proxy_to(asked, path, "/")(environ, _noting(started))
        except HTTPException:  # what came back is not HTTP
            started.clear()
        # Werkzeug's own words for a server that is not there, which are a page of HTML.
        if not started or started[-1][0].startswith("502 "):
            return _no_api(environ)(environ, start_response)
        start_response(*started[-1])
        return body

    return application


def _no_api(environ: WSGIEnvironment) -> Response:
    request = Request(environ)
    return to_response(request, no_api().to_answer(parameters.language(request.args) or "en"))


class _Trusted:
    """Whose certificates are trusted: what a file says now, for an authority is renewed as certificates are.

    Raises:
        UsageError: in the constructor: there is no certificate in it.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        try:
            self._seen = file.read_bytes()
            self._context = _context(self._seen)
        except (OSError, ValueError) as error:
            raise UsageError(f"{shown(file)}: has no certificate in PEM") from error

    def context(self) -> ssl.SSLContext:
        """What the next question is asked with; the last one that was good, where the file is not."""
        try:
            content = self._file.read_bytes()
        except OSError:  # between the old file and the new one
            return self._context
        if content != self._seen:
            self._seen = content
            try:
                self._context = _context(content)
                log.info("authority.renewed", extra={"file": shown(self._file)})
            except (OSError, ValueError):
                facts = {"file": shown(self._file), "problem": "has no certificate in PEM"}
                log.error("authority.kept", extra={**facts, "next": "the old one is trusted"})
        return self._context


def _context(authorities: bytes) -> ssl.SSLContext:
    text = authorities.decode("ascii", "ignore")  # comments may say names
    if not text.strip():
        raise ValueError("given nothing, Python would trust whom the system trusts")
    return ssl.create_default_context(cadata=text)


def _introduce(environ: WSGIEnvironment) -> None:
    """Say for whom we ask, and that a page of ours made the browser ask, if so: the other one sees neither."""
    environ["HTTP_X_FORWARDED_FOR"] = environ.get("REMOTE_ADDR", "")
    fetch_site, origin = environ.get("HTTP_SEC_FETCH_SITE", ""), environ.get("HTTP_ORIGIN", "")
    host = environ.get("HTTP_HOST", "")
    if origin and not foreign(
        host=host, origin=origin, fetch_site=fetch_site, trusted=(), known_by_name=True
    ):
        environ["HTTP_SEC_FETCH_SITE"] = "same-origin"


def _noting(started: list[tuple[str, list[tuple[str, str]]]]) -> StartResponse:
    """A start_response that only takes note: whether it is to be believed shows afterwards."""

    def note(status: str, headers: list[tuple[str, str]], *_: Any) -> Callable[[bytes], object]:
        started.append((status, headers))
        return lambda piece: None

    return note


def _unused(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """What the middleware would ask for paths without a target; all of ours have one."""
    return Response(status=404)(environ, start_response)
