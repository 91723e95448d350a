"""The presets as files, and the options that use them; what they see is tested end to end."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from vistio_core.configuration import ConnectionRule, MeasurementRule, load, loads, mappings_of
from vistio_core.configuration.model import Witness
from vistio_core.errors import UsageError
from vistio_record import presets
from vistio_record.cli import main

URL = "http://127.0.0.1:9"  # discard: nobody answers there
ROOT = Path(__file__).parents[2]
every_preset = pytest.mark.parametrize("name", presets.names())


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_there_is_a_preset_for_each_telemetry_source() -> None:
    expected = ("consul", "envoy", "hubble", "istio", "istio-ambient", "istio-mixer", "linkerd", "otel")
    assert presets.names() == expected


@every_preset
def test_a_preset_is_a_configuration_without_server_or_warnings(name: str) -> None:
    assert "prometheusURL:" not in presets.text(name)
    configuration = presets.load(name, URL)
    assert configuration.warnings == ()
    assert {rule.prometheus_url for _, rule in configuration.rules()} == {URL}
    assert [cluster.cluster for cluster in configuration.clusters] == ["mesh"]


@every_preset
def test_what_is_recorded_of_a_preset_loads_by_itself(name: str) -> None:
    configuration = presets.load(name, URL)
    assert loads(configuration.text) == configuration


@every_preset
def test_the_head_of_a_preset_says_what_it_needs_and_what_to_change(name: str) -> None:
    head = presets.text(name).partition("\ngraphName:")[0]
    assert all(line.startswith("#") for line in head.splitlines())
    assert presets.summary(name) == head.splitlines()[0].removeprefix("# ")
    for said in ("Needs: ", "Parameters:", "at least four", "To show several clusters"):
        assert said in head.replace("\n# ", " "), said


@every_preset
def test_the_rules_of_a_preset_have_names_and_its_rates_one_window(name: str) -> None:
    for _, rule in presets.load(name, URL).rules():
        assert rule.name == rule.id
        assert set(re.findall(r"\[[^\]]*[smh]\]", rule.query)) == {"[1m]"}


@every_preset
def test_no_name_has_a_slash_and_every_rule_knows_failures(name: str) -> None:
    """Vizceral's page makes routes of names, of which a slash would be a part."""
    for _, rule in presets.load(name, URL).rules():
        for mapping in mappings_of(rule):
            assert "/" not in mapping.template + mapping.replacement + mapping.default
        if isinstance(rule, ConnectionRule):
            assert rule.status is not None


@every_preset
def test_a_preset_chooses_no_reporter_in_promql(name: str) -> None:
    """Both ends are recorded, and made one when a graph is built."""
    rules = [rule for _, rule in presets.load(name, URL).rules()]
    assert not [rule.id for rule in rules if re.search(r"\bunless\b", rule.query)]
    means = {
        rule.witness
        for rule in rules
        if isinstance(rule, MeasurementRule) and rule.measure == "latency_mean_ms"
    }
    assert means == (set() if name == "istio-mixer" else set(Witness))


@pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool (Debian package prometheus) is not installed"
)
@every_preset
def test_prometheus_accepts_the_queries_of_a_preset(name: str, tmp_path: Path) -> None:
    lines = ["groups:", "- name: preset", "  rules:"]
    for number, (_, rule) in enumerate(presets.load(name, URL).rules()):
        lines += [f"  - record: rule_{number}", "    expr: |"]
        lines += [f"      {line}" for line in rule.query.splitlines()]
    rules = tmp_path / "rules.yaml"
    rules.write_text("\n".join(lines) + "\n")
    checked = subprocess.run(
        ["promtool", "check", "rules", str(rules)], capture_output=True, text=True, timeout=60, check=False
    )
    assert checked.returncode == 0, checked.stderr


def test_presets_lists_each_with_its_line() -> None:
    lines = invoke("presets").stdout.splitlines()
    assert [line.split()[0] for line in lines] == list(presets.names())
    assert all(presets.summary(line.split()[0]) in line for line in lines)


@every_preset
def test_show_prints_a_file_that_can_be_copied_and_edited(name: str, tmp_path: Path) -> None:
    copy = tmp_path / "vistio.yaml"
    copy.write_text(invoke("presets", "show", name).stdout)
    assert load(copy, prometheus_url=URL) == presets.load(name, URL)


def test_a_preset_that_does_not_exist_is_wrong_usage_and_the_nearest_one_is_named() -> None:
    for arguments in (("presets", "show", "istoi"), ("check", "--preset", "istoi")):
        result = invoke(*arguments)
        assert result.exit_code == 2
        assert "no preset 'istoi'; there are consul, envoy" in result.output
        assert "did you mean istio?" in result.output
    with pytest.raises(UsageError, match=r"no preset '\.\./cli'"):
        presets.text("../cli")


@pytest.mark.parametrize("command", ["run", "check", "backfill"])
def test_a_preset_needs_a_server_and_excludes_a_file(command: str, tmp_path: Path) -> None:
    more = {
        "run": ["--recording", tmp_path / "r"],
        "backfill": ["--recording", tmp_path / "r", "--start", "-1h"],
    }
    arguments = (command, *more.get(command, []), "--preset", "istio")

    alone = invoke(*arguments)
    assert alone.exit_code == 2
    assert "add --prometheus with its address" in alone.output

    file = tmp_path / "vistio.yaml"
    file.write_text("{}")
    both = invoke(*arguments, "--prometheus", URL, "--config", file)
    assert both.exit_code == 2
    assert "keep one" in both.output

    nowhere = invoke(*arguments, "--prometheus", "prometheus:9090")
    assert nowhere.exit_code == 2
    assert "--prometheus: found 'prometheus:9090'; write the address" in nowhere.output
    assert not (tmp_path / "r").exists()


def test_the_server_of_the_command_line_takes_the_place_of_the_files_own(tmp_path: Path) -> None:
    file = tmp_path / "vistio.yaml"
    file.write_text(
        "prometheusURL: http://127.0.0.1:1\n"
        "clusterLevel:\n"
        "- cluster: mesh\n"
        "  serviceConnections:\n"
        "  - {query: up, source: {label: a}, target: {label: b}}\n"
        "  - {query: up, source: {label: a}, target: {label: b}, prometheusURL: 'http://127.0.0.1:2'}\n"
    )
    asked = [rule.prometheus_url for _, rule in load(file, prometheus_url=URL).rules()]
    assert asked == [URL, "http://127.0.0.1:2"]
    result = invoke("check", "--config", file, "--prometheus", URL, "--timeout", "2s")
    assert result.exit_code == 1
    assert "127.0.0.1:9" in result.output
    assert "127.0.0.1:1:" not in result.output


def test_the_page_tells_of_each_preset() -> None:
    page = (ROOT / "docs" / "presets.md").read_text()
    assert re.findall(r"^## `(\S+)`", page, re.MULTILINE) == sorted(presets.names())
