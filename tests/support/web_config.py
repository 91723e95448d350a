"""A web configuration for a test: two people, two tokens, and TLS if it is wanted."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

import bcrypt

if TYPE_CHECKING:
    from pathlib import Path

    from support.certificates import Certificates

ALICE = ("alice", "correct horse")
BOB = ("bob", "battery staple")
CI_TOKEN, SCRAPER_TOKEN = "f3a9" * 16, "0b1c" * 16

# Always the same: what is in the name of a test must be so in each of its processes.
_SALT = b"$2b$04$abcdefghijklmnopqrstuu"


def hashed(password: str) -> str:
    """As htpasswd makes it, with few rounds."""
    return bcrypt.hashpw(password.encode(), _SALT).decode().replace("$2b$", "$2y$")


def write(directory: Path, certificates: Certificates | None = None, *, more: str = "") -> Path:
    """The file. alice reads and annotates, bob reads; ci annotates, scraper sees the metrics."""
    (directory / "ci.token").write_text(CI_TOKEN + "\n")
    (directory / "scraper.token").write_text(SCRAPER_TOKEN)
    tls = ""
    if certificates is not None:
        cert, key = certificates.issue("port")
        tls = f"tls_server_config: {{cert_file: {cert}, key_file: {key}}}\n"
    file = directory / "web.yaml"
    file.write_text(
        f"{tls}"
        f"basic_auth_users: {{alice: {hashed(ALICE[1])}, bob: {hashed(BOB[1])}}}\n"
        "user_scopes: {alice: [read, annotate, reload]}\n"
        "tokens:\n"
        "- {name: ci, token_file: ci.token, scopes: [annotate]}\n"
        "- {name: scraper, token_file: scraper.token, scopes: [metrics]}\n"
        f"{more}"
    )
    return file


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{user}:{password}".encode()).decode()}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
