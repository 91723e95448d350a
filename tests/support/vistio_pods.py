"""The pods of vistio, as manifests describe them, and a real Prometheus with the traffic of a small mesh of Istio."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
import requests

from support.kubernetes import Manifest, Played, as_podman_plays, named, parse
from support.ports import free_port
from support.processes import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from support.containers import Image
    from support.exporter import OwnSeries
    from support.prometheus import Prometheus

CALLS = (
    # caller, called, code, requests a second
    ("istio-ingressgateway", "productpage", 200, 10),
    ("productpage", "reviews", 200, 8),
    ("productpage", "details", 503, 2),
)
TOTAL_RPS = 20


def export(exporter: OwnSeries) -> None:
    """What both sidecars of each call say of it."""
    for caller, called, code, rate_rps in CALLS:
        for reporter in ("source", "destination"):
            labels = {
                "reporter": reporter,
                "source_workload": caller,
                "source_canonical_service": caller,
                "destination_workload": called,
                "destination_canonical_service": called,
                "destination_service_name": called,
                "response_code": str(code),
            }
            exporter.counter("istio_requests_total", labels, rate_rps=rate_rps)


def session() -> requests.Session:
    """Who asks, trusting whom a test says and not whom this machine's environment does."""
    made = requests.Session()
    made.trust_env = False
    return made


def adapted(text: str, *, image: str, prometheus: str, ports: dict[str, int]) -> str:
    """The manifests with the image under test, a Prometheus that is there, free ports, and an instant each second."""
    replaced = {
        "image: vistio:0.1.0": f"image: {image}",
        "http://prometheus.istio-system:9090": prometheus,
        "://vistio-api:9091": f"://127.0.0.1:{ports['9091']}",
        "[1m]": "[5s]",
        "value: 10s": "value: 1s",
        "value: 8s": "value: 800ms",
    }
    for old, new in replaced.items():
        assert old in text, old
        text = text.replace(old, new)
    for old_port, new_port in ports.items():
        text = re.sub(rf"\b{old_port}\b", str(new_port), text)
    return text


class Cluster:
    """The running pods, and the ports at which they answer, by the number that they have in the manifests.

    Attributes:
        session: how they are asked; by whom, where not everybody may.
    """

    def __init__(
        self, text: str, image: Image, prometheus: str, directory: Path, more: Sequence[Manifest]
    ) -> None:
        self.session = session()
        self.ports = {port: free_port() for port in ("8080", "9091", "9092")}
        self.manifests: list[Manifest] = parse(
            adapted(text, image=image.tag, prometheus=prometheus, ports=self.ports)
        )
        self.rules = named(self.manifests, "ConfigMap", "vistio-api-config")["data"]["vistio.yaml"]
        self._tls = "scheme: HTTPS" in text
        self.played = Played(image.containers, as_podman_plays([*self.manifests, *more]), directory)

    def url(self, port: str, path: str) -> str:
        # The page's own port is for an ingress, which has certificates of its own.
        scheme = "https" if self._tls and port != "8080" else "http"
        return f"{scheme}://127.0.0.1:{self.ports[port]}{path}"

    def wait_for(self, port: str, path: str, status: int = 200) -> requests.Response:
        container = {"8080": "vistio-web", "9091": "vistio-api", "9092": "vistio-record"}[port]
        pod = "vistio-web-0" if port == "8080" else "vistio-api-0"
        return self.played.wait_for(
            self.url(port, path), of=(pod, container), status=status, session=self.session
        )

    def probes(self) -> list[tuple[str, str]]:
        """Container and address of each probe, as kubelet asks it."""
        found = []
        for each in self.manifests:
            if each["kind"] not in ("StatefulSet", "Deployment"):
                continue
            for container in each["spec"]["template"]["spec"]["containers"]:
                ports = {port["name"]: port["containerPort"] for port in container["ports"]}
                for name in ("startupProbe", "livenessProbe", "readinessProbe"):
                    if asked := container.get(name, {}).get("httpGet"):
                        scheme = asked.get("scheme", "HTTP").lower()
                        address = f"{scheme}://127.0.0.1:{ports[asked['port']]}{asked['path']}"
                        found.append((container["name"], address))
        return found

    def graph(self, port: str) -> dict[str, Any]:
        return dict(self.wait_for(port, "/graph").json())

    def gaps(self, start: str) -> list[Any]:
        answer = self.session.get(self.url("9091", "/instants"), params={"start": start}, timeout=10)
        return list(answer.json()["gaps"])

    def started(self, container: str) -> str:
        pod = "vistio-web-0" if container == "vistio-web" else "vistio-api-0"
        return self.played.started(pod, container)

    def newest(self) -> str:
        return str(self.graph("9091")["metadata"]["vistio"]["instant"])


@contextmanager
def running(
    text: str,
    image: Image,
    prometheus: Prometheus,
    exporter: OwnSeries,
    directory: Path,
    more: Sequence[Manifest] = (),
) -> Iterator[Cluster]:
    """The pods of the manifests in ``text`` and of those in ``more``, once there is traffic to be seen."""
    export(exporter)
    asked = f"rate(istio_requests_total{{{exporter.selector}}}[5s]) > 0"
    prometheus.wait_for(asked, lambda found: len(found) == 2 * len(CALLS))
    cluster = Cluster(text, image, prometheus.url, directory, more)
    try:
        yield cluster
    finally:
        cluster.played.close()


def drawn(graph: dict[str, Any]) -> dict[tuple[str, str], float]:
    """Requests a second of each connection, of both levels."""
    levels = [graph, *(node for node in graph["nodes"] if node["name"] == "istio-mesh")]
    return {
        (each["source"], each["target"]): sum(each["metrics"].values())
        for level in levels
        for each in level["connections"]
    }


def shows(graph: dict[str, Any], expected: dict[tuple[str, str], float]) -> bool:
    """Whether connections have these requests a second, about."""
    edges = drawn(graph)
    return {ends: edges.get(ends, 0.0) for ends in expected} == pytest.approx(expected, rel=0.2)


def check_traffic(cluster: Cluster, *, entry: str, entry_rps: float) -> None:
    """At both ports."""
    expected = {(caller, called): rate_rps for caller, called, _, rate_rps in CALLS}
    expected[entry, "istio-mesh"] = entry_rps
    for port in ("9091", "8080"):
        # At first a window of rates is longer than what there is to see in it.
        wait_until(lambda port=port: shows(cluster.graph(port), expected), what=f"the rates at {port}")  # type: ignore[misc]


def check_life(cluster: Cluster, *, entry: str, entry_rps: float) -> None:
    """Traffic at both ports, a changed ConfigMap, killed containers: what the walk-through promises."""
    check_traffic(cluster, entry=entry, entry_rps=entry_rps)
    assert "<html" in cluster.wait_for("8080", "/").text.lower()
    checked = cluster.played.run("vistio-api-0", "vistio-record", "vistio-record", "check")
    assert "istio-mesh" in checked, "check finds rules and server by itself, and exits with 0"
    assert "instants" in cluster.played.run("vistio-api-0", "vistio-record", "vistio-record", "info")

    changed = cluster.rules.replace("istio-mesh", "renamed-mesh")
    cluster.played.change("vistio-api-config", {"vistio.yaml": changed})
    wait_until(
        lambda: "renamed-mesh" in {node["name"] for node in cluster.graph("8080")["nodes"]},
        what="the changed ConfigMap's name in the graph",
    )

    before = cluster.newest()
    cluster.played.kill("vistio-api-0", "vistio-record")
    wait_until(lambda: cluster.newest() > before, what="an instant after the recorder was killed")
    wait_until(lambda: cluster.gaps(before) == [], what="the gap that the kill left to be healed")
    cluster.played.kill("vistio-api-0", "vistio-api")
    cluster.wait_for("9091", "/-/ready")
    cluster.wait_for("8080", f"/graph?at={before}")
