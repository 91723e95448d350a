"""Who may read and annotate at vistio-serve: its application, and the real program with TLS and rotation."""

from __future__ import annotations

import hashlib
import http.client
import json
import logging
import shutil
import ssl
from pathlib import Path
from typing import Any

import pytest
import requests
from support.certificates import Certificates
from support.processes import RunProcess, wait_until
from support.web_config import ALICE, BOB, CI_TOKEN, SCRAPER_TOKEN, basic, bearer, write
from werkzeug.test import Client

import vistio_core as vistio
from vistio_core.access.guard import Guard
from vistio_core.access.web_access import WebAccess
from vistio_serve import create_app
from vistio_serve.routes import CHANGES, ROUTES

from .conftest import Clock

MARK = {"text": "v2 is out", "kind": "deployment", "at": "2026-11-23T05:10:00Z"}


@pytest.fixture
def guarded(recorded: vistio.Recording, clock: Clock, tmp_path: Path) -> Client:
    return Client(create_app(recorded, now_ms=clock, guard=Guard(WebAccess(write(tmp_path)))))


def marks(recorded: vistio.Recording) -> list[dict[str, Any]]:
    return recorded.annotations().to_pylist()  # type: ignore[no-any-return]


@pytest.mark.parametrize("path", [route.path.replace("<file>", "x.js") for route in ROUTES])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.slow
def test_every_route_but_health_takes_credentials(guarded: Client, path: str, method: str) -> None:
    response = guarded.open(path, method=method)
    if path in ("/-/healthy", "/-/ready"):
        assert response.status_code == 200
        return
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == 'Basic realm="vistio", charset="UTF-8"'
    assert guarded.open(path, method=method, headers=basic(*BOB)).status_code not in (401, 403)
    expected = 200 if path == "/metrics" else 403
    if path != "/access":  # which takes no scope
        assert guarded.open(path, method=method, headers=bearer(SCRAPER_TOKEN)).status_code == expected
        assert guarded.open(path, method=method, headers=bearer(CI_TOKEN)).status_code == 403


def test_a_graph_that_is_ready_is_not_for_who_may_not_have_it(guarded: Client) -> None:
    assert guarded.get("/graph", headers=basic(*BOB)).status_code == 200
    assert guarded.get("/graph").status_code == 401
    assert guarded.get("/graph", headers=basic(*BOB)).status_code == 200


def test_what_takes_credentials_is_kept_by_nobody_in_between(guarded: Client, client: Client) -> None:
    settled = "/graph?at=2026-11-23T05:00:10Z"
    paths = [settled, "/static/icon.svg", "/"]
    for path in paths:
        assert "public" not in guarded.get(path, headers=basic(*BOB)).headers["Cache-Control"]
    assert "public" in client.get(settled).headers["Cache-Control"]


def test_a_prefix_is_no_way_around(recorded: vistio.Recording, clock: Clock, tmp_path: Path) -> None:
    app = create_app(recorded, now_ms=clock, prefix="/vistio", guard=Guard(WebAccess(write(tmp_path))))
    client = Client(app)
    assert client.get("/vistio/-/healthy").status_code == 200
    for path in (
        "/vistio/graph",
        "/vistio/metrics",
        "/vistio/",
        "/vistio",
        "//graph",
        "/vistio//graph",
        "/x/../graph",
    ):
        assert client.get(path).status_code == 401, path


def test_a_refusal_says_what_it_takes(guarded: Client) -> None:
    document = json.loads(guarded.post("/annotations", json=MARK, headers=basic(*BOB)).data)
    assert (document["status"], document["scope"]) == (403, "annotate")
    assert document["detail"] == "bob may not: it takes the scope annotate, and bob has read"


# -- marks


def test_a_mark_is_made_replaced_and_removed_each_with_its_line(
    guarded: Client, recorded: vistio.Recording, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        made = guarded.post(
            "/annotations",
            json=MARK,
            headers=bearer(CI_TOKEN),
            environ_base={"REMOTE_ADDR": "192.0.2.7"},
        )
        assert made.status_code == 200
        first = json.loads(made.data)["id"]
        assert [row["text"] for row in marks(recorded)] == ["v2 is out"]
        edited = guarded.put(f"/annotations/{first}", json={**MARK, "text": "v3"}, headers=basic(*ALICE))
        second = json.loads(edited.data)["id"]
        assert [(row["id"], row["text"]) for row in marks(recorded)] == [(second, "v3")]
        assert guarded.delete(f"/annotations/{second}", headers=basic(*ALICE)).status_code == 200
    assert marks(recorded) == []
    told = [
        (record.message, *(getattr(record, name) for name in ("by", "client", "id", "text")))
        for record in caplog.records
        if record.message.startswith("annotation.")
    ]
    assert told == [
        ("annotation.written", "ci", "192.0.2.7", first, "v2 is out"),
        ("annotation.written", "alice", "", second, "v3"),
        ("annotation.removed", "alice", "", first, "v2 is out"),
        ("annotation.removed", "alice", "", second, "v3"),
    ]


def test_replacing_a_mark_by_itself_keeps_it(guarded: Client, recorded: vistio.Recording) -> None:
    first = json.loads(guarded.post("/annotations", json=MARK, headers=basic(*ALICE)).data)["id"]
    assert guarded.put(f"/annotations/{first}", json=MARK, headers=basic(*ALICE)).status_code == 200
    assert [row["id"] for row in marks(recorded)] == [first]


@pytest.mark.parametrize("headers", [{}, basic(*BOB), bearer(SCRAPER_TOKEN), bearer("x" * 32)])
def test_who_may_not_changes_nothing(
    guarded: Client, recorded: vistio.Recording, headers: dict[str, str]
) -> None:
    kept = recorded.annotate("here", at="2026-11-23T05:10:00Z")
    for route in CHANGES:
        response = guarded.open(
            route.path.replace("<id>", kept), method=route.method, json=MARK, headers=headers
        )
        assert response.status_code in (401, 403)
    assert [row["id"] for row in marks(recorded)] == [kept]


def test_without_a_web_configuration_nobody_annotates(client: Client, recorded: vistio.Recording) -> None:
    for headers in ({}, basic(*ALICE), bearer(CI_TOKEN)):
        response = client.post("/annotations", json=MARK, headers=headers)
        assert (response.status_code, "--web-config" in response.text) == (403, True)
    assert marks(recorded) == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
    ],
)
def test_a_page_of_somebody_else_changes_nothing_with_a_browsers_password(
    guarded: Client, recorded: vistio.Recording, headers: dict[str, str]
) -> None:
    response = guarded.post("/annotations", json=MARK, headers={**basic(*ALICE), **headers})
    assert (response.status_code, "another origin" in response.text) == (403, True)
    assert marks(recorded) == []


def test_a_browser_is_not_told_that_pages_of_others_might_change_something(guarded: Client) -> None:
    preflight = guarded.options("/annotations", headers={"Origin": "https://evil.example"})
    assert preflight.headers["Access-Control-Allow-Methods"] == "GET, HEAD, OPTIONS"
    assert preflight.headers["Allow"] == "GET, HEAD, OPTIONS, POST", "which is for people, and told to all"
    assert "Access-Control-Allow-Credentials" not in preflight.headers


@pytest.mark.parametrize(
    ("method", "path", "sent", "status", "says"),
    [
        (
            "POST",
            "/annotations",
            {"data": b"x" * 70_000, "content_type": "application/json"},
            413,
            "at most 65,536",
        ),
        ("POST", "/annotations", {"data": b"text=x", "content_type": "text/plain"}, 400, "application/json"),
        ("POST", "/annotations", {"json": {"kind": "!"}}, 400, "text: is missing"),
        ("POST", "/annotations", {"json": [1]}, 400, "found list"),
        ("POST", "/annotations?at=now", {"json": MARK}, 400, "parameter 'at': unknown"),
        ("PUT", "/annotations/" + "0" * 32, {"json": MARK}, 404, "there is none of this id"),
        ("PUT", "/annotations/" + "0" * 32, {"json": {}}, 400, "text: is missing"),
        ("DELETE", "/annotations/..%2f..%2frecording.json", {}, 404, ""),
        ("DELETE", "/annotations/nothing", {}, 404, "there is none of this id"),
        ("PATCH", "/annotations", {}, 405, "allowed: GET, HEAD, OPTIONS, POST"),
        ("POST", "/annotations/x", {}, 405, "allowed: PUT, DELETE"),
    ],
)
def test_what_is_no_mark_is_refused_with_what_would_work(
    guarded: Client,
    recorded: vistio.Recording,
    method: str,
    path: str,
    sent: dict[str, Any],
    status: int,
    says: str,
) -> None:
    response = guarded.open(path, method=method, headers=basic(*ALICE), **sent)
    assert response.status_code == status, response.text
    assert says in json.loads(response.data)["detail"]
    assert marks(recorded) == []


def test_where_the_recording_is_read_only_a_change_is_refused_and_reading_goes_on(
    recorded: vistio.Recording, clock: Clock, tmp_path: Path
) -> None:
    packed = tmp_path / "incident.vistio"
    recorded.export("2026-11-23T05:00:00Z", "2026-11-23T05:12:00Z", packed)
    client = Client(
        create_app(vistio.Recording.open(packed), now_ms=clock, guard=Guard(WebAccess(write(tmp_path))))
    )
    response = client.post("/annotations", json=MARK, headers=basic(*ALICE))
    assert (response.status_code, "read-only" in response.text) == (503, True)
    assert str(tmp_path) not in response.text
    assert client.get("/annotations", headers=basic(*ALICE)).status_code == 200


# -- what a page asks


@pytest.mark.parametrize(
    ("headers", "name", "scopes"),
    [
        (basic(*ALICE), "alice", ["read", "metrics", "annotate", "reload"]),
        (basic(*BOB), "bob", ["read", "metrics"]),
    ],
)
def test_a_page_learns_what_may_be_done(
    guarded: Client, headers: dict[str, str], name: str, scopes: list[str]
) -> None:
    response = guarded.get("/access", headers=headers)
    assert json.loads(response.data) == {"name": name, "user": "", "scopes": scopes, "annotating": True}
    assert response.headers["Cache-Control"] == "no-store"


def test_who_may_but_annotate_learns_it_and_who_is_not_known_is_asked_who_he_is(guarded: Client) -> None:
    told = {"name": "ci", "user": "", "scopes": ["annotate"], "annotating": True}
    assert json.loads(guarded.get("/access", headers=bearer(CI_TOKEN)).data) == told
    assert guarded.get("/access", headers=bearer("x" * 32)).status_code == 401


def test_without_a_configuration_a_page_learns_that_nobody_annotates(client: Client) -> None:
    told = json.loads(client.get("/access").data)
    assert told == {"name": "", "user": "", "scopes": ["read", "metrics", "reload"], "annotating": False}


def test_whom_a_proxy_asks_for_is_in_the_log(
    recorded: vistio.Recording, clock: Clock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "oidc.token").write_text("5e5e" * 16)
    (tmp_path / "web.yaml").write_text(
        "tokens: [{name: oidc, token_file: oidc.token, scopes: [read, annotate], user_header: X-Forwarded-Email}]"
    )
    guard = Guard(WebAccess(tmp_path / "web.yaml"))
    client = Client(create_app(recorded, now_ms=clock, behind_proxy=True, guard=guard))
    headers = {
        **bearer("5e5e" * 16),
        "X-Forwarded-Email": "carol@example.com",
        "X-Forwarded-For": "198.51.100.7",
    }
    with caplog.at_level(logging.INFO):
        assert client.post("/annotations", json=MARK, headers=headers).status_code == 200
    (record,) = [each for each in caplog.records if each.message == "annotation.written"]
    told = (record.by, getattr(record, "for"), record.client)  # type: ignore[attr-defined]
    assert told == ("oidc", "carol@example.com", "198.51.100.7")
    assert client.get("/metrics", headers={"X-Forwarded-Email": "carol@example.com"}).status_code == 401


# -- the program


def fingerprint(url: str) -> str:
    host, _, port = url.removeprefix("https://").rstrip("/").rpartition(":")
    pem = ssl.get_server_certificate((host, int(port)), timeout=10)
    return hashlib.sha256(pem.encode()).hexdigest()


def test_the_program_speaks_tls_and_shows_a_renewed_certificate_without_a_pause(
    run_process: RunProcess, template: Path, tmp_path: Path
) -> None:
    certificates = Certificates(tmp_path / "tls")
    file = write(tmp_path, certificates)
    process = run_process("vistio-serve", "--recording", template, "--port", 0, "--web-config", file)
    url = process.wait_for_line(r"open (https://\S+)")[1].rstrip("/")
    trust = str(certificates.ca_file)
    ask = {"verify": trust, "auth": BOB, "timeout": 10}
    assert requests.get(f"{url}/-/healthy", verify=trust, timeout=10).status_code == 200
    assert requests.get(f"{url}/annotations", verify=trust, timeout=10).status_code == 401
    assert requests.get(f"{url}/annotations", **ask).status_code == 200  # type: ignore[arg-type]
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(f"{url}/-/healthy", timeout=10)
    with pytest.raises(requests.ConnectionError):
        requests.get(url.replace("https:", "http:"), timeout=10)

    before, statuses = fingerprint(url), []
    certificates.issue("port")

    def renewed() -> bool:
        statuses.append(requests.get(f"{url}/annotations", **ask).status_code)  # type: ignore[arg-type]
        return fingerprint(url) != before

    wait_until(renewed, what="the new certificate")
    process.wait_for_line(r"certificate\.renewed")
    wait_until(lambda: process.log.count("server.started") == 2, what="the second worker")
    for _ in range(100):
        statuses.append(requests.get(f"{url}/annotations", **ask).status_code)  # type: ignore[arg-type]
    assert set(statuses) == {200}
    assert process.log.count("vistio-serve: open") == 1
    for secret in (ALICE[1], BOB[1], CI_TOKEN):
        assert secret not in process.log
        assert secret.encode() not in Path(f"/proc/{process.pid}/cmdline").read_bytes()
        assert secret.encode() not in Path(f"/proc/{process.pid}/environ").read_bytes()
    process.terminate()


def test_a_certificate_that_does_not_fit_its_key_is_not_shown(
    run_process: RunProcess, template: Path, tmp_path: Path
) -> None:
    certificates = Certificates(tmp_path / "tls")
    process = run_process(
        "vistio-serve", "--recording", template, "--port", 0, "--web-config", write(tmp_path, certificates)
    )
    url = process.wait_for_line(r"open (https://\S+)")[1].rstrip("/")
    before = fingerprint(url)
    other, _ = certificates.issue("other")
    (tmp_path / "tls" / "port.pem").write_bytes(other.read_bytes())
    process.wait_for_line(r"tls\.kept.*key is not the certificate's")
    assert fingerprint(url) == before
    certificates.issue("port")
    wait_until(lambda: fingerprint(url) != before, what="the certificate that fits")


def test_the_program_asks_clients_for_certificates_where_it_is_to(
    run_process: RunProcess, template: Path, tmp_path: Path
) -> None:
    certificates = Certificates(tmp_path / "tls")
    cert, key = certificates.issue("port")
    file = tmp_path / "web.yaml"
    file.write_text(
        f"tls_server_config: {{cert_file: {cert}, key_file: {key}, client_ca_file: {certificates.ca_file},"
        " client_auth_type: RequireAndVerifyClientCert, min_version: TLS13}"
    )
    process = run_process("vistio-serve", "--recording", template, "--port", 0, "--web-config", file)
    url = process.wait_for_line(r"open (https://\S+)")[1].rstrip("/")
    shown = tuple(map(str, certificates.issue("client")))
    strangers = tuple(map(str, Certificates(tmp_path / "strangers").issue("client")))
    trust = str(certificates.ca_file)
    assert requests.get(f"{url}/annotations", verify=trust, cert=shown, timeout=10).status_code == 200
    for cert_of in (None, strangers):
        with pytest.raises(requests.ConnectionError):
            requests.get(f"{url}/annotations", verify=trust, cert=cert_of, timeout=10)
    old = ssl.create_default_context(cafile=trust)
    old.load_cert_chain(*shown)
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(ssl.SSLError):
        http.client.HTTPSConnection(
            "127.0.0.1", int(url.rpartition(":")[2]), context=old, timeout=10
        ).connect()


def test_a_wrong_file_ends_the_program_at_once_with_everything_that_is_wrong(
    run_process: RunProcess, template: Path, tmp_path: Path
) -> None:
    (tmp_path / "web.yaml").write_text(
        "basic_auth_users: {alice: hunter2}\ntls_server_config: {cert_file: a}"
    )
    process = run_process(
        "vistio-serve", "--recording", template, "--port", 0, "--web-config", tmp_path / "web.yaml"
    )
    log = process.wait(exit_code=2)
    assert "basic_auth_users.alice" in log
    assert "tls_server_config.key_file" in log
    assert "hunter2" not in log


def test_the_page_on_a_port_of_its_own_passes_credentials_on_to_a_server_with_tls(
    run_process: RunProcess, template: Path, tmp_path: Path, recording_dir: Path
) -> None:
    shutil.copytree(template, recording_dir)
    certificates = Certificates(tmp_path / "tls")
    file = write(tmp_path, certificates)
    api = run_process("vistio-serve", "--recording", recording_dir, "--port", 0, "--web-config", file)
    api_url = api.wait_for_line(r"open (https://\S+)")[1]
    web = run_process("vistio-serve", "web", "--api", api_url, "--api-ca", certificates.ca_file, "--port", 0)
    url = web.wait_for_line(r"open (http://\S+)")[1].rstrip("/")
    refused = requests.get(f"{url}/annotations", timeout=10)
    assert (refused.status_code, refused.headers["WWW-Authenticate"][:5]) == (401, "Basic")
    for origin, status in ((url, 200), ("https://evil.example", 403)):
        headers = {"Origin": origin}
        answer = requests.post(f"{url}/annotations", json=MARK, auth=ALICE, headers=headers, timeout=10)
        assert answer.status_code == status
    (found,) = requests.get(f"{url}/annotations", auth=BOB, timeout=10).json()["annotations"]
    assert found["text"] == "v2 is out"


def test_what_a_mark_says_is_one_line_of_the_log_however_it_is_written(
    run_process: RunProcess, template: Path, recording_dir: Path, tmp_path: Path
) -> None:
    shutil.copytree(template, recording_dir)
    process = run_process(
        "vistio-serve", "--recording", recording_dir, "--port", 0, "--web-config", write(tmp_path)
    )
    url = process.wait_for_line(r"open (http://\S+)")[1]
    forged = "out\n2026-11-23T05:00:00Z [info] annotation.removed by=bob\tid=1\N{RIGHT-TO-LEFT OVERRIDE}"
    assert requests.post(f"{url}annotations", json={**MARK, "text": forged}, auth=ALICE, timeout=10).ok
    process.wait_for_line(r"annotation\.written .*by=alice")
    lines = [line for line in process.log.splitlines() if "by=bob" in line]
    assert len(lines) == 1
    assert "annotation.written by=alice" in lines[0]
    assert not any(ord(character) < 32 or character == "\N{RIGHT-TO-LEFT OVERRIDE}" for character in lines[0])
