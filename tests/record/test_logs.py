"""The log of a running recorder, from outside: each line can be read, by people or by programs."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.misbehaving import Request, configuration_text, serving, vector
from support.processes import RunningProcess, RunProcess

TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
LEVELS = {"debug", "info", "warning", "error"}


def eventful_run(
    run_process: RunProcess, directory: Path, url: str, *more: str, wait: dict[str, str]
) -> RunningProcess:
    """A recorder to which something happens: good and bad scrapes, a good and a wrong reload, a stop."""
    file = directory / "vistio.yaml"
    file.write_text(configuration_text(url, "good", "bad"))
    process = run_process(
        *("vistio-record", "run", "--config", file, "--recording", directory / "recording", "--port", "0"),
        *("--interval", "200ms", "--timeout", "200ms", "--delay", "0s", *more),
    )
    process.wait_for_line(wait["committed"])
    file.write_text(configuration_text(url, "good", "bad").replace("query: bad", "query: 'ü '' \"\n'"))
    os.kill(process.pid, signal.SIGHUP)
    process.wait_for_line(wait["reloaded"])
    file.write_text("clusterLevel: [\n")
    os.kill(process.pid, signal.SIGHUP)
    process.wait_for_line(wait["refused"])
    process.terminate()
    return process


@pytest.fixture
def url() -> Iterator[str]:
    def handle(request: Request) -> None:
        if request.form.get("query") == "good":
            request.answer(vector(({"source": "a", "target": "b", "code": "200"}, "1.5")))
        else:
            request.answer(
                '{"status": "error", "errorType": "bad_data", "error": "line one\\nzwei: ü \\u0007"}', 400
            )

    with serving(handle) as url:
        yield url


EVENTS = {
    "committed": r"scrape\.committed",
    "reloaded": r"configuration\.reloaded",
    "refused": r"configuration\.refused",
}


def test_every_line_of_a_json_log_is_one_object_with_time_level_logger_and_event(
    run_process: RunProcess, tmp_path: Path, url: str
) -> None:
    process = eventful_run(
        run_process, tmp_path, url, "--log-format", "json", "--log-level", "debug", wait=EVENTS
    )
    entries = [json.loads(line) for line in process.log.splitlines()]
    for entry in entries:
        assert list(entry)[:4] == ["timestamp", "level", "logger", "event"]
        assert re.fullmatch(TIME, entry["timestamp"])
        assert entry["level"] in LEVELS
    assert any(entry["event"] == "rule.failed" and "zwei: ü" in entry["error"] for entry in entries)
    assert any(entry["event"] == "configuration.refused" and entry["line"] == 2 for entry in entries)
    assert any(entry["event"] == "scrape.committed" and entry["samples"] == 1 for entry in entries)
    events = {entry["event"] for entry in entries}
    assert {"recorder.started", "configuration.reloaded", "stop.requested", "recorder.stopped"} <= events


def test_every_line_of_a_text_log_has_time_level_event_and_facts(
    run_process: RunProcess, tmp_path: Path, url: str
) -> None:
    process = eventful_run(run_process, tmp_path, url, "--log-format", "text", wait=EVENTS)
    lines = process.log.splitlines()
    for line in lines:
        assert re.fullmatch(rf"{TIME} \[\w+\s*\] [a-z]+\.[a-z_]+( \w+=.*)?", line), line
    assert "\x07" not in process.log
    assert any("rule.failed" in line and r"zwei: ü" in line for line in lines)


def test_a_crash_of_a_thread_is_an_entry_of_the_log_too(run_process: RunProcess) -> None:
    program = (
        "import threading; from vistio_core.commandline import configure_logging; "
        "configure_logging('info', 'json'); "
        "thread = threading.Thread(target=lambda: 1 / 0, name='housekeeping'); thread.start(); thread.join()"
    )
    (line,) = run_process(sys.executable, "-c", program).wait().splitlines()
    entry = json.loads(line)
    assert (entry["level"], entry["event"], entry["in_thread"]) == ("error", "thread.crashed", "housekeeping")
    assert "ZeroDivisionError" in entry["exception"]
