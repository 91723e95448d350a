"""Prometheus' HTTP API: the questions, and the bodies of their answers.

A function answers the response's body, or raises a `SourceError` whose message is one line that
names the server, never the credentials; `http_errors` finds the words.
"""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from urllib.parse import urljoin, urlsplit, urlunsplit

import requests
from urllib3.exceptions import HTTPError

from vistio_core.errors import SourceError
from vistio_core.times import format_duration
from vistio_record.sources.abortable import Call
from vistio_record.sources.answer import one_line
from vistio_record.sources.http_body import not_in_time, read_body
from vistio_record.sources.http_errors import failure, refusal, was_closed, without_credentials
from vistio_record.sources.servers import Server

MAX_RESPONSE_BYTES = 64 * 2**20
# Two machines' clocks are never quite the same, and a Date has whole seconds only.
_CLOCK_TOLERANCE_S = 10.0
_MOST_REDIRECTS = 5
# 403: who may only read Kubernetes' API may GET through its proxy, and not POST.
_MAY_REFUSE_POST = (403, 405, 501)


def query(server: Server, promql: str, instant_ms: int, call: Call, max_bytes: int) -> bytes:
    """The body of the answer to ``promql`` evaluated at ``instant_ms``; POST, so that it may be long.

    Raises:
        SourceError: no usable answer within the call's time, kind ``timeout`` or ``failed``.
    """
    fields = {
        "query": promql,
        "time": _seconds(instant_ms),
        "timeout": f"{max(call.remaining_s, 0.001):.3f}",
    }
    return request(server, "/api/v1/query", fields, call, max_bytes)


def query_range(
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
    return request(server, "/api/v1/query_range", fields, call, max_bytes)


def _seconds(ms: int) -> str:
    return f"{ms // 1000}.{ms % 1000:03d}"


def request(server: Server, path: str, fields: Mapping[str, str] | None, call: Call, max_bytes: int) -> bytes:
    """The body of a successful response; POST with form ``fields``, or GET where that is refused.

    Args:
        server: who is asked.
        path: of the endpoint.
        fields: the question; None: there is none, so GET.
        call: the deadline.
        max_bytes: the longest body, unpacked.

    Raises:
        SourceError: as for `query`.
    """
    post = fields is not None and server.posts
    try:
        with call:
            try:
                return _body_of(server, path, fields or {}, post, call, max_bytes)
            except _MethodRefusedError:
                body = _body_of(server, path, fields or {}, False, call, max_bytes)
                server.use_get()
                return body
    except SourceError as error:
        raise SourceError(
            f"{server.shown}: {server.redact(str(error))}", kind=error.kind, answered=error.answered
        ) from error
    except (requests.RequestException, HTTPError, OSError, ValueError) as error:
        raise failure(server, error, call) from error


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


class _MethodRefusedError(Exception):
    """The server wants no POST."""


def _body_of(
    server: Server, path: str, asked: Mapping[str, str], post: bool, call: Call, max_bytes: int
) -> bytes:
    """The body of the answer by one method, redirects followed as far as that is wanted."""
    url, fields = server.url(path), asked
    for _ in range(_MOST_REDIRECTS + 1):
        with _head(server, url, fields, post, call) as response:
            if response.status_code == 200:
                _refuse_the_future(response.headers.get("Date", ""), asked)
                body = b"".join(read_body(response, call, max_bytes))
                # Cut off within the headers looks like a response without a body.
                if call.aborted:
                    raise SourceError(not_in_time(call.timeout_s), kind="timeout")
                return body
            if post and not server.method and response.status_code in _MAY_REFUSE_POST:
                raise _MethodRefusedError
            if 300 <= response.status_code < 400:
                url = _redirect(server, response, url)
                # What an address has for GET is in the one that we are led to.
                fields = asked if post else {}
                continue
            raise refusal(server, response, call, post=post)
    raise SourceError(f"redirects more than {_MOST_REDIRECTS} times; name the last address in prometheusURL")


def _head(server: Server, url: str, fields: Mapping[str, str], post: bool, call: Call) -> requests.Response:
    """The response's head.

    A server or load balancer closes a connection that was idle for long, perhaps just when we use it again: then
    another one is used, the last of them a new one. What is asked changes nothing there, so it may be asked twice.
    """
    while True:
        try:
            return server.send(url, fields, post=post, timeout_s=max(call.remaining_s, 0.001))
        except requests.RequestException as error:
            if call.overdue or not call.reuses or not was_closed(error):
                raise


def _redirect(server: Server, response: requests.Response, url: str) -> str:
    """Where the response leads, if we follow: the credentials are for this host only."""
    try:
        to = urljoin(url, response.headers.get("Location", ""))
        old, new = urlsplit(url), urlsplit(to)
        same = old.hostname == new.hostname and (old.scheme, new.scheme) != ("https", "http")
        same = same and new.scheme in ("http", "https")
    except ValueError:
        to, same = "", False
    if server.config.follow_redirects and same:
        return urlunsplit((new.scheme, new.netloc.rpartition("@")[2], new.path, new.query, ""))
    status = f"HTTP {response.status_code} {one_line(response.reason or '', 40)}".rstrip()
    remedy = "name it in prometheusURL"
    if same:
        remedy += ", or set follow_redirects: true in http_config"
    raise SourceError(f"{status} redirects to {without_credentials(to)}; if that is the server, {remedy}")
