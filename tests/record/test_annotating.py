"""Annotations from a shell and over HTTP: real commands, a real recorder, a real recording."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import requests
from click.testing import CliRunner, Result
from support.processes import RunProcess
from support.strangers import EVERY_STRANGER, said_of

from vistio_core import Recording
from vistio_core.access.guard import Guard
from vistio_core.access.token_file import TokenFile
from vistio_core.errors import InvalidAnnotationError, UsageError
from vistio_core.recording.annotation_fields import FIELDS, read_annotation
from vistio_core.storage.annotations import Annotation
from vistio_record.annotating import AnnotationRoute
from vistio_record.application import Application
from vistio_record.cli import main
from vistio_record.http_server import HttpServer
from vistio_record.metrics import Metrics

NOON = 1_763_899_200_000
TOKEN = "f3a9" * 16
PAGE = (Path(__file__).parents[2] / "docs" / "operation.md").read_text()


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def recording(recording_dir: Path) -> Recording:
    return Recording.open(recording_dir, create=True)


def kept(recording: Recording) -> list[dict[str, Any]]:
    return recording.annotations().to_pylist()  # type: ignore[no-any-return]


# From a shell.


def test_annotate_keeps_a_mark_and_prints_its_id(recording: Recording) -> None:
    result = invoke(
        *("annotate", "--recording", recording.place, "--at", "2025-11-23T12:00:00Z", "--end", NOON + 60_000),
        *("--kind", "deployment", "--cluster", "mesh", "--node", "checkout", "--link", "https://ci/1"),
        *("--tag", "commit=a=b", "--tag", "by=", "checkout v2"),
    )
    assert result.exit_code == 0, result.output
    expected = Annotation(
        *(NOON, "checkout v2", "deployment", NOON + 60_000, "mesh", "checkout", "https://ci/1"),
        {"commit": "a=b", "by": ""},
    )
    assert result.stdout == f"{expected.id}\n"
    (row,) = kept(recording)
    assert (row["id"], row["text"], json.loads(row["tags"])) == (
        expected.id,
        expected.text,
        dict(expected.tags),
    )


def test_annotate_again_changes_nothing_and_prints_the_same_id(recording: Recording) -> None:
    command = ("annotate", "--recording", recording.place, "--at", NOON, "out")
    assert invoke(*command).stdout == invoke(*command).stdout
    assert len(kept(recording)) == 1


def test_annotate_without_a_time_is_now(recording: Recording) -> None:
    assert invoke("annotate", "--recording", recording.place, "out").exit_code == 0
    assert len(recording.annotations("-1m").to_pylist()) == 1
    assert len(recording.annotations("-1h", "-1m").to_pylist()) == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), ["Missing argument 'TEXT'"]),
        (("",), ["text: is empty"]),
        (("--at", NOON, "--end", NOON, "x"), ["--end:", "not after the start"]),
        (("--at", "yesterday", "x"), ["--at"]),
        (("--tag", "x", "x"), ["'x' is not NAME=VALUE"]),
        (("--tag", "a=1", "--tag", "a=2", "x"), ["'a' is given twice"]),
        (("--kind", "Big Bang", "--link", "javascript:alert(1)", " "), ["kind:", "link:", "text:"]),
    ],
)
def test_a_mark_that_is_none_is_refused_with_everything_that_is_wrong(
    recording: Recording, arguments: tuple[object, ...], says: list[str]
) -> None:
    result = invoke("annotate", "--recording", recording.place, *arguments)
    assert result.exit_code == 2
    assert [words for words in says if words not in result.output] == [], result.output
    assert kept(recording) == []


@pytest.mark.parametrize("command", [("annotate", "x"), ("annotations",)])
def test_without_a_recording_nothing_is_made(tmp_path: Path, command: tuple[str, ...]) -> None:
    result = invoke(command[0], "--recording", tmp_path / "none", *command[1:])
    assert result.exit_code == 1
    assert "vistio-record run --recording" in result.output
    assert list(tmp_path.iterdir()) == []


def test_annotations_lists_what_overlaps_the_window_oldest_first(recording: Recording) -> None:
    ids = [
        recording.annotate(
            Annotation(NOON + 60_000, "second\nline", "incident", NOON + 120_000, "mesh", "db")
        ),
        recording.annotate(Annotation(NOON, "first", tags={"v": "2"}, link="https://ci")),
    ]
    listed = invoke("annotations", "--recording", recording.place).stdout.splitlines()
    assert listed == [
        f"{ids[1]}  2025-11-23T12:00:00Z  note  first  v=2  https://ci",
        f"{ids[0]}  2025-11-23T12:01:00Z to 2025-11-23T12:02:00Z  incident  mesh/db  second line",
    ]
    later = ("annotations", "--recording", recording.place, "--json", "--start")
    (one,) = json.loads(invoke(*later, NOON + 119_999).stdout)["annotations"]
    assert one == {
        **{"id": ids[0], "start": "2025-11-23T12:01:00Z", "end": "2025-11-23T12:02:00Z", "kind": "incident"},
        **{"text": "second\nline", "cluster": "mesh", "node": "db", "link": "", "tags": {}},
    }
    assert json.loads(invoke(*later, NOON + 120_000).stdout) == {"annotations": []}


# What JSON means.


def test_only_the_text_must_be_given() -> None:
    assert read_annotation({"text": "x"}, now_ms=NOON) == Annotation(NOON, "x")
    assert read_annotation({"text": "x", "end": None, "link": None}, now_ms=NOON) == Annotation(NOON, "x")


def test_every_field_is_taken_and_instants_are_written_as_everywhere() -> None:
    fields = {
        **{"start": "-1h", "end": "2025-11-23T12:00:00Z", "kind": "incident", "text": "x"},
        **{"cluster": "c", "node": "n", "link": "https://l", "tags": {"a": "b"}},
    }
    assert set(fields) == set(FIELDS) - {"at"}
    expected = Annotation(NOON - 3_600_000, "x", "incident", NOON, "c", "n", "https://l", {"a": "b"})
    assert read_annotation(fields, now_ms=NOON) == expected


def test_the_start_may_be_called_at_as_on_the_command_line() -> None:
    assert read_annotation({"text": "x", "at": "-5m"}, now_ms=NOON) == Annotation(NOON - 300_000, "x")
    assert read_annotation({"text": "x", "at": None, "start": "-5m"}, now_ms=NOON).start_ms == NOON - 300_000


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({}, ["text: is missing"]),
        ({"text": None}, ["text: is missing"]),
        ({"text": 7}, ["text: found int"]),
        ({"text": "x", "tags": ["a"]}, ["tags: found list"]),
        ({"text": "x", "tags": {"a": 1}}, ["tags: value of 'a': found int"]),
        ({"text": "x", "start": True}, ["start: "]),
        ({"text": "x", "start": NOON, "end": NOON}, ["end: "]),
        ({"text": "x", "at": "soon"}, ["at: "]),
        ({"text": "x", "at": -1}, ["at: "]),
        ({"text": "x", "at": NOON, "start": NOON}, ["at: is the same as start; give one of them"]),
        ({"text": "x", "titel": "y"}, ["titel: is not known; use at, start, end"]),
        ({"text": "x", "kin": "y"}, ["kin: is not known; did you mean kind?"]),
        (
            {
                "start": "soon",
                "end": "later",
                "kind": "!",
                "link": "ftp://x",
                "tag": {},
                "node": 1,
                "cluster": [],
            },
            ["tag: ", "text: ", "start: ", "end: ", "kind: ", "cluster: ", "node: ", "link: "],
        ),
    ],
)
def test_everything_that_is_wrong_is_told_at_once(fields: dict[str, object], says: list[str]) -> None:
    with pytest.raises(InvalidAnnotationError) as refused:
        read_annotation(fields, now_ms=NOON)
    assert len(refused.value.problems) == len(says), refused.value
    for problem, words in zip(refused.value.problems, says, strict=True):
        assert problem.startswith(words)


# Over HTTP.


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    return file


@pytest.fixture
def url(recording: Recording, token_file: Path) -> Iterator[str]:
    server = HttpServer("127.0.0.1", 0)
    route, guard = AnnotationRoute(recording, lambda: NOON), Guard(token_file=token_file)
    server.serve(Application(Metrics(lambda: NOON), lambda by: None, 60, route, guard))  # type: ignore[arg-type, return-value]
    yield f"{server.url}/annotations"
    server.close()


def post(url: str, body: object = None, *, token: str | None = TOKEN, **headers: str) -> requests.Response:
    shown = {} if token is None else {"Authorization": f"Bearer {token}"}
    content = body if isinstance(body, bytes) else json.dumps(body or {"text": "out"}).encode()
    headers = {"Content-Type": "application/json", **shown, **headers}
    return requests.post(url, data=content, headers=headers, timeout=10)


def test_who_has_the_token_may_annotate_and_repeat_it(url: str, recording: Recording) -> None:
    first, again = (post(url, {"text": "out", "start": "-5m"}) for _ in range(2))
    assert (first.status_code, again.status_code) == (200, 200)
    expected = {"id": Annotation(NOON - 300_000, "out").id, "start": "2025-11-23T11:55:00Z"}
    assert first.json() == again.json() == expected
    assert [row["id"] for row in kept(recording)] == [expected["id"]]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer "},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": TOKEN},
        {"Authorization": f"Bearer {TOKEN[:-1]}"},
        {"Authorization": f"Bearer {TOKEN}x"},
        {"Authorization": f"Bearer {TOKEN.upper()}"},
        {"Authorization": "Bearer \xe9"},
    ],
)
def test_who_has_not_may_not(url: str, recording: Recording, headers: dict[str, str]) -> None:
    response = post(url, token=None, **headers)
    assert (response.status_code, response.headers["WWW-Authenticate"][:6]) == (401, "Bearer")
    assert TOKEN not in response.text
    assert kept(recording) == []


def test_the_token_is_read_anew_when_it_is_rotated(url: str, token_file: Path) -> None:
    new = "0123456789abcdef"
    assert post(url, token=new).status_code == 401
    token_file.write_text(new)
    assert post(url, token=new).status_code == 200
    assert post(url).status_code == 401


@pytest.mark.parametrize("content", [b"", b"short", b"two\nlines-of-something", b"\xff" * 20, None])
def test_a_token_file_that_cannot_be_used_lets_nobody_in(
    url: str, token_file: Path, content: bytes | None
) -> None:
    token_file.unlink()
    if content is not None:
        token_file.write_bytes(content)
    for token in (TOKEN, "", "short"):
        assert post(url, token=token).status_code in (401, 503)
    assert post(url).status_code == 503
    with pytest.raises(UsageError, match=str(token_file)):
        TokenFile(token_file)
    token_file.write_text(TOKEN)
    assert post(url).status_code == 200


@pytest.mark.parametrize("make", EVERY_STRANGER)
def test_a_token_file_that_is_no_file_lets_nobody_in_and_is_not_waited_for(
    url: str, token_file: Path, make: Callable[[Path], None]
) -> None:
    (token_file.parent / "folder").mkdir()
    stranger = token_file.parent / "folder" / "token"
    make(stranger)
    with pytest.raises(UsageError, match=re.escape(said_of(make))):
        TokenFile(stranger)
    token_file.unlink()
    token_file.symlink_to(stranger)
    assert post(url, token=TOKEN).status_code == 503


NO_INSTANTS = (
    *(
        b"1e400",
        b"-1e400",
        b"9" * 5_000,
        b"1e308",
        b"1e22",
        b"-1",
        b"NaN",
        b"Infinity",
        b"true",
        b"{}",
        b"[]",
    ),
    *(b'""', b'"\\u0000"', b'"10000-01-01T00:00:00Z"', b'"2026-02-30T00:00:00Z"', b'"2026-01-01T00:00:00"'),
)


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        (b"", 400, "not JSON"),
        (b'{"text": "x"', 400, "not JSON"),
        (b"\xff", 400, "not JSON"),
        (b'["x"]', 400, "found list"),
        (b'{"kind": "!", "link": "x"}', 400, "text: is missing; say what happened\nkind: "),
        (b'{"text": "' + b"x" * 4097 + b'"}', 400, "at most 4,096"),
        (b'{"text": "' + b"x" * 70_000 + b'"}', 413, "at most 65,536"),
        *((b"[" * depth, 400, says) for depth, says in ((500, "not JSON"), (60_000, "nested too deeply"))),
        *((b"[" * depth + b"]" * depth, 400, "nested too deeply") for depth in (5_000, 30_000)),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, 400, "nested too deeply"),
        *(
            (b'{"text": "x", "%b": ' % name + b"[" * depth + b"]" * depth + b"}", 400, says)
            for name in (b"text", b"start", b"kind", b"link", b"tags", b"other")
            for depth, says in ((100, ": "), (300, ": "), (800, ": "), (20_000, "nested too deeply"))
        ),
        (b'{"text": "x", "tags": {"a": %b}}' % (b"[" * 500 + b"]" * 500), 400, "found list; use text"),
        *((b'{"text": "x", "start": %b}' % number, 400, "") for number in NO_INSTANTS),
        *((b'{"text": "x", "end": %b}' % number, 400, "") for number in NO_INSTANTS),
        (b'{"text": "\\ud800"}', 400, "not JSON"),
        (b'{"text": "x", "tags": {"\\udfff": "x"}}', 400, "not JSON"),
        (b'{"\\ud800": "x", "text": "x"}', 400, "not JSON"),
        (b'{"text": "\xed\xa0\x80"}', 400, "not JSON"),
        (b'{"text": "\\u0000"}', 400, "control character"),
        (b'{"text": "a", "text": "b"}', 400, "'text' stands there twice; keep one of them"),
        (b'{"text": "x", "tags": {"a": "1", "a": "1"}}', 400, "'a' stands there twice"),
        (
            b'{"text": "x", "start": "%b"}' % (b"9" * 60_000),
            400,
            "start: has 60,000 characters; use RFC 3339",
        ),
        (b'{"text": "x", "end": "-%bm"}' % (b"9" * 60_000), 400, "end: has 60,002 characters"),
        (b'{"text": "x", "kind": "%b"}' % (b"a" * 60_000), 400, "kind: found 'aaaa"),
        (b'{"text": "x", "kind": 7}', 400, "kind: found int"),
        (b'{"%b": 1}' % (b"k" * 60_000), 400, "kkk…: is not known; use at"),
        (
            b"{%b}" % b",".join(b'"%d":1' % number for number in range(6_000)),
            400,
            "and 5,990 more are not known",
        ),
        (
            b'{"text": "x", "tags": {%b}}' % b",".join(b'"%d":1' % number for number in range(5_000)),
            400,
            "found 5,000; at most 32",
        ),
    ],
)
def test_a_wrong_body_is_refused_with_its_reasons(
    url: str, recording: Recording, body: bytes, status: int, says: str
) -> None:
    response = post(url, body)
    assert (response.status_code, says in response.text) == (status, True), response.text[:500]
    assert len(response.text) < 4_000
    assert kept(recording) == []


def test_json_must_be_announced_so_that_no_form_of_a_web_page_will_do(url: str) -> None:
    assert post(url, **{"Content-Type": "application/x-www-form-urlencoded"}).status_code == 415
    assert post(url, **{"Content-Type": "application/json; charset=utf-8"}).status_code == 200


def test_a_recording_that_has_gone_is_told_as_something_to_repeat(
    url: str, recording: Recording, recording_dir: Path
) -> None:
    recording_dir.rename(recording_dir.with_name("elsewhere"))
    response = post(url)
    assert (response.status_code, str(recording_dir) in response.text) == (503, False)
    recording_dir.with_name("elsewhere").rename(recording_dir)
    assert post(url).status_code == 200


# The real program.


@pytest.fixture
def start(run_process: RunProcess, recording_dir: Path) -> Callable[..., Any]:
    def start(*more: object) -> Any:
        return run_process(
            *("vistio-record", "run", "--source", "simulator", "--recording", recording_dir, "--port", "0"),
            *("--interval", "200ms", "--timeout", "200ms", "--delay", "0s", *more),
        )

    return start


def test_without_a_token_file_the_route_is_off_and_says_how_to_switch_it_on(
    start: Callable[..., Any],
) -> None:
    url = start().wait_for_line(r"metrics=(http\S+)/metrics")[1]
    response = post(f"{url}/annotations")
    assert (response.status_code, "--token-file" in response.text) == (403, True)


def test_a_running_recorder_takes_annotations_from_everywhere_at_once(
    start: Callable[..., Any], recording_dir: Path, token_file: Path, run_process: RunProcess
) -> None:
    process = start("--token-file", token_file)
    process.wait_for_line(r"scrape\.committed")
    url = process.wait_for_line(r"metrics=(http\S+)/metrics")[1]
    answers: list[requests.Response] = []
    same = {"text": "same", "start": NOON}
    bodies = [*({"text": str(number), "start": NOON} for number in range(8)), *([same] * 8)]
    threads = [
        Thread(target=lambda body=body: answers.append(post(f"{url}/annotations", body))) for body in bodies
    ]
    for thread in threads:
        thread.start()
    shell = run_process("vistio-record", "annotate", "--recording", recording_dir, "--at", NOON, "same")
    printed = shell.wait().strip()
    for thread in threads:
        thread.join(30)
    assert [answer.status_code for answer in answers] == [200] * 16
    log = process.terminate()
    assert TOKEN not in log
    recording = Recording.open(recording_dir)
    assert [row["text"] for row in sorted(kept(recording), key=lambda row: row["text"])] == [
        *"01234567",
        "same",
    ]
    assert printed in {row["id"] for row in kept(recording)}
    assert all(not checked.problems for checked in recording.verify())


def test_a_token_file_that_cannot_be_used_is_an_error_at_the_start(
    start: Callable[..., Any], recording_dir: Path, token_file: Path
) -> None:
    token_file.write_text("short")
    assert "openssl rand" in start("--token-file", token_file).wait(exit_code=1)
    assert not recording_dir.exists()


def test_the_page_names_every_field() -> None:
    assert {name for name in FIELDS if f"`{name}`" not in PAGE} == set()
