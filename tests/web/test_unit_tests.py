"""The web UI's own tests and types, run by its own tools (``nox -s web`` runs them alone)."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest


@pytest.mark.timeout(300)
def test_the_types_and_unit_tests_of_the_web_ui_pass(scratch_web: Path) -> None:
    npm = shutil.which("npm")
    if npm is None or os.environ.get("VISTIO_TEST_NPM") != "1":
        pytest.skip("needs npm, and VISTIO_TEST_NPM=1 to let it fetch the test tools")
    for arguments in (["ci", "--ignore-scripts", "--no-audit", "--no-fund"], ["run", "types"], ["test"]):
        done = subprocess.run(
            [npm, *arguments], cwd=scratch_web, capture_output=True, text=True, check=False, timeout=240
        )
        assert done.returncode == 0, f"npm {' '.join(arguments)}:\n{done.stdout[-6000:]}{done.stderr[-2000:]}"
