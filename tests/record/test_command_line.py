"""`vistio-record` as users run it: real processes, real signals, real exit codes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner
from support.misbehaving import Request, configuration_text, serving
from support.processes import RunProcess, wait_until

from vistio_core import Recording
from vistio_core.times import format_instant, parse_duration
from vistio_record.cli import main

FAST = ("--interval", "200ms", "--timeout", "200ms", "--delay", "0s", "--port", "0")


def invoke(*arguments: object):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def config(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        path = tmp_path / "vistio.yaml"
        path.write_text(text)
        return path

    return write


def metrics_url(log: str) -> str:
    return next(word.removeprefix("metrics=") for word in log.split() if word.startswith("metrics=http"))


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT])
def test_run_records_until_a_signal_and_what_it_recorded_can_be_read(
    run_process: RunProcess, recording_dir: Path, by: signal.Signals
) -> None:
    process = run_process(
        "vistio-record", "run", "--source", "simulator", "--recording", recording_dir, *FAST
    )
    url = metrics_url(process.wait_for_line(r"recorder\.started.*")[0])
    wait_until(lambda: process.log.count("scrape.committed") >= 3, what="three scrapes")
    process.wait_for_url(url.replace("/metrics", "/-/ready"))
    assert "vistio_record_samples_total" in requests.get(url, timeout=10).text
    log = process.terminate(by=by)
    assert "recorder.stopped" in log
    assert "Traceback" not in log
    recording = Recording.open(recording_dir)
    assert recording.graph().regions
    assert all(not checked.problems for checked in recording.verify())


def test_a_restart_goes_on_without_repeating_an_instant(run_process: RunProcess, recording_dir: Path) -> None:
    for _ in range(2):
        process = run_process(
            "vistio-record", "run", "--source", "simulator", "--recording", recording_dir, *FAST
        )
        process.wait_for_line(r"scrape\.committed")
        log = process.terminate()
        assert "commit.failed" not in log
    instants = Recording.open(recording_dir).instants()["instant"].to_pylist()
    assert len(instants) >= 2
    assert len(set(instants)) == len(instants)


def test_a_signal_during_a_scrape_that_hangs_ends_the_process_soon(
    run_process: RunProcess, recording_dir: Path, config: Callable[[str], Path]
) -> None:
    with serving(Request.hang) as url:
        arguments = ("--interval", "60s", "--timeout", "60s", "--delay", "0s", "--port", "0")
        process = run_process(
            "vistio-record",
            "run",
            "--config",
            config(configuration_text(url, "q")),
            "--recording",
            recording_dir,
            *arguments,
        )
        process.wait_for_line(r"recorder\.started")
        process.terminate(timeout_s=10)
    assert Recording.open(recording_dir).instants().num_rows == 0


def test_a_second_signal_ends_the_process_at_once(
    run_process: RunProcess, recording_dir: Path, config: Callable[[str], Path]
) -> None:
    arrived: list[Request] = []

    def handle(request: Request) -> None:
        arrived.append(request)
        request.hang()

    with serving(handle) as url:
        arguments = ("--interval", "60s", "--timeout", "60s", "--delay", "0s", "--port", "0")
        process = run_process(
            "vistio-record",
            "run",
            "--config",
            config(configuration_text(url, "q")),
            "--recording",
            recording_dir,
            *arguments,
        )
        wait_until(lambda: bool(arrived), what="the scrape to begin")
        os.kill(process.pid, signal.SIGTERM)
        process.wait_for_line(r"stop\.requested")
        os.kill(process.pid, signal.SIGINT)
        process.wait(exit_code=1, timeout_s=2)


def test_scrapes_that_take_longer_than_the_interval_make_skips_that_are_recorded(
    run_process: RunProcess, recording_dir: Path, config: Callable[[str], Path]
) -> None:
    with serving(Request.hang) as url:  # every scrape takes its whole timeout and a little more
        process = run_process(
            "vistio-record",
            "run",
            "--config",
            config(configuration_text(url, "q")),
            "--recording",
            recording_dir,
            *FAST,
        )
        process.wait_for_line(r"scrape\.skipped")
        process.terminate()
    found = (
        Recording.open(recording_dir)
        .sql("select distinct outcome, error from scrapes order by all")
        .fetchall()
    )
    assert found == [
        ("skipped", "the scrape before was still running when this one was due"),
        ("timeout", f"{url}: no complete answer within 200ms"),
    ]


def test_a_port_in_use_is_an_error_before_anything_is_recorded(
    run_process: RunProcess, recording_dir: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = run_process(
            "vistio-record", "run", "--source", "simulator", "--recording", recording_dir, "--port", port
        )
        log = process.wait(exit_code=1)
    assert f"Error: 127.0.0.1:{port} cannot be listened on" in log
    assert not recording_dir.exists()


@pytest.mark.parametrize(
    ("interval", "timeout"), [("2s", 1.6), ("10s", 8.0), ("1m", 48.0), ("200ms", 0.16), ("1ms", 0.001)]
)
def test_the_timeout_follows_the_interval(
    interval: str, timeout: float, recording_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[float] = []
    monkeypatch.setattr(
        "vistio_record.cli.run_recorder", lambda options, *rest: seen.append(options.timeout_ms)
    )
    arguments = ("run", "--source", "simulator", "--recording", recording_dir, "--interval", interval)
    assert invoke(*arguments).exit_code == 0
    assert invoke(*arguments, "--timeout", interval).exit_code == 0
    given_ms = parse_duration(interval)
    assert seen == [timeout * 1000, given_ms]
    assert invoke(*arguments, "--timeout", f"{given_ms + 1}ms").exit_code == 2


@pytest.mark.parametrize("command", ["run", "backfill"])
def test_help_says_what_the_timeout_follows(command: str) -> None:
    assert "80 % of the interval" in " ".join(invoke(command, "--help").output.split())


def test_an_interval_alone_will_do(run_process: RunProcess, recording_dir: Path) -> None:
    arguments = ("--source", "simulator", "--recording", recording_dir, "--interval", "2s", "--port", 0)
    process = run_process("vistio-record", "run", *arguments)
    process.wait_for_line("scrape.committed")
    process.terminate()


def test_python_m_is_the_same_program(run_process: RunProcess) -> None:
    assert "vistio-record run --config" in run_process(sys.executable, "-m", "vistio_record", "--help").wait()


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "--recording", "x"),
        ("run", "--source", "simulator", "--recording", "x", "--interval", "5s", "--timeout", "6s"),
        ("run", "--source", "simulator", "--recording", "x", "--interval", "0s"),
        ("run", "--source", "simulator", "--recording", "x", "--timeout", "0s"),
        ("run", "--source", "simulator", "--recording", "x", "--interval", "10"),
        ("run", "--source", "carrier-pigeon", "--recording", "x"),
        ("run", "--source", "simulator", "--source-option", "seed", "--recording", "x"),
        ("run", "--source", "simulator", "--port", "65536", "--recording", "x"),
        ("run", "--config", "no-such-file.yaml", "--recording", "x"),
        ("check",),
        ("backfill", "--source", "simulator", "--recording", "x"),
        ("backfill", "--source", "simulator", "--recording", "x", "--start", "yesterday"),
        ("prune", "--recording", "x"),
        ("prune", "--recording", "x", "--retention", "7d", "--before", "now"),
        ("prune", "--recording", "x", "--retention-size", "50"),
        ("prune", "--recording", "x", "--retention-size", "0B"),
        ("run", "--source", "simulator", "--recording", "x", "--retention-size", "fifty"),
        ("info",),
        ("fly",),
    ],
)
def test_wrong_usage_ends_with_2_and_leaves_nothing(
    arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = invoke(*arguments)
    assert result.exit_code == 2, result.output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["info", "verify", "seal", "prune"])
def test_where_no_recording_is_the_upkeep_commands_say_how_to_start_one(command: str, tmp_path: Path) -> None:
    more = ("--retention", "7d") if command == "prune" else ()
    result = invoke(command, "--recording", tmp_path / "none", *more)
    assert result.exit_code == 1
    assert "vistio-record run --recording" in result.output


def backfill(recording_dir: Path, start: str, end: str):
    anchor = ("--source-option", "anchor=2025-11-23T06:00:00Z")
    return invoke(
        "backfill",
        "--source",
        "simulator",
        *anchor,
        "--recording",
        recording_dir,
        "--start",
        start,
        "--end",
        end,
    )


def test_backfill_is_idempotent_and_goes_on_where_it_ended(recording_dir: Path) -> None:
    first = backfill(recording_dir, "2025-11-23T05:00:00Z", "2025-11-23T05:01:00Z")
    assert first.exit_code == 0, first.output
    assert first.output.splitlines()[-1].startswith("6 instants written with ")
    graph = Recording.open(recording_dir).graph("2025-11-23T05:00:30Z")
    assert graph.backfilled
    again = backfill(recording_dir, "2025-11-23T05:00:00Z", "2025-11-23T05:01:20Z")
    assert again.output.splitlines()[-1].startswith("2 instants written with ")
    assert again.output.splitlines()[-1].endswith("6 were there")
    assert Recording.open(recording_dir).graph("2025-11-23T05:00:30Z") == graph


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2025-11-23T05:00:00Z", "2025-11-23T05:00:00Z"),
        ("2025-11-23T05:00:01Z", "2025-11-23T05:00:00Z"),
        ("2025-11-23T05:00:00Z", "2999-01-01T00:00:00Z"),
    ],
)
def test_backfill_refuses_windows_that_are_empty_or_not_over(
    recording_dir: Path, start: str, end: str
) -> None:
    result = backfill(recording_dir, start, end)
    assert result.exit_code in (1, 2)
    assert "the start must be before the end" in " ".join(result.output.split())


def test_backfill_commits_nothing_when_no_rule_is_answered(
    recording_dir: Path, config: Callable[[str], Path]
) -> None:
    with serving(lambda request: request.answer("down", 503)) as url:
        result = invoke(
            "backfill",
            "--config",
            config(configuration_text(url, "q")),
            "--recording",
            recording_dir,
            "--start",
            "-1m",
        )
    assert result.exit_code == 1
    assert "no rule was answered" in result.output
    assert Recording.open(recording_dir).instants().num_rows == 0


def test_seal_info_verify_and_prune_look_after_a_recording(recording_dir: Path) -> None:
    backfill(recording_dir, "2025-11-23T04:59:30Z", "2025-11-23T05:00:30Z")
    assert invoke("seal", "--recording", recording_dir).exit_code == 0
    info = json.loads(invoke("info", "--recording", recording_dir, "--json").output)
    assert (info["first"], info["last"]) == ("2025-11-23T04:59:30Z", "2025-11-23T05:00:20Z")
    assert (info["head_files"], info["log_files"]) == (0, 2)
    assert invoke("verify", "--recording", recording_dir).exit_code == 0
    pruned = invoke("prune", "--recording", recording_dir, "--before", "2025-11-23T05:00:00Z")
    assert pruned.output.startswith("1 files deleted")
    assert (
        "2025-11-23T05:00:00Z to 2025-11-23T05:00:20Z" in invoke("info", "--recording", recording_dir).output
    )


@pytest.fixture(scope="module")
def sealed_hours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording with an hour, and half a minute on both of its sides, sealed: to be copied."""
    place = tmp_path_factory.mktemp("sealed") / "recording"
    backfill(place, "2025-11-23T03:59:30Z", "2025-11-23T05:00:30Z")
    invoke("seal", "--recording", place)
    return place


@pytest.mark.slow
def test_prune_by_size_deletes_the_oldest_and_leaves_the_newest_hour(
    recording_dir: Path, sealed_hours: Path
) -> None:
    shutil.copytree(sealed_hours, recording_dir)
    files = sorted((recording_dir / "log").rglob("*.parquet"))
    assert len(files) == 3
    size = sum(file.stat().st_size for file in files)
    for limit, left in ((size, 3), (size - 1, 2), (1, 1)):
        result = invoke("prune", "--recording", recording_dir, "--retention-size", f"{limit}B")
        assert result.exit_code == 0, result.output
        assert sorted((recording_dir / "log").rglob("*.parquet")) == files[-left:]


def test_a_running_recorder_keeps_to_its_retention_by_size(
    run_process: RunProcess, recording_dir: Path, sealed_hours: Path
) -> None:
    shutil.copytree(sealed_hours, recording_dir)
    process = run_process(
        *("vistio-record", "run", "--source", "simulator", "--recording", recording_dir, *FAST),
        *("--retention", "0s", "--retention-size", "1B"),
    )
    process.wait_for_line(r"files\.pruned.*above_bytes=1")
    url = metrics_url(process.wait_for_line(r"recorder\.started.*")[0])
    wait_until(
        lambda: "vistio_record_pruned_bytes_total 0.0" not in requests.get(url, timeout=10).text,
        what="the metric of what was deleted",
    )
    process.terminate()
    oldest = Recording.open(recording_dir).info().first_ms
    assert oldest is not None
    assert format_instant(oldest) >= "2025-11-23T05:00:00Z"  # the newest hour stays


def test_verify_ends_with_1_and_names_the_damaged_file(recording_dir: Path) -> None:
    backfill(recording_dir, "2025-11-23T05:00:00Z", "2025-11-23T05:00:30Z")
    damaged = sorted((recording_dir / "head").iterdir())[1]
    damaged.write_bytes(damaged.read_bytes()[:-100])
    result = invoke("verify", "--recording", recording_dir, "--json")
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    assert [file["name"] for file in report["damaged"]] == [f"head/{damaged.name}"]


# Every command that has --recording, and what else it needs.
_WITH_RECORDING = {
    "run": ("--source", "simulator", *FAST),
    "backfill": ("--source", "simulator", "--start", "-1m"),
    "annotate": ("a mark",),
    "blast-radius": ("cart",),
    "export": ("--start", "-1h", "incident.vistio"),
    "import": ("incident.vistio",),
    "import-vistio": (".",),
    "rejudge": ("--config", "vistio.yaml"),
    "report": ("--start", "-1h", "--output", "report.html"),
    "prune": ("--retention", "7d"),
    **dict.fromkeys(("annotations", "doctor", "incidents", "info", "seal", "suspects", "verify"), ()),
    **dict.fromkeys(("diff", "path", "seen", "timeline", "top"), ()),
}


def test_an_address_is_refused_by_every_command_and_makes_no_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It became a directory ``s3:`` wherever the recorder happened to run."""
    monkeypatch.chdir(tmp_path)
    named = {name for name, each in main.commands.items() if "recording" in {p.name for p in each.params}}
    assert named == set(_WITH_RECORDING)
    for command, arguments in _WITH_RECORDING.items():
        result = invoke(command, "--recording", "s3://bucket/x", *arguments)
        assert result.exit_code == 2, f"{command}: {result.output}"
        assert "the scheme s3: cannot be used" in result.output
    assert list(tmp_path.iterdir()) == []
