"""Passwords: kept for the recorder, hidden from everyone else."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vistio_core.configuration import Configuration, loads
from vistio_core.configuration.redaction import redact
from vistio_core.errors import ConfigurationError, UsageError

FILE = """\
# was http://old:hunter2@prometheus before
globalLevel:
  clusterConnections:
    - query: up{instance="http://user:hunter2@host/"}  # http://a:hunter2@b
      prometheusURL: %s
      source: {replacement: a}
      target: {replacement: b}
      unknown: https://x:hunter2@y
"""


def url_of(configuration: Configuration) -> str:
    return configuration.global_level.rules[0].prometheus_url


@pytest.mark.parametrize(
    ("written", "parsed"),
    [
        ("http://user:hunter2@p:9090", "http://user:hunter2@p:9090"),
        ("'http://user:hunter2@p:9090/x'", "http://user:hunter2@p:9090/x"),
        ('"http://user:hunter2@p"', "http://user:hunter2@p"),
        ('"http\\x3a\\/\\/user:hunter\\x32@p"', "http://user:hunter2@p"),
        ('&url "http:\\/\\/us\\\n        er:hunt\\\n        er2@p"', "http://user:hunter2@p"),
        ("http://user:hunter2@hunter2@p", "http://user:hunter2@hunter2@p"),
        ("http://:hunter2@p", "http://:hunter2@p"),
        (">-\n        http://user:hunter2@p", "http://user:hunter2@p"),
    ],
)
def test_the_text_hides_passwords_and_the_parsed_url_keeps_them(written: str, parsed: str) -> None:
    configuration = loads(FILE % written)
    assert url_of(configuration) == parsed
    assert "hunt" not in configuration.text
    assert "hunter2" not in repr(configuration).partition("prometheus_url")[2]
    assert not any("hunter2" in str(warning) for warning in configuration.warnings)


@pytest.mark.parametrize(
    ("written", "parsed", "kept"),
    [
        ("http://p/?token=hunter2", "http://p/?token=hunter2", "http://p/?token=***"),
        ("http://p/?token=hunter2,hunter2'", "http://p/?token=hunter2,hunter2'", "http://p/?token=***"),
        ("http://p/?a=b&key=hunter2 # x", "http://p/?a=b&key=hunter2", "http://p/?a=b&key=***"),
        ("'http://p/?key=hunter2''hunter2'", "http://p/?key=hunter2'hunter2", "http://p/?key=***"),
        ('"http://p/?k\\x65y=hunt\\x65r2"', "http://p/?key=hunter2", "http://p/?key=***"),
        ('"http://p/?key=hun\\\n        ter2"', "http://p/?key=hunter2", "http://p/?key=***"),
        (">-\n        http://p/?key=hunter2", "http://p/?key=hunter2", "http://p/?key=***"),
        ("&a !!str http://p/?key=hunter2", "http://p/?key=hunter2", "http://p/?key=***"),
        ("http://p/#hunter2", "http://p/#hunter2", "http://p/#***"),
        ("http://p/?hunter2", "http://p/?hunter2", "http://p/?***"),
        ("http://p/token/hunter2/x", "http://p/token/hunter2/x", "http://p/token/***/x"),
    ],
)
def test_the_text_hides_what_is_secret_in_every_part_of_a_url(written: str, parsed: str, kept: str) -> None:
    configuration = loads(FILE % written)
    assert url_of(configuration) == parsed
    assert "hunt" not in configuration.text
    again = loads(configuration.text)
    assert url_of(again) == kept
    assert again.text == configuration.text
    assert again.hash == configuration.hash == loads(FILE % written.replace("hunter2", "hunter3")).hash
    for each in (repr(configuration), *map(str, configuration.warnings)):
        assert "hunter2" not in each.replace(parsed, "") or parsed not in each
    assert "hunter2" not in repr(configuration).partition("prometheus_url")[2]


FLOW = """\
globalLevel: {clusterConnections: [{query: up, prometheusURL: http://p/x;key=hunter2, source: {replacement: a},
  target: {replacement: b}, status: {label: x}}]}
# http://p/?key=hunter2, and http://p/#access_token=hunter2
"""


def test_what_follows_a_url_on_its_line_stays_what_it_is() -> None:
    configuration = loads(FLOW)
    assert "hunter2" not in configuration.text
    again = loads(configuration.text)
    assert again.text == configuration.text
    assert url_of(again) == "http://p/x;key=***"
    assert again.global_level.rules[0].status == configuration.global_level.rules[0].status


SERVERS = """\
prometheusURL: http://p/?tenant=a&token=hunter2
globalLevel: {clusterConnections: [{query: up, source: {replacement: a}, target: {replacement: b}}]}
http_config:
  proxy_url: http://me:hunter2@proxy:3128/?key=hunter2#hunter2
  http_headers:
    X-Api-Key: {values: [hunter2, 'http://x']}
    X-Scope-OrgID: {values: [team-a]}
    X-Auth-Token:
      values:
        - hunter2
servers:
  - {url: 'http://p/?tenant=a&token=hunter2', method: GET}
  - {url: 'http://p/?tenant=a&token=hunter3', method: POST}
api_key: hunter2
"""


def test_servers_proxies_and_headers_show_no_secrets_and_what_is_recorded_loads() -> None:
    configuration = loads(SERVERS)
    assert "hunter" not in configuration.text
    assert "team-a" in configuration.text
    assert "tenant=a" in configuration.text
    again = loads(configuration.text)
    assert again.text == configuration.text
    assert again.server_settings(url_of(again)).method == "GET"
    assert "hunter" not in repr(configuration.http_config)
    assert configuration.server_settings(url_of(configuration)).method == "GET"


@pytest.mark.parametrize(
    "url",
    [
        "127.0.0.1:9090/?token=hunter2",
        "user:hunter2@127.0.0.1:9090",
        "http://user:hun/ter2@p",
        "http://p/?token=hunter2 ",
        "ftp://p/#hunter2",
        "http://p:99999/?hunter2",
        "http://p/?key=<hunter2>",
    ],
)
def test_an_error_about_an_address_shows_no_secret(url: str) -> None:
    for text in (FILE % f"'{url}'", SERVERS.replace("http://p/?tenant=a&token=hunter3", url)):
        with pytest.raises(ConfigurationError) as caught:
            loads(text)
        assert "ter2" not in str(caught.value)
    with pytest.raises(UsageError) as refused:
        loads(FILE % "http://p", prometheus_url=url)
    assert "ter2" not in str(refused.value)


def test_the_redacted_text_loads_to_the_same_but_for_the_password() -> None:
    configuration = loads(FILE % '"http:\\/\\/user:hunter2@p:9090"')
    again = loads(configuration.text)
    assert again.text == configuration.text
    assert again.hash == configuration.hash
    assert url_of(again) == "http://user:***@p:9090"
    assert attrs.evolve(again.global_level, rules=()) == attrs.evolve(configuration.global_level, rules=())
    assert again.warnings == configuration.warnings


def test_a_change_of_password_is_no_change_of_configuration() -> None:
    assert loads(FILE % "http://u:one@p").hash == loads(FILE % "http://u:two@p").hash


def test_a_text_without_passwords_is_kept_as_it_is() -> None:
    text = 'graphName: "x\\u0020y" # http://host:9090/a@b, user@example.org, http://user@host\r\n'
    assert loads(text).text == text


@pytest.mark.parametrize(
    "text",
    [
        "http://host:9090/path@x",
        "http://user@host",
        "http://host:9090",
        "a:b@c",
        'x{u="http://h:1"} or y{e="a@b"}',
    ],
)
def test_what_is_no_password_stays(text: str) -> None:
    assert redact(text) == text


@given(st.text(alphabet="ab:/@? #\"'\n.*"))
def test_redacting_twice_changes_nothing_more(text: str) -> None:
    assert redact(redact(text)) == redact(text)


@given(
    user=st.text(alphabet="abc%", max_size=5),
    password=st.text(alphabet="PQ:@!$&'()*+,;=-._~%", min_size=1).filter(lambda text: text.strip("*")),
)
def test_no_password_survives_in_a_quoted_url(user: str, password: str) -> None:
    secret = f"S{password}S"
    written = f"http://{user}:{secret}@host:9090/".replace("'", "''")
    configuration = loads(FILE % f"'{written}'")
    assert "S" not in configuration.text.partition("prometheusURL")[2].partition("source")[0].replace(
        "URL", ""
    )
    assert url_of(loads(configuration.text)) == f"http://{user}:***@host:9090/"
