"""docs/operation.md and examples/deploy say what the recorder does: no more and no less."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from prometheus_client import generate_latest
from support.processes import console_script

from vistio_record import cli as record_cli
from vistio_record.application import Application
from vistio_record.metrics import Metrics
from vistio_serve import cli as serve_cli

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "operation.md").read_text()


def exposed() -> set[str]:
    """The names of all of the recorder's own metrics, with the suffix that Prometheus sees."""
    text = generate_latest(Metrics(lambda: 0).registry).decode()
    kinds = dict(re.findall(r"^# TYPE (vistio_record_\w+) (\w+)$", text, re.MULTILINE))
    return {name for name in kinds if not name.endswith("_created")}


def test_every_metric_is_documented_and_every_documented_one_is_there() -> None:
    documented = set(re.findall(r"`(vistio_record_\w+)", PAGE))
    assert documented == exposed()


def test_every_route_of_the_port_is_documented() -> None:
    answered = lambda *_: None  # noqa: E731
    routes = Application(Metrics(lambda: 0), answered, 60, answered)._routes  # type: ignore[arg-type, return-value]
    documented = set(re.findall(r"^\| `((?:GET|POST) /\S+)`", PAGE, re.MULTILINE))
    assert documented == {f"{route.methods[0]} {path}" for path, route in routes.items()}


def test_every_command_and_option_is_documented() -> None:
    pages = PAGE + (ROOT / "docs" / "recording.md").read_text()
    for name, command in record_cli.main.commands.items():
        assert f"`{name}`" in pages, name
        for parameter in command.params:
            if isinstance(parameter, click.Option) and "-v" not in parameter.opts:
                assert re.search(rf"`{parameter.opts[0]}\b", pages), f"{name} {parameter.opts[0]}"


DEPLOY = ROOT / "examples" / "deploy"
UNITS = sorted(DEPLOY.glob("*.service"))
ALERTS = DEPLOY / "alerts.yaml"
needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="no promtool on PATH: it comes with Debian's package prometheus"
)


def run(*command: object) -> str:
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def alerts() -> dict[str, dict[str, Any]]:
    (group,) = yaml.safe_load(ALERTS.read_text())["groups"]
    return {rule["alert"]: rule for rule in group["rules"]}


def test_alerts_ask_for_metrics_that_there_are_and_say_what_to_do() -> None:
    counted = {f"{name}_{part}" for name in exposed() for part in ("bucket", "count", "sum")}
    for name, rule in alerts().items():
        asked = set(re.findall(r"vistio_record_\w+", rule["expr"]))
        assert asked <= exposed() | counted, name
        assert set(rule["annotations"]) == {"summary", "description"}, name
        named = set(re.findall(r"vistio_record_\w+", rule["annotations"]["description"]))
        assert named <= exposed(), name
        assert f"`{name}`" in PAGE, name


@needs_promtool
def test_prometheus_accepts_the_alerts() -> None:
    assert f"SUCCESS: {len(alerts())} rules found" in run("promtool", "check", "rules", ALERTS)


@needs_promtool
def test_prometheus_finds_nothing_to_say_about_the_metrics() -> None:
    text = generate_latest(Metrics(lambda: 0).registry)
    done = subprocess.run(
        ["promtool", "check", "metrics"], input=text, capture_output=True, timeout=120, check=False
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, b"")


UP = 'up{job="vistio-record", instance="a"}'
INTERVAL = 'vistio_record_interval_seconds{instance="a"}'


def metric(name: str, **labels: str) -> str:
    pairs = ", ".join(f'{key}="{value}"' for key, value in {"instance": "a", **labels}.items())
    return f"vistio_record_{name}{{{pairs}}}"


FAILURES = metric("rule_failures_total", cluster="mesh", rule="http", outcome="timeout")

# Alert, series (Prometheus' notation, one value a minute), and whether it fires after three hours.
EVENTS: list[tuple[str, dict[str, str], bool]] = [
    ("VistioRecorderDown", {UP: "1x180"}, False),
    ("VistioRecorderDown", {UP: "1x150 0x30"}, True),
    ("VistioRecorderDown", {}, True),
    ("VistioRecordingLags", {metric("lag_seconds"): "12x180", INTERVAL: "10x180"}, False),
    ("VistioRecordingLags", {metric("lag_seconds"): "120x180", INTERVAL: "10x180"}, False),
    ("VistioRecordingLags", {metric("lag_seconds"): "121x180", INTERVAL: "10x180"}, True),
    ("VistioRecordingLags", {metric("lag_seconds"): "121x180", INTERVAL: "60x180"}, False),
    ("VistioRecordingLags", {metric("lag_seconds"): "361x180", INTERVAL: "60x180"}, True),
    ("VistioRecordingLags", {metric("lag_seconds"): " ".join(["NaN"] * 180), INTERVAL: "10x180"}, False),
    ("VistioNeverRecorded", {metric("last_success_timestamp_seconds"): "0x180"}, True),
    ("VistioNeverRecorded", {metric("last_success_timestamp_seconds"): "1763899200x180"}, False),
    ("VistioScrapesLost", {metric("scrapes_total", outcome="lost"): "7x180"}, False),
    ("VistioScrapesLost", {metric("scrapes_total", outcome="lost"): "7x175 8x5"}, True),
    ("VistioScrapesLost", {metric("scrapes_total", outcome="committed"): "0+6x180"}, False),
    ("VistioSourceCrashes", {metric("scrapes_total", outcome="crashed"): "0x175 1x5"}, True),
    ("VistioRulesFail", {FAILURES: "5x180", INTERVAL: "10x180"}, False),
    ("VistioRulesFail", {FAILURES: "0+2x180", INTERVAL: "10x180"}, False),  # a third
    ("VistioRulesFail", {FAILURES: "0+4x180", INTERVAL: "10x180"}, True),  # two thirds
    ("VistioRulesFail", {FAILURES: "0+1x180", INTERVAL: "60x180"}, True),  # all of them
    ("VistioScrapesSlow", {metric("scrapes_total", outcome="skipped"): "0x170 3x10"}, False),
    ("VistioScrapesSlow", {metric("scrapes_total", outcome="skipped"): "0x170 9x10"}, True),
    ("VistioGaps", {metric("gap_seconds", window="24h"): "900x180"}, False),
    ("VistioGaps", {metric("gap_seconds", window="24h"): "901x180"}, True),
    ("VistioGaps", {metric("gap_seconds", window="24h"): "0x100 901x80"}, False),  # it may still heal
    ("VistioHeadGrows", {metric("head_files"): "500x180"}, False),
    ("VistioHeadGrows", {metric("head_files"): "501x180"}, True),
    ("VistioConfigurationRefused", {metric("config_last_reload_successful"): "1x180"}, False),
    ("VistioConfigurationRefused", {metric("config_last_reload_successful"): "1x170 0x10"}, True),
]


@needs_promtool
@pytest.mark.slow
def test_alerts_fire_when_they_should_and_not_before(tmp_path: Path) -> None:
    assert {name for name, _, fires in EVENTS if fires} == set(alerts())
    tests = []
    for name, series, fires in EVENTS:
        firing = {key: values for key, values in series.items() if key not in (UP, INTERVAL)}
        labels = dict(re.findall(r'(\w+)="([^"]*)"', next(iter(firing), "")))
        if name == "VistioRulesFail":
            del labels["outcome"]
        expected = [{"exp_labels": {**labels, **alerts()[name]["labels"]}}] if fires else []
        tests.append(
            {
                "interval": "1m",
                "input_series": [{"series": key, "values": values} for key, values in series.items()],
                "alert_rule_test": [{"eval_time": "3h", "alertname": name, "exp_alerts": expected}],
            }
        )
    # promtool compares the texts too; what they say is tested above.
    silent = yaml.safe_load(ALERTS.read_text())
    for rule in silent["groups"][0]["rules"]:
        del rule["annotations"]
    (tmp_path / "alerts.yaml").write_text(yaml.safe_dump(silent))
    file = tmp_path / "tests.yaml"
    file.write_text(yaml.safe_dump({"rule_files": ["alerts.yaml"], "tests": tests}))
    assert "SUCCESS" in run("promtool", "test", "rules", file)


@pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="no systemd-analyze on PATH: it comes with systemd"
)
@pytest.mark.parametrize("unit", UNITS, ids=[unit.name for unit in UNITS])
def test_systemd_accepts_the_units_and_finds_them_hardened(unit: Path, tmp_path: Path) -> None:
    text = unit.read_text()
    (command,) = re.findall(r"^ExecStart=(\S+)", text, re.MULTILINE)
    # It looks whether the program is there; where it is differs from machine to machine.
    copy = tmp_path / unit.name
    copy.write_text(text.replace(command, console_script(Path(command).name)))
    said = run("systemd-analyze", "verify", copy)
    assert unit.name not in said, said
    security = run("systemd-analyze", "security", "--offline=true", "--threshold=20", copy)
    assert "OK" in security.splitlines()[-1]


@pytest.mark.parametrize("unit", UNITS, ids=[unit.name for unit in UNITS])
def test_the_command_of_a_unit_has_options_that_there_are(unit: Path) -> None:
    (line,) = re.findall(r"^ExecStart=(.*)$", unit.read_text(), re.MULTILINE)
    program, *arguments = line.split()
    group = {"vistio-record": record_cli.main, "vistio-serve": serve_cli.main}[Path(program).name]
    command: click.Command = group
    if isinstance(group, click.Group) and arguments[0] in group.commands:
        command = group.commands[arguments.pop(0)]
    options = {name for parameter in command.params for name in parameter.opts}
    assert {argument for argument in arguments if argument.startswith("--")} <= options
