"""A configuration file, read, checked and turned into a `Configuration`.

The way of a text: `yaml_lines` gives values with lines, `places` cuts them to the known keys,
`structure` makes model objects of them, `advice` looks for what will not do what it seems to.
Errors of all steps are raised together.
"""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import attrs

from vistio_core.configuration.advice import advise
from vistio_core.configuration.keys import SHAPES
from vistio_core.configuration.model import (
    DEFAULT_CLASS,
    ClusterLevel,
    Configuration,
    GlobalLevel,
)
from vistio_core.configuration.places import MAX_VALUES, Content, Placed, Placer, TooManyValuesError
from vistio_core.configuration.redaction import redact, redact_yaml
from vistio_core.configuration.structure import structure, structure_list
from vistio_core.configuration.values import RefusedError, describe, read_text
from vistio_core.configuration.yaml_lines import MAX_CHARACTERS, Document, Scalar, Table, read_yaml
from vistio_core.errors import ConfigurationError, Problem
from vistio_core.graph.model import NodeClass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

P = ParamSpec("P")
T = TypeVar("T")

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
DEFAULT_GRAPH_NAME = "vistio"
_START = "start with globalLevel: and clusterLevel:, see docs/configuration.md"


def load(path: str | Path) -> Configuration:
    """The configuration in the file at ``path``.

    Raises:
        ConfigurationError: the file cannot be read or used; has all of its problems.
    """
    file = str(path)
    try:
        with open(path, "rb") as stream:
            # Four bytes a character at most; one more shows that the text is too long.
            content = stream.read(4 * MAX_CHARACTERS + 1)
    except FileNotFoundError as error:
        raise _refuse(file, "no such file; give another one with --config") from error
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path
        reason = getattr(error, "strerror", None) or str(error)
        raise _refuse(file, f"cannot be read: {reason}; give another one with --config") from error
    try:
        text = content.decode("utf-16" if content.startswith(_UTF16) else "utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        message = f"found byte 0x{content[error.start]:02x}, which is not UTF-8; save the file as UTF-8"
        raise ConfigurationError(file, (Problem("", message, line),)) from error
    return loads(text, file)


def loads(text: str, file: str = "<text>") -> Configuration:
    """The configuration in ``text``; ``file`` names it in messages.

    Raises:
        ConfigurationError: the text cannot be used; has all of its problems.
    """
    text = text.removeprefix("\ufeff")
    document = read_yaml(text)
    root = _root_table(document, file)
    placer = Placer()
    try:
        placed = placer.place(root, Configuration, "")
    except TooManyValuesError as error:
        message = f"anchors and aliases write out more than {MAX_VALUES} values; use fewer aliases (*...)"
        raise _refuse(file, message) from error
    problems = list(document.problems) + _duplicate_clusters(placed)
    graph_name = _collect(problems, _graph_name, placed)
    global_level = _collect(problems, structure, _at(placed, "globalLevel", {}), GlobalLevel)
    clusters = _collect(problems, structure_list, _at(placed, "clusterLevel", []), ClusterLevel)
    classes = _collect(problems, structure_list, _at(placed, "classes", []), NodeClass)
    if graph_name is None or global_level is None or clusters is None or classes is None or problems:
        raise ConfigurationError(file, _in_order(problems))
    configuration = Configuration(
        graph_name=graph_name,
        global_level=global_level,
        clusters=clusters,
        classes=_with_default(classes),
        text=redact_yaml(text, document.node),
    )
    warnings = [*document.warnings, *placer.warnings, *advise(placed, configuration)]
    return attrs.evolve(configuration, warnings=_in_order(warnings))


def _refuse(file: str, message: str, line: int | None = None) -> ConfigurationError:
    return ConfigurationError(file, (Problem("", message, line),))


def _root_table(document: Document, file: str) -> Table:
    """The root mapping.

    Raises:
        ConfigurationError: it is not one, or holds nothing of a configuration.
    """
    root = document.root
    if root is None and document.problems:
        raise ConfigurationError(file, document.problems)
    if root is None or (isinstance(root, Scalar) and root.is_null):
        raise _refuse(file, f"is empty; {_START}")
    if not isinstance(root, Table):
        found = describe(Placed("", root.line, root))
        raise _refuse(file, f"{found}; a configuration is a mapping, {_START}", root.line)
    if not root.entries.keys() & SHAPES[Configuration].keys() and not document.problems:
        raise _refuse(file, _explain_foreign(root), root.line)
    return root


def _explain_foreign(root: Table) -> str:
    if "apiVersion" in root.entries:
        return "is a Kubernetes manifest; give the text inside, a ConfigMap has it below data:, as a file"
    for key in ("vistioConfig", "promvizConfig"):
        if key in root.entries:
            return f"is a file of Helm values; give what stands below {key}: as a file of its own"
    found = ", ".join(list(root.entries)[:5]) or "no keys"
    return f"is no configuration: found {redact(found)}; known here are {', '.join(SHAPES[Configuration])}"


def _collect(problems: list[Problem], read: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
    """What ``read`` returns; None, and its problems added, when it refuses."""
    try:
        return read(*args, **kwargs)
    except RefusedError as error:
        problems.extend(error.problems)
        return None


def _at(root: Placed, key: str, default: Content) -> Placed:
    return root.table.get(key) or Placed(key, root.line, default)


def _graph_name(root: Placed) -> str:
    return read_text(root.table["graphName"]) if "graphName" in root.table else DEFAULT_GRAPH_NAME


def _duplicate_clusters(root: Placed) -> list[Problem]:
    lines: dict[str, int] = {}
    problems = []
    for cluster in _at(root, "clusterLevel", []).items:
        name = cluster.table.get("cluster", cluster)
        if not name.text:
            continue
        if name.text in lines:
            message = f"found {name.text!r} again, first in line {lines[name.text]}; make one cluster of them"
            problems.append(Problem(name.path, message, name.line))
        lines.setdefault(name.text, name.line)
    return problems


def _with_default(classes: tuple[NodeClass, ...]) -> tuple[NodeClass, ...]:
    """Each name once, the last one's colour (as Vistio's web UI has it), ``default`` added."""
    by_name = {node_class.name: node_class for node_class in classes}
    by_name.setdefault(DEFAULT_CLASS.name, DEFAULT_CLASS)
    return tuple(by_name.values())


def _in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """By line, each once: an anchor that is used twice has its problems at both paths, not twice at one."""
    return tuple(sorted(dict.fromkeys(problems), key=lambda problem: problem.line or 0))
