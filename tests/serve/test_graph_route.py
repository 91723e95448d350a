from __future__ import annotations

import threading
from typing import Any
from urllib.parse import quote

import pytest
from support.scrapes import INTERVAL_MS, START_MS, edges, mesh, scrape
from werkzeug.test import Client, TestResponse

import vistio_core as vistio
from serve.conftest import AFTER_GAP_MS, FAILED_MS, NEWEST_MS, PARTLY_MS, Clock
from vistio_core.times import MINUTE_MS, SECOND_MS, format_instant
from vistio_serve import create_app


def rate(response: TestResponse, source: str, target: str) -> Any:
    assert response.status_code == 200, response.text
    graph = response.get_json()
    for level in [graph, *graph["nodes"]]:
        for edge in level.get("connections", []):
            if (edge["source"], edge["target"]) == (source, target):
                return edge["metrics"]
    raise AssertionError(f"no edge {source} > {target} in {response.text}")


def about(response: TestResponse) -> dict[str, Any]:
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.get_json()["metadata"]["vistio"]
    return found


def problem(response: TestResponse, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.content_type == "application/problem+json"
    found: dict[str, Any] = response.get_json()
    assert {"type", "title", "status", "detail"} <= found.keys()
    assert found["status"] == status
    return found


def test_the_newest_graph_is_answered_without_parameters(client: Client) -> None:
    response = client.get("/graph")
    assert rate(response, "front", "cart") == {"normal": 21.0, "warning": 0.0, "danger": 5.25}
    assert about(response)["instant"] == format_instant(NEWEST_MS)
    assert about(response)["asked"] == format_instant(NEWEST_MS + 5 * SECOND_MS)
    assert about(response)["age_s"] == 5
    assert response.content_type == "application/json"
    assert response.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize(
    ("asked_ms", "shown_ms"),
    [
        (START_MS + INTERVAL_MS - 1, START_MS),
        (START_MS + INTERVAL_MS, START_MS + INTERVAL_MS),
        (START_MS + INTERVAL_MS + 1, START_MS + INTERVAL_MS),
    ],
)
def test_at_shows_the_newest_instant_not_after_it(client: Client, asked_ms: int, shown_ms: int) -> None:
    for text in (format_instant(asked_ms), str(asked_ms), str(asked_ms / 1000)):
        response = client.get("/graph", query_string={"at": text})
        assert about(response)["instant"] == format_instant(shown_ms)
        assert about(response)["asked"] == format_instant(asked_ms)


def test_at_takes_an_offset_whose_plus_became_a_space(client: Client) -> None:
    response = client.get("/graph?at=2026-11-23T06:00:10+01:00")
    assert about(response)["instant"] == "2026-11-23T05:00:10Z"


def test_a_relative_at_counts_from_now(client: Client) -> None:
    assert about(client.get("/graph?at=-11m"))["instant"] == "2026-11-23T05:00:30Z"


@pytest.mark.parametrize(
    ("offset", "shown_ms"),
    [
        ("0", NEWEST_MS),
        ("-1", NEWEST_MS),
        ("-99999999999999999999", NEWEST_MS),
        ("4", NEWEST_MS),
        ("5", NEWEST_MS),
        ("5.5", AFTER_GAP_MS),
        ("6", AFTER_GAP_MS),
    ],
)
def test_offset_is_seconds_before_now_as_in_vistio(client: Client, offset: str, shown_ms: int) -> None:
    assert about(client.get(f"/graph?offset={offset}"))["instant"] == format_instant(shown_ms)


@pytest.mark.parametrize("offset", ["abc", "1s", "nan", "inf", "1_000", "1e999", "0x10", "%00", "١e"])
def test_an_offset_that_is_not_a_number_is_refused(client: Client, offset: str) -> None:
    found = problem(client.get(f"/graph?offset={quote(offset, safe='%')}"), 400)
    assert found["parameter"] == "offset"


@pytest.mark.parametrize("offset", ["18446744074", "9223372036854775807", "1e300", "9" * 400])
def test_a_huge_offset_never_overflows_into_the_live_graph(client: Client, offset: str) -> None:
    assert "1970" in problem(client.get(f"/graph?offset={offset}"), 400)["detail"] or len(offset) == 400


def test_an_offset_into_the_time_before_the_recording_names_what_is_there(client: Client) -> None:
    found = problem(client.get("/graph?offset=86400"), 404)
    assert found["after"] == format_instant(START_MS)
    assert found["before"] is None


@pytest.mark.parametrize(
    "at",
    ["yesterday", "2026-11-23", "2026-11-23T05:00:00", "2026-13-01T00:00:00Z", "-1x", "%00", "nan", "1e400",
     "9" * 30, "9" * 1500, "-" + "9" * 40 + "d", "<script>"],
)  # fmt: skip
def test_an_at_that_is_no_instant_is_refused_with_what_works(client: Client, at: str) -> None:
    found = problem(client.get(f"/graph?at={at}"), 400)
    assert "at" in found["detail"]


def test_at_and_offset_together_are_refused(client: Client) -> None:
    assert "exclude" in problem(client.get("/graph?at=-1m&offset=60"), 400)["detail"]


def test_in_a_gap_the_nearest_instants_and_the_reason_are_named(client: Client) -> None:
    found = problem(client.get("/graph", query_string={"at": format_instant(START_MS + 9 * MINUTE_MS)}), 404)
    assert found["before"] == format_instant(PARTLY_MS)
    assert found["after"] == format_instant(AFTER_GAP_MS)
    assert "not running" in found["reason"]
    assert found["before"] in found["detail"]


def test_an_instant_in_the_future_is_not_answered_with_the_present(client: Client) -> None:
    found = problem(client.get("/graph?at=2030-01-01T00:00:00Z"), 404)
    assert found["before"] == format_instant(NEWEST_MS)
    assert found["after"] is None


def test_a_failed_scrape_shows_the_graph_before_it_and_its_age(client: Client) -> None:
    response = client.get("/graph", query_string={"at": str(FAILED_MS)})
    assert about(response)["instant"] == format_instant(FAILED_MS - INTERVAL_MS)
    assert about(response)["age_s"] == 10


def test_a_rule_that_failed_is_named_in_the_graph(client: Client) -> None:
    failed = about(client.get("/graph", query_string={"at": str(PARTLY_MS)}))["failed_rules"]
    assert [(rule["cluster"], rule["rule"], rule["outcome"]) for rule in failed] == [
        ("mesh", "http", "timeout")
    ]


def test_judge_current_judges_the_past_by_the_newest_configuration(
    recorded: vistio.Recording, clock: Clock
) -> None:
    changed = mesh(**{"^5..$": "^2..$"})
    with recorded.writer() as writer:
        writer.put_configuration(changed)
        writer.commit(scrape(NEWEST_MS + INTERVAL_MS, edges({"a>b 200": 1.0}), configuration=changed))
    clock.now_ms += INTERVAL_MS
    client = Client(create_app(recorded, now_ms=clock))
    at = {"at": format_instant(START_MS)}
    assert rate(client.get("/graph", query_string=at), "front", "cart")["danger"] == 0.25
    today = client.get("/graph", query_string={**at, "judge": "current"})
    assert rate(today, "front", "cart")["danger"] == 1.0


@pytest.mark.parametrize("name", ["judge", "format"])
def test_a_value_that_is_not_allowed_is_refused_with_those_that_are(client: Client, name: str) -> None:
    found = problem(client.get(f"/graph?{name}=nonsense%00"), 400)
    assert found["parameter"] == name
    expected = {"judge": ["recorded", "current"], "format": list(vistio.frontends.names())}
    assert found["allowed"] == expected[name]


def test_a_misspelt_parameter_is_refused_and_the_known_ones_are_named(client: Client) -> None:
    found = problem(client.get("/graph?offest=60"), 400)
    assert found["allowed"] == ["at", "offset", "format", "judge", "stable", "lang"]
    assert "offest" in found["detail"]


def test_a_repeated_or_empty_parameter_is_refused(client: Client) -> None:
    assert "2 times" in problem(client.get("/graph?at=-1m&at=-2m"), 400)["detail"]
    assert "no value" in problem(client.get("/graph?at="), 400)["detail"]


def test_the_usual_cache_buster_is_ignored(client: Client) -> None:
    assert client.get("/graph?offset=0&_=1700000000").status_code == 200
    assert client.get("/graph?_=1&_=2").status_code == 200


@pytest.mark.parametrize(("length", "status"), [(2047, 400), (2048, 400), (2049, 414)])
def test_a_query_string_has_a_limit(client: Client, length: int, status: int) -> None:
    problem(client.get("/graph?at=" + "x" * (length - 3)), status)


def test_every_format_is_served_with_its_own_content_type(client: Client) -> None:
    for name in vistio.frontends.names():
        response = client.get(f"/graph?format={name}")
        assert response.status_code == 200, response.text
        assert response.content_type == vistio.frontends.get(name).content_type


def test_an_empty_recording_says_so(tmp_path: Any, clock: Clock) -> None:
    client = Client(create_app(vistio.Recording.open(tmp_path / "r", create=True), now_ms=clock))
    found = problem(client.get("/graph"), 404)
    assert found["before"] is None
    assert found["after"] is None
    assert str(tmp_path) not in str(found)


def test_many_clients_that_ask_for_one_instant_cause_one_rebuild(
    recorded: vistio.Recording, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, released, rebuilds = threading.Event(), threading.Event(), []
    original = vistio.Recording.graph

    def slow(self: vistio.Recording, *arguments: Any, **named: Any) -> vistio.Graph:
        rebuilds.append(named)
        begun.set()
        assert released.wait(20)
        return original(self, *arguments, **named)

    monkeypatch.setattr(vistio.Recording, "graph", slow)
    client = Client(create_app(recorded, now_ms=clock))
    answers: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: answers.append(client.get("/graph?offset=0").data)) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    assert begun.wait(20)
    released.set()
    for thread in threads:
        thread.join(20)
    assert len(answers) == 8
    assert len(set(answers)) == 1
    assert len(rebuilds) == 1


def test_the_live_graph_moves_on_with_the_clock(recorded: vistio.Recording, clock: Clock) -> None:
    client = Client(create_app(recorded, now_ms=clock))
    first = client.get("/graph?offset=0")
    clock.now_ms += SECOND_MS
    second = client.get("/graph?offset=0")
    assert about(second)["age_s"] == about(first)["age_s"] + 1
    with recorded.writer() as writer:
        writer.put_configuration(mesh())
        writer.commit(scrape(NEWEST_MS + INTERVAL_MS, edges({"front>cart 200": 99.0})))
    clock.now_ms = NEWEST_MS + INTERVAL_MS + 2 * SECOND_MS
    third = client.get("/graph?offset=0")
    assert rate(third, "front", "cart")["normal"] == 99.0
    assert third.get_json()["serverUpdateTime"] == (NEWEST_MS + INTERVAL_MS) // 1000


def test_the_options_of_the_asked_format_are_parameters_and_those_of_others_are_not(
    recorded: vistio.Recording, clock: Clock
) -> None:
    client = Client(create_app(recorded, now_ms=clock))
    assert b"rankdir=TB" in client.get("/graph?format=dot&rankdir=TB").data.replace(b'"', b"")
    assert b"rankdir=LR" in client.get("/graph?format=dot").data.replace(b'"', b"")
    refused = client.get("/graph?format=mermaid&rankdir=TB")
    assert refused.status_code == 400
    assert "max_edges" in refused.get_json()["allowed"]
    wrong = client.get("/graph?format=dot&rankdir=sideways")
    assert wrong.status_code == 400
    assert "LR" in wrong.get_json()["detail"]
