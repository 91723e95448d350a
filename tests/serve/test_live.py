"""The newest graph: ready for all who ask, and new as soon as it is committed."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING

import pytest
from support.scrapes import INTERVAL_MS, mesh, scrape
from werkzeug.test import Client, EnvironBuilder, TestResponse
from werkzeug.wrappers import Response

import vistio_core as vistio
from serve.conftest import NEWEST_MS, Clock, traffic
from vistio_core.times import SECOND_MS, format_instant
from vistio_serve import create_app, ready, rendering

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

NEXT_MS = NEWEST_MS + INTERVAL_MS


@pytest.fixture(autouse=True)
def seen_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A commit is seen by the next request: no test waits for `VERSION_AGE_S`."""
    monkeypatch.setattr(rendering, "VERSION_AGE_S", 0.0)


def commit(recording: vistio.Recording, instant_ms: int) -> None:
    with recording.writer() as writer:
        writer.put_configuration(mesh())
        writer.commit(scrape(instant_ms, traffic(30.0)))


def instant_of(response: TestResponse) -> str:
    found: str = response.get_json()["metadata"]["vistio"]["instant"]
    return found


def graphs(client: Client) -> dict[str, float]:
    text = client.get("/metrics").text
    return {how: float(n) for how, n in re.findall(r'vistio_serve_graphs_total\{how="(\w+)"\} (\S+)', text)}


@pytest.mark.parametrize("query", ["", "?offset=0", "?at=-1s", "?format=node-link"])
def test_a_new_instant_is_visible_with_its_commit(
    client: Client, recorded: vistio.Recording, clock: Clock, query: str
) -> None:
    # The clock stands still: what was ready a moment ago is not forgotten because time goes by.
    clock.now_ms = NEXT_MS + 3 * SECOND_MS
    before = client.get(f"/graph{query}")
    assert client.get(f"/graph{query}").data == before.data
    commit(recorded, NEXT_MS)
    after = client.get(f"/graph{query}")
    assert after.data != before.data
    assert format_instant(NEXT_MS) in after.text


def test_many_who_ask_for_a_new_instant_cost_one_rebuild(recorded: vistio.Recording, clock: Clock) -> None:
    clock.now_ms = NEXT_MS + 3 * SECOND_MS
    app = create_app(recorded, now_ms=clock)
    Client(app).get("/graph")
    commit(recorded, NEXT_MS)
    before = graphs(Client(app))
    together = Barrier(8)

    def ask(_: int) -> str:
        together.wait()
        return instant_of(Client(app).get("/graph"))

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(ask, range(8))) == {format_instant(NEXT_MS)}
    after = graphs(Client(app))
    assert after["made"] - before["made"] == 1
    assert sum(after.values()) - sum(before.values()) == 8


@pytest.mark.parametrize("encoding", ["identity", "gzip", "zstd", "gzip, zstd;q=0.5"])
def test_what_was_ready_is_the_same_response(client: Client, encoding: str) -> None:
    asked = {"Accept-Encoding": encoding}
    first, again = (client.get("/graph", headers=asked) for _ in range(2))
    assert graphs(client)["hit"] == 1
    assert (first.status, first.data, list(first.headers)) == (again.status, again.data, list(again.headers))
    unchanged = {**asked, "If-None-Match": first.headers["ETag"]}
    for _ in range(2):
        response = client.get("/graph", headers=unchanged)
        assert (response.status_code, response.data) == (304, b"")


def test_a_head_request_gets_no_body_that_was_ready(client: Client) -> None:
    length = len(client.get("/graph").data)
    response = client.head("/graph")
    assert (response.status_code, response.data) == (200, b"")
    assert response.headers["Content-Length"] == str(length)


def test_what_was_ready_is_over_with_its_second(client: Client, clock: Clock) -> None:
    first = client.get("/graph")
    clock.now_ms += SECOND_MS
    assert client.get("/graph").get_json()["metadata"]["vistio"]["age_s"] == pytest.approx(
        first.get_json()["metadata"]["vistio"]["age_s"] + 1
    )


def test_errors_are_never_ready(client: Client, recorded: vistio.Recording, clock: Clock) -> None:
    clock.now_ms = NEWEST_MS + 3600 * SECOND_MS
    for _ in range(2):
        assert client.get("/graph").status_code == 404
    assert client.get("/graph?x=1").status_code == 400
    commit(recorded, clock.now_ms - 2 * SECOND_MS)
    assert client.get("/graph").status_code == 200


def test_what_is_ready_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ready, "MAX_BYTES", 10_000)
    kept = ready.Ready(lambda: 1_000, lambda: 1)
    stamp = kept.stamp()
    asked = {query: EnvironBuilder("/graph", query_string=query).get_environ() for query in ("one", "two")}
    for environ in asked.values():
        kept.keep(environ, stamp, Response(b"1234"))
    assert [kept.get(environ, stamp) is not None for environ in asked.values()] == [False, True]
    kept.keep(asked["two"], (stamp[0], 2), Response(b"4321"))
    assert kept.get(asked["one"], stamp) is None, "a commit makes room"
    found = kept.get(asked["two"], (stamp[0], 2))
    assert found is not None
    assert (found.code, found.chunks) == ("200", [b"4321"])


def test_many_who_have_it_already_fill_no_memory_with_what_they_say() -> None:
    """A 304 has no content, and a header may have 60 kB: each asked in another way, they were all kept for a second."""
    kept = ready.Ready(lambda: 1_000, lambda: 1)
    stamp = kept.stamp()
    number = ready.MAX_BYTES // 1000

    def asked(text: str) -> WSGIEnvironment:
        return EnvironBuilder("/graph", headers={"If-None-Match": text}).get_environ()

    for place in range(number):
        kept.keep(asked(f'"{place}"'), stamp, Response(status=304))
    found = [kept.get(asked(f'"{place}"'), stamp) is not None for place in range(number)]
    assert found[-1]
    assert sum(found) < number / 2
    long = asked('"a", ' * 2_000)
    assert kept.keep(long, stamp, Response(status=304)).code == "304"
    assert kept.get(long, stamp) is None
