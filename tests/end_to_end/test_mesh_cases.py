"""Series of real systems that are drawn wrongly easily: what two ends tell differently, and names in many forms.

Each folder of ``cases`` is one: two expositions a minute apart, and ``expected.json``, which has the preset
(or ``vistio.yaml`` is beside it), the edges that are true, and what `check` finds. All of them are in one
Prometheus, each in a time of its own.
"""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from click.testing import CliRunner
from support import prometheus as real_prometheus
from support.history import growth, open_metrics, write_blocks
from support.ports import free_port
from support.prometheus import Prometheus

import vistio_core as vistio
from vistio_core import frontends
from vistio_core.events import Outcome
from vistio_core.times import MINUTE_MS, align, format_instant, system_now_ms
from vistio_record.cli import main
from vistio_record.sources.base import SourceOptions
from vistio_record.sources.prometheus import PrometheusSource

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CASES = sorted(folder.parent for folder in (Path(__file__).parent / "cases").glob("*/expected.json"))
APART_MS = 20 * MINUTE_MS  # more than a lookback and a window
pytestmark = [
    pytest.mark.skipif(not real_prometheus.installed(), reason=real_prometheus.WITHOUT_BINARY),
    pytest.mark.slow,
]


@attrs.frozen
class Case:
    """A folder, and when a Prometheus saw what it says."""

    folder: Path
    url: str
    instant_ms: int

    @property
    def expected(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "expected.json").read_text())
        return found

    def vistio_record(self, command: str, *arguments: object, exit_codes: tuple[int, ...] = (0,)) -> str:
        """What ``vistio-record COMMAND`` prints with the rules of this case."""
        preset, settings = self.expected.get("preset"), self.expected.get("set", {})
        rules = ("--preset", preset) if preset else ("--config", self.folder / "vistio.yaml")
        more = [text for name, value in settings.items() for text in ("--set", f"{name}={value}")]
        asked = (*rules, *more, "--prometheus", self.url, *arguments)
        result = CliRunner().invoke(main, [command, *map(str, asked)])
        assert result.exit_code in exit_codes, result.output
        return result.stdout


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[Path, Case]]:
    """Each case in a time of its own."""
    directory = tmp_path_factory.mktemp("prometheus")
    newest_ms = align(system_now_ms() - 10 * MINUTE_MS, MINUTE_MS)
    times_ms = {folder: newest_ms - number * APART_MS for number, folder in enumerate(CASES)}
    for folder, instant_ms in times_ms.items():
        scrapes = ((folder / f"metrics-at-{second}s.txt").read_text() for second in (0, 60))
        write_blocks(
            open_metrics(growth(*scrapes, 60), end_ms=instant_ms, duration_s=300), directory / "data"
        )
    server = Prometheus(directory, f"127.0.0.1:{free_port()}")  # nobody to scrape there
    try:
        server.start()
        yield {folder: Case(folder, server.url, instant_ms) for folder, instant_ms in times_ms.items()}
    finally:
        server.close()


@pytest.fixture(params=CASES, ids=lambda folder: folder.name)
def case(request: pytest.FixtureRequest, prometheus: Mapping[Path, Case]) -> Case:
    return prometheus[request.param]


def test_the_graph_has_each_request_once_and_where_it_was(case: Case, recording_dir: Path) -> None:
    if "edges" not in case.expected:
        pytest.skip("what `check` says is the answer")
    start, end = (format_instant(ms) for ms in (case.instant_ms, case.instant_ms + 10_000))
    case.vistio_record("backfill", "--recording", recording_dir, "--start", start, "--end", end)
    graph = vistio.Recording.open(recording_dir).graph(at=case.instant_ms)
    assert graph.failed_rules == ()
    drawn = json.loads(frontends.get("vizceral").render(graph, {}))
    levels = {"global": drawn} | {region["name"]: region for region in drawn["nodes"]}
    for level, edges in case.expected["edges"].items():
        found = {f"{edge['source']} -> {edge['target']}": edge for edge in levels[level]["connections"]}
        assert {name: _rates(edge) for name, edge in found.items()} == {
            name: pytest.approx({"normal": 0, "warning": 0, "danger": 0} | _rates_of(edge), rel=1e-6)
            for name, edge in edges.items()
        }
    told = case.expected.get("measurements", {})
    measured = {
        f"{edge.source} -> {edge.target}": edge.measurements
        for region in graph.regions
        for edge in region.edges
    }
    assert {name: {key: measured[name].get(key) for key in values} for name, values in told.items()} == told


def test_check_finds_what_the_preset_cannot_know(case: Case) -> None:
    report = json.loads(case.vistio_record("check", "--at", format_instant(case.instant_ms), "--json"))
    found = {finding["kind"]: finding["message"] for finding in report["findings"]}
    wanted: dict[str, list[str]] = case.expected.get("findings", {})
    assert found.keys() == wanted.keys(), found
    for kind, words in wanted.items():
        for word in words:
            assert word in found[kind]


@pytest.fixture(scope="module")
def each_minute(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    """A Prometheus that scrapes once a minute, as it does where nobody has told it otherwise."""
    folder = Path(__file__).parent / "cases" / "istio-gateway-that-was-named"
    directory = tmp_path_factory.mktemp("minutes")
    end_ms = align(system_now_ms() - 10 * MINUTE_MS, MINUTE_MS)
    scrapes = ((folder / f"metrics-at-{second}s.txt").read_text() for second in (0, 60))
    history = open_metrics(growth(*scrapes, 60), end_ms=end_ms, duration_s=1200, step_s=60)
    write_blocks(history, directory / "data")
    server = Prometheus(directory, f"127.0.0.1:{free_port()}")
    try:
        server.start()
        yield Case(folder, server.url, end_ms)
    finally:
        server.close()


@pytest.mark.parametrize("later_s", [0, 1, 30, 59])
def test_a_window_that_holds_two_scrapes_at_times_only_is_told_at_any_instant(
    each_minute: Case, later_s: int
) -> None:
    """Promise: an empty answer that means nothing is not taken for no traffic without a word."""
    at = format_instant(each_minute.instant_ms - MINUTE_MS + later_s * 1000)
    found = {}
    for window in ("1m", "4m"):
        asked = ("--at", at, "--json", "--set", f"window={window}")
        report = json.loads(each_minute.vistio_record("check", *asked, exit_codes=(0, 1)))
        found[window] = {finding["kind"]: finding["message"] for finding in report["findings"]}
    told = found["1m"]["window-too-short"]
    assert "istio_requests_total" in told
    assert "each 1m or so" in told
    assert "--set window=4m" in told
    assert "window-too-short" not in found["4m"]


def test_what_such_a_window_cannot_hold_is_not_seen_live_and_later(
    each_minute: Case, recording_dir: Path
) -> None:
    """Promise: no traffic is said only where somebody could have told of some; a backfill says what live was said."""
    start_ms = each_minute.instant_ms - 5 * MINUTE_MS
    start, end = (format_instant(ms) for ms in (start_ms, start_ms + MINUTE_MS))
    window = ("--start", start, "--end", end, "--recording", recording_dir)
    each_minute.vistio_record("backfill", *window, "--set", "window=1m")
    recording = vistio.Recording.open(recording_dir)
    with closing(PrometheusSource(SourceOptions(recording.configuration()))) as source:
        for instant_ms in range(start_ms, start_ms + MINUTE_MS, 10_000):
            live = {(one.cluster, one.rule): one for one in source.evaluate(instant_ms, 10.0).outcomes}
            failed = {key: one.error for key, one in live.items() if one.outcome is not Outcome.OK}
            graph = recording.graph(at=instant_ms)
            assert {(one.cluster, one.rule): one.error for one in graph.failed_rules} == failed
            assert (("mesh", "http") in failed) == (instant_ms != start_ms)
            assert all("a rate over [1m] takes two; take [4m]" in error for error in failed.values())


def _rates(edge: Mapping[str, Any]) -> dict[str, float]:
    metrics: dict[str, float] = edge["metrics"]
    return {name: metrics.get(name, 0) for name in ("normal", "warning", "danger")}


def _rates_of(edge: Mapping[str, Any]) -> dict[str, float]:
    return {name: value for name, value in edge.items() if name != "synthetic"}
