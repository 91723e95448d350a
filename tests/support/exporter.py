"""A Prometheus exporter whose numbers a test sets: a real HTTP server on a loopback port.

Counters grow with a known rate: at each scrape they have the value that a service with this
steady rate would show, computed from the clock, so nothing has to tick in the background.

One exporter and one Prometheus serve many tests, one after the other: `OwnSeries` keeps them apart.
"""

from __future__ import annotations

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import TracebackType

_Series = tuple[str, tuple[tuple[str, str], ...]]


class Exporter:
    """Serves ``/metrics``; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._gauges: dict[_Series, float] = {}
        # Per counter: its value at a moment of the monotonic clock, and its rate since then.
        self._counters: dict[_Series, tuple[float, float, float]] = {}
        # What stands before the numbers, in order: to be made anew when a series comes or goes.
        self._heads: list[tuple[str, _Series]] | None = None
        exporter = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = exporter.text().encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Silent: a scrape each second is no news."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def address(self) -> str:
        """``host:port``, as a Prometheus target."""
        return f"127.0.0.1:{self._server.server_port}"

    def counter(self, name: str, labels: Mapping[str, str], *, rate_rps: float) -> None:
        """From now on the counter grows by ``rate_rps`` each second; a new one starts at 0."""
        now, series = time.monotonic(), _series(name, labels)
        with self._lock:
            known = series in self._counters
            value = self._value(series, now) if known else 0.0
            self._heads = self._heads if known else None
            self._counters[series] = (value, now, rate_rps)

    def gauge(self, name: str, labels: Mapping[str, str], value: float) -> None:
        """The gauge's value from now on; NaN and infinities are allowed."""
        with self._lock:
            self._gauges[_series(name, labels)] = value
            self._heads = None

    def remove(self, name: str, labels: Mapping[str, str]) -> None:
        """From now on the series is not exported; KeyError when it never was."""
        series = _series(name, labels)
        with self._lock:
            self._heads = None
            if series in self._counters:
                del self._counters[series]
            else:
                del self._gauges[series]

    def text(self) -> str:
        """What a scrape gets now, in Prometheus' text format."""
        now = time.monotonic()
        with self._lock:
            if self._heads is None:
                self._heads = list(self._ordered())
            return "".join(
                f"{head} {self._value(series, now) if series in self._counters else self._gauges[series]!r}\n"
                for head, series in self._heads
            )

    def _ordered(self) -> Iterator[tuple[str, _Series]]:
        kinds = dict.fromkeys(self._counters, "counter") | dict.fromkeys(self._gauges, "gauge")
        typed: set[str] = set()
        for name, labels in sorted(kinds):
            inside = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels)
            told = "" if name in typed else f"# TYPE {name} {kinds[name, labels]}\n"
            typed.add(name)
            yield f"{told}{name}{{{inside}}}", (name, labels)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _value(self, series: _Series, now: float) -> float:
        value, since, rate_rps = self._counters[series]
        return value + (now - since) * rate_rps


class OwnSeries:
    """What one test exports: each of its series has a label of its own, by which the test's queries choose."""

    def __init__(self, exporter: Exporter, test: str) -> None:
        self._exporter = exporter
        self._label = {"test": test}
        self._exported: set[_Series] = set()

    @property
    def selector(self) -> str:
        """For PromQL, without braces: ``test="..."``."""
        return ",".join(f'{label}="{_escaped(text)}"' for label, text in self._label.items())

    def counter(self, name: str, labels: Mapping[str, str], *, rate_rps: float) -> None:
        """As `Exporter.counter`."""
        self._exporter.counter(name, self._own(name, labels), rate_rps=rate_rps)

    def gauge(self, name: str, labels: Mapping[str, str], value: float) -> None:
        """As `Exporter.gauge`."""
        self._exporter.gauge(name, self._own(name, labels), value)

    def remove(self, name: str, labels: Mapping[str, str]) -> None:
        """As `Exporter.remove`."""
        self._exporter.remove(name, {**labels, **self._label})
        self._exported.remove(_series(name, labels))

    def close(self) -> None:
        """From now on none of them is exported."""
        for name, labels in tuple(self._exported):
            self.remove(name, dict(labels))

    def _own(self, name: str, labels: Mapping[str, str]) -> Mapping[str, str]:
        self._exported.add(_series(name, labels))
        return {**labels, **self._label}


def _series(name: str, labels: Mapping[str, str]) -> _Series:
    return name, tuple(sorted(labels.items()))


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
