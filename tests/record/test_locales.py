"""Names beyond ASCII in each locale, names that are no text, and programs without output: real processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from support.misbehaving import Request, configuration_text, serving, vector
from support.ports import free_port
from support.processes import RunningProcess, RunProcess, console_script, wait_until
from support.recorders import ANCHOR, assert_whole, problems_of, start_recorder, wait_for_commits

from vistio_core import Recording

SIMULATOR = ("--source", "simulator", "--source-option", f"anchor={ANCHOR}")
LOCALES = {"C": {"LC_ALL": "C", "PYTHONUTF8": "0"}, "C.UTF-8": {"LC_ALL": "C.UTF-8", "PYTHONUTF8": "0"}}
in_each_locale = pytest.mark.parametrize("locale", LOCALES.values(), ids=LOCALES)
NAME = "запись 漢字 é"
NOT_UTF_8 = b"caf\xe9"


@in_each_locale
def test_a_recording_whose_name_is_beyond_ascii_is_recorded_served_and_looked_after(
    locale: dict[str, str], run_process: RunProcess, tmp_path: Path
) -> None:
    place = tmp_path / NAME

    def run(*arguments: object) -> str:
        return run_process(*arguments, "--recording", place, **locale).wait()  # type: ignore[arg-type]

    def in_locale(script: str, *arguments: object, **more: str) -> RunningProcess:
        return run_process(script, *arguments, **{**locale, **more})

    assert "instants written" in run("vistio-record", "backfill", *SIMULATOR, "--start", "-1m")
    recorder = start_recorder(in_locale, place)
    server = run_process("vistio-serve", "--recording", place, "--port", 0, **locale)
    url = server.wait_for_line(r"(http://\S+)").group(1)
    wait_for_commits(recorder, 2)
    for path in ("graph", "timeline?start=-1m", "instants?start=-1m", "config"):
        assert requests.get(url + path, timeout=30).status_code == 200, path
    mark = ("--at", "-1m", "--node", "ключ", "--tag", "who=日本", "ausgerollt für alle")
    run("vistio-record", "annotate", *mark)
    assert "ключ  ausgerollt für alle  who=日本" in run("vistio-record", "annotations")
    assert json.loads(run("vistio-record", "annotations", "--json"))["annotations"][0]["node"] == "ключ"
    for process in (recorder, server):
        assert "Traceback" not in process.terminate()
    for command in ("info", "seal", "verify"):
        assert "Traceback" not in run("vistio-record", command)
    assert str(place) in run("vistio-record", "info")
    assert problems_of(place) == {}
    assert Recording.open(place).annotations().to_pylist()[0]["text"] == "ausgerollt für alle"


@in_each_locale
def test_configurations_and_secrets_with_names_beyond_ascii_are_read(
    locale: dict[str, str], run_process: RunProcess, tmp_path: Path
) -> None:
    seen: list[Request] = []

    def handle(request: Request) -> None:
        seen.append(request)
        request.answer(vector(({"source": "ключ", "target": "日本 🕸", "code": "200"}, "1")))

    with serving(handle) as url:
        folder = tmp_path / NAME
        folder.mkdir()
        (folder / "пароль").write_text("hunter2")
        config = folder / "конфигурация.yaml"
        config.write_text(
            configuration_text(url, "up") + "http_config: {authorization: {credentials_file: пароль}}\n"
        )
        told = run_process("vistio-record", "check", "--config", config, **locale).wait()
        assert "(ключ > 日本 🕸)" in told
        assert seen[0].headers["Authorization"] == "Bearer hunter2"
        (folder / "пароль").unlink()
        refused = run_process("vistio-record", "check", "--config", config, **locale).wait(exit_code=2)
        assert f"{folder / 'пароль'} cannot be read: No such file" in refused


@in_each_locale
def test_names_that_are_no_text_work_or_are_one_clear_line(
    locale: dict[str, str], run_process: RunProcess, tmp_path: Path
) -> None:
    place = os.fsdecode(os.fsencode(tmp_path) + b"/" + NOT_UTF_8)
    shown = f"{tmp_path}/caf\\xe9"
    for command, more in (
        ("run", (*SIMULATOR, "--port", 0)),
        ("backfill", (*SIMULATOR, "--start", "-1m")),
        ("info", ()),
        ("verify", ()),
        ("annotate", ("text",)),
    ):
        log = run_process("vistio-record", command, "--recording", place, *more, **locale).wait(exit_code=1)
        assert log == (
            f"Error: {shown}: is not UTF-8, and DuckDB finds files by names in UTF-8 only; rename the directory\n"
        )
    log = run_process("vistio-serve", "--recording", place, "--port", 0, **locale).wait(exit_code=2)
    assert f"Invalid value for '--recording': '{shown}' is not UTF-8".replace("\\", "\\\\") in log
    assert not os.path.exists(place)
    # A configuration may be called so: it is only read.
    config = os.fsdecode(os.fsencode(tmp_path) + b"/" + NOT_UTF_8 + b".yaml")
    Path(config).write_text(configuration_text("http://127.0.0.1:9", "up"))
    recorder = run_process(
        "vistio-record",
        "run",
        "--config",
        config,
        "--recording",
        tmp_path / "recording",
        "--port",
        0,
        **locale,
    )
    url = recorder.wait_for_line(r"metrics=(http\S+)/metrics")[1]
    assert f"{shown}.yaml is as it was" in requests.post(f"{url}/-/reload", timeout=20).text
    Path(config).write_text("wrong: [")
    answer = requests.post(f"{url}/-/reload", timeout=20)
    assert (answer.status_code, f"{shown}.yaml:1: " in answer.text) == (500, True)
    assert "Traceback" not in recorder.terminate()


def closed(*arguments: object) -> list[str]:
    """A command without standard input, output and error."""
    script, *rest = map(str, arguments)
    return ["sh", "-c", 'exec "$0" "$@" <&- >&- 2>&-', console_script(script), *rest]


@pytest.mark.slow
def test_programs_without_output_do_their_work(recording_dir: Path) -> None:
    ports = free_port(), free_port()
    fast = ("--interval", "200ms", "--delay", "0s", "--heal", "0s", "--port", ports[0])
    recorder = subprocess.Popen(
        closed("vistio-record", "run", *SIMULATOR, "--recording", recording_dir, *fast)
    )
    server = subprocess.Popen(closed("vistio-serve", "--recording", recording_dir, "--port", ports[1]))
    try:

        def status(port: int, path: str) -> int:
            try:
                return requests.get(f"http://127.0.0.1:{port}/{path}", timeout=20).status_code
            except requests.ConnectionError:
                return 0

        wait_until(lambda: status(ports[0], "-/ready") == 200, what="a scrape", timeout_s=60)
        for path in ("graph", "instants?start=-1m", "timeline?start=-1m"):
            wait_until(lambda path=path: status(ports[1], path) == 200, what=path, timeout_s=60)
        assert requests.post(f"http://127.0.0.1:{ports[0]}/-/reload", timeout=20).status_code == 200
        for process in (recorder, server):
            process.terminate()
            assert process.wait(30) == 0
    finally:
        for process in (recorder, server):
            process.kill()
            process.wait()
    assert_whole(recording_dir)
    assert problems_of(recording_dir) == {}
    for command, code in (("info", 0), ("verify", 0), ("seal", 0), ("annotations", 0)):
        assert subprocess.call(closed("vistio-record", command, "--recording", recording_dir)) == code
    assert subprocess.call(closed("vistio-record", "info", "--recording", recording_dir / "none")) == 1
    assert subprocess.call(closed("vistio-record", "fly")) == 2
    assert (
        subprocess.call(
            closed("vistio-record", "backfill", *SIMULATOR, "--recording", recording_dir, "--start", "-1m")
        )
        == 0
    )
    assert problems_of(recording_dir) == {}


def test_files_do_not_take_the_numbers_of_missing_output(tmp_path: Path) -> None:
    script = """
import os, sys
from vistio_core.commandline.streams import prepare_streams
prepare_streams()
with open(sys.argv[1], "w") as stream:
    assert stream.fileno() > 2
    print("to nobody", file=sys.stdout)
    print("to nobody", file=sys.stderr)
    os.write(2, b"what a library says")
    stream.write("ours")
"""
    file = tmp_path / "file"
    done = subprocess.run(
        ["sh", "-c", 'exec "$0" "$@" <&- >&- 2>&-', sys.executable, "-c", script, str(file)], check=False
    )
    assert done.returncode == 0
    assert file.read_text() == "ours"
