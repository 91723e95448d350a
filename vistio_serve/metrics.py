"""What the server says of itself, in Prometheus' conventions."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus_client import (
    CollectorRegistry,
    Counter,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """One app's metrics, in a registry of their own: several apps fit into one process."""

    def __init__(self, newest_instant_age_s: Callable[[], float | None]) -> None:
        self._registry = CollectorRegistry()
        self.requests = Counter(
            "vistio_serve_requests",
            "Requests answered, by route, method and status.",
            ["route", "method", "status"],
            registry=self._registry,
        )
        self.duration_s = Histogram(
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
        self.graphs = Counter(
            "vistio_serve_graphs",
            "Graphs served: made for the request, shared with a request in flight, or a hit in the cache.",
            ["how"],
            registry=self._registry,
        )
        self._registry.register(_NewestInstant(newest_instant_age_s))
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self._registry)

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
