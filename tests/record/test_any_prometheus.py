"""Real servers of other kinds: Prometheus behind TLS and a password, VictoriaMetrics; and the options."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from support import prometheus as real_prometheus
from support.certificates import Certificates
from support.exporter import Exporter
from support.misbehaving import Request, configuration_text, serving, vector
from support.processes import RunProcess, wait_until
from support.prometheus import Prometheus
from support.victoria_metrics import PATH_PREFIX, VictoriaMetrics

from vistio_core import Recording
from vistio_core.configuration import Configuration, load, loads
from vistio_core.events import Outcome, Sample
from vistio_core.times import format_instant, system_now_ms
from vistio_record.cli import main
from vistio_record.sources.base import Evaluation, SourceOptions
from vistio_record.sources.prometheus import PrometheusSource

RULES = """\
clusterLevel:
  - cluster: mesh
    serviceConnections:
      - name: http
        query: sum(rate(requests_total[1m])) by (source, target, code)
        source: {label: source}
        target: {label: target}
        status: {label: code, dangerRegex: ^5..$}
      - name: gauge
        query: sum(rps) by (source, target, code)
        source: {label: source}
        target: {label: target}
        status: {label: code, dangerRegex: ^5..$}
"""


def evaluate(configuration: Configuration, instant_ms: int, **settings: str) -> Evaluation:
    with closing(PrometheusSource(SourceOptions(configuration, settings=settings))) as source:
        return source.evaluate(instant_ms, 10.0)


# Prometheus behind TLS and a password

WEB_CONFIG = """\
tls_server_config:
  cert_file: {cert}
  key_file: {key}
  client_ca_file: {ca}
  client_auth_type: RequireAndVerifyClientCert
basic_auth_users:
  vistio: $2b$04$qlAYBDsczwv9VtxI2XMLGe8NhIj34Dx1SVLeDNWF.R9kbnh6uF4HK  # hunter2
"""


@pytest.fixture
def guarded(tmp_path: Path, certificates: Certificates) -> Iterator[tuple[Prometheus, Path]]:
    """A Prometheus that wants a client certificate and a password, and an ``http_config`` file for it."""
    if not real_prometheus.installed():
        pytest.skip(real_prometheus.WITHOUT_BINARY)
    directory = tmp_path / "prometheus"
    directory.mkdir()
    cert, key = certificates.issue("server", "prometheus.example")
    client, client_key = certificates.issue("client")
    web_config = directory / "web.yml"
    web_config.write_text(WEB_CONFIG.format(cert=cert, key=key, ca=certificates.ca_file))
    # The test's own questions: whose certificate it is does not matter to them.
    options: dict[str, Any] = {"verify": False, "auth": ("vistio", "hunter2"), "cert": (client, client_key)}
    http_config = tmp_path / "http.yaml"
    (tmp_path / "password").write_text("hunter2\n")
    http_config.write_text(
        "basic_auth: {username: vistio, password_file: password}\n"
        f"tls_config: {{ca_file: certificates/{certificates.ca_file.name}, server_name: prometheus.example,"
        f" cert_file: {client}, key_file: {client_key}}}\n"
    )
    with Exporter() as exporter:
        exporter.gauge("rps", {"source": "a", "target": "b", "code": "200"}, 1.5)
        server = Prometheus(directory, exporter.address, web_config=web_config, **options)
        try:
            server.start()
            server.wait_for("rps")
            yield server, http_config
        finally:
            server.close()


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_a_prometheus_behind_tls_and_a_password_is_recorded_by_its_http_config(
    guarded: tuple[Prometheus, Path], tmp_path: Path, run_process: RunProcess, recording_dir: Path
) -> None:
    server, http_config = guarded
    config = tmp_path / "vistio.yaml"
    config.write_text(RULES)
    asked = ("--config", config, "--prometheus", server.url, "--http-config", http_config)
    checked = CliRunner().invoke(main, ["check", *map(str, asked)])
    assert (
        f"Asked {server.url}: basic authentication as 'vistio' (password) and client certificate"
        in checked.stdout
    )
    assert "gauge: ok, 1 series: 2 nodes, 1 edge (a > b)" in checked.stdout
    assert "hunter2" not in checked.output
    process = run_process(
        "vistio-record", "run", *asked, "--recording", recording_dir, "--port", "0", "--interval", "1s",
        "--timeout", "1s", "--delay", "200ms", "--log-level", "debug", "--heal", "0s",
    )  # fmt: skip
    wait_until(lambda: process.log.count("scrape.committed") >= 2, what="two scrapes")
    # The password is wrong for a while: not seen then (nothing is healed here), and seen again without a restart.
    (tmp_path / "password").write_text("hunter3")
    process.wait_for_line("HTTP 401 Unauthorized")
    (tmp_path / "password.new").write_text("hunter2")
    (tmp_path / "password.new").replace(tmp_path / "password")
    recording = Recording.open(recording_dir)

    def seen() -> list[bool]:
        return [bool(seen) for seen in recording.instants()["seen"].to_pylist()]

    wait_until(lambda: seen()[-1] and not all(seen()), what="a scrape that is seen after one that is not")
    log = process.terminate()
    assert "hunter" not in log
    for file in recording_dir.rglob("*"):
        assert not file.is_file() or b"hunter" not in file.read_bytes(), file
    kept = loads(recording.configuration().text)
    assert {rule.prometheus_url for _, rule in kept.rules()} == {server.url}


# VictoriaMetrics


def exposition(at_ms: int, *, in_ms: bool) -> str:
    """Half an hour of two counters and a gauge, each 10 s, up to ``at_ms``; VictoriaMetrics wants ms."""
    lines = []
    series = [
        ('requests_total{source="web",target="cart",code="200"}', 4.0),
        ('requests_total{source="web",target="cart",code="503"}', 0.25),
        ('requests_total{source="cart",target="stock",code="200"}', 12.5),
    ]
    times = range(at_ms - 1_800_000, at_ms + 1, 10_000)
    for name, rate_rps in series:
        lines += [f"{name} {(t - times[0]) / 1000 * rate_rps} {t if in_ms else t // 1000}" for t in times]
    if not in_ms:
        lines.insert(0, "# TYPE requests counter")
        lines.append("# TYPE rps gauge")
    lines += [
        f'rps{{source="web",target="cart",code="200"}} {t // 10_000 % 7 + 0.125} {t if in_ms else t // 1000}'
        for t in times
    ]
    return "\n".join(lines) + ("\n" if in_ms else "\n# EOF\n")


def test_the_same_configuration_records_the_same_rates_from_prometheus_and_victoria_metrics(
    victoria_metrics: VictoriaMetrics, tmp_path: Path
) -> None:
    if shutil.which("promtool") is None:
        pytest.skip("no `promtool` on PATH: it comes with Debian's package prometheus")
    at_ms = (system_now_ms() - 3_600_000) // 10_000 * 10_000
    directory = tmp_path / "prometheus"
    directory.mkdir()
    prometheus = Prometheus(directory, "127.0.0.1:1")
    prometheus.load(exposition(at_ms, in_ms=False))
    victoria_metrics.push(exposition(at_ms, in_ms=True))
    try:
        prometheus.start()
        for instant_ms in (at_ms - 600_000, at_ms - 5_000, at_ms):
            seen = [
                evaluate(loads(RULES, prometheus_url=url), instant_ms)
                for url in (prometheus.url, victoria_metrics.url)
            ]
            for one in seen:
                assert [(o.outcome, o.series, o.warnings) for o in one.outcomes] == [
                    (Outcome.OK, 3, ()),
                    (Outcome.OK, 1, ()),
                ]
            ours, theirs = (sorted(one.samples) for one in seen)
            assert [sample[:5] for sample in ours] == [sample[:5] for sample in theirs]
            assert [sample.rate for sample in ours] == pytest.approx(
                [sample.rate for sample in theirs], rel=1e-9
            )
            assert {sample.rate for sample in ours} >= {4.0, 0.25, 12.5}
    finally:
        prometheus.close()


def test_victoria_metrics_answers_for_its_latency_offset_ago_unless_the_scrape_is_late_enough(
    victoria_metrics: VictoriaMetrics,
) -> None:
    def push(age_ms: int, value: float) -> None:
        victoria_metrics.push(f'rps{{source="a",target="b",code="200"}} {value} {now_ms - age_ms}\n')

    def rate(url: str, age_ms: int) -> float:
        (sample,) = evaluate(loads(RULES, prometheus_url=url), now_ms - age_ms).samples
        return sample.rate

    now_ms = system_now_ms()
    push(60_000, 1.0)
    push(40_000, 2.0)
    push(5_000, 3.0)
    # With --delay 2s: the traffic of 30 s ago, which a backfill of the same instant would not find.
    assert rate(victoria_metrics.url, 2_000) == 2.0
    # With --delay 30s or more an instant shows what it had.
    assert rate(victoria_metrics.url, 41_000) == 1.0
    assert rate(victoria_metrics.url, 40_000) == 2.0
    # Or as the server is told not to.
    assert rate(f"{victoria_metrics.url}?nocache=1", 2_000) == 3.0
    assert rate(f"{victoria_metrics.url}?nocache=1", 6_000) == 2.0


def test_a_query_that_victoria_metrics_refuses_says_why(victoria_metrics: VictoriaMetrics) -> None:
    broken = evaluate(loads(configuration_text(victoria_metrics.url, "'sum(rps'")), system_now_ms())
    assert broken.outcomes[0].outcome is Outcome.FAILED
    assert "HTTP 422 Unprocessable Entity, Prometheus answers 422: " in broken.outcomes[0].error
    assert "unexpected token" in broken.outcomes[0].error


def test_the_path_prefix_that_is_missing_is_told(victoria_metrics: VictoriaMetrics) -> None:
    url = victoria_metrics.url.removesuffix(PATH_PREFIX)
    failed = evaluate(loads(configuration_text(url, "rps")), system_now_ms())
    assert "does prometheusURL lead to a Prometheus, with its path prefix?" in failed.outcomes[0].error


HALF = {"source": "a", "target": "b", "code": "200"}, "1"
REMARKS = ["PromQL warning: a mix of histograms and floats", "PromQL info: metric might not be a counter"]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"isPartial": True}, "the server calls this answer partial (isPartial)"),
        ({"warnings": ["store-1: connection refused"]}, "store-1: connection refused"),
        ({"warnings": [*REMARKS, "s1 is gone", "s2 is gone"], "isPartial": True}, "s1 is gone (and 1 more)"),
    ],
    ids=["VictoriaMetrics", "Thanos", "both, among remarks"],
)
def test_a_partial_answer_is_none_since_what_it_does_not_have_was_not_seen(
    said: dict[str, object], why: str
) -> None:
    with serving(lambda request: request.answer(vector(HALF, **said))) as url:
        seen = evaluate(loads(configuration_text(url, "rps")), system_now_ms())
        accepted = evaluate(loads(configuration_text(url, "rps")), system_now_ms(), partial="accept")
    assert len(seen.samples) == 0
    assert seen.outcomes[0].outcome is Outcome.FAILED
    assert seen.outcomes[0].error == (
        f"{url}: the answer is partial, so what it does not have was not seen: {why}"
    )
    assert accepted.samples == (Sample("mesh", "rps", "a", "b", "200", 1.0),)
    assert accepted.outcomes[0].outcome is Outcome.OK
    assert accepted.outcomes[0].warnings


def test_what_promql_remarks_about_a_query_makes_no_answer_partial() -> None:
    said = {"warnings": REMARKS[:1], "infos": REMARKS[1:]}
    with serving(lambda request: request.answer(vector(HALF, **said))) as url:
        seen = evaluate(loads(configuration_text(url, "rps")), system_now_ms())
    assert seen.samples == (Sample("mesh", "rps", "a", "b", "200", 1.0),)
    assert seen.outcomes[0].warnings == tuple(REMARKS)


# The options


@pytest.fixture
def invoke(tmp_path: Path) -> Callable[..., tuple[int, str]]:
    (tmp_path / "vistio.yaml").write_text(RULES)

    def run(command: str, *arguments: object) -> tuple[int, str]:
        result = CliRunner().invoke(main, [command, *map(str, arguments)])
        return result.exit_code, result.output

    return run


def test_check_says_as_json_who_was_asked_with_what(
    tmp_path: Path, invoke: Callable[..., tuple[int, str]]
) -> None:
    (tmp_path / "http.yaml").write_text(
        "authorization: {credentials: hunter2}\nhttp_headers: {X-Scope-OrgID: {values: [a]}}\n"
    )
    with serving(lambda request: request.answer(vector(({"source": "a", "target": "b"}, "1")))) as url:
        code, output = invoke(
            "check", "--config", tmp_path / "vistio.yaml", "--prometheus", url, "--http-config",
            tmp_path / "http.yaml", "--json",
        )  # fmt: skip
    assert code == 0
    assert json.loads(output[output.index("{") :])["servers"] == [
        {"url": url, "asked_with": ["Bearer token", "headers X-Scope-OrgID"]}
    ]
    assert "hunter2" not in output


def test_the_file_of_the_option_is_for_what_has_no_http_config_of_its_own(
    tmp_path: Path, invoke: Callable[..., tuple[int, str]]
) -> None:
    seen: list[str] = []

    def handle(request: Request) -> None:
        seen.append(request.headers["Authorization"])
        request.answer(vector())

    http = tmp_path / "http.yaml"
    http.write_text("authorization: {credentials: option}\n")
    config = tmp_path / "vistio.yaml"
    with serving(handle) as url, serving(handle) as other:
        arguments = ("check", "--config", config, "--prometheus", url, "--http-config", http)
        config.write_text(RULES + "http_config: {authorization: {credentials: file}}\n")
        invoke(*arguments)
        assert set(seen) == {"Bearer file"}
        seen.clear()
        config.write_text(
            RULES.replace("rps) by", "rps) by ").replace(
                "name: gauge", f"name: gauge\n        prometheusURL: {other}"
            )
            + f"servers: [{{url: '{other}', http_config: {{authorization: {{credentials: own}}}}}}]\n"
        )
        invoke(*arguments)
        assert set(seen) == {"Bearer option", "Bearer own"}


def test_wrong_options_are_wrong_usage_with_every_problem_and_no_secret(
    tmp_path: Path, invoke: Callable[..., tuple[int, str]]
) -> None:
    config = tmp_path / "vistio.yaml"
    code, output = invoke("check", "--config", config, "--prometheus", "nowhere")
    assert code == 2
    assert "--prometheus: found 'nowhere'; write the address of a Prometheus server" in output
    for option, value in (("--prometheus", "http://a"), ("--http-config", config)):
        code, output = invoke("check", option, value)
        assert code == 2
        assert f"{option} is for the servers of a configuration; name its file with --config" in output
    http = tmp_path / "http.yaml"
    http.write_text("basic_auth: {password: hunter2}\nbaerer: x\n")
    code, output = invoke("check", "--config", config, "--prometheus", "http://a", "--http-config", http)
    assert code == 1
    assert "http.yaml:1: basic_auth: has no user" in output
    assert "http.yaml:2: baerer: unknown key" in output
    assert "hunter2" not in output
    http.write_text("authorization: {credentials_file: nowhere}\ntls_config: {ca_file: nowhere-either}\n")
    for command in ("check", "run", "backfill"):
        more = () if command == "check" else ("--recording", tmp_path / "recording")
        more += ("--start", "-1m") if command == "backfill" else ()
        arguments = ("--config", config, "--prometheus", "https://a", "--http-config", http, *more)
        code, output = invoke(command, *arguments)
        assert code == 2
        where = "https://a: authorization.credentials_file"
        assert f"{where} {tmp_path / 'nowhere'} cannot be read: No such file or directory" in output


def test_backfill_asks_the_server_of_the_option_and_the_recording_knows_it(
    victoria_metrics: VictoriaMetrics, tmp_path: Path, invoke: Callable[..., tuple[int, str]]
) -> None:
    at_ms = (system_now_ms() - 3_600_000) // 10_000 * 10_000
    victoria_metrics.push(exposition(at_ms, in_ms=True))
    code, output = invoke(
        "backfill", "--config", tmp_path / "vistio.yaml", "--prometheus", victoria_metrics.url,
        "--recording", tmp_path / "recording", "--interval", "10s",
        "--start", format_instant(at_ms - 50_000), "--end", format_instant(at_ms),
    )  # fmt: skip
    assert code == 0, output
    recording = Recording.open(tmp_path / "recording")
    assert recording.instants().num_rows == 5
    assert load(tmp_path / "vistio.yaml", prometheus_url=victoria_metrics.url) == recording.configuration()


def test_the_file_of_http_config_is_read_again_when_it_changes_and_a_wrong_one_changes_nothing(
    tmp_path: Path, run_process: RunProcess, recording_dir: Path
) -> None:
    seen: set[str] = set()

    def handle(request: Request) -> None:
        seen.add(request.headers["Authorization"])
        request.answer(vector())

    (tmp_path / "vistio.yaml").write_text(RULES)
    http = tmp_path / "http.yaml"
    http.write_text("authorization: {credentials: first}\n")
    with serving(handle) as url:
        process = run_process(
            "vistio-record", "run", "--config", tmp_path / "vistio.yaml", "--prometheus", url, "--http-config",
            http, "--recording", recording_dir, "--port", "0", "--interval", "1s", "--timeout", "1s",
        )  # fmt: skip
        wait_until(lambda: "Bearer first" in seen, what="a question with the first token")
        http.write_text("authorization: {}\n")
        process.wait_for_line("configuration.refused")
        http.write_text("authorization: {credentials: other}\n")
        wait_until(lambda: "Bearer other" in seen, what="a question with the other token")
        log = process.terminate()
    assert "has no credentials; add one of credentials, credentials_file, credentials_env" in log
    assert seen == {"Bearer first", "Bearer other"}
