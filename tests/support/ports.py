"""Free loopback ports for servers that a test starts."""

from __future__ import annotations

import socket

_given: set[int] = set()


def free_port() -> int:
    """A loopback TCP port that nobody listens on, never the same one twice in a test run."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        # The kernel may offer a port again before its first receiver has bound it.
        if port not in _given:
            _given.add(port)
            return port
