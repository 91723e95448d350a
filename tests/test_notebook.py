"""The example notebook, executed from its first cell to its last; its conclusion must be true."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
import pytest
from nbclient import NotebookClient

from vistio_core.times import parse_instant

if TYPE_CHECKING:
    from support.processes import RunProcess

NOTEBOOK = Path(__file__).parents[1] / "examples" / "incident.ipynb"
ANCHOR = "2025-06-10T15:00:00Z"

pytestmark = pytest.mark.slow


@pytest.fixture
def own_directories(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """IPython, Jupyter and matplotlib write below the test's directory, not into a home."""
    jupyter = ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR")
    for name in ("IPYTHONDIR", "MPLCONFIGDIR", *jupyter):
        directory = tmp_path / name.lower()
        directory.mkdir()
        monkeypatch.setenv(name, str(directory))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.delenv("VISTIO_RECORDING", raising=False)


def conclusion_of(directory: Path) -> dict[str, Any]:
    """Executes the notebook in ``directory``; what its last cell prints."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    resources = {"metadata": {"path": str(directory)}}
    NotebookClient(notebook, timeout=120, kernel_name="python3", resources=resources).execute()
    outputs = notebook.cells[-1].outputs
    conclusion: dict[str, Any] = json.loads("".join(output.text for output in outputs))
    return conclusion


@pytest.mark.usefixtures("own_directories")
def test_the_notebook_finds_the_incident_of_a_given_recording(
    run_process: RunProcess, recording_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = ("--source", "simulator", "--source-option", f"anchor={ANCHOR}")
    window = ("--start", "2025-06-10T14:00:00Z", "--end", ANCHOR)
    run_process("vistio-record", "backfill", *source, "--recording", recording_dir, *window).wait(
        timeout_s=120
    )
    monkeypatch.setenv("VISTIO_RECORDING", str(recording_dir))

    conclusion = conclusion_of(tmp_path)

    assert conclusion["began_at"] == "eu-west/mongodb"
    path = conclusion["path"]
    assert path[0] == "ratings > mongodb"
    assert {*path[1:3]} == {"reviews-v2 > ratings", "reviews-v3 > ratings"}
    assert {*path[3:5]} == {"productpage > reviews-v2", "productpage > reviews-v3"}
    assert path[5:] == ["gateway > productpage", "INTERNET > gateway"]
    assert conclusion["clusters"] == ["eu-west"]
    first_ms = parse_instant(conclusion["first"], now_ms=0)
    assert 0 <= first_ms - parse_instant("2025-06-10T14:25:00Z", now_ms=0) < 60_000
    assert 60 <= conclusion["pool_full_before_first_errors_s"] <= 180
    assert 4 * 60 < conclusion["reached_users_after_s"] < 8 * 60
    assert 13 * 60 < conclusion["lasted_s"] < 16 * 60
    assert conclusion["most_retried"] == "ratings > mongodb"
    assert conclusion["not_running_s"] == 180
    assert conclusion["not_answered"] == ["us-east/grpc"]


@pytest.mark.usefixtures("own_directories")
def test_the_notebook_records_the_demos_hour_when_no_recording_is_given(tmp_path: Path) -> None:
    conclusion = conclusion_of(tmp_path)
    assert conclusion["began_at"] == "eu-west/mongodb"
    assert conclusion["path"][-1] == "INTERNET > gateway"
    assert conclusion["not_running_s"] == 180


def test_the_notebook_is_kept_without_outputs() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(not cell.outputs and cell.execution_count is None for cell in code)
