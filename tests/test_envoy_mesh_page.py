"""docs/envoy-mesh.md says what `examples/envoy-mesh/mesh.py` can do: no more and no less."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "envoy-mesh.md").read_text()


def help_of(*command: str) -> str:
    line = [sys.executable, "examples/envoy-mesh/mesh.py", *command, "--help"]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def commands_of(*group: str) -> list[str]:
    _, _, commands = help_of(*group).partition("Commands:\n")
    return re.findall(r"^  (\w+) ", commands, re.MULTILINE)


def table_under(first_cell: str) -> list[str]:
    """The first cells of the rows of a table, without what is not code."""
    _, _, rows = PAGE.partition(f"| {first_cell} |")
    rows, _, _ = rows.partition("\n\n")
    return re.findall(r"^\| `([^`]+)`", rows, re.MULTILINE)


def test_every_command_stands_on_the_page() -> None:
    told = set(re.findall(r"^python examples/envoy-mesh/mesh\.py (\w+)", PAGE, re.MULTILINE))
    assert told | {"down"} == set(commands_of())
    assert "`down`" in PAGE


def test_everything_that_can_be_broken_stands_on_the_page() -> None:
    examples = table_under("`break`")
    assert sorted(example.split()[0] for example in examples) == sorted(commands_of("break"))


@pytest.mark.parametrize("kind", ["abort", "delay", "cpu", "network", "cut", "kill"])
@pytest.mark.slow
def test_the_options_of_each_stand_on_the_page(kind: str) -> None:
    (example,) = [example for example in table_under("`break`") if example.split()[0] == kind]
    known = set(re.findall(r"--\w+", help_of("break", kind))) - {"--directory", "--verbose", "--help"}
    assert set(re.findall(r"--\w+", example)) == known


def test_the_options_of_up_stand_on_the_page() -> None:
    known = set(re.findall(r"^  (--[\w-]+)", help_of("up"), re.MULTILINE))
    assert set(table_under("option of `up`")) == known
