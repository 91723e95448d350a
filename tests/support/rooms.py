"""Who imports whom in the three packages, read from their sources; and what the reading guide says of it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import attrs

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "reading-the-source.md"
PICTURE = ROOT / "docs" / "rooms.svg"
PACKAGES = ("vistio_core", "vistio_record", "vistio_serve")
ROOF = "vistio_core/__init__.py"
"""What users of the library import. It is a room of its own: the other files of its folder are the ground floor."""
_NO_PYTHON = "vistio_serve/web/"

Arrows = Mapping[str, frozenset[str]]


@attrs.frozen
class Import:
    """One module that a file imports, wherever in the file that is said."""

    name: str
    """With dots: of a module, or of something in one."""
    for_types_only: bool = False


@attrs.frozen
class Source:
    """A file of the packages."""

    path: str
    """From the root of the project, with slashes."""
    tree: ast.Module = attrs.field(repr=False, eq=False)
    lines: int

    @property
    def room(self) -> str:
        """Its folder; the roof is its own."""
        return self.path if self.path == ROOF else self.path.rpartition("/")[0] + "/"

    @property
    def imports(self) -> list[Import]:
        return [*imports_in(self.tree)]


@cache
def sources() -> Mapping[str, Source]:
    """All files by their paths."""
    found = {}
    for package in PACKAGES:
        for file in sorted((ROOT / package).rglob("*.py")):
            path = file.relative_to(ROOT).as_posix()
            if not path.startswith(_NO_PYTHON):
                text = file.read_text(encoding="utf-8")
                found[path] = Source(path, ast.parse(text), len(text.splitlines()))
    return found


def imports_in(tree: ast.AST, *, for_types_only: bool = False) -> Iterator[Import]:
    """Every import in a file: at its head, in a function, or only for types."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, for_types_only) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports name their package, so that they can be searched for"
            yield from (Import(f"{node.module}.{alias.name}", for_types_only) for alias in node.names)
        elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            for child in node.body:
                yield from imports_in(ast.Module([child], []), for_types_only=True)
            for child in node.orelse:
                yield from imports_in(ast.Module([child], []), for_types_only=for_types_only)
        else:
            yield from imports_in(node, for_types_only=for_types_only)


def file_of(name: str) -> str | None:
    """The file that an import leads to; None for what is not ours."""
    if name.partition(".")[0] not in PACKAGES:
        return None
    while name:
        path = name.replace(".", "/")
        for candidate in (f"{path}.py", f"{path}/__init__.py"):
            if candidate in sources():
                return candidate
        name = name.rpartition(".")[0]
    raise AssertionError("every package has an __init__.py")


@cache
def file_arrows() -> Arrows:
    """Each file to those of ours that it imports."""
    return {
        path: frozenset(filter(None, (file_of(each.name) for each in source.imports))) - {path}
        for path, source in sources().items()
    }


@cache
def room_arrows() -> Arrows:
    """Each room to the other ones that its files import."""
    arrows: dict[str, set[str]] = {}
    for path, imported in file_arrows().items():
        room = sources()[path].room
        arrows.setdefault(room, set()).update(sources()[each].room for each in imported)
    return {room: frozenset(imported - {room}) for room, imported in arrows.items()}


def circle_in(arrows: Mapping[str, Iterable[str]]) -> list[str]:
    """A way that leads back to where it began; empty without one."""
    try:
        TopologicalSorter(arrows).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def rows_of_table(first_column: str) -> list[list[str]]:
    """The cells of the guide's table with this head of its first column."""
    text = GUIDE.read_text(encoding="utf-8")
    table = re.search(rf"^\| {re.escape(first_column)} \|.*\n\|(?:---\|)+\n((?:\|.*\n)+)", text, re.MULTILINE)
    assert table, f"{GUIDE.name} has no table whose first column is called {first_column!r}"
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[1].splitlines()]


def names_in(cell: str) -> list[str]:
    """What stands in backticks."""
    return re.findall(r"`([^`]+)`", cell)


@cache
def stated_rooms() -> Arrows:
    """The guide's table of rooms, from top to bottom: each with those that it may import."""
    stated: dict[str, frozenset[str]] = {}
    for room, imports, *_ in rows_of_table("room"):
        allowed = stated.keys() if imports == "any of them" else names_in(imports)
        stated[names_in(room)[0]] = frozenset(allowed)
    return stated
