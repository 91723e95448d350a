"""docs/log-events.md has every event that the programs log, with its level: no more and no less."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "log-events.md"
LEVELS = {"debug": "debug", "info": "info", "warning": "warning", "error": "error", "exception": "error"}
LOGS = LEVELS.keys() | {"critical", "log", "warn"}
PACKAGES = ("vistio_core", "vistio_record", "vistio_serve")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def literals(argument: ast.expr) -> Iterator[str]:
    """The texts that an argument can be; one that is made of others is none that a page could have."""
    if isinstance(argument, ast.IfExp):
        yield from literals(argument.body)
        yield from literals(argument.orelse)
    else:
        assert isinstance(argument, ast.Constant), ast.unparse(argument)
        assert isinstance(argument.value, str), ast.unparse(argument)
        yield argument.value


def events_in(source: str) -> Iterator[tuple[str, str]]:
    """Each event that a module logs, and its level."""
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        logger = node.func.value
        if isinstance(logger, ast.Name) and logger.id == "log" and node.func.attr in LOGS:
            for event in literals(node.args[0]):
                yield event, LEVELS[node.func.attr]


def logged() -> set[tuple[str, str]]:
    return {found for path in SOURCES for found in events_in(path.read_text(encoding="utf-8"))}


def rows() -> list[tuple[str, str, str]]:
    """Event, level and when of each row of the page."""
    text = PAGE.read_text(encoding="utf-8")
    return re.findall(r"^\| `(\w+\.\w+)` \| (\w+) \| ([^|]+) \|[^|]*\|$", text, re.MULTILINE)


def test_every_event_is_documented_with_its_level_and_every_documented_one_is_logged() -> None:
    assert {(event, level) for event, level, _ in rows()} == logged()


def test_each_event_has_one_row() -> None:
    events = [event for event, _, _ in rows()]
    assert sorted(events) == sorted(set(events))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_s_logger_is_called_log(path: Path) -> None:
    """Under another name its events would not be looked for."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and ast.unparse(node.value) == "logging.getLogger(__name__)":
            assert [ast.unparse(target) for target in node.targets] == ["log"]
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {f"logging.{name}" for name in LOGS}:
            pytest.fail(f"line {node.lineno}: it logs past the module's logger")


def test_an_event_is_a_thing_and_what_happened_to_it() -> None:
    assert [event for event, _ in logged() if not re.fullmatch(r"[a-z_]+\.[a-z_]+", event)] == []
