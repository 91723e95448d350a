"""Real certificates for a test: a CA, servers with certificates of it, and clients."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import trustme

if TYPE_CHECKING:
    from pathlib import Path

HOST = "127.0.0.1"


class Certificates:
    """One CA, and PEM files of what it issued in ``directory``."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._directory.mkdir(exist_ok=True)
        self._ca = trustme.CA()
        self.ca_file = directory / "ca.pem"
        self._ca.cert_pem.write_to_path(self.ca_file)

    def server(self, *names: str, wants_client: bool = False, expired: bool = False) -> ssl.SSLContext:
        """What a server for these names (this host, by default) speaks TLS with."""
        until = datetime(2001, 1, 1, tzinfo=UTC) if expired else None
        since = datetime(2000, 1, 1, tzinfo=UTC) if expired else None
        certificate = self._ca.issue_cert(*(names or (HOST,)), not_before=since, not_after=until)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(context)
        if wants_client:
            context.verify_mode = ssl.CERT_REQUIRED
            self._ca.configure_trust(context)
        return context

    def issue(self, stem: str, *names: str) -> tuple[Path, Path]:
        """The files of a new certificate and its key, ``<stem>.pem`` and ``<stem>-key.pem``; written over."""
        certificate = self._ca.issue_cert(*(names or (HOST,)), common_name=stem)
        cert_file = self._directory / f"{stem}.pem"
        key_file = self._directory / f"{stem}-key.pem"
        cert_file.write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
        key_file.write_bytes(certificate.private_key_pem.bytes())
        return cert_file, key_file


def serial_number(connection: ssl.SSLSocket) -> str:
    """Which certificate the client at the other end has shown."""
    shown = connection.getpeercert()
    assert shown, "the client has shown no certificate"
    return str(shown["serialNumber"])
