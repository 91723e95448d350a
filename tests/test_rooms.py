"""The reading guide says who may import whom, and which file knows what lies outside: both are true."""

from __future__ import annotations

import ast
import os
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from functools import cache

import pytest
from draw_rooms import drawing, drawn_arrows
from support.rooms import (
    GUIDE,
    PACKAGES,
    PICTURE,
    ROOT,
    Source,
    circle_in,
    file_arrows,
    file_of,
    imports_in,
    names_in,
    room_arrows,
    rows_of_table,
    sources,
    stated_rooms,
)

MOST_LINES_OF_A_FILE = 400
MOST_LINES_OF_A_FUNCTION = 60

# What `os` can do to files; the rest of it is about processes and users.
FILE_FUNCTIONS = {
    *(function.__name__ for function in os.supports_fd | os.supports_dir_fd | os.supports_follow_symlinks),
    *("fsync", "listdir", "makedirs", "path", "removedirs", "walk"),
}
OS_FOR_FILES = "the functions of `os` for files"

_INSTANT = re.compile(r"(?:^|_)(?:instant|start|end|at|asked|first|last|before|after|from|until|now)_ms$")


# -- rooms


def test_no_file_imports_itself_by_way_of_others() -> None:
    assert circle_in(file_arrows()) == []


def test_no_room_imports_itself_by_way_of_others() -> None:
    assert circle_in(room_arrows()) == []


def test_the_guide_has_every_room() -> None:
    assert sorted(stated_rooms()) == sorted(room_arrows())


def test_imports_lead_from_a_room_to_those_that_the_guide_names() -> None:
    against = [
        f"{path} imports {other}"
        for path, imported in file_arrows().items()
        for room in [sources()[path].room]
        for other in sorted(imported)
        if sources()[other].room not in {room, *stated_rooms()[room]}
    ]
    assert against == []


def test_all_imports_are_there_that_the_guide_names() -> None:
    missing = [
        f"{room} imports nothing of {other}"
        for room, imported in stated_rooms().items()
        if room != "vistio_core/__init__.py"  # "any of them"
        for other in sorted(imported - room_arrows()[room])
    ]
    assert missing == []


def test_the_guide_has_each_room_below_those_that_it_imports() -> None:
    order = list(stated_rooms())
    upward = [
        f"{room} imports {other}"
        for room, imported in stated_rooms().items()
        for other in sorted(imported)
        if other not in order or order.index(other) >= order.index(room)
    ]
    assert upward == []


def test_the_two_programs_know_the_library_and_not_each_other() -> None:
    for room, imported in room_arrows().items():
        package = room.partition("/")[0]
        others = {other.partition("/")[0] for other in imported} - {package}
        assert others <= {"vistio_core"}, room
        if package == "vistio_core":
            assert others == set(), f"{room}: the library does without the programs"


def test_only_programs_import_what_is_for_command_lines() -> None:
    assert {room for room, imported in room_arrows().items() if "vistio_core/commandline/" in imported} == {
        "vistio_record/",
        "vistio_serve/",
    }


def test_the_guide_names_every_file_of_a_room() -> None:
    unnamed = []
    for cell, _, what in rows_of_table("room"):
        [room] = names_in(cell)
        named = {f"{room}{name}" for name in names_in(what) if name.endswith(".py")}
        unnamed += sorted(named - sources().keys())  # gone, or misspelt
        own = {path for path, source in sources().items() if source.room == room}
        unnamed += sorted(path for path in own - named if not path.endswith(("__init__.py", "__main__.py")))
    assert unnamed == []


def test_every_link_of_the_guide_leads_to_a_file() -> None:
    links = re.findall(r"\]\(([^)#]+)", GUIDE.read_text(encoding="utf-8"))
    assert len(links) > 40
    assert [link for link in links if not (GUIDE.parent / link).exists()] == []


def test_the_picture_has_the_arrows_of_the_imports() -> None:
    imported = {(room, other) for room, others in room_arrows().items() for other in others}
    assert drawn_arrows(PICTURE.read_text(encoding="utf-8")) == imported, (
        "draw it again: python tests/draw_rooms.py"
    )


def test_the_picture_says_what_the_guide_says_of_each_room() -> None:
    drawn = re.findall(r">([^<>]+)</text>", PICTURE.read_text(encoding="utf-8"))
    for cell, _, what in rows_of_table("room"):
        assert names_in(cell)[0] in drawn
        assert any(text != "" and what.startswith(text.replace("&#39;", "'")) for text in drawn), what


def test_what_is_drawn_tells_arrows_that_are_implied_from_the_others() -> None:
    arrows = {"a/": frozenset({"b/", "c/"}), "b/": frozenset({"c/"}), "c/": frozenset()}
    faint = [line.partition(" [")[0] for line in drawing(arrows).splitlines() if "->" in line and "[" in line]
    assert faint == ['"a/" -> "c/"']


# -- what lies outside


@cache
def outside(source: Source) -> frozenset[str]:
    """What a file uses that is not ours, each as the guide's table calls it: modules, `open()`, files by `os`.

    What is only named for types is not used; but who names a `Path` is given one, and can open it.
    """
    used = {
        each.name
        for each in source.imports
        if file_of(each.name) is None and (not each.for_types_only or is_way("pathlib", each.name))
    }
    if any(f"os.{function}" in used for function in FILE_FUNCTIONS):  # from os import ...
        used.add(OS_FOR_FILES)
    for node in ast.walk(source.tree):
        match node:
            case ast.Call(func=ast.Name(id="open")):
                used.add("open()")
            case ast.Attribute(value=ast.Name(id="os"), attr=attribute) if attribute in FILE_FUNCTIONS:
                used.add(OS_FOR_FILES)
    return frozenset(used)


def stated_outside() -> Iterator[tuple[list[str], set[str] | None]]:
    """The guide's table: what an outside thing is called in sources, and the files that know it; None for all."""
    for _, ways, files in rows_of_table("outside thing"):
        called = names_in(ways.replace(OS_FOR_FILES, ""))
        if OS_FOR_FILES in ways:
            called.append(OS_FOR_FILES)
        yield called, None if files == "anywhere" else set(names_in(files))


def is_way(called: str, used: str) -> bool:
    return used == called or used.startswith(f"{called}.")


def test_each_outside_thing_is_known_to_the_files_that_the_guide_names() -> None:
    for called, stated in stated_outside():
        if stated is not None:
            know = {
                path
                for path, source in sources().items()
                if any(is_way(way, used) for way in called for used in outside(source))
            }
            assert know == stated, called


def test_the_guide_names_every_library_that_is_used() -> None:
    called = [way for ways, _ in stated_outside() for way in ways]
    unnamed = {
        f"{path}: {used}"
        for path, source in sources().items()
        for used in outside(source)
        if used.partition(".")[0] not in {*sys.stdlib_module_names, "open()", OS_FOR_FILES}
        and not any(is_way(way, used) for way in called)
    }
    assert unnamed == set()


# -- names, sizes, units, values


def classes() -> Iterator[tuple[str, ast.ClassDef]]:
    for path, source in sources().items():
        for node in ast.walk(source.tree):
            if isinstance(node, ast.ClassDef):
                yield path, node


def test_no_two_classes_have_the_same_name() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for path, node in classes():
        places[node.name].append(path)
    assert {name: paths for name, paths in places.items() if len(paths) > 1} == {}


def test_functions_are_short() -> None:
    long = [
        f"{path}: {node.name} has {node.end_lineno - node.lineno + 1} lines"
        for path, source in sources().items()
        for node in ast.walk(source.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno + 1 > MOST_LINES_OF_A_FUNCTION
    ]
    assert long == []


def rule_about(words: str) -> str:
    """The item of the guide's list of rules that has these words."""
    rules = re.split(r"^- ", GUIDE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    [rule] = [rule for rule in rules if words in rule]
    return rule


def test_files_are_short_but_for_those_that_the_guide_names() -> None:
    rule = rule_about(f"files {MOST_LINES_OF_A_FILE}")
    assert f"{MOST_LINES_OF_A_FUNCTION} lines" in rule
    long = {path for path, source in sources().items() if source.lines > MOST_LINES_OF_A_FILE}
    assert long == set(names_in(rule))


def test_what_changes_is_named_by_the_guide() -> None:
    decorated = {
        node.name
        for _, node in classes()
        if any(ast.unparse(each).partition("(")[0] == "attrs.define" for each in node.decorator_list)
    }
    assert decorated == set(names_in(rule_about("`attrs.define`"))) - {"attrs.frozen", "attrs.define"}


def test_classes_of_attrs_are_frozen_or_defined() -> None:
    used = {
        ast.unparse(each).partition("(")[0]
        for _, node in classes()
        for each in node.decorator_list
        if ast.unparse(each).startswith("attr")
    }
    assert used == {"attrs.frozen", "attrs.define"}


def annotated() -> Iterator[tuple[str, str, str]]:
    """Path, name and annotation of every parameter, field and variable that has one."""
    for path, source in sources().items():
        for node in ast.walk(source.tree):
            if isinstance(node, ast.arg) and node.annotation is not None:
                yield path, node.arg, ast.unparse(node.annotation)
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name | ast.Attribute):
                name = node.target.id if isinstance(node.target, ast.Name) else node.target.attr
                yield path, name, ast.unparse(node.annotation)


def test_instants_are_whole_milliseconds() -> None:
    wrong = [
        f"{path}: {name}: {annotation}"
        for path, name, annotation in annotated()
        if _INSTANT.search(name) and re.search(r"\b(?:float|Floats|str|datetime|Any|object)\b", annotation)
    ]
    assert wrong == []
    dated = [
        f"{path}: {name}" for path, name, annotation in annotated() if re.search(r"\bdatetime\b", annotation)
    ]
    assert {each.partition(":")[0] for each in dated} <= {"vistio_core/times.py"}


# -- this test itself


@pytest.mark.parametrize(
    "text",
    [
        "import a.b",
        "import a.b as c",
        "from a import b",
        "from a import b as c",
        "def f():\n    from a import b",
        "try:\n    import a.b\nexcept ImportError:\n    pass",
        "if x:\n    pass\nelse:\n    from a import (\n        b,\n    )",
        "class C:\n    import a.b",
        "if not TYPE_CHECKING:\n    import a.b",
        "if TYPE_CHECKING:\n    pass\nelse:\n    import a.b",
    ],
)
def test_an_import_is_seen_however_it_is_written(text: str) -> None:
    assert [(each.name, each.for_types_only) for each in imports_in(ast.parse(text))] == [("a.b", False)]


def test_an_import_for_types_only_is_told_from_others() -> None:
    text = "if TYPE_CHECKING:\n    from a import b\n    if x:\n        import c\nimport d"
    found = [(each.name, each.for_types_only) for each in imports_in(ast.parse(text))]
    assert found == [("a.b", True), ("c", True), ("d", False)]


def test_a_circle_is_found_behind_a_way_into_it() -> None:
    arrows = {"a": {"b", "c"}, "b": set(), "c": {"d"}, "d": {"e"}, "e": {"c"}}
    assert set(circle_in(arrows)) == {"c", "d", "e"}
    assert circle_in({**arrows, "e": {"b"}}) == []


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("vistio_core.times.HOUR_MS", "vistio_core/times.py"),
        ("vistio_core.errors", "vistio_core/errors.py"),
        ("vistio_core.frontends", "vistio_core/frontends/__init__.py"),
        ("vistio_core.Recording", "vistio_core/__init__.py"),
        ("vistio_core.storage.store.Store.open", "vistio_core/storage/store.py"),
        ("vistio_corelike.x", None),
        ("os.path", None),
    ],
)
def test_an_import_leads_to_its_file(name: str, path: str | None) -> None:
    assert file_of(name) == path


def test_all_files_of_the_packages_are_read() -> None:
    assert len(sources()) > 150
    assert {path.partition("/")[0] for path in sources()} == set(PACKAGES)
    assert all((ROOT / path).exists() for path in sources())
