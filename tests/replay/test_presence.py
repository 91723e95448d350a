"""Which instants were recorded and seen: read off files or rollups, the same as DuckDB finds in the log."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import attrs
import pytest
from support.scrapes import INTERVAL_MS, START_MS, all_failed, mesh, outcomes, scrape

from vistio_core import Recording
from vistio_core.times import HOUR_MS

NOW_MS = START_MS + 3 * HOUR_MS
SECOND_HOUR_MS = START_MS + HOUR_MS


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    """Two writers, of which one fails in part and learns some of it later; the first hour is sealed."""
    recording = Recording.open(tmp_path / "recording", create=True, clock=lambda: NOW_MS)
    for name, step in (("eu", 1), ("us", 2)):
        with recording.writer(name) as writer:
            writer.put_configuration(mesh())
            for hour_ms in (START_MS, SECOND_HOUR_MS):
                for index in range(0, 8, step):
                    failing = {3: {"http": "failed"}, 4: all_failed(), 6: all_failed()}.get(index, {})
                    writer.commit(scrape(hour_ms + index * INTERVAL_MS, **failing))
                for later in ({"http": "timeout"}, {}):
                    known = [each for each in outcomes(**later) if each.rule != "saturation"]
                    whole = scrape(hour_ms + 4 * INTERVAL_MS, backfilled=True)
                    if not later:
                        known = [each for each in known if each.rule == "http"]
                    writer.supplement(attrs.evolve(whole, outcomes=tuple(known)))
            writer.seal(SECOND_HOUR_MS)
    return recording


@pytest.mark.parametrize(
    ("start_ms", "end_ms"),
    [
        (0, NOW_MS),
        (START_MS + 4 * INTERVAL_MS, START_MS + 4 * INTERVAL_MS + 1),  # in it one instant
        (START_MS + 4 * INTERVAL_MS + 1, START_MS + 6 * INTERVAL_MS),  # after one, before the next but one
        (SECOND_HOUR_MS + INTERVAL_MS, SECOND_HOUR_MS + 5 * INTERVAL_MS),
        (SECOND_HOUR_MS - 1, SECOND_HOUR_MS),  # nothing
    ],
)
def test_presence_is_what_instants_tell(recording: Recording, start_ms: int, end_ms: int) -> None:
    wanted = recording.instants(start_ms, end_ms)
    for _ in ("from rollups", "from the log"):
        found = recording.presence(start_ms, end_ms)
        assert found.to_pylist() == wanted.select(found.column_names).to_pylist()
        assert found.schema.types == wanted.select(found.column_names).schema.types
        for path in Path(recording.place).glob("rollups/date=*/hour=*/*.arrow"):
            path.unlink()


def test_presence_tells_the_first_failure_that_is_left(recording: Recording) -> None:
    own = [row for row in recording.presence(START_MS, SECOND_HOUR_MS).to_pylist() if row["writer"] == "eu"]
    assert [row["seen"] for row in own] == [True, True, True, True, True, True, False, True]
    assert [row["failure"] for row in own] == [
        *(None, None, None, "failed: http did not answer"),
        "failed: saturation did not answer",  # the others were learned later
        *(None, "failed: ingress did not answer", None),
    ]


_A_RECORDERS_DAY = """
import sys
from pathlib import Path
import vistio_record.cli
from support.scrapes import INTERVAL_MS, START_MS, mesh, scrape
from vistio_core import Recording
from vistio_core.times import HOUR_MS
from vistio_record.measuring import Known, measure_gaps, measure_sizes
from vistio_record.metrics import Metrics

now_ms = START_MS + 2 * HOUR_MS
recording = Recording.open(sys.argv[1], create=True, clock=lambda: now_ms)
with recording.writer() as writer:
    writer.put_configuration(mesh())
    for index in range(40):
        writer.commit(scrape(START_MS + index * INTERVAL_MS, {"a>b 200": 1.0}))
    writer.merge(now_ms)
    assert writer.seal(now_ms)
assert list(Path(sys.argv[1]).glob("rollups/date=*/hour=*/*.subjects"))
metrics = Metrics(lambda: now_ms)
measure_sizes(recording, metrics)
measure_gaps(recording, metrics, "main", Known(running_from_ms=START_MS, retention_ms=0), now_ms)
assert recording.unanswered() == []
assert "duckdb" not in sys.modules
"""

_A_HEALING_RECORDERS_DAY = """
import sys
import attrs
from support.scrapes import START_MS, all_failed, mesh, outcomes, scrape
from vistio_core import Recording
from vistio_core.errors import NothingRecordedError
from vistio_core.times import HOUR_MS

recording = Recording.open(sys.argv[1], create=True, clock=lambda: START_MS + HOUR_MS)
with recording.writer() as writer:
    writer.put_configuration(mesh())
    writer.commit(scrape(START_MS, **all_failed()))
    [unanswered] = recording.unanswered()
    assert len(unanswered.rules) == 3
    try:
        recording.graph(START_MS)
    except NothingRecordedError as error:
        assert "not seen: ingress did not answer" in str(error)
    writer.supplement(attrs.evolve(scrape(START_MS, backfilled=True), outcomes=outcomes()))
assert recording.unanswered() == []
assert recording.graph().instant_ms == START_MS
assert "duckdb" not in sys.modules
"""


@pytest.mark.parametrize("day", [_A_RECORDERS_DAY, _A_HEALING_RECORDERS_DAY], ids=["sees all", "heals"])
@pytest.mark.slow
def test_a_recorder_never_needs_duckdb(tmp_path: Path, day: str) -> None:
    tests = str(Path(__file__).parents[1])
    script = f"import sys; sys.path.insert(0, {tests!r})\n{day}"
    subprocess.run([sys.executable, "-c", script, str(tmp_path / "recording")], check=True, timeout=60)
