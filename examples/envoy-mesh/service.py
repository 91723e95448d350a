"""One service: ``python service.py DIRECTORY NAME``. It answers requests, makes its calls, and notes both.

It sends every call to its own Envoy and names the called service as the host, as in any mesh of sidecars. Lines of JSON
on its standard input say how slow its CPU is: ``{"cpu_ms": 200}``.
"""

from __future__ import annotations

import http.client
import itertools
import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from plan import CALLS, Plan
from truth import Notebook, Side

CALL_TIMEOUT_S = 4.0
CALLER_HEADER = "x-caller"
"""By which a service knows who called it, for its notes. No Envoy and no metric has it."""


class Service:
    """The service's work, apart from how it is asked."""

    def __init__(self, plan: Plan, name: str, notebook: Notebook) -> None:
        self.cpu_ms = 0.0
        """How long each request keeps the service's only CPU busy."""
        self._cpu = threading.Lock()
        self._name = name
        self._notebook = notebook
        self._outbound = plan.proxies[name].outbound
        self._requests = itertools.count()

    def answer(self, caller: str) -> int:
        """The status of one request of this caller."""
        began = time.perf_counter()
        with self._cpu:
            # It waits instead of computing, so that the CPU of one service is slow and not that of the laptop.
            time.sleep(self.cpu_ms / 1000)
        status = 200 if self._call_others(next(self._requests)) else 502
        self._note("received", f"{caller}>{self._name}", status, began)
        return status

    def _call_others(self, request: int) -> bool:
        """Whether all that is needed was answered; after the first that was not, no more is asked."""
        for call in CALLS[self._name]:
            if request % call.every == 0:
                turn = request // call.every
                answered = self._call(call.to[turn % len(call.to)])
                if call.needed and not answered:
                    return False
        return True

    def _call(self, called: str) -> bool:
        began = time.perf_counter()
        status = get("127.0.0.1", self._outbound, host=called, caller=self._name)
        self._note("sent", f"{self._name}>{called}", status, began)
        return status == 200

    def _note(self, side: Side, edge: str, status: int, began: float) -> None:
        self._notebook.note(side, edge, status, (time.perf_counter() - began) * 1000)


def get(address: str, port: int, *, host: str, caller: str) -> int:
    """The status of ``GET /``; 0 where there is no answer."""
    connection = http.client.HTTPConnection(address, port, timeout=CALL_TIMEOUT_S)
    try:
        connection.request("GET", "/", headers={"Host": host, CALLER_HEADER: caller})
        response = connection.getresponse()
        response.read()
    except (OSError, http.client.HTTPException):
        return 0
    else:
        return response.status
    finally:
        connection.close()


def make_server(service: Service, port: int) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # Envoy keeps its connections
        wbufsize = (
            -1
        )  # head and body in one packet: the second would wait for the first one's acknowledgement

        def do_GET(self) -> None:
            body = b"{}\n"
            self.send_response(service.answer(self.headers.get(CALLER_HEADER, "unknown")))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Silent: requests are noted elsewhere."""

    return ThreadingHTTPServer(("127.0.0.1", port), Handler)


def main(directory: Path, name: str) -> None:
    plan = Plan.load(directory / "plan.json")
    service = Service(plan, name, Notebook(directory / "truth", name))
    server = make_server(service, plan.services[name])
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for line in sys.stdin:
        service.cpu_ms = json.loads(line)["cpu_ms"]
    # Its standard input has ended: so has the mesh.
    server.server_close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
