"""Shell completion: docs/operation.md's lines work, and know commands, options and presets."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from support.processes import console_script

PAGE = (Path(__file__).parents[2] / "docs" / "operation.md").read_text()
SCRIPTS = Path(console_script("vistio-record")).parent


def run(script: str, shell: str = "bash") -> str:
    done = subprocess.run(
        [shell, "-c", script],
        env={"PATH": f"{SCRIPTS}:/usr/local/bin:/usr/bin:/bin", **paths()},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def paths() -> dict[str, str]:
    """Of a source tree that is tested without being installed."""
    return {"PYTHONPATH": found} if (found := os.environ.get("PYTHONPATH")) else {}


OFFERED = {
    "vistio-record back": "backfill",
    "vistio-record run --retention-": "--retention-size",
    "vistio-record run --preset istio-": "istio-ambient istio-mixer",
    "vistio-record presets show lin": "linkerd",
    "vistio-serve w": "web",
}


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash on PATH")
@pytest.mark.slow
def test_bash_completes_what_is_typed() -> None:
    line = re.search(r"^\| bash \| `(.+)` in", PAGE, re.MULTILINE)
    assert line is not None
    script = [line[1]]
    for words in OFFERED:
        program, *rest = words.split(" ")
        function = f"_{program.replace('-', '_')}_completion"
        script.append(f"COMPREPLY=(); COMP_WORDS=({words}); COMP_CWORD={len(rest)}; {function} {program}")
        script.append('echo "${COMPREPLY[*]}"')
    assert run("\n".join(script)).splitlines() == list(OFFERED.values())


@pytest.mark.parametrize("program", ["record", "serve"])
@pytest.mark.parametrize("shell", ["zsh", "fish"])
@pytest.mark.slow
def test_the_other_shells_have_their_scripts(program: str, shell: str) -> None:
    assert f"_COMPLETE={shell}_source" in PAGE
    told = run(f"_VISTIO_{program.upper()}_COMPLETE={shell}_source vistio-{program}", "sh")
    assert f"{shell}_complete" in told
    assert f"vistio-{program}" in told
