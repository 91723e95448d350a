"""How rates are encoded follows from the rates; what is read does not."""

from __future__ import annotations

import random
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from support.scrapes import INTERVAL_MS, START_MS, edges, mesh, scrape

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
    [(2, "RLE_DICTIONARY", "BYTE_STREAM_SPLIT"), (3, "PLAIN", "RLE_DICTIONARY")],
)
@pytest.mark.parametrize("seal", [False, True], ids=["head", "sealed"])
def test_rates_that_repeat_have_a_dictionary_and_others_are_plain(
    tmp_path: Path, different: int, has: str, has_not: str, seal: bool
) -> None:
    recording = Recording.open(tmp_path, create=True, clock=lambda: START_MS + 2 * HOUR_MS)
    rates = {
        instant_ms: {
            f"a>{index} 200": 1 / (1 + (index + instant_ms // INTERVAL_MS * 5) % different)
            for index in range(8)
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


def test_two_ends_that_say_the_same_take_little_more_than_one(tmp_path: Path) -> None:
    """What both ends of an edge report is kept twice, and costs once: rates with random mantissas, the worst case."""
    choose = random.Random(7)
    rates = [{f"a>{edge} 200": choose.random() for edge in range(300)} for _ in range(20)]
    sizes = []
    for rules in (["caller"], ["caller", "called"]):
        place = tmp_path / str(len(rules))
        recording = Recording.open(place, create=True, clock=lambda: START_MS + 2 * HOUR_MS)
        with recording.writer() as writer:
            writer.put_configuration(mesh())
            for index, of in enumerate(rates):
                samples = [sample for rule in rules for sample in edges(of, rule)]
                writer.commit(scrape(START_MS + index * INTERVAL_MS, samples))
            writer.seal(START_MS + 2 * HOUR_MS)
        sizes.append(recording.info().log_bytes)
    one, two = sizes
    assert two < 1.1 * one
