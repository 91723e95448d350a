"""The preset `envoy` against what a real Envoy exposes, not what we believe it does."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
import requests
from click.testing import CliRunner
from support import envoy as real_envoy
from support import prometheus as real_prometheus
from support.history import open_metrics, write_blocks
from support.ports import free_port
from support.processes import wait_until
from support.prometheus import Prometheus

import vistio_core as vistio
from vistio_core.graph.model import Rates
from vistio_core.times import MINUTE_MS, align, format_instant, system_now_ms
from vistio_record.cli import main

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.processes import RunProcess

TYPES = "type.googleapis.com/envoy.extensions.filters"
CONFIGURATION = """\
admin:
  address: {{socket_address: {{address: 127.0.0.1, port_value: {admin}}}}}
# Histograms are merged when stats are flushed.
stats_flush_interval: 0.2s
static_resources:
  listeners:
    - address: {{socket_address: {{address: 127.0.0.1, port_value: {port}}}}}
      filter_chains:
        - filters:
            - name: envoy.filters.network.http_connection_manager
              typed_config:
                "@type": {types}.network.http_connection_manager.v3.HttpConnectionManager
                stat_prefix: ingress
                route_config:
                  virtual_hosts:
                    - name: all
                      domains: ["*"]
                      routes:
                        - {{match: {{prefix: /gone}}, route: {{cluster: gone}}}}
                        - {{match: {{prefix: /local}}, route: {{cluster: local_app}}}}
                        - {{match: {{prefix: /}}, route: {{cluster: cart}}}}
                http_filters:
                  - name: envoy.filters.http.router
                    typed_config: {{"@type": {types}.http.router.v3.Router}}
  clusters:
{clusters}
"""
CLUSTER = """\
    - name: {name}
      type: STATIC
      load_assignment:
        cluster_name: {name}
        endpoints:
          - lb_endpoints:
              - endpoint: {{address: {{socket_address: {{address: 127.0.0.1, port_value: {port}}}}}}}
"""


pytestmark = [
    pytest.mark.skipif(not real_prometheus.installed(), reason=real_prometheus.WITHOUT_BINARY),
    pytest.mark.skipif(real_envoy.binary() is None, reason=real_envoy.WITHOUT_BINARY),
]


@pytest.fixture
def service() -> Iterator[int]:
    """The port of a service that answers with the status that is asked for: ``/503``."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(int(self.path.rpartition("/")[2]))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield server.server_port
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def exposed(service: int, tmp_path: Path, run_process: RunProcess) -> str:
    """What an Envoy exposes that has carried 5 good requests, 2 bad ones and some others."""
    admin, port = free_port(), free_port()
    ports = {"cart": service, "local_app": service, "gone": free_port()}
    clusters = "".join(CLUSTER.format(name=name, port=at) for name, at in ports.items())
    file = tmp_path / "envoy.yaml"
    file.write_text(CONFIGURATION.format(types=TYPES, admin=admin, port=port, clusters=clusters))
    binary = real_envoy.binary()
    assert binary is not None
    envoy = run_process(binary, "-c", file, "--disable-hot-restart", "--concurrency", "1")
    envoy.wait_for_url(f"http://127.0.0.1:{admin}/ready")
    for path, times in {"200": 5, "404": 1, "503": 2, "gone/200": 3, "local/200": 8}.items():
        for _ in range(times):
            requests.get(f"http://127.0.0.1:{port}/{path}", timeout=10)

    def scrape() -> str:
        text = requests.get(f"http://127.0.0.1:{admin}/stats/prometheus", timeout=10).text
        return "\n".join(line for line in text.splitlines() if line.startswith("envoy_cluster_"))

    counted = 'envoy_cluster_upstream_rq_time_count{envoy_cluster_name="cart"} 8'
    wait_until(lambda: counted in scrape(), what="Envoy's histograms")
    return scrape()


def test_the_counters_of_a_real_envoy_make_the_graph(
    exposed: str, tmp_path: Path, recording_dir: Path
) -> None:
    instant_ms = align(system_now_ms() - 10 * MINUTE_MS, MINUTE_MS)
    # As if all of it happened in each second.
    target = 'job="edge",app="web"'
    samples = open_metrics(exposed, end_ms=instant_ms, duration_s=120, target=target)
    write_blocks(samples, tmp_path / "data")
    prometheus = Prometheus(tmp_path, f"127.0.0.1:{free_port()}")  # nobody to scrape there
    start, end = (format_instant(ms) for ms in (instant_ms, instant_ms + 10_000))
    try:
        prometheus.start()
        asked = ["--preset", "envoy", "--prometheus", prometheus.url]
        window = ["--recording", str(recording_dir), "--start", start, "--end", end]
        result = CliRunner().invoke(main, ["backfill", *asked, *window])
    finally:
        prometheus.close()
    assert result.exit_code == 0, result.output

    graph = vistio.Recording.open(recording_dir).graph(at=instant_ms)
    assert graph.failed_rules == ()
    edges = {f"{edge.source}>{edge.target}": edge for edge in graph.region("mesh").edges}
    rates = {name: edge.rates for name, edge in edges.items()}
    assert rates == {
        "web>cart": Rates(5.0, 1.0, 2.0),
        "web>gone": Rates(0.0, 0.0, 3.0),  # Envoy's own 503: nobody is there
    }, "local_app is the called side's own"
    assert set(edges["web>cart"].measurements) == {
        "latency_mean_ms",
        "latency_p50_ms",
        "latency_p90_ms",
        "latency_p99_ms",
        "connections_per_second",
        "sent_bytes_per_second",
        "received_bytes_per_second",
    }
    assert edges["web>cart"].measurements["sent_bytes_per_second"] > 0
    (entering,) = graph.edges
    assert (entering.source, entering.target, entering.rates) == ("INTERNET", "mesh", Rates(5.0, 1.0, 5.0))
