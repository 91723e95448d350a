"""Large answers on their way: counted until the last piece is fetched, and given up where nobody really fetches."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator

ONE_PIECE_BYTES = 64 * 1024
"""What is not larger is handed to the server at once, and does not count: connections are few enough for that."""
PATIENCE_S = 30.0
LEAST_BYTES_PER_S = 32 * 1024


class Sending(Iterator[bytes]):
    """The pieces of an answer, as WSGI sends them. Whoever sends calls `close`, also when the client has gone."""

    def __init__(
        self,
        pieces: Iterable[bytes],
        sent: Callable[[], None],
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing is sent yet.

        Args:
            pieces: what is sent.
            sent: called once it is, or will never be.
            monotonic_s: the clock.
        """
        self._pieces = iter(pieces)
        self._sent = sent
        self._monotonic_s = monotonic_s
        self._began_s = monotonic_s()
        self._bytes = 0

    def __next__(self) -> bytes:
        took_s = self._monotonic_s() - self._began_s
        if took_s > PATIENCE_S + self._bytes / LEAST_BYTES_PER_S:
            self.close()
            raise StopIteration  # too little for its length, or not the whole of gzip: a client sees that
        try:
            piece = next(self._pieces)
        except StopIteration:
            self.close()
            raise
        self._bytes += len(piece)
        return piece

    def close(self) -> None:
        """Nothing more will be sent."""
        self._pieces = iter(())
        self._sent()
