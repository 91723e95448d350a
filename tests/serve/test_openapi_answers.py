"""What /openapi.json says of answers is what answers are, of an hour in which something happened."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from support.openapi import Described, resolved
from support.web_config import ALICE, CI_TOKEN, basic, bearer, write
from werkzeug.test import Client, TestResponse

import vistio_core as vistio
from vistio_core.access.guard import Guard
from vistio_core.access.web_access import WebAccess
from vistio_core.times import system_now_ms
from vistio_serve import create_app, graph_schemas, openapi, pages, problems
from vistio_serve.opening import Opening
from vistio_serve.routes import CHANGES, ROUTES

SOURCES = Path(__file__).parents[2] / "vistio_serve"
ASKED = (
    "/",
    "/plain",
    "/static/icon.svg",
    "/static/page.js",
    "/graph",
    "/graph?at=-30m",
    "/graph?at=-50m",
    "/graph?stable=-1h/now",
    *(f"/graph?format={name}" for name in ("node-link", "cytoscape", "grafana", "dot", "mermaid", "graphml")),
    "/graph?format=node-link&edges=links",
    "/graph?format=grafana&part=fields",
    "/graph?format=grafana&part=data",
    "/timeline?step=1m",
    "/timeline?node=mongodb",
    "/graph?format=node-link&at=-30m",
    "/live",
    "/frames?start=-70m&end=-20m&step=1m",
    "/frames?start=-59m&step=10s",
    "/diff?before=-50m&after=now",
    "/diff?before=-50m/-40m&after=-35m/-25m",
    *(f"/top?by={by}" for by in ("traffic", "errors", "latency")),
    "/top?by=change&start=-35m&end=-25m",
    "/blast-radius?node=mongodb",
    "/path",
    "/path?start=-40m&end=-25m",
    "/seen",
    "/seen?only=new",
    "/incidents",
    "/heat",
    "/suspects",
    "/suspects?start=-40m&end=-25m",
    "/edges?start=-2m",
    "/edges?format=parquet&start=-5m",
    "/report?start=-5m",
    "/annotations",
    "/access",
    "/instants?start=-1h",
    "/config",
    "/metrics",
    "/-/healthy",
    "/-/ready",
    "/openapi.json",
)
WRONG = (
    ("/graph?at=2020-01-01T00:00:00Z", 404),
    ("/graph?at=x", 400),
    ("/graph?format=x", 400),
    ("/timeline?node=mongo", 404),
    ("/blast-radius", 400),
    ("/suspects?about=mongo", 404),
    ("/edges?cluster=x", 404),
    ("/static/none.js", 404),
    ("/config?at=2020-01-01T00:00:00Z", 404),
    (f"/graph?at={'1' * 3000}", 414),
)


@pytest.fixture(scope="module")
def described() -> Described:
    return Described(document())


@pytest.fixture(scope="module")
def hour(simulated_hour: Path) -> Client:
    now_ms = system_now_ms()  # at one moment: what is asked twice is answered the same
    return Client(create_app(Opening(str(simulated_hour)), now_ms=lambda: now_ms))


@cache
def document() -> dict[str, Any]:
    return openapi.document()


@pytest.fixture(scope="module")
def answers(hour: Client) -> dict[str, TestResponse]:
    """What each address of `ASKED` and `WRONG` says."""
    # At once: who does not fetch a long answer for half a minute is not sent the rest.
    return {path: hour.get(path, buffered=True) for path in (*ASKED, *(path for path, _ in WRONG))}


def operation(path: str, method: str = "get") -> dict[str, Any]:
    """What the document says of an address."""
    path = path.partition("?")[0]
    for template, operations in document()["paths"].items():
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path):
            found: dict[str, Any] = operations[method]
            return found
    raise AssertionError(f"nothing is said of {path}")


def problems_of(
    described: Described, response: TestResponse, path: str, method: str = "get"
) -> Iterator[str]:
    """What of an answer is not as the document says."""
    responses = operation(path, method)["responses"]
    if str(response.status_code) not in responses:
        yield f"status {response.status_code} is not described"
        return
    told = resolved(document(), responses[str(response.status_code)])
    yield from (f"no header {name}" for name in told.get("headers", {}) if name not in response.headers)
    if response.status_code == 304:
        return
    if response.mimetype not in told["content"]:
        yield f"content type {response.mimetype} is not described"
    elif response.mimetype.endswith("json"):
        yield from described.problems(told["content"][response.mimetype]["schema"], response.get_json())


@pytest.mark.parametrize("path", ASKED)
def test_every_answer_is_as_described(
    hour: Client, answers: Mapping[str, TestResponse], described: Described, path: str
) -> None:
    response = answers[path]
    assert response.status_code == 200, response.text
    assert list(problems_of(described, response, path)) == []
    # Of now: an instant that was due a while ago is a gap later on, in a window that ends now.
    newest = hour.get(path, buffered=True).headers.get("ETag", "none")
    again = hour.get(path, headers={"If-None-Match": newest})
    assert again.status_code == (304 if "ETag" in response.headers else 200)
    assert list(problems_of(described, again, path)) == []
    assert ("304" in operation(path)["responses"]) == ("ETag" in response.headers)


def test_all_routes_are_asked() -> None:
    asked = {operation(path)["operationId"] for path in ASKED}
    assert asked == {route.name for route in ROUTES} - {"assets"}, (
        "which a checkout has only once it was built"
    )


def test_no_schema_is_there_for_nothing(answers: Mapping[str, TestResponse]) -> None:
    described = Described(document())
    for path, response in answers.items():
        assert list(problems_of(described, response, path)) == []
    assert document()["components"]["schemas"].keys() - described.met == {"Mark", "Written", "Removed"}


@pytest.mark.parametrize(("path", "status"), WRONG)
def test_every_refusal_is_as_described(
    answers: Mapping[str, TestResponse], described: Described, path: str, status: int
) -> None:
    response = answers[path]
    assert response.status_code == status
    assert list(problems_of(described, response, path)) == []


@pytest.mark.parametrize("path", [re.sub(r"<\w+>", "x.js", route.path) for route in ROUTES])
@pytest.mark.parametrize("given", [{}, bearer("wrong"), bearer(CI_TOKEN)])
@pytest.mark.slow
def test_so_is_what_who_may_not_read_gets(
    described: Described, recorded: vistio.Recording, tmp_path: Path, path: str, given: dict[str, str]
) -> None:
    client = Client(create_app(recorded, guard=Guard(WebAccess(write(tmp_path)))))
    for _ in range(12):  # of wrong ones, until it is too often
        assert list(problems_of(described, client.get(path, headers=given), path)) == []


@pytest.mark.parametrize("path", [re.sub(r"<\w+>", "x.js", route.path) for route in ROUTES])
def test_so_is_what_there_is_before_there_is_a_recording(
    described: Described, tmp_path: Path, path: str
) -> None:
    client = Client(create_app(Opening(str(tmp_path / "none"))))
    assert list(problems_of(described, client.get(path), path)) == []


def test_marks_are_made_replaced_and_removed_as_described(
    described: Described, recorded: vistio.Recording, tmp_path: Path
) -> None:
    client = Client(create_app(recorded, guard=Guard(WebAccess(write(tmp_path)))))
    known = basic(*ALICE)
    mark = {"text": "v2 is out", "kind": "deployment", "start": "-1m", "end": None, "tags": {"v": "2"}}
    assert described.problems({"$ref": "#/components/schemas/Mark"}, mark) == []
    made = client.post("/annotations", json=mark, headers=known)
    place = f"/annotations/{made.get_json()['id']}"
    replaced = client.put(place, json={**mark, "text": "v3 is out"}, headers=known)
    other = f"/annotations/{replaced.get_json()['id']}"
    answers = [
        ("post", "/annotations", 200, made),
        ("put", place, 200, replaced),
        ("put", place, 404, client.put(place, json=mark, headers=known)),
        ("delete", other, 200, client.delete(other, headers=known)),
        ("delete", other, 404, client.delete(other, headers=known)),
        ("delete", other, 400, client.delete(f"{other}?x=1", headers=known)),
        ("post", "/annotations", 400, client.post("/annotations", json={"text": 1}, headers=known)),
        ("post", "/annotations", 413, client.post("/annotations", data=b" " * 70_000, headers=known)),
        ("post", "/annotations", 401, client.post("/annotations", json=mark)),
    ]
    for method, path, status, response in answers:
        assert response.status_code == status, (method, path, response.text)
        assert list(problems_of(described, response, path, method)) == []


def test_every_route_that_answers_json_says_how(described: Described) -> None:
    for route in ROUTES:
        content = operation(re.sub(r"<\w+>", "x", route.path))["responses"]["200"]["content"]
        if route.content_type == "application/json":
            assert content["application/json"]["schema"], route.path
    for change in CHANGES:
        told = operation(re.sub(r"<\w+>", "x", change.path), change.method.lower())["responses"]
        assert told["200"]["content"]["application/json"]["schema"]


def test_of_a_format_of_somebody_else_nothing_is_promised() -> None:
    assert graph_schemas.graph_in(["vizceral", "somebodys"]) == {}
    own = {
        name for name in vistio.frontends.names() if vistio.frontends.get(name).content_type.endswith("/json")
    }
    assert graph_schemas.graph_in(sorted(own)) != {}


def test_the_files_of_pages_have_content_types_that_are_described() -> None:
    for folder in ("assets", "static"):
        content = operation(f"/{folder}/x.js")["responses"]["200"]["content"]
        licences = {"text/plain"} if folder == "static" else set()
        assert set(content) == {each.partition(";")[0] for each in pages.TYPES.values()} | licences


def test_all_kinds_of_problems_are_described() -> None:
    raised = re.findall(r'HttpProblem\(\s*"([a-z-]+)"', (SOURCES / "problems.py").read_text())
    assert len(raised) > 5
    assert {*raised, *(row.kind for _, row in problems.TABLE)} == set(problems.KINDS)
