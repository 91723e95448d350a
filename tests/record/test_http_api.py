"""The HTTP rim against real servers that misbehave."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import time
from collections.abc import Callable
from contextlib import closing
from email.utils import formatdate

import pytest
from support.certificates import Certificates
from support.misbehaving import Request, serving, vector

from vistio_core.configuration.http_config import HttpConfig, ServerSettings, TlsConfig
from vistio_core.errors import SourceError, UsageError
from vistio_record.sources.abortable import Call
from vistio_record.sources.http_api import MAX_RESPONSE_BYTES, query
from vistio_record.sources.servers import Server

INSTANT_MS = 1_763_873_400_250


def ask(
    url: str, timeout_s: float = 5.0, max_bytes: int = MAX_RESPONSE_BYTES, call: Call | None = None
) -> bytes:
    with closing(Server.from_url(url)) as server:
        return query(server, "up > 0", INSTANT_MS, call or Call(timeout_s), max_bytes)


def refused(
    handle: Callable[[Request], None], *, timeout_s: float = 5.0, max_bytes: int = MAX_RESPONSE_BYTES
) -> SourceError:
    """The error that asking such a server ends with."""
    with serving(handle) as url, pytest.raises(SourceError) as caught:
        ask(url, timeout_s, max_bytes)
    text = str(caught.value)
    assert text.startswith(url)
    assert "\n" not in text
    assert len(text) < 600
    return caught.value


def test_the_query_is_posted_as_a_form_with_the_instant_in_seconds() -> None:
    seen: list[Request] = []

    def handle(request: Request) -> None:
        seen.append(request)
        request.answer(vector())

    with serving(handle) as url:
        ask(f"{url}/prefix/")
    assert (seen[0].method, seen[0].path) == ("POST", "/prefix/api/v1/query")
    assert seen[0].form["query"] == "up > 0"
    assert seen[0].form["time"] == "1763873400.250"
    assert 4.0 < float(seen[0].form["timeout"]) <= 5.0


def test_credentials_in_the_url_become_basic_authentication() -> None:
    seen: list[Request] = []

    def handle(request: Request) -> None:
        seen.append(request)
        request.answer(vector())

    with serving(handle) as url:
        ask(url.replace("//", "//us%40er:s%C3%A9cret@"))
    assert seen[0].headers["Authorization"] == "Basic dXNAZXI6c8OpY3JldA=="


@pytest.mark.parametrize("status", [400, 401, 500])
def test_credentials_never_reach_an_error_even_when_the_server_repeats_them(status: int) -> None:
    def handle(request: Request) -> None:
        said = f"hunter2 is wrong, as is {request.headers['Authorization']}"
        request.answer(json.dumps({"status": "error", "errorType": "x", "error": said}), status)

    with serving(handle) as url, pytest.raises(SourceError) as caught:
        ask(url.replace("//", "//me:hunter2@"))
    assert "x: *** is wrong, as is Basic ***" in str(caught.value)


def test_an_error_of_prometheus_says_status_type_and_text() -> None:
    error = refused(
        lambda request: request.answer(
            json.dumps(
                {"status": "error", "errorType": "bad_data", "error": "1:5: parse error: unexpected <by>"}
            ),
            400,
        )
    )
    assert "HTTP 400 Bad Request, Prometheus answers bad_data: 1:5: parse error: unexpected <by>" in str(
        error
    )


def test_a_timeout_that_prometheus_reports_is_a_timeout() -> None:
    answer = json.dumps({"status": "error", "errorType": "timeout", "error": "query timed out"})
    assert refused(lambda request: request.answer(answer, 503)).kind == "timeout"


def test_an_html_error_page_is_named_not_quoted() -> None:
    error = refused(
        lambda request: request.answer(
            "<html>secret page</html>", 502, Content_Type="text/html; charset=utf-8"
        )
    )
    assert "HTTP 502 Bad Gateway with text/html; does prometheusURL lead to a Prometheus" in str(error)
    assert "secret" not in str(error)


@pytest.mark.parametrize(
    "page",
    [
        "Client sent an HTTP request to an HTTPS server.\n",
        "<center>The plain HTTP request was sent to HTTPS port</center>",
    ],
)
def test_a_server_that_wants_tls_is_told_as_such(page: str) -> None:
    error = refused(lambda request: request.answer(page, 400))
    assert "HTTP 400 Bad Request: the server wants TLS; write https:// in prometheusURL" in str(error)


@pytest.mark.parametrize("status", [401, 403])
def test_missing_credentials_are_said_to_be_missing(status: int) -> None:
    assert "credentials are missing" in str(refused(lambda request: request.answer("no", status)))


def test_a_redirect_is_not_followed_and_shows_no_credentials() -> None:
    followed: list[Request] = []

    def elsewhere(request: Request) -> None:
        followed.append(request)
        request.answer(vector())

    with serving(elsewhere) as other:
        target = other.replace("//", "//user:hunter2@")
        error = refused(
            lambda request: request.answer("", 301, Location=f"{target}/api/v1/query?token=hunter2")
        )
        assert f"redirects to {other}/api/v1/query;" in str(error)
    assert "hunter2" not in str(error)
    assert followed == []


def test_nobody_listening_is_a_refused_connection() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"
        with pytest.raises(SourceError, match="connection refused; is the server running"):
            ask(url)


def test_a_host_name_without_address_is_named() -> None:
    with pytest.raises(SourceError, match=r"host name 'nowhere\.invalid' cannot be resolved"):
        ask("http://nowhere.invalid:9090")


def test_a_server_that_does_not_speak_http_is_said_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def talk() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")

        thread = threading.Thread(target=talk, daemon=True)
        thread.start()
        with pytest.raises(SourceError, match=r"not complete HTTP|closed before the answer"):
            ask(f"http://127.0.0.1:{server.getsockname()[1]}")
        thread.join(5)


def test_https_to_a_server_that_speaks_http_mentions_tls() -> None:
    with serving(lambda request: request.answer(vector())) as url, pytest.raises(SourceError, match="TLS"):
        ask(url.replace("http:", "https:"))


def test_an_answer_that_ends_early_is_an_error() -> None:
    def handle(request: Request) -> None:
        request.answer("x" * 10, Content_Length="1000", Connection="close")
        request._handler.close_connection = True

    assert refused(handle).kind == "failed"


@pytest.mark.parametrize("over_tls", [False, True])
def test_a_connection_that_is_closed_when_it_is_used_again_is_replaced(
    over_tls: bool, certificates: Certificates
) -> None:
    """Promise: a load balancer that closes idle connections costs no rule its instant."""
    answered: set[object] = set()
    asked: list[object] = []

    def handle(request: Request) -> None:
        asked.append(request.connection)
        if request.connection in answered:
            request._handler.close_connection = True
            return
        answered.add(request.connection)
        request.answer(vector())

    trusting = HttpConfig(tls_config=TlsConfig(ca_file=str(certificates.ca_file)))
    with (
        serving(handle, certificates.server() if over_tls else None) as url,
        closing(Server(url, ServerSettings(url, http_config=trusting))) as server,
    ):
        for _ in range(2):
            assert query(server, "up > 0", INSTANT_MS, Call(5.0), MAX_RESPONSE_BYTES) == vector().encode()
    assert asked[0] is asked[1], "it was kept"
    assert len(asked) == 3


def test_a_new_connection_that_is_closed_is_not_tried_again() -> None:
    asked: list[Request] = []

    def handle(request: Request) -> None:
        asked.append(request)
        request._handler.close_connection = True

    assert "closed before the answer" in str(refused(handle))
    assert len(asked) == 1


def test_a_gzip_answer_is_unpacked() -> None:
    body = vector(({"a": "b"}, "1")).encode()
    with serving(lambda request: request.answer(gzip.compress(body), Content_Encoding="gzip")) as url:
        assert ask(url) == body


@pytest.mark.parametrize(
    ("data", "encoding", "found"),
    [
        (gzip.compress(b"x" * 1000, mtime=0)[:-12], "gzip", "cut short"),
        (b"no gzip", "gzip", "damaged"),
        (b"?", "br", "encoded as br"),
    ],
)
def test_a_body_that_cannot_be_unpacked_is_an_error(data: bytes, encoding: str, found: str) -> None:
    assert found in str(refused(lambda request: request.answer(data, Content_Encoding=encoding)))


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(("size", "fits"), [(9_999, True), (10_000, True), (10_001, False)])
def test_the_size_of_the_unpacked_answer_is_bounded(size: int, fits: bool, packed: bool) -> None:
    body = b" " * size

    def handle(request: Request) -> None:
        if packed:
            request.answer(gzip.compress(body), Content_Encoding="gzip")
        else:
            request.answer(body)

    if fits:
        with serving(handle) as url:
            assert ask(url, max_bytes=10_000) == body
    else:
        assert "larger than 10000 bytes" in str(refused(handle, max_bytes=10_000))


def test_a_gzip_bomb_is_refused_without_unpacking_it() -> None:
    bomb = gzip.compress(b"\0" * 200_000_000, 9)  # 200 MB in 200 kB
    started = time.process_time()
    error = refused(lambda request: request.answer(bomb, Content_Encoding="gzip"), max_bytes=1_000_000)
    assert "larger than 1000000 bytes" in str(error)
    assert time.process_time() - started < 0.5


def drip_headers(request: Request) -> None:
    request.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    request.drip(b"x")


def drip_body(request: Request) -> None:
    request.start(Content_Length="100000")
    request.drip(b" ")


@pytest.mark.parametrize("handle", [Request.hang, drip_headers, drip_body])
def test_a_request_that_is_cut_off_ends_at_once_whatever_the_server_does(
    handle: Callable[[Request], None],
) -> None:
    arrived = threading.Event()

    def announced(request: Request) -> None:
        arrived.set()
        handle(request)

    with serving(announced) as url:
        call = Call(60.0)
        ended: list[Exception] = []

        def run() -> None:
            try:
                ask(url, call=call)
            except SourceError as error:
                ended.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        assert arrived.wait(10)
        call.abort()
        thread.join(5)
        assert not thread.is_alive()
    assert [error.kind for error in ended] == ["timeout"]


def test_a_call_that_was_cut_off_before_it_began_never_reaches_the_server() -> None:
    seen: list[Request] = []
    with serving(seen.append) as url:
        call = Call(5.0)
        call.abort()
        with pytest.raises(SourceError):
            ask(url, call=call)
    assert seen == []


def dated(request: Request, date: str) -> None:
    body = vector().encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n{date}\r\n"
    request.write(head.encode() + body)


def date_header(second: int) -> str:
    return f"Date: {formatdate(second, usegmt=True)}\r\n"


INSTANT_S = INSTANT_MS // 1000


@pytest.mark.parametrize(
    ("date", "believed"),
    [
        (date_header(INSTANT_S - 11), False),
        (date_header(INSTANT_S - 9), True),
        (date_header(INSTANT_S + 10**6), True),
        ("Date: yesterday\r\n", True),
        ("Date: \r\n", True),
        ("", True),
    ],
)
def test_an_answer_about_the_server_s_own_future_is_not_believed(date: str, believed: bool) -> None:
    if believed:
        with serving(lambda request: dated(request, date)) as url:
            assert ask(url) == vector().encode()
    else:
        error = refused(lambda request: dated(request, date))
        assert "its clock is 11s behind the asked instant" in str(error)
        assert error.kind == "failed"


def test_cookies_are_not_kept() -> None:
    seen: list[Request] = []

    def handle(request: Request) -> None:
        seen.append(request)
        request.answer(vector(), Set_Cookie="a=b")

    with serving(handle) as url, closing(Server.from_url(url)) as server:
        for _ in range(2):
            query(server, "up", INSTANT_MS, Call(5), MAX_RESPONSE_BYTES)
    assert ["Cookie" in request.headers for request in seen] == [False, False]


def test_connections_are_kept_for_the_next_scrape() -> None:
    ports: set[int] = set()

    def handle(request: Request) -> None:
        ports.add(request._handler.client_address[1])
        request.answer(vector())

    with serving(handle) as url, closing(Server.from_url(url)) as server:
        for _ in range(3):
            query(server, "up", INSTANT_MS, Call(5), MAX_RESPONSE_BYTES)
    assert len(ports) == 1


@pytest.mark.parametrize("url", ["", "prometheus:9090", "ftp://host", "http://", "http://host:port"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="use http://HOST:PORT"):
        Server.from_url(url)


def test_a_server_keeps_path_and_query_and_shows_no_credentials() -> None:
    server = Server.from_url("https://me:hunter2@[::1]:9090/select/0/prometheus/?tenant=7")
    assert server.base_url == "https://[::1]:9090/select/0/prometheus"
    assert server.query_string == "tenant=7"
    assert "hunter2" not in repr(server)
