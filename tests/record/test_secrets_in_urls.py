"""A secret in a server's address is sent to that server, and is found nowhere else: real processes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import requests
from support.misbehaving import Request, configuration_text, serving, vector
from support.processes import RunProcess, wait_until

from vistio_core import Recording
from vistio_core.configuration import loads
from vistio_core.events import Outcome
from vistio_record.sources.base import SourceOptions
from vistio_record.sources.prometheus import PrometheusSource

INSTANT_MS = 1_763_873_400_000
PLACES = [
    "/?token={}",
    "/?tenant=a&X-Amz-Signature={}&dedup=true",
    "/token/{}/prometheus",
    "/?api_key={}#{}",
    "/?{}",
]
SECRET = "hunter2+%2F"


@pytest.fixture
def echoing() -> Iterator[tuple[str, list[Request]]]:
    """A server that answers whoever knows the secret, and repeats it to everybody."""
    seen: list[Request] = []

    def handle(request: Request) -> None:
        seen.append(request)
        if SECRET not in request.path:
            request.answer("who are you?", status=403)
        elif request.form.get("query") == "wrong":
            said = f"bad_data, asked {request.path} with hunter2 /, that is http://p/?token=hunter2"
            body = json.dumps({"status": "error", "errorType": "bad_data", "error": said})
            request.answer(body, status=400)
        else:
            request.answer(vector(({"source": "a", "target": "b", "code": "200"}, "1")))

    with serving(handle) as url:
        yield url, seen


def rules(url: str) -> str:
    wrong = configuration_text(url, "wrong").replace("globalLevel", "ignored").replace("mesh", "other")
    notice = f"""\
    serviceNotices:
      - title: 'above {{{{ .value }}}}'
        query: up
        prometheusURL: {url}
        severityThreshold: {{info: 0.5}}
        service: {{label: source}}
"""
    return configuration_text(url, "up") + notice + wrong.partition("clusterLevel:\n")[2]


@pytest.mark.parametrize("place", PLACES)
def test_the_secret_is_sent_and_no_error_has_it(place: str, echoing: tuple[str, list[Request]]) -> None:
    server, seen = echoing
    url = server + place.format(SECRET, SECRET)
    with closing(PrometheusSource(SourceOptions(loads(rules(url))))) as source:
        queries = [rule.query for _, rule in source.configuration.rules()]
        outcomes = source.evaluate(INSTANT_MS, 5).outcomes
    by_query = dict(zip(queries, outcomes, strict=True))
    assert by_query["up"].outcome is Outcome.OK
    assert by_query["wrong"].outcome is Outcome.FAILED
    assert "bad_data" in by_query["wrong"].error
    assert "hunter2" not in by_query["wrong"].error
    assert all(SECRET in request.path for request in seen)


@pytest.mark.parametrize("place", PLACES)
def test_no_file_page_or_log_has_it(
    place: str, echoing: tuple[str, list[Request]], run_process: RunProcess, tmp_path: Path
) -> None:
    config, recording = tmp_path / "vistio.yaml", tmp_path / "recording"
    config.write_text(rules(echoing[0] + place.format(SECRET, SECRET)))
    checked = run_process("vistio-record", "check", "-v", "--config", config).wait(exit_code=1)
    assert "up" in checked
    recorder = run_process(
        "vistio-record", "run", "--config", config, "--recording", recording, "--port", 0,
        "--interval", "1s", "--timeout", "1s", "--delay", "100ms", "--log-level", "debug",
    )  # fmt: skip
    metrics_url = recorder.wait_for_line(r"metrics=(http\S+)")[1]
    wait_until(lambda: recorder.log.count("scrape.committed") >= 2, what="two scrapes")
    server = run_process("vistio-serve", "--recording", recording, "--port", 0)
    served_url = server.wait_for_line(r"(http://\S+)").group(1)
    pages = [
        requests.get(served_url + path, timeout=20) for path in ("config", "graph", "instants?start=-1h")
    ]
    assert [page.status_code for page in pages] == [200, 200, 200]
    assert "/graph?" in pages[1].text  # a notice's link to Prometheus
    pages.append(requests.get(metrics_url, timeout=20))
    assert requests.post(metrics_url.replace("metrics", "-/reload"), timeout=20).status_code == 200
    # Another secret is no other configuration.
    config.write_text(config.read_text().replace("hunter2", "hunter3"))
    requests.post(metrics_url.replace("metrics", "-/reload"), timeout=20)
    wait_until(lambda: "HTTP 403" in recorder.log, what="the wrong secret at work")
    told = [checked, recorder.terminate(), server.terminate(), *(page.text for page in pages)]
    told += [file.read_bytes().decode(errors="replace") for file in recording.rglob("*") if file.is_file()]
    for text in told:
        assert "hunter" not in text
    assert len(list(recording.glob("configurations/*"))) == 1
    kept = Recording.open(recording).configuration()
    assert len({rule.prometheus_url for _, rule in kept.rules()}) == 1
