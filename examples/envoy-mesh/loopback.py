"""Asking what listens on the loopback, whatever proxy the environment names for the rest of the world."""

from __future__ import annotations

import socket
import urllib.error
import urllib.parse
import urllib.request

_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def listens(port: int) -> bool:
    """Whether somebody takes connections there."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def answer(port: int, path: str) -> bytes | None:
    """What ``GET`` answers; None where there is no answer, or it is an error."""
    try:
        with _OPENER.open(f"http://127.0.0.1:{port}{path}", timeout=5) as response:
            return bytes(response.read())
    except (urllib.error.HTTPError, OSError):
        return None


def is_ready(port: int, path: str) -> bool:
    """Whether ``GET`` is answered, and not with an error."""
    return answer(port, path) is not None


def post(port: int, path: str, parameters: dict[str, str]) -> None:
    """``POST`` with a query string; OSError where that is refused."""
    url = f"http://127.0.0.1:{port}{path}?{urllib.parse.urlencode(parameters)}"
    _OPENER.open(urllib.request.Request(url, method="POST"), timeout=10).close()
