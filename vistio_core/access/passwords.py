"""Passwords against bcrypt hashes, which are slow on purpose: what was right is remembered, what is guessed waits.

Remembered is a keyed hash of name, password and bcrypt hash, under a key that this process made up: nothing that could
be stored or guessed from elsewhere. A changed hash is another key, so a rotated password is forgotten at once.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import threading
from collections.abc import Mapping

import bcrypt

from vistio_core.cache import Cache

_MOST_REMEMBERED = 1_000
MOST_BYTES = 72
"""bcrypt looks at no more; a longer password is wrong, rather than as good as its beginning."""
_WAIT_S = 5.0


class PasswordsBusyError(Exception):
    """Too many passwords wait to be looked at."""


class Passwords:
    """Tells right passwords from wrong ones; usable from many threads."""

    def __init__(self) -> None:
        self._key = os.urandom(32)
        self._right: Cache[bytes, bool] = Cache(_MOST_REMEMBERED, lambda _: 1)
        # One at a time: whoever guesses gets a core of the machine, and not all of them.
        self._one = threading.Lock()

    def remembered(self, users: Mapping[str, bytes], name: str, password: str) -> bool:
        """Whether this password was right before, and its hash is still the same. Quick."""
        known = users.get(name)
        return known is not None and self._right.get(self._keyed(name, password, known)) is True

    def right(self, users: Mapping[str, bytes], name: str, password: str) -> bool:
        """Whether it is ``name``'s password. Takes as long for names that there are not.

        Args:
            users: bcrypt hashes by name; not empty.
            name: who it claims to be.
            password: what was given.

        Raises:
            PasswordsBusyError: others are being looked at, for long.
        """
        known = users.get(name)
        hashed = known if known is not None else next(iter(users.values()))
        given = password.encode("utf-8", "surrogatepass")
        if not self._one.acquire(timeout=_WAIT_S):
            raise PasswordsBusyError
        try:
            matches = bcrypt.checkpw(given[:MOST_BYTES], hashed)
        finally:
            self._one.release()
        if not matches or known is None or len(given) > MOST_BYTES or b"\0" in given:
            return False
        self._right.put(self._keyed(name, password, known), True)
        return True

    def _keyed(self, name: str, password: str, hashed: bytes) -> bytes:
        text = f"{name}\0{password}\0".encode("utf-8", "surrogatepass")
        return hmac.digest(self._key, text + hashed, hashlib.sha256)
