"""What is said has its translation, with the same facts in it; and how it is told."""

from __future__ import annotations

import ast
import re
import string
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import vistio_core
from vistio_core.errors import UsageError, VistioError
from vistio_core.events import Outcome
from vistio_core.judging.seen import STALE
from vistio_core.replay.comparison import CHANGES
from vistio_core.replay.gaps import REASONS, said
from vistio_core.report.charts import RATES
from vistio_core.report.page import IN_REPLAY
from vistio_core.sentences import Cut, Joined, Said, Sentence, say, told

ROOT = Path(vistio_core.__file__).parent.parent
CHINESE: dict[str, str] = tomllib.loads((ROOT / "vistio_core/zh.toml").read_text(encoding="utf-8"))
SOURCES = sorted(
    file
    for package in ("vistio_core", "vistio_record", "vistio_serve")
    for file in (ROOT / package).rglob("*.py")
)
# What has a name in the sources, and is said by it.
BY_NAME = {
    *REASONS, *CHANGES, *RATES, *IN_REPLAY, STALE, "cluster", "node",
    *(outcome.value for outcome in Outcome if outcome is not Outcome.OK),
}  # fmt: skip
SAYING = ("say", "t")
PLAIN = ROOT / "vistio_serve/static"


def texts_of(node: ast.expr) -> Iterator[str]:
    """The texts that an argument can be."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.IfExp(body=body, orelse=orelse):
            yield from texts_of(body)
            yield from texts_of(orelse)


def keys_in(tree: ast.AST) -> Iterator[str]:
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call):
            continue
        name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
        if name in SAYING and call.args:
            yield from texts_of(call.args[0])
        if name == "Joined":
            yield from texts_of(call.args[1])


def keys_of_documents() -> Iterator[str]:
    yield from re.findall(r"\{\{(.+?)\}\}", (PLAIN / "index.html").read_text(encoding="utf-8"))
    yield from re.findall(r'\bt\("([^"]+)"', (PLAIN / "page.js").read_text(encoding="utf-8"))


def said_in_sources() -> set[str]:
    trees = [ast.parse(file.read_text(encoding="utf-8")) for file in SOURCES]
    return {key for tree in trees for key in keys_in(tree)} | {*keys_of_documents()} | BY_NAME


def facts_of(text: str) -> set[tuple[str, str, str]]:
    """Of a text: the name of each fact, and how it is told."""
    return {
        (name, spec or "", conversion or "")
        for _, name, spec, conversion in string.Formatter().parse(text)
        if name is not None
    }


def has_words(text: str) -> bool:
    return re.search(r"[A-Za-z]", re.sub(r"\{[^}]*\}", "", text)) is not None


def test_all_that_is_said_has_its_chinese_with_nothing_left_over() -> None:
    keys = said_in_sources()
    assert sorted(key for key in keys if has_words(key) and key not in CHINESE) == []
    assert sorted(key for key in CHINESE if key not in keys) == []


def test_what_is_put_in_is_the_same_in_both_languages() -> None:
    assert {key for key, chinese in CHINESE.items() if facts_of(key) != facts_of(chinese)} == set()


def test_no_sentence_is_left_english_in_the_chinese_catalogue() -> None:
    english = re.compile(r"(?:[A-Za-z]{2,} ){2,}[a-z]{2,}")
    assert {
        chinese for chinese in CHINESE.values() if english.search(re.sub(r"`[^`]*`|\{[^}]*\}", "", chinese))
    } == set()


ANSWERED = (
    *("access/guard.py", "access/origins.py", "diagnosis/asking.py", "diagnosis/heat.py", "frontends/*.py"),
    *(
        "graph/numbering.py",
        "recording/annotation_fields.py",
        "replay/frames/sums.py",
        "storage/annotations.py",
    ),
    "times.py",
)
"""Of the library, what refuses what was asked over HTTP."""
OF_COMMANDS = ("cli", "demo", "forwarding", "leash", "memory", "opening", "recorder", "server")
"""Of the server, what speaks to who starts it."""


OURS = {
    *("UsageError", "InvalidTimeError", "ParameterError", "TooLargeError", "BusyError"),
    *("NotKnownError", "NotAllowedError", "TooOftenError", "LockedError"),
}


def bare_errors_in(tree: ast.AST) -> Iterator[str]:
    """Errors of ours whose message is a text: nobody could tell it in another language."""
    for call in ast.walk(tree):
        match call:
            case ast.Call(func=ast.Name(id=name), args=[ast.Constant() | ast.JoinedStr() | ast.BinOp(), *_]):
                if name in OURS:
                    yield f"{name}, line {call.lineno}"


def test_what_is_refused_over_http_is_a_sentence() -> None:
    files = [file for pattern in ANSWERED for file in (ROOT / "vistio_core").glob(pattern)]
    files += [file for file in (ROOT / "vistio_serve").glob("*.py") if file.stem not in OF_COMMANDS]
    found = {
        str(file.relative_to(ROOT)): errors
        for file in files
        if (errors := list(bare_errors_in(ast.parse(file.read_text("utf-8")))))
    }
    assert found == {}


@pytest.mark.parametrize(
    ("source", "errors"),
    [
        ('raise UsageError(f"{a}: no")', ["UsageError, line 1"]),
        ('raise BusyError("no")', ["BusyError, line 1"]),
        ('raise UsageError("a" + b)', ["UsageError, line 1"]),
        ('raise UsageError(say("no"))', []),
        ('raise ValueError("no")', []),
    ],
)
def test_that_test_sees(source: str, errors: list[str]) -> None:
    assert list(bare_errors_in(ast.parse(source))) == errors


@pytest.mark.parametrize(
    ("source", "keys"),
    [
        ('say("one {a}", a=1)', ["one {a}"]),
        ('say("one " "two")', ["one two"]),
        ('say("one" if a else "two")', ["one", "two"]),
        ('self.t("one")', ["one"]),
        ('Joined(parts, " or ")', [" or "]),
        ('other("one")', []),
    ],
)
def test_this_test_sees(source: str, keys: list[str]) -> None:
    assert list(keys_in(ast.parse(source))) == keys


def test_a_sentence_is_told_in_a_language_and_is_english_by_itself() -> None:
    sentence = say("parameter {name!r}: {wrong}", name="at", wrong=say("nothing changed"))
    assert str(sentence) == f"{sentence}" == "parameter 'at': nothing changed"
    assert repr(sentence) == repr("parameter 'at': nothing changed")
    assert sentence.told("zh") == "参数 'at'：没有变化"


def test_what_is_put_in_is_never_read_as_a_text() -> None:
    assert say("{field}: {wrong}", field="{wrong}", wrong="{0}{x!r}").told("zh") == "{wrong}：{0}{x!r}"


def test_a_text_without_translation_is_english_in_every_language() -> None:
    assert say("nobody says this: {a:.1f}", a=1.25).told("zh") == "nobody says this: 1.2"


@pytest.mark.parametrize(
    ("words", "english", "chinese"),
    [
        (Joined([say("not seen"), "db"], ", "), "not seen, db", "无数据、db"),
        (Joined([], ", "), "", ""),
        (Cut(say("nothing changed"), 7), "nothing…", "没有变化"),
        (Cut(say("nothing changed"), 15), "nothing changed", "没有变化"),
        (say("not seen").having(a=1), "not seen", "无数据"),
        ("db", "db", "db"),
    ],
)
def test_parts_are_told_one_after_the_other(words: Said, english: str, chinese: str) -> None:
    assert (str(words), told(words, "en"), told(words, "zh")) == (english, english, chinese)


def test_an_error_is_english_and_can_be_told() -> None:
    error = UsageError(say("nothing changed"))
    assert (str(error), repr(error)) == ("nothing changed", "UsageError('nothing changed')")
    assert isinstance(error.said, Sentence)
    assert error.said.told("zh") == "没有变化"
    assert VistioError("what others say").said == "what others say"
    assert VistioError().said == ""


@pytest.mark.parametrize(
    ("reason", "chinese"),
    [
        ("not running", "记录器未运行"),
        ("not seen: mesh/http: connection refused", "无数据：mesh/http: connection refused"),
        ("failed: writer b recorded nothing", "失败：writer b 没有记录任何内容"),
        ("timeout: no answer within 9s", "超时：no answer within 9s"),
        ("what nobody knows: 1", "what nobody knows: 1"),
        ("", ""),
    ],
)
def test_a_reason_of_a_gap_is_told_and_what_was_recorded_of_it_stays(reason: str, chinese: str) -> None:
    assert told(said(reason), "en") == reason
    assert told(said(reason), "zh") == chinese
