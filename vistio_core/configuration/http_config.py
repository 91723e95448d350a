"""How servers are asked, as values: ``http_config`` in Prometheus' own shape, and ``servers``.

Nothing is opened or looked up here. A secret is either the text in the file or the name of where
it is; whoever asks a server reads it again at each request, so that it may rotate.
"""

from __future__ import annotations

from urllib.parse import urlsplit

import attrs

from vistio_core.url_secrets import redact_server


@attrs.frozen
class BasicAuth:
    """A user name and a password, of each at most one way to give it."""

    username: str = ""
    username_file: str = ""
    password: str = attrs.field(default="", repr=False)
    password_file: str = ""
    password_env: str = ""
    """Name of an environment variable; Prometheus does not have this one."""


@attrs.frozen
class Authorization:
    """The ``Authorization`` header: its type, and the credentials that follow."""

    type: str = "Bearer"
    credentials: str = attrs.field(default="", repr=False)
    credentials_file: str = ""
    credentials_env: str = ""
    """As ``BasicAuth.password_env``."""


@attrs.frozen
class TlsConfig:
    """Which server certificates are trusted, and which certificate is shown to the server.

    PEM, in the file itself (``ca``) or in one of its own (``ca_file``).
    """

    ca: str = ""
    ca_file: str = ""
    cert: str = ""
    cert_file: str = ""
    key: str = attrs.field(default="", repr=False)
    key_file: str = ""
    server_name: str = ""
    """The name that the server's certificate is for, when it is not the host of the URL."""
    insecure_skip_verify: bool = False
    min_version: str = ""
    """``TLS12`` or ``TLS13``; empty: what OpenSSL's own configuration says."""
    max_version: str = ""


@attrs.frozen
class HttpHeader:
    """A header that is sent along, such as the tenant's. Several values become one, with commas."""

    header: str
    """Its name."""
    values: tuple[str, ...] = attrs.field(default=(), repr=False)
    secrets: tuple[str, ...] = attrs.field(default=(), repr=False)
    files: tuple[str, ...] = ()
    env: str = ""
    """Name of an environment variable."""


@attrs.frozen
class HttpConfig:
    """How a server is asked. Defaults are Prometheus' own, but for the two that say so."""

    basic_auth: BasicAuth | None = None
    authorization: Authorization | None = None
    tls_config: TlsConfig = TlsConfig()
    proxy_url: str = attrs.field(default="", repr=lambda url: repr(redact_server(url)))
    no_proxy: str = ""
    proxy_from_environment: bool | None = None
    """None: yes, unless there is a ``proxy_url``. Prometheus: no."""
    proxy_connect_header: tuple[tuple[str, tuple[str, ...]], ...] = attrs.field(default=(), repr=False)
    """Names and values of headers for the proxy itself, when it makes a tunnel."""
    http_headers: tuple[HttpHeader, ...] = ()
    follow_redirects: bool = False
    """Within a host only, and with the same method. Prometheus: anywhere, by default."""
    directory: str = attrs.field(default="", eq=False, repr=False)
    """What relative names of files are relative to; empty: the working directory."""


@attrs.frozen
class ServerSettings:
    """A server with settings of its own."""

    url: str
    method: str = ""
    """``POST`` or ``GET``; empty: POST, and GET where that is refused."""
    http_config: HttpConfig | None = None
    """None: the configuration's."""


def address(url: str) -> str:
    """What two URLs of one server have in common: no credentials, no slash at the end."""
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2].casefold()
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.scheme.casefold()}://{place}{parts.path.rstrip('/')}{query}"
