"""Each preset with series as its system exposes them: through a real Prometheus into a recording.

``presets/NAME.prom`` has the series (values are growth per second), ``presets/NAME.graph`` the graph
that must come of them: edges with their requests per second as normal/warning/danger.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from click.testing import CliRunner
from support import prometheus as real_prometheus
from support import victoria_metrics
from support.history import open_metrics, write_blocks
from support.ports import free_port
from support.prometheus import Prometheus
from support.victoria_metrics import VictoriaMetrics

import vistio_core as vistio
from vistio_core.times import MINUTE_MS, align, format_instant, system_now_ms
from vistio_record import presets
from vistio_record.cli import main

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vistio_core.graph.model import Edge, Graph

CASES = Path(__file__).parent / "presets"
pytestmark = [
    pytest.mark.skipif(not real_prometheus.installed(), reason=real_prometheus.WITHOUT_BINARY),
    pytest.mark.slow,
]


@attrs.frozen
class Mesh:
    """A Prometheus that has watched a preset's mesh for five minutes, until ``instant_ms``."""

    preset: str
    url: str
    instant_ms: int

    def vistio_record(self, command: str, *arguments: object) -> str:
        """What ``vistio-record COMMAND --preset`` prints; it must succeed."""
        asked = ("--preset", self.preset, "--prometheus", self.url, *arguments)
        result = CliRunner().invoke(main, [command, *map(str, asked)])
        assert result.exit_code == 0, result.output
        return result.stdout

    def record(self, directory: Path) -> vistio.Recording:
        """A recording of the one instant."""
        start, end = (format_instant(ms) for ms in (self.instant_ms, self.instant_ms + 10_000))
        self.vistio_record("backfill", "--recording", directory, "--start", start, "--end", end)
        return vistio.Recording.open(directory)


@pytest.fixture(scope="module", params=presets.names())
def mesh(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mesh]:
    directory = tmp_path_factory.mktemp(request.param)
    instant_ms = align(system_now_ms() - 10 * MINUTE_MS, MINUTE_MS)
    exposition = (CASES / f"{request.param}.prom").read_text()
    write_blocks(open_metrics(exposition, end_ms=instant_ms, duration_s=300), directory / "data")
    server = Prometheus(directory, f"127.0.0.1:{free_port()}")  # nobody to scrape there
    try:
        server.start()
        yield Mesh(request.param, server.url, instant_ms)
    finally:
        server.close()


def drawn(graph: Graph) -> str:
    """The graph as text, one edge a line, the global level first."""
    levels = {"": graph.edges} | {region.name: region.edges for region in graph.regions}
    lines = [_line(name, edge) for name, edges in levels.items() for edge in edges]
    return "".join(f"{line}\n" for line in lines)


def _line(level: str, edge: Edge) -> str:
    rates = "/".join(f"{rate:g}" for rate in attrs.astuple(edge.rates))
    measured = "".join(f", {name} {value:.6g}" for name, value in sorted(edge.measurements.items()))
    notices = "".join(f", {notice.severity.name}: {notice.title}" for notice in edge.notices)
    return f"{level or 'global'}: {edge.source} > {edge.target}: {rates}{measured}{notices}"


def test_a_preset_gives_the_graph_of_its_mesh(mesh: Mesh, recording_dir: Path) -> None:
    graph = mesh.record(recording_dir).graph(at=mesh.instant_ms)
    assert graph.failed_rules == ()
    assert drawn(graph) == (CASES / f"{mesh.preset}.graph").read_text()


def test_check_finds_nothing_to_complain_about(mesh: Mesh) -> None:
    at = format_instant(mesh.instant_ms)
    report: dict[str, Any] = json.loads(mesh.vistio_record("check", "--at", at, "--json"))
    assert report["findings"] == []
    complaints = {
        rule["rule"]: (rule["hints"], rule["dropped"], rule["warnings"])
        for rule in report["rules"]
        if rule["hints"] or rule["dropped"] or rule["warnings"] or not rule["nodes"]
    }
    assert complaints == {}, "every rule sees something, and drops none of it"


def test_what_is_recorded_loads_by_itself(mesh: Mesh, recording_dir: Path) -> None:
    recorded = mesh.record(recording_dir).configuration(at=mesh.instant_ms)
    assert {rule.prometheus_url for _, rule in recorded.rules()} == {mesh.url}


@pytest.mark.skipif(not victoria_metrics.installed(), reason=victoria_metrics.WITHOUT_BINARY)
@pytest.mark.parametrize("name", presets.names())
def test_victoria_metrics_answers_a_preset_as_prometheus_does(
    name: str, tmp_path: Path, recording_dir: Path
) -> None:
    instant_ms = align(system_now_ms() - 10 * MINUTE_MS, MINUTE_MS)
    exposition = (CASES / f"{name}.prom").read_text()
    server = VictoriaMetrics(tmp_path)
    try:
        server.start()
        server.push(_in_ms(open_metrics(exposition, end_ms=instant_ms, duration_s=300)))
        graph = Mesh(name, server.url, instant_ms).record(recording_dir).graph(at=instant_ms)
    finally:
        server.close()
    assert graph.failed_rules == ()
    assert drawn(graph) == (CASES / f"{name}.graph").read_text()


def _in_ms(samples: str) -> str:
    """OpenMetrics as Prometheus' text format, whose time stamps are milliseconds."""
    lines = [line.rsplit(" ", 1) for line in samples.splitlines() if not line.startswith("#")]
    return "".join(f"{series} {round(float(at_s) * 1000)}\n" for series, at_s in lines)
