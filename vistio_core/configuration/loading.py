"""A configuration file, read, checked and turned into a `Configuration`.

The way of a text: `yaml_lines` gives values with lines, `places` cuts them to the known keys,
`structure` makes model objects of them, `advice` looks for what will not do what it seems to.
Errors of all steps are raised together.
"""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import attrs

from vistio_core.configuration.advice import advise
from vistio_core.configuration.default_server import KEY as DEFAULT_SERVER
from vistio_core.configuration.default_server import check_url, put_default_server, text_with_default
from vistio_core.configuration.first_promviz import converted
from vistio_core.configuration.http_config import HttpConfig, ServerSettings
from vistio_core.configuration.http_values import duplicate_servers
from vistio_core.configuration.keys import LEGACY, SHAPES
from vistio_core.configuration.model import (
    DEFAULT_CLASS,
    ClusterLevel,
    Configuration,
    GlobalLevel,
    NodeClass,
)
from vistio_core.configuration.places import MAX_VALUES, Content, Placed, Placer, TooManyValuesError
from vistio_core.configuration.redaction import redact_yaml
from vistio_core.configuration.structure import structure, structure_list
from vistio_core.configuration.values import RefusedError, describe, read_text, read_url
from vistio_core.configuration.yaml_lines import MAX_CHARACTERS, Document, Scalar, Table, read_yaml
from vistio_core.errors import ConfigurationError, Problem
from vistio_core.native_paths import shown
from vistio_core.regular_files import open_regular
from vistio_core.url_secrets import redact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

P = ParamSpec("P")
T = TypeVar("T")

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
DEFAULT_GRAPH_NAME = "vistio"
_TOO_MANY_VALUES = f"anchors and aliases write out more than {MAX_VALUES} values; use fewer aliases (*...)"
_START = "start with globalLevel: and clusterLevel:, see docs/configuration.md"


def load(path: str | Path, *, prometheus_url: str | None = None) -> Configuration:
    """The configuration in the file at ``path``.

    Args:
        path: the file. What it names relatively is relative to its directory.
        prometheus_url: the server of rules that name none, instead of the file's ``prometheusURL``.

    Raises:
        ConfigurationError: the file cannot be read or used; has all of its problems.
        UsageError: ``prometheus_url`` is not an address.
    """
    return _loads(_read(path, "--config"), shown(path), str(Path(path).parent), prometheus_url)


def load_http_config(path: str | Path) -> HttpConfig:
    """The ``http_config`` in a file of its own, as promtool reads it too.

    Raises:
        ConfigurationError: the file cannot be read or used; has all of its problems.
    """
    file = shown(path)
    document = read_yaml(_read(path, "--http-config").removeprefix("\ufeff"))
    root = document.root
    if root is None and document.problems:
        raise ConfigurationError(file, document.problems)
    keys = ", ".join(SHAPES[HttpConfig])
    if root is None or (isinstance(root, Scalar) and root.is_null):
        raise _refuse(file, f"is empty; write a mapping with {keys}")
    try:
        placed = Placer().place(root, HttpConfig, "")
    except TooManyValuesError as error:
        raise _refuse(file, _TOO_MANY_VALUES) from error
    problems = list(document.problems)
    http_config = _collect(problems, structure, placed, HttpConfig)
    if http_config is None or problems:
        raise ConfigurationError(file, _in_order(problems))
    return attrs.evolve(http_config, directory=str(Path(path).parent))


def _read(path: str | Path, option: str) -> str:
    """The text of a file; ``option`` is how the user named it."""
    file = shown(path)
    try:
        with open_regular(path) as stream:
            # Four bytes a character at most; one more shows that the text is too long.
            content = stream.read(4 * MAX_CHARACTERS + 1)
    except FileNotFoundError as error:
        raise _refuse(file, f"no such file; give another one with {option}") from error
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path
        reason = getattr(error, "strerror", None) or str(error)
        raise _refuse(file, f"cannot be read: {reason}; give another one with {option}") from error
    try:
        return content.decode("utf-16" if content.startswith(_UTF16) else "utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        message = f"found byte 0x{content[error.start]:02x}, which is not UTF-8; save the file as UTF-8"
        raise ConfigurationError(file, (Problem("", message, line),)) from error


def loads(text: str, file: str = "<text>", *, prometheus_url: str | None = None) -> Configuration:
    """The configuration in ``text``; ``file`` names it in messages, the rest is as for `load`.

    Raises:
        ConfigurationError: the text cannot be used; has all of its problems.
        UsageError: ``prometheus_url`` is not an address.
    """
    return _loads(text, file, "", prometheus_url)


def _loads(text: str, file: str, directory: str, prometheus_url: str | None) -> Configuration:
    if prometheus_url is not None:
        check_url(prometheus_url)
    text = text.removeprefix("\ufeff")
    document = read_yaml(text)
    root = _root_table(document, file)
    _refuse_first_promviz(text, root, file)
    placer = Placer()
    try:
        placed = placer.place(root, Configuration, "")
    except TooManyValuesError as error:
        raise _refuse(file, _TOO_MANY_VALUES) from error
    put_default_server(placed, prometheus_url)
    problems = list(document.problems) + _duplicate_clusters(placed)
    problems += duplicate_servers(_at(placed, "servers", []))
    graph_name = _collect(problems, _graph_name, placed)
    global_level = _collect(problems, structure, _at(placed, "globalLevel", {}), GlobalLevel)
    clusters = _collect(problems, structure_list, _at(placed, "clusterLevel", []), ClusterLevel)
    classes = _collect(problems, structure_list, _at(placed, "classes", []), NodeClass)
    default_server = _collect(problems, _default_server, placed)
    http_config = _collect(problems, _http_config, placed, directory)
    servers = _collect(problems, structure_list, _at(placed, "servers", []), ServerSettings)
    if graph_name is None or global_level is None or clusters is None or classes is None or problems:
        raise ConfigurationError(file, _in_order(problems))
    assert default_server is not None  # as what follows: it has no value only where it has problems
    assert servers is not None
    configuration = Configuration(
        graph_name=graph_name,
        global_level=global_level,
        clusters=clusters,
        classes=_with_default(classes),
        text=_text_to_keep(text, document, prometheus_url),
        prometheus_url=default_server,
        http_config=http_config,
        servers=tuple(_in_directory(server, directory) for server in servers),
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
    known = SHAPES[Configuration].keys() | {key for shape, key in LEGACY if shape is Configuration}
    if not root.entries.keys() & known and not document.problems:
        raise _refuse(file, _explain_foreign(root), root.line)
    return root


def _refuse_first_promviz(text: str, root: Table, file: str) -> None:
    """Vistio would read past its clusters, and show none: whoever still has such a file wants them.

    Raises:
        ConfigurationError: it is one; has the same file with the keys of today.
    """
    instead = converted(text, root)
    if instead is not None:
        shown_text = redact_yaml(instead, read_yaml(instead).node)
        message = (
            "is a file of the first promviz; save this instead, with *** replaced where it hides a secret"
        )
        raise _refuse(file, f"{message}:\n\n{shown_text}")


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


def _default_server(root: Placed) -> str:
    return read_url(root.table[DEFAULT_SERVER]) if DEFAULT_SERVER in root.table else ""


def _http_config(root: Placed, directory: str) -> HttpConfig | None:
    if "http_config" not in root.table:
        return None
    return attrs.evolve(structure(root.table["http_config"], HttpConfig), directory=directory)


def _in_directory(server: ServerSettings, directory: str) -> ServerSettings:
    if server.http_config is None:
        return server
    return attrs.evolve(server, http_config=attrs.evolve(server.http_config, directory=directory))


def _text_to_keep(text: str, document: Document, prometheus_url: str | None) -> str:
    """What a recording keeps: it loads by itself, and has no secrets."""
    if prometheus_url is None:
        return redact_yaml(text, document.node)
    text = text_with_default(text, document.node, prometheus_url)
    return redact_yaml(text, read_yaml(text).node)


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
