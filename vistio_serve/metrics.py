"""What the server says of itself, in Prometheus' conventions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from vistio_serve.admission import Admission

_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class ServerMetrics:
    """One app's metrics, in a registry of their own: several apps fit into one process."""

    def __init__(
        self,
        newest_instant_age_s: Callable[[], float | None],
        admission: Admission,
        listening: Callable[[], int],
    ) -> None:
        self._registry = CollectorRegistry()
        requests = Counter(
            "vistio_serve_requests",
            "Requests answered, by route, method and status.",
            ["route", "method", "status"],
            registry=self._registry,
        )
        duration_s = Histogram(
            "vistio_serve_request_duration_seconds",
            "Time from a request's arrival in the application to its answer.",
            ["route"],
            buckets=_BUCKETS_S,
            registry=self._registry,
        )
        self.rebuild_s = Histogram(
            "vistio_serve_graph_rebuild_seconds",
            "Time to rebuild a graph from the log and render it.",
            buckets=_BUCKETS_S,
            registry=self._registry,
        )
        graphs = Counter(
            "vistio_serve_graphs",
            "Graphs served: made for the request, shared with a request in flight, or a hit in the cache.",
            ["how"],
            registry=self._registry,
        )
        self._registry.register(_NewestInstant(newest_instant_age_s))
        self._registry.register(_LargeAnswers(admission))
        followers = Gauge(
            "vistio_serve_listening", "Who is told of each commit (/live).", registry=self._registry
        )
        followers.set_function(listening)
        # Finding the children of a metric by their labels costs more than counting.
        self._of_request = cache(
            lambda route, method, status: (requests.labels(route, method, status), duration_s.labels(route))
        )
        self._of_graph = cache(graphs.labels)
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self._registry)

    def request(self, route: str, method: str, status: str, took_s: float) -> None:
        """A request was answered."""
        answered, duration_s = self._of_request(route, method, status)
        answered.inc()
        duration_s.observe(took_s)

    def graph(self, how: str) -> None:
        """A graph was served: ``made``, ``shared`` or a ``hit``."""
        self._of_graph(how).inc()

    def exposition(self, accept: str) -> tuple[bytes, str]:
        """All metrics in the format that ``accept`` (an ``Accept`` header) prefers, and its media type."""
        encode, content_type = choose_encoder(accept)
        return encode(self._registry), content_type


class _NewestInstant(Collector):
    """Computed when it is asked for, so that it grows while nothing is recorded."""

    def __init__(self, age_s: Callable[[], float | None]) -> None:
        self._age_s = age_s

    def describe(self) -> Iterator[Metric]:
        return iter(())

    def collect(self) -> Iterator[Metric]:
        age_s = self._age_s()
        family = GaugeMetricFamily(
            "vistio_serve_newest_instant_age_seconds",
            "Time since the newest recorded instant; absent while there is none.",
        )
        if age_s is not None:
            family.add_metric([], age_s)
        yield family


class _LargeAnswers(Collector):
    """What large answers do at the moment."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission

    def describe(self) -> Iterator[Metric]:
        return iter(())

    def collect(self) -> Iterator[Metric]:
        now = self._admission
        for name, told, value in (
            ("waiting", "Large answers that wait for their turn to be made.", now.waiting),
            ("sending", "Large answers that are being fetched.", now.sending),
            (
                "bytes",
                "What answers in work take, as estimated; large ones wait at their limit.",
                now.used_bytes,
            ),
            ("limit_bytes", "What answers in work may take.", now.limit_bytes),
        ):
            yield GaugeMetricFamily(f"vistio_serve_work_{name}", told, value)
        yield CounterMetricFamily(
            "vistio_serve_work_refused", "Requests that were told to come again (503).", now.refused
        )
