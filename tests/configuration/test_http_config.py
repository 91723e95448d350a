"""Servers in a configuration: what loads, what is refused, what is never shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vistio_core.configuration import Configuration, load, load_http_config, loads
from vistio_core.configuration.http_config import (
    Authorization,
    BasicAuth,
    HttpConfig,
    HttpHeader,
    ServerSettings,
    TlsConfig,
    address,
)
from vistio_core.errors import ConfigurationError, UsageError

RULES = """\
globalLevel:
  clusterConnections:
    - {name: one, query: up, source: {label: a}, target: {label: b}}
    - {name: other, query: up, prometheusURL: 'http://other:9090/', source: {label: a}, target: {label: b}}
"""
URL = "prometheusURL: http://default:9090\n"


def with_http(block: str, head: str = URL) -> str:
    """A file whose ``http_config`` is ``block``, indented by two."""
    body = "".join(f"  {line}\n" for line in block.splitlines())
    return f"{head}http_config:\n{body}{RULES}"


def http_of(block: str) -> HttpConfig:
    found = loads(with_http(block)).http_config
    assert found is not None
    return found


def refusals(text: str, **options: str) -> dict[str, str]:
    """Key path to message, of every problem."""
    with pytest.raises(ConfigurationError) as caught:
        loads(text, **options)
    assert all(problem.line for problem in caught.value.problems)
    return {problem.path: problem.message for problem in caught.value.problems}


def urls(configuration: Configuration) -> dict[str, str]:
    return {rule.id: rule.prometheus_url for _, rule in configuration.rules()}


# The default server


def test_a_rule_without_a_server_asks_the_one_at_the_top() -> None:
    assert urls(loads(URL + RULES)) == {"one": "http://default:9090", "other": "http://other:9090/"}


def test_a_rule_without_any_server_is_an_error_with_a_remedy() -> None:
    assert refusals(RULES) == {
        "globalLevel.clusterConnections[0].prometheusURL": "is missing; add prometheusURL: http://... here,"
        " or once at the top of the file for all rules, or give --prometheus URL"
    }


def test_a_default_server_that_is_no_address_is_one_problem_not_one_for_each_rule() -> None:
    assert list(refusals("prometheusURL: default:9090\n" + RULES)) == ["prometheusURL"]


def test_clusters_have_the_default_server_too() -> None:
    text = URL + (
        "clusterLevel:\n- cluster: c\n"
        "  serviceConnections: [{query: up, source: {label: a}, target: {label: b}}]\n"
        "  serviceNotices: [{query: up, title: t, severityThreshold: {error: 1}, service: {label: a}}]\n"
        "  serviceMeasurements: [{query: up, measure: latency_p99_ms, service: {label: a}}]\n"
    )
    assert set(urls(loads(text)).items()) == {
        (f"{kind}-0", "http://default:9090") for kind in ("connection", "notice", "measurement")
    }


@pytest.mark.parametrize(
    "text",
    [
        RULES,
        URL + RULES,
        "# a comment\n---\n# another\n" + RULES,
        "prometheusURL: >-\n  http://default:9090\n" + RULES,
        "prometheusURL: 'http://default:9090' # why\n" + RULES,
        "".join(f"  {line}\n" for line in RULES.splitlines()),
        "{globalLevel: {clusterConnections: [{name: one, query: up, source: {label: a}, target: {label: b}},"
        " {name: other, query: up, prometheusURL: 'http://other:9090/', source: {label: a}, target: {label: b}}"
        "]}}",
        "x-base: &base {prometheusURL: 'http://merged'}\n<<: *base\n" + RULES,
        "\ufeff" + RULES,
        RULES.replace("\n", "\r\n"),
    ],
)
def test_another_default_server_is_in_the_text_that_is_kept_and_nothing_else_changes(text: str) -> None:
    given_url = "https://me:hunter2@given/prefix"
    configuration = loads(text, prometheus_url=given_url)
    assert urls(configuration) == {"one": given_url, "other": "http://other:9090/"}
    assert configuration.prometheus_url == given_url
    again = loads(configuration.text)
    assert urls(again) == {"one": "https://me:***@given/prefix", "other": "http://other:9090/"}
    assert again.text == configuration.text
    assert "hunter2" not in configuration.text
    assert loads(configuration.text, prometheus_url=given_url).text == configuration.text
    for comment in ("# a comment", "# another", "# why"):
        assert (comment in configuration.text) == (comment in text)


def test_without_another_default_server_the_text_is_kept_as_it_is() -> None:
    assert loads(URL + RULES).text == URL + RULES


def test_a_file_that_leaves_no_place_for_another_default_server_says_what_to_write() -> None:
    text = "x-u: &u http://default:9090\nprometheusURL: *u\n" + RULES
    with pytest.raises(UsageError, match='write prometheusURL: "http://given" as its first line'):
        loads(text, prometheus_url="http://given")


@pytest.mark.parametrize("url", ["", "given:9090", "ftp://given", "http://", "http://a b"])
def test_another_default_server_that_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="http"):
        loads(RULES, prometheus_url=url)


def test_the_lines_of_problems_are_those_of_the_file_with_another_default_server_too() -> None:
    with pytest.raises(ConfigurationError) as caught:
        loads(RULES.replace("label: a", "lable: a", 1), prometheus_url="http://given")
    assert [problem.line for problem in caught.value.problems] == [3]


# http_config


def test_everything_of_prometheus_own_http_config_loads() -> None:
    assert http_of(
        """\
basic_auth:
  username: me
  password_file: secrets/password
tls_config:
  ca_file: ca.pem
  cert_file: /etc/cert.pem
  key_file: /etc/key.pem
  server_name: prometheus.example
  insecure_skip_verify: false
  min_version: TLS12
proxy_url: http://u:p@proxy:3128
no_proxy: 127.0.0.1,.svc
proxy_connect_header: {X-Token: [a, b]}
http_headers:
  X-Scope-OrgID: {values: [a, b]}
  X-Other: {secrets: [s], files: [f], env: VARIABLE}
follow_redirects: true
enable_http2: true
"""
    ) == HttpConfig(
        basic_auth=BasicAuth("me", password_file="secrets/password"),
        tls_config=TlsConfig(
            ca_file="ca.pem",
            cert_file="/etc/cert.pem",
            key_file="/etc/key.pem",
            server_name="prometheus.example",
            min_version="TLS12",
        ),
        proxy_url="http://u:p@proxy:3128",
        no_proxy="127.0.0.1,.svc",
        proxy_connect_header=(("X-Token", ("a", "b")),),
        http_headers=(
            HttpHeader("X-Scope-OrgID", ("a", "b")),
            HttpHeader("X-Other", secrets=("s",), files=("f",), env="VARIABLE"),
        ),
        follow_redirects=True,
    )


def test_a_type_that_is_empty_is_bearer_as_in_prometheus() -> None:
    assert http_of("authorization: {type: '', credentials: x}").authorization == Authorization(
        "Bearer", credentials="x"
    )


def test_what_is_ignored_is_told() -> None:
    (warning,) = loads(with_http("enable_http2: true")).warnings
    assert (warning.line, warning.path) == (3, "http_config.enable_http2")


@pytest.mark.parametrize(
    ("block", "path", "message"),
    [
        ("basic_auht: {}", ".basic_auht", "did you mean basic_auth?"),
        ("oauth2: {}", ".oauth2", "credentials_file"),
        ("sigv4: {}", ".sigv4", "aws-sigv4-proxy"),
        ("bearer_token: hunter2", ".bearer_token", "write authorization: {credentials: ...}"),
        ("bearer_token_file: x", ".bearer_token_file", "write authorization: {credentials_file: ...}"),
        ("basic_auth: hunter2", ".basic_auth", "found a text; write a mapping with username"),
        ("authorization: [hunter2]", ".authorization", "found a list; write a mapping with type"),
        (
            "basic_auth: {username: a, username_file: b}",
            ".basic_auth",
            "username and username_file; keep one",
        ),
        (
            "basic_auth: {username: a, password: hunter2, password_env: B}",
            ".basic_auth",
            "found password and password_env; keep one of them",
        ),
        ("basic_auth: {password: hunter2}", ".basic_auth", "add username"),
        (
            "basic_auth: {username: a, password: [hunter2]}",
            ".basic_auth.password",
            "found a list; write one text",
        ),
        ("basic_auth: {username: a, password_env: hunter-2}", ".basic_auth.password_env", "the name only"),
        ("basic_auth: {username: a, password_ref: x}", ".basic_auth.password_ref", "at password_file"),
        (
            "{basic_auth: {username: a}, authorization: {credentials: hunter2}}",
            "",
            "found basic_auth and authorization; keep one of them",
        ),
        ("authorization: {type: basic, credentials: hunter2}", ".authorization.type", "write basic_auth"),
        ("authorization: {type: Bearer hunter2, credentials: x}", ".authorization.type", "write one word"),
        ("authorization: {type: Bearer}", ".authorization", "has no credentials"),
        ("authorization: {credentials: hunter2, credentials_file: x}", ".authorization", "keep one of them"),
        ("tls_config: {ca: x, ca_file: y}", ".tls_config", "found ca and ca_file"),
        ("tls_config: {cert_file: x}", ".tls_config", "found cert_file without its key"),
        ("tls_config: {key: hunter2}", ".tls_config", "found key without its certificate"),
        ("tls_config: {min_version: TLS10}", ".tls_config.min_version", "allowed are TLS12 and TLS13"),
        ("tls_config: {min_version: TLS13, max_version: TLS12}", ".tls_config", "is above max_version"),
        ("tls_config: {insecure_skip_verify: 1}", ".tls_config.insecure_skip_verify", "true or false"),
        ("tls_config: {insecure_skip_verify: 'true'}", ".tls_config.insecure_skip_verify", "without quotes"),
        ("proxy_url: user:hunter2@proxy:3128", ".proxy_url", "has no http:// before its host"),
        ("proxy_url: http://user:hun/ter2@proxy", ".proxy_url", "no address of a proxy"),
        ("proxy_url: socks5://proxy", ".proxy_url", "SOCKS is not spoken"),
        ("no_proxy: localhost", "", "found no_proxy without a proxy"),
        ("proxy_connect_header: {A: [b]}", "", "found proxy_connect_header without a proxy"),
        (
            "{proxy_from_environment: true, proxy_url: 'http://p'}",
            "",
            "found proxy_from_environment and proxy_url; keep one of them",
        ),
        ("{proxy_url: 'http://p', proxy_connect_header: {A: b}}", ".proxy_connect_header.A", "write a list"),
        (
            "http_headers: {Authorization: {values: [hunter2]}}",
            ".http_headers.Authorization",
            "basic_auth or auth",
        ),
        ("http_headers: {Content-Type: {values: [x]}}", ".http_headers.Content-Type", "remove it"),
        ("http_headers: {'a b': {values: [x]}}", ".http_headers.a b", "is no name of a header"),
        ("http_headers: {X-A: {}}", ".http_headers.X-A", "has no value"),
        ("http_headers: {X-A: hunter2}", ".http_headers.X-A", "write a mapping with values"),
        (
            "http_headers: {X-A: {secrets: hunter2}}",
            ".http_headers.X-A.secrets",
            "found a text; write a list",
        ),
        (
            "http_headers: {X-A: {values: [~]}}",
            ".http_headers.X-A.values[0]",
            "found nothing; write one text",
        ),
        ("http_headers: [X-A]", ".http_headers", "found a list; write a mapping"),
        ("follow_redirects: maybe", ".follow_redirects", "true or false"),
    ],
)
def test_what_is_refused_has_a_line_a_path_and_a_remedy_and_shows_no_secret(
    block: str, path: str, message: str
) -> None:
    found = refusals(with_http(block) if not block.startswith("{") else f"{URL}http_config: {block}\n{RULES}")
    assert message in found[f"http_config{path}"]
    assert len(found) == 1
    assert "hunter2" not in str(found)


def test_every_problem_is_told_at_once() -> None:
    found = refusals(
        with_http("basic_auth: {}\ntls_config: {cert: x, min_version: SSL3}\nfoo: 1", head="")
        + "servers: [{url: nowhere}, {method: PUT, url: 'http://x'}, {url: 'http://u:hunter2@y'}]\n"
    )
    assert sorted(found) == [
        "globalLevel.clusterConnections[0].prometheusURL",
        "http_config.basic_auth",
        "http_config.foo",
        "http_config.tls_config",
        "http_config.tls_config.min_version",
        "servers[0].url",
        "servers[1].method",
        "servers[2].url",
    ]
    assert "hunter2" not in str(found)


# Which server has which settings


def test_a_server_of_its_own_has_its_own_settings_and_the_others_those_at_the_top() -> None:
    text = with_http("basic_auth: {username: top}") + (
        "servers:\n- {url: 'http://other:9090', method: get, http_config: {basic_auth: {username: own}}}\n"
    )
    configuration = loads(text)
    assert configuration.warnings == ()
    own = configuration.server_settings("http://u:p@other:9090/")
    assert own == ServerSettings("http://other:9090", "GET", HttpConfig(BasicAuth("own")))
    assert configuration.server_settings("http://default:9090").http_config == HttpConfig(BasicAuth("top"))
    assert loads(URL + RULES).server_settings("http://x").http_config == HttpConfig()


def test_a_server_without_http_config_has_the_one_at_the_top() -> None:
    text = with_http("basic_auth: {username: top}") + "servers: [{url: 'http://other:9090', method: POST}]\n"
    settings = loads(text).server_settings("http://other:9090")
    assert settings == ServerSettings("http://other:9090", "POST", HttpConfig(BasicAuth("top")))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("http://h:9090", "http://h:9090/", True),
        ("http://h/a/", "http://u:p@H/a", True),
        ("http://h/a", "http://h/A", False),
        ("http://h", "https://h", False),
        ("http://h", "http://h:81", False),
        ("http://h?a=1", "http://h?a=2", False),
    ],
)
def test_a_server_is_known_by_its_address(one: str, other: str, same: bool) -> None:
    assert (address(one) == address(other)) is same


def test_a_server_that_is_named_twice_is_refused_and_one_that_nobody_asks_is_told() -> None:
    twice = URL + RULES + "servers: [{url: 'http://other:9090'}, {url: 'http://other:9090/'}]\n"
    assert "first in line 6" in refusals(twice)["servers[1].url"]
    (warning,) = loads(URL + RULES + "servers: [{url: 'http://nobody'}]\n").warnings
    assert "no rule asks this server" in warning.message


def test_files_are_relative_to_the_directory_of_the_file_that_names_them(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    path = tmp_path / "a" / "vistio.yaml"
    path.write_text(
        with_http("tls_config: {ca_file: ca.pem}")
        + "servers: [{url: 'http://other:9090', http_config: {tls_config: {ca_file: b.pem}}}]\n"
    )
    configuration = load(path)
    assert configuration.http_config is not None
    assert configuration.http_config.directory == str(tmp_path / "a")
    other = configuration.server_settings("http://other:9090").http_config
    assert other is not None
    assert other.directory == str(tmp_path / "a")


# A file of its own


def test_a_file_of_its_own_is_read_as_promtool_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "http.yaml"
    path.write_text("basic_auth:\n  username: me\n  password_file: password\n")
    found = load_http_config(path)
    assert found == HttpConfig(BasicAuth("me", password_file="password"))
    assert found.directory == str(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "http.yaml: is empty; write a mapping with basic_auth"),
        ("- a\n", "http.yaml:1: found a list; write a mapping with basic_auth"),
        (
            "basic_auth: {usrname: me}\n",
            "http.yaml:1: basic_auth.usrname: unknown key; did you mean username?",
        ),
        ("a: [\n", "http.yaml:2: not YAML"),
        ("a: 1\na: 2\n", "http.yaml:2: a: found twice"),
    ],
)
def test_a_file_of_its_own_has_errors_of_the_same_quality(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "http.yaml"
    path.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        load_http_config(path)
    assert message in str(caught.value)


def test_a_file_of_its_own_that_is_not_there_names_its_option(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no such file; give another one with --http-config"):
        load_http_config(tmp_path / "nothing.yaml")


# Secrets

SECRETS = """\
# password: hunter2
#  - credentials:   hunter2 hunter2
# the key: is kept
prometheusURL: http://default
x-key: &key |
  -----BEGIN PRIVATE KEY-----
  hunter2
  -----END PRIVATE KEY-----
x-password: &password hunter2
http_config:
  basic_auth: {username: me, password: *password}
  tls_config:
    cert_file: cert.pem
    key: *key
  http_headers:
    X-A: {values: [kept], secrets: [hunter2, &a 'hunter2', "hun\\x74er2"]}
    X-B:
      secrets:
        - |
          hunter2
        - >-
            hunter2
            hunter2
  proxy_url: http://me:hunter2@proxy:3128
  proxy_connect_header: {X-C: [hunter2]}
#   key: |
#     -----BEGIN EC PRIVATE KEY-----
#     hunter2
#     -----END EC PRIVATE KEY-----
# kept
servers:
  - url: http://other:9090
    http_config:
      authorization:
        credentials: !!str hunter2 # kept
"""


def test_no_secret_is_in_what_is_kept_shown_or_printed() -> None:
    configuration = loads(SECRETS + RULES)
    for text in (configuration.text, repr(configuration)):
        assert "hunter" not in text
        assert "\\x74" not in text
    assert configuration.text.count("kept") == 4
    assert configuration.http_config is not None
    assert configuration.http_config.http_headers[0].secrets == ("hunter2",) * 3
    assert configuration.http_config.basic_auth == BasicAuth("me", "", "hunter2")


def test_the_redacted_text_loads_again_and_is_its_own_redaction() -> None:
    configuration = loads(SECRETS + RULES)
    again = loads(configuration.text)
    assert again.text == configuration.text
    assert again.http_config is not None
    assert again.http_config.http_headers[0] == HttpHeader("X-A", ("kept",), ("***",) * 3)
    assert again.http_config.proxy_connect_header == (("X-C", ("***",)),)
    assert again.servers[0].http_config == HttpConfig(authorization=Authorization(credentials="***"))
    assert again.warnings == configuration.warnings


def test_nothing_at_a_secret_key_stays_nothing() -> None:
    text = URL + "http_config: {basic_auth: {username: a, password: ~, password_file: f}}\n" + RULES
    assert loads(text).text == text
    empty = URL + "http_config: {basic_auth: {username: a, password: '', password_file: f}}\n" + RULES
    assert loads(empty).text == empty


def test_a_comment_sign_within_a_text_is_no_comment() -> None:
    text = URL + RULES + "x-text: |\n  a\n  # password: b\n"
    assert loads(text).text == text


STYLES = {
    "single": lambda text: "'" + text.replace("'", "''") + "'",
    "double": lambda text: '"' + "".join(f"\\u{ord(c):04x}" for c in text) + '"',
    "literal": lambda text: "|-\n      " + text,
    "folded": lambda text: ">\n\n      " + text + "\n",
    "tagged": lambda text: "!!str &x '" + text.replace("'", "''") + "'",
}


@given(
    secret=st.text(alphabet="PQ:@!$&'()*+,;=-#%{}[]|>~ ", min_size=1).filter(
        lambda t: t.strip("* ") == t != ""
    ),
    style=st.sampled_from(sorted(STYLES)),
    comment=st.sampled_from(["", " # kept"]),
)
def test_no_secret_survives_however_it_is_written(secret: str, style: str, comment: str) -> None:
    secret = f"S{secret}S"
    written = STYLES[style](secret) + (comment if style in ("single", "double", "tagged") else "")
    block = f"basic_auth:\n  username: u\n  password: {written}\nfollow_redirects: true"
    configuration = loads(with_http(block))
    assert configuration.http_config is not None
    assert configuration.http_config.basic_auth is not None
    assert configuration.http_config.basic_auth.password.strip() == secret
    kept = configuration.text.partition("http_config")[2].partition("globalLevel")[0]
    assert "S" not in kept
    assert "\\u" not in kept
    again = loads(configuration.text).http_config
    assert again == HttpConfig(BasicAuth("u", password="***"), follow_redirects=True)
