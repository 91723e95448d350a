"""The WSGI application: route, dispatch, and the headers that every answer carries."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import attrs
from werkzeug.exceptions import MethodNotAllowed, NotFound, RequestEntityTooLarge
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import Map, MapAdapter, Rule
from werkzeug.wrappers import Request, Response

from vistio_core import Recording
from vistio_core.access.guard import AccessError, Asking, Guard
from vistio_core.access.web_config import ANNOTATE, METRICS, READ
from vistio_core.sentences import LANGUAGES, Language, language_named
from vistio_serve import parameters, problems
from vistio_serve.admission import BusyError
from vistio_serve.answers import Answer, BodyResponse, to_response
from vistio_serve.bodies import sliced
from vistio_serve.handlers import Handlers, RouteCall
from vistio_serve.marks import MAX_BODY_BYTES, Change, Marks
from vistio_serve.memory import DEFAULT_BYTES, Memory
from vistio_serve.pages import AS_RECORDED, NO_FRAMES
from vistio_serve.ready import Ready, ReadyResponse
from vistio_serve.routes import CHANGES, LANGUAGE, ROUTES, ChangeRoute, Route
from vistio_serve.sending import ONE_PIECE_BYTES, Sending

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

MAX_QUERY_CHARACTERS = 2048
_METHODS = ["GET", "HEAD", "OPTIONS"]
_ORDER = (*_METHODS, "POST", "PUT", "DELETE")
_PREFLIGHT_AGE_S = "86400"
_UNKNOWN_ROUTE = "none"
# What /access takes is for the guard to say.
_OPEN_TO_ALL = ("/-/healthy", "/-/ready", "/access")
# The one that every open page asks again each second.
_READY_ROUTE = "graph"


def create_app(
    recording: Recording | Callable[[], Recording],
    *,
    cors_origin: str | None = "*",
    prefix: str = "",
    behind_proxy: bool = False,
    memory: Memory | None = None,
    query_links: str = AS_RECORDED,
    frame_ancestors: str = NO_FRAMES,
    now_ms: Callable[[], int] | None = None,
    guard: Guard | None = None,
) -> WSGIApplication:
    """A WSGI application that serves ``recording``; it runs under any WSGI server.

    Args:
        recording: an open recording, or what returns one (or raises a `VistioError`) at each
            request, for a recording that does not exist yet.
        cors_origin: the value of ``Access-Control-Allow-Origin``; None sends none. The default lets
            any page read the graphs, which Vistio's UI on its own port needs.
        prefix: a path such as ``/vistio`` under which it is reached as well as without.
        behind_proxy: trust one proxy's ``X-Forwarded-Prefix``, which says what it has stripped, and its
            ``X-Forwarded-For``, which says who asks it.
        memory: how large what is kept ready may become; None: as ``vistio-serve`` without ``--memory``. The
            recording has limits of its own, ``scan_memory_bytes`` and ``footer_memory_bytes``.
        query_links: where people open the query of a notice: ``recorded`` is Prometheus by the address that the
            recorder asks, ``none`` is no link; else its public address, or one with ``{query}`` in it (and ``{start}``,
            ``{end}``, ``{start_ms}``, ``{end_ms}``) of what shows it instead. Only the page knows it.
        frame_ancestors: which pages may show the page in a frame of theirs, as in a Content-Security-Policy without
            its quotes: origins with blanks between, ``self``, or ``none``. Only the page knows it.
        now_ms: the clock, in epoch milliseconds.
        guard: says who may read and annotate; None: everybody reads, nobody annotates.
    """
    opened = recording if callable(recording) else lambda: recording
    application: WSGIApplication = _Application(
        opened,
        cors_origin,
        prefix,
        now_ms or _system_now_ms,
        memory or Memory.of(DEFAULT_BYTES),
        query_links,
        frame_ancestors,
        guard or Guard(),
    )
    if behind_proxy:
        return ProxyFix(application, x_for=1, x_proto=0, x_host=0, x_port=0, x_prefix=1)
    return application


@attrs.frozen
class _Streamed:
    """A response to a GET, to be sent piece by piece."""

    route_name: str
    status: str
    headers: list[tuple[str, str]]
    pieces: Iterable[bytes] = attrs.field(repr=False)
    weight_bytes: int

    @classmethod
    def of(cls, route_name: str, environ: WSGIEnvironment, response: BodyResponse) -> _Streamed:
        headers = response.get_wsgi_headers(environ).to_wsgi_list()
        return cls(route_name, response.status, headers, response.iter_encoded(), response.weight_bytes)


class _Application:
    def __init__(
        self,
        recording: Callable[[], Recording],
        cors_origin: str | None,
        prefix: str,
        now_ms: Callable[[], int],
        memory: Memory,
        query_links: str,
        frame_ancestors: str,
        guard: Guard,
    ) -> None:
        self._guard = guard
        self._handlers = Handlers(recording, now_ms, memory, query_links, frame_ancestors, guard)
        self._ready = Ready(now_ms, self._handlers.version)
        self._metrics = self._handlers.metrics_of_this_app
        self._cors_origin = cors_origin
        self._prefix = prefix.rstrip("/")
        self._now_ms = now_ms
        self._routes = {route.name: route for route in ROUTES}
        changes = {(change.method, change.path): change for change in CHANGES}
        self._map = Map(
            [
                *(Rule(route.path, endpoint=route, methods=_METHODS) for route in self._routes.values()),
                *(Rule(path, endpoint=each, methods=[method]) for (method, path), each in changes.items()),
            ],
            merge_slashes=False,
        )

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        began_s = time.perf_counter()
        refused = self._refusal(environ)
        stamp = self._ready.stamp()
        ready = None if refused else self._ready.get(environ, stamp)
        if ready is not None:
            self._handlers.graph_was_ready()
            return self._send(environ, start_response, ready, began_s)
        request = Request(environ)
        if refused is None:
            route_name, response = self._respond(request)
        else:
            route_name, response = (
                _UNKNOWN_ROUTE,
                to_response(request, problems.of_error(refused).to_answer(_language(request))),
            )
        self._decorate(response)
        got = request.method == "GET"
        if got and isinstance(response, BodyResponse):
            if route_name == _READY_ROUTE and response.is_whole and response.status_code in (200, 304):
                kept = self._ready.keep(environ, stamp, response)
                return self._send(environ, start_response, kept, began_s)
            if response.is_large:
                streamed = _Streamed.of(route_name, environ, response)
                return self._stream(environ, start_response, streamed, began_s)
        method = request.method if request.method in _ORDER else "other"
        self._metrics.request(route_name, method, str(response.status_code), time.perf_counter() - began_s)
        return response(environ, start_response)

    def _send(
        self, environ: WSGIEnvironment, start_response: StartResponse, ready: ReadyResponse, began_s: float
    ) -> Iterable[bytes]:
        if ready.size_bytes > ONE_PIECE_BYTES:
            streamed = _Streamed(_READY_ROUTE, ready.status, ready.headers, ready.chunks, ready.size_bytes)
            return self._stream(environ, start_response, streamed, began_s)
        self._metrics.request(_READY_ROUTE, "GET", ready.code, time.perf_counter() - began_s)
        start_response(ready.status, ready.headers)
        return ready.chunks

    def _stream(
        self, environ: WSGIEnvironment, start_response: StartResponse, streamed: _Streamed, began_s: float
    ) -> Iterable[bytes]:
        """A large answer, or that too many of them are on their way."""
        try:
            sent = self._handlers.admission.send(streamed.weight_bytes)
        except BusyError as error:
            request = Request(environ)
            response = to_response(request, problems.of_error(error).to_answer(_language(request)))
            self._decorate(response)
            streamed = _Streamed.of(streamed.route_name, environ, response)
            sent = _nothing_to_count
        code = streamed.status[:3]
        self._metrics.request(streamed.route_name, "GET", code, time.perf_counter() - began_s)
        start_response(streamed.status, streamed.headers)
        return Sending(sliced(streamed.pieces), sent)

    def _refusal(self, environ: WSGIEnvironment) -> AccessError | None:
        """Why who asks may not read what is asked for; None when he may. Changes are looked at where they are made."""
        if self._guard.is_open or environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return None
        path = self._below_prefix(environ.get("PATH_INFO", ""))
        if path in _OPEN_TO_ALL:
            return None
        try:
            self._guard.admit(_asking(environ), METRICS if path == "/metrics" else READ)
        except AccessError as error:
            return error
        return None

    def _respond(self, request: Request) -> tuple[str, Response]:
        name, language = _UNKNOWN_ROUTE, _language(request)
        try:
            if self._is_bare_prefix(request):
                return name, _to_the_slash(request)
            adapter = self._adapter(request)
            route, path_values = adapter.match()
            name = route.name
            if isinstance(route, ChangeRoute):
                return name, to_response(request, self._change(request, route, dict(path_values)))
            if request.method == "OPTIONS":
                return name, _options(_in_order(adapter.allowed_methods()))
            if route.is_read:
                language = _language(request, by_browser=True)
            answer = self._answer(request, route, dict(path_values), language)
            return name, _varied(to_response(request, answer), request, route)
        except NotFound:
            known = [f"{request.root_path}{route.path}" for route in self._routes.values()]
            return name, to_response(request, problems.not_found(request.path, known).to_answer(language))
        except RequestEntityTooLarge:
            return name, to_response(request, problems.body_too_long(MAX_BODY_BYTES).to_answer(language))
        except MethodNotAllowed as error:
            problem = problems.method_not_allowed(request.method, _in_order(error.valid_methods or ()))
            return name, to_response(request, problem.to_answer(language))
        except Exception as error:
            return name, to_response(request, problems.of_error(error).to_answer(language))

    def _below_prefix(self, path: str) -> str:
        if self._prefix and path.startswith(self._prefix + "/"):
            return path[len(self._prefix) :]
        return path

    def _adapter(self, request: Request) -> MapAdapter:
        path = self._below_prefix(request.path)
        # Matched by the path alone: a Host header that is no host name must not decide anything.
        return self._map.bind("localhost", path_info=path, default_method=request.method)

    def _answer(
        self, request: Request, route: Route, path_values: dict[str, str], language: Language
    ) -> Answer:
        characters = len(request.query_string)
        if characters > MAX_QUERY_CHARACTERS:
            return problems.too_long(characters, MAX_QUERY_CHARACTERS).to_answer(language)
        values = parameters.read(
            request.args, self._handlers.known(route, request.args.get("format")), route.alone
        )
        if route.name != "page":  # which understands all that browsers call a language
            parameters.choice(values, LANGUAGE.name, LANGUAGES, LANGUAGES[0])
        call = RouteCall(
            values=values,
            now_ms=self._now_ms(),
            path_values=path_values,
            accept=request.headers.get("Accept", ""),
            path=request.path,
            asking=_asking(request.environ),
            language=language,
        )
        return self._handlers.by_route[route.name](call)

    def _change(self, request: Request, route: ChangeRoute, path_values: dict[str, str]) -> Answer:
        asking = _asking(request.environ)
        # Before a byte of the body is waited for.
        who = self._guard.admit_change(asking, ANNOTATE)
        values = parameters.read(request.args, (LANGUAGE.name,))
        parameters.choice(values, LANGUAGE.name, LANGUAGES, LANGUAGES[0])
        request.max_content_length = MAX_BODY_BYTES
        change = Change(
            who, asking.client, request.mimetype, request.get_data(), self._now_ms(), _language(request)
        )
        do: Callable[..., Answer] = getattr(Marks, route.name)
        return do(self._handlers.marks, change, *path_values.values())

    def _is_bare_prefix(self, request: Request) -> bool:
        return bool(self._prefix) and request.path == self._prefix

    def _decorate(self, response: Response) -> None:
        response.headers["X-Content-Type-Options"] = "nosniff"
        # Addresses hold what somebody looked at: no business of whatever a link leads to.
        response.headers["Referrer-Policy"] = "no-referrer"
        if not self._guard.is_open:
            # What takes credentials must not be kept by what many share.
            kept = response.headers.get("Cache-Control", "")
            response.headers["Cache-Control"] = kept.replace("public", "private")
        # An answer opened as a document (SVG, XML) must run nothing; the page has its own policy.
        response.headers.setdefault("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
        if self._cors_origin is not None:
            response.headers["Access-Control-Allow-Origin"] = self._cors_origin
            response.headers["Access-Control-Expose-Headers"] = "ETag, Vistio-Configuration"
            if self._cors_origin != "*":
                response.vary.add("Origin")


def _asking(environ: WSGIEnvironment) -> Asking:
    def header(name: str) -> str:
        return str(environ.get(f"HTTP_{name.upper().replace('-', '_')}", ""))

    return Asking(str(environ.get("REMOTE_ADDR", "")), header)


def _language(request: Request, *, by_browser: bool = False) -> Language:
    """What is asked for by name; else, of a document, what the browser prefers; else English."""
    asked = parameters.language(request.args)
    if asked is None and by_browser:
        tags = (tag.lower().partition("-")[0] for tag, quality in request.accept_languages if quality > 0)
        asked = next(filter(None, map(language_named, tags)), None)
    return asked or "en"


def _varied(response: Response, request: Request, route: Route) -> Response:
    """Caches are told where the browser's language decided."""
    if route.is_read and LANGUAGE.name not in request.args:
        response.vary.add("Accept-Language")
    return response


def _nothing_to_count() -> None:
    """A small answer was sent."""


def _to_the_slash(request: Request) -> Response:
    """To the same address with a slash in the end, which relative addresses on the page need.

    Relative to the last part of the path alone, so that it is right behind whatever a proxy has put in front.
    """
    query = request.query_string.decode("latin-1")
    location = f"./{request.path.rpartition('/')[2]}/{query and f'?{query}'}"
    return Response(status=308, headers={"Location": location})


def _in_order(methods: Iterable[str]) -> list[str]:
    return sorted({*methods}, key=_ORDER.index)


def _options(allowed: list[str]) -> Response:
    """What may be asked, for people and for a browser's preflight; pages of others are told what these may."""
    return Response(
        status=204,
        headers={
            "Allow": ", ".join(allowed),
            "Access-Control-Allow-Methods": ", ".join(_METHODS),
            "Access-Control-Allow-Headers": "*",
            "Access-Control-Max-Age": _PREFLIGHT_AGE_S,
        },
    )


def _system_now_ms() -> int:
    return time.time_ns() // 1_000_000
