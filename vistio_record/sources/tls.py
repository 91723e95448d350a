"""``tls_config`` as what OpenSSL needs; certificates and keys are read again for each request.

OpenSSL takes a certificate's key from a path only. What was read is what must be used, whatever
happens to the files meanwhile, so it is handed over in an anonymous file in memory.
"""

from __future__ import annotations

import os
import ssl
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from vistio_core.configuration.http_config import TlsConfig
from vistio_core.errors import SourceError
from vistio_core.regular_files import NotRegularError, require_regular
from vistio_record.sources.secrets import read_file

_VERSIONS = {"TLS12": ssl.TLSVersion.TLSv1_2, "TLS13": ssl.TLSVersion.TLSv1_3}


@attrs.frozen(eq=False)
class Contexts:
    """What connections are made with."""

    server: ssl.SSLContext
    proxy: ssl.SSLContext
    """For a proxy that is itself spoken to by TLS: trusts the same, and shows no certificate."""


class Tls:
    """The TLS settings of one server. Safe to share between threads."""

    def __init__(self, config: TlsConfig, directory: str) -> None:
        """Reads nothing yet; ``directory`` is what its files are relative to."""
        self.config = config
        self._directory = directory
        self._lock = threading.Lock()
        self._made: tuple[_Material, Contexts] | None = None

    def contexts(self) -> Contexts:
        """As the files are now; the same object as before while they are the same.

        Raises:
            SourceError: a file cannot be read, or is not what it should be; names it.
        """
        material = self._read()
        with self._lock:
            if self._made is None or self._made[0] != material:
                self._made = material, self._make(material)
            return self._made[1]

    def _read(self) -> _Material:
        config = self.config
        return _Material(
            self._pem(config.ca, config.ca_file, "ca"),
            self._pem(config.cert, config.cert_file, "cert"),
            self._pem(config.key, config.key_file, "key"),
        )

    def _pem(self, text: str, file: str, key: str) -> bytes:
        if file:
            return read_file(self._directory, file, f"tls_config.{key}_file")
        return text.encode()

    def _make(self, material: _Material) -> Contexts:
        server, proxy = self._trusting(material), self._trusting(material)
        if material.cert:
            self._show(server, material)
        return Contexts(server, proxy)

    def _trusting(self, material: _Material) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if self.config.min_version:
            context.minimum_version = _VERSIONS[self.config.min_version]
        if self.config.max_version:
            context.maximum_version = _VERSIONS[self.config.max_version]
        if self.config.insecure_skip_verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        elif material.ca:
            # As Go has it: what is named is trusted, be it the top of its chain or not.
            context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
            self._trust(context, material.ca)
        else:
            _trust_public(context)
        return context

    def _trust(self, context: ssl.SSLContext, ca: bytes) -> None:
        try:
            context.load_verify_locations(cadata=ca.decode("ascii", errors="ignore"))
        except (ssl.SSLError, ValueError) as error:
            raise SourceError(f"{self._place('ca')} has no certificate in PEM") from error

    def _show(self, context: ssl.SSLContext, material: _Material) -> None:
        def refuse() -> str:  # OpenSSL would ask at the terminal
            raise SourceError(f"{self._place('key')} has a passphrase; give a key without one")

        try:
            with _in_memory(material.cert) as cert, _in_memory(material.key) as key:
                context.load_cert_chain(cert, key, password=refuse)
        except ssl.SSLError as error:
            raise SourceError(self._why_not(error)) from error

    def _why_not(self, error: ssl.SSLError) -> str:
        if error.reason == "KEY_VALUES_MISMATCH":
            return f"{self._place('key')} is not the key of {self._place('cert')}"
        # OpenSSL does not tell which of the two it could not read; both are PEM, as their first lines say.
        return f"{self._place('cert')} and {self._place('key')} are not a certificate and its key in PEM"

    def _place(self, key: str) -> str:
        file = getattr(self.config, f"{key}_file")
        return f"tls_config.{key}_file {Path(self._directory, file)}" if file else f"tls_config.{key}"


@attrs.frozen
class _Material:
    """PEM, as it was read; empty: none."""

    ca: bytes
    cert: bytes
    key: bytes = attrs.field(repr=False)


def _trust_public(context: ssl.SSLContext) -> None:
    """Trusts what requests would: the bundle of the environment, or its own."""
    bundle = (
        os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or DEFAULT_CA_BUNDLE_PATH
    )
    try:
        if os.path.isdir(bundle):
            context.load_verify_locations(capath=bundle)
        else:
            require_regular(bundle)
            context.load_verify_locations(cafile=bundle)
    except OSError as error:  # ssl.SSLError is one
        why = f" ({error})" if isinstance(error, NotRegularError) else ""
        raise SourceError(
            f"the CA bundle {bundle} cannot be read{why}; look at REQUESTS_CA_BUNDLE"
        ) from error


@contextmanager
def _in_memory(content: bytes) -> Iterator[str]:
    """The path of a file with this content that only this process can open."""
    if hasattr(os, "memfd_create"):  # Linux: needs no disk, not even a writable one
        descriptor = os.memfd_create("vistio", os.MFD_CLOEXEC)
        with open(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            yield f"/proc/self/fd/{descriptor}"
    else:
        with tempfile.NamedTemporaryFile() as stream:
            stream.write(content)
            stream.flush()
            yield stream.name
