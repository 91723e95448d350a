"""The routes of the recorder's own port, as a WSGI application.

| route | |
|---|---|
| ``GET /metrics`` | Prometheus' text format |
| ``GET /-/healthy`` | 200 while the loop is at work, else 503 |
| ``GET /-/ready`` | 200 from the first scrape with an answered rule on, 503 until then, with the reason |
| ``POST /-/reload`` | 200 and what became of it; 500 and every problem |
| ``POST /annotations`` | with the token; 200 and the annotation's id |
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from prometheus_client import make_wsgi_app
from werkzeug.exceptions import (
    ClientDisconnected,
    HTTPException,
    LengthRequired,
    RequestEntityTooLarge,
    RequestTimeout,
)
from werkzeug.wrappers import Request, Response

from vistio_record.metrics import Metrics
from vistio_record.reload import Reloaded, ReloadOutcome

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

log = logging.getLogger(__name__)

MAX_BODY_BYTES = 64 * 2**10

_Responder = Callable[[Request], Response]


class Application:
    """Answers for one recorder. A route that is not there says what is."""

    def __init__(
        self,
        metrics: Metrics,
        reload: Callable[[str], Reloaded],
        stalled_after_s: float,
        annotate: _Responder | None = None,
    ) -> None:
        """An application; it touches nothing until it is asked.

        Args:
            metrics: what /metrics and health are made of.
            reload: reads the configuration again (`vistio_record.reload.Reloader.reload`).
            stalled_after_s: a loop that is silent for so long is not healthy.
            annotate: answers ``POST /annotations``; None when nobody may.
        """
        self._metrics = metrics
        self._reload = reload
        self._stalled_after_s = stalled_after_s
        self._annotate = annotate
        self._routes: dict[str, tuple[tuple[str, ...], _Responder]] = {
            "/metrics": (("GET", "HEAD"), self._exposition),
            "/-/healthy": (("GET", "HEAD"), self._healthy),
            "/-/ready": (("GET", "HEAD"), self._ready),
            "/-/reload": (("POST",), self._reloaded),
            "/annotations": (("POST",), self._annotated),
        }

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        try:
            response = self._answer(request)
        except HTTPException as error:
            response = text(f"{error.description}\n", error.code or 500)
        except Exception:
            log.exception("request.crashed", extra={"path": request.path})
            response = text("the recorder's log says what went wrong\n", 500)
        return response(environ, start)

    def _answer(self, request: Request) -> Response:
        _take_body(request)
        methods, answer = self._routes.get(request.path, ((), None))
        if answer is None:
            return text(f"there are {', '.join(self._routes)}\n", 404)
        if request.method not in methods:
            response = text(f"use {methods[0]}\n", 405)
            response.headers["Allow"] = ", ".join(methods)
            return response
        return answer(request)

    def _exposition(self, request: Request) -> Response:
        # prometheus_client answers GET only; of a HEAD's answer the body is left out on the way.
        environ = {**request.environ, "REQUEST_METHOD": "GET"}
        return Response.from_app(make_wsgi_app(self._metrics.registry), environ)

    def _healthy(self, request: Request) -> Response:
        silent_s = self._metrics.silent_s
        if silent_s > self._stalled_after_s:
            return text(
                f"not healthy: the loop has not moved for {silent_s:.0f} s; the storage may hang,"
                " the recorder's log says what was last; restart it\n",
                503,
            )
        return text("healthy\n")

    def _ready(self, request: Request) -> Response:
        if self._metrics.ready:
            return text("ready\n")
        why = self._metrics.trouble or "the first scrape is still to come"
        return text(
            f"not ready: no scrape with an answered rule is committed yet; {why}."
            " `vistio-record check` explains each rule\n",
            503,
        )

    def _reloaded(self, request: Request) -> Response:
        found = self._reload("POST /-/reload")
        return text(f"{found.message}\n", 500 if found.outcome is ReloadOutcome.REFUSED else 200)

    def _annotated(self, request: Request) -> Response:
        if self._annotate is None:
            return text("annotations by HTTP are off; start the recorder with --token-file FILE\n", 403)
        return self._annotate(request)


def text(content: str, status: int = 200) -> Response:
    """A plain answer."""
    # Bytes: a message may quote what is no text, such as the name of a file.
    return Response(
        content.encode("utf-8", "backslashreplace"), status, content_type="text/plain; charset=utf-8"
    )


def _take_body(request: Request) -> None:
    """Read the request's body, so that `Request.get_data` has it from here on.

    Raises:
        HTTPException: it has no length, is too long, or did not come in time.
    """
    length = request.content_length
    if length is None:
        if "chunked" in request.headers.get("Transfer-Encoding", "").lower():
            raise LengthRequired("send the body with a Content-Length, not chunked")
        return
    if length > MAX_BODY_BYTES:
        raise RequestEntityTooLarge(f"the body has {length:,} bytes; at most {MAX_BODY_BYTES:,} are read")
    try:
        request.get_data()
    except ClientDisconnected as error:  # what werkzeug makes of an end too soon
        raise RequestTimeout("the body did not come whole; send all of it at once") from error
