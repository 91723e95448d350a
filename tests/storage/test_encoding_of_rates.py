"""How rates are encoded follows from the rates; what is read does not."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from support.scrapes import INTERVAL_MS, START_MS, mesh, scrape

from vistio_core import Recording
from vistio_core.times import HOUR_MS


def encodings(place: Path) -> set[str]:
    """Of the rates of all samples, in all files."""
    found: set[str] = set()
    for file in place.rglob("*.parquet"):
        metadata = pq.read_metadata(file)
        last = metadata.row_group(metadata.num_row_groups - 1)  # samples come last
        columns = [last.column(index) for index in range(last.num_columns)]
        found.update(*(column.encodings for column in columns if column.path_in_schema == "rate"))
    return found


@pytest.mark.parametrize(
    ("different", "has", "has_not"),
    [(2, "RLE_DICTIONARY", "BYTE_STREAM_SPLIT"), (12, "BYTE_STREAM_SPLIT", "RLE_DICTIONARY")],
)
@pytest.mark.parametrize("seal", [False, True], ids=["head", "sealed"])
def test_rates_that_repeat_have_a_dictionary_and_others_are_split(
    tmp_path: Path, different: int, has: str, has_not: str, seal: bool
) -> None:
    recording = Recording.open(tmp_path, create=True, clock=lambda: START_MS + 2 * HOUR_MS)
    rates = {
        instant_ms: {
            f"a>{index} 200": 1 / (1 + (index + instant_ms // INTERVAL_MS * 5) % different)
            for index in range(6)
        }
        for instant_ms in (START_MS, START_MS + INTERVAL_MS)
    }
    with recording.writer() as writer:
        writer.put_configuration(mesh())
        for instant_ms, of in rates.items():
            writer.commit(scrape(instant_ms, of))
        if seal:
            writer.seal(START_MS + HOUR_MS)
    assert has in encodings(tmp_path)
    assert has_not not in encodings(tmp_path)
    query = "select rate from samples order by instant, target"
    expected = [rate for of in rates.values() for rate in of.values()]
    assert [rate for (rate,) in recording.sql(query).fetchall()] == expected
