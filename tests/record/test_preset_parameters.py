"""Parameters of presets, and the macros that their files are written with."""

from __future__ import annotations

import re

import pytest
from click.testing import CliRunner, Result

from vistio_core.configuration import loads
from vistio_core.errors import UsageError
from vistio_record import presets
from vistio_record.cli import main
from vistio_record.presets.templates import Kind, PresetParameter, filled, parameters

URL = "http://127.0.0.1:9"  # discard: nobody answers there
FILE = """\
# For a test.
# Parameters:
#   window   duration  1m      How far rates look back.
#   gateway  regex     gate.*  Which ones are gateways.
#: by = client, server
#: requests(more) =
#:   sum by (@{by}, code) (
#:     rate(requests_total{client!~"@{gateway}",@{more}}[@{window}])
#:   )
#: from library
globalLevel:
  clusterConnections:
    - query: |
        @requests(code=~"(4|5)..") / @{half}
      source: {label: client}
      target: {label: server}
"""
LIBRARY = "Text that nobody sees.\n#: half = 2\n"
every_preset = pytest.mark.parametrize("name", presets.names())


def text_of(**settings: str) -> str:
    return filled(FILE, settings, {"library": LIBRARY}.__getitem__, "test")


def query_of(**settings: str) -> str:
    (rule,) = (rule for _, rule in loads(text_of(**settings), prometheus_url=URL).rules())
    return rule.query


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def test_macros_are_written_out_and_indented_as_where_they_stand() -> None:
    assert text_of().partition("query: |\n")[2].partition("      source")[0] == (
        "        sum by (client, server, code) (\n"
        '          rate(requests_total{client!~"gate.*",code=~"(4|5).."}[1m])\n'
        "        ) / 2\n"
    )
    assert "#:" not in text_of()


def test_a_parameter_has_a_kind_a_default_and_a_meaning() -> None:
    assert parameters(FILE) == (
        PresetParameter("window", Kind.DURATION, "1m", "How far rates look back."),
        PresetParameter("gateway", Kind.REGEX, "gate.*", "Which ones are gateways."),
    )


def test_what_is_set_stands_in_the_queries_and_at_the_head() -> None:
    text = text_of(window="90s", gateway="edge")
    assert '{client!~"edge",' in text
    assert "[90s]" in text
    assert "#   window   duration  90s      How far" in text
    assert "#   gateway  regex     edge  Which" in text


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (r"web\.shop", r'"web\\.shop"'),
        ('a"} or vector(1) #', r'"a\"} or vector(1) #"'),
        ("a\nsource: {replacement: x}", r'"a\nsource: {replacement: x}"'.replace(r"\n", r"\u000a")),
        ("a\u2028b\U000e0001", r'"a\u2028b\U000e0001"'),
        ("@{window} @requests(x)", '"@{window} @requests(x)"'),
        ("gr\u00fcn", '"gr\u00fcn"'),
    ],
)
def test_whatever_is_set_stays_within_its_string(value: str, written: str) -> None:
    found = re.search(r"client!~(.*),code=", query_of(gateway=value))
    assert found is not None
    assert found[1] == written


@pytest.mark.parametrize("value", ["", "0s", "1", "m", "1m ", "-1m", "1m]) or vector(1)", "1.5h", "1s1m"])
def test_a_duration_that_promql_does_not_have_is_refused(value: str) -> None:
    with pytest.raises(UsageError, match=r"--set window: found .*; write a duration as PromQL has it"):
        text_of(window=value)


@pytest.mark.parametrize("value", ["1m", "90s", "1h30m", "500ms", "1d"])
def test_a_duration_is_one_as_promql_has_it(value: str) -> None:
    assert f"[{value}]" in query_of(window=value)


@pytest.mark.parametrize("value", ["(", "(?=a)", "\udcff"])
def test_what_is_no_expression_is_refused_by_name(value: str) -> None:
    with pytest.raises(UsageError, match="--set gateway: "):
        text_of(gateway=value)


@every_preset
def test_every_preset_has_parameters_that_all_of_its_text_follows(name: str) -> None:
    known = presets.parameters(name)
    assert "window" in [parameter.name for parameter in known]
    for parameter in known:
        value = {Kind.DURATION: "77s", Kind.REGEX: "qqq"}[parameter.kind]
        changed = presets.load(name, URL, {parameter.name: value})
        queries = [rule.query for _, rule in changed.rules()]
        assert any(value in query for query in queries)
        assert not any(parameter.default in query for query in queries if parameter.kind is Kind.DURATION)


def test_a_parameter_that_is_not_there_is_wrong_usage_and_all_are_named() -> None:
    for arguments in (("presets", "show", "istio"), ("check", "--preset", "istio", "--prometheus", URL)):
        result = invoke(*arguments, "--set", "gatway=x")
        assert result.exit_code == 2
        assert "--set gatway: preset istio has no such parameter; it has window, gateway" in result.output
        assert "did you mean gateway?" in result.output


def test_a_setting_needs_a_name_a_value_and_a_preset(tmp_path_factory: pytest.TempPathFactory) -> None:
    assert "--set: 'window' is not NAME=VALUE" in invoke("presets", "show", "istio", "--set", "window").output
    result = invoke("check", "--set", "window=2m")
    assert result.exit_code == 2
    assert "--set window=2m: is for a preset" in result.output


def test_show_prints_the_parameters_with_the_values_that_were_set() -> None:
    shown = invoke("presets", "show", "istio", "--set", "window=2m", "--set", "gateway=.+-istio").stdout
    assert re.search(r"^#   window +duration +2m +How far", shown, re.MULTILINE)
    assert re.search(r"^#   gateway +regex +\.\+-istio +Workloads", shown, re.MULTILINE)
    assert shown == presets.text("istio", {"window": "2m", "gateway": ".+-istio"})


def test_parameters_can_come_from_the_environment() -> None:
    environment = {"VISTIO_RECORD_PRESETS_SHOW_SET": "window=3m gateway=edge"}
    shown = CliRunner().invoke(main, ["presets", "show", "istio"], env=environment).stdout
    assert shown == presets.text("istio", {"window": "3m", "gateway": "edge"})


@pytest.mark.parametrize("command", ["run", "check", "backfill"])
def test_every_command_with_presets_takes_parameters(
    command: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    place = str(tmp_path_factory.mktemp("place") / "recording")
    more = {"run": ("--recording", place), "backfill": ("--recording", place, "--start", "-1h")}
    result = invoke(
        command, *more.get(command, ()), "--preset", "istio", "--prometheus", URL, "--set", "window=nonsense"
    )
    assert result.exit_code == 2
    assert "--set window: found 'nonsense'" in result.output
