import pytest

from vistio_core.errors import UsageError
from vistio_core.storage.layout import EventsName, check_writer, hour_folder, hours, parse_events_name
from vistio_core.times import HOUR_MS, parse_instant

T = parse_instant("2026-11-23T05:59:59.999Z", now_ms=0)


def test_a_sealed_name_says_its_partition_its_instants_and_its_writer() -> None:
    name = EventsName(T - 1000, T, "main", sealed=True)
    assert name.text == ("log/date=2026-11-23/hour=05/20261123T055958.999Z_20261123T055959.999Z_main.parquet")


@pytest.mark.parametrize("sealed", [True, False])
def test_every_name_reads_back(sealed: bool) -> None:
    name = EventsName(T - 1000, T, "eu-west-1", sealed)
    assert parse_events_name(name.text) == name


@pytest.mark.parametrize("supplement", [1, 2, 12])
def test_a_supplement_s_name_says_its_number_and_the_writer(supplement: int) -> None:
    name = EventsName(T, T, "eu-west-1", sealed=False, supplement=supplement)
    assert name.text == f"head/20261123T055959.999Z_20261123T055959.999Z_eu-west-1.{supplement}.parquet"
    assert parse_events_name(name.text) == name
    assert name.sequence == ("eu-west-1", supplement)


@pytest.mark.parametrize(
    "foreign",
    [
        "head/notes.txt",
        "head/20261123T055959.999Z_20261123T055959.999Z_main.0.parquet",
        "head/20261123T055959.999Z_20261123T055959.999Z_main.01.parquet",
        "head/20261123T055959.999Z_20261123T055959.999Z_main.x.parquet",
        "head/20261123T055958.999Z_main.parquet",
        "head/20261123T055959.999Z_20261123T055958.999Z_main.parquet",  # ends before it begins
        "head/20261323T055958.999Z_20261323T055958.999Z_main.parquet",  # a thirteenth month
        "log/date=2026-11-23/hour=06/20261123T055958.999Z_20261123T055959.999Z_main.parquet",  # wrong hour
        "head/20261123T055958.999Z_20261123T055959.999Z_MAIN.parquet",
    ],
)
def test_names_that_contradict_themselves_are_foreign(foreign: str) -> None:
    assert parse_events_name(foreign) is None


def test_a_window_overlaps_up_to_and_without_its_end() -> None:
    name = EventsName(1000, 2000, "main", sealed=False)
    assert not name.overlaps(0, 1000)
    assert name.overlaps(0, 1001)
    assert name.overlaps(2000, 2001)
    assert not name.overlaps(2001, 3000)


def test_hours_has_every_hour_that_a_window_touches() -> None:
    assert list(hours(T, T + 1)) == [T - T % HOUR_MS]
    assert len(hours(T, T + 2)) == 2
    assert hour_folder(T + 1) == "log/date=2026-11-23/hour=06"


@pytest.mark.parametrize("writer", ["", "Main", "a/b", "-a", "a-", "a_b", "x" * 64, "ü"])
def test_a_writer_name_that_is_unsafe_in_a_file_name_is_refused(writer: str) -> None:
    with pytest.raises(UsageError, match="use 1 to 63"):
        check_writer(writer)
