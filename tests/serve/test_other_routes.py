from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
from prometheus_client.parser import text_string_to_metric_families
from support.openapi import resolved
from support.scrapes import START_MS, mesh
from werkzeug.test import Client

import vistio_core as vistio
from serve.conftest import AFTER_GAP_MS, FAILED_MS, NEWEST_MS, PARTLY_MS, Clock
from vistio_core.errors import DamagedFileError, FormatVersionError, RecordingError
from vistio_core.times import format_instant
from vistio_serve import create_app, routes
from vistio_serve.opening import Opening

DOCUMENTATION = Path(__file__).parents[2] / "docs" / "http-api.md"
PAGE_FILES = Path(__file__).parents[2] / "vistio_serve" / "static"


def test_instants_lists_what_is_recorded_and_the_gaps_with_reasons(client: Client) -> None:
    found = client.get("/instants").get_json()
    assert [row["instant"] for row in found["instants"]][-2:] == [
        format_instant(AFTER_GAP_MS),
        format_instant(NEWEST_MS),
    ]
    by_instant = {row["instant"]: row for row in found["instants"]}
    assert by_instant[format_instant(FAILED_MS)]["seen"] is False
    assert by_instant[format_instant(PARTLY_MS)]["failed_rules"] == 1
    assert found["recording"] == {"first": format_instant(START_MS), "last": format_instant(NEWEST_MS)}
    reasons = [(gap["start"], gap["reason"].partition(":")[0]) for gap in found["gaps"]]
    assert reasons == [
        (format_instant(FAILED_MS), "not seen"),
        (format_instant(PARTLY_MS + 10_000), "not running"),
    ]


def test_the_window_of_instants_is_half_open(client: Client) -> None:
    window = {"start": format_instant(START_MS), "end": format_instant(START_MS + 20_000)}
    found = client.get("/instants", query_string=window).get_json()
    assert [row["instant"] for row in found["instants"]] == ["2026-11-23T05:00:00Z", "2026-11-23T05:00:10Z"]


@pytest.mark.parametrize(
    "query", ["start=-1m&end=-2m", "start=x", "end=x", "start=-1m&end=-1m", "step=1", "start=-999999d"]
)
def test_a_window_that_is_none_is_refused(client: Client, query: str) -> None:
    response = client.get(f"/instants?{query}")
    assert response.status_code == 400
    assert response.content_type == "application/problem+json"


def test_config_answers_the_text_in_force(client: Client) -> None:
    response = client.get("/config")
    assert response.text == mesh().text
    assert response.content_type == "text/yaml; charset=utf-8"
    assert response.headers["Vistio-Configuration"] == mesh().hash


def test_config_before_the_recording_is_a_problem(client: Client) -> None:
    response = client.get("/config?at=2020-01-01T00:00:00Z")
    assert response.status_code == 404
    assert response.get_json()["after"] == format_instant(START_MS)


def test_metrics_count_requests_and_know_the_newest_instants_age(client: Client, clock: Clock) -> None:
    client.get("/graph")
    client.get("/graph")
    client.get("/graph?at=x")
    client.get("/nothing/at/all")
    clock.now_ms = NEWEST_MS + 42_000
    response = client.get("/metrics")
    assert response.content_type.startswith("text/plain")
    samples = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }
    assert samples["vistio_serve_requests_total", "200", "GET", "graph"] == 2
    assert samples["vistio_serve_requests_total", "400", "GET", "graph"] == 1
    assert samples["vistio_serve_requests_total", "404", "GET", "none"] == 1
    assert samples["vistio_serve_request_duration_seconds_count", "graph"] == 3
    assert samples["vistio_serve_graphs_total", "made"] == 1
    assert samples["vistio_serve_graphs_total", "hit"] == 1
    assert samples["vistio_serve_graph_rebuild_seconds_count",] == 1
    assert samples["vistio_serve_newest_instant_age_seconds",] == 42


def test_a_server_without_a_recording_is_healthy_and_not_ready(recording_dir: Path) -> None:
    client = Client(create_app(Opening(str(recording_dir))))
    assert client.get("/-/healthy").status_code == 200
    assert client.get("/metrics").status_code == 200
    for path in ("/-/ready", "/graph", "/instants", "/config"):
        response = client.get(path)
        assert response.status_code == 503
        assert response.headers["Retry-After"] == "2"
        assert "vistio-record" in response.get_json()["detail"]
        assert str(recording_dir) not in response.text


def test_a_recording_that_comes_later_is_served(recording_dir: Path) -> None:
    opening = Opening(str(recording_dir))
    client = Client(create_app(opening))
    opening.prefetch()  # as at the server's start
    assert client.get("/-/ready").status_code == 503
    vistio.Recording.open(recording_dir, create=True)
    assert client.get("/-/ready").status_code == 200
    assert client.get("/graph").status_code == 404


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (FormatVersionError("/srv/secret/place", 9, 1), 503),
        (DamagedFileError("log/x.parquet", "cannot open /srv/secret/place/log/x.parquet"), 500),
        (RecordingError("/srv/secret/place: input/output error"), 503),
        (ZeroDivisionError("/srv/secret/place"), 500),
        (OSError(5, "Input/output error", "/srv/secret/place"), 500),
    ],
)
def test_no_error_tells_paths_or_tracebacks(error: Exception, status: int) -> None:
    def broken() -> vistio.Recording:
        raise error

    response = Client(create_app(broken)).get("/graph")
    assert response.status_code == status
    assert response.content_type == "application/problem+json"
    assert "secret" not in response.text
    assert "Traceback" not in response.text


def test_an_unexpected_error_is_logged_under_the_number_that_is_answered(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken() -> vistio.Recording:
        raise ZeroDivisionError

    found = Client(create_app(broken)).get("/graph").get_json()
    assert found["incident"] in [getattr(record, "incident", "") for record in caplog.records]


@pytest.mark.parametrize("path", ["/", "/plain"])
def test_a_page_and_its_files_load_under_a_strict_policy(client: Client, path: str) -> None:
    page = client.get(path)
    assert page.status_code == 200
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    named = re.findall(r'(?:href|src)="([^"]+)"', page.text)
    assert named
    for address in named:
        assert not address.startswith(("/", "http")), f"{address} would break under a path prefix"
        assert client.get(urljoin(path, address)).status_code == 200
    assert "<style" not in page.text
    assert not re.search(r"<script>|<script [^>]*>[^<]|\son\w+=|style=", page.text)
    assert page.headers["Cache-Control"] == "no-cache"
    assert "unsafe" not in page.headers["Content-Security-Policy"]


def test_the_files_of_the_web_ui_may_be_kept_for_ever_because_their_names_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recording_dir: Path
) -> None:
    for name in ("index.html", "page.js", "ui/index.html", "ui/assets/index-abc.js", "ui/assets/notes.txt"):
        (tmp_path / "static" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "static" / name).write_text(f"this is {name}")
    monkeypatch.setattr("vistio_serve.pages.resources.files", lambda package: tmp_path)
    client = Client(create_app(Opening(str(recording_dir))))
    script = client.get("/assets/index-abc.js")
    assert script.text == "this is ui/assets/index-abc.js"
    assert script.content_type == "text/javascript; charset=utf-8"
    assert script.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert client.get("/").text == "this is ui/index.html"
    assert "worker-src blob:" in client.get("/").headers["Content-Security-Policy"]
    assert client.get("/plain").text == "this is index.html"
    assert client.get("/assets/index-old.js").get_json()["allowed"] == ["/assets/index-abc.js"]
    assert client.get("/assets/notes.txt").status_code == 404


def test_the_licences_of_what_the_web_ui_is_built_of_are_served_beside_it(client: Client) -> None:
    if "assets/" not in client.get("/").text:
        pytest.skip("the web UI is not built")
    licences = client.get("/static/licences.txt")
    assert licences.content_type == "text/plain; charset=utf-8"
    assert licences.headers["Cache-Control"] == "no-cache", "its name stays, whatever it says"
    assert "Permission is hereby granted" in licences.text


@pytest.mark.parametrize("given", ["recorded", "none", 'https://g/explore?left={"a":"{query}"}&b'])
def test_the_page_is_told_where_people_open_queries(given: str, recording_dir: Path) -> None:
    page = Client(create_app(Opening(str(recording_dir)), query_links=given)).get("/").text
    if "vistio-query-links" not in page:
        pytest.skip("the web UI is not built")
    (told,) = re.findall(r'<meta name="vistio-query-links" content="([^"]*)">', page)
    assert html.unescape(told) == given


@pytest.mark.parametrize(
    ("address", "status"),
    [("/?kiosk", 200), ("/?kiosk=30", 200), ("/?kiosk&lang=zh", 200), ("/?kiosks", 400), ("/graph?at", 400)],
)
def test_only_a_parameter_that_says_something_alone_may_stand_alone(
    client: Client, address: str, status: int
) -> None:
    assert client.get(address).status_code == status


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("none", "'none'"),
        ("self https://grafana.example.com", "'self' https://grafana.example.com"),
        ("*", "*"),
    ],
)
@pytest.mark.parametrize("path", ["/", "/plain"])
def test_who_may_show_the_page_in_a_frame(path: str, given: str, told: str, recording_dir: Path) -> None:
    client = Client(create_app(Opening(str(recording_dir)), frame_ancestors=given))
    policy = client.get(path).headers["Content-Security-Policy"]
    assert policy.count("frame-ancestors") == 1
    assert f"; frame-ancestors {told}" in policy
    assert "frame-ancestors 'none'" in client.get("/config").headers["Content-Security-Policy"], (
        "it is a page's only"
    )


def test_a_checkout_that_was_not_built_serves_the_plain_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recording_dir: Path
) -> None:
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "index.html").write_text("plain")
    (tmp_path / "static" / "page.js").write_text("")
    monkeypatch.setattr("vistio_serve.pages.resources.files", lambda package: tmp_path)
    client = Client(create_app(Opening(str(recording_dir))))
    assert client.get("/").text == "plain"
    assert client.get("/assets/index-abc.js").status_code == 404


def test_the_page_writes_recorded_names_as_text_only() -> None:
    script = (PAGE_FILES / "page.js").read_text()
    assert not re.search(r"\.innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|\.style\b", script)


def openapi(client: Client) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(client.get("/openapi.json").data)
    return found


def test_the_openapi_document_describes_exactly_the_routes(client: Client) -> None:
    document = openapi(client)
    paths = document["paths"]
    known = {("GET", route.path) for route in routes.ROUTES} | {
        (each.method, each.path) for each in routes.CHANGES
    }
    assert {(method.upper(), path) for path, each in paths.items() for method in each} == {
        (method, re.sub(r"<(\w+)>", r"{\1}", path)) for method, path in known
    }
    for route in routes.ROUTES:
        operation = paths[re.sub(r"<(\w+)>", r"{\1}", route.path)]["get"]
        in_query = [each["name"] for each in operation["parameters"] if each["in"] == "query"]
        options = {
            option for name in vistio.frontends.names() for option in vistio.frontends.get(name).options
        } - set(route.known)
        assert in_query == [*route.known, *(sorted(options) if route.name == "graph" else ())]
        if "<" not in route.path:
            answered = client.get(route.path)
            media_type = answered.content_type.split(";")[0]
            told = resolved(document, operation["responses"][str(answered.status_code)])
            assert media_type in told["content"]


def test_the_openapi_document_names_every_frontend(client: Client) -> None:
    parameters = openapi(client)["paths"]["/graph"]["get"]["parameters"]
    by_name = {parameter["name"]: parameter for parameter in parameters}
    assert by_name["format"]["schema"]["enum"] == list(vistio.frontends.names())
    assert by_name["judge"]["schema"]["enum"] == ["recorded", "current"]


def test_the_documentation_names_every_route_parameter_and_problem() -> None:
    from vistio_serve import problems

    text = DOCUMENTATION.read_text()
    documented = set(re.findall(r"^### `GET ([^`]+)`", text, re.MULTILINE))
    assert documented == {route.path for route in routes.ROUTES}
    changes = set(re.findall(r"^### `([A-Z]+) ([^`]+)`", text, re.MULTILINE))
    assert {each for each in changes if each[0] != "GET"} == {
        (each.method, each.path) for each in routes.CHANGES
    }
    for route in routes.ROUTES:
        section = text.split(f"### `GET {route.path}`")[1].split("\n#")[0]
        assert set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == set(route.known), route.path
    for kind in problems.KINDS:
        assert f"| `{kind}` |" in text, kind


def test_the_documentation_names_every_metric_of_the_server(client: Client) -> None:
    exposed = re.findall(r"^# TYPE (vistio_serve_\w+) ", client.get("/metrics").text, re.MULTILINE)
    section = DOCUMENTATION.read_text().split("### `GET /metrics`")[1].split("\n#")[0]
    documented = re.findall(r"`(vistio_serve_\w+)`", section)
    assert sorted(documented) == sorted(name for name in exposed if not name.endswith("_created"))
