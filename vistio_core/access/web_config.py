"""The web configuration: Prometheus' own file (``--web.config.file``), and what it has no words for.

    tls_server_config: {cert_file: server.pem, key_file: server-key.pem}     as Prometheus has them
    basic_auth_users: {alice: $2y$10$...}
    user_scopes: {alice: [read, annotate]}                                   ours, from here on
    tokens: [{name: ci, token_file: ci.token, scopes: [annotate]}]
    anonymous_scopes: [metrics]
    trusted_origins: [https://vistio.example.com]

Pure: a text becomes values, with every error at once. Secrets are not opened here, and no message quotes one.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import attrs

from vistio_core.configuration.yaml_lines import Items, Located, Scalar, Table, join, read_yaml
from vistio_core.errors import ConfigurationError, Problem

READ, METRICS, ANNOTATE, RELOAD = "read", "metrics", "annotate", "reload"
SCOPES = (READ, METRICS, ANNOTATE, RELOAD)
"""Everything that is read; of that only /metrics; to make, edit and remove annotations; to have a file read again."""
OPEN = frozenset({READ, METRICS, RELOAD})
"""What anybody may do where no credentials are configured. Annotating always needs some."""

_KEYS = (
    *("tls_server_config", "basic_auth_users", "user_scopes", "tokens", "anonymous_scopes"),
    "trusted_origins",
)
_TLS_KEYS = ("cert_file", "key_file", "client_auth_type", "client_ca_file", "min_version")
_TOKEN_KEYS = ("name", "token_file", "scopes", "user_header")
_VERSIONS = ("TLS12", "TLS13")
_CLIENTS = ("NoClientCert", "RequireAndVerifyClientCert")
# $2y$ is htpasswd's name for what everybody else calls $2b$. More than 2^16 rounds would hold a core for seconds.
_BCRYPT = re.compile(r"\$2[aby]\$(0[4-9]|1[0-6])\$[./A-Za-z0-9]{53}")
_NAME = re.compile(r"[\w.@-]{1,64}")
_HEADER = re.compile(r"[A-Za-z0-9-]{1,64}")
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(:\d{1,5})?|https?://\[[0-9a-fA-F:]+\](:\d{1,5})?")


@attrs.frozen
class TlsServer:
    """What a port speaks TLS with; files are absolute, or relative to the working directory."""

    cert_file: Path
    key_file: Path
    client_ca_file: Path | None = None
    """Clients must show a certificate of this CA; None: none is asked for."""
    min_version: str = "TLS12"

    @property
    def files(self) -> tuple[Path, ...]:
        return tuple(file for file in (self.cert_file, self.key_file, self.client_ca_file) if file)


@attrs.frozen
class TokenEntry:
    """A bearer token: where it is, and what it is good for."""

    name: str
    token_file: Path
    scopes: frozenset[str]
    user_header: str = ""
    """The request header in which a proxy, whose token this is, says for whom it asks; empty: none."""


@attrs.frozen
class WebConfig:
    """What a web configuration says."""

    tls: TlsServer | None = None
    users: Mapping[str, bytes] = attrs.field(factory=dict, repr=lambda users: repr(sorted(users)))
    """bcrypt hashes by name."""
    user_scopes: Mapping[str, frozenset[str]] = attrs.field(factory=dict)
    """What each of ``users`` may do."""
    tokens: tuple[TokenEntry, ...] = ()
    anonymous_scopes: frozenset[str] = OPEN
    trusted_origins: tuple[str, ...] = ()
    """Origins, beside the server's own, from whose pages something may be changed."""


def parse_web_config(text: str, file: str, directory: Path) -> WebConfig:
    """The values of a web configuration.

    Args:
        text: what is in the file.
        file: its name, for messages.
        directory: what the files that it names are relative to.

    Raises:
        ConfigurationError: with everything that is wrong.
    """
    document = read_yaml(text)
    problems = list(document.problems)
    if document.root is None and not problems:
        # Also for a moment while somebody writes over it in place: that must not open the port.
        problems.append(Problem("", f"says nothing; use {', '.join(_KEYS)}, or leave the option out"))
    reader = _Gathering(problems, directory)
    found = None if document.root is None else reader.web_config(document.root)
    if found is None or problems:
        raise ConfigurationError(file, tuple(problems))
    return found


class _Gathering:
    """Gathers problems on the way; what is wrong reads as if it were not there."""

    def __init__(self, problems: list[Problem], directory: Path) -> None:
        self._problems = problems
        self._directory = directory

    def web_config(self, root: Located) -> WebConfig | None:
        table = self._table(root, "", _KEYS)
        if table is None:
            return None
        users = dict(self._users(table.get("basic_auth_users")))
        tokens = tuple(self._tokens(table.get("tokens")))
        self._refuse_twice([token.name for token in tokens] + list(users))
        given = dict(self._user_scopes(table.get("user_scopes"), users))
        anonymous = frozenset() if users or tokens else OPEN
        if "anonymous_scopes" in table:
            anonymous = self._scopes(table["anonymous_scopes"], "anonymous_scopes")
        return WebConfig(
            self._tls(table.get("tls_server_config")),
            MappingProxyType(users),
            MappingProxyType({name: given.get(name, frozenset({READ})) for name in users}),
            tokens,
            anonymous,
            tuple(self._origins(table.get("trusted_origins"))),
        )

    def _tls(self, value: Located | None) -> TlsServer | None:
        path = "tls_server_config"
        table = None if value is None else self._table(value, path, _TLS_KEYS)
        if table is None or value is None:
            return None
        files = {
            name: self._directory / text
            for name in ("cert_file", "key_file", "client_ca_file")
            if name in table and (text := self._text(table[name], join(path, name)))
        }
        for name in ("cert_file", "key_file"):
            if name not in table:
                self._refuse(join(path, name), f"is missing; add {name}: with a file in PEM", value)
        asks = self._one_of(table.get("client_auth_type"), join(path, "client_auth_type"), _CLIENTS)
        version = self._one_of(table.get("min_version"), join(path, "min_version"), _VERSIONS)
        if (asks == _CLIENTS[1]) != ("client_ca_file" in table):
            message = "client_auth_type: RequireAndVerifyClientCert and client_ca_file need each other"
            self._refuse(path, message, value)
        if "cert_file" not in files or "key_file" not in files:
            return None
        return TlsServer(files["cert_file"], files["key_file"], files.get("client_ca_file"), version)

    def _users(self, value: Located | None) -> Iterator[tuple[str, bytes]]:
        for name, given in self._entries(value, "basic_auth_users"):
            path = join("basic_auth_users", name)
            if not _NAME.fullmatch(name):
                self._refuse(path, "a name has up to 64 letters, digits and . _ @ -", given)
            elif not isinstance(given, Scalar) or not _BCRYPT.fullmatch(given.text):
                message = "is no bcrypt hash of cost 4 to 16; make one with `htpasswd -nBC 10 NAME`"
                self._refuse(path, message, given)
            else:
                yield name, given.text.encode()

    def _user_scopes(
        self, value: Located | None, users: Collection[str]
    ) -> Iterator[tuple[str, frozenset[str]]]:
        for name, given in self._entries(value, "user_scopes"):
            path = join("user_scopes", name)
            if name not in users:
                self._refuse(path, "is none of basic_auth_users; correct one of the two", given)
            yield name, self._scopes(given, path)

    def _tokens(self, value: Located | None) -> Iterator[TokenEntry]:
        for place, given in enumerate(self._items(value, "tokens")):
            path = f"tokens[{place}]"
            table = self._table(given, path, _TOKEN_KEYS)
            if table is None:
                continue
            texts = {
                key: self._text(table[key], join(path, key))
                for key in ("name", "token_file", "user_header")
                if key in table
            }
            name, file, header = (texts.get(key) or "" for key in ("name", "token_file", "user_header"))
            if not _NAME.fullmatch(name):
                self._refuse(join(path, "name"), "give it 1 to 64 letters, digits and . _ @ -", given)
            if not file:
                self._refuse(join(path, "token_file"), "is missing; name the file that holds it", given)
            if header and not _HEADER.fullmatch(header):
                self._refuse(join(path, "user_header"), "is no header such as X-Forwarded-Email", given)
            scopes = frozenset({READ})
            if "scopes" in table:
                scopes = self._scopes(table["scopes"], join(path, "scopes"))
            yield TokenEntry(name, self._directory / file, scopes, header)

    def _origins(self, value: Located | None) -> Iterator[str]:
        for place, given in enumerate(self._items(value, "trusted_origins")):
            text = self._text(given, f"trusted_origins[{place}]") or ""
            if not _ORIGIN.fullmatch(text):
                message = "is no origin such as https://vistio.example.com, without a path"
                self._refuse(f"trusted_origins[{place}]", message, given)
            yield text.lower()

    def _scopes(self, value: Located, path: str) -> frozenset[str]:
        found = [self._one_of(item, path, SCOPES) for item in self._items(value, path)]
        return frozenset(found)

    def _refuse_twice(self, names: list[str]) -> None:
        for name in sorted({name for name in names if names.count(name) > 1}):
            message = f"{name} is the name of two; the log would not tell them apart"
            self._problems.append(Problem("", message))

    def _table(self, value: Located, path: str, keys: Collection[str]) -> dict[str, Located] | None:
        if not isinstance(value, Table):
            self._refuse(path, f"is no mapping; write one with {', '.join(keys)}", value)
            return None
        for key in value.entries.keys() - set(keys):
            line = value.key_lines[key]
            message = f"is not known here; allowed: {', '.join(keys)}"
            self._problems.append(Problem(join(path, key[:64]), message, line))
        return {key: given for key, given in value.entries.items() if key in keys}

    def _entries(self, value: Located | None, path: str) -> Iterator[tuple[str, Located]]:
        if isinstance(value, Table):
            yield from value.entries.items()
        elif value is not None:
            self._refuse(path, "is no mapping; write NAME: VALUE, each in a line", value)

    def _items(self, value: Located | None, path: str) -> tuple[Located, ...]:
        if isinstance(value, Items):
            return value.values
        if value is not None:
            self._refuse(path, "is no list; write [one, other], or lines that begin with -", value)
        return ()

    def _text(self, value: Located, path: str) -> str | None:
        if isinstance(value, Scalar) and value.text and not value.is_null:
            return value.text
        self._refuse(path, "is no text; give it one", value)
        return None

    def _one_of(self, value: Located | None, path: str, allowed: Collection[str]) -> str:
        """The one that is there; the first where it is wrong, or not there."""
        if value is not None:
            if isinstance(value, Scalar) and value.text in allowed:
                return value.text
            self._refuse(path, f"is none of {', '.join(allowed)}; use one of them", value)
        return next(iter(allowed))

    def _refuse(self, path: str, message: str, at: Located) -> None:
        self._problems.append(Problem(path, message, at.line))
