"""The network between the Envoys: ``python network.py DIRECTORY``. Bytes go through as they come, unless it is broken.

Each edge of the mesh has a piece of it, a port to which the caller's Envoy connects; from there a connection leads to
the inbound listener of the called one. Lines of JSON on standard input say what is broken, all of it each time::

    {"delay_ms": {"productpage>details": 300}, "cut": ["reviews-v2>ratings"]}

Half of a delay is spent on the way there, half on the way back. What is cut has no connections, and gets none.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from functools import partial
from pathlib import Path

from plan import Plan

_CHUNK_BYTES = 65536
_CHUNKS_ON_THE_WAY = 64


class Wire:
    """The network of one edge."""

    def __init__(self, called_port: int) -> None:
        self.delay_s = 0.0
        """How much longer a request takes, there and back."""
        self._called_port = called_port
        self._cut = False
        self._connections: set[asyncio.StreamWriter] = set()

    def cut(self, cut: bool) -> None:
        """Whether nothing goes through any more; the connections that there are end."""
        self._cut = cut
        if cut:
            for writer in self._connections:
                writer.transport.abort()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carries one connection of the caller's Envoy, until either end closes it."""
        try:
            if self._cut:
                raise ConnectionRefusedError
            there, back = await asyncio.open_connection("127.0.0.1", self._called_port)
        except OSError:
            writer.transport.abort()
            return
        ends = {writer, back}
        self._connections |= ends
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pump(reader, back))
                group.create_task(self._pump(there, writer))
        finally:
            self._connections -= ends

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Bytes in one direction, in order, each when it is due."""
        clock = asyncio.get_running_loop().time
        way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(_CHUNKS_ON_THE_WAY)

        async def receive() -> None:
            data = b"-"
            while data:
                try:
                    data = await reader.read(_CHUNK_BYTES)
                except OSError:
                    data = b""
                await way.put((clock() + self.delay_s / 2, data))

        async with asyncio.TaskGroup() as group:
            receiving = group.create_task(receive())
            with contextlib.suppress(OSError):
                while True:
                    due, data = await way.get()
                    await asyncio.sleep(due - clock())
                    if not data:
                        break
                    writer.write(data)
                    await writer.drain()
            writer.close()
            receiving.cancel()


async def serve(plan: Plan) -> None:
    """Carries everything, until standard input ends."""
    wires = {}
    for edge, port in plan.network.items():
        wires[edge] = Wire(plan.proxies[edge.partition(">")[2]].inbound)
        await asyncio.start_server(wires[edge].carry, "127.0.0.1", port)
    loop = asyncio.get_running_loop()
    orders = asyncio.StreamReader()
    await loop.connect_read_pipe(partial(asyncio.StreamReaderProtocol, orders), sys.stdin)
    while line := await orders.readline():
        broken = json.loads(line)
        for edge, wire in wires.items():
            wire.delay_s = broken["delay_ms"].get(edge, 0) / 1000
            wire.cut(edge in broken["cut"])


if __name__ == "__main__":
    asyncio.run(serve(Plan.load(Path(sys.argv[1]) / "plan.json")))
