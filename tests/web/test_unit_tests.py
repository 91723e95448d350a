"""The web UI's own tests and types, run by its own tools (``nox -s web`` runs them alone)."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import npm


@pytest.mark.timeout(300)
def test_the_types_and_unit_tests_of_the_web_ui_pass(node_modules: Path, scratch_web: Path) -> None:
    (scratch_web / "node_modules").symlink_to(node_modules)
    command = npm.command()
    assert command is not None
    npm.run(command, "run", "types", folder=scratch_web)
    npm.run(command, "test", folder=scratch_web)
