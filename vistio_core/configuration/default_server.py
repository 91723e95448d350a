"""``prometheusURL`` at the top of a file: the server of every rule that names none.

``--prometheus URL`` says it instead of the file, or in its place. What is recorded then has it in
its text: a recording's configuration must load by itself.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from yaml.nodes import MappingNode, Node, ScalarNode

from vistio_core.configuration.places import Placed
from vistio_core.configuration.values import RefusedError, read_url
from vistio_core.configuration.yaml_lines import Scalar, Table, read_yaml
from vistio_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = "prometheusURL"
_RULE_LISTS = {
    "globalLevel": ("clusterConnections", "clusterMeasurements"),
    "clusterLevel": ("serviceConnections", "serviceNotices", "serviceMeasurements"),
}


def check_url(url: str) -> None:
    """Refuse what is no address of a server.

    Raises:
        UsageError: says what was found and what is allowed.
    """
    try:
        read_url(Placed(KEY, 0, Scalar(url, 0)))
    except RefusedError as error:
        raise UsageError(error.problems[0].message) from error


def put_default_server(root: Placed, url: str | None) -> None:
    """Gives each rule of ``root`` without a server the default one.

    Args:
        root: the placed mapping of the whole file; changed in place.
        url: takes the place of the file's own default; None leaves that.
    """
    if url is not None:
        root.table[KEY] = Placed(KEY, root.line, Scalar(url, root.line))
    default = root.table.get(KEY)
    if default is None:
        return
    for rule in _rules(root):
        # Placed at the top: a wrong address is one problem there, not one for each rule.
        rule.table.setdefault(KEY, default)


def _rules(root: Placed) -> Iterator[Placed]:
    for key, lists in _RULE_LISTS.items():
        level = root.table.get(key)
        for one in [] if level is None else (level.items or [level]):
            for name in lists:
                if name in one.table:
                    yield from one.table[name].items


def text_with_default(text: str, root: Node | None, url: str) -> str:
    """The YAML ``text`` with ``url`` as its default server; everything else is as it was.

    Args:
        text: the text.
        root: the root node that was composed from it, a mapping that is not empty.
        url: the address.

    Raises:
        UsageError: the file is written in a way that leaves no place for it.
    """
    assert isinstance(root, MappingNode)
    quoted = json.dumps(url)
    first = root.value[0][0]
    own = next(
        (pair for pair in root.value if isinstance(pair[0], ScalarNode) and pair[0].value == KEY), None
    )
    if own is not None:
        start, end = own[1].start_mark.index, own[1].end_mark.index
        # A block of text (|, >) owns the end of its line.
        changed = text[:start] + quoted + ("\n" if text[start:end].endswith("\n") else "") + text[end:]
    else:
        start, column = first.start_mark.index, first.start_mark.column
        between = ", " if root.flow_style else "\n" + " " * column
        changed = f"{text[:start]}{KEY}: {quoted}{between}{text[start:]}"
    if not _says(changed, url, len(root.value) + (own is None)):
        raise UsageError(f"the file has no place for {KEY}; write {KEY}: {quoted} as its first line")
    return changed


def _says(text: str, url: str, keys: int) -> bool:
    """Whether that went well: a value may have an anchor that others refer to, or be an alias itself."""
    document = read_yaml(text)
    root, node = document.root, document.node
    if document.problems or not isinstance(root, Table) or not isinstance(node, MappingNode):
        return False
    found = root.entries.get(KEY)
    return isinstance(found, Scalar) and found.text == url and len(node.value) == keys
