"""Wrong files as a user makes them, by every way in: each error at once, with its line and its remedy."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner
from support.strangers import EVERY_STRANGER, said_of

from vistio_record.cli import main
from vistio_record.metrics import Metrics
from vistio_record.options import Rules, build_source
from vistio_record.reload import Recipe, Reloader, ReloadOutcome
from vistio_record.sources.base import Source

GOOD = """\
globalLevel:
  maxVolume: 100
  clusterConnections:
    - query: sum(rate(requests_total[1m])) by (code)
      prometheusURL: http://127.0.0.1:9
      source: {replacement: INTERNET}
      target: {replacement: mesh}
clusterLevel:
  - cluster: mesh
    maxVolume: 100
    serviceConnections:
      - name: http
        query: sum(rate(requests_total[1m])) by (source, target, code)
        prometheusURL: http://127.0.0.1:9
        source: {label: source}
        target: {label: target}
        status: {label: code, warningRegex: "^4..$", dangerRegex: "^5..$"}
"""


def changed(*replacements: tuple[str, str]) -> str:
    text = GOOD
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new)
    return text


# The name of the mistake, the file, and the lines of what is wrong; None for the file as a whole.
WRONG: list[tuple[str, str | bytes, list[int | None]]] = [
    ("empty", "", [None]),
    ("only a comment", "# later\n", [None]),
    ("brackets never closed", "globalLevel: [\n  {query: x\n", [3]),
    ("a tab", "globalLevel:\n\tmaxVolume: 3\n", [2]),
    ("quotes never closed", 'graphName: "mesh\nglobalLevel: {}\n', [3]),
    ("a colon in a text", "globalLevel:\n  clusterConnections:\n    - query: a: b\n", [3]),
    ("an indentation that is off", "globalLevel:\n  maxVolume: 1\n clusterConnections: []\n", [3]),
    ("JSON with a comma too many", '{"globalLevel": {"maxVolume": 1,,}}', [1]),
    ("a list", "- a\n- b\n", [1]),
    ("a text", "hello\n", [1]),
    ("a picture", b"\x89PNG\r\n\x1a\n\x00\x00", [1]),
    ("Latin-1", "graphName: x\ngraphName: café\n".encode("latin-1"), [2]),
    ("a Kubernetes manifest", "apiVersion: v1\nkind: ConfigMap\ndata: {vistio.yaml: x}\n", [1]),
    ("Helm values", "vistioConfig:\n  globalLevel: {}\n", [1]),
    ("a Go template", changed(("http://127.0.0.1:9", "{{ .Values.prometheus }}")), [5, 5, 14, 14]),
    ("an undefined alias", "globalLevel: *common\n", [1]),
    ("a key twice", changed(("  maxVolume: 100\n  cl", "  maxVolume: 100\n  maxVolume: 200\n  cl")), [3]),
    ("a cluster twice", GOOD + "  - cluster: mesh\n", [18]),
    ("URLs without a scheme", changed(("http://127.0.0.1:9", "127.0.0.1:9090")), [5, 14]),
    ("a port that is none", changed(("http://127.0.0.1:9", "http://prometheus:99999")), [5, 14]),
    ("a list for a mapping", changed(("{label: source}", "[source]")), [15]),
    ("a mapping for a list", changed(("    - query", "      query")), [4]),
    ("volumes below zero", changed(("maxVolume: 100", "maxVolume: -1")), [2, 10]),
    ("regular expressions that RE2 has not", changed(("^4..$", "^4(?=0)"), ("^5..$", "(5")), [17, 17]),
    ("keys that are missing", "clusterLevel:\n  - serviceConnections:\n      - name: x\n", [2, 3, 3, 3, 3]),
    (
        "something of everything",
        changed(
            ("{replacement: INTERNET}", "{}"), ("cluster: mesh", "cluster: ''"), ("{label: target}", "7")
        ),
        [6, 9, 16],
    ),
]
NAMES = [name for name, _, _ in WRONG]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "vistio.yaml"


def write(file: Path, content: str | bytes) -> None:
    file.write_bytes(content.encode() if isinstance(content, str) else content)


def told(output: str, file: Path) -> list[tuple[int | None, str]]:
    """Line and message of every problem in a command's or a reload's answer."""
    problem = re.compile(rf"^(?:Error: )?{re.escape(str(file))}(?::(\d+))?: (.*)$", re.MULTILINE)
    return [(int(line) if line else None, message) for line, message in problem.findall(output)]


def assert_tells(output: str, file: Path, lines: list[int | None]) -> None:
    found = told(output, file)
    assert [line for line, _ in found] == lines, output
    for _, message in found:
        assert re.search(r"; \w.{8}", message), f"without a remedy: {message}"
    assert "Traceback" not in output


@pytest.mark.parametrize(("name", "content", "lines"), WRONG, ids=NAMES)
@pytest.mark.parametrize("command", ["check", "run", "backfill"])
def test_a_command_refuses_a_wrong_file_and_leaves_nothing(
    file: Path, command: str, name: str, content: str | bytes, lines: list[int | None]
) -> None:
    write(file, content)
    recording = file.with_name("recording")
    more = {
        "check": [],
        "run": ["--recording", str(recording), "--port", "0"],
        "backfill": ["--recording", str(recording), "--start", "-1h"],
    }
    result = CliRunner().invoke(main, [command, "--config", str(file), *more[command]])
    assert result.exit_code == 1
    assert_tells(result.output, file, lines)
    assert not recording.exists()


@pytest.mark.parametrize("option", ["--config", "--http-config"])
@pytest.mark.parametrize("command", ["check", "run", "backfill"])
@pytest.mark.parametrize("make", EVERY_STRANGER)
def test_a_command_refuses_what_is_no_file_and_waits_for_nobody(
    file: Path, command: str, option: str, make: Callable[[Path], None]
) -> None:
    file.write_text(GOOD)
    stranger = file.parent / "folder" / "stranger"
    stranger.parent.mkdir()
    make(stranger)
    recording = file.with_name("recording")
    more = {
        "check": [],
        "run": ["--recording", str(recording), "--port", "0"],
        "backfill": ["--recording", str(recording), "--start", "-1h"],
    }
    config = [] if option == "--config" else ["--config", str(file)]
    result = CliRunner().invoke(main, [command, option, str(stranger), *config, *more[command]])
    if "directory" in EVERY_STRANGER[make]:  # click has said so
        assert result.exit_code == 2
    else:
        assert result.exit_code == 1
        assert f"{said_of(make)}; give another one with {option}" in result.output
    assert not recording.exists()


@pytest.mark.parametrize("make", EVERY_STRANGER)
def test_a_reload_outlives_what_is_no_file(file: Path, make: Callable[[Path], None]) -> None:
    file = file.parent / "folder" / "vistio.yaml"
    file.parent.mkdir()
    file.write_text(GOOD)
    recipe = Recipe.now(partial(build_source, "prometheus", Rules(file), ()), (file,))
    replaced: list[Source] = []
    reloader = Reloader(recipe, replaced.append, Metrics(lambda: 0))
    file.unlink()
    make(file)
    for _ in range(3):
        reloader.look()
    refused = reloader.reload("test")
    assert refused.outcome is ReloadOutcome.REFUSED
    assert said_of(make) in refused.message
    file.rename(file.with_name("away"))
    file.write_text(GOOD + "# new\n")
    assert reloader.reload("test").outcome is ReloadOutcome.RELOADED
    replaced[0].close()


@pytest.mark.parametrize(("name", "content", "lines"), WRONG, ids=NAMES)
def test_a_reload_refuses_a_wrong_file_and_says_the_same(
    file: Path, name: str, content: str | bytes, lines: list[int | None]
) -> None:
    file.write_text(GOOD)
    recipe = Recipe.now(partial(build_source, "prometheus", Rules(file), ()), (file,))
    reloader = Reloader(recipe, lambda source: pytest.fail("it was taken"), Metrics(lambda: 0))
    write(file, content)
    result = reloader.reload("test")
    assert result.outcome is ReloadOutcome.REFUSED
    assert_tells(result.message, file, lines)
