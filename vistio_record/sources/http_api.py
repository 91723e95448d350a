"""Prometheus' HTTP API: one file for everything that can go wrong between here and there.

A method answers the response's body, or raises a `SourceError` whose message is one line that
names the server, never the credentials.
"""

from __future__ import annotations

import errno
import re
import socket
import ssl
import zlib
from base64 import b64encode
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from urllib.parse import unquote, urlsplit, urlunsplit

import attrs
import requests
from requests.auth import HTTPBasicAuth
from urllib3.exceptions import HTTPError

from vistio_core.errors import SourceError, UsageError
from vistio_core.times import format_duration
from vistio_record.sources.abortable import AbortableAdapter, Call
from vistio_record.sources.answer import decode, one_line

MAX_RESPONSE_BYTES = 64 * 2**20
_CHUNK_BYTES = 256 * 2**10
# Two machines' clocks are never quite the same, and a Date has whole seconds only.
_CLOCK_TOLERANCE_S = 10.0
# What an error page may cost us: enough for Prometheus' own reasons.
_MAX_ERROR_BYTES = 64 * 2**10


def open_session(connections: int) -> requests.Session:
    """One session for all servers, with room for ``connections`` requests at a time.

    Proxies, CA bundles and netrc of the environment are honoured, as requests does.
    """
    session = requests.Session()
    adapter = AbortableAdapter(pool_connections=max(connections, 1), pool_maxsize=max(connections, 1))
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    # A cookie jar shared by threads would carry one server's session into another's request.
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    # gzip only: it is the one whose unpacked size is bounded below.
    session.headers.update(
        {"Accept-Encoding": "gzip", "Accept": "application/json", "User-Agent": "vistio-record"}
    )
    return session


@attrs.frozen
class Server:
    """A Prometheus-compatible server, from a configuration's ``prometheusURL``."""

    base_url: str
    """Without credentials, without a slash at its end."""
    query_string: str
    """What the URL had after ``?``: some proxies want a parameter there."""
    user: str | None = attrs.field(default=None, repr=False)
    password: str = attrs.field(default="", repr=False)

    @classmethod
    def from_url(cls, url: str) -> Server:
        """The server that ``url`` leads to; ``user:password@`` in it becomes basic authentication.

        Raises:
            UsageError: not an http or https URL with a host.
        """
        try:
            parts = urlsplit(url.strip())
            place = _host_and_port(parts.hostname, parts.port)
        except ValueError:
            parts, place = urlsplit(""), ""
        if parts.scheme not in ("http", "https") or not place:
            raise UsageError(
                "a prometheusURL is not an address; use http://HOST:PORT or https://HOST:PORT,"
                " with the path prefix that the server has, if any"
            )
        base = urlunsplit((parts.scheme, place, parts.path.rstrip("/"), "", ""))
        user = None if parts.username is None else unquote(parts.username)
        return cls(base, parts.query, user, unquote(parts.password or ""))

    @property
    def auth(self) -> HTTPBasicAuth | None:
        # Bytes: of text, requests would make Latin-1.
        return None if self.user is None else HTTPBasicAuth(self.user.encode(), self.password.encode())

    def redact(self, text: str) -> str:
        """``text`` without this server's credentials, should it have echoed them."""
        encoded = b64encode(f"{self.user}:{self.password}".encode()).decode() if self.user is not None else ""
        for secret in filter(None, (encoded, self.password, self.query_string)):
            text = text.replace(secret, "***")
        return text


def query(
    session: requests.Session, server: Server, promql: str, instant_ms: int, call: Call, max_bytes: int
) -> bytes:
    """The body of the answer to ``promql`` evaluated at ``instant_ms``; POST, so that it may be long.

    Raises:
        SourceError: no usable answer within the call's time, kind ``timeout`` or ``failed``.
    """
    fields = {
        "query": promql,
        "time": _seconds(instant_ms),
        "timeout": f"{max(call.remaining_s, 0.001):.3f}",
    }
    return request(session, server, "/api/v1/query", fields, call, max_bytes)


def query_range(
    session: requests.Session,
    server: Server,
    promql: str,
    instants: range,
    call: Call,
    max_bytes: int,
) -> bytes:
    """The body of the answer to ``promql`` evaluated at each of ``instants``, which are milliseconds.

    Raises:
        SourceError: as for `query`.
    """
    fields = {
        "query": promql,
        "start": _seconds(instants[0]),
        "end": _seconds(instants[-1]),
        "step": _seconds(instants.step),
        "timeout": f"{max(call.remaining_s, 0.001):.3f}",
    }
    return request(session, server, "/api/v1/query_range", fields, call, max_bytes)


def _seconds(ms: int) -> str:
    return f"{ms // 1000}.{ms % 1000:03d}"


def request(
    session: requests.Session,
    server: Server,
    path: str,
    fields: Mapping[str, str] | None,
    call: Call,
    max_bytes: int,
) -> bytes:
    """The body of a successful response; POST with form ``fields``, GET without.

    Raises:
        SourceError: as for `query`.
    """
    timeout_s = max(call.remaining_s, 0.001)
    url = server.base_url + path + (f"?{server.query_string}" if server.query_string else "")
    try:
        with (
            call,
            session.request(
                "GET" if fields is None else "POST",
                url,
                data=fields,
                auth=server.auth,
                timeout=(timeout_s, timeout_s),
                # A redirect would turn POST into GET, and may lead to a host that is not ours to trust.
                allow_redirects=False,
                stream=True,
            ) as response,
        ):
            if response.status_code != 200:
                raise _refusal(server, response, call)
            _refuse_the_future(response.headers.get("Date", ""), fields or {})
            body = b"".join(_body(response, call, max_bytes))
            # Cut off within the headers looks like a response without a body.
            if call.aborted:
                raise SourceError(_late(call.timeout_s), kind="timeout")
            return body
    except SourceError as error:
        raise SourceError(
            f"{server.base_url}: {server.redact(str(error))}", kind=error.kind, answered=error.answered
        ) from error
    except (requests.RequestException, HTTPError, OSError, ValueError) as error:
        raise _failure(server, error, call) from error


def _refuse_the_future(date: str, fields: Mapping[str, str]) -> None:
    """Raise when the server's own clock says that it has not lived through the asked instant yet.

    Its answer would be empty or half of what will be, and would be recorded as a quiet mesh.
    """
    asked = fields.get("time") or fields.get("end")
    try:
        now_s = parsedate_to_datetime(date).timestamp()
    except ValueError:
        return  # most servers say what time it is; HTTP does not make them
    ahead_s = float(asked) - now_s if asked else 0.0
    if ahead_s > _CLOCK_TOLERANCE_S:
        raise SourceError(
            f"its clock is {format_duration(round(ahead_s) * 1000)} behind the asked instant, so it cannot"
            " know what happened then; set the clocks of both machines (NTP)"
        )


def late(server: Server, timeout_s: float) -> str:
    """What to say of a server that did not answer in time."""
    return f"{server.base_url}: {_late(timeout_s)}"


def _late(timeout_s: float) -> str:
    return f"no complete answer within {format_duration(round(timeout_s * 1000))}"


def _body(response: requests.Response, call: Call, max_bytes: int) -> Iterator[bytes]:
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("identity", "", "gzip", "x-gzip"):
        raise SourceError(f"the answer is encoded as {one_line(encoding, 40)}, only gzip was asked for")
    unpack = _Gunzip() if "gzip" in encoding else None
    total = 0
    while chunk := response.raw.read(_CHUNK_BYTES, decode_content=False):
        for piece in unpack.pieces(chunk) if unpack else (chunk,):
            total += len(piece)
            if total > max_bytes:
                raise SourceError(
                    f"the answer is larger than {max_bytes} bytes; aggregate more in the query (sum by ...),"
                    " or raise --source-option max_response_bytes",
                    answered="too_large",
                )
            yield piece
        if call.overdue:
            raise SourceError(_late(call.timeout_s), kind="timeout")
    if unpack and not unpack.finished:
        raise SourceError("the gzip data of the answer is cut short")


class _Gunzip:
    """Unpacks in pieces of bounded size, so that a small body cannot become a large one unseen."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(wbits=31)

    @property
    def finished(self) -> bool:
        return self._stream.eof

    def pieces(self, data: bytes) -> Iterator[bytes]:
        try:
            while data and not self._stream.eof:
                yield self._stream.decompress(data, _CHUNK_BYTES)
                data = self._stream.unconsumed_tail
        except zlib.error as error:
            raise SourceError(
                f"the gzip data of the answer is damaged ({one_line(str(error), 80)})"
            ) from error


def _refusal(server: Server, response: requests.Response, call: Call) -> SourceError:
    """The error for a status other than 200, with Prometheus' own reason where it gives one."""
    status = f"HTTP {response.status_code} {one_line(response.reason or '', 40)}".rstrip()
    if 300 <= response.status_code < 400:
        to = _without_credentials(response.headers.get("Location", ""))
        return SourceError(f"{status} redirects to {to}; if that is the server, name it in prometheusURL")
    media = one_line(response.headers.get("Content-Type", "no content type").split(";")[0], 60)
    try:
        decode(b"".join(_body(response, call, _MAX_ERROR_BYTES)))
    except SourceError as error:
        if str(error).startswith("Prometheus answers"):
            return SourceError(f"{status}, {error}", kind=error.kind, answered=error.answered)
    except (requests.RequestException, HTTPError, OSError):
        pass  # the status is known, only its explanation is not
    if response.status_code in (401, 403):
        found = "are not enough" if server.auth else "are missing"
        return SourceError(
            f"{status}: credentials {found}; prometheusURL may carry them as http://USER:PASSWORD@HOST"
        )
    return SourceError(
        f"{status} with {media}; does prometheusURL lead to a Prometheus, with its path prefix?"
    )


def _failure(server: Server, error: BaseException, call: Call) -> SourceError:
    """The error for an exchange that did not take place.

    The texts of requests and urllib3 are not used: they may hold a proxy's credentials.
    """
    chain = list(_chain(error))
    if call.overdue or isinstance(error, requests.Timeout) or any(isinstance(e, TimeoutError) for e in chain):
        return SourceError(late(server, call.timeout_s), kind="timeout")
    return SourceError(f"{server.base_url}: {_reason(server, error, chain)}")


def _reason(server: Server, error: BaseException, chain: list[BaseException]) -> str:
    proxy = "the proxy of the environment: " if isinstance(error, requests.exceptions.ProxyError) else ""
    for cause in chain:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"{proxy}its certificate is not trusted ({one_line(cause.verify_message, 120)})"
        if isinstance(cause, ssl.SSLError):
            return f"{proxy}TLS: {one_line(str(cause.reason or 'no handshake'), 80)}; is it http, not https?"
        if isinstance(cause, socket.gaierror):
            host = urlsplit(server.base_url).hostname
            name = "the proxy's host name" if proxy else f"host name {host!r}"
            return f"{name} cannot be resolved ({cause.strerror})"
        if isinstance(cause, ConnectionRefusedError):
            return f"{proxy}connection refused; is the server running, and this its port?"
        if isinstance(cause, ConnectionResetError | BrokenPipeError):
            return f"{proxy}the connection was closed before the answer was complete"
        if isinstance(cause, OSError) and cause.errno in errno.errorcode:
            return f"{proxy}{cause.strerror}"
    if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.InvalidSchema):
        return "not an address that can be asked; look at prometheusURL and the proxies of the environment"
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(chain[-1]).__name__).lower()
    return f"{proxy}the answer is not complete HTTP ({words})"


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what caused it, wherever requests and urllib3 put the cause."""
    todo, seen = [error], set[int]()
    while todo:
        one = todo.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        causes = (one.__cause__, one.__context__, getattr(one, "reason", None), *one.args)
        todo.extend(cause for cause in causes if isinstance(cause, BaseException))


def _host_and_port(host: str | None, port: int | None) -> str:
    name = f"[{host}]" if host and ":" in host else host or ""
    return name if port is None else f"{name}:{port}"


def _without_credentials(url: str) -> str:
    try:
        parts = urlsplit(url)
        place = _host_and_port(parts.hostname, parts.port)
    except ValueError:
        return "somewhere"
    return one_line(urlunsplit((parts.scheme, place, parts.path, "", "")), 200) or "nowhere"
