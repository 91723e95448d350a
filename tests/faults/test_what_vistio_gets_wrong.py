"""The fourteen ways in which Vistio was seen to fail, each through a real recorder and a real server.

One test for each number; its docstring says first what Vistio does, then where more of the same is
tested. A scripted server plays Prometheus, so that each test decides what it answers; with a real
Prometheus numbers 1, 2 and 7 are in `tests/end_to_end/test_prometheus_to_graph.py`.
"""

from __future__ import annotations

import os
import random
import re
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs
import pytest
import requests
from support.disks import Disk
from support.exporter import OwnSeries
from support.misbehaving import Request, serving, vector
from support.processes import RunningProcess, RunProcess, wait_until
from support.prometheus import Prometheus
from support.recorders import answered, committed, start_recorder, wait_for_commits
from support.scrapes import INTERVAL_MS, START_MS, edges, mesh, scrape
from werkzeug.test import Client

from vistio_core import Recording
from vistio_core.times import MINUTE_MS, SECOND_MS, format_instant, parse_instant
from vistio_serve import create_app

EXAMPLES = Path(__file__).parents[2] / "examples" / "configurations"
RECORDER_INTERVAL = ("--interval", "500ms", "--timeout", "400ms", "--delay", "0s", "--port", "0")

INGRESS = vector(({"code": "200"}, "90"), ({"code": "503"}, "7"))
HTTP = vector(
    ({"source": "gateway", "target": "shop", "code": "200"}, "80"),
    ({"source": "shop", "target": "stock", "code": "200"}, "40"),
    ({"source": "shop", "target": "stock", "code": "500"}, "2"),
)
QUIET = vector()
NORMAL = {"ingress_rate": INGRESS, "http_rate": HTTP, "saturation": QUIET}
Edge = tuple[str, str, str]


@attrs.define
class Mesh:
    """A scripted Prometheus, recorded by a real recorder, served by a real server."""

    answers: dict[str, str | Callable[[Request], None]]
    recorder: RunningProcess
    recording: Path
    configuration: Path
    url: str

    def get(self, path: str = "graph", **parameters: object) -> requests.Response:
        return requests.get(self.url + path, params={k: str(v) for k, v in parameters.items()}, timeout=10)

    def wait_for(self, holds: Callable[[Mapping[str, Any]], bool], what: str) -> dict[str, Any]:
        """The first live graph that ``holds``."""
        graphs: list[dict[str, Any]] = [{}]

        def seen() -> bool:
            response = self.get()
            graphs.append(response.json())
            return response.status_code == 200 and holds(graphs[-1])

        wait_until(seen, what=f"{what}; the last graph:\n{graphs[-1]}\n{self.recorder.log[-2000:]}")
        return graphs[-1]

    def metric(self, name: str) -> float:
        url = re.findall(r"metrics=(http\S+)", self.recorder.log)[0]
        [value] = re.findall(rf"^{re.escape(name)} (\S+)$", requests.get(url, timeout=10).text, re.MULTILINE)
        return float(value)


def instant_of(graph: Mapping[str, Any]) -> int:
    return parse_instant(graph["metadata"]["vistio"]["instant"], now_ms=0)


def failed(graph: Mapping[str, Any]) -> set[tuple[str, str]]:
    return {(rule["cluster"], rule["rule"]) for rule in graph["metadata"]["vistio"]["failed_rules"]}


def edges_of(graph: Mapping[str, Any]) -> dict[Edge, dict[str, float]]:
    levels = [("", graph["connections"]), *((node["name"], node["connections"]) for node in graph["nodes"])]
    return {
        (cluster, edge["source"], edge["target"]): edge["metrics"]
        for cluster, connections in levels
        for edge in connections
        if not edge["metadata"].get("vistio", {}).get("synthetic")
    }


def record_mesh(run: RunProcess, configuration: Path, recording: Path, *arguments: object) -> RunningProcess:
    return run(
        "vistio-record", "run", "--config", configuration, "--recording", recording,
        *RECORDER_INTERVAL, *arguments,
    )  # fmt: skip


def serve(run: RunProcess, recording: Path) -> str:
    process = run("vistio-serve", "--recording", recording, "--port", 0)
    url: str = process.wait_for_line(r"(http://\S+)").group(1)
    return url


@pytest.fixture
def live(tmp_path: Path, recording_dir: Path, run_process: RunProcess) -> Iterator[Mesh]:
    answers: dict[str, str | Callable[[Request], None]] = dict(NORMAL)

    def answer(request: Request) -> None:
        with_this = answers[request.form["query"]]
        if callable(with_this):
            with_this(request)
        else:
            request.answer(with_this)

    with serving(answer) as url:
        configuration = tmp_path / "vistio.yaml"
        configuration.write_text(mesh().text.replace("http://127.0.0.1:9090", url))
        recorder = record_mesh(run_process, configuration, recording_dir)
        wait_for_commits(recorder)
        yield Mesh(answers, recorder, recording_dir, configuration, serve(run_process, recording_dir))


ALL_EDGES = {("", "INTERNET", "mesh"), ("mesh", "gateway", "shop"), ("mesh", "shop", "stock")}


def test_01_a_frozen_prometheus_is_not_an_empty_mesh(live: Mesh) -> None:
    """Vistio: with Prometheus dead or frozen it answers 200, no nodes, a fresh time, and counts a success."""
    live.wait_for(lambda graph: edges_of(graph).keys() == ALL_EDGES, "the whole mesh")
    for query in NORMAL:
        live.answers[query] = Request.hang
    rules = {("", "ingress"), ("mesh", "http"), ("mesh", "saturation")}
    graph = live.wait_for(lambda graph: failed(graph) == rules, "three rules that were not answered")
    assert edges_of(graph).keys() == ALL_EDGES, "what was last seen, and how old it is"
    assert graph["metadata"]["vistio"]["age_s"] > 0
    unseen = live.metric('vistio_record_scrapes_total{outcome="unseen"}')
    assert unseen >= 1
    newest = instant_of(graph)
    seen = [row for row in Recording.open(live.recording).instants().to_pylist() if row["seen"]]
    assert round(seen[-1]["instant"].timestamp() * 1000) == newest, "nothing was stored as an empty mesh"


def test_02_a_quiet_gateway_leaves_the_services_standing(live: Mesh) -> None:
    """Vistio: no traffic at the gateway makes the global query empty, and the whole graph with it."""
    live.answers["ingress_rate"] = QUIET
    graph = live.wait_for(
        lambda graph: edges_of(graph).keys() == ALL_EDGES - {("", "INTERNET", "mesh")}, "services only"
    )
    assert failed(graph) == set(), "quiet is not unseen"


def test_03_a_level_whose_query_fails_is_named_and_the_other_stays(live: Mesh) -> None:
    """Vistio: one failing query empties its level, with 200 and success."""
    live.answers["http_rate"] = lambda request: request.answer("no", 500)
    graph = live.wait_for(lambda graph: failed(graph) == {("mesh", "http")}, "the failed rule by name")
    assert ("", "INTERNET", "mesh") in edges_of(graph)
    assert live.metric('vistio_record_rule_failures_total{cluster="mesh",outcome="failed",rule="http"}') >= 1


def test_04_kill_9_loses_nothing_and_no_answer_comes_from_the_future(
    live: Mesh, run_process: RunProcess
) -> None:
    """Vistio: loses four minutes, then answers for a lost instant with one 193 s after it.

    Random moments and many rounds: `test_recorder_killed.py`.
    """
    wait_for_commits(live.recorder, 3)
    os.kill(live.recorder.pid, signal.SIGKILL)
    live.recorder.wait(exit_code=-signal.SIGKILL)
    acknowledged = committed(live.recorder.log)
    again = record_mesh(run_process, live.configuration, live.recording)
    wait_for_commits(again)
    for asked_ms in [instant + ms for instant in acknowledged for ms in (0, 1, 499)]:
        graph = live.get(at=format_instant(asked_ms))
        assert graph.status_code == 200
        assert instant_of(graph.json()) <= asked_ms
    for instant_ms in answered(live.recorder.log):
        assert instant_of(live.get(at=format_instant(instant_ms)).json()) == instant_ms


def test_05_in_a_gap_the_answer_says_its_age_or_what_is_nearest(
    recording_dir: Path, run_process: RunProcess
) -> None:
    """Vistio: in a gap it answers 77 s older, 267 s older, or 90 s in the future, with 200 and no hint."""
    with Recording.open(recording_dir, create=True).writer() as writer:
        writer.put_configuration(mesh())
        last_before, first_after = START_MS + INTERVAL_MS, START_MS + 20 * MINUTE_MS
        for instant_ms in (START_MS, last_before, first_after):
            writer.commit(scrape(instant_ms, {"a>b 200": 1.0}))
    url = serve(run_process, recording_dir)

    def ask(at_ms: int) -> requests.Response:
        return requests.get(f"{url}graph", params={"at": format_instant(at_ms)}, timeout=10)

    for age_ms in (0, 77 * SECOND_MS, 267 * SECOND_MS, 5 * MINUTE_MS - 1):
        graph = ask(last_before + age_ms).json()
        assert instant_of(graph) == last_before
        assert graph["metadata"]["vistio"]["age_s"] == age_ms / 1000
    for at_ms in (last_before + 5 * MINUTE_MS, first_after - 90 * SECOND_MS, first_after - 1):
        answer = ask(at_ms)
        assert answer.status_code == 404
        problem = answer.json()
        assert (problem["before"], problem["after"]) == (
            format_instant(last_before),
            format_instant(first_after),
        )
        assert problem["reason"] == "the recorder was not running"
    assert instant_of(ask(first_after).json()) == first_after


def test_06_a_full_disk_is_no_success_and_nothing_is_torn(disk: Disk, run_process: RunProcess) -> None:
    """Vistio: killed while saving it leaves a torn file; on a full disk it loses the chunk and reports success.

    More of full disks: `test_disk_full.py`; of killing between any two steps: `tests/storage/test_killed.py`.
    """
    place = disk.path / "recording"
    recorder = start_recorder(run_process, place)
    wait_for_commits(recorder, 2)
    disk.fill()
    recorder.wait_for_line(r"commit\.failed.*No space left")
    metrics = re.findall(r"metrics=(http\S+)", recorder.log)[0]
    lost = re.findall(r'scrapes_total\{outcome="lost"\} (\S+)', requests.get(metrics, timeout=10).text)
    assert float(lost[0]) >= 1
    os.kill(recorder.pid, signal.SIGKILL)
    recorder.wait(exit_code=-signal.SIGKILL)
    recording = Recording.open(place)
    assert [checked for checked in recording.verify() if checked.problems] == []
    for instant_ms in answered(recorder.log):
        assert recording.graph(instant_ms).instant_ms == instant_ms


def test_07_nan_and_inf_cost_their_own_series_only(live: Mesh) -> None:
    """Vistio: one NaN or Inf among the rates, and there is no graph at all for that instant."""
    labels = {"source": "shop", "target": "cache", "code": "200"}
    for value in ("NaN", "+Inf", "-Inf"):
        live.answers["http_rate"] = vector(
            ({"source": "gateway", "target": "shop", "code": "200"}, "80.5"), (labels, value)
        )
        graph = live.wait_for(
            lambda graph: edges_of(graph).get(("mesh", "gateway", "shop"), {}).get("normal") == 80.5,
            f"the finite edge beside {value}",
        )
        assert ("mesh", "shop", "cache") not in edges_of(graph)
        assert failed(graph) == set()
        dropped = Recording.open(live.recording).instants()["dropped"].to_pylist()[-1]
        assert dropped == 1
        live.answers["http_rate"] = QUIET
        live.wait_for(lambda graph: ("mesh", "gateway", "shop") not in edges_of(graph), "quiet in between")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is empty"),
        (mesh().text.replace("source: {label: source}", ""), "source"),
        (mesh().text + "clusterLevels: []\n", "clusterLevels"),
    ],
    ids=["empty", "without source", "unknown key"],
)
def test_08_a_configuration_that_cannot_work_is_told_before_anything_is_recorded(
    text: str, told: str, tmp_path: Path, recording_dir: Path, run_process: RunProcess
) -> None:
    """Vistio: takes a rule without source and crashes on it later; takes empty files and unknown keys."""
    configuration = tmp_path / "vistio.yaml"
    configuration.write_text(text)
    recorder = record_mesh(run_process, configuration, recording_dir)
    if told == "clusterLevels":
        recorder.wait_for_line(r"configuration\.noted .*path=clusterLevels\b")
        return  # it does no harm, and it is told
    log = recorder.wait(exit_code=1)
    assert told in log
    assert str(configuration) in log
    assert "Traceback" not in log
    assert not recording_dir.exists()


def test_08_many_clusters_at_once_do_not_crash_it(
    tmp_path: Path, recording_dir: Path, run_process: RunProcess
) -> None:
    """Vistio: with many clusters concurrent map writes crash it."""
    with serving(lambda request: request.answer(HTTP)) as url:
        rule = (
            "    serviceConnections:\n      - {{name: http, query: q{0}, prometheusURL: '{1}',"
            " source: {{label: source}}, target: {{label: target}}, status: {{label: code}}}}\n"
        )
        configuration = tmp_path / "vistio.yaml"
        configuration.write_text(
            "clusterLevel:\n"
            + "".join(f"  - cluster: cluster-{n}\n" + rule.format(n, url) for n in range(60))
        )
        recorder = run_process(
            "vistio-record", "run", "--config", configuration, "--recording", recording_dir,
            "--interval", "2s", "--timeout", "2s", "--delay", "0s", "--port", 0,
        )  # fmt: skip
        acknowledged = wait_for_commits(recorder, 3)
        recorder.terminate()
    graph = Recording.open(recording_dir).graph(acknowledged[-1])
    seen = {region.name for region in graph.regions if len(region.edges) == 2}
    late = {failed.cluster for failed in graph.failed_rules}  # on a busy machine
    assert len(seen | late) == 60
    assert len(seen) > 30


def test_09_services_that_do_not_match_are_dropped_and_slashes_keep_edges_apart(
    live: Mesh, run_process: RunProcess, tmp_path: Path
) -> None:
    """Vistio: services that a regex does not match are all one with an empty name; a/b>c and a>b/c are one edge."""
    live.answers["http_rate"] = vector(
        ({"source": "a/b", "target": "c", "code": "200"}, "1"),
        ({"source": "a", "target": "b/c", "code": "200"}, "2"),
    )
    graph = live.wait_for(lambda graph: ("mesh", "a/b", "c") in edges_of(graph), "names with slashes")
    assert edges_of(graph)["mesh", "a/b", "c"]["normal"] == 1
    assert edges_of(graph)["mesh", "a", "b/c"]["normal"] == 2

    live.answers["http_rate"] = vector(
        ({"source": "svc-a", "target": "svc-b", "code": "200"}, "3"),
        ({"source": "other", "target": "svc-b", "code": "200"}, "5"),
        ({"source": "stranger", "target": "svc-b", "code": "200"}, "7"),
    )
    configuration = tmp_path / "regex.yaml"
    configuration.write_text(
        live.configuration.read_text().replace(
            "source: {label: source}", 'source: {label: source, regex: "svc-(.*)", replacement: "$1"}'
        )
    )
    recorder = record_mesh(run_process, configuration, tmp_path / "regex")
    acknowledged = wait_for_commits(recorder)
    recorder.terminate()
    recording = Recording.open(tmp_path / "regex")
    found = recording.graph(acknowledged[-1]).region("mesh")
    assert [(edge.source, edge.target, edge.rates.normal) for edge in found.edges] == [("a", "svc-b", 3.0)]
    reasons = recording.sql("select dropped_by_reason from scrapes where rule = 'http'").fetchall()
    assert reasons[-1] == ('{"regex does not match source":2}',) or "regex" in reasons[-1][0]


@pytest.mark.own_prometheus
def test_10_the_istio_example_counts_each_request_once(
    exporter: OwnSeries, prometheus: Prometheus, recording_dir: Path, run_process: RunProcess, tmp_path: Path
) -> None:
    """Vistio: the stock query shows each service under two names and counts 2,568 requests where 1,267 were."""
    for reporter in ("source", "destination"):  # both sidecars of a request report it
        for source, target, rate_rps in (("shop", "stock", 30.0), ("gateway", "shop", 50.0)):
            labels = {
                "reporter": reporter, "source_workload": f"{source}-v1", "source_app": source,
                "source_canonical_service": source, "destination_canonical_service": target,
                "destination_service_name": target, "destination_workload": f"{target}-v1",
                "destination_app": target, "response_code": "200",
            }  # fmt: skip
            exporter.counter("istio_requests_total", labels, rate_rps=rate_rps)
    truth = 'sum(rate(istio_requests_total{reporter="destination"}[1m]))'
    # The recorder asks for a second ago: every series needs two scrapes before that.
    each = 'rate(istio_requests_total{reporter="destination"}[1m] offset 4s) > 1'
    prometheus.wait_for(each, lambda series: len(series) == 2)
    configuration = tmp_path / "istio.yaml"
    configuration.write_text(
        re.sub(r"http://prometheus\.istio-system:9090", prometheus.url, (EXAMPLES / "istio.yaml").read_text())
    )
    recorder = run_process(
        "vistio-record", "run", "--config", configuration, "--recording", recording_dir,
        "--interval", "1s", "--timeout", "1s", "--delay", "1s", "--port", 0,
    )  # fmt: skip
    wait_until(lambda: bool(answered(recorder.log)), what="an instant whose rules were all answered")
    instant_ms = answered(recorder.log)[-1]
    recorder.terminate()
    region = Recording.open(recording_dir).graph(instant_ms).region("istio-mesh")
    assert {node.name for node in region.nodes} == {"gateway", "shop", "stock"}
    [expected] = prometheus.query(truth, time_ms=instant_ms)
    total = sum(edge.rates.normal for edge in region.edges)
    assert total == pytest.approx(float(expected["value"][1]), rel=1e-9)


def test_11_nodes_and_edges_have_one_order_whatever_order_they_come_in(live: Mesh) -> None:
    """Vistio: nodes and edges come in another random order with each scrape."""
    series = [
        ({"source": f"s{n % 7}", "target": f"t{n}", "code": code}, f"{n + 1}")
        for n in range(30)
        for code in ("200", "500")
    ]
    choose, drawn = random.Random(11), []
    for number in range(3):
        choose.shuffle(series)
        marked = [*series, ({"source": f"mark-{number}", "target": "t0", "code": "200"}, "1")]
        choose.shuffle(marked)
        live.answers["http_rate"] = vector(*marked)
        graph = live.wait_for(
            lambda graph, number=number: ("mesh", f"mark-{number}", "t0") in edges_of(graph),
            "the marked edge",
        )
        [region] = [node for node in graph["nodes"] if node["name"] == "mesh"]
        names = [node["name"] for node in region["nodes"] if not node["name"].startswith("mark-")]
        pairs = [(edge["source"], edge["target"], edge["metrics"]) for edge in region["connections"]]
        drawn.append((names, [pair for pair in pairs if not pair[0].startswith("mark-")]))
    assert drawn[0] == drawn[1] == drawn[2]
    assert len(drawn[0][1]) == 30


def test_12_http_is_used_as_it_is_meant(live: Mesh) -> None:
    """Vistio: any method on any path is 200, and it listens on all interfaces.

    Its errors name paths of the server, it neither compresses nor lets anyone cache, and a half-sent
    request stays open for ever. More: `tests/serve`.
    """
    graph = live.wait_for(lambda graph: edges_of(graph).keys() == ALL_EDGES, "the whole mesh")
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        refused = requests.request(method, live.url + "graph", timeout=10)
        assert (refused.status_code, refused.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")
    assert live.get("no/such/path").status_code == 404
    for answer in (live.get(at="yesterday"), live.get(offset="x"), live.get(at="1971-01-01T00:00:00Z")):
        assert answer.headers["Content-Type"].startswith("application/problem+json")
        assert str(live.recording) not in answer.text
    at = graph["metadata"]["vistio"]["instant"]
    first = live.get(at=at)
    assert "Cache-Control" in first.headers
    again = requests.get(
        live.url + "graph", params={"at": at}, headers={"If-None-Match": first.headers["ETag"]}, timeout=10
    )
    assert again.status_code == 304
    assert live.get(at=at).headers.get("Content-Encoding") == "gzip"
    host, port = live.url.removeprefix("http://").rstrip("/").split(":")
    assert host == "127.0.0.1"
    others = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
    for address in others - {"127.0.0.1"}:
        with pytest.raises(OSError), socket.create_connection((address, int(port)), timeout=2):  # noqa: PT011
            pass
    with socket.create_connection((host, int(port)), timeout=60) as half:
        half.sendall(b"GET /graph HTTP/1.1\r\nHost: x\r\nX-Half: ")
        # A half-sent request is ended by the server, and held up nobody until then.
        assert live.get().status_code == 200
        assert b" 200 " not in half.recv(1000)


def test_13_a_huge_offset_never_comes_out_at_the_present(live: Mesh) -> None:
    """Vistio: offset=18446744074 overflows, and the live graph is answered."""
    for offset in ("18446744074", "18446744073709551616", "9" * 40):
        answer = live.get(offset=offset)
        assert answer.status_code in (400, 404), offset
        assert answer.headers["Content-Type"].startswith("application/problem+json")


def test_14_a_second_ago_is_there_also_while_five_minutes_are_tidied_up(recording_dir: Path) -> None:
    """Vistio: for some seconds after each five-minute boundary, offset=1 is 404."""
    boundary_ms = START_MS + 5 * MINUTE_MS
    recording = Recording.open(recording_dir, create=True, clock=lambda: boundary_ms + 30 * SECOND_MS)
    with recording.writer() as writer:
        writer.put_configuration(mesh())
        for instant_ms in range(START_MS, boundary_ms + 30 * SECOND_MS, INTERVAL_MS):
            rates = edges({f"front>service-{n} 200": 1.0 + n for n in range(20)})
            writer.commit(scrape(instant_ms, rates))
        now_ms = [boundary_ms]
        client = Client(create_app(recording, now_ms=lambda: now_ms[0]))
        over, wrong, asked = threading.Event(), [], [0]

        def ask_all_the_time() -> None:
            while not over.is_set():
                for second in range(30):
                    now_ms[0] = boundary_ms + second * SECOND_MS
                    answer = client.get("/graph?offset=1")
                    asked[0] += 1
                    expected = now_ms[0] - SECOND_MS
                    if (
                        answer.status_code != 200
                        or instant_of(answer.json) != expected - expected % INTERVAL_MS
                    ):
                        wrong.append((second, answer.status_code, answer.text[:200]))

        thread = threading.Thread(target=ask_all_the_time)
        thread.start()
        try:
            wait_until(lambda: asked[0] > 60, what="answers before the merge")
            assert writer.merge(boundary_ms + 30 * SECOND_MS) == 30
            merged = asked[0]
            wait_until(lambda: asked[0] > merged + 60, what="answers after the merge")
        finally:
            over.set()
            thread.join(30)
    assert wrong == []


def test_every_one_of_the_fourteen_has_its_test() -> None:
    """The list of peers' failures has fourteen numbers; so has this file."""
    numbers = {
        int(found) for found in re.findall(r"^def test_(\d\d)_", Path(__file__).read_text(), re.MULTILINE)
    }
    assert numbers == set(range(1, 15))
