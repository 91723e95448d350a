"""YAML text as plain values that know their line; scalars stay text, as they were written.

PyYAML composes the nodes; nothing is ever constructed from a tag, so a file cannot run code.
What a scalar means is decided later, by the key it stands at: ``0755`` is text for a name and
a number for a volume, as in Go's yaml.v2, for which the files were written.

A hostile file must not hang or crash us. Depth is limited while composing; an anchor that is
used again is shared, never copied; merged keys are counted. Whoever walks the values goes
through shared ones again and again and has to count too (`structure`).
"""

from __future__ import annotations

from typing import TypeAlias

import attrs
import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from vistio_core.errors import Problem

MAX_CHARACTERS = 1 << 20
"""As large as a Kubernetes ConfigMap can be, where these files usually live."""
MAX_DEPTH = 50
MAX_MERGED_KEYS = 50_000

_MERGE = "tag:yaml.org,2002:merge"
_NULL = "tag:yaml.org,2002:null"
_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")


@attrs.frozen(eq=False)
class Scalar:
    """One value, as text."""

    text: str
    line: int
    is_null: bool = False
    is_quoted: bool = False
    """Quoted text is never a number, unless tagged as one."""


@attrs.frozen(eq=False)
class Items:
    """A YAML sequence."""

    values: tuple[Located, ...]
    line: int


@attrs.frozen(eq=False)
class Table:
    """A YAML mapping, merge keys resolved."""

    entries: dict[str, Located]
    line: int
    key_lines: dict[str, int]


Located: TypeAlias = Scalar | Items | Table


@attrs.frozen
class Document:
    """The first document of a text, with what is wrong in it."""

    root: Located | None
    """None when the text has no document, or is not YAML."""
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    node: Node | None = attrs.field(default=None, eq=False, repr=False)
    """PyYAML's own node of the root."""


def read_yaml(text: str) -> Document:
    """The first document in ``text``; as with Vistio, further ones are left unread."""
    if len(text) > MAX_CHARACTERS:
        found = f"found {len(text)} characters; allowed are {MAX_CHARACTERS}, use several recorders"
        return Document(None, (Problem("", found),))
    try:
        composer = _Composer(text)
        node = composer.get_node() if composer.check_node() else None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = None if mark is None else mark.line + 1
        what = ", ".join(part for part in (error.context, error.problem) if part)
        return Document(None, (Problem("", f"not YAML: {what}; {_remedy(error, line)}", line),))
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        character = ord(text[error.position])
        what = f"not YAML: found character U+{character:04X}, which cannot be printed; remove it"
        return Document(None, (Problem("", what, line),))
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        # PyYAML lets some through from chr() and int(), for "\UFFFFFFFF" and the like.
        what = (
            f"not YAML: {type(error).__name__}: {error}; look for an escape (\\U, \\x) that is no character"
        )
        return Document(None, (Problem("", what),))
    if node is None:
        return Document(None)
    reader = _Reader()
    root = reader.read(node, "")
    return Document(root, tuple(reader.problems), tuple(_further_documents(composer)), node)


# What PyYAML complains of, in its own words, and what usually is the matter.
_REMEDIES = (
    ("found character '\\t'", "indent with spaces"),
    ("undefined alias", "define it before, as in &name, or put a text that begins with * in quotes"),
    ("quoted scalar", "close the quotes"),
    (
        "flow ",
        "close each bracket, one comma between two values; a text with brackets or commas needs quotes",
    ),
    (
        "mapping values are not allowed",
        "indent the keys of a mapping alike; a text with a colon needs quotes",
    ),
    ("could not find expected ':'", "write KEY: VALUE, with a blank after the colon"),
    ("block", "indent what belongs together alike, with spaces"),
    ("cannot start any token", "put a text that begins with this character in quotes"),
)


def _remedy(error: yaml.MarkedYAMLError, line: int | None) -> str:
    found = f"{error.context}, {error.problem}"
    remedy = next(
        (remedy for words, remedy in _REMEDIES if words in found), "mend the YAML there or just before"
    )
    begins = error.context_mark.line + 1 if error.context_mark is not None else line
    return remedy if begins == line else f"{remedy}; look from line {begins} on"


def _further_documents(composer: _Composer) -> list[Problem]:
    try:
        if not composer.check_node():
            return []
        line = composer.peek_event().start_mark.line + 1  # type: ignore[no-untyped-call]  # types-PyYAML
    except (yaml.YAMLError, ValueError, OverflowError):
        return []
    return [Problem("", "a second document starts here; only the first is read", line)]


class _Composer(yaml.SafeLoader):
    """PyYAML's composer, which recurses, with a limit on the depth."""

    _depth = 0

    def compose_node(self, parent: Node | None, index: int) -> Node | None:
        if self._depth >= MAX_DEPTH:
            raise yaml.MarkedYAMLError(
                problem=f"found values nested deeper than {MAX_DEPTH}; a configuration needs 8",
                problem_mark=self.peek_event().start_mark,  # type: ignore[no-untyped-call]  # types-PyYAML
            )
        self._depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1


class _Reader:
    """Turns nodes into values; each node once, however often it is referred to."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self._known: dict[int, Located] = {}
        self._open: set[int] = set()
        self._merged = 0

    def read(self, node: Node, path: str) -> Located:
        if (known := self._known.get(id(node))) is not None:
            return known
        line = node.start_mark.line + 1
        if id(node) in self._open:
            self._refuse(path, "an anchor contains itself; remove the alias (*...) here", line)
            return Scalar("", line, is_null=True)
        self._open.add(id(node))
        value: Located
        if isinstance(node, MappingNode):
            value = self._table(node, path, line)
        elif isinstance(node, SequenceNode):
            value = Items(tuple(self.read(item, f"{path}[{i}]") for i, item in enumerate(node.value)), line)
        else:
            value = _scalar(node, line)
        self._open.remove(id(node))
        self._known[id(node)] = value
        return value

    def _table(self, node: MappingNode, path: str, line: int) -> Table:
        table, merged = Table({}, line, {}), Table({}, line, {})
        for key_node, value_node in node.value:
            key_line = key_node.start_mark.line + 1
            if key_node.tag == _MERGE:
                self._merge(value_node, merged, path, key_line)
            elif not isinstance(key_node, ScalarNode):
                self._refuse(
                    path,
                    "found a list or mapping as a key; a key is text: render {{ ... }} before, or use quotes",
                    key_line,
                )
            elif (key := key_node.value) in table.entries:
                message = f"found twice, first in line {table.key_lines[key]}; keep one of them"
                self._refuse(join(path, key), message, key_line)
            else:
                table.entries[key] = self.read(value_node, join(path, key))
                table.key_lines[key] = key_line
        # A mapping's own keys win over merged ones, wherever "<<" stands.
        return Table(merged.entries | table.entries, line, merged.key_lines | table.key_lines)

    def _merge(self, node: Node, merged: Table, path: str, line: int) -> None:
        sources = node.value if isinstance(node, SequenceNode) else [node]
        for source in sources:
            table = self.read(source, join(path, "<<")) if isinstance(source, MappingNode) else None
            if not isinstance(table, Table):
                message = "a merge key (<<) takes a mapping or a list of mappings"
                self._refuse(join(path, "<<"), message, line)
                return
            self._merged += len(table.entries) + 1
            if self._merged > MAX_MERGED_KEYS:
                message = f"merge keys (<<) bring more than {MAX_MERGED_KEYS} keys; write fewer of them"
                if self._merged - len(table.entries) - 1 <= MAX_MERGED_KEYS:
                    self._refuse(join(path, "<<"), message, line)
                return
            for key, value in table.entries.items():
                if key not in merged.entries:  # of several sources the first one wins
                    merged.entries[key] = value
                    merged.key_lines[key] = table.key_lines[key]

    def _refuse(self, path: str, message: str, line: int) -> None:
        self.problems.append(Problem(path, message, line))


def join(path: str, key: str) -> str:
    """The key path of ``key`` in the mapping at ``path``."""
    return f"{path}.{key}" if path else key


def _scalar(node: Node, line: int) -> Scalar:
    quoted = getattr(node, "style", None) is not None and node.tag not in _NUMBERS
    return Scalar(node.value, line, is_null=node.tag == _NULL, is_quoted=quoted)
