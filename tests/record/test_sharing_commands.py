"""`vistio-record export` and `import`, and who reads what they wrote, as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner
from support.processes import RunProcess
from support.recordings import recorded
from support.scrapes import INTERVAL_MS, START_MS, scrape

from vistio_core.times import format_instant
from vistio_record.cli import main

START = format_instant(START_MS)
END = format_instant(START_MS + 30 * INTERVAL_MS)


def invoke(*arguments: object):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def place(tmp_path: Path) -> Path:
    seen = [scrape(START_MS + number * INTERVAL_MS, {"a>b 200": 1.0}) for number in range(30)]
    recorded(tmp_path / "recording", seen)
    return tmp_path / "recording"


@pytest.fixture
def file(place: Path) -> Path:
    path = place.parent / "incident.vistio"
    told = invoke("export", "--recording", place, "--start", START, "--end", END, path)
    assert told.exit_code == 0, told.output
    assert told.stdout.startswith(f"{path}: 30 instants, 0 annotations, ")
    return path


def test_other_commands_read_the_file_by_its_name(file: Path) -> None:
    info = json.loads(invoke("info", "--recording", file, "--json").stdout)
    assert (info["first"], info["writers"]) == (START, ["a"])
    assert info["part"] == {"start": START, "end": END, "since": "2026-11-23T04:55:00.001Z", "clusters": None}
    assert f"{START} to {END} of another recording" in invoke("info", "--recording", file).stdout
    assert "3 files checked, 0 damaged" in invoke("verify", "--recording", file).stdout
    for command in ("incidents", "suspects"):
        assert invoke(command, "--recording", file, "--start", START, "--end", END).exit_code == 0


def test_it_is_added_once(file: Path, tmp_path: Path) -> None:
    first = invoke("import", file, "--recording", tmp_path / "new")
    assert first.stdout.endswith(": 30 instants and 0 annotations added, 0 instants were there already\n")
    again = invoke("import", file, "--recording", tmp_path / "new")
    assert again.stdout.endswith(": 0 instants and 0 annotations added, 30 instants were there already\n")


def test_levels_that_were_left_out_are_told(place: Path, tmp_path: Path) -> None:
    told = invoke(
        "export", "--recording", place, "--start", START, "--end", END, "--node", "b", tmp_path / "x.vistio"
    )
    assert "levels: mesh; of the others the file says that they were not seen" in told.stdout


def test_what_cannot_be_read_or_written_is_one_line(file: Path, place: Path, tmp_path: Path) -> None:
    (tmp_path / "cut.vistio").write_bytes(file.read_bytes()[:500])
    for arguments in (
        ("info", "--recording", tmp_path / "cut.vistio"),
        ("import", tmp_path / "cut.vistio", "--recording", tmp_path / "new"),
        ("import", tmp_path / "missing.vistio", "--recording", tmp_path / "new"),
        ("export", "--recording", place, "--start", START, "--end", END, file),
        ("export", "--recording", place, "--start", START, "--end", END, tmp_path / "nowhere" / "x.vistio"),
    ):
        failed = invoke(*arguments)
        assert failed.exit_code == 1
        assert failed.stderr.startswith("Error: ")
        assert len(failed.stderr.splitlines()) == 1


def test_the_server_serves_it_and_leaves_nothing_behind(
    run_process: RunProcess, file: Path, tmp_path: Path
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    process = run_process("vistio-serve", "--recording", file, "--port", "0", TMPDIR=str(scratch))
    url = process.wait_for_line(r"open (http://\S+/)")[1]
    graph = requests.get(f"{url}graph", params={"at": START}, timeout=10).json()
    assert graph["metadata"]["vistio"]["instant"] == START
    assert len(list(scratch.glob("vistio-unpacked-*"))) == 1
    process.terminate()
    assert list(scratch.glob("vistio-unpacked-*")) == []


def test_a_name_that_is_mistyped_is_no_mount_that_has_gone(place: Path, tmp_path: Path) -> None:
    missing = tmp_path / "incidnet.vistio"
    told = invoke("import", missing, "--recording", tmp_path / "new")
    assert (told.exit_code, told.stderr) == (
        1,
        f"Error: {missing}: there is no such file; look at its name, or ask for it again\n",
    )
    out = tmp_path / "nowhere" / "x.vistio"
    told = invoke("export", "--recording", place, "--start", START, "--end", END, out)
    assert (told.exit_code, told.stderr) == (
        1,
        f"Error: {out}: there is no directory {out.parent}; make it first, or name another file\n",
    )


@pytest.mark.parametrize("format", ["csv", "parquet", "openmetrics"])
def test_other_formats_are_written_whole(place: Path, tmp_path: Path, format: str) -> None:
    asked = ("export", "--recording", place, "--start", START, "--end", END, "--format", format)
    told = invoke(*asked, tmp_path / "edges")
    assert told.stdout.startswith(f"{tmp_path / 'edges'}: 30 instants, 30 rates, ")
    content = (tmp_path / "edges").read_bytes()
    starts = {"csv": b"instant,cluster,", "parquet": b"PAR1", "openmetrics": b"# TYPE vistio_edge_requests"}
    assert content.startswith(starts[format])
    again = invoke(*asked, tmp_path / "edges")
    assert "never overwritten" in again.stderr
    unfit = invoke(*asked, "--node", "b", tmp_path / "other")
    assert (unfit.exit_code, "takes one --cluster at most" in unfit.stderr) == (2, True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["edges", "recording"]
