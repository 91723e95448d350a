"""What both command lines share, tried as a user does: through a small program of its own."""

from __future__ import annotations

import io
import json
import logging
import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner

from vistio_core.commandline import (
    DURATION,
    INSTANT,
    SIZE,
    Group,
    InstantType,
    configure_logging,
    logging_options,
    progress,
    settings,
    version,
)
from vistio_core.errors import ConfigurationError, Problem, VistioError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@click.group(cls=Group, context_settings=settings("VISTIO_TRY"))
def program() -> None:
    """Tries things."""


@program.command()
@click.option("--interval", type=DURATION, default="10s", help="How often.")
@click.option("--at", type=InstantType(now_ms=lambda: 1_000_000), default="now")
@click.option("--dry-run", is_flag=True)
@logging_options
def run(interval: int, at: int, dry_run: bool) -> None:
    logging.getLogger("vistio.try").info("try.begun", extra={"rows": 3})
    click.echo(f"{interval} {at} {dry_run}")


@program.command()
@click.argument("what")
def fail(what: str) -> None:
    if what == "configuration":
        raise ConfigurationError("f.yaml", (Problem("a", "first", 1), Problem("b", "second", 2)))
    if what == "vistio":
        raise VistioError("the thing is missing; make it")
    if what == "os":
        open("/nowhere/at/all")  # noqa: SIM115  # it does not open
    if what == "interrupt":
        raise KeyboardInterrupt
    if what == "pipe":
        for _ in range(100_000):
            click.echo("x" * 100)
    raise RuntimeError("a bug")


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)


def invoke(*arguments: str, **environment: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(program, arguments, env=environment, prog_name="vistio-try")
    return result.exit_code, result.stdout, result.stderr


def test_durations_and_instants_arrive_as_milliseconds() -> None:
    code, out, _ = invoke("run", "--interval", "1m30s", "--at", "-15m")
    assert (code, out) == (0, "90000 100000 False\n")


@pytest.mark.parametrize(("option", "value"), [("--interval", "10"), ("--at", "yesterday"), ("--nope", "1")])
def test_wrong_usage_exits_2_and_names_the_option(option: str, value: str) -> None:
    code, out, err = invoke("run", option, value)
    assert (code, out) == (2, "")
    assert option in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("text", "size_bytes"),
    [
        *(
            ("0B", 0),
            ("1B", 1),
            ("1023B", 1023),
            ("1KB", 1024),
            ("1KiB", 1024),
            ("1kb", 1024),
            ("1MB", 2**20),
        ),
        *(
            ("50GB", 50 * 2**30),
            ("50 GB", 50 * 2**30),
            ("1.5GiB", 3 * 2**29),
            ("0.5B", 0),
            ("3TB", 3 * 2**40),
        ),
        ("1PB", 2**50),
    ],
)
def test_a_size_is_counted_in_powers_of_two_as_in_prometheus(text: str, size_bytes: int) -> None:
    assert SIZE.convert(text, None, None) == size_bytes


@pytest.mark.parametrize("text", ["", "50", "GB", "-1GB", "1iB", "1K", "1e3B", "1,5GB", "1GBB", "nanB"])
def test_a_size_needs_a_number_and_a_unit(text: str) -> None:
    with pytest.raises(click.BadParameter, match="use a number and a unit, such as 512MB or 50GB"):
        SIZE.convert(text, None, None)


def test_the_instant_type_uses_the_system_clock() -> None:
    assert INSTANT.convert("now", None, None) > 1_700_000_000_000


def test_each_option_is_an_environment_variable_and_help_lists_it() -> None:
    assert (
        invoke("run", VISTIO_TRY_RUN_INTERVAL="5m", VISTIO_TRY_RUN_DRY_RUN="1")[1] == "300000 1000000 True\n"
    )
    assert invoke("run", "--interval", "1s", VISTIO_TRY_RUN_INTERVAL="5m")[1].startswith("1000 ")
    shown = invoke("run", "--help")[1]
    command = program.commands["run"]
    for option in (parameter for parameter in command.params if isinstance(parameter, click.Option)):
        assert f"VISTIO_TRY_RUN_{option.name.upper()}" in re.sub(r"\s+", "", shown)


def test_a_wrong_environment_variable_exits_2() -> None:
    assert invoke("run", VISTIO_TRY_RUN_INTERVAL="soon")[0] == 2


def test_the_version_is_told() -> None:
    assert invoke("--version") == (0, f"vistio-try {version()}\n", "")


def test_an_error_of_vistio_is_one_line_on_stderr_and_exits_1() -> None:
    assert invoke("fail", "vistio") == (1, "", "Error: the thing is missing; make it\n")


def test_a_configuration_error_shows_all_of_its_lines() -> None:
    assert invoke("fail", "configuration") == (1, "", "Error: f.yaml:1: a: first\nf.yaml:2: b: second\n")


def test_an_error_of_the_operating_system_is_one_line_too() -> None:
    assert invoke("fail", "os") == (1, "", "Error: /nowhere/at/all: No such file or directory\n")


@pytest.mark.parametrize(
    "arguments", [("-v", "fail", "vistio"), ("fail", "-v", "vistio"), ("fail", "vistio", "--verbose")]
)
def test_verbose_shows_the_traceback_before_the_line(arguments: tuple[str, ...]) -> None:
    code, _, err = invoke(*arguments)
    assert code == 1
    assert err.startswith("Traceback (most recent call last):")
    assert err.endswith("\nError: the thing is missing; make it\n")


def test_verbose_can_be_an_environment_variable() -> None:
    assert "Traceback" in invoke("fail", "vistio", VISTIO_TRY_VERBOSE="true")[2]


def test_a_bug_is_not_hidden() -> None:
    assert isinstance(CliRunner().invoke(program, ["fail", "bug"]).exception, RuntimeError)


def test_an_interrupt_exits_130_without_a_traceback() -> None:
    code, out, err = invoke("fail", "interrupt")
    assert (code, out, err.strip()) == (130, "", "")


PROGRAM = f"""
import sys
sys.path.insert(0, {os.path.dirname(__file__)!r})
import test_commandline
import signal, os, click
@test_commandline.program.command()
def wait():
    click.echo("waiting")
    sys.stdout.flush()
    signal.pause()
test_commandline.program(prog_name="vistio-try")
"""


def test_ctrl_c_ends_a_real_process_cleanly() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "wait"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waiting\n"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err.strip()) == (130, "")


INTERRUPTED_IMPORT = """
import signal, sys
class CtrlC:
    def find_spec(self, name, path=None, target=None):
        if name == "vistio_core.errors":
            signal.raise_signal(signal.SIGINT)
sys.meta_path.insert(0, CtrlC())
import {package}.__main__
{package}.__main__.main()
"""


@pytest.mark.parametrize("package", ["vistio_record", "vistio_serve"])
def test_ctrl_c_while_the_program_is_imported_shows_no_traceback(package: str) -> None:
    command = [sys.executable, "-c", INTERRUPTED_IMPORT.format(package=package)]
    process = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (process.returncode, process.stdout, process.stderr) == (-signal.SIGINT, "", "")


@pytest.mark.parametrize(
    ("package", "script"), [("vistio_record", "vistio-record"), ("vistio_serve", "vistio-serve")]
)
def test_after_its_imports_a_program_takes_ctrl_c_as_python_does(package: str, script: str) -> None:
    program = (
        f"import signal, sys, {package}.__main__ as m\nsys.argv = [{script!r}, '--version']\n"
        "try: m.main()\nexcept SystemExit: print(signal.getsignal(signal.SIGINT).__name__)"
    )
    process = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert process.stdout.splitlines()[-1] == "default_int_handler", process.stderr


def test_a_reader_that_goes_away_is_no_error_to_talk_about(tmp_path: Path) -> None:
    with (tmp_path / "err").open("w+") as err:
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, "fail", "pipe"], stdout=subprocess.PIPE, stderr=err, text=True
        )
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        process.wait(timeout=60)
        err.seek(0)
        assert err.read() == ""


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


def test_a_text_log_line_has_time_level_event_and_facts(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info", "text")
    logging.getLogger("vistio.x").warning("commit.written", extra={"rows": 3, "why": "a b\nc"})
    line = capsys.readouterr().err
    assert re.fullmatch(TIME + r" \[warning\] commit\.written rows=3 why='a b\\nc'\n", line), line


def test_a_json_log_line_is_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info", "json")
    try:
        raise VistioError("über")
    except VistioError:
        logging.getLogger("vistio.x").exception("commit.refused", extra={"rows": 3})
    (line,) = capsys.readouterr().err.splitlines()
    entry = json.loads(line)
    assert re.fullmatch(TIME, entry.pop("timestamp"))
    assert "VistioError: über" in entry.pop("exception")
    assert entry == {"level": "error", "logger": "vistio.x", "event": "commit.refused", "rows": 3}


def test_a_text_log_shows_the_traceback_of_an_exception(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info", "text")
    try:
        raise VistioError("gone")
    except VistioError:
        logging.getLogger("vistio.x").exception("commit.refused")
    assert capsys.readouterr().err.endswith("vistio_core.errors.VistioError: gone\n")


@pytest.mark.parametrize(("level", "shown"), [("info", 2), ("warning", 1), ("error", 0)])
def test_the_level_is_the_least_that_is_shown(
    capsys: pytest.CaptureFixture[str], level: str, shown: int
) -> None:
    configure_logging(level)
    logging.getLogger("a").info("one")
    logging.getLogger("b").warning("two")
    assert len(capsys.readouterr().err.splitlines()) == shown


def test_configuring_twice_shows_each_entry_once(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging()
    configure_logging()
    logging.getLogger("a").info("one")
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_command_logs_as_its_options_say() -> None:
    assert json.loads(invoke("run", "--log-format", "json")[2])["rows"] == 3
    assert invoke("run", "--log-level", "warning")[2] == ""


def test_progress_away_from_a_terminal_is_a_plain_line_now_and_then(
    capsys: pytest.CaptureFixture[str],
) -> None:
    times_s = iter([0.0, 4.9, 5.0, 5.1, 9.9, 10.0, 12.0])
    with progress("Sealing", 10, monotonic_s=lambda: next(times_s)) as advance:
        for _ in range(5):
            advance(1)
        advance(5)
    assert capsys.readouterr().err.splitlines() == [
        "Sealing: 2 of 10 (20 %)",
        "Sealing: 5 of 10 (50 %)",
        "Sealing: 10 of 10, took 12.0 s",
    ]


def test_progress_on_a_terminal_is_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    with progress("Sealing", 2) as advance:
        advance(1)
        advance(1)
    assert "Sealing" in stream.getvalue()
    assert "100%" in stream.getvalue()


def test_progress_of_work_that_fails_does_not_claim_its_end(capsys: pytest.CaptureFixture[str]) -> None:
    def work() -> None:
        with progress("Sealing", 2) as advance:
            advance(1)
            raise VistioError("no space left")

    with pytest.raises(VistioError):
        work()
    assert capsys.readouterr().err == ""
