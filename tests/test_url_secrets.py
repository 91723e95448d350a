"""No secret stays in a URL, whichever part it stands in; what is no secret stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vistio_core.url_secrets import is_secret_name, redact, redact_server, secrets_of

SECRET_NAMES = [
    "token", "api_key", "apikey", "api-key", "apiKey", "APIKEY", "access_token", "accessToken", "password",
    "passwd", "pwd", "key", "sig", "signature", "secret", "client_secret", "auth", "authorization",
    "X-Amz-Signature", "X-Amz-Credential", "X-Amz-Security-Token", "X-Goog-Signature", "jwt", "sas",
    "subscription-key", "Ocp-Apim-Subscription-Key", "session", "id_token", "refreshToken", "X-Auth-Key",
    "to%6ben", "API%5FKEY", "user[password]", "code",
]  # fmt: skip
ORDINARY_NAMES = [
    "tenant", "dedup", "partial_response", "max_source_resolution", "match[]", "extra_filters[]",
    "namespace", "cluster", "X-Scope-OrgID", "orgId", "time", "timeout", "nocache", "monkey", "author",
    "design", "passage", "keyboard", "assign", "g0.expr", "step", "status_code",
]  # fmt: skip
WITH = [
    ("http://user:hunter2@p:9090/", "http://user:***@p:9090/"),
    ("http://user:hunter2@hunter2@p", "http://user:***@p"),
    ("http://user:hun/ter2@p/x", "http://user:***@p/x"),
    ("http://user:hun?ter2#3@p/x", "http://user:***@p/x"),
    ("http://ghp_hunter2hunter2hunter2@p", "http://***@p"),
    ("http://ghp_hunter2hunter2hunter2:@p", "http://***@p"),
    ("http://p/?token=hunter2", "http://p/?token=***"),
    ("http://p?token=hunter2", "http://p?token=***"),
    ("http://p/?tenant=a&token=hunter2&dedup=true", "http://p/?tenant=a&token=***&dedup=true"),
    ("http://p/?tenant=a;token=hunter2;x", "http://p/?tenant=a;token=***"),
    ("http://p/?token=hunter2/+=%2F,hunter2'hunter2", "http://p/?token=***"),
    ("http://p/#access_token=hunter2&tenant=a", "http://p/#access_token=***&tenant=a"),
    ("http://p/x;token=hunter2/y", "http://p/x;token=***"),
    ("http://p/token/hunter2/prometheus", "http://p/token/***/prometheus"),
    ("http://p/a/api_key/hunter2?x=1", "http://p/a/api_key/***?x=1"),
    ("http://p/eyJhbGciOiJIUzI1.eyJzdWIiOiIx.hunter2/x", "http://p/***/x"),
    ("http://p/?tenant=eyJhbGciOiJIUzI1.eyJzdWIiOiIx.hunter2", "http://p/?tenant=***"),
    ("http://p/?to=https://u:hunter2@q/?key=hunter2", "http://p/?to=https://u:***@q/?key=***"),
    ("http://p/?to=https%3A%2F%2Fu%3Ahunter2%40q&a=b", "http://p/?to=***&a=b"),
    ("http://p/?to=https%253A%252F%252Fq%252F%253Fkey%253Dhunter2&a=b", "http://p/?to=***&a=b"),
    ("see <http://p/?key=hunter2>, or `http://p/?sig=hunter2`", "see <http://p/?key=***>, or `http://p/?sig=***`"),
    ("127.0.0.1:9090/?token=hunter2", "127.0.0.1:9090/?token=***"),
]  # fmt: skip
WITHOUT = [
    "http://host:9090/path@x",
    "http://[::1]:9090/path@x",
    "http://user@host",
    "http://host:9090/prometheus/api/v1/query?query=sum(rate(x[1m]))&time=1",
    'http://p/?tenant=a&dedup=true&extra_filters[]={key="a"}',
    "http://p/?tenant=a%20b%2Fc",
    "http://k8s/api/v1/namespaces/monitoring/services/prometheus:9090/proxy",
    "https://runbooks.example/mesh#high-error-rate",
    "/var/run/secrets/token/vistio",
    'x{token="a",path=~"/a?b"} or on (key) y{u="http://h:1",e="a@b"} == 1',
    "a ? b : c & d",
]


@pytest.mark.parametrize("name", SECRET_NAMES)
def test_a_secret_is_known_by_its_name(name: str) -> None:
    assert is_secret_name(name)
    for url in ("http://p/?{}=hunter2", "http://p/x?a=b&{}=hunter2&c=d", "http://p/#{}=hunter2"):
        assert redact(url.format(name)) == url.format(name).replace("hunter2", "***")


@pytest.mark.parametrize("name", ORDINARY_NAMES)
def test_an_ordinary_parameter_stays(name: str) -> None:
    assert not is_secret_name(name)
    assert redact(f"http://p/?{name}=hunter2") == f"http://p/?{name}=hunter2"


@pytest.mark.parametrize(("url", "shown"), WITH)
def test_a_secret_is_hidden_in_each_part_of_a_url(url: str, shown: str) -> None:
    assert redact(url) == shown
    assert redact(f"found {url} there") == f"found {shown} there"
    assert redact(f'"{url}"') == f'"{shown}"'
    assert "hunter2" not in redact_server(url)
    assert redact(shown) == shown


@pytest.mark.parametrize("text", WITHOUT)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://p:9090/#hunter2", "http://p:9090/#***"),
        ("http://p:9090/?hunter2", "http://p:9090/?***"),
        ("http://p:9090/?tenant=a&hunter2&dedup=true", "http://p:9090/?tenant=a&***&dedup=true"),
        ("user:hunter2@p:9090", "***@p:9090"),
        ("http://p:9090/prometheus?tenant=a", "http://p:9090/prometheus?tenant=a"),
    ],
)
def test_a_server_s_address_shows_nothing_that_has_no_name(url: str, shown: str) -> None:
    assert redact_server(url) == shown
    assert redact_server(shown) == shown


@given(st.text(alphabet="ab1:/@? #\"'\n.*&;=%2Fkey", max_size=60))
def test_redacting_twice_changes_nothing_more(text: str) -> None:
    assert redact(redact(text)) == redact(text)
    assert redact_server(redact_server(text)) == redact_server(text)


@given(
    name=st.sampled_from(SECRET_NAMES),
    value=st.text(alphabet="PQ:@!$'()*+,;=-._~%/?", min_size=1).filter(lambda text: text.strip("*")),
)
def test_no_value_of_a_secret_survives(name: str, value: str) -> None:
    assert redact(f"http://p/?a=b&{name}=S{value}S&c=d") == f"http://p/?a=b&{name}=***&c=d"


def test_the_secrets_themselves_are_known_for_what_others_say() -> None:
    found = secrets_of("http://p/token/pathhunter/?key=hun%2Fter&tenant=a&barehunter#x")
    assert found == ["barehunter", "pathhunter", "hun%2Fter", "hun/ter"]


@pytest.mark.parametrize(
    "piece", ["://a:", "://a1", "?token", "&key=", "/token/", "eyJaaaaa.", "%25", ";a=%3F", "@://a:"]
)
def test_a_long_text_takes_no_time_that_grows_with_its_square(piece: str) -> None:
    # Finished within the time limit of a test; with a square it would take hours.
    redact(piece * 200_000 if "://a" not in piece else piece * 2_000 + "a" * 1_000_000)
