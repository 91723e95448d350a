"""What the recorder says about itself: Prometheus metrics, health and readiness over HTTP.

`prometheus_client` keeps the numbers and writes them down. The server around it is the standard
library's WSGI server with a thread per request, as prometheus_client's own is: a request a few
times a minute does not need the production server that `vistio-serve` has, and the recorder keeps
no worker processes. Ours adds the health paths, and a time limit for requests that never end.
"""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Iterable
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, make_wsgi_app
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from vistio_core.errors import UsageError
from vistio_core.events import Outcome, Scrape

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

log = logging.getLogger(__name__)

_DURATIONS_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_REQUEST_TIMEOUT_S = 10


class Metrics:
    """The recorder's numbers, in a registry of their own."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        GCCollector(registry=registry)
        self._clock = clock
        self._scrape_s = Histogram(
            "vistio_record_scrape_duration_seconds",
            "Time to evaluate all rules of one instant.",
            buckets=_DURATIONS_S,
            registry=registry,
        )
        self._commit_s = Histogram(
            "vistio_record_commit_duration_seconds",
            "Time to write one scrape durably.",
            buckets=_DURATIONS_S,
            registry=registry,
        )
        self._scrapes = Counter(
            "vistio_record_scrapes",
            "Scrapes by what became of them: committed (a rule was answered), unseen (committed, none was),"
            " skipped (never asked), lost (not committed), crashed (the source raised).",
            ["outcome"],
            registry=registry,
        )
        self._rule_failures = Counter(
            "vistio_record_rule_failures",
            "Evaluations of a rule that were not answered.",
            ["cluster", "rule", "outcome"],
            registry=registry,
        )
        self._samples = Counter("vistio_record_samples", "Samples committed.", registry=registry)
        self._dropped = Counter(
            "vistio_record_dropped_series", "Series left out because they are no sample.", registry=registry
        )
        self._last_success = Gauge(
            "vistio_record_last_success_timestamp_seconds",
            "The newest committed instant with an answered rule; 0 when there is none yet.",
            registry=registry,
        )
        self._last_success_ms: int | None = None
        lag = Gauge(
            "vistio_record_lag_seconds",
            "Time since the newest committed instant with an answered rule; NaN when there is none yet.",
            registry=registry,
        )
        lag.set_function(self._lag_s)
        self.head_bytes = Gauge(
            "vistio_record_head_bytes", "Size of the recording's head.", registry=registry
        )
        self.log_bytes = Gauge("vistio_record_log_bytes", "Size of the sealed partitions.", registry=registry)
        for outcome in ("committed", "unseen", "skipped", "lost", "crashed"):
            self._scrapes.labels(outcome)  # a series that is there before its first event can be alerted on

    @property
    def ready(self) -> bool:
        """Whether a scrape with an answered rule was committed."""
        return self._last_success_ms is not None

    def evaluated(self, seconds: float) -> None:
        self._scrape_s.observe(seconds)

    def crashed(self) -> None:
        self._scrapes.labels("crashed").inc()

    def lost(self) -> None:
        self._scrapes.labels("lost").inc()

    def committed(self, scrape: Scrape, seconds: float) -> None:
        self._commit_s.observe(seconds)
        outcomes = [rule.outcome for rule in scrape.outcomes]
        skipped = bool(outcomes) and all(outcome is Outcome.SKIPPED for outcome in outcomes)
        self._scrapes.labels("committed" if scrape.seen else "skipped" if skipped else "unseen").inc()
        self._samples.inc(len(scrape.samples))
        for rule in scrape.outcomes:
            self._dropped.inc(sum(rule.dropped.values()))
            if rule.outcome in (Outcome.FAILED, Outcome.TIMEOUT):
                self._rule_failures.labels(rule.cluster, rule.rule, rule.outcome.value).inc()
        if scrape.seen:
            self._last_success_ms = max(scrape.instant_ms, self._last_success_ms or 0)
            self._last_success.set(self._last_success_ms / 1000)

    def _lag_s(self) -> float:
        if self._last_success_ms is None:
            return float("nan")
        return (self._clock() - self._last_success_ms) / 1000


class MetricsServer:
    """Serves ``/metrics``, ``/-/healthy`` and ``/-/ready`` from a thread."""

    def __init__(self, metrics: Metrics, host: str, port: int) -> None:
        """Binds the port and answers from now on.

        Raises:
            UsageError: the address cannot be bound.
        """
        server_class = _Server6 if ":" in host else _Server
        try:
            self._server = server_class((host, port), _Handler)
        except OSError as error:
            raise UsageError(
                f"{host}:{port} cannot be listened on ({error.strerror or error}); choose another address"
                " with --host and --port (--port 0 takes a free one)"
            ) from error
        self._server.set_app(_application(metrics))
        self.port: int = self._server.server_address[1]
        shown = f"[{host}]" if ":" in host else host
        self.url = f"http://{shown}:{self.port}/metrics"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True, name="metrics")
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    block_on_close = False

    def server_bind(self) -> None:
        # Not WSGIServer's own: it asks the resolver for this machine's full name, which can take seconds.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])
        self.setup_environ()

    def handle_error(self, request: object, client_address: object) -> None:
        log.debug("request.broken", exc_info=True)


class _Server6(_Server):
    address_family = socket.AF_INET6


class _Handler(WSGIRequestHandler):
    timeout = _REQUEST_TIMEOUT_S

    def log_message(self, format: str, *args: object) -> None:
        log.debug("request.answered", extra={"request": format % args})


def _application(metrics: Metrics) -> Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]:
    exposition = make_wsgi_app(metrics.registry)

    def answer(
        start: StartResponse, method: str, status: str, text: str, *headers: tuple[str, str]
    ) -> list[bytes]:
        body = text.encode()
        start(
            status,
            [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body))), *headers],
        )
        return [] if method == "HEAD" else [body]

    def application(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        path, method = str(environ.get("PATH_INFO", "/")), str(environ["REQUEST_METHOD"])
        if method not in ("GET", "HEAD"):
            return answer(start, method, "405 Method Not Allowed", "use GET\n", ("Allow", "GET, HEAD"))
        if path == "/metrics":
            # prometheus_client answers GET only; a HEAD is the same without its body.
            body = list(exposition({**environ, "REQUEST_METHOD": "GET"}, start))
            return [] if method == "HEAD" else body
        if path == "/-/healthy":
            return answer(start, method, "200 OK", "healthy\n")
        if path == "/-/ready":
            if metrics.ready:
                return answer(start, method, "200 OK", "ready\n")
            return answer(
                start,
                method,
                "503 Service Unavailable",
                "not ready: no scrape with an answered rule is committed yet; the recorder's log and"
                " `vistio-record check` say why\n",
            )
        return answer(start, method, "404 Not Found", "there are /metrics, /-/healthy and /-/ready\n")

    return application
