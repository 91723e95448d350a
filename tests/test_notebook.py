"""The example notebooks, executed from their first cells to their last: conclusions must be true, pictures be there."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
import pytest
from nbclient import NotebookClient

from vistio_core.times import parse_instant

if TYPE_CHECKING:
    from support.processes import RunProcess

EXAMPLES = Path(__file__).parents[1] / "examples"
INCIDENT = EXAMPLES / "incident.ipynb"
NOTEBOOKS = sorted(EXAMPLES.glob("*.ipynb"))
ANCHOR = "2025-06-10T15:00:00Z"

slow = pytest.mark.slow


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


def code_of(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def executed(file: Path, directory: Path) -> list[Any]:
    """The code cells of a notebook that was executed in ``directory``, by a kernel of its own."""
    notebook = nbformat.read(file, as_version=4)
    resources = {"metadata": {"path": str(directory)}}
    NotebookClient(notebook, timeout=120, kernel_name="python3", resources=resources).execute()
    said = [
        o
        for cell in code_of(notebook)
        for o in cell.outputs
        if o.output_type == "stream" and o.name == "stderr"
    ]
    assert [o.text for o in said if "Warning" in o.text] == []
    return code_of(notebook)


def conclusion_of(cells: list[Any]) -> dict[str, Any]:
    """What the last cell prints."""
    conclusion: dict[str, Any] = json.loads("".join(output.text for output in cells[-1].outputs))
    return conclusion


def shown_by(cells: list[Any], kind: str) -> list[str]:
    """Everything of a type that the cells show."""
    return [output.data[kind] for cell in cells for output in cell.outputs if kind in output.get("data", {})]


def after_s(conclusion: dict[str, Any], name: str, anchor: str) -> float:
    """How long before the anchor's hour is over, negative, something was."""
    return (parse_instant(conclusion[name], now_ms=0) - parse_instant(anchor, now_ms=0)) / 1000


@slow
@pytest.mark.usefixtures("own_directories")
def test_the_incident_notebook_finds_the_cause_in_a_given_recording(
    run_process: RunProcess, recording_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = ("--source", "simulator", "--source-option", f"anchor={ANCHOR}")
    window = ("--start", "2025-06-10T14:00:00Z", "--end", ANCHOR)
    run_process("vistio-record", "backfill", *source, "--recording", recording_dir, *window).wait(
        timeout_s=120
    )
    monkeypatch.setenv("VISTIO_RECORDING", str(recording_dir))

    cells = executed(INCIDENT, tmp_path)

    conclusion = conclusion_of(cells)
    assert conclusion["cause"] == "mongodb"
    # The pool is full three minutes before calls fail, 35 minutes before the hour is over.
    assert -38 * 60 <= after_s(conclusion, "noticed", ANCHOR) <= -37 * 60
    assert -38 * 60 <= after_s(conclusion, "pool_full", ANCHOR) <= -36 * 60
    assert -35 * 60 <= after_s(conclusion, "calls_fail", ANCHOR) <= -34 * 60
    assert -22 * 60 <= after_s(conclusion, "over", ANCHOR) <= -20 * 60
    assert conclusion["hit"][0] == "mongodb"
    assert {"ratings", "productpage", "gateway"} < {*conclusion["hit"]}
    # Half of its calls fail, and it takes seventy times as long: which of them harms more is the ranking's own affair.
    assert re.search(r"its own time, without what it waits for|fail by its own doing", conclusion["evidence"])
    assert conclusion["times_as_many_calls"] > 1.5
    assert conclusion["not_seen"]["not running"] == 18
    assert [each.partition(": P")[0] for each in conclusion["not_seen"]] == [
        "not running",
        "not seen: us-east/grpc",
    ]
    html = shown_by(cells, "text/html")
    assert sum("<svg" in each for each in html) == 2, "the recording's last hour, and the graph"
    assert len(shown_by(cells, "image/png")) == 2
    assert any("fails" in each or "% fail" in each for each in html)
    printed = "".join(output.get("text", "") for cell in cells for output in cell.outputs)
    assert (
        "depend on mongodb: ['INTERNET', 'gateway', 'productpage', 'ratings', 'reviews-v2', 'reviews-v3']"
        in printed
    )


@slow
@pytest.mark.usefixtures("own_directories")
def test_the_incident_notebook_records_the_demos_hour_when_no_recording_is_given(tmp_path: Path) -> None:
    conclusion = conclusion_of(executed(INCIDENT, tmp_path))
    assert conclusion["cause"] == "mongodb"
    assert conclusion["not_seen"]["not running"] == 18


def test_the_incident_notebook_needs_ten_cells_of_ten_lines() -> None:
    cells = code_of(nbformat.read(INCIDENT, as_version=4))
    assert len(cells) == 10
    assert [cell.source for cell in cells if len(cell.source.splitlines()) > 10] == []


@slow
@pytest.mark.usefixtures("own_directories")
def test_the_month_notebook_tells_what_changed_and_what_is_left_of_the_budget(
    run_process: RunProcess, recording_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = run_process(sys.executable, EXAMPLES / "month.py", recording_dir, "--end", "2026-11-01T00:00:00Z")
    made.wait(timeout_s=120)
    monkeypatch.setenv("VISTIO_RECORDING", str(recording_dir))

    cells = executed(EXAMPLES / "month.ipynb", tmp_path)

    conclusion = conclusion_of(cells)
    assert conclusion["growth_from_the_internet"] == pytest.approx(0.24, abs=0.02), "1.2 % a day, three weeks"
    assert conclusion["grew_most"] == ["shop", "search", "index"]
    assert sorted(conclusion["new"]) == ["checkout > fraud-check", "web > recommend-v2"]
    assert conclusion["gone"] == ["web > recommend-v1"]
    assert 0.1 < conclusion["budget_left"] < 0.3
    assert conclusion["worst_day"] == "2026-10-27T00:00:00+00:00"
    assert "search" in conclusion["failed_most"]
    assert conclusion["alerts"]["5 %"] == ["payment"]
    assert sorted(conclusion["alerts"]["1 %"]) == ["index", "payment", "search", "web", "web"]
    assert conclusion["hours_not_seen_at_the_entrance"] == 6
    assert conclusion["not_seen"] == {"not running": 6, "not seen: shop/http: no answer within 8 s": 6}
    assert len(shown_by(cells, "image/png")) == 2
    assert any("not running" in each for each in shown_by(cells, "text/html"))


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_a_notebook_is_kept_without_outputs(file: Path) -> None:
    cells = code_of(nbformat.read(file, as_version=4))
    assert all(not cell.outputs and cell.execution_count is None for cell in cells)
