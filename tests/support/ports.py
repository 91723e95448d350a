"""Free loopback ports for servers that a test starts."""

from __future__ import annotations

import socket


def free_port() -> int:
    """A loopback TCP port that nobody listens on; nobody else is given it while this process lives.

    A socket that is bound and never listens holds it. The kernel offers it to no one then, in no other
    process either, and a server that sets ``SO_REUSEADDR``, as they all do, can still listen on it.
    """
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        port = int(holder.getsockname()[1])
        holder.detach()  # open until the process ends
    return port
