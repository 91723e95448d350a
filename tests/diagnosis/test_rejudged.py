"""Which alerts other thresholds would have raised: known answers, through the front door and in the terminal."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path

import pytest
from click.testing import CliRunner
from support.recordings import recorded

from vistio_core import Configuration, Recording, loads
from vistio_core.events import Measurement, Outcome, RuleOutcome, Sample, Scrape
from vistio_core.times import format_instant
from vistio_record.cli import main

START_MS = 1_767_322_800_000
INTERVAL_MS = 10_000
ASKED = "query: q, prometheusURL: 'http://127.0.0.1:9090'"


def text(error: float, queue: float = 50.0) -> str:
    return f"""\
globalLevel: {{}}
clusterLevel:
  - cluster: mesh
    serviceConnections:
      - name: http
        {ASKED.replace(", ", chr(10) + "        ")}
        source: {{label: a, class: service}}
        target: {{label: b, class: service}}
        status: {{label: code, dangerRegex: ^5..$}}
        notices:
          - title: too many errors
            statusType: danger
            severityThreshold: {{warning: {error}, error: 0.5}}
    serviceNotices:
      - name: queue
        title: long queue
        {ASKED.replace(", ", chr(10) + "        ")}
        service: {{label: a, class: service}}
        severityThreshold: {{warning: {queue}}}
classes: [{{name: service, color: blue}}]
"""


THEN = loads(text(0.3))


def scrapes(
    shares: Iterable[float | None], queues: Iterable[float] = (), configuration: Configuration = THEN
) -> list[Scrape]:
    """An instant each 10 s: the share of cart > db that fails, None where the rule was not answered."""
    found, lengths = [], iter(queues)
    for place, share in enumerate(shares):
        samples = [
            Sample("mesh", "http", "cart", "db", "200", 10 * (1 - (share or 0))),
            Sample("mesh", "http", "cart", "db", "500", 10 * (share or 0)),
        ]
        length = next(lengths, 0.0)
        outcomes = (
            RuleOutcome("mesh", "http", Outcome.OK if share is not None else Outcome.TIMEOUT, ""),
            RuleOutcome("mesh", "queue", Outcome.OK, ""),
        )
        measured = (Measurement("mesh", "queue", "db", None, "queue", length),)
        found.append(
            Scrape(
                START_MS + place * INTERVAL_MS,
                INTERVAL_MS,
                configuration.hash,
                outcomes,
                samples if share is not None else [],
                measured,
            )
        )
    return found


def alerts(recording: Recording, error: float | None, queue: float = 50.0) -> list[tuple[object, ...]]:
    """From which step to which, severity and worst."""
    configuration = None if error is None else loads(text(error, queue))
    table = recording.rejudge(configuration, START_MS / 1000, START_MS / 1000 + 7200).table
    step = [
        None if at is None else (round(at.timestamp() * 1000) - START_MS) // INTERVAL_MS
        for name in ("start", "end")
        for at in table[name].to_pylist()
    ]
    half = len(step) // 2
    rest = zip(table["severity"].to_pylist(), table["worst"].to_pylist(), strict=True)
    return [(first, last, *told) for first, last, told in zip(step[:half], step[half:], rest, strict=True)]


def written(tmp_path: Path, *args: Iterable[float | None]) -> Recording:
    return recorded(tmp_path / "r", scrapes(*args), configurations=[THEN])  # type: ignore[arg-type]


def test_other_thresholds_raise_other_alerts(tmp_path: Path) -> None:
    recording = written(tmp_path, [0.0] * 3 + [0.2] * 4 + [0.6] * 2 + [0.0] * 40)
    assert alerts(recording, None) == [(7, 9, "error", 0.6)]
    assert alerts(recording, 0.1) == [(3, 9, "error", 0.6)]
    assert alerts(recording, 0.9) == [(7, 9, "error", 0.6)], "the other threshold is still 0.5"


def test_what_comes_again_within_five_minutes_is_the_same_alert(tmp_path: Path) -> None:
    recording = written(tmp_path, [0.4] + [0.0] * 30 + [0.4] + [0.0] * 31 + [0.4])
    assert alerts(recording, None) == [(0, 32, "warning", 0.4), (63, None, "warning", 0.4)]


def test_what_was_not_seen_resolves_nothing(tmp_path: Path) -> None:
    recording = written(tmp_path, [0.4] + [None] * 100 + [0.4] + [0.0] * 3)
    assert alerts(recording, None) == [(0, 102, "warning", 0.4)]


def test_notices_of_nodes_are_alerts_too(tmp_path: Path) -> None:
    recording = written(tmp_path, [0.0] * 6, [0, 40, 40, 0, 0, 0])
    assert alerts(recording, None) == []
    assert alerts(recording, 0.3, 30.0) == [(1, 3, "warning", 40.0)]


def test_a_week_of_what_was_seen_is_what_it_costs(tmp_path: Path) -> None:
    recording = written(tmp_path, [0.0] * 20 + [0.4] + [0.0] * 15)  # six minutes
    found = recording.rejudge(None, START_MS / 1000, START_MS / 1000 + 7200)
    assert found.alerts_a_week == pytest.approx(7 * 24 * 10)
    empty = recording.rejudge(None, START_MS / 1000 + 7200, START_MS / 1000 + 7300)
    assert (len(empty), empty.alerts_a_week) == (0, None)


HEALTHY, FAILING = 90, 30
END_MS = START_MS + (HEALTHY + FAILING + 60) * INTERVAL_MS


@pytest.fixture(scope="module")
def incident(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A quarter of an hour is well, five minutes are not, ten are again."""
    place = tmp_path_factory.mktemp("incident")
    written(place, [*[0.01] * HEALTHY, *[0.25] * FAILING, *[0.01] * 60])
    return place / "r"


def test_an_incident_is_caught_by_what_began_in_it(incident: Path) -> None:
    recording = Recording.open(incident)
    window = START_MS / 1000, END_MS / 1000
    incidents = recording.incidents(*window)
    assert len(incidents) == 1
    assert recording.rejudge(None, *window).caught(incidents)["first_alert"].to_pylist() == [None]
    caught = recording.rejudge(loads(text(0.1)), *window).caught(incidents)
    assert caught["alerts"].to_pylist() == [1]
    began = round(caught["first_alert"][0].as_py().timestamp() * 1000)
    assert began == START_MS + HEALTHY * INTERVAL_MS


@pytest.mark.slow
def test_in_the_terminal_the_two_stand_side_by_side(incident: Path, tmp_path: Path) -> None:
    config = tmp_path / "stricter.yaml"
    config.write_text(text(0.1))
    asked = ["rejudge", "--recording", str(incident), "--config", str(config)]
    asked += ["--start", format_instant(START_MS), "--end", format_instant(END_MS)]
    told = CliRunner().invoke(main, asked)
    assert told.exit_code == 0, told.output
    lines = told.stdout.splitlines()
    assert lines[0] == "recorded: no alerts, 0 a week; they tell of 0 of 1 incidents"
    assert lines[1] == "rejudged: 1 alert, 336 a week; they tell of 1 of 1 incidents"
    assert re.split(" {2,}", lines[4])[2:] == ["warning", "cart > db (mesh)", "too many errors", "0.25"]
    began_ms = START_MS + HEALTHY * INTERVAL_MS
    minutes = ["--start", format_instant(began_ms - 60_000), "--end", format_instant(began_ms + 240_000)]
    assert "1 alert, 2,016 a week" in CliRunner().invoke(main, [*asked, *minutes]).stdout
    document = json.loads(CliRunner().invoke(main, [*asked, "--json"]).stdout)
    began = format_instant(START_MS + HEALTHY * INTERVAL_MS)
    assert [row["rejudged_alert"] for row in document["incidents"]] == [began]
    assert document["recorded"]["alerts"] == []
