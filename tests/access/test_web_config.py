"""What a web configuration may say, and that no message quotes a secret."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.web_config import hashed

from vistio_core.access.web_config import OPEN, TlsServer, TokenEntry, parse_web_config
from vistio_core.errors import ConfigurationError

HASH = hashed("secret")
HERE = Path("/etc/vistio")


def parsed(text: str):  # type: ignore[no-untyped-def]  # the value's own type
    return parse_web_config(text, "web.yaml", HERE)


def test_a_file_of_prometheus_is_taken_as_it_is() -> None:
    found = parsed(
        "tls_server_config:\n  cert_file: server.crt\n  key_file: /keys/server.key\n"
        "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.crt\n  min_version: TLS13\n"
        f"basic_auth_users:\n  alice: {HASH}\n"
    )
    assert found.tls == TlsServer(HERE / "server.crt", Path("/keys/server.key"), HERE / "ca.crt", "TLS13")
    assert (dict(found.users), dict(found.user_scopes)) == ({"alice": HASH.encode()}, {"alice": {"read"}})
    assert found.anonymous_scopes == frozenset()


def test_without_credentials_everybody_does_what_was_open_before_and_nobody_annotates() -> None:
    found = parsed("tls_server_config: {cert_file: a, key_file: b}")
    assert found.anonymous_scopes == OPEN == {"read", "metrics", "reload"}
    assert found.tls == TlsServer(HERE / "a", HERE / "b")


def test_what_is_ours_stands_beside_it() -> None:
    found = parsed(
        f"basic_auth_users: {{alice: {HASH}}}\nuser_scopes: {{alice: [read, annotate]}}\n"
        "tokens: [{name: oidc, token_file: t, scopes: [read], user_header: X-Forwarded-Email}]\n"
        "anonymous_scopes: [metrics]\ntrusted_origins: ['https://Vistio.example.com:8443']\n"
    )
    assert found.user_scopes["alice"] == {"read", "annotate"}
    assert found.tokens == (TokenEntry("oidc", HERE / "t", frozenset({"read"}), "X-Forwarded-Email"),)
    assert found.anonymous_scopes == {"metrics"}
    assert found.trusted_origins == ("https://vistio.example.com:8443",)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", ["says nothing"]),
        ("# only a comment\n", ["says nothing"]),
        ("- a list", ["is no mapping"]),
        ("{", ["not YAML"]),
        ("basic_auth_user: {a: b}", ["basic_auth_user: is not known"]),
        ("basic_auth_users: {alice: hunter2}", ["basic_auth_users.alice: is no bcrypt hash"]),
        ("basic_auth_users: {alice: [x]}", ["basic_auth_users.alice: is no bcrypt hash"]),
        (f"basic_auth_users: {{alice: {HASH.replace('$04$', '$31$')}}}", ["cost 4 to 16"]),
        (f"basic_auth_users: {{'a:b': {HASH}}}", ["a name has up to 64"]),
        ("user_scopes: {carol: [read]}", ["user_scopes.carol: is none of basic_auth_users"]),
        ("anonymous_scopes: [root]", ["anonymous_scopes: is none of read, metrics"]),
        ("anonymous_scopes: read", ["anonymous_scopes: is no list"]),
        ("tokens: [{name: '', token_file: x}, {name: y}]", ["tokens[0].name", "tokens[1].token_file"]),
        ("tokens: [{name: x, token_file: a}, {name: x, token_file: b}]", ["x is the name of two"]),
        ("tokens: [{name: x, token_file: a, user_header: 'a: b'}]", ["tokens[0].user_header"]),
        ("trusted_origins: ['https://a.example/path']", ["trusted_origins[0]: is no origin"]),
        ("trusted_origins: ['*']", ["trusted_origins[0]: is no origin"]),
        ("tls_server_config: {cert_file: a}", ["tls_server_config.key_file: is missing"]),
        (
            "tls_server_config: {cert_file: a, key_file: b, min_version: TLS10}",
            ["min_version: is none of TLS12"],
        ),
        (
            "tls_server_config: {cert_file: a, key_file: b, client_auth_type: RequestClientCert}",
            ["client_auth_type: is none of NoClientCert"],
        ),
        ("tls_server_config: {cert_file: a, key_file: b, client_ca_file: c}", ["need each other"]),
        (
            "tls_server_config: {cert_file: a, key_file: b, cipher_suites: []}",
            ["cipher_suites: is not known"],
        ),
        ("x: 1\ny: 2", ["x: is not known", "y: is not known"]),
    ],
)
def test_what_is_wrong_is_told_with_its_place_and_never_with_its_value(text: str, says: list[str]) -> None:
    with pytest.raises(ConfigurationError) as refused:
        parsed(text)
    told = str(refused.value)
    assert [words for words in says if words not in told] == [], told
    assert "hunter2" not in told
    assert HASH[10:] not in told
