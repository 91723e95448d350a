"""The web configuration in force: its file, and those that it names, read again and again.

As for the recorder's rules (``docs/decisions/0010-reload-by-reading.md``) nothing is watched: each second the files are
read, and a content that is another one, twice in a row, is in force. So half a file never counts.

What is wrong then opens nothing: until it is mended nobody gets in (`WebAccess.in_force` raises). TLS alone goes on
with the certificate that it has, for there is no way to tell a client better.
"""

from __future__ import annotations

import hashlib
import logging
import ssl
import threading
from collections.abc import Callable
from pathlib import Path

import attrs

from vistio_core.access.token_file import MAX_BYTES, token_in
from vistio_core.access.web_config import TlsServer, TokenEntry, WebConfig, parse_web_config
from vistio_core.errors import UsageError, VistioError
from vistio_core.native_paths import shown
from vistio_core.regular_files import open_regular

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
_VERSIONS = {"TLS12": ssl.TLSVersion.TLSv1_2, "TLS13": ssl.TLSVersion.TLSv1_3}

_LOCKED = "nobody gets in until it is mended"

Files = dict[Path, bytes | str]
"""What was found: the content, or why there is none."""


@attrs.frozen
class InForce:
    """A web configuration, and hashes of the tokens that it names: the tokens themselves are not kept."""

    config: WebConfig
    tokens: tuple[tuple[bytes, TokenEntry], ...] = attrs.field(default=(), repr=False)


class WebAccess:
    """Reads a web configuration, and keeps reading it; usable from many threads.

    Raises:
        ConfigurationError: in the constructor: the file is wrong.
        UsageError: likewise: a file that it names is.
    """

    def __init__(self, file: Path, *, wrong_is_locked: bool = False) -> None:
        """Reads it.

        Args:
            file: where it is.
            wrong_is_locked: what is wrong from the start is no error, but as it is when it comes later.
        """
        self._file = file
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._seen = self._tried = self._read()
        self._in_force: InForce | VistioError
        self.tls: TlsServer | None = None
        self.context: ssl.SSLContext | None = None
        """What new connections are made with; None: plain HTTP."""
        try:
            made = self._in_force = self._make(self._seen)
            if made.config.tls is not None:
                self.context = context_of(made.config.tls)
                self.tls = made.config.tls
        except VistioError as error:
            if not wrong_is_locked:
                raise
            self._in_force = error
            log.error("web_config.refused", extra={"problem": str(error), "next": _LOCKED})
        self._tls_files = self._of_tls(self._seen)
        self.on_certificate: Callable[[], None] = lambda: None
        """Called when `context` has become another one."""

    @property
    def in_force(self) -> InForce:
        """What holds now.

        Raises:
            VistioError: the file is wrong at the moment; nobody may do anything.
        """
        if isinstance(self._in_force, VistioError):
            raise self._in_force
        return self._in_force

    def watch(self) -> WebAccess:
        """Look at the files each `LOOK_EVERY_S`, in a thread, until `close`."""
        threading.Thread(target=self._watch, daemon=True, name="web config").start()
        return self

    def close(self) -> None:
        """End the thread at its next look."""
        self._ended.set()

    def look(self) -> None:
        """Put in force what is in the files, if it is another content than was tried, twice in a row."""
        with self._lock:
            before, self._seen = self._seen, self._read()
            if self._seen != before or self._seen == self._tried:
                return
            self._tried = self._seen
            try:
                made = self._make(self._seen)
            except VistioError as error:
                self._in_force = error
                log.error("web_config.refused", extra={"problem": str(error), "next": _LOCKED})
                return
            self._in_force = made
            log.info("web_config.reloaded", extra={"file": shown(self._file)})
            self._renew(made.config.tls)

    def _watch(self) -> None:
        while not self._ended.wait(LOOK_EVERY_S):
            self.look()

    def _renew(self, tls: TlsServer | None) -> None:
        if (tls is None) != (self.tls is None):
            log.error(
                "tls.kept", extra={"problem": "TLS was added or taken away", "next": "restart for that"}
            )
            return
        found = self._of_tls(self._seen)
        if tls is None or (tls == self.tls and found == self._tls_files):
            return
        try:
            self.context = context_of(tls)
        except UsageError as error:
            log.error("tls.kept", extra={"problem": str(error), "next": "the old certificate is shown"})
            return
        self.tls, self._tls_files = tls, found
        log.info("certificate.renewed", extra={"file": shown(tls.cert_file)})
        self.on_certificate()

    def _read(self) -> Files:
        """The configuration, and the files that it names, as far as it can be read."""
        found: Files = {self._file: _content(self._file)}
        try:
            config = self._parse(found)
        except VistioError:
            return found
        named = [token.token_file for token in config.tokens]
        named += () if config.tls is None else config.tls.files
        for file in named:
            content = _content(file)
            # Of certificates and keys only whether they are the same: OpenSSL reads them itself.
            is_token = any(token.token_file == file for token in config.tokens)
            found[file] = (
                content if is_token or isinstance(content, str) else hashlib.sha256(content).digest()
            )
        return found

    def _parse(self, found: Files) -> WebConfig:
        text = _there(self._file, found)
        try:
            return parse_web_config(text.decode(), shown(self._file), self._file.parent)
        except UnicodeDecodeError as error:
            raise UsageError(f"{shown(self._file)}: is not text; --web-config takes YAML") from error

    def _make(self, found: Files) -> InForce:
        config = self._parse(found)
        hashes = []
        for token in config.tokens:
            text = token_in(_there(token.token_file, found), token.token_file, f"token_file of {token.name}")
            hashes.append((token_hash(text), token))
        for file in () if config.tls is None else config.tls.files:
            _there(file, found)
        return InForce(config, tuple(hashes))

    def _of_tls(self, found: Files) -> Files:
        return {} if self.tls is None else {file: found.get(file, "") for file in self.tls.files}


def token_hash(token: str) -> bytes:
    """What is kept of a token, and compared."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def context_of(tls: TlsServer) -> ssl.SSLContext:
    """What a server makes TLS connections with.

    Raises:
        UsageError: a file is not what it should be; names it.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = _VERSIONS[tls.min_version]

    def refuse() -> str:  # OpenSSL would ask at the terminal
        raise UsageError(f"{shown(tls.key_file)}: has a passphrase; give a key without one")

    try:
        context.load_cert_chain(tls.cert_file, tls.key_file, password=refuse)
    except OSError as error:  # ssl.SSLError is one
        pair = f"{shown(tls.cert_file)} and {shown(tls.key_file)}"
        if getattr(error, "reason", "") == "KEY_VALUES_MISMATCH":
            raise UsageError(f"{pair}: the key is not the certificate's") from error
        raise UsageError(f"{pair}: are not a certificate and its key in PEM") from error
    if tls.client_ca_file is not None:
        try:
            context.load_verify_locations(tls.client_ca_file)
        except OSError as error:
            raise UsageError(f"{shown(tls.client_ca_file)}: has no certificate in PEM") from error
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _content(file: Path) -> bytes | str:
    try:
        with open_regular(file) as stream:
            return stream.read(MAX_BYTES)
    except (OSError, ValueError) as error:
        return str(getattr(error, "strerror", None) or error)


def _there(file: Path, found: Files) -> bytes:
    content = found.get(file, "")
    if isinstance(content, str):
        raise UsageError(f"{shown(file)}: {content or 'is not there'}; it is named by --web-config")
    return content
