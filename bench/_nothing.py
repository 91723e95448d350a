"""A server that hands out so many bytes and does nothing else: what `serving.py` compares with.

python bench/_nothing.py 9091 12165
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

from vistio_serve.server import Server, reserve

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


def make_app(size: int) -> WSGIApplication:
    headers, chunks = [("Content-Type", "application/json"), ("Content-Length", str(size))], [b"x" * size]

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        del environ
        start_response("200 OK", headers)
        return chunks

    return application


def listening() -> None:
    """Nobody needs to be told."""


if __name__ == "__main__":
    port, size = map(int, sys.argv[1:])
    Server(partial(make_app, size), reserve("127.0.0.1", port), listening).run()
