"""A Prometheus-compatible server: where it is, who we are to it, and the connections to it.

Each server has connections of its own, since certificates and proxies differ. `http_api` asks
questions by `Server.send`, and explains what goes wrong.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Mapping
from urllib.parse import unquote, urlencode, urlsplit, urlunsplit

import requests
from requests.utils import get_environ_proxies, select_proxy, should_bypass_proxies

from vistio_core.configuration.http_config import HttpConfig, ServerSettings
from vistio_core.configuration.model import Configuration
from vistio_core.errors import SourceError, UsageError
from vistio_core.url_secrets import HIDDEN, redact, redact_server, secrets_of
from vistio_record.sources.abortable import AbortableAdapter
from vistio_record.sources.credentials import Credentials
from vistio_record.sources.tls import Contexts, Tls

log = logging.getLogger(__name__)

# gzip only: it is the one whose unpacked size is bounded.
_HEADERS = {"Accept-Encoding": b"gzip", "Accept": b"application/json", "User-Agent": b"vistio-record"}


class Server:
    """One server. Safe to share between threads; a server equals itself only."""

    def __init__(self, url: str, settings: ServerSettings | None = None, *, connections: int = 1) -> None:
        """Opens nothing and reads nothing yet.

        Args:
            url: a rule's ``prometheusURL``; ``user:password@`` in it is basic authentication.
            settings: how it is asked; None: nothing special.
            connections: how many are kept open between two scrapes.

        Raises:
            UsageError: not an http or https URL with a host.
        """
        try:
            parts = urlsplit(url.strip())
            place = host_and_port(parts.hostname, parts.port)
        except ValueError:
            parts, place = urlsplit(""), ""
        if parts.scheme not in ("http", "https") or not place:
            raise UsageError(
                "a prometheusURL is not an address; use http://HOST:PORT or https://HOST:PORT,"
                " with the path prefix that the server has, if any"
            )
        self.base_url = urlunsplit((parts.scheme, place, parts.path.rstrip("/"), "", ""))
        """Without credentials, without a slash at its end."""
        self.shown = redact_server(self.base_url)
        """The same for people: a path may have a secret, too."""
        self.query_string = parts.query
        """What the URL had after ``?``: some proxies want a parameter there."""
        self.config = (settings and settings.http_config) or HttpConfig()
        self.method = settings.method if settings else ""
        """``POST`` or ``GET``, when the configuration says so."""
        user = None if parts.username is None else unquote(parts.username)
        self._credentials = Credentials(self.base_url, self.config, user, unquote(parts.password or ""))
        self._secrets = secrets_of(url)
        # Once: an environment does not change, and requests writes to it to find out.
        self._proxy_url = _find_proxy(self.base_url, self.config)
        self._tls = Tls(self.config.tls_config, self.config.directory)
        self._connections = max(connections, 1)
        self._lock = threading.Lock()
        self._adapter: tuple[Contexts | None, AbortableAdapter] | None = None
        self._get_instead = False
        if self.config.tls_config.insecure_skip_verify and self._speaks_tls:
            log.warning(
                "server.unverified",
                extra={
                    "server": self.shown,
                    "remedy": "name its CA in tls_config: {ca_file: ...} instead of insecure_skip_verify",
                },
            )

    @classmethod
    def from_url(cls, url: str) -> Server:
        """The server that ``url`` leads to, without settings of its own."""
        return cls(url)

    def __repr__(self) -> str:
        return f"Server({self.shown!r})"

    @property
    def authentication(self) -> str:
        """Who we are to it, in a few words and without secrets; empty: nobody."""
        kinds = [self._credentials.kind]
        if self._speaks_tls and (self.config.tls_config.cert or self.config.tls_config.cert_file):
            file = self.config.tls_config.cert_file
            kinds.append(f"client certificate{f' ({file})' if file else ''}")
        return " and ".join(filter(None, kinds))

    @property
    def manner(self) -> list[str]:
        """How it is asked, in a few words for each thing that is not as usual, without secrets."""
        config, tls = self.config, self.config.tls_config
        words = [self.authentication or "no authentication"]
        if self._speaks_tls and tls.insecure_skip_verify:
            words.append("ITS CERTIFICATE IS NOT VERIFIED")
        elif self._speaks_tls and (tls.ca or tls.ca_file):
            words.append(f"trusting {tls.ca_file or 'the CA of the configuration'}")
        if self._speaks_tls and tls.server_name:
            words.append(f"certificate for {tls.server_name}")
        if config.http_headers:
            words.append(f"headers {', '.join(header.header for header in config.http_headers)}")
        if self.proxy:
            words.append(f"through the proxy {self.proxy}")
        if self.method == "GET" or self._get_instead:
            words.append("by GET")
        return words

    @property
    def proxy(self) -> str:
        """The address of the proxy on the way, without secrets; empty: there is none."""
        return _without_userinfo(self._proxy_url)

    @property
    def posts(self) -> bool:
        """Whether the next question goes by POST."""
        return self.method != "GET" and not self._get_instead

    def use_get(self) -> None:
        """POST was refused, GET was answered: ask so from now on."""
        self._get_instead = True

    def redact(self, text: str) -> str:
        """``text`` without this server's secrets, should it have echoed them."""
        text = self._credentials.redact(text)
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        return redact(text)

    def prepare(self) -> None:
        """Reads all that a request needs.

        Raises:
            SourceError: a file or variable cannot be read, or is not what it should be; names it.
        """
        self._credentials.headers()
        self._connected()

    def url(self, path: str) -> str:
        """The address of an endpoint, such as ``/api/v1/query``."""
        return self.base_url + path + (f"?{self.query_string}" if self.query_string else "")

    def send(self, url: str, fields: Mapping[str, str], *, post: bool, timeout_s: float) -> requests.Response:
        """The response's head; its body is still to be read, and closed.

        Args:
            url: from `url`, or where a redirect leads.
            fields: the question.
            post: whether the fields go as a form, so that they may be long, or in the address.
            timeout_s: the longest silence.

        Raises:
            SourceError: as `prepare`.
            requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError: it did not work.
        """
        headers = _HEADERS | self._credentials.headers()
        adapter = self._connected()
        if not post and fields:
            url = f"{url}{'&' if urlsplit(url).query else '?'}{urlencode(fields)}"
        request = requests.Request("POST" if post else "GET", url, headers, data=fields if post else None)
        # Not by a session: that would follow redirects, keep cookies, and change what is
        # authenticated by what it finds in the environment.
        return adapter.send(
            request.prepare(),
            stream=True,
            timeout=(timeout_s, timeout_s),
            proxies={urlsplit(url).scheme: self._proxy_url} if self._proxy_url else {},
        )

    def close(self) -> None:
        """Let go of idle connections."""
        with self._lock:
            adapter, self._adapter = self._adapter, None
        if adapter is not None:
            adapter[1].close()

    @property
    def _speaks_tls(self) -> bool:
        return self.base_url.startswith("https:") or self._proxy_url.startswith("https:")

    def _connect_headers(self) -> dict[str, str]:
        # A proxy would pass them on with a request that it can read.
        if not self.base_url.startswith("https:"):
            return {}
        return {name: ", ".join(values) for name, values in self.config.proxy_connect_header}

    def _connected(self) -> AbortableAdapter:
        """What sends; a new one when the certificates are new ones."""
        contexts = self._tls.contexts() if self._speaks_tls or self.config.follow_redirects else None
        with self._lock:
            if self._adapter is None or self._adapter[0] is not contexts:
                # The old one is let go of, not closed: other threads may be about to send by it.
                adapter = AbortableAdapter(
                    self._connections,
                    contexts=contexts,
                    server_name=self.config.tls_config.server_name,
                    connect_headers=self._connect_headers(),
                )
                self._adapter = contexts, adapter
            return self._adapter[1]


def _find_proxy(url: str, config: HttpConfig) -> str:
    """The URL of the proxy on the way to ``url``; empty: there is none."""
    if config.proxy_url:
        # "-": no host, so that the environment's NO_PROXY does not take its place.
        return "" if should_bypass_proxies(url, config.no_proxy or "-") else config.proxy_url
    if config.proxy_from_environment is False:
        return ""
    found = select_proxy(url, get_environ_proxies(url)) or ""
    return found if not found or "://" in found else f"http://{found}"


def host_and_port(host: str | None, port: int | None) -> str:
    """The part of a URL between scheme and path, without credentials."""
    name = f"[{host}]" if host and ":" in host else host or ""
    return name if port is None else f"{name}:{port}"


def _without_userinfo(url: str) -> str:
    parts = urlsplit(url)
    return redact_server(urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", "")))


def make_servers(configuration: Configuration) -> dict[str, Server]:
    """The server of each ``prometheusURL``, ready to be asked.

    Raises:
        UsageError: an address is none, or what a server needs cannot be read; says all of it.
    """
    rules = Counter(rule.prometheus_url for _, rule in configuration.rules())
    servers: dict[str, Server] = {}
    problems: dict[str, None] = {}  # in order, each once
    for cluster, rule in configuration.rules():
        url = rule.prometheus_url
        if url in servers:
            continue
        try:
            server = Server(url, configuration.server_settings(url), connections=rules[url] + 1)
        except UsageError as error:
            raise UsageError(f"{cluster or 'global level'}, rule {rule.id!r}: {error}") from error
        servers[url] = server
        try:
            server.prepare()
        except SourceError as error:
            problems[f"{server.shown}: {error}"] = None
    if problems:
        raise UsageError("\n".join(problems))
    return servers
