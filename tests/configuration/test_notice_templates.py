"""Titles, severities and links of notices."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vistio_core.configuration import SeverityThreshold, loads, query_link, render_title, severity_of
from vistio_core.configuration.model import Severity
from vistio_core.configuration.templates import fields
from vistio_core.errors import UsageError
from vistio_core.marked_from import MarkedFrom


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("plain { text }", "plain { text }"),
        ("[{{ .value }}] High", "[0.12346] High"),
        ("{{.value}}", "0.12346"),
        ("{{ .value}}{{.value }}", "0.123460.12346"),
        ("{{\t.dbname\n}}", "redis"),
        ("{{ .missing }}", "<no value>"),
        ("{{ .html }}", "<b>&</b>"),
        ("a {{- .value -}} b", "a0.12346b"),
        ("a \n {{- .value }} b", "a0.12346 b"),
        ("a {{ .value -}}\n b", "a 0.12346b"),
        ("{{ .value -}} {{- .value }}", "0.123460.12346"),
        ("}} {{ .value }}", "}} 0.12346"),
        ("", ""),
    ],
)
def test_fields_are_filled_in_as_in_go(template: str, expected: str) -> None:
    assert render_title(template, 0.123456, {"dbname": "redis", "html": "<b>&</b>"}) == expected


@pytest.mark.parametrize(
    ("name", "shown"), [("trac\u202e", "trac\\u202e"), ("a\nb", "a\\u000ab"), ("caf\u00e9", "caf\u00e9")]
)
def test_a_label_in_a_title_is_shown_as_what_it_is(name: str, shown: str) -> None:
    title = render_title("⚠\ufe0f {{ .service }} is full", 1.0, {"service": name})
    assert title == f"⚠\ufe0f {shown} is full"


@pytest.mark.parametrize(
    "template",
    [
        "{{ .value",
        "{{}}",
        "{{ value }}",
        "{{ . }}",
        "{{ .a.b }}",
        "{{ .value | printf }}",
        "{{ if .value }}",
        "{{-.value }}",
        "{{ .value-}}",
        "{{ .1a }}",
        "{{/* comment */}}",
        '{{ "text" }}',
        "{{ $x }}",
        "{{ .a-b }}",
    ],
)
def test_anything_else_in_braces_is_refused_with_what_is_allowed(template: str) -> None:
    with pytest.raises(UsageError, match="allowed are"):
        render_title(template, 1.0, {})


def test_the_value_hides_a_label_of_that_name() -> None:
    assert render_title("{{ .value }}", 2.0, {"value": "label"}) == "2.00000"


def test_the_fields_of_a_title_are_known() -> None:
    assert fields("{{ .a }} b {{ .value }} {{ .a }}") == {"a", "value"}


@given(st.text(alphabet="{}.-a "))
def test_any_title_renders_or_is_refused(template: str) -> None:
    try:
        rendered = render_title(template, 1.0, {})
    except UsageError:
        assert "{{" in template
    else:
        assert "{{" in template or rendered == template


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.0, None),
        (0.0049, None),
        (0.005, Severity.INFO),
        (0.0099, Severity.INFO),
        (0.01, Severity.WARNING),
        (0.0499, Severity.WARNING),
        (0.05, Severity.ERROR),
        (1.0, Severity.ERROR),
        (float("nan"), None),
    ],
)
def test_the_highest_threshold_that_is_reached_counts(value: float, expected: Severity | None) -> None:
    assert severity_of(value, SeverityThreshold(0.005, 0.01, 0.05)) is expected


def test_a_threshold_of_zero_or_less_is_off() -> None:
    assert severity_of(5.0, SeverityThreshold()) is None
    assert severity_of(5.0, SeverityThreshold(info=-1.0)) is None
    assert severity_of(5.0, SeverityThreshold(info=1.0, warning=0.0)) is Severity.INFO


@pytest.mark.parametrize(
    ("url", "start"),
    [
        ("http://p:9090", "http://p:9090/graph?g0.expr="),
        ("http://p:9090/", "http://p:9090/graph?g0.expr="),
        ("https://p/prometheus/", "https://p/prometheus/graph?g0.expr="),
        ("http://user:pass@word@p:9090", "http://p:9090/graph?g0.expr="),
        ("http://user@p", "http://p/graph?g0.expr="),
        ("http://p/x/?tenant=a&dedup=true", "http://p/x/graph?tenant=a&dedup=true&g0.expr="),
        ("http://p/?token=hunter2&tenant=a#hunter2", "http://p/graph?tenant=a&g0.expr="),
        ("http://p/?***&key=***", "http://p/graph?g0.expr="),
    ],
)
def test_a_link_leads_to_the_query_in_prometheus_without_credentials(url: str, start: str) -> None:
    assert query_link(url, "up") == start + "up"


def test_a_query_is_escaped_as_go_does() -> None:
    link = query_link("http://p", 'sum(rate(a{b=~"c/.+"}[1m])) by (d) ~-_.é')
    assert link.endswith("=sum%28rate%28a%7Bb%3D~%22c%2F.%2B%22%7D%5B1m%5D%29%29+by+%28d%29+~-_.%C3%A9")


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1))
def test_the_query_comes_back_out_of_the_link(query: str) -> None:
    assert parse_qs(urlsplit(query_link("http://p", query)).query, keep_blank_values=True) == {
        "g0.expr": [query]
    }


RULE = """
      - query: sum(rate(requests_total[1m]))
        prometheusURL: http://prometheus
        source: {label: source}
        target: {label: target}
        status: {label: code, dangerRegex: ^5}"""


def notice(about: str, thresholds: str) -> str:
    """A notice of a configuration's rule."""
    return f"""
          - {{title: bad, statusType: {about}, severityThreshold: {{{thresholds}}}}}"""


@pytest.mark.parametrize(
    ("rules", "danger", "warning"),
    [
        pytest.param([[]], 0.005, 0.05, id="no notices"),
        pytest.param([[notice("danger", "warning: .05, error: .2")]], 0.05, 0.05, id="errors only"),
        pytest.param([[notice("warning", "info: .3")]], 0.005, 0.3, id="warnings only"),
        pytest.param(
            [[notice("danger", "error: .2")], [], [notice("danger", "info: .02, error: .5")]],
            0.02,
            0.05,
            id="the first that notices",
        ),
        pytest.param([[notice("danger", "info: 0, warning: .1")]], 0.1, 0.05, id="0 is switched off"),
        pytest.param([[notice("danger", "info: 0")]], 0.005, 0.05, id="all switched off"),
    ],
)
def test_pictures_mark_what_notices_speak_of(rules: list[list[str]], danger: float, warning: float) -> None:
    """Promise: red begins where the configuration begins to raise notices; without any, where it usually does."""
    told = "".join(RULE + ("\n        notices:" + "".join(each) if each else "") for each in rules)
    configuration = loads(f"clusterLevel:\n  - cluster: mesh\n    serviceConnections:{told}\n")
    assert configuration.marked_from == MarkedFrom(danger, warning)
