"""Why a server did not answer, in one line for its operator: what was found, and what would help.

Never the credentials: the texts of requests and urllib3 are not used, since they may hold a proxy's.
"""

from __future__ import annotations

import errno
import re
import socket
import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

import requests
from urllib3.exceptions import HTTPError

from vistio_core.errors import SourceError
from vistio_core.url_secrets import redact_server
from vistio_record.sources.abortable import Call
from vistio_record.sources.answer import decode, one_line
from vistio_record.sources.http_body import not_in_time, read_body
from vistio_record.sources.servers import Server, host_and_port

# What an error page may cost us: enough for Prometheus' own reasons.
_MAX_ERROR_BYTES = 64 * 2**10
_TUNNEL_REFUSED = re.compile(r"Tunnel connection failed: (\d{3}) ?(.*)")
# By OpenSSL's X509_V_ERR_...: self-signed (in the chain), no issuer found, host name, IP address.
_REMEDIES = dict.fromkeys((18, 19, 20, 21), "; name its CA in tls_config: {ca_file: ...}") | dict.fromkeys(
    (62, 64), "; name what it is for in tls_config: {server_name: ...}"
)


def late(server: Server, timeout_s: float) -> str:
    """What to say of a server that did not answer in time."""
    return f"{server.shown}: {not_in_time(timeout_s)}"


def refusal(server: Server, response: requests.Response, call: Call, *, post: bool) -> SourceError:
    """The error for a status other than 200, with Prometheus' own reason where it gives one."""
    status = f"HTTP {response.status_code} {one_line(response.reason or '', 40)}".rstrip()
    media = one_line(response.headers.get("Content-Type", "no content type").split(";")[0], 60)
    content = b""
    try:
        content = b"".join(read_body(response, call, _MAX_ERROR_BYTES))
        decode(content)
    except SourceError as error:
        if str(error).startswith("Prometheus answers"):
            return SourceError(f"{status}, {error}", kind=error.kind, answered=error.answered)
    except (requests.RequestException, HTTPError, OSError):
        pass  # the status is known, only its explanation is not
    if response.status_code in (401, 403):
        return SourceError(f"{status}: {_credentials_hint(server)}")
    if response.status_code == 407:
        return SourceError(f"{status}: {_PROXY_CREDENTIALS}")
    if response.status_code in (414, 431) and not post:
        return SourceError(f"{status}: too long for GET; shorten the query, or let the server accept POST")
    if response.status_code in (405, 501) and post:
        return SourceError(f"{status}: it wants no POST; remove method: POST from servers, or write GET")
    if response.status_code == 400 and b"HTTPS" in content and server.base_url.startswith("http:"):
        # As Go's servers (Prometheus is one) and nginx say it to who speaks plain HTTP to their TLS port.
        return SourceError(f"{status}: the server wants TLS; write https:// in prometheusURL")
    return SourceError(
        f"{status} with {media}; does prometheusURL lead to a Prometheus, with its path prefix?"
    )


_PROXY_CREDENTIALS = "the proxy wants credentials; write proxy_url: http://USER:PASSWORD@HOST:PORT"


def _credentials_hint(server: Server) -> str:
    if server.authentication:
        hint = f"credentials are not enough: asked with {server.authentication}"
        return f"{hint}; may that one read, and does the server want a header (http_headers) for the tenant?"
    return (
        "credentials are missing; give them in http_config, as basic_auth: {username: ..., password_file: ...}"
        " or authorization: {credentials_file: ...}"
    )


def failure(server: Server, error: BaseException, call: Call) -> SourceError:
    """The error for an exchange that did not take place."""
    chain = list(_chain(error))
    if call.overdue or isinstance(error, requests.Timeout) or any(isinstance(e, TimeoutError) for e in chain):
        return SourceError(late(server, call.timeout_s), kind="timeout")
    return SourceError(f"{server.shown}: {_reason(server, error, chain)}")


def was_closed(error: BaseException) -> bool:
    """Whether the other end closed the connection."""
    closed = ssl.SSLEOFError | ConnectionResetError | BrokenPipeError
    return any(isinstance(cause, closed) for cause in _chain(error))


def _reason(server: Server, error: BaseException, chain: list[BaseException]) -> str:
    proxied = isinstance(error, requests.exceptions.ProxyError)
    proxy = f"the proxy {server.proxy}: " if proxied else ""
    for cause in chain:
        if was_closed(cause):
            return proxy + _closed(server)
        if isinstance(cause, ssl.SSLError):
            return proxy + _tls_reason(server, cause)
        if isinstance(cause, socket.gaierror):
            host = urlsplit(server.proxy if proxied else server.base_url).hostname
            return f"{proxy}host name {host!r} cannot be resolved ({cause.strerror})"
        if isinstance(cause, ConnectionRefusedError):
            return f"{proxy}connection refused; is the server running, and this its port?"
        # Of the innermost error only: those around it repeat its text, and requests' are OSErrors too.
        if type(cause) is OSError and (refused := _TUNNEL_REFUSED.search(str(cause))) is not None:
            hint = _PROXY_CREDENTIALS if refused[1] == "407" else "may it lead to this server?"
            return f"{proxy}no tunnel, HTTP {refused[1]} {one_line(refused[2], 40)}: {hint}"
        if isinstance(cause, OSError) and cause.errno in errno.errorcode:
            return f"{proxy}{cause.strerror}"
    if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.InvalidSchema):
        return "not an address that can be asked; look at prometheusURL and the proxies of the environment"
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(chain[-1]).__name__).lower()
    return f"{proxy}the answer is not complete HTTP ({words})"


def _tls_reason(server: Server, error: ssl.SSLError) -> str:
    """Why there is no TLS, and what in ``tls_config`` would help."""
    if isinstance(error, ssl.SSLCertVerificationError):
        said = one_line(error.verify_message, 120)
        remedy = _REMEDIES.get(error.verify_code, "")
        return f"its certificate is not trusted ({said}){remedy}"
    name = error.reason or "no handshake"
    if "CERTIFICATE" in name or name == "TLSV1_ALERT_UNKNOWN_CA":
        return f"TLS: {_client_certificate_hint(server)} ({name})"
    if "PROTOCOL" in name:
        return f"TLS: {name}; no version in common, look at min_version and max_version in tls_config"
    return f"TLS: {one_line(name, 80)}; is it http, not https?"


def _closed(server: Server) -> str:
    text = "the connection was closed before the answer was complete"
    if not server.base_url.startswith("https:"):
        return text
    # In TLS 1.3 the server looks at our certificate after the handshake, when we have begun to ask. What
    # it says then is lost when its end of the connection is closed before ours has read it.
    return f"{text}; over TLS that may mean that {_client_certificate_hint(server)}"


def _client_certificate_hint(server: Server) -> str:
    if server.config.tls_config.cert or server.config.tls_config.cert_file:
        return "the server does not accept our client certificate"
    return "the server wants a client certificate, give tls_config: {cert_file: ..., key_file: ...}"


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


def without_credentials(url: str) -> str:
    """``url`` as it may be shown: no credentials, no parameters."""
    try:
        parts = urlsplit(url)
        place = host_and_port(parts.hostname, parts.port)
    except ValueError:
        return "somewhere"
    return one_line(redact_server(urlunsplit((parts.scheme, place, parts.path, "", ""))), 200) or "nowhere"
