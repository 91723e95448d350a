"""``GET /live``: whoever listens is told of each commit, and only so many listen."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from itertools import count
from pathlib import Path

import pytest
import requests
from support.processes import RunProcess, wait_until
from support.scrapes import INTERVAL_MS, START_MS, mesh, scrape
from werkzeug.test import Client, TestResponse

import vistio_core as vistio
from serve.conftest import NEWEST_MS, Clock, traffic
from vistio_core import Writer
from vistio_core.times import format_instant
from vistio_serve import create_app, live

EVENTS = {"Accept": "text/event-stream"}
Event = tuple[str, str | None]
"""The id, and the newest instant."""


def events_of(lines: Iterator[bytes]) -> Iterator[Event]:
    """As a browser reads them."""
    identity = ""
    for line in lines:
        if line.startswith(b"id: "):
            identity = line[4:].decode().strip()
        elif line.startswith(b"data: "):
            yield identity, json.loads(line[6:])["instant"]


def listen(client: Client) -> tuple[TestResponse, Iterator[Event]]:
    answer = client.get("/live", headers=EVENTS, buffered=False)
    assert (answer.status_code, answer.mimetype) == (200, "text/event-stream")
    assert answer.headers["Cache-Control"] == "no-store"
    return answer, events_of(line for piece in answer.iter_encoded() for line in piece.splitlines())


@contextmanager
def committing(recording: vistio.Recording, writer: str = "main") -> Iterator[Writer]:
    with recording.writer(writer) as held:
        held.put_configuration(mesh())
        yield held


def listening(client: Client) -> float:
    (line,) = [
        line for line in client.get("/metrics").text.splitlines() if line.startswith("vistio_serve_listening")
    ]
    return float(line.split()[1])


def test_who_only_asks_is_told_once(client: Client) -> None:
    answer = client.get("/live")
    assert [instant for _, instant in events_of(iter(answer.data.splitlines()))] == [
        format_instant(NEWEST_MS)
    ]
    assert client.head("/live", headers=EVENTS).data == b""
    assert listening(client) == 0


def test_where_nothing_is_recorded_yet_there_is_no_instant(recording_dir: Path) -> None:
    def away() -> vistio.Recording:
        return vistio.Recording.open(recording_dir)

    ((_, instant),) = events_of(iter(Client(create_app(away)).get("/live").data.splitlines()))
    assert instant is None


def test_a_commit_is_told_and_what_is_healed_or_merged_is_not(
    client: Client, recorded: vistio.Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "AGAIN_S", 1.0)
    answer, events = listen(client)
    with closing(answer), committing(recorded) as writer:
        first, instant = next(events)
        assert instant == format_instant(NEWEST_MS)
        writer.commit(scrape(NEWEST_MS + INTERVAL_MS, traffic(22.0)))
        second, instant = next(events)
        assert (second != first, instant) == (True, format_instant(NEWEST_MS + INTERVAL_MS))

        before = recorded.version()
        writer.commit(scrape(START_MS + 10 * INTERVAL_MS, traffic(3.0), backfilled=True))
        assert recorded.version() != before
        assert next(events) == (second, instant), (
            "the same again, so that who listens knows that we are there"
        )
        assert listening(client) == 1
    assert listening(client) == 0


def test_another_writers_commit_of_the_same_instant_is_told(
    client: Client, recorded: vistio.Recording
) -> None:
    answer, events = listen(client)
    with closing(answer), committing(recorded, "second") as writer:
        first, _ = next(events)
        writer.commit(scrape(NEWEST_MS, traffic(1.0)))
        second, instant = next(events)
    assert (second != first, instant) == (True, format_instant(NEWEST_MS))


def test_more_than_may_listen_are_told_to_ask(
    client: Client, clock: Clock, recorded: vistio.Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "MOST_LISTENING", 3)
    with ExitStack() as open_ones:
        for _ in range(3):
            answer, events = listen(client)
            open_ones.callback(answer.close)
            next(events)
        refused = client.get("/live", headers=EVENTS)
        assert (refused.status_code, refused.json["type"]) == (503, "urn:vistio:problem:busy")
        assert "Retry-After" in refused.headers
        assert client.get("/live").status_code == 200
    answer, events = listen(client)
    with closing(answer):
        assert next(events)


@pytest.mark.parametrize("forwarded", [False, True], ids=["the server", "its web"])
def test_who_has_gone_is_forgotten(
    run_process: RunProcess, recorded: vistio.Recording, forwarded: bool
) -> None:
    """Real sockets; also through ``vistio-serve web``, which has a thread for each as well."""
    served = run_process("vistio-serve", "--port", 0, "--recording", recorded.place)
    api = url = served.wait_for_line(r"(http://\S+)").group(1).rstrip("/")
    if forwarded:
        web = run_process("vistio-serve", "web", "--api", api, "--port", 0)
        url = web.wait_for_line(r"(http://\S+)/ \(asks").group(1)

    def counted() -> float:
        lines = requests.get(f"{api}/metrics", timeout=10).text.splitlines()
        return float(
            next(line for line in lines if line.startswith("vistio_serve_listening ")).rpartition(" ")[2]
        )

    newer = (NEWEST_MS + number * INTERVAL_MS for number in count(1))
    with committing(recorded) as writer:
        with requests.get(f"{url}/live", headers=EVENTS, stream=True, timeout=30) as answer:
            events = events_of(answer.iter_lines(chunk_size=1))
            assert next(events)[1] == format_instant(NEWEST_MS)
            writer.commit(scrape(next(newer), traffic(22.0)))
            assert next(events)[1] == format_instant(NEWEST_MS + INTERVAL_MS)
            assert counted() == 1

        def forgotten() -> bool:
            writer.commit(scrape(next(newer), traffic(22.0)))
            return counted() == 0

        wait_until(forgotten, what="whoever is told and does not take it to be forgotten")
