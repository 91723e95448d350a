"""``vistio-record doctor``: three sides of each boundary, and a real place and a real Prometheus."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from support.ports import free_port
from support.prometheus import Prometheus

from vistio_record.cli import main
from vistio_record.doctor import GOOD, WARNING, WRONG, judge_clock, judge_descriptors, judge_room


def doctor(exit_code: int, *arguments: object) -> dict[str, dict[str, Any]]:
    """What it found, by what it is about."""
    result = CliRunner().invoke(main, ["doctor", "--json", *map(str, arguments)])
    assert result.exit_code == exit_code, result.output
    return {finding["about"]: finding for finding in json.loads(result.stdout)}


@pytest.mark.parametrize(
    ("free_bytes", "level"),
    [(99_999_999, WRONG), (100_000_000, WARNING), (1_999_999_999, WARNING), (2_000_000_000, GOOD)],
)
def test_little_room_is_warned_of_and_hardly_any_is_wrong(free_bytes: int, level: str) -> None:
    assert judge_room(free_bytes).level == level


@pytest.mark.parametrize(("most", "level"), [(1023, WARNING), (1024, GOOD), (-1, GOOD)])
def test_few_open_files_are_warned_of(most: int, level: str) -> None:
    assert judge_descriptors(most).level == level


@pytest.mark.parametrize(
    ("ahead_s", "unsure_s", "level"),
    [
        (1.0, 0.0, GOOD),
        (-1.1, 0.0, WARNING),
        (1.1, 0.2, GOOD),
        (-10.0, 0.0, WARNING),
        (10.1, 0.0, WRONG),
        (10.1, 0.2, WARNING),
    ],
)
def test_clocks_that_are_apart_are_told_as_far_as_that_is_sure(
    ahead_s: float, unsure_s: float, level: str
) -> None:
    found = judge_clock(ahead_s, unsure_s, "http://prometheus")
    assert found.level == level
    if level != GOOD:
        assert ("ahead" if ahead_s > 0 else "behind") in found.told
        assert "NTP" in found.remedy


def test_a_place_is_tried_and_left_as_it_was(tmp_path: Path) -> None:
    found = doctor(0, "--recording", tmp_path / "later" / "deeper")
    assert found["recording"]["level"] == GOOD
    assert "not there yet" in found["recording"]["told"]
    assert found["disk"]["told"].endswith("GB free")
    assert "vistio 0." in found["versions"]["told"]
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_to_is_wrong_and_says_why() -> None:
    found = doctor(1, "--recording", "/proc/recording")
    assert found["recording"]["level"] == WRONG
    assert "right to write" in found["recording"]["remedy"]
    assert "disk" not in found


def test_a_real_prometheus_is_named_with_its_version_and_its_clock(
    prometheus: Prometheus, tmp_path: Path
) -> None:
    found = doctor(0, "--recording", tmp_path, "--preset", "istio", "--prometheus", prometheus.url)
    assert "answers as version 2." in found["prometheus"]["told"]
    assert found["clock"]["level"] in (GOOD, WARNING), "it is this machine's, however busy that is"


def test_a_server_that_is_not_there_is_wrong_in_words(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    found = doctor(1, "--recording", tmp_path, "--preset", "istio", "--prometheus", url, "--timeout", "5s")
    assert "connection refused" in found["prometheus"]["told"]
    assert "clock" not in found


def test_people_read_a_line_each_and_what_to_do() -> None:
    result = CliRunner().invoke(main, ["doctor", "--recording", "/proc/recording"])
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert lines[0].startswith("good     versions")
    wrong = next(number for number, line in enumerate(lines) if line.startswith("wrong    recording"))
    assert "give user" in lines[wrong + 1]
