"""Who asks: the headers that authenticate a request, and which words of them are secret."""

from __future__ import annotations

import threading
from base64 import b64encode

from requests.utils import get_netrc_auth

from vistio_core.configuration.http_config import Authorization, BasicAuth, HttpConfig, HttpHeader
from vistio_core.url_secrets import HIDDEN, is_token_user
from vistio_record.sources.secrets import in_header, read_text_file, read_variable


class Credentials:
    """What one server is told about who asks. Safe to share between threads."""

    def __init__(self, url: str, config: HttpConfig, user: str | None = None, password: str = "") -> None:
        """Reads nothing yet.

        Args:
            url: the server's.
            config: its settings.
            user: from the URL; then the config's own authentication is not used.
            password: from the URL.
        """
        self._url = url
        self._config = config
        self._user, self._password = user, password
        self._lock = threading.Lock()
        # By place; two of each, since an answer may repeat what was rotated since it was asked.
        self._secrets: dict[str, tuple[str, ...]] = {}

    def headers(self) -> dict[str, bytes]:
        """The headers for a request, with secrets as they are now.

        Raises:
            SourceError: a file or variable cannot be read; names it.
        """
        # Bytes: of text, requests would make Latin-1.
        found = {header.header: self._value(header).encode() for header in self._config.http_headers}
        if (authorization := self._authorization()) is not None:
            found["Authorization"] = authorization.encode()
        return found

    def redact(self, text: str) -> str:
        """``text`` without these secrets, should a server have echoed them."""
        with self._lock:
            secrets = {secret for values in self._secrets.values() for secret in values}
        for secret in sorted(secrets, key=len, reverse=True):  # one may be part of another
            text = text.replace(secret, HIDDEN)
        return text

    @property
    def kind(self) -> str:
        """How it is authenticated, in a few words; empty: not at all. Reads no secret."""
        config = self._config
        if self._user is not None:
            user = HIDDEN if is_token_user(self._user, self._password) else repr(self._user)
            return f"basic authentication as {user} (prometheusURL)"
        if config.basic_auth is not None:
            one = config.basic_auth
            user = repr(one.username) if one.username else f"the user in {one.username_file}"
            return f"basic authentication as {user}{_origin(one.password_file, one.password_env)}"
        if config.authorization is not None:
            other = config.authorization
            return f"{other.type} token{_origin(other.credentials_file, other.credentials_env)}"
        login = get_netrc_auth(self._url)
        return "" if login is None else f"basic authentication as {login[0]!r} (.netrc)"

    def _authorization(self) -> str | None:
        config = self._config
        if self._user is not None:
            return self._basic(self._user, self._password)
        if config.basic_auth is not None:
            return self._basic(*self._user_and_password(config.basic_auth))
        if config.authorization is not None:
            return f"{config.authorization.type} {self._token(config.authorization)}"
        if (login := get_netrc_auth(self._url)) is not None:
            return self._basic(*login)
        return None

    def _basic(self, user: str, password: str) -> str:
        encoded = b64encode(f"{user}:{password}".encode()).decode()
        self._remember("password", password)
        self._remember("basic", encoded)
        return f"Basic {encoded}"

    def _user_and_password(self, config: BasicAuth) -> tuple[str, str]:
        directory = self._config.directory
        user = config.username or read_text_file(directory, config.username_file, "basic_auth.username_file")
        if config.password_file:
            return user, read_text_file(directory, config.password_file, "basic_auth.password_file")
        if config.password_env:
            return user, read_variable(config.password_env, "basic_auth.password_env")
        return user, config.password

    def _token(self, config: Authorization) -> str:
        if config.credentials_file:
            directory = self._config.directory
            token = read_text_file(directory, config.credentials_file, "authorization.credentials_file")
        elif config.credentials_env:
            token = read_variable(config.credentials_env, "authorization.credentials_env")
        else:
            token = in_header(config.credentials.strip(), "authorization.credentials")
        return self._remember("token", token)

    def _value(self, header: HttpHeader) -> str:
        what = f"http_headers.{header.header}"
        values = [in_header(value, f"{what}.values") for value in header.values]
        for index, secret in enumerate(header.secrets):
            secret = in_header(secret.strip(), f"{what}.secrets")
            values.append(self._remember(f"{what}.secrets[{index}]", secret))
        for file in header.files:
            value = read_text_file(self._config.directory, file, f"{what}.files")
            values.append(self._remember(f"{what}.files {file}", value))
        if header.env:
            values.append(self._remember(f"{what}.env", read_variable(header.env, f"{what}.env")))
        return ", ".join(values)

    def _remember(self, place: str, secret: str) -> str:
        with self._lock:
            known = self._secrets.get(place, ())
            if secret and secret not in known:
                self._secrets[place] = (*known[-1:], secret)
        return secret


def _origin(file: str, variable: str) -> str:
    return f" ({file})" if file else f" (variable {variable})" if variable else ""
