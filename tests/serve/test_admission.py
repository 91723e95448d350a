"""Large answers take turns in what memory allows, and small ones never wait for them."""

from __future__ import annotations

import gzip
import random
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.processes import wait_until
from support.scrapes import START_MS
from werkzeug.test import Client

import vistio_core as vistio
from serve.conftest import NEWEST_MS, Clock
from vistio_core.times import format_instant
from vistio_serve import admission, create_app, server
from vistio_serve.admission import SMALL_BYTES, Admission, BusyError, TooLargeError
from vistio_serve.bodies import LARGE_BYTES, Body, PackedBody, WholeBody, body_of, sliced
from vistio_serve.memory import Memory, make_room
from vistio_serve.sending import LEAST_BYTES_PER_S, PATIENCE_S, Sending
from vistio_serve.shared import Shared

MB = 2**20


def test_what_is_small_never_waits() -> None:
    budget = Admission(100 * MB, wait_s=0.0)
    with budget.work(100 * MB), budget.work(SMALL_BYTES), budget.work(SMALL_BYTES):
        assert budget.used_bytes == 100 * MB + 2 * SMALL_BYTES
    assert budget.used_bytes == 0


def test_what_does_not_fit_beside_another_one_is_told_to_come_again() -> None:
    budget = Admission(100 * MB, wait_s=0.0)
    with budget.work(60 * MB):
        with pytest.raises(BusyError, match="ask again"), budget.work(60 * MB):
            pytest.fail("it must not begin")
        with budget.work(40 * MB):
            assert budget.refused == 1
    assert (budget.used_bytes, budget.waiting) == (0, 0)


def test_whoever_waits_begins_when_there_is_room_first_come_first_served() -> None:
    budget = Admission(100 * MB)
    begun: list[int] = []

    def work(number: int) -> None:
        with budget.work(90 * MB):
            begun.append(number)

    def waits(number: int) -> bool:
        return budget.waiting == number

    with budget.work(90 * MB):
        threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
        for number, thread in enumerate(threads, start=1):
            thread.start()
            wait_until(partial(waits, number), what="one more waits")
        assert begun == []
    for thread in threads:
        thread.join(10)
    assert begun == [0, 1, 2]


def test_a_graph_waits_for_no_run_of_frames() -> None:
    budget = Admission(100 * MB, wait_s=0.0)
    with budget.work(100 * MB), budget.work(20 * MB), pytest.raises(BusyError), budget.work(20 * MB):
        pytest.fail("only a fifth may be overdrawn")


def test_what_is_urgent_goes_first_and_is_not_passed_by_what_would_fit_before() -> None:
    budget = Admission(100 * MB)
    begun: list[int] = []

    def work(cost_mb: int, urgent: bool) -> None:
        with budget.work(cost_mb * MB, urgent=urgent):
            begun.append(cost_mb)

    def waits(number: int) -> bool:
        return budget.waiting == number

    with budget.work(50 * MB):
        threads = [
            threading.Thread(target=work, args=each) for each in ((70, False), (90, True), (30, False))
        ]
        for number, thread in enumerate(threads, start=1):
            thread.start()
            wait_until(partial(waits, number), what="one more waits")
        assert begun == []
    for thread in threads:
        thread.join(10)
    assert begun[0] == 90
    assert begun[1:] == [70, 30]


def test_no_more_than_so_many_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "MOST_WAITING", 0)
    budget = Admission(100 * MB)
    with pytest.raises(BusyError), budget.work(20 * MB):
        pytest.fail("it must not begin")


def test_what_never_fits_is_told_so_and_a_graph_that_is_that_large_is_made_alone() -> None:
    budget = Admission(100 * MB, wait_s=0.0)
    told = pytest.raises(TooLargeError, match=r"about 150 MB .* may use 100 MB .* a longer step")
    with told, budget.work(150 * MB, "use a longer step"):
        pytest.fail("it must not begin")
    with budget.work(150 * MB):
        assert budget.used_bytes == 100 * MB


def test_an_answer_counts_until_it_was_sent_or_its_client_has_gone() -> None:
    budget = Admission(100 * MB, wait_s=0.0)
    sendings = [Sending([b"a", b"b"], budget.send(30 * MB)) for _ in range(4)]
    with pytest.raises(BusyError):
        budget.send(30 * MB)
    with pytest.raises(BusyError), budget.work(30 * MB):
        pytest.fail("what is sent counts")
    assert budget.sending == 4
    assert list(sendings[0]) == [b"a", b"b"]
    for sending in [*sendings, *sendings]:
        sending.close()
    assert (budget.used_bytes, budget.sending, budget.waiting) == (0, 0, 0)


def test_what_was_made_is_sent_although_the_next_one_has_begun() -> None:
    budget = Admission(100 * MB)
    begun = threading.Event()
    sent: list[str] = []

    def send() -> None:
        with budget.work(20 * MB, urgent=True):
            begun.set()
        budget.send(30 * MB)()
        sent.append("it was large")

    with budget.work(100 * MB):
        budget.send(20 * MB)()
        sent.append("it was small")
        sender = threading.Thread(target=send)
        sender.start()
        assert begun.wait(10)
        wait_until(lambda: budget.waiting == 1, what="it waits for room")
        assert sent == ["it was small"]
    sender.join(10)
    assert sent == ["it was small", "it was large"]
    assert (budget.used_bytes, budget.refused) == (0, 0)


def test_nothing_is_made_that_could_not_be_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "MOST_SENDING", 1)
    budget = Admission(100 * MB)
    sent = budget.send(1)
    with pytest.raises(BusyError, match="being fetched"), budget.work(20 * MB):
        pytest.fail("it must not begin")
    sent()
    with budget.work(20 * MB):
        pass


def test_who_fetches_too_slowly_is_given_up() -> None:
    now_s = [0.0]
    sending = Sending(iter(lambda: b"x" * LEAST_BYTES_PER_S, b""), lambda: None, lambda: now_s[0])
    next(sending)
    now_s[0] = PATIENCE_S + 0.9
    next(sending)
    now_s[0] = PATIENCE_S + 2.1
    with pytest.raises(StopIteration):
        next(sending)


def test_who_shares_an_answer_for_long_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "MOST_SHARING", 1)
    monkeypatch.setattr("vistio_serve.shared._SOON_S", 0.0)
    budget, shared = Admission(100 * MB), Shared[str](0)
    go_on = threading.Event()
    found: list[str] = []

    def make() -> tuple[str, float, int]:
        begun.set()
        go_on.wait(10)
        return "made", 0.0, 0

    begun = threading.Event()
    with ExitStack() as stack:
        stack.callback(go_on.set)
        maker = threading.Thread(target=lambda: shared.get("key", make))
        maker.start()
        assert begun.wait(10)
        with budget.sharing(), pytest.raises(BusyError):
            shared.get("key", make, budget.sharing)
        sharer = threading.Thread(target=lambda: found.append(shared.get("key", make, budget.sharing)[0]))
        sharer.start()
        go_on.set()
        sharer.join(10)
        maker.join(10)
    assert found == ["made"]


def test_what_is_kept_ready_goes_when_work_needs_the_room() -> None:
    large, small = Shared[str](1000), Shared[str](1000)
    for key in range(4):
        large.get(key, lambda: ("", 60.0, 100))
        small.get(key, lambda: ("", 60.0, 10))
    make_room([large, small], 500)
    assert (large.weight_bytes, small.weight_bytes) == (400, 40)
    make_room([large, small], 150)
    assert (large.weight_bytes, small.weight_bytes) == (100, 40)
    assert large.get(3, lambda: ("", 60.0, 100))[1] == "hit"
    make_room([large, small], 0)
    assert (large.weight_bytes, small.weight_bytes) == (0, 0)


def pieces() -> Iterator[bytes]:
    some = random.Random(1)
    for _ in range(5):
        yield some.randbytes(LARGE_BYTES // 4).hex().encode()


@pytest.mark.parametrize("large", [False, True])
def test_a_body_is_the_same_bytes_in_each_encoding_however_it_is_kept(large: bool) -> None:
    content = b"".join(pieces()) if large else b"some text" * 1000
    body: Body = body_of(pieces() if large else [content])
    assert isinstance(body, PackedBody if large else WholeBody)
    assert body.size_bytes == len(content)
    by_encoding = {name: b"".join(sliced(body.pieces(name))) for name in ("identity", "gzip", "zstd")}
    assert by_encoding["identity"] == content
    assert gzip.decompress(by_encoding["gzip"]) == content
    with pa.input_stream(pa.BufferReader(by_encoding["zstd"]), compression="zstd") as stream:
        assert stream.read() == content
    for name, encoded in by_encoding.items():
        assert body.length(name) in (len(encoded), None)
        assert b"".join(body.pieces(name)) == encoded
    assert body.length("identity") == len(content)
    assert len({body.etag(name) for name in by_encoding}) == 3
    assert body.etag("identity") == WholeBody(content).etag("identity")
    assert not large or body.weight_bytes < 0.6 * len(content)


def test_a_large_answer_is_streamed_with_the_same_bytes(
    recorded: vistio.Recording, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared = f"/diff?before={format_instant(START_MS)}&after={format_instant(NEWEST_MS)}"
    paths = ["/graph", "/frames", "/timeline", "/instants", compared, "/graph?stable=-1h/now"]
    usual = Client(create_app(recorded, now_ms=clock))
    expected = {path: usual.get(path, headers={"Accept-Encoding": "gzip"}) for path in paths}
    monkeypatch.setattr("vistio_serve.app.ONE_PIECE_BYTES", 10)
    monkeypatch.setattr("vistio_serve.answers.ONE_PIECE_BYTES", 10)
    monkeypatch.setattr("vistio_serve.bodies.LARGE_BYTES", 10)
    streaming = Client(create_app(recorded, now_ms=clock))
    for path in paths:
        plain = streaming.get(path)
        assert (plain.status_code, plain.content_length) == (200, len(plain.data))
        packed = streaming.get(path, headers={"Accept-Encoding": "gzip"})
        assert gzip.decompress(packed.data) == plain.data, path
        assert gzip.decompress(expected[path].data) == plain.data, path
        assert packed.headers["ETag"] == expected[path].headers["ETag"]
        again = streaming.get(path, headers={"If-None-Match": plain.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")
        head = streaming.head(path)
        assert (head.status_code, head.content_length, head.data) == (200, len(plain.data), b"")
    assert "vistio_serve_work_sending 0.0" in streaming.get("/metrics").text


def test_no_more_large_answers_are_sent_than_are_counted(
    recorded: vistio.Recording, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vistio_serve.app.ONE_PIECE_BYTES", 1024)
    monkeypatch.setattr("vistio_serve.answers.ONE_PIECE_BYTES", 1024)
    monkeypatch.setattr(admission, "MOST_SENDING", 2)
    client = Client(create_app(recorded, now_ms=clock))
    # Made, ready, and of another route; none of them is fetched yet.
    fetched_later = [client.get(path, buffered=False) for path in ("/graph", "/graph")]
    for path in ("/graph", "/instants", "/graph?at=-1s"):
        refused = client.get(path)
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "2"), path
        assert refused.headers["Access-Control-Allow-Origin"] == "*"
    assert client.get("/graph", headers={"If-None-Match": "*"}).status_code == 304
    assert client.get("/-/healthy").status_code == 200
    for answer in fetched_later:
        answer.close()
    assert client.get("/graph").status_code == 200


def test_a_busy_server_says_when_to_come_again_and_does_nothing(
    recorded: vistio.Recording, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission, "MOST_WAITING", 0)
    monkeypatch.setattr(admission, "SMALL_BYTES", 0)
    for name in ("graph", "frames", "timeline", "compare", "instants", "topology"):
        monkeypatch.setattr(vistio.Recording, name, lambda *_, **__: pytest.fail("nothing must be read"))
    client = Client(create_app(recorded, now_ms=clock))
    at = format_instant(START_MS)
    asked = ["/graph", f"/graph?at={at}", "/graph?stable=-1h/now", "/frames?step=10s", "/timeline?step=10s"]
    asked += ["/diff", f"/diff?before={at}", "/instants"]
    for path in asked:
        answer = client.get(path)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2"), path
        assert answer.content_type == "application/problem+json"
        assert answer.get_json()["type"] == "urn:vistio:problem:busy"
    assert f"vistio_serve_work_refused_total {len(asked)}.0" in client.get("/metrics").text


def test_frames_that_never_fit_are_refused_before_anything_is_read(
    recorded: vistio.Recording, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vistio.Recording, "frames", lambda *_: pytest.fail("nothing must be read"))
    client = Client(create_app(recorded, now_ms=clock, memory=Memory(0, 0, 0, 0, 0, 0, 1000)))
    answer = client.get(f"/frames?start={format_instant(START_MS)}&end={format_instant(NEWEST_MS)}&step=1s")
    assert answer.status_code == 400
    assert "use a longer step or a shorter window" in answer.get_json()["detail"]


def test_an_extent_tells_instants_and_rows_without_reading_any(recorded: vistio.Recording) -> None:
    whole = recorded.extent()
    assert whole.instants == recorded.instants().num_rows
    of_one = [pq.read_metadata(path).num_rows for path in Path(recorded.place).glob("head/*.parquet")]
    assert (len(of_one), max(of_one)) == (whole.instants, whole.rows_of_one)
    assert recorded.extent(format_instant(START_MS), format_instant(START_MS + 1)).instants == 1
    assert recorded.extent(format_instant(0), format_instant(1)).rows == 0


def test_the_kernel_cuts_off_who_fetches_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        host, port = listening.getsockname()
        server._cut_off_who_stalls(server.Address(host, port))
        with socket.create_connection((host, port)):
            accepted, _ = listening.accept()
            with accepted:
                timeout_ms = accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
    assert timeout_ms == server.STALLED_TIMEOUT_MS


def test_threads_are_left_for_what_is_small() -> None:
    busy = 2 * admission.MOST_WAITING + admission.MOST_SHARING + admission.MOST_SENDING
    assert busy + 16 < server.THREADS
