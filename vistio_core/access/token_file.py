"""A bearer token in a file of its own."""

from __future__ import annotations

import hmac
import re
from pathlib import Path

from vistio_core.errors import UsageError
from vistio_core.native_paths import shown
from vistio_core.regular_files import open_regular

# What RFC 6750 allows in a bearer token; shorter ones can be guessed.
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]{16,}=*")
MAX_BYTES = 2**20


class TokenFile:
    """A file with the token that a client must show. Read at each request, so that it can be rotated.

    Raises:
        UsageError: in the constructor and in `matches`: there is no usable token in it.
    """

    def __init__(self, file: Path, what: str = "--token-file") -> None:
        """Looks at it once.

        Args:
            file: where it is.
            what: the option or key that names it, for messages.
        """
        self._file = file
        self._what = what
        self._read()

    def matches(self, token: str) -> bool:
        """Whether ``token`` is the one in the file, in a time that does not tell how much of it is right."""
        return hmac.compare_digest(token.encode("utf-8", "surrogatepass"), self._read().encode())

    def _read(self) -> str:
        try:
            with open_regular(self._file) as stream:
                content = stream.read(MAX_BYTES)
        except OSError as error:
            raise UsageError(
                f"{shown(self._file)}: {error.strerror}; {self._what} must hold a token"
            ) from error
        return token_in(content, self._file, self._what)


def token_in(content: bytes, file: Path, what: str) -> str:
    """The token that is the content of ``file``.

    Raises:
        UsageError: it is none. Its content is not told.
    """
    try:
        token = content.decode().strip()
    except UnicodeDecodeError as error:
        raise UsageError(f"{shown(file)}: is not text; {what} must hold a token") from error
    if not _TOKEN.fullmatch(token):
        raise UsageError(
            f"{shown(file)}: holds no token of 16 or more letters, digits and . _ ~ + / -;"
            " make one with `openssl rand -hex 32`"
        )
    return token
