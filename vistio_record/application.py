"""The routes of the recorder's own port, as a WSGI application.

| route | |
|---|---|
| ``GET /metrics`` | Prometheus' text format |
| ``GET /-/healthy`` | 200 while the loop is at work, else 503 |
| ``GET /-/ready`` | 200 from the first scrape with an answered rule on, 503 until then, with the reason |
| ``POST /-/reload`` | 200 and what became of it; 500 and every problem |
| ``POST /annotations`` | 200 and the annotation's id |

Who may ask for what is for `vistio_core.access.guard` to say; health is for everybody.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import attrs
from prometheus_client import make_wsgi_app
from werkzeug.exceptions import (
    ClientDisconnected,
    HTTPException,
    LengthRequired,
    RequestEntityTooLarge,
    RequestTimeout,
)
from werkzeug.wrappers import Request, Response

from vistio_core.access import guard as guards
from vistio_core.access.guard import Asking, Guard, Identity
from vistio_core.access.web_config import ANNOTATE, METRICS, RELOAD
from vistio_record.metrics import Metrics
from vistio_record.reload import Reloaded, ReloadOutcome

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

log = logging.getLogger(__name__)

MAX_BODY_BYTES = 64 * 2**10

_Responder = Callable[[Request, Identity], Response]


@attrs.frozen
class _Route:
    answer: _Responder
    methods: tuple[str, ...] = ("GET", "HEAD")
    scope: str = ""
    """What it takes to be answered; empty: nothing."""


class Application:
    """Answers for one recorder. A route that is not there says what is."""

    def __init__(
        self,
        metrics: Metrics,
        reload: Callable[[str], Reloaded],
        stalled_after_s: float,
        annotate: _Responder | None = None,
        guard: Guard | None = None,
    ) -> None:
        """An application; it touches nothing until it is asked.

        Args:
            metrics: what /metrics and health are made of.
            reload: reads the configuration again (`vistio_record.reload.Reloader.reload`).
            stalled_after_s: a loop that is silent for so long is not healthy.
            annotate: answers ``POST /annotations``; None when there is nothing to annotate.
            guard: says who may; None: nobody annotates, everybody does the rest.
        """
        self._metrics = metrics
        self._reload = reload
        self._stalled_after_s = stalled_after_s
        self._guard = guard or Guard()
        self._routes = {
            "/metrics": _Route(self._exposition, scope=METRICS),
            "/-/healthy": _Route(self._healthy),
            "/-/ready": _Route(self._ready),
            "/-/reload": _Route(self._reloaded, ("POST",), RELOAD),
        }
        if annotate is not None:
            self._routes["/annotations"] = _Route(annotate, ("POST",), ANNOTATE)

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
        route = self._routes.get(request.path)
        if route is None:
            return text(f"there are {', '.join(self._routes)}\n", 404)
        if request.method not in route.methods:
            response = text(f"use {route.methods[0]}\n", 405)
            response.headers["Allow"] = ", ".join(route.methods)
            return response
        try:
            who = self._who(request, route)
        except guards.AccessError as error:
            return _refused(error)
        return route.answer(request, who)

    def _who(self, request: Request, route: _Route) -> Identity:
        if not route.scope:
            return Identity("", frozenset())
        asking = Asking(request.remote_addr or "", lambda name: request.headers.get(name, ""))
        if request.method == "POST":
            return self._guard.admit_change(asking, route.scope)
        return self._guard.admit(asking, route.scope)

    def _exposition(self, request: Request, who: Identity) -> Response:
        # prometheus_client answers GET only; of a HEAD's answer the body is left out on the way.
        environ = {**request.environ, "REQUEST_METHOD": "GET"}
        return Response.from_app(make_wsgi_app(self._metrics.registry), environ)

    def _healthy(self, request: Request, who: Identity) -> Response:
        silent_s = self._metrics.silent_s
        if silent_s > self._stalled_after_s:
            return text(
                f"not healthy: the loop has not moved for {silent_s:.0f} s; the storage may hang,"
                " the recorder's log says what was last; restart it\n",
                503,
            )
        return text("healthy\n")

    def _ready(self, request: Request, who: Identity) -> Response:
        if self._metrics.ready:
            return text("ready\n")
        why = self._metrics.trouble or "the first scrape is still to come"
        return text(
            f"not ready: no scrape with an answered rule is committed yet; {why}."
            " `vistio-record check` explains each rule\n",
            503,
        )

    def _reloaded(self, request: Request, who: Identity) -> Response:
        log.info("reload.asked", extra={**who.facts, "client": request.remote_addr})
        found = self._reload("POST /-/reload")
        return text(f"{found.message}\n", 500 if found.outcome is ReloadOutcome.REFUSED else 200)


def text(content: str, status: int = 200) -> Response:
    """A plain answer."""
    # Bytes: a message may quote what is no text, such as the name of a file.
    return Response(
        content.encode("utf-8", "backslashreplace"), status, content_type="text/plain; charset=utf-8"
    )


def _refused(error: guards.AccessError) -> Response:
    """As HTTP has it."""
    statuses = {guards.NotKnownError: 401, guards.NotAllowedError: 403, guards.TooOftenError: 429}
    response = text(f"{error}\n", statuses.get(type(error), 503))
    if isinstance(error, guards.NotKnownError):
        response.headers["WWW-Authenticate"] = error.challenge
    if isinstance(error, guards.TooOftenError):
        response.headers["Retry-After"] = str(error.retry_after_s)
    return response


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
