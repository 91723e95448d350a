"""Who we are to a server and how it is reached, against real servers, proxies and certificates."""

from __future__ import annotations

import json
import logging
import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from support.certificates import HOST, Certificates, serial_number
from support.misbehaving import Request, configuration_text, serving, vector
from support.proxy import proxying

from vistio_core.configuration import loads
from vistio_core.errors import SourceError, UsageError
from vistio_core.events import Outcome
from vistio_record.sources.abortable import Call
from vistio_record.sources.base import SourceOptions
from vistio_record.sources.http_api import MAX_RESPONSE_BYTES, query
from vistio_record.sources.prometheus import PrometheusSource
from vistio_record.sources.servers import Server

INSTANT_MS = 1_763_873_400_000


@pytest.fixture(autouse=True)
def no_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def make(url: str, http_config: str = "{}", *, method: str = "") -> Server:
    """The server of a configuration whose ``http_config`` is this flow mapping."""
    text = configuration_text(url, "up") + f"http_config: {http_config}\n"
    if method:
        text += f"servers: [{{url: '{url}', method: {method}}}]\n"
    return Server(url, loads(text).server_settings(url))


def ask(server: Server, *, timeout_s: float = 5.0) -> bytes:
    return query(server, "up", INSTANT_MS, Call(timeout_s), MAX_RESPONSE_BYTES)


def refused(server: Server) -> str:
    with closing(server), pytest.raises(SourceError) as caught:
        ask(server)
    text = str(caught.value)
    assert text.startswith(server.base_url)
    assert "\n" not in text
    return text


@contextmanager
def seeing(tls: ssl.SSLContext | None = None) -> Iterator[tuple[str, list[Request]]]:
    """A server that answers everything with an edge, its URL, and the requests that it has seen."""
    seen: list[Request] = []

    def handle(request: Request) -> None:
        seen.append(request)
        request.answer(vector(({"source": "a", "target": "b"}, "1")))

    with serving(handle, tls) as url:
        yield url, seen


# Who we are

LOGINS = [
    ("basic_auth: {username: me, password: 'sécret'}", "Basic bWU6c8OpY3JldA=="),
    ("basic_auth: {username: me}", "Basic bWU6"),
    ("basic_auth: {username_file: user, password_file: token}", "Basic bWU6aHVudGVyMg=="),
    ("basic_auth: {username: me, password_env: VISTIO_TEST_SECRET}", "Basic bWU6aHVudGVyMw=="),
    ("authorization: {credentials: hunter1}", "Bearer hunter1"),
    ("authorization: {credentials_file: token}", "Bearer hunter2"),
    ("authorization: {type: Token, credentials_env: VISTIO_TEST_SECRET}", "Token hunter3"),
]


@pytest.fixture
def secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "token").write_text("hunter2\n")
    (tmp_path / "user").write_text("me\n")
    monkeypatch.setenv("VISTIO_TEST_SECRET", "hunter3")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("secrets")
@pytest.mark.parametrize(("login", "header"), LOGINS)
def test_each_way_to_log_in_is_the_header_that_the_server_sees(login: str, header: str) -> None:
    with seeing() as (url, seen), closing(make(url, f"{{{login}}}")) as server:
        ask(server)
        assert seen[0].headers["Authorization"] == header
        for text in ("hunter", "sécret", header.split()[1]):
            assert text not in " ".join((repr(server), *server.manner))


@pytest.mark.usefixtures("secrets")
@pytest.mark.parametrize(("login", "header"), LOGINS)
def test_no_secret_reaches_an_error_when_the_server_repeats_it(login: str, header: str) -> None:
    def handle(request: Request) -> None:
        said = f"<{request.headers['Authorization']}> of hunter1 hunter2 hunter3 sécret"
        request.answer(json.dumps({"status": "error", "errorType": "x", "error": said}), 400)

    with serving(handle) as url:
        text = refused(make(url, f"{{{login}}}"))
    assert header not in text
    assert "***" in text


def test_credentials_in_the_url_win_over_those_of_the_http_config() -> None:
    with (
        seeing() as (url, seen),
        closing(make(url.replace("//", "//a:b@"), "{authorization: {credentials: x}}")) as server,
    ):
        ask(server)
        assert server.authentication == "basic authentication as 'a' (prometheusURL)"
    assert seen[0].headers["Authorization"] == "Basic YTpi"


def test_a_netrc_is_used_and_told_where_the_configuration_says_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text(f"machine {HOST} login me password hunter2\n")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with seeing() as (url, seen):
        for config in ("{}", "{authorization: {credentials: x}}"):
            with closing(make(url, config)) as server:
                ask(server)
                assert (".netrc" in server.authentication) == (config == "{}")
                assert "hunter2" not in server.authentication
    assert [one.headers["Authorization"] for one in seen] == ["Basic bWU6aHVudGVyMg==", "Bearer x"]


def test_headers_are_sent_along_and_several_values_are_one() -> None:
    config = "{http_headers: {X-Scope-OrgID: {values: [a, b]}, X-Secret: {secrets: [hunter2], env: HOME}}}"
    with seeing() as (url, seen), closing(make(url, config)) as server:
        ask(server)
    assert seen[0].headers["X-Scope-OrgID"] == "a, b"
    assert seen[0].headers["X-Secret"] == f"hunter2, {os.environ['HOME']}"


def test_a_front_with_many_tenants_answers_each_header_with_its_own_traffic() -> None:
    def handle(request: Request) -> None:
        tenant = request.headers.get("X-Scope-OrgID")
        if tenant is None:
            request.answer("no org id\n", 401, Content_Type="text/plain")
        else:
            request.answer(vector(({"source": tenant, "target": "b", "code": "200"}, "1")))

    with serving(handle) as url:
        text = configuration_text(f"{url}/a", "qa") + configuration_text(f"{url}/b", "qb").replace(
            "clusterLevel:\n  - cluster: mesh", "  - cluster: other"
        )
        text += (
            f"servers:\n- {{url: '{url}/a', http_config: {{http_headers: {{X-Scope-OrgID: {{values: [team-a]}}}}}}}}\n"
            f"- {{url: '{url}/b', http_config: {{http_headers: {{X-Scope-OrgID: {{values: [team-b]}}}}}}}}\n"
        )
        with closing(PrometheusSource(SourceOptions(loads(text)))) as source:
            assert [sample.source for sample in source.evaluate(INSTANT_MS, 5).samples] == [
                "team-a",
                "team-b",
            ]
        without = refused(make(url))
    assert "HTTP 401 Unauthorized: credentials are missing; give them in http_config" in without


def test_a_refusal_says_what_was_asked_with_and_not_the_secret() -> None:
    with serving(lambda request: request.answer("no", 401)) as url:
        text = refused(make(url, "{basic_auth: {username: me, password: hunter2}}"))
    assert "credentials are not enough: asked with basic authentication as 'me'" in text
    assert "hunter2" not in text


# Secrets that rotate


def write_over(directory: Path, text: str) -> None:
    (directory / "token").write_text(text)


def rename(directory: Path, text: str) -> None:
    (directory / "token.new").write_text(text)
    (directory / "token.new").replace(directory / "token")


def swap(directory: Path, text: str) -> None:
    """As Kubernetes does it: token > ..data/token, and ..data is a link that is replaced."""
    version = directory / f"..{text}"
    version.mkdir()
    (version / "token").write_text(text)
    (directory / "..data.new").symlink_to(version.name)
    (directory / "..data.new").replace(directory / "..data")
    if not (directory / "token").is_symlink():
        (directory / "token").unlink(missing_ok=True)
        (directory / "token").symlink_to("..data/token")


@pytest.mark.parametrize("renew", [write_over, rename, swap])
def test_a_token_that_is_renewed_is_used_from_the_next_request_on(
    secrets: Path, renew: Callable[[Path, str], None]
) -> None:
    with seeing() as (url, seen), closing(make(url, "{authorization: {credentials_file: token}}")) as server:
        for token in ("first", "other", "third"):
            renew(secrets, token)
            ask(server)
        assert [one.headers["Authorization"] for one in seen] == [
            "Bearer first",
            "Bearer other",
            "Bearer third",
        ]
        assert server.redact("first other third") == "first *** ***"


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda path: path.unlink(), "cannot be read: No such file or directory"),
        (lambda path: path.write_text(" \n"), "is empty"),
        (lambda path: path.write_bytes(b"\xff\xfe\x00hunter2"), "is not UTF-8 text"),
        (lambda path: path.write_text("hunter2\r\nX-Evil: 1"), "has a line break"),
        (lambda path: path.write_text("x" * (2**20 + 1)), "is larger than 1048576 bytes"),
        (lambda path: (path.unlink(), path.mkdir()), "Is a directory|is not a file"),
        (lambda path: (path.unlink(), os.mkfifo(path)), "is not a file"),
        (lambda path: (path.unlink(), path.symlink_to("/dev/zero")), "is not a file, but a device"),
    ],
)
def test_a_secret_that_cannot_be_read_fails_its_rules_until_it_is_back(
    secrets: Path, spoil: Callable[[Path], object], reason: str
) -> None:
    with seeing() as (own, _), seeing() as (other, _):
        text = configuration_text(own, "own") + configuration_text(other, "other").replace(
            "clusterLevel:\n  - cluster: mesh", "  - cluster: other"
        )
        text += f"servers: [{{url: '{own}', http_config: {{authorization: {{credentials_file: token}}}}}}]\n"
        with closing(PrometheusSource(SourceOptions(loads(text)))) as source:
            spoil(secrets / "token")
            bad, good = source.evaluate(INSTANT_MS, 5).outcomes
            assert (bad.outcome, good.outcome) == (Outcome.FAILED, Outcome.OK)
            assert bad.error.startswith(f"{own}: authorization.credentials_file token ")
            assert any(part in bad.error for part in reason.split("|"))
            assert "hunter2" not in bad.error
            rename_back = secrets / "back"
            rename_back.write_text("good")
            if (secrets / "token").is_dir():
                (secrets / "token").rmdir()
            rename_back.replace(secrets / "token")
            assert source.evaluate(INSTANT_MS, 5).outcomes[0].outcome is Outcome.OK


def test_at_start_everything_that_cannot_be_read_is_told_at_once(certificates: Certificates) -> None:
    text = configuration_text("http://a", "a") + configuration_text("https://b", "b").replace(
        "clusterLevel:\n  - cluster: mesh", "  - cluster: other"
    )
    text += (
        "servers:\n- {url: 'http://a', http_config: {basic_auth: {username: a, password_env: VISTIO_TEST_NONE}}}\n"
        "- {url: 'https://b', http_config: {tls_config: {ca_file: nowhere.pem}}}\n"
    )
    with pytest.raises(UsageError) as caught:
        PrometheusSource(SourceOptions(loads(text)))
    assert str(caught.value).splitlines() == [
        "http://a: basic_auth.password_env: environment variable VISTIO_TEST_NONE is not set",
        "https://b: tls_config.ca_file nowhere.pem cannot be read: No such file or directory",
    ]


# TLS


def test_a_server_of_a_private_ca_is_trusted_by_its_file_and_by_nothing_else(
    certificates: Certificates, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other = Certificates(tmp_path / "other")
    with seeing(certificates.server()) as (url, seen):
        assert "its certificate is not trusted" in (without := refused(make(url)))
        assert "name its CA in tls_config: {ca_file: ...}" in without
        wrong = refused(make(url, f"{{tls_config: {{ca_file: {other.ca_file}}}}}"))
        assert "its certificate is not trusted" in wrong
        # What is named is trusted instead of the environment's, not beside it.
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificates.ca_file))
        assert "not trusted" in refused(make(url, f"{{tls_config: {{ca_file: {other.ca_file}}}}}"))
        assert seen == []
        with closing(make(url)) as server:
            ask(server)
        os.mkfifo(tmp_path / "fifo")
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "fifo"))
        assert "fifo cannot be read (is not a file, but a FIFO (a named pipe)); look at" in refused(make(url))
        monkeypatch.delenv("REQUESTS_CA_BUNDLE")
        with closing(make(url, f"{{tls_config: {{ca_file: {certificates.ca_file}}}}}")) as server:
            ask(server)
        inline = json.dumps(certificates.ca_file.read_text())
        with closing(make(url, f"{{tls_config: {{ca: {inline}}}}}")) as server:
            ask(server)
    assert len(seen) == 3


def test_a_certificate_for_another_name_is_refused_unless_that_name_is_given(
    certificates: Certificates,
) -> None:
    ca = f"ca_file: {certificates.ca_file}"
    with seeing(certificates.server("prometheus.example")) as (url, seen):
        text = refused(make(url, f"{{tls_config: {{{ca}}}}}"))
        assert "IP address mismatch" in text
        assert "name what it is for in tls_config: {server_name: ...}" in text
        assert "Hostname mismatch" in refused(
            make(url, f"{{tls_config: {{{ca}, server_name: other.example}}}}")
        )
        assert seen == []
        with closing(make(url, f"{{tls_config: {{{ca}, server_name: prometheus.example}}}}")) as server:
            ask(server)
        assert len(seen) == 1


def test_the_name_that_is_given_is_the_one_that_the_server_is_asked_for(certificates: Certificates) -> None:
    context = certificates.server("prometheus.example")
    asked: list[str | None] = []
    context.sni_callback = lambda _socket, name, _context: asked.append(name)
    config = f"{{tls_config: {{ca_file: {certificates.ca_file}, server_name: prometheus.example}}}}"
    with seeing(context) as (url, _), closing(make(url, config)) as server:
        ask(server)
    assert asked == ["prometheus.example"]


def test_an_expired_certificate_is_refused_whatever_is_trusted(certificates: Certificates) -> None:
    with seeing(certificates.server(expired=True)) as (url, seen):
        text = refused(make(url, f"{{tls_config: {{ca_file: {certificates.ca_file}}}}}"))
        assert "its certificate is not trusted (certificate has expired)" in text
        assert seen == []


def test_any_certificate_will_do_when_that_is_said_and_the_log_warns_of_it_once(
    certificates: Certificates, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        caplog.at_level(logging.WARNING),
        seeing(certificates.server("other.example", expired=True)) as (url, seen),
        closing(make(url, "{tls_config: {insecure_skip_verify: true}}")) as server,
    ):
        ask(server)
        ask(server)
        assert "ITS CERTIFICATE IS NOT VERIFIED" in server.manner
    assert len(seen) == 2
    assert [record.getMessage() for record in caplog.records] == ["server.unverified"]


def test_a_client_certificate_is_shown_where_one_is_wanted(certificates: Certificates) -> None:
    ca = f"ca_file: {certificates.ca_file}"
    cert, key = certificates.issue("client")
    with seeing(certificates.server(wants_client=True)) as (url, seen):
        without = refused(make(url, f"{{tls_config: {{{ca}}}}}"))
        assert (
            "the server wants a client certificate, give tls_config: {cert_file: ..., key_file: ...}"
            in without
        )
        config = f"{{tls_config: {{{ca}, cert_file: {cert}, key_file: {key}}}}}"
        with closing(make(url, config)) as server:
            ask(server)
            assert server.authentication == f"client certificate ({cert})"
        inline = f"{ca}, cert: {json.dumps(cert.read_text())}, key: {json.dumps(key.read_text())}"
        with closing(make(url, f"{{tls_config: {{{inline}}}}}")) as server:
            ask(server)
    assert len(seen) == 2


def test_a_client_certificate_of_a_ca_that_is_not_trusted_is_said_not_to_be_accepted(
    certificates: Certificates, tmp_path: Path
) -> None:
    cert, key = Certificates(tmp_path / "other").issue("client")
    config = f"{{tls_config: {{ca_file: {certificates.ca_file}, cert_file: {cert}, key_file: {key}}}}}"
    with seeing(certificates.server(wants_client=True)) as (url, seen):
        assert "the server does not accept our client certificate" in refused(make(url, config))
    assert seen == []


def test_certificates_that_are_renewed_are_used_from_the_next_request_on(
    certificates: Certificates, tmp_path: Path
) -> None:
    shown: list[str] = []

    def handle(request: Request) -> None:
        assert isinstance(request.connection, ssl.SSLSocket)
        shown.append(serial_number(request.connection))
        request.answer(vector())

    cert, key = certificates.issue("client")
    config = f"{{tls_config: {{ca_file: {certificates.ca_file}, cert_file: {cert}, key_file: {key}}}}}"
    with serving(handle, certificates.server(wants_client=True)) as url, closing(make(url, config)) as server:
        ask(server)
        ask(server)
        certificates.issue("client")
        ask(server)
        assert shown[0] == shown[1] != shown[2]
        # A CA that is not this server's any more: what was trusted before is trusted no longer.
        Certificates(certificates.ca_file.parent)
        with pytest.raises(SourceError, match="not trusted"):
            ask(server)


def test_a_certificate_and_a_key_that_do_not_belong_together_are_named(certificates: Certificates) -> None:
    cert, _ = certificates.issue("one")
    _, key = certificates.issue("other")
    server = make("https://127.0.0.1:1", f"{{tls_config: {{cert_file: {cert}, key_file: {key}}}}}")
    with pytest.raises(SourceError) as caught:
        server.prepare()
    assert str(caught.value) == f"tls_config.key_file {key} is not the key of tls_config.cert_file {cert}"


@pytest.mark.parametrize("key", ["ca", "cert", "key"])
def test_what_is_no_pem_is_named(certificates: Certificates, key: str) -> None:
    cert, key_file = certificates.issue("one")
    files = {"ca": certificates.ca_file, "cert": cert, "key": key_file}
    files[key].write_text("hunter2")
    config = ", ".join(f"{name}_file: {path}" for name, path in files.items())
    with pytest.raises(SourceError) as caught:
        make("https://127.0.0.1:1", f"{{tls_config: {{{config}}}}}").prepare()
    assert str(files[key]) in str(caught.value)
    assert "in PEM" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_key_with_a_passphrase_is_refused_instead_of_asking_at_the_terminal(
    certificates: Certificates,
) -> None:
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        Encoding,
        PrivateFormat,
        load_pem_private_key,
    )

    cert, key = certificates.issue("one")
    private = load_pem_private_key(key.read_bytes(), None)
    key.write_bytes(
        private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"hunter2"))
    )
    with pytest.raises(SourceError, match="has a passphrase; give a key without one"):
        make("https://127.0.0.1:1", f"{{tls_config: {{cert_file: {cert}, key_file: {key}}}}}").prepare()


@pytest.mark.parametrize(("lowest", "good"), [("TLS12", True), ("TLS13", False)])
def test_the_lowest_version_of_tls_is_kept(certificates: Certificates, lowest: str, good: bool) -> None:
    context = certificates.server()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    config = f"{{tls_config: {{ca_file: {certificates.ca_file}, min_version: {lowest}}}}}"
    with seeing(context) as (url, _):
        if good:
            with closing(make(url, config)) as server:
                ask(server)
        else:
            assert "no version in common, look at min_version" in refused(make(url, config))


def drip_handshake(connection: socket.socket, over: threading.Event) -> None:
    """The head of a TLS record, and then a byte of it now and then."""
    connection.sendall(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc")
    while not over.wait(0.02):
        connection.sendall(b"\x03")


def say_nothing(connection: socket.socket, over: threading.Event) -> None:
    over.wait(60)


@pytest.mark.parametrize("behave", [drip_handshake, say_nothing])
def test_a_handshake_that_never_ends_is_cut_off_at_once(
    behave: Callable[[socket.socket, threading.Event], None],
) -> None:
    arrived, over = threading.Event(), threading.Event()
    with socket.create_server((HOST, 0)) as listener:

        def talk() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                arrived.set()
                try:
                    behave(connection, over)
                except OSError:
                    return  # cut off

        talking = threading.Thread(target=talk, daemon=True)
        talking.start()
        call = Call(60.0)
        ended: list[SourceError] = []

        def run() -> None:
            with closing(make(f"https://{HOST}:{listener.getsockname()[1]}")) as server:
                try:
                    query(server, "up", INSTANT_MS, call, MAX_RESPONSE_BYTES)
                except SourceError as error:
                    ended.append(error)

        asking = threading.Thread(target=run)
        asking.start()
        assert arrived.wait(10)
        call.abort()
        asking.join(5)
        over.set()
        talking.join(5)
        assert not asking.is_alive()
    assert [error.kind for error in ended] == ["timeout"]


def hang_in_the_answer(request: Request) -> None:
    request.hang()


def drip_the_body(request: Request) -> None:
    request.start(Content_Length="100000")
    request.drip(b" ")


@pytest.mark.parametrize("handle", [hang_in_the_answer, drip_the_body])
@pytest.mark.parametrize("way", ["direct", "proxy", "tls proxy"])
def test_one_deadline_holds_over_tls_and_through_proxies(
    certificates: Certificates, handle: Callable[[Request], None], way: str
) -> None:
    arrived = threading.Event()

    def announced(request: Request) -> None:
        arrived.set()
        handle(request)

    with (
        serving(announced, certificates.server()) as url,
        proxying(tls=certificates.server() if way == "tls proxy" else None) as proxy,
    ):
        through = "" if way == "direct" else f", proxy_url: '{proxy.url}'"
        config = f"{{tls_config: {{ca_file: {certificates.ca_file}}}{through}}}"
        call = Call(60.0)
        ended: list[SourceError] = []

        def run() -> None:
            with closing(make(url, config)) as server:
                try:
                    query(server, "up", INSTANT_MS, call, MAX_RESPONSE_BYTES)
                except SourceError as error:
                    ended.append(error)

        asking = threading.Thread(target=run)
        asking.start()
        assert arrived.wait(10)
        call.abort()
        asking.join(5)
        assert not asking.is_alive()
    assert [error.kind for error in ended] == ["timeout"]


# Proxies


def test_a_plain_server_is_asked_through_the_proxy() -> None:
    with seeing() as (url, seen), proxying() as proxy:
        with closing(
            make(url, f"{{proxy_url: '{proxy.url}', proxy_connect_header: {{X-Token: [t]}}}}")
        ) as server:
            ask(server)
            assert f"through the proxy {proxy.url}" in server.manner
        assert [(method, target) for method, target, _ in proxy.requests] == [("POST", f"{url}/api/v1/query")]
        assert seen[0].form["query"] == "up"
        assert "X-Token" not in proxy.requests[0][2], "only a tunnel keeps it from the server"


def test_a_tls_server_is_asked_through_a_tunnel_and_its_certificate_is_verified(
    certificates: Certificates,
) -> None:
    ca = f"tls_config: {{ca_file: {certificates.ca_file}}}"
    with seeing(certificates.server()) as (url, seen), proxying() as proxy:
        config = f"{{proxy_url: '{proxy.url}', proxy_connect_header: {{X-Token: [hunter2]}}, {ca}}}"
        with closing(make(url, config)) as server:
            ask(server)
        method, target, headers = proxy.requests[0]
        assert (method, target, headers["X-Token"]) == ("CONNECT", url.removeprefix("https://"), "hunter2")
        assert "not trusted" in refused(make(url, f"{{proxy_url: '{proxy.url}'}}"))
        assert len(seen) == 1


def test_a_proxy_may_be_spoken_to_by_tls_too(certificates: Certificates, tmp_path: Path) -> None:
    ca = f"tls_config: {{ca_file: {certificates.ca_file}, server_name: prometheus.example}}"
    for tls in (None, certificates.server("prometheus.example")):
        with seeing(tls) as (url, seen), proxying(tls=certificates.server()) as proxy:
            with closing(make(url, f"{{proxy_url: '{proxy.url}', {ca}}}")) as server:
                ask(server)
            assert len(seen) == 1
    with seeing() as (url, seen), proxying(tls=Certificates(tmp_path / "other").server()) as proxy:
        assert "not trusted" in refused(make(url, f"{{proxy_url: '{proxy.url}', {ca}}}"))
        assert seen == []


@pytest.mark.parametrize("tunnel", [False, True])
def test_a_proxy_with_a_password_is_told_it_and_its_refusal_is_explained(
    certificates: Certificates, tunnel: bool
) -> None:
    tls = certificates.server() if tunnel else None
    ca = f"tls_config: {{ca_file: {certificates.ca_file}}}"
    with seeing(tls) as (url, seen), proxying(authorization="Basic bWU6aHVudGVyMg==") as proxy:
        with_password = proxy.url.replace("//", "//me:hunter2@")
        with closing(make(url, f"{{proxy_url: '{with_password}', {ca}}}")) as server:
            ask(server)
            assert "hunter2" not in " ".join(server.manner)
        assert len(seen) == 1
        text = refused(make(url, f"{{proxy_url: '{proxy.url.replace('//', '//me:hunter3@')}', {ca}}}"))
    assert "HTTP 407 Proxy Authentication Required: the proxy wants credentials" in text
    assert "hunter3" not in text


def test_hosts_without_proxy_are_asked_directly() -> None:
    with seeing() as (url, seen), proxying() as proxy:
        for excepted in (HOST, "127.0.0.0/8", f"other.example, {HOST}", "*"):
            with closing(make(url, f"{{proxy_url: '{proxy.url}', no_proxy: '{excepted}'}}")) as server:
                ask(server)
        assert proxy.requests == []
        with closing(make(url, f"{{proxy_url: '{proxy.url}', no_proxy: other.example}}")) as server:
            ask(server)
        assert len(proxy.requests) == 1
        assert len(seen) == 5


def test_the_proxy_of_the_environment_is_used_unless_the_configuration_says_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with seeing() as (url, seen), proxying() as proxy, proxying() as other:
        monkeypatch.setenv("http_proxy", proxy.url)
        for config in ("{}", "{proxy_from_environment: true}"):
            with closing(make(url, config)) as server:
                ask(server)
        assert len(proxy.requests) == 2
        for config in ("{proxy_from_environment: false}", f"{{proxy_url: '{other.url}'}}"):
            with closing(make(url, config)) as server:
                ask(server)
        assert (len(proxy.requests), len(other.requests)) == (2, 1)
        monkeypatch.setenv("no_proxy", HOST)
        with closing(make(url)) as server:
            ask(server)
        # The environment's exceptions are not those of a proxy that the configuration names.
        with closing(make(url, f"{{proxy_url: '{other.url}'}}")) as server:
            ask(server)
        assert (len(proxy.requests), len(other.requests)) == (2, 2)
        assert len(seen) == 6


def test_a_proxy_that_does_not_answer_is_named_without_its_password() -> None:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        proxy = f"http://me:hunter2@{HOST}:{probe.getsockname()[1]}"
        text = refused(make("http://prometheus.invalid", f"{{proxy_url: '{proxy}'}}"))
    assert f"the proxy {proxy.replace('me:hunter2@', '')}: connection refused" in text
    assert "hunter2" not in text


# Methods and redirects


def without_post(status: int) -> Callable[[Request], None]:
    def handle(request: Request) -> None:
        if request.method == "POST":
            request.answer("no", status)
        else:
            request.answer(vector())

    return handle


@pytest.mark.parametrize("status", [403, 405, 501])
def test_where_post_is_refused_get_is_used_and_remembered(status: int) -> None:
    seen: list[Request] = []

    def handle(request: Request) -> None:
        seen.append(request)
        without_post(status)(request)

    with serving(handle) as url, closing(make(f"{url}/prefix?tenant=7")) as server:
        ask(server)
        ask(server)
    assert [request.method for request in seen] == ["POST", "GET", "GET"]
    assert seen[2].path.startswith("/prefix/api/v1/query?tenant=7&query=up&")
    assert seen[2].query["time"] == "1763873400.000"


@pytest.mark.parametrize("status", [400, 404, 500])
def test_other_refusals_are_not_tried_again_by_get(status: int) -> None:
    with serving(without_post(status)) as url:
        assert f"HTTP {status}" in refused(make(url))


def test_post_is_tried_again_while_get_is_refused_as_well() -> None:
    seen: list[str] = []

    def handle(request: Request) -> None:
        seen.append(request.method)
        request.answer("no", 403)

    with serving(handle) as url, closing(make(url)) as server:
        for _ in range(2):
            with pytest.raises(SourceError, match="HTTP 403 Forbidden: credentials are missing"):
                ask(server)
    assert seen == ["POST", "GET"] * 2


def test_a_method_that_the_configuration_names_is_the_only_one() -> None:
    with seeing() as (url, seen), closing(make(url, method="GET")) as server:
        ask(server)
        assert [request.method for request in seen] == ["GET"]
    with serving(without_post(405)) as url:
        assert "it wants no POST; remove method: POST from servers" in refused(make(url, method="POST"))


def test_a_query_that_is_too_long_for_get_is_said_so() -> None:
    with serving(lambda request: request.answer("no", 414)) as url:
        assert "too long for GET; shorten the query" in refused(make(url, method="GET"))


def redirecting(to: Callable[[Request], str], status: int = 307) -> Callable[[Request], None]:
    def handle(request: Request) -> None:
        if request.path.startswith("/new/"):
            request.answer(vector())
        else:
            request.answer("", status, Location=to(request))

    return handle


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("method", ["POST", "GET"])
def test_a_redirect_within_the_host_is_followed_when_that_is_wanted(status: int, method: str) -> None:
    seen: list[Request] = []

    def handle(request: Request) -> None:
        seen.append(request)
        redirecting(lambda r: r.path.replace("/old/", "/new/"), status)(request)

    with serving(handle) as url:
        config = "{follow_redirects: true, basic_auth: {username: me}}"
        with closing(make(f"{url}/old", config, method=method)) as server:
            ask(server)
        assert [request.method for request in seen] == [method] * 2
        assert (seen[1].form | seen[1].query)["query"] == "up"
        assert seen[1].path.count("query=up") == (method == "GET")
        assert "Authorization" in seen[1].headers
        text = refused(make(f"{url}/old"))
    assert (
        f"redirects to {url}/new/api/v1/query; if that is the server, name it in prometheusURL, or set"
        in text
    )


def test_a_redirect_to_another_host_is_not_followed_and_gets_no_credentials() -> None:
    with (
        seeing() as (other, seen),
        serving(redirecting(lambda request: other.replace("127.0.0.1", "localhost") + request.path)) as url,
    ):
        text = refused(make(url, "{follow_redirects: true, basic_auth: {username: me}}"))
    assert "redirects to http://localhost:" in text
    assert text.endswith("if that is the server, name it in prometheusURL")
    assert seen == []


def test_redirects_without_end_end() -> None:
    with serving(redirecting(lambda request: request.path)) as url:
        assert "redirects more than 5 times" in refused(make(url, "{follow_redirects: true}"))
