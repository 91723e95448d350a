"""A recording that is copied while a recorder merges, seals and commits, as docs/operation.md says."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

from click.testing import CliRunner
from support.processes import RunProcess

from vistio_core import Recording
from vistio_record.cli import main


def copy_once(source: str, target: str) -> None:
    """As rsync does: what has gone since it was listed is left out."""

    def copy_file(one: str, other: str) -> None:
        with suppress(FileNotFoundError):
            shutil.copy2(one, other)

    shutil.copytree(
        source,
        target,
        copy_function=copy_file,
        dirs_exist_ok=True,
        ignore=shutil.ignore_patterns(".tmp-*", "locks"),
    )


def test_two_passes_make_a_copy_that_is_whole(
    run_process: RunProcess, recording_dir: Path, tmp_path: Path
) -> None:
    past = ("backfill", "--source", "simulator", "--recording", str(recording_dir))
    assert CliRunner().invoke(main, [*past, "--start", "-70m", "--end", "-10m"]).exit_code == 0
    copy = tmp_path / "copy"
    before = Recording.open(recording_dir).instants()["instant"].to_pylist()
    process = run_process(
        *("vistio-record", "run", "--source", "simulator", "--recording", recording_dir, "--port", "0"),
        *("--interval", "200ms", "--timeout", "200ms", "--delay", "0s"),
    )
    process.wait_for_line(r"recorder\.started")
    copy_once(str(recording_dir), str(copy))  # housekeeping begins with the recorder: it merges now
    process.wait_for_line(r"head\.merged")
    copy_once(str(recording_dir), str(copy))
    process.terminate()
    copied = Recording.open(copy).instants()["instant"].to_pylist()
    assert len(set(copied)) == len(copied)
    assert set(before) <= set(copied)
    assert [file.problems for file in Recording.open(copy).verify() if file.problems] == []
    at = before[len(before) // 2]
    assert Recording.open(copy).graph(at) == Recording.open(recording_dir).graph(at)
