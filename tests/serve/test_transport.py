from __future__ import annotations

import gzip
from urllib.parse import urljoin

import pyarrow as pa
import pytest
from support.scrapes import INTERVAL_MS, START_MS
from werkzeug.http import parse_accept_header
from werkzeug.test import Client

import vistio_core as vistio
from serve.conftest import AFTER_GAP_MS, FAILED_MS, NEWEST_MS, PARTLY_MS, Clock
from vistio_core.times import MINUTE_MS, format_instant
from vistio_serve import create_app
from vistio_serve.answers import choose_encoding

SETTLED = "public, max-age=86400"


def cache_control(client: Client, at: str) -> str:
    response = client.get("/graph", query_string={"at": at})
    assert response.status_code == 200, response.text
    return response.headers["Cache-Control"]


def test_history_may_be_kept_and_the_present_must_be_asked_for(client: Client) -> None:
    assert cache_control(client, format_instant(START_MS)) == SETTLED
    assert cache_control(client, format_instant(START_MS + INTERVAL_MS - 1)) == SETTLED
    assert cache_control(client, format_instant(NEWEST_MS)) == "no-cache"
    assert client.get("/graph").headers["Cache-Control"] == "no-cache"


def test_a_relative_time_is_never_kept_however_old(client: Client) -> None:
    assert cache_control(client, "-11m") == "no-cache"
    assert client.get("/graph?offset=660").headers["Cache-Control"] == "no-cache"


def test_an_answer_older_than_its_interval_is_not_kept_for_a_backfill_may_fill_the_gap(
    client: Client,
) -> None:
    assert cache_control(client, format_instant(FAILED_MS)) == "no-cache"


def test_an_answer_with_a_failed_rule_is_not_kept_for_a_supplement_may_answer_it(client: Client) -> None:
    response = client.get("/graph", query_string={"at": str(PARTLY_MS)})
    assert response.json["metadata"]["vistio"]["failed_rules"]
    assert response.headers["Cache-Control"] == "no-cache"


def test_an_answer_judged_by_the_newest_configuration_is_not_kept(client: Client) -> None:
    response = client.get("/graph", query_string={"at": format_instant(START_MS), "judge": "current"})
    assert response.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(("later_ms", "expected"), [(-1, "no-cache"), (0, SETTLED), (1, SETTLED)])
def test_an_instant_settles_an_interval_and_a_minute_later(
    recorded: vistio.Recording, clock: Clock, later_ms: int, expected: str
) -> None:
    clock.now_ms = AFTER_GAP_MS + INTERVAL_MS + MINUTE_MS + later_ms
    client = Client(create_app(recorded, now_ms=clock))
    assert cache_control(client, format_instant(AFTER_GAP_MS)) == expected


def test_a_client_that_has_the_answer_gets_304_without_a_body(client: Client) -> None:
    first = client.get("/graph")
    assert first.headers["ETag"].startswith('"')
    for condition in (
        first.headers["ETag"],
        "W/" + first.headers["ETag"],
        '"other", ' + first.headers["ETag"],
        "*",
    ):
        again = client.get("/graph", headers={"If-None-Match": condition})
        assert again.status_code == 304
        assert again.data == b""
        assert again.headers["ETag"] == first.headers["ETag"]
        assert again.headers["Cache-Control"] == "no-cache"
        assert again.headers["Access-Control-Allow-Origin"] == "*"
        assert "Content-Type" not in again.headers
    assert client.get("/graph", headers={"If-None-Match": '"other"'}).status_code == 200


def test_the_validator_changes_with_the_content(client: Client) -> None:
    one = client.get("/graph", query_string={"at": str(START_MS)}).headers["ETag"]
    other = client.get("/graph", query_string={"at": str(START_MS + INTERVAL_MS)}).headers["ETag"]
    assert one != other


def test_two_servers_of_one_recording_give_the_same_validator(
    recorded: vistio.Recording, clock: Clock
) -> None:
    tags = {
        Client(create_app(recorded, now_ms=clock)).get(f"/graph?at={START_MS}").headers["ETag"]
        for _ in range(2)
    }
    assert len(tags) == 1


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", "identity"),
        ("gzip", "gzip"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip;q=1.0, zstd;q=0.5", "gzip"),
        ("gzip;q=0.5, zstd;q=0.9", "zstd"),
        ("gzip;q=0", "identity"),
        ("*", "zstd"),
        ("*, zstd;q=0", "gzip"),
        ("identity", "identity"),
        ("identity, gzip;q=0.5", "identity"),
        ("identity;q=0.5, gzip", "gzip"),
        ("br, deflate", "identity"),
        ("identity;q=0", "identity"),
    ],
)
def test_the_encoding_is_what_the_client_likes_best(accept: str, expected: str) -> None:
    from werkzeug.datastructures import Accept

    assert choose_encoding(parse_accept_header(accept, Accept)) == expected


def test_an_answer_is_compressed_and_has_the_same_content(client: Client) -> None:
    plain = client.get("/graph", headers={"Accept-Encoding": "identity"})
    zipped = client.get("/graph", headers={"Accept-Encoding": "gzip"})
    dense = client.get("/graph", headers={"Accept-Encoding": "zstd"})
    assert "Content-Encoding" not in plain.headers
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(zipped.data) == plain.data
    assert dense.headers["Content-Encoding"] == "zstd"
    assert pa.input_stream(pa.BufferReader(dense.data), compression="zstd").read() == plain.data
    assert len({plain.headers["ETag"], zipped.headers["ETag"], dense.headers["ETag"]}) == 3
    for response in (plain, zipped, dense):
        assert "Accept-Encoding" in response.headers["Vary"]
        assert int(response.headers["Content-Length"]) == len(response.data)


def test_a_small_answer_is_not_compressed(client: Client) -> None:
    response = client.get("/-/healthy", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in response.headers


@pytest.mark.parametrize(
    "path", ["/graph", "/", "/instants", "/config", "/metrics", "/nothing", "/graph?at=x"]
)
def test_head_answers_as_get_without_the_body(client: Client, path: str) -> None:
    got, head = client.get(path), client.head(path)
    assert head.status_code == got.status_code
    assert head.data == b""
    assert head.headers["Content-Type"] == got.headers["Content-Type"]
    if path != "/metrics":
        assert head.headers["Content-Length"] == got.headers["Content-Length"]


@pytest.mark.parametrize("path", ["/graph", "/", "/config", "/-/ready"])
def test_options_tells_what_is_allowed_to_people_and_to_a_preflight(client: Client, path: str) -> None:
    response = client.options(
        path, headers={"Origin": "http://ui.example", "Access-Control-Request-Method": "GET"}
    )
    assert response.status_code == 204
    assert response.headers["Allow"] == "GET, HEAD, OPTIONS"
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert response.headers["Access-Control-Allow-Methods"] == "GET, HEAD, OPTIONS"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "TRACE", "BREW"])
def test_another_method_is_refused_with_those_that_are_allowed(client: Client, method: str) -> None:
    response = client.open("/graph", method=method)
    assert response.status_code == 405
    assert response.headers["Allow"] == "GET, HEAD, OPTIONS"
    assert response.content_type == "application/problem+json"


@pytest.mark.parametrize("path", ["/nothing", "/graph/", "/static/../app.py", "/static/none", "/%00"])
def test_an_unknown_address_names_those_that_exist(client: Client, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 404
    assert response.content_type == "application/problem+json"
    allowed = response.get_json()["allowed"]
    assert "/graph" in allowed or "/static/page.js" in allowed


@pytest.mark.parametrize("path", ["/", "/graph", "/graph?at=x", "/nothing", "/metrics", "/static/page.js"])
def test_every_answer_has_the_headers_that_keep_browsers_safe(client: Client, path: str) -> None:
    response = client.get(path)
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert "unsafe" not in response.headers["Content-Security-Policy"]
    assert response.headers["Access-Control-Allow-Origin"] == "*"


def test_cross_origin_reading_can_be_restricted_or_switched_off(
    recorded: vistio.Recording, clock: Clock
) -> None:
    one = Client(create_app(recorded, now_ms=clock, cors_origin="https://ui.example")).get("/graph")
    assert one.headers["Access-Control-Allow-Origin"] == "https://ui.example"
    assert "Origin" in one.headers["Vary"]
    none = Client(create_app(recorded, now_ms=clock, cors_origin=None)).get("/graph")
    assert "Access-Control-Allow-Origin" not in none.headers


def test_it_answers_under_a_prefix_and_without_it(recorded: vistio.Recording, clock: Clock) -> None:
    client = Client(create_app(recorded, now_ms=clock, prefix="/vistio"))
    assert client.get("/vistio/graph").status_code == 200
    assert client.get("/vistio/").status_code == 200
    assert client.get("/graph").status_code == 200
    assert client.get("/vistiographs").status_code == 404


@pytest.mark.parametrize("prefix", ["/vistio", "/a/b", "/a/b/c", "/a/a"])
@pytest.mark.parametrize("outside", ["", "/proxy", "/two/levels"])
def test_the_bare_prefix_leads_to_the_page_below_it(
    recorded: vistio.Recording, clock: Clock, prefix: str, outside: str
) -> None:
    """As a browser resolves it, whatever a proxy has put in front."""
    client = Client(create_app(recorded, now_ms=clock, prefix=prefix))
    bare = client.get(f"{prefix}?_=1")
    assert bare.status_code == 308
    led_to = urljoin(f"http://host{outside}{prefix}?_=1", bare.headers["Location"])
    assert led_to == f"http://host{outside}{prefix}/?_=1"
    assert client.get(f"{prefix}/?_=1").status_code == 200


def test_a_prefix_from_the_server_or_the_proxy_is_named_in_the_addresses(
    recorded: vistio.Recording, clock: Clock
) -> None:
    mounted = Client(create_app(recorded, now_ms=clock)).get(
        "/nothing", environ_overrides={"SCRIPT_NAME": "/mesh"}
    )
    assert "/mesh/graph" in mounted.get_json()["allowed"]
    header = {"X-Forwarded-Prefix": "/mesh"}
    trusting = Client(create_app(recorded, now_ms=clock, behind_proxy=True))
    assert "/mesh/graph" in trusting.get("/nothing", headers=header).get_json()["allowed"]
    wary = Client(create_app(recorded, now_ms=clock))
    assert "/graph" in wary.get("/nothing", headers=header).get_json()["allowed"]


def test_a_host_header_that_is_no_host_changes_nothing(client: Client) -> None:
    assert client.get("/graph", headers={"Host": "<script>:x"}).status_code == 200
