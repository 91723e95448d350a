"""What can be said of the Dockerfile without building it. `nox -s images` builds and runs it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import click
import pytest

from vistio_record import cli as record_cli
from vistio_serve import cli as serve_cli

ROOT = Path(__file__).parents[1]
DOCKERFILE = (ROOT / "Dockerfile").read_text()


@pytest.mark.parametrize(("program", "group"), [("RECORD", record_cli.main), ("SERVE", serve_cli.main)])
def test_every_command_finds_the_recording_by_itself(program: str, group: click.Group) -> None:
    commands = {"": group, **group.commands} if program == "SERVE" else group.commands
    for name, command in commands.items():
        if name == "demo" or not any("--recording" in parameter.opts for parameter in command.params):
            continue  # the demo keeps nothing unless it is told to
        variable = "_".join(filter(None, ("VISTIO", program, name.upper().replace("-", "_"), "RECORDING")))
        assert f" {variable}=/vistio/recording " in DOCKERFILE, f"ENV {variable}"


def test_its_version_is_the_projects() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert re.findall(r"^ARG VERSION=(\S+)$", DOCKERFILE, re.MULTILINE) == [version]
    chart = (ROOT / "examples" / "deploy" / "helm" / "vistio" / "Chart.yaml").read_text()
    assert re.findall(r"^(?:appV|v)ersion: (\S+)$", chart, re.MULTILINE) == [version, version]


def test_the_context_has_what_is_copied_into_the_build() -> None:
    """.dockerignore leaves everything out but what it names: all of that is there."""
    named = re.findall(r"^!(\S+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE)
    assert [name for name in named if not (ROOT / name).exists()] in ([], ["wheelhouse"])
