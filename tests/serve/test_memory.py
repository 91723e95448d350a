"""`--memory`: each part that can grow has its limit, and keeps it."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest
from click.testing import CliRunner
from werkzeug.test import Client

import vistio_core as vistio
from vistio_core.errors import UsageError
from vistio_core.replay.duckdb_session import DuckDBSession
from vistio_serve.app import create_app
from vistio_serve.cli import main
from vistio_serve.memory import DEFAULT_BYTES, SMALLEST_BYTES, Memory
from vistio_serve.shared import Shared

MB = 2**20


@pytest.mark.parametrize("total_bytes", [SMALLEST_BYTES, DEFAULT_BYTES, 8_000 * MB])
def test_the_parts_are_not_more_than_the_whole(total_bytes: int) -> None:
    memory = Memory.of(total_bytes)
    assert min(attrs.astuple(memory)) > 2 * MB
    # Windows are kept twice: lists of instants, and the rest.
    kept = sum(attrs.astuple(memory)) + memory.windows_bytes - memory.work_bytes
    assert kept <= memory.work_bytes < total_bytes - 100 * MB


def test_less_than_anything_needs_is_refused_with_what_is_enough(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="give 256MB or more"):
        Memory.of(SMALLEST_BYTES - 1)
    result = CliRunner().invoke(main, ["--recording", str(tmp_path), "--memory", "100MB"])
    assert result.exit_code == 2
    assert "--memory 100MB: give 256MB or more" in result.output


def test_a_cache_keeps_what_was_used_last_within_its_bytes() -> None:
    cache: Shared[str] = Shared(100)
    for name, weight in (("a", 40), ("b", 40), ("a", 40), ("c", 40)):
        cache.get(name, lambda name=name, weight=weight: (name, 60.0, weight))
    how = {name: cache.get(name, lambda: ("again", 60.0, 0))[1] for name in "acb"}
    assert how == {"a": "hit", "c": "hit", "b": "made"}


def test_what_is_larger_than_a_cache_is_answered_and_not_kept() -> None:
    cache: Shared[str] = Shared(100)
    assert [cache.get("a", lambda: ("a", 60.0, 101)) for _ in range(2)] == 2 * [("a", "made")]


def test_a_server_that_may_keep_nothing_answers_the_same(recorded: vistio.Recording, clock) -> None:
    nothing = Client(create_app(recorded, now_ms=clock, memory=Memory(0, 0, 0, 0, 0, 0, 0)))
    usual = Client(create_app(recorded, now_ms=clock))
    for path in ("/graph", "/timeline", "/instants"):
        bodies = [client.get(path).data for client in (nothing, nothing, usual, usual)]
        assert bodies == 4 * bodies[:1]


def test_duckdb_keeps_to_its_share_and_spills_to_the_temporary_directory(
    recorded: vistio.Recording, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    opened = vistio.Recording.open(recorded.place, scan_memory_bytes=64 * MB)
    settings = "select current_setting('memory_limit'), current_setting('temp_directory')"
    ((limit, folder),) = opened.sql(settings).fetchall()
    assert limit == "64.0 MiB"
    assert Path(folder).parent == tmp_path


def test_a_scan_that_needs_more_says_what_to_do() -> None:
    session = DuckDBSession(threads=1, memory_bytes=4 * MB)
    query = "select list(i order by hash(i)) as all_of_them from range(5_000_000) t(i)"
    with pytest.raises(UsageError, match="ask for a shorter window"):
        session.table(query, ())
