"""Gaps that heal, for real: a real Prometheus, a real recorder process, real outages.

Each test makes a gap, waits until the recorder has healed what can be healed, and then asks
Prometheus itself, by instant queries, what there was at every instant. Nothing may differ.
"""

from __future__ import annotations

import math
import os
import re
import signal
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import attrs
import pytest
import requests
from support.cable import Cable
from support.processes import wait_until

import vistio_core as vistio
from vistio_core.times import SECOND_MS, format_instant, system_now_ms
from vistio_record.sources.base import NO_DATA

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from support.exporter import OwnSeries
    from support.processes import RunningProcess, RunProcess
    from support.prometheus import Prometheus

INGRESS = "sum by (code) (rate(ingress_requests_total{{{own}}}[5s]))"
HTTP = "sum by (source, target, code) (rate(requests_total{{{own}}}[5s]))"
GAUGES = "edge_rate{{{own}}}"

CONFIGURATION = """\
globalLevel:
  clusterConnections:
    - name: ingress
      query: {ingress}
      prometheusURL: {url}
      source: {{replacement: INTERNET}}
      target: {{replacement: mesh}}
      status: {{label: code, dangerRegex: ^5..$}}
clusterLevel:
  - cluster: mesh
    serviceConnections:
      - name: http
        query: {http}
        prometheusURL: {url}
        source: {{label: source}}
        target: {{label: target}}
        status: {{label: code, warningRegex: ^4..$, dangerRegex: ^5..$}}
      - name: gauges
        query: {gauges}
        prometheusURL: {url}
        source: {{label: source}}
        target: {{label: target}}
    serviceNotices:
      - name: saturation
        title: "{{{{ .service }}}} is full"
        query: saturation{{{own}}}
        prometheusURL: {url}
        severityThreshold: {{warning: .8}}
        service: {{label: service}}
"""
# Rules whose failures are part of the truth: they must come out alike, live and later.
FAILING = """\
  - cluster: elsewhere
    serviceConnections:
      - name: broken
        query: sum(rate(
        prometheusURL: {url}
        source: {{label: source}}
        target: {{label: target}}
      - name: scalar
        query: scalar(sum({gauges}))
        prometheusURL: {url}
        source: {{label: source}}
        target: {{label: target}}
      - name: end
        query: '{gauges} @ end()'
        prometheusURL: {url}
        source: {{label: source}}
        target: {{label: target}}
      - name: sometimes
        query: '{gauges} * on (source) group_left marker{{{own}}}'
        prometheusURL: {url}
        source: {{label: source}}
        target: {{label: target}}
"""
TIMES = ("--interval", "1s", "--timeout", "800ms")
SAMPLES = "select instant, cluster, rule, source, target, status, rate from samples order by all"
MEASUREMENTS = "select * from measurements order by all"
OUTCOMES = """
    select instant, cluster, rule, outcome, error, series, dropped_by_reason, warnings, interval_ms, configuration
    from scrapes order by all
"""


@pytest.fixture
def traffic(exporter: OwnSeries, prometheus: Prometheus) -> OwnSeries:
    """Traffic that Prometheus has scraped for a few seconds."""
    exporter.counter("ingress_requests_total", {"code": "200"}, rate_rps=90.0)
    exporter.counter("ingress_requests_total", {"code": "503"}, rate_rps=7.0)
    for target, code, rate_rps in (("shop", "200", 80.0), ("shop", "404", 3.0), ("stock", "500", 1 / 3)):
        labels = {"source": "gateway", "target": target, "code": code}
        exporter.counter("requests_total", labels, rate_rps=rate_rps)
    exporter.gauge("edge_rate", {"source": "shop", "target": "cache"}, 0.1 + 0.2)
    exporter.gauge("saturation", {"service": "stock"}, 0.97)
    query = f"{INGRESS} and on () ({GAUGES} offset 3s)".format(own=exporter.selector)
    prometheus.wait_for(query, lambda answer: len(answer) == 2)
    return exporter


@attrs.frozen
class Mesh:
    """What a test needs to start recorders."""

    prometheus: Prometheus
    own: str
    """The selector of the test's series in Prometheus."""
    run_process: RunProcess
    free_port: Callable[[], int]
    folder: Path

    def query(self, text: str) -> str:
        return text.format(own=self.own)

    def configure(self, url: str, more: str = "") -> Path:
        queries = {"ingress": INGRESS, "http": HTTP, "gauges": GAUGES}
        own = {name: self.query(text) for name, text in queries.items()}
        path = self.folder / "vistio.yaml"
        path.write_text((CONFIGURATION + more).format(url=url, own=self.own, **own))
        return path

    def record(self, config: Path, recording: Path, delay: str = "1s") -> RunningProcess:
        recorder = self.run_process(
            "vistio-record", "run", "--config", config, "--recording", recording, *TIMES,
            *("--delay", delay, "--port", self.free_port(), "--log-level", "debug"),
        )  # fmt: skip
        recorder.wait_for_line("scrape.committed")
        return recorder

    def backfill(self, config: Path, recording: Path, start_ms: int, end_ms: int, **more: Any) -> str:
        window = ("--start", format_instant(start_ms), "--end", format_instant(end_ms))
        process = self.run_process(
            "vistio-record", "backfill", "--config", config, "--recording", recording, *TIMES, *window
        )
        return process.wait(timeout_s=60, **more)


@pytest.fixture
def mesh(
    traffic: OwnSeries,
    prometheus: Prometheus,
    run_process: RunProcess,
    free_port: Callable[[], int],
    tmp_path: Path,
) -> Mesh:
    return Mesh(prometheus, traffic.selector, run_process, free_port, tmp_path)


@pytest.fixture
def cable(prometheus: Prometheus) -> Iterator[Cable]:
    parts = urlsplit(prometheus.url)
    assert parts.hostname is not None
    assert parts.port is not None
    with Cable((parts.hostname, parts.port)) as cable:
        yield cable


def answered(place: Path) -> dict[int, set[str]]:
    """Instant to the rules that were answered, then or later."""
    rows = vistio.Recording.open(place).sql(
        "select epoch_ms(instant), rule from scrapes where outcome = 'ok' order by all"
    )
    found: dict[int, set[str]] = {}
    for instant_ms, rule in rows.fetchall():
        found.setdefault(instant_ms, set()).add(rule)
    return found


def unanswered(place: Path) -> dict[int, set[str]]:
    """Instant to the reasons why rules are not answered."""
    return {
        one.instant_ms: {rule.error for rule in one.rules}
        for one in vistio.Recording.open(place).unanswered()
    }


def wait_until_complete(place: Path, start_ms: int, end_ms: int, recorder: RunningProcess) -> None:
    rules = {"ingress", "http", "gauges", "saturation"}
    due = range(start_ms, end_ms, SECOND_MS)

    def complete() -> bool:
        found = answered(place)
        return all(found.get(instant_ms) == rules for instant_ms in due)

    try:
        wait_until(complete, what="every due instant, fully answered", timeout_s=60)
    except AssertionError as error:
        left = {format_instant(ms): sorted(rules - answered(place).get(ms, set())) for ms in due}
        raise AssertionError(f"{left}\n{recorder.log[-6000:]}") from error


def assert_says_what_prometheus_says(mesh: Mesh, place: Path, start_ms: int, end_ms: int) -> None:
    """Compares each rate with an instant query, exactly."""
    recorded: dict[int, dict[tuple[str, ...], float]] = {}
    rows = vistio.Recording.open(place).sql(
        "select epoch_ms(instant), rule, source, target, status, rate from samples"
    )
    for instant_ms, *key, rate in rows.fetchall():
        assert tuple(key) not in recorded.setdefault(instant_ms, {}), "recorded twice"
        recorded[instant_ms][tuple(key)] = rate
    for instant_ms in range(start_ms, end_ms, SECOND_MS):
        expected = {}
        for rule, query in (("ingress", INGRESS), ("http", HTTP), ("gauges", GAUGES)):
            for series in mesh.prometheus.query(mesh.query(query), time_ms=instant_ms):
                labels, value = series["metric"], float(series["value"][1])
                names = (labels.get("source", "INTERNET"), labels.get("target", "mesh"))
                if math.isfinite(value):
                    expected[rule, *names, labels.get("code", "")] = value
        assert recorded.get(instant_ms, {}) == expected, format_instant(instant_ms)


def last_instant(place: Path) -> int:
    info = vistio.Recording.open(place).info()
    assert info.last_ms is not None
    return info.last_ms


def first_instant(place: Path) -> int:
    info = vistio.Recording.open(place).info()
    assert info.first_ms is not None
    return info.first_ms


def wait_for_instants(place: Path, count: int, recorder: RunningProcess) -> None:
    """Until there are so many more instants in the log than now."""
    until_ms = last_instant(place) + count * SECOND_MS
    wait_until(lambda: last_instant(place) >= until_ms, what=f"{count} instants; {recorder.log[-2000:]}")


def record_changes(mesh: Mesh, traffic: OwnSeries, config: Path, place: Path) -> Path:
    """A live recording of traffic that comes, goes and is in error; where it is."""
    recorder = mesh.record(config, place)
    wait_for_instants(place, 3, recorder)
    traffic.counter("requests_total", {"source": "gateway", "target": "new", "code": "200"}, rate_rps=12.5)
    traffic.gauge("edge_rate", {"source": "shop", "target": "mail"}, math.nan)
    traffic.gauge("edge_rate", {"source": "shop", "target": "cache"}, -1e-300)
    wait_for_instants(place, 3, recorder)
    # Two on the "one" side: the rule `sometimes` is in error from here on, until one of them goes.
    for number in "ab":
        traffic.gauge("marker", {"source": "shop", "number": number}, 1.0)
    traffic.remove("requests_total", {"source": "gateway", "target": "stock", "code": "500"})
    traffic.gauge("saturation", {"service": "stock"}, math.inf)
    wait_for_instants(place, 3, recorder)
    traffic.remove("marker", {"source": "shop", "number": "b"})
    traffic.gauge("edge_rate", {"source": "shop", "target": "mail"}, 2.5)
    traffic.gauge("edge_rate", {"target": "nobody"}, 1.0)
    for code in ("200", "503"):
        traffic.remove("ingress_requests_total", {"code": code})
    wait_for_instants(place, 8, recorder)
    recorder.terminate()
    for labels, rate_rps in (({"code": "200"}, 90.0), ({"code": "503"}, 7.0)):
        traffic.counter("ingress_requests_total", labels, rate_rps=rate_rps)
    traffic.counter("requests_total", {"source": "gateway", "target": "stock", "code": "500"}, rate_rps=1 / 3)
    return place


def overdue(place: Path) -> bool:
    """Whether some answers came too late."""
    late = "select * from scrapes where outcome in ('timeout', 'skipped')"
    return bool(vistio.Recording.open(place).sql(late).fetchall())


def test_a_backfilled_recording_equals_a_live_one_sample_by_sample(mesh: Mesh, traffic: OwnSeries) -> None:
    later_dir = mesh.folder / "later"
    config = mesh.configure(mesh.prometheus.url, FAILING)
    # A machine that is too busy makes the live one fail; then it is not a live one that is complete.
    tried = (record_changes(mesh, traffic, config, mesh.folder / f"live-{attempt}") for attempt in range(3))
    live_dir = next((place for place in tried if not overdue(place)), None)
    assert live_dir is not None, "the machine was too slow to record live, three times"

    said = mesh.backfill(config, later_dir, first_instant(live_dir), last_instant(live_dir) + 1)

    live, later = vistio.Recording.open(live_dir), vistio.Recording.open(later_dir)
    for query in (SAMPLES, MEASUREMENTS, OUTCOMES):
        assert later.sql(query).to_arrow_table().to_pylist() == live.sql(query).to_arrow_table().to_pylist()
    assert later.instants()["instant"].to_pylist() == live.instants()["instant"].to_pylist()
    assert set(later.instants()["backfilled"].to_pylist()) == {True}
    sometimes = live.sql("select distinct outcome from scrapes where rule = 'sometimes'").fetchall()
    assert sorted(sometimes) == [("failed",), ("ok",)], "the comparison covers errors of some instants"
    dropped = "select max(dropped) from scrapes where rule = 'gauges'"
    assert live.sql(dropped).fetchall() == [(1,)]
    assert "cannot be had" in said, "the broken rules are told"
    again = mesh.backfill(config, later_dir, first_instant(live_dir), last_instant(live_dir) + 1, exit_code=1)
    assert "\n0 instants written with 0 samples" in again
    assert later.sql(OUTCOMES).to_arrow_table() == live.sql(OUTCOMES).to_arrow_table()


def test_when_prometheus_could_not_be_reached_everything_heals(mesh: Mesh, cable: Cable) -> None:
    place = mesh.folder / "recording"
    recorder = mesh.record(mesh.configure(cable.url), place)
    start_ms = first_instant(place)
    wait_for_instants(place, 2, recorder)
    cable.pull_out()
    recorder.wait_for_line(r"rule\.failed")
    wait_for_instants(place, 5, recorder)
    assert unanswered(place), "what was not seen is recorded as such"
    cable.put_in()
    end_ms = system_now_ms() - 2 * SECOND_MS
    end_ms -= end_ms % SECOND_MS

    wait_until_complete(place, start_ms, end_ms, recorder)

    assert_says_what_prometheus_says(mesh, place, start_ms, end_ms)
    recording = vistio.Recording.open(place)
    assert recording.gaps(start_ms, end_ms).num_rows == 0
    assert [checked for checked in recording.verify() if checked.problems] == []
    recorder.wait_for_line(r"gap\.healed")
    url = re.search(r"metrics=(\S+)", recorder.log)
    assert url is not None
    healed = re.search(
        r"^vistio_record_healed_instants_total (\S+)$", requests.get(url[1], timeout=10).text, re.MULTILINE
    )
    assert healed is not None
    assert float(healed[1]) >= 4
    recorder.terminate()


def test_a_killed_recorder_heals_its_own_gap_when_it_is_back(mesh: Mesh) -> None:
    place = mesh.folder / "recording"
    config = mesh.configure(mesh.prometheus.url)
    recorder = mesh.record(config, place)
    start_ms = first_instant(place)
    os.kill(recorder.pid, signal.SIGKILL)
    recorder.wait(exit_code=-signal.SIGKILL)
    died_ms = last_instant(place)
    wait_until(lambda: system_now_ms() > died_ms + 6 * SECOND_MS, what="a few seconds without a recorder")
    again = mesh.record(config, place)
    end_ms = died_ms + 6 * SECOND_MS

    wait_until_complete(place, start_ms, end_ms, again)

    assert_says_what_prometheus_says(mesh, place, start_ms, end_ms)
    rows = vistio.Recording.open(place).instants(died_ms + 1, died_ms + 4 * SECOND_MS).to_pylist()
    assert [row["backfilled"] for row in rows] == [True] * 3
    again.terminate()


@pytest.mark.own_prometheus
def test_a_frozen_prometheus_is_asked_again_when_it_answers(mesh: Mesh) -> None:
    place = mesh.folder / "recording"
    recorder = mesh.record(mesh.configure(mesh.prometheus.url), place)
    start_ms = first_instant(place)
    mesh.prometheus.process.freeze()
    try:
        recorder.wait_for_line("outcome=timeout")
        wait_for_instants(place, 2, recorder)
    finally:
        mesh.prometheus.process.thaw()
    end_ms = last_instant(place)

    wait_until_complete(place, start_ms, end_ms, recorder)

    assert_says_what_prometheus_says(mesh, place, start_ms, end_ms)
    recorder.terminate()


@pytest.mark.own_prometheus
@pytest.mark.parametrize("how", ["frozen", "restarted"])
def test_what_is_recorded_live_when_prometheus_is_back_is_what_a_backfill_says(mesh: Mesh, how: str) -> None:
    """Its first answers are empty, with status 200: no traffic, or nobody looked?"""
    place = mesh.folder / "recording"
    config = mesh.configure(mesh.prometheus.url)
    recorder = mesh.record(config, place, delay="3s")
    wait_for_instants(place, 8, recorder)
    left_ms = last_instant(place)
    if how == "frozen":
        mesh.prometheus.process.freeze()
        wait_for_instants(place, 20, recorder)
        mesh.prometheus.process.thaw()
    else:
        mesh.prometheus.kill()
        wait_for_instants(place, 15, recorder)
        mesh.prometheus.start()
    back_ms = last_instant(place)
    wait_for_instants(place, 10, recorder)
    end_ms = last_instant(place) - SECOND_MS
    mesh.prometheus.wait_for(mesh.query(f"{GAUGES} and on () (vector(time()) >= {end_ms / 1000 + 3})"))

    later = mesh.folder / "later"
    mesh.backfill(config, later, left_ms, end_ms)

    def facts(of: Path) -> dict[int, tuple[set[str], list[tuple[object, ...]]]]:
        recording = vistio.Recording.open(of)
        rows = recording.sql(
            "select epoch_ms(instant), rule, source, target, status, rate from samples order by all"
        ).fetchall()
        answers = answered(of)
        return {
            ms: (answers.get(ms, set()), [row[1:] for row in rows if row[0] == ms])
            for ms in range(left_ms, end_ms, SECOND_MS)
        }

    def equal() -> bool:
        return facts(place) == facts(later)

    wait_until(equal, what=f"what a backfill says; {recorder.log[-3000:]}", timeout_s=60)
    quiet = [
        format_instant(ms)
        for ms, (rules, samples) in facts(place).items()
        if left_ms < ms < back_ms + 5 * SECOND_MS and rules and not samples
    ]
    assert quiet == [], "an instant of which nothing is known is never a quiet one"
    recorder.terminate()


@pytest.mark.own_prometheus
def test_what_a_dead_prometheus_did_not_collect_stays_a_gap_with_that_reason(mesh: Mesh) -> None:
    place = mesh.folder / "recording"
    config = mesh.configure(mesh.prometheus.url)
    recorder = mesh.record(config, place)
    wait_for_instants(place, 2, recorder)
    # The backfill below asks for five seconds before the death, and for the rates of five more.
    mesh.prometheus.wait_for(mesh.query(f"{GAUGES} offset 12s"))
    mesh.prometheus.kill()
    recorder.wait_for_line(r"rule\.failed")
    died_ms = last_instant(place)
    wait_for_instants(place, 13, recorder)
    back_ms = last_instant(place)
    mesh.prometheus.start()

    # The seconds next to its death and its return are not the point.
    dead = range(died_ms + 3 * SECOND_MS, back_ms - SECOND_MS, SECOND_MS)

    def explained() -> bool:
        reasons = unanswered(place)
        return all(reasons.get(ms) and all(error.startswith(NO_DATA) for error in reasons[ms]) for ms in dead)

    wait_until(explained, what=f"the reason of each instant; {recorder.log[-3000:]}", timeout_s=60)
    recording = vistio.Recording.open(place)
    gaps = recording.gaps(dead[0], dead[-1] + 1).to_pylist()
    assert [gap["missing"] for gap in gaps] == [len(dead)]
    assert NO_DATA in gaps[0]["reason"]
    live_again = recording.sql("select max(epoch_ms(instant)) from scrapes where outcome = 'ok'")
    assert live_again.fetchall()[0][0] > back_ms, "and it goes on"
    recorder.wait_for_line(r"gap\.stays")
    recorder.terminate()

    later = mesh.folder / "later"
    mesh.prometheus.wait_for(mesh.query(f"{GAUGES} offset 2s"))
    said = mesh.backfill(config, later, died_ms - 5 * SECOND_MS, back_ms)
    assert f"cannot be had: {NO_DATA}" in said
    times = {ms for ms in answered(later) if ms in dead}
    assert times == set(), "lookback shows the last values for minutes; that is not data"
    assert died_ms - 4 * SECOND_MS in answered(later)
