"""What may stand in ``http_config`` and ``servers``.

Two things differ from the rest of the file. A secret may stand anywhere by mistake, so no message
quotes a value. And an unknown key is an error, as in Prometheus: a setting of security that is
misspelt must not be left out in silence.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from vistio_core.configuration.http_config import (
    Authorization,
    BasicAuth,
    HttpConfig,
    HttpHeader,
    ServerSettings,
    TlsConfig,
    address,
)
from vistio_core.configuration.keys import LEGACY, SHAPES, nearest
from vistio_core.configuration.values import RefusedError, read_text, read_url, refused
from vistio_core.configuration.yaml_lines import Items, Scalar, join
from vistio_core.errors import Problem
from vistio_core.url_secrets import HIDDEN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from vistio_core.configuration.places import Placed

STRICT = frozenset({ServerSettings, HttpConfig, BasicAuth, Authorization, TlsConfig, HttpHeader})
"""The shapes in which unknown keys are errors, and what may be a secret is not quoted."""

_BY_PROXY = "put a proxy that does it (such as oauth2-proxy) in front and name its address as prometheusURL"
_REF = "Prometheus' secret providers are not known here; give the secret as a file, at"
_UNSUPPORTED: Mapping[tuple[type, str], str] = MappingProxyType(
    {
        (HttpConfig, "oauth2"): f"OAuth 2 is not spoken; {_BY_PROXY},"
        " or let another program renew a token in a file and name it in authorization: {credentials_file: ...}",
        (HttpConfig, "sigv4"): "AWS Signature 4 is not spoken; put a proxy that signs (such as"
        " aws-sigv4-proxy) in front and name its address as prometheusURL",
        (HttpConfig, "azuread"): f"Azure's log-in is not spoken; {_BY_PROXY}",
        (HttpConfig, "google_iam"): f"Google's log-in is not spoken; {_BY_PROXY}",
        (HttpConfig, "bearer_token"): "write authorization: {credentials: ...}",
        (HttpConfig, "bearer_token_file"): "write authorization: {credentials_file: ...}",
        (BasicAuth, "username_ref"): f"{_REF} username_file",
        (BasicAuth, "password_ref"): f"{_REF} password_file",
        (Authorization, "credentials_ref"): f"{_REF} credentials_file",
        (TlsConfig, "ca_ref"): f"{_REF} ca_file",
        (TlsConfig, "cert_ref"): f"{_REF} cert_file",
        (TlsConfig, "key_ref"): f"{_REF} key_file",
    }
)
"""Keys of Prometheus' ``http_config`` that we cannot follow."""

# Those that Prometheus reserves, and those that we set ourselves.
_RESERVED_HEADERS = frozenset(
    (
        *("accept", "accept-encoding", "authorization", "connection", "content-encoding", "content-length"),
        *("content-type", "cookie", "host", "keep-alive", "proxy-authenticate", "proxy-authorization"),
        *("transfer-encoding", "user-agent", "www-authenticate"),
        *("x-amz-content-sha256", "x-amz-date", "x-amz-security-token"),
    )
)
_HEADER_NAME = re.compile(r"[-!#$%&'*+.^_`|~0-9A-Za-z]+")


def unknown_keys(placed: Placed, shape: type) -> Iterator[Problem]:
    """The problems that are unknown keys of a strict shape."""
    for key, line in placed.ignored:
        if (shape, key) in LEGACY:
            continue
        if (shape, key) in _UNSUPPORTED:
            message = _UNSUPPORTED[shape, key]
        elif (meant := nearest(key, SHAPES[shape])) is not None:
            message = f"unknown key; did you mean {meant}?"
        else:
            message = f"unknown key; known here are {', '.join(SHAPES[shape])}"
        yield Problem(join(placed.path, key), message, line)


def contradictions(placed: Placed, shape: type) -> Iterator[Problem]:
    """The problems of keys that exclude or need each other."""
    for message in _CHECKS[shape](placed) if shape in _CHECKS else ():
        yield Problem(placed.path, message, placed.line)


def describe_hidden(placed: Placed) -> str:
    """What was found, without a word of it."""
    if isinstance(placed.content, Scalar):
        return "found nothing" if placed.content.is_null else "found a text"
    return "found a list" if isinstance(placed.content, list | Items) else "found a mapping"


def _given(placed: Placed, *keys: str) -> list[str]:
    """Those of ``keys`` that say something: an empty text says nothing, as in Prometheus."""
    return [key for key in keys if key in placed.table and _says_something(placed.table[key])]


def _says_something(placed: Placed) -> bool:
    return bool(placed.text) or not isinstance(placed.content, Scalar)


def _at_most_one(placed: Placed, *keys: str) -> Iterator[str]:
    given = _given(placed, *keys)
    if len(given) > 1:
        yield f"found {' and '.join(given)}; keep one of them"


def _check_basic_auth(placed: Placed) -> Iterator[str]:
    yield from _at_most_one(placed, "username", "username_file")
    yield from _at_most_one(placed, "password", "password_file", "password_env")
    if not _given(placed, "username", "username_file"):
        yield "has no user; add username: or username_file:"


def _check_authorization(placed: Placed) -> Iterator[str]:
    ways = ("credentials", "credentials_file", "credentials_env")
    yield from _at_most_one(placed, *ways)
    if not _given(placed, *ways):
        yield f"has no credentials; add one of {', '.join(ways)}"


def _check_tls(placed: Placed) -> Iterator[str]:
    for one in ("ca", "cert", "key"):
        yield from _at_most_one(placed, one, f"{one}_file")
    cert, key = _given(placed, "cert", "cert_file"), _given(placed, "key", "key_file")
    if cert and not key:
        yield f"found {cert[0]} without its key; add key_file: (PEM)"
    if key and not cert:
        yield f"found {key[0]} without its certificate; add cert_file: (PEM)"
    minimum, maximum = (_text(placed, key) for key in ("min_version", "max_version"))
    if minimum and maximum and minimum > maximum:
        yield f"min_version {minimum} is above max_version {maximum}; remove one of them"


def _check_http_config(placed: Placed) -> Iterator[str]:
    yield from _at_most_one(placed, "basic_auth", "authorization")
    yield from _at_most_one(placed, "authorization", "oauth2")
    environment = (
        "proxy_from_environment" in placed.table
        and placed.table["proxy_from_environment"].text.casefold() in _TRUE
    )
    if environment:
        for key in _given(placed, "proxy_url", "no_proxy"):
            yield f"found proxy_from_environment and {key}; keep one of them"
    elif not _given(placed, "proxy_url"):
        for key in _given(placed, "no_proxy", "proxy_connect_header"):
            yield f"found {key} without a proxy; add proxy_url: http://HOST:PORT, or remove {key}"


def _check_header(placed: Placed) -> Iterator[str]:
    name = _text(placed, "header")
    if not _HEADER_NAME.fullmatch(name):
        yield "is no name of a header; use letters, digits and hyphens, such as X-Scope-OrgID"
    if name.casefold() in ("authorization", "proxy-authorization"):
        instead = "proxy_url" if name.casefold().startswith("proxy") else "basic_auth or authorization"
        yield f"is set from {instead}; write it there"
    elif name.casefold() in _RESERVED_HEADERS:
        yield "is set by vistio itself; remove it"
    if not _given(placed, "values", "secrets", "files", "env"):
        yield "has no value; add values: [...], secrets: [...], files: [...] or env: NAME"


_CHECKS: Mapping[type, Callable[[Placed], Iterator[str]]] = {
    BasicAuth: _check_basic_auth,
    Authorization: _check_authorization,
    TlsConfig: _check_tls,
    HttpConfig: _check_http_config,
    HttpHeader: _check_header,
}


def _text(placed: Placed, key: str) -> str:
    return placed.table[key].text if key in placed.table else ""


def duplicate_servers(servers: Placed) -> list[Problem]:
    """The problems of servers that are in the list twice."""
    lines: dict[str, int] = {}
    problems = []
    for server in servers.items:
        url = server.table.get("url")
        if url is None or not url.text:
            continue
        try:
            where = address(url.text)
        except ValueError:
            continue  # no URL at all; told by its reader
        # Of what was recorded, servers that differed by their secrets only are the same.
        if where in lines and HIDDEN not in where:
            message = f"this server is named again, first in line {lines[where]}; make one entry of them"
            problems.append(Problem(url.path, message, url.line))
        lines.setdefault(where, url.line)
    return problems


# Readers of single values


def read_hidden_text(placed: Placed) -> str:
    """Any text, never quoted in an error."""
    if not isinstance(placed.content, Scalar) or placed.content.is_null:
        raise refused(placed, f"{describe_hidden(placed)}; write one text")
    return placed.content.text


def read_hidden_texts(placed: Placed) -> tuple[str, ...]:
    """A list of texts."""
    if not isinstance(placed.content, list):
        raise refused(placed, f"{describe_hidden(placed)}; write a list, such as [one, two]")
    return tuple(read_hidden_text(item) for item in placed.content)


def read_connect_header(placed: Placed) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Names of headers with lists of values."""
    if not isinstance(placed.content, dict):
        raise refused(placed, f"{describe_hidden(placed)}; write a mapping, such as {{Proxy-Token: [...]}}")
    for name, values in placed.content.items():
        if not _HEADER_NAME.fullmatch(name):
            raise refused(values, "is no name of a header; use letters, digits and hyphens")
    return tuple((name, read_hidden_texts(values)) for name, values in placed.content.items())


# As Go's yaml.v2 reads them.
_TRUE = ("true", "yes", "on", "y")
_FALSE = ("false", "no", "off", "n")


def read_flag(placed: Placed) -> bool:
    """``true`` or ``false``."""
    content = placed.content
    word = content.text.casefold() if isinstance(content, Scalar) and not content.is_quoted else ""
    if word not in _TRUE + _FALSE:
        raise refused(placed, f"{describe_hidden(placed)}; write true or false, without quotes")
    return word in _TRUE


def read_environment_name(placed: Placed) -> str:
    """The name of an environment variable."""
    text = read_hidden_text(placed)
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", text) is None:
        raise refused(placed, "no name of an environment variable; write the name only, such as VISTIO_TOKEN")
    return text


def read_authorization_type(placed: Placed) -> str:
    """The first word of the header; ``Bearer`` where the text is empty, as in Prometheus."""
    text = read_hidden_text(placed).strip() or "Bearer"
    if text.casefold() == "basic":
        raise refused(
            placed, "Basic has a key of its own; write basic_auth: {username: ..., password_file: ...}"
        )
    if _HEADER_NAME.fullmatch(text) is None:
        raise refused(placed, "write one word, such as Bearer; what follows it stands at credentials_file")
    return text


def read_tls_version(placed: Placed) -> str:
    """``TLS12`` or ``TLS13``; older ones are broken, and OpenSSL has them switched off."""
    text = read_hidden_text(placed)
    if text not in ("TLS12", "TLS13", ""):
        raise refused(placed, "no version of TLS that is spoken here; allowed are TLS12 and TLS13")
    return text


def read_method(placed: Placed) -> str:
    """``POST`` or ``GET``."""
    text = read_text(placed).upper()
    if text not in ("POST", "GET"):
        raise refused(placed, f"found {text[:20]!r}; allowed are POST and GET")
    return text


def read_server_url(placed: Placed) -> str:
    """The address of a server; credentials belong into its ``http_config``."""
    url = read_url(placed)
    if "@" in urlsplit(url).netloc:
        raise refused(placed, "has credentials; write them as http_config: {basic_auth: ...}")
    return url


def read_proxy_url(placed: Placed) -> str:
    """The address of an HTTP proxy; may have credentials."""
    text = read_hidden_text(placed)
    if not text:
        return ""
    example = "write the address of a proxy, such as http://proxy.example:3128"
    if text.casefold().startswith("socks"):
        raise refused(placed, f"SOCKS is not spoken; {example}")
    if "://" not in text:
        raise refused(placed, f"has no http:// before its host; {example}")
    try:
        read_url(placed)
    except RefusedError as error:
        raise refused(placed, f"no address of a proxy; {example}") from error
    return text


READERS: Mapping[tuple[type, str], Callable[[Placed], object]] = {
    (ServerSettings, "url"): read_server_url,
    (ServerSettings, "method"): read_method,
    (HttpConfig, "proxy_url"): read_proxy_url,
    (HttpConfig, "no_proxy"): read_hidden_text,
    (HttpConfig, "proxy_from_environment"): read_flag,
    (HttpConfig, "proxy_connect_header"): read_connect_header,
    (HttpConfig, "follow_redirects"): read_flag,
    (BasicAuth, "password_env"): read_environment_name,
    (Authorization, "type"): read_authorization_type,
    (Authorization, "credentials_env"): read_environment_name,
    (TlsConfig, "insecure_skip_verify"): read_flag,
    (TlsConfig, "min_version"): read_tls_version,
    (TlsConfig, "max_version"): read_tls_version,
    (HttpHeader, "values"): read_hidden_texts,
    (HttpHeader, "secrets"): read_hidden_texts,
    (HttpHeader, "files"): read_hidden_texts,
    (HttpHeader, "env"): read_environment_name,
}
"""What reads the value at a key; any other one of a strict shape is read by `read_hidden_text`."""
